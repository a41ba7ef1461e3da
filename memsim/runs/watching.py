"""Watching a run: the validation error of each epoch, the best states so far, and when there is no more to hope for."""

from dataclasses import dataclass, replace
from threading import Event
from typing import Self

import numpy as np

from ..kernels.random import PURPOSE_VALIDATION
from ..network.assembly import Assembly, seeds_for
from ..stepping.block_set import Checkpoint
from ..stepping.blocks import unread_bias
from ..stepping.engine import Engine
from .prediction import reading


@dataclass(frozen=True)
class Best:
    """The best epoch so far of each realisation.

    Attributes
    ----------
    epoch : (realisations,) int64
        -1 before the first is complete.
    error : (realisations,) float64
        Of the samples that were held back, or else the total error.
    states : tuple of (devices, variables, realisations) float64
        Of each bank, at that epoch's end.
    """

    epoch: np.ndarray
    error: np.ndarray
    states: tuple[np.ndarray, ...]

    def improved(self, where: np.ndarray, epoch: int, error: np.ndarray, states: list[np.ndarray]) -> Self:
        """What is best, with another epoch for some realisations; ``where`` (realisations,) bool."""
        return replace(
            self,
            epoch=np.where(where, epoch, self.epoch),
            error=np.where(where, error, self.error),
            states=tuple(np.where(where, new, old) for new, old in zip(states, self.states, strict=True)),
        )


class Watch:
    """Looks at a run after each epoch; close it.

    Parameters
    ----------
    assembly : Assembly
        Of the run.
    threads : int

    Attributes
    ----------
    best : Best
    """

    def __init__(self, assembly: Assembly, threads: int) -> None:
        lanes = len(assembly.seeds)
        self.best = Best(np.full(lanes, -1), np.zeros(lanes), tuple(assembly.initial))
        self._patience = assembly.config.learning.patience
        self._epochs = 0  # that were looked at
        self._epochs_before = assembly.epochs_before
        self._reader: Engine | None = None
        if assembly.dataset.validation is not None:
            forward = reading(assembly, assembly.dataset.validation, assembly.initial)
            forward = replace(forward, seeds=seeds_for(assembly.seeds, PURPOSE_VALIDATION))
            self._reader = Engine(forward, threads=threads, epochs=1, shuffled=False)

    def prepare(self, stop: Event | None = None) -> None:
        """Have all compiled code at hand, before a clock runs."""
        if self._reader is not None:
            self._reader.prepare(stop)

    def close(self) -> None:
        """Give the threads back."""
        if self._reader is not None:
            self._reader.close()

    @property
    def satisfied(self) -> bool:
        """Whether every realisation is settled: it has gone as many epochs without a lower error as it may."""
        return bool(self._settled.all())

    @property
    def _settled(self) -> np.ndarray:
        """Whether each realisation's best epoch is settled, (realisations,) bool."""
        passed = self._epochs - 1 - self.best.epoch
        return passed >= self._patience if self._patience else np.zeros(len(passed), dtype=bool)

    def go_on(self, epochs: int, best: Best) -> None:
        """Go on from a checkpoint."""
        self._epochs, self.best = epochs, best

    def look(self, engine: Engine, total_error: np.ndarray) -> np.ndarray | None:
        """Look at the run at an epoch's end.

        Parameters
        ----------
        engine : Engine
            At the end of the epoch.
        total_error : (realisations,) float64
            Of the epoch.

        Returns
        -------
        (realisations,) float64 or None
            The validation error; none where no samples were held back.
        """
        states = engine.blocks.states()
        validation = None
        if self._reader is not None:
            # Each look draws noise of its own.
            self._reader.steps_before = (self._epochs_before + self._epochs) * self._reader.clock.steps
            validation = _error(self._reader, states, engine.blocks.past())
        error = total_error if validation is None else validation
        # What a realisation keeps must not depend on how long others beside it go on.
        better = ~self._settled & ((error < self.best.error) | (self.best.epoch < 0))
        if better.any():
            self.best = self.best.improved(better, self._epochs, error, states)
        self._epochs += 1
        return validation


def _error(reader: Engine, states: list[np.ndarray], past: list[np.ndarray]) -> np.ndarray:
    """Total error (Eq. 20) of all samples that are read through a copy of devices, (realisations,)."""
    units, lanes = sum(reader.assembly.sizes), reader.realisations
    unread = np.full((units, lanes), unread_bias(reader.assembly))
    reader.restore(Checkpoint(0, states, unread, past, np.zeros(lanes), [], 0))
    while not reader.clock.is_over:
        reader.advance(reader.clock.slots)
    error: np.ndarray = reader.take_errors()[0]
    return error
