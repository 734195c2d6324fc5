"""The order that the meshes promise, observed: two, inside and at boundaries, in slabs, cylinders and spheres."""

import numpy as np
import pytest

import steadyflux as sf

MESHES = (11, 21, 41)


def orders(errors):
    """Observed orders between successive meshes of half the step."""
    errors = np.asarray(errors)
    return np.log2(errors[:-1] / errors[1:])


def source(shape, x):
    """What makes T = exp(x) the solution of -(1/w)(w T')' = q with the weight w of the shape, k = 1."""
    return -np.exp(x) * (1.0 + {"slab": 0.0, "cylinder": 1.0, "sphere": 2.0}[shape] / x)


@pytest.mark.parametrize("shape", ["slab", "cylinder", "sphere"])
def test_conduction_with_a_source_is_of_second_order_inside_and_at_the_boundary(shape):
    inside, boundary = [], []
    for cells in MESHES:
        space = sf.interval(1.0, cells, shape=shape, start=0.5)
        model = sf.Model(
            space,
            [sf.Heat()],
            [sf.Fourier(1.0), sf.Source("T", source(shape, space.position))],
            [sf.Hold("left", {"T": np.exp(0.5)}), sf.Hold("right", {"T": np.exp(1.5)})],
        )
        solution = sf.steady(model)
        inside.append(np.abs(np.asarray(solution["T"]) - np.exp(space.position)).max())
        area = float(space.place("right").area[0])
        boundary.append(abs(float(solution.flow("T", "right")) - area * np.exp(1.5)) / area)
    np.testing.assert_array_less(1.9, orders(inside))
    np.testing.assert_array_less(1.9, orders(boundary))
    assert inside[-1] < 1e-3


def test_reaction_and_diffusion_is_of_second_order():
    errors = []
    for cells in MESHES:
        model = sf.Model(
            sf.interval(1.0, cells),
            [sf.Species("A")],
            [sf.Fick("A", 0.25), sf.Decay({"A": -1}, 4.0)],
            [sf.Hold("right", {"A": 3.0})],
        )
        solution = sf.steady(model)
        exact = 3.0 * np.cosh(4.0 * np.asarray(solution.position())) / np.cosh(4.0)
        uptake = 3.0 * 0.25 * 4.0 * np.tanh(4.0)
        errors.append([np.abs(solution["A"] - exact).max(), abs(float(solution.flow("A", "right")) - uptake)])
    np.testing.assert_array_less(1.9, orders(errors))


def test_a_poisson_nernst_planck_pore_is_of_second_order():
    found = []
    for cells in (*MESHES, 81):
        model = sf.Model(
            sf.interval("4 nm", cells, area="1 nm^2"),
            [sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9), sf.Potential()],
            [sf.NernstPlanck(), sf.Poisson(78.5, fixed_charge="wall")],
            [
                sf.Hold("left", {"K+": 300.0, "Cl-": 300.0, "phi": 0.1}),
                sf.Hold("right", {"K+": 80.0, "Cl-": 80.0, "phi": 0.0}),
            ],
            given={"wall": lambda x: -400.0 * np.sin(np.pi * x / 4e-9) ** 2},
        )
        solution = sf.steady(model)
        found.append(
            [
                float(solution.flow("K+", "left")),
                float(solution.flow("Cl-", "left")),
                float(solution["phi"][cells // 2]),
            ]
        )
    steps = np.abs(np.diff(np.array(found), axis=0))
    np.testing.assert_allclose(orders(steps)[-1], 2.0, atol=0.1)


def test_the_two_point_flux_is_exact_in_every_shape_on_the_coarsest_mesh():
    for shape, resistance in (
        ("slab", 1.0),
        ("cylinder", np.log(3.0) / (2 * np.pi)),
        ("sphere", (2 - 2 / 3) / (4 * np.pi)),
    ):
        space = sf.interval(1.0, 3, shape=shape, start=0.5)
        model = sf.Model(
            space, [sf.Heat()], [sf.Fourier(2.0)], [sf.Hold("left", {"T": 350.0}), sf.Hold("right", {"T": 300.0})]
        )
        np.testing.assert_allclose(sf.steady(model).flow("T", "left"), 2.0 * 50.0 / resistance, rtol=1e-5)
