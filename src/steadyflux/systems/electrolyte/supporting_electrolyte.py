"""Limiting current with and without an excess of inert salt: migration on and off.

Seeds: B

An ion reacts at an electrode (x = 0) so fast that none of it is left there; fresh solution stands at x =
film_thickness (Nernst's stagnant film). Without other salt the field that keeps the film neutral pulls the ion to the
electrode (or pushes it away): it migrates as well as diffuses. Flooding the solution with inert salt lets that salt
carry the field's work, and only diffusion remains.

Equations

    N_i = D_i (dc_i/dx + z_i (F / R T) c_i dphi/dx) = nu_i J,   sum z_i c_i = 0
    c_i = bulk and phi = 0 at x = film_thickness
    c_0(0) = 0 determines J, the limiting flux;   i = electrons F J

N_i counts as positive towards the electrode. The first ion is consumed (nu = 1); products have a negative nu, inert
ions 0. Without migration J = D_0 c_0 / film_thickness; `ratio` is the limiting flux over this.

What to look for

- Three ions of charge number one, r mol of inert salt for one of reacting salt: the ratio is 2 / (1 + sqrt(r / (1 +
  r))), which is 2 without and 1 with much support.
- A cation that is reduced, or an anion that is oxidised, gains by migration (ratio above 1). An anion that is reduced
  (as ferricyanide) is held back.
- The potential across the film falls with the support: `potential_drop` is phi at the electrode less phi in the bulk.
- The partial answers hold at `fraction` of the limiting flux.

In time the film begins as fresh solution, a moment after the ion began to react: the layer that lacks it is 0.3 % of
the film thick, and another ion of its sign stands in for it there (3 % and all ions without such an ion).

Limits

Ideal dilute solution, no convection in the film. With no supporting salt at all every ion vanishes at the electrode,
and the potential there has no bound: then c_0 is brought to 1e-9 of its bulk value instead of zero, and
`potential_drop` is left out.

Sources: W. Nernst, Z. phys. Chem. 47 (1904) 52; A. Eucken, Z. phys. Chem. 59 (1907) 72; J. Newman and K. E.
Thomas-Alyea, Electrochemical Systems, 3rd ed. (2004), ch. 19; C. Amatore, B. Fosset, J. Bartelt, M. R. Deakin and R.
M. Wightman, J. Electroanal. Chem. 256 (1988) 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.special import erf

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

ELECTRODE, BULK = "electrode", "bulk"
START = (3e-3, 3e-2)  # width of the depleted layer at the start of a run, as a share of the film: with, without support
TRACE = 1e-9  # share of the reacting ion that is left where no other ion could keep the electrode neutral

PARAMETERS = (
    Numbers("charges", (1.0, 1.0, -1.0), "", "Ag+ (reacts), K+, NO3-", -8.0, 8.0),
    Numbers(
        "diffusivities", (1.65e-9, 1.96e-9, 1.90e-9), "m^2/s", "in water at 25 C (CRC Handbook values)", 1e-20, 1e-3
    ),
    Numbers("concentrations", (1.0, 1.0, 2.0), "mol/m^3", "1 mM AgNO3 with 1 mM KNO3, typical", 0.0, 1e5),
    Numbers(
        "stoichiometry", (1.0, 0.0, 0.0), "", "silver deposition; numbers left out at the end are 0", -100.0, 100.0
    ),
    Parameter("electrons", 1.0, "", "Ag+ + e- = Ag", -20.0, 20.0),
    Parameter("film_thickness", 1e-4, "m", "stirred solution, typical", 1e-9, 1.0),
    Parameter("temperature", 298.15, "K", "25 C", 50.0, 2000.0),
    Parameter("fraction", 0.5, "", "of the limiting flux, for the partial answers", 0.0, 0.999),
    Parameter("cells", 1601, "", "discretisation error below 1e-5", 3, 100_000, whole=True),
)


def names_of(p: Values) -> list[str]:
    """Names of the ions, "ion 0" (which reacts), "ion 1", ..."""
    return [f"ion {k}" for k in range(len(p.charges))]


def numbers_of(p: Values) -> list[float]:
    """Stoichiometric number of each ion; those left out are zero."""
    return [*p.stoichiometry, *[0.0] * (len(p.charges) - len(p.stoichiometry))]


def check(p: Values) -> None:
    """Refuse lists of different lengths, a solution that is not neutral, and a first ion that is not consumed."""
    count = len(p.charges)
    if count < 2 or len(p.diffusivities) != count or len(p.concentrations) != count or len(p.stoichiometry) > count:
        raise InputError(
            f"charges, diffusivities and concentrations need one number for each ion, at least two; they have {count}, "
            f"{len(p.diffusivities)} and {len(p.concentrations)}, and stoichiometry has {len(p.stoichiometry)}."
        )
    if numbers_of(p)[0] != 1.0 or p.concentrations[0] <= 0 or p.charges[0] == 0:
        raise InputError(
            "The first ion must be charged, present in the bulk and consumed, with the stoichiometric number 1."
        )
    total = sum(z * c for z, c in zip(p.charges, p.concentrations, strict=True))
    if abs(total) > 1e-9 * sum(abs(z) * c for z, c in zip(p.charges, p.concentrations, strict=True)):
        raise InputError(
            f"The bulk is not electroneutral: its charges add up to {total:.6g} mol/m^3; "
            "change one of its concentrations."
        )


def supporter(p: Values) -> int | None:
    """Number of another ion of the reacting ion's sign that is there to keep the electrode neutral."""
    ions = list(zip(p.charges, p.concentrations, numbers_of(p), strict=True))
    return next((k for k, (z, c, nu) in enumerate(ions) if k and z * p.charges[0] > 0 and (c > 0 or nu < 0)), None)


