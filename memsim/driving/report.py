"""What a person sees of a drive on the terminal: progress, and each device's energy and extremes."""

import sys
import time
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..reporting import PLAIN_SECONDS, console
from ..si import with_prefix
from ..traces.drive_file import RESPONSES, UNITS, DriveReader

SHOWN = 20  # devices in the summary


class DriveProgress:
    """A progress bar on a terminal, plain lines elsewhere, nothing when quiet; called with steps done and in all."""

    def __init__(self, quiet: bool = False) -> None:
        self._begun = self._told = time.monotonic()
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and not self._plain:
            self._bar = Progress(
                TextColumn("driving"),
                BarColumn(),
                TextColumn("step {task.completed:,.0f}/{task.total:,.0f}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> "DriveProgress":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task("driving")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, steps: int) -> None:
        """Tell how far the drive is."""
        now = time.monotonic()
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done, total=steps)
        elif self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            left = (now - self._begun) / done * (steps - done)
            print(f"step {done:,}/{steps:,}  {left:.0f} s left", file=sys.stderr, flush=True)


def show_drive(trace: DriveReader) -> None:
    """What was driven, each device's energy, peaks and bounds, and what the drive left out."""
    out = console()
    devices, duration = len(trace.labels), trace.steps * trace.dt
    out.print(
        f"{devices} {trace.model} device{'s' if devices > 1 else ''} driven by a {trace.drive}, "
        f"{trace.steps:,} steps of {with_prefix(trace.dt, 's')} = {with_prefix(duration, 's')}"
    )
    out.print(_table(trace))
    if devices > SHOWN:
        out.print(f"and {devices - SHOWN} devices more; energy of all: {with_prefix(float(trace.energy.sum()), 'J')}")
    for note in trace.notes:
        out.print(f"note: {note}", markup=False, soft_wrap=True)


def _table(trace: DriveReader) -> Table:
    """A line for each device, and for each of its state variables."""
    response = RESPONSES[trace.drive]
    table = Table("device", "driven by")
    for heading in ("energy", f"largest\n{response}"):
        table.add_column(heading, justify="right")
    for heading in ("state", "from", "to", "end"):
        table.add_column(heading)
    table.add_column("rows at\na bound", justify="right")
    peaks = trace.peak_response
    end = np.reshape(trace.window("state", start=trace.steps - 1)[0], trace.lowest.shape)
    for device in range(min(len(trace.labels), SHOWN)):
        about = [str(device), trace.labels[device], with_prefix(trace.energy[device], "J")]
        about.append(with_prefix(peaks[device], UNITS[response]))
        for v, (name, unit) in enumerate(trace.variables):
            states = (trace.lowest[device, v], trace.highest[device, v], end[device, v])
            bound = f"{trace.rows_at_bound[device, v]:,}"
            table.add_row(*(about if v == 0 else [""] * 4), name, *(with_prefix(x, unit) for x in states), bound)
    return table
