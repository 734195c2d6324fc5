"""The composite wall: its claims, a cryogenic and a radiating wall against roots found by hand, and bad input."""

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import brentq

from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.heat.composite_wall import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_six_layers_down_to_four_kelvin_meet_the_root_of_one_equation():
    layers = [(0.004, 15.0, 2.8e-3), (0.03, 0.02, 3e-3), (0.001, 380.0, -2e-3)] * 2
    contacts, films, (hot, cold) = (1e-3, 0.0, 5e-4, 2e-3, 1e-5), (9.0, 2.0), (295.0, 4.2)
    emissivity = 0.3
    found = SYSTEM.run(
        layers=layers,
        contact_resistances=contacts,
        inner_film=films[0],
        outer_film=films[1],
        inner_temperature=hot,
        outer_temperature=cold,
        emissivity=emissivity,
    )

    def outer_face(q):
        T = hot - q / films[0]
        for (thickness, k, beta), R in zip(layers, (*contacts, 0.0), strict=True):
            # integral of k (1 + beta (T - 300)) over T equals q L: a quadratic in T' - 300
            K = k * ((T - 300.0) + 0.5 * beta * (T - 300.0) ** 2) - q * thickness
            T = 300.0 + (np.sqrt(max(1.0 + 2.0 * beta * K / k, 0.0)) - 1.0) / beta - q * R
        return T

    def miss(q):
        T = outer_face(q)
        return q - films[1] * (T - cold) - emissivity * SIGMA_SB * (T**4 - cold**4)

    q = brentq(miss, 1e-6, 120.0, xtol=1e-13, rtol=1e-13)
    np.testing.assert_allclose(found.answers["heat_flux"], q, rtol=1e-9)
    np.testing.assert_allclose(found.answers["face_temperatures"][-1], outer_face(q), rtol=1e-9)
    assert len(found.answers["face_temperatures"]) == 12
    assert found.solution.ledger["T"].relative < 1e-10


def inverted(layers, contacts, films, fall, time):
    """Flux into the wall and out of it with 30 digits: transfer matrices inverted on Talbot's contour."""

    def transform(s, entry):
        whole = mp.matrix([[1, 1 / mp.mpf(films[0])], [0, 1]])
        for (thickness, k, store), R in zip(layers, (*contacts, 0.0), strict=True):
            a = mp.sqrt(s * store / k)
            x = a * thickness
            layer = [[mp.cosh(x), mp.sinh(x) / (k * a)], [k * a * mp.sinh(x), mp.cosh(x)]]
            whole = whole * mp.matrix(layer) * mp.matrix([[1, R], [0, 1]])
        whole = whole * mp.matrix([[1, 1 / mp.mpf(films[1])], [0, 1]])
        return fall / s / whole[0, 1] * (whole[1, 1] if entry == 0 else 1)

    with mp.workdps(30):
        return [float(mp.invertlaplace(lambda s, e=e: transform(s, e), time, method="talbot")) for e in (0, 1)]


def test_walls_of_all_kinds_in_time_meet_the_laplace_inversion():
    rng = np.random.default_rng(5)
    for _ in range(4):
        layers = [(10 ** rng.uniform(-4, 0), 10 ** rng.uniform(-2, 2.5), 10 ** rng.uniform(3.5, 6.6)) for _ in range(3)]
        contacts, films = 10 ** rng.uniform(-5, 0, 2), 10 ** rng.uniform(0, 4, 2)
        time = 10 ** rng.uniform(0, 6)
        found = SYSTEM.run(
            layers=[(x, k, 0.0, store) for x, k, store in layers],
            contact_resistances=tuple(contacts),
            inner_film=films[0],
            outer_film=films[1],
            time=time,
        ).answers
        expected = inverted(layers, contacts, films, 25.0, time)
        np.testing.assert_allclose(found["inner_flux_at"], expected[0], rtol=1e-4)
        np.testing.assert_allclose(found["outer_flux_at"], expected[1], rtol=1e-4, atol=1e-6 * expected[0])


def test_a_wall_that_stores_nothing_is_at_rest_at_once():
    found = SYSTEM.run(layers=[(0.1, 1.0), (0.02, 0.04)]).answers
    assert found["inner_flux_at"] == found["heat_flux"]
    # A foil without heat capacity between two leaves follows its neighbours.
    heavy, foil = (0.05, 0.8, 0.0, 1.5e6), (1e-4, 0.2)
    one = SYSTEM.run(layers=[heavy, foil, heavy]).answers
    two = SYSTEM.run(layers=[heavy, (*foil, 0.0, 1.0), heavy]).answers
    for name in ("inner_flux_at", "outer_flux_at"):
        np.testing.assert_allclose(one[name], two[name], rtol=2e-5)


def test_until_gives_the_way_there():
    found = SYSTEM.run(until="2 h")
    at = SYSTEM.run().answers
    np.testing.assert_allclose(found.answers["heat_flux"], at["inner_flux_at"], rtol=1e-4)
    assert "inner_flux_at" not in found.answers
    assert found.history.ledger["T"].relative < 1e-10
    assert np.all(found.history.entropy_production[1:] > 0.0)


def test_reversed_temperatures_reverse_the_heat_and_still_produce_entropy():
    found = SYSTEM.run(inner_temperature="-5 degC", outer_temperature="20 degC").answers
    np.testing.assert_allclose(found["heat_flux"], -8.382931175990864, rtol=1e-10)
    assert found["entropy_production_wall"] > 0.0


def test_equal_temperatures_mean_equilibrium_and_no_effective_transmittance():
    found = SYSTEM.run(inner_temperature=280.0, outer_temperature=280.0)
    assert found.solution.regime == "equilibrium"
    assert "effective_transmittance" not in found.answers
    np.testing.assert_allclose(found.answers["transmittance"], 0.3353172470396344, rtol=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"contact_resistances": (0.1,)}, "have 2 contacts"),
        ({"outer_film": 0.0}, "no heat leaves"),
        ({"layers": [(0.0, 1.0)]}, "thickness of layer 1"),
        ({"layers": [(0.1, 1.0, 0.05)]}, "conductivity of layer 1"),
        ({"emissivity": 1.5}, "emissivity is"),
        ({"layers": [(0.1, 1.0, 0.0, -1.0)]}, "heat capacity of layer 1"),
        ({"time": 0.0}, "time is"),
        ({"layers": [{"thickness": 0.1}]}, "lacks 'conductivity'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_a_misspelt_column_is_refused():
    with pytest.raises(NameUnknown, match="thickness"):
        SYSTEM.run(layers=[{"thicknes": 0.1, "conductivity": 1.0}])


def test_the_figure_draws_every_layer():
    (axes,) = SYSTEM.figure(SYSTEM.run()).axes
    assert axes.get_ylabel() == "temperature, K"
    assert len(axes.get_legend().get_texts()) == 5  # three layers and two moments
