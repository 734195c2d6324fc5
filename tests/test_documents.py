"""The README and ARCHITECTURE are true: their code runs as written, and gives the numbers that they tell."""

import json
import math
import re
from pathlib import Path
from types import ModuleType

import jax
import numpy as np

from steadyflux.audit.check import check_model, check_system
from steadyflux.audit.findings import failures
from steadyflux.cli import main
from steadyflux.files.answers import KINDS_OF_ANSWER
from steadyflux.files.build import BOUNDARIES, LAWS, QUANTITIES
from steadyflux.files.forms import FORMS
from steadyflux.files.schema import plain
from steadyflux.files.spaces import SPACES
from steadyflux.systems.catalog import listings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def first_match(pattern, text):
    found = re.search(pattern, text)
    assert found, f"no longer says {pattern}"
    return found.group(1)


def executed(*parts):
    names = {}
    for part in parts:
        exec(compile(part, "document", "exec"), names)
    return names


def assert_passed(findings):
    assert any(finding.judged for finding in findings)
    assert not failures(findings), [finding.sentence() for finding in failures(findings)]


def loaded(path, code):
    path.write_text(code, "utf-8")
    module = ModuleType(path.stem)
    exec(compile(code, str(path), "exec"), module.__dict__)
    return module


def test_the_documents_hold_the_blocks_that_are_tested_here():
    assert [len(blocks(README, "python")), len(blocks(README, "toml"))] == [5, 0]
    assert [len(blocks(ARCHITECTURE, "python")), len(blocks(ARCHITECTURE, "toml"))] == [3, 1]
    assert "@@" not in README + ARCHITECTURE


def test_the_readme_s_code_gives_the_numbers_it_tells():
    first, second, *_ = blocks(README, "python")
    names = executed(first, second)
    solution, current = names["solution"], names["current"]
    told = float(first_match(r"# ([\d.e-]+) mole / second", first))
    assert float(f"{solution.flux('K+', through='left').to('mol/s').magnitude:.1e}") == told
    assert f"'{solution.regime}'" in first
    told = float(first_match(r"imbalance \(([\d.e-]+) of what flows", first))
    assert solution.ledger["K+"].relative < 10 * told
    told = float(first_match(r"exact: ([\d.e-]+) siemens", second))
    conductance = float(jax.grad(current)(0.05))
    assert float(f"{conductance:.1e}") == told
    step = 1e-3
    np.testing.assert_allclose(conductance, (current(0.05 + step) - current(0.05 - step)) / (2 * step), rtol=1e-3)


def test_the_readme_s_run_in_time_gives_what_it_tells():
    first, _, third, *_ = blocks(README, "python")
    names = executed(first.split("\n\n")[0], third)
    history = names["history"]
    told = float(first_match(r"# (-[\d.e-]+) mol has gone", third))
    assert float(f"{history.entered('ferrocene', 'left')[-1]:.2e}") == told
    assert history.ledger["ferrocene"].relative < 1e-14
    assert repr(history.reason) in third
    assert not history.steady


def test_the_readme_s_batch_in_time_is_what_it_tells():
    first, _, _, fourth, _ = blocks(README, "python")
    found = executed(first.split("\n\n")[0], "import jax", fourth)["left_over"]
    rates = np.linspace(0.1, 2.0, 1000)
    np.testing.assert_allclose(found, 2.0 * np.exp(-rates[:, None] * np.array([1.0, 3.0])), rtol=1e-4)


def test_the_readme_s_runs_of_chance_meet_the_binomial_distribution():
    first, *_, fifth = blocks(README, "python")
    found = executed(first.split("\n\n")[0], fifth)["runs"].number("glucose")
    number, share = 1204, 0.75 * (1.0 - np.exp(-4.0 / 3.0))
    assert abs(found.mean[0, 1] - number * share) < 4.0 * found.error[0, 1]
    # The variance of a variance over 400 runs is two of its squares over 400.
    assert abs(found.variance[0, 1] / (number * share * (1.0 - share)) - 1.0) < 4.0 * np.sqrt(2.0 / 400.0)


