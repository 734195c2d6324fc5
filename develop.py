"""Set up and run everything from a fresh clone with only Python: `python3 develop.py run|test|bench [arguments]`."""

# Only the standard library, and only syntax that older Pythons read too: they must reach the sentence about versions.
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

USAGE = """python3 develop.py COMMAND [arguments]

  run NAME|FILE.toml [...]   run a system or a model file: the arguments go to `steadyflux run`
  test [...]                 every check: ruff, lint-imports, pyright, pytest (slow tests if time allows); the
                             arguments go to pytest, which then runs once
  bench [...]                the benchmarks; the arguments go to them

Each makes and fills .venv beside this file when that is needed, and only then uses the network."""

PATIENCE = 20 * 60  # seconds of the other checks after which the slow tests are left out
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "steadyflux-installed.json"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")


def stop(sentence: str) -> None:
    """End with a sentence on the error stream and exit code 2."""
    sys.stderr.write("develop.py: " + sentence + "\n")
    raise SystemExit(2)


def call(*command: object) -> int:
    """Run a command in the caller's folder and return its exit status."""
    return subprocess.call([str(part) for part in command])


def say(sentence: str) -> None:
    """Print at once, so that our lines stand before those of the commands they announce."""
    print(sentence, flush=True)


def installed() -> dict:
    """What .venv was filled with, as written at the end of a whole installation; empty when it never was."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def works(*arguments: str) -> bool:
    """Whether .venv's Python starts with these arguments."""
    if not PYTHON.exists():
        return False
    try:
        return subprocess.call([str(PYTHON), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_environment() -> None:
    """Make .venv anew."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        stop(
            f"this Python ({sys.executable}) cannot make virtual environments because its module venv or ensurepip is "
            "missing; install it (Debian and Ubuntu: apt install python3-venv) and try again."
        )
    say("Making the virtual environment .venv ...")
    if call(sys.executable, "-m", "venv", "--clear", VENV) != 0:
        stop("the virtual environment .venv could not be made; see the message above.")


def set_up(extra: str) -> None:
    """Make .venv hold the package and what it needs (the test tools too if `extra` is "test"), if it does not."""
    wanted = {"root": str(ROOT), "pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()}
    found = installed()
    same = all(found.get(key) == value for key, value in wanted.items())
    if same and found.get("extra") in ("test", extra) and works("-c", "import steadyflux"):
        return
    extra = "test" if found.get("extra") == "test" else extra
    moved = found.get("root", str(ROOT)) != str(ROOT)  # the scripts of an environment hold its absolute path
    usable = works("-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))")
    if moved or not usable:
        make_environment()
    say("Installing steadyflux and what it needs into .venv (a few minutes the first time) ...")
    what = str(ROOT) + ("[" + extra + "]" if extra else "")
    if call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", what) != 0:
        stop("the installation failed; see pip's message above, mend its cause (often the network) and run this again.")
    STAMP.write_text(json.dumps({**wanted, "extra": extra}), encoding="utf-8")


def run(arguments: "list[str]") -> int:
    """Run `steadyflux run` with these arguments."""
    set_up("")
    return call(SCRIPTS / "steadyflux", "run", *arguments)


def test(arguments: "list[str]") -> int:
    """Run every check, and tell of each whether it passed."""
    set_up("test")
    os.chdir(str(ROOT))
    steps = {
        "ruff check": (PYTHON, "-m", "ruff", "check"),
        "ruff format": (PYTHON, "-m", "ruff", "format", "--check"),
        "lint-imports": (SCRIPTS / "lint-imports",),
        "pyright": (PYTHON, "-m", "pyright"),
        "pytest": (PYTHON, "-m", "pytest", "-n", "2", *(arguments or ("-m", "not slow"))),
    }
    if not arguments:
        steps["pytest, slow tests"] = (PYTHON, "-m", "pytest", "-n", "2", "-m", "slow")
    failed, done, begin = [], [], time.monotonic()
    for name, command in steps.items():
        say("\n== " + name)
        if name.endswith("slow tests") and time.monotonic() - begin > PATIENCE:
            say("left out, because the others took long; run them by: python3 develop.py test -m slow")
            continue
        done.append(name)
        if call(*command) != 0:
            failed.append(name)
    say("\nFailed: " + ", ".join(failed) if failed else "\nAll checks passed: " + ", ".join(done))
    return 1 if failed else 0


def bench(arguments: "list[str]") -> int:
    """Run the benchmarks."""
    set_up("test")
    os.chdir(str(ROOT))
    return call(PYTHON, "benchmarks/run.py", *arguments)


def main(arguments: "list[str]") -> int:
    """Choose the command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone may be started by an older Python
        stop(
            f"steadyflux needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]} "
            f"({sys.executable}); start this file with a newer one, for example python3.12 develop.py."
        )
    commands = {"run": run, "test": test, "bench": bench}
    if not arguments or arguments[0] in ("-h", "--help"):
        say(USAGE)
        return 0 if arguments else 2
    if arguments[0] not in commands:
        stop("there is no command {!r}; the commands are {}.".format(arguments[0], ", ".join(commands)))
    return commands[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
