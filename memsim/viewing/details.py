"""Two closer looks at what is in view: a device as a loop, and the weights of a layer as an image over time."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColorBar,
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    FixedTicker,
    LinearColorMapper,
)
from bokeh.models import Range1d as Range
from bokeh.plotting import figure as new_bokeh_figure
from matplotlib import colormaps
from matplotlib.colors import to_hex

from ..analysis.weights import weights_of
from ..terminal.si import counted
from .controls import TEXTS
from .looks import Looker
from .panels import LEFT, STEP_TICKS, TICKS
from .themes import CURVES, INK, Themed

LOOP_POINTS = 4000
IMAGE_COLUMNS = 200
IMAGE_ROWS = 512  # devices; of a wider layer the first ones
BALANCED = [to_hex(colormaps["RdBu_r"](k / 255)) for k in range(256)]  # blue below 0, white, red above


@dataclass(frozen=True)
class LoopData:
    """A device's path, V over I.

    Attributes
    ----------
    voltage, current : (points,) float64
        In V and A.
    said : str
        What the points are.
    """

    voltage: np.ndarray
    current: np.ndarray
    said: str


def loop_of(looker: Looker, bank: str, device: int, realisation: int, start: int, stop: int) -> LoopData:
    """The path of a device over a span: each step, or those of whole samples spread evenly over it.

    Parameters
    ----------
    looker : Looker
    bank : str
    device, realisation : int
    start, stop : int
        Steps, ``stop`` not included.
    """
    run = looker.run
    if stop - start <= LOOP_POINTS:
        rows = run.stretch(start, stop, [bank], realisations=[realisation])[bank]
        return LoopData(rows.voltage[:, device, 0], rows.current[:, device, 0], f"each of {stop - start:,} steps")
    size = run.sample_steps
    first, last = -(-start // size), stop // size
    if last <= first:  # samples of more steps than are shown
        stride = -(-(stop - start) // LOOP_POINTS)
        voltage, current = (
            run.window(bank, q, start, stop, stride=stride, devices=[device], realisations=[realisation])[:, 0, 0]
            for q in ("voltage", "current")
        )
        return LoopData(voltage, current, f"every {stride:,}th of {stop - start:,} steps")
    chosen = looker.picks(first, last, max(1, LOOP_POINTS // size))
    parts = list(looker.samples_of(bank, realisation, chosen))
    # Samples lie apart, and no line goes from one to the next.
    gap = [np.nan]
    voltage, current = (
        np.concatenate([part for rows in parts for part in (getattr(rows, q)[:, device, 0], gap)])[:-1]
        for q in ("voltage", "current")
    )
    return LoopData(voltage, current, f"{len(chosen)} whole samples of {last - first:,}, evenly spread")


@dataclass(frozen=True)
class WeightImage:
    """The weights of a bank over a span.

    Attributes
    ----------
    steps : (moments + 1,) float64
        Where each moment's column begins, and where the last one ends.
    weights : (devices, moments) float64
    hidden : int
        Devices that there was no room for.
    """

    steps: np.ndarray
    weights: np.ndarray
    hidden: int


def weight_image(looker: Looker, bank: str, realisation: int, start: int, stop: int) -> WeightImage:
    """Weights at the beginnings of some samples of a span, of one realisation; see :meth:`.looks.Looker.picks`."""
    run = looker.run
    size = run.sample_steps
    first, last = start // size, -(-stop // size)
    samples, states = looker.states_of(bank, realisation, first, last, IMAGE_COLUMNS)
    values = weights_of(run, bank, states)[..., 0]
    steps = np.append(samples * size, last * size).astype(float)
    return WeightImage(steps, values[:, :IMAGE_ROWS].T, max(0, values.shape[1] - IMAGE_ROWS))


class LoopFigure:
    """A device's loop."""

    def __init__(self, themed: Themed) -> None:
        self.source = ColumnDataSource({"current": [], "voltage": []})
        self.figure = new_bokeh_figure(
            height=340, sizing_mode="stretch_width", tools="pan,wheel_zoom,box_zoom,reset", active_scroll="wheel_zoom",
            toolbar_location="right",
        )  # fmt: skip
        self.title = _title()
        self.figure.toolbar.logo = None
        path = self.figure.line("current", "voltage", source=self.source, line_width=1.3)
        points = self.figure.scatter("current", "voltage", source=self.source, size=3)
        themed.paint(path.glyph, line_color=CURVES[0])
        themed.paint(points.glyph, line_color=CURVES[0], fill_color=CURVES[0])
        for axis, name, unit in ((self.figure.xaxis, "current", "A"), (self.figure.yaxis, "voltage", "V")):
            axis.axis_label = name
            axis.formatter = CustomJSTickFormatter(args={"unit": unit}, code=TICKS)
            axis.ticker.desired_num_ticks = 5

    def show(self, data: LoopData, title: str) -> None:
        """Draw a path."""
        self.source.data = {"current": data.current, "voltage": data.voltage}
        self.title.text = f'<p class="where"><b>{html.escape(title)}</b>: {data.said}</p>'


class WeightFigure:
    """The weights of a layer as an image, its columns aligned with the steps of the other axes."""

    def __init__(self, along: Range, themed: Themed) -> None:
        self.source = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.mapper = LinearColorMapper(palette=BALANCED, low=-1, high=1, nan_color="rgba(0,0,0,0)")
        self.figure = new_bokeh_figure(
            height=340, sizing_mode="stretch_width", x_range=along, y_range=Range(0, 1), tools="xpan,xwheel_zoom,reset",
            active_drag="xpan", active_scroll="xwheel_zoom", toolbar_location=None, min_border_left=LEFT,
        )  # fmt: skip
        self.title = _title()
        self.figure.image("image", "x", "y", "dw", "dh", source=self.source, color_mapper=self.mapper)
        bar = ColorBar(
            color_mapper=self.mapper, title="weight", ticker=BasicTicker(desired_num_ticks=5), height=10,
            orientation="horizontal", title_standoff=2, background_fill_color=None,
        )  # fmt: skip
        themed.paint(bar, title_text_color=INK, major_label_text_color=INK)
        self.figure.add_layout(bar, "above")
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = "step", "device"
        self.figure.xaxis.formatter = CustomJSTickFormatter(code=STEP_TICKS)
        self.figure.grid.visible = False

    def show(self, image: WeightImage, title: str, names: Sequence[str]) -> None:
        """Draw an image, 0 in the middle of the colours; ``names`` are of its rows."""
        rows, columns = image.weights.shape
        largest = float(np.nanmax(np.abs(image.weights))) or 1.0
        self.mapper.low, self.mapper.high = -largest, largest
        # A column for each moment, up to the next one.
        self.source.data = {
            "image": list(image.weights.T[:, :, None]), "x": image.steps[:-1], "y": np.zeros(columns),
            "dw": np.diff(image.steps), "dh": np.full(columns, rows),
        }  # fmt: skip
        self.figure.y_range.start, self.figure.y_range.end = rows, 0
        self.figure.yaxis.ticker = FixedTicker(ticks=[k + 0.5 for k in range(0, rows, max(1, rows // 8))])
        self.figure.yaxis.major_label_overrides = {k + 0.5: name for k, name in enumerate(names[:rows])}
        more = f" (the first {rows}; {image.hidden:,} more)" if image.hidden else ""
        self.title.text = f'<p class="where"><b>{html.escape(title)}</b>{more}: {counted(columns, "moment")}</p>'


def _title() -> Div:
    """In HTML, where it has as many lines as it needs."""
    return Div(stylesheets=[TEXTS], sizing_mode="stretch_width")
