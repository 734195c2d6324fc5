"""A cyclic voltammogram by hand: two species on a graded line, Butler-Volmer, SUNDIALS IDA with a band matrix.

The bare cost of the problem: NumPy residual, the exact Jacobian typed in, the integrator called without anything
around it. Nothing of the engine is used.
"""

from __future__ import annotations

import warnings

import numpy as np
from sksundae.ida import IDA

FARADAY, GAS = 96485.33212, 8.31446261815324
D = 7.2e-10, 6.7e-10  # m^2/s
BULK, K0, ALPHA, AREA, TEMPERATURE, SCAN = 1.0, 1e-4, 0.5, 7.07e-6, 298.15, 0.1  # SI
START, SWITCH = 0.3, -0.3  # V, counted from the formal potential
UNIT = GAS * TEMPERATURE / FARADAY
END = 2.0 * (START - SWITCH) / SCAN


def nodes(growth: float) -> np.ndarray:
    """Distances from the electrode, m: steps that begin small against the fastest diffusion length and grow."""
    first, width = growth * np.sqrt(min(D) * UNIT / SCAN), 6.0 * np.sqrt(max(D) * END)
    count = 1 + int(np.ceil(np.log1p(growth * width / first) / growth))
    return first / growth * np.expm1(growth * np.arange(count))


def potential(t: float) -> float:
    """Of the electrode, V."""
    return START - SCAN * t if t <= 0.5 * END else SWITCH + SCAN * (t - 0.5 * END)


def sweep(x: np.ndarray, times: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Currents, A, at the asked times (time,); the far end is held at the bulk."""
    n = x.size
    step = np.diff(x)
    volume = AREA * np.concatenate([[step[0]], step[1:] + step[:-1], [step[-1]]]) * 0.5
    g = AREA * np.array(D)[:, None] / step  # (species, edge)
    own = np.zeros((2, n))
    own[:, :-1] += g
    own[:, 1:] += g

    def rates(t: float) -> tuple[float, float]:
        u = potential(t) / UNIT
        return AREA * K0 * np.exp(-ALPHA * u), AREA * K0 * np.exp((1.0 - ALPHA) * u)

    def residual(t: float, y: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        c, moves = y.reshape(n, 2), rate.reshape(n, 2)
        flux = g.T * (c[:-1] - c[1:])
        off = volume[:, None] * moves
        off[:-1] += flux
        off[1:] -= flux
        kf, kb = rates(t)
        reaction = kf * c[0, 0] - kb * c[0, 1]
        off[0, 0] += reaction
        off[0, 1] -= reaction
        off[-1, 0], off[-1, 1] = c[-1, 0] - BULK, c[-1, 1]
        out[:] = off.ravel()

    size = 2 * n
    line = np.arange(size)
    inner = line[2:]

    def jacobian(t: float, y: np.ndarray, rate: np.ndarray, off: np.ndarray, factor: float, out: np.ndarray) -> None:
        out[line, line] = (own.T + factor * volume[:, None]).ravel()
        out[inner, inner - 2] = out[inner - 2, inner] = -g.T.ravel()
        kf, kb = rates(t)
        out[0, 0] += kf
        out[0, 1] = -kb
        out[1, 0] = -kf
        out[1, 1] += kb
        out[size - 2, size - 4] = out[size - 1, size - 3] = 0.0
        out[size - 2, size - 2] = out[size - 1, size - 1] = 1.0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that the exact Jacobian is used
        ida = IDA(
            residual, rtol=rtol, atol=atol, linsolver="band", lband=2, uband=2, jacfn=jacobian, max_num_steps=10**6
        )
    y = np.stack([np.full(n, BULK), np.zeros(n)], axis=1).ravel()
    kf, _ = rates(0.0)
    first = np.zeros((n, 2))
    first[0] = np.array([-kf * BULK, kf * BULK]) / volume[0]
    found, half = [], 0.5 * END
    begin, rate = 0.0, first.ravel()
    for end in (half, END):  # the sweep turns in between
        asked = times[(times > begin) & (times <= end)]
        told = ida.solve(np.concatenate([[begin], asked]), y, rate)
        states = np.asarray(told.y)[1:]
        for t, state in zip(asked, states, strict=True):
            kf, kb = rates(t)
            found.append(FARADAY * (kf * state[0] - kb * state[1]))
        begin, y, rate = end, states[-1].copy(), np.asarray(told.yp)[-1].copy()
    return np.array(found)
