"""Derivatives through steady states, in every lane, against finite differences; batches against loops."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf

LANES = ("dense", "chain", "sparse")
CELLS = 7


def pore() -> sf.Model:
    """Ions with a doping field, Poisson, an exchange of heat, a floating end and a shared feed of a neutral species."""
    return sf.Model(
        sf.interval(2.0, CELLS, area=0.7),
        [sf.Ion("K+", 1.3), sf.Ion("Cl-", 0.8), sf.Potential(), sf.Species("A", 0.5)],
        [
            sf.NernstPlanck(),
            sf.Poisson(relative_permittivity=3e16, fixed_charge="doping"),
            sf.MassAction({"A": -1}, 0.9, 0.2),
        ],
        [
            sf.Hold("left", {"K+": 2.0, "Cl-": 2.5, "phi": 0.01}),
            sf.Hold("right", {"K+": 1.0, "Cl-": 0.7}),
            sf.Float("right", current=2e3),
            sf.Exchange("left", sf.Transfer("A", 0.6), {"A": 3.0}),
            sf.Influx("right", {"A": sf.shared("feed")}),
        ],
        given={"doping": np.linspace(-0.3, 0.4, CELLS)},
        shared=[sf.Shared("feed", sf.ValueBalance("A", "right", 1.5), start=1.0)],
    )


def vessel() -> sf.Model:
    """Closed: two species that react, diffuse and keep a common total."""
    return sf.Model(
        sf.interval(1.0, CELLS),
        [sf.Species("A", external="lift"), sf.Species("B")],
        [sf.NernstPlanck(diffusivity={"A": 1.0}), sf.Fick("B", 0.3), sf.MassAction({"A": -2, "B": 1}, 0.7, 0.2)],
        given={"lift": np.linspace(0.0, 2000.0, CELLS)},
        start={"A": np.linspace(1.0, 2.0, CELLS), "B": 0.5},
    )


# Where a number stands in the model: a leaf, and the step that a central difference takes there.
PORE = {
    "hold": (lambda m: m.holds[0].value, 1e-5),
    "diffusivity": (lambda m: m.laws[0].diffusivity["K+"], 1e-5),
    "permittivity": (lambda m: m.laws[1].relative_permittivity, 1e11),
    "rate": (lambda m: m.laws[2].forward, 1e-5),
    "film": (lambda m: m.laws[-1].coefficient, 1e-5),
    "outside": (lambda m: m.reservoirs[0].states[0].value, 1e-5),
    "current": (lambda m: m.shared[1].balance.equals, 1e-1),
    "wanted": (lambda m: m.shared[0].balance.equals, 1e-5),
    "doping": (lambda m: m.given["doping"], 1e-5),
    "temperature": (lambda m: m.given["T"], 1e-2),
    "volume": (lambda m: m.space.volume, 1e-6),
    "area": (lambda m: m.edges["interior"].area, 1e-5),
}
VESSEL = {
    "total": (lambda m: m.start["A"], 1e-5),
    "rate": (lambda m: m.laws[2].reverse, 1e-6),
    "lift": (lambda m: m.given["lift"], 1e-2),
    "volume": (lambda m: m.space.volume, 1e-6),
}


def answer(solution: sf.Solution):
    """One number that depends on everything: every state with its own weight, and the shared unknowns."""
    u = solution.state.u
    weights = jnp.asarray(np.random.default_rng(1).uniform(0.5, 1.5, u.shape))
    own = solution.state.s[: len(solution.model.shared)]
    return jnp.sum(weights * u) + jnp.sum(own * jnp.arange(1.0, 1.0 + own.shape[0]) * 0.3)


def through(model: sf.Model, places):
    """The answer as a function of all the numbers named, and those numbers."""
    leaves = [jnp.asarray(where(model), dtype=float) for where, _ in places.values()]

    def solved(values):
        return answer(sf.steady(eqx.tree_at(lambda m: [where(m) for where, _ in places.values()], model, values)))

    return solved, leaves


CASES = {"pore": (pore, PORE), "vessel": (vessel, VESSEL)}


@pytest.fixture(scope="module", params=CASES)
def differences(request):
    """Central differences of the answer along a direction in each number, each in the dense lane."""
    build, places = CASES[request.param]
    model = build()
    solved, leaves = through(model, places)
    rng = np.random.default_rng(2)
    directions = [jnp.asarray(rng.uniform(0.5, 1.5, leaf.shape)) for leaf in leaves]
    # First-order differences twice over (Richardson): the error falls with the fourth power of the step.
    slopes = []
    for n, (_, step) in enumerate(places.values()):

        def along(h, n=n):
            return solved([leaf + h * directions[n] if i == n else leaf for i, leaf in enumerate(leaves)])

        wide, narrow = ((along(f * step) - along(-f * step)) / (2 * f * step) for f in (20.0, 10.0))
        slopes.append(float((4 * narrow - wide) / 3))
    return model, places, directions, slopes


@pytest.mark.parametrize("lane", LANES)
def test_adjoint_and_tangent_derivatives_meet_finite_differences(differences, lane, in_lane):
    model, places, directions, slopes = differences
    solved, leaves = through(in_lane(model, lane), places)
    adjoint = jax.jit(jax.grad(solved))(leaves)
    for n, name in enumerate(places):
        found = float(jnp.sum(adjoint[n] * directions[n]))
        np.testing.assert_allclose(found, slopes[n], rtol=2e-6, atol=1e-9, err_msg=name)
        assert found != 0.0, name
    tangent = jax.jvp(solved, (leaves,), (directions,))[1]
    np.testing.assert_allclose(
        tangent, sum(float(jnp.sum(a * d)) for a, d in zip(adjoint, directions, strict=True)), rtol=1e-9
    )


def test_derivatives_by_length_and_area_of_an_interval_are_the_textbook_ones():
    def flow(length, area):
        model = sf.Model(
            sf.interval(length, 5, area=area),
            [sf.Heat()],
            [sf.Fourier(3.0)],
            [sf.Hold("left", {"T": 320.0}), sf.Hold("right", {"T": 300.0})],
        )
        return sf.steady(model).flow("T", "left")

    value, slopes = jax.value_and_grad(flow, argnums=(0, 1))(0.4, 2.0)
    np.testing.assert_allclose(value, 3.0 * 2.0 * 20.0 / 0.4, rtol=1e-12)
    np.testing.assert_allclose(slopes, [-value / 0.4, value / 2.0], rtol=1e-10)


@pytest.fixture(scope="module")
def rod():
    model = sf.Model(
        sf.interval(1.0, CELLS),
        [sf.Heat()],
        [sf.Fourier(sf.Exponential(2.0, 0.01, 300.0))],
        [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 350.0})],
    )

    def middle(model, hot):
        return sf.steady(eqx.tree_at(lambda m: m.holds[1].value, model, hot))["T"][CELLS // 2]

    return model, middle


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("count", [1, 17])
def test_a_batch_equals_a_loop_and_the_closed_form(rod, lane, count, in_lane):
    model, middle = in_lane(rod[0], lane), rod[1]
    hot = jnp.linspace(290.0, 420.0, count)
    batch = jax.vmap(lambda h: middle(model, h))(hot)
    exact = 300.0 + 100.0 * np.log1p(0.5 * np.expm1(0.01 * (np.asarray(hot) - 300.0)))
    np.testing.assert_allclose(batch, exact, rtol=1e-10)
    np.testing.assert_allclose(batch[-1], middle(model, hot[-1]), rtol=1e-13)


def test_derivatives_go_through_batches_and_batches_through_derivatives(rod):
    model, middle = rod
    hot = jnp.asarray([310.0, 340.0, 390.0])
    rise = np.exp(0.01 * (np.asarray(hot) - 300.0))
    exact = 0.5 * rise / (1.0 + 0.5 * (rise - 1.0))
    np.testing.assert_allclose(jax.vmap(jax.grad(lambda h: middle(model, h)))(hot), exact, rtol=1e-9)
    summed = jax.grad(lambda h: jnp.sum(jax.vmap(lambda one: middle(model, one))(h)))(hot)
    np.testing.assert_allclose(summed, exact, rtol=1e-9)


def test_a_failed_search_inside_a_traced_program_gives_nan(rod):
    class Runaway(sf.CellLaw):
        """Heat that makes more heat than can leave."""

        @property
        def makes(self):
            """Heat."""
            return ("T",)

        def production(self, here, cell):
            """Far above the critical strength."""
            return {"T": 1e3 * jnp.exp(0.1 * (here["T"] - 300.0))}

    model = sf.Model(
        sf.interval(1.0, CELLS),
        [sf.Heat()],
        [sf.Fourier(1.0), Runaway()],
        [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 300.0})],
    )
    found = jax.jit(lambda h: rod[1](model, h))(300.0)
    assert np.isnan(found)
