"""The planar electrode: its claims, steps over wide ranges, sweeps against the integral equation, and bad input."""

import numpy as np
import pytest
from scipy.special import erfcx

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrode.planar_electrode import SYSTEM, ends, model, solve, thermal


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize(
    ("oxidised", "reduced", "kf", "kb", "times"),
    [
        (3.1e-10, 8.7e-9, 4e-3, 2e-7, (1e-6, 1e-3, 40.0)),
        (2.2e-12, 4.0e-13, 0.0, 6e-6, (0.03, 0.4, 1e5)),
        (9e-10, 1e-9, 3e-8, 0.0, (1e-4, 1.0, 1e3)),
    ],
)
def test_steps_with_rates_over_wide_ranges(oxidised, reduced, kf, kb, times):
    given = {"diffusivity_o": oxidised, "diffusivity_r": reduced, "kf": kf, "kb": kb, "times": times}
    p = SYSTEM.values({**given, "bulk_o": 0.7, "bulk_r": 0.02, "electrons": 3})
    history = solve(p, model(p))
    rate = kf / np.sqrt(oxidised) + kb / np.sqrt(reduced)
    exact = p.area * (kf * 0.7 - kb * 0.02) * erfcx(rate * np.sqrt(times))
    found = [-float(history.at(t).flow("O", "electrode")) for t in times]
    np.testing.assert_allclose(found, exact, rtol=2e-5)
    assert history.ledger["O"].relative < 1e-10


def sweep_peaks(rate, alpha, gamma, start, switch, steps):
    """Both peaks of a cyclic sweep, (potential, current) in R T / n F and n F A c sqrt(D n F v / R T).

    The integral equation of Nicholson and Shain (1964) with a current that is constant in each step; gamma is
    sqrt(D_O / D_R).
    """
    h = (start - switch) / steps
    k = np.arange(2 * steps + 1)
    weight = 2.0 / np.sqrt(np.pi) * np.sqrt(h) * (np.sqrt(k[1:]) - np.sqrt(k[:-1]))
    end = np.where(k[1:] <= steps, start - k[1:] * h, switch + (k[1:] - steps) * h)
    psi = np.zeros(2 * steps)
    for j in range(2 * steps):
        past = psi[:j] @ weight[j:0:-1]
        ahead, back = rate * np.exp(-alpha * end[j]), rate * np.exp((1 - alpha) * end[j]) * gamma
        psi[j] = (ahead - (ahead + back) * past) / (1.0 + (ahead + back) * weight[0])
    found = []
    for leg, sign in ((slice(0, steps), 1.0), (slice(steps, 2 * steps), -1.0)):
        x, y = end[leg] + 0.5 * sign * h, sign * psi[leg]  # a step's mean current belongs to its middle
        top = 3 + np.argmax(y[3:-3])
        near = slice(max(top - round(0.8 / h), 0), top + round(0.8 / h) + 1)
        fit = np.polynomial.Polynomial.fit(x[near], y[near], 6)
        turns = fit.deriv().roots()
        at = turns[np.argmin(np.abs(turns - x[top]))].real
        found += [at, fit(at)]
    return np.array(found)


@pytest.mark.parametrize(
    ("rate", "alpha", "gamma", "speed", "electrons"),
    [(2.9, 0.7, 0.4, 3e-3, 1), (1.6e-3, 0.26, 2.2, 70.0, 2), (110.0, 0.5, 0.8, 1e4, 3)],
)
def test_sweeps_meet_the_integral_equation(rate, alpha, gamma, speed, electrons):
    D, T = 4.3e-10, 288.0
    unit = R * T / (electrons * FARADAY)
    k0 = rate * np.sqrt(D * speed / unit)
    given = {"waveform": "cyclic", "diffusivity_o": D, "diffusivity_r": D / gamma**2, "scan_rate": speed, "k0": k0}
    given |= {"electrons": electrons, "temperature": T, "alpha": alpha, "bulk_o": 0.3}
    result = SYSTEM.run(given)
    p, a = result.parameters, result.answers
    start, switch = (np.array(ends(p)) - p.E0) / unit
    coarse, fine = (sweep_peaks(rate, alpha, gamma, start, switch, n) for n in (1500, 3000))
    forth, forth_i, back, back_i = 2.0 * fine - coarse
    current = electrons * FARADAY * p.area * 0.3 * np.sqrt(D * speed / unit)
    np.testing.assert_allclose(
        [a["peak_current"], -a["reverse_peak_current"]], [forth_i * current, back_i * current], rtol=1e-4
    )
    np.testing.assert_allclose(a["peak_separation"], (back - forth) * unit, rtol=2e-4)
    np.testing.assert_allclose((a["peak_potential"] - p.E0) / unit, forth, atol=2e-3)


