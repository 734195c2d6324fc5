"""Sampling: means, variances and whole distributions against theory, reproducibly from a seed."""

from __future__ import annotations

from itertools import pairwise
from math import factorial
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import binom, chi2, poisson

import steadyflux as sf
from steadyflux.ground.constants import N_A
from steadyflux.ground.errors import InputError, ModelError, NameUnknown, NotConverged

VOLUME = 1e-21  # m^3: one micromole per litre is about 0.6 particles here


def fits(counts: np.ndarray, chances: np.ndarray, least: float = 8.0) -> bool:
    """Pearson's test of drawn whole numbers against the chance of each, at one in ten thousand."""
    expected = chances * counts.size
    seen = np.bincount(counts, minlength=chances.size)[: chances.size].astype(float)
    assert counts.max() < chances.size
    keep = expected >= least
    seen = np.append(seen[keep], seen[~keep].sum())
    expected = np.append(expected[keep], max(counts.size - expected[keep].sum(), 1e-9))
    if expected[-1] < 1.0:
        assert seen[-1] <= 6
        seen, expected = seen[:-1], expected[:-1]
    return float(np.sum((seen - expected) ** 2 / expected)) < chi2.ppf(1 - 1e-4, expected.size - 1)


def close(found: sf.Estimate, exact: Any, sigmas: float = 4.5) -> bool:
    return bool(np.all(np.abs(found.mean - exact) <= sigmas * found.error + 1e-12 * np.abs(exact)))


def open_chain(left: float = 30.0, right: float = 4.0) -> sf.Model:
    """Three free pools between two held ones, with decay in all of them and an influx into the second."""
    names = ["a", "b", "c", "d", "e"]
    return sf.Model(
        sf.network(dict.fromkeys(names, 1.0), {"links": list(pairwise(names))}),
        [sf.Population("N")],
        [sf.Fick("N", np.array([1.3, 0.4, 2.2, 0.9]), on="links"), sf.Decay({"N": -1}, 0.35)],
        [sf.Hold("a", {"N": left}), sf.Hold("e", {"N": right}), sf.Influx("c", {"N": 5.0})],
        start={"N": np.array([left, 0.0, 0.0, 0.0, right])},  # no jump where it is held
    )


@pytest.mark.parametrize("method", ["exact", "lattice", "leap"])
def test_an_open_linear_network_is_poisson_at_every_time(method):
    # Gardiner, Stochastic Methods, sec. 7.6: from an empty start every number stays Poisson, at any time.
    runs = 4000 if method != "leap" else 1500
    found = sf.sample(open_chain(), 2.5, times=[0.4], runs=runs, seed=11, method=method)
    way = sf.evolve(open_chain(), 2.5, times=[0.4, 2.5], rtol=1e-9)
    mean = way["N"]
    assert close(found.number("N"), np.where(np.arange(5) % 4 == 0, 0.0, mean))
    assert close(found.entered("N", "a"), way.entered("N", "a"))
    assert close(found.entered("N", "c"), way.entered("N", "c"))
    for i in range(2):
        for cell in (1, 2, 3):
            drawn = found.trajectories("N")[:, i, cell]
            assert fits(drawn, poisson.pmf(np.arange(200), mean[i, cell])), (i, cell)


def test_the_steps_of_a_lattice_are_the_explicit_steps_of_the_equation():
    model, tau = open_chain(), 0.1
    found = sf.sample(model, 3.0, times=[tau, 10 * tau], runs=6000, seed=5, method="lattice", step=tau)
    rate = np.array([1.3, 0.4, 2.2, 0.9])
    matrix, source = np.zeros((3, 3)), np.array([1.3 * 30.0, 5.0, 0.9 * 4.0])
    for i in range(3):
        matrix[i, i] = -(rate[i] + rate[i + 1] + 0.35)
        if i:
            matrix[i, i - 1] = matrix[i - 1, i] = rate[i]
    n, expected = np.zeros(3), {}
    for k in range(1, 31):
        n = n + tau * (matrix @ n + source)
        expected[k] = n
    for i, k in enumerate((1, 10, 30)):
        number = found.number("N")
        assert close(sf.Estimate(*(x[i, 1:4] for x in number)), expected[k])
        assert fits(found.trajectories("N")[:, i, 2], poisson.pmf(np.arange(200), expected[k][1]))


