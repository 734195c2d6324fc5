"""Streams through faces: exact fluxes, no sources from a stream function, and what is carried along."""

import numpy as np
import pytest

import steadyflux as sf


def net(space, flow):
    """What each cell gains along the edges."""
    e = space.edges["interior"]
    return np.bincount(e.head, flow, space.cells) - np.bincount(e.tail, flow, space.cells)


def inside(space):
    """Cells on no boundary."""
    rim = np.concatenate([p.cells for p in space.places.values() if p.kind == "boundary"])
    return np.setdiff1d(np.arange(space.cells), rim)


ROWS = dict(x=sf.nodes(1.0, 6, grading="left", ratio=3), y=sf.nodes(0.7, 5))


def test_a_stream_function_feeds_no_cell_and_agrees_with_its_velocity():
    space = sf.grid(**ROWS, depth=0.3)
    psi = lambda x, y: np.sin(3 * x) * y**2  # noqa: E731
    flow = sf.throughflow(space, stream=psi)
    assert np.abs(net(space, flow)[inside(space)]).max() < 1e-15
    speed = sf.throughflow(space, lambda x, y: (2 * y * np.sin(3 * x), -3 * np.cos(3 * x) * y**2))
    np.testing.assert_allclose(speed, flow, atol=1e-5 * np.abs(flow).max())
    # In and out through the sides: psi at the corners of the box.
    assert abs(net(space, flow).sum()) < 1e-15
    top = sf.outflow(space, flow, "top")[1:-1].sum()  # without the corners, where the stream leaves by the sides too
    ends = 0.5 * (space.position[::5, 0][[0, -2]] + space.position[::5, 0][[1, -1]])
    np.testing.assert_allclose(top, 0.3 * (psi(ends[0], 0.7) - psi(ends[1], 0.7)), rtol=1e-12)


def test_poiseuille_flow_in_a_pipe_is_exact_through_every_ring():
    space = sf.grid(r=sf.nodes(2.0, 9, grading="right", ratio=2), z=sf.nodes(1.0, 4))
    by_stream = sf.throughflow(space, stream=lambda r, z: r**2 / 2 - r**4 / 16)
    by_speed = sf.throughflow(space, lambda r, z: (0.0 * r, 1 - r**2 / 4))
    np.testing.assert_allclose(by_speed, by_stream, atol=1e-14)
    np.testing.assert_allclose(-sf.outflow(space, by_stream, "bottom").sum(), 2 * np.pi * (2 - 1), rtol=1e-13)


def test_a_point_vortex_and_a_source_on_a_polar_grid():
    space = sf.grid(r=sf.nodes(1.0, 5, start=0.5), theta=sf.nodes(2 * np.pi, 9, unit=""), periodic="theta", depth=2.0)
    e = space.edges["interior"]
    out = e.direction[:, 0] == 1.0
    flow = sf.throughflow(space, lambda r, theta: (1 / r, 0 * r))
    np.testing.assert_allclose(flow[out], 2.0 * 2 * np.pi / 8, rtol=1e-12)
    np.testing.assert_array_equal(flow[~out], 0.0)
    turning = sf.throughflow(space, stream=lambda r, theta: -np.log(r))
    np.testing.assert_allclose(turning[~out], sf.throughflow(space, lambda r, t: (0 * r, 1 / r))[~out], rtol=1e-5)
    np.testing.assert_allclose(sf.outflow(space, flow, "outer").sum(), 4 * np.pi, rtol=1e-12)


def test_a_velocity_in_space_goes_through_exact_faces():
    space = sf.grid(**ROWS, z=sf.nodes(0.4, 4), faces=True)
    flow = sf.throughflow(space, lambda x, y, z: (x * y, -(y**2) / 2 + z, x + 0 * y))
    assert np.abs(net(space, flow)[inside(space)]).max() < 1e-15
    rows = dict(r=sf.nodes(1.0, 5), theta=sf.nodes(2 * np.pi, 7, unit=""), z=sf.nodes(0.4, 3))
    tube = sf.grid(**rows, periodic="theta", faces=True)
    flow = sf.throughflow(tube, lambda r, theta, z: (0 * r, 0 * r, 1 - r**2))
    np.testing.assert_allclose(-sf.outflow(tube, flow, "bottom").sum(), np.pi / 2, rtol=1e-12)


