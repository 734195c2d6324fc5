"""Cases that the tests of other programs of the field use, against their exact solutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, R


@pytest.mark.parametrize(("shape", "share"), [("slab", 0.5), ("disk", 0.25), ("ball", 1.0 / 6.0)])
def test_a_uniform_source_in_a_slab_a_disk_and_a_ball_is_exact_at_the_nodes(shape, share):
    """-lap u = 1, u(R) = 0: u = (R^2 - r^2) / 2, / 4, / 6 with R = 5 and steps of 0.1."""
    nodes = np.linspace(0.0, 5.0, 51)
    if shape == "slab":
        space, rim = sf.interval(nodes=nodes), "right"
    elif shape == "disk":
        space, rim = sf.grid(r=nodes, z=np.array([0.0, 1.0])), "outer"
    else:
        space, rim = sf.spherical(r=nodes, theta=np.linspace(0.0, np.pi, 3)), "outer"
    model = sf.Model(space, [sf.Species("u")], [sf.Fick("u", 1.0), sf.Source("u", 1.0)], [sf.Hold(rim, {"u": 0.0})])
    position = np.asarray(space.position)
    r = position if shape == "slab" else np.hypot(*position.T) if shape == "ball" else position[:, 0]
    np.testing.assert_allclose(sf.steady(model)["u"], share * (25.0 - r**2), rtol=0, atol=3e-13)


@pytest.mark.parametrize("geometry", ["cylinder", "sphere"])
def test_a_ring_and_a_shell_between_held_walls(geometry):
    """u(1) = 1, u(5) = 0: ln(5 / r) / ln 5 and (5 / r - 1) / 4."""
    space = sf.interval(4.0, start=1.0, cells=31, shape=geometry)
    held = [sf.Hold("left", {"u": 1.0}), sf.Hold("right", {"u": 0.0})]
    r = np.asarray(space.position)
    exact = np.log(5.0 / r) / np.log(5.0) if geometry == "cylinder" else (5.0 / r - 1.0) / 4.0
    found = sf.steady(sf.Model(space, [sf.Species("u")], [sf.Fick("u", 1.0)], held))["u"]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-13)


def test_a_spreading_front_of_porous_medium_type():
    """u_t = (u^2)_xx from Barenblatt's profile at t = 0.001 to t = 0.01; its mass is (4/3) sqrt(12)."""

    def barenblatt(t, x):
        return t ** (-1.0 / 3.0) * np.maximum(1.0 - x**2 * t ** (-2.0 / 3.0) / 12.0, 0.0)

    errors = []
    for cells in (81, 161):
        space = sf.interval(2.0, start=-1.0, cells=cells)
        x = np.asarray(space.position)
        model = sf.Model(
            space,
            [sf.Species("u")],
            [sf.Fick("u", sf.Power(2.0, 1.0))],
            start={"u": barenblatt(0.001, x)},
        )
        history = sf.evolve(model, until=0.009, times=[0.0, 0.009], rtol=1e-7, atol=1e-9)
        errors.append(float(np.mean(np.abs(history["u"][-1] - barenblatt(0.01, x)))))
        mass = history.total("u")
        np.testing.assert_allclose(mass[-1], mass[0], rtol=1e-9)
        np.testing.assert_allclose(mass[-1], 4.0 / 3.0 * np.sqrt(12.0), rtol=2e-3)
    # The front is a corner of the profile: its place is found to a share of a cell.
    assert errors[1] < 0.6 * errors[0] and errors[1] < 3e-3


def test_a_batch_of_influxes_under_a_quadratic_flux():
    """Flux -(u^2)', u(0) = 0.1, influx J at 1: the masses sum to 140.8006024508 over a hundred J from 0 to 10."""
    space = sf.interval(1.0, cells=321)

    def mass(influx):
        model = sf.Model(
            space,
            [sf.Species("u")],
            [sf.Fick("u", sf.Power(2.0, 1.0))],
            [sf.Hold("left", {"u": 0.1}), sf.Influx("right", {"u": influx})],
            start={"u": 1.0},
        )
        return sf.steady(model).total("u")

    found = float(jnp.sum(jax.vmap(mass)(jnp.linspace(0.0, 10.0, 100))))
    np.testing.assert_allclose(found, 140.8006024508, rtol=2e-5)


def test_a_potential_between_a_held_and_an_insulated_end():
    """phi'' = 1 on (0, 2), phi(0) = 0, phi'(2) = 0: phi = x^2 / 2 - 2 x."""
    space = sf.interval(2.0, cells=201)
    model = sf.Model(space, [sf.Potential()], [sf.Ohm(1.0), sf.Source("phi", -1.0)], [sf.Hold("left", {"phi": 0.0})])
    x = np.asarray(space.position)
    np.testing.assert_allclose(sf.steady(model)["phi"], 0.5 * x**2 - 2.0 * x, rtol=0, atol=1e-11)


def test_a_reactor_with_dispersion_and_a_flux_condition():
    """C'' - P C' - D C = 0, P (1 - C) = -C' at 0, C' = 0 at 1, P = 3, D = 2 (Danckwerts)."""
    errors = []
    for cells in (101, 201):
        space = sf.interval(1.0, cells=cells)
        model = sf.Model(
            space,
            [sf.Species("C")],
            [sf.Advection("C", velocity=3.0, diffusivity=1.0), sf.Decay({"C": -1}, 2.0)],
            [
                sf.Influx("left", {"C": 3.0}),
                sf.Exchange("right", sf.Advection("C", velocity=3.0), outside={"C": 0.0}),
            ],
        )
        found = np.asarray(sf.steady(model)["C"])
        errors.append(np.abs(found[[0, cells // 2, -1]] - [0.84482009, 0.64914956, 0.55636849]).max())
    assert errors[1] < 3e-5 and errors[1] < 0.3 * errors[0]


def test_the_capacitance_of_a_diffuse_layer_at_zero_charge():
    """eps kappa of 0.01 mol/L at 298.15 K and eps_r = 78.49: 0.2284669 F/m^2 (Gouy 1910, Chapman 1913)."""
    debye = np.sqrt(78.49 * EPSILON_0 * R * 298.15 / (2.0 * FARADAY**2 * 10.0))
    space = sf.interval(20.0 * debye, cells=801, grading="left", ratio=100.0)

    def charge(volts):
        model = sf.Model(
            space,
            [sf.Ion("K+", 1e-9), sf.Ion("Cl-", 1e-9), sf.Potential()],
            [sf.NernstPlanck(), sf.Poisson(relative_permittivity=78.49)],
            [
                sf.Hold("left", {"phi": volts}),
                sf.Hold("right", {"K+": 10.0, "Cl-": 10.0, "phi": 0.0}),
            ],
            temperature=298.15,
        )
        return sf.steady(model).flow("phi", "left")

    np.testing.assert_allclose(float(jax.grad(charge)(0.0)), 0.2284669, rtol=2e-5)


def test_the_conductivity_of_a_salt():
    """F^2 / (R T) sum z^2 D c of 1 mol/L with D = 2e-9 m^2/s for both ions: 15.02150978 S/m."""
    ends = [sf.Hold(end, {"K+": 1000.0, "Cl-": 1000.0, "phi": v}) for end, v in (("left", 1e-3), ("right", 0.0))]
    model = sf.Model(
        sf.interval(1e-3, cells=5),
        [sf.Ion("K+", 2e-9), sf.Ion("Cl-", 2e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Electroneutrality()],
        ends,
        temperature=298.15,
    )
    np.testing.assert_allclose(float(sf.steady(model).current("left")), 15.02150978, rtol=1e-9)
