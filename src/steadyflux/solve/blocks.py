"""Direct solution of block-tridiagonal systems in JAX: elimination by a scan, batched along the last, contiguous axis.

Row i of the system is  lower[i] x[i-1] + diag[i] x[i] + upper[i] x[i+1] = rhs[i]  with k x k blocks; lower[0] and
upper[-1] are not used. Rows of one block row are pivoted among each other, so a diagonal block may have zeros on its
diagonal; between block rows there is no pivoting, which suits matrices whose leading block systems are all regular.

On a CPU the scans are fastest when XLA compiles each loop as one function, which it does for loops whose step touches
fewer bytes than its backend option xla_cpu_small_while_loop_byte_threshold: seven times for a single system.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap

from steadyflux.ground.typing import AnyArray

__all__ = ["BlockFactors", "factor", "solve", "solve_blocks", "solve_transposed"]

_UNROLLED = 8  # largest block written out as elementwise arithmetic; larger ones go through jnp.linalg


class BlockFactors(NamedTuple):
    """Block LU factors, (n, k, k) each: `inverse` of the eliminated diagonal, `lower`, and `above` = inverse upper."""

    inverse: AnyArray
    lower: AnyArray
    above: AnyArray


def _product(a: Array, b: Array) -> Array:
    """Matrix product over the first two axes, elementwise over the others: (p, q, ...), (q, r, ...) to (p, r, ...)."""
    return reduce(jnp.add, (a[:, j, None] * b[None, j] for j in range(b.shape[0])))


def _eliminate(matrix: Array, rhs: Array) -> Array:
    """matrix^-1 rhs by Gauss-Jordan elimination with row pivoting: (k, k, batch) and (k, q, batch) to (k, q, batch)."""
    k = matrix.shape[0]
    if k > _UNROLLED:
        leading = (jnp.moveaxis(matrix, -1, 0), jnp.moveaxis(rhs, -1, 0))
        return jnp.moveaxis(jnp.linalg.solve(*leading), 0, -1)
    table = jnp.concatenate([matrix, rhs], axis=1)
    for p in range(k):
        rows = [table[i] for i in range(k)]
        for i in range(p + 1, k):  # the largest entry of the column rises to row p
            larger = jnp.abs(rows[i][0]) > jnp.abs(rows[p][0])
            rows[p], rows[i] = jnp.where(larger, rows[i], rows[p]), jnp.where(larger, rows[p], rows[i])
        pivot = rows[p][1:] / rows[p][0]
        # Without the barrier XLA fuses all columns into one expression and computes shared parts again and again.
        table = lax.optimization_barrier(
            jnp.stack([pivot if i == p else row[1:] - row[0] * pivot for i, row in enumerate(rows)])
        )
    return table


# The kernels below have a batch as last axis: blocks (n, k, k, batch), right-hand sides (n, k, q, batch).


def _factor_kernel(lower: Array, diag: Array, upper: Array) -> tuple[Array, Array]:
    identity = jnp.broadcast_to(jnp.eye(diag.shape[1])[:, :, None], diag.shape[1:])

    def step(above: Array, blocks: tuple[Array, Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        low, middle, up = blocks
        inverse = _eliminate(middle - _product(low, above), identity)
        above = _product(inverse, up)
        return above, (inverse, above)

    return lax.scan(step, jnp.zeros_like(diag[0]), (lower, diag, upper))[1]


def _back(above: Array, middle: Array) -> Array:
    """x[i] = middle[i] - above[i] x[i+1], from the last to the first."""

    def step(x: Array, blocks: tuple[Array, Array]) -> tuple[Array, Array]:
        x = blocks[1] - _product(blocks[0], x)
        return x, x

    return lax.scan(step, jnp.zeros_like(middle[0]), (above, middle), reverse=True)[1]


def _solve_kernel(inverse: Array, lower: Array, above: Array, rhs: Array) -> Array:
    def step(y: Array, blocks: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        y = _product(blocks[0], blocks[2] - _product(blocks[1], y))
        return y, y

    return _back(above, lax.scan(step, jnp.zeros_like(rhs[0]), (inverse, lower, rhs))[1])


def _solve_transposed_kernel(inverse: Array, lower: Array, above: Array, rhs: Array) -> Array:
    inverse, lower, above = (jnp.swapaxes(blocks, 1, 2) for blocks in (inverse, lower, above))

    def down(z: Array, blocks: tuple[Array, Array]) -> tuple[Array, tuple[Array]]:
        z = blocks[1] - z
        return _product(blocks[0], z), (z,)

    (z,) = lax.scan(down, jnp.zeros_like(rhs[0]), (above, rhs))[1]

    def up(carried: Array, blocks: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        x = _product(blocks[0], blocks[2] - carried)
        return _product(blocks[1], x), x

    return lax.scan(up, jnp.zeros_like(rhs[0]), (inverse, lower, z), reverse=True)[1]


def _solve_blocks_kernel(lower: Array, diag: Array, upper: Array, rhs: Array) -> Array:
    """Factor and solve in one pass, without the inverse blocks."""
    k = diag.shape[1]

    def step(row: Array, blocks: tuple[Array, Array, Array, Array]) -> tuple[Array, Array]:
        low, middle, up, right = blocks
        known = _product(low, row)
        row = _eliminate(middle - known[:, :k], jnp.concatenate([up, right - known[:, k:]], axis=1))
        return row, row

    start = jnp.concatenate([jnp.zeros_like(diag[0]), jnp.zeros_like(rhs[0])], axis=1)
    rows = lax.scan(step, start, (lower, diag, upper, rhs))[1]
    return _back(rows[:, :, :k], rows[:, :, k:])


def _batched_last(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel as a function that `vmap`, nested too, batches along the arrays' last axis."""

    @custom_vmap
    def call(*arrays: AnyArray) -> Any:
        return kernel(*arrays)

    @call.def_vmap
    def rule(axis_size: int, in_batched: list[bool], *arrays: AnyArray) -> tuple[Any, Any]:
        merged = []
        for array, batched in zip(arrays, in_batched, strict=True):
            every = array if batched else jnp.broadcast_to(array, (axis_size, *array.shape))
            last = jnp.moveaxis(every, 0, -1)
            merged.append(last.reshape(*last.shape[:-2], -1))
        results = call(*merged)
        split = jax.tree.map(lambda r: jnp.moveaxis(r.reshape(*r.shape[:-1], -1, axis_size), -1, 0), results)
        return split, jax.tree.map(lambda _: True, results)

    return call


