"""What lies along the time of a figure: its unit, phases, samples and epochs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..figures import PHASE_COLOURS
from ..runs.run import Run
from ..runs.timeline import slot_widths
from ..terminal.si import engineering
from .spans import unit_steps

OWN, OTHER = 0.4, 0.13  # opacity of the slots that drive a panel's bank, and of the others
MOST_SLOTS = 250  # slots in a figure whose phases can still be told apart
MARKS = 10  # samples or epochs that are marked, about
LONG_UNITS = ((3 * 86400.0, 86400.0, "d"), (3 * 3600.0, 3600.0, "h"), (1000.0, 60.0, "min"))


class TimeAxis(NamedTuple):
    """Time along a span of a run.

    Attributes
    ----------
    start, stop : int
        Steps.
    factor : float
        The axis's unit for each step.
    label : str
    """

    start: int
    stop: int
    factor: float
    label: str

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Where on the axis steps begin."""
        return (np.asarray(steps) - self.start) * self.factor


def time_axis(run: Run, start: int, stop: int) -> TimeAxis:
    """The time axis of a span, in a unit that suits its length, from the span's beginning."""
    factor, unit = time_unit((stop - start) * run.dt)
    return TimeAxis(start, stop, run.dt * factor, f"time from step {start:,} ({unit})")


def duration(seconds: float) -> str:
    """A time in words, in a unit that suits it: ``0.165 s``, ``41.7 min``."""
    factor, unit = time_unit(seconds)
    return f"{seconds * factor:.4g} {unit}"


def time_unit(longest: float) -> tuple[float, str]:
    """A factor and a unit for times up to ``longest`` in s: prefixes below 1000 s, then minutes, hours, days."""
    for least, seconds, name in LONG_UNITS:
        if longest >= least:
            return 1.0 / seconds, name
    factor, prefix = engineering(longest)
    return factor, f"{prefix}s"


def shade_phases(panels: Sequence[tuple[Axes, str]], run: Run, axis: TimeAxis) -> list[Patch]:
    """Shade the slots of each panel's span; those that drive the panel's bank are darker.

    Parameters
    ----------
    panels : sequence of (Axes, bank)
    run : Run
    axis : TimeAxis

    Returns
    -------
    list of Patch
        For the legend; empty where the span has so many slots that none could be seen.
    """
    size = run.sample_steps
    samples = np.arange(axis.start // size, -(-axis.stop // size))
    if len(samples) * len(run.slots) > MOST_SLOTS:
        return []
    shown = []
    for name, colour in PHASE_COLOURS.items():
        slots = run.slots[run.slots["phase"] == name.encode()]
        first = (samples[:, None] * size + slots["start"]).ravel()
        last = first + np.tile(slot_widths(slots), len(samples))
        first, last = np.clip(first, axis.start, axis.stop), np.clip(last, axis.start, axis.stop)
        if not np.any(last > first):
            continue
        shown.append(Patch(color=colour, alpha=OWN, label=name))
        edges = np.column_stack([axis.at(first), axis.at(last)])
        drives, visible = np.tile(slots["bank"], len(samples)), last > first
        for panel, bank in panels:
            own = drives == run.banks.index(bank)
            for chosen, opacity in ((own & visible, OWN), (~own & visible, OTHER)):
                if chosen.any():
                    _shade(panel, edges[chosen], colour, opacity)
    return shown


def _shade(panel: Axes, edges: np.ndarray, colour: str, opacity: float) -> None:
    corners = [[(a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)] for a, b in edges]
    slots = PolyCollection(
        corners, transform=panel.get_xaxis_transform(), facecolor=to_rgba(colour, opacity), edgecolor="white",
        linewidth=0.6, zorder=0,
    )  # fmt: skip
    panel.add_collection(slots, autolim=False)


def mark_epochs(panels: Sequence[Axes], run: Run, axis: TimeAxis, numbers: bool = True) -> None:
    """Mark where epochs begin, or samples in a span of less than two epochs; their numbers stand above.

    Parameters
    ----------
    panels : sequence of Axes
        From above.
    run : Run
    axis : TimeAxis
    numbers : bool
        Whether epochs have numbers; samples have them always.
    """
    epoch = unit_steps("epochs", run)
    unit, size = ("epoch", epoch) if axis.stop - axis.start >= 2 * epoch else ("sample", run.sample_steps)
    first, last = axis.start / size, axis.stop / size
    ticks = MaxNLocator(nbins=MARKS, integer=True).tick_values(first, last)
    marked = np.array([int(n) for n in ticks if first <= n <= last and n == int(n)], dtype=np.int64)
    if len(marked) == 0:
        return
    places = axis.at(marked * size)
    for panel in panels:
        for place in places:
            panel.axvline(place, color="0.35", linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
    if unit == "epoch" and not numbers:
        return
    above = panels[0].secondary_xaxis("top")
    above.set_xticks(places, [str(number) for number in marked])
    above.set_xlabel(f"{unit}, counted from the run's start" if unit == "sample" else unit, fontsize="small")
    above.tick_params(labelsize="small", length=3)
