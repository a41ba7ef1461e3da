"""The scheduler: Algorithms 1 and 2 as tables of slots.

A training sample has the same slots every time; only the amplitudes depend on
data. So the table is computed once, and the learning loop executes it. The
scheduler knows integers only: which bank is driven, in which phase, from which
step on, for how long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calibration.nominal_banks import is_modelled, moves_in_read
from ..configuration.sections import Configuration, MultilayerSection, SingleLayerSection
from ..devices import CarrierMemristor
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


def _write_train(config: Configuration) -> dict[str, Any]:
    """The train of pulses that a WRITE slot has room for."""
    if config.write.encoding == "amplitude":
        return {"pulses": 1, "pulse_steps": config.time.write}
    if config.write.encoding == "width":
        # A pulse of n steps is a train of n pulses of one step without gaps.
        return {"pulses": config.time.write, "pulse_steps": 1}
    write = config.write
    return {"pulses": write.pulses, "pulse_steps": write.train_steps, "gap_steps": write.train_gap_steps}


def build(config: Configuration) -> Schedule:
    """The schedule of one training sample."""
    read, write = {"pulse_steps": config.time.read}, _write_train(config)
    if isinstance(config.network, SingleLayerSection):
        slots = _single_layer(config, config.network, read, write)
    else:
        slots = _multilayer(config, config.network, read, write)
    return Schedule(tuple(slots), config.time.rest)


def _verified(
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


def programming(config: Configuration) -> Schedule:
    """The schedule that writes starting weights: each bank in turn is read, corrected, and so on, and read at the end.

    Lines of the equivalent construction are written one at a time; it is the schedule of one of them.
    """
    read, write = {"pulse_steps": config.time.read}, _write_train(config)
    network, slots = config.network, []
    for bank, layer, moved in _programmed_banks(config, network):
        held, passes = isinstance(network, SingleLayerSection), network.programming_passes
        first = Slot(Phase.WRITE, Operation.CORRECT, bank, layer, **write)
        # Nothing is known before the first reading, so that the writing begins with it.
        slots += _verified(first, passes, read, write, moved=moved, held=held)[1:]
    return Schedule(tuple(slots), config.time.rest)


def _programmed_banks(
    config: Configuration, network: SingleLayerSection | MultilayerSection
) -> Iterator[tuple[int, int, bool]]:
    """Bank, layer, and whether READs move it."""
    if isinstance(network, SingleLayerSection):
        yield 0, 1, False
        return
    for layer in range(1, len(network.layers)):
        yield 2 * layer - 2, layer, _moving(config, layer)
        yield 2 * layer - 1, layer, True


def _moving(config: Configuration, layer: int) -> bool:
    """Whether any READ moves a layer's synapses, which are restored after it."""
    return is_modelled(config, config.devices.of_layer("synapse", layer)[0]) and moves_in_read(config, layer)


def _single_layer(
    config: Configuration, network: SingleLayerSection, read: dict[str, Any], write: dict[str, Any]
) -> list[Slot]:
    """Algorithm 1: one READ, then a WRITE for each weight and the bias in turn.

    In the equivalent construction external control holds all lines in their READ,
    and a second READ sends their sum to the activation stage; in a WRITE it keeps
    the current from lines that are not addressed. Where variables have carriers,
    one WRITE is for all.
    """
    if isinstance(config.devices.memristor, CarrierMemristor):
        read_all = Slot(Phase.READ, Operation.READ_MEMRISTOR, 0, 1, **read)
        return [read_all, Slot(Phase.WRITE, Operation.WRITE_CARRIERS, 0, 1, **write)]
    held = network.construction == "equivalent"
    first = Slot(Phase.READ, Operation.READ_LINES if held else Operation.READ_MEMRISTOR, 0, 1, held=held, **read)
    operation = Operation.WRITE_LINE if held else Operation.WRITE_VARIABLE
    lines = network.inputs + network.constant_input + 1
    slots = [first]
    if network.activates:
        slots.append(Slot(Phase.READ, Operation.READ_ACTIVATION, 1, 1, **read))
    for i in range(lines):
        slot = Slot(Phase.WRITE, operation, 0, 1, variable=i, **write)
        slots += _verified(slot, config.write.verify if held else 0, read, write, held=held)
    return slots


def _multilayer(
    config: Configuration, network: MultilayerSection, read: dict[str, Any], write: dict[str, Any]
) -> list[Slot]:
    """Algorithm 2; the banks of layer l are 2 (l - 1), its synapses, and 2 l - 1, its nodes.

    Synapses that any READ moves are restored after it.
    """
    moves = [_moving(config, layer) for layer in range(1, len(network.layers))]
    layers, restores, verify = len(network.layers) - 1, network.restore_verify, config.write.verify
    slots = []
    for layer in range(1, layers + 1):
        synapses, nodes = 2 * layer - 2, 2 * layer - 1
        slots.append(Slot(Phase.READ, Operation.READ_SYNAPSES, synapses, layer, **read))
        if moves[layer - 1]:
            slots.append(Slot(Phase.RESTORE, Operation.RESTORE_SYNAPSES, synapses, layer, **read))
        slots.append(Slot(Phase.READ, Operation.READ_NODES, nodes, layer, **read))
        restore = Slot(Phase.RESTORE, Operation.RESTORE_NODES, nodes, layer, variable=restores or -1, **read)
        slots += _verified(restore, restores, read, write, moved=True)
    for layer in range(layers, 1, -1):
        slots.append(Slot(Phase.BACKREAD, Operation.BACKREAD_SYNAPSES, 2 * layer - 2, layer, **read))
        if moves[layer - 1]:
            slots.append(Slot(Phase.RESTORE, Operation.RESTORE_COLUMNS, 2 * layer - 2, layer, **read))
    for layer in range(1, layers + 1):
        of_synapses = Slot(Phase.WRITE, Operation.WRITE_SYNAPSES, 2 * layer - 2, layer, **write)
        of_nodes = Slot(Phase.WRITE, Operation.WRITE_NODES, 2 * layer - 1, layer, **write)
        slots += _verified(of_synapses, verify, read, write, moved=moves[layer - 1])
        slots += _verified(of_nodes, verify, read, write, moved=True)
    return slots
