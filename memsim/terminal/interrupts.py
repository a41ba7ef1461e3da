"""Signals that stop a run at its next keyframe, and the exit status that says which it was."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

TERMINATED = 128 + signal.SIGTERM  # exit status, as shells count signals
_seen = ContextVar("signal", default=signal.SIGINT)  # that stopped what goes on


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into a flag; a second one stops at once.

    After that SIGTERM ends the process, as it would any other: where a disk does not answer, neither does the file.
    """
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def stop(number: int, _: Any) -> None:
        _seen.set(signal.Signals(number))
        if flag.is_set():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            raise KeyboardInterrupt
        flag.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def forget() -> None:
    """Take what stops a command from here on for Ctrl-C, until another signal comes."""
    _seen.set(signal.SIGINT)


def status_of_stop() -> int:
    """The exit status of a command that was stopped: 130 by Ctrl-C, 143 by SIGTERM, as shells count signals."""
    return 128 + _seen.get()
