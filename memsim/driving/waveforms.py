"""Waveforms: what drives a device, as a current in A or as a voltage in V.

A waveform is a function of the integer step: it gives its values at the start
and at the end of each step, time being step * dt. Between the two the drive is
linear. Pulses are held over a step; sinusoid, triangle and samples are not, so
that an integrator sees their values at each of its stages. Waveforms add up:
``Sinusoid(...) + Pulses(...)``.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, SerializeAsAny, model_validator

from ..configuration.sections import whole_steps
from ..errors import InputError
from ..fields import Settings, quantity
from ..files.tables import read_columns
from ..terminal.si import with_prefix

DRIVE_UNIT = "A or V"
ON_GRID = 1e-6  # of a step: how near to the grid counts as on it


class Waveform(Settings):
    """The contract of a waveform.

    A subclass gives ``boundaries`` and ``label``, and ``check`` where a
    waveform can fail to fit a step or a duration.
    """

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Values at the start and at the end of the steps from ``first`` to ``stop`` - 1.

        Parameters
        ----------
        first, stop : int
            Step numbers, 0 or more; ``stop`` is not included.
        dt : float
            Step in s.

        Returns
        -------
        starts, ends : (stop - first,) float64
            In A or V. The value of a step does not depend on which other steps
            are asked for.
        """
        raise NotImplementedError

    def check(self, steps: int, dt: float) -> None:
        """Refuse a step or a duration that the waveform cannot have.

        Parameters
        ----------
        steps : int
            Length of the drive.
        dt : float
            Step in s.

        Raises
        ------
        InputError
            With both numbers.
        """

    def label(self, unit: str) -> str:
        """A few words for legends; ``unit`` is A or V."""
        raise NotImplementedError

    def notes(self, steps: int, dt: float) -> list[str]:
        """What the drive leaves out of the waveform without being wrong, one line each."""
        return []

    def __add__(self, other: "Waveform") -> "Sum":
        """Add two waveforms."""
        if not isinstance(other, Waveform):
            return NotImplemented
        return Sum(parts=(*parts_of(self), *parts_of(other)))


class Sum(Waveform):
    """The sum of waveforms; of none, zero."""

    waveform: Literal["sum"] = "sum"
    parts: tuple[SerializeAsAny[Waveform], ...] = Field(default=(), description="waveforms that add up")

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """The parts' values, added up in their order."""
        starts, ends = np.zeros(stop - first), np.zeros(stop - first)
        for part in self.parts:
            start, end = part.boundaries(first, stop, dt)
            starts += start
            ends += end
        return starts, ends

    def check(self, steps: int, dt: float) -> None:
        """Check every part."""
        for part in self.parts:
            part.check(steps, dt)

    def label(self, unit: str) -> str:
        """The parts' labels."""
        return " + ".join(part.label(unit) for part in self.parts) or "no drive"

    def notes(self, steps: int, dt: float) -> list[str]:
        """The parts' notes."""
        return [note for part in self.parts for note in part.notes(steps, dt)]


def parts_of(waveform: Waveform) -> tuple[Waveform, ...]:
    """The waveforms that a sum adds up; any other waveform is its own only part."""
    if not isinstance(waveform, Sum):
        return (waveform,)
    return tuple(part for each in waveform.parts for part in parts_of(each))


class Pulse(Settings):
    """One pulse: start and width in s, on the grid of dt; amplitude in A or V."""

    start: float = quantity(0.0, "s", "start", ge=0)
    width: float = quantity(..., "s", "width", gt=0)
    amplitude: float = quantity(..., DRIVE_UNIT, "amplitude")


class Pulses(Waveform):
    """Pulses that are held over their steps, and add up where they overlap.

    A pulse whose start or width is no multiple of dt is refused. What lies
    beyond the end of the drive is left out.
    """

    waveform: Literal["pulses"] = "pulses"
    pulses: tuple[Pulse, ...] = Field(..., min_length=1, description="list of start, width, amplitude")

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """The pulses' amplitudes, added up in the order of the list; start and end are the same."""
        begin = np.rint(np.array([pulse.start for pulse in self.pulses]) / dt).astype(np.int64)
        end = begin + np.rint(np.array([pulse.width for pulse in self.pulses]) / dt).astype(np.int64)
        held = np.zeros(stop - first)
        for k in np.flatnonzero((begin < stop) & (end > first)):
            held[max(begin[k] - first, 0) : end[k] - first] += self.pulses[k].amplitude
        return held, held.copy()

    def check(self, steps: int, dt: float) -> None:
        """Refuse a start or a width off the grid."""
        try:
            for k, pulse in enumerate(self.pulses):
                whole_steps(f"pulses.{k}.start", pulse.start, dt)
                whole_steps(f"pulses.{k}.width", pulse.width, dt)
        except ValueError as error:
            raise InputError(str(error)) from None

    def label(self, unit: str) -> str:
        """How many pulses, and the largest."""
        largest = max((pulse.amplitude for pulse in self.pulses), key=abs)
        many = f"{len(self.pulses)} pulses to" if len(self.pulses) > 1 else "a pulse of"
        return f"{many} {with_prefix(largest, unit)}"


