"""A potassium channel, and the voltage that stops its flux.

Seeds: B, C

Potassium ions cross a membrane through one channel: a conical bore of length L between an inside (x = 0, radius r_in)
and an outside (x = L, radius r_out). In it they climb a potential of mean force W and diffuse with a diffusivity that
may dip in the middle; the applied voltage V (inside minus outside) drops linearly.

Equations

    flow = -D(x) A(x) (dc/dx + c d/dx [W / R T + z F phi / R T]) = const,   A = pi r(x)^2
    W(x) = barrier R T sin^2(pi x / L),   D(x) = D0 (1 - dip sin(pi x / L)),   r(x) = r_in + (r_out - r_in) x / L
    c(0) = inside, c(L) = outside, phi(0) - phi(L) = V

Flow (mol/s through one channel) and current count as positive from the inside to the outside.

What to look for

- `zero_flux_voltage` is found by letting the voltage be an unknown whose own balance is "no flux". It is the Nernst
  voltage (R T / z F) ln(outside / inside), whatever the barrier, the bore or the diffusivity: they set how fast ions
  cross, never where they stop.
- There, and only there, the entropy production vanishes; elsewhere it is flow times drop of electrochemical potential
  / T.
- `conductance` is the exact slope of the current against the voltage at the voltage of zero flux; it falls as
  exp(-barrier).
- The one-way flows, as tracers would show them, stay finite where the net flow stops: equilibrium is not rest.

Limits

Barriers and wells up to 15 k T: beyond, the net flow is lost in the rounding of the traffic. Ions do not see one
another here (no saturation, no single file), and the mouth outside the bore offers no resistance. A neutral solute
(charge 0) has no voltage of zero flux, nor has an ion that is absent on one side; the answers that need one are left
out.

Sources: W. Nernst, Z. phys. Chem. 4 (1889) 129; M. Smoluchowski, Ann. Phys. 353 (1916) 1103 (drift and diffusion over
a barrier); B. Hille, Ion Channels of Excitable Membranes, 3rd ed. (2001); D. A. Doyle et al., Science 280 (1998) 69
(KcsA).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.audit.order import extrapolated
from steadyflux.ground.constants import FARADAY, R
from steadyflux.systems.system import Claim, Comparison, Parameter, Result, System, Values

ION = "K+"

PARAMETERS = (
    Parameter("inside", 150.0, "mol/m^3", "mammalian cytosol, typical", 0.0, 1e5),
    Parameter("outside", 4.5, "mol/m^3", "mammalian plasma, typical", 0.0, 1e5),
    Parameter("length", 4e-9, "m", "KcsA across the membrane, about 4.5 nm (Doyle et al. 1998)", 1e-10, 1e-3),
    Parameter("temperature", 310.15, "K", "37 C", 50.0, 2000.0),
    Parameter("diffusivity", 1.96e-9, "m^2/s", "K+ in water at 25 C, typical", 1e-20, 1e-3),
    Parameter("diffusivity_dip", 0.4, "", "typical: slowed in the narrow part", 0.0, 0.999),
    Parameter("inner_radius", 6e-10, "m", "typical", 1e-11, 1e-3),
    Parameter("outer_radius", 3e-10, "m", "typical", 1e-11, 1e-3),
    Parameter("barrier", 3.0, "", "height of the potential of mean force over k T, typical", -15.0, 15.0),
    Parameter("voltage", -0.06, "V", "inside minus outside, resting cell, typical", -2.0, 2.0),
    Parameter("charge", 1.0, "", "potassium", -8.0, 8.0, whole=True),
    Parameter("cells", 2001, "", "discretisation error below 1e-5", 3, 100_000, whole=True),
)


def channel(
    p: Values,
    voltage: Any,
    *,
    inside: float | None = None,
    outside: float | None = None,
    near: sf.Solution | None = None,
) -> sf.Model:
    """The channel at a voltage; concentrations may be replaced.

    Without a voltage that is an unknown, no flux its balance, and ``near`` the solution at no voltage to start from.
    """

    def bore(x: Any) -> Any:
        return math.pi * (p.inner_radius + (p.outer_radius - p.inner_radius) * x / p.length) ** 2

    def force(x: Any) -> Any:
        return p.barrier * R * p.temperature * np.sin(np.pi * x / p.length) ** 2

    def slowed(x: Any) -> Any:
        return p.diffusivity * (1.0 - p.diffusivity_dip * np.sin(np.pi * x / p.length))

    given = p.inside if inside is None else inside, p.outside if outside is None else outside
    floating = voltage is None
    stop = sf.Shared("voltage", sf.FlowBalance("left", {ION: 1.0}, 0.0), start=0.0, unit="V", scale=0.025)
    return sf.Model(
        space=sf.interval(p.length, p.cells, area=bore),
        quantities=[sf.Species(ION, charge=p.charge, external="W"), sf.Potential()],
        laws=[sf.NernstPlanck((ION,), {ION: slowed}), sf.ConstantField()],
        boundaries=[
            sf.Hold("left", {ION: given[0], "phi": sf.shared("voltage") if floating else voltage}),
            sf.Hold("right", {ION: given[1], "phi": 0.0}),
        ],
        temperature=p.temperature,
        given={"W": force},
        shared=[stop] if floating else [],
        start={} if near is None else {ION: near[ION], "phi": near["phi"]},
    )


def model(p: Values) -> sf.Model:
    """The channel at the voltage asked for."""
    return channel(p, p.voltage)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Flux and current, both one-way flows, entropy produced, the voltage of zero flux and the conductance there."""
    flow = float(solution.flow(ION, "left"))
    found = {
        "flux": flow,
        "current": p.charge * FARADAY * flow,
        "one_way_out": float(sf.steady(channel(p, p.voltage, outside=0.0)).flow(ION, "left")),
        "one_way_in": float(sf.steady(channel(p, p.voltage, inside=0.0)).flow(ION, "right")),
    }
    if p.inside == 0 or p.outside == 0:  # the chemical potential has no bound
        return found
    found["entropy_production"] = solution.entropy.production
    if p.charge == 0:
        return found
    stopped = sf.steady(channel(p, None, near=sf.steady(channel(p, 0.0))))
    at = float(stopped["voltage"])
    slope = jax.jvp(lambda v: sf.steady(channel(p, v)).current("left"), (at,), (1.0,))[1]
    return found | {
        "zero_flux_voltage": at,
        "zero_flux_field": at / p.length,
        "conductance": float(slope),
        "entropy_production_at_zero_flux": stopped.entropy.production,
        "regime_at_zero_flux": stopped.regime,
    }


