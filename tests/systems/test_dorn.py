"""The Dorn effect: its claims, the order of the mesh, planted faults in the double layer, bad input, the figure."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte import _double_layer as layers
from steadyflux.systems.electrolyte.dorn import SYSTEM, Particle


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_the_mesh_is_of_second_order(monkeypatch):
    # Against the reference of the strongly relaxing layer.
    p, errors = SYSTEM.values({"radius": 3e-8, "zeta": -0.1, "salt": 10.0, "diffusivities": (1.334e-9, 2.032e-9)}), []
    for nodes in (200, 400, 800):
        monkeypatch.setattr(layers, "NODES", nodes)
        errors.append(abs(Particle(p).mobility / -4.392735402008253e-08 - 1.0))
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.05)


def test_a_flow_that_does_not_carry_the_ions_is_caught(monkeypatch):
    # Without the ions' displacement by the flow the falling sphere makes no dipoles, but the field still moves it.
    monkeypatch.setattr(layers.Sphere, "drag", property(lambda self: 0.9 * np.ones(len(self.charges))))
    assert SYSTEM.run().answers["reciprocity_defect"] > 0.1


def test_turned_round_everything_turns():
    one, two = SYSTEM.run().answers, SYSTEM.run(zeta=0.03, diffusivities=(2.032e-9, 1.957e-9)).answers
    for name in ("mobility", "sedimentation_field", "current_at_zero_field", "particle_charge"):
        np.testing.assert_allclose(two[name], -one[name], rtol=1e-9)
    np.testing.assert_allclose(two["settling_velocity"], one["settling_velocity"], rtol=1e-10)
    up = SYSTEM.run(density_difference=-1650.0).answers
    np.testing.assert_allclose(up["sedimentation_field"], -one["sedimentation_field"], rtol=1e-9)


def test_the_layer_at_rest_obeys_gouy_and_chapman_where_it_is_thin():
    p = SYSTEM.values({"radius": 1e-5, "zeta": 0.11, "salt": 50.0})
    particle = Particle(p)
    thermal, kappa = particle.sphere.thermal, particle.sphere.kappa
    density = 2.0 * 78.5 * 8.8541878128e-12 * kappa * thermal * np.sinh(0.5 * 0.11 / thermal)
    np.testing.assert_allclose(particle.charge / (4.0 * np.pi * 1e-10), density, rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"charges": (1.0, 1.0)}, "one cation and one anion"),
        ({"charges": (1.0, -1.0, 2.0)}, "3 charges but 2 diffusivities"),
        ({"concentrations": (1.0, 2.0)}, "net charge"),
        ({"charges": (0.5, -1.0)}, "whole numbers"),
        ({"zeta": 2.0}, "zeta is"),
    ],
)
def test_bad_input_is_refused_with_the_reason(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(**given)


def test_the_figure_draws(tmp_path):
    SYSTEM.figure(SYSTEM.run()).savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_extreme_layers_are_solved():
    for case in (
        {"radius": 1e-9, "zeta": -0.2, "salt": 1e-5},
        {"radius": 1e-7, "zeta": 0.25, "salt": 1.0, "charges": (3.0, -1.0)},
        {"radius": 1e-4, "zeta": -0.25, "salt": 3e3},
    ):
        a = SYSTEM.run(**case).answers
        assert a["reciprocity_defect"] < 1e-8
        assert 0.05 < a["mobility_over_smoluchowski"] < 1.1
        assert isinstance(sf.steady(layers.layer_model(Particle(SYSTEM.values(case)).sphere)), sf.Solution)
