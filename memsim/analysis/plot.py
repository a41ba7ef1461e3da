"""The figure of a run's trace: any channels over any span, an axis for each bank and quantity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..calibration.bank import BankCalibration
from ..errors import InputError
from ..figures import COLOURS, check_plot_target, new_figure, save
from ..runs.channels import Channel, Channels, unit_of
from ..runs.run import Run
from ..terminal.si import axis_unit
from .curves import Curve, Progress, as_weights, curves, error_curve
from .spans import unit_steps
from .time_axis import TimeAxis, duration, mark_epochs, shade_phases, time_axis

MOST_PANELS = 24
MOST_CURVES = 400  # on all axes
MOST_NAMES = 7  # in the legend of an axis; more curves are named by a sample of them
LABEL_PLACE = -0.06  # of an axis's label, beside its numbers; one place for all, found without measuring texts
FIRST_SAMPLES, FIRST_DEVICES = 3, 8  # shown where nothing is chosen
FIRST_QUANTITIES = ("state", "current")
FORMATS = (".png", ".svg", ".pdf")
NARROW = 0.015  # share of an axis's height below which a band is a line
STEADY = 1e-9  # share of a state's range below which it counts as constant
UNBOUNDED = 1e30  # from the lower to the upper bound of a state that nothing bounds
DECADES = 2  # that an error spans at least where its axis is logarithmic
LONGEST_NAME = 60


@dataclass(frozen=True)
class _Panel:
    """An axis: the channels of one bank and quantity that share a unit, and what their values are multiplied by."""

    bank: str
    quantity: str
    name: str
    unit: str
    channels: tuple[Channel, ...]
    variables: tuple[str, ...]
    weights: bool = False
    span: float = 0.0  # from a state's lower bound to its upper bound, in its unit; 0 where there are none


class FirstLook(NamedTuple):
    """What is drawn where nothing is chosen.

    Attributes
    ----------
    channels : Channels
        With at most the first 8 devices of each bank.
    start, stop : int
        Steps of the first three samples, of the run or of the first window that the file stores.
    window : bool
        Whether they are those of a window.
    """

    channels: Channels
    start: int
    stop: int
    window: bool


def first_look(run: Run, channels: Channels, *, every_device: bool = False) -> FirstLook:
    """What is drawn where nothing is chosen: some devices of each bank, and the first samples.

    Parameters
    ----------
    run : Run
    channels : Channels
    every_device : bool
        Take all devices of ``channels``.
    """
    devices = channels.devices if every_device else {b: d[:FIRST_DEVICES] for b, d in channels.devices.items()}
    windows = [run.trace(bank).selection.windows for bank in channels.banks if bank in run.traced]
    begins = [window[0] for window in windows if window and window[0][0] < run.steps]
    start, end = min(begins) if begins else (0, run.steps)
    stop = min(run.steps, end, start + FIRST_SAMPLES * run.sample_steps)
    return FirstLook(replace(channels, devices=devices), start, stop, bool(begins))


def draw(
    run: Run, channels: Channels, start: int, stop: int, path: Path, *,
    weights: bool = False, error: bool = False, progress: Progress | None = None, overwrite: bool = False,
) -> None:  # fmt: skip
    """Draw channels of a run over a span into a file: PNG, SVG or PDF; see :func:`figure_of`."""
    check_plot_target(path, overwrite, FORMATS)
    save(figure_of(run, channels, start, stop, weights=weights, error=error, progress=progress), path, overwrite)


def figure_of(
    run: Run, channels: Channels, start: int, stop: int, *,
    weights: bool = False, error: bool = False, progress: Progress | None = None,
) -> Figure:  # fmt: skip
    """Draw channels of a run over a span of steps.

    A short span shows every step, from its beginning to its end; a long one
    the smallest and the largest values of a thousand equal parts, as bands.
    Phases are shaded where they can be told apart.

    Parameters
    ----------
    run : Run
    channels : Channels
        As :func:`~memsim.runs.channels.choose` gives them.
    start, stop : int
        Steps from the start of the run, ``stop`` not included.
    weights : bool
        Show states as the weights that they stand for.
    error : bool
        Put the total error of each epoch above, with the span marked.
    progress : function, optional
        Is told the steps that are done, and all of them, where rows have to be read or replayed.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes: the error's where it is asked for, then one for each bank and quantity.

    Raises
    ------
    InputError
        The span is not within the run, or there are more channels than can be seen.
    """
    run.checked_steps(start, stop, field="span")
    panels = _panels(run, channels.at_most(MOST_CURVES, "in a figure"), weights)
    if len(panels) > MOST_PANELS:
        raise InputError(
            f"banks and quantities: at most {MOST_PANELS} axes fit a figure (got {len(panels)}); choose fewer"
        )
    found = curves(run, channels, start, stop, progress)
    figure = new_figure(11.0, 1.3 + 1.35 * (len(panels) + error))
    axes = list(figure.subplots(len(panels) + error, 1, squeeze=False)[:, 0])
    if error:
        _draw_error(axes.pop(0), run, start, stop)
    axis = time_axis(run, start, stop)
    calibration = {bank.name: bank for bank in run.calibration}
    for place, panel in zip(axes, panels, strict=True):
        place.sharex(axes[0])
        place.tick_params(labelbottom=place is axes[-1])
        _draw_panel(place, panel, found, axis, calibration[panel.bank])
    axes[-1].set_xlabel(axis.label)
    axes[-1].set_xlim(0.0, (stop - start) * axis.factor)
    patches = shade_phases([(place, panel.bank) for place, panel in zip(axes, panels, strict=True)], run, axis)
    # Of a whole run the axis of the error has the epochs already.
    mark_epochs(axes, run, axis, numbers=not (error and _is_whole(run, start, stop)))
    if patches:
        figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize="small")
    title = _title(run, channels, found, start, stop)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium", parse_math=False)
    return figure


def _panels(run: Run, channels: Channels, weights: bool) -> list[_Panel]:
    """An axis for each bank, quantity and unit, in the order of the network."""
    grouped: dict[tuple[str, str, str], list[Channel]] = {}
    for channel in channels:
        grouped.setdefault((channel.bank, channel.quantity, unit_of(run, channel)), []).append(channel)
    panels = []
    for (bank, quantity, unit), members in grouped.items():
        variables = tuple(name.replace("_", " ") for name in channels.variables[bank])
        names = {variables[channel.variable] for channel in members if channel.variable is not None}
        name = quantity if quantity != "state" else names.pop() if len(names) == 1 else "states"
        panel = _Panel(bank, quantity, name, unit, tuple(members), variables, span=state_span(run, members))
        if weights and quantity == "state" and name != "learning rate":
            panel = replace(panel, name="weight", unit="1", weights=True)
        panels.append(panel)
    return panels


def state_span(run: Run, members: Sequence[Channel]) -> float:
    """From the lower to the upper bound of the state variable with the widest range; 0 where one has no bounds."""
    bounds = [run.bank(c.bank).variables[c.variable][2:] for c in members if c.variable is not None]
    widest = max((upper - lower for lower, upper in bounds), default=0.0)
    return widest if widest < UNBOUNDED else 0.0


def _draw_panel(
    place: Axes, panel: _Panel, found: dict[Channel, Curve], axis: TimeAxis, calibration: BankCalibration
) -> None:
    shown = [found[channel] for channel in panel.channels]
    if panel.weights:
        shown = [as_weights(curve, calibration) for curve in shown]
        panel = replace(panel, span=calibration.weight_span(panel.span))
    thresholds = calibration.thresholds if panel.quantity == "current" else ()
    levels = [level for threshold in thresholds for level in (-threshold, threshold)]
    low, high = _limits(panel, shown, levels)
    factor, unit = axis_unit(max(-low, high), panel.unit)
    colours = curve_colours(len(shown))
    for curve, colour in zip(shown, colours, strict=True):
        _draw_curve(place, curve, axis, factor, colour, NARROW * (high - low) * factor)
    for level in levels:
        place.axhline(level * factor, color="0.4", linewidth=0.7, linestyle=":")
    place.axhline(0.0, color="0.6", linewidth=0.5, zorder=0.5)
    place.set_ylim(low * factor, high * factor)
    place.set_ylabel(f"{panel.bank}\n{panel.name}{f' ({unit})' if unit else ''}", fontsize="small")
    place.yaxis.set_label_coords(LABEL_PLACE, 0.5)
    place.tick_params(axis="y", labelsize="small")
    place.ticklabel_format(axis="y", scilimits=(-3, 4))
    place.yaxis.get_offset_text().set_fontsize("x-small")
    _name_curves(place, panel, colours)


def _limits(panel: _Panel, shown: Sequence[Curve], levels: Sequence[float]) -> tuple[float, float]:
    """Where an axis begins and ends: about its data, and of currents and voltages about 0 and the levels as well."""
    lows, highs = [float(curve.low.min()) for curve in shown], [float(curve.high.max()) for curve in shown]
    if panel.quantity != "state":
        low, high = min(0.0, *levels, *lows), max(0.0, *levels, *highs)
        margin = 0.12 * (high - low) or 1.0
        return low - margin, high + margin
    low, high = min(lows), max(highs)
    usual = panel.span or max(abs(low), abs(high))
    # Of a state that does not move the last bits are not to fill the axis.
    margin = 0.08 * (high - low) if high - low > STEADY * usual else 0.05 * (usual or 1.0)
    return low - margin, high + margin


def _draw_curve(place: Axes, curve: Curve, axis: TimeAxis, factor: float, colour: object, narrow: float) -> None:
    """A step line; where points have two values, a band, and a step line along what is narrow of it."""
    times = axis.at(curve.edges)
    low, high = (np.append(values, values[-1]) * factor for values in (curve.low, curve.high))
    if curve.low is curve.high:
        place.step(times, low, where="post", color=colour, linewidth=1.1)
        return
    # No part is too flat to be seen.
    middle, half = 0.5 * (low + high), 0.5 * np.maximum(high - low, narrow)
    place.fill_between(times, middle - half, middle + half, step="post", color=colour, alpha=0.4, linewidth=0)
    flat = high - low <= narrow
    if flat.mean() > 0.5:
        place.step(times, np.where(flat, middle, np.nan), where="post", color=colour, linewidth=1.0)


def curve_colours(count: int) -> list[object]:
    """Colours that tell so many curves apart."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return list(colormaps["viridis"](np.linspace(0.0, 0.92, count)))


