"""Both programs' traces over each other, and the residual below."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ..figures import COLOURS, new_figure, save
from ..terminal.si import axis_unit, engineering
from .comparison import TOLERANCE, Compared, Trace

MOST_COLUMNS = 4  # kinds of devices that are drawn


def draw(compared: Compared, path: Path, *, overwrite: bool = False, tolerance: float = TOLERANCE) -> None:
    """Draw of each kind of device the state and the voltage or current that differ most.

    Parameters
    ----------
    compared : Compared
    path : Path
        PNG, SVG or PDF.
    overwrite : bool
        Whether a file that exists may be replaced.
    tolerance : float
        A line in the residual.
    """
    circuit, worst = compared.circuit, compared.worst()
    kinds = circuit.kinds[:MOST_COLUMNS]
    answer = "voltage" if circuit.drive == "current" else "current"
    figure = new_figure(max(5.2, 3.0 * len(kinds)), 5.4)
    grid = figure.subplots(3, len(kinds), squeeze=False, sharex="col", height_ratios=(1.0, 1.0, 0.8))
    factor, second = engineering(circuit.steps * circuit.dt)
    time = np.arange(1, circuit.steps + 1) * circuit.dt * factor
    for column, kind in zip(grid.T, kinds, strict=True):
        state = max((worst[kind.name, v.name] for v in kind.variables), key=lambda trace: np.ptp(trace.memsim))
        shown = state, worst[kind.name, answer]
        for panel, trace in zip(column, shown, strict=False):
            _overlay(panel, time, trace, compared)
        _residuals(column[2], time, shown, tolerance)
        column[0].set_title(f"{kind.name}: {kind.device.title}" if len(kinds) == 1 else kind.name, fontsize=9)
        column[2].set_xlabel(f"time ({second}s)")
        column[2].set_xlim(0.0, time[-1])
    grid[2, 0].set_ylabel("difference / range")
    grid[0, 0].legend(fontsize=7)
    figure.align_ylabels(grid[:, 0])
    save(figure, path, overwrite)


def _overlay(panel: Axes, time: np.ndarray, trace: Trace, compared: Compared) -> None:
    factor, unit = axis_unit(float(np.abs(trace.memsim).max()), trace.unit)
    panel.plot(time, trace.memsim * factor, color=COLOURS[1], linewidth=3.0, label="memsim")
    panel.plot(time, trace.ngspice * factor, color=COLOURS[0], linewidth=0.9, linestyle="--", label="ngspice")
    name = compared.circuit.instances[trace.instance].name
    panel.set_ylabel(f"{name}\n{trace.quantity}{f' ({unit})' if unit else ''}", fontsize=8)


def _residuals(panel: Axes, time: np.ndarray, shown: tuple[Trace, ...], tolerance: float) -> None:
    for trace, colour in zip(shown, (COLOURS[4], COLOURS[2]), strict=True):
        apart = np.abs(trace.ngspice - trace.memsim) / trace.range
        panel.semilogy(time, np.maximum(apart, 1e-12), color=colour, linewidth=0.9, label=trace.quantity)
    panel.axhline(tolerance, color="black", linewidth=0.8, linestyle=":")
    panel.set_ylim(1e-12, max(10 * tolerance, 2 * max(trace.residual for trace in shown)))
    panel.legend(fontsize=7)
