"""Reversible reactions: every step runs both ways, and its net rate is v = v_f (1 - Gamma), driven by its affinity.

Seeds: B

Any network of reversible mass-action reactions in a stirred vessel, open (some species are held at their
concentration from outside: chemostatted) or closed. `network` chooses how it is given:

- `pathway`: X0 <-> S1 <-> ... <-> Xn in single steps with both ends held (`forward`, `reverse`, `ends`);
- `enzyme`: E + S <-> ES <-> E + P with S and P held and the total enzyme kept (reversible Michaelis-Menten);
- `cycle`: one molecule that changes between states at the rates of a `rate_matrix`, row by row: W[i][j] from i to j;
- `reactions`: a list of equations such as "2 A + B <-> C", with a list of species.

With `vessel = closed` nothing is held, and what the ends, the substrate or the table give are the amounts at the
start.

## Equations

    v = v_f - v_r,   v_f = k_f prod c^n (left side),   v_r = k_r prod c^n (right side)
    Gamma = v_r / v_f,   affinity A = -R T ln Gamma,   entropy production = sum v A / T

Standard potentials follow from the constants. Where the constants of a cycle do not obey detailed balance, something
unmodelled drives it, and the drive (R T times the logarithm of the product of k_f / k_r round the cycle, spread
evenly over its steps) is booked as a supply.

The net rates of a steady network are a sum of cycles, and the entropy production is the sum of cycle flux times cycle
affinity over T (Schnakenberg 1976): `cycles` lists them as numbers of turnovers of each reaction, with `cycle_fluxes`
and `cycle_affinities`. Chemostats close cycles: a pathway between held ends is one. Control coefficients are exact
derivatives d ln v / d ln e of the net rate of reaction `observed` by the activity e of each step, which multiplies
both its constants.

With `sampled_molecules` the vessel is made so small that it holds that many molecules in all, and every single reaction
is drawn by chance in `sampled_runs` runs, over `sampled_time` (by default ten relaxation times) from the steady state
and then as long again to count: `sampled_net` and `sampled_concentrations` with standard errors, and
`sampled_affinity`, R T times the logarithm of how often a reaction ran forwards over how often it ran back. Where two
molecules must meet, the mean of few is not quite the deterministic one.

## What to look for

A step near equilibrium (Gamma near 1) has little control; closed, every Gamma becomes 1 and all flow stops. A driven
cycle turns for ever at constant populations, and costs drive times flux.

## Limits

Ideal mixtures; constants in mol, m^3 and s. A step without reverse rate has no finite affinity: it is booked as
production and not as entropy, and its affinity is given as infinite.

## Sources

De Donder 1936; King and Altman 1956; Haldane 1930; Hill 1977; Schnakenberg 1976; Kacser and Burns 1973.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import N_A, R
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.systems.reaction._reversible_claims import CLAIMS
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Table, Values

PARAMETERS = (
    Choice("network", "pathway", ("pathway", "enzyme", "cycle", "reactions"), "how the network is given"),
    Choice("vessel", "open", ("open", "closed"), "open: some species are held"),
    Parameter("temperature", 298.15, "K", "25 C", 1.0, 5000.0),
    Parameter("observed", 1, "", "number of the reaction whose net rate is controlled", 1, 1000, whole=True),
    Numbers("forward", (1.0, 0.12), "1/s", "example of the page", 0.0, 1e15),
    Numbers("reverse", (0.15, 0.05), "1/s", "example of the page", 0.0, 1e15),
    Numbers("ends", (1.0, 0.2), "mol/m^3", "held concentrations of the first and the last species", 0.0, 1e9),
    Parameter("binding", 1e4, "m^3/(mol*s)", "E + S -> ES, 1e7 /(M s) (typical)", 1e-12, 1e12),
    Parameter("unbinding", 300.0, "1/s", "ES -> E + S (typical)", 1e-12, 1e12),
    Parameter("turnover", 120.0, "1/s", "ES -> E + P (typical)", 1e-12, 1e12),
    Parameter("product_binding", 200.0, "m^3/(mol*s)", "E + P -> ES, 2e5 /(M s) (typical)", 1e-12, 1e12),
    Parameter("enzyme_total", 1e-3, "mol/m^3", "1 umol/L (typical)", 1e-15, 1e4),
    Parameter("substrate", 0.3, "mol/m^3", "0.3 mmol/L (typical)", 0.0, 1e5),
    Parameter("product", 1.0, "mol/m^3", "1 mmol/L (typical)", 0.0, 1e5),
    Numbers("rate_matrix", (0, 3.0, 0.5, 0.8, 0, 2.0, 1.5, 0.7, 0), "1/s", "driven three-state cycle", 0.0, 1e15),
    Table(
        "reactions",
        ({"equation": "2 A <-> B", "forward": 0.5, "reverse": 0.1},),
        {"equation": ("text", ...), "forward": ("any", ...), "reverse": ("any", 0.0)},
        "example; constants in mol, m^3, s",
    ),
    Table(
        "species",
        ({"name": "A", "concentration": 1.0, "held": "yes"}, {"name": "B", "concentration": 2.0, "held": "yes"}),
        {"name": ("text", ...), "concentration": ("mol/m^3", 0.0), "held": ("text", "no")},
        "example",
    ),
    Parameter("sampled_molecules", 0, "", "no sampling", 0, 10_000_000, whole=True),
    Parameter("sampled_runs", 200, "", "independent runs, chosen", 2, 100_000, whole=True),
    Parameter("sampled_time", None, "s", "ten relaxation times", 1e-12, 1e12),
    Parameter("seed", 1, "", "of the random numbers", 0, 2**31, whole=True),
)


class Network(NamedTuple):
    """A network: stoichiometry and constants of each reaction, concentration of each species, those that are held."""

    stoichiometry: tuple[Mapping[str, float], ...]
    forward: np.ndarray
    reverse: np.ndarray
    species: Mapping[str, float]
    held: tuple[str, ...]


def pathway(p: Values) -> Network:
    """The unbranched pathway; its inner species start empty."""
    count = len(p.forward)
    if count == 0 or len(p.reverse) != count or len(p.ends) != 2:
        raise InputError("A pathway needs as many reverse as forward constants, at least one, and two ends.")
    names = ["X0", *(f"S{i}" for i in range(1, count)), f"X{count}"]
    steps = tuple({a: -1.0, b: 1.0} for a, b in pairwise(names))
    start = dict.fromkeys(names, 0.0) | {names[0]: p.ends[0], names[-1]: p.ends[1]}
    return Network(steps, np.array(p.forward), np.array(p.reverse), start, (names[0], names[-1]))


def enzyme(p: Values) -> Network:
    """The reversible Michaelis-Menten enzyme by its four constants."""
    steps: tuple[Mapping[str, float], ...] = ({"E": -1.0, "S": -1.0, "ES": 1.0}, {"ES": -1.0, "E": 1.0, "P": 1.0})
    start = {"E": p.enzyme_total, "S": p.substrate, "ES": 0.0, "P": p.product}
    return Network(
        steps, np.array([p.binding, p.turnover]), np.array([p.unbinding, p.product_binding]), start, ("S", "P")
    )


def cycle(p: Values) -> Network:
    """One molecule (1 mol/m^3 of them) in states joined by the rates of the matrix."""
    count = round(len(p.rate_matrix) ** 0.5)
    if count < 2 or count**2 != len(p.rate_matrix):
        raise InputError(f"The rate_matrix is a square one, row by row; {len(p.rate_matrix)} numbers make none.")
    w = np.array(p.rate_matrix).reshape(count, count)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count) if w[i, j] > 0 or w[j, i] > 0]
    steps = tuple({f"state {i}": -1.0, f"state {j}": 1.0} for i, j in pairs)
    forward, reverse = np.array([w[i, j] for i, j in pairs]), np.array([w[j, i] for i, j in pairs])
    return Network(steps, forward, reverse, {f"state {i}": 1.0 / count for i in range(count)}, ())


def listed(p: Values) -> Network:
    """A network from its equations."""
    known = {row["name"]: row["concentration"] for row in p.species}
    steps = tuple(read_equation(row["equation"], known) for row in p.reactions)
    constants = [np.array([float(row[side]) for row in p.reactions]) for side in ("forward", "reverse")]
    held = tuple(row["name"] for row in p.species if row["held"].lower() in ("yes", "true", "1"))
    return Network(steps, constants[0], constants[1], known, held)


def read_equation(text: str, known: Mapping[str, float]) -> dict[str, float]:
    """Stoichiometry of an equation such as "2 A + B <-> C"."""
    sides = re.split(r"<->|<=>|->|=", text)
    if len(sides) != 2:
        raise InputError(f"The equation '{text}' needs one arrow, such as 2 A + B <-> C.")
    found: dict[str, float] = {}
    for sign, side in zip((-1.0, 1.0), sides, strict=True):
        for term in re.split(r"\s\+\s", side.strip()):
            match = re.fullmatch(r"\s*(\d+\.?\d*)?\s*(\S+)\s*", term)
            if match is None or match[2] not in known:
                raise NameUnknown("species", term.strip(), known)
            if match[2] in found:
                raise InputError(
                    f"{match[2]} appears twice in '{text}'; a catalyst that is not used up is not offered."
                )
            found[match[2]] = sign * float(match[1] or 1.0)
    return found


NETWORKS = {"pathway": pathway, "enzyme": enzyme, "cycle": cycle, "reactions": listed}


def network_of(p: Values) -> Network:
    """The network that the parameters describe; in a closed vessel nothing is held."""
    found = NETWORKS[p.network](p)
    return found if p.vessel == "open" else found._replace(held=())


def running(n: Network) -> tuple[np.ndarray, np.ndarray]:
    """Which reactions can run forwards, and which backwards: a constant, and nothing missing for good on that side."""
    missing = {name for name in n.held if n.species[name] == 0.0}
    used = [all(not (nu < 0 and s in missing) for s, nu in r.items()) for r in n.stoichiometry]
    made = [all(not (nu > 0 and s in missing) for s, nu in r.items()) for r in n.stoichiometry]
    return (n.forward > 0) & used, (n.reverse > 0) & made


def vessel(p: Values, n: Network, activity: Any, volume: float = 1.0) -> Model:
    """The stirred vessel (1 m^3, or another volume) with each reaction's constants multiplied by its activity."""
    on, back = running(n)
    both = on & back
    chosen = [r for r, two_way in zip(n.stoichiometry, both, strict=True) if two_way]
    standard, drives = sf.standard_potentials(chosen, n.forward[both], n.reverse[both], p.temperature)
    drive = iter(drives)
    laws: list[Any] = []
    for i, reaction in enumerate(n.stoichiometry):
        if both[i]:
            laws.append(sf.MassAction(reaction, n.forward[i] * activity[i], drive=next(drive)))
        elif back[i]:
            laws.append(sf.OneWay({s: -nu for s, nu in reaction.items()}, n.reverse[i] * activity[i], 0.0))
        else:
            laws.append(sf.OneWay(reaction, (n.forward[i] if on[i] else 0.0) * activity[i], 0.0))
    boundaries = [sf.Hold("vessel", {name: n.species[name] for name in n.held})] if n.held else []
    return sf.Model(
        sf.network({"vessel": volume}, {}),
        [sf.Species(name, standard=standard.get(name, 0.0)) for name in n.species],
        laws,
        boundaries,
        temperature=p.temperature,
        start={name: c for name, c in n.species.items() if name not in n.held},
    )