def test_an_oxidation_is_the_mirror_image():
    swap = {"diffusivity_o": 6.7e-10, "diffusivity_r": 7.2e-10, "bulk_o": 0.0, "bulk_r": 1.0, "k0": 2e-5}
    one = SYSTEM.run(waveform="cyclic", k0=2e-5, alpha=0.3).answers
    other = SYSTEM.run(waveform="cyclic", alpha=0.7, **swap).answers
    np.testing.assert_allclose(other["peak_current"], -one["peak_current"], rtol=1e-6)
    np.testing.assert_allclose(other["peak_potential"] - 0.36, 0.36 - one["peak_potential"], rtol=1e-5)
    limited = SYSTEM.run(bulk_o=0.0, bulk_r=1.0, diffusivity_o=6.7e-10, diffusivity_r=7.2e-10).answers
    np.testing.assert_allclose(limited["current_at"], -SYSTEM.run().answers["current_at"], rtol=1e-8)


def test_a_potential_is_as_good_as_its_rate_constants():
    p = SYSTEM.values()
    drive = 1.7
    rates = {"kf": 3e-5 * np.exp(0.4 * drive), "kb": 3e-5 * np.exp(-0.6 * drive), "alpha": 0.4}
    stepped = SYSTEM.run(k0=3e-5, alpha=0.4, potential=p.E0 - drive * thermal(p)).answers
    np.testing.assert_allclose(stepped["current_at"], SYSTEM.run(rates).answers["current_at"], rtol=1e-7)


def test_a_reversible_step_holds_nernst_at_the_surface():
    p = SYSTEM.values()
    found = SYSTEM.run(potential=p.E0 + 0.4 * thermal(p))
    ratio = float(found.solution["O"][0] / found.solution["R"][0])
    np.testing.assert_allclose(np.log(ratio), 0.4, atol=1e-5)
    assert found.solution.regime == "transient"


def test_a_sweep_too_short_has_no_peaks():
    p = SYSTEM.values()
    answers = SYSTEM.run(waveform="cyclic", switch_potential=p.E0 + 4.0 * thermal(p)).answers
    assert "peak_current" not in answers
    assert answers["steady"] is False


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bulk_o": 0.0}, "nothing to react"),
        ({"kf": 0.0, "kb": 0.0}, "both zero"),
        ({"kf": 1e-5, "potential": 0.1}, "leave out potential"),
        ({"start_potential": 0.2, "switch_potential": 0.2, "waveform": "linear"}, "must differ"),
        ({"diffusivity_o": -1.0}, "diffusivity_o is"),
        ({"waveform": "square"}, "waveform"),
        ({"times": ()}, "at least one time"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_a_longer_run_than_the_bath_is_wide_is_refused():
    with pytest.raises(InputError, match="wide enough for 20 s"):
        SYSTEM.run(until="30 s")
    assert len(SYSTEM.run(until="1 s").answers["current_at"]) == 2


@pytest.mark.parametrize("given", [{"kf": 2e-5}, {"waveform": "cyclic"}, {"geometry": "layer", "times": (0.1, 2.0)}])
def test_the_figure_draws(given):
    left, right = SYSTEM.figure(SYSTEM.run(given)).axes
    assert ", " in left.get_xlabel() and "concentration" in right.get_ylabel()
