"""Learning-rate schedules: the rate of each epoch."""

import math

import numpy as np

from ..configuration.sections import LearningSection


def rates_of(learning: LearningSection, first: int, last: int) -> np.ndarray:
    """Learning rates of the epochs from ``first`` up to ``last``, (epochs,) float64.

    Parameters
    ----------
    learning : LearningSection
    first, last : int
        Epochs from 0 on, ``last`` not included.
    """
    return np.array([learning.rate * _share(learning, epoch) for epoch in range(first, last)])


def _share(learning: LearningSection, epoch: int) -> float:
    """What is left of the first epoch's rate: all schedules come to ``decay`` after ``decay_epochs``."""
    passed = epoch / learning.decay_epochs
    if learning.schedule == "step":
        return learning.decay ** math.floor(passed)
    if learning.schedule == "exponential":
        return learning.decay**passed
    if learning.schedule == "cosine":
        return learning.decay + (1.0 - learning.decay) * 0.5 * (1.0 + math.cos(math.pi * min(passed, 1.0)))
    return 1.0
