"""Runs of systems and model files: settings from texts and files, what is a file and what a name, tables, figures."""

import json
from pathlib import Path

import pytest

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.report.table import number, text_of
from steadyflux.run import (
    Setting,
    default_folder,
    is_file,
    merged,
    prepare_check,
    run,
    settings_from_file,
    settings_from_texts,
)
from steadyflux.systems.catalog import listings

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_a_system_runs_with_values_in_any_unit():
    done = run("rod", settings_from_texts(["length=25 cm", "hot=100 degC"]))
    assert done.result["system"] == "rod"
    assert done.result["parameters"]["length"] == {"value": 0.25, "unit": "m"}
    assert done.result["parameters"]["hot"]["value"] == pytest.approx(373.15)
    assert done.result["answers"]["heat"]["value"] == pytest.approx(401.0 * 1e-4 * 100.0 / 0.25, rel=1e-6)
    assert done.result["answers"]["heat"]["unit"] == "W"
    assert "heat" in text_of(done.tables)


def test_settings_of_a_file_have_lines_and_those_of_the_command_line_go_over_them(tmp_path):
    toml = tmp_path / "p.toml"
    toml.write_text('length = "30 cm"\n\nhot = 400\n', encoding="utf-8")
    found = settings_from_file(str(toml))
    assert [(s.name, s.value) for s in found] == [("length", "30 cm"), ("hot", 400)]
    assert found[1].source == f"{toml}, line 3, hot"
    both = merged(found, settings_from_texts(["hot=500"]))
    assert [(s.name, s.value) for s in both] == [("length", "30 cm"), ("hot", "500")]
    as_json = tmp_path / "p.json"
    as_json.write_text('{\n"hot": 400,\n"conductivity": [401.0, 0.0, 0.0]}', encoding="utf-8")
    assert [s.source for s in settings_from_file(str(as_json))] == [
        f"{as_json}, line 2, hot",
        f"{as_json}, line 3, conductivity",
    ]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["length"], "--set length: has no name and value"),
        (["=3"], "has no name and value"),
        (["length="], "--set length: has no value"),
        (["length=1", "length=2"], "--set length: is given twice"),
    ],
)
def test_settings_that_are_none_are_refused(texts, says):
    with pytest.raises(InputError, match=says):
        settings_from_texts(texts)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("lenght", "1", r"^here: no parameter of rod is named 'lenght'; did you mean 'length'"),
        ("length", "3 K", r"^here: length: '3 K'"),
        ("length", "nan", "not a finite number"),
        ("length", "inf m", "not a finite number"),
        ("length", "-1", "must lie between"),
        ("length", "[1", "no list or table"),
        ("length", "[1, 2]", "one number"),
        ("length", {"a": 1}, "not a number"),
        ("length", True, "boolean"),
    ],
)
def test_a_bad_value_of_a_system_says_where_it_came_from(name, value, says):
    with pytest.raises(InputError, match=says):
        run("rod", [Setting(name, value, "here")])


def test_an_unknown_system_is_refused_with_the_nearest_name():
    with pytest.raises(NameUnknown, match="did you mean 'rod'"):
        run("rodd")
    with pytest.raises(NameUnknown):
        prepare_check("rodd")


def test_what_is_a_file_and_what_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not is_file("rod")
    assert is_file("rod.toml")
    assert is_file("./rod")
    assert not is_file("wall")
    (tmp_path / "wall").write_text("")
    assert is_file("wall")
    assert default_folder("models/wall.toml") == Path("out/wall")


@pytest.mark.parametrize("values", ["a: 1", "[1]", '"x"', "{"])
def test_a_file_of_values_that_holds_none_is_refused(tmp_path, values):
    path = tmp_path / "p.json"
    path.write_text(values, encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        settings_from_file(str(path))
    other = tmp_path / "p.yaml"
    other.write_text(values, encoding="utf-8")
    with pytest.raises(InputError, match="neither TOML nor JSON"):
        settings_from_file(str(other))


@pytest.mark.parametrize("name", ["potassium_channel", "neuron_compartments", "membrane_between_baths", "house_wall"])
def test_a_figure_of_any_space_labels_its_axes(name, tmp_path):
    done = run(str(EXAMPLES / f"{name}.toml"))
    figure = done.draw()
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) >= 2
    assert all(axes.get_ylabel() for axes in shown)
    assert all(axes.lines or axes.patches for axes in shown)


def test_numbers_in_tables():
    assert number(0.1234567) == "0.123457"
    assert number(-0.0) == "0"
    assert number(True) == "yes"
    assert number([1.0, 2.0]) == "1, 2"
    assert number(list(range(100))) == "0, 1, 2, ..., 98, 99"
    assert number(None) == "-"


def test_every_system_is_listed_with_a_field_a_line_and_its_seeds():
    for listing in listings():
        assert listing.line and listing.field
        assert set(listing.seeds.replace(" ", "").split(",")) <= set("ABCD")


def test_the_object_of_every_kind_of_run_is_strict_json():
    for target in ("rod", str(EXAMPLES / "settling_sediment.toml")):
        result = run(target).result
        assert json.loads(json.dumps(result, allow_nan=False)) == result


PLATE = """
[model]
name = "plate"
[space]
kind = "grid"
x = { length = "1 cm", count = 7 }
y = { length = "1 cm", count = 5 }
[[quantity]]
kind = "heat"
[[law]]
kind = "fourier"
conductivity = "10 W/(m K)"
[[boundary]]
place = "left"
kind = "hold"
values = { T = "300 K" }
[[boundary]]
place = "right"
kind = "hold"
values = { T = "310 K" }
"""


def test_a_run_in_two_dimensions_writes_its_fields_for_drawing_programs(tmp_path):
    (tmp_path / "plate.toml").write_text(PLATE)
    found = run(str(tmp_path / "plate.toml"))
    paths = found.write(tmp_path / "out")
    assert [path.name for path in paths] == ["table.txt", "figure.png", "profiles.nc", "fields.vtu", "result.json"]
    assert all(path.stat().st_size > 0 for path in paths)
    assert "<VTKFile" in paths[3].read_text()
