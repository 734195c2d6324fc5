"""Interacting vacancies: claims, the chain's free energy against its activity, bad input, the figure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.vacancy_interaction import SYSTEM, Chain


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize("interaction", [-5.0, 0.0, 2.3])
@pytest.mark.parametrize("theta", [0.02, 0.4, 0.61, 0.97])
def test_the_chains_activity_is_the_slope_of_its_free_energy(interaction, theta):
    phase = Chain(30.0, interaction)
    slope = jax.grad(lambda c: phase.excess({"v": c}, {"v": 0.0}, 300.0))(jnp.asarray(30.0 * theta))
    told = phase.ln_gamma({"v": jnp.asarray(30.0 * theta)}, {"v": 0.0}, 300.0)["v"]
    assert float(told) == pytest.approx(float(slope), abs=1e-11)


def test_the_film_relaxes_to_its_steady_state():
    assert SYSTEM.run(cells=41, until=1e5).answers["flux"] == pytest.approx(
        SYSTEM.run(cells=41).answers["flux"], rel=1e-4
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"interaction": -6.0, "left_occupancy": 0.05, "right_occupancy": 0.95}, "spinodal"),
        ({"interaction": 3.0, "model": "regular", "left_occupancy": 0.05, "right_occupancy": 0.95}, "spinodal"),
        ({"interaction": -6.0, "left_activity": np.exp(-3.0)}, "say which by left_occupancy"),
        ({"interaction": -1.0, "model": "debye_huckel"}, "cannot be negative"),
        ({"left_occupancy": 1.0}, "must lie between"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_draws(tmp_path):
    drawing = SYSTEM.figure(SYSTEM.run(cells=41))
    drawing.savefig(tmp_path / "figure.png")
    assert len(drawing.axes) == 2
