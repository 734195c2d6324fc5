"""Thermodiffusion: heat drives matter (Soret), matter drives heat (Dufour), and Onsager makes the two one number.

Seeds: C

A layer of a binary mixture lies between a cold and a hot plate. Heat flowing through it sorts its components: one
gathers at the cold side until diffusion holds the balance. The other way round, a difference of composition carries
heat where there is no difference of temperature. One coefficient serves both, since the matrix that joins the two flows
to the two forces is symmetric.

Equations, with w the mass fraction of the first component, z counted from the cold plate:

    J_1 = -rho D (w' + S_T w (1 - w) T')               = L_11 X + L_1q (1/T)'
    q   = -k T' + Q* J_1,    Q* = L_1q / L_11          = L_q1 X + L_qq (1/T)'
    X = -mu_11 w' / ((1 - w) T),    mu_11 = R T / (w (w M_2 + (1 - w) M_1))            (ideal in mole fractions)
    L_11 = rho D (1 - w) T / mu_11,    L_1q = rho S_T D w (1 - w) T^2,    L_qq = k T^2 + L_1q^2 / L_11
    closed at rest:  J_1 = 0,  w / (1 - w) = const exp(-S_T T)        about: separation = -S_T w (1 - w) (hot - cold)
    open, no difference of composition:  q = -(k + L_1q^2 / (L_11 T^2)) T'

Closed, the plates let no matter through, and `mean_fraction` stays in the layer. Open (give `hot_fraction` and
`cold_fraction`), they hold the composition and matter passes; then the same layer conducts better.

`separation` is w at the hot plate less w at the cold one. `heat_flux` counts from hot to cold, `mass_flux` from cold to
hot. The material's numbers at the mean temperature and `mean_fraction` are got by differentiating the computed flows
through the layer by the state of the hot plate: `effective_conductivity_open` (composition held equal),
`effective_conductivity_closed` (no flow of matter), `heat_of_transport` Q*, `dufour_flux` (the heat along z that a
gradient `fraction_gradient` carries at one temperature) and `reciprocity_defect`, |L_12 - L_21| over the root of
L_11 L_22. `relaxation_time` is that of the composition in the closed layer, temperatures following at once.

In time the closed layer starts mixed, at the mean temperature.

What to look for: in liquids Dufour's effect is there but small, the two conductivities differ by 1e-4; in gases by
percents. At rest the layer still produces entropy, k (T'/T)^2, though the matter no longer moves.

Limits: constant D, S_T, k and density; no convection; partial enthalpies equal, so that matter carries no heat but Q*.

Sources: S. R. de Groot and P. Mazur, Non-Equilibrium Thermodynamics (1962), ch. XI; C. Soret (1879); L. Dufour (1872);
ethanol and water near 40 % ethanol and 25 degC, D 4.1e-10 m^2/s, S_T 4.4e-3 /K, k 0.4 W/(m K), 950 kg/m^3, typical
values of the measurements of P. Kolodner, H. Williams and C. Moe, J. Chem. Phys. 88 (1988) 6512; approach to rest:
J. A. Bierlein, J. Chem. Phys. 23 (1955) 10.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems._onsager import defect, response
from steadyflux.systems.diffusion._soret_claims import CLAIMS
from steadyflux.systems.system import Parameter, Result, System, Values

SOLUTE = "solute"
STEPS = 400  # across the layer
FINER = 60  # steps for every factor e of separation
MODES = 150  # cells of the layer whose relaxation is asked for

PARAMETERS = (
    Parameter("hot", 303.15, "K", "30 degC, chosen", low=10.0, high=5000.0),
    Parameter("cold", 293.15, "K", "20 degC, chosen", low=10.0, high=5000.0),
    Parameter("thickness", 1e-3, "m", "of common Soret cells", low=1e-9, high=10.0),
    Parameter("diffusivity", 4.1e-10, "m^2/s", "ethanol in water, Kolodner et al. 1988, typical", low=1e-20, high=1.0),
    Parameter("conductivity", 0.4, "W/(m*K)", "at no flow of matter; typical value", low=1e-6, high=1e4),
    Parameter("soret_coefficient", 4.4e-3, "1/K", "Kolodner et al. 1988, typical value", low=-0.5, high=0.5),
    Parameter("mean_fraction", 0.4, "", "of the first component, chosen", low=1e-9, high=1.0 - 1e-9),
    Parameter("cold_fraction", None, "", "held at the cold plate; without it closed", low=1e-9, high=1.0 - 1e-9),
    Parameter("hot_fraction", None, "", "held at the hot plate; without it closed", low=1e-9, high=1.0 - 1e-9),
    Parameter("density", 950.0, "kg/m^3", "typical value", low=1e-6, high=1e5),
    Parameter("molar_mass", 0.04607, "kg/mol", "ethanol, the first component", low=1e-4, high=1e4),
    Parameter("other_molar_mass", 0.018015, "kg/mol", "water", low=1e-4, high=1e4),
    Parameter("fraction_gradient", 100.0, "1/m", "chosen", low=-1e9, high=1e9),
    Parameter("heat_capacity", 3.5e6, "J/(m^3*K)", "typical value", low=0.0, high=1e9),
)


def mixture(p: Values) -> sf.BinaryMixture:
    """Ideal mixture of the two components, described by the first."""
    return sf.BinaryMixture(SOLUTE, p.density, (p.molar_mass, p.other_molar_mass))


def _steps(p: Values) -> int:
    if is_traced(p.items):
        return STEPS
    return max(STEPS, int(FINER * abs(p.soret_coefficient * (p.hot - p.cold))))


def layer(p: Values, cold: Any, hot: Any, cells: int, capacity: Any, law: Any = sf.Thermodiffusion) -> sf.Model:
    """The layer between two plates whose states are held as far as they are given."""
    mixed = mixture(p)
    flow = law(SOLUTE, p.diffusivity, p.soret_coefficient, p.conductivity, pure=mixed.pure)
    return sf.Model(
        sf.interval(p.thickness, cells=cells, names=("cold", "hot")),
        quantities=[sf.Species(SOLUTE), sf.Heat(capacity=capacity)],
        laws=[flow],
        boundaries=[sf.Hold("cold", cold), sf.Hold("hot", hot)],
        phase=mixed,
        start={SOLUTE: p.mean_fraction * mixed.pure, "T": 0.5 * (p.cold + p.hot)},
    )


def _held(p: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the two plates hold: their temperatures, and in the open layer the composition."""
    cold, hot = {"T": p.cold}, {"T": p.hot}
    if (p.cold_fraction is None) != (p.hot_fraction is None):
        raise InputError("An open layer needs both cold_fraction and hot_fraction; a closed one neither.")
    if p.cold_fraction is not None:
        pure = mixture(p).pure
        cold[SOLUTE], hot[SOLUTE] = p.cold_fraction * pure, p.hot_fraction * pure
    return cold, hot


