"""The axes of the page: channels that share a unit share one, with the same steps along all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, Range1d, Span, VStrip
from bokeh.plotting import figure as new_bokeh_figure

from ..analysis.curves import Curve, as_weights
from ..analysis.plot import STEADY, state_span
from ..calibration.bank import BankCalibration
from ..runs.channels import Channel, unit_of
from ..runs.run import Run
from ..terminal.si import SCALABLE
from .choice import Choice
from .themes import FAINT, PHASE_OPACITY, Colour, Themed, curve_colours

HEIGHT = 190  # pixels of an axis
BAND = 0.35  # opacity of a band
LEFT = 92  # pixels beside each axis for its numbers, so that steps lie below each other
MARGIN = 0.08  # of the values' range, above and below them
STEP_TICKS = "return window.memsim.counted(tick)"
NO_POINT = [math.nan]  # Bokeh's step areas never end drawing no point at all
TICKS = "return window.memsim.ticks(tick, index, ticks, unit)"


@dataclass(frozen=True)
class Group:
    """Channels that share an axis.

    Attributes
    ----------
    name : str
        Quantity, or the state variable.
    unit : str
    members : tuple of Channel
    calibrations : tuple of BankCalibration or None
        Of each member that is shown as a weight.
    usual : float
        The states' range in the axis's unit; 0 where there is none.
    """

    name: str
    unit: str
    members: tuple[Channel, ...]
    calibrations: tuple[BankCalibration | None, ...]
    usual: float = 0.0


def groups_of(run: Run, choice: Choice) -> list[Group]:
    """An axis for each unit among the chosen channels, states first."""
    of_weights: dict[str, BankCalibration | None] = (
        {bank.name: bank for bank in run.calibration} if choice.weights else {}
    )
    grouped: dict[tuple[bool, str], list[tuple[Channel, BankCalibration | None, str]]] = {}
    ordered = sorted(choice.channels, key=lambda channel: ("state", "current", "voltage").index(channel.quantity))
    for channel in ordered:
        name, unit, calibration = channel.quantity, unit_of(run, channel), None
        if channel.variable is not None:
            name = choice.channels.variables[channel.bank][channel.variable].replace("_", " ")
            if channel.bank in of_weights and name != "learning rate":
                name, unit, calibration = "weight", "1", of_weights[channel.bank]
        grouped.setdefault((channel.variable is not None, unit), []).append((channel, calibration, name))
    found = []
    for (_, unit), members in grouped.items():
        names = list(dict.fromkeys(name for _, _, name in members))
        channels, calibrations = tuple(m[0] for m in members), tuple(m[1] for m in members)
        spans = [(state_span(run, [channel]), calibration) for channel, calibration, _ in members]
        usual = max(calibration.weight_span(span) if calibration else span for span, calibration in spans)
        found.append(Group(", ".join(names), unit, channels, calibrations, usual))
    return found


def names_of(choice: Choice, channels: Sequence[Channel]) -> list[str]:
    """What tells channels apart, in words: ``nodes1 0``, ``memristor 0 rate, realisation 3``."""
    names = []
    for channel in channels:
        name = f"{channel.bank} {channel.device}"
        variables = choice.channels.variables[channel.bank]
        if channel.variable is not None and len(variables) > 1:
            name += f" {variables[channel.variable].replace('_', ' ')}"
        if len(choice.channels.realisations) > 1:
            name += f", realisation {channel.realisation}"
        names.append(name)
    return names


def colours_of(choice: Choice, channels: Sequence[Channel]) -> list[Colour]:
    """A colour for each channel: on all axes the same one for a device, in a realisation."""
    devices = dict.fromkeys((c.bank, c.device, c.realisation) for c in choice.channels)
    known = dict(zip(devices, curve_colours(len(devices)), strict=True))
    found = [known[channel.bank, channel.device, channel.realisation] for channel in channels]
    # Variables of one device would all look alike.
    return found if len(set(found)) == len(found) else curve_colours(len(found))


class Panel:
    """One axis: a curve for each channel, phases behind them, thresholds across.

    Parameters
    ----------
    run : Run
    choice : Choice
    group : Group
    along : Range1d
        The steps that are shown, shared by all axes.
    slots : ColumnDataSource
        Phases in view: ``left``, ``right``, ``colour``.
    themed : Themed
    """

    def __init__(
        self, run: Run, choice: Choice, group: Group, along: Range1d, slots: ColumnDataSource, themed: Themed
    ) -> None:
        self.group = group
        self.names = names_of(choice, group.members)
        self.colours = colours_of(choice, group.members)
        self.sources = [ColumnDataSource(dict.fromkeys(("step", "low", "high"), NO_POINT)) for _ in group.members]
        self._thresholds = _thresholds(run, group)
        self._range = Range1d(0.0, 1.0)
        self._bands: list[Any] = []
        self._lines: list[Any] = []
        self.figure = new_bokeh_figure(
            height=HEIGHT, sizing_mode="stretch_width", x_range=along, y_range=self._range,
            tools="xpan,xwheel_zoom,xbox_zoom,reset", active_drag="xpan", active_scroll="xwheel_zoom",
            toolbar_location=None, output_backend="canvas", min_border_left=LEFT,
        )  # fmt: skip
        self._draw(slots, themed)

    def _draw(self, slots: ColumnDataSource, themed: Themed) -> None:
        figure, group = self.figure, self.group
        shading = VStrip(x0="left", x1="right", fill_color="colour", fill_alpha=PHASE_OPACITY, line_color=None)
        figure.add_glyph(slots, shading, level="underlay")
        for source, colour in zip(self.sources, self.colours, strict=True):
            band = figure.varea_step("step", "low", "high", source=source, step_mode="after", fill_alpha=BAND)
            themed.paint(band.glyph, fill_color=colour)
            self._bands.append(band.glyph)
            for edge in ("low", "high"):
                line = figure.step("step", edge, source=source, mode="after", line_width=1.3)
                themed.paint(line.glyph, line_color=colour)
                self._lines.append(line.glyph)
        for level in self._thresholds:
            threshold = Span(location=level, dimension="width", line_dash="dotted")
            themed.paint(threshold, line_color=FAINT)
            figure.add_layout(threshold)
        # The others stand beside the numbers, with a prefix.
        plain = group.unit != "1" and group.unit not in SCALABLE
        figure.yaxis.axis_label = f"{group.name} ({group.unit})" if plain else group.name
        figure.yaxis.formatter = CustomJSTickFormatter(args={"unit": group.unit}, code=TICKS)
        figure.yaxis.ticker.desired_num_ticks = 5
        figure.below[0].visible = False

    @property
    def columns(self) -> int:
        """Of pixels between the axis's ends; 0 before the browser has told."""
        try:
            return int(self.figure.inner_width)
        except UnsetValueError:
            return 0

    def show(self, curves: Mapping[Channel, Curve], *, sampled: bool = False) -> None:
        """Put points into the curves, and fit the axis to them; ``sampled`` ones are dotted and pale."""
        for band in self._bands:
            band.fill_alpha = 0.4 * BAND if sampled else BAND
        for line in self._lines:
            line.line_dash = [2, 3] if sampled else []
        lows, highs = [], []
        for channel, calibration, source in zip(self.group.members, self.group.calibrations, self.sources, strict=True):
            curve = curves[channel] if calibration is None else as_weights(curves[channel], calibration)
            low, high = curve.low, curve.high
            # A step line goes on to the end of its last point.
            ends = np.append(low, low[-1]), np.append(high, high[-1])
            source.data = {"step": curve.edges.astype(np.float64), "low": ends[0], "high": ends[1]}
            lows.append(low.min())
            highs.append(high.max())
        self._range.start, self._range.end = self._limits(float(min(lows)), float(max(highs)))

    def _limits(self, low: float, high: float) -> tuple[float, float]:
        """Where the axis begins and ends: about its values, and of currents about the thresholds too."""
        if self._thresholds:
            low, high = min(low, *self._thresholds), max(high, *self._thresholds)
        usual = self.group.usual or max(abs(low), abs(high))
        # Of a state that does not move the last bits are not to fill the axis.
        margin = MARGIN * (high - low) if high - low > STEADY * usual else 0.05 * (usual or 1.0)
        return low - margin, high + margin


def _thresholds(run: Run, group: Group) -> tuple[float, ...]:
    """Currents of both signs beyond which states of the axis's banks move."""
    if group.members[0].quantity != "current":
        return ()
    banks = {channel.bank for channel in group.members}
    found = {level for bank in run.calibration if bank.name in banks for level in bank.thresholds}
    return tuple(sorted(sign * level for level in found for sign in (-1, 1)))
