"""Brownian walkers: survival, equilibrium and flux against exact answers, with drift and with D that varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

import steadyflux as sf
from steadyflux.ground.errors import InputError, ModelError

LENGTH, D = 1e-5, 2e-9


def track(
    left: Any = None, right: Any = None, velocity: float = 0.0, diffusivity: Any = D, cells: int = 21
) -> sf.Model:
    ends = [sf.Hold(name, {"c": c}) for name, c in (("left", left), ("right", right)) if c is not None]
    law = sf.Advection("c", velocity=velocity, diffusivity=diffusivity) if velocity else sf.Fick("c", diffusivity)
    return sf.Model(sf.interval(LENGTH, cells=21), [sf.Species("c")], [law], ends, start={"c": 1.0})


def test_survival_between_absorbing_ends_is_exact_for_long_steps_too():
    until = 0.05 * LENGTH**2 / D
    found = sf.sample(track(0.0, 0.0), until, runs=8, walkers=20_000, seed=3, method="brownian", step=until / 10)
    there = found.numbers[:, -1].sum(axis=1) / 20_000
    # The half cells at the held ends begin empty.
    k = np.arange(1, 400, 2)
    begin, end = LENGTH / 40, LENGTH * 39 / 40
    weights = (np.cos(np.pi * k * begin / LENGTH) - np.cos(np.pi * k * end / LENGTH)) / (np.pi * k)
    left = float(np.sum(weights * 4 / (np.pi * k) * np.exp(-((np.pi * k) ** 2) * 0.05)) / (0.95))
    assert abs(there.mean() - left) < 4 * np.sqrt(left * (1 - left) / 160_000)


def test_walkers_between_sealed_ends_stay_spread_evenly_where_D_varies():
    # A wrong reading of the stochastic integral would gather them where D is small.
    model = track(diffusivity=lambda x: D * (0.3 + 1.4 * x / LENGTH))
    found = sf.sample(model, 0.02, runs=2, walkers=5000, seed=6, method="brownian")
    assert kstest(np.concatenate(found.places) / LENGTH, "uniform").pvalue > 1e-3


def test_drift_against_a_sealed_end_settles_exponentially():
    velocity = 8e-4
    found = sf.sample(track(velocity=velocity), 0.03, runs=4, walkers=10_000, seed=2, method="brownian", step=2e-4)
    peclet = velocity * LENGTH / D
    x = np.concatenate(found.places) / LENGTH
    assert kstest(x, lambda u: np.expm1(peclet * u) / np.expm1(peclet)).pvalue > 1e-3
    assert np.all(found.numbers.sum(axis=2) == 10_000)


@pytest.mark.parametrize(
    "given",
    [
        {"left": 2.0, "right": 0.5},
        {"left": 2.0, "right": 0.5, "velocity": 4e-4},
        {"left": 1.0, "velocity": -4e-4},
        {"left": 2.0, "right": 0.0, "diffusivity": lambda x: D * (1.0 - 0.3 * x / LENGTH)},
    ],
    ids=["two reservoirs", "drift", "a reservoir and a wall", "D that falls"],
)
def test_flux_and_profile_between_reservoirs(given):
    model = track(**given)
    exact = sf.steady(model)
    found = sf.sample(
        model, 0.01, times=[0.002], runs=16, walkers=4000, seed=4, method="brownian", start=exact, poisson_start=True,
        step=1e-4,
    )  # fmt: skip
    flow = found.flow("c", "left", since=0.002)
    assert abs(flow.mean - float(exact.flow("c", "left"))) < 4 * flow.error
    state = found.state("c")
    free = ~np.asarray(model.layout.held)[:, 0]
    off = ((state.mean[-1] - np.asarray(exact["c"])) / np.where(free, state.error[-1], 1.0))[free]
    assert np.abs(off).max() < 4.5 and 0.3 < np.mean(off**2) < 2.0
    along = found.along("c", since=0.002)
    assert np.all(np.abs(along.mean - np.asarray(exact.along("c", "interior"))) < 4.5 * along.error)
    both = sum(found.entered("c", place).mean[-1] for place in ("left", "right") if given.get(place) is not None)
    inner = (found.numbers[:, -1, free].sum(axis=1).mean() - _first(found)[free].sum()) * found.weight
    assert both == pytest.approx(inner, abs=5 * found.weight * np.sqrt(4000 / 16))


def _first(found: sf.Sample) -> np.ndarray:
    exact = np.asarray(sf.steady(found.model)["c"])
    return exact * np.asarray(found.events.table.amount) / found.weight


def test_the_seed_decides_whatever_the_number_of_workers():
    one, two = (
        sf.sample(track(1.0, 0.0), 1e-3, runs=4, walkers=500, seed=5, method="brownian", workers=n) for n in (1, 3)
    )
    assert np.array_equal(one.numbers, two.numbers)
    assert all(np.array_equal(a, b) for a, b in zip(one.places, two.places, strict=True))


def test_what_is_no_line_is_refused():
    with pytest.raises(InputError, match="cross the interval"):
        sf.sample(track(1.0, 0.0), 1.0, runs=1, walkers=100, method="brownian", step=0.5)
    reacting = sf.Model(
        sf.interval(LENGTH, cells=5),
        [sf.Species("c")],
        [sf.Fick("c", D), sf.Decay({"c": -1}, 1.0)],
        start={"c": 1.0},
    )
    with pytest.raises(ModelError, match="without reactions"):
        sf.sample(reacting, 1.0, runs=1, walkers=100, method="brownian")
    rooms = sf.Model(
        sf.network({"a": 1.0, "b": 1.0}, {"door": [("a", "b")]}),
        [sf.Population("N")],
        [sf.Fick("N", 1.0, on="door")],
        start={"N": 5.0},
    )
    with pytest.raises(ModelError, match="along an interval"):
        sf.sample(rooms, 1.0, method="brownian")