_factor_call = _batched_last(_factor_kernel)
_solve_call = _batched_last(_solve_kernel)
_solve_transposed_call = _batched_last(_solve_transposed_kernel)
_solve_blocks_call = _batched_last(_solve_blocks_kernel)


def _with_columns(call: Callable[..., Array], blocks: tuple[AnyArray, ...], rhs: AnyArray) -> Array:
    """Call with a last axis of length one added to all, and a column axis where the right-hand side has none."""
    columns = rhs if rhs.ndim == 3 else rhs[:, :, None]
    x = call(*(block[..., None] for block in blocks), columns[..., None])[..., 0]
    return x if rhs.ndim == 3 else x[:, :, 0]


def factor(lower: AnyArray, diag: AnyArray, upper: AnyArray) -> BlockFactors:
    """Factors of the block-tridiagonal matrix of `lower`, `diag` and `upper`, each of shape (n, k, k).

    A singular block gives infinite or undefined entries, never an exception: traced code cannot raise. Works under
    jit and (nested) vmap; derivatives belong to the caller (`jax.lax.custom_linear_solve`).
    """
    inverse, above = _factor_call(lower[..., None], diag[..., None], upper[..., None])
    return BlockFactors(inverse[..., 0], lower, above[..., 0])


def solve(factors: BlockFactors, rhs: AnyArray) -> Array:
    """Solution x, of the shape of `rhs`: (n, k), or (n, k, r) for r right-hand sides."""
    return _with_columns(_solve_call, tuple(factors), rhs)


def solve_transposed(factors: BlockFactors, rhs: AnyArray) -> Array:
    """Solution of the transposed system from the same factors; shapes as in `solve`."""
    return _with_columns(_solve_transposed_call, tuple(factors), rhs)


def solve_blocks(lower: AnyArray, diag: AnyArray, upper: AnyArray, rhs: AnyArray) -> Array:
    """Factor and solve in one pass: faster than `solve(factor(...), rhs)` where the factors are needed once."""
    return _with_columns(_solve_blocks_call, (lower, diag, upper), rhs)