def supported(p: Values) -> bool:
    """Whether there is such an ion."""
    return supporter(p) is not None


def beginning(p: Values, x: np.ndarray) -> dict[str, np.ndarray]:
    """Concentrations at the start of a run in time, by ion, (cell,)."""
    bulk, k = np.array(p.concentrations), supporter(p)
    surface = TRACE * bulk if k is None else bulk.copy()
    if k is not None:
        surface[0] = 0.0
        surface[k] += p.charges[0] * bulk[0] / p.charges[k]
    share = erf(x / (START[k is None] * p.film_thickness))
    return {n: a + (b - a) * share for n, a, b in zip(names_of(p), surface, bulk, strict=True)}


def film(p: Values, flux: float | None) -> sf.Model:
    """The film with a given flux, mol/m^2/s, of the reacting ion; without one the flux is limited by it."""
    names, nu = names_of(p), numbers_of(p)
    bulk = dict(zip(names, p.concentrations, strict=True))
    rest = 0.0 if supported(p) else TRACE * p.concentrations[0]
    guess = p.diffusivities[0] * p.concentrations[0] / p.film_thickness
    limit = sf.Shared("J", sf.ValueBalance(names[0], ELECTRODE, rest), start=guess, unit="mol/(m^2*s)", scale=guess)
    reacting = {n: (sf.shared("J") * -k if flux is None else -k * flux) for n, k in zip(names, nu, strict=True) if k}
    scale = 0.01 if supported(p) else 1e-4  # equal steps next to the electrode, as a share of the film
    x = p.film_thickness * scale * np.sinh(np.linspace(0.0, math.asinh(1.0 / scale), p.cells))
    x[-1] = p.film_thickness
    return sf.Model(
        space=sf.interval(nodes=x, names=(ELECTRODE, BULK)),
        quantities=[
            *(sf.Ion(n, D, charge=z) for n, D, z in zip(names, p.diffusivities, p.charges, strict=True)),
            sf.Potential(),
        ],
        laws=[sf.NernstPlanck(), sf.Electroneutrality()],
        boundaries=[sf.Influx(ELECTRODE, reacting), sf.Hold(BULK, {**bulk, "phi": 0.0})],
        temperature=p.temperature,
        shared=[limit] if flux is None else [],
        start=beginning(p, x) if flux is None else {},
    )


