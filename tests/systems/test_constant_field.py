"""Ions in a constant field: the claims, extreme membranes against closed forms, and bad input."""

import math

import numpy as np
import pytest

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.electrolyte.constant_field import SYSTEM, goldman_flux


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


ROWS = [(1, 3e-9, 170.0, 0.02), (-1, 8e-9, 0.3, 95.0), (2, 5e-11, 44.0, 61.0)]
IONS = [dict(zip(("charge", "permeability", "inside", "outside"), row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(("volts", "kelvin"), [(3.1, 77.0), (-9.0, 330.0), (0.0, 250.0), (1e-9, 298.0)])
def test_any_voltage_gives_goldmans_fluxes(volts, kelvin):
    found = SYSTEM.run(ions=IONS, voltage=volts, temperature=kelvin, thickness=3.3e-9)
    expected = [goldman_flux(P, z, a, b, volts, kelvin) for z, P, a, b in ROWS]
    np.testing.assert_allclose(found.answers["flux"], expected, rtol=1e-10)
    assert all(entry.relative < 1e-10 for entry in found.solution.ledger.values())


def test_the_current_vanishes_at_the_reversal_potential_and_nowhere_near_it():
    at = SYSTEM.run(ions=IONS).answers["reversal_potential"]
    stopped = SYSTEM.run(ions=IONS, voltage=at).answers
    assert abs(stopped["current"]) < 1e-12 * max(map(abs, stopped["ion_currents"]))
    step = SYSTEM.run(ions=IONS, voltage=at + 1e-5).answers["current"]
    assert step == pytest.approx(stopped["reversal_conductance"] * 1e-5, rel=1e-3)


def test_an_ion_that_is_absent_outside_still_crosses_and_nothing_can_stop_it():
    found = SYSTEM.run(ions=[(1, 2e-8, 55.0, 0.0)], voltage=0.033, temperature=290.0)
    np.testing.assert_allclose(found.answers["flux"], [goldman_flux(2e-8, 1, 55.0, 0.0, 0.033, 290.0)], rtol=1e-10)
    assert "reversal_potential" not in found.answers
    assert "dissipation" not in found.answers


def test_the_field_replaces_the_voltage_and_a_diffusivity_the_permeability():
    one = SYSTEM.run(ions=IONS, voltage=0.02, thickness="4 nm").answers
    other = [{**row, "permeability": None, "diffusivity": row["permeability"] * 4e-9} for row in IONS]
    two = SYSTEM.run(ions=other, field=5e6, thickness=4e-9, voltage=0.7).answers
    np.testing.assert_allclose(two["flux"], one["flux"], rtol=1e-12)


def test_a_neutral_solute_obeys_fick_in_any_field():
    found = SYSTEM.run(ions=[(0, 4e-9, 12.0, 31.0)], voltage=0.5)
    np.testing.assert_allclose(found.answers["flux"], [4e-9 * (12.0 - 31.0)], rtol=1e-12)
    assert found.answers["drift_share"] == [0.0]


def test_a_single_ion_stops_at_nernsts_voltage():
    ions = [(3, 4e-9, 2.0, 7e-4), (-1, 4e-30, 2.0, 7e-4)]
    found = SYSTEM.run(ions=ions, temperature=333.0)
    nernst = R * 333.0 / (3.0 * FARADAY) * math.log(7e-4 / 2.0)
    assert found.answers["reversal_potential"] == pytest.approx(nernst, rel=1e-10)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"ions": [(1, None, 3.0, 4.0)]}, InputError, "either a permeability or a diffusivity"),
        ({"ions": [(1, 1e-9, -3.0, 4.0)]}, InputError, "inside of ion 1 is -3"),
        ({"ions": [(1, 0.0, 3.0, 4.0)]}, InputError, "must be positive"),
        ({"ions": [{"charge": 1, "permeability": 1e-9, "inside": 1.0}]}, InputError, "lacks 'outside'"),
        ({"ions": [(1, 1e-9, 3.0, 4.0, None, "phi")]}, InputError, "'phi' of an ion is taken"),
        ({"field": (1.0, 2.0)}, InputError, "field is one number"),
        ({"voltage": 1e4}, InputError, "voltage is 10000 V"),
        ({"temprature": 300.0}, NameUnknown, "temperature"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(given, error, message):
    with pytest.raises(error, match=message):
        SYSTEM.run(**given)


def test_the_figure_shows_profiles_and_currents():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [axes.get_xlabel() for axes in drawing.axes] == [
        "position from the inside / nm",
        "voltage inside minus outside / mV",
    ]
    assert len(drawing.axes[0].lines) == 3
