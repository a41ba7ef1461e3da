"""Following a run that is going on, by what its file holds."""

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from ..errors import InputError
from ..runs.run import Run
from ..terminal.preparing import LINE_SECONDS
from ..terminal.screen import Words, console, text_of
from ..terminal.si import clock, counted, duration, with_prefix
from ..terminal.streams import is_unread, say

NUMBERS = 12  # of each bank's states that are shown
BAR_CELLS = 60


@dataclass(frozen=True)
class Look:
    """What a run's file held at one time.

    Attributes
    ----------
    epoch, epochs : int
        Complete, and wanted.
    error : (realisations,) float64
        Of the last complete epoch; empty before the first.
    samples, all_samples : int
        Up to the last keyframe, and of the whole run.
    device_steps : int
        Up to the last commit.
    seconds : float
        That the run had taken by then.
    speed : float
        Device-steps a second between this commit and the one that was seen
        before it; since the run began, where none was.
    age : float
        Seconds since the file was last written.
    states : dict
        Bank to (devices, variables) of one realisation at the last keyframe.
    """

    epoch: int
    epochs: int
    error: np.ndarray
    samples: int
    all_samples: int
    device_steps: int
    seconds: float
    speed: float
    age: float
    states: dict[str, np.ndarray]

    @property
    def seconds_left(self) -> float | None:
        """At the present speed; None before that is known."""
        if self.speed <= 0 or self.samples == 0:
            return None
        return self.device_steps / self.samples * (self.all_samples - self.samples) / self.speed


def look(run: Run, realisation: int, before: Look | None = None) -> Look:
    """What a run's file holds now; ``before`` is what was seen the last time."""
    device_steps, seconds = _totals(run)
    epochs, error = run.config.learning.epochs, run.total_error
    return Look(
        epoch=len(error),
        epochs=epochs,
        error=error[-1] if len(error) else error[:0].ravel(),
        samples=run.samples_done,
        all_samples=epochs * run.samples,
        device_steps=device_steps,
        seconds=seconds,
        speed=_speed(device_steps, seconds, before),
        age=max(0.0, time.time() - run.path.stat().st_mtime) if run.path else 0.0,
        states={bank: run.final_state[bank][..., realisation] for bank in run.banks},
    )


def _totals(run: Run) -> tuple[int, float]:
    """Device-steps and seconds of one commit: a writer may make another between two readings."""
    if not run.stored.has_counters:  # was begun a moment ago
        return 0, 0.0
    while True:
        seconds, device_steps = run.wall_seconds, run.device_steps
        if run.wall_seconds == seconds:
            return device_steps, seconds


def _speed(device_steps: int, seconds: float, before: Look | None) -> float:
    if before is not None and seconds > before.seconds:
        return (device_steps - before.device_steps) / (seconds - before.seconds)
    if before is not None:  # nothing was committed meanwhile
        return before.speed
    return device_steps / seconds if seconds > 0 else 0.0


def looks(run: Run, *, every: float, realisation: int = 0) -> Iterator[Look]:
    """Look at a run again and again, until it has ended or nobody writes it any more."""
    if not 0 <= realisation < run.realisations:
        raise InputError(f"realisation: must be from 0 to {run.realisations - 1} (got {realisation})")
    seen = None
    while True:
        ended = run.finished or not run.live
        seen = look(run, realisation, seen)
        yield seen
        if ended:
            return
        time.sleep(every)


def follow(run: Run, *, every: float = 1.0, realisation: int = 0) -> str:
    """Show a run on the terminal while it goes on; returns how it ended."""
    try:
        _show(run, every, realisation)
    except KeyboardInterrupt:
        return f"no longer watching{'; the run goes on' if run.live else ''}"
    if is_unread():
        return "nobody reads what is shown any more"
    epochs = len(run.total_error)
    if run.finished:
        return (
            f"stopped after {counted(epochs, 'epoch')}" if run.stopped else f"finished after {counted(epochs, 'epoch')}"
        )
    goes_on = f"'memsim run {shlex.quote(str(run.path))} --resume' goes on"
    return f"nobody writes it any more; {epochs} of {run.config.learning.epochs} epochs are complete, and {goes_on}"


def _show(run: Run, every: float, realisation: int) -> None:
    if sys.stdout.isatty():
        with Live(console=console(), auto_refresh=False) as live:
            for seen in looks(run, every=every, realisation=realisation):
                live.update(screen(run, seen, realisation), refresh=True)
        return
    told = -LINE_SECONDS
    last = None
    for seen in looks(run, every=every, realisation=realisation):
        last = seen
        if time.monotonic() - told >= LINE_SECONDS:
            told = time.monotonic()
            say(f"{_results(seen)}  {_pace(seen)}")
            last = None
        if is_unread():
            return
    if last is not None:
        say(f"{_results(last)}  {_pace(last)}")


def _results(seen: Look) -> str:
    error = f"error {seen.error.mean():.4g}" if len(seen.error) else "no epoch is complete yet"
    return f"epoch {seen.epoch:,}/{seen.epochs:,}  {error}"


def _pace(seen: Look) -> str:
    left = "-" if seen.seconds_left is None else clock(seen.seconds_left)
    written = f"written {duration(round(seen.age, 1))} ago" if seen.age >= 0.1 else "written just now"
    return f"{clock(seen.seconds)} elapsed  {left} left  {seen.speed:.2e} device-steps/s  {written}"


def screen(run: Run, seen: Look, realisation: int) -> Group:
    """What is shown of a run on a terminal: results, a bar, the pace, and the newest states."""
    bar = Table.grid()  # ends the bar's line, which the bar itself does not
    bar.add_column(max_width=BAR_CELLS)
    bar.add_row(ProgressBar(total=seen.all_samples, completed=seen.samples))
    title = f"states of realisation {realisation} after {seen.samples:,} samples"
    end = Words("")  # a line of its own for what the terminal shows of Ctrl-C
    return Group(
        Words(_results(seen), "bold"), bar, Words(_pace(seen)), Words(""), Words(title, "bold"), _states(run, seen), end
    )


def _states(run: Run, seen: Look) -> Table:
    """A line for each bank, or several where the terminal is narrow."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for bank, states in seen.states.items():
        units = [unit for _, unit, *_ in run.bank(bank).variables]
        values = [with_prefix(float(x), unit) for device in states for x, unit in zip(device, units, strict=True)]
        more = [f"and {len(values) - NUMBERS:,} more"] if len(values) > NUMBERS else []
        table.add_row(text_of(bank), Columns(list(map(text_of, values[:NUMBERS] + more)), padding=(0, 2)))
    return table
