"""Switching events: when a state crosses a level."""

from collections.abc import Sequence

import numpy as np

from ..devices import UNBOUNDED
from ..errors import InputError
from ..run import Run
from .channels import choose
from .stored import checked_span, state_before
from .timeline import PHASES, Timeline

EVENT = np.dtype([
    ("step", "i8"), ("time", "f8"), ("epoch", "i8"), ("sample", "i8"), ("phase", "U8"),
    ("device", "i8"), ("variable", "i8"), ("realisation", "i8"), ("direction", "i1"),
])  # fmt: skip


def switching_events(
    run: Run, bank: str, *, threshold: float = 0.5, hysteresis: float = 0.02, start: int = 0, stop: int | None = None,
    realisations: Sequence[int] = (),
) -> np.ndarray:  # fmt: skip
    """When states cross a level.

    A state x counts as a share of its range, s = (x - lower) / (upper - lower).
    It is up from s >= threshold + hysteresis/2 on, and down from s <= threshold
    - hysteresis/2 on (a Schmitt trigger); in between it stays what it was, so
    that a state that trembles about the level is no row of events. A state that
    begins in between is neither: its first way out of the band is no event.

    Parameters
    ----------
    run : Run
    bank : str
    threshold : float
        The level, from 0 to 1.
    hysteresis : float
        Width of the band about it, as a share of the range; 0 for none.
    start, stop : int
        Steps from the start of the run, ``stop`` not included; to the run's end where it is not given.
    realisations : sequence of int
        All where it is empty.

    Returns
    -------
    (events,) structured
        Ordered by step: ``step``, the one at whose end the state is beyond the
        band; ``time``, when that step begins, in s; ``epoch``; ``sample``, its
        place in the epoch; ``phase``; ``device``; ``variable``;
        ``realisation``; ``direction``, 1 upwards and -1 downwards. States
        without bounds have no events.

    Raises
    ------
    InputError
        The band does not lie within the range, or the run has no such bank or steps.
    """
    low, high = threshold - 0.5 * hysteresis, threshold + 0.5 * hysteresis
    if hysteresis < 0 or not 0.0 < low <= high < 1.0:
        raise InputError(
            f"threshold, hysteresis: the band must lie between 0 and 1, and not reach them (got {low:g} to {high:g})"
        )
    lanes = choose(run, [bank], (), realisations).realisations
    first, last = checked_span(run, start, stop)
    bounds = np.array([variable[2:] for variable in run.bank(bank).variables])
    bounded = np.flatnonzero(np.abs(bounds).max(axis=1) < UNBOUNDED)
    lower, upper = (bounds[bounded, k][:, None] for k in (0, 1))
    levels = lower + low * (upper - lower), lower + high * (upper - lower)
    side = _sides(state_before(run, bank, first, lanes)[None, :, bounded], *levels)
    found = [np.empty(0, dtype=EVENT)]
    for position, rows in run.stretches(first, last, [bank], realisations=lanes):
        sides = _kept(np.concatenate([side, _sides(rows[bank].state[:, :, bounded], *levels)]))
        crossed = np.nonzero(sides[1:] * sides[:-1] < 0)
        found.append(_events(run, position, crossed, sides[1:][crossed], bounded, lanes))
        side = sides[-1:]
    return np.concatenate(found)


def _sides(states: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """1 above the band, -1 below it, 0 within."""
    return np.where(states >= high, 1, np.where(states <= low, -1, 0)).astype(np.int8)


def _kept(sides: np.ndarray) -> np.ndarray:
    """Sides along the first axis, with each 0 replaced by the last side before it."""
    steps = np.arange(len(sides)).reshape(-1, *(1,) * (sides.ndim - 1))
    latest = np.maximum.accumulate(np.where(sides != 0, steps, 0), axis=0)
    kept: np.ndarray = np.take_along_axis(sides, latest, axis=0)
    return kept


def _events(
    run: Run, position: int, crossed: tuple[np.ndarray, ...], directions: np.ndarray, bounded: np.ndarray,
    lanes: Sequence[int],
) -> np.ndarray:  # fmt: skip
    rows, devices, variables, places = crossed
    line, steps = Timeline(run), position + rows
    events = np.empty(len(steps), dtype=EVENT)
    events["step"], events["time"] = steps, line.seconds(steps)
    events["epoch"], events["sample"] = line.epochs(steps), line.samples(steps)
    events["phase"] = np.array(PHASES)[line.phases(steps)]
    events["device"], events["variable"] = devices, bounded[variables]
    events["realisation"], events["direction"] = np.array(lanes)[places], directions
    return events
