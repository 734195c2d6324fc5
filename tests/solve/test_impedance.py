"""Small-signal response against closed forms: a diffusing and decaying slab, capacitors and resistors, influxes."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError, ModelError, NameUnknown

ANGULAR = 1e-3 * 1.1 ** np.arange(114)  # 1/s
# Sum of sinh(z) / z over these frequencies, z = sqrt(1 + i omega): C u_t - D u_xx + R u = 0 on (0, 1), all one.
WANTED = 59.6337408 + 21.3269037j


def slab(cells, left=1.0):
    return sf.Model(
        sf.interval(1.0, cells),
        [sf.Species("c")],
        [sf.Fick("c", 1.0), sf.Decay({"c": -1}, 1.0)],
        [sf.Hold("left", {"c": left}), sf.Hold("right", {"c": 0.0})],
    )


def through(cells):
    """Sum of the impedances of what comes out at the other end."""
    found = sf.impedance(sf.steady(slab(cells)), "left.c", ("flow", "c", "right"), ANGULAR / (2 * np.pi))
    return -found.impedance.sum()


def test_a_slab_meets_the_closed_form_at_second_order():
    z = np.sqrt(1 + 1j * ANGULAR)
    assert (np.sinh(z) / z).sum() == pytest.approx(WANTED, rel=1e-8)
    off = [through(cells) - WANTED for cells in (21, 41, 81, 161)]
    assert np.log2(np.abs(off[1] / off[2])) == pytest.approx(2.0, abs=0.02)
    assert np.log2(np.abs(off[2] / off[3])) == pytest.approx(2.0, abs=0.005)
    assert abs(off[3] + (off[3] - off[2]) / 3) < 1e-4 * abs(WANTED)


def test_many_cells_are_solved_sparsely_to_the_same_answer():
    found = sf.impedance(sf.steady(slab(401)), "left.c", ("flow", "c", "left"), ANGULAR / (2 * np.pi))
    z = np.sqrt(1 + 1j * ANGULAR)
    np.testing.assert_allclose(found.impedance, np.tanh(z) / z, rtol=5e-5)


def test_the_flow_into_a_held_cell_charges_it():
    """Half a cell at the end is held: what enters must fill it too, or high frequencies would not see it."""
    found = sf.impedance(sf.steady(slab(3)), "left.c", ("flow", "c", "left"), [1e6])
    half = 1j * 2 * np.pi * 1e6 * 0.25
    assert found.transfer[0] == pytest.approx(half + 0.25 + 2.0, rel=1e-6)


def test_slow_oscillation_is_the_derivative_of_the_steady_state():
    class Cube(sf.CellLaw):
        @property
        def makes(self):
            return ("c",)

        def production(self, here, cell):
            return {"c": -3.0 * here["c"] ** 3}

    def flow(left):
        model = sf.Model(
            sf.interval(1.0, 17),
            [sf.Species("c")],
            [sf.Fick("c", 0.6), Cube()],
            [sf.Hold("left", {"c": left}), sf.Hold("right", {"c": 0.2})],
        )
        solution = sf.steady(model)
        return float(solution.flow("c", "right")), solution

    step = 1e-5
    slope = (flow(1.1 + step)[0] - flow(1.1 - step)[0]) / (2 * step)
    found = sf.impedance(flow(1.1)[1], "left.c", ("flow", "c", "right"), 0.0)
    assert found.transfer[0] == pytest.approx(slope, rel=1e-8)
    assert found.transfer[0].imag == 0.0


def leaky_vessel():
    """A vessel of 2 m^3 that leaks through a film and is fed: one resistor beside one capacitor."""
    return sf.Model(
        sf.network({"vessel": 2.0, "room": 50.0}, {"film": [("vessel", "room")]}),
        [sf.Species("c")],
        [sf.Transfer("c", 0.4, on="film")],
        [sf.Influx("vessel", {"c": 3.0}), sf.Hold("room", {"c": 1.0})],
    )


def test_an_influx_sees_a_resistor_beside_a_capacitor():
    found = sf.impedance(sf.steady(leaky_vessel()), "vessel.c", ("value", "c", "vessel"), [0.0, 0.01, 1.0])
    np.testing.assert_allclose(found.impedance, 1.0 / (0.4 + 2j * found.angular), rtol=1e-12)


def test_a_boundary_influx_counts_as_the_whole_flow():
    model = sf.Model(
        sf.interval(1.0, 65, area=0.3),
        [sf.Species("c")],
        [sf.Fick("c", 2.0)],
        [sf.Influx("left", {"c": 1.0}), sf.Hold("right", {"c": 1.0})],
    )
    found = sf.impedance(sf.steady(model), "left.c", lambda view: view.value("c", "left"), [0.0, 0.05])
    z = np.sqrt(1j * found.angular[1] / 2.0)
    assert found.impedance[0] == pytest.approx(1.0 / (0.3 * 2.0), rel=1e-10)
    assert found.impedance[1] == pytest.approx(np.tanh(z) / (0.3 * 2.0 * z), rel=1e-4)


def test_a_floating_potential_is_driven_by_its_current():
    model = sf.Model(
        sf.interval(1.0, 9, area=0.5),
        [sf.Potential(), sf.Heat(capacity=4.0)],
        [sf.Ohm(3.0), sf.Fourier(1.0)],
        [sf.Hold("left", {"phi": 0.0, "T": 300.0}), sf.Float("right", current=0.1)],
    )
    found = sf.impedance(sf.steady(model), "phi at right", lambda view: view["phi at right"], [0.0, 10.0])
    np.testing.assert_allclose(found.impedance, 1.0 / (3.0 * 0.5), rtol=1e-12)


def test_closed_totals_stay_closed():
    """A sealed species beside a driven one: its total does not move, and slow drive is no singular matrix."""
    model = sf.Model(
        sf.interval(1.0, 9),
        [sf.Species("A"), sf.Species("B")],
        [sf.Fick("A", 1.0), sf.Fick("B", 1.0)],
        [sf.Hold("left", {"A": 1.0})],
        start={"B": 2.0},
    )
    solution = sf.steady(model)
    still = sf.impedance(solution, "left.A", lambda view: view.total("B"), [0.0, 1.0])
    np.testing.assert_allclose(still.transfer, 0.0, atol=1e-14)
    moved = sf.impedance(solution, "left.A", lambda view: view.total("A"), [0.0])
    assert moved.transfer[0] == pytest.approx(1.0, rel=1e-12)


def test_wrong_requests_are_refused():
    solution = sf.steady(slab(5))
    with pytest.raises(NameUnknown, match=r"did you mean 'left\.c'"):
        sf.impedance(solution, "left.C", ("flow", "c", "right"), [1.0])
    with pytest.raises(NameUnknown, match="did you mean 'right'"):
        sf.impedance(solution, "left.c", ("flow", "c", "rigth"), [1.0])
    with pytest.raises(NameUnknown, match="there are flow, value"):
        sf.impedance(solution, "left.c", ("flux", "c", "right"), [1.0])
    with pytest.raises(InputError, match="response must be"):
        sf.impedance(solution, "left.c", "right", [1.0])
    with pytest.raises(InputError, match="not negative"):
        sf.impedance(solution, "left.c", ("flow", "c", "right"), [-1.0])
    bar = sf.Model(
        sf.interval(1.0, 9),
        [sf.Heat()],
        [sf.Fourier(1.0)],
        [sf.Hold("left", {"T": 300.0}), sf.Hold("right", {"T": 2.0})],
    )
    with pytest.raises(ModelError, match="no impedance"):
        sf.impedance(sf.steady(bar), "left.T", ("flow", "T", "right"), [1.0])