def _name_curves(place: Axes, panel: _Panel, colours: Sequence[object]) -> None:
    """A legend beside the axis; of many curves it names some, evenly spread."""
    count = len(panel.channels)
    named = np.unique(np.linspace(0, count - 1, min(count, MOST_NAMES)).round().astype(int))
    names = _names(panel)
    handles = [Line2D([], [], color=colours[k], linewidth=1.6, label=names[k]) for k in named]
    title = f"{len(named)} of {count}" if len(named) < count else None
    place.legend(
        handles=handles, title=title, title_fontsize="x-small", fontsize="x-small", frameon=False,
        loc="upper left", bbox_to_anchor=(1.0, 1.04), labelspacing=0.25, handlelength=1.3, borderaxespad=0.2,
    )  # fmt: skip


def _names(panel: _Panel) -> list[str]:
    """What tells the channels of an axis apart."""
    several = [len({channel[k] for channel in panel.channels}) > 1 for k in range(len(Channel._fields))]
    names = []
    for channel in panel.channels:
        parts = [f"device {channel.device}"] if several[2] or not any(several[3:]) else []
        parts += [panel.variables[channel.variable]] if several[3] and channel.variable is not None else []
        parts += [f"realisation {channel.realisation}"] if several[4] else []
        names.append(", ".join(parts))
    return names


