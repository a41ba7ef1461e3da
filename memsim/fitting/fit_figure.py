"""The figure of a fit: measured and fitted I-V curve, time course, residual."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure, save, with_origin
from ..terminal.si import axis_unit
from .fit_result import Fit

MEASURED, FITTED = "0.45", COLOURS[4]


def draw(fit: Fit, path: Path, *, overwrite: bool = False) -> None:
    """Draw a fit into a file: PNG, SVG or PDF."""
    save(figure_of(fit), path, overwrite)


def figure_of(fit: Fit) -> Figure:
    """Draw the current over the voltage, and drive, response and residual over time.

    Returns
    -------
    matplotlib.figure.Figure
        Four axes.
    """
    figure = new_figure(8.4, 4.6)
    grid = figure.add_gridspec(3, 2, width_ratios=(1.0, 1.25), height_ratios=(1.0, 1.4, 1.0))
    curve = figure.add_subplot(grid[:, 0])
    driven = figure.add_subplot(grid[0, 1])
    response = figure.add_subplot(grid[1, 1], sharex=driven)
    residual = figure.add_subplot(grid[2, 1], sharex=driven)
    seconds, second = axis_unit(float(np.ptp(fit.measurement.time)), "s")
    time = fit.measurement.time * seconds
    _draw_curve(curve, fit)
    _draw_line(driven, time, getattr(fit.measurement, fit.drive), fit.drive, "A" if fit.drive == "current" else "V")
    _draw_response(response, time, fit)
    _draw_line(residual, time, fit.residuals, "residual", fit.unit)
    residual.axhline(0.0, color="0.75", linewidth=0.7, zorder=0)
    residual.set_xlabel(f"time ({second})")
    for panel in (driven, response):
        panel.tick_params(labelbottom=False)
    figure.align_ylabels([driven, response, residual])
    model = getattr(fit.device, "model", type(fit.device).__name__)
    figure.suptitle(
        f"{model} fitted to {fit.measurement.name}: RMS residual {100.0 * fit.relative_rms:.3g} % of the range",
        x=0.01, ha="left", fontsize="large",
    )  # fmt: skip
    return figure


def _draw_curve(panel: Axes, fit: Fit) -> None:
    """Current over voltage."""
    volts, volt = axis_unit(float(np.abs(fit.measurement.voltage).max()), "V")
    amperes, ampere = axis_unit(float(np.abs(fit.measurement.current).max()), "A")
    fitted = {"voltage": fit.measurement.voltage, "current": fit.measurement.current, fit.response: fit.fitted}
    panel.plot(
        fit.measurement.voltage * volts, fit.measurement.current * amperes, color=MEASURED, linestyle="", marker=".",
        markersize=3, label="measured",
    )  # fmt: skip
    panel.plot(fitted["voltage"] * volts, fitted["current"] * amperes, color=FITTED, linewidth=1.2, label="fitted")
    with_origin(panel, volt, ampere)
    panel.legend(frameon=False, fontsize="small")


def _draw_response(panel: Axes, time: np.ndarray, fit: Fit) -> None:
    """Measured and fitted response over time."""
    factor, unit = axis_unit(float(np.abs(fit.measured).max()), fit.unit)
    panel.plot(time, fit.measured * factor, color=MEASURED, linestyle="", marker=".", markersize=3, label="measured")
    panel.plot(time, fit.fitted * factor, color=FITTED, linewidth=1.2, label="fitted")
    panel.set_ylabel(f"{fit.response}\n({unit})")


def _draw_line(panel: Axes, time: np.ndarray, values: np.ndarray, name: str, of: str) -> None:
    factor, unit = axis_unit(float(np.abs(values).max()), of)
    panel.plot(time, values * factor, color=COLOURS[0], linewidth=0.9)
    panel.set_ylabel(f"{name}\n({unit})")
