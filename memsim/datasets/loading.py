"""The data set that a configuration names."""

from pathlib import Path

import numpy as np

from ..configuration import DataSection
from ..errors import InputError
from ..tables import column, read_columns
from .dataset import Dataset
from .gates import gate
from .splitting import split


def load(section: DataSection) -> Dataset:
    """The data set that a configuration names, with what it holds back."""
    return split(_load(section), section.validation, section.seed)


def _load(section: DataSection) -> Dataset:
    if section.gate is not None:
        return gate(section.gate, section.samples, section.seed)
    if section.csv is None:
        raise InputError("data.arrays: were given from Python; run the run file itself, which holds them")
    path = Path(section.csv)
    table = read_columns(path)
    columns = {
        k: np.stack([column(table, n, path) for n in getattr(section, k)], axis=1) for k in ("inputs", "targets")
    }
    return Dataset(columns["inputs"], columns["targets"], path.name)
