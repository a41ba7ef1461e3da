"""Where a run is: in slots, steps, samples and epochs, and how far its next stretch may go."""

from collections.abc import Sequence

import numpy as np

STRETCH_SECONDS = 0.1


class Clock:
    """The place of a run in its schedule.

    Parameters
    ----------
    slot_steps : sequence of int
        Steps of each slot of a sample, with the rest after it.
    samples : int
        Of an epoch.
    epochs : int
        Of the whole run.
    batch : int
        Samples of a mini-batch.
    keyframe_samples : int
        Samples from one keyframe to the next; 0 where there are none.

    Attributes
    ----------
    position : int
        Slots from the start of the run.
    """

    def __init__(
        self, slot_steps: Sequence[int], *, samples: int, epochs: int, batch: int = 1, keyframe_samples: int = 0
    ) -> None:
        self.slot_steps = np.array(slot_steps)
        self.samples, self.epochs = samples, epochs
        self.batch, self.keyframe_samples = batch, keyframe_samples
        self.position = 0

    @property
    def slots_a_sample(self) -> int:
        """Slots of one sample."""
        return len(self.slot_steps)

    @property
    def slots_an_epoch(self) -> int:
        """Slots of one epoch."""
        return self.samples * self.slots_a_sample

    @property
    def slots(self) -> int:
        """Slots of the whole run."""
        return self.epochs * self.slots_an_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_to(self.slots)

    @property
    def sample(self) -> int:
        """Samples that are complete."""
        return self.position // self.slots_a_sample

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return self.sample // self.samples

    @property
    def is_over(self) -> bool:
        """Whether the run has come to its end."""
        return self.position == self.slots

    @property
    def step(self) -> int:
        """The step of the run that comes next."""
        return self.steps_to(self.position)

    def steps_to(self, position: int) -> int:
        """Steps from the start of the run to so many slots from there."""
        sample, slot = divmod(position, self.slots_a_sample)
        return int(sample * self.slot_steps.sum() + self.slot_steps[:slot].sum())

    def epochs_to(self, position: int) -> int:
        """Epochs that have begun before so many slots from the start of the run."""
        return -(-position // self.slots_an_epoch)

    def next_epoch(self) -> int:
        """Slots from the start of the run to the end of the epoch in progress, or of the one that begins."""
        return (self.epoch + 1) * self.slots_an_epoch

    def next_batch_end(self) -> int:
        """Slots from the start of the run to the end of the mini-batch in progress, or to where the run is."""
        epoch, sample = divmod(-(-self.position // self.slots_a_sample), self.samples)
        return (epoch * self.samples + min(-(-sample // self.batch) * self.batch, self.samples)) * self.slots_a_sample

    def next_keyframe(self) -> int:
        """Slots from the start of the run to the next keyframe's place; to the end where there is none before it."""
        sample = (self.sample // self.keyframe_samples + 1) * self.keyframe_samples
        return min(sample * self.slots_a_sample, self.slots)

    def keyframes_up_to(self, position: int) -> np.ndarray:
        """Samples that are complete at each keyframe from here up to a position, (keyframes,) int64."""
        every = self.keyframe_samples
        if not every:
            return np.empty(0, dtype=np.int64)
        return np.arange(self.sample // every + 1, position // self.slots_a_sample // every + 1) * every

    def before_keyframe(self, count: int) -> int:
        """Slots from here to the last place that is before the keyframe after the next ``count``."""
        last = (self.sample // self.keyframe_samples + count + 1) * self.keyframe_samples
        return last * self.slots_a_sample - 1 - self.position

    def slots_within(self, steps: int, slots: int) -> int:
        """How many of the next ``slots`` end within so many steps from here."""
        ends = self._ends(self.position + min(slots, steps // int(self.slot_steps.min()) + 1))
        return int(np.searchsorted(ends, self.step + steps, side="right"))

    def _ends(self, last: int) -> np.ndarray:
        """Steps to each position after this one, up to ``last``."""
        positions = np.arange(self.position + 1, last + 1)
        before = np.concatenate([[0], np.cumsum(self.slot_steps)])
        return positions // self.slots_a_sample * before[-1] + before[positions % self.slots_a_sample]


class Pace:
    """How fast a run goes, so that a stretch takes about as long as it should."""

    def __init__(self) -> None:
        self._rate = 0.0  # slots a second, measured
        self._measured = 0  # stretches

    @property
    def slots_a_second(self) -> float:
        """The present speed; 0 until it is known: the first stretches are short."""
        return self._rate if self._measured > 2 else 0.0

    def slots(self, at_first: int) -> int:
        """Slots of a stretch; ``at_first`` before any was measured."""
        return max(1, int(self._rate * STRETCH_SECONDS)) if self._rate else at_first

    def measure(self, slots: int, seconds: float) -> None:
        """Follow the speed of a stretch."""
        now = slots / max(seconds, 1e-6)
        self._measured += 1
        self._rate = now if not self._rate else 0.5 * (self._rate + now)
