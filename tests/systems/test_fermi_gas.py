"""The gas that streams out of a vessel: its claims, other parameters against quadrature, refusals, its figure."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.audit.reciprocity import check_reciprocity
from steadyflux.ground.constants import H_BAR, K_B
from steadyflux.systems.particles.fermi_gas import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_fluxes_over_wide_ranges():
    rng = np.random.default_rng(3)
    for _ in range(4):
        mass, n = 10 ** rng.uniform(-30, -25), 10 ** rng.uniform(18, 30)
        level = (H_BAR * (3 * np.pi**2 * n) ** (1 / 3)) ** 2 / (2 * mass)
        heat = level * 10 ** rng.uniform(-1.5, 2)

        def moment(power, eta):
            top = max(eta, 0.0) + 60.0
            f = lambda x: 2 * x ** (2 * power + 1) / (np.exp(x * x - eta) + 1)  # noqa: E731
            return quad(f, 0, np.sqrt(top), epsrel=1e-11, limit=200)[0]

        density = lambda eta, m=mass, h=heat: (2 * m * h) ** 1.5 / (2 * np.pi**2 * H_BAR**3) * moment(0.5, eta)  # noqa: E731
        eta = brentq(lambda x, n=n, density=density: np.log(density(x) / n), -40, 60, xtol=1e-13)
        a = SYSTEM.run(mass=mass, density=n, temperature=heat / K_B).answers
        scale = mass * heat / (2 * np.pi**2 * H_BAR**3)
        np.testing.assert_allclose(a["flux"], scale * heat * moment(1.0, eta), rtol=1e-8)
        np.testing.assert_allclose(a["energy_flux"], scale * heat**2 * moment(2.0, eta), rtol=1e-8)


def test_two_quantum_gases_are_reciprocal():
    for statistics in ("fermi", "bose"):
        result = SYSTEM.run(
            mass=5e-27, density=1e27, temperature=1.3, second_density=9e26, second_temperature=1.5,
            statistics=statistics, volume=1e-3,
        )  # fmt: skip
        found = check_reciprocity(result.solution)
        assert found and all(one.passed for one in found)
        assert any(one.judged and "symmetric" in one.title for one in found)
        assert result.solution.entropy.production > 0.0


@pytest.mark.parametrize(
    "given", [{"temperature": -1.0}, {"statistics": "maxwell"}, {"fraction": 1.0}, {"density": "3 kg"}]
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "(s)" in axes[1].get_xlabel()
