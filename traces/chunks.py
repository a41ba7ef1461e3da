"""Datasets that grow by whole chunks, written ready-made, each with a checksum.

A chunk holds a stretch of time of few channels: that compresses best and reads
one channel fast. Rows are staged channel by channel until some chunks are
full, so that no chunk is written twice while a run goes on, and so that what
HDF5 takes for each call is shared by many.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib

from .background import Beside
from .codecs import Codec, codec
from .hdf5 import growing, write_rows
from .making import Maker
from .schema import CHECKSUMS, Field, under

CHUNK_ROWS = 4096  # at most; a power of two
CHUNK_VALUES = 4096  # at least, where a bank is so wide that few rows are staged
STAGED_BYTES = 16 << 20  # of one dataset, at most
STAGED_ROWS = 65536  # at most; a power of two
ENCODED_BYTES = 1 << 19  # of chunks that are encoded as one job
PADDING = 8  # a channel's stride that is a power of two would have all channels share few cache lines

Encoded = tuple[tuple[int, ...], int, Any]  # where a chunk lies, its checksum, its content


def staged_rows(width: int) -> int:
    """Rows that are staged, a power of two, for datasets of so many channels."""
    fitting = max(1, STAGED_BYTES // (8 * width))
    return int(min(STAGED_ROWS, 1 << (fitting.bit_length() - 1)))


def chunk_rows(width: int) -> int:
    """Rows of a chunk, a power of two, for datasets of so many channels."""
    return min(CHUNK_ROWS, staged_rows(width))


def tile_of(channels: Sequence[int], rows: int) -> tuple[int, ...]:
    """How many channels one chunk holds along each axis, from the last axis on."""
    wanted = max(1, CHUNK_VALUES // rows)
    tile = []
    for length in reversed(channels):
        taken = min(length, wanted)
        tile.append(taken)
        wanted = max(1, wanted // taken)
    return tuple(reversed(tile))


def make_chunked(maker: Maker, field: Field, rows: int, compression: str) -> h5py.Dataset:
    """Make an empty dataset that grows by whole chunks of so many rows; its axes are there."""
    tile = tile_of(maker.shape_of(field)[1:], rows)
    return maker.grow(field, chunk=(rows, *tile), filters=codec(compression).filters)


def make_checksums(maker: Maker, dataset: h5py.Dataset) -> None:
    """Make room beside a dataset of chunks for their checksums."""
    group, _, name = dataset.name.strip("/").rpartition("/")
    row, tile, crc32 = (field.at(QUANTITY=name) for field in (under(group, CHECKSUMS) if group else CHECKSUMS))
    maker.grow(row)
    maker.make(tile, sum(1 for _ in chunk_slices(dataset)))
    maker.grow(crc32)


def chunk_slices(dataset: h5py.Dataset) -> Iterator[tuple[slice, ...]]:
    """The channels of each chunk of a row of chunks, in the order of the checksums."""
    tile = dataset.chunks[1:]
    counts = [-(-length // part) for length, part in zip(dataset.shape[1:], tile, strict=True)]
    for index in np.ndindex(*counts):
        yield tuple(slice(k * part, (k + 1) * part) for k, part in zip(index, tile, strict=True))


def padded_chunk(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values as a whole chunk in C order, zeros where there are none."""
    if values.shape == shape:
        return np.ascontiguousarray(values)
    chunk = np.zeros(shape, dtype=values.dtype)
    chunk[tuple(slice(length) for length in values.shape)] = values
    return chunk


def checksum(chunk: np.ndarray) -> int:
    """CRC-32 of an array's bytes."""
    return int(isal_zlib.crc32(chunk.reshape(-1).view(np.uint8)))


