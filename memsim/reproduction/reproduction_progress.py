"""How far a reproduction is: one bar over many runs, which may go on side by side."""

import threading
from types import TracebackType
from typing import Self

from ..terminal.progress import Progress


class ReproductionProgress:
    """One bar over many runs on a terminal, a line a run elsewhere.

    Parameters
    ----------
    runs : int
        How many there will be.
    epochs : int
        Of all runs together.
    quiet : bool
    """

    def __init__(self, runs: int, epochs: int, quiet: bool = False) -> None:
        self._runs, self._begun, self._epochs, self._done = runs, 0, epochs, 0
        self._lock = threading.Lock()
        self._shown = Progress("reproducing", (), quiet=quiet, compiling_within=True)

    def __enter__(self) -> Self:
        self._shown.__enter__()
        self._shown.show(0, self._epochs)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._shown.__exit__(kind, value, at)

    def run(self, name: str, epochs: int) -> "_OneOfMany":
        """The progress of the next run."""
        with self._lock:
            self._begun += 1
            shown = f"run {self._begun}/{self._runs}: {name}"
        self._shown.say(shown)
        return _OneOfMany(self, shown)

    def advance(self, epochs: int, doing: str) -> None:
        """Tell that a run has made epochs more."""
        with self._lock:
            self._done += epochs
            self._shown.show(self._done, self._epochs, doing=doing)


class _OneOfMany:
    """A run's share of the bar over many: a :class:`memsim.runs.training.Progress`."""

    def __init__(self, all_runs: ReproductionProgress, shown: str) -> None:
        self._all_runs, self._shown, self._told = all_runs, shown, 0

    def start(self) -> None:
        """Wait: the first update shows the run."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Tell how far the run is."""
        self._all_runs.advance(epoch - self._told, self._shown)
        self._told = epoch
