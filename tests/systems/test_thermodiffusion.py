"""Thermodiffusion: its claims, a planted Soret effect without Dufour's, derivatives, bad input, the figure."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems._onsager import defect
from steadyflux.systems.diffusion import thermodiffusion
from steadyflux.systems.diffusion.thermodiffusion import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


class Half(sf.Thermodiffusion):
    """Dufour's heat by half of what Soret's effect asks for."""

    def flux(self, tail, head, edge):
        found = sf.Thermodiffusion.flux(self, tail, head, edge)
        plain = edge.conductor * self.conductivity.mean(tail.T, head.T) * (tail.T - head.T)
        return found | {"T": plain + 0.5 * (found["T"] - plain)}


def test_an_asymmetric_law_is_caught_by_the_computed_flows():
    p = SYSTEM.values({"density": 0.94, "diffusivity": 6.3e-5, "conductivity": 0.075, "soret_coefficient": -1e-3})
    _, L = thermodiffusion.linear_response(p)
    assert defect(L) < 1e-12
    _, wrong = thermodiffusion.linear_response(p, Half)
    np.testing.assert_allclose(wrong[1, 0], 0.5 * L[1, 0], rtol=1e-9)
    np.testing.assert_allclose(defect(wrong), 0.5 * abs(L[1, 0]) / np.sqrt(wrong[0, 0] * wrong[1, 1]), rtol=1e-9)
    assert defect(wrong) > 1e-4


def test_the_separation_is_of_second_order_in_the_mesh_where_the_mean_is_kept(monkeypatch):
    errors, p = [], SYSTEM.values({"soret_coefficient": 0.3, "mean_fraction": 0.3})
    exact = float(SYSTEM.run(soret_coefficient=0.3, mean_fraction=0.3).answers["fraction_at_cold"])
    for steps in (10, 20):
        monkeypatch.setattr(thermodiffusion, "_steps", lambda p, steps=steps: steps)
        state = sf.steady(thermodiffusion.model(p))
        errors.append(abs(float(state["solute"][0]) / float(thermodiffusion.mixture(p).pure) - exact))
    assert np.log2(errors[0] / errors[1]) > 1.9


def test_derivatives_by_parameters_go_through():
    p = SYSTEM.values({"cold_fraction": 0.41, "hot_fraction": 0.38})

    def heat(soret):
        values = type(p)({**p.items, "soret_coefficient": soret})
        return thermodiffusion.answers(values, sf.steady(thermodiffusion.model(values)))["heat_flux"]

    step = 1e-5
    slope = (heat(4.4e-3 + step) - heat(4.4e-3 - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(heat)(4.4e-3), slope, rtol=1e-5)


def test_a_run_in_time_ends_at_rest():
    late = SYSTEM.run(until=4000.0, soret_coefficient=0.02)
    still = SYSTEM.run(soret_coefficient=0.02)
    np.testing.assert_allclose(late.answers["separation"], still.answers["separation"], rtol=1e-5)
    assert late.history.ledger["solute"].relative < 1e-9


def test_bad_input_is_refused_with_the_reason():
    with pytest.raises(InputError, match="both cold_fraction and hot_fraction"):
        SYSTEM.run(hot_fraction=0.3)
    with pytest.raises(InputError, match="mean_fraction is"):
        SYSTEM.run(mean_fraction=1.2)


@pytest.mark.parametrize("case", [{}, {"cold_fraction": 0.3, "hot_fraction": 0.5}])
def test_the_figure_draws(case, tmp_path):
    SYSTEM.figure(SYSTEM.run(case)).savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
