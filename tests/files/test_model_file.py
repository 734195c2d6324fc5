"""Model files: what they state is what runs, and each mistake is told by file, line and key."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import steadyflux as sf
from steadyflux.files.build import LAWS, PHASES, QUANTITIES
from steadyflux.files.forms import FORMS
from steadyflux.files.locate import parse_toml
from steadyflux.files.mistakes import leaves
from steadyflux.files.model_file import ModelFile, read_model_file
from steadyflux.files.schema import plain
from steadyflux.files.spaces import SPACES
from steadyflux.ground.constants import F, R
from steadyflux.ground.errors import InputError, NotConverged
from steadyflux.physics.law import Law
from steadyflux.physics.phase import Phase

from .conftest import GOOD

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def file_of(text):
    return ModelFile("m.toml", text, parse_toml(text, "m.toml"))


def answers(file):
    solution = sf.steady(file.model)
    return {name: value for name, (value, _) in file.answers(solution).items()}


def test_a_file_states_the_same_model_as_the_library(good):
    file = read_model_file(good)
    model = sf.Model(
        sf.interval("1 mm", cells=21),
        [sf.Species("c")],
        [sf.Fick("c", "1.3e-9 m^2/s")],
        [sf.Hold("left", {"c": "2.5 mM"}), sf.Hold("right", {"c": 0.7})],
        temperature="25 degC",
    )
    assert np.array_equal(sf.steady(file.model)["c"], sf.steady(model)["c"])
    assert answers(file)["flow"] == pytest.approx(1.3e-9 * 1.8 / 1e-3, rel=1e-12)


MISTAKES = [
    ('kind = "fick"', 'kind = "fikc"', 15, "law[1].kind", "'fick'"),
    ("diffusivity =", "difusivity =", 17, "law[1].difusivity", "'diffusivity'"),
    ("1.3e-9 m^2/s", "1.3e-9 m/s", 17, "law[1].diffusivity", "length^2/time"),
    ('"1.3e-9 m^2/s"', "nan", 17, "law[1].diffusivity", "not a finite"),
    ('"1.3e-9 m^2/s"', "2026-01-01", 17, "law[1].diffusivity", "date"),
    ('"1.3e-9 m^2/s"', "-1e-9", 17, "law[1].diffusivity", "negative"),
    ('"1.3e-9 m^2/s"', "1" + "0" * 400, 17, "law[1].diffusivity", "not a finite"),
    ('"1.3e-9 m^2/s"', '{ form = "gaus" }', 17, "law[1].diffusivity.form", "gaussian"),
    ('"1.3e-9 m^2/s"', '{ form = "table", x = [2, 1], y = [1, 1] }', 17, "law[1].diffusivity.x", "increase"),
    ('"1.3e-9 m^2/s"', '{ form = "power", value = 1 }', 17, "law[1].diffusivity.form", "exponent"),
    ('"1.3e-9 m^2/s"', "{ value = 1 }", 17, "law[1].diffusivity", "without a form"),
    ('name = "c"', 'name = "c"\nreference = [1, 2]', 13, "quantity[1].reference", "list"),
    ("cells = 21", "cells = 1", 8, "space.cells", "from 2"),
    ("cells = 21", "cells = 100_000_000_000", 8, "space.cells", "100,000,000,000 cells"),
    ("cells = 21", "cells = 2.5", 8, "space.cells", "whole number"),
    ("cells = 21", "cels = 21", 8, "space.cels", "'cells'"),
    ('"1 mm"', "1e308", 5, "space", "overflow"),
    ('"1 mm"', "0", 7, "space.length", "positive"),
    ('"1 mm"', '"-2 mm"', 7, "space.length", "positive"),
    ('"25 degC"', "-3", 3, "model.temperature", "absolute zero"),
    ('"25 degC"', "inf", 3, "model.temperature", "finite"),
    ('name = "slab"', 'phase = "idael"', 2, "model.phase.kind", "'ideal'"),
    ('place = "left"', 'place = "lefd"', 20, "boundary[1].place", "'left'"),
    ('{ c = "2.5 mM" }', "{ d = 1 }", 22, "boundary[1].values.d", "'d'"),
    ('{ c = "2.5 mM" }', "{ c = true }", 22, "boundary[1].values.c", "boolean"),
    ('{ c = "2.5 mM" }', "{ c = [1, 2] }", 22, "boundary[1].values.c", "2 values"),
    ('{ c = "2.5 mM" }', "{ c = -1 }", 19, "boundary[1]", "negative"),
    ('{ c = "2.5 mM" }', "3", 22, "boundary[1].values", "table"),
    ('place = "right"', 'place = "left"', 24, "boundary[2]", "two conditions"),
    ('quantity = "c"', 'quantity = "cc"', 32, "answer[1].quantity", "'c'"),
    ('through = "left"', 'through = "lefd"', 33, "answer[1].through", "'left'"),
    ('through = "left"', "", 29, "answer[1]", "'through'"),
    ('kind = "flow"', 'kind = "flwo"', 31, "answer[1].kind", "'flow'"),
    ('name = "c"', 'name = "c\\u0000"', 12, "quantity[1].name", "control character"),
    ("[[law]]", "[law]", 14, "law", "list"),
    ("[[law]]", "[[laws]]", 14, "laws", "'law'"),
    ("[[answer]]", "[given]\nc = 1\n[[answer]]", 30, "given.c", "given"),
    ("[[answer]]", '[given]\ng = "1 m"\n[[answer]]', 30, "given.g", "length"),
    ("[[answer]]", "[start]\nc = [1, 2]\n[[answer]]", 30, "start.c", "(2,)"),
    ("[[answer]]", '[[shared]]\nname = "s"\n[[answer]]', 29, "shared[1]", "'balance'"),
]


@pytest.mark.parametrize(("old", "new", "line", "key", "says"), MISTAKES)
def test_each_mistake_is_told_by_file_line_and_key(old, new, line, key, says):
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        _ = file_of(GOOD.replace(old, new, 1)).model
    sentence = str(caught.value)
    assert sentence.startswith(f"m.toml, line {line}, {key}: "), sentence
    assert says in sentence
    assert "\n" not in sentence


FILM = """\
place = "right"
kind = "film"
quantity = "c"
coefficient = "2 um/s"
outside = { c = 0.4 }
"""


def with_film(old="", new=""):
    held = 'place = "right"\nkind = "hold"\nvalues = { c = 0.7 }\n'
    assert held in GOOD and old in FILM
    return file_of(GOOD.replace(held, FILM.replace(old, new)))


def test_the_coefficient_of_a_film_has_a_unit():
    resistance = 1e-3 / 1.3e-9 + 1 / 2e-6
    assert answers(with_film())["flow"] == pytest.approx((2.5 - 0.4) / resistance, rel=1e-10)
    assert with_film().parameters()["right.coefficient"] == (2e-6, "m/s")
    for new, says in (("-1", "negative"), ("2 W/(m^2*K)", "length/time")):
        with pytest.raises(InputError, match=rf"m.toml, line 28, boundary\[2\].coefficient: .*{says}"):
            _ = with_film("2 um/s" if new != "-1" else '"2 um/s"', new).model


def test_values_set_from_outside_take_the_place_of_the_file_s():
    file = file_of(GOOD)
    assert set(file.settings) == {
        "model.temperature",
        "space.length",
        "space.cells",
        "fick.species",
        "fick.diffusivity",
        "left.c",
        "right.c",
    }
    changed = file.with_values(
        {"left.c": "1.7 mM", "space.length": "2 mm", "fick.diffusivity": "4e-10", "space.cells": "11"}
    )
    assert answers(changed)["flow"] == pytest.approx(4e-10 * 1.0 / 2e-3, rel=1e-12)
    assert changed.parameters()["left.c"] == (1.7, "mol/m^3")
    assert changed.parameters()["space.cells"] == (11.0, "")
    assert file.parameters()["left.c"] == (2.5, "mol/m^3")
    assert file.parameters()["model.temperature"] == (298.15, "K")
    with pytest.raises(InputError, match=r"no value to set .* did you mean 'left\.c'"):
        file.with_values({"lef.c": 1.0})
    with pytest.raises(InputError, match=r"^--set left\.c: .*temperature"):
        _ = file.with_values({"left.c": "3 K"}).model


def test_laws_of_one_kind_are_set_by_number():
    file = read_model_file(EXAMPLES / "house_wall.toml")
    assert {"fourier.conductivity", "fourier#2.conductivity", "fourier#3.conductivity"} <= set(file.settings)
    thick = file.with_values({"fourier#3.conductivity": "0.05 W/(m*K)", "outside.outside.T": "-10 degC"})
    resistance = 1 / 8 + 0.015 / 0.70 + 0.24 / 0.60 + 0.10 / 0.05 + 1 / 23
    assert answers(thick)["heat_flux"] == pytest.approx(30.0 / resistance, rel=1e-10)


def test_every_public_law_quantity_phase_and_form_can_be_written():
    public = [getattr(sf, name) for name in sf.__all__]
    # Those to be subclassed, and one whose coefficients are functions: a file holds none.
    abstract = {sf.EdgeLaw, sf.CellLaw, sf.Law, sf.Reaction, sf.Coupled, sf.FokkerPlanck}
    laws = {plain(x.__name__) for x in public if isinstance(x, type) and issubclass(x, Law) and x not in abstract}
    assert laws | {"fick", "fourier", "ohm", "darcy"} == set(LAWS)
    phases = {plain(x.__name__) for x in public if isinstance(x, type) and issubclass(x, Phase) and x is not Phase}
    assert phases == set(PHASES)
    moving = {"momentum", "energy", "impulse"}
    assert set(QUANTITIES) == {"species", "ion", "heat", "potential", "volume", "size", "population"} | moving
    assert set(SPACES) == {"interval", "axis", "network", "join", "grid", "mesh", "delaunay"}
    assert {"exponential", "polynomial", "power", "limited", "table", "gaussian", "step", "linear", "plateau"} <= set(
        FORMS
    )


def test_a_coefficient_by_form_depends_on_the_state_or_on_the_position():
    # Kirchhoff's transform: D = D0 exp(k c) carries D0 (exp(k c1) - exp(k c2)) / (k L).
    state = GOOD.replace('"1.3e-9 m^2/s"', '{ form = "exponential", value = "1.3e-9 m^2/s", rate = 0.6 }')
    expected = 1.3e-9 * (math.exp(0.6 * 2.5) - math.exp(0.6 * 0.7)) / 0.6 / 1e-3
    assert answers(file_of(state))["flow"] == pytest.approx(expected, rel=1e-9)
    # Resistances in series: D doubles half-way.
    step = '{ form = "step", of = "position", at = "0.5 mm", before = 1.3e-9, after = "2.6e-9 m^2/s" }'
    expected = 1.8 / (0.5e-3 / 1.3e-9 + 0.5e-3 / 2.6e-9)
    assert answers(file_of(GOOD.replace('"1.3e-9 m^2/s"', step)))["flow"] == pytest.approx(expected, rel=1e-9)
    table = '{ form = "table", x = [0, 10], y = [1e-9, 3e-9] }'
    expected = (1e-9 * 1.8 + 0.5 * 2e-10 * (2.5**2 - 0.7**2)) / 1e-3
    assert answers(file_of(GOOD.replace('"1.3e-9 m^2/s"', table)))["flow"] == pytest.approx(expected, rel=1e-9)


def test_a_shared_unknown_carries_what_its_balance_asks():
    text = GOOD.replace('{ c = "2.5 mM" }', '{ c = { shared = "feed" } }')
    text += (
        '[[shared]]\nname = "feed"\nstart = 1.0\n'
        'balance = { kind = "flow", through = "left", of = { c = 1.0 }, equals = 2e-6 }\n'
        '[[answer]]\nname = "feed"\nkind = "shared"\nshared = "feed"\n'
    )
    found = answers(file_of(text))
    assert found["flow"] == pytest.approx(2e-6, rel=1e-9)
    assert found["feed"] == pytest.approx(0.7 + 2e-6 * 1e-3 / 1.3e-9, rel=1e-9)


def test_what_has_no_steady_state_does_not_converge():
    text = GOOD.replace(
        "[[answer]]", '[[law]]\nkind = "source"\nquantity = "c"\nstrength = 0.3\n[start]\nc = 1.0\n[[answer]]'
    )
    sealed = text.replace('kind = "hold"', 'kind = "sealed"').replace('values = { c = "2.5 mM" }', "")
    file = file_of(sealed.replace("values = { c = 0.7 }", ""))
    with pytest.raises(NotConverged, match="largest for c"):
        sf.steady(file.model)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_runs_and_its_books_close(path):
    file = read_model_file(path)
    solution = sf.steady(file.model)
    assert all(entry.relative <= 1e-10 for entry in solution.ledger.values())
    assert solution.entropy.least_local >= -1e-12 * max(abs(solution.entropy.production), 1e-30)
    assert all(math.isfinite(value) for value, _ in file.answers(solution).values())


def test_the_examples_give_what_they_say():
    found = {path.stem: answers(read_model_file(path)) for path in EXAMPLES.glob("*.toml")}
    wall = 25.0 / (1 / 8 + 0.015 / 0.70 + 0.24 / 0.60 + 0.10 / 0.035 + 1 / 23)
    assert found["house_wall"]["heat_flux"] == pytest.approx(wall, rel=1e-10)
    thiele = 3.0 * (5.0 / math.tanh(5.0) - 1.0) / 25.0
    assert found["catalyst_pellet"]["effectiveness"] == pytest.approx(thiele, rel=2e-4)
    assert found["settling_sediment"]["e_fold"] == pytest.approx(math.exp(4.72e7 * 51.64e-6 / (R * 293.15)), rel=1e-4)
    gel = 1e-9 * 2e-3 / (3.9e-10 * 1e-4)
    assert found["membrane_between_baths"]["drop_across_gel"] == pytest.approx(gel, rel=1e-9)
    neuron = found["neuron_compartments"]
    assert -0.09 < neuron["resting_potential"] < -0.06
    # In the channel potassium leaves and sodium enters, between the Nernst potentials of both.
    channel = found["potassium_channel"]
    nernst = {ion: R * 310.15 / F * math.log(o / i) for ion, o, i in (("K+", 4.5, 140.0), ("Na+", 145.0, 12.0))}
    assert nernst["K+"] < channel["reversal_potential"] < nernst["K+"] + 0.02 < nernst["Na+"]
    assert channel["potassium_flow"] > 0 > channel["sodium_flow"]
    assert channel["current"] > 0


def test_no_current_flows_at_the_reversal_potential():
    file = read_model_file(EXAMPLES / "potassium_channel.toml")
    rest = answers(file)
    there = answers(file.with_values({"inside.phi": rest["reversal_potential"]}))
    assert abs(there["current"]) < 1e-8 * abs(rest["current"])


WRONG = st.one_of(
    st.sampled_from(
        ["nan", "inf", "-1", "0", "1e308", "-1e-320", "true", "[]", "{}", '""', '"1 kg"', '"K+"', "1979-05-27"]
    ),
    st.sampled_from(
        ['{ form = "table" }', "[[1], 2]", '{ kind = "fick" }', "{ shared = 3 }", '"1e999 m"', '"-5 degC"']
    ),
    st.text('[]{}="1ae-. mK', max_size=8),
)


@settings(max_examples=250)
@given(st.integers(0, 32), WRONG, st.booleans())
def test_any_spoilt_file_is_refused_in_one_sentence_or_well_posed(number, wrong, whole_line):
    lines = GOOD.split("\n")
    key, sign, _ = lines[number].partition("=")
    lines[number] = wrong if whole_line or not sign else f"{key}= {wrong}"
    text = "\n".join(lines)
    try:
        model = file_of(text).model
    except InputError as error:
        assert str(error).startswith("m.toml") and "\n" not in str(error)
    else:
        assert isinstance(model, sf.Model)
        assert all(math.isfinite(value) for _, value in leaves(file_of(text).document) if isinstance(value, float))
