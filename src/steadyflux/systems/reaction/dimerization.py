"""2 NO2 <-> N2O4: a reaction whose rate is in proportion to its affinity only very near equilibrium.

Seeds: C

Brown nitrogen dioxide pairs up to colourless dinitrogen tetroxide in a closed vessel of fixed volume and temperature,
both ideal gases. From what is filled in (pure NO2, pure N2O4, or nearly the equilibrium mixture) the mixture relaxes,
within a tenth of a microsecond at one bar. Its equilibrium constant comes from tabulated enthalpies, entropies and heat
capacities.

Equations

    v = k_f c1^2 - k_r c2,   k_r = k_f / K_c,   c1 NO2, c2 N2O4,   dc2/dt = v = -(1/2) dc1/dt
    mu(T) = H + C (T - T0) - T (S + C ln(T / T0)) + R T ln(c R T / p0),   K_c = exp(-(mu2 - 2 mu1)0 / R T) R T / p0
    affinity A = 2 mu1 - mu2 = R T ln(K_c c1^2 / c2),   v = k_f c1^2 (1 - exp(-A / R T))
    near equilibrium    v = (v_eq / R T) A  with v_eq = k_f c1_eq^2   (`linear_rate`)
    entropy production A v / T,   relaxation time 1 / (4 k_f c1_eq + k_r)

Rate, affinity, linear rate, its relative error and the entropy production are told at the asked `times`; `path` is N2O4
at these times. `affinity_one_percent` is the affinity, over R T, at which the linear rate is off by 1 % on the side of
NO2. `entropy_total` is the entropy produced from the first asked time on, to equilibrium.

With `sampled_molecules` the same vessel is made so small that it holds that many NO2 units and is followed molecule by
molecule in `sampled_runs` runs: `sampled_path` with its standard error.

What to look for: at room temperature the linear law of irreversible thermodynamics is off by 1 % at an affinity of
0.0275 R T, 70 J/mol, where the mixture differs from equilibrium by a percent. From pure NO2, whose affinity is without
bound, it gives a third of the rate; from pure N2O4 the error has the other sign, and vanishes once in between. And yet
the mixture forgets at one and the same rate throughout: for this stoichiometry the exact solution is logistic.

Limits: one step, isothermal (the heat, 57 kJ/mol, is taken away at once: `heat_rate`), stirred; k_f does not depend on
pressure or temperature here, though it does in the fall-off of a real association.

Sources: M. W. Chase, NIST-JANAF Thermochemical Tables (1998): NO2 33.10 kJ/mol, 240.04 J/mol/K, 36.97 J/mol/K; N2O4
9.08, 304.38, 77.26 (at 298.15 K and 1 bar); association near its high-pressure limit, 5e5 m^3/mol/s (typical; not
measured at these conditions); T. De Donder and P. Van Rysselberghe, Affinity (1936).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.constants import N_A, R
from steadyflux.ground.errors import InputError
from steadyflux.model.accounts import account
from steadyflux.model.history import History
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

STANDARD = 1e5  # Pa, pressure of the tables
ROOM = 298.15  # K, their temperature
NEAR = 1e-6  # distance from equilibrium, relative, below which the slowest mode tells it best
LAPS = 45.0  # relaxation times after which nothing is left to happen
JANAF = "NIST-JANAF Thermochemical Tables 1998, 298.15 K, 1 bar"

PARAMETERS = (
    Parameter("temperature", ROOM, "K", "room temperature", 200.0, 700.0),
    Parameter("no2", 40.34, "mol/m^3", "pure NO2 at 1 bar", 0.0, 1e5),
    Parameter("n2o4", 0.0, "mol/m^3", "none to begin with", 0.0, 1e5),
    Parameter("rate_constant", 5e5, "m^3/(mol*s)", "association, high-pressure limit (typical)", 1e-12, 1e12),
    Numbers("times", (1e-9, 1e-8, 1e-7), "s", "before, within and after relaxation, chosen", 1e-18, 1e18),
    Parameter("enthalpy_no2", 33.10e3, "J/mol", JANAF, -1e7, 1e7),
    Parameter("enthalpy_n2o4", 9.08e3, "J/mol", JANAF, -1e7, 1e7),
    Parameter("entropy_no2", 240.04, "J/(mol*K)", JANAF, 0.0, 1e4),
    Parameter("entropy_n2o4", 304.38, "J/(mol*K)", JANAF, 0.0, 1e4),
    Parameter("heat_capacity_no2", 36.97, "J/(mol*K)", JANAF, 0.0, 1e4),
    Parameter("heat_capacity_n2o4", 77.26, "J/(mol*K)", JANAF, 0.0, 1e4),
    Parameter("equilibrium_constant", None, "m^3/mol", "from the tables", 1e-15, 1e15),
    Parameter("sampled_molecules", 0, "", "no sampling", 0, 10_000_000, whole=True),
    Parameter("sampled_runs", 200, "", "independent runs, chosen", 2, 100_000, whole=True),
    Parameter("seed", 1, "", "of the random numbers", 0, 2**31, whole=True),
)


def standards(p: Values) -> tuple[Any, Any]:
    """Standard potentials of NO2 and N2O4 at the temperature and 1 bar, J/mol."""
    T, xp = p.temperature, array_module(p.items)
    one, two = (
        p.items[f"enthalpy_{name}"]
        + p.items[f"heat_capacity_{name}"] * (T - ROOM - T * xp.log(T / ROOM))
        - T * p.items[f"entropy_{name}"]
        for name in ("no2", "n2o4")
    )
    if p.equilibrium_constant is not None:
        two = 2.0 * one - R * T * xp.log(p.equilibrium_constant * STANDARD / (R * T))
    return one, two


def vessel(p: Values, volume: float) -> Model:
    """The closed vessel of this volume, m^3."""
    one, two = standards(p)
    unit = STANDARD / (R * p.temperature)
    return sf.Model(
        sf.network({"vessel": volume}, {}),
        [sf.Species("NO2", standard=one, reference=unit), sf.Species("N2O4", standard=two, reference=unit)],
        [sf.MassAction({"NO2": -2, "N2O4": 1}, p.rate_constant)],
        temperature=p.temperature,
        start={"NO2": p.no2, "N2O4": p.n2o4},
    )


def model(p: Values) -> Model:
    """The vessel of one cubic metre."""
    if p.no2 + p.n2o4 == 0.0:
        raise InputError("The vessel is empty; give no2 or n2o4 a concentration above zero.")
    if list(p.times) != sorted(set(p.times)):
        raise InputError("The times must increase.")
    return vessel(p, 1.0)


def solve(p: Values, model: Model) -> History:
    """The way from the start to equilibrium."""
    end = max(p.times[-1], LAPS * sf.spectrum(sf.steady(model), 1).time)
    return sf.evolve(model, end, rtol=1e-12, atol=1e-15)


def moment(model: Model, state: State) -> tuple[float, float, float]:
    """Rate of association, mol/(m^3 s), affinity, J/mol, and entropy production, W/(K m^3), of a state."""
    books = account(model, state)
    y = np.asarray(books.conjugate)[0]
    T = float(model.given["T"][0])
    return float(books.laws[0].flux[0, 1]), T * float(y[1] - 2.0 * y[0]), float(books.laws[0].entropy[0])


def one_percent(model: Model, rest: np.ndarray, slope: float) -> float:
    """Affinity, J/mol, at which the linear rate ``slope`` A is off by 1 %, on the side of NO2."""

    def off(x: float) -> float:
        rate, affinity, _ = moment(model, State(jnp.asarray([[rest[0] + 2.0 * x, rest[1] - x]]), jnp.zeros(0)))
        return abs(slope * affinity / rate - 1.0) - 0.01

    reach = rest[1] * np.geomspace(1e-6, 1.0 - 1e-9, 80)
    beyond = next((i for i, x in enumerate(reach) if off(x) > 0.0), None)
    if not beyond:
        return float("nan")
    root: Any = brentq(off, reach[beyond - 1], reach[beyond], xtol=1e-15 * rest[1])
    x = float(root)
    return moment(model, State(jnp.asarray([[rest[0] + 2.0 * x, rest[1] - x]]), jnp.zeros(0)))[1]


def remainder(
    p: Values, history: History, rest: np.ndarray, relaxation: float, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where so little is left to happen that it drowns in the rounding of the concentrations: which times (time,);
    rate, affinity and entropy production there, (time, 3); and the linear law's error, (time,).

    From the moment when the distance to equilibrium is a millionth it falls as the slowest mode does.
    """
    distance = history["N2O4"][:, 0] - rest[1]
    near = np.flatnonzero(np.abs(distance) < NEAR * min(0.5 * rest[0], rest[1]))
    if not near.size:
        return np.zeros(times.size, bool), np.zeros((times.size, 3)), np.zeros(times.size)
    begin = history.times[near[0]]
    late = times > begin
    x = distance[near[0]] * np.exp(-(np.where(late, times, begin) - begin) / relaxation)
    one, two = -2.0 * x / rest[0], x / rest[1]
    force = 2.0 * np.log1p(one) - np.log1p(two)
    rate = -p.rate_constant * (rest[0] * (1.0 + one)) ** 2 * np.expm1(-force)
    # linear over true rate: a / (1 - exp(-a)) over (c1 / c1_eq)^2, to third order in a
    error = np.expm1(0.5 * force + force**2 / 24.0 - 2.0 * np.log1p(one))
    return late, np.stack([rate, R * p.temperature * force, R * rate * force], axis=1), error


