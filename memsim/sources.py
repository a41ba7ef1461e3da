"""Where a run comes from: a configuration file, or the run file of an earlier run."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from . import datasets
from .configuration import Configuration, load_configuration, override
from .datasets import Dataset
from .errors import InputError, RunFileError
from .traces.errors import NotARunFileError
from .traces.reader import refuse_what_is_no_file

RUN_FILES = (".h5", ".hdf5")  # broken ones are no configurations, and an empty file would be one


def load_source(path: Path, assignments: Sequence[str] = ()) -> tuple[Configuration, Dataset]:
    """Configuration and samples, from TOML or from a run file.

    A run file gives its effective configuration and its own samples, so that
    running it again gives the same bits, whatever became of a CSV file.

    Raises
    ------
    InputError
        Anything that is wrong with either.
    """
    try:
        refuse_what_is_no_file(path)
    except NotARunFileError as error:
        raise InputError(str(error)) from None
    if path.suffix.lower() not in RUN_FILES and not h5py.is_hdf5(path):
        config = load_configuration(path, list(assignments))
        return config, datasets.load(config.data)
    from .run import open_run

    try:
        with open_run(path) as earlier:
            values, stored = earlier.configuration, earlier.dataset
    except RunFileError as error:
        raise InputError(str(error)) from None
    before = values.get("data")
    config = Configuration(**override(values, list(assignments)))
    data = Dataset(np.asarray(stored.inputs), np.asarray(stored.targets), stored.name)
    changed = any(assignment.startswith("data.") for assignment in assignments)
    return config, datasets.load(config.data) if changed and before else data
