"""What a person sees on the terminal: progress of long work, and margins and results of a run."""

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np
from rich.progress import Progress, TaskID

from .energy.summary import EnergySummary, summarise
from .proportions import interval
from .runs.margins import COUNTS, BankMargins
from .runs.programming_report import cost_of_programming, result_of_programming
from .runs.run import LEARNED, Run
from .scoring.score_report import Scores, scores_of
from .terminal.preparing import Tell, on_stderr, progress_of, silently, told_to
from .terminal.screen import Column, Table, describe, numbers, progress_bar, show
from .terminal.si import counted, duration, with_prefix
from .terminal.streams import tell

PLAIN_SECONDS = 10.0  # between lines where the output is no terminal


class TrainingProgress:
    """A progress bar on a terminal, plain lines elsewhere, nothing when quiet.

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

    def __init__(self, epochs: int, quiet: bool = False, name: str = "") -> None:
        self._epochs, self._name = epochs, name or "training"
        self.started = False
        self._told = time.monotonic()
        self._compiling = told_to(silently if quiet else on_stderr)
        self._first: tuple[float, int, int] | None = None  # time, epoch and device-steps of the first update
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and not self._plain:
            self._bar = progress_bar(
                "{task.completed:.0f}/{task.total:.0f}", "error {task.fields[error]}", speed="{task.fields[speed]}"
            )

    def __enter__(self) -> "TrainingProgress":
        self._compiling.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._compiling.__exit__(kind, value, at)
        if self._bar:
            self._bar.stop()

    def start(self) -> None:
        """Tell that the run begins; what is refused before has stderr for its one line, and what is compiled."""
        self.started, self._told = True, time.monotonic()
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=self._epochs, error="-", speed="")
        if self._plain:
            tell(f"{self._name}: {counted(self._epochs, 'epoch')}")

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Tell how far the run is; see :class:`memsim.runs.training.Progress`."""
        now = time.monotonic()
        if self._first is None:  # of a run that goes on, the epochs before were made at another time
            self._first = now, epoch, device_steps
        if self._bar and self._task is not None:
            speed, _ = self._pace(now, epoch, device_steps)
            self._bar.update(self._task, completed=epoch, error=f"{error:.4g}", speed=speed)
        elif self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            parts = (f"epoch {epoch}/{self._epochs}", f"error {error:.4g}", *self._pace(now, epoch, device_steps))
            tell("  ".join(filter(None, parts)))

    def _pace(self, now: float, epoch: int, device_steps: int) -> tuple[str, str]:
        """Speed and time left; empty before there are two updates to tell them from."""
        begun, first_epoch, first_steps = self._first or (now, epoch, device_steps)
        if epoch == first_epoch or now <= begun:
            return "", ""
        left = (now - begun) / (epoch - first_epoch) * (self._epochs - epoch)
        return f"{(device_steps - first_steps) / (now - begun):.2e} device-steps/s", f"{left:.0f} s left"


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
        self._compiling = told_to(silently if quiet else self._compile)
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and not self._plain:
            self._bar = progress_bar("{task.fields[unit]} {task.completed:,.0f}/{task.total:,.0f}")

    def __enter__(self) -> "StepProgress":
        self._compiling.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._compiling.__exit__(kind, value, at)
        self.clear()

    @contextmanager
    def _compile(self, total: int) -> Iterator[Tell]:
        """Tell what is compiled in the bar's place; the time that is left does not count it."""
        self.clear()
        before = time.monotonic()
        with on_stderr(total) as tell:
            yield tell
        self._begun += time.monotonic() - before

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
            tell(f"{self._doing}: {unit} {done:,}/{steps:,}  {left:.0f} s left")


def margins_table(margins: tuple[BankMargins, ...]) -> Table:
    """Margins of all banks as a table."""
    headings = ("peak state\n/ bound", "peak READ\n/ I_th", "peak WRITE\n/ limit", "restore\nresidual")
    table = Table("bank", *numbers(*headings), Column("counted", words=True), title="Margins")
    for bank in margins:
        found = [_of_count(name, number) for name, number in bank.counts.items() if number]
        table.row(
            bank.bank,
            f"{bank.peak_state:.3f}",
            bank.shown_read,
            f"{bank.peak_write:.3f}",
            f"{bank.restore_residual:.1e}",
            ", ".join(found) or "nothing",
        )
    return table


def _of_count(name: str, number: int) -> str:
    """A count of the margins: ``1 bound in read``, ``37,976 shortened writes``."""
    one = name.replace("bounds_", "bound_").removesuffix("s")
    return f"{number:,} {(one if number == 1 else name).replace('_', ' ')}"


