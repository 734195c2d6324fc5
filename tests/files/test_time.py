"""Time in model files: signals, the table [time], events, capacities; each mistake told by file, line and key."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.files.locate import parse_toml
from steadyflux.files.model_file import ModelFile
from steadyflux.files.time import Timing
from steadyflux.ground.errors import InputError

from .conftest import GOOD

TANK = """\
[space]
kind = "network"
compartments = { tank = "2 L", sea = "1 m^3" }
links = { pipe = [["tank", "sea"]] }
area = "3 cm^2"

[[quantity]]
kind = "species"
name = "salt"
capacity = 1.25

[[law]]
kind = "transfer"
quantity = "salt"
coefficient = "1 mm/s"
on = "pipe"

[[boundary]]
place = "sea"
kind = "hold"
values = { salt = 0.0 }

[[boundary]]
place = "tank"
kind = "influx"
values = { salt = 0.0 }

[start]
salt = [30.0, 0.0]

[time]
until = "2 h"
every = "10 min"

[[event]]
name = "half"
kind = "total"
quantity = "salt"
crosses = "37.5 mmol"
direction = "falling"
then = "note"
"""


def file_of(text):
    return ModelFile("m.toml", text, parse_toml(text, "m.toml"))


def run_of(text, **options):
    file = file_of(text)
    assert file.timing is not None
    return sf.evolve(file.model, file.timing.until, times=file.timing.asked(), events=file.events, **options)


def test_a_file_states_a_run_in_time_with_its_capacity_and_its_event():
    file = file_of(TANK)
    assert file.timing == Timing(7200.0, 600.0)
    np.testing.assert_allclose(file.timing.asked(), 600.0 * np.arange(13))
    rate = 1e-3 * 3e-4 / (2e-3 * 1.25)  # of the tank, 1/s
    history = run_of(TANK, rtol=1e-9)
    np.testing.assert_allclose(
        history.value("salt", "tank")[1:-1:3], 30.0 * np.exp(-rate * history.times[1:-1:3]), rtol=1e-6
    )
    assert [one.name for one in history.events] == ["half"]
    assert history.events[0].time == pytest.approx(np.log(2.0) / rate, rel=1e-6)


SIGNALS = {
    '{ signal = "ramp", start = "1 mm/s", end = "3 mm/s", duration = "5 min", begin = "1 min" }': sf.ramp(
        1e-3, 3e-3, 300.0, begin=60.0
    ),
    '{ signal = "triangle", start = "1 mm/s", turn = "2 mm/s", rate = "10 um/s^2", cycles = 1.5 }': sf.triangle(
        1e-3, 2e-3, 1e-5, cycles=1.5
    ),
    '{ signal = "pulse", rest = 0.001, during = "2 mm/s", begin = 10, duration = "1 min", repeat = "3 min" }': sf.pulse(
        1e-3, 2e-3, begin=10.0, duration=60.0, repeat=180.0
    ),
    '{ signal = "schedule", times = ["1 min", "2 min"], values = ["1 mm/s", 0.002], steps = true }': sf.schedule(
        [60.0, 120.0], [1e-3, 2e-3], steps=True
    ),
    '{ signal = "sine", mean = "2 mm/s", amplitude = "1 mm/s", frequency = "5 mHz", phase = 0.3 }': sf.sine(
        2e-3, 1e-3, 5e-3, phase=0.3
    ),
}


@pytest.mark.parametrize("text", SIGNALS)
def test_a_signal_of_a_file_is_that_of_the_library(text):
    model = file_of(TANK.replace('coefficient = "1 mm/s"', f"coefficient = {text}")).model
    assert model.varies
    for time in (0.0, 33.0, 61.0, 100.0, 150.0, 3000.0):
        np.testing.assert_allclose(model.at(time).laws[0].coefficient, SIGNALS[text].at(time), rtol=1e-12)


def _leaves(model):
    return [float(bound.value) for bound in (*model.holds, *model.influxes)]


RAMP = '{ signal = "ramp", start = 1.0, end = 2.0, duration = 4.0 }'


@pytest.mark.parametrize(
    "change",
    [
        ("values = { salt = 0.0 }\n\n[[boundary]]", f"values = {{ salt = {RAMP} }}\n\n[[boundary]]"),
        ("values = { salt = 0.0 }\n\n[start]", f"values = {{ salt = {RAMP} }}\n\n[start]"),
        ("[space]", f"[model]\ntemperature = {RAMP}\n[space]"),
        ("[start]", f"[given]\nT = {RAMP}\n[start]"),
    ],
)
def test_signals_may_stand_at_holds_influxes_the_temperature_and_given_fields(change):
    model = file_of(TANK.replace(*change, 1)).model
    assert model.varies
    before, after = (sf.evolve(model, "8 s", times=[0.0, 2.0, 8.0]).at(t) for t in (2.0, 8.0))
    assert before["T"][0] == 1.5 or not np.array_equal(_leaves(before.model), _leaves(after.model))


def test_a_film_its_outside_and_a_floating_current_may_change():
    text = GOOD.replace(
        'kind = "hold"\nvalues = { c = 0.7 }',
        f'kind = "film"\nquantity = "c"\ncoefficient = {RAMP}\noutside = {{ c = {RAMP} }}',
    )
    model = file_of(text).model
    assert float(model.at(1.0).reservoirs[0].states[0].value) == 1.25
    text = """
        [space]
        kind = "interval"
        length = "1 mm"
        cells = 5
        [[quantity]]
        kind = "potential"
        name = "phi"
        capacity = "2 F/m^3"
        [[law]]
        kind = "ohm"
        conductivity = 0.3
        [[boundary]]
        place = "left"
        kind = "float"
        current = { signal = "ramp", start = 0, end = "2 A", duration = "4 s" }
        [[boundary]]
        place = "right"
        kind = "hold"
        values = { phi = "0 V" }
        [start]
        phi = 0.0
    """
    history = sf.evolve(file_of(text).model, "5 s")
    assert history.end.value("phi", "left") == pytest.approx(2.0 * 1e-3 / 0.3, rel=1e-4)


def test_capacities_by_region_form_and_position():
    text = GOOD.replace(
        'length = "1 mm"\ncells = 21',
        'regions = [{ name = "a", length = 0.5, steps = 4 }, { name = "b", length = 0.5, steps = 4 }]',
    )
    text += "[start]\nc = 2.0\n"
    text = text.replace('"2.5 mM"', "2.0").replace("c = 0.7", "c = 2.0")
    by_region = text.replace('name = "c"\n\n', 'name = "c"\ncapacity = { a = 0.5, b = 2.0 }\n\n', 1)
    assert float(sf.evolve(file_of(by_region).model, 1e-6).start.total("c")) == pytest.approx(
        2.0 * (0.25 + 1.0), rel=1e-3
    )
    of_state = text.replace(
        'name = "c"\n\n', 'name = "c"\ncapacity = { form = "linear", value = 1.0, slope = 3.0 }\n\n', 1
    )
    assert float(sf.evolve(file_of(of_state).model, 1e-6).start.total("c")) == pytest.approx(2.0 + 1.5 * 4.0, rel=1e-3)
    along = text.replace(
        'name = "c"\n\n',
        'name = "c"\ncapacity = { form = "linear", of = "position", value = 1.0, slope = "2 1/m" }\n\n',
        1,
    )
    assert float(sf.evolve(file_of(along).model, 1e-6).start.total("c")) == pytest.approx(2.0 * 2.0, rel=1e-3)


MISTAKES = [
    ('until = "2 h"', 'untill = "2 h"', 32, "time.untill", "'until'"),
    ('until = "2 h"', 'until = "2 m"', 32, "time.until", "length where"),
    ('until = "2 h"', 'until = "-2 h"', 32, "time.until", "positive"),
    ('until = "2 h"\n', "", 31, "time", "lacks the key 'until'"),
    ('every = "10 min"', "every = 0", 33, "time.every", "positive"),
    ('every = "10 min"', 'every = "1 us"', 33, "time.every", "more than 100,000"),
    ('every = "10 min"', "every = 1\ntimes = [1, 2]", 34, "time.times", "beside 'every'"),
    ('every = "10 min"', "times = [2, 1]", 33, "time.times", "do not increase"),
    ('every = "10 min"', 'times = [1, "3 h"]', 33, "time.times", "between 0 and until"),
    ('every = "10 min"', "rtol = 3", 33, "time.rtol", "between 1e-14"),
    ('every = "10 min"', 'checkpoint = "../x"', 33, "time.checkpoint", "leaves the working folder"),
    ('every = "10 min"', 'checkpoint = "/tmp/x"', 33, "time.checkpoint", "leaves the working folder"),
    ('kind = "total"', 'kind = "totl"', 37, "event[1].kind", "'total'"),
    ('quantity = "salt"\ncrosses', 'quantity = "slat"\ncrosses', 38, "event[1].quantity", "'salt'"),
    ("37.5 mmol", "37.5 mM", 39, "event[1].crosses", "substance is expected"),
    ('"falling"', '"fallng"', 40, "event[1].direction", "'falling'"),
    ('then = "note"', 'then = "run"', 41, "event[1].then", "stop"),
    ('kind = "total"', 'kind = "value"', 35, "event[1]", "lacks the key 'at'"),
    ('kind = "total"', 'kind = "value"\nat = "tnk"', 38, "event[1].at", "'tank'"),
    ('kind = "total"', 'kind = "shared"\nshared = "x"', 39, "event[1].quantity", "quantity"),
    ('"1 mm/s"', '{ signal = "rmp", start = 1 }', 15, "law[1].coefficient.signal", "'ramp'"),
    ('"1 mm/s"', '{ signal = "ramp", start = 1 }', 15, "law[1].coefficient", "lacks the key"),
    (
        '"1 mm/s"',
        '{ signal = "ramp", start = 1, end = 2, duraton = 1 }',
        15,
        "law[1].coefficient.duraton",
        "'duration'",
    ),
    (
        '"1 mm/s"',
        '{ signal = "ramp", start = 1, end = 2, duration = "1 m" }',
        15,
        "law[1].coefficient.duration",
        "length",
    ),
    (
        '"1 mm/s"',
        '{ signal = "ramp", start = 1, end = 2, duration = 0 }',
        15,
        "law[1].coefficient.duration",
        "positive",
    ),
    (
        '"1 mm/s"',
        '{ signal = "ramp", start = [1], end = 2, duration = 1 }',
        15,
        "law[1].coefficient.start",
        "no number",
    ),
    (
        '"1 mm/s"',
        '{ signal = "ramp", start = "1 mm", end = 2, duration = 1 }',
        15,
        "law[1].coefficient.start",
        "length",
    ),
    ('"1 mm/s"', '{ signal = "ramp", start = -1, end = 2, duration = 1 }', 12, "law[1]", "negative"),
    (
        '"1 mm/s"',
        '{ signal = "schedule", times = [1, 0], values = [1, 2] }',
        15,
        "law[1].coefficient.times",
        "increase",
    ),
    (
        '"1 mm/s"',
        '{ signal = "sine", mean = 1, amplitude = 2, frequency = "1 s" }',
        15,
        "law[1].coefficient.frequency",
        "time",
    ),
    (
        "capacity = 1.25",
        'capacity = { signal = "ramp", start = 1, end = 2, duration = 1 }',
        10,
        "quantity[1].capacity",
        "cannot change",
    ),
    ("capacity = 1.25", "capacity = { snd = 1.0 }", 10, "quantity[1].capacity", "snd"),
    ("capacity = 1.25", 'capacity = "3 J"', 10, "quantity[1].capacity", "without a unit"),
    ("capacity = 1.25", "capacity = -1", 10, "quantity[1].capacity", "negative"),
    (
        "salt = [30.0, 0.0]",
        'salt = { signal = "ramp", start = 1, end = 2, duration = 1 }',
        29,
        "start.salt",
        "one time",
    ),
]


@pytest.mark.parametrize(("before", "after", "line", "key", "said"), MISTAKES, ids=lambda v: str(v)[:40])
def test_a_mistake_is_told_by_file_line_and_key(before, after, line, key, said):
    text = TANK.replace(before, after, 1)
    assert text != TANK
    with pytest.raises(InputError) as refused:
        file = file_of(text)
        file.model  # noqa: B018
    sentence = refused.value.sentence()
    assert said in sentence
    assert f"m.toml, line {line}" in sentence
    assert key in sentence


def test_the_numbers_of_signals_and_events_can_be_set_and_have_units():
    text = TANK.replace(
        'coefficient = "1 mm/s"', 'coefficient = { signal = "triangle", start = 1, turn = "2 mm/s", rate = "1 m/s^2" }'
    )
    told = file_of(text).parameters()
    assert told["transfer.coefficient.start"] == (1, "m/s")
    assert told["transfer.coefficient.turn"] == (pytest.approx(2e-3), "m/s")
    assert told["transfer.coefficient.rate"] == (1.0, "m/s/s")
    assert told["time.until"] == (7200.0, "s")
    assert told["half.crosses"] == (pytest.approx(0.0375), "mol")
    assert told["salt.capacity"] == (1.25, "")
    assert not any("signal" in name for name in told)
    changed = file_of(TANK).with_values({"time.until": "30 min", "half.crosses": "50 mmol"})
    assert changed.timing is not None and changed.timing.until == 1800.0
    with pytest.raises(InputError, match=r"--set time\.until"):
        file_of(TANK).with_values({"time.until": "30 mmol"}).timing  # noqa: B018


@pytest.mark.parametrize(
    ("watched", "level"),
    [
        ('kind = "value"\nat = "tank"\nquantity = "salt"', "15 mM"),
        ('kind = "largest"\nquantity = "salt"', 15.0),
        ('kind = "flow"\nthrough = "sea"\nquantity = "salt"', "-4.5 umol/s"),
    ],
)
def test_events_of_every_kind_are_met_where_they_should(watched, level):
    text = (
        TANK.replace('kind = "total"\nquantity = "salt"', watched)
        .replace("37.5 mmol", str(level))
        .replace('"falling"', '"both"')
    )
    text = text.replace('crosses = "15.0"', "crosses = 15.0").replace('then = "note"', "")
    history = run_of(text, rtol=1e-8)
    assert history.times[-1] == history.events[0].time == pytest.approx(np.log(2.0) / 1.2e-4, rel=1e-5)


def test_the_times_between_answers_end_with_the_run_and_are_bounded():
    assert list(Timing(3.0, 1.0).asked()) == [0.0, 1.0, 2.0, 3.0]
    assert list(Timing(2.5, 1.0).asked()) == [0.0, 1.0, 2.0, 2.5]
    assert len(Timing(0.3, 0.1).asked()) == 4
    assert list(Timing(1.0, 5.0).asked()) == [0.0, 1.0]
    assert Timing(1.0).asked() is None
