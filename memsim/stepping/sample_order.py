"""The order in which the samples of each epoch are shown, drawn ahead of the engine."""

import numpy as np

from ..kernels.random import shuffle
from ..traces.chunks import staged_part

BYTES_AT_MOST = 4 << 20  # of what is drawn ahead
EPOCHS_AHEAD = 64


class SampleOrder:
    """The order of samples of each epoch and realisation.

    Parameters
    ----------
    seeds : (realisations,) uint64
    samples : int
        Of an epoch.
    epochs : int
        That an order is drawn for.
    epochs_before : int
        Of the runs that this one goes on from.
    shuffled : bool
        False shows the samples in their own order.
    shown : (samples, realisations) uint32, optional
        The samples of every epoch, where they are given.
    """

    def __init__(
        self, seeds: np.ndarray, samples: int, epochs: int, *, epochs_before: int = 0, shuffled: bool = True,
        shown: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self._seeds, self._samples, self._epochs, self._epochs_before = seeds, samples, epochs, epochs_before
        self._shown = shown
        self.is_drawn = shuffled and shown is None
        self._held = np.empty((0, samples, len(seeds)), dtype=np.uint32)
        self._first = 0  # epoch of those that are held

    @property
    def epochs_ahead(self) -> int:
        """Epochs whose order may be held at once."""
        return max(1, BYTES_AT_MOST // (4 * self._samples * len(self._seeds)))

    def between(self, first: int, last: int) -> np.ndarray:
        """The order of the epochs from ``first`` up to ``last``, (epochs, samples, realisations) uint32."""
        if self._shown is not None:
            return np.repeat(self._shown[None], last - first, axis=0)
        shape = (last - first, self._samples, len(self._seeds))
        if not self.is_drawn:
            return np.broadcast_to(np.arange(self._samples, dtype=np.uint32)[None, :, None], shape).copy()
        order = np.empty(shape, dtype=np.uint32)
        shuffle(self._seeds, self._epochs_before + first, order)
        return order

    def have(self, first: int, last: int) -> None:
        """Hold the order of the epochs from ``first`` up to ``last``, at least."""
        held = range(self._first, self._first + len(self._held))
        if first not in held or last - 1 not in held:
            ahead = max(last - first, min(EPOCHS_AHEAD, self.epochs_ahead))
            self._held = self.between(first, min(max(last, first + ahead), self._epochs))
            self._first = first

    def of(self, realisations: np.ndarray, first: int, last: int) -> np.ndarray:
        """What is held of some realisations in the epochs from ``first`` up to ``last``, contiguous."""
        held = self._held[first - self._first : last - self._first]
        return np.ascontiguousarray(held[..., staged_part(realisations)])
