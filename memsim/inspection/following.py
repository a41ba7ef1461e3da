"""Following a run that is going on, by what its file holds."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..errors import InputError
from ..reporting import PLAIN_SECONDS, console
from ..run import Run
from ..si import with_prefix

DEVICES = 6  # of each bank whose states are shown


@dataclass(frozen=True)
class Look:
    """What a run's file held at one time.

    Attributes
    ----------
    epoch, epochs : int
        Complete, and wanted.
    error : (realisations,) float64
        Of the last complete epoch; empty before the first.
    samples : int
        Up to the last keyframe.
    device_steps : int
    seconds : float
        That the run has taken.
    states : dict
        Bank to (devices, variables) of one realisation at the last keyframe.
    """

    epoch: int
    epochs: int
    error: np.ndarray
    samples: int
    device_steps: int
    seconds: float
    states: dict[str, np.ndarray]

    @property
    def speed(self) -> float:
        """Device-steps a second since the run began."""
        return self.device_steps / self.seconds if self.seconds > 0 else 0.0


def look(run: Run, realisation: int) -> Look:
    """What a run's file holds now."""
    error = run.total_error
    return Look(
        len(error),
        run.config.learning.epochs,
        error[-1] if len(error) else error[:0].ravel(),
        run.samples_done,
        run.device_steps,
        run.wall_seconds,
        {bank: run.final_state[bank][..., realisation] for bank in run.banks},
    )


def looks(run: Run, *, every: float, realisation: int = 0) -> Iterator[Look]:
    """Look at a run again and again, until it has ended or nobody writes it any more."""
    if not 0 <= realisation < run.realisations:
        raise InputError(f"--realisation: must be from 0 to {run.realisations - 1} (got {realisation})")
    while True:
        ended = run.finished or not run.live
        yield look(run, realisation)
        if ended:
            return
        time.sleep(every)


def follow(run: Run, *, every: float = 1.0, realisation: int = 0) -> str:
    """Show a run on the terminal while it goes on; returns how it ended."""
    if sys.stdout.isatty():
        with Live(console=console(), auto_refresh=False) as live:
            for seen in looks(run, every=every, realisation=realisation):
                live.update(_screen(run, seen, realisation), refresh=True)
    else:
        told = -PLAIN_SECONDS
        last = None
        for seen in looks(run, every=every, realisation=realisation):
            last = seen
            if time.monotonic() - told >= PLAIN_SECONDS:
                told = time.monotonic()
                print(_line(seen), flush=True)
                last = None
        if last is not None:
            print(_line(last), flush=True)
    epochs = len(run.total_error)
    if run.finished:
        return f"stopped after {epochs} epochs" if run.stopped else f"finished after {epochs} epochs"
    return f"nobody writes it any more; {epochs} epochs are complete, and --resume goes on"


def _line(seen: Look) -> str:
    error = f"error {seen.error.mean():.4g}" if len(seen.error) else "no epoch yet"
    return f"epoch {seen.epoch}/{seen.epochs}  {error}  {seen.speed:.2e} device-steps/s"


def _screen(run: Run, seen: Look, realisation: int) -> Group:
    table = Table("bank", f"newest states of realisation {realisation}", box=None, padding=(0, 2))
    for bank, states in seen.states.items():
        about = run.bank(bank).variables
        values = [with_prefix(float(x), about[v][1]) for device in states[:DEVICES] for v, x in enumerate(device)]
        more = f"  and {len(states) - DEVICES} devices more" if len(states) > DEVICES else ""
        table.add_row(bank, "  ".join(values[: 2 * DEVICES]) + more)
    bar = ProgressBar(total=seen.epochs, completed=seen.epoch, width=60)
    return Group(Text(_line(seen), style="bold"), bar, table)
