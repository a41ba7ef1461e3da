"""What samples must be: complete, and enough to hold some back."""

import math
from typing import Any

import numpy as np

from ..datasets.classes import is_missing
from ..errors import InputError

INFINITE = (math.inf, -math.inf)


def refuse_missing(targets: Any) -> None:
    """Refuse targets or labels of which one is missing or infinite, by its row, and its column among several.

    Parameters
    ----------
    targets : array-like
        Of any shape; what is no table at all is left to scikit-learn.

    Raises
    ------
    InputError
    """
    values = np.asarray(targets)
    if values.ndim not in (1, 2) or values.size == 0 or values.dtype.kind not in "fO":
        return
    missing = np.array([is_missing(value) or value in INFINITE for value in values.ravel()]).reshape(len(values), -1)
    if missing.any():
        row, column = map(int, np.argwhere(missing)[0])
        found = str(values.reshape(missing.shape)[row, column]).replace("nan", "NaN")
        where = f"row {row}, column {column}" if missing.shape[1] > 1 else f"row {row}"
        raise InputError(f"y: must be given and finite (got {found} in {where}); give the value, or leave the row out")


def refuse_few(samples: int, fraction: float, labels: np.ndarray | None = None) -> None:
    """Refuse to hold samples back where not every class can be among them and among those to learn.

    Parameters
    ----------
    samples : int
    fraction : float
        Share that is held back.
    labels : (samples,), optional
        Classes; none of a regression.

    Raises
    ------
    InputError
    """
    classes, members = np.unique(np.zeros(samples) if labels is None else labels, return_counts=True)
    if labels is not None and members.min() < 2:
        raise InputError(
            f"y: must have two samples or more of each class, since early_stopping holds some back (got 1 of "
            f"{classes.tolist()[int(np.argmin(members))]!r})"
        )
    held_back = math.ceil(fraction * samples)
    fewer = "fewer than 1" if labels is None else f"fewer than the {len(classes)} classes"
    if held_back < len(classes):
        raise InputError(
            f"validation_fraction: holds back {held_back} of {samples} samples, {fewer}; hold back a larger share, or "
            f"give more samples (got {fraction:g})"
        )
    if samples - held_back < len(classes):
        raise InputError(
            f"validation_fraction: leaves {samples - held_back} of {samples} samples to learn, {fewer}; hold back a "
            f"smaller share, or give more samples (got {fraction:g})"
        )
