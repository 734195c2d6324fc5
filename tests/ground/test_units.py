"""Units at the door: every way of giving a value, everything that is refused, and quantities on the way out."""

import decimal
import fractions
import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.ground.errors import UnitError
from steadyflux.ground.units import label, quantity, si


@pytest.mark.parametrize(
    ("given_text", "unit", "expected"),
    [
        ("1.96e-9 m^2/s", "m^2/s", 1.96e-9),
        ("100 mM", "mol/m^3", 100.0),
        ("7 nM", "mol/m^3", 7e-6),
        ("50 mV", "V", 0.05),
        ("-50 mV", "V", -0.05),
        ("3um", "m", 3e-6),
        ("3 µm", "m", 3e-6),
        ("3 μm", "m", 3e-6),
        ("7 nm", "m", 7e-9),
        ("1 Å", "m", 1e-10),
        ("50 %", "", 0.5),
        ("12.5%", "1", 0.125),
        ("4 ppm", "", 4e-6),
        ("1e-9", "m", 1e-9),
        ("9.81", "m/s^2", 9.81),
        ("25 degC", "K", 298.15),
        ("25 °C", "K", 298.15),
        ("77 degF", "K", 298.15),
        ("5 delta_degC", "K", 5.0),
        ("2 W/(m degC)", "W/m/K", 2.0),
        ("60 L/min", "m^3/s", 1e-3),
        ("5 /s", "1/s", 5.0),
        ("2 1/min", "1/s", 1.0 / 30.0),
        ("760 mmHg", "Pa", 760 * 133.322387415),
        ("10 cmH2O", "Pa", 980.665),
        ("1 kcal/mol", "J/mol", 4184.0),
        ("1 eV", "J", 1.602176634e-19),
        ("180 deg", "", math.pi),
        ("3 kohm", "Ω", 3000.0),
        ("3 mol m⁻² s⁻¹", "mol/m^2/s", 3.0),
        ("1 V/Hz^(1/2)", "V s^0.5", 1.0),
    ],
)
def test_texts(given_text, unit, expected):
    value = si(given_text, unit, "x")
    assert type(value) is float
    assert value == pytest.approx(expected, rel=4e-16)


@pytest.mark.parametrize("given_value", [3, 3.0, np.float32(3.0), np.int64(3), fractions.Fraction(3), np.array(3.0)])
def test_bare_numbers_are_si(given_value):
    value = si(given_value, "m", "x")
    assert type(value) is float
    assert value == 3.0


@pytest.mark.parametrize(
    "given_value",
    [[2, 5.5], (2, "5.5"), ["2 m", "5500 mm"], np.array([2.0, 5.5]), np.array([2.0, 5.5], np.float32)],
    ids=["list", "tuple", "texts", "array", "array32"],
)
def test_arrays_and_lists_become_arrays_of_doubles(given_value):
    value = si(given_value, "m", "x")
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, [2.0, 5.5])


def test_an_array_of_doubles_is_passed_on_and_not_copied():
    given_array = np.array([[2.0, 3.5]])
    assert si(given_array, "m", "x") is given_array
    on_device = jnp.array([2.0, 3.5])
    assert si(on_device, "m", "x") is on_device
    assert si(jnp.array([2, 3]), "m", "x").dtype == np.float64


@pytest.mark.parametrize("allow_array", [True, False])
def test_derivatives_go_through(allow_array):
    def square(x):
        return si(x, "m", "x", allow_array=allow_array) ** 2

    assert jax.grad(square)(3.5) == 7.0
    assert jax.jit(square)(3.5) == 12.25
    assert jax.grad(lambda x: si(pint.Quantity(x, "mm"), "m", "x"))(3.5) == 1e-3


def test_tracers_of_integers_become_doubles():
    assert jax.jit(lambda x: si(x, "m", "x"))(jnp.array([1, 2])).dtype == np.float64


def test_quantities_of_pint():
    assert si(pint.Quantity(3.0, "um"), "m", "x") == 3e-6
    assert si(pint.Quantity(25, "degC"), "K", "x") == 298.15
    np.testing.assert_array_equal(si(pint.Quantity([1, 2], "mM"), "mol/m^3", "x"), [1.0, 2.0])
    another = pint.UnitRegistry()
    assert si(another.Quantity(2.0, "1/ms"), "1/s", "x") == 2000.0
    with pytest.raises(UnitError, match="array"):
        si(pint.Quantity([1.0, 2.0], "mM"), "mol/m^3", "x", allow_array=False)
    with pytest.raises(UnitError, match="dimension"):
        si(pint.Quantity(1.0, "kg"), "m", "x")


