"""Distributions: streams, energies and chemical potentials against big floats, their limits and derivatives."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

import steadyflux as sf
from steadyflux.ground.constants import C_LIGHT, E_CHARGE, H_BAR, H_PLANCK, K_B, M_ELECTRON, M_PROTON, M_U
from steadyflux.ground.errors import ModelError
from steadyflux.physics.distributions import Beam, Drifting, Maxwell, as_distribution, speed_of
from steadyflux.physics.quantum_gas import BoseEinstein, FermiDirac, Juettner

HELIUM = 5.0081858248656e-27
T = 3.0
WAVE = H_PLANCK / np.sqrt(2 * np.pi * HELIUM * K_B * T)  # thermal wavelength


@pytest.mark.parametrize("s", [-9.0, -3.1, -2.0, -0.7, 0.0, 0.4, 2.5, 30.0])
def test_a_drifting_gas_against_quadrature(s):
    mass, T = 39.948 * M_U, 310.0
    width = np.sqrt(2 * K_B * T / mass)
    with mp.workdps(30):
        rest = mp.mpf(s) ** 2 if s < 0 else 0  # taken out, or big floats would call the integral small enough
        power = [
            mp.quad(lambda v, k=k: v**k * mp.exp(rest - (v - s) ** 2), [0, 0.5, 2, max(s, 3), max(s, 3) + 12])
            * mp.exp(-rest)
            / mp.sqrt(mp.pi)
            for k in (1, 2, 3)
        ]
    found = Drifting(mass, s * width).stream(2.3, T)
    expected = 2.3 * np.array([float(power[k - 1]) * width**k for k in (1, 2, 3)])
    np.testing.assert_allclose(found.particles, expected[0], rtol=2e-12)
    np.testing.assert_allclose(found.momentum, mass * expected[1], rtol=2e-12)
    np.testing.assert_allclose(found.energy, 0.5 * mass * expected[2] + K_B * T * expected[0], rtol=2e-12)


def test_a_drifting_gas_that_rests_is_maxwells_and_a_cold_one_is_a_beam():
    rest, still = Drifting(M_PROTON, 0.0).stream(1e6, 2e5), Maxwell(M_PROTON).stream(1e6, 2e5)
    np.testing.assert_allclose(np.array(rest), np.array(still), rtol=1e-14)
    for speed in (4e5, -4e5):
        cold, beam = Drifting(M_PROTON, speed).stream(5e6, 0.0), Beam(M_PROTON, speed).stream(5e6, 0.0)
        np.testing.assert_allclose(np.array(cold), np.array(beam), rtol=1e-5)  # of the order of (v / c)^2
    slope = jax.grad(lambda T: Drifting(M_PROTON, 4e5).stream(5e6, T).particles)(0.0)
    assert slope == 0.0


def test_a_beam_is_relativistic():
    mass, energy = 4.0015 * M_U, 7.687e6 * E_CHARGE
    rest = mass * C_LIGHT**2
    speed = float(speed_of(mass, energy))
    np.testing.assert_allclose(speed, C_LIGHT * np.sqrt(1 - (rest / (rest + energy)) ** 2), rtol=1e-12)
    found = Beam(mass, speed).stream(3.0, 0.0)
    np.testing.assert_allclose(found.energy / found.particles, energy, rtol=1e-13)
    momentum = np.sqrt((energy + rest) ** 2 - rest**2) / C_LIGHT
    np.testing.assert_allclose(found.momentum / found.particles, momentum, rtol=1e-12)


def polylog(order, eta, sign):
    with mp.workdps(25):
        return float(sign * mp.re(mp.polylog(order, sign * mp.exp(mp.mpf(eta)))))


@pytest.mark.parametrize(
    ("gas", "sign", "etas"),
    [
        (FermiDirac(HELIUM), -1, [-30.0, -1.0, 0.01, 2.0, 30.0, 79.0, 200.0]),
        (BoseEinstein(HELIUM), 1, [-30.0, -1.0, -0.01, -1e-8, -1e-12]),
    ],
    ids=["fermi", "bose"],
)
def test_quantum_gases_against_polylogarithms(gas, sign, etas):
    g = gas.states
    for eta in etas:
        n = g / WAVE**3 * polylog(1.5, eta, sign)
        stream = gas.stream(n, T)
        flux = g * HELIUM * (K_B * T) ** 2 / (4 * np.pi**2 * H_BAR**3) * polylog(2, eta, sign)
        energy = 1.5 * K_B * T * polylog(2.5, eta, sign) / polylog(1.5, eta, sign)
        escaping = 2 * K_B * T * polylog(3, eta, sign) / polylog(2, eta, sign)
        np.testing.assert_allclose(gas.chemical_potential(n, T) / (K_B * T), eta, rtol=1e-9, atol=2e-15)
        np.testing.assert_allclose(stream.particles, flux, rtol=1e-13)
        np.testing.assert_allclose(gas.mean_energy(n, T), energy, rtol=1e-13)
        np.testing.assert_allclose(gas.escaping_energy(n, T), escaping, rtol=1e-13)
        np.testing.assert_allclose(2 * stream.momentum, 2 * n * energy / 3, rtol=1e-13)


def test_a_condensed_bose_gas_streams_no_more_than_at_the_critical_density():
    gas = BoseEinstein(HELIUM)
    critical = float(gas.critical_density(T))
    np.testing.assert_allclose(critical, float(mp.zeta(1.5)) / WAVE**3, rtol=1e-13)
    np.testing.assert_allclose(gas.stream(9 * critical, T).particles, gas.stream(critical, T).particles, rtol=1e-14)
    np.testing.assert_allclose(gas.mean_energy(4 * critical, T), 0.25 * gas.mean_energy(critical, T), rtol=1e-14)
    assert np.all(np.array(gas.stream(critical, 0.0)) == 0.0)


@pytest.mark.parametrize("relativistic", [False, True])
def test_a_fermi_gas_at_absolute_zero(relativistic):
    for n in (1e20, 8.49e28, 1e37):  # the densest is that of electrons in a white dwarf
        gas = FermiDirac(M_ELECTRON, 2.0, relativistic)
        p = H_BAR * (3 * np.pi**2 * n) ** (1 / 3)
        rest = M_ELECTRON * C_LIGHT**2

        def speed(q, rest=rest):
            return q * C_LIGHT**2 / np.hypot(rest, q * C_LIGHT) if relativistic else q / M_ELECTRON

        flux = quad(lambda x, p=p: x**2 * speed(x * p), 0, 1, epsrel=1e-13)[0] * p**3 / (4 * np.pi**2 * H_BAR**3)
        np.testing.assert_allclose(gas.stream(n, 0.0).particles, flux, rtol=1e-12)
        with mp.workdps(40):
            whole = mp.sqrt(mp.mpf(rest) ** 2 + (mp.mpf(p) * C_LIGHT) ** 2)
            level = float(whole - rest) if relativistic else p * p / (2 * M_ELECTRON)
        np.testing.assert_allclose(gas.chemical_potential(n, 0.0), level, rtol=1e-13)
        if not relativistic:
            np.testing.assert_allclose(flux, 3 * n * p / M_ELECTRON / 16, rtol=1e-12)
            np.testing.assert_allclose(gas.escaping_energy(n, 0.0), 2 * level / 3, rtol=1e-12)
            np.testing.assert_allclose(gas.mean_energy(n, 0.0), 3 * level / 5, rtol=1e-12)


def test_the_fermi_gas_leaves_absolute_zero_as_sommerfeld_says():
    gas, n = FermiDirac(M_ELECTRON), 8.49e28
    warm = float(gas.fermi_energy(n)) / K_B * 1e-3
    rise = gas.stream(n, warm).particles / gas.stream(n, 0.0).particles - 1
    np.testing.assert_allclose(rise, np.pi**2 / 6 * 1e-6, rtol=1e-5)


def test_a_wire_carries_two_e_squared_over_h():
    """Landauer 1957: the stream from a one-dimensional gas is (2 / h) times its Fermi energy at any dispersion."""
    for relativistic in (False, True):
        gas, n = FermiDirac(M_ELECTRON, 2.0, relativistic, dimensions=1), 1e9
        np.testing.assert_allclose(gas.stream(n, 0.0).particles, 2 / H_PLANCK * gas.fermi_energy(n), rtol=1e-9)
    film = FermiDirac(M_ELECTRON, dimensions=2)
    p = H_BAR * np.sqrt(2 * np.pi * 1e18)
    np.testing.assert_allclose(film.stream(1e18, 0.0).particles, 1e18 * 2 * p / M_ELECTRON / (3 * np.pi), rtol=1e-12)


@pytest.mark.parametrize("z", [1e5, 30.0, 1.0, 0.01])
def test_the_relativistic_gas_against_bessel_functions(z):
    warm = M_ELECTRON * C_LIGHT**2 / (z * K_B)
    gas = Juettner(M_ELECTRON)
    stream = gas.stream(7.0, warm)
    with mp.workdps(25):
        k1, k2 = (mp.besselk(k, z) * mp.exp(z) for k in (1, 2))
        flux = float(7 * mp.mpf(C_LIGHT) * (1 + z) / (2 * mp.mpf(z) ** 2 * k2))
        inside = float(3 + z * (k1 / k2 - 1))
    np.testing.assert_allclose(stream.particles, flux, rtol=1e-12)
    np.testing.assert_allclose(2 * stream.momentum, 7 * K_B * warm, rtol=1e-12)
    np.testing.assert_allclose(gas.mean_energy(7.0, warm) / (K_B * warm), inside, rtol=1e-10)


@pytest.mark.parametrize(
    ("gas", "n", "warm"),
    [
        (FermiDirac(HELIUM), 3e27, 3.0),
        (FermiDirac(HELIUM), 1e24, 3.0),
        (BoseEinstein(HELIUM), 1e26, 3.0),
        (Juettner(M_ELECTRON), 1e26, 1e9),
        (Drifting(HELIUM, -40.0), 1e26, 3.0),
    ],
)
def test_derivatives_against_differences(gas, n, warm):
    @jax.jit
    def streams(x):
        return jnp.stack(gas.stream(n * x[0], warm * x[1]))

    one, h = jnp.ones(2), 1e-4
    slope = np.asarray(jax.jit(jax.jacfwd(streams))(one))
    np.testing.assert_allclose(slope, np.asarray(jax.jit(jax.jacrev(streams))(one)), rtol=1e-11)
    for k in range(2):
        e = h * jnp.eye(2)[k]
        fine = (np.asarray(streams(one + e)) - np.asarray(streams(one - e))) / (2 * h)
        np.testing.assert_allclose(slope[:, k], fine, rtol=1e-6)


def test_the_empty_side_sends_nothing_and_has_a_slope():
    gas = FermiDirac(HELIUM)
    streams = jax.jit(lambda n, T: gas.stream(n, T).particles)
    for T in (0.0, 3.0):
        assert streams(0.0, T) == 0.0
        assert np.isfinite(jax.grad(streams)(0.0, T))
    np.testing.assert_allclose(jax.grad(streams)(0.0, 3.0), np.sqrt(K_B * 3 / (2 * np.pi * HELIUM)), rtol=1e-12)
    fermi = float(gas.fermi_energy(1e28)) / K_B
    assert abs(jax.grad(streams, argnums=1)(1e28, 0.0)) * fermi < 1e-12 * streams(1e28, 0.0)


def test_refusals():
    assert isinstance(as_distribution("39.948 dalton"), Maxwell)
    with pytest.raises(ModelError, match="dimensions"):
        FermiDirac(HELIUM, dimensions=4)
    with pytest.raises(ModelError, match="condense"):
        BoseEinstein(HELIUM, dimensions=2)
    with pytest.raises(sf.UnitError):
        Maxwell("3 K")
