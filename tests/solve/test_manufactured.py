"""Observed order by manufactured solutions, inside and at boundaries, for laws and spaces, steady and in time.

A smooth state is chosen, the source that it needs follows by differentiating the continuous equations, and what the
engine finds with that source is compared with the state.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf

MESHES = (13, 25, 49)


class Given(sf.CellLaw):
    """A source of one quantity, given in each cell (and at each time)."""

    quantity: str = sf.static()
    strength: object = sf.parameter("", "strength")
    dissipative = False

    @property
    def makes(self):
        return (self.quantity,)

    def production(self, here, cell):
        return {self.quantity: self.strength}


def orders(errors):
    errors = np.array(errors)
    return np.log2(errors[:-1] / errors[1:])


def divergence(flux, state, measure):
    """Source that keeps a state: d(A J)/dx / A, with J = flux(u, du/dx, x)."""

    def through(x):
        return measure(x) * flux(state(x), jax.grad(state)(x), x)

    return jax.vmap(lambda x: jax.grad(through)(x) / measure(x))


def state(x):
    return 1.7 + 0.6 * jnp.sin(2.1 * x + 0.3) + 0.2 * x**2


ROW = {
    "constant": (lambda: sf.Fick("c", 0.8), lambda u, du, x: -0.8 * du),
    "by state": (
        lambda: sf.Fick("c", sf.Polynomial((0.4, 0.3, 0.1))),
        lambda u, du, x: -(0.4 + 0.3 * u + 0.1 * u**2) * du,
    ),
    "exponential": (lambda: sf.Fick("c", sf.Exponential(0.5, 0.4)), lambda u, du, x: -0.5 * jnp.exp(0.4 * u) * du),
    "power": (lambda: sf.Fick("c", sf.Power(0.7, 1.5)), lambda u, du, x: -0.7 * u**1.5 * du),
    "limited": (lambda: sf.Fick("c", sf.Limited(0.7, 6.0)), lambda u, du, x: -0.7 / (1 - u / 6.0) * du),
    "by position": (lambda: sf.Fick("c", lambda x: 0.5 + 0.3 * x**2), lambda u, du, x: -(0.5 + 0.3 * x**2) * du),
    "advection": (lambda: sf.Advection("c", 1.9, 0.6), lambda u, du, x: 1.9 * u - 0.6 * du),
}
SHAPES = {
    "slab": (lambda x: 1.0 + 0 * x, {}),
    "cylinder": (lambda x: x, {"shape": "cylinder"}),
    "sphere": (lambda x: x**2, {"shape": "sphere"}),
    "funnel": (lambda x: 0.5 + 0.4 * x, {"area": lambda x: 0.5 + 0.4 * x}),
}


def line(cells, shape, graded=False):
    steps = np.linspace(0.0, 1.0, cells)
    if graded:
        steps = (np.exp(1.2 * steps) - 1) / (np.exp(1.2) - 1)
    return sf.interval(nodes=0.4 + steps, **SHAPES[shape][1])


def source_of(space, name, shape):
    exact = divergence(ROW[name][1], state, SHAPES[shape][0])
    return np.asarray(exact(jnp.asarray(space.position)))


CASES = [(name, "slab") for name in ROW] + [(n, s) for n in ("constant", "by state") for s in SHAPES if s != "slab"]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_laws_in_one_dimension_between_a_held_and_a_fed_end(name, shape):
    inside, ends, fluxes = [], [], []
    for cells in MESHES:
        space = line(cells, shape, graded=True)
        x = np.asarray(space.position)
        enters = float(ROW[name][1](state(x[0]), jax.grad(state)(x[0]), x[0]))
        model = sf.Model(
            space,
            [sf.Species("c")],
            [ROW[name][0](), Given("c", source_of(space, name, shape))],
            [sf.Influx("left", {"c": enters}), sf.Hold("right", {"c": float(state(x[-1]))})],
        )
        found = sf.steady(model)
        off = np.abs(np.asarray(found["c"]) - np.asarray(state(x)))
        inside.append(off[1:-1].max())
        ends.append(off[0])
        leaves = float(ROW[name][1](state(x[-1]), jax.grad(state)(x[-1]), x[-1]))
        fluxes.append(abs(float(found.flow("c", "right")) / float(space.places["right"].area[0]) + leaves))
    assert 1.8 < orders(inside)[-1] < 2.3
    assert 1.7 < orders(ends)[-1] < 2.4
    assert 1.7 < orders(fluxes)[-1] < 2.5


@pytest.mark.parametrize("end", ["film", "radiation"])
def test_an_exchange_with_the_outside_takes_second_order(end):
    def warm(x):
        return 320.0 + 60.0 * jnp.sin(1.3 * x + 0.2)

    errors = []
    for cells in MESHES:
        space = line(cells, "sphere")
        x = np.asarray(space.position)
        conductivity = 3.0

        def flux(u, du, x):
            return -3.0 * du

        need = divergence(flux, warm, lambda x: x**2)(jnp.asarray(x))
        leaving = float(flux(0, jax.grad(warm)(x[-1]), 0))
        T = float(warm(x[-1]))
        if end == "film":
            outside = sf.Film("right", "T", 55.0, T - leaving / 55.0)
        else:
            away = (T**4 - leaving / (0.9 * 5.670374419e-8)) ** 0.25
            outside = sf.Exchange("right", sf.Radiation(0.9), {"T": away})
        model = sf.Model(
            space,
            [sf.Heat(capacity=1.0)],
            [sf.Fourier(conductivity), Given("T", np.asarray(need))],
            [sf.Hold("left", {"T": float(warm(x[0]))}), outside],
        )
        errors.append(np.abs(np.asarray(sf.steady(model)["T"]) - np.asarray(warm(x))).max())
    assert 1.8 < orders(errors)[-1] < 2.2


@pytest.mark.parametrize("name", ["constant", "by state", "advection"])
def test_the_way_there_takes_second_order_in_space(name):
    """u(x, t) = 1.7 + sin(2.1 x) e^-t + x^2 t / 5 with a held value that moves and a fed end."""

    def course(x, t):
        return 1.7 + 0.6 * jnp.sin(2.1 * x + 0.3) * jnp.exp(-t) + 0.2 * x**2 * t

    flux = ROW[name][1]
    errors, flows = [], []
    for cells in MESHES:
        space = line(cells, "slab", graded=True)
        x = jnp.asarray(space.position)

        def through(x, t):
            return flux(course(x, t), jax.grad(course)(x, t), x)

        def needed(t, x=x, through=through):
            return jax.vmap(lambda y: jax.grad(course, 1)(y, t) + jax.grad(through)(y, t))(x)

        model = sf.Model(
            space,
            [sf.Species("c")],
            [ROW[name][0](), Given("c", sf.signal(needed))],
            [
                sf.Influx("left", {"c": sf.signal(lambda t, a=float(x[0]), f=through: f(a, t))}),
                sf.Hold("right", {"c": sf.signal(lambda t, b=float(x[-1]): course(b, t))}),
            ],
            start={"c": np.asarray(jax.vmap(lambda y: course(y, 0.0))(x))},
        )
        found = sf.evolve(model, 1.3, times=[1.3], rtol=1e-9)
        errors.append(np.abs(found["c"][0] - np.asarray(jax.vmap(lambda y: course(y, 1.3))(x))).max())
        flows.append(abs(found.flow("c", "right")[0] + float(through(float(x[-1]), 1.3))))
        assert found.ledger["c"].relative < 1e-7
    assert 1.8 < orders(errors)[-1] < 2.3
    assert 1.6 < orders(flows)[-1] < 2.5


LENGTH, SPAN = 1e-8, 1e-8  # m, s
THERMAL = 8.31446261815324 * 298.15 / 96485.33212331001  # V


def ion(sign, x, t):
    return 100.0 * (1.2 + 0.3 * sign * jnp.sin(2.0 * x / LENGTH) + 0.2 * jnp.cos(x / LENGTH) * jnp.exp(-t / SPAN))


def potential(x, t):
    return THERMAL * (0.8 * jnp.sin(1.5 * x / LENGTH) + x / LENGTH * (1 + jnp.exp(-t / SPAN)))


def ion_source(sign, x):
    """What an ion's course needs, mol/(m^3 s), as a function of the time."""

    def through(y, t):
        slope = jax.grad(ion, 1)(sign, y, t)
        return -1e-9 * (slope + sign * ion(sign, y, t) / THERMAL * jax.grad(potential)(y, t))

    def one(y, t):
        return jax.grad(ion, 2)(sign, y, t) + jax.grad(through)(y, t)

    return lambda t: jax.vmap(lambda y: one(y, t))(x)


