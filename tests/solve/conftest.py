"""Helpers of the solver's tests: a model forced into another lane, and a model with some numbers changed."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import pytest

from steadyflux.model.model import Model


def _in_lane(model: Model, lane: str) -> Model:
    layout = object.__new__(type(model.layout))
    for name in model.layout.__dataclass_fields__:
        object.__setattr__(layout, name, lane if name == "lane" else getattr(model.layout, name))
    return eqx.tree_at(lambda m: m.layout, model, layout)


def _with(model: Model, where: Callable[[Model], Any], value: Any) -> Model:
    return eqx.tree_at(where, model, value)


@pytest.fixture(scope="session")
def in_lane() -> Callable[[Model, str], Model]:
    """The same model, solved by the lane named: dense, chain or sparse."""
    return _in_lane


@pytest.fixture(scope="session")
def changed() -> Callable[[Model, Callable[[Model], Any], Any], Model]:
    """The same model with one leaf changed."""
    return _with


@pytest.fixture(scope="session", autouse=True)
def _one_device() -> None:
    assert len(jax.devices("cpu")) >= 1
