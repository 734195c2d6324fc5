"""Hand-written floor for the pore: the whole Newton loop written out for one processor core, compiled by Numba."""

from __future__ import annotations

import math

import numba
import numpy as np

from problems import UPDATE_TOLERANCE, Array, PnpPore, batch_voltages
from timing import median_seconds

STEPS_AT_MOST = 60


@numba.njit(cache=True, inline="always")
def bernoulli(u: float) -> tuple[float, float]:
    """``B(u) = u / (exp(u) - 1)`` and its derivative; a Taylor series where the formula cancels."""
    if abs(u) < 0.05:
        s = u * u
        value = 1.0 - 0.5 * u + s / 12 * (1.0 - s / 60 * (1.0 - s / 42 * (1.0 - s / 40)))
        slope = -0.5 + u / 6 * (1.0 - s / 30 * (1.0 - s / 28 * (1.0 - s / 30)))
        return value, slope
    value = u / math.expm1(u)
    return value, value * (1.0 - u - value) / u


@numba.njit(cache=True, fastmath=False, error_model="numpy")
def newton(
    voltage: float,
    d1: float,
    d2: float,
    eps: float,
    left: float,
    right: float,
    charge: Array,
    state: Array,
    work: Array,
    fluxes: Array,
) -> int:
    """Newton from the cold guess by block elimination (Thomas), 3 x 3 blocks in scalars; returns the steps taken, or
    -1.

    ``charge`` (nodes,), ``state`` (nodes, 3) and ``work`` (nodes, 12) are overwritten but for ``charge``; ``fluxes``
    (2,) is the answer. ``work[i]`` keeps, of interior node i, the eliminated right-hand side and the 3 x 3 block that
    multiplies the update of node i + 1. No pivoting between nodes: the ion rows are diagonally dominant in their
    columns and Poisson's diagonal only grows as the ions are eliminated.
    """
    nodes = charge.size
    h = 1.0 / (nodes - 1)
    a1, a2, stiff = d1 / h, d2 / h, eps / h
    for i in range(nodes):
        x = i * h
        state[i, 0] = state[i, 1] = left + (right - left) * x
        state[i, 2] = voltage * (1.0 - x)
    for iteration in range(1, STEPS_AT_MOST + 1):
        # left edge of the node at hand: fluxes f, g; their parts by tail (t), head (e) and potential difference (v)
        drop = state[1, 2] - state[0, 2]
        b, slope = bernoulli(drop)
        c = b + drop
        f = a1 * (b * state[0, 0] - c * state[1, 0])
        g = a2 * (c * state[0, 1] - b * state[1, 1])
        ft, fe = a1 * b, a1 * c
        gt, ge = a2 * c, a2 * b
        fv = a1 * (slope * (state[0, 0] - state[1, 0]) - state[1, 0])
        gv = a2 * (slope * (state[0, 1] - state[1, 1]) + state[0, 1])
        for i in range(1, nodes - 1):
            p0, n0, v0 = state[i, 0], state[i, 1], state[i, 2]
            p1, n1 = state[i + 1, 0], state[i + 1, 1]
            next_drop = state[i + 1, 2] - v0
            b, slope = bernoulli(next_drop)
            c = b + next_drop
            next_f = a1 * (b * p0 - c * p1)
            next_g = a2 * (c * n0 - b * n1)
            next_ft, next_fe = a1 * b, a1 * c
            next_gt, next_ge = a2 * c, a2 * b
            next_fv = a1 * (slope * (p0 - p1) - p1)
            next_gv = a2 * (slope * (n0 - n1) + n0)
            # this node's own block and right-hand side: rows ion 1, ion 2, Poisson
            m00, m01, m02 = next_ft + fe, 0.0, -next_fv - fv
            m10, m11, m12 = 0.0, next_gt + ge, -next_gv - gv
            m20, m21, m22 = -h, h, 2.0 * stiff
            r0 = next_f - f
            r1 = next_g - g
            r2 = stiff * (drop - next_drop) - h * (p0 - n0 + charge[i])
            if i > 1:
                w = work[i - 1]
                # the block to the left is (-ft, 0, fv), (0, -gt, gv), (0, 0, -stiff)
                m00 += ft * w[3] - fv * w[9]
                m01 += ft * w[4] - fv * w[10]
                m02 += ft * w[5] - fv * w[11]
                r0 += ft * w[0] - fv * w[2]
                m10 += gt * w[6] - gv * w[9]
                m11 += gt * w[7] - gv * w[10]
                m12 += gt * w[8] - gv * w[11]
                r1 += gt * w[1] - gv * w[2]
                m20 += stiff * w[9]
                m21 += stiff * w[10]
                m22 += stiff * w[11]
                r2 += stiff * w[2]
            # inverse by cofactors: one division; the block to the right is (-fe, 0, fv), (0, -ge, gv), (0, 0, -stiff)
            k00, k01, k02 = m11 * m22 - m12 * m21, m02 * m21 - m01 * m22, m01 * m12 - m02 * m11
            k10, k11, k12 = m12 * m20 - m10 * m22, m00 * m22 - m02 * m20, m02 * m10 - m00 * m12
            k20, k21, k22 = m10 * m21 - m11 * m20, m01 * m20 - m00 * m21, m00 * m11 - m01 * m10
            inverse = 1.0 / (m00 * k00 + m01 * k10 + m02 * k20)
            o = work[i]
            o[0] = inverse * (k00 * r0 + k01 * r1 + k02 * r2)
            o[1] = inverse * (k10 * r0 + k11 * r1 + k12 * r2)
            o[2] = inverse * (k20 * r0 + k21 * r1 + k22 * r2)
            o[3], o[6], o[9] = -inverse * k00 * next_fe, -inverse * k10 * next_fe, -inverse * k20 * next_fe
            o[4], o[7], o[10] = -inverse * k01 * next_ge, -inverse * k11 * next_ge, -inverse * k21 * next_ge
            o[5] = inverse * (k00 * next_fv + k01 * next_gv - k02 * stiff)
            o[8] = inverse * (k10 * next_fv + k11 * next_gv - k12 * stiff)
            o[11] = inverse * (k20 * next_fv + k21 * next_gv - k22 * stiff)
            drop, f, g = next_drop, next_f, next_g
            ft, fe, gt, ge, fv, gv = next_ft, next_fe, next_gt, next_ge, next_fv, next_gv
        worst, largest = 0.0, 0.0
        u0 = u1 = u2 = 0.0
        for i in range(nodes - 2, 0, -1):
            o = work[i]
            s0 = o[0] - (o[3] * u0 + o[4] * u1 + o[5] * u2)
            s1 = o[1] - (o[6] * u0 + o[7] * u1 + o[8] * u2)
            s2 = o[2] - (o[9] * u0 + o[10] * u1 + o[11] * u2)
            u0, u1, u2 = s0, s1, s2
            o[0], o[1], o[2] = u0, u1, u2
            if u0 > worst * state[i, 0]:
                worst = u0 / state[i, 0]
            if u1 > worst * state[i, 1]:
                worst = u1 / state[i, 1]
            largest = max(largest, abs(u0), abs(u1), abs(u2))
        step = 1.0 if worst < 0.9 else 0.9 / worst
        for i in range(1, nodes - 1):
            state[i, 0] -= step * work[i, 0]
            state[i, 1] -= step * work[i, 1]
            state[i, 2] -= step * work[i, 2]
        if step == 1.0 and largest < UPDATE_TOLERANCE:
            total1 = total2 = 0.0
            for i in range(nodes - 1):
                drop = state[i + 1, 2] - state[i, 2]
                b, slope = bernoulli(drop)
                total1 += b * state[i, 0] - (b + drop) * state[i + 1, 0]
                total2 += (b + drop) * state[i, 1] - b * state[i + 1, 1]
            fluxes[0] = a1 * total1 / (nodes - 1)
            fluxes[1] = a2 * total2 / (nodes - 1)
            return iteration
        if not largest < 1e300:
            return -1
    return -1


