"""Checkpoints: a run in time kept in a file, whole or not at all, from which a killed run goes on the very same way."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.ground.files import atomic_path
from steadyflux.ground.fingerprint import fingerprint
from steadyflux.model.history import Happening, Record
from steadyflux.model.model import Model
from steadyflux.solve.assembly import Counter

# After a checkpoint the integrator starts anew, which takes it some fifty steps. So many steps lie between two:
BETWEEN = 1000
BETWEEN_LARGE = 300  # of models so large that each step takes long
LARGE = 30_000  # unknowns
SHARE = 10  # a long run is kept when it has grown by a tenth, or writing its record again and again would cost more

FORMAT = "steadyflux checkpoint 1"
# What Python's reader of archives raises where a bit of one has turned.
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)

ARRAYS = ("y", "first", "times", "unknowns", "rates")


class Checkpoint:
    """The file of one run. ``settings`` are those on which its course depends, by the names their refusal uses."""

    def __init__(self, path: Path, model: Model, settings: Mapping[str, Any]) -> None:
        self.path, self._model = path, model
        self._between = BETWEEN_LARGE if model.cells * len(model.names) > LARGE else BETWEEN
        self._facts = {
            "format": FORMAT,
            "version": sf.__version__,
            "model": fingerprint(model),
            "settings": {name: [fingerprint(value), _shown(value)] for name, value in settings.items()},
        }
        self._last = 0
        folder = path.parent
        if not folder.is_dir():
            raise InputError(f"{path}: there is no folder {folder}", "make it, or keep the checkpoint elsewhere")
        if path.is_dir() or not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            raise InputError(f"{path}: cannot be written", "keep the checkpoint elsewhere")
        if path.exists():
            _check_kind(path)  # a file of another kind is never written over

    def due(self, steps: int, *, resting: bool = False) -> bool:
        """Whether a run is to be kept after so many steps of the integrator; the same in every run.

        ``resting``: the integrator starts anew here anyway, so that a checkpoint costs nothing but its writing.
        """
        return steps - self._last >= max(self._between // (4 if resting else 1), self._last // SHARE)

    def write(self, time: float, y: np.ndarray, record: Record, following: int, steps: int, done: bool) -> None:
        """Keep the run: time, unknowns, record, the number of the next asked time, steps taken, whether it is over.

        The file is replaced in one stroke when all of it is on the disk. Raises `InputError` where that fails.
        """
        n = len(y)
        arrays = {
            "y": y,
            "first": record.first,
            "times": np.array(record.times, dtype=float),
            "unknowns": np.array(record.unknowns, dtype=float).reshape(-1, n),
            "rates": np.array(record.rates, dtype=float).reshape(-1, n),
        }
        facts = self._facts | {
            "time": time,
            "begin": record.begin,
            "next": following,
            "steps": steps,
            "done": done,
            "counters": [list(counter) for counter in record.counters],
            "happenings": [list(happening) for happening in record.happenings],
        }
        facts["checksum"] = _checksum(facts, arrays)
        packed = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
        try:
            with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
                np.savez(file, facts=packed, **arrays)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"{self.path}: the checkpoint cannot be written, {reason}",
                "make room; --resume goes on from the one before",
            ) from error
        self._last = steps

    def read(self) -> tuple[float, np.ndarray, Record, int, int, bool] | None:
        """What `write` kept, or None where there is no file yet: then the run starts at its beginning.

        Raises `InputError` for a file that is no checkpoint, is damaged, or belongs to another model, other settings or
        another version.
        """
        if not self.path.exists():
            return None
        facts, arrays = _load(self.path)
        self._compare(facts)
        record = Record(
            self._model,
            tuple(Counter(*one) for one in facts["counters"]),
            facts["begin"],
            arrays["first"],
            list(map(float, arrays["times"])),
            list(arrays["unknowns"]),
            list(arrays["rates"]),
            [Happening(*one) for one in facts["happenings"]],
        )
        self._last = facts["steps"]
        return facts["time"], arrays["y"], record, facts["next"], facts["steps"], facts["done"]

    def _compare(self, facts: Mapping[str, Any]) -> None:
        remedy = "run it as before, or start anew without --resume"
        if facts["version"] != self._facts["version"]:
            raise InputError(f"{self.path}: was written by version {facts['version']} of steadyflux", remedy)
        if facts["model"] != self._facts["model"]:
            raise InputError(f"{self.path}: belongs to another model or to other numbers in it", remedy)
        kept, own = facts["settings"], self._facts["settings"]
        for name in own:
            if name not in kept or kept[name][0] != own[name][0]:
                before, now = (kept.get(name) or ["", ""])[1], own[name][1]
                change = f" ({before} then, {now} now)" if before and now else ""
                raise InputError(f"{self.path}: belongs to a run with another {name}{change}", remedy)


def _shown(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _checksum(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.blake2b(digest_size=20)
    total.update(json.dumps(facts, sort_keys=True).encode())
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _check_kind(path: Path) -> None:
    """Refuse a file that no run has written."""
    try:
        with zipfile.ZipFile(path) as members:
            names = set(members.namelist())
    except _UNREADABLE:
        names = set()
    if names != {f"{name}.npy" for name in ("facts", *ARRAYS)}:
        raise InputError(f"{path}: is no checkpoint, or was cut short", "give another file, or take this one away")


def _load(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    _check_kind(path)
    damaged = InputError(f"{path}: the checkpoint is damaged", "take it away and start anew")
    try:
        with np.load(path, allow_pickle=False) as members:
            facts = json.loads(members["facts"].tobytes().decode())
            arrays = {name: members[name] for name in ARRAYS}
    except _UNREADABLE as error:
        raise damaged from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError(f"{path}: is a checkpoint of another format", "start anew without --resume")
    if facts.pop("checksum", None) != _checksum(facts, arrays):
        raise damaged
    return facts, arrays