def show_run(run: Run, error: np.ndarray | None = None) -> None:
    """Margins first, then what was learned and what it took.

    Parameters
    ----------
    run : Run
    error : (epochs, realisations) float64, optional
        The run's total error; what was read of it before, of a run that goes on.
    """
    margins = run.margins
    show(margins_table(margins))
    for name, meaning in COUNTS.items():
        if any(bank.counts[name] for bank in margins):
            describe(f"  {name.replace('_', ' ')}: {meaning}", style="dim")
    if run.programming is not None:
        describe(f"{cost_of_programming(run.programming)}; {result_of_programming(run.programming)}")
    error = run.total_error if error is None else error
    if len(error) == 0:
        describe("no epoch is complete")
        return
    realisations = error.shape[1]
    spread = "" if realisations == 1 else f" (mean of {realisations} realisations, {_span_of(error[-1])})"
    describe(f"epoch {len(error)}: total error {error[-1].mean():.4g}{spread}")
    if run.best_state:
        describe(_best_of(run))
    scores = scores_of(run)
    scores.show()
    if run.ended_early:
        describe(f"ended early: {counted(run.config.learning.patience, 'epoch')} brought no lower error")
    energy = summarise(run)
    joules = 0.0 if energy is None else energy.sample_energy * energy.samples
    describe(
        f"{run.device_steps:.3g} device-steps in {duration(run.wall_seconds)}; the hardware would have taken "
        f"{duration(run.simulated_time)} and {with_prefix(joules, 'J')} a realisation"
    )
    if energy is not None:
        describe(_energy_of(energy))
    describe(_learned(scores, error[-1]), style="bold")


def _learned(scores: Scores, error: np.ndarray) -> str:
    """How a run went, and what that means: its accuracy where it has classes, or else how many realisations learned."""
    if scores.accuracy:
        return f"{scores.accuracy}; right is a sample whose class has the largest output"
    learned, all_of_them = int((error < LEARNED).sum()), len(error)
    rate = f" (95 % interval: {interval(learned, all_of_them)})" if all_of_them > 1 else ""
    how_many = f"learned {learned:,} of {counted(all_of_them, 'realisation')}{rate}"
    return f"{how_many}; learned is a total error under {LEARNED:g} in the last epoch"


def _best_of(run: Run) -> str:
    """The lowest error of each realisation, and where it was."""
    error, epochs = run.best_error, run.best_epoch + 1
    kind = "validation error" if run.stored.is_validated else "total error"
    first, last = epochs.min(), epochs.max()
    where = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    spread = "" if len(error) == 1 else f" (mean of {len(error)} realisations, {_span_of(error)})"
    return f"best {kind} {error.mean():.4g}{spread} in {where}"


def _energy_of(energy: EnergySummary) -> str:
    """Energy and time of a sample, and the shares of reading and writing, in one line."""
    share = energy.read_share
    shares = "" if math.isnan(share) else f" (reading {share:.0%}, writing {1.0 - share:.0%})"
    joules, seconds = with_prefix(energy.sample_energy, "J"), with_prefix(energy.sample_time, "s")
    return f"a sample takes {joules}{shares} and {seconds} of hardware time"


def _span_of(values: np.ndarray) -> str:
    return f"{values.min():.3g} to {values.max():.3g}"


class ReproductionProgress:
    """One bar over many runs on a terminal, a line a run elsewhere; runs may go on side by side.

    Parameters
    ----------
    runs : int
        How many there will be.
    epochs : int
        Of all runs together.
    quiet : bool
    """

    def __init__(self, runs: int, epochs: int, quiet: bool = False) -> None:
        self._runs, self._begun = runs, 0
        self._plain = not quiet and not sys.stderr.isatty()
        self._lock = threading.Lock()
        self._bar = progress_bar(disable=quiet or self._plain)
        self._task = self._bar.add_task("reproducing", total=float(epochs))
        observer = on_stderr if self._plain else self._compile
        self._compiling = told_to(silently if quiet else observer)

    def __enter__(self) -> "ReproductionProgress":
        self._compiling.__enter__()
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._compiling.__exit__(kind, value, at)
        self._bar.stop()

    @contextmanager
    def _compile(self, total: int) -> Iterator[Tell]:
        """Tell in the bar what is compiled."""
        yield lambda name, done: self._bar.update(self._task, description=progress_of(name, done, total))

    def run(self, name: str, epochs: int) -> "_OneOfMany":
        """The progress of the next run."""
        with self._lock:
            self._begun += 1
            shown = f"run {self._begun}/{self._runs}: {name}"
        if self._plain:
            tell(shown)
        return _OneOfMany(self._bar, self._task, shown)


class _OneOfMany:
    """A run's share of the bar over many."""

    def __init__(self, bar: Progress, task: TaskID, shown: str) -> None:
        self._bar, self._task, self._shown, self._told = bar, task, shown, 0

    def start(self) -> None:
        """The first update shows the run."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Tell how far the run is."""
        self._bar.update(self._task, advance=epoch - self._told, description=self._shown)
        self._told = epoch