def answers(p: Values, history: History) -> dict[str, Any]:
    """The path, with rates and affinities at the asked times, and equilibrium."""
    rest_at = sf.steady(history.model)
    rest = np.array([float(rest_at["NO2"][0]), float(rest_at["N2O4"][0])])
    thermal = R * p.temperature
    exchange = p.rate_constant * rest[0] ** 2
    end = float(history.times[-1])
    times = [t for t in p.times if t <= end] or [end]
    relaxation = sf.spectrum(rest_at, 1).time
    path = np.stack([history.values(name, times)[:, 0] for name in ("NO2", "N2O4")], axis=1)
    found = np.array([moment(history.model, State(jnp.asarray([c]), jnp.zeros(0))) for c in path])
    with np.errstate(divide="ignore", invalid="ignore"):
        error = exchange * found[:, 1] / (thermal * found[:, 0]) - 1.0
    late, found_late, error_late = remainder(p, history, rest, relaxation, np.array(times))
    rate, affinity, production = np.where(late[:, None], found_late, found).T
    error = np.where(late, error_late, error)
    linear = exchange * affinity / thermal
    first = moment(history.model, State(jnp.asarray([[p.no2, p.n2o4]]), jnp.zeros(0)))
    one, two = standards(p)
    warmth = [
        p.items[f"enthalpy_{n}"] + p.items[f"heat_capacity_{n}"] * (p.temperature - ROOM) for n in ("no2", "n2o4")
    ]
    constant = float(np.exp((2.0 * one - two) / thermal))
    later = np.interp(times[0], np.append(0.0, history.times), np.append(0.0, history.entropy_produced))
    answers = {
        "times_told": times,
        "path": path[:, 1].tolist(),
        "no2_path": path[:, 0].tolist(),
        "rate": rate.tolist(),
        "affinity": affinity.tolist(),
        "linear_rate": linear.tolist(),
        "linear_error": error.tolist(),
        "entropy_production": production.tolist(),
        "rate_start": first[0],
        "affinity_start": first[1],
        "heat_rate": (rate * (2.0 * warmth[0] - warmth[1])).tolist(),
        "relaxation_time": relaxation,
        "decay_rate": 1.0 / relaxation,
        "no2_equilibrium": rest[0],
        "n2o4_equilibrium": rest[1],
        "dissociation": rest[0] / (rest[0] + 2.0 * rest[1]),
        "constant": constant * thermal / STANDARD,
        "constant_of_pressures": constant / STANDARD,
        "affinity_one_percent": one_percent(history.model, rest, exchange / thermal) / thermal,
        "entropy_total": float(history.entropy_produced[-1] - later),
    }
    return answers | (sampled(p, times) if p.sampled_molecules else {})


