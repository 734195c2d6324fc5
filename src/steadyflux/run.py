"""Run a system or a model file: solve it, build its result, write its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group

import steadyflux as sf
from steadyflux.audit.check import check_model, check_run, check_system
from steadyflux.audit.findings import Finding
from steadyflux.files.history import history_object, write_history
from steadyflux.files.locate import line_of_json, lines_of, parse_json, parse_toml, read_text
from steadyflux.files.model_file import ModelFile, bracketed, read_model_file
from steadyflux.files.results import result_object, write_json, write_profiles
from steadyflux.files.time import Timing
from steadyflux.ground.errors import InputError, ModelError, SteadyfluxError
from steadyflux.ground.files import write_atomic
from steadyflux.ground.units import si
from steadyflux.model.history import History
from steadyflux.model.solution import Solution
from steadyflux.report.figure import figure_of, write_figure
from steadyflux.report.history import chosen, history_figure, history_tables
from steadyflux.report.table import run_tables, text_of
from steadyflux.solve.transient import Observer, observed
from steadyflux.systems.catalog import listings, load

Measured = Mapping[str, tuple[Any, str]]
Series = Mapping[str, tuple[Sequence[Any], str]]

MOMENTS = 41  # at which the answers are told where no times are asked: steps of the integration, which are its own


@dataclass(frozen=True)
class Setting:
    """A value given from outside: its name, the value, and where it came from ("--set radius", "p.toml, line 3")."""

    name: str
    value: Any
    source: str


@dataclass(frozen=True)
class Request:
    """What was asked of time: the end, how often to tell the answers, the file that keeps the run, and to go on."""

    until: str | None = None
    every: str | None = None
    checkpoint: str | None = None
    resume: bool = False

    def timing(self, own: Timing | None) -> Timing | None:
        """The timing of the run, over that of the model file; None for a steady state. Refused where it lacks one."""
        if self.until is None and own is None:
            given = {"--every": self.every, "--checkpoint": self.checkpoint, "--resume": self.resume or None}
            for name, value in given.items():
                if value is not None:
                    raise InputError(f"{name} asks for a run in time", "say with --until how long")
            return None
        until = _time(self.until, "--until") if self.until is not None else None
        timing = Timing(until or 0.0) if own is None else own
        if until is not None:
            times = None if timing.times is None or timing.times[-1] > until else timing.times
            timing = replace(timing, until=until, times=times)
        if self.every is not None:
            timing = replace(timing, every=_time(self.every, "--every"), times=None)
        if self.checkpoint is not None:
            timing = replace(timing, checkpoint=self.checkpoint)
        if self.resume and timing.checkpoint is None:
            raise InputError("--resume has no file to go on from", "name it with --checkpoint")
        return timing


@dataclass(frozen=True)
class Run:
    """A solved system or model file: what was asked, the answers, the solution, and how it is drawn.

    Of a run in time ``solution`` is its end, ``history`` the whole, and ``series`` the answers at ``times``.
    """

    name: str
    line: str
    parameters: Measured
    answers: Measured
    solution: Solution
    draw: Callable[[], Any]
    history: History | None = None
    times: Sequence[float] = ()
    series: Series = field(default_factory=dict)

    @cached_property
    def result(self) -> dict[str, Any]:
        """The JSON object of the run."""
        if self.history is None:
            return result_object(self.name, self.parameters, self.answers, self.solution)
        return history_object(self.name, self.parameters, self.answers, self.history, self.times, self.series)

    @cached_property
    def tables(self) -> Group:
        """The readable tables of the run."""
        told = (self.name, self.line, self.parameters, self.answers)
        if self.history is None:
            return run_tables(*told, self.solution)
        return history_tables(*told, self.history, self.times, self.series)

    def write(self, folder: str | Path) -> list[Path]:
        """Write table.txt, figure.png, profiles.nc and last result.json into a folder, each whole or not at all.

        A space in two or three dimensions is written as fields.vtu too (of a run in time its end). A folder with
        result.json is therefore complete. Raises `InputError` where it cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise InputError(f"cannot make the folder {target}: {reason}", "give another one with --out") from None
        space = self.solution.model.space
        drawn = len(space.axes) > 1 and space.kind not in ("network", "joined")
        names = ["table.txt", "figure.png", "profiles.nc", *(["fields.vtu"] if drawn else []), "result.json"]
        paths = [target / name for name in names]
        write_atomic(paths[0], text_of(self.tables).encode("utf-8", "backslashreplace"))
        write_figure(paths[1], self.draw())
        if self.history is None:
            write_profiles(paths[2], self.result, self.solution)
        else:
            write_history(paths[2], self.result, self.history)
        if drawn:
            sf.write_vtk(paths[3], self.solution, self.result)
        write_json(paths[-1], self.result)
        return paths


