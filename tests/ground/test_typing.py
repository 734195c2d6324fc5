"""The array types hold shapes together at run time."""

import jax.numpy as jnp
import numpy as np
import pytest
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError, jaxtyped

from steadyflux.ground.typing import CellIndices, Cells, CellStates, EdgeIndices, Edges


@jaxtyped(typechecker=beartype)
def take(states: CellStates, volumes: Cells, tail: EdgeIndices, areas: Edges) -> Edges:
    return states[tail, 0] * volumes[tail] * areas


@pytest.mark.parametrize("module", [np, jnp])
def test_matching_shapes_pass_for_both_kinds_of_array(module):
    states, volumes = module.array([[2.0, 3.0], [5.0, 7.0]]), module.array([0.5, 0.25])
    result = take(states, volumes, module.array([1, 0, 1]), module.array([1.5, 2.5, 3.5]))
    np.testing.assert_array_equal(result, [1.875, 2.5, 4.375])


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros((2, 2)), np.zeros(3), np.zeros(3, int), np.zeros(3)),
        (np.zeros((2, 2)), np.zeros(2), np.zeros(3, int), np.zeros(4)),
        (np.zeros(2), np.zeros(2), np.zeros(3, int), np.zeros(3)),
        (np.zeros((2, 2)), np.zeros(2), np.zeros(3), np.zeros(3)),
        (np.zeros((2, 2)), [0.0, 0.0], np.zeros(3, int), np.zeros(3)),
    ],
    ids=["cells", "edges", "rank", "dtype", "list"],
)
def test_mismatches_are_caught(arguments):
    with pytest.raises((TypeCheckError, BeartypeCallHintViolation)):
        take(*arguments)


def test_a_subset_of_cells_has_an_axis_of_its_own():
    @jaxtyped(typechecker=beartype)
    def pick(values: Cells, which: CellIndices) -> float:
        return float(values[which].sum())

    assert pick(np.array([2.0, 3.0, 5.0]), np.array([0, 2])) == 7.0