def sampled(p: Values, times: list[float]) -> dict[str, Any]:
    """The path molecule by molecule, in a vessel that holds so many NO2 units."""
    units = p.no2 + 2.0 * p.n2o4
    small = vessel(p, p.sampled_molecules / (N_A * units))
    found = sf.sample(small, times[-1], times=times, runs=p.sampled_runs, seed=p.seed, tolerance=0.01)
    state = found.state("N2O4")
    return {
        "sampled_path": state.mean[:, 0].tolist(),
        "sampled_error": state.error[:, 0].tolist(),
        "sampled_variance": found.number("N2O4").variance[:, 0].tolist(),
    }


# Independent reference computation (logistic solution), SI: parameters, then what must come out.
FROM_NO2 = (
    {"temperature": 298.15, "no2": 40.34, "n2o4": 0.0, "rate_constant": 5e5, "times": (1e-9, 1e-8, 1e-7)},
    {
        "constant": 0.1674221800332838,
        "n2o4_equilibrium": 15.378032201318389,
        "no2_equilibrium": 9.583935597363226,
        "dissociation": 0.23757896870012954,
        "relaxation_time": 4.513789629541393e-08,
        "decay_rate": 22154333.322388392,
        "path": [0.7809559476131823, 5.720239597767072, 14.627923925752267],
        "rate": [749537763.1698743, 400507872.443994, 17743473.61491935],
        "affinity": [14317.7383888984, 7923.744949827257, 844.9866520532951],
        "linear_rate": [265254769.56015384, 146797705.3100475, 15654479.330729527],
        "linear_error": [-0.6461088652313348, -0.6334711115308342, -0.11773310736818299],
        "entropy_production": [35994249893.22941, 10644045720.758533, 50286762.923584364],
        "affinity_one_percent": 0.02750281510793846,
        "entropy_total": 309.94878264495685,
    },
)
FROM_N2O4 = (
    {"temperature": 350.0, "no2": 0.0, "n2o4": 10.0, "rate_constant": 3e5, "times": (1e-9, 2e-8, 3e-7)},
    {
        "constant": 0.006502742179176887,
        "n2o4_equilibrium": 1.7642577084916458,
        "no2_equilibrium": 16.471484583016707,
        "dissociation": 0.8235742291508353,
        "relaxation_time": 1.5174468887843052e-08,
        "path": [9.549217579326177, 4.240688737576099, 1.764257733624621],
        "rate": [-440303417.9841014, -155837960.0870366, -1.6562671959400177],
        "affinity": [-21823.244476487464, -4633.7697543697805, -5.921693013451391e-05],
        "linear_rate": [-610384970.4705217, -129604166.68270923, -1.6562672058434418],
        "linear_error": [0.38628260771884726, -0.168340200228979, -4.0711e-09],  # the last by expansion
        "entropy_production": [27453854670.000263, 2063192074.3828435, 2.8022588236019224e-07],
        "affinity_one_percent": 0.04916495046819481,
        "entropy_total": 177.0292716206443,
    },
)
# The same reaction written as dissociation with the NBS tables of 1982 and no heat capacities: 0.5 bar of N2O4.
NBS = {"enthalpy_no2": 33.18e3, "enthalpy_n2o4": 9.16e3, "entropy_no2": 240.06, "entropy_n2o4": 304.29}
NBS |= {"heat_capacity_no2": 0.0, "heat_capacity_n2o4": 0.0}


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in (FROM_NO2, FROM_N2O4):
        measured = run(**given).answers
        found += [Comparison(measured[name], value, 2e-5) for name, value in expected.items()]
    return found