@pytest.mark.parametrize("method", ["exact", "lattice", "leap"])
def test_a_closed_linear_network_is_binomial(method):
    total, rates = 60, (0.7, 0.3)
    model = sf.Model(
        sf.network({"in": 1.0, "out": 1.0}, {"gate": [("in", "out")]}),
        [sf.Species("A"), sf.Species("B")],
        [
            sf.MassAction({"A": -1, "B": 1}, rates[0], rates[1]),
            sf.Fick("A", 0.2, on="gate"),
            sf.Fick("B", 0.1, on="gate"),
        ],
        start={"A": np.array([total / N_A, 0.0]), "B": 0.0},
    )
    found = sf.sample(model, 1.7, runs=4000, seed=2, method=method)
    q = np.zeros((4, 4))  # A in, B in, A out, B out
    for i, j, k in (
        (0, 1, 0.7),
        (1, 0, 0.3),
        (2, 3, 0.7),
        (3, 2, 0.3),
        (0, 2, 0.2),
        (2, 0, 0.2),
        (1, 3, 0.1),
        (3, 1, 0.1),
    ):
        q[i, j] += k
        q[i, i] -= k
    chance = expm(q * 1.7)[0]
    drawn = found.numbers[:, -1, :]
    assert np.all(drawn.sum(axis=1) == total)
    for node in range(4):
        assert fits(drawn[:, node], binom.pmf(np.arange(total + 1), total, chance[node])), node
    off = np.cov(drawn[:, 0], drawn[:, 2])[0, 1]
    expected = -total * chance[0] * chance[2]
    assert abs(off - expected) < 0.15 * abs(expected)


def dimers(number: int, k_f: float = 2.0, k_r: float = 1.5) -> sf.Model:
    """2 A <-> B with ``k_f n (n - 1)`` and ``k_r n`` events per second in a volume of a few molecules."""
    scale = N_A * VOLUME
    return sf.Model(
        sf.network({"vessel": VOLUME}, {}),
        [sf.Species("A"), sf.Species("B")],
        [sf.MassAction({"A": -2, "B": 1}, k_f * scale, k_r)],
        start={"A": number / scale, "B": 0.0},
    )


@pytest.mark.parametrize("method", ["exact", "leap"])
def test_pairs_that_react_reach_their_canonical_distribution(method):
    # The product form: p(b) in proportion to K^b / (a! b!) with a = n - 2 b.
    n, b = 15, np.arange(8)
    weights = np.array([(2.0 / 1.5) ** i for i in b], dtype=float)
    weights /= np.array([factorial(n - 2 * i) * factorial(i) for i in b], dtype=float)
    found = sf.sample(dimers(n), 12.0, runs=6000 if method == "exact" else 1500, seed=8, method=method)
    drawn = found.trajectories("B")[:, -1, 0]
    assert np.all(found.numbers[:, -1] @ np.array([1, 2]) == n)
    assert fits(drawn, weights / weights.sum())


def test_one_alone_finds_no_partner():
    found = sf.sample(dimers(1), 50.0, runs=50, seed=1, method="exact")
    assert np.all(found.trajectories("A") == 1)


def test_a_saturable_step_obeys_the_master_equation():
    class Passage(sf.EdgeLaw):
        rate: float = sf.parameter("1/s", "rate")

        @property
        def moves(self):
            return ("N",)

        def one_way(self, tail, head, edge):
            return {"N": (self.rate * tail["N"] / (1 + tail["N"] / 3.0), 0.4 * head["N"])}

    total = 12
    model = sf.Model(
        sf.network({"a": 1.0, "b": 1.0}, {"links": [("a", "b")]}),
        [sf.Population("N")],
        [Passage(1.1, on="links")],
        start={"N": np.array([float(total), 0.0])},
    )
    q = np.zeros((total + 1, total + 1))  # by the number in b
    for b in range(total + 1):
        a = total - b
        if a:
            q[b, b + 1] = 1.1 * a / (1 + a / 3.0)
        if b:
            q[b, b - 1] = 0.4 * b
        q[b, b] = -q[b].sum()
    found = sf.sample(model, 3.0, times=[1.0], runs=6000, seed=4)
    assert found.method == "exact"
    for i, t in enumerate((1.0, 3.0)):
        assert fits(found.trajectories("N")[:, i, 1], expm(q * t)[0])
    by_leaps = sf.sample(model, 3.0, runs=6000, seed=4, method="leap")
    assert fits(by_leaps.trajectories("N")[:, -1, 1], expm(q * 3.0)[0])


