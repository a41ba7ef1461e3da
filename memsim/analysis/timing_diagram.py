"""The timing diagram of one sample: the current of each bank over time, phases shaded."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..configuration.sections import Configuration
from ..datasets import Dataset, load
from ..errors import InputError
from ..figures import PHASE_COLOURS, new_figure, save
from ..kernels.slots import Phase
from ..network.assembly import Assembly, assemble
from ..runs.programming import programmed
from ..stepping.engine import Engine
from ..terminal.si import engineering, with_prefix

IN_SIGHT = 10.0  # thresholds of up to so many times the largest current are drawn


def sample_currents(assembly: Assembly, sample: int) -> list[np.ndarray]:
    """Currents of each bank through one sample of the first epoch, (steps, devices) in A.

    The samples before it are run as well: the amplitudes are those that the
    first realisation really gets.
    """
    if sample >= len(assembly.inputs):
        raise InputError(f"sample: must be below the number of samples, {len(assembly.inputs)} (got {sample})")
    banks = tuple(range(len(assembly.banks)))
    engine = Engine(assembly, threads=1, epochs=1, shuffled=assembly.config.learning.shuffle, recorded=banks)
    found: list[list[np.ndarray]] = [[] for _ in banks]
    try:
        while engine.clock.position < (sample + 1) * engine.clock.slots_a_sample:
            before = engine.clock.position < sample * engine.clock.slots_a_sample
            limit = (sample if before else sample + 1) * engine.clock.slots_a_sample
            for rows in engine.advance(limit).rows:
                if not before and rows.realisations[0] == 0:
                    found[rows.bank].append(rows.current[:, :, 0])
    finally:
        engine.close()
    return [np.concatenate(parts) for parts in found]


def draw(assembly: Assembly, path: Path, *, sample: int = 0, overwrite: bool = False) -> None:
    """Draw the timing diagram of one sample into a file: PNG, SVG or PDF; see :func:`figure_of`."""
    save(figure_of(assembly, sample), path, overwrite)


def plot_timing(config: Configuration, data: Dataset | None = None, *, sample: int | None = None) -> Figure:
    """Draw the currents that one training sample drives, a line for each bank, phases shaded.

    Parameters
    ----------
    config : Configuration
        As :func:`memsim.load` gives it, or the ``config`` of a run.
    data : Dataset, optional
        Those that the configuration names where not given.
    sample : int, optional
        Number of the sample in the first epoch; the first that is written where not given.

    Raises
    ------
    InputError
        The configuration cannot be run, or there is no such sample.
    """
    assembly = assemble(config, load(config.data) if data is None else data)
    drawn = config.learning.batch - 1 if sample is None else sample
    return figure_of(programmed(assembly, threads=1), drawn)


def figure_of(assembly: Assembly, sample: int) -> Figure:
    """The timing diagram of one sample, by its number in the first epoch."""
    currents = sample_currents(assembly, sample)
    dt = assembly.config.time.dt
    edges = np.arange(assembly.schedule.steps + 1) * dt * 1e3
    figure = new_figure(10.0, 1.2 + 1.5 * len(currents))
    axes = figure.subplots(len(currents), 1, sharex=True, squeeze=False)[:, 0]
    for panel, bank, values in zip(axes, assembly.banks, currents, strict=True):
        largest = float(np.abs(values).max())
        scale, prefix = engineering(largest)
        _shade(panel, assembly)
        for device in range(values.shape[1]):
            level = np.append(values[:, device], 0.0) * scale
            panel.step(edges, level, where="post", linewidth=1.2, color="0.15", alpha=0.8)
        panel.axhline(0.0, color="0.6", linewidth=0.6)
        _draw_thresholds(panel, bank.thresholds, largest, scale)
        panel.set_ylabel(f"{bank.name}\ncurrent ({prefix}A)")
        panel.margins(y=0.15)
    axes[-1].set_xlabel("time since the sample's start (ms)")
    axes[-1].set_xlim(edges[0], edges[-1])
    axes[0].set_title(
        f"One training sample: {assembly.schedule.steps} steps of {dt:g} s (dotted: thresholds)", loc="left"
    )
    handles = [_patch(phase) for phase, count in assembly.schedule.phase_steps().items() if count]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _draw_thresholds(panel: Axes, thresholds: tuple[float, ...], largest: float, scale: float) -> None:
    """Dotted lines at thresholds; those far beyond the currents, which would flatten these, in words."""
    far = [threshold for threshold in thresholds if largest > 0.0 and threshold > IN_SIGHT * largest]
    for threshold in set(thresholds) - set(far):
        for sign in (-1, 1):
            panel.axhline(sign * threshold * scale, color="0.4", linewidth=0.7, linestyle=":")
    if far:
        said = f"{'further ' if len(far) < len(thresholds) else ''}thresholds from {with_prefix(min(far), 'A')} on"
        panel.text(0.99, 0.95, said, transform=panel.transAxes, ha="right", va="top", fontsize="small", color="0.35")


def _shade(panel: Axes, assembly: Assembly) -> None:
    """Shade the phases; slots of the panel's own bank are not marked apart, their currents show them."""
    dt = assembly.config.time.dt * 1e3
    for slot, start in zip(assembly.schedule.slots, assembly.schedule.starts, strict=True):
        colour = PHASE_COLOURS[slot.phase.name]
        panel.axvspan(start * dt, (start + slot.width) * dt, color=colour, alpha=0.35, linewidth=0)
        panel.axvline(start * dt, color="white", linewidth=0.8)


def _patch(phase: Phase) -> object:
    from matplotlib.patches import Patch

    return Patch(color=PHASE_COLOURS[phase.name], alpha=0.35, label=phase.name)
