"""The star: its claims, a run in time, the figure, bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.astro.star import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_in_time_it_comes_to_the_steady_star():
    steady = SYSTEM.run(cells=101).answers
    run = SYSTEM.run(cells=101, until=20.0 * float(steady["kelvin_helmholtz_time"]))
    for name in ("luminosity", "temperature_at"):
        np.testing.assert_allclose(run.answers[name], steady[name], rtol=1e-4)


def test_the_figure_draws():
    assert len(SYSTEM.figure(SYSTEM.run(cells=101)).axes) == 2


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="mass is"):
        SYSTEM.run(mass=-1.0)
    with pytest.raises(InputError, match="opacity"):
        SYSTEM.run(opacity=0.0)