class ChunkedDataset:
    """A dataset of :func:`make_chunked` that rows are appended to.

    Parameters
    ----------
    group : h5py.Group
    name : str
    compression : str
    staged : int, optional
        Rows that are staged, a multiple of the chunk's.
    beside : Beside, optional
        Encodes chunks while others are written.
    """

    def __init__(
        self, group: h5py.Group, name: str, compression: str, staged: int = 0, beside: Beside | None = None
    ) -> None:
        self._beside = beside or Beside()
        self.dataset = growing(group, name)
        self._first_rows = growing(group, f"checksums/{name}_row")
        self._checksums = growing(group, f"checksums/{name}_crc32")
        self._codec: Codec = codec(compression)
        self._shape = self.dataset.chunks
        self._slices = list(chunk_slices(self.dataset))
        self._offsets = [tuple(part.start for part in channels) for channels in self._slices]
        self.rows = int(self._shape[0])  # of a chunk
        held = max(staged, self.rows)
        shape = (*self.dataset.shape[1:], held + PADDING)
        self.staged = np.zeros(shape, dtype=self.dataset.dtype)[..., :held]  # channels first
        self.written = 0  # rows that are in the file
        self.filled = 0  # rows that are staged

    def start(self, row: int) -> None:
        """Go on from a row, a multiple of the staged ones; what is in the file from there on is written again."""
        self.written, self.filled = row, 0

    def load(self, rows: int) -> None:
        """Stage rows that are in the file, from where this goes on; nothing may be staged yet."""
        self.staged[..., :rows] = np.moveaxis(self.dataset[self.written : self.written + rows], 0, -1)
        self.filled = rows

    def room(self) -> int:
        """Rows until what is staged is to be written."""
        return int(self.staged.shape[-1]) - self.filled

    @property
    def staged_rows(self) -> np.ndarray:
        """What is staged, (channels..., rows), valid until the next rows are staged."""
        return self.staged[..., : self.filled]

    def write(self) -> None:
        """Write what is staged."""
        filled, count = self.filled, -(-self.filled // self.rows)
        self.staged[..., filled : count * self.rows] = 0
        first, stop = self.written, self.written + filled
        if len(self.dataset) < stop:
            self.dataset.resize(stop, axis=0)
        sums, write_chunk = [], self.dataset.id.write_direct_chunk
        jobs = self._jobs(count)
        # Without compression there is too little to do for two threads that wait for each other.
        for encoded in self._beside.results(jobs) if self._codec.compresses else (job() for job in jobs):
            for place, crc, content in encoded:
                write_chunk(place, content)
                sums.append(crc)
        rows = np.arange(first, first + count * self.rows, self.rows)
        write_rows(self._first_rows, first // self.rows, rows)
        write_rows(self._checksums, first // self.rows, np.array(sums, np.uint32).reshape(count, -1))
        # A chunk that is not full is the last one: it counts, but is written again if the run goes on.
        self.written, self.filled = stop, 0

    def _jobs(self, count: int) -> Iterator[Callable[[], list[Encoded]]]:
        """The work of encoding so many rows of chunks, some chunks a job."""
        some = max(1, ENCODED_BYTES // (8 * math.prod(self._shape)))
        for row in range(0, count * self.rows, self.rows):
            for tile in range(0, len(self._slices), some):
                yield partial(self._encoded, row, tile, min(tile + some, len(self._slices)))

    def _encoded(self, row: int, first: int, last: int) -> list[Encoded]:
        """Some chunks of a row of chunks: their place, checksum and content."""
        staged, found = self.staged[..., row : row + self.rows], []
        for tile in range(first, last):
            chunk = self._chunk(staged, tile)
            found.append(((self.written + row, *self._offsets[tile]), checksum(chunk), self._codec.encode(chunk)))
        return found

    def _chunk(self, staged: np.ndarray, tile: int) -> np.ndarray:
        """A chunk's rows of all its channels."""
        if len(self._slices) == math.prod(staged.shape[:-1]):  # a channel each: its rows as they lie there
            alone: np.ndarray = staged[self._offsets[tile]]
            return alone
        return padded_chunk(np.moveaxis(staged[self._slices[tile]], -1, 0), self._shape)


def wrong_chunks(
    group: h5py.Group, name: str, rows: int, report: Callable[[int, int], None] = lambda _, __: None
) -> Iterator[tuple[int, str]]:
    """Chunks whose checksum is wrong, or that cannot be read: (first row, what is wrong).

    ``report`` is told how many rows of chunks are done, and how many there are.
    """
    dataset, checksums = group[name], group["checksums"][f"{name}_crc32"]
    height = int(dataset.chunks[0])
    for k, first in enumerate(range(0, rows, height)):
        for tile, channels in enumerate(chunk_slices(dataset)):
            try:
                values, wanted = dataset[(slice(first, first + height), *channels)], int(checksums[k, tile])
                # A last chunk may have been written again, with more rows than were counted when the run was killed.
                sums = [checksum(padded_chunk(part, dataset.chunks)) for part in (values[: rows - first], values)]
            except OSError as error:
                yield first, f"cannot be read: {str(error).splitlines()[0]}"
                continue
            if wanted not in sums:
                yield first, f"has the checksum {sums[0]:08x}, not {wanted:08x}"
        report(k + 1, -(-rows // height))


def staged_part(where: np.ndarray) -> Any:
    """Places along an axis as a slice where they follow each other, which is copied faster."""
    consecutive = len(where) == where[-1] - where[0] + 1
    return slice(int(where[0]), int(where[-1]) + 1) if consecutive else where
