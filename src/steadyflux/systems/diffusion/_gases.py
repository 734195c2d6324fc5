"""Mixtures of gases in a tube: what is given of them, the friction between them, tube and bulbs as models."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Values

MODES = ("stefan_tube", "two_bulb")
SLACK = 1e-3  # flow of the whole over diffusion between bulbs; at even pressure there is none
GRADING = 8.0  # largest step of the tube over the smallest, those at its ends

DEFAULTS: dict[str, dict[str, Any]] = {
    "stefan_tube": {
        "temperature": 328.5,
        "pressure": 99400.0,
        "length": 0.238,
        "diameter": 0.005,
        "diffusivities": (8.48e-6, 13.72e-6, 19.91e-6),
        "left_fractions": (0.319, 0.528),
        "right_fractions": (0.0, 0.0),
        "names": ("acetone", "methanol", "air"),
    },
    "two_bulb": {
        "temperature": 308.35,
        "pressure": 101325.0,
        "length": 0.0859,
        "diameter": 0.00208,
        "diffusivities": (8.33e-5, 6.80e-5, 1.68e-5),
        "left_fractions": (0.0, 0.50086),
        "right_fractions": (0.50121, 0.49879),
        "names": ("hydrogen", "nitrogen", "carbon dioxide"),
    },
}


def setting(p: Values, name: str) -> Any:
    """A parameter, or what the mode has for it where it is left out."""
    value = p.items[name]
    return DEFAULTS[p.mode][name] if value is None or value == () else value


def fractions(p: Values, side: str) -> np.ndarray:
    """Mole fractions of all gases on a side, (gas,)."""
    listed = np.array(setting(p, f"{side}_fractions"))
    if listed.sum() > 1.0 + 1e-12:
        raise InputError(f"The {side}_fractions add up to {listed.sum():g}; the last gas makes up the rest to one.")
    return np.append(listed, max(1.0 - listed.sum(), 0.0))


def total(p: Values) -> float:
    """Concentration of the whole mixture, mol/m^3."""
    return setting(p, "pressure") / (R * setting(p, "temperature"))


def gases(p: Values) -> tuple[str, ...]:
    """Names of the gases."""
    count = len(fractions(p, "left"))
    if len(fractions(p, "right")) != count:
        raise InputError("left_fractions and right_fractions must be those of the same gases, all but the last.")
    return tuple(f"gas_{i + 1}" for i in range(count))


def labels(p: Values) -> tuple[str, ...]:
    """What the gases are called in figures."""
    return DEFAULTS[p.mode]["names"] if p.diffusivities == () else gases(p)


def section(p: Values) -> float:
    """Cross-section of the tube, m^2."""
    return np.pi * setting(p, "diameter") ** 2 / 4.0


def friction(p: Values) -> sf.MaxwellStefan:
    """The law of the tube: the last gas stands still over a liquid, and between bulbs pressures even out."""
    names, values = gases(p), setting(p, "diffusivities")
    pairs = list(combinations(names, 2))
    if len(values) != len(pairs):
        raise InputError(f"{len(names)} gases have {len(pairs)} diffusivities, one a pair; {len(values)} are given.")
    table = dict(zip(pairs, values, strict=True))
    if p.mode == "stefan_tube":
        return sf.MaxwellStefan(names[:-1], table, still=names[-1], total=total(p))
    return sf.MaxwellStefan(names, table, permeability=SLACK * max(values) / setting(p, "pressure"))


def tube(p: Values) -> sf.Model:
    """The tube between two held mixtures; a gas that stands still is none of its quantities."""
    space = sf.interval(setting(p, "length"), cells=p.cells + 1, area=section(p), grading="both", ratio=GRADING)
    law = friction(p)
    left, right = (dict(zip(gases(p), total(p) * fractions(p, side), strict=True)) for side in ("left", "right"))
    guess = dict(zip(gases(p), _guess(p, np.asarray(space.position) / setting(p, "length")), strict=True))
    return sf.Model(
        space,
        quantities=[sf.Species(name) for name in law.moves],
        laws=[law],
        boundaries=[
            sf.Hold("left", {name: left[name] for name in law.moves}),
            sf.Hold("right", {name: right[name] for name in law.moves}),
        ],
        temperature=setting(p, "temperature"),
        start={name: guess[name] for name in law.moves},
    )


def composition(p: Values, solution: sf.Solution) -> np.ndarray:
    """Mole fractions of all gases in every cell, (cell, gas); what is no quantity makes up the rest."""
    found = np.stack([np.asarray(solution[name]) for name in solution.model.names], axis=1) / total(p)
    return np.column_stack([found, 1.0 - found.sum(axis=1)]) if found.shape[1] < len(gases(p)) else found


def _guess(p: Values, way: np.ndarray) -> np.ndarray:
    """Where a search begins, (gas, cell): straight lines, but a gas that stands still is thinned out exponentially."""
    left, right = (total(p) * fractions(p, side) for side in ("left", "right"))
    lines = left[:, None] + way * (right - left)[:, None]
    if p.mode == "stefan_tube":
        lines[-1] = left[-1] ** (1.0 - way) * right[-1] ** way
        lines[:-1] *= (total(p) - lines[-1]) / np.maximum(lines[:-1].sum(axis=0), 1e-300)
    return lines


def bulbs(p: Values) -> sf.Model:
    """Two bulbs, the end cells of the tube, from the moment at which the tube has its steady profile."""
    first = sf.steady(tube(p))
    profile = np.stack([np.asarray(first[name]) for name in gases(p)])
    profile *= total(p) / profile.sum(axis=0)
    volume = np.asarray(first.model.space.volume)
    stored = volume * p.tube_storage
    stored[0] += p.left_volume
    stored[-1] += p.right_volume
    return sf.Model(
        first.model.space,
        quantities=[sf.Species(name, capacity=stored / volume) for name in gases(p)],
        laws=[friction(p)],
        temperature=setting(p, "temperature"),
        start=dict(zip(gases(p), profile, strict=True)),
    )


def fluxes(solution: sf.Solution) -> np.ndarray:
    """Flux of every gas through every edge of the tube, (edge, gas), mol/(m^2 s)."""
    area = np.asarray(solution.model.space.edges["interior"].area)
    return np.stack([np.asarray(solution.along(name)) for name in solution.model.names], axis=1) / area[:, None]