def _dissociation(run: Callable[..., Result]) -> list[Comparison]:
    thermal = R * 298.15
    split = 5.874379293105364  # mol/m^3, k_f / k_b of N2O4 <-> 2 NO2
    a = run(
        **NBS,
        no2=1000.0 / thermal,
        n2o4=50000.0 / thermal,
        rate_constant=70000.0 / split,
        times=(1e-15, 1e-6, 5e-6, 2e-5),
    ).answers
    return [
        Comparison(1.0 / a["constant"], split, 1e-9),
        Comparison([a["n2o4_equilibrium"], a["no2_equilibrium"]], [15.587015443470017, 9.568910113614496], 1e-9),
        Comparison(a["relaxation_time"], 1.9007852016159296e-06, 1e-8),
        Comparison(a["path"][1:], [18.849071638136813, 16.12410413838729, 15.587226538399982], 1e-8),
        Comparison([-a["rate_start"], -a["affinity_start"]], [1409945.003670063, 16337.47043434288], 1e-9),
        Comparison(a["entropy_total"], 70.70751086026289, 1e-5),
        Comparison(a["heat_rate"][0] / a["rate"][0], 80648854209.92761 / 1409945.003670063, 1e-9),
    ]


def _published(run: Callable[..., Result]) -> list[Comparison]:
    a = run().answers
    return [
        Comparison(a["constant_of_pressures"] * 1e5, 6.75, 0.01),
        Comparison(a["affinity_one_percent"], 0.0275, 0.002),
    ]


