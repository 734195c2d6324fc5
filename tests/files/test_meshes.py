"""Grids and meshes in model files: what they describe, run as a user would, and what is refused at which key."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.files.spaces import make_space
from steadyflux.run import run

DISK = """\
[model]
name = "disk"

[space]
kind = "grid"
r = [
  { length = "5 um", count = 9, grading = "right", ratio = 8, name = "disk" },
  { length = "50 um", count = 12, grading = "left", ratio = 30 },
]
z = { length = "50 um", toward = { "0" = "0.3 um" }, growth = 1.5 }
boundaries = { disk = { side = "bottom", r = "disk" } }

[[quantity]]
kind = "species"
name = "c"

[[law]]
kind = "fick"
species = "c"
diffusivity = "1e-9 m^2/s"

[[boundary]]
place = "disk"
kind = "hold"
values = { c = 0.0 }

[[boundary]]
place = "outer"
kind = "hold"
values = { c = 1.0 }

[[answer]]
name = "flow"
kind = "flow"
quantity = "c"
through = "outer"
"""


def test_a_disk_on_a_grid_runs_from_a_file(tmp_path):
    (tmp_path / "disk.toml").write_text(DISK)
    done = run(str(tmp_path / "disk.toml"))
    flow = done.result["answers"]["flow"]["value"]
    assert 1.0 < flow / (4 * 1e-9 * 5e-6) < 1.3  # the outer wall stands at eleven radii
    paths = done.write(tmp_path / "out")
    assert all(path.stat().st_size > 100 for path in paths)


def test_a_form_of_one_coordinate_is_refused_where_there_are_several(tmp_path):
    form = '{ form = "linear", of = "position", value = 1e-9, slope = 1e-6 }'
    (tmp_path / "disk.toml").write_text(DISK.replace('"1e-9 m^2/s"', form))
    with pytest.raises(sf.InputError, match="depends on one coordinate"):
        run(str(tmp_path / "disk.toml"))


def test_grids_with_regions_and_meshes_of_shapes():
    table = {
        "kind": "grid",
        "x": {"length": "2 mm", "count": 5},
        "y": [0.0, 0.001, 0.003],
        "depth": "1 cm",
        "regions": {"gel": {"x": ["0 mm", "1 mm"]}, "ball": {"center": [0.0015, 0.0005], "radius": "0.5 mm"}},
        "split": ["gel|rest"],
        "names": {"x": ["in", "out"]},
    }
    space = make_space(table, ("space",))
    np.testing.assert_allclose(space.volume.sum(), 2e-3 * 3e-3 * 1e-2, rtol=1e-12)
    assert {"in", "out", "gel", "ball", "rest"} <= set(space.places) and "gel|rest" in space.edges
    mesh = make_space(
        {
            "kind": "delaunay",
            "shape": {"x": [0.0, "1 cm"], "y": [0.0, "1 cm"]},
            "spacing": "2 mm",
            "holes": [{"center": ["5 mm", "5 mm"], "radius": "2 mm"}],
            "boundaries": {"left": {"x": [0.0, 0.0]}, "pipe": {"center": ["5 mm", "5 mm"], "radius": "2.1 mm"}},
        },
        ("space",),
    )
    np.testing.assert_allclose(mesh.places["left"].area.sum(), 0.01, rtol=1e-12)
    assert {"left", "pipe", "boundary"} == set(mesh.places)


SQUARE = {"kind": "delaunay", "shape": {"x": [0, 1], "y": [0, 1]}, "spacing": 0.5}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"kind": "grid", "x": 3.0, "y": [0.0, 1.0]}, "no row of nodes"),
        ({"kind": "grid", "x": [{"length": 1.0, "cuont": 3}], "y": [0.0, 1.0]}, "count"),
        ({"kind": "grid", "x": {"length": 1.0, "count": 3000}, "y": {"length": 1.0, "count": 3000}}, "9,000,000 cells"),
        ({"kind": "grid", "x": [0.0, 1.0], "y": [0.0, 1.0], "boundaries": {"a": {"x": [0, 1]}}}, "names no side"),
        ({"kind": "grid", "x": [0.0, 1.0], "w": [0.0, 1.0]}, "key"),
        ({"kind": "mesh", "file": "nowhere.msh"}, "no mesh file|meshio"),
        (SQUARE | {"regions": {"a": {"q": 1}}}, "axis"),
        (
            {"kind": "delaunay", "shape": {"x": [0, 1], "y": [0, 1]}, "spacing": 0.5, "regions": {"a": {"x": 1}}},
            "limits",
        ),
    ],
)
def test_refusals(table, sentence):
    with pytest.raises(sf.SteadyfluxError, match=sentence):
        make_space(table, ("space",))
