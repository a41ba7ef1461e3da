"""Where a run's values are put by their paths: into the datasets of an HDF5 file, or into arrays (:mod:`.held`)."""

from collections.abc import Callable
from typing import Any, Protocol

import h5py
import numpy as np

from .hdf5 import growing, write_rows, write_slot

Rows = np.ndarray | Callable[[], np.ndarray]  # a function gives rows that may be made where they are asked for


class Places(Protocol):
    """The datasets of a run, by their paths."""

    @property
    def sample_steps(self) -> int:
        """Steps of one sample."""

    def has(self, path: str) -> bool:
        """Whether there is such a group or dataset."""

    def grows(self, path: str) -> None:
        """Fail where there is no such dataset that grows."""

    def count(self, path: str) -> int:
        """A dataset of one integer."""

    def require_room(self, path: str, text: str) -> None:
        """Refuse a text that is longer than its room."""

    def put(self, path: str, value: Any) -> None:
        """Put a value into a dataset of one."""

    def put_slot(self, path: str, slot: int, values: Any) -> None:
        """Put one row of a dataset of few."""

    def append(self, path: str, first: int, rows: Rows) -> None:
        """Put rows from ``first`` on."""

    def flush(self) -> None:
        """Have all that was put reach the file."""


class FilePlaces:
    """The datasets of an HDF5 file.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._growing: dict[str, h5py.Dataset] = {}

    @property
    def sample_steps(self) -> int:
        """Steps of one sample."""
        return int(self._file.attrs["sample_steps"])

    def has(self, path: str) -> bool:
        """Whether there is such a group or dataset."""
        return path in self._file

    def grows(self, path: str) -> None:
        """Fail where there is no such dataset that grows.

        Raises
        ------
        KeyError, ValueError
        """
        self._growing[path] = growing(self._file, path)

    def count(self, path: str) -> int:
        """A dataset of one integer."""
        return int(self._file[path][()])

    def require_room(self, path: str, text: str) -> None:
        """Refuse a text that is longer than its room.

        Raises
        ------
        ValueError
        """
        room, size = self._file[path].dtype.itemsize, len(text.encode())
        if size > room:
            raise ValueError(f"its room for a {path} is {room} bytes, and this one has {size}; start a new run")

    def put(self, path: str, value: Any) -> None:
        """Put a value into a dataset of one."""
        dataset = self._file[path]
        dataset[()] = np.array(value.encode(), dtype=dataset.dtype) if isinstance(value, str) else value

    def put_slot(self, path: str, slot: int, values: Any) -> None:
        """Put one row of a dataset of few."""
        write_slot(self._file, path, slot, values)

    def append(self, path: str, first: int, rows: Rows) -> None:
        """Put rows from ``first`` on; rows that are there already are written again."""
        into, values = self._growing[path], rows() if callable(rows) else rows
        write_rows(into, first, values.astype(into.dtype, copy=False))

    def flush(self) -> None:
        """Have all that was put reach the file."""
        self._file.flush()
