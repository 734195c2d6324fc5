"""Tensor-product grids into cells, edges and places: regions, holes, interfaces that split, pieces of boundary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.space.metric import Halves, Metric
from steadyflux.space.rows import Row
from steadyflux.space.space import INTERIOR, Edges, Place, Space, path_start

VOID = -1
OUTSIDE = -2
HOLE = "hole"
_TINY = 1e-300  # area of a centre or an axis: none, yet a valid place


class Plan(NamedTuple):
    """What a grid is made of, before any cell is numbered."""

    axes: tuple[str, ...]
    """Names of the coordinates that rows and rules are given in."""
    rows: tuple[Row, ...]
    metric: Metric
    sides: tuple[tuple[str, str], ...]
    """Names of the boundaries at the low and the high end of each axis."""
    periodic: tuple[bool, ...]
    regions: Mapping[str, Any]
    rest: str | None
    """Name of the region that no rule covers; None leaves it empty."""
    boundaries: Mapping[str, tuple[str, Any]]
    split: tuple[str, ...]
    film: tuple[str, ...]
    place: Callable[..., tuple[Any, ...]] | None
    """Positions of points from their coordinates; None: the coordinates themselves."""
    coordinate: str
    """Names of the axes of positions."""
    far: str | None = None
    """Name of a boundary at infinity, whose cells' volumes mean nothing."""


class _Cells(NamedTuple):
    """Which cell each point of the grid is, seen from each region."""

    point: np.ndarray
    """Number of the point at each node, (node, node, ...): fewer than nodes where some coincide."""
    bits: np.ndarray
    """For each point the number of its row in ``member``."""
    member: np.ndarray
    """(combination of regions, region): which of a point's cells a region sees; -1 where it is absent."""
    offset: np.ndarray
    """First cell of each point."""
    count: int

    def of(self, point: np.ndarray, region: Any) -> np.ndarray:
        """Cells at points, seen from a region."""
        return self.offset[point] + self.member[self.bits[point], region]


def build(plan: Plan) -> Space:
    """The space of a plan."""
    return _Grid(plan).space()


