"""The figure of a run's trace: any channels over any span, an axis for each bank and quantity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..calibration import BankCalibration
from ..errors import InputError
from ..figures import COLOURS, new_figure, save
from ..run import Run
from ..si import axis_unit
from .channels import Channel, Channels
from .curves import POINTS, Curve, Progress, curves
from .spans import unit_steps
from .time_axis import TimeAxis, duration, mark_epochs, shade_phases, time_axis

MOST_PANELS = 24
MOST_CURVES = 400  # on all axes
MOST_NAMES = 7  # in the legend of an axis; more curves are named by a sample of them
LABEL_PLACE = -0.052  # of an axis's label, beside its numbers; one place for all, found without measuring texts
QUANTITY_UNITS = {"current": "A", "voltage": "V"}
FIRST_SAMPLES, FIRST_DEVICES = 3, 8  # shown where nothing is chosen
FIRST_QUANTITIES = ("state", "current")


@dataclass(frozen=True)
class _Panel:
    """An axis: the channels of one bank and quantity that share a unit, and what their values are multiplied by."""

    bank: str
    quantity: str
    name: str
    unit: str
    channels: tuple[Channel, ...]
    variables: tuple[str, ...]
    scale: float = 1.0


def first_look(run: Run, channels: Channels, *, every_device: bool = False) -> tuple[Channels, tuple[int, int]]:
    """What is drawn where nothing is chosen: some devices of each bank, and the first samples.

    Returns
    -------
    Channels
        With at most the first 8 devices of each bank, unless ``every_device``.
    (start, stop) : int
        Steps of the first three samples.
    """
    devices = channels.devices if every_device else {b: d[:FIRST_DEVICES] for b, d in channels.devices.items()}
    return replace(channels, devices=devices), (0, min(run.steps, FIRST_SAMPLES * run.sample_steps))


def draw(
    run: Run, channels: Channels, start: int, stop: int, path: Path, *,
    weights: bool = False, error: bool = False, progress: Progress | None = None, overwrite: bool = False,
) -> None:  # fmt: skip
    """Draw channels of a run over a span into a file: PNG, SVG or PDF; see :func:`figure_of`."""
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
        As :func:`~memsim.inspection.channels.choose` gives them.
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
    if not 0 <= start < stop <= run.steps:
        raise InputError(f"span: must lie within steps 0 to {run.steps} and not be empty (got {start} to {stop})")
    panels = _panels(run, channels, weights)
    _refuse_crowds(channels, panels)
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
    mark_epochs(axes, run, axis)
    if patches:
        figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize="small")
    figure.suptitle(_title(run, channels, found, start, stop), x=0.01, ha="left", fontsize="medium")
    return figure


def _panels(run: Run, channels: Channels, weights: bool) -> list[_Panel]:
    """An axis for each bank, quantity and unit, in the order of the network."""
    of_weights = {bank.name: 1.0 / bank.state_per_weight for bank in run.calibration} if weights else {}
    grouped: dict[tuple[str, str, str], list[Channel]] = {}
    for channel in channels:
        grouped.setdefault((channel.bank, channel.quantity, _unit(run, channel)), []).append(channel)
    panels = []
    for (bank, quantity, unit), members in grouped.items():
        variables = tuple(name.replace("_", " ") for name in channels.variables[bank])
        names = {variables[channel.variable] for channel in members if channel.variable is not None}
        name = quantity if quantity != "state" else names.pop() if len(names) == 1 else "states"
        panel = _Panel(bank, quantity, name, unit, tuple(members), variables)
        if quantity == "state" and bank in of_weights and name != "learning rate":
            panel = replace(panel, name="weight", unit="1", scale=of_weights[bank])
        panels.append(panel)
    return panels


def _unit(run: Run, channel: Channel) -> str:
    if channel.variable is None:
        return QUANTITY_UNITS[channel.quantity]
    return run.bank(channel.bank).variables[channel.variable][1]


def _refuse_crowds(channels: Channels, panels: Sequence[_Panel]) -> None:
    if len(channels) > MOST_CURVES:
        raise InputError(
            f"channels: at most {MOST_CURVES} can be told apart in a figure (got {len(channels)}); "
            "choose fewer banks, devices, realisations or quantities"
        )
    if len(panels) > MOST_PANELS:
        raise InputError(
            f"banks and quantities: at most {MOST_PANELS} axes fit a figure (got {len(panels)}); choose fewer"
        )


def _draw_panel(
    place: Axes, panel: _Panel, found: dict[Channel, Curve], axis: TimeAxis, calibration: BankCalibration
) -> None:
    shown = [found[channel] for channel in panel.channels]
    thresholds = _thresholds(calibration) if panel.quantity == "current" else ()
    levels = [level for threshold in thresholds for level in (-threshold, threshold)]
    low = min(0.0, *levels, *(float(curve.low.min()) for curve in shown)) * panel.scale
    high = max(0.0, *levels, *(float(curve.high.max()) for curve in shown)) * panel.scale
    factor, unit = axis_unit(max(-low, high), panel.unit)
    colours = _colours(len(shown))
    for curve, colour in zip(shown, colours, strict=True):
        _draw_curve(place, curve, axis, panel.scale * factor, colour)
    for level in levels:
        place.axhline(level * factor, color="0.4", linewidth=0.7, linestyle=":")
    place.axhline(0.0, color="0.6", linewidth=0.5, zorder=0.5)
    margin = 0.12 * (high - low) * factor or 1.0
    place.set_ylim(low * factor - margin, high * factor + margin)
    place.set_ylabel(f"{panel.bank}\n{panel.name}{f' ({unit})' if unit else ''}", fontsize="small")
    place.yaxis.set_label_coords(LABEL_PLACE, 0.5)
    place.tick_params(axis="y", labelsize="small")
    _name_curves(place, panel, colours)


def _draw_curve(place: Axes, curve: Curve, axis: TimeAxis, factor: float, colour: object) -> None:
    """A step line; where points have two values, a band between two step lines."""
    times = axis.at(curve.edges)
    low, high = (np.append(values, values[-1]) * factor for values in (curve.low, curve.high))
    if curve.low is curve.high:
        place.step(times, low, where="post", color=colour, linewidth=1.1)
        return
    place.fill_between(times, low, high, step="post", color=colour, alpha=0.3, linewidth=0)
    for values in (low, high):
        place.step(times, values, where="post", color=colour, linewidth=0.7)


def _thresholds(calibration: BankCalibration) -> tuple[float, ...]:
    thresholds = getattr(calibration.device, "thresholds", None) or (calibration.threshold,)
    return tuple(threshold for threshold in thresholds if threshold > 0)


def _colours(count: int) -> list[object]:
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
    parts = [f"{stop - start:,} steps ({duration((stop - start) * run.dt)}) from step {start:,}"]
    if len(channels.realisations) == 1:
        parts.append(f"realisation {channels.realisations[0]}")
    curve = next(iter(found.values()))
    if curve.low is not curve.high:
        parts.append(f"bands: smallest to largest of each {round((stop - start) / len(curve.low)):,} steps")
    return "; ".join(parts)


def _draw_error(place: Axes, run: Run, start: int, stop: int) -> None:
    """Total error of each epoch: mean and range of the realisations; the span that is drawn below is marked."""
    error, epochs = run.total_error, run.steps / unit_steps("epochs", run)
    if len(error):
        first = np.unique(np.linspace(0, len(error), min(POINTS, len(error)) + 1).astype(int))[:-1]
        edges = np.append(first, len(error))
        mean = np.add.reduceat(error.mean(axis=1), first) / np.diff(edges)
        low, high = np.minimum.reduceat(error.min(axis=1), first), np.maximum.reduceat(error.max(axis=1), first)
        place.stairs(high, edges, baseline=low, fill=True, color="0.8")
        place.stairs(mean, edges, color="0.15", linewidth=1.1, baseline=None)
    epoch = unit_steps("epochs", run)
    place.axvspan(start / epoch, stop / epoch, facecolor=COLOURS[4], alpha=0.15, zorder=0)
    for edge in (start, stop):
        place.axvline(edge / epoch, color=COLOURS[4], linewidth=1.2)
    place.set_xlim(0.0, max(epochs, len(error)))
    place.xaxis.set_major_locator(MaxNLocator(integer=True))
    place.set_ylim(bottom=0.0)
    place.set_ylabel("total\nerror", fontsize="small")
    place.yaxis.set_label_coords(LABEL_PLACE, 0.5)
    place.set_xlabel("epoch", fontsize="small")
    place.tick_params(labelsize="small")
    handles = [Line2D([], [], color="0.15", label="mean"), Line2D([], [], color="0.8", linewidth=5, label="range")]
    handles.append(Line2D([], [], color=COLOURS[4], alpha=0.4, linewidth=5, label="drawn below"))
    place.legend(
        handles=handles, fontsize="x-small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.04),
        labelspacing=0.25, handlelength=1.3, borderaxespad=0.2,
    )  # fmt: skip


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
