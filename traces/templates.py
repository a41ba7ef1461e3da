"""Layouts that are made once: a further file of the same shape is a copy, with values of its own in their places.

A file has hundreds of datasets, and making them takes longer than a short run.
"""

import dataclasses
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from .hdf5 import memory_file
from .layout import (
    CONFIGURATION_ROOM,
    PAST,
    BankDescription,
    Beginning,
    Programming,
    RunDescription,
    TracePlan,
    configuration_text,
    create_layout,
)
from .samples import KINDS, StoredDataset, path_of

KEPT = 16  # templates
KEPT_BYTES = 1 << 20  # of each at most

_templates: dict[bytes, bytes] = {}  # by what is the same in all files of a shape
_lock = threading.Lock()


def new_file(run: RunDescription, trace: TracePlan) -> h5py.File:
    """A file in memory with all groups and datasets of a run."""
    blank = _blank(run)
    key = _digest(blank, trace)
    image = _templates.get(key)
    if image is None:
        with memory_file() as file:
            create_layout(file, blank, trace)
            file.flush()
            image = bytes(file.id.get_file_image())
        if len(image) <= KEPT_BYTES:
            with _lock:
                _templates[key] = image
                while len(_templates) > KEPT:
                    del _templates[next(iter(_templates))]
    file = h5py.File(h5py.h5f.open_file_image(image, h5py.h5f.FILE_IMAGE_OPEN_RW))
    _fill(file, run)
    return file


def _blank(run: RunDescription) -> RunDescription:
    """A run of the same shape without the values that differ from run to run: what :func:`_fill` puts in."""
    return replace(
        run,
        configuration=" " * (len(run.configuration.encode()) // CONFIGURATION_ROOM * CONFIGURATION_ROOM),
        seeds=np.zeros_like(run.seeds),
        data=_blank_samples(run.data),
        banks=[_blank_bank(bank) for bank in run.banks],
        beginning=None if run.beginning is None else _blank_beginning(run.beginning),
    )


def _blank_samples(data: StoredDataset) -> StoredDataset:
    return replace(
        data,
        inputs=np.zeros(data.inputs.shape),
        targets=np.zeros(data.targets.shape),
        validation=None if data.validation is None else _blank_samples(data.validation),
        test=None if data.test is None else _blank_samples(data.test),
    )


def _blank_bank(bank: BankDescription) -> BankDescription:
    calibration = dict.fromkeys(bank.calibration, 0.0)
    return replace(bank, initial=np.zeros(bank.initial.shape), calibration=calibration)


def _blank_beginning(beginning: Beginning) -> Beginning:
    past = tuple(np.zeros(values.shape) for values in beginning.past)
    programming = beginning.programming and _blank_programming(beginning.programming)
    return Beginning(0, 0, np.zeros(beginning.bias.shape), past, programming)


def _blank_programming(programming: Programming) -> Programming:
    banks = {
        bank: {name: np.zeros(values.shape) for name, values in found.items()}
        for bank, found in programming.banks.items()
    }
    return Programming(0, 0.0, banks)


def _fill(file: h5py.File, run: RunDescription) -> None:
    """Put the values of a run into a copy of its template."""
    file["configuration"][()] = configuration_text(run.configuration)
    values = {"seeds": run.seeds}
    for part, data in {"": run.data, **run.data.held_back}.items():
        values |= {path_of(part, name): getattr(data, name) for name in KINDS}
    for bank in run.banks:
        for name, number in bank.calibration.items():
            file["banks"][bank.name].attrs.modify(name, np.float64(number))
        values[f"banks/{bank.name}/initial_state"] = bank.initial
        if run.watched:
            values[f"best/{bank.name}/state"] = bank.initial
    if run.beginning is not None:
        values |= _of_beginning(file["start"], run, run.beginning)
        if run.beginning.programming is not None:
            values |= _of_programming(file["programming"], run.beginning.programming)
    for path, array in values.items():
        file[path][...] = array


def _of_beginning(group: h5py.Group, run: RunDescription, beginning: Beginning) -> dict[str, np.ndarray]:
    """The same of what a run begins from."""
    for name in ("epochs", "steps"):
        group.attrs.modify(name, np.int64(getattr(beginning, name)))
    values = {"start/bias_weight": beginning.bias}
    for bank, past in zip(run.banks, beginning.past, strict=bool(beginning.past)):
        values |= {f"start/{bank.name}/{name}": past[list(PAST).index(name)] for name in bank.past}
    return values


def _of_programming(group: h5py.Group, programming: Programming) -> dict[str, np.ndarray]:
    """The same of how starting weights were written."""
    group.attrs.modify("passes", np.int64(programming.passes))
    values = {"programming/time": np.array(programming.seconds)}
    for bank, found in programming.banks.items():
        values |= {f"programming/{bank}/{name}": array for name, array in found.items()}
    return values


def _digest(*things: Any) -> bytes:
    digest = hashlib.sha256()
    for part in _leaves(things):
        digest.update(part)
    return digest.digest()


def _leaves(thing: Any) -> Iterator[bytes]:
    """Everything in a description, with what it is."""
    if dataclasses.is_dataclass(thing):
        yield type(thing).__name__.encode()
        thing = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    if isinstance(thing, np.ndarray):
        yield f"{thing.dtype.descr} {thing.shape}".encode()
        yield thing.tobytes()
    elif isinstance(thing, Mapping):
        yield f"{len(thing)}".encode()
        for name, value in thing.items():
            yield f"{name!r}".encode()
            yield from _leaves(value)
    elif isinstance(thing, list | tuple):
        yield f"{len(thing)}".encode()
        for value in thing:
            yield from _leaves(value)
    else:
        yield f"{thing!r} ".encode()
