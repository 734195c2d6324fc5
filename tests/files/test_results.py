"""Result files: strict JSON, NetCDF that says its units, files written whole or not at all."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import steadyflux as sf
from steadyflux.files.history import history_dataset, history_object
from steadyflux.files.results import json_text, plain
from steadyflux.run import Setting, run

from .conftest import GOOD

KEYS = ["system", "parameters", "answers", "outcome", "ledger", "entropy", "regime"]


def test_values_become_strict_json():
    value = {
        "a": math.nan,
        "b": np.array([1.5, math.inf]),
        "c": jnp.array(2.5),
        "d": (True, None, "x"),
        "e": np.int64(3),
    }
    assert json.loads(json_text(plain(value))) == {
        "a": None,
        "b": [1.5, None],
        "c": 2.5,
        "d": [True, None, "x"],
        "e": 3,
    }
    assert math.copysign(1.0, plain(-0.0)) == 1.0
    with pytest.raises(TypeError):
        plain(object())


def test_the_object_has_exactly_the_promised_keys(good):
    result = run(str(good)).result
    assert list(result) == KEYS
    assert list(result["outcome"]) == ["code", "iterations", "residual"]
    assert result["outcome"]["code"] == "converged"
    assert list(result["ledger"]["c"]) == ["in", "out", "produced", "stored", "imbalance", "unit"]
    assert list(result["entropy"]) == ["production", "unit", "least_local", "by_law"]
    assert result["system"] == "slab"
    assert result["parameters"]["left.c"] == {"value": 2.5, "unit": "mol/m^3"}
    assert result["answers"]["flow"]["unit"] == "mol/s"
    flow = 1.3e-9 * 1.8 / 1e-3
    assert result["answers"]["flow"]["value"] == pytest.approx(flow, rel=1e-12)
    assert result["ledger"]["c"]["in"] == pytest.approx(flow, rel=1e-12)
    assert result["ledger"]["c"]["out"] == pytest.approx(flow, rel=1e-12)
    # J R ln(c1 / c2), whatever happens in between.
    assert result["entropy"]["production"] == pytest.approx(flow * 8.31446261815324 * math.log(2.5 / 0.7), rel=1e-9)
    assert result["regime"] == "steady nonequilibrium"


def test_a_run_s_folder_holds_result_table_figure_and_profiles(good, tmp_path):
    done = run(str(good), [Setting("left.c", "1.9 mM", "--set left.c")])
    paths = done.write(tmp_path / "deep" / "out")
    assert sorted(path.name for path in paths) == ["figure.png", "profiles.nc", "result.json", "table.txt"]
    folder = tmp_path / "deep" / "out"
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)
    assert json.loads((folder / "result.json").read_text()) == done.result
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "1.9" in (folder / "table.txt").read_text(encoding="utf-8")
    with xarray.open_dataset(folder / "profiles.nc", engine="h5netcdf") as profiles:
        assert profiles["c"].attrs["units"] == "mol/m^3"
        assert profiles["cell_position"].attrs["units"] == "m"
        assert np.allclose(profiles["c"], np.linspace(1.9, 0.7, 21), rtol=1e-12)
        assert np.allclose(profiles["c_flux_interior"], 1.3e-9 * 1.2 / 1e-3, rtol=1e-9)
        assert profiles["c_flux_interior"].attrs["units"] == "mol/s"
        assert float(profiles["entropy_production"].sum()) == pytest.approx(
            done.result["entropy"]["production"], rel=1e-9
        )
        assert profiles.attrs["version"] == sf.__version__
        assert json.loads(profiles.attrs["parameters"]) == done.result["parameters"]


WRITER = """
import sys
from steadyflux.run import run
done = run(sys.argv[1])
done.result, done.tables
print("ready", flush=True)
for number in range(10_000):
    done.write(sys.argv[2])
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_a_run_killed_while_it_writes_leaves_no_half_written_file(good, tmp_path, sent):
    folder = tmp_path / "out"
    draw = random.Random(20)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(good), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 60.0
    while not (folder / "result.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(draw.uniform(0.05, 0.6))
    process.send_signal(sent)
    process.wait(timeout=60)
    process.stdout.close()
    assert whole(folder)
    left = [path for path in folder.iterdir() if path.name.startswith(".part-")]
    assert len(left) <= (1 if sent == signal.SIGKILL else 0)


def whole(folder: Path) -> bool:
    """Whether every file that carries a result's name can be read to its end."""
    assert list(json.loads((folder / "result.json").read_text())) == KEYS
    assert (folder / "table.txt").read_text(encoding="utf-8").rstrip().endswith("K⁻¹")
    assert (folder / "figure.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    with xarray.open_dataset(folder / "profiles.nc", engine="h5netcdf") as profiles:
        return profiles["c"].shape == (21,)


def test_the_check_above_sees_a_file_cut_short(good, tmp_path):
    run(str(good)).write(tmp_path)
    assert whole(tmp_path)
    for name in ("result.json", "figure.png", "profiles.nc"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises((AssertionError, ValueError, OSError)):
            whole(tmp_path)
        (tmp_path / name).write_bytes(data)


def test_a_name_with_odd_characters_stays_within_the_folder(good, tmp_path):
    good.write_text(GOOD.replace('"slab"', '"../[bold]$odd/na$me 中"'), encoding="utf-8")
    done = run(str(good))
    done.write(tmp_path / "out")
    assert "[bold]$odd/na$me 中" in (tmp_path / "out" / "table.txt").read_text(encoding="utf-8")


def test_a_run_in_the_plane_is_written_with_one_coordinate_for_each_axis():
    space = sf.grid(x=np.linspace(0.0, 0.3, 4), y=np.linspace(0.0, 0.2, 3))
    model = sf.Model(space, [sf.Species("c")], [sf.Fick("c", 1.3e-3)], start={"c": lambda x, y: 1.0 + x + 2.0 * y})
    history = sf.evolve(model, until=1.0, times=[0.0, 1.0])
    result = history_object("plane", {}, {}, history, [0.0, 1.0], {})
    found = history_dataset(result, history)
    for axis, name in enumerate(space.axes):
        np.testing.assert_array_equal(found[f"cell_{name}"], np.asarray(space.position)[:, axis])
    assert found["c"].dims == ("time", "cell") and found["cell_volume"].dims == ("cell",)
