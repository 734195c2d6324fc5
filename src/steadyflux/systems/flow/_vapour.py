"""Vapour around a drop that sits on a table: a cap of any contact angle, on toroidal coordinates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import steadyflux as sf
from steadyflux.audit.order import extrapolated

MESH = (501, 121)  # nodes outwards to the rim, and from the table to the drop
COARSE = ((241, 61), (121, 31))  # meshes from which the whole rate is extrapolated
RIM = 14.0  # alpha where the mesh ends: e^-14 of a radius from the rim
BEYOND = np.linspace(0.1, 10.0, 60)  # nodes that keep the end of the mesh away from where the exponent is read
NEAR = 0.5  # alpha from which the vapour is solved for as what it lacks to saturation


class Vapour(NamedTuple):
    """The solved field about a drop of one contact angle.

    ``flux`` is J R / (D (c_sat - c_far)) on the drop at the nodes ``alpha``.
    """

    alpha: np.ndarray
    flux: np.ndarray


class Bending(sf.CellLaw):
    """What the curved coordinates add to the reduced field: V / 4 per volume."""

    strength: Any = sf.parameter("1/s", "strength")

    dissipative = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The reduced field."""
        return ("V",)

    def production(self, here: Any, cell: Any) -> dict[str, Any]:
        """Strength times the field."""
        return {"V": self.strength * here["V"]}


def _rows(mesh: tuple[int, int], angle: float) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(0.0, RIM, mesh[0]), np.linspace(0.0, np.pi - angle, mesh[1])


def _on_edges(grid: sf.Space) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each edge: whether it goes along alpha, and alpha at its two ends."""
    edges, position = grid.edges["interior"], np.asarray(grid.position)
    one, other = position[np.asarray(edges.tail), 0], position[np.asarray(edges.head), 0]
    return one != other, np.minimum(one, other), np.maximum(one, other)


def reduced_model(angle: float, mesh: tuple[int, int]) -> sf.Model:
    """The reduced field V about a drop of this contact angle, on (alpha, beta)."""
    alpha, beta = _rows(mesh, angle)
    grid = sf.grid(x=alpha, y=beta, depth=1.0)
    along, low, high = _on_edges(grid)
    # Along beta the mean over a face; along alpha the value half-way, for the flux grows with alpha as sinh does.
    weight = _weight(alpha)
    upward = weight[np.searchsorted(alpha, low)]
    here = weight[np.searchsorted(alpha, np.asarray(grid.position)[:, 0])]
    top = 1.0 / np.sqrt(2.0 * (np.cosh(alpha) + np.cos(angle)))
    end = 1.0 / np.sqrt(2.0 * (np.cosh(RIM) - np.cos(beta)))
    return sf.Model(
        grid,
        [sf.Species("V")],
        [sf.Fick("V", np.where(along, np.sinh(0.5 * (low + high)), upward)), Bending(0.25 * here)],
        [sf.Hold("top", {"V": top}), sf.Hold("right", {"V": end})],
    )


def lacking_model(angle: float, mesh: tuple[int, int], first: int, lacking: np.ndarray) -> sf.Model:
    """What the vapour lacks to saturation, over its value far away, from the node ``first`` of alpha to the rim.

    On coordinates that map the plane of a meridian at equal angles, diffusion is conduction with the distance from the
    axis, sinh alpha / (cosh alpha - cos beta), as conductivity. Near the rim the field falls as a power of the
    distance: solved for by itself it is exact there in relation to itself.
    """
    alpha, beta = _rows(mesh, angle)
    grid = sf.grid(x=np.concatenate([alpha[first:], RIM + BEYOND]), y=beta, depth=1.0)
    return sf.Model(
        grid,
        [sf.Species("lacking")],
        [sf.Fick("lacking", lambda a, b: np.sinh(a) / (np.cosh(a) - np.cos(b)))],
        [sf.Hold("top", {"lacking": 0.0}), sf.Hold("left", {"lacking": lacking})],
    )


def _weight(alpha: np.ndarray) -> np.ndarray:
    """Mean of sinh alpha over the cell of each node."""
    faces = np.concatenate([alpha[:1], 0.5 * (alpha[1:] + alpha[:-1]), alpha[-1:]])
    return np.diff(np.cosh(faces)) / np.diff(faces)


def _slope(field: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Slope along beta at the drop, to fourth order from the last five nodes, (alpha,)."""
    x = beta[-5:] - beta[-1]
    return field[:, -5:] @ np.linalg.solve(np.vander(x, increasing=True).T, np.eye(5)[1])


def factor(angle: float) -> float:
    """f(theta): the whole rate over pi R D (c_sat - c_far), extrapolated from two meshes of second order."""
    fine, coarse = (float(sf.steady(reduced_model(angle, mesh))["V"][0]) for mesh in COARSE)
    return 4.0 * extrapolated(coarse, fine)


@lru_cache(maxsize=64)
def vapour(angle: float) -> Vapour:
    """The vapour about a drop of a contact angle (radians)."""
    alpha, beta = _rows(MESH, angle)
    field = np.asarray(sf.steady(reduced_model(angle, MESH))["V"]).reshape(MESH)
    spread = np.cosh(alpha) + np.cos(angle)
    inner = np.sqrt(2.0 * spread) * _slope(field, beta) + np.sin(angle) / np.sqrt(2.0 * spread) * field[:, -1]
    first = int(np.searchsorted(alpha, NEAR))
    lacking = 1.0 - np.sqrt(2.0 * (np.cosh(alpha[first]) - np.cos(beta))) * field[first]
    near = np.asarray(sf.steady(lacking_model(angle, MESH, first, lacking))["lacking"]).reshape(-1, MESH[1])
    near = near[: MESH[0] - first]
    slope = np.concatenate([inner[: first + 1], -_slope(near, beta)[1:]])
    return Vapour(alpha, spread * slope)


def rim_exponent(field: Vapour) -> float:
    """lambda in J ~ (R - r)^-lambda: near the rim the distance falls as e^-alpha."""
    near = (field.alpha > 5.0) & (field.alpha < 13.0)
    a = field.alpha[near]
    terms = np.stack([a, np.ones_like(a), np.exp(-a), a * np.exp(-a)], axis=1)
    return float(np.linalg.lstsq(terms, np.log(field.flux[near]), rcond=None)[0][0])
