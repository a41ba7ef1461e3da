"""How far long work on a run's steps is."""

import sys
import time
from types import TracebackType

from rich.progress import Progress, TaskID, TextColumn

from ..reporting import PLAIN_SECONDS, progress_bar


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
            self._bar = progress_bar(
                TextColumn("{task.fields[unit]} {task.completed:,.0f}/{task.total:,.0f}"),
            )

    def __enter__(self) -> "StepProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar off the terminal, so that lines can be printed; it comes back when there is more to tell."""
        if self._bar and self._task is not None:
            self._bar.stop()
            self._bar.remove_task(self._task)
            self._task = None

    def next(self, doing: str) -> None:
        """Go on with other work, which has a bar of its own."""
        self.clear()
        self._doing, self._begun = doing, time.monotonic()

    def __call__(self, done: int, steps: int, unit: str = "step") -> None:
        """Tell that ``done`` of ``steps`` steps are done."""
        now = time.monotonic()
        if self._bar:
            if self._task is None:
                self._task = self._bar.add_task(self._doing, total=steps, unit=unit)
                self._bar.start()
            self._bar.update(self._task, completed=done, total=steps)
        elif self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            left = (now - self._begun) / max(done, 1) * (steps - done)
            print(f"{self._doing}: {unit} {done:,}/{steps:,}  {left:.0f} s left", file=sys.stderr, flush=True)
