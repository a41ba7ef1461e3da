"""The pulse table: every pulse that a device really got."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .channels import Channels, choose
from .timeline import Timeline, slot_widths
from .trace_access import TraceAccess

FIELDS = (
    ("epoch", "i8"),
    ("sample", "i8"),
    ("shown", "i8"),
    ("phase", "U8"),
    ("layer", "i4"),
    ("bank", "U{longest}"),
    ("device", "i4"),
    ("variable", "i4"),
    ("realisation", "i4"),
    ("pulses", "i4"),
    ("start_step", "i8"),
    ("width_steps", "i8"),
    ("start_time", "f8"),
    ("width", "f8"),
    ("amplitude", "f8"),
    ("charge", "f8"),
)


def pulse_table(
    run: TraceAccess,
    start: int = 0,
    stop: int | None = None,
    banks: Sequence[str] | None = None,
    realisations: Sequence[int] | None = None,
) -> np.ndarray:
    """Every pulse that begins in a stretch of a run: a current that is not zero.

    A pulse is a stretch of equal currents within one slot. So a train by width
    is one pulse, however long, and so is a train by count whose pulses follow
    each other without a gap; with gaps each of its pulses is one. A pulse that
    goes on beyond ``stop`` is listed whole, and one that began before ``start``
    is not: the tables of consecutive stretches add up to that of the whole.

    Parameters
    ----------
    run : TraceAccess
    start, stop : int
        Steps from the start of the run, ``stop`` not included; to the run's end
        where it is not given.
    banks : sequence of str, optional
        All where not given.
    realisations : sequence of int, optional
        All where not given.

    Returns
    -------
    (pulses,) structured
        Ordered by start, device and realisation; ``pandas.DataFrame(table)`` makes a table of pandas of it. The fields:

        - ``epoch``; ``sample``, its place in the epoch; ``shown``, the index in
          the data set of the sample that was shown;
        - ``phase``, ``layer`` (from 1), ``bank``, ``device``;
        - ``variable``, the variable or line that the slot addresses, -1 where
          there is none; ``realisation``;
        - ``pulses``, how many pulses of the slot's train are joined in this one;
        - ``start_step``, from the run's start, and ``width_steps``;
        - ``start_time`` and ``width`` in s, ``amplitude`` in A with its sign,
          and ``charge`` in A s, amplitude times width.

    Raises
    ------
    InputError
        The stretch is empty or not within the run, or a bank or a realisation
        is not in it.
    """
    start, last = run.checked_steps(start, stop)
    channels = choose(run, banks or (), (), realisations or (), ("current",))
    kind = np.dtype([(name, code.format(longest=max(map(len, channels.banks)))) for name, code in FIELDS])
    schedule = _Schedule(run)
    found = [np.empty(0, dtype=kind)]
    for first, currents in _whole_slots(run, schedule, start, last, channels):
        for number, bank in enumerate(channels.banks):
            pulses = _pulses(schedule, run.banks.index(bank), first, currents[number])
            kept = (pulses.steps >= start) & (pulses.steps < last)
            pulses = _Pulses(*(column[kept] for column in pulses))
            found.append(_records(kind, run, schedule, bank, pulses, channels.realisations))
    table = np.concatenate(found)
    ordered: np.ndarray = table[np.lexsort((table["realisation"], table["device"], table["start_step"]))]
    return ordered


class _Pulses(NamedTuple):
    """Pulses of a bank, each (pulses,); ``lanes`` are places among the chosen realisations."""

    steps: np.ndarray
    widths: np.ndarray
    devices: np.ndarray
    lanes: np.ndarray
    amplitudes: np.ndarray


class _Schedule:
    """The slots of a run, and which of them a step lies in."""

    def __init__(self, run: TraceAccess) -> None:
        self.slots = run.slots
        self.starts = self.slots["start"].astype(np.int64)
        self.ends = self.starts + slot_widths(self.slots)
        self.sample_steps = run.sample_steps

    def number(self, steps: np.ndarray | int) -> np.ndarray:
        """Slot that began last, counted from the run's start: sample times slots, and its place."""
        sample, within = np.divmod(steps, self.sample_steps)
        numbers: np.ndarray = sample * len(self.slots) + np.searchsorted(self.starts, within, side="right") - 1
        return numbers

    def begin(self, number: int) -> int:
        """First step of a slot, by its number from the run's start."""
        sample, place = divmod(number, len(self.slots))
        return int(sample * self.sample_steps + self.starts[place])

    def driving(self, steps: np.ndarray, bank: int) -> np.ndarray:
        """Whether a slot drives the bank in each step, (steps,) bool."""
        place = self.number(steps) % len(self.slots)
        driven: np.ndarray = (self.slots["bank"][place] == bank) & (steps % self.sample_steps < self.ends[place])
        return driven