def model(p: Values) -> sf.Model:
    """The layer, closed or open to matter."""
    return layer(p, *_held(p), cells=_steps(p) + 1, capacity=p.heat_capacity)


def linear_response(p: Values, law: Any = sf.Thermodiffusion) -> tuple[Any, Any]:
    """Derivatives of the flows of matter and heat along z by the hot plate's state, and L of J = L d(y)/dz.

    About the layer at rest with its mean temperature and composition everywhere.
    """
    c, T = p.mean_fraction * mixture(p).pure, 0.5 * (p.cold + p.hot)

    def fluxes(x: Any) -> Any:
        state = sf.steady(layer(p, {SOLUTE: c, "T": T}, {SOLUTE: x[0], "T": x[1]}, 21, p.heat_capacity, law))
        return jnp.stack([state.flow(name, "cold") for name in (SOLUTE, "T")])

    def rises(x: Any) -> Any:
        mixed = mixture(p)
        excess = mixed.ln_gamma({SOLUTE: x[0]}, {SOLUTE: 0.0}, x[1])[SOLUTE]
        return jnp.stack([-R * (jnp.log(x[0]) + excess), 1.0 / x[1]]) / p.thickness

    return jax.jacfwd(fluxes)(jnp.stack([jnp.asarray(c), jnp.asarray(T)])), response(fluxes, rises, (c, T))