def charge_source(x, permittivity):
    """What the field of the chosen potential lacks, C/m^3, as a function of the time."""

    def one(y, t):
        bent = jax.grad(jax.grad(potential))(y, t)
        return -permittivity * bent - 96485.33212331001 * (ion(1.0, y, t) - ion(-1.0, y, t))

    return lambda t: jax.vmap(lambda y: one(y, t))(x)


def ions_at(place, y):
    return sf.Hold(
        place,
        {
            "K+": sf.signal(lambda t: ion(1.0, y, t)),
            "Cl-": sf.signal(lambda t: ion(-1.0, y, t)),
            "phi": sf.signal(lambda t: potential(y, t)),
        },
    )


def ions_on(cells):
    space = sf.interval(LENGTH, cells=cells)
    x = jnp.asarray(space.position)
    return sf.Model(
        space,
        [sf.Ion("K+", 1e-9), sf.Ion("Cl-", 1e-9), sf.Potential()],
        [
            sf.NernstPlanck(),
            sf.Poisson(relative_permittivity=78.5),
            Given("K+", sf.signal(ion_source(1.0, x))),
            Given("Cl-", sf.signal(ion_source(-1.0, x))),
            Given("phi", sf.signal(charge_source(x, 78.5 * 8.8541878188e-12))),
        ],
        [ions_at("left", 0.0), ions_at("right", LENGTH)],
        start={"K+": np.asarray(ion(1.0, x, 0.0)), "Cl-": np.asarray(ion(-1.0, x, 0.0))},
    )


def test_ions_in_their_own_field_take_second_order_in_time_too():
    errors = []
    for cells in MESHES:
        model = ions_on(cells)
        found = sf.evolve(model, 2 * SPAN, times=[2 * SPAN], rtol=1e-9)
        x = jnp.asarray(model.space.position)
        exact = {"K+": ion(1.0, x, 2 * SPAN), "Cl-": ion(-1.0, x, 2 * SPAN), "phi": potential(x, 2 * SPAN)}
        errors.append([np.abs(found[n][0] - e).max() / np.abs(e).max() for n, e in exact.items()])
    last = orders(errors)[-1]
    assert np.all((last > 1.75) & (last < 2.3)), (errors, last)
