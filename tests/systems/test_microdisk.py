"""The microdisk: its claims, both grids, wide ranges of rates and times, and bad input."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrode.microdisk import SYSTEM, after_step, decay, model, spheroid
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def steady(**given):
    p = SYSTEM.values(given)
    return -FARADAY * float(sf.steady(model(p)).flow("O", "disk")) / (4.0 * FARADAY * p.diffusivity * p.bulk * p.radius)


def test_rates_from_none_to_limit():
    small, D, a = 1e-4, 7.8e-10, 5e-6
    # Slow: the whole disk sees the bulk less what one pass of diffusion takes, pi kappa / 4 (1 - 8 kappa / 3 pi).
    exact = 0.25 * np.pi * small * (1.0 - 8.0 * small / (3.0 * np.pi))
    np.testing.assert_allclose(steady(kf=small * D / a), exact, rtol=1e-5)
    np.testing.assert_allclose(steady(kf=1e6 * D / a), 1.0, rtol=2e-5)
    np.testing.assert_allclose(steady(kf=0.01, kb=0.03), steady(kf=0.04) / 4.0, rtol=1e-9)


def test_the_grid_of_r_and_z_is_small_and_its_ledger_closes():
    p = SYSTEM.values({"grid": "cylindrical"})
    found = sf.steady(model(p))
    assert found.model.cells <= 20_000
    assert found.ledger["O"].relative < 1e-10
    np.testing.assert_allclose(found.flow("O", "outer") + found.flow("O", "top"), -found.flow("O", "disk"), rtol=1e-9)


def test_coordinates_of_the_spheroid_and_the_decay_of_its_monopole():
    rng = np.random.default_rng(3)
    zeta, eta = 10 ** rng.uniform(-3, 3, 50), rng.uniform(0.01, 0.99, 50)
    r, z = np.sqrt((1.0 + zeta**2) * (1.0 - eta**2)), zeta * eta
    found = spheroid(r, z)
    np.testing.assert_allclose(found[0], zeta, rtol=1e-9)
    np.testing.assert_allclose(found[1], eta, rtol=1e-6)
    np.testing.assert_allclose(spheroid(np.array([1.0]), np.array([0.0])), 0.0)
    field = lambda r, z: jax.numpy.log(jax.numpy.arctan2(1.0, spheroid(r, z)[0]))  # noqa: E731
    for axis in (0, 1):
        slope = jax.vmap(jax.grad(field, argnums=axis))(r, z)
        np.testing.assert_allclose(decay(r, z, axis), -slope, rtol=1e-6, atol=1e-9)


def test_long_after_a_step_the_excess_falls_as_the_square_root_of_time():
    p = SYSTEM.values({"mesh_growth": 0.1})
    times = p.radius**2 / p.diffusivity * np.array([100.0, 1e4])
    history = after_step(Values({**p.items, "times": tuple(times)}))
    unit = 4.0 * p.diffusivity * p.bulk * p.radius
    excess = -history.flow("O", "disk") / unit - 1.0
    # 4 pi^-3/2 / sqrt(4 D t / a^2): Aoki and Osteryoung 1981
    np.testing.assert_allclose(excess, 4.0 / np.pi**1.5 / np.sqrt([400.0, 4e4]), rtol=1e-3)


def test_a_band_falls_on_while_a_disk_settles():
    a = SYSTEM.run(contrast="yes", times=(1e-3, 10.0, 1000.0), mesh_growth=0.1, k0=1.0).answers
    disk, band = a["current_at"], a["band_current_at"]
    assert disk[1] / disk[2] < 1.03
    # Long after, 2 pi n F D c length / ln(64 D t / width^2) to leading order (Szabo et al. 1987).
    T = 64.0 * 7.8e-10 * np.array([10.0, 1000.0]) / 1e-5**2
    leading = 2.0 * np.pi * FARADAY * 7.8e-10 * 1e-3 / np.log(T)
    np.testing.assert_allclose(band[1:], leading, rtol=0.1)
    assert band[1] / band[2] > 1.3
    assert a["steady"] is True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kf": 0.0}, "both zero"),
        ({"times": ()}, "at least one time"),
        ({"radius": 0.0}, "radius is"),
        ({"grid": "square"}, "grid"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_draws():
    drawing = SYSTEM.figure(SYSTEM.run(kf=1e-3, mesh_growth=0.1))
    assert [a.get_xlabel() for a in drawing.axes][:2] == ["time, s", "r / a"]
