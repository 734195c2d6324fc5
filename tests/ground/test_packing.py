"""Small arrays put together come out as they went in, and a program run as one function gives the same numbers."""

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.packing import LARGEST, as_one, pack, unpack


def test_arrays_of_all_kinds_come_out_as_they_went_in():
    rng = np.random.default_rng(3)
    given = [
        rng.normal(size=(4, 3)),
        np.arange(7),
        2.5,
        rng.normal(size=LARGEST + 1),
        rng.uniform(size=5) > 0.5,
        np.zeros((0, 2)),
        jnp.asarray(rng.normal(size=(2, 2, 2))),
    ]
    packing, held = pack(given)
    assert not packing.small
    assert len(held) == 4  # floats, integers, booleans, and the large one
    found = jax.jit(lambda held: unpack(packing, held))(held)
    for one, other in zip(given, found, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        assert np.asarray(one).dtype == np.asarray(other).dtype


def test_small_arrays_alone_are_one_for_each_kind():
    packing, held = pack([np.ones(3), np.arange(2.0), 1.0])
    assert packing.small
    assert [h.shape for h in held] == [(6,)]


def test_one_function_gives_the_numbers_of_the_program():
    rng = np.random.default_rng(4)
    a, x = rng.normal(size=(6, 6)), rng.normal(size=6)

    def program(a, x):
        return jnp.sin(a @ x) / (1.0 + x**2)

    once = np.int64(1)
    found = jax.jit(lambda once, *args: as_one(program, once, *args))(once, a, x)
    np.testing.assert_allclose(np.asarray(found), np.sin(a @ x) / (1.0 + x**2), rtol=1e-14)
