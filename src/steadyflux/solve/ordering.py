"""Elimination orders of sparse systems: leaves first in a forest, else nested dissection, dense nodes last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymetis
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components

__all__ = ["Permutation", "dimension", "forest_order", "node_graph", "node_order", "permutation_of"]

_DENSE = 10.0  # nodes with more neighbours than this times the square root of their number go last
_SAMPLES = 9  # nodes from which the growth of their surroundings is measured
_NEAR = 60  # nodes that a ball must hold before its growth is measured


def forest_order(graph: sp.csr_array) -> np.ndarray | None:
    """Order of the nodes of a forest, leaves first, so that elimination fills nothing; None when there is a cycle.

    `graph` has a symmetric pattern without diagonal. Reversed breadth-first order: every node comes before its parent.
    """
    n = graph.indptr.size - 1
    count, label = connected_components(graph, directed=False)
    if graph.nnz != 2 * (n - count):
        return None
    # One more node joins the components by one node each, so that a single search visits the whole forest.
    roots = np.unique(label, return_index=True)[1].astype(graph.indices.dtype)
    indptr = np.append(graph.indptr, graph.nnz + count)
    joined = sp.csr_array(
        (np.ones(graph.nnz + count, np.int8), np.concatenate([graph.indices, roots]), indptr), shape=(n + 1, n + 1)
    )
    order = breadth_first_order(joined, n, directed=True, return_predecessors=False)
    return order[:0:-1].copy()


def node_order(graph: sp.csr_array) -> np.ndarray:
    """Elimination order of the nodes of a symmetric pattern without diagonal: a forest's, else METIS nested dissection.

    Nodes joined to very many others (shared or bordered unknowns) come last: eliminated early they fill everything.
    """
    n = graph.indptr.size - 1
    degree = np.diff(graph.indptr)
    dense = degree > max(16.0, _DENSE * np.sqrt(n))
    kept = np.flatnonzero(~dense)
    if dense.any():
        forest = forest_order(graph)
        if forest is not None:  # a star has a dense centre too, and fills nothing from its leaves inwards
            return forest
        graph = sp.csr_array(graph[kept][:, kept])
    order = forest_order(graph)
    if order is None:
        adjacency = pymetis.CSRAdjacency(graph.indptr, graph.indices)  # pyright: ignore[reportArgumentType]
        order = np.asarray(pymetis.nested_dissection(adjacency)[0])
    return np.concatenate([kept[order], np.flatnonzero(dense)])


class Permutation(NamedTuple):
    """`order[i]` is the unknown eliminated i-th; `gather` takes values to the permuted pattern (indptr, indices)."""

    order: np.ndarray
    gather: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray


def node_graph(indptr: np.ndarray, indices: np.ndarray, nodes: np.ndarray) -> sp.csr_array:
    """Which nodes a pattern joins, symmetric and without a diagonal; ``nodes`` (unknown,) numbers each one's node."""
    count = int(nodes.max()) + 1 if nodes.size else 0
    tail, head = nodes[indices], nodes[np.repeat(np.arange(nodes.size), np.diff(indptr))]
    other = tail != head
    half = sp.csr_array((np.ones(np.count_nonzero(other), bool), (tail[other], head[other])), shape=(count, count))
    return sp.csr_array(half + half.T)


def permutation_of(indptr: np.ndarray, indices: np.ndarray, nodes: np.ndarray) -> Permutation:
    """The elimination order of a pattern in compressed columns, unknowns of a node together, and the pattern in it."""
    n = nodes.size
    graph = node_graph(indptr, indices, nodes)
    count = graph.indptr.size - 1
    rank = np.empty(count, dtype=np.int64)
    rank[node_order(graph)] = np.arange(count)
    order = np.argsort(rank[nodes], kind="stable")
    place = np.empty(n, dtype=indices.dtype)
    place[order] = np.arange(n, dtype=place.dtype)
    numbered = sp.csc_array((np.arange(indices.size), indices, indptr), shape=(n, n))
    columns = numbered[:, order]
    permuted = sp.csc_array((columns.data, place[columns.indices], columns.indptr), shape=columns.shape)
    permuted.sort_indices()
    return Permutation(order, permuted.data, permuted.indptr.astype(np.int32), permuted.indices.astype(np.int32))


def dimension(graph: sp.csr_array) -> float:
    """How fast the surroundings of a node grow: d where a ball of twice the radius holds 2^d times as many nodes.

    1 for a chain, 2 for a sheet, 3 for a body, more for a tree; the median over some nodes. It decides what elimination
    fills: a plane through a body of n nodes holds n^(2/3) of them (George 1973).
    """
    n = graph.indptr.size - 1
    if n < 2:
        return 0.0
    found = [_growth(graph, int(node)) for node in np.random.default_rng(8).integers(0, n, _SAMPLES)]
    return float(np.median(found))


def _growth(graph: sp.csr_array, node: int) -> float:
    """log2 of how many times more nodes there are within 2 r links of a node than within r."""
    n = graph.indptr.size - 1
    seen = np.zeros(n, dtype=bool)
    seen[node] = True
    front, within = np.array([node]), [1]
    while front.size and (len(within) < 9 or within[(len(within) - 1) // 2] < _NEAR) and within[-1] < 0.25 * n:
        count = graph.indptr[front + 1] - graph.indptr[front]
        ends = np.cumsum(count)
        places = np.arange(ends[-1]) + np.repeat(graph.indptr[front] - ends + count, count)
        reached = graph.indices[places]
        front = np.unique(reached[~seen[reached]])
        seen[front] = True
        within.append(within[-1] + front.size)
    radius = len(within) - 1
    return float(np.log2(within[radius] / within[radius // 2])) if radius > 1 else 0.0
