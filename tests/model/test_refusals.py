"""Everything that makes a model ill-posed is refused when it is built: by name, by place, in a sentence that helps."""

import subprocess
import sys

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import ModelError, NameUnknown, UnitError

SLAB = sf.interval(1.0, 5)
PAIR = sf.network({"in": 1.0, "out": 2.0}, {"wall": [("in", "out")]})
APART = sf.network({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, {"one": [("a", "b")], "two": [("c", "d")]})
SALT = (sf.Ion("Na+", 1e-9), sf.Ion("Cl-", 2e-9), sf.Potential())
BATH = {"Na+": 10.0, "Cl-": 10.0, "phi": 0.0}


def heat(**changes):
    """A good model of a rod, with changes."""
    arguments = {
        "space": SLAB,
        "quantities": [sf.Heat()],
        "laws": [sf.Fourier(2.0)],
        "boundaries": [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 280.0})],
        **changes,
    }
    return sf.Model(**arguments)


def salt(**changes):
    """A good model of a pore with salt, with changes."""
    arguments = {
        "space": SLAB,
        "quantities": SALT,
        "laws": [sf.NernstPlanck(), sf.Electroneutrality()],
        "boundaries": [sf.Hold("left", BATH), sf.Hold("right", BATH)],
        **changes,
    }
    return sf.Model(**arguments)


def diffusion(**changes):
    """A good model of a dissolved species, with changes."""
    arguments = {
        "space": SLAB,
        "quantities": [sf.Species("A")],
        "laws": [sf.Fick("A", 1e-9)],
        "boundaries": [sf.Hold("left", {"A": 1.0})],
        **changes,
    }
    return sf.Model(**arguments)


def test_the_models_that_the_refusals_start_from_are_good():
    assert heat().names == ("T",)
    assert salt().names == ("Na+", "Cl-", "phi")
    assert diffusion().names == ("A",)


class TextInPlainField(sf.EdgeLaw):
    quantity: str

    @property
    def moves(self):
        return (self.quantity,)

    def flux(self, tail, head, edge):
        return {self.quantity: edge.conductor * (tail[self.quantity] - head[self.quantity])}


def test_the_unit_of_a_film_is_that_of_its_quantity_s_kind():
    film = {"boundaries": [sf.Film("left", "T", "3 mW/(cm^2*K)", 300.0)]}
    assert float(heat(**film).laws[-1].coefficient) == 30.0
    with pytest.raises(UnitError, match=r"transfer coefficient of T.*'3 m/s'"):
        heat(boundaries=[sf.Film("left", "T", "3 m/s", 300.0)])


def test_a_current_without_charges_is_refused():
    with pytest.raises(ModelError, match="No quantity of this model carries charge"):
        sf.steady(diffusion()).current("left")


def test_several_exchanges_and_an_influx_add_up_at_one_place():
    film, influx = sf.Film("left", "T", 5.0, 290.0), sf.Influx("left", {"T": 30.0})
    radiation = sf.Exchange("left", sf.Radiation(0.9), {"T": 250.0})
    solution = sf.steady(heat(boundaries=[film, influx, radiation, sf.Hold("right", {"T": 310.0})]))
    face = float(solution.value("T", "left"))
    expected = 5.0 * (290.0 - face) + 30.0 + 0.9 * SIGMA_SB * (250.0**4 - face**4)
    np.testing.assert_allclose(float(solution.flow("T", "left")), expected, rtol=1e-9)
    assert solution.ledger["T"].relative < 1e-10


