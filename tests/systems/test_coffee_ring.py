"""The coffee ring: independent values of two drops, orders, limits."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.systems.flow._vapour import COARSE, factor, reduced_model
from steadyflux.systems.flow.coffee_ring import SYSTEM, popov

DROPS = (
    (
        {},
        {
            "evaporation_rate": 1.67278036367057e-09,
            "drying_time": 384.16525808878635,
            "flux_at": [0.0003338016360111578, 0.00035464014019857533, 0.0006277607662763658],
            "contact_angle_at": [0.6993608687500852, 0.635143772613809, 0.3597980342940345, 0.07164942450118461],
            "ring_fraction": [2.132800797849646e-05, 0.019407699977903346, 0.2356223560022064, 0.7067946810218196],
            "ring_mass": [
                1.2772330589238401e-14,
                1.1622349370107982e-11,
                1.4110303353738502e-10,
                4.232657514863881e-10,
            ],
            "ring_exponent": 1.4742185582963958,
        },
    ),
    (
        {
            "radius": 0.002,
            "contact_angle": 0.12,
            "vapour_diffusivity": 2.5e-05,
            "saturation": 0.0195,
            "humidity": 0.3,
            "density": 1002.0,
            "solids": 10.0,
            "radii": (0.1, 0.7, 0.995),
            "fractions": (0.01, 0.25, 0.75, 0.99),
        },
        {
            "evaporation_rate": 2.784663617451818e-09,
            "drying_time": 274.7009842259589,
            "flux_at": [0.00011836248036025323, 0.00015989546136446872, 0.0010288957182845334],
            "contact_angle_at": [0.11879373415700262, 0.08986981268225959, 0.02984614783612831, 0.0011912868564985136],
            "ring_fraction": [0.001323376736628333, 0.10736681578683183, 0.5489374036054091, 0.9555334917241525],
            "ring_mass": [1.0002033268503134e-11, 8.114744907554905e-10, 4.1488489416668835e-09, 7.221887395227858e-09],
            "ring_exponent": 1.351220865109051,
        },
    ),
)


@pytest.mark.parametrize(("given", "expected"), DROPS, ids=["coffee", "flat"])
def test_independent_values(given, expected):
    result = SYSTEM.run(given)
    for name, value in expected.items():
        np.testing.assert_allclose(
            result.answers[name], value, rtol=1.5e-4 if name == "flux_at" else 1e-4, err_msg=name
        )
    assert result.history.ledger["solids"].relative < 1e-10
    assert SYSTEM.figure(result).axes


def test_the_rate_takes_second_order_before_it_is_extrapolated():
    angle = 0.9
    errors = [
        abs(4.0 * float(sf.steady(reduced_model(angle, mesh))["V"][0]) - popov(angle)) for mesh in reversed(COARSE)
    ]
    assert 3.8 < errors[0] / errors[1] < 4.2
    assert abs(factor(angle) / popov(angle) - 1) < 1e-5


def test_velocity_grows_towards_the_rim_and_vanishes_in_the_middle():
    result = SYSTEM.run(radii=(0.0, 0.3, 0.6, 0.9, 0.99))
    speed = np.array(result.answers["radial_velocity"])
    assert speed[0] == 0.0
    assert np.all(np.diff(speed) > 0)
    p = result.parameters
    assert speed[-1] < 10 * p.radius / result.answers["drying_time"]


def test_an_angle_above_a_right_one_is_refused():
    with pytest.raises(sf.InputError, match="contact_angle"):
        SYSTEM.run(contact_angle=1.7)
