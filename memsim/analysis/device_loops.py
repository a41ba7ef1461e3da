"""The V-I loop of a device over a span of a run, and the areas of its lobes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ..figures import COLOURS, new_figure
from ..runs.channels import choose
from ..runs.run import Run
from ..terminal.si import axis_unit, with_prefix


class Lobe(NamedTuple):
    """A part of a loop in which the current keeps its sign.

    Attributes
    ----------
    start, stop : int
        Its first row, and the one after its last, counted from the loop's start.
    direction : int
        Sign of the current, 1 or -1.
    area : float
        In W; positive where the loop goes round against the clock, V to the right and I upwards.
    """

    start: int
    stop: int
    direction: int
    area: float


@dataclass(frozen=True)
class DeviceLoop:
    """The path of a device in the plane of voltage and current.

    Attributes
    ----------
    bank : str
    device, realisation : int
    start : int
        Step of the first row, from the start of the run.
    voltage, current : (steps,) float64
        In V and A.
    lobes : tuple of Lobe
        In the order of time.
    """

    bank: str
    device: int
    realisation: int
    start: int
    voltage: np.ndarray
    current: np.ndarray
    lobes: tuple[Lobe, ...]

    @property
    def area(self) -> float:
        """Sum of the lobes' areas in W; 0 for a pinched loop whose lobes are alike and go round opposite ways."""
        return float(sum(lobe.area for lobe in self.lobes))


def device_loop(
    run: Run, bank: str, device: int, realisation: int = 0, start: int = 0, stop: int | None = None
) -> DeviceLoop:
    """The V-I loop of a device over a span of steps, and its lobes.

    A lobe's area is the integral of V dI around it, in W, which the shoelace
    formula gives for the rows as corners::

        A = 1/2 * sum over k of (V_k I_(k+1) - V_(k+1) I_k)

    A resistor has none; a memristor's loop is pinched where the current is 0,
    and its lobes shrink with frequency (Chua and Kang, Proc. IEEE 64, 209
    (1976)). For a memristance R + a q and a current i sin(w t) a lobe has the
    area -2 a i^3 / (3 w), after a current of 0 at its beginning.

    Parameters
    ----------
    run : Run
    bank : str
    device, realisation : int
    start, stop : int
        Steps from the start of the run, ``stop`` not included; to the run's end where it is not given.

    Returns
    -------
    DeviceLoop

    Raises
    ------
    InputError
        The run has no such channel, or not those steps.
    """
    choose(run, [bank], [device], [realisation])
    first, last = run.checked_steps(start, stop)
    stretches = run.stretches(first, last, [bank], realisations=[realisation])
    parts = [(rows[bank].voltage[:, device, 0], rows[bank].current[:, device, 0]) for _, rows in stretches]
    voltage, current = (np.concatenate(values) for values in zip(*parts, strict=True))
    return DeviceLoop(bank, device, realisation, first, voltage, current, lobes(voltage, current))


def lobes(voltage: np.ndarray, current: np.ndarray) -> tuple[Lobe, ...]:
    """The lobes of a path: from one zero of the current to the next, closed by a straight line.

    Where the current changes its sign between two rows, the straight line
    between them is cut where it is 0. What is left at the path's two ends is
    closed in the same way.

    Parameters
    ----------
    voltage, current : (steps,) float64
        In V and A.
    """
    signs = np.sign(current).astype(int)
    edges = np.flatnonzero(np.diff(signs)) + 1
    found = []
    for start, stop in zip(np.append(0, edges), np.append(edges, len(current)), strict=True):
        if start < stop and signs[start] != 0:
            path = _closed(voltage, current, start, stop)
            found.append(Lobe(int(start), int(stop), int(signs[start]), enclosed_area(*path)))
    return tuple(found)


def enclosed_area(voltage: np.ndarray, current: np.ndarray) -> float:
    """Area within a closed polygon by the shoelace formula, in W; positive against the clock."""
    # From the first corner: no difference of large products, and exactly 0 where nothing moves.
    v, i = voltage - voltage[0], current - current[0]
    return float(0.5 * np.sum(v * np.roll(i, -1) - np.roll(v, -1) * i))


def _closed(voltage: np.ndarray, current: np.ndarray, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a lobe, with the points of zero current before and after it."""
    before = [_crossing(voltage, current, start - 1)] if start > 0 else []
    after = [_crossing(voltage, current, stop - 1)] if stop < len(current) else []
    rows = np.column_stack([voltage[start:stop], current[start:stop]])
    path = np.concatenate([np.reshape(before, (-1, 2)), rows, np.reshape(after, (-1, 2))])
    return path[:, 0], path[:, 1]


def _crossing(voltage: np.ndarray, current: np.ndarray, row: int) -> tuple[float, float]:
    """Where the straight line from a row to the next has no current."""
    share = current[row] / (current[row] - current[row + 1])
    return float(voltage[row] + share * (voltage[row + 1] - voltage[row])), 0.0


def plot_device_loop(loop: DeviceLoop) -> Figure:
    """Draw a loop, current over voltage, with the areas of its largest lobes of either direction."""
    figure = new_figure(5.2, 4.4)
    place = figure.subplots()
    volts, volt = axis_unit(float(np.abs(loop.voltage).max()), "V")
    amperes, ampere = axis_unit(float(np.abs(loop.current).max()), "A")
    place.plot(loop.voltage * volts, loop.current * amperes, color="0.75", linewidth=0.8)
    for direction, colour in ((1, COLOURS[0]), (-1, COLOURS[4])):
        alike = [lobe for lobe in loop.lobes if lobe.direction == direction]
        if alike:
            lobe = max(alike, key=lambda lobe: abs(lobe.area))
            voltage, current = _closed(loop.voltage, loop.current, lobe.start, lobe.stop)
            place.fill(voltage * volts, current * amperes, color=colour, alpha=0.25, linewidth=0)
            place.plot(voltage * volts, current * amperes, color=colour, linewidth=1.3, label=_described(loop, lobe))
    place.axhline(0.0, color="0.6", linewidth=0.5, zorder=0)
    place.axvline(0.0, color="0.6", linewidth=0.5, zorder=0)
    place.set_title(f"{loop.bank}, device {loop.device}, realisation {loop.realisation}", fontsize="medium")
    place.set_xlabel(f"voltage ({volt})")
    place.set_ylabel(f"current ({ampere})")
    if place.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", frameon=False, fontsize="small")
    return figure


def _described(loop: DeviceLoop, lobe: Lobe) -> str:
    area = with_prefix(lobe.area, "W").replace("-", "\N{MINUS SIGN}")
    return f"steps {loop.start + lobe.start} to {loop.start + lobe.stop}: lobe area {area}"
