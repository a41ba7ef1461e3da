"""How far long work is: a bar on a terminal or in a notebook, a line every ten seconds elsewhere, or nothing."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rich.progress import TaskID

from . import preparing
from .preparing import Tell, on_stderr, progress_of, silently, told_to
from .screen import progress_bar
from .si import counted
from .streams import changes_in_place, tell

STEPS = ("{task.fields[unit]} {task.completed:,.0f}/{task.total:,.0f}",)


class Progress:
    """How far one piece of work is, for a person.

    It is called with the steps that are done, how many there are, and their
    unit. Work that has more to tell than steps calls :meth:`show`.

    Parameters
    ----------
    doing : str
        What goes on, as ``"exporting"``.
    columns : sequence of str
        Formats of what the bar tells after its share, as ``"error {task.fields[error]}"``.
    speed : str, optional
        Format of the speed.
    quiet : bool
        Show nothing.
    compiling_within : bool
        Tell what is compiled in the bar, as work on several threads needs it; else in the bar's place.
    """

    def __init__(
        self, doing: str, columns: Sequence[str] = STEPS, *, speed: str | None = None, quiet: bool = False,
        compiling_within: bool = False,
    ) -> None:  # fmt: skip
        live = changes_in_place(sys.stderr)
        self._doing = doing
        self._task: TaskID | None = None
        self._bar = progress_bar(*columns, speed=speed) if live and not quiet else None
        self._tells_lines = not live and not quiet
        observer = self._compile_within if compiling_within and self._bar else self._compile
        self._compiling = told_to(silently if quiet else observer)
        self._begun = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._compiling.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._compiling.__exit__(kind, value, at)
        self.clear()

    def __call__(self, done: int, steps: int, unit: str = "step") -> None:
        """Tell that ``done`` of ``steps`` steps are done."""
        left = self.left(max(done, 1), steps - done)
        self.show(done, steps, f"{self._doing}: {unit} {done:,}/{steps:,}  {left}", unit=unit)

    def show(self, done: float, total: float, line: str = "", *, doing: str = "", **fields: Any) -> None:
        """Tell how far the work is.

        Parameters
        ----------
        done, total : float
            What is done, and all of it, in any unit.
        line : str
            What is told where there is no bar, ten seconds after the last line or later; nothing where it is empty.
        doing : str
            What goes on now, where it changes.
        **fields : Any
            What the formats of the columns name.
        """
        self._doing = doing or self._doing
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(self._doing, total=total, **fields)
                self._bar.start()
            self._bar.update(self._task, completed=done, total=total, description=self._doing, **fields)
        elif line and time.monotonic() - self._told >= preparing.LINE_SECONDS:
            self._told = time.monotonic()
            self.say(line)

    def say(self, line: str) -> None:
        """Tell a line at once, where there is no bar."""
        if self._tells_lines:
            tell(line)

    def clear(self) -> None:
        """Take the bar off the terminal, so that lines can be printed; it comes back when there is more to tell."""
        if self._bar is not None and self._task is not None:
            self._bar.stop()
            self._bar.remove_task(self._task)
            self._task = None

    def next(self, doing: str) -> None:
        """Go on with other work, which has a bar and a clock of its own."""
        self.clear()
        self._doing = doing
        self.start_clock()

    def start_clock(self) -> None:
        """Have the time that is left counted from now."""
        self._begun = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds that the clock has run."""
        return time.monotonic() - self._begun

    def left(self, made: float, remaining: float) -> str:
        """In words, the time that the rest takes at the pace of what was made since the clock started."""
        return f"{self.elapsed / made * remaining:.0f} s left" if made else ""

    @contextmanager
    def _compile(self, total: int) -> Iterator[Tell]:
        """Tell in the bar's place what is compiled; the time that is left does not count it."""
        self.clear()
        before = time.monotonic()
        with on_stderr(total) as tell:
            yield tell
        self._begun += time.monotonic() - before

    @contextmanager
    def _compile_within(self, total: int) -> Iterator[Tell]:
        """Tell in the bar what is compiled."""
        yield lambda name, done: self._describe(progress_of(name, done, total))

    def _describe(self, doing: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=doing)


class TrainingProgress:
    """How far a run is: epochs, the error, device-steps a second; a :class:`memsim.runs.training.Progress`.

    Parameters
    ----------
    epochs : int
    quiet : bool
    name : str
        What is being run.

    Attributes
    ----------
    started : bool
        Whether the run has begun: its file is there then.
    """

    def __init__(self, epochs: int, quiet: bool = False, name: str = "training") -> None:
        self._epochs, self._name, self.started = epochs, name, False
        self._first: tuple[int, int] | None = None  # epoch and device-steps of the first update
        self._shown = Progress(
            name, ("{task.completed:.0f}/{task.total:.0f}", "error {task.fields[error]}"),
            speed="{task.fields[speed]}", quiet=quiet,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._shown.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._shown.__exit__(kind, value, at)

    def start(self) -> None:
        """Tell that the run begins; what is refused before has stderr for its one line, and what is compiled."""
        self.started = True
        self._shown.say(f"{self._name}: {counted(self._epochs, 'epoch')}")
        self._shown.show(0, self._epochs, error="-", speed="")

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Tell how far the run is.

        Parameters
        ----------
        epoch : int
            Complete epochs.
        error : float
            Mean total error of the last one.
        device_steps : int
            So far.
        """
        if self._first is None:  # of a run that goes on, the epochs before were made at another time
            self._first = epoch, device_steps
            self._shown.start_clock()
        first_epoch, first_steps = self._first
        steps, seconds = device_steps - first_steps, self._shown.elapsed
        speed = f"{steps / seconds:.2e} device-steps/s" if steps and seconds else ""
        left = self._shown.left(epoch - first_epoch, self._epochs - epoch)
        parts = f"epoch {epoch}/{self._epochs}", f"error {error:.4g}", speed, left
        self._shown.show(epoch, self._epochs, "  ".join(filter(None, parts)), error=f"{error:.4g}", speed=speed)
