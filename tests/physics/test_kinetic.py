"""Fokker-Planck laws: Boltzmann and Kramers, coefficients that are integrals over the axis, observed order."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.audit.check import check_model
from steadyflux.audit.findings import failures


class DoubleWell(eqx.Module):
    """U = barrier (x^2 - 1)^2, wells at -1 and 1, in units of k T."""

    barrier: float

    def __call__(self, x):
        return self.barrier * (x * x - 1.0) ** 2


def escape(barrier: float, cells: int) -> sf.Model:
    """One particle a second enters far up the left wall and is taken out at the right well: N is the mean time."""
    return sf.Model(
        sf.axis(-1.9, 1.0, cells),
        quantities=[sf.Population("p")],
        laws=[sf.Brownian("p", DoubleWell(barrier))],
        boundaries=[sf.Influx("low", {"p": 1.0}), sf.Hold("high", {"p": 0.0})],
    )


def passage_time(barrier: float) -> float:
    """Mean time from -1.9 to 1, the double integral of exp(U(y) - U(z)) over z < y (Gardiner 1985, 5.2.160)."""
    U = DoubleWell(barrier)
    grid = np.linspace(-1.9, 1.0, 30001)
    weight = np.exp(-U(grid))
    inner = np.concatenate([[0.0], np.cumsum(0.5 * (weight[1:] + weight[:-1]) * np.diff(grid))])
    # Euler-Maclaurin's next term makes the running trapezoidal sum one of fourth order.
    slope = -4.0 * barrier * grid * (grid**2 - 1.0) * weight
    inner -= np.diff(grid)[0] ** 2 / 12.0 * (slope - slope[0])
    return quad(lambda y: np.exp(U(y)) * np.interp(y, grid, inner), -1.9, 1.0, points=[-0.5, 0.0, 0.5], epsrel=1e-10)[0]


def test_equilibrium_is_boltzmanns_to_rounding_on_any_mesh():
    random = np.random.default_rng(11)
    nodes = np.cumsum(random.uniform(0.02, 0.3, 40))
    nodes = 3.0 * (nodes - nodes[0]) / (nodes[-1] - nodes[0]) - 1.4
    model = sf.Model(
        sf.interval(nodes=nodes),
        quantities=[sf.Population("p")],
        laws=[sf.Brownian("p", DoubleWell(3.7), diffusivity=0.6)],
        start={"p": 2.3},
    )
    solution = sf.steady(model)
    p, boltzmann = np.asarray(solution["p"]), np.exp(-DoubleWell(3.7)(nodes))
    volume = np.asarray(model.space.volume)
    np.testing.assert_allclose(p, boltzmann * (2.3 * 3.0 / (volume @ boltzmann)), rtol=2e-13)
    assert solution.regime == "equilibrium"


@pytest.mark.parametrize("barrier", [2.0, 6.0, 12.0])
def test_the_mean_time_to_cross_a_barrier_is_that_of_the_quadrature(barrier):
    exact = passage_time(barrier)
    off = [abs(float(sf.steady(escape(barrier, cells)).total("p")) / exact - 1.0) for cells in (51, 101, 401)]
    # The sum over the cells is of second order, with a share that the number near the ends has in the whole.
    assert off[1] < 2e-5
    assert off[2] < 1e-6


def test_kramers_formula_is_the_limit_of_a_high_barrier():
    # Rate sqrt(U''(well) |U''(top)|) / 2 pi exp(-barrier), twice the inverse time to the other well's bottom; the first
    # correction is of the order of 1 / barrier (Kramers 1940; Risken 1989, 5.10).
    ratio = []
    for barrier in (6.0, 12.0, 24.0):
        kramers = np.sqrt(8.0 * barrier * 4.0 * barrier) / (2.0 * np.pi) * np.exp(-barrier)
        ratio.append(float(sf.steady(escape(barrier, 401)).total("p")) * kramers)
    off = np.array(ratio) - 1.0
    assert np.all(off > 0)
    np.testing.assert_allclose(off[:-1] / off[1:], 2.0, rtol=0.3)
    assert off[-1] < 0.03


@pytest.mark.parametrize("barrier", [12.0, 60.0])
def test_a_net_flux_far_below_the_opposed_ones_is_found_as_an_unknown_of_its_own(barrier):
    model = sf.Model(
        sf.axis(-1.0, 1.0, 201),
        quantities=[sf.Population("p"), sf.Quantity("J", "number", capacity=0.0)],
        laws=[sf.Brownian("p", DoubleWell(barrier), diffusivity=0.3, current="J")],
        boundaries=[sf.Hold("low", {"p": 1.0, "J": 0.0}), sf.Hold("high", {"p": 0.0})],
        start={"J": float(np.exp(-barrier))},  # a net flux is measured by the size of its start
    )
    solution = sf.steady(model)
    exact = 0.3 / quad(lambda x: np.exp(DoubleWell(barrier)(x)), -1.0, 1.0, points=[0.0], epsrel=1e-12)[0]
    current = np.asarray(solution["J"])[1:]
    np.testing.assert_allclose(current, exact, rtol=1e-7)
    np.testing.assert_allclose(current, current[0], rtol=1e-13)
    np.testing.assert_allclose(solution.flow("p", "low"), current[0], rtol=1e-13)
    assert np.all(np.asarray(solution["p"])[:-1] > 0)
    assert not failures(check_model(model, solution))


class Slowing(sf.FokkerPlanck):
    """Drift -2 x / (1 + x), diffusion 1 + x: numbers that vary along the axis."""

    scale: float

    def coefficients(self, here, x):
        return -2.0 * self.scale * x / (1.0 + x), self.scale * (1.0 + x)


def test_drift_and_diffusion_that_vary_are_of_fourth_order():
    # f' / f = -2 x / (1 + x)^2 at no flux: ln f = -2 (ln(1 + x) + 1 / (1 + x)).
    def f(x):
        return np.exp(-2.0 * (np.log1p(x) + 1.0 / (1.0 + x)))

    source = quad(lambda x: 1.0 / (f(x) * 1.7 * (1.0 + x)), 0.0, 4.0, epsrel=1e-12)[0]
    exact = (0.9 / f(0.0) - 0.2 / f(4.0)) / source
    off = []
    for cells in (6, 11, 21):
        model = sf.Model(
            sf.axis(0.0, 4.0, cells),
            quantities=[sf.Population("f")],
            laws=[Slowing("f", 1.7)],
            boundaries=[sf.Hold("low", {"f": 0.9}), sf.Hold("high", {"f": 0.2})],
        )
        off.append(abs(float(sf.steady(model).flow("f", "low")) / exact - 1.0))
    assert off[-1] < 1e-6
    assert np.log2(off[0] / off[1]) > 3.5 and np.log2(off[1] / off[2]) > 3.5


def test_constant_coefficients_are_exact_and_strong_drift_keeps_the_sign():
    class Plain(sf.FokkerPlanck):
        def coefficients(self, here, x):
            return 3.0 + 0.0 * x, 0.05 + 0.0 * x

    model = sf.Model(
        sf.axis(0.0, 5.0, 8),
        quantities=[sf.Population("f")],
        laws=[Plain("f")],
        boundaries=[sf.Hold("low", {"f": 0.4}), sf.Hold("high", {"f": 2.0})],
    )
    solution = sf.steady(model)
    x = np.asarray(solution.position())
    rise = np.exp(60.0 * (x - 5.0))
    exact = 0.4 + (2.0 - 0.4) * rise
    np.testing.assert_allclose(solution["f"], exact, rtol=1e-12)
    np.testing.assert_allclose(solution.flow("f", "low"), 3.0 * 0.4, rtol=1e-12)


class Pull(sf.FokkerPlanck):
    """A sheet of stars in its own gravity: the pull at x is what lies below x."""

    def coefficients(self, here, x):
        return -here["mass"], 1.0 + 0.0 * x


def sheet(cells: int, rate: float = 0.8) -> sf.Model:
    below = sf.RunningIntegral("mass", lambda here, x: here["f"], of=("f",))
    top = 2.0 * rate**2
    return sf.Model(
        sf.axis(0.0, 3.0, cells),
        quantities=[sf.Population("f"), sf.Quantity("mass", "population", capacity=0.0)],
        laws=[below, Pull("f", integrals=(below,))],
        boundaries=[
            sf.Hold("low", {"f": top}),
            sf.Hold("high", {"f": top / np.cosh(3.0 * rate) ** 2}),
            sf.Exchange("high", sf.Leaves("mass"), {"mass": 0.0}),
        ],
    )


def test_a_coefficient_that_is_an_integral_over_the_axis_is_solved_by_newton_to_fourth_order():
    # The isothermal sheet in its own gravity (Spitzer 1942): f = 2 k^2 / cosh(k x)^2.
    off = []
    for cells in (41, 81, 161):
        model = sheet(cells)
        solution = sf.steady(model)
        assert model.layout.lane == ("dense" if cells < 80 else "chain")
        assert int(solution.outcome.iterations) <= 8  # Newton sees the whole Jacobian
        x = np.asarray(solution.position())
        off.append(np.max(np.abs(np.asarray(solution["f"]) - 2.0 * 0.64 / np.cosh(0.8 * x) ** 2)))
    assert off[-1] < 1e-7
    assert np.log2(off[0] / off[1]) > 3.6 and np.log2(off[1] / off[2]) > 3.6


def test_the_audit_passes_a_law_with_running_integrals():
    model = sheet(81)
    assert not failures(check_model(model, sf.steady(model)))


@pytest.mark.parametrize("since", ["low", "high"])
def test_a_running_integral_over_fifteen_decades(since):
    # x^(-9/4) in equal steps of ln x: the integrals span 34 decades, each to the same share of itself.
    power = -2.25 if since == "high" else 1.25
    law = sf.RunningIntegral("I", lambda here, s: jnp.exp(power * s), since=since)
    far = "low" if since == "high" else "high"
    low, high = np.log(1e-9), np.log(1e6)
    model = sf.Model(
        sf.axis(low, high, 801),
        quantities=[sf.Quantity("I", "population", capacity=0.0)],
        laws=[law],
        boundaries=[sf.Exchange(far, sf.Leaves("I"), {"I": 0.0})],
    )
    solution = sf.steady(model)
    s, total = np.asarray(solution.position()), np.asarray(solution["I"])
    face = s + (0.5 if since == "low" else -0.5) * (s[1] - s[0])
    end = low if since == "low" else high
    exact = abs(np.exp(power * face) - np.exp(power * end)) / abs(power)
    inner = slice(250, -250)  # at the near end the integrand does not start flat
    np.testing.assert_allclose(total[inner], exact[inner], rtol=5e-4)
    step = s[1] - s[0]
    grown = step / 24.0 * (np.exp(power * (face + step / 2)) - np.exp(power * (face - step / 2)))
    corrected = total + (grown if since == "low" else -grown)
    np.testing.assert_allclose(corrected[inner], exact[inner], rtol=3e-7)


def test_wells_meet_where_the_barrier_says():
    # The committor of the double well is one half at the top, by symmetry.
    model = sf.Model(
        sf.axis(-1.0, 1.0, 101),
        quantities=[sf.Population("p")],
        laws=[sf.Brownian("p", DoubleWell(5.0))],
        boundaries=[sf.Hold("low", {"p": 1.0}), sf.Hold("high", {"p": 0.0})],
    )
    solution = sf.steady(model)
    x = np.asarray(solution.position())
    committor = np.asarray(solution["p"]) * np.exp(DoubleWell(5.0)(x))
    place = brentq(lambda at: np.interp(at, x, committor) - 0.5, -0.9, 0.9)
    assert abs(place) < 1e-9
