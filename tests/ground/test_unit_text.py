"""The grammar of unit texts: what is read, what is refused, what figures show."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.ground.unit_text import Factor, UnitTextError, expression, label, read_factors, split_number

MOLAR_FLUX = (Factor("mol", Fraction(1)), Factor("m", Fraction(-2)), Factor("s", Fraction(-1)))


@pytest.mark.parametrize(
    "text",
    [
        "mol/m^2/s",
        "mol/m2/s",
        "mol/(m^2 s)",
        "mol/(m^2*s)",
        "mol m^-2 s^-1",
        "mol m-2 s-1",
        "mol m⁻² s⁻¹",
        "mol·m⁻²·s⁻¹",
        "mol*m**-2*s**-1",
        "mol m^(-2) / s",
        " mol /m² / s ",
        "mol m−2 s−1",
        "mol/(m (m s))",
    ],
)
def test_every_way_of_writing_a_molar_flux_is_read_alike(text):
    powers: dict[str, Fraction] = {}
    for name, power in read_factors(text):
        powers[name] = powers.get(name, Fraction(0)) + power
    assert powers == dict(MOLAR_FLUX)


@pytest.mark.parametrize("text", ["", "1", " "])
def test_a_pure_number_has_no_factors(text):
    assert read_factors(text) == ()
    assert expression(text) == label(text) == ""


@pytest.mark.parametrize(
    ("text", "power"), [("m^0.5", "1/2"), ("m^(3/2)", "3/2"), ("m^-12", "-12"), ("(m^2)^3", "6"), ("1/m", "-1")]
)
def test_powers(text, power):
    assert read_factors(text) == (Factor("m", Fraction(power)),)


def test_digits_inside_a_name_belong_to_it():
    assert read_factors("cmH2O/s") == (Factor("cmH2O", Fraction(1)), Factor("s", Fraction(-1)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("J/mol K", "ambiguous"),
        ("J/(mol K", "not closed"),
        ("J)", "opens"),
        ("J/", "ends where"),
        ("m^99", "power above 12"),
        ("m0", "power of zero"),
        ("m^123456789", "power above 12"),
        ("m^(1/0)", "divided by zero"),
        ("m^2^2", "cannot be read|where a unit"),
        ("9**9**9**9 m", "where a unit"),
        ("((((((m))))))", "nested"),
        ("m" * 201, "longer than 200"),
        (" ".join(["m"] * 25), "24 factors"),
        ("import os; os", "cannot be read"),
        ("m.__class__", "cannot be read"),
        ("'m'", "cannot be read"),
        ("2 m", "where a unit"),
    ],
)
def test_what_is_no_unit_is_refused_with_the_reason(text, complaint):
    with pytest.raises(UnitTextError, match=complaint):
        read_factors(text)


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("mol/m^2/s", "mol m⁻² s⁻¹"),
        ("W/(m^2 K)", "W m⁻² K⁻¹"),
        ("um", "µm"),
        ("umol/s", "µmol s⁻¹"),
        ("unit", "unit"),
        ("degC", "°C"),
        ("ohm m", "Ω m"),
        ("V s^0.5", "V s^0.5"),
        ("m^(1/3)", "m^(1/3)"),
        ("%", "%"),
        ("m^-10", "m⁻¹⁰"),
    ],
)
def test_labels(unit, shown):
    assert label(unit) == shown


@pytest.mark.parametrize("unit", ["mol/m^2/s", "W/(m^2 K)", "kg m^2/s^3", "V s^0.5", "m^(1/3)", "1/s"])
def test_an_expression_is_read_back_as_the_same_unit(unit):
    assert read_factors(expression(unit)) == read_factors(unit)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("1.96e-9 m^2/s", 1.96e-9, "m^2/s"),
        ("3um", 3.0, "um"),
        ("-50 mV", -50.0, "mV"),
        ("−50 mV", -50.0, "mV"),
        ("1e-9", 1e-9, ""),
        (".5 eV", 0.5, "eV"),
        ("1eV", 1.0, "eV"),
        ("5 1/s", 5.0, "1/s"),
        ("5/s", 5.0, "/s"),
        (" 2. ", 2.0, ""),
    ],
)
def test_a_number_is_split_from_its_unit(text, number, unit):
    assert split_number(text) == (number, unit)


@pytest.mark.parametrize("text", ["", "m", "nan", "-inf m", "Infinity", "--3", "e5", "1" * 201, "π"])
def test_what_starts_with_no_number_is_refused(text):
    with pytest.raises(UnitTextError):
        split_number(text)


@given(st.text(alphabet="mskg()^*/ .-+0123456789µ⁻²%°_e", max_size=60))
def test_a_text_near_the_grammar_is_read_or_refused_and_nothing_else(text):
    try:
        factors = read_factors(text)
    except UnitTextError:
        return
    assert read_factors(expression(text)) == factors
