"""What every test runs under: 64-bit floats, no silent promotion, shapes checked, programs shared, fixed examples."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

# Before anything imports JAX: the workers of pytest-xdist share one folder of compiled programs, kept between runs.
os.environ.setdefault("STEADYFLUX_CACHE", str(Path(__file__).resolve().parent.parent / ".cache" / "jax"))

# Tests compile hundreds of small programs and run each a few times: compiled plainly they are ready in half the time.
# XLA stops at a flag that it does not know, so the newer one is given only to a version that has it.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_backend_optimization_level=0",
        *(["--xla_cpu_use_fusion_emitters=false"] if version("jaxlib").startswith("0.10.") else []),
    ]
).strip()

import hypothesis
import jax
import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")

# Where a float is asked for an integer will do (PEP 484's numeric tower); the hook takes its checker by name only.
_CHECKER = ModuleType("steadyflux_checker")
_CHECKER.check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # type: ignore[attr-defined]
sys.modules[_CHECKER.__name__] = _CHECKER
install_import_hook("steadyflux", "steadyflux_checker.check")

# The same examples in every run and no deadline: a test must not fail because a machine is slow.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=100)
hypothesis.settings.load_profile("house")

_SLOW = set(Path(__file__).with_name("slow.txt").read_text("utf-8").splitlines())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that slow.txt names their marker."""
    for item in items:
        if item.nodeid in _SLOW:
            item.add_marker(pytest.mark.slow)


# Compiled programs of a finished test file are let go when a worker has grown past this; they stay on disk.
_LARGE = 3 * 1024**3


@pytest.fixture(scope="module", autouse=True)
def _programs_of_one_file() -> Iterator[None]:
    yield
    if not Path("/proc/self/statm").exists():  # not Linux
        return
    with open("/proc/self/statm") as sizes:
        resident = int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if resident > _LARGE:
        jax.clear_caches()