def _title(run: Run, channels: Channels, found: dict[Channel, Curve], start: int, stop: int) -> str:
    """Which run, which data, which epochs; below it how long the span is, and what is shown of it."""
    epoch = unit_steps("epochs", run)
    first, last = start // epoch, (stop - 1) // epoch
    name = "run in memory" if run.path is None else shorten(run.path.name, LONGEST_NAME, placeholder="...")
    data = shorten(run.dataset.name, LONGEST_NAME, placeholder="...")
    about = [name, f"data {data}", f"epoch {first}" if first == last else f"epochs {first} to {last}"]
    parts = [f"{stop - start:,} steps ({duration((stop - start) * run.dt)}) from step {start:,}"]
    if len(channels.realisations) == 1:
        parts.append(f"realisation {channels.realisations[0]}")
    curve = next(iter(found.values()))
    if curve.low is not curve.high:
        parts.append(f"bands: smallest to largest of each {round((stop - start) / len(curve.low)):,} steps")
    return f"{', '.join(about)}\n{'; '.join(parts)}"


def _is_whole(run: Run, start: int, stop: int) -> bool:
    return (start, stop) == (0, run.steps)


def _draw_error(place: Axes, run: Run, start: int, stop: int) -> None:
    """Total error of each epoch: mean and range of the realisations; the span that is drawn below is marked."""
    error, epoch = run.total_error, unit_steps("epochs", run)
    if len(error):
        curve = error_curve(run)
        place.stairs(curve.high, curve.epochs, baseline=curve.low, fill=True, color="0.8")
        place.stairs(curve.mean, curve.epochs, color="0.15", linewidth=1.1, baseline=None)
    handles = [Line2D([], [], color="0.15", label="mean"), Line2D([], [], color="0.8", linewidth=5, label="range")]
    if not _is_whole(run, start, stop):
        handles.append(Line2D([], [], color=COLOURS[4], alpha=0.4, linewidth=5, label="drawn below"))
        place.axvspan(start / epoch, stop / epoch, facecolor=COLOURS[4], alpha=0.15, zorder=0)
        for edge in (start, stop):
            place.axvline(edge / epoch, color=COLOURS[4], linewidth=1.2)
    place.set_xlim(0.0, max(run.steps / epoch, len(error)))
    place.xaxis.set_major_locator(MaxNLocator(integer=True))
    scale_errors(place, error)
    place.set_ylabel("total\nerror", fontsize="small")
    place.yaxis.set_label_coords(LABEL_PLACE, 0.5)
    place.set_xlabel("epoch", fontsize="small")
    place.tick_params(labelsize="small")
    place.legend(
        handles=handles, fontsize="x-small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.04),
        labelspacing=0.25, handlelength=1.3, borderaxespad=0.2,
    )  # fmt: skip


def scale_errors(place: Axes, error: np.ndarray) -> None:
    """An axis of errors from 0 on; logarithmic where the errors are decades apart."""
    positive = error[error > 0]
    if positive.size and positive.max() / 10.0**DECADES > positive.min():
        place.set_yscale("log")
        place.set_ylim(0.7 * positive.min(), 1.4 * positive.max())
    else:
        place.set_ylim(bottom=0.0)


def summary(run: Run, channels: Channels, start: int, stop: int) -> str:
    """What a figure shows, in words: span, banks and devices, realisations, quantities."""
    banks = []
    for bank in channels.banks:
        shown, all_devices = len(channels.devices[bank]), run.bank(bank).devices
        banks.append(f"{bank} ({'all' if shown == all_devices else f'{shown} of'} {all_devices})")
    shown = len(channels.realisations)
    lanes = f"realisation {channels.realisations[0]}" if shown == 1 else f"{shown} realisations"
    return (
        f"steps {start} to {stop} of {run.steps} ({duration((stop - start) * run.dt)}); "
        f"{', '.join(channels.quantities)} of devices of {', '.join(banks)}; {lanes} of {run.realisations}"
    )