def _logistic(run: Callable[..., Result]) -> list[Comparison]:
    # dx/dt = k_f (c - 2x)^2 - k_r x has the roots x1 < x2: (x1 - x) / (x2 - x) falls as exp(-4 k_f (x2 - x1) t).
    times = (1e-10, 3e-9, 2e-8, 2e-7)
    a = run(temperature=320.0, no2=25.0, n2o4=4.0, times=times).answers
    k_f, k_r, units = 5e5, 5e5 / a["constant"], 33.0
    low, high = sorted(np.roots([4.0 * k_f, -(4.0 * k_f * units + k_r), k_f * units**2]).real)
    ratio = (low - 4.0) / (high - 4.0) * np.exp(-4.0 * k_f * (high - low) * np.array(times))
    return [
        Comparison(a["path"], (low - ratio * high) / (1.0 - ratio), 1e-9),
        Comparison(a["decay_rate"], 4.0 * k_f * (high - low), 1e-9),
    ]


def _linear_limit(run: Callable[..., Result]) -> list[Comparison]:
    # The error of the linear law is in proportion to the affinity: half as far from equilibrium, half as wrong.
    a = run(times=(3e-7, 3e-7 + 4.513789629541393e-08 * np.log(2.0))).answers
    return [
        Comparison(a["linear_error"][1] / a["linear_error"][0], 0.5, 1e-2),
        Comparison(a["affinity"][1] / a["affinity"][0], 0.5, 1e-2),
    ]


def _helmholtz(run: Callable[..., Result]) -> Comparison:
    # Entropy produced at fixed T and V is the loss of Helmholtz energy over T: sum c (mu - R T).
    a = run(no2=30.0, n2o4=1.0, times=(2e-9, 1e-7)).answers
    thermal, standard = R * 298.15, (33.10e3 - 298.15 * 240.04, 9.08e3 - 298.15 * 304.38)

    def energy(c: tuple[float, float]) -> float:
        return sum(x * (mu + thermal * (np.log(x * thermal / 1e5) - 1.0)) for x, mu in zip(c, standard, strict=True))

    start, end = (a["no2_path"][0], a["path"][0]), (a["no2_equilibrium"], a["n2o4_equilibrium"])
    return Comparison(a["entropy_total"], (energy(start) - energy(end)) / 298.15, 1e-6)


def _van_t_hoff(run: Callable[..., Result]) -> Comparison:
    below, above = (run(temperature=T).answers["constant_of_pressures"] for T in (309.9, 310.1))
    heat = 9.08e3 - 2 * 33.10e3 + (77.26 - 2 * 36.97) * (310.0 - 298.15)
    return Comparison(np.log(above / below) / (1 / 310.1 - 1 / 309.9), -heat / R, 1e-5)