UNITS = {
    "flux": "mol/s",
    "current": "A",
    "zero_flux_voltage": "V",
    "zero_flux_field": "V/m",
    "conductance": "S",
    "one_way_in": "mol/s",
    "one_way_out": "mol/s",
    "entropy_production": "W/K",
    "entropy_production_at_zero_flux": "W/K",
    "regime_at_zero_flux": "",
}

Run = Callable[..., Result]

KCSA = {
    "inside": 150.0, "outside": 4.5, "length": 4e-9, "temperature": 310.15, "diffusivity": 1.96e-9,
    "diffusivity_dip": 0.4, "inner_radius": 6e-10, "outer_radius": 3e-10, "barrier": 3.0, "voltage": -0.06, "charge": 1,
}  # fmt: skip
WIDE = {
    "inside": 20.0, "outside": 10.0, "length": 1e-8, "temperature": 298.15, "diffusivity": 1.9e-9,
    "diffusivity_dip": 0.0, "inner_radius": 1e-9, "outer_radius": 1e-9, "barrier": 0.0, "voltage": 0.02, "charge": 1,
}  # fmt: skip


def _extrapolated(run: Run, name: str, **parameters: Any) -> float:
    """Limit of an answer for a vanishing step, from two meshes."""
    coarse, fine = (run(**parameters, cells=cells).answers[name] for cells in (1001, 2001))
    return extrapolated(coarse, fine)


def _kcsa(run: Run) -> list[Comparison]:
    a = run(**KCSA).answers
    return [
        Comparison(a["zero_flux_voltage"], -0.09371857758006764, 1e-10),
        Comparison(a["zero_flux_field"], -23429644.39501691, 1e-10),
        Comparison(_extrapolated(run, "flux", **KCSA), 8.017604281547744e-19, 1e-9),
        Comparison(a["flux"], 8.017604281547744e-19, 1e-5),
        Comparison(a["current"], 7.735812119384065e-14, 1e-5),
        Comparison(a["conductance"], 1.876887061213296e-12, 1e-5),
        Comparison(a["entropy_production"], 8.410142869330296e-18, 1e-5),
    ]


def _wide(run: Run) -> list[Comparison]:
    a = run(**WIDE).answers
    return [
        Comparison(a["zero_flux_voltage"], -0.017808738779093967, 1e-10),
        Comparison(a["flux"], 1.3237188746915968e-17, 1e-10),
        Comparison(a["current"], 1.277194552625129e-12, 1e-10),
        Comparison(a["conductance"], 3.1075099210842534e-11, 1e-9),
        Comparison(a["entropy_production"], 1.6196248603147845e-16, 1e-10),
    ]


def _nernst(run: Run) -> list[Comparison]:
    found = []
    bores = ((0.3, 0.0, 5e-10, 4e-10, 1), (9.1, 0.93, 2e-10, 1.7e-9, 1), (-4.4, 0.5, 8e-10, 3e-10, 2))
    for barrier, dip, inner, outer, charge in bores:
        a = run(
            barrier=barrier, diffusivity_dip=dip, inner_radius=inner, outer_radius=outer, charge=charge,
            inside=137.0, outside=6.1, temperature=301.3,
        ).answers  # fmt: skip
        expected = R * 301.3 / (charge * FARADAY) * math.log(6.1 / 137.0)
        found.append(Comparison(a["zero_flux_voltage"], expected, 1e-9))
    return found


