"""Checkpoints: a killed run goes on to the same answer bit for bit; what does not belong to it is refused."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.ground.fingerprint import fingerprint
from steadyflux.solve import checkpoint as module
from steadyflux.solve.checkpoint import Checkpoint


class Killed(Exception):
    """Raised in the middle of a run."""


def _model(level: float = 1.7, cells: int = 15) -> sf.Model:
    return sf.Model(
        sf.interval("1 mm", cells=cells),
        [sf.Species("c")],
        [sf.Fick("c", 1.3e-9)],
        [
            sf.Hold("left", {"c": sf.sine(level, 0.4, 0.011)}),
            sf.Influx("right", {"c": sf.pulse(0.0, 3e-6, begin=60, duration=9, repeat=170)}),
        ],
        start={"c": 0.3},
    )


def _closed_left(model: sf.Model) -> sf.Model:
    return sf.Model(
        sf.interval("1 mm", cells=model.cells),
        [sf.Species("c")],
        [sf.Fick("c", 2.9e-9)],
        [sf.Hold("left", {"c": 0.8}), sf.Influx("right", {"c": 0.0})],
        start={"c": 0.3},
    )


SWITCH = sf.Event("full", lambda view: view.value("c", "right") - 0.9, then=_closed_left, direction=1)


def _same(one: sf.History, other: sf.History) -> bool:
    return (
        np.array_equal(one.times, other.times)
        and np.array_equal(one["c"], other["c"])
        and np.array_equal(one.rate("c"), other.rate("c"))
        and np.array_equal(one.entered("c", "left"), other.entered("c", "left"))
        and one.events == other.events
    )


def _ended_after(steps: int):
    left = [steps]

    def progress(time: float, end: float, step: float) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return progress


def _killed_again_and_again(path: Path, run, pauses: list[int]) -> tuple[sf.History, int]:
    """The run as it comes out when each attempt is ended after so many steps; and how many attempts it took."""
    for attempt, pause in enumerate([*pauses, 10**9]):
        try:
            return run(checkpoint=path, resume=attempt > 0, progress=_ended_after(pause)), attempt
        except Killed:
            continue
    raise AssertionError


@pytest.mark.parametrize("times", [None, [10.0, 55.5, 250.0, 700.0]], ids=["every step", "asked times"])
def test_a_run_ended_anywhere_goes_on_to_the_same_answer(tmp_path, monkeypatch, times):
    monkeypatch.setattr(module, "BETWEEN", 60)

    def run(**more: object) -> sf.History:
        return sf.evolve(_model(), "800 s", times=times, events=[SWITCH], rtol=1e-5, **more)

    whole = run(checkpoint=tmp_path / "whole")
    assert {one.name for one in whole.events} == {"full"}
    assert whole.ledger["c"].relative < 1e-11
    pauses = [int(n) for n in np.random.default_rng(5).integers(1, 120, 30)]
    found, attempts = _killed_again_and_again(tmp_path / "kept", run, pauses)
    assert attempts > 3
    assert _same(whole, found)
    again = run(checkpoint=tmp_path / "kept", resume=True, progress=lambda *_: pytest.fail("it was over already"))
    assert _same(whole, again)
    plain = run()
    np.testing.assert_allclose(found.at(700.0)["c"], plain.at(700.0)["c"], rtol=1e-3)


SCRIPT = """
    import sys, time
    import numpy as np
    import steadyflux as sf
    from steadyflux.solve import checkpoint
    checkpoint.BETWEEN = 80
    model = sf.Model(
        sf.interval("1 mm", cells=9), [sf.Species("c")], [sf.Fick("c", 1.3e-9)],
        [sf.Hold("left", {"c": sf.sine(1.7, 0.4, 0.011)}), sf.Hold("right", {"c": 0.2})], start={"c": 0.3},
    )
    kept, out, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
    history = sf.evolve(
        model, "3000 s", checkpoint=kept, resume=True, rtol=1e-5, progress=lambda *_: time.sleep(pause)
    )
    with open(out, "wb") as file:
        np.savez(file, times=history.times, c=history["c"], entered=history.entered("c", "left"))
