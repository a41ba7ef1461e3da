"""The data set that a configuration names: a gate, a CSV file, or one that scikit-learn ships."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..configuration.sections import DataSection
from ..errors import InputError
from ..fields import did_you_mean, listed
from ..files.tables import read_columns
from ..libraries import load_library
from .dataset import Dataset, labelled, scaled
from .gates import gate
from .splitting import split

LOADERS = {"iris": "load_iris", "wine": "load_wine", "breast-cancer": "load_breast_cancer", "digits": "load_digits"}


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
    raise InputError(
        "data.arrays: were given from Python; run the run file itself, which holds them, or give them again as "
        "memsim.run(config, data); a sweep reads its samples from a CSV file: name it in data.csv"
    )


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


class Shipped(NamedTuple):
    """A data set of scikit-learn.

    Attributes
    ----------
    inputs : (samples, inputs) float64
        In units of their own.
    labels : (samples,) str
    features : tuple of str
        Names of the inputs.
    """

    inputs: np.ndarray
    labels: np.ndarray
    features: tuple[str, ...]


def shipped(name: str) -> Shipped:
    """A data set by its name, one of ``LOADERS``.

    Raises
    ------
    InputError
        scikit-learn is not installed.
    """
    library = load_library("sklearn.datasets", "sklearn", f"data.dataset = {name!r}", distribution="scikit-learn")
    bunch = getattr(library, LOADERS[name])()
    return Shipped(bunch.data, np.asarray(bunch.target_names).astype(str)[bunch.target], tuple(bunch.feature_names))
