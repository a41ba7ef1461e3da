"""The values that a figure shows: each channel's steps over a short span, its envelope over a long one."""

from typing import NamedTuple

import numpy as np

from ..run import Run
from .channels import Channel, Channels

POINTS = 1000  # spans of an envelope; each has two values, about two for every column of pixels
STEPS = 2 * POINTS  # in a span that is short enough to show each step


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


def curves(run: Run, channels: Channels, start: int, stop: int) -> dict[Channel, Curve]:
    """The values of channels over a span of steps, in bounded memory and time.

    Parameters
    ----------
    run : Run
    channels : Channels
    start, stop : int
        Steps, ``stop`` not included.
    """
    return _steps(run, channels, start, stop) if stop - start <= STEPS else _envelopes(run, channels, start, stop)


def _steps(run: Run, channels: Channels, start: int, stop: int) -> dict[Channel, Curve]:
    edges = np.arange(start, stop + 1)
    rows = run.stretch(start, stop, channels.banks, realisations=channels.realisations)
    lanes = {realisation: lane for lane, realisation in enumerate(channels.realisations)}
    found = {}
    for channel in channels:
        values = _of(channel, getattr(rows[channel.bank], channel.quantity), lanes[channel.realisation])
        found[channel] = Curve(edges, values, values)
    return found


def _envelopes(run: Run, channels: Channels, start: int, stop: int) -> dict[Channel, Curve]:
    found = {}
    for bank in channels.banks:
        for quantity in channels.quantities:
            envelope = run.envelope(bank, quantity, start, stop, POINTS)
            edges = np.append(envelope.steps, stop)
            for channel in channels:
                if (channel.bank, channel.quantity) == (bank, quantity):
                    low, high = (_of(channel, e, channel.realisation) for e in (envelope.minimum, envelope.maximum))
                    found[channel] = Curve(edges, low, high)
    return found


def _of(channel: Channel, values: np.ndarray, lane: int) -> np.ndarray:
    """One channel of (steps, devices, [variables,] realisations)."""
    if channel.variable is None:
        return values[:, channel.device, lane]
    return values[:, channel.device, channel.variable, lane]
