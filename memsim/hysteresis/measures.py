"""What is measured of one loop: lobe areas, the response at zero drive, its width, how far it is from a line."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..analysis.device_loops import lobes


def lobe_areas(voltage: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Areas of the lobes with positive and with negative current in V*A, each the sum of its lobes in the period.

    A lobe's area is positive where it goes round against the clock, V to the right and I upwards.

    Parameters
    ----------
    voltage, current : (rows,) float64
        In V and A, from zero drive to zero drive.
    """
    found = lobes(voltage, current)
    positive, negative = (sum(lobe.area for lobe in found if lobe.direction == sign) for sign in (1, -1))
    return float(positive), float(negative)


def response_at_zero(drive: np.ndarray, response: np.ndarray, continuous: np.ndarray) -> float:
    """Largest response where the drive is 0, as a share of the largest response.

    Between two rows of opposite drive both are taken as linear, unless the
    drive jumps there. NaN where the drive never is 0.

    Parameters
    ----------
    drive, response : (rows,) float64
    continuous : (rows - 1,) bool
        Whether the drive goes on from a row to the next without a jump.
    """
    at_zero = [np.abs(response[drive == 0.0])]
    crossing = np.flatnonzero((drive[:-1] * drive[1:] < 0) & continuous)
    share = drive[crossing] / (drive[crossing] - drive[crossing + 1])
    at_zero.append(np.abs(response[crossing] + share * (response[crossing + 1] - response[crossing])))
    found = np.concatenate(at_zero)
    return _share(float(found.max()), response) if len(found) else float("nan")


def width(drive: np.ndarray, response: np.ndarray, continuous: np.ndarray) -> float:
    """Largest spread of the response at one drive, as a share of the largest response; 0 of a single-valued function.

    Where the drive is continuous, the stretches over which it rises or falls
    are compared with each other, linear between rows; with jumps, the rows of
    exactly the same drive are.

    Parameters
    ----------
    drive, response : (rows,) float64
    continuous : (rows - 1,) bool
    """
    levels, level_of = np.unique(drive, return_inverse=True)
    lowest, highest = np.full(len(levels), np.inf), np.full(len(levels), -np.inf)
    np.minimum.at(lowest, level_of, response)
    np.maximum.at(highest, level_of, response)
    if continuous.all():
        for first, last in _monotonic(drive):
            order = (
                slice(first, last + 1) if drive[last] > drive[first] else slice(last, first - 1 if first else None, -1)
            )
            covered = (levels >= drive[order][0]) & (levels <= drive[order][-1])
            between = np.interp(levels[covered], drive[order], response[order])
            lowest[covered] = np.minimum(lowest[covered], between)
            highest[covered] = np.maximum(highest[covered], between)
    return _share(float((highest - lowest).max()), response)


def _monotonic(drive: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last rows of the stretches over which the drive rises, falls, or stays."""
    turns = np.flatnonzero(np.diff(np.sign(np.diff(drive)))) + 1
    yield from pairwise([0, *turns.tolist(), len(drive) - 1])


def off_line(drive: np.ndarray, response: np.ndarray) -> float:
    """Largest distance of the response from the best line through the origin, as a share of the largest response."""
    slope = float(drive @ response) / float(drive @ drive)
    return _share(float(np.abs(response - slope * drive).max()), response)


def _share(value: float, response: np.ndarray) -> float:
    largest = float(np.abs(response).max())
    return value / largest if largest > 0 else 0.0
