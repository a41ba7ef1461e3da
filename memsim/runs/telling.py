"""Who is told how a run goes on that Python started: a bar, and a function of the user's that may stop it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

from ..errors import InputError
from ..fields import in_one_line
from ..terminal.interrupts import TERMINATED, forget, interrupts, status_of_stop
from ..terminal.progress import TrainingProgress
from ..terminal.streams import in_notebook
from .training import NoProgress, Progress, ToldEachEpoch


class StopTraining(Exception):  # noqa: N818 (it is no error, as StopIteration is none)
    """Raised by a callback, it ends the run in good order at the next keyframe."""


@dataclass(frozen=True)
class EpochReport:
    """How far a run is.

    Attributes
    ----------
    epoch : int
        Complete epochs.
    epochs : int
        Of the whole run.
    error : float
        Total error of the last one (Eq. 20), mean of the realisations.
    device_steps : int
        Integrated so far.
    """

    epoch: int
    epochs: int
    error: float
    device_steps: int


Callback = Callable[[EpochReport], Any]


@contextmanager
def told(epochs: int, verbose: bool | None, callback: Callback | None) -> Iterator[dict[str, Any]]:
    """What a run takes to tell of itself: its ``progress``, and what stops it, where a callback may.

    Parameters
    ----------
    epochs : int
        Of the whole run.
    verbose : bool, optional
        Whether a bar is shown; only in a notebook where it is none. False says nothing of what is compiled, either.
    callback : callable, optional

    Raises
    ------
    SystemExit
        SIGTERM came: the run is stopped and kept, and the program ends, as it would without memsim.
    """
    if callback is not None and not callable(callback):
        raise InputError(f"callback: must be a function of a memsim.EpochReport (got {in_one_line(callback)})")
    forget()
    try:
        with _shown(epochs, verbose, callback) as taken:
            yield taken
    except KeyboardInterrupt:
        _end_where_terminated()
        raise
    _end_where_terminated()


def _end_where_terminated() -> None:
    if status_of_stop() == TERMINATED:
        raise SystemExit(TERMINATED)


@contextmanager
def _shown(epochs: int, verbose: bool | None, callback: Callback | None) -> Iterator[dict[str, Any]]:
    """What a run takes, of which a bar is shown where one is wanted."""
    if verbose is None and not in_notebook():
        with _heard(epochs, NoProgress(), callback) as taken:
            yield taken
        return
    with TrainingProgress(epochs, quiet=verbose is False) as shown, _heard(epochs, shown, callback) as taken:
        yield taken


@contextmanager
def _heard(epochs: int, shown: Progress, callback: Callback | None) -> Iterator[dict[str, Any]]:
    """The arguments of a run whose progress is shown, and told to a callback, which Ctrl-C and SIGTERM stop too."""
    if callback is None:
        yield {"progress": shown}
        return
    with interrupts() as stop:
        yield {"progress": _Calling(epochs, shown, callback, stop), "stop": stop}


class _Calling(ToldEachEpoch):
    """A progress that is shown, and reported to a callback."""

    def __init__(self, epochs: int, shown: Progress, callback: Callback, stop: Event) -> None:
        self._epochs, self._shown, self._callback, self._stop = epochs, shown, callback, stop
        self.has_ended = False  # whether the callback ended the run

    def start(self) -> None:
        """Have it shown."""
        self._shown.start()

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Have it shown, and ask whether to go on."""
        self._shown.update(epoch, error, device_steps)
        try:
            goes_on = self._callback(EpochReport(epoch, self._epochs, error, device_steps))
        except StopTraining:
            goes_on = False
        if goes_on is False:
            self.has_ended = True
            self._stop.set()


def ended_by_callback(taken: dict[str, Any]) -> bool:
    """Whether a callback ended the run that took what :func:`told` gave."""
    progress = taken["progress"]
    return isinstance(progress, _Calling) and progress.has_ended
