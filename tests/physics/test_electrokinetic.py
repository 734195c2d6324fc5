"""Electrokinetics: streaming, electro-osmosis and settling from one law; reciprocity and second law from its fluxes."""

import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.findings import failures
from steadyflux.audit.reciprocity import check_model_reciprocity, check_reciprocity
from steadyflux.audit.second_law import check_second_law
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError

MOBILITY, COUPLING, CONDUCTIVITY = 1.3e-10, 4.7e-9, 0.021


def plug(left, right, law=None, given=None):
    return sf.Model(
        sf.interval(0.013, cells=11, area=2.1e-3),
        quantities=[sf.Volume(), sf.Potential()],
        laws=[law or sf.Electrokinetic("p", MOBILITY, COUPLING, CONDUCTIVITY)],
        boundaries=[sf.Hold("left", left), sf.Hold("right", right)],
        given=given,
    )


def test_streaming_and_electro_osmosis_are_mirror_images():
    shape = 2.1e-3 / 0.013
    pressed = sf.steady(plug({"p": 5e4, "phi": 0.0}, {"p": 0.0}))
    np.testing.assert_allclose(pressed.value("phi", "right"), COUPLING / CONDUCTIVITY * 5e4, rtol=1e-10)
    apparent = MOBILITY - COUPLING**2 / CONDUCTIVITY
    np.testing.assert_allclose(pressed.flow("p", "left"), apparent * shape * 5e4, rtol=1e-10)
    driven = sf.steady(plug({"p": 0.0, "phi": 1.7}, {"p": 0.0, "phi": 0.0}))
    np.testing.assert_allclose(
        driven.flow("p", "left") / driven.flow("phi", "left"), COUPLING / CONDUCTIVITY, rtol=1e-10
    )
    streaming = sf.steady(plug({"p": 5e4, "phi": 0.0}, {"p": 0.0, "phi": 0.0}))
    np.testing.assert_allclose(  # Saxen: current per pressure is volume per voltage
        streaming.flow("phi", "left") / 5e4, driven.flow("p", "left") / 1.7, rtol=1e-10
    )


def particles(law=None, charge=0):
    law = law or sf.Electrokinetic("particles", 3.1e-13, -2.4e-8, 1.5e-3)
    return sf.Model(
        sf.interval(2e-6, cells=21, names=("top", "bottom")),
        quantities=[sf.Species("particles", external="energy", charge=charge), sf.Potential()],
        laws=[law],
        boundaries=[sf.Hold("top", {"particles": 1.1e-9, "phi": 0.0}), sf.Hold("bottom", {"particles": 2.3e-9})],
        given={"energy": lambda z: -3e9 * z, "T": 291.0},
    )


def test_settling_particles_make_a_field_and_obey_the_second_law():
    model = particles()
    found = sf.steady(model)
    assert not failures([*check_reciprocity(found), *check_second_law(found)])
    np.testing.assert_allclose(found.flow("phi", "top"), 0.0, atol=1e-20)
    # Without current the field is c u times the force on a mole, over the conductivity, at every edge.
    c, phi = np.asarray(found["particles"]), np.asarray(found["phi"])
    step = 2e-6 / 20
    force = -(R * 291.0 * np.diff(np.log(c)) - 3e9 * step) / step
    middle = np.diff(c) / np.diff(np.log(c))
    np.testing.assert_allclose(np.diff(phi) / step, middle * -2.4e-8 * force / 1.5e-3, rtol=1e-8)


def test_without_coupling_and_weight_it_is_fick_and_ohm():
    law = sf.Electrokinetic("c", 1.7e-9, 0.0, 0.3)
    model = sf.Model(
        sf.interval(1e-3, cells=5),
        [sf.Species("c"), sf.Potential()],
        [law],
        [sf.Hold("left", {"c": 7.0, "phi": 0.2}), sf.Hold("right", {"c": 0.0, "phi": 0.0})],
    )
    found = sf.steady(model)
    np.testing.assert_allclose(found.flow("c", "left"), 1.7e-9 * 7.0 / 1e-3, rtol=1e-10)
    np.testing.assert_allclose(found.flow("phi", "left"), 0.3 * 0.2 / 1e-3, rtol=1e-10)


class OneSided(sf.Electrokinetic):
    """Electro-osmosis without the streaming current."""

    def coefficients(self, mean, edge):
        L = sf.Electrokinetic.coefficients(self, mean, edge)
        return L.at[1, 0].set(0.3 * jnp.abs(L[1, 0]))


def test_a_planted_asymmetry_is_caught():
    held = {"p": 5e4, "phi": 0.0}, {"p": 0.0, "phi": 0.1}
    good = plug(*held)
    assert not failures([*check_reciprocity(sf.steady(good)), check_model_reciprocity(good)])
    assert not failures(check_second_law(sf.steady(good)))
    law = sf.Model(
        good.space,
        good.quantities,
        [OneSided("p", MOBILITY, COUPLING, CONDUCTIVITY)],
        [sf.Hold("left", held[0]), sf.Hold("right", held[1])],
    )
    assert failures(check_reciprocity(sf.steady(law)))
    assert failures([check_model_reciprocity(law)])


def test_refusals():
    with pytest.raises(ModelError, match="destroy entropy"):
        plug({"p": 0.0, "phi": 0.0}, {"p": 1.0}, sf.Electrokinetic("p", 1e-12, 1e-3, 1e-3))
    with pytest.raises(ModelError, match="part of the coupling"):
        particles(charge=-5)
