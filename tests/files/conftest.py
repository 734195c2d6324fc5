"""A small model file that runs, for tests to spoil."""

import pytest

GOOD = """\
[model]
name = "slab"
temperature = "25 degC"

[space]
kind = "interval"
length = "1 mm"
cells = 21

[[quantity]]
kind = "species"
name = "c"

[[law]]
kind = "fick"
species = "c"
diffusivity = "1.3e-9 m^2/s"

[[boundary]]
place = "left"
kind = "hold"
values = { c = "2.5 mM" }

[[boundary]]
place = "right"
kind = "hold"
values = { c = 0.7 }

[[answer]]
name = "flow"
kind = "flow"
quantity = "c"
through = "left"
"""


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "slab.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path
