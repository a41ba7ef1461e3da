"""Every step of a span that is too long to be looked at within the blink of an eye, in a thread beside the page."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from ..analysis.curves import curves
from ..runs.channels import Channels
from ..runs.opening import open_run
from .failures import said_of
from .looks import Kind, Look

_ONE_AT_A_TIME = threading.Lock()  # of all pages: a second one would only slow the first down


class _StoppedError(Exception):
    """Somebody looks elsewhere."""


@dataclass
class Replay:
    """How far a replay is, for who asks: its thread touches nothing else, as a page may be gone at any moment.

    Attributes
    ----------
    share : float
        Of the steps that are done, from 0 to 1.
    found : Look or None
        The extremes of all steps, at the end.
    failed : str
        What went wrong; empty where nothing did.
    stopped : threading.Event
        Set where nobody wants it any more.
    """

    share: float = 0.0
    found: Look | None = None
    failed: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)


class Refiner:
    """Replays one span at a time; a new one ends the one before.

    Parameters
    ----------
    path : Path
        The run file, which the thread opens for itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replay = Replay()
        self._thread: threading.Thread | None = None

    def begin(self, channels: Channels, start: int, stop: int, columns: int) -> Replay:
        """Begin to replay every step of a span.

        Parameters
        ----------
        channels : Channels
        start, stop : int
            Steps, ``stop`` not included.
        columns : int
            Of pixels.
        """
        self.stop()
        self._replay = replay = Replay()

        def progress(steps: int, all_steps: int) -> None:
            if replay.stopped.is_set():
                raise _StoppedError
            replay.share = steps / all_steps

        def work() -> None:
            try:
                with _ONE_AT_A_TIME:
                    if replay.stopped.is_set():
                        return
                    with open_run(self._path) as run:
                        found = curves(run, channels, start, stop, progress, points=max(1, columns // 2))
                replay.found = Look(start, stop, Kind.EXTREMES, found)
            except _StoppedError:
                return
            except Exception as error:
                replay.failed = said_of(error)

        # The interpreter's end waits for it: one that died with HDF5's lock would leave that to wait for ever.
        self._thread = threading.Thread(target=work, name="memsim-refine")
        self._thread.start()
        return replay

    def stop(self) -> None:
        """End what is going on; it may take a moment."""
        self._replay.stopped.set()