def model(p: Values) -> sf.Model:
    """The film at the limiting flux."""
    check(p)
    return film(p, None)


def diffusion_alone(p: Values) -> float:
    """Limiting flux of the reacting ion were it not charged, mol/m^2/s."""
    solute = sf.Model(
        space=sf.interval(p.film_thickness, 3, names=(ELECTRODE, BULK)),
        quantities=[sf.Species("solute")],
        laws=[sf.Fick("solute", p.diffusivities[0])],
        boundaries=[sf.Hold(ELECTRODE, {"solute": 0.0}), sf.Hold(BULK, {"solute": p.concentrations[0]})],
    )
    return float(sf.steady(solute).flow("solute", BULK))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Limiting flux with and without migration, what is left at the electrode, and the same below the limit."""
    names = names_of(p)
    J, alone = float(solution["J"]), diffusion_alone(p)
    partial = sf.steady(film(p, p.fraction * J))
    found = {
        "limiting_flux": J,
        "limiting_flux_without_migration": alone,
        "ratio": J / alone,
        "limiting_current": p.electrons * FARADAY * J,
        "surface_concentrations": [float(solution[n][0]) for n in names],
        "partial_surface_concentrations": [float(partial[n][0]) for n in names],
        "partial_potential_drop": float(partial["phi"][0]),
    }
    return found | ({"potential_drop": float(solution["phi"][0])} if supported(p) else {})


UNITS = {
    "limiting_flux": "mol/(m^2*s)",
    "limiting_flux_without_migration": "mol/(m^2*s)",
    "ratio": "",
    "limiting_current": "A/m^2",
    "surface_concentrations": "mol/m^3",
    "potential_drop": "V",
    "partial_surface_concentrations": "mol/m^3",
    "partial_potential_drop": "V",
}
Run = Callable[..., Result]


SILVER = {
    "charges": (1, 1, -1), "diffusivities": (1.65e-9, 1.96e-9, 1.90e-9), "concentrations": (1.0, 1.0, 2.0),
    "stoichiometry": (1, 0, 0), "electrons": 1, "film_thickness": 1e-4, "temperature": 298.15, "fraction": 0.5,
}  # fmt: skip
COPPER = {
    "charges": (2, 1, -2), "diffusivities": (7.14e-10, 9.31e-9, 1.065e-9), "concentrations": (100.0, 20.0, 110.0),
    "stoichiometry": (1, 0, 0), "electrons": 2, "film_thickness": 5e-5, "temperature": 298.15, "fraction": 0.5,
}  # fmt: skip


def _three_ions(run: Run) -> list[Comparison]:
    found = []
    for support in (0.0, 1e-3, 0.27, 3.9):
        a = run(concentrations=(1.3, support, 1.3 + support), temperature=307.0).answers
        r = support / (1.3 + support)
        found.append(Comparison(a["ratio"], 2.0 / (1.0 + math.sqrt(r)), 3e-5))
        if support:
            # What does not react stays in Boltzmann's equilibrium: c2 = support / y, c3 = (1.3 + support) y, equal.
            drop = R * 307.0 / FARADAY * 0.5 * math.log(r)
            found.append(Comparison(a["potential_drop"], drop, 1e-9))
    return found


def _excess(run: Run) -> list[Comparison]:
    off = [run(concentrations=(1.0, s, 1.0 + s)).answers["ratio"] - 1.0 for s in (1e3, 1e4)]
    return [Comparison(off[1], 0.0, 0.0, 3e-5), Comparison(off[0] / off[1], 10.0, 0.01)]


def _binary(run: Run) -> Comparison:
    a = run(charges=(2, -1), diffusivities=(7.1e-10, 2e-9), concentrations=(5.0, 10.0), stoichiometry=(1,)).answers
    return Comparison(a["ratio"], 1.0 + 2.0 / 1.0, 1e-4)


def _silver(run: Run) -> list[Comparison]:
    a = run(**SILVER).answers
    return [
        Comparison(a["limiting_current"], 1.8651533665961477, 1e-6),
        Comparison(a["ratio"], 1.1715728752537995, 1e-6),
        Comparison(a["surface_concentrations"][1:], [1.41421356237306, 1.414213562373065], 1e-9),
        Comparison(a["potential_drop"], -0.008904369389546833, 1e-9),
        Comparison(
            a["partial_surface_concentrations"], [0.5355339059295059, 1.1715728752570447, 1.7071067811865497], 1e-6
        ),
        Comparison(a["partial_potential_drop"], -0.004068347548920287, 1e-6),
    ]


def _copper(run: Run) -> list[Comparison]:
    a = run(**COPPER).answers
    return [
        Comparison(a["limiting_current"], 449.9394567163324, 2e-6),
        Comparison(a["limiting_flux_without_migration"], 275.5621085441734 / (2.0 * FARADAY), 1e-10),
        Comparison(a["ratio"], 1.632805972829192, 2e-6),
        Comparison(a["surface_concentrations"][1:], [44.47960181138515, 22.239800905692658], 1e-9),
        Comparison(a["potential_drop"], -0.02053603800681636, 1e-9),
        Comparison(
            a["partial_surface_concentrations"], [55.075366329449345, 25.47264579976108, 67.81168922932994], 2e-6
        ),
        Comparison(a["partial_potential_drop"], -0.0062143383404713514, 2e-6),
    ]


def _order(run: Run) -> Comparison:
    off = [run(**SILVER, cells=cells).answers["ratio"] - 4.0 / (2.0 + math.sqrt(2.0)) for cells in (801, 1601)]
    return Comparison(math.log2(off[0] / off[1]), 2.0, 0.01)


CLAIMS = (
    Claim(
        "2 / (1 + sqrt r) for three monovalent ions", "Newman and Thomas-Alyea 2004; Amatore et al. 1988", _three_ions
    ),
    Claim("excess of inert salt turns migration off, as 1 / excess", "limit of the same", _excess),
    Claim("a single salt reaches 1 + |z+ / z-|", "Eucken 1907", _binary),
    Claim("silver deposition", "independent reference computation", _silver),
    Claim("copper from dilute sulfuric acid", "independent reference computation", _copper),
    Claim("second order in the step", "observed on two meshes against the closed form", _order),
)


def figure(result: Result) -> Figure:
    """Concentrations and potential in the film, and the gain by migration against the amount of inert salt."""
    p = result.parameters
    drawing = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    x = np.asarray(result.solution.position()) / p.film_thickness
    for name, z in zip(names_of(p), p.charges, strict=True):
        left.plot(x, np.asarray(result.solution[name]), label=f"{name} (charge {z:+g})")
    left.set(xlabel="distance from the electrode / film", ylabel="concentration / (mol/m$^3$)", title="At the limit")
    left.legend(fontsize=8, loc="lower right")
    potential = left.twinx()
    potential.plot(x, 1e3 * np.asarray(result.solution["phi"]), "k--")
    potential.set_ylabel("potential / mV (dashed)")
    supports = np.geomspace(1e-2, 1e2, 17)
    cation, anion = (1.0, -1.0) if p.charges[0] > 0 else (-1.0, 1.0)
    ratios = []
    for support in supports:
        one = {**p.items, "charges": (p.charges[0], cation, anion), "stoichiometry": (1.0,)}
        one["diffusivities"] = (p.diffusivities[0], 1.96e-9, 1.9e-9)
        one["concentrations"] = (1.0, support, support + abs(p.charges[0]))
        trial = Values(one)
        ratios.append(float(sf.steady(film(trial, None))["J"]) / diffusion_alone(trial))
    right.semilogx(supports, ratios, "o-", label="computed, simple metal deposition")
    right.axhline(1.0, color="grey", lw=0.6)
    right.set(xlabel="inert 1:1 salt / reacting ion", ylabel="limiting flux / that by diffusion alone")
    right.set_title("Migration turned off")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="supporting_electrolyte",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
