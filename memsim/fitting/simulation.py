"""A model's response to a measured drive, at the measured times."""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from ..devices import Device
from ..errors import InputError
from ..kernels.compiling import Kernel
from ..kernels.logit import new_logit
from ..kernels.operands import Following
from ..kernels.records import Packed, from_python
from ..kernels.stepping import WAVEFORM, follow_kernel
from ..kernels.tiles import new_tile, with_room
from ..traces.drive_file import RESPONSES
from .measurement import Measurement

Between = Literal["linear", "held"]
STEPS_TO_FIT = 20_000_000  # of a measurement, at most
ALIKE = 1e-6  # share of a spacing by which samples may be off a regular grid


class _Stretch(NamedTuple):
    """Steps of one length."""

    dt: float
    starts: np.ndarray  # (steps, 1)
    ends: np.ndarray  # (steps, 1)


class Simulation:
    """Steps a device through a measured drive.

    The first row is the response at the first sample, before anything moves. From
    each sample to the next there is a whole number of steps, so that every
    sample is met; samples off a regular grid are stepped at their own spacing.

    Parameters
    ----------
    measurement : Measurement
    drive : {"current", "voltage"}
        Which of the two is the drive; the other is the response.
    between : {"linear", "held"}
        The drive from one sample to the next: linear, or already the next
        sample's, as of pulses.
    substeps : int
        Steps from one sample to the next, of the usual spacing.
    integrator : {"euler", "heun"}

    Attributes
    ----------
    regular : bool
        Whether the samples lie on a regular grid.
    dt : float
        The usual step in s.
    """

    def __init__(self, measurement: Measurement, drive: str, between: Between, substeps: int, integrator: str) -> None:
        self.drive, self.integrator = drive, integrator
        self.driven = getattr(measurement, drive)
        self.response = getattr(measurement, RESPONSES[drive])
        spacing = np.diff(measurement.time)
        usual = float(np.median(spacing))
        mean = float(measurement.time[-1] - measurement.time[0]) / len(spacing)
        on_grid = measurement.time[0] + mean * np.arange(len(measurement))
        self.regular = bool(np.abs(measurement.time - on_grid).max() <= ALIKE * mean)
        if self.regular:
            counts, steps = np.full(len(spacing), substeps), np.full(len(spacing), mean / substeps)
        else:
            counts = substeps * np.maximum(np.ceil(spacing / usual - ALIKE).astype(np.int64), 1)
            steps = spacing / counts
        if counts.sum() > STEPS_TO_FIT:
            widest = int(np.argmax(counts))
            raise InputError(
                f"{measurement.name}: the gap of {spacing[widest]:g} s after sample {widest} would take "
                f"{counts[widest]:,} steps of {usual / substeps:g} s, and all together more than {STEPS_TO_FIT:,}; "
                f"fit the parts on both sides of it, or take fewer samples"
            )
        self.dt = float(np.median(steps))
        self._sample_ends = np.concatenate([[0], np.cumsum(counts)])
        self._stretches = _stretches(self.driven, counts, steps, between)

    def model_of(self, device: Device) -> Kernel:
        """The compiled function for a device's steps."""
        return follow_kernel(device.functions(), self.integrator, self.drive)

    def run(self, device: Device, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The response and the states at each sample.

        Parameters
        ----------
        device : Device
        states : (variables, 1) float64
            At the first sample.

        Returns
        -------
        response : (samples,) float64
        states : (samples, variables) float64
        """
        variables = device.state_variables()
        kernel, model = from_python(WAVEFORM), self.model_of(device)
        parameters = np.array(device.kernel_parameters(), dtype=np.float64)
        lower, upper = np.array([v.lower for v in variables]), np.array([v.upper for v in variables])
        steps = int(self._sample_ends[-1]) + 1
        rows = np.empty((len(variables), steps))
        drives, responses = np.empty((steps, 1)), np.empty((steps, 1))
        energy, rests, stalled = np.zeros((3, 1))
        state, line = with_room(states), np.zeros(1, dtype=np.int64)
        tile, logit, first = new_tile(len(variables)), new_logit(device.functions(), state.shape[1]), 0
        for stretch in self._stretches:
            part = slice(first, first + len(stretch.starts))
            filled = np.empty((len(variables), len(stretch.starts), 1))
            kernel(Packed(Following(
                state, stretch.starts, stretch.ends, line, parameters, lower, upper,
                filled, drives[part], responses[part], energy, rests, stalled, tile, stretch.dt, model.address, logit,
            )))  # fmt: skip
            rows[:, part] = filled[..., 0]
            first = part.stop
        return responses[self._sample_ends, 0], rows[:, self._sample_ends].T


def _stretches(driven: np.ndarray, counts: np.ndarray, steps: np.ndarray, between: Between) -> list[_Stretch]:
    """The first sample at a step of 0 s, then every step, those of one length together."""
    interval = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(interval)) - np.repeat(np.cumsum(counts) - counts, counts)
    before, after = driven[:-1][interval], driven[1:][interval]
    if between == "held":
        starts, ends = after, after
    else:
        share = counts[interval]
        starts = before + (after - before) * (within / share)
        ends = np.where(within + 1 == share, after, before + (after - before) * ((within + 1) / share))
    dt = steps[interval]
    edges = [0, *(np.flatnonzero(np.diff(dt) != 0.0) + 1), len(dt)]
    at_first = np.full((1, 1), driven[0])
    return [
        _Stretch(0.0, at_first, at_first),
        *(_Stretch(float(dt[a]), starts[a:b, None].copy(), ends[a:b, None].copy()) for a, b in pairwise(edges)),
    ]
