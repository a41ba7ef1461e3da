"""Preparing: kernels are compiled before any clock runs, and whoever waits for that is told.

An *observer* is told with what the compiler is busy, and how far it is. It
belongs to the context (:mod:`contextvars`), so that it need not be handed
through everything that may have to compile; without one, stderr has the word.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from threading import Event

from ..errors import StoppedCompilingError
from ..kernels.compiling import Kernel
from . import streams

DOING = "compiling kernels (once)"
LINE_SECONDS = 10.0  # between lines on how far something is, where stderr is no terminal

Tell = Callable[[str, int], None]  # of the kernel that comes next, and how many are there
Observer = Callable[[int], AbstractContextManager[Tell]]  # of how many have to be compiled; left when they are


def prepare(kernels: Iterable[Kernel], stop: Event | None = None) -> None:
    """Have kernels in memory: from the disk, or else compiled in this thread.

    Parameters
    ----------
    kernels : iterable of Kernel
    stop : threading.Event, optional
        Set by another thread, has it stop before the next kernel.

    Raises
    ------
    StoppedCompilingError
        Ctrl-C, or ``stop``.
    """
    try:
        missing = [kernel for kernel in kernels if not kernel.load()]
        if missing:
            with _observer.get()(len(missing)) as tell:
                _compile(missing, tell, stop)
    except KeyboardInterrupt:
        raise StoppedCompilingError from None


def _compile(missing: list[Kernel], tell: Tell, stop: Event | None) -> None:
    """First what no other process is busy with, then what is left: processes that need the same share the work."""
    for wait in (False, True):
        for kernel in [each for each in missing if not each.ready]:
            if stop is not None and stop.is_set():
                raise KeyboardInterrupt
            tell(kernel.name, sum(each.ready for each in missing))
            kernel.compile(wait=wait)


def progress_of(name: str, done: int, total: int) -> str:
    """In a line, which kernel of how many is being compiled."""
    return f"{DOING}  {done + 1}/{total} {name}"


@contextmanager
def on_stderr(total: int) -> Iterator[Tell]:
    """Tell it on stderr: a line that changes and vanishes on a terminal, one every ten seconds elsewhere."""
    if streams.changes_in_place(sys.stderr):
        from .screen import waiting

        with waiting(DOING) as show:
            yield lambda name, done: show(progress_of(name, done, total))
    else:
        yield _lines(streams.tell, total)


def _lines(show: Callable[[str], None], total: int) -> Tell:
    due = 0.0

    def tell(name: str, done: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_SECONDS
            show(progress_of(name, done, total))

    return tell


@contextmanager
def silently(total: int) -> Iterator[Tell]:
    """Show nothing of what is compiled."""
    yield lambda name, done: None


_observer: ContextVar[Observer] = ContextVar("observer", default=on_stderr)


@contextmanager
def told_to(observer: Observer) -> Iterator[None]:
    """Have an observer told of what is compiled within."""
    before = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(before)