def test_the_readme_counts_and_names_the_systems_that_there_are():
    names = {listing.name for listing in listings()}
    assert f"{len(names)} systems come with it" in README
    assert {name for name in re.findall(r"steadyflux run (\w+)", README)} <= names
    for path in re.findall(r"run (examples/\S+)", README):
        assert (ROOT / path).is_file()


def test_the_law_of_the_architecture_obeys_sieverts_and_passes_the_audit(capsys):
    law, use, _ = blocks(ARCHITECTURE, "python")
    names = executed(law, use)
    # Sieverts (1910): in proportion to the difference of the square roots.
    expected = 2e-6 * 10e-4 * (math.sqrt(40.0) - math.sqrt(10.0))
    np.testing.assert_allclose(float(names["solution"].flow("H2", "retort")), expected, rtol=1e-12)
    assert "steady nonequilibrium" in capsys.readouterr().out
    assert_passed(check_model(names["model"], names["solution"]))


def test_the_system_of_the_architecture_runs_and_its_claim_holds(tmp_path):
    system = loaded(tmp_path / "foil_leak.py", blocks(ARCHITECTURE, "python")[2]).SYSTEM
    result = system.run({"inside": "3 mol/m^3"})
    np.testing.assert_allclose(result.answers["flux"], 1e-12 * 3.0 / 10e-6, rtol=1e-12)
    assert system.figure(result).axes[0].lines
    findings = check_system(system)
    assert "Fick's first law" in [finding.title for finding in findings]
    assert_passed(findings)


def test_the_model_file_of_the_architecture_runs_as_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("patch.toml").write_text(blocks(ARCHITECTURE, "toml")[0], "utf-8")
    setting = first_match(r"steadyflux run patch.toml --set '([^']*)'", ARCHITECTURE)
    dose = []
    for arguments in (["--json", "full.json"], ["--json", "half.json", "--set", setting]):
        assert main(["run", "patch.toml", *arguments]) == 0
        dose.append(json.loads(Path(arguments[1]).read_text("utf-8"))["answers"]["dose_rate"]["value"])
    told = float(first_match(r"about (\d+) mg of nicotine a\s+day", ARCHITECTURE))
    assert round(dose[0] * 162.23 * 1e3 * 86400) == told  # 162.23 g/mol
    # Diffusion, film and a diffusivity that is linear in the concentration, from one surface to the other:
    # N = ((D0 c + s c^2 / 2) from c1 to the patch) / L1 = D2 (c1 - c2) / L2 = h (c2 - outside).
    for found, patch in zip(dose, (100.0, 50.0), strict=True):
        flux = found / 20e-4
        c2 = flux / 1e-6 + 1e-4
        c1 = c2 + flux * 100e-6 / 1e-10
        potential = [1e-13 * c + 5e-16 * c**2 / 2 for c in (patch, c1)]
        np.testing.assert_allclose(flux, (potential[0] - potential[1]) / 15e-6, rtol=1e-9)
    assert main(["check", "patch.toml"]) == 0
    assert "failed" not in capsys.readouterr().out


def test_the_kinds_that_the_architecture_lists_are_those_of_model_files():
    told = set(re.findall(r"`(\w+)`", ARCHITECTURE[ARCHITECTURE.index("- Spaces:") : ARCHITECTURE.index("## Numbers")]))
    quantities = {maker.name for maker in QUANTITIES.values()}
    assert set(SPACES) | quantities | set(BOUNDARIES) | set(KINDS_OF_ANSWER) | set(FORMS) <= told
    laws = {"nernst_planck", "fourier", "mass_action", "pump"}
    assert laws <= told and {plain(law) for law in laws} <= set(LAWS)
