"""Laws: what moves a quantity along an edge, or makes it in a cell. A law never sees the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.ground.signal import is_signal
from steadyflux.ground.units import si
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.physics.quantity import Quantity
from steadyflux.space.space import INTERIOR, evaluate


def parameter(unit: str, what: str, **options: Any) -> Any:
    """A number of a law in SI ``unit``: a number, text with a unit, or one value per edge (a function of the edge's
    position is evaluated when the model is built)."""
    return eqx.field(
        converter=lambda value: _read(value, unit, what),
        metadata={"per_edge": True, "unit": unit, "what": what},
        **options,
    )


def _read(value: Any, unit: str, what: str) -> Any:
    if value is None or callable(value):
        return value
    if isinstance(value, Mapping):
        return {name: _read(one, unit, f"{what} of {name}") for name, one in value.items()}
    return si(value, unit, what)


def where(default: str | None = INTERIOR) -> Any:
    """The field ``on``: the edge set (or, for a law that makes something, the place) where a law holds."""
    return eqx.field(static=True, default=default, kw_only=True)


def static(**options: Any) -> Any:
    """A field of a law that is no number: a name, a choice. Models that differ in it are compiled apart."""
    return eqx.field(static=True, **options)


def names(default: tuple[str, ...] | None = None, **options: Any) -> Any:
    """A field that lists quantities by name."""
    return eqx.field(static=True, default=default, converter=_as_names, **options)


def _as_names(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


class Law(eqx.Module):
    """Anything that acts on a named set of edges or on a place. Subclass `EdgeLaw` or `CellLaw` (or both)."""

    dissipative: ClassVar[bool] = True
    """False when its fluxes cost no entropy by themselves: a constraint (Gauss's law), a supply from outside, or
    members without a reference potential."""

    flux_unit: ClassVar[Mapping[str, str]] = {}
    """Units of its fluxes where they are not those of the quantity's kind."""

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """The law with its open choices filled in for one model: names taken from the quantities, functions of the
        position evaluated at ``positions`` (edge middles, or cells), shape (edge,) or (cell,). Laws that need more
        extend it."""
        return resolve_positions(self, positions)

    @property
    def moves(self) -> tuple[str, ...]:
        """Names of the quantities that `flux` returns."""
        return ()

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of the quantities that `production` returns."""
        return ()

    @property
    def sees(self) -> tuple[str, ...]:
        """Names of further quantities whose state it reads."""
        return ()


class EdgeLaw(Law):
    """A law on edges. Give it `moves` and `flux`; if it has them, `one_way` (or `turnover`) and `supply`."""

    on: str = eqx.field(static=True, default=INTERIOR, kw_only=True)

    symmetry: ClassVar[str | None] = "isotropic"
    """Symmetry of the medium, which says what tensor ranks it may couple (Curie); None where the law couples nothing
    in the medium's own frame."""

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each quantity that it moves, from tail to head, in the flux unit of its kind (mol/s, W, A, ...)."""
        turns = self.turnover(tail, head, edge)
        if turns is not None:
            forward, reverse, numbers = turns
            return {name: number * (forward - reverse) for name, number in numbers.items()}
        ways = self.one_way(tail, head, edge)
        if ways is None:
            raise TypeError(f"The law {type(self).__name__} must define flux, one_way or turnover.")
        return {name: forward - reverse for name, (forward, reverse) in ways.items()}

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]] | None:
        """Forward and reverse one-way flux of each quantity, where the law has them; their difference is the flux."""
        return None

    def turnover(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, dict[str, Any]] | None:
        """Forward and reverse rate of one process that moves several quantities in fixed proportion (an electrode
        reaction, a tightly coupled carrier), and what one turnover moves of each from tail to head; None otherwise."""
        return None

    def supply(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Free energy that something unmodelled (ATP, a battery) feeds in on this edge, W."""
        return None

    def carried(self, here: Local, edge: Geometry) -> Any:
        """For a law that carries a moving medium along: psi = sum J(here) y(here) - the entropy it would carry there,
        W/K. What a stream moves without a loss is no production: that is sum J (y_head - y_tail) less the rise of psi
        (Tadmor, Math. Comp. 49 (1987) 91). None where nothing is carried."""
        return None


class CellLaw(Law):
    """A law in cells. Give it `makes` and `production`. ``on`` is a place; None means every cell."""

    on: str | None = eqx.field(static=True, default=None, kw_only=True)

    @property
    def acts_in(self) -> str | None:
        """The place whose cells the law acts in; None for every cell."""
        return self.on

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """What it makes of each quantity per volume and time (on a boundary place: per area and time)."""
        raise TypeError(f"The law {type(self).__name__} must define production.")

    def supply(self, here: Local, cell: Cell) -> Any:
        """Free energy that something unmodelled feeds in, W per volume (or area)."""
        return None


class Reaction(CellLaw):
    """A reaction: a stoichiometry and its forward and reverse rates. Give it `one_way`."""

    stoichiometry: tuple[tuple[str, float], ...] = eqx.field(static=True, converter=lambda s: tuple(dict(s).items()))

    @property
    def makes(self) -> tuple[str, ...]:
        """The species of its stoichiometry."""
        return tuple(name for name, _ in self.stoichiometry)

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Forward and reverse rate, mol/(m^3 s)."""
        raise TypeError(f"The reaction {type(self).__name__} must define one_way.")

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Stoichiometric number times the net rate."""
        forward, reverse = self.one_way(here, cell)
        return {name: number * (forward - reverse) for name, number in self.stoichiometry}


def resolve_positions(law: Law, positions: Any) -> Law:
    """Evaluate the law's functions of position and check the length of its per-edge (or per-cell) values."""
    count = int(np.shape(positions)[0])
    changes: dict[str, Any] = {}
    for field in law.__dataclass_fields__.values():
        if not field.metadata.get("per_edge"):
            continue
        value = getattr(law, field.name)
        if value is None:
            continue
        what = field.metadata["what"]
        changes[field.name] = (
            {k: _per_edge(v, positions, count, f"{what} of {k}", field.metadata["unit"]) for k, v in value.items()}
            if isinstance(value, Mapping)
            else _per_edge(value, positions, count, what, field.metadata["unit"])
        )
    return replace(law, **changes)


def _per_edge(value: Any, positions: Any, count: int, what: str, unit: str) -> Any:
    if callable(value):
        value = evaluate(value, positions)
    value = si(value, unit, what)
    if is_signal(value):
        return value
    if np.ndim(value) > 0 and np.shape(value) != (count,):
        raise ModelError(
            f"The {what} has {np.shape(value)} values; give one number or {count}, one for each edge or cell."
        )
    return value if is_traced(value) else np.asarray(value, dtype=float)


def replace(law: Any, **changes: Any) -> Any:
    """A copy of a record with some fields changed (equinox modules are frozen)."""
    if not changes:
        return law
    keys = list(changes)
    return eqx.tree_at(
        lambda m: [getattr(m, k) for k in keys], law, [changes[k] for k in keys], is_leaf=lambda leaf: leaf is None
    )


def per_edge_axes(law: Law) -> Law:
    """The vmap axes of a law's leaves: 0 for one value per edge, None for one number.

    Values per edge stand in fields made by `parameter`, and inside coefficients that say so (`varies_by_edge`).
    """
    fields = law.__dataclass_fields__
    marked = {n for n, f in fields.items() if f.metadata.get("per_edge")}
    marked |= {n for n in fields if getattr(getattr(law, n), "varies_by_edge", False)}

    def axis(path: tuple[Any, ...], leaf: Any) -> int | None:
        return 0 if getattr(path[0], "name", None) in marked and np.ndim(leaf) == 1 else None

    return jax.tree_util.tree_map_with_path(axis, law)
