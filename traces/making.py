"""Datasets and attributes of a new file, each made as its table declares it: see :mod:`.schema`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import h5py
import numpy as np

from .hdf5 import attach, create, describe, rows_of_chunk, text, texts
from .schema import Attribute, Field

NO_FILTERS: Mapping[str, Any] = {}


class Maker:
    """Makes datasets in a file; an axis before what lies along it.

    Parameters
    ----------
    file : h5py.File
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._groups: dict[str, h5py.Group] = {}
        self._axes: dict[str, h5py.Dataset] = {}
        self._lengths: dict[str, int] = {}  # of the axes; HDF5 is slow to say them

    def make(self, field: Field, values: Any = None) -> h5py.Dataset:
        """A dataset of given values, or of zeros.

        Parameters
        ----------
        field : Field
            With names in its path, and nothing left open.
        values : array or int, optional
            Of an axis its coordinates, or their number.
        """
        group = self._group(field)
        if isinstance(values, int) and field.is_axis:
            values = np.arange(values)
        if values is None:
            values = np.zeros(self.shape_of(field), field.kind)
        if field.kind != "text":
            values = np.asarray(values, field.kind)
        return self._described(field, create(group, field.name, values))

    def grow(
        self, field: Field, expected: int = 0, chunk: tuple[int, ...] = (), filters: Mapping[str, Any] = NO_FILTERS
    ) -> h5py.Dataset:
        """An empty dataset that grows along its first axis, to an expected length or longer.

        Where its chunks are not given it is not compressed, so that one is written again in its place.
        """
        row = self.shape_of(field)[1:]
        width = max(1, int(np.prod(row, dtype=np.int64)))
        usual = (rows_of_chunk(width * np.dtype(field.kind).itemsize, expected), *(max(1, n) for n in row))
        made = self._group(field).create_dataset(
            field.name, (0, *row), field.kind, maxshape=(None, *row), chunks=chunk or usual, **filters
        )
        return self._described(field, made)

    def _group(self, field: Field) -> h5py.Group:
        path = field.path.rpartition("/")[0] or "/"
        if path not in self._groups:
            self._groups[path] = self._file.require_group(path)
        return self._groups[path]

    def _described(self, field: Field, made: h5py.Dataset) -> h5py.Dataset:
        """Say what a new dataset is, and along which axes it lies."""
        if field.unit:
            describe(made, field.unit, field.meaning)
        if field.is_axis:
            made.make_scale(field.name)
            self._axes[field.path], self._lengths[field.path] = made, len(made)
        elif field.unit:
            attach(made, [self._axes[path] for path in self._axes_of(field)])
        return made

    def shape_of(self, field: Field) -> tuple[int, ...]:
        """Lengths of the axes of a field; 0 of one that grows."""
        return (0,) if field.is_axis else tuple(self._lengths[path] for path in self._axes_of(field))

    def _axes_of(self, field: Field) -> list[str]:
        """The axes of a field: those of its group, or of the next group above that has one of that name."""
        folders = field.path.split("/")[:-1]
        paths = ["/".join((*folders[:depth], "")) for depth in range(len(folders), -1, -1)]
        return [next(path + label for path in paths if path + label in self._axes) for label in field.labels]


def put_attributes(file: h5py.File, table: Iterable[Attribute], values: Mapping[str, Mapping[str, Any]]) -> None:
    """Put attributes at groups, which are made where they are not there; what is there is changed in its place.

    Parameters
    ----------
    file : h5py.File
    table : iterable of Attribute
        Has all of them.
    values : dict
        Path of a group to name to value.
    """
    kind_of = attribute_kinds(table)
    for path, named in values.items():
        attributes = file.require_group(path).attrs
        for name, value in named.items():
            attributes.modify(name, _as_attribute(value, kind_of(path, name)))


def attribute_kinds(table: Iterable[Attribute]) -> Callable[[str, str], str]:
    """What says of which kind an attribute is, from the path of its group and its name."""
    kinds = {(each.group, each.name): each.kind for each in table}

    def kind_of(path: str, name: str) -> str:
        top, _, bank = path.partition("/")
        return kinds[f"{top}/BANK" if top and bank else path, name]

    return kind_of


def _as_attribute(value: Any, kind: str) -> Any:
    """A value as a file has it."""
    if kind == "text":
        return text(value) if isinstance(value, str) else texts(value)
    return np.asarray(value, kind)
