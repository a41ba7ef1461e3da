"""What a run is, how it began and how it ended, in a few words: for a prompt, a notebook and reports."""

import html
from typing import TYPE_CHECKING

import numpy as np

from ..terminal.si import counted, duration, with_prefix
from ..terminal.streams import printable
from ..traces.description import Programming

if TYPE_CHECKING:
    from .run import Run

FAR_OFF = 10.0  # times the error of outputs that are 0: more is no error of a network that learns


def described(run: "Run") -> dict[str, str]:
    """What to tell of a run, by its heading."""
    config, error = run.config, run.total_error
    return {
        "network": config.network.title,
        "devices": ", ".join(dict.fromkeys(bank.device.model for bank in run.calibration if bank.learns)),
        "data": _data(run),
        "epochs": f"{len(error)} of {config.learning.epochs} epochs, {how_it_ended(run)}",
        "total error": f"{error[-1].mean():.4g}{_spread(run)}{_far_off(run)}" if len(error) else "no epoch is complete",
        "file": "in memory" if run.path is None else str(run.path),
    }


def how_it_ended(run: "Run") -> str:
    """How a run ended, or where it is."""
    if run.live:
        return "being written"
    if not run.finished:
        return "not finished"
    if run.stopped:
        return "stopped"
    return "ended early, as no error fell any more" if run.ended_early else "finished"


def in_a_line(run: "Run") -> str:
    """A run in one line."""
    if run.closed:
        return "<Run: closed>"
    *about, error, file = described(run).values()
    return printable(f"<Run: {'; '.join(about)}; total error {error}; {file}>")


def as_html(run: "Run") -> str:
    """A run as a table of a notebook."""
    if run.closed:
        return "<p>Run: closed</p>"
    rows = (
        f"<tr><th>{name}</th><td>{html.escape(printable(value))}</td></tr>" for name, value in described(run).items()
    )
    return f"<table style='text-align: left'><caption>Run</caption>{''.join(rows)}</table>"


def _data(run: "Run") -> str:
    data = run.dataset
    classes = f" of {len(data.classes.names)} classes" if data.classes is not None else ""
    return f"{data.name}: {counted(run.samples, 'sample')}{classes}"


def _far_off(run: "Run") -> str:
    """What is wrong where a network that gave nothing at all would be much nearer to the targets."""
    idle = 0.5 * float(np.sum(run.dataset.targets**2))
    if not run.total_error[-1].mean() > FAR_OFF * idle > 0.0:
        return ""
    return f", far above the {idle:.4g} of outputs that are 0: the inputs or the learning rate may be too large"


def _spread(run: "Run") -> str:
    last = run.total_error[-1]
    if len(last) == 1:
        return ""
    return f" (mean of {len(last)} realisations, {last.min():.3g} to {last.max():.3g})"


def cost_of_programming(programming: Programming) -> str:
    """What writing the starting weights took, in one line."""
    joules, lanes = programming.energy, len(programming.energy)
    of = "" if lanes == 1 else f", mean of {lanes} realisations"
    passes = "1 pass" if programming.passes == 1 else f"{programming.passes} passes"
    return (
        f"the starting weights were written in {passes}: "
        f"{duration(programming.seconds)} and {with_prefix(float(joules.mean()), 'J')}{of}"
    )


def result_of_programming(programming: Programming) -> str:
    """How near the starting weights came to what was to be written, in one line."""
    found = programming.banks.values()
    worst = max(float(each["residual"].max()) for each in found)
    devices = sum(each["residual"].size for each in found)
    missed = sum(int(each["unverified"].sum()) for each in found)
    return (
        f"they are within {worst:.1e} of their ranges; {missed:,} of {counted(devices, 'device')} were not within "
        f"write.tolerance in the last reading"
    )
