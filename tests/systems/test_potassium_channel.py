"""The potassium channel: its claims, extreme channels, and bad input."""

import math

import numpy as np
import pytest

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte.potassium_channel import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def smoluchowski(inside, outside, barrier, dip, inner, outer, volts, charge, kelvin=310.15, length=4e-9, D=1.96e-9):
    """Flow by Gauss-Legendre quadrature of the resistance, 4000 points, mol/s."""
    x, w = np.polynomial.legendre.leggauss(4000)
    x, w = 0.5 * (x + 1.0), 0.5 * w
    v = charge * FARADAY * volts / (R * kelvin)
    energy = barrier * np.sin(np.pi * x) ** 2 + v * (1.0 - x)
    bore = math.pi * (inner + (outer - inner) * x) ** 2
    resistance = length * np.sum(w * np.exp(energy) / (D * (1.0 - dip * np.sin(np.pi * x)) * bore))
    return (inside * math.exp(v) - outside) / resistance


CASES = [
    (150.0, 4.5, 14.0, 0.4, 6e-10, 3e-10, 0.5, 1),
    (3.0, 700.0, -12.0, 0.99, 2e-10, 4e-9, -0.3, 1),
    (90.0, 0.07, 6.0, 0.0, 3e-10, 3e-10, -0.9, 2),
    (150.0, 4.5, 15.0, 0.9, 1e-9, 1e-9, 1.5, 1),
]


@pytest.mark.parametrize("case", CASES)
def test_extreme_channels_follow_smoluchowskis_integral(case):
    inside, outside, barrier, dip, inner, outer, volts, charge = case
    found = SYSTEM.run(
        inside=inside, outside=outside, barrier=barrier, diffusivity_dip=dip, inner_radius=inner, outer_radius=outer,
        voltage=volts, charge=charge,
    )  # fmt: skip
    assert found.answers["flux"] == pytest.approx(smoluchowski(*case), rel=1e-4)
    nernst = R * 310.15 / (charge * FARADAY) * math.log(outside / inside)
    assert found.answers["zero_flux_voltage"] == pytest.approx(nernst, rel=1e-9)
    assert found.answers["regime_at_zero_flux"] == "equilibrium"
    # Over a high barrier the net flow is a tiny rest of the traffic between cells, whose rounding it carries.
    traffic = 1.96e-9 * math.pi * max(inner, outer) ** 2 / (4e-9 / 2000) * np.max(np.asarray(found.solution["K+"]))
    assert abs(found.solution.ledger["K+"].imbalance) < 1e-13 * traffic


def test_the_conductance_is_the_slope_of_the_current():
    found = SYSTEM.run(barrier=5.0, voltage=0.1).answers
    at, step = found["zero_flux_voltage"], 1e-5
    slope = (SYSTEM.run(barrier=5.0, voltage=at + step).answers["current"]) / step
    assert found["conductance"] == pytest.approx(slope, rel=1e-3)


def test_a_neutral_solute_has_flow_but_no_voltage_that_stops_it():
    found = SYSTEM.run(charge=0, barrier=0.0, diffusivity_dip=0.0, inner_radius=4e-10, outer_radius=4e-10).answers
    assert found["flux"] == pytest.approx(1.96e-9 * math.pi * 4e-10**2 / 4e-9 * 145.5, rel=1e-10)
    assert "zero_flux_voltage" not in found


def test_an_ion_absent_outside_leaves_only_one_way():
    found = SYSTEM.run(outside=0.0).answers
    assert found["one_way_in"] == 0.0
    assert found["flux"] == pytest.approx(found["one_way_out"], rel=1e-12)
    assert "entropy_production" not in found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"diffusivity_dip": 1.0}, "diffusivity_dip is 1"),
        ({"inside": -1.0}, "inside is -1"),
        ({"charge": 0.5}, "whole"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(**given)


def test_the_figure_shows_the_energy_and_where_the_flux_stops():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert drawing.axes[0].get_ylabel() == "energy / $k T$"
    assert [axes.get_ylabel() for axes in drawing.axes[1:]] == ["outward current / pA", "free energy lost / fW"]
