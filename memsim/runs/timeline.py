"""Where a step of a run lies: its time, epoch, sample and phase."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..kernels.slots import Phase
from .trace_access import TraceAccess

PHASES = tuple(phase.name for phase in Phase)


def slot_widths(slots: np.ndarray) -> np.ndarray:
    """Steps from the first pulse's start to the last pulse's end of each slot, (slots,) int64."""
    pulses = slots["pulses"].astype(np.int64)
    widths: np.ndarray = pulses * slots["pulse_steps"] + (pulses - 1) * slots["gap_steps"]
    return widths


@dataclass(frozen=True)
class Timeline:
    """The clock and the calendar of a run; steps are counted from the run's start."""

    run: TraceAccess

    def seconds(self, steps: np.ndarray) -> np.ndarray:
        """When steps begin, in s."""
        times: np.ndarray = steps * self.run.dt
        return times

    def epochs(self, steps: np.ndarray) -> np.ndarray:
        """Epochs that steps lie in, from 0."""
        epochs: np.ndarray = steps // (self._sample_steps * self._samples)
        return epochs

    def samples(self, steps: np.ndarray) -> np.ndarray:
        """Places of the steps' samples within their epochs, from 0."""
        samples: np.ndarray = steps // self._sample_steps % self._samples
        return samples

    def phases(self, steps: np.ndarray) -> np.ndarray:
        """Phases of steps as indices into ``PHASES``, int8, whichever bank is driven."""
        phases: np.ndarray = self._sample_phases[steps % self._sample_steps]
        return phases

    @cached_property
    def _sample_steps(self) -> int:
        return self.run.sample_steps

    @cached_property
    def _samples(self) -> int:
        return self.run.samples

    @cached_property
    def _sample_phases(self) -> np.ndarray:
        phases = np.full(self._sample_steps, Phase.IDLE, dtype=np.int8)
        slots = self.run.slots
        for slot, width in zip(slots, slot_widths(slots), strict=True):
            phases[slot["start"] : slot["start"] + width] = PHASES.index(slot["phase"].decode())
        return phases
