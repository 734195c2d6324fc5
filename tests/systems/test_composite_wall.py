"""The composite wall: its claims, a cryogenic and a radiating wall against roots found by hand, and bad input."""

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
    assert len(axes.get_legend().get_texts()) == 3
