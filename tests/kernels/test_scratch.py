"""Scratch, copies of a tile, and views: what they give, and arrays that they refuse while compiling."""

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from memsim.kernels import scratch
from memsim.kernels.compiling import compiled

VALUES = np.arange(24.0)


@compiled
def copied(values, first, row, count):
    part = scratch.stack_line(8)
    scratch.load(part, values, first, 8)
    for j in range(part.size):
        part[j] += 0.5
    scratch.store(part, values, first, 8)
    scratch.show(values, first, row, 1, count)


@pytest.mark.parametrize(("first", "count"), [(0, 8), (3, 1), (16, 5), (16, 0)])
def test_a_tile_is_loaded_and_stored_and_a_part_of_it_is_shown(first, count):
    values, row = VALUES.copy(), np.full(10, -1.0)
    copied(values, first, row, count)
    expected = VALUES.copy()
    expected[first : first + 8] += 0.5
    assert np.array_equal(values, expected)
    assert np.array_equal(row[1 : 1 + count], expected[first : first + count])
    assert row[0] == -1.0
    assert np.all(row[1 + count :] == -1.0)


@compiled
def summed(values):
    line = scratch.line(values, 2, 3)
    sheet = scratch.sheet(values, 4, 2, 3)
    cube = scratch.cube(values, 1, 2, 3, 2)
    return line[2], sheet[1, 2], cube[1, 2, 1]


def test_views_count_flat_in_c_order():
    assert summed(VALUES) == (4.0, 9.0, 12.0)
    assert summed(VALUES.reshape(4, 6)) == (4.0, 9.0, 12.0)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize(
    "values",
    [np.arange(48.0)[::2], np.arange(24), np.asfortranarray(VALUES.reshape(4, 6)), VALUES.astype(np.float32)],
    ids=["strided", "integers", "another order", "single precision"],
)
def test_arrays_that_would_be_misread_are_refused(values):
    with pytest.raises(TypingError, match="must be a contiguous float64 array"):
        copied(values, 0, np.empty(10), 8)
    with pytest.raises(TypingError, match="must be a contiguous float64 array"):
        summed(values)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_a_read_only_array_is_not_written():
    values = VALUES.copy()
    values.flags.writeable = False
    with pytest.raises(TypingError, match="not read-only"):
        copied(values, 0, np.empty(10), 8)