def _sampled(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for molecules, runs in ((2000, 200), (400_000, 50)):
        a = run(sampled_molecules=molecules, sampled_runs=runs).answers
        off = (np.array(a["sampled_path"]) - np.array(a["path"])) / np.array(a["sampled_error"])
        found.append(Comparison(off, np.zeros(3), 0.0, 4.0))
    return found


CLAIMS = (
    Claim("path, rates and affinities from either side", "independent reference computation", _reference),
    Claim("the same, written as dissociation with other tables", "NBS tables 1982", _dissociation),
    Claim("K_p near 6.75 per bar; 1 % off at 0.0275 R T", "measured range 6.7 to 6.8; expansion", _published),
    Claim("the path is logistic, at one rate throughout", "exact solution", _logistic),
    Claim("the linear law's error vanishes with the affinity", "De Donder 1936", _linear_limit),
    Claim("entropy produced is the Helmholtz energy lost over T", "second law", _helmholtz),
    Claim("the constant changes with temperature by the heat of reaction", "van 't Hoff 1884", _van_t_hoff),
    Claim("sampled molecules meet the mean path within 4 standard errors", "law of large numbers", _sampled),
)


def figure(result: Result) -> Figure:
    """The way to equilibrium, and the rate against the affinity with the linear law beside it."""
    a, p, history = result.answers, result.parameters, result.history
    fig = Figure(figsize=(11.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    seen = history.times > 0
    left.semilogx(history.times[seen], history["NO2"][seen, 0], color="C3", label="NO2")
    left.semilogx(history.times[seen], history["N2O4"][seen, 0], color="C0", label="N2O4")
    left.axvline(a["relaxation_time"], color="C7", linestyle=":", label="relaxation time")
    left.set_xlim(1e-3 * a["relaxation_time"], history.times[-1])
    if "sampled_path" in a:
        left.errorbar(a["times_told"], a["sampled_path"], a["sampled_error"], fmt="k.", label="N2O4, sampled")
    left.set_xlabel("time / s")
    left.set_ylabel("concentration / mol m$^{-3}$")
    left.legend()
    units, rest, thermal = p.no2 + 2.0 * p.n2o4, a["n2o4_equilibrium"], R * p.temperature
    extent = np.concatenate([rest * np.geomspace(1e-3, 1, 60), rest + (0.5 * units - rest) * np.linspace(0, 0.98, 60)])
    force = np.log(a["constant"] * (units - 2.0 * extent) ** 2 / extent)
    exchange = p.rate_constant * a["no2_equilibrium"] ** 2
    right.plot(force, p.rate_constant * (units - 2 * extent) ** 2 * (1 - np.exp(-force)) / exchange, "C0", label="rate")
    right.plot(force, force, "C3--", label="linear law")
    right.plot(np.array(a["affinity"]) / thermal, np.array(a["rate"]) / exchange, "ko", label="at the asked times")
    right.axhline(0.0, color="C7", linewidth=0.8)
    right.axvline(0.0, color="C7", linewidth=0.8)
    right.set_xlabel("affinity A / RT")
    right.set_ylabel("rate over the exchange rate at equilibrium")
    right.set_title(f"linear law off by 1 % at A = {a['affinity_one_percent']:.4f} RT")
    right.legend()
    return fig


SYSTEM = System(
    name="dimerization",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    solve=solve,
    units={
        **dict.fromkeys(("times_told", "relaxation_time"), "s"),
        **dict.fromkeys(("path", "no2_path", "no2_equilibrium", "n2o4_equilibrium"), "mol/m^3"),
        **dict.fromkeys(("sampled_path", "sampled_error"), "mol/m^3"),
        **dict.fromkeys(("rate", "rate_start", "linear_rate"), "mol/(m^3*s)"),
        **dict.fromkeys(("linear_error", "dissociation", "affinity_one_percent", "sampled_variance"), ""),
        **dict.fromkeys(("affinity", "affinity_start"), "J/mol"),
        "entropy_production": "W/(K*m^3)",
        "entropy_total": "J/(K*m^3)",
        "heat_rate": "W/m^3",
        "decay_rate": "1/s",
        "constant": "m^3/mol",
        "constant_of_pressures": "1/Pa",
    },
    claims=CLAIMS,
    figure=figure,
)
