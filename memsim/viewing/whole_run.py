"""The whole run above what is in view: its error for each epoch, its weights, and the span that is looked at."""

from dataclasses import dataclass

import numpy as np
from bokeh.core.properties import field
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, FixedTicker, Range1d, RangeTool
from bokeh.plotting import figure as new_bokeh_figure
from matplotlib.ticker import MaxNLocator

from ..analysis.curves import error_curve
from ..analysis.plot import DECADES
from ..analysis.spans import unit_steps
from ..analysis.weights import stored_weights
from ..runs.channels import Channel
from ..runs.run import Run
from .choice import Choice
from .panels import LEFT, NO_POINT, colours_of
from .themes import CURVES, Colour, Themed, curve_colours

POINTS = 500  # of a curve over the whole run; each has a smallest and a largest value
ERROR_HEIGHT, WEIGHTS_HEIGHT = 120, 120
MOST_WEIGHTS = 64  # curves


@dataclass(frozen=True)
class WeightCurves:
    """Weights over the whole run, from the states that the file keeps.

    Attributes
    ----------
    names : tuple of str
    colours : list of Colour
    steps : (moments,) float64
    values : (moments, weights) float64
    """

    names: tuple[str, ...]
    colours: list[Colour]
    steps: np.ndarray
    values: np.ndarray


def weight_curves(run: Run, choice: Choice, points: int = POINTS) -> WeightCurves:
    """Weights of the chosen devices in the first chosen realisation, at ``points`` keyframes at most."""
    lane = choice.channels.realisations[0]
    names: list[str] = []
    devices: list[Channel] = []
    columns: list[np.ndarray] = []
    moments = np.empty(0)
    learning = [bank.name for bank in run.calibration if bank.learns and bank.name in choice.channels.banks]
    banks = learning or choice.channels.banks  # of an activation stage alone what never moves
    for bank in banks:
        moments, weights = stored_weights(run, bank)
        shown = range(weights.shape[1]) if run.bank(bank).devices == 1 else choice.channels.devices[bank]
        for number in shown:
            if len(names) < MOST_WEIGHTS and number < weights.shape[1]:
                names.append(f"{bank} {number}")
                devices.append(Channel(bank, "state", number, 0, lane))
                columns.append(weights[:, number, lane])
    kept = np.unique(np.linspace(0, len(moments) - 1, min(len(moments), points)).round().astype(np.int64))
    steps = moments[kept] * unit_steps("epochs", run)
    several = any(len(run.bank(bank).variables) > 1 for bank in banks)  # weights in one device
    colours = curve_colours(len(names)) if several else colours_of(choice, devices)
    return WeightCurves(tuple(names), colours, steps, np.array([column[kept] for column in columns]).T)


class Overview:
    """The whole run, with a box about the span that is in view; the box is dragged to look elsewhere.

    Parameters
    ----------
    run : Run
    along : Range1d
        The steps that are in view.
    themed : Themed
    """

    def __init__(self, run: Run, along: Range1d, themed: Themed) -> None:
        self.whole = Range1d(0, max(1, run.steps))
        self.error = ColumnDataSource(dict.fromkeys(("step", "mean", "low", "high"), NO_POINT))
        self.weights = ColumnDataSource({"xs": [], "ys": [], "light": [], "dark": []})
        error = run.total_error
        positive = error[error > 0]
        log = bool(positive.size and positive.max() / 10.0**DECADES > positive.min())
        self.error_figure = self._strip(ERROR_HEIGHT, "total error", "log" if log else "linear")
        self.weight_figure = self._strip(WEIGHTS_HEIGHT, "weight", "linear")
        band = self.error_figure.varea_step(
            "step", "low", "high", source=self.error, step_mode="after", fill_alpha=0.25
        )
        mean = self.error_figure.step("step", "mean", source=self.error, mode="after", line_width=1.6)
        weights = self.weight_figure.multi_line("xs", "ys", source=self.weights, line_width=1.3)
        themed.paint(band.glyph, fill_color=CURVES[0])
        themed.paint(mean.glyph, line_color=CURVES[0])
        themed.paint(weights.glyph, line_color=Colour(field("light"), field("dark")))
        for figure in (self.error_figure, self.weight_figure):
            tool = RangeTool(x_range=along)
            tool.overlay.fill_alpha, tool.overlay.line_alpha = 0.18, 1.0
            themed.paint(tool.overlay, fill_color=CURVES[1], line_color=CURVES[1])
            figure.add_tools(tool)
        self._epoch = epoch = unit_steps("epochs", run)
        self.weight_figure.xaxis.formatter = CustomJSTickFormatter(
            args={"epoch": epoch}, code="return window.memsim.epoch(tick, epoch)"
        )
        self.weight_figure.xaxis.axis_label = "epoch"
        self.error_figure.xaxis.visible = False
        self.log = log

    def _strip(self, height: int, label: str, scale: str) -> new_bokeh_figure:
        strip = new_bokeh_figure(
            height=height, sizing_mode="stretch_width", x_range=self.whole, y_axis_type=scale, tools="",
            toolbar_location=None, min_border_left=LEFT,
        )  # fmt: skip
        strip.yaxis.axis_label = label
        strip.yaxis.ticker.desired_num_ticks = 4
        return strip

    def show(self, run: Run, choice: Choice) -> None:
        """Draw what the file holds by now."""
        self.whole.end = max(1, run.steps)
        epochs = MaxNLocator(nbins=8, integer=True).tick_values(0, run.steps / self._epoch)
        self.weight_figure.xaxis.ticker = FixedTicker(ticks=[epoch * self._epoch for epoch in np.asarray(epochs)])
        error = error_curve(run, POINTS)
        if len(error.mean):
            # A step line goes on to the end of its last point.
            mean, low, high = (np.append(values, values[-1]) for values in (error.mean, error.low, error.high))
            self.error.data = {"step": error.epochs * self._epoch, "mean": mean, "low": low, "high": high}
        if self.log:
            self.error_figure.yaxis.ticker = FixedTicker(ticks=_decades(error.low[error.low > 0]))
        weights = weight_curves(run, choice)
        count = len(weights.names)
        self.weights.data = {
            "xs": [weights.steps] * count, "ys": list(weights.values.T),
            "light": [colour.light for colour in weights.colours], "dark": [colour.dark for colour in weights.colours],
        }  # fmt: skip


def _decades(positive: np.ndarray) -> list[float]:
    """A few powers of ten over all values."""
    if len(positive) == 0:
        return []
    first, last = np.floor(np.log10(positive.min())), np.ceil(np.log10(positive.max()))
    return [10.0**power for power in MaxNLocator(nbins=4, integer=True).tick_values(first, last)]
