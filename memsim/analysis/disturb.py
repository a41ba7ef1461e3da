"""Read-disturb: how far states move in phases that must leave them as they were."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..devices import UNBOUNDED
from ..errors import InputError
from ..runs.channels import choose
from ..runs.run import Run
from ..runs.timeline import slot_widths
from .stored_states import state_before

CHUNK_STEPS = 16384  # of a stretch, about
RESIDUAL = 1e-12  # share of a range below which a change is rounding
DISTURB = np.dtype([
    ("step", "i8"), ("stop", "i8"), ("phase", "U8"), ("device", "i8"), ("variable", "i8"), ("realisation", "i8"),
    ("change", "f8"),
])  # fmt: skip


@dataclass(frozen=True)
class Disturbance:
    """What a phase did to the states of a bank that it must leave as they were.

    Attributes
    ----------
    slots : int
        Slots that were looked at, of one realisation.
    moved : (devices, variables, realisations) int64
        Slots after which the state was not the one before.
    largest : (devices, variables, realisations) float64
        Largest distance from the state before, in the state's unit: of READ and
        BACKREAD at any step within the slot, of RESTORE at its end.
    net : (devices, variables, realisations) float64
        Sum of the changes from before to after, in the state's unit: what a drift in one direction adds up to.
    """

    slots: int
    moved: np.ndarray
    largest: np.ndarray
    net: np.ndarray


def read_disturb_per_phase(
    run: Run, bank: str, start: int = 0, stop: int | None = None, *, realisations: Sequence[int] = ()
) -> dict[str, Disturbance]:
    """How far a bank's states move in the phases that must leave them as they were, from the rows.

    - READ and BACKREAD: the change from the slot's beginning, x(t) - x(t_begin).
      Not the READs of nodes, which move states on purpose.
    - RESTORE: its residual, x(t_end) - x(t_begin of the READ before).

    Slots that drive other banks cannot move a state. The whole samples within
    the span are looked at, in bounded memory.

    Parameters
    ----------
    run : Run
    bank : str
    start, stop : int
        Steps from the start of the run, ``stop`` not included; to the run's end where it is not given.
    realisations : sequence of int
        All where it is empty.

    Returns
    -------
    dict of str to Disturbance
        By the name of the phase; only phases that drive the bank.

    Raises
    ------
    InputError
        The run has no such bank or steps, or no whole sample lies within the span.
    """
    lanes = choose(run, [bank], (), realisations).realisations
    first, last = run.checked_steps(start, stop)
    size = run.sample_steps
    begin, end = -(-first // size) * size, last // size * size
    if end <= begin:
        raise InputError(
            f"start, stop: a sample has {size} steps, and none lies whole within {first} to {last}; take more steps"
        )
    found: dict[str, Disturbance] = {}
    spans = _guarded_spans(run, bank)
    for before, states in _whole_samples(run, bank, begin, end, lanes):
        for phase, reference, opening, closing in spans:
            new = _disturbance(before, states, reference, opening, closing)
            found[phase] = _added(found[phase], new) if phase in found else new
    return found


def disturb_events(
    run: Run, bank: str, *, start: int = 0, stop: int | None = None, realisations: Sequence[int] = (),
    tolerance: float = RESIDUAL,
) -> np.ndarray:  # fmt: skip
    """The slots that left a state of a bank other than they must, one by one.

    At the end of each slot, READ and BACKREAD are judged by x(t_end) - x(t_begin), RESTORE by its residual.
    :func:`read_disturb_per_phase` has the sums of these.

    Parameters
    ----------
    run : Run
    bank : str
    start, stop : int
        Steps from the start of the run; the whole samples within them are looked at, and there may be none.
    realisations : sequence of int
        All where it is empty.
    tolerance : float
        Share of a state's range that a change must exceed; of a state without bounds, any change counts.

    Returns
    -------
    (events,) structured
        Ordered by step: ``step``, where the slot begins, and of a RESTORE the READ before it; ``stop``, where it ends;
        ``phase``; ``device``; ``variable``; ``realisation``; ``change`` in the state's unit.

    Raises
    ------
    InputError
        The run has no such bank or steps.
    """
    lanes = choose(run, [bank], (), realisations).realisations
    first, last = run.checked_steps(start, stop)
    pieces = disturb_pieces(run, bank, first, last, lanes, tolerance)
    table = np.concatenate([np.empty(0, dtype=DISTURB), *(events for _, events in pieces)])
    ordered: np.ndarray = table[np.argsort(table["step"], kind="stable")]
    return ordered


def disturb_pieces(
    run: Run, bank: str, start: int, stop: int, realisations: Sequence[int], tolerance: float = RESIDUAL
) -> Iterator[tuple[int, np.ndarray]]:
    """The events of a span's whole samples piece by piece, for whoever wants to stop at one.

    Yields
    ------
    step : int
        Up to which has been looked.
    events : (events,) structured
        As of :func:`disturb_events`, in the order of the phases and then of the steps.
    """
    lanes, size = np.array(realisations), run.sample_steps
    begin, end = -(-start // size) * size, stop // size * size
    bounds = np.array([variable[2:] for variable in run.bank(bank).variables])
    ranges = bounds[:, 1] - bounds[:, 0]
    least = (tolerance * np.where(ranges < UNBOUNDED, ranges, 0.0))[:, None]
    spans, at = _guarded_spans(run, bank), begin
    for before, states in _whole_samples(run, bank, begin, end, lanes.tolist()) if end > begin else ():
        found = [np.empty(0, dtype=DISTURB)]
        for phase, reference, _, closing in spans:
            kept = before if reference == 0 else states[:, reference - 1]
            changes = states[:, closing - 1] - kept
            samples, devices, variables, places = np.nonzero(np.abs(changes) > least)
            events = np.empty(len(samples), dtype=DISTURB)
            events["step"], events["stop"] = at + samples * size + reference, at + samples * size + closing
            events["phase"], events["device"], events["variable"] = phase, devices, variables
            events["realisation"], events["change"] = lanes[places], changes[samples, devices, variables, places]
            found.append(events)
        at += len(states) * size
        yield at, np.concatenate(found)


def _guarded_spans(run: Run, bank: str) -> list[tuple[str, int, int, int]]:
    """Phase, step before which the state is to be kept, and first and last step that are compared with it."""
    slots = run.slots[run.slots["bank"] == run.banks.index(bank)]
    ends = slots["start"] + slot_widths(slots)
    restored = b"RESTORE" in slots["phase"]
    spans, reading = [], 0
    for slot, end in zip(slots, ends, strict=True):
        phase, begin = slot["phase"].decode(), int(slot["start"])
        if phase == "RESTORE":
            spans.append((phase, reading, int(end) - 1, int(end)))
        elif phase == "BACKREAD" or (phase == "READ" and not restored):
            spans.append((phase, begin, begin, int(end)))
        elif phase == "READ":
            reading = begin
    return spans


def _whole_samples(
    run: Run, bank: str, begin: int, end: int, lanes: Sequence[int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """States of some samples: before each, (samples, ...), and at its steps' ends, (samples, steps, ...)."""
    size = run.sample_steps
    before = state_before(run, bank, begin, lanes)[None]
    waiting: list[np.ndarray] = []
    steps = max(1, CHUNK_STEPS // size) * size
    for _, rows in run.stretches(begin, end, [bank], realisations=lanes, steps=steps):
        joined = np.concatenate([*waiting, rows[bank].state])
        count = len(joined) // size
        waiting = [joined[count * size :]]
        if count:
            states = joined[: count * size].reshape(count, size, *joined.shape[1:])
            yield np.concatenate([before, states[:-1, -1]]), states
            before = states[-1:, -1]


def _disturbance(before: np.ndarray, states: np.ndarray, reference: int, opening: int, closing: int) -> Disturbance:
    kept = before if reference == 0 else states[:, reference - 1]
    changes = states[:, opening:closing] - kept[:, None]
    return Disturbance(
        slots=len(states),
        moved=np.count_nonzero(changes[:, -1], axis=0),
        largest=np.abs(changes).max(axis=(0, 1)),
        net=changes[:, -1].sum(axis=0),
    )


def _added(one: Disturbance, other: Disturbance) -> Disturbance:
    return Disturbance(
        one.slots + other.slots, one.moved + other.moved, np.maximum(one.largest, other.largest), one.net + other.net
    )
