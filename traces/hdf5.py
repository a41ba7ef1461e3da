"""The few things of HDF5 that all files of this package share: texts, units, named dimensions, axes."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .locks import NO_LOCKS

ROWS_AT_MOST = 4096  # of a chunk that grows
ROWS_AT_LEAST = 64  # where they fit: a run may go on for longer than was expected
LIBRARY_VERSIONS = ("v110", "v110")  # the oldest that lets a file be read while it is written
CHUNK_CACHE_BYTES = 1 << 18  # of a dataset that grows: its last chunks of 64 KiB; the default would keep 8 MiB of each


def memory_file() -> h5py.File:
    """A new file in memory, empty."""
    return h5py.File(f"memory-{uuid.uuid4()}", "w", driver="core", backing_store=False, libver=LIBRARY_VERSIONS)


def opened(path: Path, mode: str = "r", **options: Any) -> h5py.File:
    """A file, also on a file system without locks, where HDF5 by itself would open none."""
    try:
        return h5py.File(path, mode, **options)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return h5py.File(path, mode, locking=False, **options)


def text(value: str) -> np.ndarray:
    """Text of a fixed length: a variable one cannot be read from a file that is being written."""
    encoded = value.encode()
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", max(1, len(encoded))))


def texts(values: Sequence[str]) -> np.ndarray:
    """Texts of one fixed length, (n,)."""
    encoded = [value.encode() for value in values]
    length = max([1, *map(len, encoded)])
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))


def as_text(value: Any) -> str:
    """A text attribute or dataset as h5py gives it."""
    return value.decode() if isinstance(value, bytes) else str(value)


# A file has hundreds of datasets, each with attributes and scales: HDF5's own calls make them in half of h5py's time.

_SCALAR = h5py.h5s.create(h5py.h5s.SCALAR)
_UNTIMED = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
_UNTIMED.set_obj_track_times(False)  # as h5py makes them: the same run gives the same bytes


def create(group: h5py.Group, name: str, values: Any) -> h5py.Dataset:
    """A dataset of known values: ``group.create_dataset(name, data=values)``."""
    array = np.asarray(values, order="C")
    kind = h5py.h5t.py_create(array.dtype, logical=True)
    space = h5py.h5s.create_simple(array.shape) if array.shape else _SCALAR
    made = h5py.h5d.create(group.id, name.encode(), kind, space, _UNTIMED)
    if array.size:
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, array, kind)
    return h5py.Dataset(made)


def _put_new_text(item: h5py.Dataset, name: str, value: str) -> None:
    """An attribute that is not there yet: ``item.attrs[name] = text(value)``."""
    array = text(value)
    kind = h5py.h5t.py_create(array.dtype, logical=True)
    h5py.h5a.create(item.id, name.encode(), kind, _SCALAR).write(array, mtype=kind)


def describe(dataset: h5py.Dataset, unit: str, description: str) -> h5py.Dataset:
    """Say what a new dataset is, and in which unit."""
    _put_new_text(dataset, "units", unit)
    _put_new_text(dataset, "long_name", description)
    return dataset


def attach(dataset: h5py.Dataset, axes: Sequence[h5py.Dataset]) -> h5py.Dataset:
    """Name a dataset's dimensions by their scales."""
    if len(axes) != dataset.id.rank:
        raise ValueError(f"{dataset.name}: has {dataset.id.rank} dimensions, and {len(axes)} were named")
    for place, axis in enumerate(axes):
        h5py.h5ds.attach_scale(dataset.id, axis.id, place)
    return dataset


def rows_of_chunk(row_bytes: int, expected: int) -> int:
    """Rows of a chunk: of 64 KiB, or fewer where a dataset is expected to be short."""
    return int(min(np.clip((1 << 16) // row_bytes, 1, ROWS_AT_MOST), max(ROWS_AT_LEAST, expected)))


def growing(file: h5py.Group, path: str) -> h5py.Dataset:
    """A dataset of a file that rows can be appended to.

    Raises
    ------
    KeyError, ValueError
        There is none, or it cannot grow.
    """
    found = file[path]
    if not isinstance(found, h5py.Dataset) or found.chunks is None or found.maxshape[0] is not None:
        raise ValueError(f"{path} is no dataset that can grow")
    return found


def write_slot(group: h5py.Group, name: str, slot: int, values: Any) -> None:
    """Write one row of a dataset: ``group[name][slot] = values``, without what h5py makes of a dataset to do so."""
    dataset = h5py.h5d.open(group.id, name.encode())
    space = dataset.get_space()
    row, array = (1, *space.shape[1:]), np.ascontiguousarray(values)
    if array.shape not in (row[1:], row):  # of a scalar NumPy makes a row
        raise ValueError(f"{name}: has rows of the shape {row[1:]}, and this is {array.shape}")
    if array.size:
        space.select_hyperslab((slot, *(0 for _ in row[1:])), row)
        dataset.write(h5py.h5s.create_simple(row), space, array)


def write_rows(dataset: h5py.Dataset, first: int, rows: np.ndarray) -> None:
    """Write rows from ``first`` on; rows that are there already are written again."""
    if len(rows):
        if len(dataset) < first + len(rows):
            dataset.resize(first + len(rows), axis=0)
        dataset[first : first + len(rows)] = rows
