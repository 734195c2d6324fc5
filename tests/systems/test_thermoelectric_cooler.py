"""The solid-state refrigerator: its claims, order of the mesh, a planted fault in Peltier's heat, bad input."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.heat import thermoelectric_cooler as cooler
from steadyflux.systems.heat.thermoelectric_cooler import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_the_mesh_is_of_second_order(monkeypatch):
    p, exact = SYSTEM.values(), 13.165710075280185 / 254
    errors = []
    for steps in (20, 40, 80):
        monkeypatch.setattr(cooler, "STEPS", steps)
        errors.append(abs(float(sf.steady(cooler.model(p)).flow("T", "cold")) - exact))
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


def test_a_peltier_heat_that_is_not_seebecks_is_caught_by_the_fluxes():
    class Lopsided(sf.Thermoelectric):
        def flux(self, tail, head, edge):
            found = sf.Thermoelectric.flux(self, tail, head, edge)
            return {"T": found["T"] + 1e-4 * self.seebeck(tail.T) * tail.T * found["phi"], "phi": found["phi"]}

    def build(p, cold, hot, current, load):
        law = Lopsided(tuple(p.seebeck), tuple(p.resistivity), tuple(p.conductivity))
        held = [sf.Hold("cold", cold), sf.Hold("hot", hot)]
        space = sf.interval(p.length, cells=21, area=p.area, names=("cold", "hot"))
        return sf.Model(space, [sf.Heat(), sf.Potential()], [law], held)

    p = SYSTEM.values()
    assert cooler.kelvin_defect(p) < 1e-9
    found = cooler.kelvin_defect(p, build)
    # 1e-4 S T L_22 over the root of L_11 L_22 with L_11 = k T^2 + (S T)^2 L_22: 1e-4 sqrt(zT / (1 + zT)).
    T = 285.0
    S, rho, k = (np.polyval(c[::-1], T) for c in (p.seebeck, p.resistivity, p.conductivity))
    merit = S * S * T / (rho * k)
    np.testing.assert_allclose(found, 1e-4 * np.sqrt(merit / (1.0 + merit)), rtol=1e-3)


def test_derivatives_by_parameters_go_through():
    def cooling(length):
        p = SYSTEM.values()
        state = sf.steady(cooler.model(type(p)({**p.items, "length": length})))
        return state.flow("T", "cold")

    step = 1e-7
    slope = (cooling(1.6e-3 + step) - cooling(1.6e-3 - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(cooling)(1.6e-3), slope, rtol=1e-5)


def test_bad_input_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"conductivity falls to .* between cold and hot"):
        SYSTEM.run(conductivity=(1.5, -0.0052))
    with pytest.raises(InputError, match="seebeck needs at least one number"):
        SYSTEM.run(seebeck=())
    with pytest.raises(InputError, match="hot is"):
        SYSTEM.run(hot=-1.0)


def test_without_a_seebeck_coefficient_nothing_is_pumped():
    found = SYSTEM.run(seebeck=(0.0,), current=1.0).answers
    assert "optimum_current" not in found
    assert found["cooling_power"] < 0.0
    assert found["reciprocity_defect"] < 1e-12


def test_the_figure_draws(tmp_path):
    SYSTEM.figure(SYSTEM.run()).savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
