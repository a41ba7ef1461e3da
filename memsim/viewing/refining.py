"""Every step of a span that is too long to be looked at within the blink of an eye, in a thread beside the page."""

import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import MemsimError
from ..inspection.channels import Channels
from ..inspection.curves import curves
from ..run import open_run
from ..traces.errors import NotARunFileError
from .looks import Kind, Look

Report = Callable[[float], None]
Done = Callable[[Look], None]
Failed = Callable[[str], None]
_ONE_AT_A_TIME = threading.Lock()  # of all pages: a second one would only slow the first down


class _StoppedError(Exception):
    """Somebody looks elsewhere."""


class Refiner:
    """Replays one span at a time; a new one ends the one before.

    Parameters
    ----------
    path : Path
        The run file, which the thread opens for itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(
        self, channels: Channels, start: int, stop: int, columns: int, report: Report, done: Done, failed: Failed
    ) -> None:
        """Begin to replay every step of a span.

        Parameters
        ----------
        channels : Channels
        start, stop : int
            Steps, ``stop`` not included.
        columns : int
            Of pixels.
        report : callable
            Told the share that is done, from the thread.
        done : callable
            Given the extremes of all steps, from the thread; not called when it was stopped, or failed.
        failed : callable
            Told what went wrong, from the thread.
        """
        self.stop()
        self._stop = stopped = threading.Event()

        def progress(steps: int, all_steps: int) -> None:
            if stopped.is_set():
                raise _StoppedError
            report(steps / all_steps)

        def work() -> None:
            try:
                with _ONE_AT_A_TIME:
                    if stopped.is_set():
                        return
                    with open_run(self._path) as run:
                        found = curves(run, channels, start, stop, progress, points=max(1, columns // 2))
            except _StoppedError:
                return
            except (MemsimError, NotARunFileError, OSError) as error:
                failed(str(error))
                return
            if not stopped.is_set():
                done(Look(start, stop, Kind.EXTREMES, found))

        self._thread = threading.Thread(target=work, name="memsim-refine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what is going on; it may take a moment."""
        self._stop.set()
