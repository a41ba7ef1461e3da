"""A pack's run, from wherever it was left to its end; points that cannot work are taken out of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from ..errors import InputError, NotFiniteError
from ..network.assembly import assemble
from ..runs import training
from ..runs.recording import trace_plan
from ..terminal.preparing import Tell, progress_of, told_to
from ..traces import locks
from .folder import Folder
from .packs import Pack

TELL_SECONDS = 0.5  # between words on how far a pack is
LOOK_SECONDS = 0.5  # between looks whether another run still writes the file, asleep: the handler of a signal sets
# ``stop`` in this thread, which must not hold the event's lock
TRIES = 3  # to open the file, which a program that looks into it may keep from that for a moment


class Told(NamedTuple):
    """How far a pack is: its number, complete epochs, device-steps so far, and what is compiled before it begins."""

    pack: int
    epoch: int
    device_steps: int
    compiling: str = ""


class _Teller(training.NoProgress):
    """Tells from time to time how far a pack is."""

    def __init__(self, pack: Pack, tell: Callable[[Told], None]) -> None:
        self._number, self._epochs, self._tell, self._next = pack.number, pack.config.learning.epochs, tell, 0.0

    def start(self) -> None:
        """Nothing is compiled any more."""
        self._tell(Told(self._number, 0, 0))

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        if time.monotonic() >= self._next or epoch == self._epochs:
            self._next = time.monotonic() + TELL_SECONDS
            self._tell(Told(self._number, epoch, device_steps))


def carry_out(pack: Pack, folder: Folder, stop: threading.Event, tell: Callable[[Told], None]) -> bool:
    """Bring a pack's run file to its end, or to where ``stop`` is set.

    It may be called again after any interruption, and on a finished pack: the
    file is taken up where it is, and its lock lets one writer at a time.

    Parameters
    ----------
    pack : Pack
    folder : Folder
    stop : threading.Event
    tell : callable
        Of a :class:`Told`, from time to time.

    Returns
    -------
    bool
        Whether the pack is finished.

    Raises
    ------
    MemsimError
        The file cannot be gone on with, or the disk is full; no fault of a point.
    """
    path, tries = folder.run_file(pack.name), 0
    while kept := folder.kept(pack):
        if stop.is_set():
            return False
        if locks.is_being_written(path):
            time.sleep(LOOK_SECONDS)
            continue
        try:
            teller = _Teller(pack, tell)
            config = pack.configuration(kept)
            with (
                told_to(partial(_compiling, pack, tell)),
                training.run(config, pack.data, out=path, resume=True, progress=teller, stop=stop) as run,
            ):
                return not run.stopped
        except KeyboardInterrupt:  # stopped before it began, or while it made rows again
            return False
        except NotFiniteError as error:
            lost = sorted({kept[lane // pack.config.run.realisations] for lane in error.realisations})
            path.unlink(missing_ok=True)  # before the record: the file holds the points that are lost
            _record(pack, folder, dict.fromkeys(lost, str(error)))
        except (InputError, ArithmeticError):
            unfit, tries = _unfit(pack, kept), tries + 1
            if not unfit and tries == TRIES:
                raise
            if unfit:
                _record(pack, folder, unfit)
            else:  # another run has begun to write the file, or somebody looks into it
                time.sleep(LOOK_SECONDS)
    return True


@contextmanager
def _compiling(pack: Pack, tell: Callable[[Told], None], total: int) -> Iterator[Tell]:
    """Have the sweep tell what a worker compiles."""
    yield lambda name, done: tell(Told(pack.number, 0, 0, progress_of(name, done, total)))


def _unfit(pack: Pack, kept: Sequence[int]) -> dict[int, str]:
    """Points that cannot even be assembled alone, counted within the pack, with their errors."""
    found = {}
    for k in kept:
        try:
            trace_plan(assemble(pack.configuration([k]), pack.data))
        except (InputError, ArithmeticError) as error:
            found[k] = str(error)
    return found


def _record(pack: Pack, folder: Folder, errors: dict[int, str]) -> None:
    failures = folder.failures(pack.name) | {pack.points[k]: text for k, text in errors.items()}
    folder.record_failures(pack.name, dict(sorted(failures.items())))