def _vanishes(run: Run) -> list[Comparison]:
    at = run().answers["zero_flux_voltage"]
    stopped, moved = run(voltage=at).answers, run(voltage=at + 1e-3).answers
    # Near its zero the production is G dV^2 / T, of second order in the distance from the voltage of zero flux.
    expected = moved["conductance"] * 1e-6 / 310.15
    return [
        Comparison(stopped["entropy_production"], 0.0, 0.0, 1e-12 * expected),
        Comparison(moved["entropy_production"], expected, 0.03),
    ]


def _smoluchowski(run: Run) -> Comparison:
    # Zero voltage in a straight bore: integral of exp(b sin^2) is e^(b/2) I0(b/2), a modified Bessel function.
    half, radius = 2.35, 4e-10
    bessel = sum((half / 2.0) ** (2 * k) / math.factorial(k) ** 2 for k in range(40))
    resistance = math.exp(half) * bessel * 4e-9 / (1.3e-9 * math.pi * radius**2)
    given = {"barrier": 2.0 * half, "voltage": 0.0, "diffusivity": 1.3e-9, "diffusivity_dip": 0.0}
    measured = _extrapolated(run, "flux", **given, inner_radius=radius, outer_radius=radius, inside=90.0, outside=11.0)
    return Comparison(measured, (90.0 - 11.0) / resistance, 1e-9)


def _cone(run: Run) -> Comparison:
    # Without barrier and voltage a cone conducts as the cylinder of the geometric mean radius.
    given = {"barrier": 0.0, "voltage": 0.0, "diffusivity_dip": 0.0, "inner_radius": 9e-10, "outer_radius": 2.5e-10}
    a = run(**given, inside=90.0, outside=11.0, length=3.1e-9, diffusivity=1.1e-9).answers
    return Comparison(a["flux"], 1.1e-9 * math.pi * 9e-10 * 2.5e-10 / 3.1e-9 * (90.0 - 11.0), 1e-10)


def _ussing(run: Run) -> Comparison:
    a = run(voltage=-0.041).answers
    ratio = 150.0 / 4.5 * math.exp(FARADAY * -0.041 / (R * 310.15))
    return Comparison(a["one_way_out"] / a["one_way_in"], ratio, 1e-9)


def _order(run: Run) -> Comparison:
    flux = [run(**KCSA, cells=cells).answers["flux"] for cells in (501, 1001, 2001)]
    return Comparison(math.log2((flux[0] - flux[1]) / (flux[1] - flux[2])), 2.0, 0.01)


CLAIMS = (
    Claim("the zero-flux voltage is Nernst's whatever barrier, bore and diffusivity", "Nernst 1889", _nernst),
    Claim("entropy production vanishes at zero flux, and only there", "closed form, G dV^2 / T", _vanishes),
    Claim("flux over a barrier", "Smoluchowski 1916, closed form with a Bessel function", _smoluchowski),
    Claim("a conical bore conducts as its geometric mean radius", "closed form", _cone),
    Claim("one-way flows in Ussing's ratio through any barrier", "Ussing 1949", _ussing),
    Claim("KcsA-like channel under physiological conditions", "independent reference computation", _kcsa),
    Claim("wide bore and weak gradient", "independent reference computation", _wide),
    Claim("second order in the step", "observed on three meshes", _order),
)


def figure(result: Result) -> Figure:
    """The energy along the bore and its concentrations; current against voltage with the point where the flux stops."""
    p, a = result.parameters, result.answers
    drawing = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    x = np.asarray(result.solution.position())
    W = np.asarray(result.solution["W"]) / (R * p.temperature)
    electric = p.charge * FARADAY * np.asarray(result.solution["phi"]) / (R * p.temperature)
    with np.errstate(divide="ignore"):
        total = np.log(np.asarray(result.solution[ION])) + W + electric
    left.plot(1e9 * x, W, label="potential of mean force")
    left.plot(1e9 * x, W + electric, label="with the voltage")
    left.plot(1e9 * x, total, "k--", label="electrochemical potential (1 mol/m$^3$)")
    left.set(xlabel="position from the inside / nm", ylabel="energy / $k T$", title="What the ion climbs")
    left.legend(fontsize=8)
    centre = a.get("zero_flux_voltage", 0.0)
    volts = np.linspace(centre - 0.12, centre + 0.12, 25)
    solved = [sf.steady(channel(p, float(V))) for V in volts]
    right.plot(1e3 * volts, [1e12 * float(s.current("left")) for s in solved], "C0")
    right.axhline(0.0, color="grey", lw=0.6)
    right.axvline(1e3 * centre, color="k", ls=":", label=f"zero flux {1e3 * centre:.2f} mV")
    right.set(xlabel="voltage inside minus outside / mV", title="Where it stops")
    right.set_ylabel("outward current / pA", color="C0")
    right.legend(fontsize=8)
    heat = right.twinx()
    heat.plot(1e3 * volts, [1e15 * p.temperature * s.entropy.production for s in solved], "C3")
    heat.set_ylabel("free energy lost / fW", color="C3")
    return drawing


SYSTEM = System(
    name="potassium_channel",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
