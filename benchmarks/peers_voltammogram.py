"""A cyclic voltammogram of one concentration by other programs: both species diffuse alike, so one tells the other."""

from __future__ import annotations

import os

import numpy as np

import floor_voltammetry as bare
import steadyflux as sf

D = 7e-10  # m^2/s, of both species
LENGTH = 6.0 * np.sqrt(D * bare.END)
GROWTH, RTOL = 0.02, 1e-6
STEPS = 2_000  # of the implicit Euler formula
CELLS = 500  # of an even grid


def _nodes(growth: float) -> np.ndarray:
    first = growth * np.sqrt(D * bare.UNIT / bare.SCAN)
    count = 1 + int(np.ceil(np.log1p(growth * LENGTH / first) / growth))
    return first / growth * np.expm1(growth * np.arange(count))


def rates(t: float) -> tuple[float, float]:
    """Rate constants of the reduction and the oxidation, m/s."""
    u = bare.potential(t) / bare.UNIT
    return bare.K0 * np.exp(-bare.ALPHA * u), bare.K0 * np.exp((1.0 - bare.ALPHA) * u)


def engine(growth: float = GROWTH, rtol: float = RTOL) -> float:
    """Peak of the reduction, mol/(m^2 s)."""
    bulk = {"O": bare.BULK, "R": 0.0}
    law = sf.ButlerVolmer({"O": -1, "R": 1}, 1, bare.FARADAY * bare.K0, alpha=bare.ALPHA)
    potential = sf.triangle(bare.START, bare.SWITCH, bare.SCAN, cycles=1.0)
    model = sf.Model(
        sf.interval(nodes=_nodes(growth), area=1.0, names=("electrode", "bulk")),
        [sf.Species("O"), sf.Species("R")],
        [sf.Fick("O", D), sf.Fick("R", D)],
        [sf.Exchange("electrode", law, {"O": 1.0, "R": 1.0, "phi": potential}), sf.Hold("bulk", bulk)],
        start=bulk,
        given={"phi": 0.0},
        temperature=bare.TEMPERATURE,
    )
    history = sf.evolve(model, bare.END, times=np.linspace(0.0, bare.END, 241)[1:], rtol=rtol)
    return float(np.max(-np.asarray(history.flow("O", "electrode"))))


def fipy() -> float:
    """FiPy: implicit steps on the same graded grid, the reaction as an implicit source in the first cell."""
    os.environ.setdefault("FIPY_SOLVERS", "scipy")
    from fipy import CellVariable, DiffusionTerm, Grid1D, ImplicitSourceTerm, LinearLUSolver, TransientTerm, Variable

    steps = np.diff(_nodes(GROWTH))
    mesh = Grid1D(dx=steps)
    c = CellVariable(mesh=mesh, value=bare.BULK, hasOld=True)
    c.constrain(bare.BULK, mesh.facesRight)
    first = CellVariable(mesh=mesh, value=0.0)
    first[0] = 1.0 / steps[0]
    forth, back, dt = Variable(value=0.0), Variable(value=0.0), bare.END / STEPS
    equation = TransientTerm() == DiffusionTerm(coeff=D) - ImplicitSourceTerm(first * forth) + first * back
    peak, solver = 0.0, LinearLUSolver()
    film = 0.5 * steps[0] / D  # from the first cell's middle to the electrode
    for number in range(1, STEPS + 1):
        kf, kb = rates(number * dt)
        share = 1.0 / (1.0 + film * (kf + kb))
        forth.setValue(share * (kf + kb))
        back.setValue(share * kb * bare.BULK)
        c.updateOld()
        equation.solve(var=c, dt=dt, solver=solver)
        peak = max(peak, share * ((kf + kb) * float(c.value[0]) - kb * bare.BULK))
    return peak


def pypde() -> float:
    """py-pde: an even grid, the reaction as an expression for the slope at the electrode, adaptive explicit steps."""
    import pde

    grid = pde.CartesianGrid([[0.0, LENGTH]], CELLS)
    turn, fall = 0.5 * bare.END, bare.SCAN
    E = f"({bare.START} - {fall} * t + 2 * {fall} * heaviside(t - {turn}, 0.5) * (t - {turn}))"
    forth = f"{bare.K0} * exp(-{bare.ALPHA / bare.UNIT} * {E})"
    back = f"{bare.K0} * exp({(1.0 - bare.ALPHA) / bare.UNIT} * {E})"
    film = 0.5 * LENGTH / CELLS / D  # from the first cell's middle to the electrode
    rate = f"({forth} * value - {back} * ({bare.BULK} - value)) / (1 + {film} * ({forth} + {back}))"
    conditions = {"x-": {"derivative_expression": f"-{rate} / {D}"}, "x+": {"value": bare.BULK}}
    equation = pde.DiffusionPDE(D, bc=conditions)
    storage = pde.MemoryStorage()
    start = pde.ScalarField(grid, bare.BULK)
    equation.solve(start, bare.END, dt=1e-5, adaptive=True, tracker=storage.tracker(bare.END / 240))
    peak = 0.0
    for t, field in storage.items():
        kf, kb = rates(t)
        share = 1.0 / (1.0 + film * (kf + kb))
        peak = max(peak, share * ((kf + kb) * float(field.data[0]) - kb * bare.BULK))
    return peak


VOLTAMMOGRAM = (
    {"engine": ("steadyflux", engine), "FiPy": ("fipy", fipy), "py-pde": ("pde", pypde)},
    lambda: engine(0.0025, 1e-9),
)
