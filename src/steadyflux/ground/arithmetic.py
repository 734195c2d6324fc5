"""The arithmetic everything runs in: JAX in 64-bit floats, and compiled programs kept on disk between runs."""

import os
import tempfile
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
from jax.core import Tracer

__all__ = ["array_module", "enable_compilation_cache", "is_traced"]

jax.config.update("jax_enable_x64", True)
# Most programs here take less time than it takes to wake the thread that would run them.
jax.config.update("jax_cpu_enable_async_dispatch", False)

# XLA compiles a loop as one function only when a step touches few bytes (by default about a kilobyte); otherwise it
# dispatches every operation of every step. Scans over the cells of a chain are five to seven times faster with a higher
# limit. It is read when JAX first starts its CPU backend; a list of options that the user has set stays as it is.
_LOOPS = "xla_cpu_small_while_loop_byte_threshold"
_FLAGS = os.environ.get("XLA_FLAGS", "")
if "xla_backend_extra_options" not in _FLAGS:
    os.environ["XLA_FLAGS"] = f"{_FLAGS} --xla_backend_extra_options={_LOOPS}=1048576".strip()


def enable_compilation_cache() -> Path | None:
    """Keep compiled programs on disk, and return the folder; None when they are not kept.

    The folder is the environment variable STEADYFLUX_CACHE, or else $XDG_CACHE_HOME/steadyflux/jax, or else
    ~/.cache/steadyflux/jax. Nothing is kept when STEADYFLUX_CACHE is "off" or the folder cannot be written. A folder
    that the user has given to JAX (jax_compilation_cache_dir, JAX_COMPILATION_CACHE_DIR) stays with all its settings.
    """
    chosen = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if chosen is not None:
        return Path(chosen)
    wish = os.environ.get("STEADYFLUX_CACHE", "").strip()
    if wish.lower() == "off":
        return None
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        folder = Path(wish).expanduser() if wish else Path(home) / "steadyflux" / "jax"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # permission bits alone do not tell: a read-only disk, a full one
            pass
    except (OSError, RuntimeError, ValueError):  # RuntimeError: no home; ValueError: a path with a null character
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def is_traced(*values: object) -> bool:
    """Whether any leaf of these values (arrays, records, containers) is being traced by jit, grad or vmap."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def array_module(*values: object) -> ModuleType:
    """`jax.numpy` when any leaf of the values is traced, else `numpy`, which answers small questions faster."""
    return jax.numpy if is_traced(*values) else np


enable_compilation_cache()
