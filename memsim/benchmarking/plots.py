"""Figures of a report: one a suite."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, check_plot_target, new_figure, save
from .records import Record, Report, Value

Drawn = Callable[[list[Record]], Figure | None]


def draw_kernel(records: list[Record]) -> Figure | None:
    """Time a device-step over the size of the bank, a panel a model."""
    sizes = [r for r in records if r.more["integrator"] == "euler" and r.more["driven_share"] == 1.0]
    models = list(dict.fromkeys(str(r.more["model"]) for r in sizes))
    if not models:
        return None
    figure = new_figure(3.0 * len(models), 3.4)
    panels = figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0]
    for axes, model in zip(panels, models, strict=True):
        steps = _commonest([r.more["pulse_steps"] for r in sizes if r.more["model"] == model])
        own = [r for r in sizes if r.more["model"] == model and r.more["pulse_steps"] == steps]
        own.sort(key=lambda r: r.more["devices"])
        _sizes_panel(axes, own)
        axes.set_title(f"{model}, pulses of {steps} steps", fontsize="small")
    panels[0].set_ylabel("time a device-step (ns)")
    panels[0].legend(fontsize="small")
    return figure


def _sizes_panel(axes: Axes, records: list[Record]) -> None:
    lines = (
        ("NumPy", COLOURS[1], "s", lambda r: r.ratio_to_numpy),
        ("memsim", COLOURS[0], "o", lambda r: 1.0),
        ("C", COLOURS[2], "^", lambda r: r.ratio_to_c),
    )
    for name, colour, marker, ratio in lines:
        known = [r for r in records if ratio(r) is not None]
        if known:
            times = [(r.ns_per_device_step or 0.0) / ratio(r) for r in known]
            axes.loglog([r.more["devices"] for r in known], times, marker=marker, color=colour, label=name)
    axes.set_xlabel("devices in the bank")
    axes.grid(alpha=0.3)


def _commonest(values: list[Value]) -> Value:
    return max(values, key=values.count)


FIGURES: dict[str, Drawn] = {
    "kernel": draw_kernel,
}


def figure_files(names: tuple[str, ...], given: Path, overwrite: bool) -> dict[str, Path]:
    """Suite to the figure's file: in a folder one each, or the file that was named for the only one.

    Raises
    ------
    InputError
        A file exists, cannot be written, or has no known ending.
    """
    drawn = [name for name in names if name in FIGURES]
    if given.suffix and not given.is_dir():
        ending = {name: given if len(drawn) == 1 else given.with_stem(f"{given.stem}-{name}") for name in drawn}
    else:
        given.mkdir(parents=True, exist_ok=True)
        ending = {name: given / f"{name}.png" for name in drawn}
    for path in ending.values():
        check_plot_target(path, overwrite)
    return ending


def draw_figures(report: Report, files: dict[str, Path]) -> list[Path]:
    """Draw the figures of a report; the files that were written."""
    written = []
    for suite, path in files.items():
        figure = FIGURES[suite]([r for r in report.records if r.suite == suite])
        if figure is not None:
            save(figure, path, overwrite=True)
            written.append(path)
    return written
