"""The hydrogel film: its claims, steps against Laplace transforms, enzymes against collocation, refusals."""

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import solve_bvp

from steadyflux import InputError
from steadyflux.ground.constants import FARADAY
from steadyflux.systems.electrode.hydrogel_film import REACTANT, SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def transformed(p, t):
    """Current at a time after the step of the bulk: the two slabs in Laplace space, inverted by Talbot's contour."""

    def flux(s):
        film, layer = mp.sqrt(s / p.film_diffusivity), mp.sqrt(s / p.layer_diffusivity)
        # From the electrode out: c = 1 in the film, c' = k / D; then through the partition into the layer.
        slope = p.rate_constant / p.film_diffusivity
        x = film * p.film_thickness
        c = mp.cosh(x) + slope / film * mp.sinh(x)
        j = p.film_diffusivity * (film * mp.sinh(x) + slope * mp.cosh(x))
        y = layer * p.layer_thickness
        outside = c / p.partition * mp.cosh(y) + j / (p.layer_diffusivity * layer) * mp.sinh(y)
        return p.rate_constant * p.bulk / s / outside

    return float(p.electrons * FARADAY * p.area * mp.invertlaplace(flux, t, method="talbot"))


def test_steps_of_random_films_agree_with_the_laplace_transform():
    rng = np.random.default_rng(2)
    for _ in range(4):
        given = {
            "film_thickness": 10 ** rng.uniform(-5.5, -3.5),
            "film_diffusivity": 10 ** rng.uniform(-11, -9),
            "partition": 10 ** rng.uniform(-1, 1),
            "layer_thickness": 10 ** rng.uniform(-5.5, -4),
            "rate_constant": 10 ** rng.uniform(-7, -2),
        }
        slowest = given["film_thickness"] ** 2 / given["film_diffusivity"]
        times = tuple(slowest * np.array([0.3, 1.0, 4.0]))
        result = SYSTEM.run(**given, times=times)
        expected = [transformed(result.parameters, t) for t in times]
        np.testing.assert_allclose(result.answers["current_at"], expected, rtol=1e-4, err_msg=str(given))


def test_enzymes_agree_with_collocation():
    rng = np.random.default_rng(5)
    for _ in range(5):
        p = SYSTEM.values(
            {
                "bulk": 10 ** rng.uniform(-1, 2),
                "enzyme_rate": 10 ** rng.uniform(-1, 2),
                "michaelis": 10 ** rng.uniform(-1, 1.5),
                "partition": 10 ** rng.uniform(-0.5, 0.5),
                "times": (5.0,),
            }
        )
        outside, L = p.partition * p.bulk, p.film_thickness
        rate = p.enzyme_rate * L**2 / p.film_diffusivity / outside

        def slopes(x, y, rate=rate, half=p.michaelis / outside):
            return np.vstack([y[1], rate * y[0] / (half + y[0])])

        at = np.linspace(0.0, 1.0, 41)
        guess = np.vstack([at**2, 2 * at])
        found = solve_bvp(slopes, lambda a, b: np.array([a[1], b[0] - 1.0]), at, guess, tol=1e-10, max_nodes=20_000)
        assert found.status == 0
        scale = FARADAY * p.area * p.film_diffusivity * outside / L
        answers = SYSTEM.run(dict(p.items)).answers
        np.testing.assert_allclose(answers["enzyme_conversion"] * FARADAY, scale * found.y[1, -1], rtol=2e-5)
        np.testing.assert_allclose(answers["enzyme_current"], 2 * scale * (1.0 - found.y[0, 0]), rtol=2e-5)


def test_a_saturated_enzyme_leaves_the_depth_of_the_film_empty():
    # Zero order: substrate gets to the depth sqrt(2 D s / V), and all that enters is used up: J = sqrt(2 D s V).
    for bath in ("stirred", "still"):
        a = SYSTEM.run(michaelis=1e-5, enzyme_rate=3e3, enzyme_bath=bath, times=(5.0,)).answers
        flux = np.sqrt(2 * 3e-10 * 4.0 * 3e3)
        if bath == "still":  # behind a layer: J = (bulk - c) / (layer / D) = sqrt(2 D partition c V)
            g, h = 7e-10 / 5e-5, 2 * 3e-10 * 0.8 * 3e3
            c = ((-np.sqrt(h) + np.sqrt(h + 4 * g * g * 5.0)) / (2 * g)) ** 2
            flux = g * (5.0 - c)
        np.testing.assert_allclose(a["enzyme_conversion"], 7e-6 * flux, rtol=1e-4)


def test_the_way_there_keeps_its_books():
    history = SYSTEM.run(until=3.0).history
    entry = history.ledger[REACTANT]
    assert entry.relative < 1e-6
    np.testing.assert_allclose(entry.stored, entry.into - entry.out, rtol=1e-6)
    assert not history.steady


def test_without_a_layer_its_resistance_is_none():
    a = SYSTEM.run(layer_thickness=0.0, enzyme_bath="still", times=(5.0,)).answers
    assert abs(a["resistances"][0]) < 1e-9 * a["resistances"][1]


@pytest.mark.parametrize("given", [{"partition": 0.0}, {"times": (0.0,)}, {"enzyme_bath": "wet"}, {"area": "2 m"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_the_figure_draws():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "um" in axes[0].get_xlabel() and "uA" in axes[2].get_ylabel()
