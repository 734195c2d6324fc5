"""What runs of chance tell: numbers and crossings in every run, their means, standard errors and variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.constants import N_A
from steadyflux.ground.errors import InputError, ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.model.model import Model
from steadyflux.solve.events import Events


class Estimate(NamedTuple):
    """What runs tell of a number: mean over the runs, its standard error, and the variance between single runs."""

    mean: np.ndarray
    error: np.ndarray
    variance: np.ndarray


def estimate(values: np.ndarray) -> Estimate:
    """Mean, standard error and variance of values (run, ...); not a number where a single run tells of no spread."""
    runs, off = values.shape[0], values - values[:1]  # what never changes has a variance of zero, not of rounding
    mean = values[0] + off.mean(axis=0)
    variance = off.var(axis=0, ddof=1) if runs > 1 else np.full(np.shape(mean), np.nan)
    return Estimate(mean, np.sqrt(variance / runs), variance)


@dataclass(frozen=True, repr=False)
class Sample:
    """Runs of chance at the asked times: numbers, and what has happened since the start.

    ``numbers`` (run, time, node of a cell) counts walkers, ``passed`` (run, time, event) events; a walker stands for
    ``weight`` particles. Questions give an `Estimate` in particles (`number`, `total`), in the state's unit (`state`)
    or in the flux's (`flow`, `along`).
    """

    events: Events
    method: str
    times: np.ndarray
    numbers: np.ndarray
    passed: np.ndarray
    seed: int
    places: tuple[np.ndarray, ...] = ()
    """Of Brownian walkers: where each of them is at the end, one array a run, m."""

    @property
    def model(self) -> Model:
        """The model that was sampled."""
        return self.events.model

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.numbers.shape[0]

    @property
    def weight(self) -> float:
        """Particles that one walker stands for."""
        return float(self.events.table.weight)

    def __repr__(self) -> str:
        what = f"{', '.join(self.model.names)} in {self.model.cells} cells"
        return f"Sample({what}: {self.runs} runs to {self.times[-1]:.4g} s, {self.method}, seed {self.seed})"

    def __getitem__(self, name: str) -> np.ndarray:
        """Mean state of a quantity, (time, cell), in SI."""
        return self.state(name).mean

    # ---- what is where --------------------------------------------------------------------------------------------

    def trajectories(self, name: str) -> np.ndarray:
        """Numbers of walkers in every run, (run, time, cell); zero in cells that are held, but for Brownian
        walkers, who are counted there too."""
        return self.numbers[..., self.model.index(name) :: len(self.model.names)]

    def number(self, name: str) -> Estimate:
        """Number of particles in each cell, (time, cell)."""
        return estimate(self.trajectories(name) * self.weight)

    def total(self, name: str) -> Estimate:
        """Number of particles in all cells that are not held, (time,)."""
        return estimate(self.trajectories(name).sum(axis=2) * self.weight)

    def state(self, name: str) -> Estimate:
        """State of a quantity in each cell (a concentration, a number), (time, cell), SI; held values as they are."""
        k, width = self.model.index(name), len(self.model.names)
        table, nodes = self.events.table, self.events.nodes
        free, held, amount = (np.asarray(x)[:nodes][k::width] for x in (table.free, table.held, table.amount))
        return estimate(np.where(free, self.trajectories(name) * (self.weight / amount), held))

    # ---- what has crossed -----------------------------------------------------------------------------------------

    def entered(self, name: str, through: str, since: Any = 0.0) -> Estimate:
        """Particles that have entered the system through a place since a time, (time,); negative where more left."""
        return estimate(self._entered(name, through, since) * self.weight)

    def flow(self, name: str, through: str, since: Any = 0.0) -> Estimate:
        """Mean flow into the system through a place from ``since`` (an asked time, or the start) to the last time, in
        the flux unit of the quantity (mol/s, 1/s)."""
        return self._per_time(self._entered(name, through, since)[:, -1] * self.weight, name, since)

    def crossed(self, name: str, on: str = "interior", since: Any = 0.0) -> Estimate:
        """Particles that have crossed each edge of a set from tail to head, less those back, (time, edge)."""
        return estimate(self.crossings(name, on, since))

    def along(self, name: str, on: str = "interior", since: Any = 0.0) -> Estimate:
        """Mean flux along each edge of a set from ``since`` to the last time, (edge,), in the quantity's flux unit."""
        return self._per_time(self.crossings(name, on, since)[:, -1], name, since)

    def happened(self, law: int, since: Any = 0.0) -> tuple[Estimate, Estimate]:
        """How often the law with this number has acted forward and in reverse, everywhere together, (time,)."""
        acts = self.acts(law, since)
        return estimate(acts[..., 0]), estimate(acts[..., 1])

    def acts(self, law: int, since: Any = 0.0) -> np.ndarray:
        """The same in every run, (run, time, way): forward, then reverse."""
        found = [g for g in self.events.groups if g.law == law]
        if not found:
            raise InputError(f"The model has no events of a law with the number {law}; it has {len(self.model.laws)}.")
        passed, both = self._since(since), np.zeros((*self.passed.shape[:2], 2))
        for g in found:
            both[..., 0 if g.sign == 1 else 1] += passed[..., g.start : g.stop].sum(axis=2) * self.weight
        return both

    def _per_time(self, counted: np.ndarray, name: str, since: Any) -> Estimate:
        duration = self.times[-1] - self._moment(since)[1]
        per = N_A if self.model.quantity(name).kind == "species" else 1.0
        return estimate(counted / (per * duration))

    def _moment(self, since: Any) -> tuple[int, float]:
        """Place of a moment among the asked times (-1: the start) and the moment itself."""
        moment = float(si(since, "s", "since"))
        if moment == 0.0:
            return -1, 0.0
        at = int(np.argmin(np.abs(self.times - moment)))
        if abs(self.times[at] - moment) > 1e-9 * moment or at == len(self.times) - 1:
            raise InputError(f"since={moment:g} s must be an asked time before the last; add it to times=[...].")
        return at, float(self.times[at])

    def _since(self, since: Any) -> np.ndarray:
        at, _ = self._moment(since)
        return self.passed if at < 0 else self.passed - self.passed[:, at : at + 1]

    def _entered(self, name: str, through: str, since: Any) -> np.ndarray:
        model, width = self.model, len(self.model.names)
        place, k = model.space.place(through), model.index(name)
        mask = np.zeros((model.cells + len(model.reservoirs), width), dtype=bool)
        mask[np.asarray(place.cells), k] = ~np.asarray(self.events.table.free).reshape(-1, width)[place.cells, k]
        for number, reservoir in enumerate(model.reservoirs):
            mask[model.cells + number, k] = reservoir.place == through
        given = np.zeros(self.events.count)
        for group in self.events.groups:
            if group.law is None and group.on == through and name in group.moves:
                given[group.start : group.stop] = 1.0
        taken = -(self.events.changes() @ mask.ravel().astype(float)) + given
        if not taken.any():
            raise ModelError(
                f"No {name} crosses at '{through}', where it is not held, fed or exchanged; ask elsewhere."
            )
        return self._since(since) @ taken

    def crossings(self, name: str, on: str = "interior", since: Any = 0.0) -> np.ndarray:
        """The same in every run, (run, time, edge)."""
        if on not in self.model.edges:
            raise NameUnknown("edge set with a law", on, self.model.edges)
        passed = self._since(since)
        groups = [g for g in self.events.groups if g.on == on and name in g.moves and g.law is not None]
        groups = [g for g in groups if self.model.acting[g.law] == on]  # type: ignore[index]
        if not groups:
            raise ModelError(f"No law moves {name} on '{on}'; ask for one of the edge sets where a law moves it.")
        return self.weight * sum((g.sign * g.moves[name] * passed[..., g.start : g.stop] for g in groups), np.zeros(()))
