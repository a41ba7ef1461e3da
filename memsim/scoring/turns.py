"""Curves that coincide in parts: which stretches belong to which of them, so that all can be drawn to be seen."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

Point = tuple[float, float]
Way = tuple[Point, Point]
DIGITS = 9  # in which the places of points are compared


class Stretch(NamedTuple):
    """A part of a curve.

    Attributes
    ----------
    points : list of (x, y)
    sharing : tuple of int
        The classes whose curves have it, ascending.
    """

    points: list[Point]
    sharing: tuple[int, ...]


def stretches(curves: Mapping[tuple[int, int], tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[int, Stretch]]:
    """Every curve in parts, each of which as many classes have all along.

    Parameters
    ----------
    curves : mapping
        (class, realisation) to x and y of a curve that neither falls nor goes
        back: along axes it may coincide with another one for a part of its
        way, elsewhere from point to point.

    Yields
    ------
    number : int
        The class.
    stretch : Stretch
    """
    places = {key: _places(*curve) for key, curve in curves.items()}
    crossings = _crossings([point for points in places.values() for point in points])
    ways = {
        key: [way for one, other in pairwise(points) for way in _parts(one, other, crossings)]
        for key, points in places.items()
    }
    users: dict[Way, set[int]] = defaultdict(set)
    for (number, _), parts in ways.items():
        for way in parts:
            users[way].add(number)
    for (number, _), parts in ways.items():
        for sharing, together in groupby(parts, key=lambda way: tuple(sorted(users[way]))):
            first, *others = together
            yield number, Stretch([*first, *(end for _, end in others)], sharing)


def _places(x: np.ndarray, y: np.ndarray) -> list[Point]:
    """Points of a curve, each once."""
    rounded = zip(np.round(x, DIGITS).tolist(), np.round(y, DIGITS).tolist(), strict=True)
    return [point for point, _ in groupby(rounded)]


def _crossings(points: Sequence[Point]) -> tuple[dict[float, list[float]], ...]:
    """What lies at each x, and at each y, ascending."""
    found: tuple[dict[float, set[float]], ...] = (defaultdict(set), defaultdict(set))
    for x, y in points:
        found[0][x].add(y)
        found[1][y].add(x)
    return tuple({place: sorted(across) for place, across in each.items()} for each in found)


def _parts(one: Point, other: Point, crossings: tuple[dict[float, list[float]], ...]) -> Iterator[Way]:
    """A way from point to point, in parts where it goes along an axis and points of others lie on it."""
    if one[0] == other[0]:
        stops = [(one[0], y) for y in _between(crossings[0][one[0]], one[1], other[1])]
    elif one[1] == other[1]:
        stops = [(x, one[1]) for x in _between(crossings[1][one[1]], one[0], other[0])]
    else:
        stops = [one, other]
    return pairwise(stops)


def _between(ascending: list[float], first: float, last: float) -> list[float]:
    return ascending[bisect_left(ascending, first) : bisect_right(ascending, last)]
