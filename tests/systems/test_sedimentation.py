"""Sedimentation: its claims, extreme columns, crowding near freezing against the balance of pressure, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.constants import K_B
from steadyflux.ground.errors import InputError
from steadyflux.systems.flow.sedimentation import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize("density_difference", [1000.0, -700.0])
@pytest.mark.parametrize(("fraction", "height"), [(0.45, 2e-5), (0.2, 3e-3)])
def test_crowded_spheres_carry_their_weight_by_pressure(density_difference, fraction, height):
    case = {"radius": 1e-7, "density_difference": density_difference, "height": height, "volume_fraction": fraction}
    found = SYSTEM.run(**case, crowding="yes")
    volume = 4.0 / 3.0 * np.pi * 1e-7**3
    length = K_B * 293.0 / (volume * density_difference * 9.81)
    phi = fraction * np.asarray(found.answers["profile"])

    def pressure(x):  # Carnahan and Starling's, over k T / volume of a particle
        return x * (1.0 + x + x**2 - x**3) / (1.0 - x) ** 3

    np.testing.assert_allclose(found.answers["scale_height"], length, rtol=1e-8)
    np.testing.assert_allclose(pressure(phi[0]) - pressure(phi[-1]), fraction * height / length, rtol=1e-4)
    np.testing.assert_allclose(found.answers["diffusion_flux"], -found.answers["drift_flux"], rtol=1e-4)
    assert found.solution.regime == "equilibrium"


def test_without_gravity_the_column_is_even():
    found = SYSTEM.run(gravity=0.0)
    np.testing.assert_allclose(found.answers["profile"], 1.0, rtol=1e-12)
    assert found.answers["scale_height"] == np.inf
    assert float(found.answers["drift_flux"]) == 0.0
    assert found.solution.regime == "equilibrium"


def test_the_approach_of_columns_of_all_heights():
    # D [(pi / H)^2 + (1 / 2 l)^2], with D and l by Stokes and Einstein.
    rng = np.random.default_rng(8)
    for peclet in (1e-5, 1.0, 15.0, 90.0, 700.0, 5000.0):
        a, T, eta, height = 10 ** rng.uniform(-8, -6), rng.uniform(250.0, 400.0), 10 ** rng.uniform(-4, 0), 1e-3
        D = K_B * T / (6.0 * np.pi * eta * a)
        weight = 4.0 / 3.0 * np.pi * a**3 * 500.0
        given = {"radius": a, "temperature": T, "viscosity": eta, "height": height, "density_difference": 500.0}
        found = SYSTEM.run(given, gravity=peclet * K_B * T / (weight * height)).answers
        expected = D / height**2 * (np.pi**2 + 0.25 * peclet**2)
        np.testing.assert_allclose(found["approach"], expected, rtol=1e-4)


def test_a_run_in_time_has_no_approach_and_keeps_its_particles():
    found = SYSTEM.run(until="1 h")
    assert "approach" not in found.answers
    assert found.history.ledger["particles"].relative < 1e-10
    np.testing.assert_allclose(found.answers["profile"], SYSTEM.run().answers["profile"], rtol=0.05)


def test_the_buoyant_column_is_the_mirror_of_the_sinking_one():
    down, up = SYSTEM.run(height=3e-4).answers, SYSTEM.run(height=3e-4, density_difference=-207.0).answers
    np.testing.assert_allclose(up["profile"][::-1], down["profile"], rtol=1e-9)
    np.testing.assert_allclose(up["drift_flux"], -down["drift_flux"], rtol=1e-9)
    np.testing.assert_allclose(up["mean_height"], 3e-4 - down["mean_height"], rtol=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"height": 10.0}, "scale heights high"),
        ({"volume_fraction": 0.6}, "volume_fraction is"),
        ({"radius": 0.0}, "radius is"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_shows_profile_and_cancelling_fluxes():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [a.get_xlabel() for a in drawing.axes] == ["concentration / mean", "flux / mean concentration, m/s"]
    assert len(drawing.axes[1].lines) == 3