def test_on_mapped_coordinates_the_faces_lie_where_the_map_says():
    space = sf.conformal(np.linspace(0.3, 1.1, 9), np.linspace(0.2, 1.2, 9), np.cosh, depth=0.5)
    flow = sf.throughflow(space, stream=lambda x, y: x * y)
    assert np.abs(net(space, flow)[inside(space)]).max() < 1e-15
    speed = sf.throughflow(space, lambda x, y: (x, -y))
    np.testing.assert_allclose(speed, flow, atol=3e-3 * np.abs(flow).max())
    ball = sf.spherical(sf.nodes(1.0, 9), 9)
    uniform = sf.throughflow(ball, stream=lambda r, z: r**2 / 2)
    speed = sf.throughflow(ball, lambda r, z: (0 * r, 1 + 0 * r))
    np.testing.assert_allclose(speed, uniform, atol=2e-2 * np.abs(uniform).max())


def test_a_stream_carries_a_uniform_state_unchanged_and_balances():
    space = sf.grid(x=sf.nodes(1.0, 6), y=sf.nodes(1.0, 5))
    flow = sf.throughflow(space, stream=lambda x, y: y - y**2 / 2)
    out = sf.outflow(space, flow, "right")
    model = sf.Model(
        space,
        [sf.Species("c")],
        [sf.Advection("c", flow=flow, diffusivity=0.02)],
        [sf.Hold("left", {"c": 2.0}), sf.Exchange("right", sf.Advection("c", flow=out), {"c": 0.0})],
    )
    found = sf.steady(model)
    np.testing.assert_allclose(found["c"], 2.0, rtol=1e-12)
    np.testing.assert_allclose(found.flow("c", "right"), -2.0 * 0.5, rtol=1e-12)


def test_an_oblique_stream_with_diffusion_takes_second_order():
    u, v, d = 1.0, 0.6, 0.05

    def exact(x, y):
        return 2.0 + np.sin(2 * x) * np.cos(y)

    def source(x, y):
        drift = 2 * u * np.cos(2 * x) * np.cos(y) - v * np.sin(2 * x) * np.sin(y)
        return drift + 5 * d * np.sin(2 * x) * np.cos(y)

    errors = []
    for n in (9, 17, 33):
        space = sf.grid(x=sf.nodes(1.0, n), y=sf.nodes(1.0, n, grading="both", ratio=2))
        flow = sf.throughflow(space, lambda x, y: (u + 0 * x, v + 0 * x))
        c = exact(*space.coordinates())
        holds = [sf.Hold(p, {"c": c[space.places[p].cells]}) for p in ("left", "right", "bottom", "top")]
        found = sf.steady(
            sf.Model(
                space, [sf.Species("c")], [sf.Advection("c", flow=flow, diffusivity=d), sf.Source("c", source)], holds
            )
        )
        errors.append(np.abs(found["c"] - c).max())
    assert errors[-1] < 1e-2 and np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8), errors


def test_refusals():
    space = sf.grid(**ROWS)
    with pytest.raises(sf.ModelError, match="one of the two"):
        sf.throughflow(space)
    with pytest.raises(sf.ModelError, match="keeps no faces"):
        sf.throughflow(sf.interval(1.0, 5), lambda x: (x,))
    with pytest.raises(sf.ModelError, match="needs 2 components"):
        sf.throughflow(space, lambda x, y: (x, y, x))
    with pytest.raises(sf.ModelError, match="two dimensions"):
        sf.throughflow(sf.grid(**ROWS, z=[0.0, 1.0], faces=True), stream=lambda x, y, z: x)
    with pytest.raises(sf.ModelError, match="velocity or its flow"):
        sf.Advection("c")
