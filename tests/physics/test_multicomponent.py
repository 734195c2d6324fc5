"""Multicomponent diffusion: friction against its definition, reciprocity, sums, binary and tracer limits, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.reciprocity import check_reciprocity
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.model.mapping import local
from steadyflux.physics.local import Geometry
from steadyflux.physics.multicomponent import check_diffusivity

GASES = ("H2", "N2", "CO2")
BINARY = {("H2", "N2"): "83.3 mm^2/s", ("H2", "CO2"): 6.8e-5, ("CO2", "N2"): 1.68e-5}
D = np.array([[0.0, 8.33e-5, 6.8e-5], [8.33e-5, 0.0, 1.68e-5], [6.8e-5, 1.68e-5, 0.0]])


def _model(law, left, right, cells=2, names=GASES, phase=None, length=0.1):
    return sf.Model(
        sf.interval(length, cells=cells),
        [sf.Species(name) for name in names],
        [law],
        [
            sf.Hold("left", dict(zip(names, left, strict=True))),
            sf.Hold("right", dict(zip(names, right, strict=True))),
        ],
        **({} if phase is None else {"phase": phase}),
    )


def _flows(model):
    found = sf.steady(model)
    return found, np.array([float(found.flow(name, "left")) for name in model.names])


def _friction(c, fluxes, d=D):
    """The forces that fluxes need, straight from Maxwell's and Stefan's equations."""
    n, total = len(c), sum(c)
    return np.array(
        [sum((c[j] * fluxes[i] - c[i] * fluxes[j]) / (total * d[i, j]) for j in range(n) if j != i) for i in range(n)]
    )


def _log_mean(a, b):
    return np.array([x if x == y else (x - y) / np.log(x / y) for x, y in zip(a, b, strict=True)])


def test_friction_balances_the_forces_of_one_edge():
    left, right = np.array([3.0, 20.0, 17.0]), np.array([21.0, 12.5, 6.5])
    _, fluxes = _flows(_model(sf.MaxwellStefan(GASES, BINARY), left, right))
    c = _log_mean(left, right)
    np.testing.assert_allclose(_friction(c, fluxes), (left - right) / 0.1, rtol=1e-12)
    assert abs(fluxes.sum()) < 1e-15 * np.abs(fluxes).sum()


def test_a_permeable_tube_adds_the_flow_of_the_whole():
    left, right = np.array([3.0, 20.0, 17.5]), np.array([21.0, 12.5, 6.5])
    _, alone = _flows(_model(sf.MaxwellStefan(GASES, BINARY), left, right))
    found, both = _flows(_model(sf.MaxwellStefan(GASES, BINARY, permeability=2e-9), left, right))
    speed = 2e-9 * R * float(found["T"][0]) * (left - right).sum() / 0.1
    np.testing.assert_allclose(both - alone, _log_mean(left, right) * speed, rtol=1e-10)


@pytest.mark.parametrize("permeability", [None, 3e-10])
def test_coefficients_are_symmetric_positive_and_those_of_the_flux(permeability):
    law = sf.MaxwellStefan(GASES, BINARY, permeability=permeability)
    model = _model(law, [4.0, 30.0, 6.0], [4.0, 30.0, 6.0])
    found = sf.steady(model)
    here = local(model, jnp.array([4.0, 30.0, 6.0]), {"T": jnp.array(298.15)}, {})
    matrix = np.asarray(law.coefficients(here, Geometry(1.0, 1.0, 0.0)))
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-13)
    assert np.linalg.eigvalsh(matrix)[0] > (-1e-15 if permeability is None else 1e-12) * matrix.max()
    small = 1e-6
    step = np.array([1.0, -3.0, 0.5]) * small
    _, fluxes = _flows(_model(law, np.array([4.0, 30.0, 6.0]) * np.exp(step), [4.0, 30.0, 6.0]))
    np.testing.assert_allclose(fluxes, matrix @ (R * step) / 0.1, rtol=1e-5)
    assert all(finding.passed for finding in check_reciprocity(found))


def test_two_gases_obey_fick():
    law = sf.MaxwellStefan(("A", "B"), {("A", "B"): 2e-5}, permeability=1e-6)
    _, fluxes = _flows(_model(law, [30.0, 10.0], [5.0, 35.0], cells=9, names=("A", "B")))
    np.testing.assert_allclose(fluxes, 2e-5 * np.array([25.0, -25.0]) / 0.1, rtol=1e-9)


def test_traces_diffuse_by_their_own_diffusivity_in_the_bulk():
    law = sf.MaxwellStefan(GASES, BINARY)
    _, fluxes = _flows(_model(law, [1e-7, 2e-7, 40.0], [0.0, 0.0, 40.0 + 3e-7]))
    np.testing.assert_allclose(fluxes[:2], np.array([6.8e-5 * 1e-7, 1.68e-5 * 2e-7]) / 0.1, rtol=1e-6)


def test_what_is_absent_on_both_sides_does_not_move_and_derivatives_stay_finite():
    law = sf.MaxwellStefan(GASES, BINARY)
    _, fluxes = _flows(_model(law, [0.0, 30.0, 10.0], [0.0, 0.0, 40.0]))
    assert abs(fluxes[0]) < 1e-20
    assert fluxes[1] == pytest.approx(1.68e-5 * 30.0 / 0.1, rel=1e-12)


def test_the_derivative_is_that_of_differences():
    law = sf.MaxwellStefan(GASES, D, permeability=1e-9)
    base = np.array([3.0, 20.0, 17.0, 21.0, 12.5, 6.5])

    def flow(x):
        found = sf.steady(_model(law, x[:3], x[3:], cells=5))
        return jnp.stack([found.flow(name, "left") for name in GASES])

    exact = np.asarray(jax.jacfwd(flow)(jnp.asarray(base)))
    for k in range(6):
        step = np.zeros(6)
        step[k] = 1e-4
        slope = (np.asarray(flow(base + step)) - np.asarray(flow(base - step))) / 2e-4
        np.testing.assert_allclose(exact[:, k], slope, rtol=1e-5, atol=1e-9)


def test_diffusivities_may_depend_on_the_state():
    def rule(mean):
        return D * (40.0 / (mean["H2"] + mean["N2"] + mean["CO2"]))

    left, right = [3.0, 20.0, 17.0], [21.0, 12.5, 6.5]
    _, one = _flows(_model(sf.MaxwellStefan(GASES, rule), left, right))
    _, other = _flows(_model(sf.MaxwellStefan(GASES, BINARY), left, right))
    np.testing.assert_allclose(one / other, 40.0 / _log_mean(left, right).sum(), rtol=1e-12)


def test_activities_drive_what_is_not_ideal():
    phase = sf.RegularSolution(200.0, 1.5)
    left, right = np.array([3.0, 20.0, 17.0]), np.array([21.0, 12.5, 6.5])
    model = _model(sf.MaxwellStefan(GASES, BINARY), left, right, phase=phase)
    _, fluxes = _flows(model)
    c = _log_mean(left, right)
    ln_gamma = [float(phase.ln_gamma({"x": jnp.asarray(s)}, {"x": 0.0}, 300.0)["x"]) for s in (left.sum(), right.sum())]
    force = (left - right + c * (ln_gamma[0] - ln_gamma[1])) / 0.1
    np.testing.assert_allclose(_friction(c, fluxes), force - c / c.sum() * force.sum(), rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ({("H2", "N2"): 1.0}, ModelError, "H2 and CO2 is missing"),
        ({**BINARY, ("H2", "Ar"): 1.0}, NameUnknown, "Ar"),
        ({**BINARY, ("N2", "H2"): 1.0}, ModelError, "D_ij and D_ji are one number"),
        (D + np.triu(np.ones((3, 3))), ModelError, "must be symmetric"),
        (np.ones((2, 2)), ModelError, "must be 3 x 3"),
        (D - 2e-5, ModelError, "must be positive"),
    ],
)
def test_bad_diffusivities_are_refused(pairs, error, message):
    with pytest.raises(error, match=message):
        _model(sf.MaxwellStefan(GASES, pairs), [1.0, 2.0, 3.0], [3.0, 2.0, 1.0])


def test_heat_and_single_species_are_refused():
    with pytest.raises(ModelError, match="two or more"):
        sf.MaxwellStefan(("A",), {})
    with pytest.raises(ModelError, match="isothermal"):
        sf.Model(
            sf.interval(1.0, cells=3),
            [sf.Species("A"), sf.Species("B"), sf.Heat()],
            [sf.MaxwellStefan(("A", "B"), {("A", "B"): 1.0}), sf.Fourier(1.0)],
        )


def test_a_gas_that_stands_still_lets_one_vapour_through_as_stefan_says():
    law = sf.MaxwellStefan(("vapour",), {("vapour", "air"): 1.3e-5}, still="air", total=40.0)
    _, fluxes = _flows(_model(law, [38.0], [3.0], cells=4, names=("vapour",)))
    assert fluxes[0] == pytest.approx(40.0 * 1.3e-5 / 0.1 * np.log(37.0 / 2.0), rel=1e-12)


def test_coefficients_beside_a_gas_that_stands_still_are_symmetric_and_balance_friction():
    law = sf.MaxwellStefan(GASES[:2], BINARY, still="CO2", total=40.0)
    left, right = np.array([3.0, 20.0]), np.array([21.0, 12.5])
    found, fluxes = _flows(_model(law, left, right, names=GASES[:2]))
    c = _log_mean(np.append(left, 17.0), np.append(right, 6.5))
    friction = _friction(c, np.append(fluxes, 0.0))[:2] * c.sum() / 40.0
    np.testing.assert_allclose(friction, (left - right) / 0.1, rtol=1e-12)
    here = local(found.model, jnp.array([4.0, 30.0]), {"T": jnp.array(298.15)}, {})
    matrix = np.asarray(law.coefficients(here, Geometry(1.0, 1.0, 0.0)))
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-13)
    assert np.linalg.eigvalsh(matrix)[0] > 0


def test_a_gas_that_stands_still_needs_the_total():
    with pytest.raises(ModelError, match="needs the total"):
        sf.MaxwellStefan(("vapour",), {("vapour", "air"): 1.3e-5}, still="air")


class Quadratic(sf.Phase):
    """mu_i / R T = sum_j G_ij c_j, told whole."""

    factor: jax.Array

    @property
    def whole(self):
        return True

    def excess(self, c, charges, T):
        x = jnp.stack(list(c.values()))
        return 0.5 * x @ self.factor @ x


G = np.array([[0.3, 0.05], [0.05, 0.2]])
MOBILITY = np.array([[2e-9, -4e-10], [-4e-10, 1e-9]])


def test_mobility_times_factor_is_the_diffusivity_where_the_free_energy_is_quadratic():
    d = MOBILITY @ G * R * 298.15
    flows = []
    for law in (sf.Interdiffusion(("a", "b"), MOBILITY), sf.Interdiffusion(("a", "b"), diffusivity=d)):
        found, fluxes = _flows(_model(law, [0.0, 3.0], [2.0, 0.5], 4, ("a", "b"), Quadratic(jnp.asarray(G))))
        np.testing.assert_allclose(fluxes, d @ np.array([-2.0, 2.5]) / 0.1, rtol=1e-9)
        assert np.isfinite(found.entropy.production) and found.entropy.production > 0
        assert all(finding.passed for finding in check_reciprocity(found))
        flows.append(fluxes)
        here = local(found.model, jnp.array([1.0, 2.0]), {"T": jnp.array(298.15)}, {})
        np.testing.assert_allclose(law.coefficients(here, Geometry(1.0, 1.0, 0.0)), 298.15 * MOBILITY, rtol=1e-9)


def test_one_mobility_each_is_ficks_law_in_an_ideal_phase():
    law = sf.Interdiffusion(("a", "b"), np.array([2e-9, 5e-10]) / (R * 298.15))
    _, fluxes = _flows(_model(law, [3.0, 0.0], [1.0, 4.0], 5, ("a", "b")))
    np.testing.assert_allclose(fluxes, [2e-9 * 2.0 / 0.1, -5e-10 * 4.0 / 0.1], rtol=1e-9)


@pytest.mark.parametrize(
    ("d", "message"),
    [
        ([[1.0, 2.0], [-2.0, 1.0]], "complex eigenvalues"),
        ([[1.0, 2.0], [2.0, 1.0]], "not positive"),
        ([[1.0, 1.0], [0.0, 1.0]], "one eigenvector"),
        ([[1.0]], "must be 2 x 2"),
    ],
)
def test_diffusivities_against_the_second_law_are_refused(d, message):
    with pytest.raises(ModelError, match=message):
        _model(sf.Interdiffusion(("a", "b"), diffusivity=d), [1.0, 1.0], [2.0, 2.0], names=("a", "b"))


def test_a_diffusivity_that_contradicts_its_free_energy_is_refused():
    check_diffusivity(MOBILITY @ G, G)
    with pytest.raises(ModelError, match="not symmetric"):
        check_diffusivity(np.array([[1.0, 0.3], [0.0, 0.5]]), np.eye(2))


def test_mobilities_that_destroy_entropy_are_refused():
    with pytest.raises(ModelError, match="not positive"):
        _model(sf.Interdiffusion(("a", "b"), [[1.0, 2.0], [2.0, 1.0]]), [1.0, 1.0], [2.0, 2.0], names=("a", "b"))
    with pytest.raises(ModelError, match="either a mobility or a diffusivity"):
        sf.Interdiffusion(("a", "b"))