class _Periodic(Waveform):
    """What sinusoid and triangle share: ``offset`` + ``amplitude`` times a shape of the phase."""

    amplitude: float = quantity(..., DRIVE_UNIT, "amplitude, half of peak to peak")
    frequency: float = quantity(..., "Hz", "frequency, less than half the steps in a second", gt=0)
    phase: float = quantity(0.0, "rad", "phase at the start; 0 rises through the offset")
    offset: float = quantity(0.0, DRIVE_UNIT, "mean value")

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Values at the steps' boundaries; a step's end is the next one's start."""
        time = np.arange(first, stop + 1) * dt
        turns = self.frequency * time + self.phase / (2.0 * math.pi)
        values = self.offset + self.amplitude * self._shape(_fold(turns))
        return values[:-1], values[1:]

    def _shape(self, folded: np.ndarray) -> np.ndarray:
        """The shape, from -1 to 1, over a quarter turn to either side of its rise through 0."""
        raise NotImplementedError

    def check(self, steps: int, dt: float) -> None:
        """Refuse a frequency that the step cannot follow."""
        if self.frequency * dt >= 0.5:
            raise InputError(
                f"frequency: must be less than 1/(2 dt) = {0.5 / dt:g} Hz, two steps a period "
                f"(got {self.frequency:g} Hz); take a smaller dt"
            )

    def label(self, unit: str) -> str:
        """Name, amplitude, frequency, and the offset if there is one."""
        name = type(self).__name__.lower()
        offset = f" about {with_prefix(self.offset, unit)}" if self.offset else ""
        return f"{name} {with_prefix(self.amplitude, unit)}, {with_prefix(self.frequency, 'Hz')}{offset}"


class Sinusoid(_Periodic):
    """offset + amplitude * sin(2 pi * frequency * t + phase)."""

    waveform: Literal["sinusoid"] = "sinusoid"

    def _shape(self, folded: np.ndarray) -> np.ndarray:
        return _sine_of_turns(folded)


class Triangle(_Periodic):
    """A symmetric triangle: the shape of a sinusoid of the same phase, with straight flanks."""

    waveform: Literal["triangle"] = "triangle"

    def _shape(self, folded: np.ndarray) -> np.ndarray:
        return 4.0 * folded


def _fold(turns: np.ndarray) -> np.ndarray:
    """Turns, folded into [-1/4, 1/4], where the sine has the same value."""
    within = turns - np.rint(turns)
    return np.where(np.abs(within) > 0.25, np.copysign(0.5, within) - within, within)


def _sine_of_turns(turns: np.ndarray) -> np.ndarray:
    """sin(2 pi * turns) for turns in [-1/4, 1/4], to 2e-16, from basic arithmetic.

    NumPy's own sine may take another path for a number with other neighbours;
    with this one the values do not depend on how steps are grouped.
    """
    x = 2.0 * math.pi * turns
    square = x * x
    series = np.full_like(x, 1.0 / math.factorial(21))
    for power in range(19, 0, -2):
        series = 1.0 / math.factorial(power) - series * square
    return x * series


def _array(values: Any) -> np.ndarray:
    """A one-dimensional array of finite float64 that nobody can write to."""
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"must be one-dimensional, with a number at least (got shape {array.shape})")
    if not np.isfinite(array).all():
        where = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"must be finite (got {array[where]} at sample {where})")
    array.setflags(write=False)
    return array


Array = Annotated[np.ndarray, BeforeValidator(_array)]
Beyond = Literal["refuse", "zero", "hold"]
_BEYOND = "outside the samples: refuse the drive, drive with zero, or hold the nearest sample"