@numba.njit(cache=True)
def batch_serial(
    voltages: Array, d1: float, d2: float, eps: float, left: float, right: float, charge: Array
) -> tuple[Array, Array]:
    """Fluxes (voltages, 2) and steps (voltages,), each solved from cold on one core."""
    found, steps = np.empty((voltages.size, 2)), np.empty(voltages.size)
    state, work = np.empty((charge.size, 3)), np.empty((charge.size, 12))
    for k in range(voltages.size):
        steps[k] = newton(voltages[k], d1, d2, eps, left, right, charge, state, work, found[k])
    return found, steps


@numba.njit(cache=True, parallel=True)
def batch_parallel(
    voltages: Array, d1: float, d2: float, eps: float, left: float, right: float, charge: Array
) -> tuple[Array, Array]:
    """The same as ``batch_serial`` with the voltages shared out over all cores."""
    found, steps = np.empty((voltages.size, 2)), np.empty(voltages.size)
    for k in numba.prange(voltages.size):
        state, work = np.empty((charge.size, 3)), np.empty((charge.size, 12))
        steps[k] = newton(voltages[k], d1, d2, eps, left, right, charge, state, work, found[k])
    return found, steps


def batch(voltages: Array, pore: PnpPore | None = None, parallel: bool = False) -> Array:
    """Fluxes of both ions at each voltage, shape (voltages, 2); raises ArithmeticError if a voltage does not
    converge."""
    p = PnpPore() if pore is None else pore
    run = batch_parallel if parallel else batch_serial
    found, steps = run(
        np.asarray(voltages, dtype=np.float64),
        p.diffusivity[0],
        p.diffusivity[1],
        p.permittivity,
        p.concentration_left,
        p.concentration_right,
        p.fixed_charge,
    )
    if steps.min() < 0:
        failed = voltages[int(np.argmin(steps))]
        raise ArithmeticError(f"Newton did not converge at voltage {failed}; approach it from a smaller one")
    return found


def fluxes(pore: PnpPore) -> Array:
    """Steady fluxes of both ions, shape (2,)."""
    return batch(np.array([pore.voltage]), pore)[0]


def main() -> None:
    """Print fluxes and warm timings."""
    pore, voltages = PnpPore(), batch_voltages()
    found = fluxes(pore)
    print(f"fluxes {found[0]:.9f} {found[1]:.9f}")
    agree = np.abs(batch(voltages) - batch(voltages, parallel=True)).max()
    print(f"all {voltages.size} voltages converge from cold; serial and parallel differ by {agree:.1e}")
    print(f"one solve             {1e3 * median_seconds(lambda: fluxes(pore)):8.4f} ms")
    print(f"batch of 256, serial  {1e3 * median_seconds(lambda: batch(voltages)) / 256:8.4f} ms a solve")
    cores = numba.get_num_threads()
    parallel = median_seconds(lambda: batch(voltages, parallel=True)) / 256
    print(f"batch of 256, {cores} cores {1e3 * parallel:8.4f} ms a solve")


if __name__ == "__main__":
    main()