def _relaxation(p: Values) -> float:
    """Time in which the slowest disturbance of the closed layer's composition shrinks by e, s."""
    rest = sf.steady(layer(p, {"T": p.cold}, {"T": p.hot}, MODES, 0.0))
    return sf.spectrum(rest, count=1).time


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Separation and flows of the layer, and the material's coefficients as its flows show them."""
    pure = mixture(p).pure
    w = solution[SOLUTE] / pure
    slopes, L = linear_response(p)
    (fick, soret), (dufour, open_heat) = -p.thickness * slopes
    found = {
        "separation": w[-1] - w[0],
        "fraction_at_cold": w[0],
        "fraction_at_hot": w[-1],
        "heat_flux": solution.flow("T", "hot"),
        "mass_flux": p.molar_mass * solution.flow(SOLUTE, "cold"),
        "dufour_flux": -dufour * pure * p.fraction_gradient,
        "effective_conductivity_open": open_heat,
        "effective_conductivity_closed": open_heat - dufour * soret / fick,
        "heat_of_transport": L[1, 0] / L[0, 0] / p.molar_mass,
        "entropy_production": jnp.sum(solution.books.laws[0].entropy),
        "reciprocity_defect": defect(L),
    }
    if not is_traced(p.items) and solution.rate is None:
        found["relaxation_time"] = _relaxation(p)
    return found


UNITS = {
    **dict.fromkeys(("separation", "fraction_at_cold", "fraction_at_hot", "reciprocity_defect"), ""),
    **dict.fromkeys(("heat_flux", "dufour_flux"), "W/m^2"),
    **dict.fromkeys(("effective_conductivity_open", "effective_conductivity_closed"), "W/(m*K)"),
    "mass_flux": "kg/m^2/s",
    "heat_of_transport": "J/kg",
    "entropy_production": "W/(K*m^2)",
    "relaxation_time": "s",
}


def figure(result: Result) -> Figure:
    """Composition across the layer on its way to rest, and the separation against time."""
    p, solution = result.parameters, result.solution
    z, pure = 1e3 * np.asarray(solution.position()), float(mixture(p).pure)
    drawing = Figure(figsize=(9.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    left.plot(z, np.asarray(solution[SOLUTE]) / pure, color="C0", label="at rest")
    left.set(xlabel="distance from the cold plate, mm", ylabel="mass fraction of the first component")
    if solution.rate is None and p.cold_fraction is None:
        time = result.answers["relaxation_time"]
        history = sf.evolve(layer(p, {"T": p.cold}, {"T": p.hot}, 101, p.heat_capacity), until=5.0 * time)
        at = np.linspace(0.0, 5.0 * time, 120)
        course = history.values(SOLUTE, at) / pure
        x = 1e3 * np.asarray(history.model.space.position)
        for share, colour in ((0.05, "0.75"), (0.3, "0.55"), (1.0, "0.35")):
            label = f"after {share * time:.3g} s"
            left.plot(x, history.values(SOLUTE, share * time)[0] / pure, "--", color=colour, label=label)
        right.plot(at, course[:, -1] - course[:, 0], color="C0", label="separation")
        right.axhline(float(result.answers["separation"]), color="0.6", linestyle=":", label="at rest")
        right.axvline(time, color="C2", linestyle=":", label="relaxation time")
        right.set(xlabel="time, s", ylabel="mass fraction, hot less cold")
    else:
        right.plot(z, np.asarray(solution["T"]), color="C3", label="temperature")
        right.set(xlabel="distance from the cold plate, mm", ylabel="temperature, K")
    for axes in (left, right):
        axes.legend()
    return drawing


SYSTEM = System(
    name="thermodiffusion",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
