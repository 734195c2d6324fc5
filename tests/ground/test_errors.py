"""The errors: sentences, parts, exit codes, nearest names, pickling."""

import pickle

import pytest

from steadyflux.ground.errors import (
    AuditFailed,
    InputError,
    ModelError,
    NameUnknown,
    NotConverged,
    SteadyfluxError,
    UnitError,
    nearest,
)

EVERY = [
    (SteadyfluxError("the disk is full"), 1),
    (InputError("no file 'a.toml'", "check the path"), 2),
    (ModelError("phi is held twice", "remove one condition"), 2),
    (UnitError("length", "'3 kg'", "m", "is a mass", "'3 um'"), 2),
    (NameUnknown("ion", "Kplus", ("K+", "Cl-")), 2),
    (NotConverged("no steady state in 50 steps", "start nearer", {"iterations": 50}), 3),
    (AuditFailed("one claim of 3 failed", "see the report", ("claim 2",)), 1),
]


@pytest.mark.parametrize(("error", "code"), EVERY, ids=lambda value: type(value).__name__)
def test_every_error_has_its_code_and_survives_pickling_with_all_its_parts(error, code):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__
    assert str(again) == str(error)
    assert error.exit_code == code
    assert isinstance(error, SteadyfluxError)


def test_a_sentence_joins_problem_and_remedy():
    assert str(InputError("the file is empty")) == "the file is empty"
    assert str(InputError("the file is empty", "write a [space] table")) == "the file is empty; write a [space] table"


def test_input_errors_are_value_errors_and_the_others_are_not():
    assert isinstance(ModelError("x"), ValueError)
    assert not isinstance(NotConverged("x"), ValueError)


def test_a_unit_error_names_value_text_unit_and_example():
    error = UnitError("left.phi", "'3 kg'", "V", "is a mass where a voltage is expected", "'50 mV'")
    assert str(error) == (
        "left.phi: '3 kg' is a mass where a voltage is expected; "
        "give a value in V or a compatible unit, for example '50 mV'"
    )
    assert "without a unit" in str(UnitError("x", "'3 m'", "", "is a length", "0.5"))


def test_a_long_text_is_cut_in_the_sentence_and_kept_in_the_parts():
    error = UnitError("x", "y" * 5000, "m", "is odd", "'1 m'")
    assert len(str(error)) < 250
    assert len(error.given) == 5000
    assert len(str(NameUnknown("ion", "z" * 5000, ["K+"]))) < 250


def test_an_unknown_name_suggests_the_nearest_whatever_the_capitals():
    error = NameUnknown("parameter", "difusivity", ["length", "diffusivity", "radius"])
    assert error.nearest == ("diffusivity",)
    assert str(error) == "no parameter is named 'difusivity'; did you mean 'diffusivity'?"
    assert nearest("PHI", ["phi", "T"]) == ("phi",)
    assert set(nearest("left", ["Left", "LEFT", "right"])) == {"Left", "LEFT"}


def test_an_unknown_name_far_from_all_lists_them():
    assert str(NameUnknown("ion", "Xe", ["K+", "Cl-"])) == "no ion is named 'Xe'; there are K+, Cl-"
    many = [f"quantity-{index}" for index in range(20)]
    assert str(NameUnknown("ion", "Xe", many)).endswith("quantity-11 and 8 more")
    assert str(NameUnknown("ion", "Xe", ())).endswith("there are none here")


def test_known_names_may_come_from_a_generator():
    error = NameUnknown("ion", "Na", (name for name in ("Na+", "Cl-")))
    assert error.known == ("Na+", "Cl-")
    assert pickle.loads(pickle.dumps(error)).known == error.known
