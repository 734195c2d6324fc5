"""The cusp of stars around a black hole: its claims, its way there, two masses, bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.astro.galactic_cusp import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_newton_needs_few_steps_on_twelve_decades():
    assert int(SYSTEM.run().solution.outcome.iterations) <= 10


def test_the_way_there_ends_at_the_steady_cusp_and_swings_as_the_slowest_disturbance():
    steady = SYSTEM.run(cells=201).answers
    unit = float(steady["reference_time"])
    run = SYSTEM.run(cells=201, until=4.0 * unit)
    history = run.history
    np.testing.assert_allclose(run.answers["scaled_flux"], steady["scaled_flux"], rtol=1e-5)
    np.testing.assert_allclose(run.answers["profile"], steady["profile"], rtol=1e-5)
    assert np.min(np.asarray(history["stars"])[:, :-1]) > 0.0
    # The flux overshoots once and then falls back within a few relaxation times: the slowest pair of rates is complex.
    flux = -np.asarray(history.flow("stars", "high")) * 1e4
    assert np.max(flux[history.times > 0.5 * unit]) > 1.02 * float(steady["scaled_flux"])
    late = (history.times > 1.2 * unit) & (history.times < 2.0 * unit)
    stars = np.asarray(history["stars"])[:, 20:-1]
    off = np.abs(stars[late] / stars[-1] - 1.0).max(axis=1)
    fall = np.polyfit(history.times[late], np.log(off), 1)[0]
    np.testing.assert_allclose(-1.0 / fall, float(steady["relaxation_time"]), rtol=0.2)


def test_the_figure_draws():
    for given in ({}, {"masses": (1.0, 10.0), "abundances": (1.0, 1e-3)}):
        drawing = SYSTEM.figure(SYSTEM.run(cells=201, **given))
        assert len(drawing.axes) == 2


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="beyond the sink"):
        SYSTEM.run(sink_energy=100.0)
    with pytest.raises(InputError, match="one or two masses"):
        SYSTEM.run(masses=(1.0, 2.0))
    with pytest.raises(InputError, match="above zero"):
        SYSTEM.run(abundances=(0.0,))
