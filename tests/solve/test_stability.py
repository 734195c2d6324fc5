"""Growth rates against closed forms: diffusion, closed parts, electroneutral ions, reactions that grow and turn."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError, ModelError, NameUnknown, NotConverged
from steadyflux.solve.chain import decay_rates

FEED = 1.3


class Brusselator(sf.CellLaw):
    """x' = a - (b + 1) x + x^2 y, y' = b x - x^2 y (Prigogine and Lefever 1968), all rates times a speed."""

    b: float = sf.parameter("", "feed of the second")
    speed: float = sf.parameter("", "rate of everything", default=1.0)

    @property
    def makes(self):
        return ("x", "y")

    def production(self, here, cell):
        x, y = here["x"], here["y"]
        return {
            "x": self.speed * (FEED - (self.b + 1.0) * x + x**2 * y),
            "y": self.speed * (self.b * x - x**2 * y),
        }


def slab(cells, *, ends=(1.0, 0.0), decay=0.0, length=2.0, diffusivity=0.7, capacity=None):
    laws = [sf.Fick("c", diffusivity)] + ([sf.Decay({"c": -1}, decay)] if decay else [])
    holds = [sf.Hold(place, {"c": value}) for place, value in zip(("left", "right"), ends, strict=True)]
    return sf.Model(sf.interval(length, cells, area=0.3), [sf.Species("c")], laws, holds)


def lattice_rates(cells, diffusivity, length, numbers):
    """Rates of diffusion between equal nodes: -4 D / h^2 sin^2(k pi h / 2 L)."""
    h = length / (cells - 1)
    return -4.0 * diffusivity / h**2 * np.sin(0.5 * np.pi * np.asarray(numbers) / (cells - 1)) ** 2


@pytest.mark.parametrize("cells", [41, 450])
def test_diffusion_between_held_ends(cells):
    found = sf.spectrum(sf.steady(slab(cells, decay=0.4)), count=5)
    np.testing.assert_allclose(found.rates, lattice_rates(cells, 0.7, 2.0, range(1, 6)) - 0.4, rtol=1e-9)
    assert found.stable and found.time == pytest.approx(-1.0 / found.rates[0].real)
    shape = found.mode("c", 1)
    np.testing.assert_allclose(shape * np.sign(shape[3]), np.sin(2 * np.pi * np.arange(cells) / (cells - 1)), atol=2e-4)


@pytest.mark.parametrize("cells", [30, 420])
def test_a_closed_model_has_no_rate_zero(cells):
    model = sf.Model(sf.interval(2.0, cells), [sf.Species("c")], [sf.Fick("c", 0.7)], start={"c": 2.0})
    found = sf.spectrum(sf.steady(model), count=3)
    np.testing.assert_allclose(found.rates, lattice_rates(cells, 0.7, 2.0, [1, 2, 3]), rtol=1e-8)
    assert abs(found.mode("c")[:-1].sum() + 0.5 * (found.mode("c")[-1] - found.mode("c")[0])) < 1e-6


def test_a_reversible_reaction_in_a_vessel_relaxes_at_the_sum_of_its_rates():
    model = sf.Model(
        sf.network({"vessel": 2.0}, {}),
        [sf.Species("A"), sf.Species("B")],
        [sf.MassAction({"A": -1, "B": 1}, 0.7, 0.2)],
        start={"A": 1.0, "B": 3.0},
    )
    found = sf.spectrum(sf.steady(model))
    assert found.rates.shape == (1,)
    assert found.rates[0] == pytest.approx(-0.9, rel=1e-12)
    assert found.mode("A")[0] == pytest.approx(-found.mode("B")[0])


@pytest.mark.parametrize("cells", [25, 160])
def test_electroneutral_ions_diffuse_together(cells):
    """Rates of the ambipolar diffusivity (Henderson 1907), though the potential that couples them stores nothing."""
    plus, minus, z = 0.9, 2.1, 2
    model = sf.Model(
        sf.interval(1.0, cells),
        [sf.Ion("M2+", plus), sf.Ion("X-", minus), sf.Potential()],
        [sf.NernstPlanck(), sf.Electroneutrality()],
        [sf.Hold(end, {"M2+": 5.0, "X-": 10.0, "phi": 0.0}) for end in ("left", "right")],
    )
    found = sf.spectrum(sf.steady(model), count=4)
    together = (z + 1) * plus * minus / (z * plus + minus)
    np.testing.assert_allclose(found.rates, lattice_rates(cells, together, 1.0, range(1, 5)), rtol=1e-8)


@pytest.mark.parametrize("b", [2.0, 3.5])
def test_the_brusselator_turns_and_loses_its_stability(b):
    model = sf.Model(
        sf.network({"pot": 1e-3}, {}),
        [sf.Species("x"), sf.Species("y")],
        [Brusselator(b)],
        start={"x": FEED, "y": b / FEED},
    )
    found = sf.spectrum(sf.steady(model))
    trace = b - 1.0 - FEED**2
    np.testing.assert_allclose(found.rates.real, [0.5 * trace] * 2, rtol=1e-10)
    np.testing.assert_allclose(np.abs(found.rates.imag), [np.sqrt(FEED**2 - trace**2 / 4)] * 2, rtol=1e-10)
    assert found.stable == (trace < 0)


def test_a_fast_oscillation_that_grows_is_found_behind_slow_decay_in_a_large_model():
    """In a chain of pots far apart, slow exchange is what inverse iteration finds; the growth is 1e4 times faster."""
    n, b, speed, slow = 240, 4.0, 100.0, 0.1
    tail = np.arange(n - 1)
    space = sf.graph(n, (tail, tail + 1), places={"first": [0], "last": [n - 1]})
    model = sf.Model(
        space,
        [sf.Species("x"), sf.Species("y"), sf.Species("tracer")],
        [Brusselator(b, speed), sf.Fick("tracer", slow)],
        [sf.Hold("first", {"tracer": 1.0}), sf.Hold("last", {"tracer": 0.5})],
        start={"x": FEED, "y": b / FEED},
    )
    found = sf.spectrum(sf.steady(model), count=3)
    trace = speed * (b - 1.0 - FEED**2)
    assert not found.stable
    np.testing.assert_allclose(found.rates[:2].real, 0.5 * trace, rtol=1e-6)
    slowest = lattice_rates(n, slow, float(n - 1), [1])
    calm = sf.spectrum(
        sf.steady(
            sf.Model(
                space,
                model.quantities[2:],
                [sf.Fick("tracer", slow)],
                [sf.Hold("first", {"tracer": 1.0}), sf.Hold("last", {"tracer": 0.5})],
            )
        )
    )
    np.testing.assert_allclose(calm.rates[0], slowest[0], rtol=1e-9)


def test_growth_begins_where_production_beats_diffusion():
    class Birth(sf.CellLaw):
        rate: float = sf.parameter("1/s", "rate of birth")

        @property
        def makes(self):
            return ("N",)

        def production(self, here, cell):
            return {"N": self.rate * here["N"]}

    threshold = -lattice_rates(31, 0.5, 1.0, [1])[0]
    for share, stable in ((0.99, True), (1.01, False)):
        model = sf.Model(
            sf.interval(1.0, 31),
            [sf.Population("N")],
            [sf.Conduction("N", 0.5), Birth(share * threshold)],
            [sf.Hold("left", {"N": 0.0}), sf.Hold("right", {"N": 0.0})],
            start={"N": 0.0},
        )
        found = sf.spectrum(sf.steady(model))
        assert found.stable is stable
        assert found.rates[0].real == pytest.approx((share - 1.0) * threshold, rel=1e-9)
        assert ("unstable" in repr(found)) is not stable


def test_a_shared_unknown_with_a_rate_of_its_own_counts():
    """An angular speed that a spring of heat drives: 2 x 2 matrix by hand."""
    model = sf.Model(
        sf.network({"vessel": 2.0, "room": 1.0}, {"wall": [("vessel", "room")]}),
        [sf.Heat(capacity=3.0)],
        [sf.Transfer("T", 0.5, on="wall")],
        [sf.Hold("room", {"T": 300.0}), sf.Influx("vessel", {"T": -0.7 * sf.shared("speed")})],
        shared=[sf.Shared("speed", rate=lambda view: 0.2 * (view.value("T", "vessel") - 310.0) - 0.1 * view["speed"])],
    )
    found = sf.spectrum(sf.steady(model))
    matrix = np.array([[-0.5 / 6.0, -0.7 / 6.0], [0.2, -0.1]])
    wanted = np.linalg.eigvals(matrix)
    np.testing.assert_allclose(np.sort_complex(found.rates), np.sort_complex(wanted), rtol=1e-10)
    assert found.rates[0].imag > 0 and "angular frequency" in repr(found)
    assert found.mode("speed") == pytest.approx(found.mode("T")[0] * (wanted.max() + 0.5 / 6.0) / (-0.7 / 6.0))


def test_a_model_that_stores_nothing_is_refused():
    model = sf.Model(
        sf.interval(1.0, 9),
        [sf.Heat()],
        [sf.Fourier(1.0)],
        [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 290.0})],
    )
    with pytest.raises(ModelError, match="Nothing in this model is stored"):
        sf.spectrum(sf.steady(model))


def test_wrong_requests_are_refused():
    solution = sf.steady(slab(5))
    with pytest.raises(InputError, match="positive whole number"):
        sf.spectrum(solution, count=0)
    with pytest.raises(NameUnknown, match="did you mean 'c'"):
        sf.spectrum(solution).mode("C")
    lost = solution.__class__(solution.model, solution.state, solution.outcome._replace(code=2), solution.pins)
    with pytest.raises(NotConverged):
        sf.spectrum(lost)


@pytest.mark.parametrize("height", [10.0, 60.0, 400.0])
@pytest.mark.parametrize("cells", [300, 700])
def test_drift_however_strong_makes_no_disturbance_grow(height, cells):
    # A closed column so many scale heights high is at equilibrium: every rate is real and negative.
    model = sf.Model(
        sf.interval(height, cells=cells),
        [sf.Species("c")],
        [sf.Advection("c", -1.3, diffusivity=1.3)],
        [],
        start={"c": 0.7},
    )
    solution = sf.steady(model)
    rates = sf.spectrum(solution, 3).rates
    exact = decay_rates(model, solution["c"], 4)[1:]
    np.testing.assert_allclose(rates, -exact, rtol=2e-6)
