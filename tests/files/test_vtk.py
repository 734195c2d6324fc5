"""VTK files and NetCDF in several dimensions: read back, with units, fluxes and parameters inside."""

import json

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.files.results import dataset, result_object
from steadyflux.files.vtk import cell_fluxes, write_vtk


def solved(space, holds):
    held = [sf.Hold(p, {"c": v}) for p, v in holds.items()]
    return sf.steady(sf.Model(space, [sf.Species("c")], [sf.Fick("c", 2.0)], held))


def parted(**more):
    return dict(boundaries={"left": lambda x, *_: x < 1e-9, "right": lambda x, *_: x > 1 - 1e-9}, **more)


@pytest.mark.parametrize(
    ("space", "kind", "measure"),
    [
        (sf.grid(x=sf.nodes(1.0, 4), y=sf.nodes(2.0, 5), z=sf.nodes(1.0, 3)), "tetra", 2.0),
        (sf.grid(x=sf.nodes(1.0, 4), y=sf.nodes(2.0, 5), regions={"a": {"x": (0, 0.5)}}), "triangle", 2.0),
        (sf.delaunay({"x": (0, 1), "y": (0, 2)}, 0.4, **parted()), "triangle", 2.0),
    ],
)
def test_fields_come_back_from_the_file(space, kind, measure, tmp_path):
    meshio = pytest.importorskip("meshio")
    found = solved(space, {"left": 1.0, "right": 3.0})
    path = tmp_path / "fields.vtu"
    write_vtk(path, found, {"system": "case <1>", "parameters": {"D": {"value": 2.0, "unit": "m^2/s"}}})
    text = path.read_text()
    assert 'Name="c"' in text and 'Unit="mol/m^3"' in text
    read = meshio.read(path)
    np.testing.assert_array_equal(read.point_data["c"], found["c"])
    np.testing.assert_allclose(read.point_data["cell_volume"].sum(), measure, rtol=1e-12)
    np.testing.assert_allclose(read.point_data["c_flux"], np.broadcast_to([-4.0, 0, 0], (space.cells, 3)), atol=1e-11)
    corners = read.points[read.cells_dict[kind]][..., : len(space.axes)]
    size = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).sum() / (6 if kind == "tetra" else 2)
    np.testing.assert_allclose(size, measure, rtol=1e-12)
    assert bytes(read.field_data["system"].astype("u1")).decode() == "case <1>"
    parameters = json.loads(bytes(read.field_data["parameters"].astype("u1")))
    assert parameters["D"]["unit"] == "m^2/s"


def test_radial_fluxes_of_a_polar_grid_turn_with_the_angle():
    space = sf.grid(r=sf.nodes(1.0, 5, start=1.0), theta=sf.nodes(2 * np.pi, 9, unit=""), periodic="theta")
    found = solved(space, {"inner": 1.0, "outer": 0.0})
    flux = cell_fluxes(space, np.asarray(found.along("c")))
    np.testing.assert_allclose(flux[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(flux[:, 0] * space.position[:, 0], 2.0 / np.log(2.0), rtol=0.2)


def test_lines_and_disks_can_be_written_and_networks_not(tmp_path):
    write_vtk(tmp_path / "line.vtu", solved(sf.interval(1.0, 5), {"left": 1.0, "right": 0.0}))
    write_vtk(tmp_path / "disk.vtu", solved(sf.oblate(1.0, 5, 4), {"disk": 1.0, "far": 0.0}))
    assert "inf" not in (tmp_path / "disk.vtu").read_text().split("<Points>")[0]
    network = sf.network({"a": 1.0, "b": 1.0}, {"link": [("a", "b")]})
    model = sf.Model(network, [sf.Species("c")], [sf.Transfer("c", 1.0, on="link")], [sf.Hold("a", {"c": 1.0})])
    with pytest.raises(sf.InputError, match="network"):
        write_vtk(tmp_path / "net.vtu", sf.steady(model))


def test_netcdf_has_one_coordinate_for_each_axis():
    found = solved(sf.grid(r=sf.nodes(1.0, 4), z=sf.nodes(2.0, 5)), {"bottom": 1.0, "top": 0.0})
    data = dataset(result_object("case", {}, {}, found), found)
    np.testing.assert_array_equal(data["cell_z"], found.model.space.position[:, 1])
    assert data["cell_r"].attrs["units"] == "m" and data["cell_volume"].attrs["units"] == "m^3"
    assert data["edge_r_interior"].dims == ("edge_interior",)
    assert data.attrs["axes"] == "r z" and list(data.attrs["shape"]) == [4, 5]
    mesh = solved(sf.delaunay({"x": (0, 1), "y": (0, 1)}, 0.5, **parted()), {"left": 1.0, "right": 0.0})
    data = dataset(result_object("case", {}, {}, mesh), mesh)
    assert data["element"].dims == ("element", "corner") and data["element"].shape[1] == 3
    line = solved(sf.interval(1.0, 5), {"left": 1.0, "right": 0.0})
    assert "cell_position" in dataset(result_object("case", {}, {}, line), line)
