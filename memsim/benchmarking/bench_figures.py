"""Figures of a report's records: one a suite."""

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure
from .bench_records import Record, Value
from .peers_figure import draw_peers

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
    columns = min(len(models), 4)  # more would be too small to read on a page
    rows = -(-len(models) // columns)
    figure = new_figure(3.0 * columns, 3.0 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    for axes in panels[len(models) :]:
        axes.remove()
    for axes, model in zip(panels[: len(models)], models, strict=True):
        steps = _commonest([r.more["pulse_steps"] for r in sizes if r.more["model"] == model])
        own = [r for r in sizes if r.more["model"] == model and r.more["pulse_steps"] == steps]
        own.sort(key=lambda r: _number(r, "devices"))
        _sizes_panel(axes, own)
        axes.set_title(f"{model}, pulses of {steps} steps", fontsize="small")
    figure.supylabel("time a device-step (ns)", fontsize="medium")
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
    figure = new_figure(8.4, 4.0)
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
    figure.legend(fontsize="small", loc="outside right upper")
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
    _devices_panel(devices, by_axis["devices"])
    _horizon_panels(times, memory, by_axis["steps"])
    for axes in (threads, devices, times, memory):
        axes.grid(alpha=0.3)
    return figure


def _devices_panel(axes: Axes, records: list[Record]) -> None:
    """Time a device-step over the devices of a bank; a line for each number of device-steps."""
    for colour, device_steps in zip(COLOURS, sorted({r.device_steps or 0 for r in records}), strict=False):
        own = [r for r in records if r.device_steps == device_steps]
        times = [r.ns_per_device_step for r in own]
        label = f"{device_steps:.0e} device-steps"
        axes.semilogx([_number(r, "devices") for r in own], times, "o-", color=colour, label=label)
    axes.set(xlabel="devices in the bank", ylabel="time a device-step (ns)")
    axes.set_ylim(0.0, 1.25 * axes.get_ylim()[1])
    axes.legend(fontsize="small")


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
    memory.set_ylim(0.0, 1.25 * memory.get_ylim()[1])
    for axes in (times, memory):
        axes.legend(fontsize="small")


def draw_trace(records: list[Record]) -> Figure:
    """What each trace takes, and the time to get a window over its length."""
    figure = new_figure(12.0, 4.4)
    modes, windows = figure.subplots(1, 2)
    writing = [r for r in records if "row_bytes" in r.more]
    names = [r.case.removeprefix("writing: ") for r in writing]
    modes.barh(names, [r.seconds for r in writing], color=COLOURS[0])
    modes.set(xlabel="time of a run with a trace (s), the shortest turn")
    modes.invert_yaxis()
    looked = [r for r in records if "samples" in r.more]
    lines = dict.fromkeys(r.case.split(", ", 1)[1] for r in looked)
    for number, line in enumerate(lines):
        own = [r for r in looked if r.case.endswith(f", {line}")]
        times = [1e3 * r.median_seconds for r in own]
        dashes = "o-" if own[0].more["realisations"] == 1 else "s--"
        windows.loglog([_number(r, "samples") for r in own], times, dashes, color=COLOURS[number % 3], label=line)
    windows.set(xlabel="samples in the window", ylabel="median time to get a window (ms)")
    for axes in (modes, windows):
        axes.grid(alpha=0.3)
    windows.legend(fontsize="small")
    return figure


def draw_start(records: list[Record]) -> Figure:
    """The shortest start of each case, its median, and the processor's time, one case below the other."""
    figure = new_figure(8.0, 1.2 + 0.26 * len(records))
    axes = figure.subplots()
    names = [r.case for r in records]
    axes.semilogx([r.seconds for r in records], names, "o", color=COLOURS[0], label="shortest")
    axes.semilogx([r.median_seconds for r in records], names, "|", color=COLOURS[6], label="median")
    known = [r for r in records if r.processor_seconds is not None]
    if known:
        used = [r.processor_seconds for r in known]
        axes.semilogx(used, [r.case for r in known], "x", color=COLOURS[1], label="processor time")
    axes.set_xlabel("time (s)")
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def draw_tricks(records: list[Record]) -> Figure:
    """How many times as fast a bank is with each trick, one below the other."""
    figure = new_figure(8.0, 1.2 + 0.26 * len(records))
    axes = figure.subplots()
    bars = axes.barh([r.case for r in records], [_number(r, "times_as_fast") for r in records], color=COLOURS[0])
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize="small")
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.margins(x=0.1)
    axes.set_xlabel("times as fast as without it")
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    return figure


def _number(record: Record, name: str) -> float:
    return float(record.more[name])


def _commonest(values: list[Value]) -> Value:
    return max(values, key=values.count)


FIGURES: dict[str, Drawn] = {
    "kernel": draw_kernel,
    "tricks": draw_tricks,
    "trace": draw_trace,
    "train": draw_train,
    "scaling": draw_scaling,
    "start": draw_start,
    "peers": draw_peers,
}
