"""What a person sees of a run on the terminal: progress, margins, results."""

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from .margins import COUNTS, BankMargins
from .run import Run

PLAIN_SECONDS = 10.0  # between lines where the output is no terminal


class TrainingProgress:
    """A progress bar on a terminal, plain lines elsewhere, nothing when quiet.

    Parameters
    ----------
    epochs : int
    quiet : bool
    name : str
        What is being run.
    """

    def __init__(self, epochs: int, quiet: bool = False, name: str = "") -> None:
        self._epochs, self._name = epochs, name
        self._begun = self._told = time.monotonic()
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and not self._plain:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("epoch {task.completed:.0f}/{task.total:.0f}  error {task.fields[error]}"),
                TextColumn("{task.fields[speed]} device-steps/s"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> "TrainingProgress":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self._name or "training", total=self._epochs, error="-", speed="-")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def start(self) -> None:
        """Tell that the run begins; what is refused before has stderr for its one line."""
        if self._plain:
            print(f"{self._name or 'training'}: {self._epochs} epochs", file=sys.stderr, flush=True)

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Tell how far the run is; see :class:`memsim.training.Progress`."""
        now = time.monotonic()
        speed = f"{device_steps / max(now - self._begun, 1e-9):.2e}"
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=epoch, error=f"{error:.4g}", speed=speed)
        elif self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            left = (now - self._begun) / epoch * (self._epochs - epoch)
            line = f"epoch {epoch}/{self._epochs}  error {error:.4g}  {speed} device-steps/s  {left:.0f} s left"
            print(line, file=sys.stderr, flush=True)


def console() -> Console:
    """The terminal, or a file that tables may be as wide as they need in."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)


def margins_table(margins: tuple[BankMargins, ...]) -> Table:
    """Margins of all banks as a table."""
    table = Table(title="Margins", title_justify="left", title_style="bold")
    table.add_column("bank")
    for heading in ("peak state\n/ bound", "peak READ\n/ I_th", "peak WRITE\n/ limit", "restore\nresidual"):
        table.add_column(heading, justify="right")
    table.add_column("counted")
    for bank in margins:
        counted = [f"{number:,} {name.replace('_', ' ')}" for name, number in bank.counts.items() if number]
        table.add_row(
            bank.bank,
            f"{bank.peak_state:.3f}",
            bank.shown_read,
            f"{bank.peak_write:.3f}",
            f"{bank.restore_residual:.1e}",
            ", ".join(counted) or "nothing",
        )
    return table


def show_run(run: Run) -> None:
    """Margins first, then what was learned and what it took."""
    out = console()
    margins = run.margins
    out.print(margins_table(margins))
    for name, meaning in COUNTS.items():
        if any(bank.counts[name] for bank in margins):
            out.print(f"  {name.replace('_', ' ')}: {meaning}", style="dim")
    error = run.total_error
    if len(error) == 0:
        out.print("no epoch is complete")
        return
    energy = sum(float(joules.sum()) for bank in run.energy.values() for joules in bank.values())
    realisations = error.shape[1]
    out.print(
        f"epoch {len(error)}: total error {error[-1].mean():.4g} (mean of {realisations} realisations, "
        f"{error[-1].min():.3g} to {error[-1].max():.3g})"
    )
    out.print(
        f"{run.device_steps:.3g} device-steps in {run.wall_seconds:.2f} s; the hardware would have taken "
        f"{run.simulated_time:.4g} s and {energy / realisations:.3g} J a realisation"
    )


class ReproductionProgress:
    """One bar over many runs on a terminal, a line a run elsewhere; runs may go on side by side.

    Parameters
    ----------
    runs : int
        How many there will be.
    epochs : int
        Of each run.
    quiet : bool
    """

    def __init__(self, runs: int, epochs: int, quiet: bool = False) -> None:
        self._runs, self._begun = runs, 0
        self._plain = not quiet and not sys.stderr.isatty()
        self._lock = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.description:40s}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=quiet or self._plain,
        )
        self._task = self._bar.add_task("compiling kernels (once)", total=float(runs * epochs))

    def __enter__(self) -> "ReproductionProgress":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def run(self, name: str, epochs: int) -> "_OneOfMany":
        """The progress of the next run."""
        with self._lock:
            self._begun += 1
            shown = f"run {self._begun}/{self._runs}: {name}"
        if self._plain:
            sys.stderr.write(f"{shown}\n")
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
