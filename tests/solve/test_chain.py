"""Decay rates of chains: sine modes, drift so strong that the plain matrix has no rates left, and refusals."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.solve.chain import decay_rates


def column(peclet: float, steps: int, **settings) -> sf.Model:
    """A unit column with D = 1 in a field of that many R T."""
    return sf.Model(
        sf.interval(1.0, cells=steps + 1),
        [sf.Species("c", 1.0, external="pull")],
        [sf.NernstPlanck()],
        temperature=300.0,
        given={"pull": lambda z: peclet * R * 300.0 * z},
        start={"c": 1.0},
        **settings,
    )


def test_held_ends_give_sine_modes():
    ends = [sf.Hold("left", {"c": 1.0}), sf.Hold("right", {"c": 2.0})]
    model = column(0.0, 200, boundaries=ends)
    rates = decay_rates(model, sf.steady(model)["c"], 3)
    n = np.arange(1, 4)
    np.testing.assert_allclose(rates, 4.0 * 200**2 * np.sin(0.5 * n * np.pi / 200) ** 2, rtol=1e-9)


def test_weak_drift_gives_the_rates_of_the_spectrum():
    model = column(3.0, 120)
    still = sf.steady(model)
    rates = decay_rates(model, still["c"], 4)
    assert abs(rates[0]) < 1e-9 * rates[1]
    np.testing.assert_allclose(rates[1:], -sf.spectrum(still, 3).rates.real, rtol=1e-7)


@pytest.mark.parametrize("peclet", [40.0, 400.0, -400.0])
def test_strong_drift_and_observed_order(peclet):
    exact = np.pi**2 + 0.25 * peclet**2
    errors = []
    for steps in (20 * int(abs(peclet)), 40 * int(abs(peclet))):
        model = column(peclet, steps)
        errors.append(decay_rates(model, np.ones(steps + 1))[1] / exact - 1.0)
    assert abs(errors[0]) < 1e-4
    np.testing.assert_allclose(errors[0] / errors[1], 4.0, rtol=0.02)


def test_what_is_no_chain_is_refused():
    star = sf.Model(
        sf.network({"a": 1.0, "b": 1.0, "c": 1.0}, {"e": [("a", "c"), ("b", "c")]}, area=1.0),
        [sf.Species("c")],
        [sf.Transfer("c", 1.0, on="e")],
        start={"c": 1.0},
    )
    with pytest.raises(ModelError, match="one quantity"):
        decay_rates(star, np.ones(3))
    empty = sf.Model(
        sf.interval(1.0, cells=5),
        [sf.Heat("T")],
        [sf.Fourier(1.0)],
        [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 310.0})],
    )
    with pytest.raises(ModelError, match="stores nothing"):
        decay_rates(empty, np.full(5, 300.0))