ILL_POSED = [
    (lambda: heat(quantities=[]), "at least one quantity"),
    (lambda: heat(quantities=[sf.Heat(), sf.Heat()]), "Two quantities are called 'T'"),
    (lambda: heat(quantities=[sf.Heat(), sf.Heat("T2")]), "one quantity of kind heat"),
    (lambda: heat(quantities=[sf.Heat(), sf.Species("A")]), "No law moves or makes A"),
    (lambda: salt(laws=[sf.NernstPlanck()], boundaries=[sf.Hold("left", {"Na+": 1.0, "Cl-": 1.0})]), "makes phi"),
    (
        lambda: heat(boundaries=[sf.Hold("left", {"T": 300.0}), sf.Influx("left", {"T": 2.0})]),
        "T has two conditions at 'left': Hold and Influx; keep one",
    ),
    (
        lambda: heat(boundaries=[sf.Film("left", "T", 5.0, 290.0), sf.Hold("left", {"T": 2.0})]),
        "T has two conditions at 'left': Exchange and Hold; keep one",
    ),
    (
        lambda: heat(boundaries=[sf.Hold("left", {"T": 300.0}), sf.Sealed("left", ("T",))]),
        "two conditions at 'left': Hold and Sealed",
    ),
    (
        lambda: heat(
            space=SLAB.with_region("warm", [0, 1]),
            boundaries=[sf.Hold("warm", {"T": 310.0}), sf.Hold("left", {"T": 300.0})],
        ),
        "T is held twice in the cell 0 at x = 0, once by 'left'",
    ),
    (lambda: heat(boundaries=[]), "T is fixed nowhere in the part that contains the cell 0 at x = 0"),
    (lambda: heat(quantities=[sf.Heat(capacity=1e6)], boundaries=[]), "give start={'T': ...}"),
    (lambda: diffusion(boundaries=[]), "A is sealed in the part that contains the cell 0 at x = 0"),
    (
        lambda: diffusion(
            space=APART,
            laws=[sf.Fick("A", 1.0, on="one"), sf.Fick("A", 1.0, on="two")],
            boundaries=[sf.Hold("b", {"A": 2.0})],
        ),
        "A is sealed in the part that contains the cell 'c'",
    ),
    (
        lambda: salt(boundaries=[sf.Hold("left", {"Na+": 1.0, "Cl-": 1.0})]),
        "The potential phi has no reference in the part that contains the cell 0 at x = 0; hold it",
    ),
    (
        lambda: salt(boundaries=[sf.Hold("left", {"Na+": 10.0, "Cl-": 11.0, "phi": 0.0})]),
        "The bath at 'left' is not electroneutral: its charges add up to 1 mol/m^3",
    ),
    (
        lambda: salt(laws=[sf.NernstPlanck(), sf.Electroneutrality(fixed_charge="-3 mM")]),
        "not electroneutral: its charges add up to 3 mol/m^3",
    ),
    (lambda: diffusion(boundaries=[sf.Hold("left", {"A": -1.0})]), "A held at 'left' is -1"),
    (lambda: diffusion(start={"A": np.array([1.0, 2.0, -3.0, 1.0, 1.0])}), "A at the start is -3"),
    (lambda: diffusion(start={"A": np.ones(4)}), "start of A has the shape (4,); give one number or 5 values"),
    (lambda: diffusion(given={"lift": np.ones((5, 2))}), "given field lift has the shape (5, 2)"),
    (lambda: diffusion(laws=[sf.Fick("A", np.ones(5))]), "give one number or 4, one for each edge or cell"),
    (lambda: diffusion(given={"A": 1.0}), "'A' is a quantity to solve for"),
    (lambda: diffusion(temperature=0.0), "above absolute zero"),
    (lambda: diffusion(temperature="-300 degC"), "above absolute zero"),
    (
        lambda: heat(boundaries=[sf.Hold("left", {"T": 300.0}), sf.Float("right", "T")]),
        "Only an electric potential can float",
    ),
    (
        lambda: heat(shared=[sf.Shared("T", sf.TotalBalance("T", 1.0))]),
        "The name 'T' of a shared unknown is used twice",
    ),
    (
        lambda: heat(boundaries=[sf.Exchange("left", sf.Transfer("T", 3.0), {})]),
        "The exchange at 'left' needs T outside; add it to outside={...} of Transfer",
    ),
    (
        lambda: diffusion(
            space=PAIR,
            quantities=[sf.Species("A", where="in")],
            laws=[sf.Fick("A", 1.0, on="wall")],
            boundaries=[sf.Hold("out", {"A": 1.0})],
        ),
        "A does not live at 'out'",
    ),
    (lambda: diffusion(laws=[sf.Fick("A", 1.0), sf.NernstPlanck()]), "NernstPlanck neither moves nor makes"),
    (lambda: diffusion(laws=[sf.Fick("A", 1.0), sf.NernstPlanck("A")]), "A has no diffusivity"),
    (lambda: heat(boundaries=[sf.Film("left", "T", "-3 W/(m^2*K)", 300.0)]), "transfer coefficient of T is negative"),
    (lambda: heat(laws=[TextInPlainField("T")]), "The field 'quantity' of TextInPlainField is a text"),
]


@pytest.mark.parametrize(("build", "words"), ILL_POSED)
def test_an_ill_posed_model_is_refused(build, words):
    with pytest.raises(ModelError) as refusal:
        build()
    sentence = str(refusal.value)
    assert words in sentence
    assert sentence.lstrip("'")[0].isupper() and sentence.endswith(".")


OF_A_WRONG_TYPE = """
import steadyflux as sf

GOOD = {
    "quantities": [sf.Species("A")], "laws": [sf.Fick("A", 1e-9)], "boundaries": [sf.Hold("left", {"A": 1.0})]
}
for key, wrong in (
    ("quantities", sf.Species("A")), ("quantities", ["A"]), ("laws", ["fick"]),
    ("boundaries", {"left": {"A": 1.0}}), ("boundaries", [sf.Hold("left", "A")]),
):
    try:
        sf.Model(sf.interval("1 mm", cells=5), **{**GOOD, key: wrong})
    except sf.ModelError as error:
        print(error)
"""


