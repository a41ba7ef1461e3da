"""Inputs as currents: the scaling that an estimator calibrates, and inputs beyond its range."""

import warnings
from collections.abc import Sequence

import numpy as np

from ..datasets.scaling import Kind, Scaling

ENDS = (-1.0, 1.0)  # of each column's range, in units of the unit current


def scaling_of(inputs: np.ndarray, kind: Kind, features: Sequence[str] = ()) -> Scaling:
    """A scaling that is calibrated on samples; constant columns become 0, as scikit-learn's scalers make them.

    Parameters
    ----------
    inputs : (samples, inputs) float64
    kind : {"range", "standard", "none"}
        As of :meth:`~memsim.datasets.Scaling.fit`.
    features : sequence of str
        Names of the columns.
    """
    if kind == "none":
        return Scaling.fit(inputs, kind, features=features)
    lowest, highest = inputs.min(axis=0), inputs.max(axis=0)
    offset, factor = lowest.copy(), np.ones(len(lowest))
    varying = lowest < highest
    if varying.any():
        fitted = Scaling.fit(inputs[:, varying], kind, ends=ENDS)
        offset[varying], factor[varying] = fitted.offset, fitted.factor
    return Scaling(kind, offset, factor, lowest, highest, tuple(features))


def warn_of_clipped(count: int, inputs: np.ndarray) -> None:
    """Say how many inputs were beyond the range that currents were calibrated for."""
    if count:
        warnings.warn(
            f"{count} of {inputs.size} inputs are beyond the range of the samples that were learned first, and were "
            f"taken for its ends; beyond='refuse' refuses them",
            UserWarning,
            stacklevel=4,
        )
