"""The command line: what it prints, where, with which exit code, and what it does not load."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import steadyflux
from steadyflux import cli
from steadyflux.cli import main
from steadyflux.systems.catalog import listings

ROOT = Path(__file__).resolve().parent.parent
CHANNEL = ROOT / "examples" / "potassium_channel.toml"
WALL = str(ROOT / "examples" / "house_wall.toml")

NO_STEADY_STATE = """\
[space]
kind = "interval"
length = "1 mm"
cells = 21
[[quantity]]
kind = "species"
name = "c"
[[law]]
kind = "fick"
species = "c"
diffusivity = 1.3e-9
[[law]]
kind = "source"
quantity = "c"
strength = 0.7
[start]
c = 1.1
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said(capsys):
    out, err = capsys.readouterr()
    return out, err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], [], ["systems"], ["run", "--help"], ["rnu"]])
def test_what_needs_no_solver_loads_none(arguments):
    program = (
        "import sys; from steadyflux.cli import main; main(sys.argv[1:]); "
        "print([m for m in ('jax', 'numpy', 'scipy', 'pint', 'matplotlib', 'pydantic', 'xarray', 'rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert steadyflux.__version__ in said(capsys)[0]


def test_the_list_of_systems_has_every_one_under_its_field(capsys):
    assert main(["systems"]) == 0
    lines = said(capsys)[0].splitlines()
    fields = [line for line in lines if not line.startswith(" ")]
    assert fields == list(dict.fromkeys(listing.field for listing in listings()))
    for listing in listings():
        row = next(line for line in lines if line.split()[:1] == [listing.name])
        assert listing.line in row and f"[{listing.seeds}]" in row


def test_json_on_the_standard_output_is_the_object_and_nothing_else(capsys):
    assert main(["run", "rod", "--set", "length=25cm", "--json", "-"]) == 0
    out, err = said(capsys)
    assert json.loads(out)["parameters"]["length"]["value"] == 0.25
    assert err == ""


def test_a_model_file_s_files_go_to_a_folder_that_is_named(capsys, tmp_path):
    assert main(["run", WALL, "--json", "-"]) == 0
    out, err = said(capsys)
    assert json.loads(out)["system"] == "house wall"
    assert "out/house_wall" in err.replace(os.sep, "/")
    assert (tmp_path / "out" / "house_wall" / "figure.png").stat().st_size > 1000


def test_a_default_folder_that_cannot_be_made_does_not_spoil_the_answer(capsys, tmp_path):
    (tmp_path / "out").write_text("a file in the way")
    assert main(["run", WALL, "--set", "outside.outside.T=-15 degC"]) == 0
    out, err = said(capsys)
    assert "heat_flux" in out
    assert "no files were written" in err
    assert main(["run", WALL, "--out", "out"]) == 2


def test_values_of_the_model_file_are_set(capsys, tmp_path):
    (tmp_path / "p.json").write_text('{"outside.phi": "-70 mV", "outside.K+": 140.0}')
    arguments = ["--parameters", "p.json", "--set", "inside.K+=4.5 mM", "--set", "inside.phi=0", "--json", "r.json"]
    assert main(["run", str(CHANNEL), *arguments, "--out", "there"]) == 0
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["parameters"]["outside.phi"] == {"value": -0.07, "unit": "V"}
    assert result["parameters"]["inside.K+"] == {"value": 4.5, "unit": "mol/m^3"}
    assert result["answers"]["potassium_flow"]["value"] < 0
    assert json.loads((tmp_path / "there" / "result.json").read_text()) == result


BAD = [
    ["rnu"],
    ["run"],
    ["run", "rodd"],
    ["run", "rod", "extra"],
    ["run", "rod", "--set"],
    ["run", "rod", "--sett", "a=1"],
    ["run", "rod", "--set", "length"],
    ["run", "rod", "--set", "length=1 kg"],
    ["run", "rod", "--set", "length=-1"],
    ["run", "rod", "--set", "length=nan"],
    ["run", "rod", "--set", "hot=-5"],
    ["run", "rod", "--set", "lenght=1"],
    ["run", "rod", "--set", "length=1", "--set", "length=1"],
    ["run", "rod", "--parameters", "absent.toml"],
    ["run", "rod", "--json", "absent/r.json"],
    ["run", "rod", "--json", "."],
    ["run", "absent.toml"],
    ["run", "."],
    ["run", "/"],
    ["run", "/dev/null"],
    ["run", WALL, "--set", "outside.T=3"],
    ["run", WALL, "--set", "outside.outside.T=-300 degC"],
    ["run", WALL, "--set", "space.area=0"],
    ["check", "rodd"],
    ["check", "rod", "absent.toml"],
    ["--unknown"],
]


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, capsys):
    assert main(arguments) == 2
    out, err = said(capsys)
    messages = [line for line in err.splitlines() if not line.startswith("Wrote")]
    assert len(messages) == 1 and messages[0].startswith("steadyflux: "), err
    assert "Traceback" not in out + err
    assert out == "" or "--json" in arguments


