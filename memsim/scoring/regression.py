"""How well a run meets a function: the error of its outputs, and the share of the variance that they explain."""

from dataclasses import dataclass

import numpy as np

from ..runs.run import Run
from ..terminal.si import counted
from .parts import Read, read_part, spread


@dataclass(frozen=True)
class Regression:
    """What a run made of samples with known outputs.

    Attributes
    ----------
    part : str
        Which samples they are: ``test``, ``validation`` or ``training``.
    best : bool
        Whether they were read through the states of each realisation's best epoch, or else the final ones.
    targets : (samples, outputs) float64
    outputs : (samples, outputs, realisations) float64
    """

    part: str
    best: bool
    targets: np.ndarray
    outputs: np.ndarray

    def __repr__(self) -> str:
        about = f"{self.part}, {counted(len(self.targets), 'sample')}"
        return f"<Regression: {about}; .rmse {spread(self.rmse)}; .r2 {spread(self.r2)}; .outputs>"

    @property
    def _error(self) -> np.ndarray:
        return self.outputs - self.targets[..., None]

    @property
    def rmse(self) -> np.ndarray:
        """Root of the mean squared error over samples and outputs, (realisations,) float64."""
        return np.sqrt(np.mean(self._error**2, axis=(0, 1)))

    @property
    def r2(self) -> np.ndarray:
        """Coefficient of determination, the mean of all outputs', (realisations,) float64.

        1 - (sum of squared errors) / (sum of squared deviations of the targets from
        their mean), as scikit-learn's ``r2_score``; NaN where an output's targets are all the same.
        """
        variance = np.sum((self.targets - self.targets.mean(axis=0)) ** 2, axis=0)[:, None]
        constant = self.targets.min(axis=0) == self.targets.max(axis=0)
        variance[constant] = np.nan
        return np.mean(1.0 - np.sum(self._error**2, axis=0) / variance, axis=0)


def regression(
    run: Run, part: str | None = None, *, best: bool | None = None, keyframe: int | None = None
) -> Regression:
    """Send samples through a copy of a run's devices by READs, and compare outputs with targets.

    Parameters, errors: as of :func:`~memsim.classification`, for samples with classes or without.
    """
    return of_read(read_part(run, part, best=best, keyframe=keyframe))


def of_read(read: Read) -> Regression:
    """A regression's scores of outputs that were read already."""
    return Regression(read.name, read.best, read.data.targets, read.outputs)
