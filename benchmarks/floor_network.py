"""Hand-written floor for flow in networks: sparse Newton in NumPy and SciPy, with times, growth and peak memory by
size."""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np
import pyamg
import pymetis
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, bicgstab, splu

from problems import UPDATE_TOLERANCE, Array, FlowNetwork, Index, network

STEPS_AT_MOST = 50
MEMORY_LIMIT_GIB = 4.0
# SuperLU reserves several times what it touches, so the guard on reserved memory is wider.
RESERVED_LIMIT_GIB = 8.0
TIME_LIMIT_S = 60.0
Solve = Callable[[sparse.csc_matrix, Array], Array]


def edge_flux(net: FlowNetwork, p: Array) -> tuple[Array, Array, Array]:
    """Flux of every edge and its derivatives by the pressures of its tail and head, each shape (edges,)."""
    tail, head = p[net.tail], p[net.head]
    mean, drop = 0.5 * (tail + head), tail - head
    open_part = net.conductance * np.exp(-((mean / net.p0) ** 2))
    by_mean = -(mean / net.p0**2) * open_part * drop  # half of d flux / d mean, for each end moves the mean by a half
    return open_part * drop, by_mean + open_part, by_mean - open_part


@dataclass(frozen=True)
class Pattern:
    """Where each edge's four derivatives go in the compressed columns of the Jacobian of the free nodes."""

    free: Index
    number: Index
    indices: Index
    indptr: Index
    slot: Index
    kept: tuple[Index, Index, Index, Index]


def elimination_order(net: FlowNetwork, is_free: NDArray[np.bool_]) -> Index:
    """The free nodes in an order that fills little: leaves before their parents, or METIS nested dissection for a
    lattice."""
    free = np.flatnonzero(is_free)
    if net.kind == "tree":
        return free[::-1].copy()
    inner = is_free[net.tail] & is_free[net.head]
    number = np.full(net.nodes, -1, dtype=np.int64)
    number[free] = np.arange(free.size)
    a, b = number[net.tail[inner]], number[net.head[inner]]
    ones = np.ones(2 * a.size)
    graph = sparse.csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(free.size, free.size))
    permutation, _ = pymetis.nested_dissection(xadj=graph.indptr, adjncy=graph.indices)
    return free[np.asarray(permutation, dtype=np.int64)]


def pattern(net: FlowNetwork, ordered: bool) -> Pattern:
    """Find the sparsity once, nodes in elimination order if ``ordered``; a Jacobian is then one weighted count into
    its slots."""
    is_free = np.ones(net.nodes, dtype=bool)
    is_free[net.held] = False
    free = elimination_order(net, is_free) if ordered else np.flatnonzero(is_free)
    number = np.full(net.nodes, -1, dtype=np.int64)
    number[free] = np.arange(free.size)
    t, h = number[net.tail], number[net.head]
    pairs = ((t, t), (t, h), (h, t), (h, h))
    kept = tuple(np.flatnonzero((row >= 0) & (column >= 0)) for row, column in pairs)
    key = np.concatenate([column[k] * free.size + row[k] for (row, column), k in zip(pairs, kept, strict=True)])
    unique, slot = np.unique(key, return_inverse=True)
    indptr = np.searchsorted(unique, np.arange(free.size + 1) * free.size)
    return Pattern(free, number, (unique % free.size).astype(np.int32), indptr.astype(np.int32), slot, kept)


def jacobian(where: Pattern, by_tail: Array, by_head: Array) -> sparse.csc_matrix:
    """The derivative of each free node's net outflow by the pressures of the free nodes."""
    k0, k1, k2, k3 = where.kept
    values = np.concatenate([by_tail[k0], by_head[k1], -by_tail[k2], -by_head[k3]])
    data = np.bincount(where.slot, weights=values, minlength=where.indices.size)
    return sparse.csc_matrix((data, where.indices, where.indptr), shape=(where.free.size, where.free.size))


def net_outflow(net: FlowNetwork, flux: Array) -> Array:
    """What leaves each node through its edges, shape (nodes,)."""
    return np.bincount(net.tail, flux, net.nodes) - np.bincount(net.head, flux, net.nodes)


def direct(matrix: sparse.csc_matrix, right: Array) -> Array:
    """SuperLU as suits a nearly symmetric, diagonally dominant matrix in elimination order: that order, diagonal
    pivots."""
    factors = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=1e-3, options={"SymmetricMode": True})
    return factors.solve(right)


class Multigrid:
    """Krylov iteration under one multigrid hierarchy, built from the first Jacobian's symmetric part and then kept.

    It is solved to 1e-4 of the right-hand side only: Newton's own steps do the rest.
    """

    def __init__(self) -> None:
        self.cycle: LinearOperator | None = None
        self.iterations = 0

    def __call__(self, matrix: sparse.csc_matrix, right: Array) -> Array:
        """The solution of ``matrix x = right``; raises ArithmeticError if the iteration stalls."""
        if self.cycle is None:
            symmetric = sparse.csr_matrix((matrix + matrix.T) * 0.5)
            self.cycle = pyamg.ruge_stuben_solver(symmetric, max_coarse=50).aspreconditioner()
        by_rows = matrix.tocsr()

        def count(_: Array) -> None:
            self.iterations += 1

        found, info = bicgstab(by_rows, right, rtol=1e-4, atol=1e-13, maxiter=300, M=self.cycle, callback=count)
        if info != 0:
            raise ArithmeticError("the multigrid iteration stalled; solve this network with the direct solver")
        return found


@dataclass(frozen=True)
class NetworkSolution:
    """Pressure of every node, inflow through the inlets, Newton steps, and outflow minus inflow relative to the
    inflow."""

    pressure: Array
    inflow: float
    iterations: int
    imbalance: float


