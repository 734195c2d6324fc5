"""Many small arrays handed to a compiled program as a few, and a program run as one function: cheap repeated calls.

A call of a compiled program costs about a microsecond for each argument, and each operation of it another when it is
given to a thread by itself. A model of a few hundred cells has sixty arrays and takes less than that to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LARGEST = 4_096  # entries up to which an array is put together with others


class Packing(NamedTuple):
    """Where each array is found: its shape, the number of the array that holds it, and its first entry there.

    A first entry of -1 says that it is an array by itself.
    """

    shapes: tuple[tuple[int, ...], ...]
    holders: tuple[int, ...]
    firsts: tuple[int, ...]

    @property
    def small(self) -> bool:
        """Whether everything was put together."""
        return -1 not in self.firsts


def pack(arrays: Sequence[Any]) -> tuple[Packing, tuple[jax.Array, ...]]:
    """The small ones among arrays end to end, one array for each type of number, and the others as they are."""
    given = [np.asarray(a) if np.size(a) <= LARGEST else a for a in arrays]
    kinds = list(dict.fromkeys(a.dtype for a in given if np.size(a) <= LARGEST))
    parts: list[list[Any]] = [[] for _ in kinds]
    filled = [0] * len(kinds)
    alone: list[Any] = []
    shapes, holders, firsts = [], [], []
    for a in given:
        shapes.append(tuple(np.shape(a)))
        if np.size(a) > LARGEST:
            holders.append(len(kinds) + len(alone))
            firsts.append(-1)
            alone.append(a)
            continue
        kind = kinds.index(a.dtype)
        holders.append(kind)
        firsts.append(filled[kind])
        filled[kind] += a.size
        parts[kind].append(a.ravel())
    held = [np.concatenate(one) for one in parts] + alone
    return Packing(tuple(shapes), tuple(holders), tuple(firsts)), tuple(jax.device_put(held))


def unpack(packing: Packing, held: Sequence[Any]) -> list[Any]:
    """The arrays that were packed, inside a compiled program."""
    found = []
    for shape, holder, first in zip(*packing, strict=True):
        size = int(np.prod(shape, dtype=int))
        found.append(held[holder] if first < 0 else held[holder][first : first + size].reshape(shape))
    return found


def as_one(function: Callable[..., Any], once: Any, *arguments: Any) -> Any:
    """``function(*arguments)`` inside a compiled program, compiled as one function; ``once`` is the number 1.

    XLA makes one function of a small loop, so it is put into a loop that goes round once; the compiler is not told how
    often, and what does not change in the loop is tied to its counter, or it would take either apart again.
    """
    shape = jax.eval_shape(function, *arguments)
    first = jnp.zeros(shape.shape, shape.dtype)

    def body(carried: tuple[Any, Any]) -> tuple[Any, Any]:
        tied, count = jax.lax.optimization_barrier((arguments, carried[0]))
        return count + 1, function(*tied)

    return jax.lax.while_loop(lambda carried: carried[0] < once, body, (jnp.zeros((), jnp.int64), first))[1]