def _whole_slots(
    run: TraceAccess, schedule: _Schedule, start: int, stop: int, channels: Channels
) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Currents of the banks over stretches that begin and end with a slot: first step, and (steps, devices, lanes)."""
    begin = schedule.begin(int(schedule.number(start)))
    end = min(schedule.begin(int(schedule.number(stop - 1)) + 1), run.steps)
    waiting: list[np.ndarray] = []
    first = begin
    for position, rows in run.stretches(begin, end, channels.banks, realisations=channels.realisations):
        new = [rows[bank].current for bank in channels.banks]
        currents = [np.concatenate(parts) for parts in zip(waiting, new, strict=True)] if waiting else new
        after = position + len(new[0])
        cut = after if after == end else schedule.begin(int(schedule.number(after)))
        if cut > first:
            yield first, [part[: cut - first] for part in currents]
        waiting = [part[cut - first :] for part in currents]
        first = cut


def _pulses(schedule: _Schedule, bank: int, first: int, currents: np.ndarray) -> _Pulses:
    """Stretches of equal currents within the slots that drive a bank, from (steps, devices, lanes) of whole slots."""
    steps = first + np.arange(len(currents))
    driven = np.flatnonzero(schedule.driving(steps, bank))
    steps, currents = steps[driven], currents[driven]
    slots = schedule.number(steps)
    # Channels first: along each of them ends follow beginnings.
    values = np.moveaxis(currents, 0, -1)
    edges = np.ones((*values.shape[:-1], len(steps) + 1), dtype=bool)
    edges[..., 1:-1] = (values[..., 1:] != values[..., :-1]) | (np.diff(slots) != 0)
    flows = values != 0.0
    devices, lanes, begins = np.nonzero(edges[..., :-1] & flows)
    _, _, ends = np.nonzero(edges[..., 1:] & flows)
    return _Pulses(steps[begins], steps[ends] - steps[begins] + 1, devices, lanes, values[devices, lanes, begins])


def _records(
    kind: np.dtype, run: TraceAccess, schedule: _Schedule, bank: str, pulses: _Pulses, realisations: Sequence[int]
) -> np.ndarray:
    """Pulses of a bank as records of the table."""
    line, steps = Timeline(run), pulses.steps
    slots = schedule.slots[schedule.number(steps) % len(schedule.slots)]
    table = np.empty(len(steps), dtype=kind)
    table["epoch"], table["sample"] = line.epochs(steps), line.samples(steps)
    table["realisation"] = np.array(realisations)[pulses.lanes]
    if len(steps):
        samples = steps // schedule.sample_steps
        first = int(samples.min())
        shown = run.samples_shown(first, int(samples.max()) + 1)
        table["shown"] = shown[samples - first, table["realisation"]]
    table["phase"] = slots["phase"].astype("U8")
    for name in ("layer", "variable"):
        table[name] = slots[name]
    table["bank"], table["device"] = bank, pulses.devices
    # A carrier changes the current within a pulse.
    table["pulses"] = np.maximum(pulses.widths // slots["pulse_steps"], 1)
    table["start_step"], table["width_steps"] = steps, pulses.widths
    table["start_time"], table["width"] = line.seconds(steps), pulses.widths * run.dt
    table["amplitude"] = pulses.amplitudes
    table["charge"] = table["amplitude"] * table["width"]
    return table
