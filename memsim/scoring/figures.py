"""The figure of a run's classes: what was taken for what, and the ROC curve of each class."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure, save
from .classification import Classification

DASHES = ("-", "--", ":")  # told apart where there are more classes than colours
LONGEST_NAME = 16
MIDDLE = 0.5  # share of a row above which its cell is dark


def draw(found: Classification, path: Path, name: str, *, overwrite: bool = False) -> None:
    """Draw confusion and ROC curves into a file; see :func:`figure_of`."""
    save(figure_of(found, name), path, overwrite)


def figure_of(found: Classification, name: str) -> Figure:
    """Confusion matrix on the left, ROC curves of each class against the rest on the right.

    Parameters
    ----------
    found : Classification
    name : str
        Of the data set.

    Raises
    ------
    InputError
        scikit-learn is not installed.
    """
    figure = new_figure(10.0, 4.8)
    left, right = figure.subplots(1, 2)
    _draw_confusion(left, found)
    _draw_curves(right, found)
    lanes, accuracy = found.predicted.shape[1], found.accuracy
    spread = "" if lanes == 1 else f", {accuracy.min():.3f} to {accuracy.max():.3f} in {lanes} realisations"
    states = "best epoch" if found.best else "final states"
    figure.suptitle(
        f"{_short(name)}, {len(found.true)} {found.part} samples, {states}: accuracy {accuracy.mean():.3f}{spread}"
    )
    return figure


def _draw_confusion(axes: Axes, found: Classification) -> None:
    """Mean counts over realisations, shaded by their share of the true class."""
    counts = found.confusion.mean(axis=2)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [_short(name) for name in found.classes.names]
    upright = max(map(len, names)) * len(names) > 40
    axes.set_xticks(range(len(names)), names, rotation=90 if upright else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for (row, column), count in np.ndenumerate(counts):
        if count > 0:
            colour = "white" if shares[row, column] > MIDDLE else "black"
            axes.text(column, row, f"{count:.3g}", ha="center", va="center", color=colour, fontsize="small")
    axes.set_title("samples" if found.predicted.shape[1] == 1 else "samples, mean of realisations", fontsize="medium")


def _draw_curves(axes: Axes, found: Classification) -> None:
    """A line for each class and realisation; the legend has the mean area."""
    lanes = found.predicted.shape[1]
    for number, (name, areas) in enumerate(zip(found.classes.names, found.auc, strict=True)):
        if np.isnan(areas).any():
            continue
        colour, dashes = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
        for lane in range(lanes):
            curve = found.roc(number, lane)
            axes.plot(
                curve.false_positives, curve.true_positives, color=colour, linestyle=dashes, linewidth=1.2,
                alpha=max(0.15, 1.0 / lanes), label=f"{_short(name)}, area {areas.mean():.3f}" if lane == 0 else None,
            )  # fmt: skip
    axes.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=0.8, zorder=0)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal", xlim=(-0.02, 1.02))
    axes.set_ylim(-0.02, 1.02)
    axes.set_title("ROC, each class against the rest", fontsize="medium")
    legend = axes.legend(loc="lower right", fontsize="small")
    for line in legend.get_lines():
        line.set_alpha(1.0)


def _short(name: str) -> str:
    """A name that fits; dollars would begin a formula."""
    name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return name.replace("$", r"\$")
