"""Runs in time from the command line: answers, tables, files, progress, checkpoints and refusals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray

import steadyflux as sf
from steadyflux.cli import main
from steadyflux.ground.errors import InputError
from steadyflux.report.table import text_of
from steadyflux.run import Request, run
from steadyflux.systems import catalog
from steadyflux.systems.system import Parameter, System, Values

WALL = """\
[model]
name = "wall"

[space]
kind = "interval"
length = "10 cm"
cells = 5

[[quantity]]
kind = "heat"
name = "T"

[[law]]
kind = "fourier"
conductivity = "0.7 W/(m*K)"

[[boundary]]
place = "left"
kind = "hold"
values = { T = "300 K" }

[[boundary]]
place = "right"
kind = "hold"
values = { T = "280 K" }
"""

SLAB = """\
[model]
name = "drying slab"

[space]
kind = "interval"
length = "2 mm"
cells = 11

[[quantity]]
kind = "species"
name = "water"
capacity = 1.3

[[law]]
kind = "fick"
species = "water"
diffusivity = "1.7e-9 m^2/s"

[[boundary]]
place = "left"
kind = "film"
quantity = "water"
coefficient = { signal = "ramp", start = "1 um/s", end = "2 um/s", duration = "1 min" }
outside = { water = "1 mM" }

[start]
water = "10 mM"

[time]
until = "5 min"
every = "1 min"

[[answer]]
name = "drying"
kind = "flow"
quantity = "water"
through = "left"

[[answer]]
name = "left_over"
kind = "total"
quantity = "water"

