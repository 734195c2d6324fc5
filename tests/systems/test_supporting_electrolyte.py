"""The supporting electrolyte: its claims, a product that carries charge, scaling, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte.supporting_electrolyte import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_ferricyanide_with_its_counter_ion_alone_is_held_back_by_the_field():
    # Fe(CN)6 3- + e- = Fe(CN)6 4-: an anion driven away from the cathode, its product keeps the electrode neutral.
    found = SYSTEM.run(
        charges=(-3, 1, -4), diffusivities=(9e-10, 1.96e-9, 7.3e-10), concentrations=(10.0, 30.0, 0.0),
        stoichiometry=(1, 0, -1),
    )  # fmt: skip
    a = found.answers
    assert 0.5 < a["ratio"] < 1.0
    c = np.array(a["surface_concentrations"])
    assert c[0] == pytest.approx(0.0, abs=1e-9)
    assert c[1] == pytest.approx(4.0 * c[2], rel=1e-9)
    # Potassium stays in Boltzmann's equilibrium, so its surface concentration tells the potential.
    assert a["potential_drop"] == pytest.approx(-8.314462618 * 298.15 / 96485.33212 * np.log(c[1] / 30.0), rel=1e-8)
    twice = SYSTEM.run(
        charges=(-3, 1, -4), diffusivities=(9e-10, 1.96e-9, 7.3e-10), concentrations=(10.0, 30.0, 0.0),
        stoichiometry=(1, 0, -1), film_thickness=5e-5,
    ).answers  # fmt: skip
    assert twice["limiting_flux"] == pytest.approx(2.0 * a["limiting_flux"], rel=1e-9)


def test_books_close_and_entropy_is_produced_everywhere():
    solution = SYSTEM.run(concentrations=(3.0, 0.4, 3.4)).solution
    assert all(entry.relative < 1e-10 for entry in solution.ledger.values())
    assert solution.entropy.least_local >= 0.0


def test_below_the_limit_the_flux_tends_to_diffusion_of_the_salt():
    found = SYSTEM.run(fraction=0.0).answers
    np.testing.assert_allclose(found["partial_surface_concentrations"], [1.0, 1.0, 2.0], rtol=1e-12)
    assert found["partial_potential_drop"] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"charges": (1, -1)}, "need one number for each ion"),
        ({"concentrations": (1.0, 1.0, 2.5)}, "not electroneutral"),
        ({"stoichiometry": (2.0,)}, "stoichiometric number 1"),
        ({"concentrations": (0.0, 1.0, 1.0)}, "present in the bulk"),
        ({"fraction": 1.0}, "fraction is 1"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(**given)


def test_the_figure_shows_migration_turned_off():
    drawing = SYSTEM.figure(SYSTEM.run())
    ratios = drawing.axes[1].lines[0].get_ydata()
    assert ratios[0] > 1.8
    assert ratios[-1] < 1.01


def test_a_salt_alone_in_time_follows_cottrell_with_the_diffusivity_of_the_salt():
    plus, minus = 1.65e-9, 1.9e-9
    found = SYSTEM.run(
        charges=(1.0, -1.0),
        diffusivities=(plus, minus),
        concentrations=(1.0, 1.0),
        stoichiometry=(1.0,),
        cells=401,
        until=300.0,
    )
    history = found.history
    t = np.array([0.1, 0.3])  # s, long before the film is crossed
    salt, share = 2.0 * plus * minus / (plus + minus), minus / (plus + minus)
    before = (3e-2 * 1e-4) ** 2 / (4.0 * salt)  # s, in which the layer of the start would have formed
    cottrell = np.sqrt(salt / (np.pi * (t + before))) / share
    np.testing.assert_allclose(history.values("J", t), cottrell, rtol=5e-4)
    assert history.regime == "steady nonequilibrium"
    np.testing.assert_allclose(history["J"][-1], 2.0 * plus / 1e-4, rtol=1e-4)
    assert all(entry.relative < 1e-10 for entry in history.ledger.values())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "charges": (-3.0, -4.0, 1.0),
            "diffusivities": (9e-10, 7.35e-10, 1.96e-9),
            "concentrations": (10.0, 0.0, 30.0),
            "stoichiometry": (1.0, -1.0, 0.0),
        },
    ],
)
def test_in_time_the_film_arrives_at_its_limiting_flux(given):
    still, later = SYSTEM.run(given, cells=401), SYSTEM.run(given, cells=401, until=300.0)
    np.testing.assert_allclose(later.answers["limiting_flux"], still.answers["limiting_flux"], rtol=1e-8)
