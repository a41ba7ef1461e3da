"""How far a benchmark is: a bar over its cases on a terminal, a line every ten seconds elsewhere."""

import sys
import time
from types import TracebackType

from ..reporting import PLAIN_SECONDS
from ..terminal.screen import progress_bar
from ..terminal.streams import tell


class CaseProgress:
    """A progress bar over cases.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._plain = not quiet and not sys.stderr.isatty()
        self._told = time.monotonic()
        self._bar = progress_bar(disable=quiet or self._plain)
        self._task = self._bar.add_task("measuring", total=None)

    def __enter__(self) -> "CaseProgress":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int, name: str) -> None:
        """Tell that the case ``name`` begins, after ``done`` of ``total``."""
        self._bar.update(self._task, completed=done, total=total, description=name)
        now = time.monotonic()
        if self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            tell(f"case {done + 1}/{total}: {name}")