def is_file(target: str) -> bool:
    """Whether a target names a model file and no system: by its suffix, a folder in it, or a file of that name."""
    if any(target == listing.name for listing in listings()):
        return False
    return target.lower().endswith(".toml") or any(sign in target for sign in "/\\") or Path(target).is_file()


def settings_from_texts(texts: Sequence[str]) -> list[Setting]:
    """The settings of ``--set name=value`` texts; one without "=" and a name given twice are refused."""
    found: dict[str, Setting] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign or not name:
            raise InputError(f"--set {text[:80]}: has no name and value", "write --set name=value")
        if not value.strip():
            raise InputError(f"--set {name}: has no value", "write --set name=value")
        if name in found:
            raise InputError(f"--set {name}: is given twice", "keep one of them")
        found[name] = Setting(name, value.strip(), f"--set {name}")
    return list(found.values())


def settings_from_file(path: str) -> list[Setting]:
    """The settings of a TOML or JSON file of values, each with its line."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".toml", ".json"):
        raise InputError(f"{path}: is neither TOML nor JSON by its name", "name it .toml or .json")
    text = read_text(path)
    if suffix == ".toml":
        values = parse_toml(text, path)
        lines = lines_of(text)
        return [Setting(k, v, f"{path}, line {lines.get((k,), 1)}, {k}") for k, v in values.items()]
    values = parse_json(text, path)
    if not isinstance(values, dict):
        raise InputError(f"{path}, line 1: holds no object", 'write {"name": value, ...}')
    return [Setting(k, v, f"{path}, line {line_of_json(text, k)}, {k}") for k, v in values.items()]


def merged(from_file: Sequence[Setting], from_texts: Sequence[Setting]) -> list[Setting]:
    """Settings of a file with those of the command line over them."""
    return list({setting.name: setting for setting in (*from_file, *from_texts)}.values())


def run(
    target: str, settings: Sequence[Setting] = (), request: Request | None = None, progress: Observer | None = None
) -> Run:
    """Solve a system (by name) or a model file (by path) with some values set; in time where the request asks for it.

    Raises `InputError` for bad input and `NotConverged` where no steady state is found or the integration cannot go on.
    """
    request = Request() if request is None else request
    with observed(progress):
        return run_file(target, settings, request) if is_file(target) else run_system(target, settings, request)


def run_system(name: str, settings: Sequence[Setting] = (), request: Request | None = None) -> Run:
    """Solve a system of the catalogue."""
    request = Request() if request is None else request
    system = load(name)
    given: dict[str, Any] = {}
    for setting in settings:
        value = setting.value
        try:
            if isinstance(value, str) and value[:1] in ("[", "{"):
                value = bracketed(value)
            system.parameter(setting.name).read(value)
        except InputError as error:
            raise InputError(f"{setting.source}: {error.problem}", error.remedy) from error
        given[setting.name] = value
    timing = request.timing(None)
    if timing is not None and timing.every is not None and system.transient:
        raise InputError(f"the answers of {name} are those of its whole run", "leave --every out")
    times: Sequence[float] = ()
    series: Series = {}
    if timing is None:
        result = system.run(given)
    else:
        values = system.values(given)
        history = _evolved(name, system.model_in_time(values), timing, request)
        result = system.result(values, history)
        if not system.transient:
            times, told = _told(history, timing, lambda moment: system.answers_at(values, moment))
            series = {key: (one, system.units[key]) for key, one in told.items()}
    parameters = {p.name: (result.parameters.items[p.name], p.unit) for p in system.parameters}
    answers = {key: (value, system.units[key]) for key, value in result.answers.items()}
    line = next(listing.line for listing in listings() if listing.name == name)
    course = result.course

    def draw() -> Any:
        if course is None or system.transient:
            return system.figure(result)
        return history_figure(course, times, series, name)

    if course is not None and system.transient:
        times = [float(t) for t in course.times[chosen(len(course.times), MOMENTS)]]
    return Run(name, line, parameters, answers, result.solution, draw, course, times, series)


def _time(text: str, name: str) -> float:
    value = float(si(text, "s", name, allow_array=False))
    if not value > 0:
        raise InputError(f"{name}: {text} is no time to come", "give a positive one")
    return value


def _evolved(name: str, model: sf.Model, timing: Timing, request: Request, events: Sequence[sf.Event] = ()) -> History:
    """The run in time of a model that was made for steady states first."""
    try:
        return sf.evolve(
            model,
            timing.until,
            times=timing.asked(),
            rtol=timing.rtol,
            events=events,
            checkpoint=timing.checkpoint,
            resume=request.resume,
        )
    except ModelError as error:
        raise InputError(f"{name} cannot be followed in time: {error.problem}", error.remedy) from error


def _told(
    history: History, timing: Timing, answers: Callable[[Solution], Mapping[str, Any]]
) -> tuple[list[float], dict[str, list[Any]]]:
    """The asked times (or some of the steps) and every answer at each; None where an answer cannot be given then."""
    recorded, asked = history.times, timing.asked()
    if asked is None:
        rows = chosen(len(recorded), MOMENTS)
    else:  # moments of events are recorded too; where one ended the run its time is told
        rows = np.flatnonzero(np.isin(recorded, asked) | (recorded == recorded[-1]))
    found: list[Mapping[str, Any]] = []
    refusal: Exception | None = None
    for row in rows:
        try:
            with np.errstate(all="ignore"):
                found.append(answers(history.at(recorded[row])))
        except (SteadyfluxError, ArithmeticError) as error:  # a ratio of flows, say, before anything flows
            refusal = error
            found.append({})
    names = list(dict.fromkeys(key for one in found for key in one))
    if not names and refusal is not None:
        raise refusal
    return [float(recorded[row]) for row in rows], {key: [one.get(key) for one in found] for key in names}


def open_file(path: str, settings: Sequence[Setting] = ()) -> ModelFile:
    """A model file with values set, checked as far as it can be without solving."""
    file = read_model_file(path)
    for setting in settings:
        try:
            file = file.with_values({setting.name: setting.value}, setting.source)
        except InputError as error:
            raise InputError(f"{setting.source}: {error.problem}", error.remedy) from error
    return file


def run_file(path: str, settings: Sequence[Setting] = (), request: Request | None = None) -> Run:
    """Solve a model file; in time where it has a table [time] or the request asks for it."""
    request = Request() if request is None else request
    file = open_file(path, settings)
    model = file.model
    timing = request.timing(file.timing)
    if timing is None:
        if model.varies:
            raise InputError(
                f"{path}: something in this model changes with time", "say with --until how long to follow it"
            )
        solution = sf.steady(model)
        answers = file.answers(solution)
        return Run(file.name, file.about, file.parameters(), answers, solution, lambda: figure_of(solution, file.name))
    history = _evolved(path, model, timing, request, file.events)
    end = history.end
    times, told = _told(history, timing, lambda moment: {k: v for k, (v, _) in file.answers(moment).items()})
    answers = file.answers(end)
    series = {key: (values, answers[key][1]) for key, values in told.items()}

    def draw() -> Any:
        return history_figure(history, times, series, file.name)

    return Run(file.name, file.about, file.parameters(), answers, end, draw, history, times, series)


def prepare_check(target: str) -> Callable[[], list[Finding]]:
    """The audit of a system or model file, not yet run; an unknown name or a faulty file is refused (`InputError`)."""
    if not is_file(target):
        system = load(target)
        return lambda: check_system(system)
    file = open_file(target)
    model, timing, events = file.model, file.timing, file.events
    if timing is None:
        return lambda: check_model(model)
    return lambda: check_run(_evolved(target, model, replace(timing, checkpoint=None), Request(), events))


def check_target(target: str) -> list[Finding]:
    """The whole audit of one system or model file."""
    return prepare_check(target)()


def check_side_by_side(targets: Sequence[str], workers: int) -> Iterator[tuple[str, list[Finding]]]:
    """The audits of several targets in processes of their own, each as soon as it is done.

    A process serves four targets and makes room for a new one, so that compiled programs do not pile up.
    """
    start = get_context("spawn")  # JAX has threads of its own, which a fork would leave half alive
    with ProcessPoolExecutor(workers, mp_context=start, max_tasks_per_child=4) as pool:
        waiting = {pool.submit(check_target, target): target for target in targets}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def default_folder(target: str) -> Path:
    """Where a model file's results go when no folder is given: out/NAME under the working folder."""
    return Path("out") / (Path(target).stem or "model")
