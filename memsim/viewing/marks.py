"""Where epochs and samples begin: lines across all axes, and their numbers above the first one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearAxis, VSpan
from matplotlib.ticker import MaxNLocator

from ..analysis.spans import unit_steps
from ..runs.run import Run
from .themes import FAINT, Themed

MOST = 10  # marks in view, about


@dataclass(frozen=True)
class Marks:
    """Beginnings of epochs, or of samples, that lie in a span.

    Attributes
    ----------
    label : str
        What is counted.
    steps : (marks,) int64
    numbers : (marks,) int64
        Epochs from 0; samples from their epoch's beginning.
    """

    label: str
    steps: np.ndarray
    numbers: np.ndarray


def marks_between(run: Run, start: int, stop: int) -> Marks:
    """A few beginnings of epochs in a span, or of samples where it has less than two epochs."""
    epoch = unit_steps("epochs", run)
    name, size = ("epoch", epoch) if stop - start >= 2 * epoch else ("sample", run.sample_steps)
    ticks = np.asarray(MaxNLocator(nbins=MOST, integer=True).tick_values(start / size, stop / size))
    inside = (ticks >= start / size) & (ticks <= stop / size) & (ticks == np.floor(ticks))
    numbers = ticks[inside].astype(np.int64)
    if name == "epoch":
        return Marks("epoch", numbers * size, numbers)
    first, last = start // epoch, max(start, stop - 1) // epoch
    label = f"sample of epoch {first:,}" if first == last else f"sample of epochs {first:,} and {last:,}"
    return Marks(label, numbers * size, numbers % run.samples)


class MarkLines:
    """The lines, and the axis with their numbers."""

    def __init__(self, figures: list[Any], themed: Themed) -> None:
        self._lines = ColumnDataSource({"x": []})
        self._axis = LinearAxis(
            ticker=FixedTicker(ticks=[]), axis_label_text_font_size="12px", minor_tick_line_color=None
        )
        figures[0].add_layout(self._axis, "above")
        for figure in figures:
            line = VSpan(x="x", line_width=0.8, line_dash=[4, 3])
            themed.paint(line, line_color=FAINT)
            figure.add_glyph(self._lines, line, level="underlay")

    def show(self, marks: Marks) -> None:
        """Draw them."""
        self._lines.data = {"x": marks.steps.astype(float)}
        self._axis.ticker = FixedTicker(ticks=marks.steps.tolist())
        self._axis.major_label_overrides = {
            step: f"{number:,}" for step, number in zip(marks.steps.tolist(), marks.numbers.tolist(), strict=True)
        }
        self._axis.axis_label = marks.label
