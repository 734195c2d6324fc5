"""The rules of the house: purposes stated, files short, public names that resolve with a docstring, a light import."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import steadyflux

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "steadyflux"
FILES = sorted(path for pattern in ("*.py", "*.pyi") for path in SOURCE.rglob(pattern))
STUB = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8"))
PUBLIC = sorted(alias.name for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def purpose_faults(text: str) -> list[str]:
    """What is wrong with how a file states its purpose."""
    docstring = ast.get_docstring(ast.parse(text))
    if not docstring:
        return ["has no docstring"]
    first = docstring.splitlines()[0]
    faults = [] if text.startswith('"""') else ["does not open with its docstring"]
    if len(first.split()) < 4:
        faults.append("does not say in its first line what it is for")
    if first[-1] not in ".:":
        faults.append("has a first line that is no sentence")
    return faults


def undocumented(text: str) -> list[str]:
    """The public functions, classes and methods that have no docstring."""
    found = []

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                if ast.get_docstring(node) is None and not any(
                    ast.unparse(d) == "override" for d in node.decorator_list
                ):
                    found.append(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(text).body, "")
    return found


def late_imports(text: str) -> list[str]:
    """Imports of our own modules inside a function: they hide which layer needs which."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    found = set()
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "steadyflux"):
                found.add(function.name)
            if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "steadyflux" for alias in node.names):
                found.add(function.name)
    return sorted(found)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_what_it_is_for(path):
    assert purpose_faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_outgrows_its_room(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_name_in_the_sources_has_a_docstring(path):
    assert undocumented(path.read_text(encoding="utf-8")) == []


# The sparse solvers take as long to import as JAX, and models on one line never need them (ARCHITECTURE.md, Decisions).
LATE_FOR_A_REASON = {"src/steadyflux/solve/steady.py": ["host_lane"]}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_our_own_modules_are_imported_at_the_top(path):
    assert late_imports(path.read_text(encoding="utf-8")) == LATE_FOR_A_REASON.get(name_of(path), [])


def test_the_checks_above_catch_planted_faults():
    assert purpose_faults("x = 1\n") == ["has no docstring"]
    assert len(purpose_faults('# head\n"""Short"""\n')) == 3
    assert purpose_faults('"""The purpose of this file."""\n') == []
    text = 'def f():\n    pass\nclass A:\n    """Doc."""\n    def g(self): pass\n    def _h(self): pass\n'
    assert undocumented(text) == ["f", "A.g"]
    planted = (
        "def f():\n    from steadyflux.model import x\ndef g():\n    import steadyflux.run\ndef h():\n    import pint\n"
    )
    assert late_imports(planted) == ["f", "g"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_resolve_and_say_what_they_are(name):
    value = getattr(steadyflux, name)
    assert name in dir(steadyflux)
    assert not callable(value) or (value.__doc__ or "").strip()


def test_each_public_name_is_listed_once():
    assert len(PUBLIC) == len(set(PUBLIC)) > 0
    assert set(steadyflux.__all__) == set(PUBLIC)


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="no_such_name"):
        steadyflux.no_such_name  # noqa: B018 - the access is the test


@pytest.mark.parametrize("heavy", ["jax", "pint", "scipy", "matplotlib", "numpy"])
def test_the_bare_import_is_light(heavy):
    program = f"import sys, steadyflux; steadyflux.SteadyfluxError; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_the_version_is_that_of_the_installed_package():
    assert steadyflux.__version__ == version("steadyflux")
    assert f"version: {steadyflux.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_slow_tests_that_are_named_exist():
    names = [line for line in (ROOT / "tests" / "slow.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    for name in names:
        path, function = name.split("[")[0].split("::")
        assert f"def {function}(" in (ROOT / path).read_text("utf-8"), name
