"""Maps of spaces in a plane: every kind of space draws, with labelled axes, and leaves out what is at infinity."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.report.figure import figure_of, write_figure

SIDES = {"left": 0.0, "right": 1.0}


def solved(space, holds):
    held = [sf.Hold(p, {"c": v}) for p, v in holds.items()]
    return sf.steady(sf.Model(space, [sf.Species("c")], [sf.Fick("c", 1e-9)], held))


@pytest.mark.parametrize(
    ("space", "holds", "labels"),
    [
        (sf.oblate(5e-6, 9, 5), {"disk": 0.0, "far": 1.0}, ("r (µm)", "z (µm)")),
        (
            sf.grid(x=sf.nodes(1.0, 5), y=sf.nodes(1.0, 7), periodic="y"),
            {"left": 0.0, "right": 1.0},
            ("x (m)", "y (m)"),
        ),
        (
            sf.grid(r=sf.nodes(2.0, 5), theta=sf.nodes(2 * np.pi, 9, unit=""), periodic="theta"),
            {"outer": 1.0},
            ("x (m)", "y (m)"),
        ),
        (sf.delaunay({"center": (0, 0), "radius": 1.0}, 0.3), {"boundary": 1.0}, ("x (m)", "y (m)")),
    ],
)
def test_a_map_of_each_kind_of_plane(space, holds, labels, tmp_path):
    figure = figure_of(solved(space, holds), "case")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == labels
    assert "concentration of c" in figure.axes[-1].get_ylabel()
    assert max(np.abs([*axes.get_xlim(), *axes.get_ylim()])) < 1e4
    write_figure(tmp_path / "map.png", figure)
    assert (tmp_path / "map.png").stat().st_size > 5000
