"""Run a system or a model file: solve it, build its result, write its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Group

import steadyflux as sf
from steadyflux.audit.check import check_model, check_system
from steadyflux.audit.findings import Finding
from steadyflux.files.locate import line_of_json, lines_of, parse_json, parse_toml, read_text
from steadyflux.files.model_file import ModelFile, bracketed, read_model_file
from steadyflux.files.results import result_object, write_json, write_profiles
from steadyflux.ground.errors import InputError
from steadyflux.ground.files import write_atomic
from steadyflux.model.solution import Solution
from steadyflux.report.figure import figure_of, write_figure
from steadyflux.report.table import run_tables, text_of
from steadyflux.systems.catalog import listings, load

Measured = Mapping[str, tuple[Any, str]]


@dataclass(frozen=True)
class Setting:
    """A value given from outside: its name, the value, and where it came from ("--set radius", "p.toml, line 3")."""

    name: str
    value: Any
    source: str


@dataclass(frozen=True)
class Run:
    """A solved system or model file: what was asked, the answers, the solution, and how it is drawn."""

    name: str
    line: str
    parameters: Measured
    answers: Measured
    solution: Solution
    draw: Callable[[], Any]

    @cached_property
    def result(self) -> dict[str, Any]:
        """The JSON object of the run."""
        return result_object(self.name, self.parameters, self.answers, self.solution)

    @cached_property
    def tables(self) -> Group:
        """The readable tables of the run."""
        return run_tables(self.name, self.line, self.parameters, self.answers, self.solution)

    def write(self, folder: str | Path) -> list[Path]:
        """Write table.txt, figure.png, profiles.nc and last result.json into a folder, each whole or not at all.

        A folder with result.json is therefore complete. Raises `InputError` where it cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise InputError(f"cannot make the folder {target}: {reason}", "give another one with --out") from None
        paths = [target / name for name in ("table.txt", "figure.png", "profiles.nc", "result.json")]
        write_atomic(paths[0], text_of(self.tables).encode("utf-8", "backslashreplace"))
        write_figure(paths[1], self.draw())
        write_profiles(paths[2], self.result, self.solution)
        write_json(paths[3], self.result)
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


def run(target: str, settings: Sequence[Setting] = ()) -> Run:
    """Solve a system (by name) or a model file (by path) with some values set.

    Raises `InputError` for bad input and `NotConverged` where no steady state is found.
    """
    return run_file(target, settings) if is_file(target) else run_system(target, settings)


def run_system(name: str, settings: Sequence[Setting] = ()) -> Run:
    """Solve a system of the catalogue."""
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
    result = system.run(given)
    parameters = {p.name: (result.parameters.items[p.name], p.unit) for p in system.parameters}
    answers = {key: (value, system.units[key]) for key, value in result.answers.items()}
    line = next(listing.line for listing in listings() if listing.name == name)
    return Run(name, line, parameters, answers, result.solution, lambda: system.figure(result))


def open_file(path: str, settings: Sequence[Setting] = ()) -> ModelFile:
    """A model file with values set, checked as far as it can be without solving."""
    file = read_model_file(path)
    for setting in settings:
        try:
            file = file.with_values({setting.name: setting.value}, setting.source)
        except InputError as error:
            raise InputError(f"{setting.source}: {error.problem}", error.remedy) from error
    return file


def run_file(path: str, settings: Sequence[Setting] = ()) -> Run:
    """Solve a model file."""
    file = open_file(path, settings)
    solution = sf.steady(file.model)
    answers = file.answers(solution)
    return Run(file.name, file.about, file.parameters(), answers, solution, lambda: figure_of(solution, file.name))


def prepare_check(target: str) -> Callable[[], list[Finding]]:
    """The audit of a system or model file, not yet run; an unknown name or a faulty file is refused (`InputError`)."""
    if not is_file(target):
        system = load(target)
        return lambda: check_system(system)
    model = open_file(target).model
    return lambda: check_model(model)


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
