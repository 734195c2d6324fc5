"""Hand-written floor for the pore: Newton in NumPy with a banded LAPACK solve, and its hand-written adjoint
gradient."""

from __future__ import annotations

from dataclasses import dataclass

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np
from scipy.linalg.lapack import dgbsv, dgbtrf, dgbtrs

from problems import UPDATE_TOLERANCE, Array, PnpPore, batch_voltages
from timing import median_seconds

# Unknowns of one node in the order (c1, c2, phi): the furthest entries are c1 -> phi of the next node (+5) and the
# node before (-3).
LOWER, UPPER = 3, 5
# Row of the main diagonal in LAPACK's band storage, whose first LOWER rows are room for pivoting.
DIAGONAL = LOWER + UPPER
STEPS_AT_MOST = 60


def bernoulli(u: Array) -> tuple[Array, Array]:
    """``B(u) = u / (exp(u) - 1)`` and its derivative, each the shape of ``u``; a Taylor series where the formula
    cancels."""
    small = np.abs(u) < 1e-2
    safe = np.where(small, 1.0, u)
    value = safe / np.expm1(safe)
    slope = value * (1.0 - safe - value) / safe
    if small.any():
        square = u * u
        value = np.where(small, 1.0 - u / 2 + square / 12 * (1.0 - square / 60 * (1.0 - square / 42)), value)
        slope = np.where(small, -0.5 + u / 6 * (1.0 - square / 30 * (1.0 - square / 28)), slope)
    return value, slope


@dataclass(frozen=True)
class PoreSolution:
    """State and fluxes of the pore: ``state`` (nodes, 3) holds c1, c2, phi; ``fluxes`` (2,) are constant along the
    pore."""

    state: Array
    fluxes: Array
    iterations: int
    flux_spread: float


def start(pore: PnpPore) -> Array:
    """The cold guess: straight lines between the boundary values, shape (nodes, 3)."""
    x = pore.x
    concentration = pore.concentration_left + (pore.concentration_right - pore.concentration_left) * x
    return np.stack([concentration, concentration, pore.voltage * (1.0 - x)], axis=1)


