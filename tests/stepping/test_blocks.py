"""Blocks of realisations: who is in which, and the room that they have."""

import numpy as np
import pytest

from memsim.kernels.tiles import NARROW, WIDE, room_of
from memsim.stepping.blocks import lanes_a_block, partition


@pytest.mark.parametrize(
    ("realisations", "threads", "most", "sizes"),
    [
        (1, 2, 512, [1]),
        (3, 2, 512, [2, 1]),
        (100, 1, 512, [100]),
        (100, 2, 512, [50, 50]),
        (1100, 2, 512, [275, 275, 275, 275]),
        (513, 1, 512, [257, 256]),
        (20, 2, 8, [5, 5, 5, 5]),
    ],
)
def test_threads_get_equal_shares_of_blocks_that_are_not_too_large(realisations, threads, most, sizes):
    parts, records = partition(realisations, threads, most)
    assert [len(part) for part in parts] == sizes
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(realisations))
    assert records == [True] * len(parts)


def test_recorded_realisations_have_blocks_of_their_own():
    parts, records = partition(10, 2, 512, [2, 7])
    assert [part.tolist() for part in parts] == [[2, 7], [0, 1, 3, 4], [5, 6, 8, 9]]
    assert records == [True, False, False]


def test_a_blocks_arrays_fit_the_cache_and_hold_a_vector_at_least():
    assert [lanes_a_block(devices) for devices in (1, 9, 64, 100, 2410, 10**6)] == [512, 512, 512, 327, 13, 8]


def test_room_is_that_of_whole_tiles():
    assert [room_of(n) for n in (1, NARROW, NARROW + 1, 2 * NARROW, 2 * NARROW + 1, WIDE, WIDE + 1)] == [
        NARROW, NARROW, WIDE, WIDE, WIDE, WIDE, WIDE + NARROW,
    ]  # fmt: skip
