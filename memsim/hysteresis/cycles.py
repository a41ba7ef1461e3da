"""Periodic drives: one period as values at the boundaries of its steps, the same ones in every period."""

from typing import Literal, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field

from ..driving.waveforms import DRIVE_UNIT, Array, Pulses, Sinusoid, Triangle, Waveform
from ..fields import quantity
from ..terminal.si import with_prefix


class Shape(NamedTuple):
    """One period of a drive whose largest magnitude is 1.

    Attributes
    ----------
    starts, ends : (steps,) float64
        At the start and at the end of each step.
    """

    starts: np.ndarray
    ends: np.ndarray

    @property
    def continuous(self) -> np.ndarray:
        """Whether the drive goes on without a jump from the step before, (steps,) bool."""
        return np.asarray(self.starts == np.roll(self.ends, 1))


class Cycle(Waveform):
    """A period over and over, given step by step: every period has the same bits."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    waveform: Literal["cycle"] = "cycle"
    starts: Array = quantity(..., DRIVE_UNIT, "at the start of each step of the period", exclude=True)
    ends: Array = quantity(..., DRIVE_UNIT, "at the end of each step of the period", exclude=True)
    name: str = Field(default="cycle", description="for legends")

    def boundaries(self, first: int, stop: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """The period's values; the step alone says which, not dt."""
        step = np.arange(first, stop) % len(self.starts)
        return self.starts[step], self.ends[step]

    def label(self, unit: str) -> str:
        """Name and largest magnitude."""
        return f"{self.name} {with_prefix(float(np.abs(self.ends).max()), unit)}"


def periodic_shape(waveform: Literal["sinusoid", "triangle"], steps: int) -> Shape:
    """A sinusoid or a triangle, mirrored from its first quarter: exactly 0 at the start and at half the period.

    Parameters
    ----------
    waveform : {"sinusoid", "triangle"}
    steps : int
        Of the period, a multiple of 4.
    """
    model = {"sinusoid": Sinusoid, "triangle": Triangle}[waveform](amplitude=1.0, frequency=1.0)
    quarter = np.append(0.0, model.boundaries(0, steps // 4, 1.0 / steps)[1])
    half = np.concatenate([quarter, quarter[-2::-1]])
    values = np.concatenate([half, -half[1:]]) + 0.0  # no zero with a sign
    return Shape(values[:-1], values[1:])


def pulse_shape(pulses: Pulses, steps: int) -> Shape:
    """Pulses whose starts and widths are shares of the period; scaled to a largest magnitude of 1."""
    pulses.check(steps, 1.0 / steps)
    return _scaled(*pulses.boundaries(0, steps, 1.0 / steps))


def sampled_shape(times: np.ndarray, values: np.ndarray, steps: int) -> Shape:
    """Samples as one period from the first to the last, linear between them; scaled to a largest magnitude of 1."""
    share = (times - times[0]) / (times[-1] - times[0])
    between = np.interp(np.arange(steps + 1) / steps, share, values)
    return _scaled(between[:-1], between[1:])


def _scaled(starts: np.ndarray, ends: np.ndarray) -> Shape:
    largest = float(np.abs(ends).max()) or 1.0
    return Shape(starts / largest, ends / largest)
