"""The figures beyond the paper's: all sixteen gates, and functions that one hidden layer fits."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import datasets
from ..figures import COLOURS, new_figure
from ..runs.run import LEARNED
from .gate_rates import MULTI, SINGLE
from .paper_figures import draw_curve
from .runs import Findings
from .settings import ALL_GATES
from .universality import FINER, POINTS_2D, SHOWN, SIZES, TARGETS, FitRun, Target

WITH, WITHOUT = COLOURS[0], COLOURS[1]
LEAST_SHOWN = 1e-3  # of a total error
ERRORS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # along an axis


def gates(found: Findings) -> Figure:
    """Total error over the epochs, a panel a gate, for both perceptrons."""
    figure = new_figure(9.0, 7.6)
    panels = figure.subplots(4, 4, sharex=True, sharey=True)
    for axes, gate in zip(panels.flat, ALL_GATES, strict=True):
        single, multi = found.gates[SINGLE, gate], found.gates[MULTI, gate]
        # The axis ends where nothing is to be seen.
        draw_curve(axes, single, COLOURS[0], "single-layer perceptron", 0.1 * LEAST_SHOWN)
        draw_curve(axes, multi, COLOURS[4], "multilayer perceptron", 0.1 * LEAST_SHOWN)
        axes.axhline(LEARNED, color="0.5", linewidth=1, linestyle=":")
        axes.set_title(gate.lower(), loc="left", fontsize="medium")
        axes.set_title("".join(map(str, datasets.GATES[gate.lower()])), loc="right", family="monospace")
        axes.text(
            0.97, 0.93, f"learned {single.learned} | {multi.learned}",
            transform=axes.transAxes, ha="right", va="top", fontsize="small",
        )  # fmt: skip
        axes.grid(color="0.92")
    panels[0, 0].set_yscale("log")
    panels[0, 0].set_ylim(LEAST_SHOWN, 300.0)
    panels[0, 0].set_xlim(left=0)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    figure.supylabel("total error over an epoch (Eq. 20)", fontsize="medium")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(
        "Gates of two inputs, and their outputs for 00, 01, 10, 11: mean of "
        f"{found.settings.data_sets} × {found.settings.realisations} (band: 10 % to 90 %)\n"
        "How many learned: single-layer | multilayer",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return figure


def universality(found: Findings) -> Figure:
    """Above the fits with ``SHOWN`` nodes, below the error over the number of nodes."""
    figure = new_figure(12.0, 6.4)
    panels = figure.subplots(2, len(TARGETS))
    for (above, below), target in zip(panels.T, TARGETS, strict=True):
        runs = [run for run in found.fits if run.fit.target is target]
        shown = [run for run in runs if run.fit.nodes == SHOWN]
        _draw_fits(above, target, shown)
        above.set_title(target.formula, loc="left", fontsize="medium")
        _draw_errors(below, target, runs)
    panels[0, 0].set_ylabel(f"best fit with {SHOWN} nodes")
    panels[1, 0].set_ylabel("root mean square error")
    curves, floor = panels[0, 0].get_legend_handles_labels()[0], panels[1, 0].get_legend_handles_labels()[0][-1:]
    figure.legend(handles=curves + floor, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(
        f"One hidden layer of node memristors, {found.settings.fit_realisations} realisations "
        f"(line: median; dots: each; hollow: a node met a bound in a READ)",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return figure


def _look(run: FitRun) -> tuple[str, str]:
    return (WITH, "with a threshold") if run.fit.threshold else (WITHOUT, "without")


def _draw_fits(axes: Axes, target: Target, runs: list[FitRun]) -> None:
    """The function of one input; of two inputs the first output along x = y, the second along x = -y."""
    for lines, (colour, label), width in (
        (_lines(target, target.values(target.grid(FINER))), ("0.75", "target"), 5.0),
        *((_lines(target, run.outputs), _look(run), 1.4) for run in runs),
    ):
        for k, (x, y) in enumerate(lines):
            axes.plot(x, y, color=colour, linewidth=width, label=label if k == 0 else "")
    axes.set_xlabel("x" if target.inputs == 1 else "x, along x = y and along x = −y")
    axes.grid(color="0.92")


def _lines(target: Target, values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of x and an output, of values on the finer grid."""
    x = target.grid(FINER)[:, 0]
    if target.inputs == 1:
        return [(x, values[:, 0])]
    side = FINER * POINTS_2D
    along = np.arange(side)
    diagonals = (side * along + along, side * along + along[::-1])
    return [(x[chosen], values[chosen, k]) for k, chosen in enumerate(diagonals)]


def _draw_errors(axes: Axes, target: Target, runs: list[FitRun]) -> None:
    for threshold in (True, False):
        chosen = sorted((run for run in runs if run.fit.threshold is threshold), key=lambda run: run.fit.nodes)
        colour, label = _look(chosen[0])
        nodes = [run.fit.nodes for run in chosen]
        axes.plot(nodes, [run.median for run in chosen], color=colour, linewidth=1.6, label=label)
        for run in chosen:
            for error, bounds in zip(run.error, run.bounds_in_read, strict=True):
                face = "none" if bounds else colour
                axes.plot(run.fit.nodes, error, marker="o", markersize=4, color=colour, markerfacecolor=face)
    axes.axhline(target.floor, color="0.3", linewidth=1, linestyle="--", label="best polynomial of degree 4")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_yticks(ERRORS, [f"{error:g}" for error in ERRORS])
    axes.set_ylim(ERRORS[0], ERRORS[-1])
    axes.minorticks_off()
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.set_xlabel("hidden nodes")
    axes.grid(color="0.92")