def test_leaps_meet_the_deterministic_mean_with_many_particles_and_never_go_below_zero():
    model = dimers(200_000, 2e-6, 0.3)
    way = sf.evolve(model, 4.0, times=[1.0, 4.0], rtol=1e-9)
    found = sf.sample(model, 4.0, times=[1.0], runs=300, seed=3)
    assert found.method == "leap"
    number = found.number("A")
    exact = way["A"] * N_A * VOLUME
    # The rule is of second order in the tolerance, 0.03, so that the mean is off by some parts in ten thousand.
    assert np.all(np.abs(number.mean - exact) < 4.5 * number.error + 3e-4 * exact)
    wide = sf.sample(model, 4.0, runs=100, seed=3, method="leap", tolerance=0.3).number("A").mean[0, 0]
    assert abs(wide - exact[1, 0]) > 5.0 * abs(number.mean[1, 0] - exact[1, 0])
    scarce = sf.sample(dimers(40, 0.5, 0.01), 5.0, runs=300, seed=3, method="leap")
    assert scarce.numbers.min() >= 0
    assert np.all(scarce.numbers[:, -1] @ np.array([1, 2]) == 40)


@pytest.mark.parametrize("method", ["exact", "lattice", "leap"])
def test_the_seed_decides_whatever_the_number_of_workers(method):
    make = lambda **more: sf.sample(open_chain(), 0.5, runs=600, seed=9, method=method, **more)  # noqa: E731
    one, two = make(workers=1), make(workers=3)
    assert np.array_equal(one.numbers, two.numbers) and np.array_equal(one.passed, two.passed)
    other = sf.sample(open_chain(), 0.5, runs=600, seed=10, method=method)
    assert not np.array_equal(one.numbers, other.numbers)


@pytest.mark.parametrize("method", ["exact", "lattice", "leap"])
def test_every_walker_is_accounted_for(method):
    found = sf.sample(open_chain(), 1.5, times=[0.5, 1.0], runs=40, seed=6, method=method)
    decayed = found.happened(1)[0].mean * found.runs
    for name, place in (("a", "a"), ("c", "c"), ("e", "e")):
        assert found.entered("N", place).mean.shape == (3,), name
    crossed = sum(found.entered("N", place).mean for place in "ace") * found.runs
    inside = found.trajectories("N").sum(axis=(0, 2))
    assert np.allclose(inside, crossed - decayed, rtol=0, atol=1e-9)
    late = found.entered("N", "a", since=0.5).mean
    assert np.allclose(late, found.entered("N", "a").mean - found.entered("N", "a").mean[0])


def test_walkers_stand_for_many_particles_in_the_mean():
    model = sf.Model(
        sf.interval("10 um", cells=9),
        [sf.Species("c")],
        [sf.Advection("c", velocity="3 um/s", diffusivity="20 um^2/s")],
        [sf.Hold("left", {"c": 1.5}), sf.Hold("right", {"c": 0.2})],
        start={"c": 0.0},
    )
    exact = sf.steady(model)
    found = sf.sample(model, 12.0, times=[6.0], runs=150, walkers=4000, seed=3)
    assert found.method == "lattice" and found.weight > 1e10
    assert close(found.flow("c", "left", since=6.0), float(exact.flow("c", "left")))
    assert close(found.along("c", since=6.0), np.asarray(exact.along("c", "interior")))
    free = slice(1, -1)
    assert close(sf.Estimate(*(x[-1, free] for x in found.state("c"))), np.asarray(exact["c"])[free])
    assert np.allclose(found["c"][:, [0, -1]], [1.5, 0.2])


