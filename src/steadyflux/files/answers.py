"""The answers a model file can ask for: flows, values, currents, totals, extremes, reversal potentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.files.build import Declaration
from steadyflux.files.mistakes import at, kind_of
from steadyflux.files.schema import Bare, KeyPath, Maker, Mistake, Number, Text
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.model.solution import Solution
from steadyflux.physics.quantity import KINDS

Keys = Mapping[str, Any]
Answer = tuple[float, str]


def _area(solution: Solution, place: str) -> float:
    found = solution.model.space.place(place)
    if found.kind != "boundary":
        raise InputError(f"'{place}' has no area", "ask for a flow instead of a flux there")
    return float(np.sum(np.asarray(found.area)))


def _flow(solution: Solution, keys: Keys) -> Answer:
    return float(solution.flow(keys["quantity"], keys["through"])), solution.model.flux_unit(keys["quantity"])


def _flux(solution: Solution, keys: Keys) -> Answer:
    flow, unit = _flow(solution, keys)
    return flow / _area(solution, keys["through"]), f"{unit}/m^2"


def _current(solution: Solution, keys: Keys) -> Answer:
    if not any(q.charge or q.kind == "charge" for q in solution.model.quantities):
        raise InputError("no quantity of this model carries charge", "ask for a flow")
    return float(solution.current(keys["through"])), "A"


def _current_density(solution: Solution, keys: Keys) -> Answer:
    return _current(solution, keys)[0] / _area(solution, keys["through"]), "A/m^2"


def _value(solution: Solution, keys: Keys) -> Answer:
    name, model = keys["quantity"], solution.model
    unit = solution.unit(name)
    if ("at" in keys) == ("position" in keys):
        raise InputError("a value is asked for at a place or at a position, one of them", "give 'at' or 'position'")
    if "at" in keys:
        return float(solution.value(name, keys["at"])), unit
    x = np.asarray(model.space.position)
    if x.ndim != 1 or len(x) < 2 or np.any(np.diff(x) < 0) or model.space.kind not in ("interval", "axis"):
        raise InputError("this space has no line of positions", "give 'at' with the name of a place")
    position = si(keys["position"], "m" if model.space.kind == "interval" else "", "position")
    if not x[0] <= position <= x[-1]:
        raise InputError(f"the position {position:g} lies outside the space ({x[0]:g} to {x[-1]:g})")
    return float(solution.interpolate(name, position)), unit


def _drop(solution: Solution, keys: Keys) -> Answer:
    name = keys["quantity"]
    return float(solution.value(name, keys["from"]) - solution.value(name, keys["to"])), solution.unit(name)


def _mean(solution: Solution, keys: Keys) -> Answer:
    name, volume = keys["quantity"], np.asarray(solution.model.space.volume)
    solution.model.index(name)
    return float(np.sum(volume * np.asarray(solution[name])) / np.sum(volume)), solution.unit(name)


def _extreme(choose: Callable[[Any], Any]) -> Callable[[Solution, Keys], Answer]:
    def extreme(solution: Solution, keys: Keys) -> Answer:
        solution.model.index(keys["quantity"])
        return float(choose(np.asarray(solution[keys["quantity"]]))), solution.unit(keys["quantity"])

    return extreme


def _total(solution: Solution, keys: Keys) -> Answer:
    name = keys["quantity"]
    return float(solution.total(name)), KINDS[solution.model.quantity(name).kind].stored


def _shared(solution: Solution, keys: Keys) -> Answer:
    units = {unknown.name: unknown.unit for unknown in solution.model.shared}
    if keys["shared"] not in units:
        raise NameUnknown("shared unknown", keys["shared"], units)
    return float(solution[keys["shared"]]), units[keys["shared"]]


def _entropy(solution: Solution, keys: Keys) -> Answer:
    return float(solution.entropy.production), "W/K"


_QUANTITY = {"quantity": (Text, True)}
_THROUGH = {"through": (Text, True)}
KINDS_OF_ANSWER: dict[str, tuple[dict[str, tuple[Any, bool]], Callable[[Solution, Keys], Answer] | None]] = {
    "flow": ({**_QUANTITY, **_THROUGH}, _flow),
    "flux": ({**_QUANTITY, **_THROUGH}, _flux),
    "current": (_THROUGH, _current),
    "current_density": (_THROUGH, _current_density),
    "value": ({**_QUANTITY, "at": (Text, False), "position": (Number, False)}, _value),
    "drop": ({**_QUANTITY, "from": (Text, True), "to": (Text, True)}, _drop),
    "mean": (_QUANTITY, _mean),
    "largest": (_QUANTITY, _extreme(np.max)),
    "smallest": (_QUANTITY, _extreme(np.min)),
    "total": (_QUANTITY, _total),
    "shared": ({"shared": (Text, True)}, _shared),
    "entropy": ({}, _entropy),
    "reversal": ({"at": (Text, True), "quantity": (Text, False)}, None),
    "ratio": ({"of": (Text, True), "to": (Text, True), "factor": (Bare, False)}, None),
}
_PLAIN = {kind.replace("_", ""): kind for kind in KINDS_OF_ANSWER}


def check_answers(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, kind and keys of every ``[[answer]]``; a mistake is refused with its path."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for n, table in enumerate(document.get("answer", [])):
        path: KeyPath = ("answer", n)
        kind = _PLAIN[kind_of({p: Maker(k, dict, {}) for p, k in _PLAIN.items()}, "answer", table, path)]
        maker = Maker(kind, dict, {"name": (Text, True), **KINDS_OF_ANSWER[kind][0]})
        keys = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the answer {kind}")
        earlier = [name for name, _, _ in found]
        if keys["name"] in earlier:
            raise Mistake((*path, "name"), f"two answers are named '{keys['name']}'", "give each its own name")
        for key in ("of", "to") if kind == "ratio" else ():
            if keys[key] not in earlier:
                unknown = NameUnknown("earlier answer", keys[key], earlier)
                raise Mistake((*path, key), unknown.problem, unknown.remedy)
        found.append((keys["name"], kind, keys))
    return found


def check_names(document: Mapping[str, Any], model: Any) -> None:
    """Refuse, before anything is solved, an answer that names a quantity or a place the model does not have."""
    for n, (_, kind, keys) in enumerate(check_answers(document)):
        with at(("answer", n), document["answer"][n]):
            if "quantity" in keys:
                model.index(keys["quantity"])
            for key in ("through", "at") + (("from", "to") if kind == "drop" else ()):
                if key in keys:
                    model.space.place(keys[key])


def answers_of(document: Mapping[str, Any], declared: Declaration, solution: Solution) -> dict[str, Answer]:
    """The value (SI) and unit of every answer of the document."""
    found: dict[str, Answer] = {}
    for n, (name, kind, keys) in enumerate(check_answers(document)):
        with at(("answer", n), document["answer"][n]):
            compute = KINDS_OF_ANSWER[kind][1]
            if compute is not None:
                found[name] = compute(solution, keys)
            elif kind == "ratio":
                found[name] = _ratio(found[keys["of"]], found[keys["to"]], keys.get("factor", 1.0))
            else:
                found[name] = _reversal(declared, solution, keys)
    return found


def _ratio(one: Answer, other: Answer, factor: float) -> Answer:
    unit = "" if one[1] == other[1] else f"({one[1] or '1'})/({other[1]})" if other[1] else one[1]
    return (factor * one[0] / other[0] if other[0] != 0.0 else float("nan")), unit


def _reversal(declared: Declaration, solution: Solution, keys: Keys) -> Answer:
    """The potential at a place for which no current passes it: the same model with that potential left floating."""
    place, quantity = keys["at"], keys.get("quantity", "phi")
    others, held = [], False
    for condition in declared.boundaries:
        if isinstance(condition, sf.Hold) and condition.place == place and quantity in condition.values:
            rest = {name: value for name, value in condition.values.items() if name != quantity}
            others += [sf.Hold(place, rest)] if rest else []
            held = True
        else:
            others.append(condition)
    if not held:
        raise InputError(f"no {quantity} is held at '{place}'", "a reversal potential is asked for where one is")
    floating = sf.steady(declared.model([*others, sf.Float(place, quantity)]))
    return float(floating.value(quantity, place)), "V"
