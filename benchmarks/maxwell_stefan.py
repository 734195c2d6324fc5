"""Maxwell-Stefan diffusion of eight species against Fick's law for eight species: evaluations, steady state, a run.

    python benchmarks/maxwell_stefan.py

Both models have the same space, species and held ends; they differ in their law alone. Fick's law with constant
diffusivities is linear and needs one Newton step where friction needs some, so the steady state is also told per step.
"""

from __future__ import annotations

import one_thread  # noqa: F401  (first: it keeps the BLAS to one thread)

# isort: split
import jax
import numpy as np

import steadyflux as sf
from steadyflux.model.jacobian import _flux_jacobian, on_edges
from steadyflux.model.mapping import edge_fluxes
from timing import paired_medians

COUNT, CELLS, TOTAL = 8, 201, 40.0
NAMES = tuple(f"s{i}" for i in range(COUNT))


def models() -> tuple[sf.Model, sf.Model]:
    """The mixture under Fick's law and under Maxwell's and Stefan's."""
    rng = np.random.default_rng(20)
    d = rng.uniform(1e-5, 8e-5, (COUNT, COUNT))
    d = 0.5 * (d + d.T)
    left, right = (TOTAL * rng.dirichlet(np.ones(COUNT)) for _ in range(2))
    way = np.linspace(0.0, 1.0, CELLS)

    def model(laws: list[sf.Law]) -> sf.Model:
        return sf.Model(
            sf.interval(0.1, cells=CELLS),
            quantities=[sf.Species(name) for name in NAMES],
            laws=laws,
            boundaries=[
                sf.Hold("left", dict(zip(NAMES, left, strict=True))),
                sf.Hold("right", dict(zip(NAMES, right, strict=True))),
            ],
            start={name: left[i] + way * (right[i] - left[i]) for i, name in enumerate(NAMES)},
        )

    fick = model([sf.Fick(name, d[i, i]) for i, name in enumerate(NAMES)])
    return fick, model([sf.MaxwellStefan(NAMES, d, permeability=1e-8)])


def main() -> None:
    """Print medians in ms and ratios."""
    pair = models()
    states = [sf.steady(one).state for one in pair]
    steps = [int(sf.steady(one).outcome.iterations) for one in pair]
    flux = jax.jit(lambda model, state: edge_fluxes(model, state, "interior"))
    slope = jax.jit(lambda model, state: on_edges(model, model.laws_on("interior"), _flux_jacobian(model), state))
    for title, work in (
        ("fluxes", lambda i: jax.block_until_ready(flux(pair[i], states[i]))),
        ("their derivatives", lambda i: jax.block_until_ready(slope(pair[i], states[i]))),
        ("steady state", lambda i: jax.block_until_ready(sf.steady(pair[i]).state.u)),
        ("100 s", lambda i: sf.evolve(pair[i], 100.0, times=[100.0])),
    ):
        one, other, ratio = paired_medians(lambda: work(0), lambda: work(1))  # noqa: B023
        print(f"{title:18s} Fick {1e3 * one:8.3f} ms   Maxwell-Stefan {1e3 * other:8.3f} ms   ratio {ratio:5.2f}")
        if title == "steady state":
            print(f"{'':18s} Newton steps {steps[0]} and {steps[1]}: ratio per step {ratio * steps[0] / steps[1]:5.2f}")


if __name__ == "__main__":
    main()