[[event]]
name = "a_quarter_gone"
kind = "total"
quantity = "water"
crosses = "24 mmol"
then = "note"
"""


def _model(p: Values) -> sf.Model:
    return sf.Model(
        sf.network({"tank": p.volume, "sea": 1.0}, {"pipe": [("tank", "sea")]}, area=1.0),
        [sf.Species("salt")],
        [sf.Fick("salt", 0.5, on="pipe")],
        [sf.Hold("sea", {"salt": 0.0})],
        start={"salt": np.array([3.0, 0.0])},
    )


def _answers(p: Values, solution: sf.Solution) -> dict[str, object]:
    flow = -float(solution.flow("salt", "sea"))
    states = [float(x) for x in solution["salt"]]
    return {"left": float(solution.value("salt", "tank")), "lag": 1.0 / flow, "states": states, "word": "salty"}


def _whole(p: Values, history: sf.History) -> dict[str, float]:
    return {"left": float(history.value("salt", "tank")[-1])}


def _system(**options: object) -> System:
    return System(
        name="tank",
        parameters=(Parameter("volume", 2.0, "m^3", "chosen", low=0.1),),
        model=_model,
        answers=options.pop("answers", _answers),
        units={"left": "mol/m^3", "lag": "s/mol", "states": "mol/m^3", "word": ""},
        claims=(),
        figure=options.pop("figure", lambda result: result),
        **options,
    )


@pytest.fixture
def slab(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("slab.toml").write_text(SLAB)
    return "slab.toml"


def _serve(monkeypatch, system: System) -> None:
    monkeypatch.setattr("steadyflux.run.load", lambda name: system)
    monkeypatch.setattr("steadyflux.run.listings", lambda: [catalog.Listing("tank", "test", "A tank.", "", "")])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, str, str]:
    """The files of the slab's run, and what was said."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "slab.toml").write_text(SLAB)
    command = [sys.executable, "-m", "steadyflux", "run", "slab.toml", "--progress"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "out" / "slab", done.stdout, done.stderr


def test_the_result_holds_the_answers_in_time_and_the_ledger_of_the_run(written):
    result = json.loads((written[0] / "result.json").read_text())
    told = result["history"]
    assert told["time"] == {"values": [0.0, 60.0, 120.0, 180.0, 240.0, 300.0], "unit": "s"}
    left, drying = told["answers"]["left_over"], told["answers"]["drying"]
    assert left["unit"] == "mol" and drying["unit"] == "mol/s"
    assert left["values"][0] == pytest.approx(1.3 * 2e-3 * 10.0, rel=1e-6)
    assert result["answers"]["left_over"]["value"] == left["values"][-1]
    entry = result["ledger"]["water"]
    assert entry["stored"] == pytest.approx(left["values"][-1] - left["values"][0], rel=1e-6)
    assert entry["out"] == pytest.approx(-entry["stored"], rel=1e-12)
    assert abs(entry["imbalance"]) < 1e-14 * left["values"][0]
    assert entry["unit"] == "mol"
    assert result["regime"] == "transient" and result["steady"] is False and "water" in result["reason"]
    (event,) = result["events"]
    assert event["name"] == "a_quarter_gone" and 60.0 < event["time"]["value"] < 300.0
    assert result["outcome"]["code"] == "integrated" and result["outcome"]["iterations"] > 20
    assert result["entropy"]["produced"]["value"] > 0


def test_the_file_of_the_run_has_times_units_parameters_and_the_version(written):
    with xarray.open_dataset(written[0] / "profiles.nc", engine="h5netcdf") as whole:
        # The asked times and the moment of the event.
        assert whole.sizes["time"] == 7 and whole.sizes["cell"] == 11 and whole.sizes["answer_time"] == 6
        assert whole["water"].dims == ("time", "cell") and whole["water"].attrs["units"] == "mol/m^3"
        assert whole["time"].attrs["units"] == "s"
        entered = whole["water_entered_left"]
        stored = whole["water_total"]
        np.testing.assert_allclose(entered - entered[0], stored - stored[0], rtol=1e-9, atol=1e-12)
        assert entered.attrs["units"] == "mol" and whole["water_flow_left"].attrs["units"] == "mol/s"
        assert np.all(np.diff(whole["entropy_produced"]) > 0)
        np.testing.assert_allclose(whole["answer_left_over"], stored.sel(time=whole["answer_time"]), rtol=1e-12)
        assert whole.attrs["version"] == sf.__version__
        assert json.loads(whole.attrs["parameters"])["fick.diffusivity"] == {"value": 1.7e-9, "unit": "m^2/s"}
        assert json.loads(whole.attrs["events"])[0]["name"] == "a_quarter_gone"


def test_tables_and_progress_are_told(written):
    folder, out, err = written
    assert (folder / "figure.png").stat().st_size > 20_000
    table = (folder / "table.txt").read_text()
    for words in ("Answers in time", "Ledger of the whole run", "a_quarter_gone", "transient: ", "Answers at 5 min"):
        assert words in out and words in table
    assert "slab.toml: 100.0 %, 5 min of 5 min, step" in err
    assert not list(folder.glob(".part*"))


def test_a_run_to_a_steady_state_says_so(slab):
    done = run(slab, (), Request(until="30 d", every="10 d"))
    assert done.result["regime"] == "equilibrium" and done.result["steady"] is True
    assert done.answers["left_over"][0] == pytest.approx(1.3 * 2e-3 * 1.0, rel=1e-4)
    assert "nothing changes by more than" in text_of(done.tables)
    with_steps = run(slab, (), Request(until="10 s", every="20 s"))
    assert list(with_steps.times) == [0.0, 10.0]


def test_a_system_is_followed_with_its_answers_at_every_time(monkeypatch, tmp_path):
    _serve(monkeypatch, _system())
    done = run("tank", (), Request(until="8 s", every="2 s"))
    told = done.result["history"]["answers"]
    np.testing.assert_allclose(told["left"]["values"], 3.0 * np.exp(-0.25 * np.array([0, 2, 4, 6, 8.0])), rtol=1e-5)
    assert told["lag"]["values"][0] == pytest.approx(1 / 1.5, rel=1e-4)
    assert np.shape(told["states"]["values"]) == (5, 2)
    assert "states" not in text_of(done.tables).split("Answers in time")[1].split("Boundaries")[0]
    free = run("tank", (), Request(until="8 s"))
    assert 10 < len(free.times) <= 41 and free.times[-1] == 8.0
    assert free.result["history"]["answers"]["left"]["values"][-1] == free.answers["left"][0]
    paths = free.write(tmp_path)
    assert [path.name for path in paths] == ["table.txt", "figure.png", "profiles.nc", "result.json"]
    with xarray.open_dataset(paths[2], engine="h5netcdf") as whole:
        assert whole["answer_states"].dims == ("answer_time", "states_1")
        assert "answer_word" not in whole


def test_an_answer_that_cannot_be_given_at_a_time_is_left_open_there(monkeypatch):
    def answers(p: Values, solution: sf.Solution) -> dict[str, float]:
        left = float(solution.value("salt", "tank"))
        if left > 2.0:
            raise ZeroDivisionError
        return {"left": left}

    _serve(monkeypatch, _system(answers=answers))
    done = run("tank", (), Request(until="4 s", every="1 s"))
    values = done.result["history"]["answers"]["left"]["values"]
    assert values[:2] == [None, None] and values[2] == pytest.approx(3.0 * np.exp(-0.5), rel=1e-5)
    with pytest.raises(ZeroDivisionError):
        run("tank", (), Request(until="1 s", every="0.5 s"))


def test_a_system_whose_question_is_one_of_time_is_drawn_by_itself(monkeypatch):
    drawn = []
    system = _system(answers=_whole, solve=lambda p, model: sf.evolve(model, "4 s"), figure=drawn.append)
    _serve(monkeypatch, system)
    done = run("tank")
    assert done.answers["left"][0] == pytest.approx(3.0 * np.exp(-1.0), rel=1e-5)
    assert done.result["history"]["answers"] == {} and done.result["ledger"]["salt"]["out"] > 0
    done.draw()
    assert drawn[0].history is done.history
    assert run("tank", (), Request(until="2 s")).answers["left"][0] == pytest.approx(3.0 * np.exp(-0.5), rel=1e-5)
    with pytest.raises(InputError, match="leave --every out"):
        run("tank", (), Request(until="2 s", every="1 s"))


def test_its_progress_is_told_too(monkeypatch):
    system = _system(answers=_whole, solve=lambda p, model: sf.evolve(model, "4 s"))
    _serve(monkeypatch, system)
    seen = []
    run("tank", progress=lambda now, end, step: seen.append((now, end, step)))
    assert seen[-1][:2] == (4.0, 4.0) and all(step > 0 for _, _, step in seen)
    before = len(seen)
    sf.evolve(_model(system.values()), "1 s")
    assert len(seen) == before


def test_a_model_that_stores_nothing_is_not_followed_in_time(tmp_path, capsys):
    (tmp_path / "wall.toml").write_text(WALL, "utf-8")
    assert main(["run", str(tmp_path / "wall.toml"), "--until", "1 s"]) == 2
    assert "Nothing in this model is stored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "pore", "--every", "1 s"], "--every asks for a run in time"),
        (["run", "pore", "--checkpoint", "x"], "--checkpoint asks for a run in time"),
        (["run", "pore", "--resume"], "--resume asks for a run in time"),
        (["run", "pore", "--until", "3 m"], "--until: '3 m' is a quantity of dimension length"),
        (["run", "pore", "--until", "-3"], "--until: -3 is no time to come"),
        (["run", "pore", "--until", "1 s", "--every", "0"], "--every: 0 is no time to come"),
        (["run", "pore", "--until", "1 s", "--resume"], "--resume has no file to go on from"),
        (["run", "slab.toml", "--every", "1 ns"], "more than 100,000"),
        (["run", "slab.toml", "--checkpoint", "slab.toml"], "is no checkpoint"),
        (["run", "slab.toml", "--checkpoint", "nowhere/x"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(slab, arguments, said, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err
    assert Path(slab).read_text() == SLAB


def test_a_model_that_changes_with_time_has_no_steady_state(slab):
    lines = SLAB[: SLAB.index("[time]")] + SLAB[SLAB.index("[[answer]]") :]
    Path(slab).write_text(lines)
    with pytest.raises(InputError, match="changes with time; say with --until"):
        run(slab)
    assert run(slab, (), Request(until="1 s")).times[-1] == 1.0


@pytest.mark.slow
def test_a_command_killed_and_resumed_writes_the_same_result(slab, tmp_path):
    Path(slab).write_text(SLAB.replace("every =", "# every ="))
    command = [sys.executable, "-c", PATCHED, "run", slab, "--until", "40 min", "--checkpoint", "run.npz", "--resume"]

    def start(folder: str, *more: str) -> subprocess.Popen:
        Path(folder).mkdir(exist_ok=True)
        Path(folder, slab).write_text(Path(slab).read_text())
        return subprocess.Popen([*command, "--out", "here", *more], cwd=folder, stdout=subprocess.DEVNULL)

    assert start("whole").wait() == 0
    process = start("killed", "--no-progress")
    while process.poll() is None and not Path("killed/run.npz").exists():
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not Path("killed/here").exists()
    assert start("killed").wait() == 0
    whole, killed = (json.loads(Path(folder, "here/result.json").read_text()) for folder in ("whole", "killed"))
    assert whole == killed
    assert os.path.getsize("killed/here/figure.png") == os.path.getsize("whole/here/figure.png")


PATCHED = """
import sys
from steadyflux.solve import checkpoint
checkpoint.BETWEEN = 40
from steadyflux.cli import main
sys.exit(main(sys.argv[1:]))
"""
