"""How far long work on a run's steps is."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..reporting import PLAIN_SECONDS


class StepProgress:
    """A progress bar on a terminal, plain lines elsewhere, nothing when quiet.

    Parameters
    ----------
    doing : str
        What is going on, as ``"exporting"``.
    quiet : bool
    """

    def __init__(self, doing: str, quiet: bool = False) -> None:
        self._doing = doing
        self._begun = self._told = time.monotonic()
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and not self._plain:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("step {task.completed:,.0f}/{task.total:,.0f}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> "StepProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, steps: int) -> None:
        """Tell that ``done`` of ``steps`` steps are done."""
        now = time.monotonic()
        if self._bar:
            if self._task is None:
                self._task = self._bar.add_task(self._doing, total=steps)
                self._bar.start()
            self._bar.update(self._task, completed=done, total=steps)
        elif self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            left = (now - self._begun) / max(done, 1) * (steps - done)
            print(f"{self._doing}: step {done:,}/{steps:,}  {left:.0f} s left", file=sys.stderr, flush=True)
