"""The film with a power of the temperature difference, and radiation beside it."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import SIGMA_SB

SURFACE = sf.network({"body": 1.0, "air": 1.0}, {"skin": [("body", "air")]}, area=0.3)


def heat(body, air, law):
    model = sf.Model(
        SURFACE, [sf.Heat("T")], [law], [sf.Hold("body", {"T": body}), sf.Hold("air", {"T": air})], temperature=300.0
    )
    return sf.steady(model).flow("T", "body")


@pytest.mark.parametrize("exponent", [0.0, 0.25, 2.0, -0.25])
@pytest.mark.parametrize(("body", "air"), [(341.0, 288.0), (273.0, 305.5)])
def test_the_heat_goes_as_a_power_of_the_difference_plus_radiation(exponent, body, air):
    law = sf.Convection("7 W/m^2/K", exponent, "20 K", 0.6, on="skin")
    rise = body - air
    expected = 0.3 * (7.0 * (abs(rise) / 20.0) ** exponent * rise + 0.6 * SIGMA_SB * (body**4 - air**4))
    np.testing.assert_allclose(heat(body, air, law), expected, rtol=1e-10)


@pytest.mark.parametrize("exponent", [0.0, 0.25, 2.0, -0.25])
def test_its_slope_is_finite_where_nothing_flows(exponent):
    law = sf.Convection(7.0, exponent, 20.0, on="skin")
    slope = jax.grad(lambda body: heat(body, 300.0, law))(300.0)
    assert np.isfinite(slope)
    assert slope > 0.0
    if exponent == 0.0:
        np.testing.assert_allclose(slope, 0.3 * 7.0, rtol=1e-12)