"""


@pytest.mark.slow
def test_a_process_killed_at_random_moments_goes_on_to_the_same_answer(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))

    def start(kept: str, out: str, pause: float) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, str(script), kept, out, str(pause)], env=os.environ.copy())

    whole = str(tmp_path / "whole.npz")
    assert start(str(tmp_path / "whole.checkpoint"), whole, 0.0).wait() == 0
    kept, out, rng = tmp_path / "kept.checkpoint", tmp_path / "out.npz", np.random.default_rng(11)
    kills = 0
    while kills < 3:
        before = kept.stat().st_mtime_ns if kept.exists() else None
        process = start(str(kept), str(out), 0.002)
        # Somewhere between the next checkpoint and a few after it.
        while process.poll() is None and (not kept.exists() or kept.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(float(rng.uniform(0.0, 0.5)))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        kills += 1
        assert not out.exists()
    assert kills >= 2
    assert start(str(kept), str(out), 0.0).wait() == 0
    with np.load(whole) as one, np.load(out) as other:
        for name in ("times", "c", "entered"):
            assert np.array_equal(one[name], other[name])


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "run.checkpoint"
    sf.evolve(_model(), "20 s", rtol=1e-4, checkpoint=path)
    return path


def _resume(path: Path, model: sf.Model | None = None, until: str = "20 s", **more: object) -> sf.History:
    return sf.evolve(
        _model() if model is None else model, until, resume=True, checkpoint=path, **{"rtol": 1e-4, **more}
    )


def test_another_model_or_another_setting_is_refused(kept):
    assert _resume(kept).times[-1] == 20.0
    with pytest.raises(InputError, match="another model"):
        _resume(kept, _model(level=1.7 + 1e-15))
    with pytest.raises(InputError, match="another model"):
        _resume(kept, _model(cells=16))
    with pytest.raises(InputError, match=r"another until \(20 then, 21 now\)"):
        _resume(kept, until="21 s")
    with pytest.raises(InputError, match="another rtol"):
        _resume(kept, rtol=2e-4)
    with pytest.raises(InputError, match="another max_step"):
        _resume(kept, max_step=3.0)
    with pytest.raises(InputError, match="another choice of times"):
        _resume(kept, times=[1.0, 2.0])
    with pytest.raises(InputError, match="another choice of events"):
        _resume(kept, events=[SWITCH])
    with pytest.raises(InputError, match="another start"):
        _resume(kept, start=sf.steady(_model().at(0.0)))


def test_what_is_no_whole_checkpoint_is_refused(kept, tmp_path):
    data = kept.read_bytes()
    path = tmp_path / "run.checkpoint"
    rng = np.random.default_rng(3)
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match="no checkpoint, or was cut short"):
            _resume(path)
    whole = _resume(kept)
    for place in (*range(12), *rng.integers(0, len(data), 25), *range(len(data) - 80, len(data), 3)):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoilt)
        try:
            found = _resume(path)
        except InputError:
            continue
        assert _same(found, whole)  # the bit lies where the archive keeps a date or a flag
    path.write_text("[model]\n")
    for resume in (True, False):
        with pytest.raises(InputError, match="is no checkpoint"):
            sf.evolve(_model(), "20 s", rtol=1e-4, checkpoint=path, resume=resume)
    assert path.read_text() == "[model]\n"  # a file of another kind is not written over
    np.savez(tmp_path / "other.npz", y=np.ones(3))
    with pytest.raises(InputError, match="is no checkpoint"):
        _resume(tmp_path / "other.npz")


def test_a_changed_number_inside_is_found(kept, tmp_path):
    path = tmp_path / "run.npz"
    with np.load(kept) as members:
        arrays = {name: members[name] for name in members.files}
    arrays["y"] = arrays["y"].copy()
    arrays["y"][3] = np.nextafter(arrays["y"][3], 2.0)
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="damaged"):
        _resume(path)


def test_the_file_comes_from_another_version(kept, monkeypatch):
    monkeypatch.setattr(sf, "__version__", "99.1")
    with pytest.raises(InputError, match="was written by version"):
        _resume(kept)


def test_a_missing_file_starts_the_run_at_its_beginning_and_a_missing_folder_is_refused(tmp_path):
    assert _resume(tmp_path / "none").times[0] < 1e-3
    assert (tmp_path / "none").exists()
    with pytest.raises(InputError, match="there is no folder"):
        _resume(tmp_path / "nowhere" / "none")
    with pytest.raises(InputError, match="cannot be written"):
        _resume(tmp_path)
    with pytest.raises(InputError, match="name the checkpoint's file"):
        sf.evolve(_model(), "20 s", resume=True)


def test_checkpoints_come_after_the_same_steps_and_ever_more_rarely(tmp_path):
    keep = Checkpoint(tmp_path / "x", _model(), {})
    assert not keep.due(999) and keep.due(1000)
    assert not keep.due(249, resting=True) and keep.due(250, resting=True)
    keep._last = 50_000
    assert not keep.due(54_999) and keep.due(55_000)


def test_the_fingerprint_sees_numbers_names_and_code():
    def limit(level: float):
        return lambda view: view.total("c") - level

    one = fingerprint(limit(1.0))
    assert one == fingerprint(limit(1.0))
    assert one != fingerprint(limit(1.0 + 1e-15))
    assert fingerprint(lambda x: x + 1) != fingerprint(lambda x: x + 2)
    assert fingerprint(lambda x: x + 1) != fingerprint(lambda x: x - 1)
    assert fingerprint([1.0, 2.0]) != fingerprint([1.0, [2.0]])
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(np.zeros(3)) != fingerprint(np.zeros((3, 1)))
    assert fingerprint(1) != fingerprint(1.0)
    assert fingerprint(_model()) == fingerprint(_model())

    class Own(sf.EdgeLaw):
        k: float = 1.0

        @property
        def moves(self) -> tuple[str, ...]:
            return ("c",)

        def flux(self, tail, head, edge):
            return {"c": self.k * edge.area * (tail["c"] - head["c"])}

    first, plain = fingerprint(Own()), Own.flux
    Own.flux = lambda self, tail, head, edge: {"c": 2.0 * self.k * edge.area * (tail["c"] - head["c"])}
    assert fingerprint(Own()) != first
    Own.flux = plain
    assert fingerprint(Own()) == first
