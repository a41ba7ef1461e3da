"""The figure of the suite ``peers``: error over processor time, numbers of devices, starts."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import NullFormatter

from ..figures import MORE_COLOURS, new_figure
from .bench_records import Record
from .peers import NAMES
from .peers_comparison import error_of, front, of_kind, peers_of, start_seconds

MARKERS = "osD^v<>PXph"
SMALLEST = 1e-16  # error that is drawn


def draw_peers(records: list[Record]) -> Figure:
    """A panel a device; below them device-steps a second over devices, and starts."""
    figure = new_figure(11.0, 7.6)
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    _errors(above, of_kind(records, "error"))
    sizes, starts = below.subplots(1, 2, width_ratios=(1.6, 1.0))
    _sizes(sizes, of_kind(records, "devices"))
    _starts(starts, of_kind(records, "start"))
    handles = {handle.get_label(): handle for axes in reversed(figure.axes) for handle in axes.get_lines()}
    known = [name for name in NAMES if name in handles]
    figure.legend([handles[name] for name in known], known, loc="outside lower center", ncols=6, fontsize="small")
    return figure


def _style(peer: str) -> dict[str, Any]:
    place, own = NAMES.index(peer), peer == "memsim"
    return {
        "color": MORE_COLOURS[place], "marker": MARKERS[place], "label": peer, "markersize": 6 if own else 4,
        "linewidth": 2.4 if own else 1.1, "zorder": 3 if own else 2,
    }  # fmt: skip


def _errors(figure: FigureBase, records: list[Record]) -> None:
    devices = list(dict.fromkeys(str(record.more["device"]) for record in records))
    if not devices:
        return
    panels = figure.subplots(1, len(devices), sharey=True, squeeze=False)[0]
    for axes, device in zip(panels, devices, strict=True):
        for peer in peers_of(records):
            best = front(of_kind(records, "error", device=device, peer=peer))
            times = [1e3 * record.seconds for record in best]
            axes.loglog(times, [max(SMALLEST, error_of(record)) for record in best], **_style(peer))
        count = records[0].more["devices"]
        axes.set(title=device, xlabel=f"processor time (ms), {count} devices")
        axes.title.set_fontsize("medium")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("largest error, of the state's range")


def _sizes(axes: Axes, records: list[Record]) -> None:
    for peer in peers_of(records):
        own = of_kind(records, "devices", peer=peer)
        speeds = [1e9 / (record.ns_per_device_step or 1.0) for record in own]
        axes.loglog([float(record.more["devices"]) for record in own], speeds, **_style(peer))
    axes.set(xlabel="devices", ylabel="device-steps a second of the processor")
    axes.grid(alpha=0.3)


def _starts(axes: Axes, records: list[Record]) -> None:
    for peer in peers_of(records):
        times = {str(record.more["start"]): start_seconds(record) for record in of_kind(records, "start", peer=peer)}
        style = _style(peer) | {"linestyle": "none", "linewidth": 0.0}
        for what, filled in (("first", True), ("later", False)):
            if what in times:
                face = style["color"] if filled else "white"
                axes.semilogx([times[what]], [peer], **style, markerfacecolor=face)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0.1, max(10.0, axes.get_xlim()[1]))
    axes.set_xlabel("processor time to the first states (s)")
    axes.set_title("filled: nothing compiled yet; hollow: a later start", fontsize="small")
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
