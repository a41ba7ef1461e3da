"""The data set that a configuration names."""

from pathlib import Path

import numpy as np

from ..configuration.sections import DataSection
from ..errors import InputError
from ..fields import did_you_mean, listed
from ..files.tables import read_columns
from .dataset import Dataset, labelled, scaled
from .gates import gate
from .scikit_learn import shipped
from .splitting import split


def load(section: DataSection) -> Dataset:
    """The data set that a configuration names: split first, then scaled by the samples to learn."""
    parted = split(_load(section), section.validation, section.seed, test=section.test)
    return scaled(parted, section.scaling, ends=section.input_range, beyond=section.beyond)


def _load(section: DataSection) -> Dataset:
    if section.gate is not None:
        return gate(section.gate, section.samples, section.seed)
    if section.dataset is not None:
        return _of_scikit_learn(section, section.dataset)
    if section.csv is not None:
        return _of_csv(section, Path(section.csv))
    raise InputError("data.arrays: were given from Python; run the run file itself, which holds them")


def _of_scikit_learn(section: DataSection, name: str) -> Dataset:
    inputs, labels, features = shipped(name)
    chosen = section.inputs or features
    for column in chosen:
        if column not in features:
            known = f"{listed(features)}{did_you_mean(column, features)}"
            raise InputError(f"data.inputs: {name} has no column {column!r}; it has {known}")
    places = [features.index(column) for column in chosen]
    return labelled(inputs[:, places], labels, name, low=section.low, high=section.high, features=chosen)


def _of_csv(section: DataSection, path: Path) -> Dataset:
    table = read_columns(path, (*section.inputs, *section.targets), [section.labels] if section.labels else [])
    inputs = np.stack([table[name] for name in section.inputs], axis=1)
    if section.labels:
        labels = table[section.labels]
        return labelled(inputs, labels, path.name, low=section.low, high=section.high, features=section.inputs)
    targets = np.stack([table[name] for name in section.targets], axis=1)
    return Dataset(inputs, targets, path.name, features=section.inputs)
