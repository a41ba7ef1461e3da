"""The timing diagram of what is in view: a lane for each bank, its slots in the colours of their phases, its pulses."""

from collections.abc import Mapping, Sequence

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    Range1d,
    Span,
    Title,
)
from bokeh.plotting import figure as new_bokeh_figure

from ..figures import PHASE_COLOURS
from ..runs.channels import Channels
from ..runs.pulses import pulse_table
from ..runs.run import Run
from ..runs.timeline import slot_widths
from .panels import LEFT, STEP_TICKS
from .themes import FAINT, INK, PHASE_OPACITY, Themed

LANE = 54  # pixels of a bank's lane
MOST_SLOTS = 600  # in view that can still be told apart
MOST_PULSES = 3000
LETTER = 7  # pixels that a letter of a phase's name takes
FULL = 0.26  # of a lane's height that the largest pulse reaches, from the middle; above it are the names
Columns = Mapping[str, Sequence[float] | Sequence[str] | np.ndarray]
NO_SLOTS: Columns = {
    "left": [],
    "right": [],
    "colour": [],
    "bank": [],
    "phase": [],
    "layer": [],
    "begin": [],
    "name": [],
}
NO_PULSES: Columns = {
    "left": [], "right": [], "lane": [], "top": [], "device": [], "amplitude": [], "width": [], "charge": [],
    "phase": [],
}  # fmt: skip


