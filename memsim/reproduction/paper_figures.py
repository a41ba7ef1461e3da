"""Figures 3, 4 and 5."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure
from ..runs.run import LEARNED
from .learning_curves import LearningCurves
from .runs import Findings, GateRun, RatePoint

GATE_COLOURS = {"OR": COLOURS[0], "AND": COLOURS[1], "XOR": COLOURS[4]}
# Points that coincide lie within each other: marker, size.
MARKERS = {0.3: ("v", 15.0), 0.5: ("o", 9.0), 0.7: ("^", 3.5)}
QUANTILES = (0.1, 0.9)


def learning_curves(title: str, runs: dict[str, GateRun]) -> Figure:
    """Total error over the epochs, the mean over realisations with its 10 % to 90 % band.

    On the left as the paper has it; on the right on a logarithmic axis, where
    an error that falls and falls is told from one that has come to rest.
    """
    figure = new_figure(10.0, 4.4)
    panels = figure.subplots(1, 2, sharex=True)
    least = min(float(run.total_error[run.total_error > 0].min(initial=np.inf)) for run in runs.values())
    for axes, floor in zip(panels, (0.0, least), strict=True):
        for gate, run in runs.items():
            draw_curve(axes, run, GATE_COLOURS[gate], gate, floor)
        axes.set_xlabel("epoch")
        axes.grid(color="0.9")
    linear, logarithmic = panels
    linear.set_ylabel("total error over an epoch (Eq. 20)")
    linear.set_xlim(left=0)
    linear.set_ylim(bottom=0)
    logarithmic.set_yscale("log")
    logarithmic.axhline(LEARNED, color="0.5", linewidth=1, linestyle=":", label=f"learned: below {LEARNED:g}")
    handles, labels = logarithmic.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    (realisations,) = {run.total_error.shape[1] for run in runs.values()}
    figure.suptitle(f"{title} (mean of {realisations}; band: 10 % to 90 %)", x=0.01, ha="left", fontsize="medium")
    return figure


def draw_curve(axes: Axes, run: LearningCurves, colour: str, label: str, floor: float) -> None:
    """The mean and the band of a total error; what is below the floor, as 0, which has no logarithm, lies at it."""
    epochs = np.arange(1, len(run.total_error) + 1)
    low, mean, high = np.maximum([*np.quantile(run.total_error, QUANTILES, axis=1), run.mean], floor)[[0, 2, 1]]
    axes.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(epochs, mean, color=colour, linewidth=1.8, label=label)


def roc_curves(found: Findings) -> Figure:
    """ROC points after the training of Figure 5, means over realisations with 10 % to 90 % quantiles."""
    runs = figure5_runs(found)
    figure = new_figure(3.1 * len(runs), 4.3)
    panels = figure.subplots(1, len(runs), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, run) in zip(panels, runs.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--", label="random guessing")
        for threshold, point in run.rates.items():
            _draw_point(axes, threshold, point)
        axes.set_title(name, loc="left")
        axes.set_xlabel("false positive rate")
        axes.set_aspect("equal")
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylim(-0.06, 1.06)
        axes.grid(color="0.9")
    panels[0].set_ylabel("true positive rate")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(
        f"After {found.settings.roc_epoch} epochs, on the training set "
        f"(mean of {found.settings.realisations}; bars: 10 % to 90 %)",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return figure


def figure5_runs(found: Findings) -> dict[str, GateRun]:
    """The curves of Figure 5 by name; the balanced data set beside the random one."""
    runs = {"SLP OR": found.single["OR"], "SLP XOR": found.single["XOR"]}
    if found.balanced is not None:
        runs["SLP XOR balanced"] = found.balanced
    runs["MLP XOR"] = found.multi["XOR"]
    return runs


def _draw_point(axes: Axes, threshold: float, point: RatePoint) -> None:
    x, y = float(np.mean(point.false_positive)), float(np.mean(point.true_positive))
    spread_x = np.abs(np.quantile(point.false_positive, QUANTILES) - x)[:, None]
    spread_y = np.abs(np.quantile(point.true_positive, QUANTILES) - y)[:, None]
    colour = COLOURS[(0, 1, 4)[list(MARKERS).index(threshold)]]
    marker, size = MARKERS[threshold]
    axes.errorbar(
        x, y, xerr=spread_x, yerr=spread_y, marker=marker, color=colour, markersize=size, markerfacecolor="none",
        markeredgewidth=1.8, elinewidth=1, capsize=3, linestyle="none", label=f"threshold {threshold}", clip_on=False,
        zorder=3,
    )  # fmt: skip
