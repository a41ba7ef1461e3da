"""Learning-rate schedules: the rate of each epoch."""

import numpy as np

from .configuration import LearningSection


def rates_of(learning: LearningSection, first: int, last: int) -> np.ndarray:
    """Learning rates of the epochs from ``first`` up to ``last``, (epochs,) float64."""
    return np.full(last - first, learning.rate)
