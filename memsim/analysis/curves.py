"""The values that a figure shows: each channel's steps over a short span, its envelope over a long one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..calibration.bank import BankCalibration
from ..runs.channels import Channel, Channels
from ..runs.run import Run
from ..runs.trace_access import SpanExtremes

POINTS = 1000  # spans of an envelope; each has two values, about two for every column of pixels
STEPS = 2 * POINTS  # in a span that is short enough to show each step
Progress = Callable[[int, int], None]


class Curve(NamedTuple):
    """One channel over a span.

    Attributes
    ----------
    edges : (points + 1,) int64
        Steps at which the points begin, and where the last one ends.
    low, high : (points,) float64
        Smallest and largest value of each point; the same array where a point is a step.
    """

    edges: np.ndarray
    low: np.ndarray
    high: np.ndarray


def as_weights(curve: Curve, calibration: BankCalibration) -> Curve:
    """A curve of states as one of the weights that they stand for, which may fall where states rise."""
    low = calibration.weights(curve.low)
    if curve.low is curve.high:
        return Curve(curve.edges, low, low)
    high = calibration.weights(curve.high)
    return Curve(curve.edges, np.minimum(low, high), np.maximum(low, high))


def curves(
    run: Run, channels: Channels, start: int, stop: int, progress: Progress | None = None, *,
    points: int | None = None, coarsest: int | None = None,
) -> dict[Channel, Curve]:  # fmt: skip
    """The values of channels over a span of steps, in bounded memory.

    Parameters
    ----------
    run : Run
    channels : Channels
    start, stop : int
        Steps, ``stop`` not included.
    progress : function, optional
        Is told the steps that are done, and all of them, where rows have to be read or replayed.
    points : int, optional
        Of an envelope, 1000 where it is not given; a span of up to twice as many steps shows each of them.
    coarsest : int, optional
        Take as few points as this from the overview rather than read rows; ``points`` where it is not given.
    """
    if stop - start <= (STEPS if points is None else 2 * points):
        return _steps(run, channels, start, stop)
    points = points or POINTS
    found, rest = {}, []
    for bank in channels.banks:
        for quantity in channels.quantities:
            overview = run.overview(bank, quantity, start, stop, points)
            if overview is None and coarsest is not None:
                overview = run.overview(bank, quantity, start, stop, coarsest)
            if overview is None:
                rest.append((bank, quantity))
                continue
            # Blocks are whole, so the first and the last point reach a little beyond the span.
            edges = np.append(overview.steps, min(-(-stop // overview.rows) * overview.rows, run.steps))
            edges[0] = start // overview.rows * overview.rows
            for channel in channels.of(bank, quantity):
                place = channel.device, channel.realisation
                found[channel] = _curve(channel, edges, overview.minimum, overview.maximum, place)
    return found | _envelopes(run, channels, rest, start, stop, points, progress) if rest else found


def _steps(run: Run, channels: Channels, start: int, stop: int) -> dict[Channel, Curve]:
    edges = np.arange(start, stop + 1)
    rows = run.stretch(start, stop, channels.banks, realisations=channels.realisations)
    found = {}
    for channel in channels:
        values = getattr(rows[channel.bank], channel.quantity)
        place = channel.device, channels.realisations.index(channel.realisation)
        found[channel] = _curve(channel, edges, values, values, place)
    return found


def _envelopes(
    run: Run, channels: Channels, wanted: Sequence[tuple[str, str]], start: int, stop: int, points: int,
    progress: Progress | None,
) -> dict[Channel, Curve]:  # fmt: skip
    """Envelopes of banks and quantities from one pass over the rows of all of them."""
    edges = np.unique(np.linspace(start, stop, points + 1).astype(np.int64))
    banks = tuple(dict.fromkeys(bank for bank, _ in wanted))
    extremes = {key: SpanExtremes(edges) for key in wanted}
    for first, rows in run.stretches(start, stop, banks, realisations=channels.realisations):
        for (bank, quantity), envelope in extremes.items():
            envelope.add(first, getattr(rows[bank], quantity)[:, channels.devices[bank]])
        if progress is not None:
            progress(first + len(rows[banks[0]].current) - start, stop - start)
    found = {}
    for (bank, quantity), envelope in extremes.items():
        for channel in channels.of(bank, quantity):
            place = channels.devices[bank].index(channel.device), channels.realisations.index(channel.realisation)
            found[channel] = _curve(channel, edges, envelope.lowest, envelope.highest, place)
    return found


def _curve(channel: Channel, edges: np.ndarray, low: np.ndarray, high: np.ndarray, place: tuple[int, int]) -> Curve:
    """One channel of (parts, devices, [variables,] realisations), by its device's and its realisation's index."""
    device, lane = place
    index = (slice(None), device, lane) if channel.variable is None else (slice(None), device, channel.variable, lane)
    lowest = low[index]
    return Curve(edges, lowest, lowest if low is high else high[index])


class ErrorCurve(NamedTuple):
    """Total error over epochs, Eq. 20, in parts of one or several of them.

    Attributes
    ----------
    epochs : (parts + 1,) int64
        Where parts begin, and where the last one ends.
    mean, low, high : (parts,) float64
        Mean, smallest and largest of all realisations and of the part's epochs.
    """

    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def error_curve(run: Run, points: int = POINTS) -> ErrorCurve:
    """The error of each epoch; of a long run in ``points`` parts at most, and without any before the first epoch."""
    error = run.total_error
    if len(error) == 0:
        return ErrorCurve(np.zeros(1, dtype=np.int64), *(np.empty((3, 0))))
    edges = np.unique(np.linspace(0, len(error), min(points, len(error)) + 1).astype(np.int64))
    first = edges[:-1]
    return ErrorCurve(
        edges,
        np.add.reduceat(error.mean(axis=1), first) / np.diff(edges),
        np.minimum.reduceat(error.min(axis=1), first),
        np.maximum.reduceat(error.max(axis=1), first),
    )
