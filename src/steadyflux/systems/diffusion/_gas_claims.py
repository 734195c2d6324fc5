"""Claims of the system gas_mixture: tubes and bulbs against references, closed forms, conservation, symmetry."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm
from scipy.optimize import root

import steadyflux as sf
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.diffusion._gases import fluxes, fractions, friction, gases, setting, total
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

CARTY_SCHRODT = {
    "fluxes": (1.783005541143027e-3, 3.1279915263909266e-3),
    "mid": (0.24225340635048553, 0.36659444933735597),
}
BENZENE: dict[str, Any] = {
    "temperature": 313.0,
    "pressure": 101325.0,
    "length": 0.1,
    "diffusivities": (4.9e-6, 1e-5, 9.1e-6),
    "left_fractions": (0.15, 0.05),
    "right_fractions": (0.01, 0.0),
}
HELIUM: dict[str, Any] = {
    "temperature": 298.15,
    "length": 0.05,
    "diameter": 0.003,
    "left_volume": 5e-5,
    "right_volume": 1e-4,
    "diffusivities": (7.29e-5, 5.95e-5, 1.47e-5),
    "left_fractions": (0.6, 0.35),
    "right_fractions": (0.05, 0.4),
    "times": (600.0, 6000.0, 20000.0),
}


def _tubes(run: Run) -> list[Comparison]:
    one, two = run(mode="stefan_tube").answers, run(mode="stefan_tube", **BENZENE).answers
    return [
        Comparison(one["fluxes"][:2], CARTY_SCHRODT["fluxes"], 2e-5),
        Comparison(one["mid_fractions"][:2], CARTY_SCHRODT["mid"], 2e-5),
        Comparison(two["fluxes"][:2], (6.122001524587478e-4, 1.9790160451393083e-4), 2e-5),
        Comparison(two["mid_fractions"][:2], (0.08354181598393504, 0.026514364565584387), 2e-5),
    ]


def _stagnant(run: Run) -> list[Comparison]:
    """The same tube with air as a gas like the others, sealed at the liquid, the whole driven by a pressure drop."""
    p = run(mode="stefan_tube").parameters
    names, values = gases(p), setting(p, "diffusivities")
    left, right = (dict(zip(names, total(p) * fractions(p, side), strict=True)) for side in ("left", "right"))
    pairs = dict(zip(combinations(names, 2), values, strict=True))
    space = sf.interval(setting(p, "length"), cells=101)
    way = np.asarray(space.position) / setting(p, "length")
    found = sf.steady(
        sf.Model(
            space,
            quantities=[sf.Species(name) for name in names],
            laws=[sf.MaxwellStefan(names, pairs, permeability=1e6 * max(values) / setting(p, "pressure"))],
            boundaries=[sf.Hold("left", {name: left[name] for name in names[:-1]}), sf.Hold("right", right)],
            temperature=setting(p, "temperature"),
            start={name: left[name] + way * (right[name] - left[name]) for name in names},
        )
    )
    flow = np.array([float(found.flow(name, "left")) for name in names])
    return [
        Comparison(flow[:2], CARTY_SCHRODT["fluxes"], 3e-4),
        Comparison(float(np.abs(found.along(names[2])).max()) / flow[1], 0.0, 0.0, 1e-6),
    ]


def _measured_tube(run: Run) -> Comparison:
    # Taylor and Krishna 1993, example 2.1.1 (from memory): 1.783e-3 and 3.127e-3, of Carty and Schrodt's experiment.
    return Comparison(run(mode="stefan_tube").answers["fluxes"][:2], (1.783e-3, 3.127e-3), 5e-4)


def stefan_fluxes(x0: np.ndarray, x1: np.ndarray, d: np.ndarray, per: float, guess: np.ndarray) -> np.ndarray:
    """Fluxes of all but the last gas by shooting with the exponential of a matrix (Taylor and Krishna 1993, ch. 8).

    With constant fluxes the equations are linear in x: dx/dz = A(N) x. ``per`` is length / c, d (n, n) the
    diffusivities.
    """
    inverse = np.where(np.eye(len(x0)) > 0, 0.0, 1.0 / np.where(d > 0, d, 1.0))

    def miss(scaled: np.ndarray) -> np.ndarray:
        flow = np.append(scaled * np.abs(guess).max(), 0.0)
        return (expm(per * (np.diag(inverse @ flow) - flow[:, None] * inverse)) @ x0 - x1)[:-1]

    return root(miss, guess / np.abs(guess).max(), tol=1e-13).x * np.abs(guess).max()


def _five_gases(run: Run) -> list[Comparison]:
    comparisons = []
    for left, right, values in (
        ((0.2, 0.25, 0.3, 0.15), (0.0, 0.1, 0.0, 0.3), np.linspace(1e-5, 9e-5, 10)),
        ((0.5, 0.49), (0.0, 0.0), np.array([8.48e-6, 13.72e-6, 19.91e-6])),
        ((0.0, 0.1), (0.5, 0.45), np.array([8.48e-4, 13.72e-6, 19.91e-6])),
    ):
        found = run(mode="stefan_tube", left_fractions=left, right_fractions=right, diffusivities=tuple(values))
        flow = np.array(found.answers["fluxes"][:-1])
        d = np.zeros((len(left) + 1, len(left) + 1))
        d[np.triu_indices(len(d), 1)] = values
        bottom, top = (np.append(x, 1.0 - sum(x)) for x in (left, right))
        per = setting(found.parameters, "length") / total(found.parameters)
        comparisons.append(
            Comparison(flow, stefan_fluxes(bottom, top, d + d.T, per, flow), 3e-5, 3e-5 * np.abs(flow).max())
        )
    return comparisons


def _one_vapour(run: Run) -> Comparison:
    found = run(mode="stefan_tube", left_fractions=(0.6,), right_fractions=(0.1,), diffusivities=(1.2e-5,))
    p = found.parameters
    return Comparison(
        found.answers["fluxes"][0], total(p) * 1.2e-5 / setting(p, "length") * np.log(0.9 / 0.4), rtol=1e-10
    )


DUNCAN_TOOR: dict[str, Any] = {
    "left_fractions_at": (
        (0.06090199140382905, 0.47322922538236695),
        (0.18844022679271258, 0.4284523647366278),
        (0.2352197483277449, 0.43267417254831164),
        (0.25003144816499834, 0.4641593178012985),
    ),
    "equilibrium_fractions": (0.2516290531222066, 0.49982077065508873),
    "fluxes": (-0.017566781563663474, 0.008212340275873881),
    "extremum_time": 23473.886286262747,
    "extremum_fraction": 0.4263009397209949,
}
HELIUM_FOUND: dict[str, Any] = {
    "left_fractions_at": (
        (0.5438888343738125, 0.37235705246496603),
        (0.30335193120035325, 0.4487734131542743),
        (0.2353380473984794, 0.4177350176409917),
    ),
    "equilibrium_fractions": (0.23333333333333334, 0.3833333333333333),
    "fluxes": (0.029343849831313395, -0.011857717379483912),
    "extremum_time": 7360.355562305191,
    "extremum_fraction": 0.45033432417930513,
}


def _bulbs(run: Run) -> list[Comparison]:
    comparisons = []
    for given, expected in (({}, DUNCAN_TOOR), (HELIUM, HELIUM_FOUND)):
        found = run(mode="two_bulb", **given).answers
        for name, value in expected.items():
            value = np.array(value)
            first = np.array(found[name])[..., : value.shape[-1]] if value.ndim else found[name]
            comparisons.append(Comparison(first, value, 1e-5))
    return comparisons


def _measured_bulbs(run: Run) -> list[Comparison]:
    """Read off their figure, from memory: nitrogen in bulb A fell from 0.50 to 0.43 in 6 to 7 h, +-0.01 and +-1 h."""
    found = run(mode="two_bulb").answers
    return [
        Comparison(found["extremum_fraction"], 0.43, 0.0, 0.01),
        Comparison(found["extremum_time"] / 3600.0, 6.5, 0.0, 1.0),
    ]


def _sums(run: Run) -> list[Comparison]:
    found = run(mode="two_bulb")
    mixture = sum(found.history[name] for name in gases(found.parameters)) / total(found.parameters)
    through = fluxes(found.history.at(found.answers["extremum_time"]))
    return [
        Comparison(found.answers["sum_of_fluxes"], 0.0, 0.0, 1e-14),
        Comparison(np.abs(through.sum(axis=1)).max() / np.abs(through).max(), 0.0, 0.0, 1e-13),
        Comparison(mixture, 1.0, 1e-10),
    ]


def _strange(run: Run) -> list[Comparison]:
    """Osmotic diffusion, reverse diffusion, barrier, in this order; then nitrogen goes down its gradient for good."""
    found = run(mode="two_bulb")
    history, at = found.history, (found.answers["osmotic_time"], found.answers["extremum_time"])
    moments = (0.5 * at[0], 0.5 * sum(at), 2.0 * at[1])
    down = []
    for moment in moments:
        state = history.at(moment)
        c = np.asarray(state["gas_2"])
        down.append(np.sign(fluxes(state)[0, 1] * (c[0] - c[-1])))
    return [Comparison(down, (1.0, -1.0, 1.0), 0.0), Comparison(at[0], 115.0, 0.01)]


def _symmetric(run: Run) -> Comparison:
    """The friction matrix of the very state in the middle of the tube."""
    found = run(mode="stefan_tube")
    p, law = found.parameters, friction(found.parameters)
    values = {name: jnp.asarray(found.solution[name][p.cells // 2]) for name in law.moves}
    here = Local({**values, "T": jnp.asarray(setting(p, "temperature"))}, found.solution.model.frame)
    matrix = np.asarray(law.coefficients(here, Geometry(1.0, 1.0, 0.0)))
    return Comparison(matrix, matrix.T, 1e-12)


def _whole_tube(run: Run) -> Comparison:
    """What the tube holds counts: a bulb pair and its tube end at the mixture of all three."""
    found = run(mode="two_bulb", tube_storage=1.0, left_volume=1e-6, right_volume=2e-6, times=(10.0,))
    p, history = found.parameters, found.history
    begin = np.array([float(history.total(name)[0]) for name in gases(p)])
    return Comparison(found.answers["equilibrium_fractions"], begin / begin.sum(), 1e-10)


def _order(run: Run) -> Comparison:
    found = [run(mode="stefan_tube", cells=n).answers["fluxes"][1] for n in (50, 100)]
    off = [flux - CARTY_SCHRODT["fluxes"][1] for flux in found]
    return Comparison(np.log2(off[0] / off[1]), 2.0, 0.0, 0.15)


CLAIMS = (
    Claim("vapours through air, two mixtures", "independent reference computation", _tubes),
    Claim("acetone and methanol through air", "Carty and Schrodt 1975; Taylor and Krishna 1993", _measured_tube),
    Claim("the air stands still by itself", "sealed at the liquid and driven by pressure", _stagnant),
    Claim("one vapour", "closed form, Stefan 1871", _one_vapour),
    Claim("up to five gases, little air, very unlike gases", "matrix exponential and shooting", _five_gases),
    Claim("two bulbs, two mixtures", "independent reference computation", _bulbs),
    Claim("hydrogen, nitrogen, carbon dioxide", "Duncan and Toor 1962", _measured_bulbs),
    Claim("with, against and without the gradient", "Toor 1957; independent reference computation", _strange),
    Claim("fluxes add up to zero, fractions to one", "closed bulbs", _sums),
    Claim("the tube counts where it stores", "conservation", _whole_tube),
    Claim("friction is mutual", "Onsager 1931", _symmetric),
    Claim("second order in the step", "observed on two meshes against the reference", _order),
)
