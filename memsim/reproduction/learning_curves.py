"""Learning curves: what is asked of the total error of many realisations."""

import numpy as np

from ..runs.run import LEARNED


class LearningCurves:
    """What has the total error of a run, (epochs, realisations)."""

    total_error: np.ndarray

    @property
    def learned(self) -> int:
        """Realisations with a total error below 0.1 at the end."""
        return int((self.total_error[-1] < LEARNED).sum())

    @property
    def realisations(self) -> int:
        """How many there are."""
        return self.total_error.shape[1]

    @property
    def mean(self) -> np.ndarray:
        """Mean over realisations of the total error, (epochs,)."""
        mean: np.ndarray = self.total_error.mean(axis=1)
        return mean
