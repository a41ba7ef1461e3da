"""Layouts that are made once: a further file of the same shape is a copy, with values of its own in their places.

A file has hundreds of datasets, and making them takes longer than a short run.
"""

import dataclasses
import hashlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from .description import RunDescription, TracePlan
from .hdf5 import memory_file
from .layout import CONFIGURATION_ROOM, fill_layout, make_layout

KEPT = 16  # templates
KEPT_BYTES = 1 << 20  # of each at most

_templates: dict[bytes, bytes] = {}  # by what is the same in all files of a shape
_lock = threading.Lock()


def new_file(run: RunDescription, trace: TracePlan) -> h5py.File:
    """A file in memory with all groups and datasets of a run."""
    key = _digest(run, trace)
    image = _templates.get(key)
    if image is None:
        with memory_file() as file:
            make_layout(file, run, trace)
            file.flush()
            image = bytes(file.id.get_file_image())
        if len(image) <= KEPT_BYTES:
            with _lock:
                _templates[key] = image
                while len(_templates) > KEPT:
                    del _templates[next(iter(_templates))]
    file = h5py.File(h5py.h5f.open_file_image(image, h5py.h5f.FILE_IMAGE_OPEN_RW))
    fill_layout(file, run)
    return file


def _digest(*things: Any) -> bytes:
    digest = hashlib.sha256()
    for part in _leaves(things):
        digest.update(part)
    return digest.digest()


def _leaves(thing: Any, own: bool = False) -> Iterator[bytes]:
    """Everything in a description, with what it is; of what is a run's own, how much there is."""
    if dataclasses.is_dataclass(thing):
        yield type(thing).__name__.encode()
        for field in dataclasses.fields(thing):
            yield field.name.encode()
            yield from _leaves(getattr(thing, field.name), own or "own" in field.metadata)
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype.descr} {thing.shape}".encode()
        yield b"" if own else thing.tobytes()
    elif isinstance(thing, Mapping):
        yield f"{len(thing)}".encode()
        for name, value in thing.items():
            yield f"{name!r}".encode()
            yield from _leaves(value, own)
    elif isinstance(thing, list | tuple):
        yield f"{len(thing)}".encode()
        for value in thing:
            yield from _leaves(value, own)
    elif own and isinstance(thing, str):
        yield f"{len(thing.encode()) // CONFIGURATION_ROOM}".encode()
    elif not own:
        yield f"{thing!r} ".encode()
