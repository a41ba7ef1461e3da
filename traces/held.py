"""A run in memory: its values as arrays, read as a file is; the HDF5 file is made where somebody asks for it.

A file has hundreds of datasets, and making, writing and reading them takes longer than a short run. What there
is, and of which type and shape, is said by the same tables as of a file (:mod:`.layout`).
"""

import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import h5py
import numpy as np

from .description import BankDescription, RunDescription, TracePlan
from .hdf5 import write_rows
from .layout import attributes_of, attributes_of_field, fields_of, lengths_of, values_of
from .making import attribute_kinds
from .places import Rows
from .schema import RUN_ATTRIBUTES, Field
from .stored import Stored
from .templates import new_file


class HeldRun(Stored):
    """A run that is kept in memory and has no trace: written as :class:`~.places.Places`, read as a file.

    Parameters
    ----------
    run : RunDescription
    trace : TracePlan
        Without a bank.
    """

    def __init__(self, run: RunDescription, trace: TracePlan) -> None:
        self.live, self._kind, self._heaps_are_whole = False, "run file", True
        self._datasets, self._items = {}, {}
        self._run, self._trace = run, trace
        self._made: h5py.File | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._fields = {field.path: (field, bank) for field, bank in fields_of(run, trace)}
        # Copied: samples are the caller's.
        self._given = {path: _copied(value) for path, value in values_of(run, trace).items() if path in self._fields}
        self._first: dict[str, np.ndarray] = {}  # what was there before the first step, as far as it was asked for
        self._put: dict[str, np.ndarray] = {}
        self._pieces: dict[str, list[Rows]] = {path: [] for path, (field, _) in self._fields.items() if field.grows}

    # The file.

    @property
    def file(self) -> h5py.File:
        """The run as an HDF5 file in memory."""
        with self._lock:
            if self._closed and self._made is None:
                raise ValueError("the run is closed, and had no file; save a run in memory before it is closed")
            if self._made is None:
                self._made = self._new_file()
            return self._made

    @property
    def path(self) -> None:
        """It has none."""

    def image(self) -> bytes:
        """The bytes of its file, which is not kept."""
        with self._new_file() as file:
            file.flush()
            return bytes(file.id.get_file_image())

    def _new_file(self) -> h5py.File:
        file = new_file(self._run, self._trace)
        for path in self._pieces:
            write_rows(file[path], 0, self._array(path))
        for path, values in self._put.items():
            file[path][...] = values
        return file

    def close(self) -> None:
        """Give the memory back."""
        self._closed = True
        if self._made is not None:
            self._made.close()
        self._given, self._first, self._put, self._pieces = {}, {}, {}, {}

    # Written.

    def grows(self, path: str) -> None:
        """Fail where there is no such dataset that grows."""
        _ = self._pieces[path]

    def count(self, path: str) -> int:
        """A dataset of one integer."""
        return int(self._array(path))

    def require_room(self, path: str, text: str) -> None:
        """There is room for any text."""

    def put(self, path: str, value: Any) -> None:
        """Put a value into a dataset of one; the configuration is there from the start."""
        if not isinstance(value, str):
            self._put[path] = np.array(value, self._fields[path][0].kind)

    def put_slot(self, path: str, slot: int, values: Any) -> None:
        """Put one row of a dataset of few."""
        if path not in self._put:
            self._put[path] = np.array(self._array(path))
        self._put[path][slot] = values

    def append(self, path: str, first: int, rows: Rows) -> None:
        """Put rows behind those that are there."""
        self._pieces[path].append(rows)

    def flush(self) -> None:
        """Nothing waits."""

    # Read.

    def has(self, path: str) -> bool:
        """Whether there is anything of that name."""
        return path in self._fields or path in self._groups

    def names(self, path: str) -> list[str]:
        """Names in a group, in the order of a file; none where there is no such group."""
        return self._groups.get(path.strip("/"), [])

    def shape(self, path: str, kind: str = "fiu") -> tuple[int, ...]:
        """Shape of a dataset of numbers, whose type is of one of NumPy's kinds."""
        return self._checked(path, None, kind).shape

    def read(self, path: str, *where: Any, ndim: int | None = None, kind: str = "fiu") -> Any:
        """Values of a dataset of numbers, copied; see :meth:`.doubted.DoubtedFile.read`."""
        return np.array(self._checked(path, ndim, kind)[where])[()]

    def text(self, path: str) -> str:
        """Text in a dataset."""
        return self._run.configuration if path == "configuration" else super().text(path)

    def texts(self, path: str) -> list[str]:
        """Texts in a dataset of one axis."""
        return [value.decode() for value in self._array(path).tolist()]

    def has_attribute(self, path: str, name: str) -> bool:
        """Whether a group or dataset has an attribute."""
        return name in self._attributes_at(path)

    def attribute(self, path: str, name: str) -> Any:
        """An attribute of a group or dataset."""
        found = self._attributes_at(path)
        return found[name] if name in found else super().attribute(path, name)

    def _attributes_at(self, path: str) -> dict[str, Any]:
        if path in self._fields:
            return attributes_of_field(self._fields[path][0], self._run)
        return self._attributes.get(path, {})

    @cached_property
    def _attributes(self) -> dict[str, dict[str, Any]]:
        """Of the groups: texts, or NumPy's numbers and arrays."""
        kinds = attribute_kinds(RUN_ATTRIBUTES)
        return {
            path: {name: _as_read(value, kinds(path, name)) for name, value in named.items()}
            for path, named in attributes_of(self._run, self._trace).items()
        }

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        """The names in each group; a file lists them in the order of their bytes."""
        found: dict[str, set[str]] = {}
        for path in [*self._fields, *(f"{group}/" for group in self._attributes)]:
            for group, name in _steps(path):
                found.setdefault(group, set()).add(name)
        return {group: sorted(names - {""}, key=str.encode) for group, names in found.items()}

    def _checked(self, path: str, ndim: int | None, kind: str) -> np.ndarray:
        """All values of a dataset of numbers."""
        if path not in self._fields:
            raise self.broken(f"it has no {path}")
        values = self._array(path)
        if values.dtype.kind not in kind:
            raise self.broken(f"{path} is of type {values.dtype}")
        if ndim is not None and values.ndim != ndim:
            raise self.broken(f"{path} has {values.ndim} axes, not {ndim}")
        return values

    def _array(self, path: str) -> np.ndarray:
        """All values of a dataset."""
        if path in self._pieces:
            return self._grown(path)
        if path in self._put:
            return self._put[path]
        if path not in self._first:
            self._first[path] = self._first_values(path)
        return self._first[path]

    def _grown(self, path: str) -> np.ndarray:
        """The rows so far, which are put together where they are asked for."""
        pieces = self._pieces[path]
        if len(pieces) != 1 or callable(pieces[0]):
            field, bank = self._fields[path]
            nothing = np.empty((0, *self._lengths(field, bank)[1:]), field.kind)
            rows = [np.asarray(piece() if callable(piece) else piece, field.kind) for piece in pieces]
            self._pieces[path] = [np.concatenate([nothing, *rows])]
        (values,) = self._pieces[path]
        return np.asarray(values, self._fields[path][0].kind)

    def _first_values(self, path: str) -> np.ndarray:
        """What was given before the first step, or the numbers of an axis, or zeros."""
        field, bank = self._fields[path]
        given, lengths = self._given.get(path), self._lengths(field, bank)
        if field.kind == "text":
            return np.asarray(given)
        if field.is_axis and not isinstance(given, np.ndarray):
            return np.arange(lengths[0] if given is None else given, dtype=field.kind)
        if path.startswith("slots/"):  # whose axis has the name of that of the checkpoints
            return np.asarray(given, field.kind)
        return np.broadcast_to(np.asarray(0 if given is None else given, field.kind), lengths)

    def _lengths(self, field: Field, bank: BankDescription | None) -> tuple[int, ...]:
        lengths = lengths_of(self._run, bank)
        return tuple(lengths.get(label, 0) for label in field.labels)


def _copied(value: Any) -> Any:
    return value if isinstance(value, int) else np.array(value)


def _as_read(value: Any, kind: str) -> Any:
    """An attribute as a file gives it."""
    if kind == "text":
        return value if isinstance(value, str) else np.array([each.encode() for each in value], dtype=object)
    return np.asarray(value, kind)[()]


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Each group on the way to a path, with the name in it that leads on."""
    names = path.strip("/").split("/")
    for depth, name in enumerate(names):
        yield "/".join(names[:depth]), name
