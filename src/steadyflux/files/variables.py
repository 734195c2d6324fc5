"""The variables of a NetCDF file: named once each, with units, and positions as one variable for each axis."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from steadyflux.ground.files import atomic_path
from steadyflux.space.space import Space, columns


class Variables:
    """What goes into a data set, by name: (dimensions, values, attributes)."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.found: dict[str, Any] = {}

    @property
    def length(self) -> str:
        """Unit of the space's coordinates; none in a network or on an abstract axis."""
        return "" if self.space.kind in ("network", "axis") else "m"

    def add(self, name: str, dimensions: tuple[str, ...], values: Any, unit: str, meaning: str) -> None:
        """Add one variable. A quantity may be called as one of ours: then ours gets an underscore."""
        name = name.replace("/", "_")
        while name in self.found:
            name += "_"
        self.found[name] = (dimensions, np.asarray(values), {"long_name": meaning} | ({"units": unit} if unit else {}))

    def add_positions(self, name: str, dimensions: tuple[str, ...], positions: Any, meaning: str, of: str = "") -> None:
        """Add one coordinate along a line; in several dimensions one variable for each axis."""
        if np.ndim(positions) == len(dimensions):
            self.add(f"{name}_position{of}", dimensions, positions, self.length, meaning)
            return
        for axis, values in zip(self.space.axes, columns(positions), strict=True):
            unit = "rad" if axis == "theta" else self.length
            self.add(f"{name}_{axis}{of}", dimensions, values, unit, f"{axis}, {meaning}")

    def add_cells(self) -> None:
        """Add what a space at rest says of its cells: positions, measures and, where there are, names."""
        self.add_positions("cell", ("cell",), self.space.position, "coordinate of the cell")
        unit = "m^3" if self.length or self.space.kind == "network" else ""
        self.add("cell_volume", ("cell",), self.space.volume, unit, "measure of the cell")
        self.add_labels()

    def add_labels(self) -> None:
        """Add the names of the cells, where there are any."""
        if self.space.labels is not None:
            self.add("label", ("cell",), np.array(self.space.labels, dtype=object), "", "name of the cell")


def write_dataset(path: str | os.PathLike[str], whole: Any) -> None:
    """Write a data set as NetCDF-4. Raises `InputError` where the file cannot be written."""
    with atomic_path(path) as temporary:
        whole.to_netcdf(temporary, engine="h5netcdf")
