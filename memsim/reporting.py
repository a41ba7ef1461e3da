"""How a run went, as the terminal shows it: its margins and its results."""

import math

import numpy as np

from .energy.summary import EnergySummary, summarise
from .proportions import interval
from .runs.description import cost_of_programming, result_of_programming
from .runs.margins import COUNTS, BankMargins
from .runs.run import LEARNED, Run
from .scoring.score_report import Scores, scores_of
from .terminal.screen import Column, Table, describe, numbers, show
from .terminal.si import counted, duration, with_prefix


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
