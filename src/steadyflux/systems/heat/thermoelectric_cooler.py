"""A solid-state refrigerator: a current carries heat from a cold plate to a hot one, and its own waste sets the limit.

Seeds: C

Legs of a semiconductor join two plates, side by side for the heat and one after another for the current. The current
carries the heat S T I of Peltier away from the cold plate. Half of what its resistance wastes flows back, and so does
what the legs conduct. More current thus cools more only up to an optimum, and the temperature difference has a limit.

Equations

    I/A   = -(phi' + S(T) T') / rho(T)
    J_E/A = -k(T) T' + (S T + phi) I/A          (the whole energy, constant along a leg at rest)
    hence (k T')' + rho (I/A)^2 - T S'(T) T' I/A = 0       (Joule's heat, and Thomson's with tau = T dS/dT)
    cold plate:  Q_c = J_E with phi = 0 there;    hot plate:  Q_h = Q_c + P,    P = voltage times current
    contact:     each end of a leg has an electric resistance, r/A, and a thermal one, R/A, in series with it
    in time      C dT/dt = -d(J_E/A)/dx

Both flows follow from one symmetric matrix between grad(1/T) and -grad(phi/T); the same S in Seebeck's and in Peltier's
effect is its symmetry. `reciprocity_defect` is how far the computed fluxes are from that: the module is brought to its
mean temperature, the flows of heat and charge are differentiated by the temperature and the potential of the hot side,
and L_12 is compared with L_21.

For constant properties, with Z = S^2/(rho k), R = rho L/A and K = k A/L of one leg,

    Q_c = S I T_c - I^2 R/2 - K (T_h - T_c),    optimum current S T_c/R,    largest difference Z T_c^2/2
    best cop = T_c/(T_h - T_c) (sqrt(1 + Z T) - T_h/T_c) / (sqrt(1 + Z T) + 1),    T the mean temperature.

`optimum_current` is where dQ_c/dI = 0, `cop_current` where d(cop)/dI = 0, `maximum_temperature_difference` what the
module reaches without load at the best current; the derivatives by the current are exact, through the solved state.
With a `load` the cold side takes the temperature at which the module cools that much, and `cold` is only where a run in
time and the optima of given temperatures start from. A run in time starts with everything at the temperature `hot`
(with a load) or between the two plates, the current switched on at once.

What to look for: the hottest place of a strongly driven leg lies inside it. At the optimum current a module wastes
several times what it pumps; the best coefficient of performance needs far less current.

Limits: one dimension, no losses from the sides, p and n legs alike. The polynomials must stay positive (k and rho) from
the coldest to the hottest place; those of the default hold from about 150 K to 450 K.

Sources: de Groot and Mazur, Non-Equilibrium Thermodynamics (1962), ch. XIII; A. F. Ioffe, Semiconductor Thermoelements
(1957); properties of bismuth telluride, Melcor's polynomials as quoted in D. M. Rowe (ed.), Handbook of Thermoelectrics
(1995), S = (22224 + 930.6 T - 0.9905 T^2) 1e-9 V/K, rho = (5112 + 163.4 T + 0.6279 T^2) 1e-10 Ohm m,
k = (62605 - 277.7 T + 0.4131 T^2) 1e-4 W/(m K); heat capacity 1.2 MJ/(m^3 K), typical value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError
from steadyflux.systems._onsager import defect, response
from steadyflux.systems.heat._cooler_claims import CLAIMS
from steadyflux.systems.system import Numbers, Parameter, Result, System, Values

STEPS = 200  # along a leg
PERFECT = 1e-10  # share of a leg's resistance that a contact without one counts as

PARAMETERS = (
    Numbers(
        "seebeck",
        (2.2224e-05, 9.306e-07, -9.905e-10),
        "V/K",
        "coefficients in ascending powers of T/K; bismuth telluride, Melcor's polynomials",
    ),
    Numbers(
        "resistivity",
        (5.112e-07, 1.634e-08, 6.279e-11),
        "ohm*m",
        "coefficients in ascending powers of T/K; bismuth telluride, Melcor's polynomials",
    ),
    Numbers(
        "conductivity",
        (6.2605, -0.02777, 4.131e-05),
        "W/(m*K)",
        "coefficients in ascending powers of T/K; bismuth telluride, Melcor's polynomials",
    ),
    Parameter("length", 1.6e-3, "m", "of a leg; a common module, typical value", low=1e-7, high=1.0),
    Parameter("area", 1.96e-6, "m^2", "of a leg, 1.4 mm by 1.4 mm; typical value", low=1e-14, high=1.0),
    Parameter("pairs", 127.0, "", "pairs of legs; a common module", low=0.5, high=1e6),
    Parameter("hot", 300.0, "K", "chosen", low=10.0, high=2000.0),
    Parameter("cold", 270.0, "K", "chosen", low=10.0, high=2000.0),
    Parameter("load", None, "W", "heat to be pumped; without it the cold side is held at `cold`"),
    Parameter("current", 2.5, "A", "chosen", low=-1e6, high=1e6),
    Parameter("contact_resistivity", 0.0, "ohm*m^2", "of each end of a leg; perfect contact", low=0.0, high=1e-3),
    Parameter(
        "contact_resistance", 0.0, "K*m^2/W", "thermal, of each end of a leg; perfect contact", low=0.0, high=1.0
    ),
    Parameter("heat_capacity", 1.2e6, "J/(m^3*K)", "bismuth telluride, typical value", low=0.0, high=1e9),
)


def _legs(p: Values) -> Any:
    return 2.0 * p.pairs


def _check(p: Values) -> None:
    for name in ("seebeck", "resistivity", "conductivity"):
        if not p.items[name]:
            raise InputError(f"{name} needs at least one number: its value, or coefficients in ascending powers of T.")
    if is_traced(p.items):
        return
    T = np.linspace(min(p.hot, p.cold), max(p.hot, p.cold), 101)
    for name, unit in (("resistivity", "Ohm m"), ("conductivity", "W/(m K)")):
        values = np.polyval(p.items[name][::-1], T)
        if np.any(values <= 0):
            raise InputError(
                f"The {name} falls to {values.min():g} {unit} at {T[np.argmin(values)]:.5g} K, between cold and hot; "
                "choose coefficients that keep it positive there."
            )


def _at(coefficients: Any, T: Any) -> Any:
    return sf.Polynomial(tuple(coefficients))(jnp.asarray(T, dtype=float))


def _has_contacts(p: Values) -> bool:
    given = (p.contact_resistivity, p.contact_resistance)
    return is_traced(given) or any(x > 0 for x in given)


def _module(p: Values, cold: dict[str, Any], hot: dict[str, Any], current: Any, load: Any) -> sf.Model:
    """One leg between its plates; a contact is a thin layer with its two resistances and no Seebeck coefficient."""
    law = sf.Thermoelectric(tuple(p.seebeck), tuple(p.resistivity), tuple(p.conductivity), on="leg")
    regions, laws = [sf.Region("leg", p.length, STEPS)], [law]
    if _has_contacts(p):
        width = 1e-3 * p.length
        rho, k = (_at(p.items[name], p.hot) for name in ("resistivity", "conductivity"))
        electric = p.contact_resistivity + PERFECT * rho * p.length
        thermal = p.contact_resistance + PERFECT * p.length / k
        contacts = ("cold contact", "hot contact")
        regions = [sf.Region(contacts[0], width, 1), *regions, sf.Region(contacts[1], width, 1)]
        laws += [sf.Thermoelectric(0.0, electric / width, width / thermal, on=name) for name in contacts]
    boundaries: list[Any] = [sf.Hold("cold", cold), sf.Hold("hot", hot)]
    if current is not None:
        boundaries.append(sf.Influx("hot", {"phi": -current / p.area}))
    if load is not None:
        boundaries.append(sf.Influx("cold", {"T": load / (_legs(p) * p.area)}))
    return sf.Model(
        sf.interval(regions=regions, area=p.area, names=("cold", "hot")),
        quantities=[sf.Heat(capacity={"leg": p.heat_capacity}), sf.Potential()],
        laws=laws,
        boundaries=boundaries,
        start={"T": p.hot if load is not None else 0.5 * (p.hot + p.cold)},
    )


def driven(p: Values, current: Any, load: Any = None) -> sf.Model:
    """The leg at a current, its cold plate held or loaded."""
    cold = {"phi": 0.0} | ({"T": p.cold} if load is None else {})
    return _module(p, cold, {"T": p.hot}, current, load)


def model(p: Values) -> sf.Model:
    """One leg of the module as it is asked for."""
    _check(p)
    return driven(p, p.current, p.load)


# ---- optima ----------------------------------------------------------------------------------------------------------


def _crossing(slope: Callable[[float], float], guess: float) -> float:
    """The current above zero (or below, as the guess) where a slope that falls from a positive value at zero vanishes.

    Beyond the current at which a leg runs away there is no steady state and the slope is no number.
    """
    low, high, barrier = 0.0, guess, None
    for _ in range(80):
        value = slope(high)
        if value < 0:
            root: Any = brentq  # SciPy's annotations allow it to return more than the root
            return float(root(slope, low, high, xtol=1e-12 * abs(high), rtol=1e-12))
        if np.isnan(value):
            barrier = high
        else:
            low = high
        high = 1.5 * high if barrier is None else 0.5 * (low + barrier)
    return float("nan")


def _cooling(p: Values, current: Any) -> Any:
    return _legs(p) * sf.steady(driven(p, current)).flow("T", "cold")


def _paid(p: Values, current: Any) -> Any:
    """Heat pumped and power."""
    state = sf.steady(driven(p, current))
    return _legs(p) * jnp.stack([state.flow("T", "cold"), -state.value("phi", "hot") * current])


def _unloaded(p: Values, current: Any) -> Any:
    return sf.steady(driven(p, current, 0.0)).value("T", "cold")


def _optima(p: Values) -> dict[str, float]:
    """Best currents for cooling, for performance, and for the difference without a load."""
    S, rho, k = (float(_at(p.items[n], p.cold)) for n in ("seebeck", "resistivity", "conductivity"))
    if S == 0.0:
        return {}
    most = S * p.cold * p.area / (rho * p.length)
    sign = np.sign(most)
    best = _crossing(lambda i: sign * float(jax.grad(lambda x: _cooling(p, x))(i)), most)
    figure_of_merit = S * S / (rho * k)
    coldest = (np.sqrt(1.0 + 2.0 * figure_of_merit * p.hot) - 1.0) / figure_of_merit
    deepest = _crossing(lambda i: -sign * float(jax.grad(lambda x: _unloaded(p, x))(i)), most * coldest / p.cold)
    found = {
        "optimum_current": best,
        "maximum_cooling_power": float(_cooling(p, best)),
        "maximum_temperature_difference": p.hot - float(_unloaded(p, deepest)),
        "current_of_maximum_difference": deepest,
    }
    if p.hot > p.cold:
        root = np.sqrt(1.0 + 0.5 * figure_of_merit * (p.hot + p.cold))
        economical = S * (p.hot - p.cold) * p.area / (rho * p.length * (root - 1.0))
        economical = sign * min(abs(economical), abs(best))

        def slope(i: float) -> float:
            """Sign of d(Q/P)/dI: Q' P - Q P', which has no pole where the power vanishes."""
            (heat, power), (heat_slope, power_slope) = _paid(p, i), jax.jacfwd(lambda x: _paid(p, x))(i)
            return float(sign * (heat_slope * power - heat * power_slope))

        if found["maximum_cooling_power"] > 0.0:
            at = _crossing(slope, economical)
            heat, power = _paid(p, at)
            found |= {"cop_current": at, "maximum_cop": float(heat / power)}
    return found


def kelvin_defect(p: Values, build: Callable[..., sf.Model] = _module) -> float:
    """Difference of L_12 from L_21, over the root of L_11 L_22, of the module about its mean temperature."""
    T = 0.5 * (p.hot + p.cold)

    def fluxes(x: Any) -> Any:
        state = sf.steady(build(p, {"T": T, "phi": 0.0}, {"T": x[0], "phi": x[1]}, None, None))
        return jnp.stack([-state.flow("T", "hot"), -state.flow("phi", "hot")])

    def rises(x: Any) -> Any:
        return jnp.stack([1.0 / x[0] - 1.0 / T, -x[1] / x[0]])

    return float(defect(response(fluxes, rises, (T, 0.0))))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Heats and power of the whole module, optima, and Kelvin's relation as the fluxes have it."""
    legs, traced = _legs(p), is_traced(p.items)
    cooling, voltage = solution.flow("T", "cold"), -solution.value("phi", "hot")
    power = voltage * p.current
    rejected = -solution.flow("T", "hot") - p.current * solution.value("phi", "hot")
    cold = solution.value("T", "cold")
    T = 0.5 * (cold + p.hot)
    S, rho, k = (_at(p.items[n], T) for n in ("seebeck", "resistivity", "conductivity"))
    found = {
        "cooling_power": legs * cooling,
        "rejected_heat": legs * rejected,
        "power": legs * power,
        "voltage": legs * voltage,
        "cold_temperature": cold,
        "largest_temperature": jnp.max(solution["T"]),
        "middle_temperature": solution.interpolate("T", 0.5 * solution.position()[-1]),
        "entropy_production": legs * sum(jnp.sum(book.entropy) for book in solution.books.laws),
        "figure_of_merit": S * S * T / (rho * k),
    }
    if traced or power != 0.0:
        found["cop"] = cooling / power
    if not traced and solution.rate is None:
        found |= _optima(p) | {"reciprocity_defect": kelvin_defect(p)}
    return found


