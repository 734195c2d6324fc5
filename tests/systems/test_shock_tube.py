"""The shock tube: its claims, star states over a wide range against a bracketed root, exact waves, refusals."""

import numpy as np
import pytest
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.physics.riemann import Gas, star, wave_speeds
from steadyflux.systems.flow.shock_tube import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def random_pair(rng):
    sides = [Gas(10 ** rng.uniform(-3, 3), rng.normal(), 10 ** rng.uniform(-3, 3)) for _ in range(2)]
    return sides[0], sides[1], rng.uniform(1.05, 3.0)


def test_star_states_over_wide_ranges():
    rng = np.random.default_rng(41)
    tried = 0
    while tried < 40:
        left, right, g = random_pair(rng)
        sounds = [np.sqrt(g * s.pressure / s.density) for s in (left, right)]
        if right.velocity - left.velocity > 1.9 / (g - 1.0) * sum(sounds):
            continue
        tried += 1

        def excess(log_p, left=left, right=right, g=g):
            p, total = np.exp(log_p), right.velocity - left.velocity
            for side in (left, right):
                if p > side.pressure:
                    a, b = 2.0 / ((g + 1.0) * side.density), (g - 1.0) / (g + 1.0) * side.pressure
                    total += (p - side.pressure) * np.sqrt(a / (p + b))
                else:
                    sound = np.sqrt(g * side.pressure / side.density)
                    total += 2.0 * sound / (g - 1.0) * np.expm1(0.5 * (g - 1.0) / g * np.log(p / side.pressure))
            return total

        expected = np.exp(brentq(excess, -600.0, 30.0, xtol=1e-14, rtol=1e-15))
        np.testing.assert_allclose(star(left, right, g).pressure, expected, rtol=1e-11)


def test_jumps_obey_the_balances_of_mass_momentum_and_energy():
    rng = np.random.default_rng(42)
    for _ in range(10):
        left, right, g = random_pair(rng)
        right = right._replace(velocity=left.velocity - 3.0)  # they collide: two shocks or one at least
        middle, speeds = star(left, right, g), wave_speeds(left, right, g)
        for side, density, speed in ((left, middle.left_density, speeds[0]), (right, middle.right_density, speeds[-1])):
            if middle.pressure <= side.pressure:
                continue
            flows = []
            for d, v, p in ((side.density, side.velocity, side.pressure), (density, middle.velocity, middle.pressure)):
                w = float(v - speed)
                energy = float(p) / (g - 1.0) + 0.5 * float(d) * w**2
                flows.append([float(d) * w, float(d) * w**2 + float(p), w * (energy + float(p))])
            np.testing.assert_allclose(flows[0], flows[1], rtol=1e-9)


def test_air_in_si_units():
    found = SYSTEM.run(
        left_density=11.7, left_pressure=1e6, right_density=1.17, right_pressure=1e5, length=3.0, cells=60
    )
    assert 400.0 < found.answers["wave_speeds"][-1] < 600.0
    assert found.answers["profile_error"] < 0.03
    assert all(entry.relative < 1e-9 for entry in found.history.ledger.values())


def test_refusals():
    with pytest.raises(sf.InputError, match="leave a vacuum"):
        SYSTEM.run(left_velocity=-10.0, right_velocity=10.0)
    with pytest.raises(sf.InputError, match="a wave reaches an end"):
        SYSTEM.run(time=1.0)


def test_figure():
    assert len(SYSTEM.figure(SYSTEM.run(cells=60)).axes) == 4
