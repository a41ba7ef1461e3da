"""The overview of a trace: smallest and largest values over blocks of rows, kept as the rows come.

A plot of ten million rows draws a few thousand of them; from the overview it
need not read the others.
"""

import math
from collections.abc import Sequence

import h5py
import numpy as np

from .chunks import tile_of
from .hdf5 import growing, write_rows

BLOCK = 256  # rows of an entry of the first level, entries of the first level of one of the second
HELD_BYTES = 1 << 20  # of entries of the first level that wait to be written, at most
LEVELS = (BLOCK, BLOCK**2)  # rows of an entry

Pair = tuple[np.ndarray, np.ndarray]


def entries_of_chunk(channels: Sequence[int], rows: int) -> tuple[int, ...]:
    """Chunk of an overview of some channels, for entries of so many rows."""
    entries = held_entries(channels) if rows == LEVELS[0] else min(16, held_entries(channels))
    return (entries, 2, *tile_of(channels, 2 * entries))


def held_entries(channels: Sequence[int]) -> int:
    """Entries of the first level that are held before they are written: a power of two, up to a block."""
    fitting = max(1, HELD_BYTES // (16 * math.prod(channels)))
    return int(min(BLOCK, 1 << (fitting.bit_length() - 1)))


class Extremes:
    """Both levels of one quantity's overview, fed with rows in their order.

    Parameters
    ----------
    group : h5py.Group
        Of a bank.
    name : str
        The quantity.
    """

    def __init__(self, group: h5py.Group, name: str) -> None:
        self._fine, self._coarse = (growing(group, f"{rows}/{name}") for rows in LEVELS)
        channels = self._fine.shape[2:]
        self._entries = np.empty((held_entries(channels), 2, *channels))
        self._running = np.empty((2, *channels))  # of the entry in progress
        self._block = np.empty((2, *channels))  # of the entry of the second level in progress
        self.start(0)

    @property
    def nbytes(self) -> int:
        """Bytes that wait here to be written, at most."""
        return int(self._entries.nbytes + self._running.nbytes + self._block.nbytes)

    def start(self, row: int) -> None:
        """Go on from a row, a multiple of the second level's."""
        self._written = row // LEVELS[0]  # entries of the first level in the file
        self._filled = 0  # entries of the first level that are held
        self._rows = 0  # in the entry in progress

    def of_whole_entries(self, values: np.ndarray) -> Pair:
        """Smallest and largest of the entries that rows fill from where they begin, (entries, channels...) each."""
        entries = 0 if self._rows else values.shape[-1] // BLOCK
        blocks = values[..., : entries * BLOCK].reshape(*values.shape[:-1], entries, BLOCK)
        return np.moveaxis(blocks.min(axis=-1), -1, 0), np.moveaxis(blocks.max(axis=-1), -1, 0)

    def add(self, values: np.ndarray, whole: Pair) -> None:
        """Take rows in, (channels..., rows) float64, and what :meth:`of_whole_entries` found in them."""
        done = self._add_whole(*whole)
        while done < values.shape[-1]:
            count = min(BLOCK - self._rows, values.shape[-1] - done)
            part = values[..., done : done + count]
            smallest, largest = part.min(axis=-1), part.max(axis=-1)
            if self._rows:
                np.minimum(self._running[0], smallest, out=smallest)
                np.maximum(self._running[1], largest, out=largest)
            self._running[0], self._running[1] = smallest, largest
            self._rows += count
            done += count
            if self._rows == BLOCK:
                self._end_entry()

    def _add_whole(self, smallest: np.ndarray, largest: np.ndarray) -> int:
        """Take in whole entries at once; returns how many rows they are of."""
        entries, done = len(smallest), 0
        while done < entries:
            count = min(len(self._entries) - self._filled, entries - done)
            held = self._entries[self._filled : self._filled + count]
            held[:, 0], held[:, 1] = smallest[done : done + count], largest[done : done + count]
            self._filled, done = self._filled + count, done + count
            if self._filled == len(self._entries):
                self._write()
        return entries * BLOCK

    def finish(self) -> None:
        """Write the entries that are not full."""
        if self._rows:
            self._end_entry()
        if self._filled:
            self._write()

    def _end_entry(self) -> None:
        self._entries[self._filled] = self._running
        self._filled, self._rows = self._filled + 1, 0
        if self._filled == len(self._entries):
            self._write()

    def _write(self) -> None:
        """Write the entries that are held, and the second level's entry that they are a part of."""
        held = self._entries[: self._filled]
        write_rows(self._fine, self._written, held)
        smallest, largest = held[:, 0].min(axis=0), held[:, 1].max(axis=0)
        if self._written % BLOCK:
            np.minimum(self._block[0], smallest, out=smallest)
            np.maximum(self._block[1], largest, out=largest)
        self._block[0], self._block[1] = smallest, largest
        write_rows(self._coarse, self._written // BLOCK, self._block[None])
        self._written, self._filled = self._written + self._filled, 0