UNITS = {
    **dict.fromkeys(("cooling_power", "rejected_heat", "power", "maximum_cooling_power"), "W"),
    **dict.fromkeys(("cop", "maximum_cop", "figure_of_merit", "reciprocity_defect"), ""),
    **dict.fromkeys(("optimum_current", "cop_current", "current_of_maximum_difference"), "A"),
    **dict.fromkeys(
        ("cold_temperature", "largest_temperature", "middle_temperature", "maximum_temperature_difference"), "K"
    ),
    "voltage": "V",
    "entropy_production": "W/K",
}


def figure(result: Result) -> Figure:
    """Cooling and its price against the current, and the temperature along a leg at three currents."""
    p, a = result.parameters, result.answers
    drawing = Figure(figsize=(9.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    best = a.get("optimum_current", p.current) or 1.0
    currents = np.linspace(0.04, 1.6, 40) * best
    cooling, power = [], []
    for current in currents:
        state = sf.steady(driven(p, current), throw=False)
        good = int(state.outcome.code) == 1
        cooling.append(_legs(p) * float(state.flow("T", "cold")) if good else np.nan)
        power.append(-_legs(p) * float(state.value("phi", "hot")) * current if good else np.nan)
    left.plot(currents, cooling, color="C0", label="heat pumped")
    left.plot(currents, power, color="C3", label="power")
    left.axhline(0.0, color="0.7", linewidth=0.8)
    if "optimum_current" in a:
        left.plot(best, a["maximum_cooling_power"], "o", color="C0", label="most cooling")
    if "cop_current" in a:
        left.axvline(a["cop_current"], color="C2", linestyle=":", label=f"best cop, {a['maximum_cop']:.3g}")
    left.set(xlabel="current, A", ylabel="whole module, W")
    left.set_ylim(min(np.nanmin(cooling), 0.0), 1.2 * max(np.nanmax(cooling), 1e-300) + np.nanmax(cooling) * 0.8)
    left.legend()
    for current, style in ((0.0, ":"), (p.current, "-"), (1.5 * best, "--")):
        state = sf.steady(driven(p, current), throw=False)
        if int(state.outcome.code) == 1:
            right.plot(1e3 * np.asarray(state.position()), state["T"], style, label=f"{current:.3g} A")
    right.set(xlabel="distance from the cold plate, mm", ylabel="temperature, K")
    right.legend()
    return drawing


SYSTEM = System(
    name="thermoelectric_cooler",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