def model(p: Values) -> Model:
    """The network in its vessel."""
    n = network_of(p)
    return vessel(p, n, np.ones(len(n.stoichiometry)))


def one_way_rates(n: Network, solution: Solution, activity: Any) -> tuple[Any, Any]:
    """Forward and reverse rate of each reaction, (reaction,), mol/(m^3 s)."""
    forward, reverse = [], []
    for i, reaction in enumerate(n.stoichiometry):
        f, r = n.forward[i] * activity[i], n.reverse[i] * activity[i]
        for name, nu in reaction.items():
            c = solution[name][0]
            f, r = (f * c**-nu, r) if nu < 0 else (f, r * c**nu)
        forward.append(f)
        reverse.append(r)
    return jnp.stack(forward), jnp.stack(reverse)


def cycles_of(n: Network) -> np.ndarray:
    """Independent cycles, (cycle, reaction): whole turnovers that leave every species that is not held as it was.

    Exact elimination in fractions; the last reaction of each cycle is in no other one.
    """
    count = len(n.stoichiometry)
    rows = [[Fraction(r.get(s, 0.0)) for r in n.stoichiometry] for s in n.species if s not in n.held]
    pivots: list[int] = []
    for column in range(count):
        row = next((i for i in range(len(pivots), len(rows)) if rows[i][column]), None)
        if row is None:
            continue
        rows[row], rows[len(pivots)] = rows[len(pivots)], rows[row]
        top = rows[len(pivots)]
        top[:] = [x / top[column] for x in top]
        for i, other in enumerate(rows):
            if i != len(pivots) and other[column]:
                rows[i] = [x - other[column] * y for x, y in zip(other, top, strict=True)]
        pivots.append(column)
    found = []
    for free in (j for j in range(count) if j not in pivots):
        vector = [Fraction(0)] * count
        vector[free] = Fraction(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -rows[row][free]
        whole = lcm(*(x.denominator for x in vector))
        found.append([float(x * whole) for x in vector])
    return np.array(found).reshape(-1, count)


def overall(forward: np.ndarray, reverse: np.ndarray) -> tuple[float, float]:
    """One-way fluxes through a whole chain of steps: what enters and comes out at the other end (Hill 1977)."""
    resistance = np.cumprod(np.concatenate([[1.0], reverse[:-1] / forward[:-1]])) / forward
    through = 1.0 / float(resistance.sum())
    return through, through * float(np.prod(reverse / forward))


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Rates, affinities, cycles and control of the steady state."""
    n = network_of(p)
    unit = np.ones(len(n.stoichiometry))
    if p.observed > unit.size:
        raise InputError(
            f"The network has {unit.size} reactions; there is none with the number {p.observed} to observe."
        )
    forward, reverse = (np.asarray(x) for x in one_way_rates(n, solution, unit))
    net = forward - reverse
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = reverse / forward
        affinity = -R * p.temperature * np.log(gamma)
    cycles = cycles_of(n)
    turned = [np.flatnonzero(c) for c in cycles]
    found: dict[str, Any] = {
        "concentrations": [float(solution[name][0]) for name in n.species],
        "net": net.tolist(),
        "forward": forward.tolist(),
        "reverse": reverse.tolist(),
        "gamma": gamma.tolist(),
        "affinity": affinity.tolist(),
        "entropy_production": float(solution.entropy.production),
        "cycles": cycles.tolist(),
        "cycle_fluxes": [float(net[at[-1]] / c[at[-1]]) for c, at in zip(cycles, turned, strict=True)],
        "cycle_affinities": [float(c[at] @ affinity[at]) for c, at in zip(cycles, turned, strict=True)],
    }
    if p.network in ("pathway", "enzyme") and np.all(forward > 0):
        there, back = overall(forward, reverse)
        found |= {"overall_forward": there, "overall_reverse": back, "overall_gamma": back / there}
    if p.sampled_molecules:
        found |= sampled(p, n, solution)
    watched = p.observed - 1
    if abs(net[watched]) > 1e-9 * max(forward[watched], reverse[watched]):
        found["control_coefficients"] = np.asarray(
            jax.grad(lambda log_e: _logarithm(p, n, jnp.exp(log_e), watched))(jnp.zeros(unit.size))
        ).tolist()
    return found


def sampled(p: Values, n: Network, solution: Solution) -> dict[str, Any]:
    """Net rates, affinities and concentrations as single reactions show them, about the steady state."""
    unit = np.ones(len(n.stoichiometry))
    there = sum(float(solution[name][0]) for name in n.species)
    volume = p.sampled_molecules / (N_A * there)
    small = vessel(p, n, unit, volume)
    rest = sf.steady(solution.model)
    time = p.sampled_time
    if time is None:
        fixed = set(n.held) >= set(n.species)  # then nothing relaxes, and any time will do that sees some reactions
        forward = one_way_rates(n, solution, unit)[0]
        time = 100.0 / (N_A * volume * float(jnp.max(forward))) if fixed else 10.0 * sf.spectrum(rest, 1).time
    drawn = sf.sample(small, 2.0 * time, times=[time], start=rest, runs=p.sampled_runs, seed=p.seed)
    on, back = running(n)
    # A reaction that runs only backwards stands in the model the other way round.
    acts = [drawn.acts(i, since=time)[:, -1, :: -1 if back[i] and not on[i] else 1] for i in range(unit.size)]
    nets = [(a[:, 0] - a[:, 1]) / (N_A * volume * time) for a in acts]
    states = [drawn.state(name) for name in n.species]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = [R * p.temperature * np.log(a[:, 0].sum() / a[:, 1].sum()) for a in acts]
    return {
        "sampled_net": [float(x.mean()) for x in nets],
        "sampled_net_error": [float(x.std(ddof=1) / np.sqrt(x.size)) for x in nets],
        "sampled_affinity": [float(x) for x in ratio],
        "sampled_counts": [a.sum(axis=0).tolist() for a in acts],
        "sampled_concentrations": [float(x.mean[-1, 0]) for x in states],
        "sampled_errors": [float(x.error[-1, 0]) for x in states],
        "sampled_variances": [float(x.variance[-1, 0]) for x in states],
    }


def _logarithm(p: Values, n: Network, activity: Any, watched: int) -> Any:
    """Logarithm of one reaction's net rate at these activities."""
    forward, reverse = one_way_rates(n, sf.steady(vessel(p, n, activity)), activity)
    return jnp.log(jnp.abs(forward[watched] - reverse[watched]))


def figure(result: Result) -> Figure:
    """One-way rates of each reaction, and each reaction on the curve v / v_f = 1 - exp(-A / R T)."""
    a, p = result.answers, result.parameters
    fig = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = fig.subplots(1, 2)
    at = np.arange(len(a["net"]))
    for shift, name in ((-0.27, "forward"), (0.0, "reverse"), (0.27, "net")):
        left.bar(at + shift, a[name], 0.25, label=name)
    left.set_xticks(at, [f"{i + 1}" for i in at])
    left.set_xlabel("reaction")
    left.set_ylabel("rate (mol m$^{-3}$ s$^{-1}$)")
    left.legend()
    force = np.array(a["affinity"]) / (R * p.temperature)
    finite = np.isfinite(force)
    reach = max(3.0, 1.1 * float(np.max(np.abs(force[finite]), initial=0.0)))
    x = np.linspace(-reach if np.any(force < 0) else -1.0, reach, 200)
    right.plot(x, 1.0 - np.exp(-x), color="k", label="1 - exp(-A/RT)")
    right.plot(x, x, color="C7", linestyle=":", label="near equilibrium: A/RT")
    for i in at[finite]:
        right.plot(force[i], 1.0 - a["gamma"][i], "o", label=f"reaction {i + 1}")
    lowest = 1.0 - max([1.5, *(np.array(a["gamma"])[finite])])
    right.set_ylim(1.2 * lowest, 1.6)
    right.set_xlabel("affinity A / RT")
    right.set_ylabel("net over forward rate, 1 - $\\Gamma$")
    right.legend(fontsize="small")
    return fig


SYSTEM = System(
    name="reversible_reaction",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "concentrations": "mol/m^3",
        **dict.fromkeys(("net", "forward", "reverse", "cycle_fluxes"), "mol/(m^3*s)"),
        **dict.fromkeys(("overall_forward", "overall_reverse"), "mol/(m^3*s)"),
        **dict.fromkeys(("affinity", "cycle_affinities"), "J/mol"),
        **dict.fromkeys(("gamma", "overall_gamma", "cycles", "control_coefficients"), ""),
        "entropy_production": "W/K",
        **dict.fromkeys(("sampled_net", "sampled_net_error"), "mol/(m^3*s)"),
        **dict.fromkeys(("sampled_concentrations", "sampled_errors"), "mol/m^3"),
        "sampled_variances": "mol^2/m^6",
        "sampled_counts": "",
        "sampled_affinity": "J/mol",
    },
    claims=CLAIMS,
    figure=figure,
)