def test_a_declaration_of_a_wrong_type_is_refused_in_one_sentence():
    # In a process of its own: here, the types of all arguments are checked before the library sees them.
    done = subprocess.run([sys.executable, "-c", OF_A_WRONG_TYPE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    expected = (
        "write quantities=[...].",
        "Among the quantities is 'A', which is not a quantity; use Species",
        "Among the laws is 'fick', which is not a law; use one such as Fick",
        "write boundaries=[...].",
        "The Hold at 'left' needs a table of values",
    )
    for sentence, words in zip(done.stdout.splitlines(), expected, strict=True):
        assert words in sentence


MISSPELT = [
    (lambda: heat(laws=[sf.Conduction("t", 2.0)]), "t", "T"),
    (lambda: heat(laws=[sf.Fourier(2.0, on="interor")]), "interor", "interior"),
    (lambda: heat(boundaries=[sf.Hold("lift", {"T": 300.0})]), "lift", "left"),
    (lambda: salt(boundaries=[sf.Hold("left", {**BATH, "Na": 1.0})]), "Na", "Na+"),
    (lambda: salt(boundaries=[sf.Influx("left", {"CL-": 1.0})]), "CL-", "Cl-"),
    (lambda: salt(start={"Cl": 1.0}), "Cl", "Cl-"),
    (lambda: diffusion(space=SLAB, laws=[sf.Fick("A", 1.0), sf.Decay({"B": -1}, 1.0)]), "B", None),
    (lambda: heat(laws=[sf.Fourier(2.0), sf.Source("T", 1.0, on="rihgt")]), "rihgt", "right"),
    (lambda: diffusion(quantities=[sf.Species("A", external="wight")], given={"weight": 1.0}), "wight", "weight"),
    (lambda: diffusion(quantities=[sf.Species("A", where="lefd")]), "lefd", "left"),
    (
        lambda: heat(
            boundaries=[sf.Hold("left", {"T": sf.shared("top")})],
            shared=[sf.Shared("tip", sf.ValueBalance("T", "right", 280.0))],
        ),
        "top",
        "tip",
    ),
    (
        lambda: heat(boundaries=[sf.Exchange("left", sf.Transfer("T", 3.0), {"T": 300.0, "TT": 1.0})]),
        "TT",
        "T",
    ),
]


@pytest.mark.parametrize(("build", "name", "near"), MISSPELT)
def test_a_misspelt_name_is_refused_with_the_nearest_right_one(build, name, near):
    with pytest.raises(NameUnknown) as refusal:
        build()
    assert refusal.value.name == name
    assert near is None or near in refusal.value.nearest
    assert near is None or f"did you mean '{near}'" in str(refusal.value)


UNITS = [
    (lambda: heat(boundaries=[sf.Hold("left", {"T": "3 V"})]), "T held at 'left'", "K"),
    (lambda: salt(boundaries=[sf.Hold("left", {**BATH, "phi": "3 K"})]), "phi held at 'left'", "V"),
    (lambda: heat(boundaries=[sf.Influx("left", {"T": "3 mol/s"})]), "influx of T at 'left'", "W"),
    (lambda: heat(laws=[sf.Fourier("2 W/K")]), "thermal conductivity", "W/(m*K)"),
    (lambda: diffusion(temperature="3 m"), "temperature", "K"),
    (lambda: diffusion(start={"A": "3 kg"}), "start of A", "mol/m^3"),
    (lambda: diffusion(start={"A": np.array([1.0, np.nan, 1.0, 1.0, 1.0])}), "start of A", "mol/m^3"),
    (lambda: diffusion(boundaries=[sf.Hold("left", {"A": float("nan")})]), "A held at 'left'", "mol/m^3"),
    (lambda: diffusion(given={"phi": float("inf")}), "given field phi", "V"),
    (lambda: diffusion(laws=[sf.Fick("A", lambda x: np.nan * x)]), "coefficient", ""),
    (lambda: sf.Species("A", "3 m"), "diffusivity of A", "m^2/s"),
    (lambda: sf.Volume(capacity="3 Pa"), "capacity of p", "1/Pa"),
    (
        lambda: salt(boundaries=[sf.Hold("left", BATH), sf.Float("right", current="3 V")]),
        "current through 'right'",
        "A",
    ),
    (lambda: sf.Shared("x", sf.TotalBalance("T", 1.0), start="3 V", unit="m"), "start of the shared unknown 'x'", "m"),
]


@pytest.mark.parametrize(("build", "what", "unit"), UNITS)
def test_a_value_in_the_wrong_unit_or_not_finite_is_refused_by_name(build, what, unit):
    with pytest.raises(UnitError) as refusal:
        build()
    assert refusal.value.what == what
    assert refusal.value.expected.startswith(unit)


def test_an_answer_asked_by_a_wrong_name_is_refused():
    solution = sf.steady(heat())
    for ask in (
        lambda: solution["TT"],
        lambda: solution.flow("TT", "left"),
        lambda: solution.flow("T", "lft"),
        lambda: solution.along("T", "interor"),
        lambda: solution.value("T", "lft"),
        lambda: solution.total("TT"),
    ):
        with pytest.raises(NameUnknown, match="did you mean"):
            ask()


def test_something_that_is_no_law_is_refused():
    with pytest.raises(ModelError, match="is not a law"):
        heat(laws=[sf.Fourier(2.0), sf.Law()])
