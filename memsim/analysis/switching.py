"""Switching events: when a state crosses a level."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..devices import UNBOUNDED
from ..errors import InputError
from ..runs.channels import choose
from ..runs.run import Run
from ..runs.timeline import PHASES, Timeline
from .stored_states import state_before

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
    lanes = choose(run, [bank], (), realisations).realisations
    first, last = run.checked_steps(start, stop)
    levels = switching_levels(run, bank, threshold, hysteresis)
    side = sides_of(state_before(run, bank, first, lanes), levels)
    pieces = switching_pieces(run, bank, levels, side, first, last, lanes)
    return np.concatenate([np.empty(0, dtype=EVENT), *(events for _, events in pieces)])


class Levels(NamedTuple):
    """The band about a level.

    Attributes
    ----------
    bounded : (variables,) int64
        State variables with bounds.
    low, high : (variables, 1) float64
        Ends of the band, in the states' units.
    """

    bounded: np.ndarray
    low: np.ndarray
    high: np.ndarray


def switching_levels(run: Run, bank: str, threshold: float = 0.5, hysteresis: float = 0.02) -> Levels:
    """The band that :func:`switching_events` looks at.

    Raises
    ------
    InputError
        It does not lie within the range.
    """
    low, high = threshold - 0.5 * hysteresis, threshold + 0.5 * hysteresis
    if hysteresis < 0 or not 0.0 < low <= high < 1.0:
        raise InputError(
            f"threshold, hysteresis: the band must lie between 0 and 1, and not reach them (got {low:g} to {high:g})"
        )
    bounds = np.array([variable[2:] for variable in run.bank(bank).variables])
    bounded = np.flatnonzero(np.abs(bounds).max(axis=1) < UNBOUNDED)
    lower, upper = (bounds[bounded, k][:, None] for k in (0, 1))
    return Levels(bounded, lower + low * (upper - lower), lower + high * (upper - lower))


def switching_pieces(
    run: Run, bank: str, levels: Levels, side: np.ndarray, start: int, stop: int, realisations: Sequence[int],
    steps: int = 0,
) -> Iterator[tuple[int, np.ndarray]]:  # fmt: skip
    """The events of a span piece by piece, for whoever wants to stop at one.

    Parameters
    ----------
    run : Run
    bank : str
    levels : Levels
    side : (devices, variables, realisations) int8
        Where each state was last outside of the band, before the span: 1 above, -1 below, 0 never.
    start, stop : int
        Steps from the start of the run, ``stop`` not included.
    realisations : sequence of int
    steps : int
        Of a piece at most; as many as take some megabytes where it is 0.

    Yields
    ------
    step : int
        Up to which has been looked.
    events : (events,) structured
        As of :func:`switching_events`.
    """
    latest = side[None]
    for position, rows in run.stretches(start, stop, [bank], realisations=realisations, steps=steps):
        sides = _kept(np.concatenate([latest, sides_of(rows[bank].state, levels)]))
        crossed = np.nonzero(sides[1:] * sides[:-1] < 0)
        yield (
            position + len(rows[bank].state),
            _events(run, position, crossed, sides[1:][crossed], levels.bounded, realisations),
        )
        latest = sides[-1:]


def sides_of(states: np.ndarray, levels: Levels) -> np.ndarray:
    """1 above the band, -1 below it, 0 within, of the variables that have bounds; (..., variables, realisations)."""
    bounded = states[..., levels.bounded, :]
    return np.where(bounded >= levels.high, 1, np.where(bounded <= levels.low, -1, 0)).astype(np.int8)


def side_before(run: Run, bank: str, levels: Levels, step: int, realisations: Sequence[int]) -> np.ndarray:
    """Where each state was last outside of the band before a step, by the states that the file keeps."""
    lanes = list(realisations)
    count = int(np.searchsorted(run.keyframes["sample"] * run.sample_steps, step, side="right"))
    kept = [run.initial_state[bank][None][..., lanes], run.stored.keyframe_states(bank, slice(0, count))[..., lanes]]
    here = state_before(run, bank, step, realisations)[None]
    latest: np.ndarray = _kept(sides_of(np.concatenate([*kept, here]), levels))[-1]
    return latest


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
