"""The progress of a run in time on the error stream: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from steadyflux.report.duration import duration

REFRESH = 0.1  # s between two changes of the bar
LINES = 5.0  # s between two lines

Observer = Callable[[float, float, float], None]


@contextmanager
def progress_shown(title: str, wanted: bool | None = None) -> Generator[Observer | None, None, None]:
    """Give a function that is told (time, end, step), s, after each step of an integration, and shows how far it is.

    ``wanted`` None: only where the error stream is a terminal; then None is given where it is not.
    """
    console = Console(stderr=True)
    if wanted is False or (wanted is None and not console.is_terminal):
        yield None
    elif console.is_terminal:
        with _bar(title, console) as observer:
            yield observer
    else:
        yield _lines(title, console)


@contextmanager
def _bar(title: str, console: Console) -> Generator[Observer, None, None]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(title.replace("[", "\\["), total=1.0, state="")
        told = [0.0]

        def observe(now: float, end: float, step: float) -> None:
            clock = time.monotonic()
            if clock - told[0] >= REFRESH or now >= end:
                told[0] = clock
                bar.update(task, completed=now / end, state=_state(now, end, step), refresh=True)

        yield observe


def _lines(title: str, console: Console) -> Observer:
    told, steps = [time.monotonic()], [0]

    def observe(now: float, end: float, step: float) -> None:
        steps[0] += 1
        clock = time.monotonic()
        if clock - told[0] >= LINES or now >= end:
            told[0] = clock
            line = f"{title}: {100.0 * now / end:.1f} %, {_state(now, end, step)}, {steps[0]} steps"
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return observe


def _state(now: float, end: float, step: float) -> str:
    return f"{duration(now)} of {duration(end)}, step {duration(step)}"
