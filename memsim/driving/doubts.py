"""What makes the states of a drive doubtful: steps that lead far."""

import numpy as np

from ..devices import UNBOUNDED
from ..traces.drive_file import DriveReader

FAR = 1e-2  # of a state's range in one step: with Euler's method the state is then wrong by about half of it


def largest_shares(trace: DriveReader) -> np.ndarray:
    """How far each state moves in one step at most, as a share of its range, (devices, variables).

    0 of a state without a range, and where the file does not tell.
    """
    lower, upper = trace.bounds
    if trace.largest_step is None:
        return np.zeros((len(trace.labels), len(lower)))
    bounded = upper < UNBOUNDED
    return np.asarray(np.where(bounded, trace.largest_step / np.where(bounded, upper - lower, 1.0), 0.0))
