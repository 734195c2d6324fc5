"""Times as readers write them, and the figure and tables of a run in time."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

import steadyflux as sf
from steadyflux.report import progress as module
from steadyflux.report.duration import duration, time_unit
from steadyflux.report.history import chosen, history_figure, history_tables
from steadyflux.report.progress import progress_shown
from steadyflux.report.table import text_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (1.0, "1 s"),
        (299.0, "299 s"),
        (300.0, "5 min"),
        (7200.0, "120 min"),
        (18000.0, "5 h"),
        (86400.0 * 30, "30 d"),
        (3.15576e8, "10 a"),
        (0.0021, "2.1 ms"),
        (2e-6, "2 µs"),
        (-5e-9, "-5 ns"),
        (3e-12, "3 ps"),
        (3e-15, "3e-15 s"),
    ],
)
def test_a_time_is_told_in_its_unit(seconds, text):
    assert duration(seconds) == text
    length, name = time_unit(seconds)
    assert text.endswith(" " + name) and length > 0


def test_entries_are_chosen_evenly_with_both_ends():
    assert list(chosen(5, 10)) == [0, 1, 2, 3, 4]
    assert list(chosen(101, 5)) == [0, 25, 50, 75, 100]
    assert list(chosen(1, 5)) == [0]


def _line() -> sf.History:
    model = sf.Model(
        sf.interval("1 mm", cells=11),
        [sf.Species("a"), sf.Species("b")],
        [sf.Fick("a", 1e-9), sf.Fick("b", 2e-9)],
        [sf.Hold("left", {"a": 1.0})],
        start={"a": 0.1, "b": np.linspace(0.5, 2.0, 11)},
    )
    return sf.evolve(model, "1000 s")


def _many() -> sf.History:
    space = sf.network({f"n{i}": 1.0 for i in range(14)}, {"l": [(f"n{i}", f"n{i + 1}") for i in range(13)]}, area=1.0)
    model = sf.Model(
        space, [sf.Species("a$b$")], [sf.Fick("a$b$", 1.0, on="l")], start={"a$b$": np.linspace(0, 1.0, 14)}
    )
    return sf.evolve(model, "10 s")


@pytest.mark.parametrize("make", [_line, _many])
def test_the_figure_shows_answers_and_states(make, tmp_path):
    history = make()
    times = list(history.times[chosen(len(history.times), 41)])
    series = {
        "one": (list(np.sqrt(times)), "mol/s"),
        "two": ([None, *times[1:]], "mol/s"),
        "three": (list(times), ""),
        "odd": (list(times), "furlong"),
        "word": (["x"] * len(times), ""),
        "list": ([[1.0, 2.0]] * len(times), "V"),
    }
    figure = history_figure(history, times, series, "a $title")
    assert isinstance(figure, Figure)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert any("mol" in one for one in labels) and any("concentration" in one for one in labels)
    figure.savefig(tmp_path / "figure.png")
    text = text_of(history_tables("name", "line", {}, {"one": (1.0, "mol/s")}, history, times, series))
    table = text.split("Answers in time")[1].split("Boundaries")[0]
    assert "furlong" in table and "list" not in table
    assert "produced since the start" in text


def test_wide_tables_of_answers_are_broken(capsys):
    history = _many()
    times = [0.0, 1.0, 2.0]
    series = {f"an_answer_with_a_long_name_{n}": ([1.0, 2.0, 3.0], "V") for n in range(9)}
    text = text_of(history_tables("name", "", {}, {}, history, times, series))
    assert max(map(len, text.splitlines())) <= 120
    for name in series:
        assert name in text  # unbroken


def test_progress_is_shown_on_a_terminal_and_told_in_lines_elsewhere(monkeypatch):
    class Terminal(Console):
        pass

    for terminal, wanted, shows in (
        (True, None, True),
        (False, None, False),
        (False, True, True),
        (True, False, False),
    ):
        stream = io.StringIO()
        monkeypatch.setattr(
            module, "Console", lambda stderr, s=stream, t=terminal: Terminal(file=s, force_terminal=t, width=100)
        )
        with progress_shown("a [title]", wanted) as observer:
            assert (observer is None) == (not shows)
            if observer is not None:
                observer(0.5, 2.0, 0.1)
                observer(2.0, 2.0, 0.1)
        said = stream.getvalue()
        assert ("a [title]" in said) == shows
        assert ("2 s of 2 s, step 100 ms" in said) == shows