def test_exchanges_and_turnovers_are_events_too():
    model = sf.Model(
        sf.network({"cell": VOLUME}, {}),
        [sf.Species("O"), sf.Species("R")],
        [sf.MassAction({"O": -1, "R": 1}, 0.5, 0.25)],
        [sf.Exchange("cell", sf.GoldmanChannel("O", 1.4 * VOLUME), {"O": 0.02, "R": 0.0})],
        given={"phi": 0.0},
        start={"O": 0.05, "R": 0.0},
    )
    way = sf.evolve(model, 3.0, times=[3.0], rtol=1e-9)
    found = sf.sample(model, 3.0, runs=3000, seed=12)
    assert close(found.state("O"), way["O"]) and close(found.state("R"), way["R"])
    assert close(found.entered("O", "cell"), way.entered("O", "cell") * N_A)


def test_the_error_falls_with_the_square_root_of_the_runs():
    few, many = (sf.sample(open_chain(), 2.0, runs=n, seed=1).number("N").error[0, 2] for n in (200, 12800))
    assert 0.8 < few / many / 8.0 < 1.25


def test_progress_tells_how_far_it_is():
    told: list[float] = []
    sf.sample(open_chain(), 1.0, times=[0.5], runs=10, progress=lambda now, end, step: told.append(now))
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_what_has_no_events_is_refused_with_the_reason():
    heat = sf.Model(
        sf.interval(1.0, cells=5),
        [sf.Heat(capacity=1.0)],
        [sf.Fourier(1.0)],
        [sf.Hold("left", {"T": 300.0})],
        start={"T": 1.0},
    )
    with pytest.raises(ModelError, match="does not come in particles"):
        sf.sample(heat, 1.0)
    curved = sf.Model(
        sf.interval(1.0, cells=5),
        [sf.Species("c")],
        [sf.Fick("c", sf.Polynomial((1.0, 0.2)))],
        [sf.Hold("left", {"c": 1.0})],
        start={"c": 0.0},
    )
    with pytest.raises(ModelError, match=r"only the net flux of c.*one_way"):
        sf.sample(curved, 1.0)
    with pytest.raises(ModelError, match="where c begins"):
        sf.sample(
            sf.Model(sf.interval(1.0, cells=5), [sf.Species("c")], [sf.Fick("c", 1.0)], [sf.Hold("left", {"c": 1.0})]),
            1.0,
        )
    half = sf.Model(
        sf.network({"v": 1.0}, {}),
        [sf.Species("A"), sf.Species("B")],
        [sf.MassAction({"A": -1, "B": 0.5}, 1.0, 1.0)],
        start={"A": 1e-22, "B": 0.0},
    )
    with pytest.raises(ModelError, match="whole numbers"):
        sf.sample(half, 1.0)


def test_arguments_that_do_not_fit_are_refused():
    model = open_chain()
    with pytest.raises(InputError, match="would hop"):
        sf.sample(model, 2.0, step=0.5, method="lattice")
    with pytest.raises(InputError, match="whole numbers of steps"):
        sf.sample(model, 2.0, times=[0.15], step=0.1, method="lattice")
    with pytest.raises(NameUnknown, match="exact"):
        sf.sample(model, 2.0, method="exactly")
    with pytest.raises(InputError, match="runs"):
        sf.sample(model, 2.0, runs=0)
    with pytest.raises(InputError, match="take a step"):
        sf.sample(model, 2.0, step=0.1, method="exact")
    with pytest.raises(ModelError, match="not independent"):
        sf.sample(dimers(10), 1.0, method="lattice")
    with pytest.raises(ModelError, match="part of the physics"):
        sf.sample(dimers(10), 1.0, walkers=100)
    with pytest.raises(NotConverged, match="more than 50 events"):
        sf.sample(model, 50.0, runs=2, method="exact", more=50)
    with pytest.raises(NotConverged, match="turns"):
        sf.sample(model, 50.0, runs=2, more=50)
    found = sf.sample(model, 1.0, runs=2)
    with pytest.raises(InputError, match="asked time"):
        found.flow("N", "a", since=0.3)
    with pytest.raises(ModelError, match="ask elsewhere"):
        found.flow("N", "b")
