"""Density and flux as a four-vector: its claims, boosts against the textbook form, refusals, its figure."""

import jax
import numpy as np
import pytest

from steadyflux import InputError
from steadyflux.ground.constants import C_LIGHT
from steadyflux.physics.streams import boost_matrix, boosted, proper_density
from steadyflux.systems.particles.four_flux import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    for one in claim.compare(SYSTEM.run):
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_boosts():
    rng = np.random.default_rng(5)
    metric = np.diag([1.0, -1.0, -1.0, -1.0])
    for _ in range(5):
        velocity = C_LIGHT * rng.uniform(-0.55, 0.55, 3)
        turn = np.asarray(boost_matrix(velocity))
        np.testing.assert_allclose(turn.T @ metric @ turn, metric, atol=1e-13)
        np.testing.assert_allclose(turn @ np.asarray(boost_matrix(-velocity)), np.eye(4), atol=1e-13)
        gamma = 1.0 / np.sqrt(1.0 - velocity @ velocity / C_LIGHT**2)
        density, flux = boosted(3.0, np.zeros(3), velocity)
        np.testing.assert_allclose(density, 3.0 * gamma, rtol=1e-13)
        np.testing.assert_allclose(flux, -3.0 * gamma * velocity, rtol=1e-12)
        np.testing.assert_allclose(proper_density(density, flux), 3.0, rtol=1e-13)
    slope = jax.jacfwd(lambda v: boosted(3.0, np.zeros(3), v)[1])(np.zeros(3))
    np.testing.assert_allclose(slope, -3.0 * np.eye(3), atol=1e-15)


def test_the_ledger_closes():
    solution = SYSTEM.run(drift=[0.1, 0.2, -0.3], theta=0.2).solution
    assert solution.ledger["N"].relative < 1e-10


@pytest.mark.parametrize(
    "given",
    [{"drift": [0.8, 0.8, 0.0]}, {"observer": [0.1]}, {"normal": [0.0, 0.0, 0.0]}, {"theta": 0.0}, {"wall_speed": 1.0}],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    for observer in ([0.6, 0.0, 0.0], [0.0, 0.0, 0.0]):
        axes = SYSTEM.figure(SYSTEM.run(observer=observer, theta=0.3)).axes
        assert "/ c" in axes[0].get_xlabel()
