"""The figure of a drive: I-V loops beside drive, response and state over time."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..figures import COLOURS, new_figure, save, with_origin
from ..terminal.si import axis_unit
from ..traces.drive_file import RESPONSES, UNITS, DriveReader

POINTS = 20_000  # of one curve, at most
LINE_STYLES = ("-", "--", ":", "-.")


class _Rows(NamedTuple):
    """What is drawn of a drive: (rows,), (rows, devices), and state as (rows, devices, variables)."""

    time: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    state: np.ndarray
    stride: int


def draw(trace: DriveReader, path: Path, *, overwrite: bool = False) -> None:
    """Draw a drive into a file.

    Parameters
    ----------
    trace : DriveTrace
    path : Path
        PNG, SVG or PDF.
    overwrite : bool
        Whether a file that exists may be replaced.
    """
    save(figure_of(trace), path, overwrite)


def figure_of(trace: DriveReader) -> Figure:
    """Draw I-V loops, and drive, response and state over time, of the first devices.

    Parameters
    ----------
    trace : DriveTrace

    Returns
    -------
    matplotlib.figure.Figure
        Four axes: the loops, the drive, the response, the state.

    Raises
    ------
    InputError
        The drive has no rows: it was stopped before the first were written.
    """
    if trace.steps == 0:
        raise InputError("the drive has no rows to draw: it was stopped before the first were written")
    rows = _rows(trace)
    figure = new_figure(11.0, 5.6)
    grid = figure.add_gridspec(3, 2, width_ratios=(1.0, 1.15))
    loops = figure.add_subplot(grid[:, 0])
    drive = figure.add_subplot(grid[0, 1])
    response = figure.add_subplot(grid[1, 1], sharex=drive)
    state = figure.add_subplot(grid[2, 1], sharex=drive)
    colours = [COLOURS[device] for device in range(rows.current.shape[1])]
    _draw_loops(loops, rows, colours)
    time, second = _scaled(rows.time, "s")
    for panel, name in ((drive, trace.drive), (response, RESPONSES[trace.drive])):
        _draw_over_time(panel, time, getattr(rows, name), colours, name=name, driven=trace.drive)
    _draw_states(state, time, rows.state, trace.variables, colours)
    for panel in (drive, response):
        panel.tick_params(labelbottom=False)
    state.set_xlabel(f"time ({second})")
    state.set_xlim(0.0, time[-1])
    figure.align_ylabels([drive, response, state])
    handles = loops.get_lines()[: len(colours)]
    names = _legend(trace.labels, len(colours))
    figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 3), frameon=False)
    figure.suptitle(_title(trace, rows), x=0.01, ha="left", fontsize="large")
    return figure


def _rows(trace: DriveReader) -> _Rows:
    """The rows that are drawn: of the first devices, and every so many where there are very many."""
    stride = -(-trace.steps // POINTS)
    state = trace.window("state", stride=stride)
    state = state[:, :, None] if state.ndim == 2 else state
    current, voltage = (trace.window(quantity, stride=stride) for quantity in ("current", "voltage"))
    shown = slice(len(COLOURS))
    return _Rows(trace.time[::stride], current[:, shown], voltage[:, shown], state[:, shown], stride)


def _scaled(values: np.ndarray, unit: str) -> tuple[np.ndarray, str]:
    """Values with an SI prefix that suits them, and their unit."""
    factor, text = axis_unit(float(np.abs(values).max()), unit)
    return values * factor, text


def _draw_loops(panel: Axes, rows: _Rows, colours: list[str]) -> None:
    voltage, volt = _scaled(rows.voltage, "V")
    current, ampere = _scaled(rows.current, "A")
    for device, colour in enumerate(colours):
        panel.plot(voltage[:, device], current[:, device], color=colour, linewidth=1.2)
    with_origin(panel, volt, ampere)
    panel.set_title("current and voltage", loc="left", fontsize="medium")


def _draw_over_time(
    panel: Axes, time: np.ndarray, values: np.ndarray, colours: list[str], *, name: str, driven: str
) -> None:
    scaled, unit = _scaled(values, UNITS[name])
    for device, colour in enumerate(colours):
        panel.plot(time, scaled[:, device], color=colour, linewidth=1.1)
    panel.axhline(0.0, color="0.75", linewidth=0.7, zorder=0)
    panel.set_ylabel(f"{name} ({unit})")
    role = "drive" if name == driven else "response"
    panel.set_title(role, loc="left", fontsize="medium")


def _draw_states(
    panel: Axes, time: np.ndarray, state: np.ndarray, variables: tuple[tuple[str, str], ...], colours: list[str]
) -> None:
    """The state variables that share the first one's unit: by line style, and of one device by colour as well."""
    unit = variables[0][1]
    shown = [v for v, (_, other) in enumerate(variables) if other == unit]
    scaled, unit = _scaled(state[:, :, shown], unit)
    for device, colour in enumerate(colours):
        for v in range(len(shown)):
            style = LINE_STYLES[v % len(LINE_STYLES)]
            own = COLOURS[v % len(COLOURS)] if len(colours) == 1 else colour
            panel.plot(time, scaled[:, device, v], color=own, linestyle=style, linewidth=1.1)
    panel.set_title("state", loc="left", fontsize="medium")
    panel.set_ylabel(f"{variables[0][0] if len(shown) == 1 else 'states'}{f' ({unit})' if unit else ''}")
    if len(shown) > 1:
        names = [variables[v][0] for v in shown]
        panel.legend(
            panel.get_lines()[: len(shown)], names, fontsize="small", frameon=False, ncols=min(len(names), 6),
            loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1,
        )  # fmt: skip


def _legend(labels: tuple[str, ...], shown: int) -> list[str]:
    """What drives each device; with its number where several are driven alike."""
    alike = len(set(labels[:shown])) < shown
    return [f"device {k}: {label}" if alike else label for k, label in enumerate(labels[:shown])]


def _title(trace: DriveReader, rows: _Rows) -> str:
    devices, shown = len(trace.labels), rows.current.shape[1]
    parts = [f"{trace.model} driven by a {trace.drive}"]
    if devices > shown:
        parts.append(f"the first {shown} of {devices} devices")
    if rows.stride > 1:
        parts.append(f"1 of {rows.stride} rows drawn")
    return ", ".join(parts)
