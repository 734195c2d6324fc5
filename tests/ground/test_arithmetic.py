"""64-bit floats, the compilation cache and its switches, and the telling of traced values from plain ones."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steadyflux.ground.arithmetic import array_module, enable_compilation_cache, is_traced

SHOW = (
    "import jax; from steadyflux.ground.arithmetic import enable_compilation_cache; "
    "print(jax.config.jax_compilation_cache_dir, enable_compilation_cache(), jax.config.jax_enable_x64, "
    "jax.config.jax_persistent_cache_min_compile_time_secs, sep='|')"
)


def run(program: str, **environment: str) -> str:
    plain = {key: value for key, value in os.environ.items() if "CACHE" not in key}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_doubles():
    assert jnp.asarray([1.5]).dtype == np.float64
    assert float(jnp.float64(1.0) + 2.0**-50) != 1.0


def test_promotion_is_strict_while_tests_run():
    with pytest.raises(jax.errors.TypePromotionError if hasattr(jax.errors, "TypePromotionError") else Exception):
        jnp.ones(2, jnp.float32) + jnp.ones(2, jnp.float64)


def test_the_cache_goes_where_it_is_told(tmp_path):
    folder = tmp_path / "deep" / "cache"
    assert run(SHOW, STEADYFLUX_CACHE=str(folder)) == f"{folder}|{folder}|True|0.0"
    assert folder.is_dir()


def test_the_cache_stands_in_the_users_cache_folder_by_default(tmp_path):
    folder = tmp_path / "steadyflux" / "jax"
    assert run(SHOW, XDG_CACHE_HOME=str(tmp_path)).startswith(f"{folder}|{folder}|")
    home = tmp_path / ".cache" / "steadyflux" / "jax"
    assert run(SHOW, HOME=str(tmp_path), XDG_CACHE_HOME="").startswith(f"{home}|{home}|")


def test_the_cache_can_be_off(tmp_path):
    assert run(SHOW, STEADYFLUX_CACHE="off", HOME=str(tmp_path)).startswith("None|None|")
    assert not list(tmp_path.iterdir())


def test_the_cache_is_quietly_off_where_nothing_can_be_written(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert run(SHOW, STEADYFLUX_CACHE=str(in_the_way)).startswith("None|None|")
    assert run(SHOW, STEADYFLUX_CACHE="/proc/nowhere").startswith("None|None|")


def test_a_folder_the_user_gave_to_jax_stays_with_its_settings(tmp_path):
    text = run(SHOW, JAX_COMPILATION_CACHE_DIR=str(tmp_path), STEADYFLUX_CACHE=str(tmp_path / "ours"))
    assert text == f"{tmp_path}|{tmp_path}|True|1.0"
    assert not (tmp_path / "ours").exists()


def test_a_second_process_finds_what_the_first_compiled(tmp_path):
    program = (
        "import steadyflux.ground.arithmetic, jax; jax.config.update('jax_raise_persistent_cache_errors', True); "
        "print(jax.jit(lambda x: x * 3.25 + 1.5)(2.0))"
    )
    assert run(program, STEADYFLUX_CACHE=str(tmp_path)) == "8.0"
    entries = {path.name for path in tmp_path.iterdir() if path.name.endswith("-cache")}
    assert entries
    assert run(program, STEADYFLUX_CACHE=str(tmp_path)) == "8.0"
    assert {path.name for path in tmp_path.iterdir() if path.name.endswith("-cache")} == entries


def test_this_process_has_a_cache():
    assert isinstance(enable_compilation_cache(), Path)


def test_traced_values_are_told_from_plain_ones():
    assert not is_traced()
    assert not is_traced(1.0, np.ones(2), jnp.ones(2), {"a": [1, None, "text"]})
    assert array_module(1.0, jnp.ones(2)) is np
    seen = []

    @jax.jit
    def look(x):
        seen.append((is_traced(x), is_traced(1.0, {"a": [x]}), array_module(1.0, x), array_module(2.0)))
        return x

    look(jnp.array([1.5, 2.5]))
    assert seen == [(True, True, jnp, np)]
