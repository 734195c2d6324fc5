"""Curie's principle: how many coefficients a symmetry leaves to a linear law from one tensor kind to another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from steadyflux.ground.errors import ModelError, NameUnknown

TENSORS = ("scalar", "pseudoscalar", "polar vector", "axial vector", "traceless symmetric tensor")
FLUX_KIND = {"scalar": "polar vector", "vector": "traceless symmetric tensor"}
"""Tensor kind of the flux through space (and of the force that drives it) of a quantity of each rank."""

_C, _S = np.cos, np.sin


def _turn(axis: str, fold: int) -> np.ndarray:
    angle = 2.0 * np.pi / fold
    c, s = _C(angle), _S(angle)
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
        "xyz": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),  # threefold about the cube's diagonal
    }[axis]


_I = -np.eye(3)
_2, _3, _4, _6 = (_turn("z", n) for n in (2, 3, 4, 6))
_2X, _M, _MX = _turn("x", 2), -_turn("z", 2), -_turn("x", 2)
_3D = _turn("xyz", 3)

# Generators in the Hermann-Mauguin setting: main axis along z, the next one along x.
GENERATORS: dict[str, tuple[np.ndarray, ...]] = {
    "1": (),
    "-1": (_I,),
    "2": (_2,),
    "m": (_M,),
    "2/m": (_2, _I),
    "222": (_2, _2X),
    "mm2": (_2, _MX),
    "mmm": (_2, _2X, _I),
    "4": (_4,),
    "-4": (-_4,),
    "4/m": (_4, _I),
    "422": (_4, _2X),
    "4mm": (_4, _MX),
    "-42m": (-_4, _2X),
    "4/mmm": (_4, _2X, _I),
    "3": (_3,),
    "-3": (_3, _I),
    "32": (_3, _2X),
    "3m": (_3, _MX),
    "-3m": (_3, _2X, _I),
    "6": (_6,),
    "-6": (-_6,),
    "6/m": (_6, _I),
    "622": (_6, _2X),
    "6mm": (_6, _MX),
    "-6m2": (-_6, _2X),
    "6/mmm": (_6, _2X, _I),
    "23": (_2, _3D),
    "m-3": (_2, _3D, _I),
    "432": (_4, _3D),
    "-43m": (-_4, _3D),
    "m-3m": (_4, _3D, _I),
}
CLASSES = tuple(GENERATORS)
ISOTROPIC, CHIRAL, MEMBRANE = "O3", "SO3", "membrane"
SYMMETRIES = (*CLASSES, ISOTROPIC, CHIRAL, MEMBRANE)
_NAMES = {"isotropic": ISOTROPIC, "chiral": CHIRAL, "polar": MEMBRANE}


@cache
def group(symmetry: str) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (n, 3, 3) and weights (n,) whose weighted sum averages a character over the symmetry's group.

    The crystal classes are generated from their generators. Of the continuous groups one representative a class is
    enough, spread evenly over the angle: characters of rank up to four are trigonometric polynomials of degree at most
    four, which 16 points integrate exactly. SO3's measure is (1 - cos a) da / 2 pi (Weyl); the membrane's group is that
    of a cone (all turns about its normal and all mirrors that contain it).
    """
    symmetry = _NAMES.get(symmetry, symmetry)
    if symmetry not in SYMMETRIES:
        raise NameUnknown("symmetry", symmetry, (*SYMMETRIES, *_NAMES))
    if symmetry in CLASSES:
        elements = _closure(GENERATORS[symmetry])
        return elements, np.full(len(elements), 1.0 / len(elements))
    angles = 2.0 * np.pi * np.arange(16) / 16
    turns = np.array([[[_C(a), -_S(a), 0], [_S(a), _C(a), 0], [0, 0, 1]] for a in angles])
    if symmetry == MEMBRANE:
        return np.concatenate([turns, turns @ _MX]), np.full(32, 1.0 / 32)
    weights = (1.0 - _C(angles)) / 16
    if symmetry == CHIRAL:
        return turns, weights
    return np.concatenate([turns, -turns]), np.concatenate([weights, weights]) / 2


def _closure(generators: tuple[np.ndarray, ...]) -> np.ndarray:
    """All products of the generators."""
    found = [np.eye(3)]
    for element in found:  # grows while it is walked
        for generator in generators:
            product = generator @ element
            if not any(np.allclose(product, known, atol=1e-9) for known in found):
                found.append(product)
    return np.array(found)


def character(kind: str, elements: np.ndarray) -> np.ndarray:
    """Trace of the representation by which a tensor kind turns under each element, (n,)."""
    trace, det = np.trace(elements, axis1=1, axis2=2), np.linalg.det(elements)
    if kind == "scalar":
        return np.ones(len(elements))
    if kind == "pseudoscalar":
        return det
    if kind == "polar vector":
        return trace
    if kind == "axial vector":
        return det * trace
    if kind == "traceless symmetric tensor":
        return 0.5 * (trace**2 + np.trace(elements @ elements, axis1=1, axis2=2)) - 1.0
    raise NameUnknown("tensor kind", kind, TENSORS)


def coefficients(force: str, flux: str, symmetry: str) -> int:
    """Number of independent coefficients of a linear law from a force of one kind to a flux of another."""
    elements, weights = group(symmetry)
    return round(float(np.sum(weights * character(force, elements) * character(flux, elements))))


def onsager_coefficients(kind: str, symmetry: str) -> int:
    """The same from a kind to itself, when reciprocity makes the matrix symmetric (conductivity: 6, 4, 3, 2 or 1)."""
    elements, weights = group(symmetry)
    twice = character(kind, elements @ elements)
    return round(float(np.sum(weights * 0.5 * (character(kind, elements) ** 2 + twice))))


def allowed(force: str, flux: str, symmetry: str = ISOTROPIC) -> bool:
    """Whether a force of one tensor kind may drive a flux of another in a medium of this symmetry.

    Symmetries: the 32 crystal classes, "isotropic" (O3), "chiral" (SO3, no inversion), "membrane" (polar: two sides).
    """
    return coefficients(force, flux, symmetry) > 0


def check_symmetry(ranks: Mapping[str, str], symmetry: str) -> None:
    """Refuse to couple the fluxes of quantities whose ranks ("scalar", "vector", by name) the medium keeps apart."""
    group(symmetry)  # an unknown one is refused even where nothing is coupled
    for a, one in ranks.items():
        for b, other in ranks.items():
            if one != other and not allowed(FLUX_KIND[one], FLUX_KIND[other], symmetry):
                medium = _NAMES.get(symmetry, symmetry)
                medium = {ISOTROPIC: "an isotropic medium", CHIRAL: "a chiral medium"}.get(
                    medium, f"the class {medium}"
                )
                raise ModelError(
                    f"Curie's principle: in {medium} {a} and {b} cannot be coupled, the force on one is a "
                    f"{FLUX_KIND[one]} and the flux of the other a {FLUX_KIND[other]}; use a law for each, or say "
                    'symmetry="membrane" (or a crystal class) where the medium has a direction.'
                )
