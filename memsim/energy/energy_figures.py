"""Figures of energy: read against write of each bank, energy over the epochs, and energy over the width of pulses."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..figures import COLOURS, PHASE_COLOURS, new_figure, save
from ..kernels.slots import Phase
from ..runs.run import Run
from ..terminal.si import axis_unit
from .summary import EnergySummary
from .widths import AtWidth

PHASES = (Phase.READ, Phase.RESTORE, Phase.BACKREAD, Phase.WRITE)


def draw(run: Run, summary: EnergySummary, path: Path, *, widths: Sequence[AtWidth] = (), overwrite: bool) -> None:
    """Draw it into a file; see :func:`figure_of`."""
    save(figure_of(run, summary, widths), path, overwrite)


def figure_of(run: Run, summary: EnergySummary, widths: Sequence[AtWidth] = ()) -> Figure:
    """Phases of each bank, epochs, and widths where there are any."""
    panels = 3 if widths else 2
    figure = new_figure(4.8 * panels, 4.1)
    axes = figure.subplots(1, panels)
    _draw_banks(axes[0], summary)
    _draw_epochs(axes[1], run)
    if widths:
        _draw_widths(axes[2], widths)
    return figure


def _draw_banks(ax, summary: EnergySummary) -> None:  # type: ignore[no-untyped-def]
    """Bars of each bank and phase, a sample."""
    mean = summary.joules.mean(axis=-1)
    factor, unit = axis_unit(float(np.abs(mean).max()), "J")
    places, width = np.arange(len(summary.banks)), 0.8 / len(PHASES)
    for k, phase in enumerate(PHASES):
        shift = (k - 0.5 * (len(PHASES) - 1)) * width
        ax.bar(places + shift, factor * mean[:, phase], width, color=PHASE_COLOURS[phase.name], label=phase.name)
    ax.axhline(0.0, color="black", linewidth=0.6)
    ax.set_xticks(places, summary.banks)
    ax.set_ylabel(f"energy a sample ({unit})")
    ax.set_title("each bank and phase")
    _name(ax)


def _draw_epochs(ax, run: Run) -> None:  # type: ignore[no-untyped-def]
    """Energy a sample over the epochs of each bank: mean, and from the smallest to the largest realisation."""
    per_bank = {bank: run.epoch_energy[bank].sum(axis=1) / run.samples for bank in run.banks}
    factor, unit = axis_unit(max(float(np.abs(values).max()) for values in per_bank.values()), "J")
    for colour, (bank, values) in zip(COLOURS * 8, per_bank.items(), strict=False):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, factor * values.mean(axis=1), color=colour, label=bank, linewidth=1.2)
        ax.fill_between(
            epochs, factor * values.min(axis=1), factor * values.max(axis=1), color=colour, alpha=0.15, linewidth=0
        )
    ax.axhline(0.0, color="black", linewidth=0.6)
    ax.set_xlabel("epoch")
    ax.set_ylabel(f"energy a sample ({unit})")
    ax.set_title("mean, and all realisations" if run.realisations > 1 else "over the epochs")
    _name(ax)


def _draw_widths(ax, widths: Sequence[AtWidth]) -> None:  # type: ignore[no-untyped-def]
    """Reading and writing over the width, both axes logarithmic, with the slopes of 1/T and T through the middle."""
    times = np.array([each.width for each in widths])
    order = np.argsort(times)
    times = times[order]
    series = {
        "reading": np.abs([float(widths[k].energy.read.sum()) for k in order]),
        "writing": np.abs([float(widths[k].energy.write.sum()) for k in order]),
    }
    scale, time_unit = axis_unit(float(times.max()), "s")
    factor, unit = axis_unit(max(float(values.max()) for values in series.values()), "J")
    for name, colour in (("reading", "READ"), ("writing", "WRITE")):
        ax.loglog(scale * times, factor * series[name], "o-", color=PHASE_COLOURS[colour], label=name)
    middle = len(times) // 2
    for power, style, label in ((-1, "--", "~ 1/T"), (1, ":", "~ T")):
        guide = factor * series["reading"][middle] * (times / times[middle]) ** power
        ax.loglog(scale * times, guide, style, color="0.5", linewidth=0.9, label=label)
    ax.set_xticks(scale * times, [f"{time:g}" for time in scale * times])
    ax.minorticks_off()
    ax.set_xlabel(f"width of a pulse T ({time_unit})")
    ax.set_ylabel(f"magnitude of energy a sample ({unit})")
    ax.set_title("other widths of pulses")
    _name(ax)


def _name(ax) -> None:  # type: ignore[no-untyped-def]
    """A legend below the axes, where no data are."""
    ax.legend(
        fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, frameon=False, columnspacing=1.0,
        handlelength=1.6,
    )  # fmt: skip
