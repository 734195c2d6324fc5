"""The liquid junction: its claims, six ions at 60 C, extreme dilution, and bad input."""

import math

import numpy as np
import pytest
from scipy.special import erf

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte.liquid_junction import IONS, SYSTEM, model, planck


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


KEYS = ("charge", "diffusivity", "left", "right")


def test_six_ions_at_60_degrees_meet_plancks_potential():
    rows = [
        (1, 9.3e-9, 3.0, 0.2), (1, 1.33e-9, 140.0, 8.8), (1, 1.96e-9, 5.0, 151.0),
        (-1, 2.03e-9, 110.0, 60.0), (-1, 1.19e-9, 25.0, 80.0), (-1, 5.3e-9, 13.0, 20.0),
    ]  # fmt: skip
    ions = [dict(zip(KEYS, row, strict=True)) for row in rows]
    found = SYSTEM.run(ions=ions, temperature=333.15)
    assert found.answers["junction_potential"] == pytest.approx(planck(ions, 333.15), rel=1e-5)
    assert abs(found.answers["current"]) < 1e-12 * FARADAY * max(map(abs, found.answers["fluxes"]))
    assert all(entry.relative < 1e-10 for entry in found.solution.ledger.values())
    assert found.solution.entropy.least_local >= 0.0


@pytest.mark.parametrize("ratio", [1e-6, 3e-3, 1e5])
def test_one_salt_over_many_decades_of_dilution(ratio):
    ions = [(1, 1.334e-9, 70.0, 70.0 * ratio), (-1, 2.032e-9, 70.0, 70.0 * ratio)]
    found = SYSTEM.run(ions=ions).answers
    expected = -R * 298.15 / FARADAY * (1.334 - 2.032) / (1.334 + 2.032) * math.log(ratio)
    assert found["junction_potential"] == pytest.approx(expected, rel=1e-4)
    assert found["fluxes"][0] == pytest.approx(
        2.0 / (1 / 1.334e-9 + 1 / 2.032e-9) * 70.0 * (1 - ratio) / 1e-3, rel=1e-4
    )


def test_a_thicker_film_changes_the_fluxes_and_not_the_potential():
    one, two = (SYSTEM.run(thickness=x).answers for x in (2e-5, 7e-2))
    assert two["junction_potential"] == pytest.approx(one["junction_potential"], rel=1e-10)
    np.testing.assert_allclose(np.array(two["fluxes"]) * 7e-2, np.array(one["fluxes"]) * 2e-5, rtol=1e-9)


def test_the_same_solution_on_both_sides_is_in_equilibrium():
    same = [{**ion, "right": ion["left"]} for ion in IONS.default]
    found = SYSTEM.run(ions=same)
    assert found.solution.regime == "equilibrium"
    assert found.answers["junction_potential"] == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize(
    ("ions", "message"),
    [
        ([(1, 1e-9, 3.0, 4.0), (-1, 1e-9, 3.0, 4.1)], "The right solution is not electroneutral"),
        ([(1, 1e-9, 3.0, 0.0), (-1, 1e-9, 3.0, 0.0)], "The right solution holds no ion"),
        ([(1, 1e-9, -3.0, 1.0), (-1, 1e-9, -3.0, 1.0)], "left of ion 1"),
    ],
)
def test_bad_input_is_refused(ions, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(ions=ions)


CROWD = [
    dict(zip(KEYS, row, strict=True))
    for row in [(1, 9.3e-9, 31.0, 2.0), (2, 7.9e-10, 4.0, 40.0), (-1, 2.03e-9, 29.0, 70.0), (-2, 1.07e-9, 5.0, 6.0)]
]


def test_two_half_spaces_evolved_in_time_reach_the_potential_solved_in_the_similarity_variable():
    free = SYSTEM.run(ions=CROWD, mode="free", temperature=313.0, cells=401)
    wide, fine = 2e-2, 1e-6  # m: the spread never feels the ends, and the step of the start is soon forgotten
    x = fine * np.sinh(np.linspace(-1.0, 1.0, 500) * math.asinh(0.5 * wide / fine))
    step = 0.5 * (1.0 + erf(x / (3.0 * fine)))
    names = [f"ion {number}" for number in range(1, 5)]
    evolved = sf.evolve(
        sf.Model(
            sf.interval(nodes=x),
            [sf.Ion(n, i["diffusivity"], charge=i["charge"]) for n, i in zip(names, CROWD, strict=True)]
            + [sf.Potential()],
            [sf.NernstPlanck(), sf.Electroneutrality()],
            [
                sf.Hold("left", {**{n: i["left"] for n, i in zip(names, CROWD, strict=True)}, "phi": 0.0}),
                sf.Hold("right", {n: i["right"] for n, i in zip(names, CROWD, strict=True)}),
                sf.Float("right"),
            ],
            temperature=313.0,
            start={n: i["left"] + (i["right"] - i["left"]) * step for n, i in zip(names, CROWD, strict=True)},
        ),
        100.0,
        times=[30.0, 100.0],
    )
    potentials = evolved["phi"][:, -1]
    np.testing.assert_allclose(potentials, free.answers["junction_potential"], rtol=1e-4)
    spread = np.asarray(free.solution.position()) * 10.0  # x at 100 s
    for name in names:
        expected = np.interp(spread, x, evolved.end[name])
        np.testing.assert_allclose(free.solution[name], expected, rtol=1e-3, atol=1e-3)


def test_a_free_junction_widens_with_the_root_of_time():
    one, two = (SYSTEM.run(ions=CROWD, mode="free", cells=201, time=t) for t in (0.25, 100.0))
    assert two.answers["junction_potential"] == one.answers["junction_potential"]
    for name in ("fluxes", "field"):
        np.testing.assert_allclose(np.array(one.answers[name]), 20.0 * np.array(two.answers[name]), rtol=1e-12)
    assert all(entry.relative < 1e-10 for entry in two.solution.ledger.values())
    assert two.answers["dissipation"] > 0.0
    charges = [ion["charge"] for ion in CROWD]
    assert abs(np.dot(charges, two.answers["fluxes"])) < 1e-12 * max(map(abs, two.answers["fluxes"]))
    assert "half spaces" in SYSTEM.figure(two).axes[0].get_title()


@pytest.mark.parametrize("ratio", [2e-3, 1e-7, 3e6])
def test_one_salt_that_spreads_freely_over_many_decades_of_dilution(ratio):
    ions = [(1, 1.334e-9, 70.0, 70.0 * ratio), (-1, 2.032e-9, 70.0, 70.0 * ratio)]
    found = sf.steady(model(SYSTEM.values({"ions": ions, "mode": "free"})))
    expected = -R * 298.15 / FARADAY * (1.334 - 2.032) / (1.334 + 2.032) * math.log(ratio)
    assert float(found["phi"][-1]) == pytest.approx(expected, rel=1e-4)


def test_an_ion_that_cannot_move_has_no_free_junction():
    ions = [(1, 1e-9, 3.0, 4.0), (-1, 0.0, 3.0, 4.0)]
    with pytest.raises(InputError, match="diffusivity zero"):
        SYSTEM.run(ions=ions, mode="free")


def test_the_figure_compares_fluxes_with_and_without_the_field():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [text.get_text() for text in drawing.axes[1].get_legend().get_texts()] == [
        "diffusion alone",
        "with the field",
    ]
