"""The constants against CODATA 2022 as SciPy tabulates it; exact ones to the last bits."""

import math

import pytest
import scipy.constants

from steadyflux.ground import constants

EXACT = {
    "C_LIGHT": "speed of light in vacuum",
    "H_PLANCK": "Planck constant",
    "E_CHARGE": "elementary charge",
    "K_B": "Boltzmann constant",
    "N_A": "Avogadro constant",
    "ELECTRON_VOLT": "electron volt",
    "G_STANDARD": "standard acceleration of gravity",
    "ATMOSPHERE": "standard atmosphere",
    "EPSILON_0": "vacuum electric permittivity",
    "MU_0": "vacuum mag. permeability",
    "G_NEWTON": "Newtonian constant of gravitation",
    "M_U": "atomic mass constant",
    "M_ELECTRON": "electron mass",
    "M_PROTON": "proton mass",
}
DERIVED = {
    "H_BAR": "reduced Planck constant",
    "R": "molar gas constant",
    "FARADAY": "Faraday constant",
    "SIGMA_SB": "Stefan-Boltzmann constant",
}
OTHERS = {
    "T_ICE": scipy.constants.zero_Celsius,
    "CALORIE": scipy.constants.calorie,
    "ASTRONOMICAL_UNIT": scipy.constants.au,
    "PARSEC": scipy.constants.parsec,
    "JULIAN_YEAR": scipy.constants.Julian_year,
}
# Nominal solar values, IAU 2015 resolution B3; the mass in kg as Prsa et al., Astron. J. 152, 41 (2016) round it.
NOMINAL = {"SOLAR_LUMINOSITY": (3.828e26, 0.0), "SOLAR_RADIUS": (6.957e8, 0.0), "SOLAR_MASS": (1.9884e30, 5e-5)}


@pytest.mark.parametrize("name", EXACT)
def test_tabulated(name):
    assert getattr(constants, name) == scipy.constants.value(EXACT[name])


@pytest.mark.parametrize("name", DERIVED)
def test_derived_from_exact_ones(name):
    # The table ends after ten digits ("..." in CODATA): one unit of the tenth digit.
    assert getattr(constants, name) == pytest.approx(scipy.constants.value(DERIVED[name]), rel=1e-9)


@pytest.mark.parametrize("name", OTHERS)
def test_conventional(name):
    assert getattr(constants, name) == pytest.approx(OTHERS[name], rel=1e-15)


@pytest.mark.parametrize("name", NOMINAL)
def test_nominal(name):
    value, tolerance = NOMINAL[name]
    assert getattr(constants, name) == pytest.approx(value, rel=tolerance, abs=0.0)


def test_relations_between_them():
    assert constants.F is constants.FARADAY
    # Impedance of free space: two CODATA values with 1.6e-10 each, tied by c.
    product = constants.EPSILON_0 * constants.MU_0 * constants.C_LIGHT**2
    assert product == pytest.approx(1.0, abs=2e-10)
    thermal_voltage = constants.R * 298.15 / constants.FARADAY
    assert thermal_voltage == pytest.approx(constants.K_B * 298.15 / constants.E_CHARGE, rel=1e-15)


def test_no_constant_is_left_untested():
    named = {name for name, value in vars(constants).items() if isinstance(value, float) and name.isupper()}
    assert named == {*EXACT, *DERIVED, *OTHERS, *NOMINAL, "F"}
    assert all(math.isfinite(getattr(constants, name)) for name in named)
