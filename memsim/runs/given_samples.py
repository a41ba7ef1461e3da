"""Samples from what a Python user has: a data set, or inputs with classes or targets."""

import warnings
from typing import Any

import numpy as np

from ..datasets import Dataset, labelled
from ..datasets.classes import names_of
from ..datasets.dataset import table_of
from ..errors import InputError

# Of an input, in units of the unit current. USUAL is twice the range that scaling gives; LARGEST is beyond any driver.
USUAL, LARGEST = 2.0, 1e6


def samples_of(data: Any, y: Any, outputs: int) -> Dataset:
    """A data set of what was given, see :func:`memsim.runs.calls.train`.

    Parameters
    ----------
    data : Dataset or (samples, inputs) array-like
    y : (samples,) or (samples, outputs) array-like or None
    outputs : int
        Of the network.

    Raises
    ------
    InputError
        It is none; the line says how to write what was meant.
    """
    if isinstance(data, Dataset):
        if y is not None:
            raise InputError("y: a data set has its targets already; leave it out, or give inputs as an array")
        found = data
    else:
        _refuse_no_inputs(data, y)
        found = _joined(data, y, outputs)
    if found.scaling is None:
        _refuse_huge(found)
    return found


def _joined(inputs: Any, y: Any, outputs: int) -> Dataset:
    """Inputs with their classes or targets."""
    names = tuple(map(str, getattr(inputs, "columns", ())))
    targets = np.asarray(y)
    table = table_of("data", inputs, names)
    if len(targets.shape) == 0 or len(targets) != len(table):
        raise InputError(f"y: must have a row for each of the {len(table)} samples (got shape {targets.shape})")
    if targets.ndim > 1:
        return Dataset(table, table_of("y", targets), features=names)
    if targets.dtype.kind == "f":
        return Dataset(table, _column(targets, outputs), features=names)
    classes = set(names_of(targets.tolist()))
    if len(classes) == 1:
        raise InputError(f"y: must be of two classes or more (got 1 class, {classes.pop()!r})")
    return labelled(table, targets.tolist(), features=names)


def _column(targets: np.ndarray, outputs: int) -> np.ndarray:
    """Real targets of one dimension, for a network of one output."""
    if outputs != 1:
        raise InputError(
            f"y: has one dimension, but the network has {outputs} outputs; give targets of shape ({len(targets)}, "
            f"{outputs}), or classes as whole numbers: y.astype(int)"
        )
    return table_of("y", targets[:, None])


def _refuse_no_inputs(data: Any, y: Any) -> None:
    """Refuse what is neither a data set nor inputs with their targets."""
    if isinstance(data, str):
        raise InputError(
            f"data: must be a data set or inputs, not a text; memsim.datasets.gate({data!r}) has the samples of a "
            f"gate, memsim.load('FILE.toml') those that a configuration names"
        )
    if y is None and isinstance(data, tuple | list) and len(data) == 2 and np.ndim(data[0]) > 0:
        raise InputError("data: is a pair; give inputs and targets one after the other: train(network, X, y)")
    if y is None:
        raise InputError(f"y: is missing; give the classes or targets of the inputs (got {type(data).__name__} alone)")


def warn_of_raw(data: Dataset) -> None:
    """Say where inputs that are not scaled go far beyond the unit current, as raw features do."""
    lowest, highest = float(data.inputs.min()), float(data.inputs.max())
    if data.scaling is None and max(-lowest, highest) > USUAL:
        warnings.warn(
            f"data: inputs are from {lowest:g} to {highest:g}, in units of the network's unit current; about 0 to 1, "
            f"or -1 to 1, suits the devices: scaling='range' takes each column there",
            UserWarning,
            stacklevel=3,
        )


def _refuse_huge(data: Dataset) -> None:
    """Refuse inputs that no current stands for."""
    for part in (data, *data.held_back.values()):
        row, column = np.unravel_index(np.argmax(np.abs(part.inputs)), part.inputs.shape)
        value = part.inputs[row, column]
        if abs(value) > LARGEST:
            raise InputError(
                f"data: inputs are in units of the network's unit current, and at most {LARGEST:g} (got {value:g} in "
                f"row {row}, column {column}); scaling='range' takes each column's range to 0 to 1"
            )
