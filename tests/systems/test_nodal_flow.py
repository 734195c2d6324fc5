"""Nodal flow: its claims, the through flow over wide ranges against exponentials, strong cavity flows, refusals."""

import jax
import numpy as np
import pytest

from steadyflux import InputError
from steadyflux.solve.steady import steady
from steadyflux.systems.life.nodal_flow import SYSTEM, answers, model, stream_function
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def exact(p, x):
    """The solution in exponentials, each scaled to one at its larger end."""
    L, D, v, k, h, at = p.width, p.diffusivity, p.flow_speed, 1.0 / p.lifetime, p.wall_uptake, p.source_position
    big = -(abs(v) + np.hypot(v, 2.0 * np.sqrt(D * k))) / (2.0 * D) * (np.sign(v) or 1.0)
    down, up = sorted((big, -k / (D * big)))
    if p.source_shape == "uniform":
        s = p.source / L
        rows = [[D * down + v - h, (D * up + v - h) * np.exp(-up * L)]]
        rows += [[(D * down + v + h) * np.exp(down * L), D * up + v + h]]
        a, b = np.linalg.solve(rows, [-(v - h) * s / k, -(v + h) * s / k])
        return s / k + a * np.exp(down * x) + b * np.exp(up * (x - L))
    xs = at * L
    fall, rise = np.exp(down * xs), np.exp(up * (xs - L))
    rows = np.array(
        [
            [D * down + v - h, (D * up + v - h) * np.exp(-up * xs), 0.0, 0.0],
            [0.0, 0.0, (D * down + v + h) * np.exp(down * (L - xs)), D * up + v + h],
            [fall, 1.0, -1.0, -rise],
            [D * down * fall, D * up, -D * down, -D * up * rise],
        ]
    )
    size = np.abs(rows).max(axis=1)
    a, b, c, d = np.linalg.solve(rows / size[:, None], np.array([0.0, 0.0, 0.0, p.source]) / size)
    near, far = np.minimum(x, xs), np.maximum(x, xs)
    left = a * np.exp(down * near) + b * np.exp(up * (near - xs))
    return np.where(x <= xs, left, c * np.exp(down * (far - xs)) + d * np.exp(up * (far - L)))


def test_through_flow_over_wide_ranges():
    rng = np.random.default_rng(8)
    for _ in range(25):
        D, L = 10 ** rng.uniform(-11, -9), 10 ** rng.uniform(-5, -3)
        given = {
            "diffusivity": D,
            "width": L,
            "flow_speed": rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 3.5) * D / L,
            "lifetime": max(L * L / D / 10 ** rng.uniform(-3, 3.5), 1e-3),
            "wall_uptake": rng.choice([0.0, D / L * 10 ** rng.uniform(-2, 2)]),
            "source_shape": rng.choice(["uniform", "point"]),
            "source_position": rng.uniform(0.05, 0.95),
        }
        a, p = SYSTEM.run(given).answers, SYSTEM.values(given)
        expected = exact(p, L * np.array((0.0, 1.0, *p.positions)))
        found = np.array([a["left_concentration"], a["right_concentration"], *a["profile"]])
        counts = expected > 1e-6 * expected.max()
        np.testing.assert_allclose(found[counts], expected[counts], rtol=1e-4)


def test_a_strong_cavity_flow_is_resolved():
    given = {"mode": "cavity", "floor_speed": 4e-4}
    default, fine = SYSTEM.run(given).answers, SYSTEM.run(given, steps=300).answers
    for name in ("left_right_ratio", "half_ratio", "inventory"):
        np.testing.assert_allclose(default[name], fine[name], rtol=1e-4)


def test_the_cavity_is_closed():
    p = SYSTEM.values({"mode": "cavity"})
    x, y = np.linspace(0.0, p.width, 7), np.linspace(0.0, p.height, 9)
    for wall in (stream_function(p, x, 0.0), stream_function(p, x, p.height), stream_function(p, 0.0, y)):
        np.testing.assert_allclose(wall, 0.0, atol=1e-30)
    solution = SYSTEM.run(mode="cavity").solution
    assert solution.ledger["c"].relative < 1e-10


def test_the_ratio_has_an_exact_derivative():
    p = SYSTEM.values()

    def ratio(speed):
        q = Values({**p.items, "flow_speed": speed})
        return answers(q, steady(model(q)))["left_right_ratio"]

    step = 1e-9
    change = (ratio(3e-6 + step) - ratio(3e-6 - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(ratio)(3e-6), change, rtol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        {"lifetime": 0.0},
        {"lifetime": 1e25},
        {"mode": "cavity", "floor_speed": 0.5},
        {"mode": "open"},
        {"source_position": 1.0},
        {"positions": (1.4,)},
        {"width": "3 s"},
    ],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(given)


def test_figure_has_axes_with_units():
    for mode in ("through_flow", "cavity"):
        axes = SYSTEM.figure(SYSTEM.run(mode=mode)).axes
        assert "(µm)" in axes[0].get_xlabel()
