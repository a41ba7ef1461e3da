"""Scratch, copies of a tile, and views: what they give, and arrays that they refuse while compiling."""

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from memsim.kernels import scratch
from memsim.kernels.compiling import compiled

VALUES = np.arange(24.0)


@compiled
def copied(values, first, result):
    part = scratch.stack_line(8)
    scratch.take(part, values, first, -1.0)
    for j in range(part.size):
        part[j] += 0.5
        result[j] = part[j]
    scratch.give(part, values, first)


@pytest.mark.parametrize("first", [0, 3, 16, 20, 23])
def test_a_tile_is_taken_and_given_back_as_far_as_the_array_goes(first):
    values, taken = VALUES.copy(), np.empty(8)
    copied(values, first, taken)
    inside = min(8, 24 - first)
    assert np.array_equal(taken[:inside], VALUES[first : first + inside] + 0.5)
    assert np.all(taken[inside:] == -0.5)  # padding
    expected = VALUES.copy()
    expected[first : first + inside] += 0.5
    assert np.array_equal(values, expected)


@compiled
def summed(values):
    line = scratch.line(values, 2, 3)
    sheet = scratch.sheet(values, 4, 2, 3)
    cube = scratch.cube(values, 1, 2, 3, 2)
    return line[2], sheet[1, 2], cube[1, 2, 1]


def test_views_count_flat_in_c_order():
    assert summed(VALUES) == (4.0, 9.0, 12.0)
    assert summed(VALUES.reshape(4, 6)) == (4.0, 9.0, 12.0)


@compiled
def row_of(values, first, last):
    return scratch.rows(values, first, last)[1, 2]


def test_rows_are_those_between():
    assert row_of(VALUES.reshape(4, 6), 2, 4) == 20.0


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize(
    "values",
    [np.arange(48.0)[::2], np.arange(24), np.asfortranarray(VALUES.reshape(4, 6)), VALUES.astype(np.float32)],
    ids=["strided", "integers", "another order", "single precision"],
)
def test_arrays_that_would_be_misread_are_refused(values):
    with pytest.raises(TypingError, match="must be a contiguous float64 array"):
        copied(values, 0, np.empty(8))
    with pytest.raises(TypingError, match="must be a contiguous float64 array"):
        summed(values)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_a_read_only_array_is_not_written():
    values = VALUES.copy()
    values.flags.writeable = False
    with pytest.raises(TypingError, match="not read-only"):
        copied(values, 0, np.empty(8))
