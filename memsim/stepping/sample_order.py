"""The order in which the samples of each epoch are shown: drawn where it is needed, for a block in its own thread."""

import threading

import numpy as np

from ..kernels.random import shuffle

BYTES_AT_MOST = 4 << 20  # of what a stretch needs


class SampleOrder:
    """The order of samples of each epoch and realisation.

    Parameters
    ----------
    seeds : (realisations,) uint64
    samples : int
        Of an epoch.
    epochs_before : int
        Of the runs that this one goes on from.
    shuffled : bool
        False shows the samples in their own order.
    shown : (samples, realisations) uint32, optional
        The samples of every epoch, where they are given.
    """

    def __init__(
        self, seeds: np.ndarray, samples: int, *, epochs_before: int = 0, shuffled: bool = True,
        shown: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self._seeds, self._samples, self._epochs_before = seeds, samples, epochs_before
        self._shown = shown
        self.is_drawn = shuffled and shown is None

    @property
    def epochs_at_once(self) -> int:
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

    def of(self, realisations: np.ndarray) -> "SampleOrder":
        """The order of some of the realisations."""
        shown = None if self._shown is None else np.ascontiguousarray(self._shown[:, realisations])
        return SampleOrder(
            self._seeds[realisations], self._samples, epochs_before=self._epochs_before, shuffled=self.is_drawn,
            shown=shown,
        )  # fmt: skip


class HeldOrder:
    """The order that a block's last stretch needed, from which its next one takes what it needs again.

    All threads that carry out a block may ask; the first of them draws.

    Parameters
    ----------
    order : SampleOrder
        Of the block's realisations.
    """

    def __init__(self, order: SampleOrder) -> None:
        self._order = order
        self._first, self._held = 0, order.between(0, 0)
        self._lock = threading.Lock()

    def between(self, first: int, last: int) -> np.ndarray:
        """The order of the epochs from ``first`` up to ``last``, (epochs, samples, lanes) uint32."""
        with self._lock:
            begin, end = self._first, self._first + len(self._held)
            if not begin <= first < last <= end:
                known = self._held[first - begin :] if begin <= first < end else self._held[:0]
                drawn = self._order.between(first + len(known), last)
                self._first, self._held = first, np.concatenate([known, drawn]) if len(known) else drawn
            return self._held[first - self._first : last - self._first]