class _Samples(Waveform):
    """What samples share, whether they come as arrays or in a file: linear between samples."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    beyond: Beyond = Field(default="refuse", description=_BEYOND)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in s and values in A or V, (samples,) each."""
        raise NotImplementedError

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Values at the steps' boundaries; they differ from step to step where samples begin or end."""
        times, values = self.arrays()
        boundary = np.arange(first, stop + 1) * dt
        between = np.interp(boundary, times, values)
        if self.beyond != "zero":
            return between[:-1], between[1:]
        slack = ON_GRID * dt
        starts_within = (boundary > times[0] - slack) & (boundary < times[-1] - slack)
        ends_within = (boundary > times[0] + slack) & (boundary < times[-1] + slack)
        return np.where(starts_within, between, 0.0)[:-1], np.where(ends_within, between, 0.0)[1:]

    def check(self, steps: int, dt: float) -> None:
        """Refuse a drive that begins before the first sample or ends after the last."""
        times, _ = self.arrays()
        slack = ON_GRID * dt
        if self.beyond != "refuse" or (times[0] <= slack and times[-1] >= steps * dt - slack):
            return
        raise InputError(
            f"beyond: samples of {self._name()} lie from {times[0]:.9g} s to {times[-1]:.9g} s, the drive from 0 s to "
            f"{steps * dt:.9g} s; change the duration, or set beyond to 'zero' or 'hold'"
        )

    def notes(self, steps: int, dt: float) -> list[str]:
        """How many samples lie within steps, where the drive passes them by."""
        times, _ = self.arrays()
        inside = times[(times > 0) & (times < steps * dt)] / dt
        missed = int((np.abs(inside - np.rint(inside)) > ON_GRID).sum())
        if missed == 0:
            return []
        return [
            f"{self._name()}: {missed} of {len(times)} samples lie between the boundaries of steps, where the "
            f"drive is linear; a dt that divides the samples' spacing meets them all"
        ]

    def __eq__(self, other: object) -> bool:
        """Whether settings and samples are the same."""
        if type(self) is not type(other) or not isinstance(other, _Samples):
            return NotImplemented
        alike = all(np.array_equal(a, b) for a, b in zip(self.arrays(), other.arrays(), strict=True))
        return alike and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        """Of the samples alone."""
        return hash(tuple(array.tobytes() for array in self.arrays()))

    def _name(self) -> str:
        raise NotImplementedError

    def label(self, unit: str) -> str:
        """Where the samples come from."""
        return self._name()


class Sampled(_Samples):
    """Samples given as arrays: times in s, strictly increasing, and values in A or V.

    The drive is linear between samples. Outside them it is refused, zero, or
    held at the nearest sample, as ``beyond`` says.
    """

    waveform: Literal["sampled"] = "sampled"
    times: Array = quantity(..., "s", "times of the samples, strictly increasing", exclude=True)
    values: Array = quantity(..., DRIVE_UNIT, "values at these times", exclude=True)
    name: str = Field(default="", description="for legends")

    @model_validator(mode="after")
    def _matching(self) -> "Sampled":
        if len(self.times) != len(self.values):
            raise ValueError(f"values: must be as many as times, {len(self.times)} (got {len(self.values)})")
        _check_increasing("times", self.times)
        return self

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in s and values in A or V, (samples,) each."""
        return self.times, self.values

    def _name(self) -> str:
        return self.name or f"array of {len(self.times)} samples"


class Csv(_Samples):
    """Samples from a CSV file whose first row names its columns.

    The file is read once, when the waveform is made.
    """

    waveform: Literal["csv"] = "csv"
    path: Path = Field(..., description="the file; in a configuration, relative to its folder")
    time: str = Field(default="time", description="name of the column of times in s, strictly increasing")
    amplitude: str = Field(default="amplitude", description="name of the column of amplitudes in A or V")

    _arrays: tuple[np.ndarray, np.ndarray] = PrivateAttr()

    @model_validator(mode="after")
    def _read(self) -> "Csv":
        table = read_columns(self.path, (self.time, self.amplitude))
        _check_increasing(f"{self.path}: {self.time}", table[self.time])
        self._arrays = table[self.time], table[self.amplitude]
        return self

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in s and amplitudes in A or V, (samples,) each."""
        return self._arrays

    def _name(self) -> str:
        return self.path.name


def _check_increasing(name: str, times: np.ndarray) -> None:
    later = np.diff(times)
    if len(later) and later.min() <= 0:
        k = int(np.flatnonzero(later <= 0)[0])
        raise ValueError(
            f"{name}: must increase from sample to sample (got {times[k + 1]:.9g} s after {times[k]:.9g} s "
            f"at sample {k + 1}, counted from 0)"
        )


WAVEFORMS: dict[str, type[Waveform]] = {
    "pulses": Pulses,
    "sinusoid": Sinusoid,
    "triangle": Triangle,
    "sampled": Sampled,
    "csv": Csv,
}
