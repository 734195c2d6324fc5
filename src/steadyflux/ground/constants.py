"""Physical constants in SI units, each with its unit, year and source; exact ones are marked so."""

from math import pi
from typing import Final

# Sources:
#   SI 2019      BIPM, The International System of Units, 9th edition (2019): fixed by definition, hence exact.
#   CODATA 2022  Mohr, Newell, Taylor and Tiesinga, Rev. Mod. Phys. 97, 025002 (2025); relative uncertainty in brackets.
#   CGPM 1901    3rd General Conference on Weights and Measures, declaration on the kilogram (standard gravity).
#   IAU 2012/15  International Astronomical Union, resolutions 2012 B2 and 2015 B2, B3.

C_LIGHT: Final = 299_792_458.0  # speed of light in vacuum, m/s, SI 2019, exact
H_PLANCK: Final = 6.626_070_15e-34  # Planck constant, J s, SI 2019, exact
H_BAR: Final = H_PLANCK / (2.0 * pi)  # reduced Planck constant, J s, SI 2019, exact
E_CHARGE: Final = 1.602_176_634e-19  # elementary charge, C, SI 2019, exact
K_B: Final = 1.380_649e-23  # Boltzmann constant, J/K, SI 2019, exact
N_A: Final = 6.022_140_76e23  # Avogadro constant, 1/mol, SI 2019, exact

R: Final = K_B * N_A  # molar gas constant, J/(mol K), SI 2019, exact
FARADAY: Final = E_CHARGE * N_A  # Faraday constant, C/mol, SI 2019, exact
F: Final = FARADAY
SIGMA_SB: Final = (
    2.0 * pi**5 * K_B**4 / (15.0 * H_PLANCK**3 * C_LIGHT**2)
)  # Stefan-Boltzmann, W/(m^2 K^4), SI 2019, exact
ELECTRON_VOLT: Final = E_CHARGE  # electron volt, J, SI 2019, exact

EPSILON_0: Final = 8.854_187_8188e-12  # vacuum permittivity, F/m, CODATA 2022 (1.6e-10)
MU_0: Final = 1.256_637_061_27e-6  # vacuum permeability, N/A^2, CODATA 2022 (1.6e-10)
G_NEWTON: Final = 6.674_30e-11  # Newtonian constant of gravitation, m^3/(kg s^2), CODATA 2022 (2.2e-5)
M_U: Final = 1.660_539_068_92e-27  # atomic mass constant, kg, CODATA 2022 (3.1e-10)
M_ELECTRON: Final = 9.109_383_7139e-31  # electron mass, kg, CODATA 2022 (3.1e-10)
M_PROTON: Final = 1.672_621_925_95e-27  # proton mass, kg, CODATA 2022 (3.1e-10)

G_STANDARD: Final = 9.806_65  # standard acceleration of free fall, m/s^2, CGPM 1901, exact
ATMOSPHERE: Final = 101_325.0  # standard atmosphere, Pa, 10th CGPM 1954, exact
T_ICE: Final = 273.15  # zero of the Celsius scale, K, SI 2019, exact
CALORIE: Final = 4.184  # thermochemical calorie, J, ISO 31-4 (1992), exact

ASTRONOMICAL_UNIT: Final = 149_597_870_700.0  # m, IAU 2012 B2, exact
PARSEC: Final = ASTRONOMICAL_UNIT * 648_000.0 / pi  # m, IAU 2015 B2, exact
SOLAR_LUMINOSITY: Final = 3.828e26  # nominal, W, IAU 2015 B3, exact by convention
SOLAR_RADIUS: Final = 6.957e8  # nominal, m, IAU 2015 B3, exact by convention
SOLAR_MASS: Final = 1.327_124_4e20 / G_NEWTON  # kg, nominal G M (m^3/s^2) of IAU 2015 B3 over G of CODATA 2022 (2.2e-5)
JULIAN_YEAR: Final = 31_557_600.0  # s, IAU style manual (1989), exact