def assemble(pore: PnpPore, state: Array, charge: Array, band: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Fill ``band`` with the Jacobian of the interior equations (columns: interior nodes, c1, c2, phi of each).

    Returns the residual (nodes - 2, 3), the edge fluxes (2, nodes - 1), their derivatives by the potential difference
    head minus tail (2, nodes - 1), and B(u), B(-u) of every edge.
    """
    h = 1.0 / (pore.nodes - 1)
    drop = state[1:, 2] - state[:-1, 2]
    # B(-u) = B(u) + u and B'(-u) = -B'(u) - 1, so one evaluation serves both ions, whose charges are +1 and -1.
    plus, slope = bernoulli(drop)
    minus = plus + drop
    residual = np.empty((pore.nodes - 2, 3))
    fluxes = np.empty((2, pore.nodes - 1))
    by_drop = np.empty((2, pore.nodes - 1))
    band[:] = 0.0
    for k, (out, back) in enumerate(((plus, minus), (minus, plus))):
        a = pore.diffusivity[k] / h
        tail, head = state[:-1, k], state[1:, k]
        flux = np.subtract(out * tail, back * head, out=fluxes[k])
        flux *= a
        change = slope * (tail - head)
        by = np.multiply(a, change - head if k == 0 else change + tail, out=by_drop[k])
        residual[:, k] = flux[1:] - flux[:-1]
        band[DIAGONAL, k::3] = a * (out[1:] + back[:-1])
        band[DIAGONAL - 3, 3 + k :: 3] = -a * back[1:-1]
        band[DIAGONAL + 3, k:-3:3] = -a * out[1:-1]
        band[DIAGONAL + k - 2, 2::3] = -by[1:] - by[:-1]
        band[DIAGONAL + k - 5, 5::3] = by[1:-1]
        band[DIAGONAL + k + 1, 2:-3:3] = by[1:-1]
    stiffness = pore.permittivity / h
    residual[:, 2] = stiffness * (drop[:-1] - drop[1:]) - h * (state[1:-1, 0] - state[1:-1, 1] + charge[1:-1])
    band[DIAGONAL, 2::3] = 2.0 * stiffness
    band[DIAGONAL - 3, 5::3] = -stiffness
    band[DIAGONAL + 3, 2:-3:3] = -stiffness
    band[DIAGONAL + 2, 0::3] = -h
    band[DIAGONAL + 1, 1::3] = h
    return residual, fluxes, by_drop, plus, minus


def empty_band(pore: PnpPore) -> Array:
    """LAPACK band storage for the interior unknowns, column-major as LAPACK wants it."""
    return np.empty((2 * LOWER + UPPER + 1, 3 * (pore.nodes - 2)), order="F")


def solve(pore: PnpPore) -> PoreSolution:
    """Solve the pore from a cold guess by Newton, its steps shortened so that no concentration loses more than nine
    tenths.

    Raises ArithmeticError if Newton does not converge; start nearer, at a smaller voltage, then.
    """
    state = start(pore)
    charge = pore.fixed_charge
    band = empty_band(pore)
    for iteration in range(1, STEPS_AT_MOST + 1):
        residual, _, _, _, _ = assemble(pore, state, charge, band)
        _, _, update, info = dgbsv(LOWER, UPPER, band, residual.reshape(-1), overwrite_ab=True, overwrite_b=True)
        if info != 0:
            raise ArithmeticError(
                f"the Jacobian of the pore is singular at step {iteration}; start at a smaller voltage"
            )
        update = update.reshape(-1, 3)
        # state - step * update > 0: the largest relative loss of any concentration sets the step
        worst = float((update[:, :2] / state[1:-1, :2]).max())
        step = 1.0 if worst < 0.9 else 0.9 / worst
        state[1:-1] -= step * update
        if step == 1.0 and max(update.max(), -update.min()) < UPDATE_TOLERANCE:
            _, fluxes, _, _, _ = assemble(pore, state, charge, band)
            return PoreSolution(state, fluxes.mean(axis=1), iteration, float(np.ptp(fluxes, axis=1).max()))
    raise ArithmeticError(f"Newton did not converge in {STEPS_AT_MOST} steps; start at a smaller voltage")


def fluxes(pore: PnpPore) -> Array:
    """Steady fluxes of both ions, shape (2,)."""
    return solve(pore).fluxes


def batch(voltages: Array, nodes: int = 800) -> Array:
    """Fluxes at each voltage, one cold solve after the other, shape (voltages, 2)."""
    return np.array([fluxes(PnpPore(voltage=float(v), nodes=nodes)) for v in voltages])


def flux_gradient(pore: PnpPore) -> tuple[float, Array]:
    """Flux of ion 1 and its gradient by one adjoint solve, the solution's own Newton solve included.

    The gradient has shape (nodes + 6,): by the fixed charge X at every node, then by voltage, D_1, D_2, eps, c_left,
    c_right.
    """
    h = 1.0 / (pore.nodes - 1)
    state = solve(pore).state
    band = empty_band(pore)
    _, edge_fluxes, by_drop, plus, minus = assemble(pore, state, pore.fixed_charge, band)
    # The flux is read at the first edge: it sees c1 and phi of the first interior node, the voltage and c_left
    # directly.
    target = np.zeros(band.shape[1])
    a = (pore.diffusivity[0] / h, pore.diffusivity[1] / h)
    target[0] = -a[0] * minus[0]
    target[2] = by_drop[0, 0]
    factors, pivots, info = dgbtrf(band, LOWER, UPPER, overwrite_ab=True)
    if info != 0:
        raise ArithmeticError("the Jacobian is singular at the solution; move a parameter a little")
    adjoint, _ = dgbtrs(factors, LOWER, UPPER, target, pivots, trans=1)
    of_node = adjoint.reshape(-1, 3)
    gradient = np.zeros(pore.nodes + 6)
    gradient[1 : pore.nodes - 1] = h * of_node[:, 2]
    first, last = of_node[0], of_node[-1]
    drop = state[1:, 2] - state[:-1, 2]
    stiffness = pore.permittivity / h
    gradient[pore.nodes :] = (
        -by_drop[0, 0] - first[:2] @ by_drop[:, 0] + stiffness * first[2],
        edge_fluxes[0, 0] / pore.diffusivity[0],
        0.0,  # every row of an ion is proportional to its diffusivity, so neither changes the profiles
        -(of_node[:, 2] @ (drop[:-1] - drop[1:])) / h,
        a[0] * plus[0] + first[0] * a[0] * plus[0] + first[1] * a[1] * minus[0],
        last[0] * a[0] * minus[-1] + last[1] * a[1] * plus[-1],
    )
    return float(edge_fluxes[0, 0]), gradient


def main() -> None:
    """Print fluxes, convergence over all batch voltages, and warm timings."""
    pore = PnpPore()
    found = solve(pore)
    first, second = found.fluxes
    print(f"fluxes {first:.9f} {second:.9f} in {found.iterations} steps, spread {found.flux_spread:.1e}")
    steps = [solve(PnpPore(voltage=float(v))).iterations for v in batch_voltages()]
    print(f"all {len(steps)} voltages converge from cold, {min(steps)} to {max(steps)} steps")
    print(f"one solve      {1e3 * median_seconds(lambda: fluxes(pore)):8.3f} ms")
    print(f"batch of 256   {1e3 * median_seconds(lambda: batch(batch_voltages())) / 256:8.3f} ms a solve")
    print(f"flux, gradient {1e3 * median_seconds(lambda: flux_gradient(pore)):8.3f} ms")


if __name__ == "__main__":
    main()
