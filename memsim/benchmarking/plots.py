"""Figures of a report: one a suite."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, check_plot_target, new_figure, save
from .records import Record, Report, Value

Drawn = Callable[[list[Record]], Figure]


class Line(NamedTuple):
    """What was measured, how it is drawn, and memsim's time over its own."""

    name: str
    colour: str
    marker: str
    dashes: str
    ratio: Callable[[Record], float | None]


LINES = (
    Line("NumPy", COLOURS[1], "s", ":", lambda r: r.ratio_to_numpy),
    Line("memsim", COLOURS[0], "o", "-", lambda r: 1.0),
    Line("C", COLOURS[2], "^", "--", lambda r: r.ratio_to_c),
)


def draw_kernel(records: list[Record]) -> Figure:
    """Time a device-step over the size of the bank, a panel a model."""
    sizes = [r for r in records if r.more["integrator"] == "euler" and r.more["driven_share"] == 1.0]
    models = list(dict.fromkeys(str(r.more["model"]) for r in sizes))
    figure = new_figure(3.0 * len(models), 3.4)
    panels = figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0]
    for axes, model in zip(panels, models, strict=True):
        steps = _commonest([r.more["pulse_steps"] for r in sizes if r.more["model"] == model])
        own = [r for r in sizes if r.more["model"] == model and r.more["pulse_steps"] == steps]
        own.sort(key=lambda r: _number(r, "devices"))
        _sizes_panel(axes, own)
        axes.set_title(f"{model}, pulses of {steps} steps", fontsize="small")
    panels[0].set_ylabel("time a device-step (ns)")
    panels[0].legend(fontsize="small")
    return figure


def _sizes_panel(axes: Axes, records: list[Record]) -> None:
    for line in LINES:
        known = [r for r in records if line.ratio(r)]
        if known:
            times = [(r.ns_per_device_step or 0.0) / (line.ratio(r) or 1.0) for r in known]
            sizes = [_number(r, "devices") for r in known]
            axes.loglog(sizes, times, marker=line.marker, color=line.colour, label=line.name)
    axes.set_xlabel("devices in the bank")
    axes.grid(alpha=0.3)


def draw_train(records: list[Record]) -> Figure:
    """Time a sample and lane over the number of lanes."""
    figure = new_figure(6.4, 4.0)
    axes = figure.subplots()
    for colour, network in zip(COLOURS, dict.fromkeys(r.more["network"] for r in records), strict=False):
        own = [r for r in records if r.more["network"] == network]
        for line in LINES[1:] + LINES[:1]:
            known = [r for r in own if line.ratio(r)]
            times = [1e-3 * _number(r, "ns_per_sample_and_lane") / (line.ratio(r) or 1.0) for r in known]
            if known:
                label = network if line.name == "memsim" else f"{network} in {line.name}"
                lanes = [_number(r, "lanes") for r in known]
                axes.loglog(lanes, times, line.dashes, marker=line.marker, color=colour, label=label)
    axes.set_xlabel("realisations side by side")
    axes.set_ylabel("time a sample and realisation (µs)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def draw_scaling(records: list[Record]) -> Figure:
    """Speed over threads; time a step and memory over the length of a run; time a device-step over devices."""
    figure = new_figure(11.0, 6.4)
    (threads, devices), (times, memory) = figure.subplots(2, 2)
    by_axis = {name: [r for r in records if r.more["axis"] == name] for name in ("threads", "steps", "devices")}
    counts = [_number(r, "threads") for r in by_axis["threads"]]
    speeds = [_number(r, "times_as_fast_as_one") for r in by_axis["threads"]]
    threads.plot(counts, speeds, "o-", color=COLOURS[0], label="memsim")
    threads.plot(counts, counts, ":", color=COLOURS[6], label="ideal")
    threads.set(xlabel="threads", ylabel="speed over one thread's", xticks=counts)
    threads.legend(fontsize="small")
    sizes = [_number(r, "devices") for r in by_axis["devices"]]
    devices.loglog(sizes, [r.ns_per_device_step for r in by_axis["devices"]], "o", color=COLOURS[0])
    devices.set(xlabel="devices in the bank", ylabel="time a device-step (ns)")
    _horizon_panels(times, memory, by_axis["steps"])
    for axes in (threads, devices, times, memory):
        axes.grid(alpha=0.3)
    return figure


def _horizon_panels(times: Axes, memory: Axes, records: list[Record]) -> None:
    steps = [_number(r, "steps") for r in records]
    tenths = (("first tenth", "ns_per_step_first_tenth", "^"), ("last tenth", "ns_per_step_last_tenth", "s"))
    for (label, name, marker), colour in zip((("whole run", "ns_per_step", "o"), *tenths), COLOURS, strict=False):
        times.plot(steps, [_number(r, name) for r in records], marker=marker, color=colour, label=label)
    times.set(xlabel="steps of the 2-2-1 network's run", ylabel="time a step (ns)", xscale="log")
    times.set_ylim(bottom=0.0)
    for label, name, colour in (
        ("after a tenth", "resident_bytes_after_a_tenth", COLOURS[1]),
        ("at the end", "resident_bytes_at_end", COLOURS[0]),
    ):
        memory.plot(steps, [1e-6 * _number(r, name) for r in records], marker="o", color=colour, label=label)
    memory.set(xlabel="steps of the 2-2-1 network's run", ylabel="resident memory (MB)", xscale="log")
    memory.set_ylim(bottom=0.0)
    for axes in (times, memory):
        axes.legend(fontsize="small")


def draw_bars(records: list[Record]) -> Figure:
    """The shortest turn of each case, one below the other."""
    figure = new_figure(8.0, 0.9 + 0.26 * len(records))
    axes = figure.subplots()
    axes.barh([r.case for r in records], [r.seconds for r in records], color=COLOURS[0])
    axes.plot([r.median_seconds for r in records], range(len(records)), "|", color=COLOURS[6], label="median")
    axes.set(xlabel="time (s), the shortest turn", xscale="log")
    axes.invert_yaxis()
    axes.grid(alpha=0.3, axis="x")
    axes.legend(fontsize="small")
    return figure


def _number(record: Record, name: str) -> float:
    return float(record.more[name])


def _commonest(values: list[Value]) -> Value:
    return max(values, key=values.count)


FIGURES: dict[str, Drawn] = {
    "kernel": draw_kernel,
    "trace": draw_bars,
    "train": draw_train,
    "scaling": draw_scaling,
    "start": draw_bars,
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
        records = [r for r in report.records if r.suite == suite]
        if records:
            save(FIGURES[suite](records), path, overwrite=True)
            written.append(path)
    return written
