"""Runs in time judged: clean ones pass every check, and each planted fault is caught by the check meant for it."""

import json

import pytest

import steadyflux as sf
from steadyflux.audit.check import FOLLOWED, check_run, check_system
from steadyflux.audit.findings import Finding, failures
from steadyflux.audit.history import check_entropy_of_moment, check_run_ledger, worst
from steadyflux.cli import main
from steadyflux.model import accounts
from steadyflux.model.mapping import State
from steadyflux.systems.system import Claim, Comparison, System

from ..faults import laws
from . import cases

LEDGER = "balance of the whole run closed"
ENTROPY = "entropy produced equals entropy exported and stored"
SECOND = "entropy production nowhere negative"
UNTIL = {"own_law": 3e2, "pore": 3e-9, "reacting": 3e2, "closed": 3e2, "coupled": 3e2, "pumped": 30.0}


def _run(name: str) -> sf.History:
    model = cases.CLEAN[name]()
    if name in ("closed", "pumped"):
        return sf.evolve(model, UNTIL[name])
    rest = sf.steady(model).state
    return sf.evolve(model, UNTIL[name], start=State(rest.u * 1.2, rest.s))


@pytest.mark.parametrize("name", UNTIL)
def test_clean_runs_pass_every_check(name):
    history = _run(name)
    findings = check_run(history)
    assert [f.sentence() for f in failures(findings)] == []
    assert {f.title for f in findings if f.judged} >= {FOLLOWED, LEDGER, SECOND, ENTROPY}
    assert history.entropy_production.max() > 1e3 * abs(history.entropy_production[-1]) or name != "closed"


def test_heat_whose_capacity_depends_on_the_temperature_is_judged_by_the_tolerance():
    model = sf.Model(
        sf.interval(0.31, cells=21, area=2.3e-3),
        [sf.Heat(capacity=sf.Exponential(2.1e6, 3e-3, 300.0))],
        [sf.Fourier(sf.Polynomial((61.0, 0.13), at=300.0))],
        [sf.Hold("left", {"T": 447.0}), sf.Film("right", "T", 25.3, sf.ramp(291.0, 350.0, 500.0))],
        start={"T": 300.0},
    )
    history = sf.evolve(model, "1000 s")
    assert [f.sentence() for f in failures(check_run(history))] == []
    (ledger,) = check_run_ledger(history)
    assert ledger.measured < 1e-5 * history.ledger["T"].stored


def _film(*acting: sf.Law, **options: object) -> sf.History:
    model = sf.Model(
        sf.interval(1.3e-3, cells=17),
        [sf.Species("c"), sf.Species("B")],
        [*acting, sf.Fick("B", 1.1e-9)],
        [sf.Hold("left", {"c": 0.8, "B": 0.2}), sf.Hold("right", {"c": 5.3, "B": 0.1})],
        start={"c": 2.0, "B": 0.4},
    )
    return sf.evolve(model, "200 s", **options)


def _caught(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(f.subject, f.title) for f in failures(findings)}


@pytest.mark.parametrize("hidden", [True, False])
def test_mass_destroyed_without_a_declaration_is_caught(hidden):
    leak = laws.HiddenLeak() if hidden else sf.Decay({"c": -1, "B": 1}, 1.1e-4)
    caught = failures(check_run_ledger(_film(sf.Fick("c", 1.3e-9), leak)))
    assert [(f.subject, f.title) for f in caught] == ([("c", LEDGER)] if hidden else [])
    assert not hidden or "naming it in `makes`" in caught[0].detail


@pytest.mark.parametrize("factor", [1.0, 1.0 + 1e-8])
def test_a_store_that_changes_by_itself_is_caught(factor):
    def swapped(model: sf.Model) -> sf.Model:
        return sf.Model(
            model.space,
            [sf.Species("c", capacity=factor), sf.Species("B")],
            [sf.Fick("c", 1.3e-9), sf.Fick("B", 1.1e-9)],
            [sf.Hold("left", {"c": 0.8, "B": 0.2}), sf.Hold("right", {"c": 5.3, "B": 0.1})],
            start=model.start,
        )

    event = sf.Event("late", lambda view: view.time - 100.0, then=swapped)
    caught = _caught(check_run_ledger(_film(sf.Fick("c", 1.3e-9), events=[event])))
    assert caught == (set() if factor == 1.0 else {("c", LEDGER)})


