"""The equation: what leaves one cell enters another to rounding, and every form of the Jacobian is exact."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.model.jacobian import blocks, dense, tridiagonal
from steadyflux.model.system import Stage, State, balance, choose_pins, residual, stored, totals

RING = {"open": [("a", "b"), ("b", "c"), ("c", "a")], "wall": [("a", "d"), ("b", "d"), ("c", "d")]}


class Swelling(sf.EdgeLaw):
    """Fluid that swells the compartment at the head."""

    @property
    def moves(self):
        """The size."""
        return ("size",)

    def flux(self, tail, head, edge):
        """In proportion to the difference of the salt."""
        return {"size": 0.3 * edge.area * (head["A"] - tail["A"])}


def pore() -> sf.Model:
    """Ions, Poisson, a phase, per-edge diffusivities, an exchange, a floating end: a chain with a border."""
    rng = np.random.default_rng(3)
    return sf.Model(
        sf.interval(1e-8, 6, area=lambda x: 1e-18 * (1 + 1e8 * x)),
        [sf.Ion("K+"), sf.Ion("Cl-", 2e-9), sf.Heat(), sf.Potential()],
        [
            sf.NernstPlanck(diffusivity={"K+": rng.uniform(1e-9, 2e-9, 5)}),
            sf.Poisson(rng.uniform(60, 80, 5), fixed_charge="doping"),
            sf.Fourier(sf.Exponential(rng.uniform(0.5, 0.7, 5), 1e-3, 300.0)),
            sf.Source("T", rng.uniform(1.0, 2.0, 6) * 1e10),
        ],
        [
            sf.Hold("left", {"K+": 100.0, "Cl-": 100.0, "phi": 0.0}),
            sf.Exchange("left", sf.Transfer("T", 1e8), {"T": 310.0}),
            sf.Hold("right", {"K+": 10.0, "Cl-": 10.0, "T": 290.0}),
            sf.Float("right", current=1e-12),
        ],
        phase=sf.DebyeHuckel(),
        given={"doping": rng.uniform(-5, 5, 6)},
    )


def ring() -> sf.Model:
    """Compartments in a ring that react, swell and share an unknown: no chain, closed totals."""
    rng = np.random.default_rng(4)
    return sf.Model(
        sf.network({"a": 1.0, "b": 2.0, "c": 0.5, "d": 3.0}, RING, area={"open": [1.0, 2.0, 0.7], "wall": 0.4}),
        [sf.Species("A"), sf.Species("B"), sf.Species("C"), sf.Size("size", where=("a", "b", "c"))],
        [
            sf.Fick("A", rng.uniform(1, 2, 3), on="open"),
            sf.Fick("B", sf.Polynomial((1.0, 0.3)), on="open"),
            sf.Fick("A", 0.5, on="wall"),
            sf.Fick("B", 0.7, on="wall"),
            sf.MassAction({"A": -2, "B": 1}, rng.uniform(1, 2, 4), 0.6),
            sf.MassAction({"A": -1, "C": 1}, 0.3, 0.2, on="b"),
            Swelling(on="wall"),
        ],
        [sf.Influx("a", {"C": sf.shared("feed") * 2.0})],
        start={"A": 1.0, "B": 2.0, "C": 0.5, "size": 1.0},
        shared=[sf.Shared("feed", sf.ValueBalance("C", "b", 0.4), start=0.1)],
    )


MODELS = {"pore": pore, "ring": ring}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    model = MODELS[request.param]()
    rng = np.random.default_rng(11)
    low, high = (5.0, 90.0) if request.param == "pore" else (0.5, 2.0)
    u = rng.uniform(low, high, (model.cells, len(model.names)))
    for k, q in enumerate(model.quantities):
        if q.kind in ("heat", "charge"):
            u[:, k] = rng.uniform(280, 320, model.cells) if q.kind == "heat" else rng.uniform(-0.1, 0.1, model.cells)
    state = State(jnp.asarray(u), jnp.asarray(rng.uniform(0.05, 0.2, len(model.shared) + model.layout.totals)))
    return model, state


def stages(model, state):
    """The steady equations with pins, and a step of pseudo-time without."""
    pins = choose_pins(model, state)
    yield Stage(jnp.ones(()), jnp.zeros(()), state, pins)
    before = State(0.9 * state.u, 0.9 * state.s)
    yield Stage(jnp.asarray(0.7), jnp.asarray(3.1), before, jnp.full(model.layout.totals, -1))


def test_the_models_are_what_they_claim(case):
    model, _ = case
    if len(model.names) == 4 and "K+" in model.names:
        assert (model.layout.totals, len(model.shared), len(model.reservoirs)) == (0, 1, 1)
    else:
        assert (len(model.shared), len(model.reservoirs)) == (1, 0)
        assert model.layout.totals >= 1
        assert not model.layout.active[3, 3]


def test_what_leaves_one_cell_enters_another(case):
    model, state = case
    silent = [law for law in model.laws if law.moves and not law.makes]
    moved = sf.Model.__new__(sf.Model)
    for name in model.__dataclass_fields__:
        object.__setattr__(moved, name, getattr(model, name))
    keep = [n for n, law in enumerate(model.laws) if law in silent]
    object.__setattr__(moved, "laws", tuple(model.laws[n] for n in keep))
    object.__setattr__(moved, "acting", tuple(model.acting[n] for n in keep))
    object.__setattr__(moved, "edges", {n: e for n, e in model.edges.items() if n in moved.acting})
    object.__setattr__(moved, "influxes", ())
    raw = np.asarray(balance(moved, state))
    assert np.abs(raw).max() > 0
    np.testing.assert_allclose(raw.sum(axis=0), 0.0, atol=1e-14 * np.abs(raw).sum(axis=0).max())


def test_no_law_changes_a_conserved_total():
    model = ring()
    u = jnp.asarray(np.random.default_rng(6).uniform(0.5, 2.0, (4, 4)))
    rate = -balance(model, State(u, jnp.zeros(len(model.shared) + model.layout.totals)))
    weights = jnp.where(model.layout.pool >= 0, jnp.asarray(model.layout.weights)[:, model.layout.pool], 0.0)
    assert np.abs(np.asarray(rate)).max() > 0.1
    np.testing.assert_allclose(jnp.sum(weights * rate, axis=(1, 2)), 0.0, atol=1e-13)


def flat(x: State):
    """One vector of all unknowns or rows."""
    return jnp.concatenate([x.u.ravel(), x.s])


@jax.jit
def derivatives(model, state, stage, kept, direction):
    """jax.jacfwd of the whole residual, its blocks, and the slope of the residual along a direction by differences."""
    step = 1e-6
    ahead, behind = (jax.tree.map(lambda x, d, s=s: x + s * step * d, state, direction) for s in (1, -1))
    rise = flat(residual(model, ahead, stage, kept)) - flat(residual(model, behind, stage, kept))
    return dense(model, state, stage, kept), blocks(model, state, stage, kept), rise / (2 * step)


def test_blocks_on_edges_and_cells_are_the_exact_jacobian(case):
    model, state = case
    kept = totals(model, state)
    n, k = state.u.shape
    rng = np.random.default_rng(9)
    direction = jax.tree.map(lambda x: x * rng.uniform(0.1, 1.0, x.shape), state)
    for stage in stages(model, state):
        exact, b, slope = derivatives(model, state, stage, kept, direction)
        exact, along = np.asarray(exact), np.asarray(flat(direction))
        built = assembled(model, b, n, k)
        size = np.maximum(np.abs(exact).max(axis=1, keepdims=True), 1e-300)
        np.testing.assert_allclose(built / size, exact / size, rtol=1e-11, atol=1e-14)
        rows = np.abs(exact) @ np.abs(along)
        np.testing.assert_allclose(np.asarray(slope) / rows, exact @ along / rows, atol=2e-6)
        if model.layout.totals == 0:
            check_bands(model, state, b, exact)


def assembled(model, b, n, k):
    """The matrix that the blocks stand for."""
    shared = b.border.corner.shape[0]
    built = np.zeros((n * k + shared, n * k + shared))
    four = np.zeros((n, k, n, k))
    free = np.asarray(b.free)
    for i in range(n):
        four[i, :, i, :] += np.asarray(b.cell)[i]
    for name, (by_tail, by_head) in b.edges.items():
        ends = zip(np.asarray(model.edges[name].tail), np.asarray(model.edges[name].head), strict=True)
        for e, (t, h) in enumerate(ends):
            four[t, :, t, :] += np.asarray(by_tail)[e]
            if h < n:
                four[t, :, h, :] += np.asarray(by_head)[e]
                four[h, :, t, :] -= np.asarray(by_tail)[e]
                four[h, :, h, :] -= np.asarray(by_head)[e]
    four *= free[:, :, None, None]
    for i, q in zip(*np.nonzero(free == 0), strict=True):
        four[i, q, i, q] = 1.0
    built[: n * k, : n * k] = four.reshape(n * k, n * k)
    built[: n * k, n * k :] = np.asarray(b.border.columns).reshape(n * k, -1)
    built[n * k :, : n * k] = np.asarray(b.border.rows).reshape(-1, n * k)
    built[n * k :, n * k :] = np.asarray(b.border.corner)
    return built


def check_bands(model, state, b, exact):
    """The three bands of a chain stand where they should."""
    n, k = state.u.shape
    lower, diagonal, upper = (np.asarray(x) for x in tridiagonal(model, b))
    four = exact[: n * k, : n * k].reshape(n, k, n, k)
    scale = np.abs(four).max(axis=(2, 3))[:, :, None]
    for i in range(n):
        np.testing.assert_allclose(diagonal[i] / scale[i], four[i, :, i] / scale[i], rtol=1e-11, atol=1e-14)
        if i:
            np.testing.assert_allclose(lower[i] / scale[i], four[i, :, i - 1] / scale[i], rtol=1e-11, atol=1e-14)
        if i < n - 1:
            np.testing.assert_allclose(upper[i] / scale[i], four[i, :, i + 1] / scale[i], rtol=1e-11, atol=1e-14)


def test_the_residual_of_held_cells_is_the_condition(case):
    model, state = case
    stage = next(stages(model, state))
    off = jax.jit(residual)(model, state, stage, totals(model, state))
    for b in model.holds:
        k, cell = model.index(b.quantity), int(model.space.place(b.place).cells[0])
        wanted = b.value if b.shared is None else b.factor * state.s[[s.name for s in model.shared].index(b.shared)]
        np.testing.assert_allclose(off.u[cell, k], state.u[cell, k] - wanted, rtol=1e-13)


def test_stored_amounts_grow_with_the_size_of_a_compartment():
    model = ring()
    u = jnp.asarray(np.random.default_rng(5).uniform(0.5, 2.0, (4, 4)))
    amounts = np.asarray(stored(model, State(u, jnp.zeros(0))))
    np.testing.assert_allclose(amounts[:3, 0], u[:3, 0] * u[:3, 3])
    np.testing.assert_allclose(amounts[3, 0], 3.0 * u[3, 0])
    np.testing.assert_allclose(amounts[:, 3], u[:, 3])