class _Grid:
    """The work of `build`, step by step; nothing of it outlives the space that is made."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dimensions = len(plan.rows)
        self.nodes = tuple(row.nodes for row in plan.rows)
        self.halves = Halves(self.nodes, plan.metric.faces(self.nodes))
        self.steps = tuple(len(row) - 1 for row in plan.rows)
        self.points = tuple(n + (0 if p else 1) for n, p in zip(self.steps, plan.periodic, strict=True))
        self.xp = array_module(*self.nodes, plan.metric.extent)
        self.names, self.region = self._regions()
        self.cells = self._number()

    # ---- regions and cells ------------------------------------------------------------------------------------------

    def _regions(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Names of the regions and the number of the region that each box lies in."""
        plan = self.plan
        region = np.full(self.steps, VOID)
        if not plan.regions:
            return (INTERIOR,), np.zeros(self.steps, dtype=int)
        names = list(plan.regions)
        for number, (name, rule) in enumerate(plan.regions.items()):
            inside = self._inside(rule, self._centres(), self.steps, f"region '{name}'", [0] * self.dimensions)
            region[(region == VOID) & inside] = number
            if not np.any(region == number):
                raise ModelError(f"The region '{name}' holds no box of the grid; check its rule or refine the grid.")
        if plan.rest is not None and np.any(region == VOID):
            if plan.rest in names:
                raise ModelError(f"A region is called '{plan.rest}' already; name the rest otherwise (rest=...).")
            names.append(plan.rest)
            region[region == VOID] = len(names) - 1
        if len(names) > 62:
            raise ModelError(f"A grid takes at most 62 regions, not {len(names)}.")
        return tuple(names), region

    def _centres(self) -> tuple[Any, ...]:
        """Coordinates of the middles of all boxes, one array for each axis."""
        return self._mesh([0.5 * (x[1:] + x[:-1]) for x in self.nodes])

    def _mesh(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(self.xp.meshgrid(*rows, indexing="ij"))

    def _placed(self, coordinates: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(coordinates) if self.plan.place is None else tuple(self.plan.place(*coordinates))

    def _inside(
        self, rule: Any, coordinates: Sequence[Any], shape: tuple[int, ...], what: str, first: Sequence[int]
    ) -> np.ndarray:
        """Whether a rule holds at points; ``first`` is the number of the first step along each axis."""
        if isinstance(rule, Mapping):
            return self._inside_shape(rule, coordinates, shape, what, first)
        if not callable(rule):
            raise ModelError(
                f"The rule of the {what} is neither a function of the position nor a table such as "
                "{'x': ('1 mm', '2 mm')} or {'center': (0, 0), 'radius': '1 mm'}."
            )
        self._concrete(coordinates, what)
        found = np.asarray(rule(*(np.asarray(c) for c in self._placed(coordinates))))
        if found.dtype != bool:
            raise ModelError(f"The rule of the {what} gives {found.dtype}, not true or false.")
        return np.broadcast_to(found, shape)

    def _concrete(self, coordinates: Sequence[Any], what: str) -> None:
        if is_traced(*coordinates):
            raise ModelError(
                f"The {what} is chosen by coordinates that are being differentiated; name a stretch of the row instead "
                "(sf.nodes(..., name='disk'), then {'r': 'disk'})."
            )

    def _inside_shape(
        self, rule: Mapping[str, Any], coordinates: Sequence[Any], shape: tuple[int, ...], what: str, first: Any
    ) -> np.ndarray:
        if "radius" in rule:
            self._concrete(coordinates, what)
            placed = self._placed(coordinates)
            middle = si(rule.get("center", [0.0] * len(placed)), "m", f"center of the {what}")
            if np.shape(middle) != (len(placed),):
                raise ModelError(f"The center of the {what} needs {len(placed)} coordinates.")
            square = sum((np.asarray(c) - m) ** 2 for c, m in zip(placed, middle, strict=True))
            return square <= si(rule["radius"], "m", f"radius of the {what}") ** 2
        inside = np.ones(shape, dtype=bool)
        for axis, wanted in rule.items():
            if axis not in self.plan.axes:
                raise NameUnknown(f"axis in the rule of the {what}", axis, self.plan.axes)
            k = self.plan.axes.index(axis)
            if isinstance(wanted, str):
                if wanted not in self.plan.rows[k].stretches:
                    raise NameUnknown(f"stretch of the row {axis}", wanted, self.plan.rows[k].stretches)
                low, high = self.plan.rows[k].stretches[wanted]
                number = np.indices(shape)[k] + first[k]
                inside &= (number >= low) & (number < high)
                continue
            if np.ndim(wanted) != 1 or len(wanted) != 2:
                raise ModelError(f"The {what} needs for {axis} two limits, such as {{'{axis}': ('1 mm', '2 mm')}}.")
            self._concrete(coordinates, what)
            unit = "" if axis == "theta" else "m"
            low, high = (si(one, unit, f"limit of the {what} along {axis}") for one in wanted)
            inside &= (np.asarray(coordinates[k]) >= low) & (np.asarray(coordinates[k]) <= high)
        return inside

    def _number(self) -> _Cells:
        point = self._coinciding(np.arange(int(np.prod(self.points))).reshape(self.points))
        present = np.zeros(int(point.max()) + 1, dtype=np.int64)
        bit = np.where(self.region == VOID, 0, np.int64(1) << np.maximum(self.region, 0))
        for corner in product((0, 1), repeat=self.dimensions):
            np.bitwise_or.at(present, point[self._at_corner(corner)], bit)
        combinations, bits = np.unique(present, return_inverse=True)
        separate = self._separate()
        member = np.full((len(combinations), len(self.names)), -1)
        for row, combination in enumerate(combinations):
            here = [r for r in range(len(self.names)) if combination >> r & 1]
            member[row, here] = _parts(here, separate)
        sizes = (member.max(axis=1) + 1)[bits]
        offset = np.concatenate([[0], np.cumsum(sizes)])
        return _Cells(point, bits, member, offset[:-1], int(offset[-1]))

    def _at_corner(self, corner: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Index of the node at one corner of each box."""
        return tuple(np.ix_(*[(np.arange(n) + c) % m for n, c, m in zip(self.steps, corner, self.points, strict=True)]))

    def _separate(self) -> set[frozenset[int]]:
        pairs = set()
        for name in (*self.plan.split, *self.plan.film):
            pairs.add(frozenset(self._pair(name)))
        if len(pairs) != len(self.plan.split) + len(self.plan.film):
            raise ModelError("An interface is named twice in split and film; name it once.")
        return pairs

    def _pair(self, name: str) -> tuple[int, int]:
        one, bar, other = name.partition("|")
        if not bar or not self.plan.regions:
            raise ModelError(f"'{name}' names no interface; write 'one|other' with the names of two regions.")
        for region in (one, other):
            if region not in self.names:
                raise NameUnknown("region", region, self.names)
        return self.names.index(one), self.names.index(other)

    def _coinciding(self, point: np.ndarray) -> np.ndarray:
        """One number for nodes that are one point in space: where steps along an axis have no length."""
        if is_traced(*self.nodes):
            return point
        links: list[tuple[np.ndarray, np.ndarray]] = []
        for axis in range(self.dimensions):
            length = np.asarray(self.plan.metric.lengths(self.halves, axis))
            zero = length <= 1e-12 * length.max()
            if zero.any():
                tail, head = self._ends(axis, length.shape)
                links.append((point.reshape(-1)[tail[zero]], point.reshape(-1)[head[zero]]))
        if not links:
            return point
        from scipy.sparse import coo_array  # takes as long as JAX, and few grids need it
        from scipy.sparse.csgraph import connected_components

        tails, heads = (np.concatenate(ends) for ends in zip(*links, strict=True))
        graph = coo_array((np.ones(len(tails)), (tails, heads)), shape=(point.size, point.size))
        labels = connected_components(graph, directed=False)[1]
        _, first = np.unique(labels, return_index=True)
        order = np.argsort(np.argsort(first))
        return order[labels].reshape(point.shape)

    def _ends(self, axis: int, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Flat numbers of the nodes at both ends of the steps of an axis, for an array of the steps' shape."""
        index = list(np.indices(shape))
        index = [i % m for i, m in zip(index, self.points, strict=True)]
        tail = np.ravel_multi_index(index, self.points)
        index[axis] = (index[axis] + 1) % self.points[axis]
        return tail, np.ravel_multi_index(index, self.points)

    # ---- from half boxes to nodes -----------------------------------------------------------------------------------

    def _to_nodes(self, values: Any, axis: int) -> Any:
        """Sum the half steps of an axis at its nodes."""
        xp = array_module(values)
        values = xp.moveaxis(values, axis, 0)
        low, high = values[0::2], values[1::2]  # just above a node, just below the next
        if self.plan.periodic[axis]:
            total = low + xp.roll(high, 1, axis=0)
        else:
            none = xp.zeros_like(low[:1])
            total = xp.concatenate([low, none]) + xp.concatenate([none, high])
        return xp.moveaxis(total, 0, axis)

    def _in_region(self, number: int, across: Sequence[int]) -> np.ndarray:
        """Whether each box lies in a region, each step of the axes ``across`` cut into its halves."""
        inside = self.region == number
        for axis in across:
            inside = np.repeat(inside, 2, axis=axis)
        return inside

    # ---- the space --------------------------------------------------------------------------------------------------

    def space(self) -> Space:
        plan, cells = self.plan, self.cells
        volume, shares = self._volumes()
        edges = self._edges()
        walls = self._walls()
        places = self._boundary_places(walls)
        for name, (members, part) in shares.items():
            places[name] = Place(members, np.ones(len(members)), "region", part / volume[members])
        position = self._positions()
        volume, position = self._interfaces(walls, edges, places, volume, position)
        whole = cells.count == int(np.prod(self.points)) == int(np.shape(volume)[0])
        if plan.far is not None:
            volume = _finite(volume, places[plan.far].cells, edges[INTERIOR])
        return Space(
            volume=volume,
            position=position,
            edges=edges,
            places=places,
            kind="grid",
            coordinate=plan.coordinate,
            shape=self.points if whole else None,
        )

    def _volumes(self) -> tuple[Any, dict[str, tuple[np.ndarray, Any]]]:
        """Volume of each cell and, for each region, its cells with their volume in it."""
        halves = self.plan.metric.volumes(self.halves)
        total: Any = 0.0
        shares: dict[str, tuple[np.ndarray, Any]] = {}
        for number, name in enumerate(self.names):
            part = halves * self._in_region(number, range(self.dimensions))
            for axis in range(self.dimensions):
                part = self._to_nodes(part, axis)
            present = np.flatnonzero(self.cells.member[self.cells.bits[self.cells.point.reshape(-1)], number] >= 0)
            cell = self.cells.of(self.cells.point.reshape(-1)[present], number)
            here = sum_by(cell, part.reshape(-1)[present], self.cells.count)
            total = total + here
            if self.plan.regions:
                members = np.unique(cell)
                shares[name] = (members, here[members])
        return total, shares

    def _positions(self) -> Any:
        """Position of each cell, (cell, axis)."""
        rows = [x[:m] for x, m in zip(self.nodes, self.points, strict=True)]
        placed = [c.reshape(-1) for c in self._placed(self._mesh(rows))]
        point = self.cells.point.reshape(-1)
        first = np.unique(point, return_index=True)[1]
        counts = np.diff(np.append(self.cells.offset, self.cells.count))
        chosen = first[np.repeat(np.arange(len(counts)), counts)]
        return self.xp.stack([c[chosen] for c in placed], axis=1)

    # ---- edges ------------------------------------------------------------------------------------------------------

    def _edges(self) -> dict[str, Edges]:
        parts: dict[int, list[_Links]] = {number: [] for number in range(len(self.names))}
        for axis in range(self.dimensions):
            across = [k for k in range(self.dimensions) if k != axis]
            halves = self.plan.metric.conductors(self.halves, axis)
            length = self._narrowed(self.plan.metric.lengths(self.halves, axis), across)
            for number in range(len(self.names)):
                inside = self._in_region(number, across)
                conductor, present = halves * inside, inside
                for k in across:
                    conductor, present = self._to_nodes(conductor, k), self._to_nodes(present.astype(int), k)
                parts[number].append(self._links(axis, number, conductor, length, present > 0))
        sets = {name: self._merged(parts[number]) for number, name in enumerate(self.names)}
        if not self.plan.regions:
            return sets
        return {INTERIOR: self._merged([link for links in parts.values() for link in links]), **sets}

    def _narrowed(self, values: Any, across: Sequence[int]) -> Any:
        """Values at all nodes of the axes ``across`` without the last of periodic ones, which is the first again."""
        for k in across:
            if self.plan.periodic[k]:
                values = self.xp.moveaxis(self.xp.moveaxis(values, k, 0)[:-1], 0, k)
        return values

    def _links(self, axis: int, number: int, conductor: Any, length: Any, present: np.ndarray) -> _Links:
        """The links along one axis in one region."""
        tail, head = self._ends(axis, present.shape)
        point = self.cells.point.reshape(-1)
        present = present & (point[tail] != point[head])
        index = np.nonzero(present)
        low, high = self._faces_in(axis, number, index)
        x = [self.nodes[k][i] for k, i in enumerate(index)]
        after = self.nodes[axis][index[axis] + 1]
        before = list(x)
        x[axis] = 0.5 * (before[axis] + after)
        ahead = list(before)
        ahead[axis] = after
        return _Links(
            tail=self.cells.of(point[tail[present]], number),
            head=self.cells.of(point[head[present]], number),
            conductor=conductor[index],
            length=length[index],
            position=self.xp.stack(self._placed(x), axis=1),
            direction=self._direction(axis, x, before, ahead),
            corners=None if low is None or high is None else self._corners(axis, index, low, high),
        )

    def _direction(self, axis: int, middle: Sequence[Any], before: Sequence[Any], ahead: Sequence[Any]) -> Any:
        """Unit vector along each link; in coordinates that are placed elsewhere, the tangent at its middle."""
        if self.plan.place is None:
            unit = np.zeros((int(np.shape(middle[0])[0]), self.dimensions))
            unit[:, axis] = 1.0
            return unit
        small = [1e-4 * (a - b) for a, b in zip(ahead, before, strict=True)]
        there = self._placed([m + s for m, s in zip(middle, small, strict=True)])
        here = self._placed([m - s for m, s in zip(middle, small, strict=True)])
        way = self.xp.stack([a - b for a, b in zip(there, here, strict=True)], axis=1)
        size = self.xp.sqrt((way**2).sum(axis=1, keepdims=True))
        return way / self.xp.where(size > 0, size, 1.0)

    def _faces_in(self, axis: int, number: int, index: Sequence[np.ndarray]) -> tuple[Any, Any]:
        """In two dimensions the ends of each link's face, across its axis, as far as they lie in the region."""
        if self.dimensions != 2:
            return None, None
        k = 1 - axis
        x, f, n = self.nodes[k], self.halves.faces[k], self.steps[k]
        inside = np.moveaxis(self.region == number, k, 1)[index[axis]]
        j = index[k]
        below, above = j - 1, j
        around = self.plan.periodic[k]
        row = np.arange(len(j))
        has_below = inside[row, below % n] & (around | (below >= 0))
        has_above = inside[row, above % n] & (around | (above < n))
        period = x[-1] - x[0]
        before = self.xp.where(below >= 0, f[below % n], f[below % n] - period)
        low = self.xp.where(has_below, before, x[j])
        return low, self.xp.where(has_above, f[above % n], x[j])

    def _corners(self, axis: int, index: Sequence[np.ndarray], low: Any, high: Any) -> Any:
        """Both ends of each link's face, first the right one, then the left one: (link, 2, axis)."""
        k = 1 - axis
        face = self.halves.faces[axis][index[axis]]
        ends = []
        for across in (low, high):
            x: list[Any] = [None, None]
            x[axis], x[k] = face, across
            ends.append(self.xp.stack(self._placed(x), axis=1))
        # Seen along x, what lies lower in y is to the right; seen along y, what lies lower in x is to the left.
        return self.xp.stack(ends if axis == 0 else ends[::-1], axis=1)

    def _merged(self, links: Sequence[_Links]) -> Edges:
        """One edge set of several groups of links; parallel parts of one link between the same cells are added up."""
        xp = self.xp
        tail, head = (np.concatenate([np.asarray(getattr(one, end)) for one in links]) for end in ("tail", "head"))
        group = np.concatenate([np.full(len(one.tail), i % self.dimensions) for i, one in enumerate(links)])
        if not len(tail):
            raise ModelError("A region of this grid has no edge; it is one box wide where it meets itself.")
        conductor, length = (xp.concatenate([getattr(one, name) for one in links]) for name in ("conductor", "length"))
        position = xp.concatenate([one.position for one in links])
        direction = xp.concatenate([one.direction for one in links])
        corners = None if links[0].corners is None else xp.concatenate([one.corners for one in links])
        key = (group.astype(np.int64) * self.cells.count + tail) * self.cells.count + head
        unique, first, member = np.unique(key, return_index=True, return_inverse=True)
        if len(unique) < len(key):
            conductor = sum_by(member, conductor, len(unique))
            if corners is not None:
                corners = _joined_corners(corners, first, member, xp)
            tail, head, length = tail[first], head[first], length[first]
            position, direction = position[first], direction[first]
        return Edges(
            tail=tail,
            head=head,
            area=conductor * length,
            length=length,
            position=position,
            first=path_start(tail, head),
            corners=corners,
            direction=direction,
        )

    # ---- boundaries and interfaces ----------------------------------------------------------------------------------

    def _walls(self) -> list[_Wall]:
        """Half faces where two boxes of different regions meet, or a box and the outside, on every axis."""
        found: list[_Wall] = []
        for axis in range(self.dimensions):
            area = self.plan.metric.areas(self.halves, axis)
            below, above = self._beside(axis)
            index = np.nonzero(below != above)
            if not len(index[0]):
                continue
            first, second = below[index], above[index]
            for halves in product((0, 1), repeat=self.dimensions - 1):
                half, node, centre = list(index), list(index), list(index)
                for k, side in zip([k for k in range(self.dimensions) if k != axis], halves, strict=True):
                    half[k] = 2 * index[k] + side
                    node[k] = (index[k] + side) % self.points[k]
                node[axis] = index[axis] % self.points[axis]
                point = self.cells.point[tuple(node)]
                found.append(_Wall(axis, point, area[tuple(half)], first, second, tuple(centre)))
        return found

    def _beside(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Regions of the boxes below and above each plane of nodes of an axis."""
        region = np.moveaxis(self.region, axis, 0)
        if self.plan.periodic[axis]:
            below, above = np.roll(region, 1, axis=0), region
        else:
            outside = np.full_like(region[:1], OUTSIDE)
            below, above = np.concatenate([outside, region]), np.concatenate([region, outside])
        return np.moveaxis(below, 0, axis), np.moveaxis(above, 0, axis)

    def _boundary_places(self, walls: Sequence[_Wall]) -> dict[str, Place]:
        """Each side, each hole and each named piece with its cells and exact areas."""
        plan = self.plan
        known = [name for pair, around in zip(plan.sides, plan.periodic, strict=True) if not around for name in pair]
        for name, (side, _) in plan.boundaries.items():
            if side not in (*known, HOLE):
                raise NameUnknown("side of the grid", side, [*known, HOLE])
            if name in known or name == HOLE or name in self.names:
                raise ModelError(f"A piece of the boundary needs a name of its own; '{name}' is taken.")
        found: dict[str, list[tuple[np.ndarray, Any]]] = {name: [] for name in (*plan.boundaries, *known, HOLE)}
        for wall in walls:
            for inner, outer, end in ((wall.above, wall.below, 0), (wall.below, wall.above, 1)):
                for side, code in ((plan.sides[wall.axis][end], OUTSIDE), (HOLE, VOID)):
                    here = (inner >= 0) & (outer == code)
                    if here.any():
                        self._sort_wall(wall, here, inner, side, found)
        places: dict[str, Place] = {}
        for name, parts in found.items():
            if not parts:
                if name in plan.boundaries:
                    side = plan.boundaries[name][0]
                    raise ModelError(f"The piece '{name}' of the boundary '{side}' holds no face; check its rule.")
                continue
            cells = np.concatenate([cell for cell, _ in parts])
            members, inverse = np.unique(cells, return_inverse=True)
            area = sum_by(inverse, self.xp.concatenate([a for _, a in parts]), len(members))
            places[name] = Place(members, self.xp.maximum(area, _TINY))
        return places

    def _sort_wall(self, wall: _Wall, here: np.ndarray, inner: np.ndarray, side: str, found: dict[str, Any]) -> None:
        """Share the faces of one side among its pieces; what no piece claims stays with the side."""
        cell = self.cells.of(wall.point[here], inner[here])
        area = wall.area[here]
        left = np.ones(len(cell), dtype=bool)
        for name, (whose, rule) in self.plan.boundaries.items():
            if whose != side:
                continue
            steps = [i[here] for i in wall.index]
            centre = [
                self.nodes[k][i] if k == wall.axis else 0.5 * (self.nodes[k][i] + self.nodes[k][i + 1])
                for k, i in enumerate(steps)
            ]
            claimed = left & self._on_wall(rule, centre, steps, f"boundary '{name}'")
            if claimed.any():
                found[name].append((cell[claimed], area[claimed]))
            left &= ~claimed
        if left.any():
            found[side].append((cell[left], area[left]))

    def _on_wall(self, rule: Any, centre: Sequence[Any], steps: Sequence[np.ndarray], what: str) -> np.ndarray:
        """A rule at the middles of faces: a function, a ball, or stretches and limits along single axes."""
        shape = np.shape(steps[0])
        if not isinstance(rule, Mapping) or "radius" in rule:
            return self._inside(rule, centre, shape, what, [0] * self.dimensions)
        inside = np.ones(shape, dtype=bool)
        for axis, wanted in rule.items():
            if axis in self.plan.axes and isinstance(wanted, str):
                k = self.plan.axes.index(axis)
                if wanted not in self.plan.rows[k].stretches:
                    raise NameUnknown(f"stretch of the row {axis}", wanted, self.plan.rows[k].stretches)
                low, high = self.plan.rows[k].stretches[wanted]
                inside &= (steps[k] >= low) & (steps[k] < high)
            else:
                inside &= self._inside({axis: wanted}, centre, shape, what, [0] * self.dimensions)
        return inside

    def _interfaces(
        self, walls: Sequence[_Wall], edges: dict[str, Edges], places: dict[str, Place], volume: Any, position: Any
    ) -> tuple[Any, Any]:
        """Edge sets across interfaces that split; for films also their cells. Returns volumes and positions."""
        xp = self.xp
        for name in (*self.plan.split, *self.plan.film):
            one, other = self._pair(name)
            tail, head, area, normal = self._across(walls, one, other, name)
            count = len(tail)
            if name in self.plan.split:
                edges[name] = Edges(tail, head, area, np.ones(count), position[tail], direction=normal)
                continue
            cells = np.arange(count) + int(np.shape(volume)[0])
            for region, first, second in ((one, tail, cells), (other, cells, head)):
                half = Edges(first, second, area, np.ones(count), position[tail], direction=normal)
                edges[f"{name}.{self.names[region]}"] = half
            places[name] = Place(cells, np.ones(count), "region")
            volume = xp.concatenate([volume, area])
            position = xp.concatenate([position, position[tail]])
        return volume, position

    def _across(self, walls: Sequence[_Wall], one: int, other: int, name: str) -> tuple[Any, Any, Any, Any]:
        tails, heads, areas, normals = [], [], [], []
        for wall in walls:
            for first, second, sign in ((wall.below, wall.above, 1.0), (wall.above, wall.below, -1.0)):
                here = (first == one) & (second == other)
                tails.append(self.cells.of(wall.point[here], one))
                heads.append(self.cells.of(wall.point[here], other))
                areas.append(wall.area[here])
                unit = np.zeros((int(here.sum()), self.dimensions))
                unit[:, wall.axis] = sign
                normals.append(unit)
        tail, head, normal = np.concatenate(tails), np.concatenate(heads), np.concatenate(normals)
        area = self.xp.concatenate(areas)
        if not len(tail):
            raise ModelError(f"The regions of '{name}' do not touch, so there is no interface to split.")
        apart = tail != head
        pairs, inverse = np.unique(np.stack([tail[apart], head[apart]]), axis=1, return_inverse=True)
        inverse = inverse.reshape(-1)
        whole = sum_by(inverse, area[apart], pairs.shape[1])
        way = np.stack([np.bincount(inverse, n, pairs.shape[1]) for n in normal[apart].T], axis=1)
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), _TINY)
        return pairs[0], pairs[1], whole, way


class _Links(NamedTuple):
    """Links along one axis in one region."""

    tail: np.ndarray
    head: np.ndarray
    conductor: Any
    length: Any
    position: Any
    direction: Any
    corners: Any


class _Wall(NamedTuple):
    """Half faces across one axis between boxes of different regions; ``index`` counts steps, and nodes on the axis."""

    axis: int
    point: np.ndarray
    area: Any
    below: np.ndarray
    above: np.ndarray
    index: tuple[np.ndarray, ...]


def sum_by(member: np.ndarray, values: Any, count: int) -> Any:
    """Sum of the values of each of ``count`` groups."""
    if is_traced(values):
        import jax.numpy as jnp

        return jnp.zeros(count).at[member].add(values)
    return np.bincount(member, np.asarray(values), count)


def _parts(members: Sequence[int], separate: set[frozenset[int]]) -> np.ndarray:
    """Number the groups of regions that hang together at a point; regions in ``separate`` pairs do not touch."""
    group = {r: r for r in members}
    for one in members:
        for other in members:
            if one < other and frozenset((one, other)) not in separate:
                old, new = group[other], group[one]
                group = {r: new if g == old else g for r, g in group.items()}
    names = list(dict.fromkeys(group[r] for r in members))
    return np.array([names.index(group[r]) for r in members], dtype=int)


def _joined_corners(corners: Any, first: np.ndarray, member: np.ndarray, xp: Any) -> Any:
    """The outer ends of faces whose parts lie side by side: those ends that two parts do not share."""
    joined = corners[first]
    later = np.ones(len(member), dtype=bool)
    later[first] = False
    for part in np.flatnonzero(later):
        row = member[part]
        touches = np.allclose(np.asarray(joined[row, 1]), np.asarray(corners[part, 0]), rtol=1e-9, atol=0)
        ends = [joined[row, 0], corners[part, 1]] if touches else [corners[part, 0], joined[row, 1]]
        joined = joined.at[row].set(xp.stack(ends)) if hasattr(joined, "at") else _with_row(joined, row, np.stack(ends))
    return joined


def _with_row(array: np.ndarray, row: int, value: np.ndarray) -> np.ndarray:
    array[row] = value
    return array


def _finite(volume: Any, cells: np.ndarray, edges: Edges) -> Any:
    """Volumes with those of cells at infinity replaced by their neighbours' largest: any positive number would do."""
    xp = array_module(volume)
    near = np.ones(int(np.shape(volume)[0]), dtype=bool)
    near[np.asarray(cells)] = False
    return xp.where(near, volume, xp.max(xp.where(near, volume, 0.0)))