def test_a_law_that_runs_uphill_is_caught_at_a_moment():
    history = _film(laws.Uphill())
    caught = [f for f in failures(check_run(history)) if f.title == SECOND]
    assert [f.subject for f in caught] == ["Uphill"]
    assert caught[0].detail.startswith("at t = ") and "on the edge from" in caught[0].detail


@pytest.mark.parametrize("share", [1.0, 1.0 + 1e-7, 0.0])
def test_entropy_stored_wrongly_is_caught(share, monkeypatch):
    history = _film(sf.Fick("c", 1.3e-9))
    true = accounts._entropy_stored
    monkeypatch.setattr(accounts, "_entropy_stored", lambda model, books: share * true(model, books))
    moment = history.at(150.0)
    assert check_entropy_of_moment(moment).passed == (share == 1.0)


def test_states_below_zero_by_the_tolerance_are_no_fault():
    model = sf.Model(
        sf.interval(1e-3, cells=41),
        [sf.Species("c")],
        [sf.Fick("c", 1e-9)],
        [sf.Hold("left", {"c": 1.0})],
        start={"c": 0.0},
    )
    history = sf.evolve(model, "1 s", rtol=1e-4)
    history._y[1:, 20:41] -= 1e-12
    findings = check_run(history)
    assert _caught([f for f in findings if f.title != LEDGER]) == set()


def test_of_several_moments_the_worst_is_told():
    def finding(measured: float, passed: bool, detail: str = "") -> Finding:
        return Finding("x", "t", measured, 0.0, 1.0, passed, "s", detail)

    (told,) = worst([[finding(0.1, True)], [finding(3.0, False, "here.")], [finding(0.2, True)]], [1.0, 2.0, 3.0])
    assert not told.passed and told.detail == "at t = 2 s: here."
    (told,) = worst([[finding(0.1, True)], [finding(0.7, True)]], [1.0, 2.0])
    assert told.passed and told.measured == 0.7
    left = Finding("x", "t", None, None, 0.0, True, "s", "why", judged=False)
    (told,) = worst([[left], [finding(0.7, True)]], [1.0, 2.0])
    assert told.judged


def test_a_system_whose_question_is_one_of_time_is_judged_by_its_run():
    def claim(run) -> Comparison:
        found = run(until=100.0)
        return Comparison(found.history.times[-1], 100.0, 1e-12)

    def system(law: sf.Law) -> System:
        return System(
            name="film",
            parameters=(),
            model=lambda p: _film(law).model,
            answers=_answers,
            units={"end": "mol"},
            claims=(Claim("ends where it was asked", "itself", claim),),
            figure=lambda result: result,
            solve=lambda p, model: sf.evolve(model, "200 s"),
        )

    findings = check_system(system(sf.Fick("c", 1.3e-9)))
    assert _caught(findings) == set()
    assert {LEDGER, "ends where it was asked"} <= {f.title for f in findings}
    assert ("Uphill", SECOND) in _caught(check_system(system(laws.Uphill())))


def _answers(p: object, history: sf.History) -> dict[str, float]:
    return {"end": float(history.total("c")[-1])}


def test_a_model_file_with_a_time_is_judged_by_its_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = """
        [space]
        kind = "interval"
        length = "1 mm"
        cells = 9
        [[quantity]]
        kind = "species"
        name = "c"
        [[law]]
        kind = "fick"
        species = "c"
        diffusivity = 1.3e-9
        [[boundary]]
        place = "left"
        kind = "hold"
        values = { c = { signal = "sine", mean = 2.0, amplitude = 1.0, frequency = "10 mHz" } }
        [start]
        c = 1.0
        [time]
        until = "200 s"
    """
    (tmp_path / "m.toml").write_text(text)
    assert main(["check", "m.toml"]) == 0
    out, err = capsys.readouterr()
    assert LEDGER in " ".join(out.split()) or "balance of the whole run" in out
    assert json.dumps("left out") and "checks passed" in err