@pytest.mark.parametrize(
    ("given_value", "complaint"),
    [
        ("3 kg", "dimension mass where a quantity of dimension length"),
        ("3 %", "a pure number where"),
        ("3 foo", "unknown unit 'foo'"),
        ("3 micromter", "did you mean micrometer"),
        ("3 parse_units", "unknown unit 'parse_units'"),
        ("3 m^0", "power of zero"),
        ("3 %0A", "power of zero"),
        ("3 %A", "current where"),
        ("3 mdegC", "takes none"),
        ("3 m/dB", "logarithmic unit in a product"),
        ("three", "start with a number"),
        ("", "start with a number"),
        ("3,5 m", "cannot be read"),
        ("nan", "not a finite"),
        ("inf m", "not a finite"),
        ("1e999 m", "too large"),
        ("1e300 Ym", "not a finite"),
        ("9**9**9**9 m", "where a unit"),
        ("1 " + "m" * 300, "longer than 200"),
        ("__import__('os').system('true')", "start with a number"),
        ("1 m; import os", "cannot be read"),
        (float("nan"), "not a finite"),
        (-math.inf, "not a finite"),
        (10**400, "too large"),
        pytest.param(10**5000, "too large", id="too many digits to print"),
        (True, "boolean"),
        (np.True_, "boolean"),
        (None, "None is not a number"),
        (b"3 m", "is not a number"),
        (1j, "is not a number"),
        (decimal.Decimal(3), "is not a number"),
        ({"value": 3}, "the dict is not a number"),
        ([1.0, "2 kg"], r"x\[1\]: '2 kg'"),
        ([1.0, [2.0]], r"x\[1\]: the list"),
        (np.array([1.0, np.nan]), "holds a value that is not finite"),
        (np.array([True]), "holds bool"),
        (np.array([1j]), "holds complex"),
        (np.array(["1 m"]), "holds <U3"),
        (np.array([object()]), "holds object"),
    ],
)
def test_everything_else_is_refused(given_value, complaint):
    with pytest.raises(UnitError, match=complaint) as caught:
        si(given_value, "m", "x")
    assert caught.value.what.startswith("x")
    assert caught.value.expected == "m"
    assert "for example '3 um'" in str(caught.value)


@pytest.mark.parametrize("given_value", [np.array([1.0]), [1.0], (1.0, 2.0)])
def test_an_array_is_refused_where_one_number_is_expected(given_value):
    with pytest.raises(UnitError, match="one number"):
        si(given_value, "m", "x", allow_array=False)


def test_a_unit_that_the_program_misspells_is_its_own_fault():
    with pytest.raises(ValueError, match="metre_per"):
        si("3 m", "metre_per", "x")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_comes_back_from_its_text(number):
    assert si(repr(number), "m", "x") == number
    assert si(f"{number!r} m", "m", "x") == number


@given(st.floats(min_value=1e-6, max_value=1e6), st.sampled_from(["mm", "um", "nm", "km", "inch", "angstrom"]))
def test_there_and_back(number, unit):
    back = quantity(si(f"{number!r} {unit}", "m", "x"), "m").to(unit).magnitude
    assert back == pytest.approx(number, rel=1e-14)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        value = si(text, "m", "x")
    except UnitError as error:
        assert error.given
    else:
        assert math.isfinite(value)


@given(st.integers(-9, 9), st.text(alphabet="mskgKVAdeC()^*/ .-0123456789µ°%BrhT", max_size=30))
def test_any_text_near_a_unit_is_read_or_refused_and_nothing_else(number, unit):
    try:
        value = si(f"{number} {unit}", "K", "x")
    except UnitError as error:
        assert error.given
    else:
        assert math.isfinite(value)


@given(
    st.one_of(
        st.none(), st.booleans(), st.binary(max_size=4), st.complex_numbers(), st.dictionaries(st.text(), st.none())
    )
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(UnitError):
        si(value, "m", "x")


def test_quantities_on_the_way_out():
    assert str(quantity(3e-6, "m", compact=True)) == "3.0 micrometer"
    assert quantity(3e-6, "mol/m^2/s").dimensionality == pint.Quantity(1, "mol/m**2/s").dimensionality
    assert quantity(0.25, "").magnitude == quantity(0.25, "1", compact=True).magnitude == 0.25
    assert quantity(0.0, "m", compact=True).magnitude == 0.0
    assert quantity(2.0, "V") + pint.Quantity(500.0, "mV") == pint.Quantity(2.5, "V")


def test_a_compact_array_takes_the_prefix_of_its_largest_value():
    profile = quantity(np.array([2e-6, 3e-3]), "m", compact=True)
    assert str(profile.units) == "millimeter"
    np.testing.assert_allclose(profile.magnitude, [2e-3, 3.0], rtol=1e-15)


def test_labels_are_at_hand_here_too():
    assert label("mol/m^2/s") == "mol m⁻² s⁻¹"


def test_bare_numbers_and_their_texts_do_not_import_pint():
    program = (
        "import sys; from steadyflux.ground.units import label, si; si('1e-9', 'm', 'x'); si(3, 'm', 'x');"
        "label('m/s');"
        "assert 'pint' not in sys.modules and 'jax' not in sys.modules, 'imported'; si('1 um', 'm', 'x');"
        "assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
