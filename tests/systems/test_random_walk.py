"""The random walk: its claims, the noise of single bonds as sampled, its ends, and bad input."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.random_walk import SYSTEM

QUICK = {"sites": 12, "steps": 20, "walkers": 4000.0, "groups": 16, "sampled_steps": 50}


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_the_crossings_of_one_bond_in_one_step_have_the_mean_and_variance_told():
    result = SYSTEM.run(left_number=60.0, right_number=5.0, hop_probability=0.4, bond=3, **QUICK)
    found = sf.sample(
        result.solution.model,
        1e-9,
        start=result.solution,
        poisson_start=True,
        runs=20_000,
        seed=7,
        method="lattice",
        step=1e-9,
    )
    crossed = found.crossed("N")
    mean, error, variance = (float(x[0, 3]) for x in crossed)
    assert abs(mean - result.answers["bond_mean"]) < 4 * error
    assert abs(variance / result.answers["bond_variance"] - 1) < 4 * np.sqrt(2 / 20_000) * 1.2
    numbers = found.number("N")
    assert np.all(np.abs(numbers.variance[0, 1:-1] / numbers.mean[0, 1:-1] - 1) < 0.05)


def test_ends_absorb_reflect_and_feed():
    fed = SYSTEM.run(left="source", right="absorbing", source=2e8, **QUICK).answers
    assert fed["flux_exact"] == pytest.approx(2e8, rel=1e-10) and fed["profile"][-1] == 0.0
    assert "transfer_variance_per_step" not in fed
    shut = SYSTEM.run(left="reflecting", right="reflecting", **QUICK).answers
    assert shut["flux_exact"] == pytest.approx(0.0, abs=1e-3)
    # Seven sites begin with 500, six with 50, and all end alike.
    assert shut["profile"] == pytest.approx([(7 * 500.0 + 6 * 50.0) / 13] * 13, rel=1e-10)
    # Two rooms even out by the slowest cosine over 13 sites.
    assert shut["decay_rate"] == pytest.approx(-np.log1p(-0.2 * (1 - np.cos(np.pi / 13))) / 1e-9, rel=1e-8)


def test_a_biased_walk_drifts_and_piles_up():
    a = SYSTEM.run(bias=0.2, left="reflecting", right="reflecting", **QUICK).answers
    assert np.diff(np.log(a["profile"])) == pytest.approx(np.full(12, np.log(1.2 / 0.8)), rel=1e-9)
    assert a["drift_velocity"] == pytest.approx(0.2 * 0.2 * 0.25e-9 / 1e-9, rel=1e-10)
    assert a["diffusivity"] == pytest.approx((0.2 - 0.04**2) * 0.25e-9**2 / 2e-9, rel=1e-10)


def test_two_rooms_even_out_in_time():
    history = SYSTEM.run({"left": "reflecting", "right": "reflecting", **QUICK}, until=4e-6).history
    assert history["N"][0, 0] == 500.0 and np.ptp(history["N"][-1]) < 3e-3


def test_the_seed_decides():
    one, again, other = (SYSTEM.run(seed=s, **QUICK).answers["flux_sampled"] for s in (4, 4, 5))
    assert one == again != other


def test_bad_input():
    with pytest.raises(InputError, match="smaller than sites"):
        SYSTEM.run(sites=10, start_site=10)
    with pytest.raises(InputError, match="could leave nowhere"):
        SYSTEM.run(left="source", right="reflecting")
    with pytest.raises(InputError, match="bias between"):
        SYSTEM.run(bias=1.0, right="reflecting")
    with pytest.raises(InputError, match="nobody"):
        SYSTEM.run(left="reflecting", right="reflecting", left_number=0.0, right_number=0.0)


def test_the_figure_draws():
    assert len(SYSTEM.figure(SYSTEM.run(**QUICK)).axes) == 2
