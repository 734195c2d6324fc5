"""Models through the ladder: named solvers agree, bodies take multigrid, closed and bordered ones too, and say so."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError, NameUnknown

SIDE = 9


def body(side=SIDE, held=(350.0, 300.0), conductivity=None):
    conductivity = sf.Exponential(1.0, 0.02, at=300.0) if conductivity is None else conductivity
    x = np.linspace(0.0, 1.0, side)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Heat()],
        [
            sf.Fourier(sf.Exponential(1.0, 0.02, at=300.0) if conductivity is None else conductivity),
            sf.Source("T", 100.0),
        ],
        [sf.Hold("left", {"T": held[0]}), sf.Hold("back", {"T": held[1]})],
    )


def salt(law, side=SIDE):
    x = np.linspace(0.0, 30e-9, side)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Potential(), sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9)],
        [sf.NernstPlanck(), law],
        [
            sf.Hold("left", {"K+": 100.0, "Cl-": 100.0, "phi": 0.05}),
            sf.Hold("right", {"K+": 10.0, "Cl-": 10.0, "phi": 0.0}),
        ],
    )


def floating():
    x = np.linspace(0.0, 1e-2, SIDE)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Potential()],
        [sf.Ohm(2.0)],
        [sf.Hold("left", {"phi": 0.0}), sf.Float("right", current=0.3)],
    )


def closed():
    x = np.linspace(0.0, 1.0, SIDE)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Species("A"), sf.Species("B")],
        [sf.Fick("A", 1.0), sf.Fick("B", 0.5), sf.MassAction({"A": -1, "B": 1}, 2.0, 1.0)],
        start={"A": lambda x, y, z: 1.0 + x, "B": 0.5},
    )


MODELS = {
    "conduction": body,
    "poisson": lambda: salt(sf.Poisson()),
    "electroneutral": lambda: salt(sf.Electroneutrality()),
    "floating": floating,
    "closed": closed,
}


@pytest.mark.parametrize("name", MODELS)
def test_multigrid_finds_what_a_direct_solver_finds(name):
    model = MODELS[name]()
    direct, cycles = (sf.steady(model, solver=solver) for solver in ("superlu", "amg"))
    assert (direct.outcome.solver, cycles.outcome.solver, cycles.outcome.note) == ("superlu", "amg", "")
    for k in range(len(model.names)):
        size = np.abs(direct.state.u[:, k]).max()
        np.testing.assert_allclose(cycles.state.u[:, k], direct.state.u[:, k], rtol=0, atol=1e-10 * size)
    np.testing.assert_allclose(cycles.state.s, direct.state.s, rtol=1e-9)
    assert all(entry.relative < 1e-10 for entry in cycles.ledger.values())


def test_conduction_in_a_body_meets_kirchhoffs_transform():
    """k = 1 + T / 2 with a source of one: T + T^2 / 4 obeys the linear equation, whose discrete solution is known."""
    side = 18
    model = body(side, conductivity=sf.Polynomial((1.0, 0.5)), held=(0.0, 0.0))
    solution = sf.steady(model)
    assert solution.outcome.solver == "amg"
    linear = sf.steady(body(side, conductivity=1.0, held=(0.0, 0.0)), solver="superlu")
    transformed = solution["T"] + solution["T"] ** 2 / 4.0
    np.testing.assert_allclose(transformed, linear["T"], rtol=1e-9, atol=1e-9 * np.abs(linear["T"]).max())
    assert solution.ledger["T"].relative < 1e-10


def test_an_answer_is_differentiated_through_multigrid(changed):
    model = body()

    def answer(value, solver):
        moved = changed(model, lambda m: m.laws[1].strength, value)
        return sf.steady(moved, solver=solver).flow("T", "left")

    gradients = [float(jax.grad(answer)(100.0, solver)) for solver in ("amg", "superlu")]
    forward = float(jax.jvp(lambda v: answer(v, "amg"), (100.0,), (1.0,))[1])
    step = 1e-2
    wanted = (float(answer(100.0 + step, "superlu")) - float(answer(100.0 - step, "superlu"))) / (2 * step)
    np.testing.assert_allclose([*gradients, forward], wanted, rtol=1e-7)


def test_the_cycles_of_one_search_serve_the_next():
    from steadyflux.solve.pattern import pattern_of

    model = body(14)
    first = sf.steady(model, solver="amg")
    kept = pattern_of(model, "amg").plan.kept
    setups, iterations = kept.setups, kept.iterations
    again = sf.steady(model, start=first, solver="amg")
    assert kept.setups == setups and kept.iterations - iterations < 0.5 * iterations
    np.testing.assert_allclose(again["T"], first["T"], rtol=1e-12)


def test_every_lane_can_be_named():
    line = sf.Model(
        sf.interval(1.0, 12),
        [sf.Species("c")],
        [sf.Fick("c", 1.0), sf.Decay({"c": -1}, 3.0)],
        [sf.Hold("left", {"c": 1.0})],
    )
    found = {name: sf.steady(line, solver=name) for name in ("auto", "dense", "block-tridiagonal", "direct", "amg")}
    assert [one.outcome.solver for one in found.values()] == ["dense", "dense", "block-tridiagonal", "superlu", "amg"]
    for one in found.values():
        np.testing.assert_allclose(one["c"], found["dense"]["c"], rtol=1e-12)
        assert one.model.layout.lane == line.layout.lane
    ring = sf.Model(
        sf.graph(5, (np.arange(5), np.arange(1, 6) % 5), places={"one": [0], "other": [2]}),
        [sf.Species("c")],
        [sf.Fick("c", 1.0)],
        [sf.Hold("one", {"c": 1.0}), sf.Hold("other", {"c": 2.0})],
    )
    with pytest.raises(InputError, match="Only a chain"):
        sf.steady(ring, solver="block-tridiagonal")
    with pytest.raises(InputError, match="too large"):
        sf.steady(body(20), solver="dense")
    with pytest.raises(NameUnknown, match="did you mean 'superlu'"):
        sf.steady(line, solver="superlou")


def test_a_direct_solver_that_takes_over_is_noted():
    class Growth(sf.CellLaw):
        """Births that make the equation indefinite, where every cycle fails."""

        rate: float = sf.parameter("1/s", "rate of birth")

        @property
        def makes(self):
            return ("N",)

        def production(self, here, cell):
            return {"N": self.rate * here["N"]}

    x = np.linspace(0.0, 1.0, SIDE)
    model = sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Volume("N")],
        [sf.Darcy(1.0, quantity="N"), Growth(345.0)],
        [sf.Hold("left", {"N": 1.0})],
    )
    solution = sf.steady(model, solver="amg")
    assert solution.outcome.solver == "superlu"
    assert "direct solver took over" in solution.outcome.note
    np.testing.assert_allclose(solution["N"], sf.steady(model, solver="superlu")["N"], rtol=1e-9)
