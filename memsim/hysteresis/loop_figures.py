"""The figure of a sweep of loops: loops by frequency and by amplitude, area and width over the frequency."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure, save, with_origin
from ..terminal.si import axis_unit, with_prefix
from .fingerprints import NO_AREA
from .loop import Loop
from .loop_sweep import LoopSweep

MARKERS = "os^Dv<>"


def draw(sweep: LoopSweep, path: Path, *, overwrite: bool = False) -> None:
    """Draw a sweep of loops into a file: PNG, SVG or PDF."""
    save(figure_of(sweep), path, overwrite)


def figure_of(sweep: LoopSweep) -> Figure:
    """Draw the loops of the largest amplitude, those of the frequency whose lobes are largest, areas and widths.

    Parameters
    ----------
    sweep : LoopSweep

    Returns
    -------
    matplotlib.figure.Figure
        Four axes.
    """
    figure = new_figure(7.4, 5.9)
    ((by_frequency, by_amplitude), (area, width)) = figure.subplots(2, 2)
    loops, unit = sweep.config.loops, sweep.unit
    largest = loops.all_amplitudes()[-1]
    of_largest = sweep.of_amplitude(largest)
    fullest = max(of_largest, key=lambda loop: loop.relative_area).frequency
    _draw_loops(by_frequency, _some(of_largest), [with_prefix(loop.frequency, "Hz") for loop in _some(of_largest)])
    by_frequency.set_title(f"by frequency, at {with_prefix(largest, unit)}", loc="left", fontsize="medium")
    alike = _some([loop for loop in sweep.loops if loop.frequency == fullest])
    _draw_loops(by_amplitude, alike, [with_prefix(loop.amplitude, unit) for loop in alike])
    by_amplitude.set_title(f"by amplitude, at {with_prefix(fullest, 'Hz')}", loc="left", fontsize="medium")
    _draw_areas(area, sweep)
    _draw_widths(width, sweep)
    model = getattr(sweep.config.device, "model", type(sweep.config.device).__name__)
    figure.suptitle(f"{model} driven by a {sweep.drive}: {loops.waveform}", x=0.01, ha="left", fontsize="large")
    return figure


def _some(loops: Sequence[Loop]) -> list[Loop]:
    """As many loops as there are colours, from the first to the last."""
    numbers = np.unique(np.linspace(0, len(loops) - 1, min(len(loops), len(COLOURS))).round().astype(int))
    return [loops[k] for k in numbers]


def _draw_loops(panel: Axes, loops: Sequence[Loop], names: Sequence[str]) -> None:
    volts, volt = axis_unit(max(float(np.abs(loop.voltage).max()) for loop in loops), "V")
    amperes, ampere = axis_unit(max(float(np.abs(loop.current).max()) for loop in loops), "A")
    for loop, name, colour in zip(loops, names, COLOURS, strict=False):
        panel.plot(loop.voltage * volts, loop.current * amperes, color=colour, linewidth=1.2, label=name)
    with_origin(panel, volt, ampere)
    panel.legend(frameon=False, fontsize="small")


def _curves(sweep: LoopSweep) -> list[tuple[float, str, str]]:
    """Amplitude, colour and marker of each curve over the frequency."""
    amplitudes = sweep.config.loops.all_amplitudes()
    chosen = amplitudes if len(amplitudes) <= len(COLOURS) else amplitudes[-len(COLOURS) :]
    return list(zip(chosen, COLOURS, MARKERS, strict=False))


def _draw_areas(panel: Axes, sweep: LoopSweep) -> None:
    """Areas over the frequency, beside a line that falls as 1/f."""
    for amplitude, colour, marker in _curves(sweep):
        loops = [loop for loop in sweep.of_amplitude(amplitude) if loop.relative_area >= NO_AREA]
        if loops:
            frequency, area = zip(*((loop.frequency, loop.area) for loop in loops), strict=True)
            panel.plot(frequency, area, color=colour, marker=marker, markersize=4, label=_named(sweep, amplitude))
    lines = panel.get_lines()
    if lines:
        x, y = (np.asarray(values, dtype=np.float64) for values in lines[-1].get_data())
        panel.plot(x, y[-1] * x[-1] / x, color="0.6", linewidth=0.9, linestyle="--", zorder=0, label="~ 1/f")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.legend(frameon=False, fontsize="small")
    else:
        panel.text(0.5, 0.5, "no lobe has an area", ha="center", transform=panel.transAxes)
    panel.set_xlabel("frequency (Hz)")
    panel.set_ylabel("area of both lobes (V A)")
    panel.set_title("lobe area", loc="left", fontsize="medium")


def _draw_widths(panel: Axes, sweep: LoopSweep) -> None:
    """Widths over the frequency, and what counts as a line."""
    for amplitude, colour, marker in _curves(sweep):
        loops = [loop for loop in sweep.of_amplitude(amplitude) if loop.width > NO_AREA]
        if loops:
            frequency, width = zip(*((loop.frequency, 100.0 * loop.width) for loop in loops), strict=True)
            panel.plot(frequency, width, color=colour, marker=marker, markersize=4, label=_named(sweep, amplitude))
    tolerance = 100.0 * sweep.config.loops.line_tolerance
    panel.axhline(tolerance, color="0.6", linewidth=0.9, linestyle="--", zorder=0, label=f"tolerance {tolerance:g} %")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("frequency (Hz)")
    panel.set_ylabel(f"width (% of peak {sweep.response})")
    panel.set_title("distance from a single-valued line", loc="left", fontsize="medium")
    panel.legend(frameon=False, fontsize="small")


def _named(sweep: LoopSweep, amplitude: float) -> str:
    return with_prefix(amplitude, sweep.unit)
