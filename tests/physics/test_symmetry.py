"""Curie's principle: coefficient counts against independent tables, and which couplings each symmetry allows."""

import numpy as np
import pytest

from steadyflux.ground.errors import NameUnknown
from steadyflux.physics.symmetry import CLASSES, SYMMETRIES, TENSORS, allowed, coefficients, group, onsager_coefficients

PAIRS = ("ss", "sp", "sv", "sa", "st", "pp", "pv", "pa", "pt", "vv", "va", "vt", "aa", "at", "tt")
LETTERS = dict(zip("spvat", TENSORS, strict=True))

# Independent reference computation: rank of the projectors built from explicit matrices.
COUNTS = {
    "O3": [1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1],
    "SO3": [1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1],
    "m-3m": [1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 2],
    "23": [1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 3],
    "1": [1, 1, 3, 3, 5, 1, 3, 3, 5, 9, 9, 15, 9, 15, 25],
    "-1": [1, 0, 0, 3, 5, 1, 3, 0, 0, 9, 0, 0, 9, 15, 25],
    "4mm": [1, 0, 1, 0, 1, 1, 0, 1, 0, 2, 1, 2, 2, 1, 4],
    "6mm": [1, 0, 1, 0, 1, 1, 0, 1, 0, 2, 1, 2, 2, 1, 3],
    "3": [1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 5, 3, 5, 9],
    "222": [1, 1, 0, 0, 2, 1, 0, 0, 2, 3, 3, 3, 3, 3, 7],
    "mm2": [1, 0, 1, 0, 2, 1, 0, 1, 1, 3, 2, 4, 3, 3, 7],
    "432": [1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 2],
}
ORDERS = [1, 2, 2, 2, 4, 4, 4, 8, 4, 4, 8, 8, 8, 8, 16, 3, 6, 6, 6, 12, 6, 6, 12, 12, 12, 12, 24, 12, 24, 24, 24, 48]
# Nye (1957): triclinic 6, monoclinic 4, orthorhombic 3, uniaxial 2, cubic 1.
CONDUCTIVITY = [6] * 2 + [4] * 3 + [3] * 3 + [2] * 19 + [1] * 5
POLAR = {"1", "2", "m", "mm2", "4", "4mm", "3", "3m", "6", "6mm"}


@pytest.mark.parametrize("symmetry", COUNTS)
def test_counts_of_coefficients_are_those_of_explicit_projectors(symmetry):
    found = [coefficients(LETTERS[pair[0]], LETTERS[pair[1]], symmetry) for pair in PAIRS]
    assert found == COUNTS[symmetry]


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_counts_are_ranks_of_projectors_on_vectors(symmetry):
    """The matrices that commute with the group, counted by averaging explicit Kronecker products."""
    elements, weights = group(symmetry)
    if symmetry in CLASSES:
        projector = np.einsum("n,nij,nkl->ikjl", weights, elements, elements).reshape(9, 9)
        assert np.linalg.matrix_rank(projector, tol=1e-9) == coefficients("polar vector", "polar vector", symmetry)
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(elements @ np.swapaxes(elements, 1, 2), np.eye(3) + 0 * elements, atol=1e-12)


def test_the_classes_have_their_orders_and_conductivities():
    assert [len(group(c)[0]) for c in CLASSES] == ORDERS
    assert [onsager_coefficients("polar vector", c) for c in CLASSES] == CONDUCTIVITY
    assert [onsager_coefficients("polar vector", g) for g in ("O3", "SO3", "membrane")] == [1, 1, 2]


def test_a_scalar_drives_a_vector_in_the_ten_polar_classes_and_in_a_membrane_only():
    assert {c for c in SYMMETRIES if allowed("scalar", "polar vector", c)} == POLAR | {"membrane"}


def test_isotropic_media_couple_equal_kinds_only_and_chiral_ones_their_mirror_twins():
    for force in TENSORS:
        for flux in TENSORS:
            assert allowed(force, flux) == (force == flux)
            assert allowed(force, flux) == allowed(flux, force)
    assert allowed("scalar", "pseudoscalar", "chiral") and allowed("polar vector", "axial vector", "chiral")
    assert not allowed("scalar", "polar vector", "chiral")


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(NameUnknown, match="isotropic"):
        allowed("scalar", "scalar", "isotropc")
    with pytest.raises(NameUnknown, match="polar vector"):
        allowed("polar vectr", "scalar")
