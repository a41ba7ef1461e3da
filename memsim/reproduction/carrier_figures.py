"""The figure of carriers: a WRITE's current, learning over the writing time, and what parts of periods do."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure
from .carrier_trials import FRACTIONS, FRACTIONS_GATE, PERIODS, SCHEMES, CarrierRun, largest, moves_of, talk_of
from .paper_figures import GATE_COLOURS
from .runs import Findings
from .settings import GATES

LOOKS: dict[str, dict[str, Any]] = {
    "amplitudes": {"linewidth": 4.0, "alpha": 0.35},
    "frequencies": {"linewidth": 1.4},
    "codes": {"linewidth": 2.0, "linestyle": ":", "color": "black"},
}
LEAST_SHOWN = 1e-2  # of a total error


def carriers(found: Findings) -> Figure:
    """Four panels: the WRITEs of a sample, learning, cross talk, and learning with parts of periods."""
    figure = new_figure(10.0, 7.4)
    panels = figure.subplots(2, 2)
    runs = {(run.trial.gate, run.trial.scheme, run.trial.fraction): run for run in found.carriers}
    _draw_writes(panels[0, 0], [runs[FRACTIONS_GATE, scheme, 0.0] for scheme in SCHEMES])
    _draw_learning(panels[0, 1], [runs[gate, scheme, 0.0] for gate in GATES for scheme in SCHEMES])
    parts = [runs[FRACTIONS_GATE, "frequencies", fraction] for fraction in FRACTIONS]
    _draw_parts(panels[1, 0], parts)
    _draw_learning_of_parts(panels[1, 1], parts)
    for axes in panels.flat:
        axes.grid(color="0.92")
    return figure


def _draw_writes(axes: Axes, runs: list[CarrierRun]) -> None:
    """The current through all WRITEs of the first sample, of each scheme one below the other."""
    scale = 1e3
    height = 2.4 * scale * max(float(np.abs(run.write_currents).max()) for run in runs[1:])
    labels = []
    for row, run in enumerate(runs):
        values = run.write_currents * scale
        peak = float(np.abs(values).max())
        drawn = values if row else values / peak * 0.4 * height
        time = 1e3 * np.arange(len(values) + 1) * (run.write_seconds / len(values))
        axes.step(time, np.append(drawn, 0.0) - row * height, where="post", color=COLOURS[row], linewidth=1.4)
        axes.axhline(-row * height, color="0.6", linewidth=0.6)
        labels.append(f"{run.trial.scheme}\n±{peak:.2g} mA")
    axes.set_yticks([-row * height for row in range(len(runs))], labels)
    axes.set_xlabel("time since the WRITEs' start (ms)")
    axes.set_title("Current through the WRITEs of a sample", loc="left", fontsize="medium")


def _draw_learning(axes: Axes, runs: list[CarrierRun]) -> None:
    for run in runs:
        seconds = np.arange(1, len(run.mean) + 1) * _samples(run) * run.write_seconds
        look = {"color": GATE_COLOURS[run.trial.gate], **LOOKS[run.trial.scheme]}
        first = run.trial.gate == GATES[0]
        axes.plot(seconds, np.maximum(run.mean, 0.1 * LEAST_SHOWN), label=run.trial.scheme if first else "", **look)
        if run.trial.scheme == "amplitudes":
            axes.annotate(
                run.trial.gate, (seconds[-1], run.mean[-1]), xytext=(4, 0), textcoords="offset points",
                color=GATE_COLOURS[run.trial.gate], va="center",
            )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(bottom=LEAST_SHOWN)
    axes.margins(x=0.1)
    axes.set_xlim(left=0)
    axes.set_xlabel("writing time (s)")
    axes.set_ylabel("total error over an epoch (Eq. 20)")
    axes.set_title(f"Learning: mean of {runs[0].total_error.shape[1]}", loc="left", fontsize="medium")
    axes.legend(frameon=False)


def _samples(run: CarrierRun) -> int:
    return run.trial.config.data.samples


def _draw_parts(axes: Axes, runs: list[CarrierRun]) -> None:
    """Closed forms as lines, what was measured on the devices as dots."""
    steps = runs[0].trial.config.time.write
    fractions = np.linspace(0.0, FRACTIONS[-1], 201)
    periods = [tuple(period + part for period in PERIODS) for part in fractions]
    lines = np.array([largest(talk_of(each, steps), moves_of(each, steps)) for each in periods])
    dots = np.array([largest(run.talk, run.read_moves) for run in runs])
    names = ("WRITE: of another variable's update", "WRITE: of its own, lost or gained", "READ: of η times net input")
    for k, name in enumerate(names):
        axes.plot(fractions, lines[:, k], color=COLOURS[(4, 1, 0)[k]], linewidth=1.4, label=name)
        axes.plot(FRACTIONS, dots[:, k], color=COLOURS[(4, 1, 0)[k]], marker="o", markersize=4, linestyle="none")
    axes.set_xlabel("part of a period beyond 1, 2 and 3")
    axes.set_ylabel("share that moves a variable")
    axes.set_title("Parts of periods: closed form, and measured (dots)", loc="left", fontsize="medium")
    axes.legend(frameon=False, fontsize="small")


def _draw_learning_of_parts(axes: Axes, runs: list[CarrierRun]) -> None:
    for k, run in enumerate(runs):
        epochs = np.arange(1, len(run.mean) + 1)
        colour = str(0.75 * (1.0 - k / (len(runs) - 1))) if k else COLOURS[0]
        axes.plot(epochs, run.mean, color=colour, linewidth=1.6, label=f"{run.trial.fraction:g}")
    axes.set_yscale("log")
    axes.set_xlim(left=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("total error over an epoch (Eq. 20)")
    axes.set_title(f"{FRACTIONS_GATE} with parts of periods", loc="left", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", title="part of a period", ncols=2)
