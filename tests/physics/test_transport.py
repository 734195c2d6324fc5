"""Conduction, films, flow and membranes: every law and coefficient against its formula on generic edges."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, G_STANDARD, SIGMA_SB, R
from steadyflux.ground.errors import ModelError, UnitError
from steadyflux.physics.law import per_edge_axes, replace
from steadyflux.physics.local import Frame, Geometry, Local

EDGE = Geometry(jnp.asarray(3e-2), jnp.asarray(4e-1), jnp.asarray(0.1))
QUANTITIES = {
    q.name: q
    for q in (
        sf.Ion("K+", 2e-9),
        sf.Ion("Na+", 1e-9),
        sf.Ion("Cl-", 2e-9),
        sf.Species("A", 1e-9),
        sf.Heat(),
        sf.Potential(),
        sf.Volume("p", external="weight"),
        sf.Volume("q"),
        sf.Size("swelling"),
    )
}
BASE = {"K+": 5.0, "Na+": 140.0, "Cl-": 110.0, "A": 3.0, "T": 310.0, "phi": 0.0, "p": 1e5, "q": 2e5, "swelling": 1e-15}


def local(**values) -> Local:
    frame = Frame(QUANTITIES, sf.Ideal(), "T", "phi")
    return Local({n: jnp.asarray(v, dtype=float) for n, v in {**BASE, "weight": 0.0, **values}.items()}, frame)


# ---- conduction and its coefficients -----------------------------------------------------------------------------

COEFFICIENTS = {
    "exponential": sf.Exponential(2.0, -0.7, 3.0),
    "polynomial": sf.Polynomial((1.0, 0.2, 0.05), at=1.5),
    "power": sf.Power(1.3, 1.7, 4.0),
    "inverse root": sf.Power(1.3, -0.5),
    "limited": sf.Limited(0.8, 20.0),
    "table": sf.Table((0.0, 2.0, 5.0, 11.0), (1.0, 3.0, 2.5, 7.0)),
}


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize(("a", "b"), [(2.1, 4.9), (4.9, 2.1), (3.0, 3.0 + 1e-9), (3.3, 3.3), (0.3, 1.9)])
def test_the_mean_of_a_coefficient_is_its_integral_between_the_states(name, a, b):
    f = COEFFICIENTS[name]
    kinks = [x for x in (2.0, 5.0) if min(a, b) < x < max(a, b)]
    exact = quad(lambda x: float(f(jnp.asarray(x))), a, b, epsabs=0, epsrel=1e-12, points=kinks or None)[0]
    exact = exact / (b - a) if abs(b - a) > 1e-6 else float(f(jnp.asarray(a)))
    rtol = 1e-12 if not (name == "table" and kinks) else 3e-2  # a kink inside an edge is no polynomial
    np.testing.assert_allclose(
        f.mean(jnp.asarray(a), jnp.asarray(b)), exact, rtol=max(rtol, 1e-9 * (abs(b - a) < 1e-6))
    )


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_the_mean_has_the_right_slopes(name):
    f, h = COEFFICIENTS[name], 1e-5
    for a, b in ((2.2, 4.4), (3.1, 3.1)):
        slopes = jax.grad(lambda x, y: f.mean(x, y), argnums=(0, 1))(a, b)
        exact = [
            (float(f.mean(a + h, b)) - float(f.mean(a - h, b))) / (2 * h),
            (float(f.mean(a, b + h)) - float(f.mean(a, b - h))) / (2 * h),
        ]
        np.testing.assert_allclose(slopes, exact, rtol=1e-6, atol=1e-9)


def test_means_at_a_degenerate_end_keep_their_closed_limits():
    np.testing.assert_allclose(sf.Power(2.0, 1.0).mean(jnp.asarray(0.0), jnp.asarray(4.0)), 4.0, rtol=1e-12)
    np.testing.assert_allclose(sf.Power(2.0, -0.5).mean(jnp.asarray(0.0), jnp.asarray(4.0)), 2.0, rtol=1e-12)
    np.testing.assert_allclose(sf.Power(2.0, 3.0)(jnp.asarray(-1.0)), 0.0)
    far = sf.Exponential(1.0, 30.0).mean(jnp.asarray(0.0), jnp.asarray(2.0))
    np.testing.assert_allclose(far, np.exp(60.0) / 60.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("law", "state", "value"),
    [
        (sf.Fick("A", "3e-9 m^2/s"), "A", 3e-9),
        (sf.Fourier("0.6 W/(m*K)"), "T", 0.6),
        (sf.Ohm("2 S/m"), "phi", 2.0),
        (sf.Darcy(4e-12, quantity="q"), "q", 4e-12),
    ],
)
def test_four_names_of_conduction(law, state, value):
    tail, head = local(**{state: 9.0}), local(**{state: 2.0})
    assert law.moves == (state,)
    np.testing.assert_allclose(law.flux(tail, head, EDGE)[state], value * 7.0 * 0.075, rtol=1e-13)


def test_darcy_falls_down_pressure_plus_weight():
    flux = sf.Darcy(2.0).flux(local(p=3.0, weight=1.0), local(p=1.0, weight=2.5), EDGE)["p"]
    np.testing.assert_allclose(flux, 2.0 * 0.5 * 0.075, rtol=1e-13)


def test_a_coefficient_may_vary_by_edge_or_with_the_position():
    positions = np.array([0.1, 0.2, 0.3])
    bound = sf.Fick("A", lambda x: 1e-9 * (1 + x)).bound(QUANTITIES, positions)
    np.testing.assert_allclose(bound.coefficient, [1.1e-9, 1.2e-9, 1.3e-9])
    assert per_edge_axes(bound).coefficient == 0
    assert per_edge_axes(sf.Fick("A", 1e-9).bound(QUANTITIES, positions)).coefficient is None
    by_edge = per_edge_axes(sf.Fick("A", sf.Exponential(np.array([1.0, 2.0, 3.0]), 0.5)))
    assert (by_edge.function.value, by_edge.function.rate) == (0, None)
    table = per_edge_axes(sf.Fick("A", COEFFICIENTS["table"]))
    assert set(jax.tree.leaves(table.function, is_leaf=lambda x: x is None)) == {None}
    with pytest.raises(ModelError, match="give one number or 3"):
        sf.Fick("A", np.array([1.0, 2.0])).bound(QUANTITIES, positions)
    with pytest.raises(UnitError, match="diffusivity of A"):
        sf.Fick("A", "3 m/s")
    assert replace(bound) is bound


# ---- films, streams and links ------------------------------------------------------------------------------------


def test_a_film_and_radiation():
    hot, cold = local(T=400.0), local(T=300.0)
    np.testing.assert_allclose(sf.Transfer("T", 12.0).flux(hot, cold, EDGE)["T"], 12.0 * 0.03 * 100.0)
    exact = 0.8 * SIGMA_SB * 0.03 * (400.0**4 - 300.0**4)
    np.testing.assert_allclose(sf.Radiation(0.8).flux(hot, cold, EDGE)["T"], exact, rtol=1e-13)


@given(st.floats(1e4, 5e6), st.floats(0.6, 8.0), st.floats(-2e7, 1e6), st.floats(-2e7, 1e6))
@settings(max_examples=60)
def test_the_mean_conductance_of_a_xylem_is_the_integral_of_its_curve(scale, shape, a, b):
    curve = sf.Weibull(scale, shape)

    def share(x):
        return np.exp(-((-x / scale) ** shape)) if x < 0 else 1.0

    found = float(curve.mean(jnp.asarray(a), jnp.asarray(b)))
    if abs(a - b) < 1e-9 * scale:
        exact = share(a)
    else:
        cuts = [*(-scale * f for f in (40.0, 10.0, 4.0, 2.0, 1.5, 1.0, 0.5, 0.1)), 0.0]
        low, high = min(a, b), max(a, b)
        pieces = [low, *[c for c in cuts if low < c < high], high]
        exact = sum(quad(share, x, y, epsabs=0, epsrel=1e-11)[0] for x, y in pairwise(pieces))
        exact /= high - low
    np.testing.assert_allclose(found, exact, rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize(("a", "b"), [(0.0, -1.0), (5.0, -3.0), (-2e3, -2.01e3), (-2e3, -2.03e3), (-9e3, -9e3 - 1e-6)])
def test_the_mean_is_exact_beside_the_branch_point_and_for_close_neighbours(a, b):
    with mp.workdps(40):
        p, ends = mp.mpf(4) / 3, [mp.mpf(max(-x, 0.0)) / 10000 for x in (a, b)]
        area = [p * mp.gammainc(p, 0, t ** mp.mpf("0.75")) for t in ends]
        exact = float((area[1] - area[0] + max(a, 0.0) / 1e4) / ((mp.mpf(a) - mp.mpf(b)) / 10000))
    np.testing.assert_allclose(sf.Weibull(1e4, 0.75).mean(jnp.asarray(a), jnp.asarray(b)), exact, rtol=1e-11)


def test_a_hydraulic_link_loses_conductance_and_feels_weight():
    link = sf.HydraulicConductance("p", 3e-10, sf.Weibull(2e6, 3.0))
    flow = link.flux(local(p=-1e6, weight=5e4), local(p=-2e6, weight=2e5), EDGE)["p"]
    share = quad(lambda x: np.exp(-((-x / 2e6) ** 3.0)), -2e6, -1e6)[0] / 1e6
    np.testing.assert_allclose(flow, 3e-10 * share * (1e6 - 1.5e5), rtol=1e-10)
    np.testing.assert_allclose(sf.HydraulicConductance("q", 2.0).flux(local(q=3.0), local(q=1.0), EDGE)["q"], 4.0)


def test_an_orifice_follows_torricelli_and_is_smooth_at_rest():
    hole = sf.Orifice(2e-4, 0.6, 1000.0, "q", 1e-3)
    for drop in (2e4, -2e4):
        flow = hole.flux(local(q=1e5 + drop), local(q=1e5), EDGE)["q"]
        np.testing.assert_allclose(flow, np.sign(drop) * 0.6 * 2e-4 * np.sqrt(2 * 2e4 / 1000.0), rtol=1e-12)
    slope = jax.grad(lambda p: hole.flux(local(q=p), local(q=0.0), EDGE)["q"])(0.0)
    np.testing.assert_allclose(slope, 0.6 * 2e-4 * np.sqrt(2 / 1000.0) / np.sqrt(1e-3), rtol=1e-12)


def test_a_weir_flows_only_above_its_crest():
    weir = sf.Weir(crest=0.3, width=2.0, density=1000.0, quantity="q")
    flow = weir.flux(local(q=1000.0 * G_STANDARD * 0.55), local(q=0.0), EDGE)["q"]
    np.testing.assert_allclose(flow, 1.84 * 2.0 * 0.25**1.5, rtol=1e-12)
    assert float(weir.flux(local(q=1000.0 * G_STANDARD * 0.29), local(q=1e9), EDGE)["q"]) == 0.0


@pytest.mark.parametrize("velocity", [2e-3, -2e-3])
def test_advection_is_exact_for_a_stream_and_upwind_without_diffusion(velocity):
    a, b, w = 3.0, 2.0, velocity * 0.4 / 1e-4
    tail, head = local(A=a + b), local(A=a + b * np.exp(w))  # c = a + b exp(v x / D) carries v a
    flux = sf.Advection("A", velocity, 1e-4).flux(tail, head, EDGE)["A"]
    np.testing.assert_allclose(flux, velocity * a * 0.03, rtol=1e-10)
    upwind = sf.Advection("A", velocity, capacity=2.0).flux(local(A=5.0), local(A=7.0), EDGE)["A"]
    np.testing.assert_allclose(upwind, 2.0 * velocity * 0.03 * (5.0 if velocity > 0 else 7.0), rtol=1e-13)


# ---- membranes ---------------------------------------------------------------------------------------------------

INSIDE = {"K+": 140.0, "Na+": 12.0, "Cl-": 7.0, "phi": -0.07}


def nernst(z, outside, inside):
    return R * 310.0 / (z * FARADAY) * np.log(outside / inside)


@pytest.mark.parametrize(("ion", "z"), [("K+", 1), ("Na+", 1), ("Cl-", -1)])
def test_channels_carry_nothing_at_the_nernst_potential(ion, z):
    rest = nernst(z, BASE[ion], INSIDE[ion])
    for law in (sf.LinearChannel(ion, "2 S/m^2"), sf.GoldmanChannel(ion, 1e-8)):
        at_rest = float(law.flux(local(**{**INSIDE, "phi": rest}), local(), EDGE)[ion])
        above = float(law.flux(local(**{**INSIDE, "phi": rest + 1e-3}), local(), EDGE)[ion])
        assert abs(at_rest) < 1e-12 * abs(above)


def test_a_linear_channel_is_ohms_law():
    flux = sf.LinearChannel("K+", 2.0).flux(local(**INSIDE), local(), EDGE)["K+"]
    np.testing.assert_allclose(flux * FARADAY, 2.0 * 0.03 * (-0.07 - nernst(1, 5.0, 140.0)), rtol=1e-11)


def test_a_goldman_channel_is_the_constant_field_equation_and_obeys_ussing():
    forward, reverse = sf.GoldmanChannel("K+", 1e-8).one_way(local(**INSIDE), local(), EDGE)["K+"]
    u = FARADAY * -0.07 / (R * 310.0)
    exact = 1e-8 * 0.03 * u * (140.0 - 5.0 * np.exp(-u)) / (1 - np.exp(-u))
    np.testing.assert_allclose(forward - reverse, exact, rtol=1e-12)
    np.testing.assert_allclose(forward / reverse, 140.0 / 5.0 * np.exp(u), rtol=1e-12)


def test_a_neutral_channel_needs_no_potential():
    assert sf.GoldmanChannel("A", 1e-8).bound(QUANTITIES, np.zeros(1)).sees == ()
    assert sf.GoldmanChannel("K+", 1e-8).bound(QUANTITIES, np.zeros(1)).sees == ("phi",)


def test_a_cotransporter_rests_where_its_sum_of_forces_vanishes():
    law = sf.Cotransport({"K+": 1, "Cl-": 1}, 1e-7)
    balanced = {"K+": 110.0, "Cl-": 5.0, "phi": -0.09}  # 110 * 5 = 5 * 110, whatever the voltage
    assert all(abs(float(j)) < 1e-20 for j in law.flux(local(**balanced), local(), EDGE).values())
    flux = law.flux(local(**INSIDE), local(), EDGE)
    np.testing.assert_allclose(flux["K+"], 1e-7 * 0.03 * np.log(140.0 * 7.0 / (5.0 * 110.0)), rtol=1e-11)
    np.testing.assert_allclose(flux["K+"], flux["Cl-"])


def test_a_pump_saturates_keeps_its_proportion_and_books_its_supply():
    pump = sf.Pump({"Na+": 3, "K+": -2}, 1e-7, "50 kJ/mol", saturation={"Na+": "10 mM", "K+": 1.5})
    tail, head = local(**INSIDE), local()
    rate = 1e-7 * 0.03 * (12.0 / 22.0) ** 3 * (5.0 / 6.5) ** 2
    flux = pump.flux(tail, head, EDGE)
    np.testing.assert_allclose([flux["Na+"], flux["K+"]], [3 * rate, -2 * rate], rtol=1e-13)
    np.testing.assert_allclose(pump.supply(tail, head, EDGE), 5e4 * rate, rtol=1e-13)


def test_a_membranes_capacitance_binds_charge():
    law = sf.MembraneCapacitance("1 uF/cm^2")
    np.testing.assert_allclose(law.flux(local(phi=-0.07), local(), EDGE)["phi"], 0.01 * 0.03 * -0.07, rtol=1e-12)
    assert (law.flux_unit["phi"], law.dissipative) == ("C", False)


def test_water_follows_all_solutes_towards_the_more_concentrated_side():
    law = sf.WaterFlow("swelling", 1e-13, extra_head=20.0).bound(QUANTITIES, np.zeros(2))
    assert set(law.solutes) == {"K+", "Na+", "Cl-", "A"}
    rise = (5.0 + 140.0 + 110.0 + 3.0) - (140.0 + 12.0 + 7.0 + 3.0) + 20.0
    flux = law.flux(local(**INSIDE), local(), EDGE)["swelling"]
    np.testing.assert_allclose(flux, 1e-13 * 0.03 * R * 310.0 * rise, rtol=1e-12)


def test_filtration_stops_at_the_osmotic_pressure():
    law = sf.Filtration("q", 2e-12, species="A", reflection=0.9)
    osmotic = 0.9 * R * 310.0 * (50.0 - 3.0)
    assert abs(float(law.flux(local(q=2e5 + osmotic, A=50.0), local(), EDGE)["q"])) < 1e-20
    plain = sf.Filtration("q", 2e-12).flux(local(q=2.5e5, A=50.0), local(), EDGE)["q"]
    np.testing.assert_allclose(plain, 2e-12 * 0.03 * 5e4, rtol=1e-12)


def test_fick_splits_into_what_each_end_sends_where_particles_are_free():
    tail, head = local(A=3.0), local(A=1.25)
    law = sf.Fick("A", 2.5)
    forward, reverse = law.one_way(tail, head, EDGE)["A"]
    strength = 2.5 * 3e-2 / 4e-1
    assert (float(forward), float(reverse)) == pytest.approx((strength * 3.0, strength * 1.25))
    assert float(forward - reverse) == pytest.approx(float(law.flux(tail, head, EDGE)["A"]))
    forward, reverse = sf.Transfer("A", 2.5).bound(QUANTITIES, np.zeros(1)).one_way(tail, head, EDGE)["A"]
    assert (float(forward), float(reverse)) == pytest.approx((2.5 * 3e-2 * 3.0, 2.5 * 3e-2 * 1.25))
    # Heat, volume and charge come in no particles; forces and coefficients of the state leave no one way to split.
    for other in (
        sf.Fourier(1.0),
        sf.Darcy(1.0, quantity="q"),
        sf.Fick("K+", 1.0),
        sf.Fick("A", sf.Power(1.0, 0.5)),
        sf.Transfer("T", 1.0).bound(QUANTITIES, np.zeros(1)),
    ):
        assert other.one_way(tail, head, EDGE) is None
