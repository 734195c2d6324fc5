"""The flow-through electrode: its claims, random cells against collocation, books, refusals and the figure."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from steadyflux import InputError
from steadyflux.ground.constants import FARADAY, R
from steadyflux.systems.electrode.flow_through import POLLUTANT, SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def collocated(result):
    """Current, conversion and inlet overpotential of a cell by collocation, from the engine's state as a guess."""
    p, f = result.parameters, FARADAY / (R * result.parameters.temperature)
    u, L, a = p.flow / p.cross_section, p.length, p.specific_area
    unit = p.electrons * FARADAY * u * p.inlet
    Pe = u * L / p.dispersion

    def slopes(x, y):
        share, carried, i, eta = y
        k = 1.0 / (1.0 / p.transfer + np.exp(p.transfer_coefficient * f * eta) / p.rate)
        used = a * L * k * share / u
        hydrogen = a * L * p.hydrogen_exchange * np.exp(-p.hydrogen_coefficient * f * eta) / unit
        return np.vstack([Pe * (share - carried), -used, used + hydrogen, -unit * L / p.conductivity * i])

    def ends(first, last):
        return np.array([first[1] - 1.0, last[0] - last[1], first[2], last[3] - p.exit_overpotential])

    at = np.asarray(result.solution.position()) / L
    c = np.asarray(result.solution[POLLUTANT]) / p.inlet
    guess = np.vstack([c, c, at, p.exit_overpotential - np.asarray(result.solution["phi"])])[:, ::8]
    found = solve_bvp(slopes, ends, at[::8], guess, tol=1e-7, max_nodes=40_000)
    assert found.status == 0
    return found.y[2, -1] * unit * p.cross_section, 1.0 - found.y[1, -1], found.y[3, 0]


def test_random_cells_agree_with_collocation():
    rng = np.random.default_rng(4)
    for _ in range(10):
        result = SYSTEM.run(
            flow=10 ** rng.uniform(-8.5, -6),
            cross_section=10 ** rng.uniform(-4.5, -2.5),
            length=10 ** rng.uniform(-3, -1.5),
            specific_area=10 ** rng.uniform(3, 4.5),
            inlet=10 ** rng.uniform(-3, 1),
            rate=10 ** rng.uniform(-8, -4),
            conductivity=10 ** rng.uniform(0, 3),
            transfer_coefficient=rng.choice([0.3, 0.5, 1.0]),
            exit_overpotential=rng.uniform(-0.6, 0.1),
            hydrogen_exchange=10 ** rng.uniform(-8, -3),
            dispersion=10 ** rng.uniform(-8, -5),
        )
        current, conversion, overpotential = collocated(result)
        np.testing.assert_allclose(result.answers["current"], current, rtol=5e-5)
        np.testing.assert_allclose(result.answers["conversion"], conversion, rtol=5e-5)
        np.testing.assert_allclose(result.answers["inlet_overpotential"], overpotential, atol=1e-5)


@pytest.mark.parametrize("given", [{}, {"conductivity": 1e9}, {"flow": 1e-5, "conductivity": 0.3}])
def test_the_books_close(given):
    ledger = SYSTEM.run(**given).solution.ledger
    assert ledger[POLLUTANT].relative < 1e-10 and ledger["phi"].relative < 1e-10


def test_a_strongly_polarised_electrode_in_poor_solution_is_solved():
    a = SYSTEM.run(conductivity=0.1, exit_overpotential=-1.2, hydrogen_exchange=0.05).answers
    assert 0.0 < a["current_efficiency"] < 1e-2
    assert len(a["profile"]) == 21 and np.all(np.diff(a["profile"]) < 0.0)
    np.testing.assert_allclose(a["profile"][-1], a["outlet"], rtol=1e-12)


@pytest.mark.parametrize("given", [{"flow": 0.0}, {"electrons": -6}, {"exit_overpotential": "3 A"}, {"cells": 2.5}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_the_figure_draws():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "mm" in axes[0].get_xlabel() and "mL/min" in axes[1].get_xlabel() and "mV" in axes[2].get_ylabel()
