"""Independent sources: waveforms and pulses as ngspice generates them.

Times are counted from the stretch's start. A jump of the drive begins at the
boundary of its step and takes the time ``edge``, so that the values at the end
of a step are still those of the step.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...driving.waveforms import Csv, Pulses, Sampled, Sinusoid, Triangle, Waveform
from ...errors import InputError


class Span(NamedTuple):
    """A stretch of a drive: its first step, the step after its last, dt and edge in s."""

    start: int
    stop: int
    dt: float
    edge: float


def held_source(values: np.ndarray, span: Span) -> str:
    """A source that is held over each step, from (steps,) values."""
    jumps = np.flatnonzero(values[1:] != values[:-1]) + 1
    if len(jumps) == 0:
        return f"DC {_number(values[0])}"
    points = [(0.0, values[0])]
    for step in jumps:
        points += [(step * span.dt, values[step - 1]), (step * span.dt + span.edge, values[step])]
    return piecewise(points)


def source_of(waveform: Waveform, span: Span) -> str:
    """The source of a waveform over a stretch.

    Raises
    ------
    InputError
        A waveform that is none of memsim's own.
    """
    for kind, write in _SOURCES.items():
        if isinstance(waveform, kind):
            return write(waveform, span)
    raise InputError(
        f"format='spice': {type(waveform).__name__} has no source for ngspice; drive with samples of it instead"
    )


def piecewise(points: list[tuple[float, float]]) -> str:
    """A PWL source with two points a line."""
    pairs = [f"{_number(time)} {_number(value)}" for time, value in points]
    lines = ["  ".join(pairs[k : k + 2]) for k in range(0, len(pairs), 2)]
    return "PWL(" + "\n+ ".join(lines) + ")"


def _number(value: float) -> str:
    return repr(float(value))


def _pulses(waveform: Pulses, span: Span) -> str:
    held, _ = waveform.boundaries(span.start, span.stop, span.dt)
    return held_source(held, span)


def _sinusoid(waveform: Sinusoid, span: Span) -> str:
    turns = waveform.frequency * span.start * span.dt + waveform.phase / (2.0 * math.pi)
    numbers = waveform.offset, waveform.amplitude, waveform.frequency, 0.0, 0.0, 360.0 * (turns - math.floor(turns))
    return f"SIN({' '.join(map(_number, numbers))})"


def _triangle(waveform: Triangle, span: Span) -> str:
    """Straight lines from corner to corner: a quarter turn after the offset, and each half turn from there."""
    begin, end = span.start * span.dt, span.stop * span.dt
    shift = waveform.phase / (2.0 * math.pi)
    first, last = (math.floor(2.0 * (waveform.frequency * time + shift) - 0.5) for time in (begin, end))
    corners = ((0.5 * k + 0.25 - shift) / waveform.frequency for k in range(first + 1, last + 1))
    times = [begin, *(time for time in corners if begin < time < end), end]
    return piecewise([(time - begin, _triangle_at(waveform, time)) for time in times])


def _triangle_at(waveform: Triangle, time: float) -> float:
    """Offset + amplitude * (2/pi) asin(sin), the triangle in phase with a sinusoid."""
    turns = waveform.frequency * time + waveform.phase / (2.0 * math.pi)
    within = turns - math.floor(turns + 0.25)  # from -1/4 to 3/4
    return waveform.offset + waveform.amplitude * (4.0 * within if within <= 0.25 else 2.0 - 4.0 * within)


def _samples(waveform: Sampled | Csv, span: Span) -> str:
    """Straight lines from sample to sample; beyond them what the waveform says, with an edge where that jumps."""
    times, values = waveform.arrays()
    begin, end = span.start * span.dt, span.stop * span.dt
    zero = waveform.beyond == "zero"
    points: list[tuple[float, float]] = []
    if zero and times[0] > begin:
        points += [(begin, 0.0), (float(times[0]), 0.0)]
    elif begin not in times:
        points += [(begin, _at(times, values, begin, zero))]
    last = points[-1][0] if points else -math.inf
    delay = span.edge if zero and times[0] > begin else 0.0
    inside = (times > last) | (times == times[0])
    points += [
        (float(time) + (delay if time == times[0] else 0.0), float(value))
        for time, value in zip(times[inside], values[inside], strict=True)
        if begin <= time <= end
    ]
    if zero and times[-1] < end:
        points += [(max(float(times[-1]), begin) + span.edge, 0.0)]
    elif points[-1][0] < end:
        points += [(end, _at(times, values, end, zero))]
    return piecewise(_increasing([(time - begin, value) for time, value in points]))


def _at(times: np.ndarray, values: np.ndarray, time: float, zero: bool) -> float:
    if zero and not times[0] <= time <= times[-1]:
        return 0.0
    return float(np.interp(time, times, values))


def _increasing(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points whose times increase; one that an edge has overtaken is left out."""
    kept = points[:1]
    for point in points[1:]:
        if point[0] > kept[-1][0]:
            kept.append(point)
    return kept


_SOURCES: dict[type[Waveform], Callable[[Any, Span], str]] = {
    Pulses: _pulses,
    Sinusoid: _sinusoid,
    Triangle: _triangle,
    Sampled: _samples,
    Csv: _samples,
}
