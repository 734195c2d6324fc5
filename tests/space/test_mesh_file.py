"""Mesh files: physical names become regions and boundaries, in the unit of the file; what cannot be read is refused."""

import sys
from itertools import permutations, product

import numpy as np
import pytest

import steadyflux as sf

pytest.importorskip("meshio")

# Two squares of 1 mm side by side, as Gmsh writes them; point 7 is the centre of some arc and belongs to no element.
SQUARES = """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
4
1 10 "inlet"
1 11 "outlet"
2 20 "gel"
2 21 "water"
$EndPhysicalNames
$Nodes
7
1 0 0 0
2 1 0 0
3 2 0 0
4 0 1 0
5 1 1 0
6 2 1 0
7 9 9 0
$EndNodes
$Elements
7
1 1 2 10 1 4 1
2 1 2 11 2 3 6
3 1 2 12 3 2 5
4 2 2 20 1 1 2 5
5 2 2 20 1 1 5 4
6 2 2 21 2 2 3 6
7 2 2 21 2 2 6 5
$EndElements
"""


def test_a_plane_of_gmsh_with_its_names_in_millimeters(tmp_path):
    path = tmp_path / "squares.msh"
    path.write_text(SQUARES)
    space = sf.read_mesh(path, unit="mm", depth="2 mm")
    assert space.cells == 6
    np.testing.assert_allclose(space.volume.sum(), 2e-6 * 2e-3, rtol=1e-13)
    assert set(space.places) == {"inlet", "outlet", "boundary", "gel", "water"}  # the line inside is no boundary
    np.testing.assert_allclose(space.places["inlet"].area.sum(), 2e-6, rtol=1e-13)
    laws = [sf.Fick("c", 2.0, on="gel"), sf.Fick("c", 5.0, on="water")]
    holds = [sf.Hold("inlet", {"c": 1.0}), sf.Hold("outlet", {"c": 0.0})]
    found = sf.steady(sf.Model(space, [sf.Species("c")], laws, holds))
    np.testing.assert_allclose(found.flow("c", "inlet"), 2e-6 / (1e-3 / 2 + 1e-3 / 5), rtol=1e-12)
    split = sf.read_mesh(path, unit="mm", split="gel|water")
    assert split.cells == 8


def test_tetrahedra_without_names(tmp_path):
    import meshio

    corners = np.array(list(product((0.0, 1.0), repeat=3)))
    # Six tetrahedra about the diagonal: from the first corner to the last, one axis at a time.
    paths = [np.cumsum([0, *order]) for order in permutations((1, 2, 4))]
    meshio.write(tmp_path / "cube.vtu", meshio.Mesh(corners, [("tetra", paths)]))
    space = sf.read_mesh(tmp_path / "cube.vtu")
    np.testing.assert_allclose(space.volume, 1 / 8, rtol=1e-13)
    assert list(space.places) == ["boundary"]


def test_refusals(tmp_path, monkeypatch):
    with pytest.raises(sf.InputError, match="there is no mesh file"):
        sf.read_mesh(tmp_path / "none.msh")
    (tmp_path / "bad.msh").write_text("nothing")
    with pytest.raises(sf.InputError, match="cannot be read"):
        sf.read_mesh(tmp_path / "bad.msh")
    (tmp_path / "a.unknown").write_text("nothing")
    with pytest.raises(sf.InputError, match="cannot be read"):
        sf.read_mesh(tmp_path / "a.unknown")
    lines = SQUARES.split("$Elements")[0] + "$Elements\n1\n1 1 2 10 1 4 1\n$EndElements\n"
    (tmp_path / "lines.msh").write_text(lines)
    with pytest.raises(sf.InputError, match="no triangles or tetrahedra"):
        sf.read_mesh(tmp_path / "lines.msh")
    (tmp_path / "bent.msh").write_text(SQUARES.replace("6 2 1 0", "6 2 1 3"))
    with pytest.raises(sf.InputError, match="surface in space"):
        sf.read_mesh(tmp_path / "bent.msh")
    monkeypatch.setitem(sys.modules, "meshio", None)
    with pytest.raises(sf.InputError, match="needs meshio"):
        sf.read_mesh(tmp_path / "bad.msh")
