"""The gas sensor: its claims, random membranes against eigenfunctions, temperature, refusals and the figure."""

import numpy as np
import pytest
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.ground.constants import R
from steadyflux.systems.electrode.gas_sensor import GAS, SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def risen(Bg, Be, tau):
    """Share of the steady current after the time tau D / L^2, by eigenfunctions of the slab with two films.

    c = steady - sum a_n X_n exp(-z_n^2 tau), X = cos(z x) + Bg / z sin(z x), (z^2 - Bg Be) sin z = z (Bg + Be) cos z.
    """
    total = 0.0
    for n in range(60):
        low, high = n * np.pi + 1e-9, (n + 1) * np.pi - 1e-9
        z = brentq(lambda z: (z * z - Bg * Be) * np.sin(z) - z * (Bg + Be) * np.cos(z), low, high, xtol=1e-14)
        x, w = np.polynomial.legendre.leggauss(200)
        x, w = 0.5 * (x + 1.0), 0.5 * w
        mode = np.cos(z * x) + Bg / z * np.sin(z * x)
        # The steady profile of a unit gas concentration: 1 - x-wise fall through the three resistances.
        j = 1.0 / (1.0 / Bg + 1.0 + 1.0 / Be)
        steady = 1.0 - j / Bg - j * x
        share = np.sum(w * steady * mode) / np.sum(w * mode * mode)
        total += share * (np.cos(z) + Bg / z * np.sin(z)) * np.exp(-z * z * tau)
    return 1.0 - Be * total / j


def test_random_membranes_agree_with_eigenfunctions():
    rng = np.random.default_rng(8)
    for _ in range(5):
        given = {
            "gas_transfer": 10 ** rng.uniform(-8, -3),
            "solubility": 10 ** rng.uniform(-1, 1),
            "membrane_diffusivity": 10 ** rng.uniform(-11.5, -9),
            "membrane_thickness": 10 ** rng.uniform(-5.3, -3.7),
            "rate_constant": 10 ** rng.uniform(-8, -3),
        }
        D, L = given["membrane_diffusivity"], given["membrane_thickness"]
        Bg = given["gas_transfer"] / given["solubility"] * L / D
        Be = given["rate_constant"] * L / D
        slow = 4.0 / np.pi**2 + 1.0 / (Bg + Be)
        taus = np.array([0.15, 0.4, 1.2]) * slow
        a = SYSTEM.run(**given, times=tuple(taus * L * L / D)).answers
        shares = np.array(a["current_at"]) / float(a["current"])
        np.testing.assert_allclose(shares, [risen(Bg, Be, tau) for tau in taus], rtol=1e-4, err_msg=str(given))
        t90 = brentq(lambda tau, g=Bg, e=Be: risen(g, e, tau) - 0.9, 1e-3 * slow, 20 * slow, xtol=1e-13) * L * L / D
        np.testing.assert_allclose(a["t90"], t90, rtol=1e-5)
        n = np.linspace(0.0, 40.0 * slow, 200_001)[1:]
        assert 0.0 < a["time_lag"] < n[-1] * L * L / D


def test_temperature_acts_through_membrane_and_gas():
    given = {"gas_transfer": 1e6, "rate_constant": 1e9, "reference_temperature": 298.15, "times": (30.0,)}
    cold, warm = (SYSTEM.run(**given, temperature=T).answers for T in (283.15, 308.15))
    expected = np.exp(25e3 / R * (1 / 283.15 - 1 / 308.15)) * 283.15 / 308.15
    np.testing.assert_allclose(float(warm["current"]) / float(cold["current"]), expected, rtol=1e-6)
    np.testing.assert_allclose(
        cold["time_lag"] / warm["time_lag"], np.exp(25e3 / R * (1 / 283.15 - 1 / 308.15)), rtol=1e-5
    )


def test_the_way_there_keeps_its_books():
    history = SYSTEM.run(until=40.0).history
    entry = history.ledger[GAS]
    assert entry.relative < 1e-6
    np.testing.assert_allclose(entry.stored, entry.into - entry.out, rtol=1e-6)


def test_clean_air_gives_no_current_but_a_sensitivity():
    a = SYSTEM.run(ppm=0.0).answers
    assert float(a["current"]) == 0.0 and float(a["sensitivity"]) > 0.0 and "t90" not in a


@pytest.mark.parametrize("given", [{"ppm": -1.0}, {"solubility": 0.0}, {"temperature": "10 K"}, {"times": "a"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


@pytest.mark.parametrize("given", [{}, {"ppm": 0.0}])
def test_the_figure_draws(given):
    axes = SYSTEM.figure(SYSTEM.run(**given)).axes
    assert "um" in axes[0].get_xlabel() and "nA" in axes[1].get_ylabel()
