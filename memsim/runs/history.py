"""How a run went, epoch by epoch, as a table of pandas."""

from typing import TYPE_CHECKING

import numpy as np

from ..datasets import Dataset, of_stored
from ..libraries import load_library
from .prediction import read_through
from .run import Run

if TYPE_CHECKING:
    from pandas import DataFrame

READ_STEPS = 100_000_000  # device-steps of READs at most, some tenths of a second


def history(run: Run) -> "DataFrame":
    """Error, energy and accuracy of each complete epoch and realisation.

    Returns
    -------
    pandas.DataFrame
        A row for each epoch and realisation:

        - ``epoch`` from 1, ``realisation`` from 0;
        - ``error``, the total error (Eq. 20), and ``validation_error`` where samples were held back for that;
        - ``learning_rate``;
        - ``energy`` in J, of all banks; NaN where an earlier version made the file;
        - ``accuracy`` where the samples have classes: the share of right ones at the epoch's end, of those held back
          for validation, or else of those that were learned. It is read through a copy of the devices, so it is there
          for epochs that end with a keyframe, of a large run for some of them that are evenly spread, and else NaN.

    Raises
    ------
    InputError
        pandas is not installed.
    """
    pandas = load_library("pandas", "pandas", "run.history")
    error = run.total_error
    epochs = len(error)
    rows, columns = np.indices(error.shape)
    energy = [values[:epochs].sum(axis=1) for values in run.epoch_energy.values()]
    found = {
        "epoch": rows + 1,
        "realisation": columns,
        "error": error,
        "learning_rate": np.broadcast_to(run.learning_rate[:epochs, None], error.shape),
        "energy": np.sum(energy, axis=0) if energy else np.full(error.shape, np.nan),
    }
    if run.stored.is_validated:
        found["validation_error"] = run.validation_error[:epochs]
    data = of_stored(run.dataset)
    if data.classes is not None:
        found["accuracy"] = _accuracy(run, data.validation or data, epochs)
    return pandas.DataFrame({name: np.ravel(values) for name, values in found.items()})


def _accuracy(run: Run, part: Dataset, epochs: int) -> np.ndarray:
    """Share of right samples at the ends of epochs, NaN where it was not read, (epochs, realisations)."""
    assert part.classes is not None
    found = np.full((epochs, run.realisations), np.nan)
    samples = run.keyframes["sample"]
    ends = np.flatnonzero((samples % run.samples == 0) & (samples > 0) & (samples <= epochs * run.samples))
    devices = sum(run.bank(bank).devices for bank in run.banks)
    cost = len(part.inputs) * run.sample_steps * devices * run.realisations
    most = max(1, min(len(ends), READ_STEPS // cost))
    for keyframe in ends[np.unique(np.linspace(len(ends) - 1, 0, most).astype(int))] if len(ends) else ():
        decided = part.classes.decide(read_through(run, part, keyframe=int(keyframe), seed=0).outputs)
        right = decided == part.class_numbers[:, None]
        found[samples[keyframe] // run.samples - 1] = right.mean(axis=0)
    return found