def slots_between(run: Run, start: int, stop: int, columns: int) -> Columns:
    """The slots that lie in a span, as columns; none where they are too many to be told apart.

    Parameters
    ----------
    run : Run
    start, stop : int
        Steps, ``stop`` not included.
    columns : int
        Of pixels that the span takes.

    Returns
    -------
    dict
        ``left``, ``right`` (steps, from the first pulse to the last one's end),
        ``colour``, ``bank`` (its place in the network), ``phase``, ``layer``,
        ``name``, which is empty where there is no room for it, and ``begin``,
        where it is written.
    """
    size, slots = run.sample_steps, run.slots
    samples = np.arange(start // size, -(-stop // size))
    if len(samples) * len(slots) > 4 * MOST_SLOTS:
        return NO_SLOTS
    left = (samples[:, None] * size + slots["start"]).ravel()
    right = left + np.tile(slot_widths(slots), len(samples))
    inside = (right > start) & (left < stop)
    if not 0 < inside.sum() <= MOST_SLOTS:
        return NO_SLOTS
    place = np.flatnonzero(inside) % len(slots)
    phases = [name.decode() for name in slots["phase"][place]]
    left, right = left[inside], right[inside]
    begin, end = np.maximum(left, start), np.minimum(right, stop)
    room = (end - begin) * columns / (stop - start) / LETTER
    return {
        "left": left.astype(float), "right": right.astype(float), "colour": [PHASE_COLOURS[name] for name in phases],
        "bank": slots["bank"][place].astype(int), "phase": phases, "layer": slots["layer"][place].astype(int),
        "begin": begin.astype(float),
        "name": [name if letters > len(name) else "" for name, letters in zip(phases, room, strict=True)],
    }  # fmt: skip


def pulses_between(run: Run, channels: Channels, start: int, stop: int) -> Columns:
    """The pulses of the chosen devices in the first chosen realisation, as columns; none where they are too many."""
    table = pulse_table(run, start, stop, channels.banks, channels.realisations[:1])
    theirs = np.zeros(len(table), dtype=bool)
    for bank in channels.banks:
        theirs |= (table["bank"] == bank) & np.isin(table["device"], channels.devices[bank])
    table = table[theirs]
    if not 0 < len(table) <= MOST_PULSES:
        return NO_PULSES
    lane, top = np.empty(len(table)), np.empty(len(table))
    for number, bank in enumerate(channels.banks):
        own = table["bank"] == bank
        if own.any():
            lane[own] = number
            top[own] = number - FULL * table["amplitude"][own] / np.abs(table["amplitude"][own]).max()
    return {
        "left": table["start_step"].astype(float),
        "right": (table["start_step"] + table["width_steps"]).astype(float), "lane": lane, "top": top,
        "device": table["device"].astype(int), "amplitude": table["amplitude"], "width": table["width"],
        "charge": table["charge"], "phase": list(table["phase"]),
    }  # fmt: skip


class TimingDiagram:
    """Lanes for the banks that are shown, as a logic analyser has them.

    Parameters
    ----------
    channels : Channels
    along : Range1d
        The steps that are shown.
    themed : Themed
    """

    def __init__(self, run: Run, channels: Channels, along: Range1d, themed: Themed) -> None:
        self.slots, self.pulses = ColumnDataSource({**NO_SLOTS, "above": [], "below": []}), ColumnDataSource(NO_PULSES)
        self._slots_hint = f"slots appear where {MOST_SLOTS} of them at most are in view"
        self._pulses_hint = "no pulses of these devices, or too many to be drawn; zoom in"
        self._lanes = {run.banks.index(bank): number for number, bank in enumerate(channels.banks)}
        lanes = len(channels.banks)
        self.figure = new_bokeh_figure(
            height=LANE * lanes + 62, sizing_mode="stretch_width", x_range=along, y_range=Range1d(lanes - 0.5, -0.5),
            tools="xpan,xwheel_zoom,reset", active_drag="xpan", active_scroll="xwheel_zoom", toolbar_location=None,
            min_border_left=LEFT,
        )  # fmt: skip
        figure = self.figure
        boxes = figure.quad(
            left="left", right="right", top="above", bottom="below", source=self.slots, fill_color="colour",
            fill_alpha=2.0 * PHASE_OPACITY, line_color=None,
        )  # fmt: skip
        names = figure.text(
            "begin", "above", text="name", source=self.slots, text_baseline="top", text_font_size="10px",
            x_offset=4, y_offset=1,
        )  # fmt: skip
        pulses = figure.quad(
            left="left", right="right", top="top", bottom="lane", source=self.pulses, fill_alpha=0.15,
            line_alpha=0.9,
        )  # fmt: skip
        themed.paint(names.glyph, text_color=INK)
        themed.paint(pulses.glyph, fill_color=INK, line_color=INK)
        for number in range(lanes):
            middle = Span(location=number, dimension="width", line_width=0.6)
            themed.paint(middle, line_color=FAINT)
            figure.add_layout(middle)
        figure.yaxis.ticker = FixedTicker(ticks=list(range(lanes)))
        figure.yaxis.major_label_overrides = dict(enumerate(channels.banks))
        figure.ygrid.visible = False
        figure.add_tools(
            HoverTool(renderers=[pulses], tooltips=[
                ("pulse", "@phase of device @device"), ("amplitude", "@amplitude{0.0000e+0} A"),
                ("width", "@width{0.0000e+0} s"), ("charge", "@charge{0.0000e+0} A s"),
            ]),
            HoverTool(renderers=[boxes], tooltips=[
                ("slot", "@phase, layer @layer"), ("steps", "@left{0} to @right{0}"),
            ]),
        )  # fmt: skip
        figure.xaxis.axis_label = "step"
        figure.xaxis.formatter = CustomJSTickFormatter(code=STEP_TICKS)
        figure.xaxis.ticker = BasicTicker(min_interval=1)
        self._hint = Title(align="center", text_font_style="italic", text_font_size="12px")
        themed.paint(self._hint, text_color=FAINT)
        figure.add_layout(self._hint, "above")

    def show(self, slots: Columns, pulses: Columns) -> None:
        """Draw slots and pulses; slots of banks that are not shown are only in the shading of the other axes."""
        lanes = np.array([self._lanes.get(int(bank), -10) for bank in slots["bank"]], dtype=float)
        self.slots.data = {**slots, "above": lanes - 0.5, "below": lanes + 0.5}
        self.pulses.data = dict(pulses)
        self._hint.visible = len(lanes) == 0 or not len(pulses["left"])
        self._hint.text = self._slots_hint if len(lanes) == 0 else self._pulses_hint