def test_no_steady_state_is_exit_code_3_and_says_what_was_tried_and_where(capsys, tmp_path):
    (tmp_path / "source.toml").write_text(NO_STEADY_STATE)
    assert main(["run", "source.toml", "--json", "-"]) == 3
    out, err = said(capsys)
    assert out == ""
    assert "Newton" in err and "largest for c in the cell" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_audit_that_passes_and_one_that_fails(capsys, monkeypatch):
    assert main(["check", WALL]) == 0
    out, err = said(capsys)
    assert "passed" in out and "checking" in err and "FAILED" not in out
    broken = SimpleNamespace(
        subject="c", title="ledger closes", measured=1e-3, expected=0.0, tolerance=1e-10, passed=False,
        source="balance", judged=True, sentence=lambda: "FAILED: c: ledger closes",
    )  # fmt: skip
    real = cli._heavy
    fake = SimpleNamespace(prepare_check=lambda target: lambda: [broken])
    monkeypatch.setattr(cli, "_heavy", lambda name: fake if name == "run" else real(name))
    assert main(["check", "rod"]) == 1
    out, err = said(capsys)
    assert "FAILED" in out and "0 of 1 checks passed" in err


def test_doctor_tells_the_versions(capsys):
    assert main(["doctor"]) == 0
    out = said(capsys)[0]
    assert steadyflux.__version__ in out
    lines = out.splitlines()
    assert any(line.split()[:1] == ["jax"] and line.split()[1][0].isdigit() for line in lines)
    for solvers in ("pardiso", "klu", "petsc, petsc-mumps, petsc-hypre"):
        at = next(number for number, line in enumerate(lines) if line.startswith(f"  {solvers}: "))
        assert lines[at + 1] == "    works here" or "; to install: " in lines[at + 1]


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 2, "memory"),
        (RuntimeError("a\nb"), 70, "RuntimeError: a b"),
    ],
)
def test_what_nobody_expects_is_told_too(raised, code, says, monkeypatch, capsys):
    def fail(name):
        raise raised

    monkeypatch.setattr(cli, "_heavy", fail)
    assert main(["run", "rod"]) == code
    err = said(capsys)[1]
    assert says in err and len(err.strip().splitlines()) == 1
    assert main(["--debug", "run", "rod"]) == code
    assert ("Traceback" in said(capsys)[1]) == (code == 70)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_with_its_code(sent, code, tmp_path):
    program = (
        "import sys, time; from steadyflux import cli\n"
        "def wait(name):\n    print('ready', flush=True); time.sleep(60)\n"
        "cli._heavy = wait; sys.argv = ['steadyflux', 'run', 'rod']; sys.exit(cli.main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m steadyflux systems | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("0", "141")
    assert "Traceback" not in done.stderr


ARGUMENT = st.one_of(
    st.sampled_from(["run", "systems", "check", "--set", "--json", "--out", "--parameters", "--debug", "-", "--"]),
    st.sampled_from(
        ["", " ", "rodd", "length=1 kg", "=", "\u0000", "a\nb", "[bold]", "../..", "~", "%s", "é", "\udcff"]
    ),
    st.text(max_size=6),
)


@settings(max_examples=150)
@given(st.lists(ARGUMENT, min_size=1, max_size=5))
def test_any_arguments_end_in_an_exit_code_and_at_most_one_sentence(arguments):
    if arguments[0] == "check" or "rod" in arguments:  # these would do what they are asked
        arguments = ["run", *arguments]
    assert main(arguments) in (0, 2)


def test_checks_side_by_side_are_those_of_one_process():
    told = subprocess.run(
        [sys.executable, "-m", "steadyflux", "check", "--workers", "2", "sink", "rod"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "checked rod" in told.stderr and "checked sink" in told.stderr
    assert told.stdout.index("sink") < told.stdout.index("rod")  # in the order asked for, whichever was ready first
    assert told.stdout.count("a steady state is found") == 2
