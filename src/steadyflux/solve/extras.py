"""Linear solvers that are used where they are installed: which are, and how to get the others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from steadyflux.ground.errors import InputError

SHEET = 1.5  # dimension of a pattern above which elimination fills enough for Pardiso to pay
LARGE = 5_000  # unknowns below which nothing is gained by it
PETSC_FOLDERS = "/usr/lib/petscdir"  # where Debian and Ubuntu put their PETSc
DEBIAN = (3, 18, 5)  # the version named where none is found


class Extra(NamedTuple):
    """A library that is not required: the solvers it gives, the modules to import, what it is good for."""

    solvers: tuple[str, ...]
    modules: tuple[str, ...]
    purpose: str


EXTRAS: dict[str, Extra] = {
    "pardiso": Extra(("pardiso",), ("pypardiso",), "direct solver for sheets and bodies, on all processors"),
    "klu": Extra(("klu",), ("klujax",), "direct solver for networks"),
    "petsc": Extra(
        ("petsc", "petsc-mumps", "petsc-hypre"),
        ("mpi4py", "petsc4py"),
        "direct (MUMPS) and multigrid (hypre) solvers over the processes of an MPI program",
    ),
}
"""Optional libraries by the name of the extra that installs them (``pip install 'steadyflux[klu]'``)."""

OF_SOLVER = {solver: name for name, extra in EXTRAS.items() for solver in extra.solvers}
"""The extra that each further linear solver needs."""


@cache
def installed(solver: str) -> bool:
    """Whether what a solver needs is there: always for those that need nothing further."""
    name = OF_SOLVER.get(solver)
    return name is None or all(find_spec(module) is not None for module in EXTRAS[name].modules)


def recipe(name: str) -> str:
    """The command that installs an extra."""
    if name != "petsc":
        return f"pip install 'steadyflux[{name}]'"
    folder, version = _petsc()
    return (
        "apt-get install libpetsc-real-dev libopenblas0-pthread && "
        "pip install 'setuptools<60' wheel numpy 'cython<3' mpi4py && "
        f"PETSC_DIR={folder} pip install --no-build-isolation petsc4py=={'.'.join(map(str, version))}"
    )


def _petsc() -> tuple[str, tuple[int, ...]]:
    """Folder and version of the PETSc library of this machine: petsc4py must have the same version."""
    folders = [Path(os.environ["PETSC_DIR"])] if "PETSC_DIR" in os.environ else []
    folders += sorted(Path(PETSC_FOLDERS).glob("petsc*/*-real"), reverse=True)
    for folder in folders:
        header = folder / "include" / "petscversion.h"
        if header.is_file():
            text = header.read_text(encoding="utf-8", errors="replace")
            numbers = [re.search(rf"define\s+PETSC_VERSION_{part}\s+(\d+)", text) for part in _PARTS]
            if all(numbers):
                return str(folder), tuple(int(found[1]) for found in numbers if found)
    return f"{PETSC_FOLDERS}/petsc{DEBIAN[0]}.{DEBIAN[1]}/x86_64-linux-gnu-real", DEBIAN


_PARTS = ("MAJOR", "MINOR", "SUBMINOR")


def missing(solver: str, reason: str = "") -> InputError:
    """The error for a solver whose library is not there, or does not load for the reason given."""
    name = OF_SOLVER[solver]
    what = f"does not load ({' '.join(reason.split())[:200]})" if reason else "is not installed here"
    return InputError(f"The linear solver '{solver}' {what}", f"install it by: {recipe(name)}")


def best_direct(unknowns: int = 0, spread: float = 0.0) -> str:
    """The direct solver that is fastest among those installed, for a pattern of this size and dimension."""
    return "pardiso" if unknowns > LARGE and spread > SHEET and installed("pardiso") else "superlu"


def states() -> dict[str, str]:
    """For each extra "" where it loads, else why not; each is tried in a process of its own."""
    found = {}
    for name, extra in EXTRAS.items():
        if not all(find_spec(module) is not None for module in extra.modules):
            found[name] = "not installed"
            continue
        modules = [*extra.modules, "petsc4py.PETSc"] if name == "petsc" else extra.modules
        program = "; ".join(f"import {module}" for module in modules)
        try:
            tried = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
            lines = tried.stderr.strip().splitlines()
            found[name] = "" if tried.returncode == 0 else f"does not load: {lines[-1] if lines else tried.returncode}"
        except subprocess.TimeoutExpired:
            found[name] = "does not load within two minutes"
    return found
