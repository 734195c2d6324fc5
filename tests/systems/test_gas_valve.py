"""The gas valve: its claims, courses over a wide range against two balances integrated by hand, books and refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import steadyflux as sf
from steadyflux.ground.constants import K_B
from steadyflux.systems.flow.gas_valve import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_effusion_over_wide_ranges():
    rng = np.random.default_rng(31)
    for _ in range(3):
        given = {
            "mass": 10 ** rng.uniform(-26.5, -24.5),
            "heat_capacity_ratio": rng.uniform(1.1, 5 / 3),
            "left_pressure": 10 ** rng.uniform(-3, 1),
            "right_pressure": 10 ** rng.uniform(-3, 1),
            "left_temperature": rng.uniform(100, 900),
            "right_temperature": rng.uniform(100, 900),
            "left_volume": 10 ** rng.uniform(-6, -2),
            "right_volume": 10 ** rng.uniform(-6, -2),
            "diameter": 10 ** rng.uniform(-5, -3),
        }
        p = SYSTEM.values(given)
        volumes = np.array([p.left_volume, p.right_volume])
        area, cv = 0.25 * np.pi * p.diameter**2, 1.0 / (p.heat_capacity_ratio - 1.0)  # in k

        def rates(t, y, p=p, area=area, cv=cv, volumes=volumes):
            number, energy = y[:2], y[2:]
            warm = energy / (cv * number * K_B)
            sent = area * number / volumes * np.sqrt(K_B * warm / (2 * np.pi * p.mass))
            carried = sent * (cv + 0.5) * K_B * warm
            return np.array([sent[1] - sent[0], sent[0] - sent[1], carried[1] - carried[0], carried[0] - carried[1]])

        pressures = np.array([p.left_pressure, p.right_pressure])
        temperatures = np.array([p.left_temperature, p.right_temperature])
        number = pressures * volumes / (K_B * temperatures)
        first = np.concatenate([number, cv * K_B * number * temperatures])
        speed = area * np.sqrt(K_B * temperatures.mean() / (2 * np.pi * p.mass))
        times = np.array([0.1, 1.0, 5.0]) * volumes.min() / speed
        exact = solve_ivp(rates, (0.0, times[-1]), first, "LSODA", times, rtol=1e-11, atol=1e-11 * first.min()).y
        found = SYSTEM.run({**given, "times": tuple(times)})
        np.testing.assert_allclose(found.answers["particles_at"], exact[:2].T, rtol=1e-6)
        np.testing.assert_allclose(found.answers["pressures_at"], (exact[2:] / cv / volumes[:, None]).T, rtol=1e-6)
        assert found.history.ledger["gas"].relative < 1e-10
        assert found.answers["reciprocity_defect"] < 1e-10


def test_heat_of_isothermal_walls_stands_in_the_ledger():
    found = SYSTEM.run(walls="isothermal", left_temperature=400.0)
    entry = found.history.ledger["T"]
    assert entry.into > 0 and entry.out > 0 and entry.relative < 1e-6
    assert not found.answers["equilibrium"]


def test_refusals():
    with pytest.raises(sf.InputError, match="Both vessels are empty"):
        SYSTEM.run(left_pressure=0.0, right_pressure=0.0)
    with pytest.raises(sf.InputError, match="heat_capacity_ratio is 2"):
        SYSTEM.run(heat_capacity_ratio=2.0)


@pytest.mark.parametrize("valve", ["effusive", "viscous", "nozzle"])
def test_figure(valve):
    assert len(SYSTEM.figure(SYSTEM.run(valve=valve, times=(6000.0,))).axes) == 3
