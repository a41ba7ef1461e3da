"""The figure of a run's classes: what was taken for what, and the ROC curve of each class."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..figures import MORE_COLOURS, new_figure, save
from .classification import Classification
from .names import MOST_CLASSES, shortened
from .turns import stretches

DASH = 5.0  # widths of a line, that a class's part of one is long that others have too
WIDTH = 1.6  # of a curve
MOST_POINTS = 200_000  # of all curves, where they are looked through for parts that coincide
MIDDLE = 0.5  # share of a row above which its cell is dark
CELL, LINE, LETTER = 0.42, 0.18, 0.075  # inches, of a cell with a number, a line of small text, a letter of it
SMALLEST, LARGEST = 4.0, 8.0  # inches, of a side of the axes


def draw(found: Classification, path: Path, name: str, *, overwrite: bool = False) -> None:
    """Draw confusion and ROC curves into a file; see :func:`figure_of`."""
    save(figure_of(found, name), path, overwrite)


def figure_of(found: Classification, name: str) -> Figure:
    """Confusion matrix on the left, ROC curves of each class against the rest on the right.

    Of more than 12 classes, the matrix is shades without numbers, and the curves have no names.

    Parameters
    ----------
    found : Classification
    name : str
        Of the data set.
    """
    names = shortened(found.classes.names)
    few = len(names) <= MOST_CLASSES
    side = min(max(SMALLEST, len(names) * (CELL if few else LINE)), LARGEST)
    letters = LETTER * max(map(len, names))
    upright = letters > side / len(names)
    figure = new_figure(2.0 * side + letters + 1.5 + few * (letters + 1.3), side + 1.2 + upright * letters)
    figure.set_layout_engine("compressed")  # as constrained, for axes of a fixed aspect
    left, right = figure.subplots(1, 2)
    _draw_confusion(left, found, numbers=few)
    _name_classes(left, names, step=int(np.ceil(len(names) * LINE / side)), upright=upright)
    _draw_curves(right, found, apart=few)
    if few:
        _name_curves(right, found, names)
    figure.suptitle(_title(found, name))
    return figure


def _title(found: Classification, name: str) -> str:
    lanes, accuracy = found.predicted.shape[1], found.accuracy
    spread = "" if lanes == 1 else f", {accuracy.min():.3f} to {accuracy.max():.3f} in {lanes} realisations"
    states = "best epoch" if found.best else "final states"
    (shown,) = shortened([name])
    return f"{shown}, {len(found.true)} {found.part} samples, {states}: accuracy {accuracy.mean():.3f}{spread}"


def _draw_confusion(axes: Axes, found: Classification, *, numbers: bool) -> None:
    """Mean counts over realisations, shaded by their share of the true class."""
    counts = found.confusion.mean(axis=2)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        if numbers and count > 0:
            colour = "white" if shares[row, column] > MIDDLE else "black"
            axes.text(column, row, _count(count), ha="center", va="center", color=colour, fontsize="small")
    what = "samples" if numbers else "share of the true class, white to dark"
    axes.set_title(what if found.predicted.shape[1] == 1 else f"{what}, mean of realisations", fontsize="medium")


def _count(mean: float) -> str:
    """A mean count that a cell has room for."""
    if mean < 0.1:
        return "<0.1"
    return f"{mean:.3g}" if mean < 100 else f"{mean:,.0f}"


def _name_classes(axes: Axes, names: list[str], *, step: int, upright: bool) -> None:
    """Names of classes along both axes, of many each so many-th."""
    places, shown = range(0, len(names), step), names[::step]
    axes.set_xticks(places, shown, rotation=90 if upright else 0, fontsize="small")
    axes.set_yticks(places, shown, fontsize="small")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")


def _draw_curves(axes: Axes, found: Classification, *, apart: bool) -> None:
    """A line for each class and realisation; classes told apart by colours, or all thin in one."""
    areas, lanes = found.auc, found.scores.shape[2]
    numbers = np.flatnonzero(np.isfinite(areas).all(axis=1)).tolist()
    curves = {(number, lane): found.roc(number, lane)[:2] for number in numbers for lane in range(lanes)}
    if apart and sum(len(x) for x, _ in curves.values()) <= MOST_POINTS:
        _draw_in_turns(axes, curves, alpha=max(0.15, 1.0 / lanes))
    else:
        for (number, _), curve in curves.items():
            axes.plot(
                *curve, color=MORE_COLOURS[number if apart else 0], linewidth=WIDTH if apart else 0.5,
                alpha=max(0.15, (1.0 if apart else 0.5) / lanes),
            )  # fmt: skip
    axes.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=0.8, zorder=0)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal", xlim=(-0.02, 1.02))
    axes.set_ylim(-0.02, 1.02)
    known = areas[np.isfinite(areas)]
    spread = f": area {known.mean():.3f}, {known.min():.3f} to {known.max():.3f}" if known.size and not apart else ""
    axes.set_title(f"ROC, each class against the rest{spread}", fontsize="medium")


def _draw_in_turns(axes: Axes, curves: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]], *, alpha: float) -> None:
    """Where curves of some classes coincide, each is drawn in the gaps of the others."""
    for number, (points, sharing) in stretches(curves):
        gaps = len(sharing) - 1
        dashes: Any = (DASH * (len(sharing) - sharing.index(number)), (DASH, DASH * gaps)) if gaps else "-"
        axes.plot(*np.transpose(points), color=MORE_COLOURS[number], linestyle=dashes, linewidth=WIDTH, alpha=alpha)
    axes.text(0.97, 0.03, "where curves coincide,\ntheir colours take turns", ha="right", fontsize="small", color="0.3")


def _name_curves(axes: Axes, found: Classification, names: list[str]) -> None:
    """A legend beside the axes, with each class's mean area."""
    areas = found.auc
    known = np.flatnonzero(np.isfinite(areas).all(axis=1)).tolist()
    lines = [Line2D([], [], color=MORE_COLOURS[number], linewidth=WIDTH) for number in known]
    labels = [f"{name}, area {area.mean():.3f}" for name, area in zip(names, areas, strict=True)]
    axes.legend(
        lines, [labels[number] for number in known], loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
        fontsize="small",
    )  # fmt: skip
