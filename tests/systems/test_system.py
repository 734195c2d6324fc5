"""A system's runs in time: until a time, or as its own question."""

from dataclasses import replace

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Parameter, Result, System, Values


def _model(p: Values) -> sf.Model:
    return sf.Model(
        sf.network({"tank": p.volume, "sea": 1.0}, {"pipe": [("tank", "sea")]}, area=1.0),
        [sf.Species("salt")],
        [sf.Fick("salt", p.rate, on="pipe")],
        [sf.Hold("sea", {"salt": 0.0})],
        start={"salt": np.array([3.0, 0.0])},
    )


def _answers(p: Values, solution: sf.Solution) -> dict[str, float]:
    return {"left": float(solution.value("salt", "tank"))}


def _whole(p: Values, history: sf.History) -> dict[str, float]:
    return {"left": float(history.value("salt", "tank")[-1]), "gone": float(-history.entered("salt", "sea")[-1])}


TANK = System(
    name="tank",
    parameters=(Parameter("volume", 2.0, "m^3", "chosen", low=0.1), Parameter("rate", 0.5, "m^2/s", "chosen", low=0)),
    model=_model,
    answers=_answers,
    units={"left": "mol/m^3", "gone": "mol"},
    claims=(),
    figure=lambda result: result,
)


def test_until_gives_the_state_on_the_way_there():
    found = TANK.run(volume=1.5, until="2 s")
    assert found.answers["left"] == pytest.approx(3.0 * np.exp(-0.5 * 2.0 / 1.5), rel=1e-5)
    assert found.history.times[-1] == 2.0
    assert found.solution.regime == "transient"
    assert not TANK.transient


def test_a_steady_run_has_no_history():
    found = TANK.run()
    assert found.answers["left"] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match="until"):
        found.history  # noqa: B018


def test_a_system_whose_question_is_one_of_time_gets_the_whole_run():
    system = replace(TANK, answers=_whole, solve=lambda p, model: sf.evolve(model, "4 s"))
    assert system.transient
    for found, end in ((system.run(), 4.0), (system.run(until=3.0), 3.0)):
        assert isinstance(found, Result) and isinstance(found.solution, sf.Solution)
        left = 3.0 * np.exp(-0.5 * end / 2.0)
        assert found.answers["left"] == pytest.approx(left, rel=1e-5)
        assert found.answers["gone"] == pytest.approx(2.0 * (3.0 - left), rel=1e-5)
