"""The epithelial cell: its claims, an independent check of the balances over wide ranges, and refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.ground.constants import FARADAY, R
from steadyflux.systems.life.epithelial_cell import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def goldman(permeability, z, inside, outside, voltage):
    """Flux out of the cell, mol/m^2/s, written with the textbook formula."""
    u = z * voltage * FARADAY / (R * 310.15)
    return permeability * u * (inside - outside * np.exp(-u)) / (1.0 - np.exp(-u))


def test_a_cell_alone_over_wide_ranges():
    rng = np.random.default_rng(17)
    for _ in range(20):
        p = 10 ** rng.uniform([-11, -9, -10], [-9, -7, -7])
        capacity = 10 ** rng.uniform(-6.5, -4)
        given = {"preparation": "cell", "cell_permeabilities": tuple(p), "pump_capacity": capacity}
        a = SYSTEM.run(**given).answers
        inside = np.array([a["sodium"], a["potassium"], a["chloride"]])
        rate = capacity * (inside[0] / (inside[0] + 10.0)) ** 3 * (5.0 / 6.0) ** 2
        fluxes = [
            goldman(p[i], (1, 1, -1)[i], inside[i], (140.0, 5.0, 145.0)[i], a["membrane_voltage"]) for i in range(3)
        ]
        np.testing.assert_allclose(fluxes[:2], [-3 * rate, 2 * rate], rtol=1e-7)
        assert abs(fluxes[2]) < 1e-9 * p[2] * 145.0
        np.testing.assert_allclose(inside.sum() + a["impermeant"], 300.0, rtol=1e-9)
        np.testing.assert_allclose(inside[0] + inside[1] - inside[2], 1.2 * a["impermeant"], rtol=1e-9)
        np.testing.assert_allclose(a["impermeant"] * a["volume"], 1.1e-13, rtol=1e-9)


def test_opposite_baths_and_books():
    result = SYSTEM.run(circuit="short", impermeant_charge=-1.0, apical_sodium=10.0, apical_chloride=15.0)
    entropy = result.solution.entropy
    np.testing.assert_allclose(entropy.production, entropy.exported, rtol=1e-10)
    assert entropy.least_local >= 0.0
    assert all(entry.relative < 1e-10 for entry in result.solution.ledger.values())
    assert result.answers["transepithelial_voltage"] == 0.0


@pytest.mark.parametrize(
    "given", [{"cell_permeabilities": (1e-9, 1e-9), "preparation": "cell"}, {"temperature": 0.0}, {"circuit": "ajar"}]
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "mol" in axes[0].get_ylabel()
    assert "mol" in axes[1].get_xlabel()


def test_a_cell_whose_pump_stops_against_its_four_equations():
    times = (60.0, 600.0, 3600.0, 20000.0)
    a = SYSTEM.run(preparation="cell", times=times).answers
    permeability, charge = np.array((3e-10, 6e-9, 4e-9)), np.array((1.0, 1.0, -1.0))
    outside, area, thermal = np.array((140.0, 5.0, 145.0)), 6e-10, R * 310.15

    def fluxes(inside, voltage):
        u = charge * FARADAY * voltage / thermal
        return permeability * area * u * (inside - outside * np.exp(-u)) / -np.expm1(-u)

    def right(t, state):
        inside, volume = state[:3] / state[3], state[3]
        voltage = brentq(lambda v: charge @ fluxes(inside, v), -0.2, -1e-6, xtol=1e-15)
        water = 1e-12 * area * thermal * (inside.sum() + 1.1e-13 / volume - 300.0)
        return [*(-fluxes(inside, voltage) * 1e15), water * 1e15]

    first = np.array([a["sodium"], a["potassium"], a["chloride"], 1.0]) * a["volume"] * 1e15
    course = solve_ivp(
        lambda t, y: right(t, y * 1e-15), (0.0, times[-1]), first, "LSODA", times, rtol=1e-9, atol=1e-12
    ).y
    for number, name in enumerate(("sodium", "potassium", "chloride")):
        np.testing.assert_allclose(a[f"{name}_at"], course[number] / course[3], rtol=3e-5)
    np.testing.assert_allclose(a["volume_at"], course[3] * 1e-15, rtol=3e-5)
