"""A slot, the schedule that slots make, and the trains of pulses and the verifying that all kinds of network share."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration.sections import Configuration
from ..kernels.slots import Operation, Phase


@dataclass(frozen=True)
class Slot:
    """A stretch of the schedule in which one bank is driven.

    Attributes
    ----------
    phase : Phase
    operation : Operation
        The controller's rule.
    bank : int
        Index in the network's banks.
    layer : int
        Counted from 1.
    variable : int
        The variable or line that is addressed; of VERIFY, CORRECT and a RESTORE
        that they follow, the passes that are left. -1 where there is none.
    pulses, pulse_steps, gap_steps : int
        A train of ``pulses`` pulses of ``pulse_steps`` steps, ``gap_steps``
        idle steps between them.
    held : bool
        External control holds the devices that are not addressed.
    """

    phase: Phase
    operation: Operation
    bank: int
    layer: int
    variable: int = -1
    pulses: int = 1
    pulse_steps: int = 1
    gap_steps: int = 0
    held: bool = False

    @property
    def width(self) -> int:
        """Steps from the first pulse's start to the last pulse's end."""
        return self.pulses * self.pulse_steps + (self.pulses - 1) * self.gap_steps


@dataclass(frozen=True)
class Schedule:
    """The slots of one sample, one behind the other, and the idle steps after each."""

    slots: tuple[Slot, ...]
    rest_steps: int = 0

    @property
    def steps(self) -> int:
        """Steps of one sample."""
        return sum(slot.width + self.rest_steps for slot in self.slots)

    @property
    def starts(self) -> tuple[int, ...]:
        """First step of each slot."""
        ends = np.cumsum([slot.width + self.rest_steps for slot in self.slots])
        return (0, *(int(end) for end in ends[:-1]))

    def phase_steps(self) -> dict[Phase, int]:
        """Steps of one sample in each phase; the idle steps after slots are IDLE."""
        steps = dict.fromkeys(Phase, 0)
        for slot in self.slots:
            steps[slot.phase] += slot.width
            steps[Phase.IDLE] += self.rest_steps
        return steps

    def forward(self) -> "Schedule":
        """The READs and RESTOREs alone: a prediction."""
        kept = tuple(
            slot
            for slot in self.slots
            if slot.phase in (Phase.READ, Phase.RESTORE) and slot.operation != Operation.RESTORE_COLUMNS
        )
        return Schedule(kept, self.rest_steps)


def write_train(config: Configuration) -> dict[str, Any]:
    """The train of pulses that a WRITE slot has room for."""
    if config.write.encoding == "amplitude":
        return {"pulses": 1, "pulse_steps": config.time.write}
    if config.write.encoding == "width":
        # A pulse of n steps is a train of n pulses of one step without gaps.
        return {"pulses": config.time.write, "pulse_steps": 1}
    write = config.write
    return {"pulses": write.pulses, "pulse_steps": write.train_steps, "gap_steps": write.train_gap_steps}


def read_train(config: Configuration) -> dict[str, Any]:
    """The one pulse of a READ."""
    return {"pulse_steps": config.time.read}


def verified(
    slot: Slot, passes: int, read: dict[str, Any], write: dict[str, Any], *, moved: bool = False, held: bool = False
) -> list[Slot]:
    """A WRITE or a RESTORE, the passes of reading and correcting after it, and a last reading.

    Where READs move the states, each of these is restored; ``held`` says that external control holds them.
    """
    if not passes:
        return [slot]
    slots, place = [slot], (slot.bank, slot.layer)
    for left in range(passes, -1, -1):
        slots.append(Slot(slot.phase, Operation.VERIFY, *place, variable=left, held=held, **read))
        if moved:
            slots.append(Slot(slot.phase, Operation.RESTORE_VERIFY, *place, variable=left, held=held, **read))
        if left:
            slots.append(Slot(slot.phase, Operation.CORRECT, *place, variable=left, **write))
    return slots
