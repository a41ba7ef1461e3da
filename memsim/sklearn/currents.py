"""Inputs as currents: the scaling that an estimator calibrates, and inputs beyond its range."""

import warnings
from collections.abc import Sequence

import numpy as np

from ..datasets.scaling import Kind, Scaling
from ..errors import InputError

ENDS = (-1.0, 1.0)  # of each column's range, in units of the unit current


def scaling_of(inputs: np.ndarray, kind: Kind, features: Sequence[str] = (), name: str = "X") -> Scaling:
    """A scaling that is calibrated on samples; constant columns become 0, as scikit-learn's scalers make them.

    Parameters
    ----------
    inputs : (samples, inputs) float64
    kind : {"range", "standard", "none"}
        As of :meth:`~memsim.datasets.Scaling.fit`; the range of inputs that are left as they are is kept as well.
    features : sequence of str
        Names of the columns.
    name : str
        Of the inputs, for messages.

    Raises
    ------
    InputError
        A column's range is too large or too small for its scaling to be a number.
    """
    if kind == "none":
        return Scaling.as_they_are(inputs, features)
    lowest, highest = inputs.min(axis=0), inputs.max(axis=0)
    offset, factor = lowest.copy(), np.ones(len(lowest))
    scaling = Scaling(kind, offset, factor, lowest, highest, tuple(features))
    for column in map(int, np.flatnonzero(lowest < highest)):
        try:
            fitted = Scaling.fit(inputs[:, [column]], kind, ends=ENDS)
        except InputError:
            size = "large" if 0.5 * highest[column] - 0.5 * lowest[column] > 1.0 else "small"
            raise InputError(
                f"{name}: the range of {scaling.feature(column)}, from {lowest[column]:g} to {highest[column]:g}, is "
                f"too {size} to scale; give it in another unit"
            ) from None
        offset[column], factor[column] = fitted.offset[0], fitted.factor[0]
    return scaling


def warn_of_clipped(count: int, inputs: np.ndarray) -> None:
    """Say how many inputs were beyond the range that currents were calibrated for."""
    if count:
        warnings.warn(
            f"{count} of {inputs.size} inputs are beyond the range of the samples that were learned first, and were "
            f"taken for its ends; beyond='refuse' refuses them",
            UserWarning,
            stacklevel=4,
        )
