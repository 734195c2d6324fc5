"""Exact stochastic simulation: one event after the other, each at its own time (Gillespie's direct method).

Gillespie, J. Phys. Chem. 81 (1977) 2340. Many runs go side by side in one compiled loop; each has a key of its own,
made from the seed and its number, so that it takes the same way in whatever company it runs.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import NotConverged
from steadyflux.model.model import Model
from steadyflux.solve.events import Events, Table, rates_at

TOGETHER = 256  # runs in one compiled loop


def exact_runs(
    events: Events,
    numbers: np.ndarray,
    times: np.ndarray,
    runs: np.ndarray,
    seed: int,
    most: int,
    told: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (run, time, node of a cell) and events since the start (run, time, event) of some runs at the times.

    ``numbers`` (run, node) are those at time zero; ``most`` is the largest number of events of one run.
    """
    keys = jax.vmap(lambda run: jax.random.fold_in(jax.random.key(seed), run))(jnp.asarray(runs))
    n = jnp.asarray(numbers, dtype=float)
    counts = jnp.zeros((len(runs), events.count))
    state = (n, counts, keys, jnp.zeros(len(runs), dtype=int))
    shape = (len(runs), times.size)
    kept, passed = np.zeros((*shape, numbers.shape[1]), np.int64), np.zeros((*shape, events.count), np.int64)
    now = 0.0
    for i, t in enumerate(times):
        state = _until(events.model, events.table, state, float(t) - now, most)
        if bool(jnp.any(state[3] >= most)):
            raise NotConverged(
                f"A run met more than {most:g} events before {t:g} s.",
                'ask for a shorter run, take method="leap", or give more=... events',
            )
        kept[:, i], passed[:, i], now = np.asarray(state[0]), np.asarray(state[1]), float(t)
        told(1.0 / times.size)
    return kept, passed


@jax.jit
def _until(model: Model, table: Table, state: Any, duration: Any, most: Any) -> Any:
    """Every run over a stretch of time: what would happen after its end is forgotten, as waiting has no memory."""
    return jax.vmap(lambda one: _one(model, table, one, duration, most))(state)


def _one(model: Model, table: Table, state: Any, duration: Any, most: Any) -> Any:
    numbers, counts, key, met = state
    width = numbers.shape[0]

    def going(carry: Any) -> Any:
        return (carry[3] < duration) & (carry[4] < most)

    def step(carry: Any) -> Any:
        n, counted, key, clock, met = carry
        sums = jnp.cumsum(rates_at(model, table, n))
        key, one, other = jax.random.split(key, 3)
        total = sums[-1]
        wait = jax.random.exponential(one) / jnp.where(total > 0, total, 1.0)
        later = jnp.where(total > 0, clock + wait, duration)
        happens = later < duration
        pick = jnp.searchsorted(sums, jax.random.uniform(other) * total, side="right")
        pick = jnp.minimum(pick, sums.shape[0] - 1)
        once = jnp.where(happens, 1.0, 0.0)
        at = table.node[pick]
        moved = jnp.where(table.free[at], table.change[pick].astype(float), 0.0) * once
        n = n.at[jnp.minimum(at, width - 1)].add(moved)
        return n, counted.at[pick].add(once), key, jnp.where(happens, later, duration), met + happens.astype(int)

    n, counts, key, _, met = jax.lax.while_loop(going, step, (numbers, counts, key, jnp.zeros(()), met))
    return n, counts, key, met
