"""Spaces that move: a growing film, a drying drop, a dissolving grain, on coordinates that follow the boundary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from steadyflux.ground.errors import ModelError
from steadyflux.space.space import INTERIOR, Space, changed


@dataclass(frozen=True)
class Form:
    """How a space follows from shared unknowns: a function of them and of fixed settings."""

    build: Callable[..., Space]
    names: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...] = ()

    def at(self, **shared: Any) -> Space:
        """The space for these values of its shared unknowns."""
        return self.build(**shared, **dict(self.settings))


def moving(build: Callable[..., Space], start: Mapping[str, float], **settings: Any) -> Space:
    """A space whose geometry depends on shared unknowns of the model (declared with a rate: `Shared(rate=...)`).

    ``build(**unknowns, **settings)`` makes the space; it must be `interval` on a slab, cylinder or sphere with as many
    cells whatever the values, such as ``lambda thickness: sf.interval(nodes=thickness * FRACTIONS)``. ``start`` gives
    the unknowns at the start (it only names them and sets the first shape), ``settings`` numbers and texts that stay.

    Cells keep their share of what they hold: each face takes up what it sweeps over, and at a moving boundary "sealed"
    means that nothing crosses it as it moves. What a held boundary supplies includes what its motion uncovers. Laws
    whose coefficients are functions of the position see that of the start. A function of module level, rather than one
    made anew for each model, lets models share their compiled programs.
    """
    if not start:
        raise ModelError("A space that moves needs at least one shared unknown that moves it.")
    form = Form(build, tuple(start), tuple(sorted(settings.items())))
    space = form.at(**start)
    if INTERIOR not in space.edges or space.edges[INTERIOR].enclosed is None:
        raise ModelError("Only an interval of constant area, a cylinder or a sphere can move.")
    return changed(space, form=form)
