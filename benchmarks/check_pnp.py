"""Two independent checks of the pore's exact fluxes: collocation on the differential equations, and meshes
extrapolated."""

from __future__ import annotations

import sys

import numpy as np
from scipy.integrate import solve_bvp

import floor_pnp_numpy
from problems import EXACT_PORE_FLUXES, PORE_FLUXES_800_NODES, Array, PnpPore, pore_fixed_charge


def by_collocation(pore: PnpPore, tolerance: float = 1e-8) -> Array:
    """Fluxes of both ions, shape (2,), from SciPy's fourth-order collocation; the fluxes are its two unknown
    parameters."""
    d1, d2 = pore.diffusivity

    def slopes(x: Array, y: Array, j: Array) -> Array:
        c1, c2, _, field = y
        charge = c1 - c2 + pore_fixed_charge(x)
        return np.stack([-j[0] / d1 - c1 * field, -j[1] / d2 + c2 * field, field, -charge / pore.permittivity])

    left, right = pore.concentration_left, pore.concentration_right

    def ends(a: Array, b: Array, j: Array) -> Array:
        return np.array([a[0] - left, a[1] - left, a[2] - pore.voltage, b[0] - right, b[1] - right, b[2]])

    x = np.linspace(0.0, 1.0, 401)
    line = left + (right - left) * x
    guess = np.stack([line, line, pore.voltage * (1.0 - x), np.full(x.size, -pore.voltage)])
    found = solve_bvp(slopes, ends, x, guess, p=np.ones(2), tol=tolerance, max_nodes=100_000)
    if not found.success:
        raise ArithmeticError(f"collocation failed ({found.message}); try a looser tolerance")
    return found.p


def by_extrapolation(pore: PnpPore, intervals: int = 800) -> Array:
    """Fluxes, shape (2,), from three meshes: Richardson with errors h^2 and h^4 removed."""
    coarse, middle, fine = (
        floor_pnp_numpy.fluxes(PnpPore(voltage=pore.voltage, nodes=k * intervals + 1)) for k in (1, 2, 4)
    )
    first, second = middle + (middle - coarse) / 3.0, fine + (fine - middle) / 3.0
    return second + (second - first) / 15.0


def main() -> int:
    """Print both answers beside the recorded ones; exit status 1 if any of them disagree beyond the digits recorded."""
    pore = PnpPore()
    rows = (
        ("collocation", by_collocation(pore), EXACT_PORE_FLUXES),
        ("extrapolated", by_extrapolation(pore), EXACT_PORE_FLUXES),
        ("800 nodes", floor_pnp_numpy.fluxes(pore), PORE_FLUXES_800_NODES),
    )
    bad = 0
    for name, found, recorded in rows:
        off = np.abs(found - np.array(recorded)).max()
        bad += off > 0.6e-9
        print(f"{name:13s} {found[0]:.12f} {found[1]:.12f}   off the recorded digits by {off:.1e}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