def solve(net: FlowNetwork, linear: Solve = direct) -> NetworkSolution:
    """Newton from all free nodes at the mean held pressure; a step is halved until the residual's largest entry falls.

    Raises ArithmeticError if no step helps or the steps run out.
    """
    where = pattern(net, ordered=linear is direct)
    p = np.full(net.nodes, net.held_pressure.mean())
    p[net.held] = net.held_pressure
    flux, by_tail, by_head = edge_flux(net, p)
    outflow = net_outflow(net, flux)
    for iteration in range(1, STEPS_AT_MOST + 1):
        update = linear(jacobian(where, by_tail, by_head), -outflow[where.free])
        before = np.linalg.norm(outflow[where.free])
        largest = np.abs(update).max()
        step = 1.0
        while True:
            trial = p.copy()
            trial[where.free] += step * update
            flux, by_tail, by_head = edge_flux(net, trial)
            outflow = net_outflow(net, flux)
            if largest < UPDATE_TOLERANCE or np.linalg.norm(outflow[where.free]) < before:
                break
            step *= 0.5
            if step < 1e-6:
                raise ArithmeticError("no Newton step lowers the residual; start from a smaller pressure range")
        p = trial
        if step == 1.0 and largest < UPDATE_TOLERANCE:
            inflow = float(outflow[net.inlets].sum())
            return NetworkSolution(p, inflow, iteration, abs(float(outflow[net.held].sum())) / abs(inflow))
    raise ArithmeticError(f"Newton did not converge in {STEPS_AT_MOST} steps; start from a smaller pressure range")


def solver_named(name: str) -> Solve:
    """The linear solver of this name: "direct" or "multigrid" (a fresh one, nothing kept from an earlier network)."""
    if name == "direct":
        return direct
    if name == "multigrid":
        return Multigrid()
    raise ValueError(f"there is no linear solver {name!r}; use 'direct' or 'multigrid'")


def inflow(net: FlowNetwork, linear: str = "direct") -> Array:
    """The network's inflow as an array of shape (1,), the answer compared with the engine's."""
    return np.array([solve(net, solver_named(linear)).inflow])


@dataclass(frozen=True)
class Measured:
    """One size in its own process: the network, the solver, median seconds of warm solves and the process's peak
    memory."""

    kind: str
    nodes: int
    linear: str
    seconds: float
    peak_gib: float
    data_gib: float
    iterations: int
    inflow: float
    imbalance: float


def measure(kind: str, nodes: int, linear: str, budget: float = 4.0) -> Measured:
    """Time solves of one network in this process; ``data_gib`` is the peak before the first solve (imports and the
    data)."""
    to_gib = 1.0 / 2**20  # Linux counts in KiB
    small = network(kind, 400)
    solve(small, solver_named(linear))
    net = network(kind, nodes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * to_gib
    times: list[float] = []
    while True:
        begin = time.perf_counter()
        found = solve(net, solver_named(linear))
        times.append(time.perf_counter() - begin)
        if sum(times) + times[-1] > budget or len(times) >= 201:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * to_gib
    return Measured(
        kind, net.nodes, linear, float(np.median(times)), peak, before, found.iterations, found.inflow, found.imbalance
    )


def measure_apart(kind: str, nodes: int, linear: str) -> Measured | str:
    """``measure`` in a process of its own, under the memory and time limits; the reason in words if it broke one."""
    command = [sys.executable, __file__, "--one", kind, str(nodes), linear]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"over {TIME_LIMIT_S:.0f} s"
    if "MemoryError" in done.stderr or "MALLOC" in done.stderr:
        return f"wants over {RESERVED_LIMIT_GIB:.0f} GiB reserved"
    if done.returncode != 0:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    found = Measured(**json.loads(done.stdout))
    return found if found.peak_gib <= MEMORY_LIMIT_GIB else f"over {MEMORY_LIMIT_GIB:.0f} GiB ({found.peak_gib:.1f})"


def main() -> None:
    """Measure all sizes of both kinds, or one size when asked by a parent process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("KIND", "NODES", "LINEAR"), help="measure one size here, print JSON")
    parser.add_argument("--largest", type=float, default=1e6, help="largest number of nodes (default 1e6)")
    options = parser.parse_args()
    if options.one:
        kind, nodes, linear = options.one
        limit = int(RESERVED_LIMIT_GIB * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        print(json.dumps(asdict(measure(kind, int(nodes), linear))))
        return
    sizes = [s for s in (1_000, 10_000, 100_000, 1_000_000) if s <= options.largest]
    times = f"{'seconds':>9s} {'growth':>7s} {'peak GiB':>9s}"
    print(f"{'network':8s} {'nodes':>8s} {'solver':10s} {times} {'steps':>5s} {'imbalance':>10s}")
    for kind, linear in (("tree", "direct"), ("lattice", "direct"), ("lattice", "multigrid")):
        last: Measured | None = None
        for size in sizes:
            found = measure_apart(kind, size, linear)
            if isinstance(found, str):
                print(f"{kind:8s} {size:8d} {linear:10s} {found}")
                break
            growth = math.log(found.seconds / last.seconds) / math.log(found.nodes / last.nodes) if last else math.nan
            print(
                f"{kind:8s} {found.nodes:8d} {linear:10s} {found.seconds:9.4f} {growth:7.2f} {found.peak_gib:9.3f} "
                f"{found.iterations:5d} {found.imbalance:10.1e}   inflow {found.inflow:.9f}",
                flush=True,
            )
            last = found


if __name__ == "__main__":
    main()
