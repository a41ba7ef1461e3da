"""Making: the instructions of a sample, slot by slot, in the order in which they are carried out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...kernels import carriers, controller, imperfect, past
from ...kernels.compiling import Kernel
from ...kernels.learning import CLOSE_EPOCH, LOOP, REPEAT
from ...kernels.nominal import answer_kernel
from ...kernels.operands import Control, Repeat, Spent
from ...kernels.slots import Imperfect, Operation, Phase
from ...kernels.state_dependent import ASKING
from ...kernels.stepping import stretches_of
from ...kernels.teams import MEET
from ...kernels.tiles import NO_VARIABLE, WIDE
from ...network.assembly import Assembly
from ...network.schedule import Slot
from ..blocks import Block
from ..teams import ALONE, Member, size_of_team
from .rules import Rules, addressed_by, is_carried, is_read, rules_of
from .slot_operands import Cutter

NO_CODE = np.empty((0, 2), dtype=np.int64)  # before it is linked


@dataclass(frozen=True)
class Instruction:
    """A kernel, and the record that it works on.

    Attributes
    ----------
    kernel : Kernel
    operand : NamedTuple
        Of :mod:`memsim.kernels.operands`; of a pulse or a repetition without the addresses in it.
    model : Kernel or None
        The model's function whose address the operand has: of a pulse that for a tile, of a rule its answer.
    repeated : tuple of Instruction
        Of a repetition: what is repeated.
    """

    kernel: Kernel
    operand: Any
    model: Kernel | None = None
    repeated: tuple["Instruction", ...] = ()

    def kernels(self) -> Iterator[Kernel]:
        """Every kernel that it needs."""
        yield self.kernel
        if self.model is not None:
            yield self.model
        for instruction in self.repeated:
            yield from instruction.kernels()


def repetition(instructions: Iterable[Instruction], operand: Repeat) -> Instruction:
    """Instructions that are carried out again and again."""
    return Instruction(REPEAT, operand, repeated=tuple(instructions))


@dataclass(frozen=True)
class Instructions:
    """All instructions of a run.

    Attributes
    ----------
    slots : tuple of tuple of Instruction
        Those of each slot of a sample.
    opening : tuple of Instruction
        Before a stretch.
    closing : tuple of Instruction
        After an epoch.
    spent : (banks, phases, realisations) float64
        What ``closing`` fills: energies of the epoch in J.
    """

    slots: tuple[tuple[Instruction, ...], ...]
    opening: tuple[Instruction, ...]
    closing: tuple[Instruction, ...]
    spent: np.ndarray

    def kernels(self) -> list[Kernel]:
        """Every kernel that a run needs, each once."""
        parts = (*self.slots, self.opening, self.closing)
        needed = [LOOP, *(kernel for part in parts for one in part for kernel in one.kernels())]
        return list(dict.fromkeys(needed))


def make(
    assembly: Assembly, block: Block, recorded: tuple[int, ...] = (), member: Member = ALONE
) -> Instructions:  # fmt: skip
    """Make the instructions of a run for a block of realisations.

    Parameters
    ----------
    assembly : Assembly
    block : Block
    recorded : tuple of int
        Banks whose every step is recorded.
    member : Member
        Of the team that carries out the block.
    """
    maker = _Maker(assembly, block, recorded, member)
    spent = np.zeros((len(block.banks), len(Phase), block.lanes))
    closing = tuple(
        Instruction(CLOSE_EPOCH, Spent(bank.epoch_energy, bank.complete_energy, total, bank.devices))
        for bank, total in zip(block.banks, spent, strict=True)
    )
    slots = tuple(tuple(maker.slot(number)) for number in range(len(assembly.schedule.slots)))
    if not member.is_first:
        return Instructions(slots, (), (), spent)
    return Instructions(slots, tuple(maker.recall()), closing, spent)


def members_of(assembly: Assembly, block: Block, threads: int) -> int:
    """How many of some threads share a block that is not recorded."""
    return size_of_team(_elements_to_share(assembly, block), threads)


def kernels_of_teams(assembly: Assembly, block: Block) -> list[Kernel]:
    """What teams need beside the kernels of one thread."""
    return [MEET, controller.rule(controller.find_rows)] if _elements_to_share(assembly, block) else []


def _elements_to_share(assembly: Assembly, block: Block) -> list[int]:
    """Elements of the banks that a team may share, for each slot."""
    cut = Cutter(assembly, block, (), ALONE)
    return [block.banks[slot.bank].elements for slot in assembly.schedule.slots if cut.may_share(slot)]


class _Maker:
    def __init__(self, assembly: Assembly, block: Block, recorded: tuple[int, ...], member: Member) -> None:
        self._assembly, self._block, self._member = assembly, block, member
        self._cut = Cutter(assembly, block, recorded, member)
        self._meeting = Instruction(MEET, member.meeting())
        self._models = [
            imperfect.imperfect(model.of_any_size(), kind)
            for model, kind in zip(assembly.models, assembly.kinds, strict=True)
        ]

    def slot(self, number: int) -> Iterator[Instruction]:
        """A slot; at a sample's end the members of a team meet, since what follows is the first one's."""
        slots = self._assembly.schedule.slots
        if self._cut.shares(slots[number]):
            yield from self._shared(slots[number])
        elif self._member.is_first:
            yield from self._alone(number)
        if number == len(slots) - 1 and any(map(self._cut.shares, slots)):
            yield self._meeting

    def _shared(self, slot: Slot) -> Iterator[Instruction]:
        """A slot that a team shares: each member drives and steps its rows, then the first one reads all voltages."""
        control = self._cut.control(slot)
        before, after = rules_of(self._assembly, slot)
        yield self._meeting
        yield from self._find_driven(slot, control)
        yield from self._rules(slot, before, control)
        for pulse in self._train(slot, control):
            if pulse.operand.width == WIDE or self._member.is_last:  # whose rows have what is left in narrow tiles
                yield pulse
        everything = self._cut.control_of_all(slot, control)
        if after and self._member.is_first and self._cut.leaves_out(slot):
            yield Instruction(controller.rule(controller.find_rows), everything)
        if after:
            yield self._meeting
        if self._member.is_first:
            yield from self._rules(slot, after, everything)
            yield from self._rest(slot)

    def _find_driven(self, slot: Slot, control: Control) -> Iterator[Instruction]:
        """Before rows are driven: which of them."""
        if self._cut.leaves_out(slot):
            yield Instruction(controller.rule(controller.find_driven), control)

    def _alone(self, number: int) -> Iterator[Instruction]:
        """A slot of one thread: the controller sets currents, the devices are stepped, it reads voltages."""
        slot = self._assembly.schedule.slots[number]
        control = self._cut.control(slot)
        before, after = rules_of(self._assembly, slot)
        flawed = partial(self._flawed, slot)
        since = self._time_since(number)
        yield from flawed("telegraph_amplitude", past.draw_traps, past.show_traps, time_since=since)
        yield from self._find_driven(slot, control)
        yield from self._rules(slot, before, control)
        if is_carried(self._assembly, slot):
            yield from self._carriers(slot)
        else:
            yield from flawed("driver_range", imperfect.drive_out)
            yield from self._train(slot, control)
        yield from flawed("write_noise", imperfect.end_variation)
        yield from flawed("driver_range", imperfect.forget_drivers)
        verifies = slot.operation in (Operation.VERIFY, Operation.RESTORE_VERIFY)
        if slot.phase == Phase.WRITE and not verifies:
            yield from flawed("levels", imperfect.settle)
        if is_read(slot) or slot.operation == Operation.VERIFY:
            yield from flawed("read_noise", imperfect.add_read_noise)
            yield from flawed("readout_range", imperfect.read_in)
        yield from self._rules(slot, after, control)
        # After the rules: a bank that is stepped through the rest overwrites its voltages, and its states may move.
        yield from self._rest(slot)

    def _rules(self, slot: Slot, rules: Rules, control: Control) -> Iterator[Instruction]:
        """Rules of the controller, with the bank's model for those that ask it."""
        for rule in rules:
            asked = answer_kernel(self._assembly.models[slot.bank]) if rule in ASKING else None
            yield Instruction(controller.rule(rule), control, model=asked)

    def recall(self) -> Iterator[Instruction]:
        """Before a stretch: what follows from the past, as a keyframe gives that alone."""
        for number, kind in enumerate(self._assembly.kinds):
            if Imperfect.VARYING in kind:
                operand = self._cut.flawed(number)
                yield Instruction(imperfect.flaw(past.close_ranges), operand)
                yield Instruction(imperfect.flaw(past.show_traps), operand)

    def _flawed(self, slot: Slot, name: str, *functions: Callable[..., Any], **about: Any) -> Iterator[Instruction]:
        """Instructions where the slot's bank has a flaw."""
        if getattr(self._assembly.flaws[slot.bank], name) > 0.0:
            operand = self._cut.flawed(slot.bank, train=slot.pulses > 1, **about)
            for function in functions:
                yield Instruction(imperfect.flaw(function), operand)

    def _begin_pulse(self, slot: Slot) -> Iterator[Instruction]:
        """Before a pulse that may move states."""
        if addressed_by(self._assembly, slot) != NO_VARIABLE:
            yield from self._flawed(slot, "write_noise", imperfect.vary_drift)
            yield from self._flawed(slot, "wear", past.wear, past.close_ranges)

    def _pulse(self, number: int, *about: Any, **more: Any) -> Iterator[Instruction]:
        """A pulse of a bank; see :meth:`~memsim.stepping.program.slot_operands.Cutter.pulse`."""
        job = self._cut.pulse(number, *about, **more)
        for stretch in stretches_of(self._models[number], self._assembly.integrator(number), job):
            yield Instruction(stretch.pulse, stretch.job, model=stretch.tile)

    def _train(self, slot: Slot, control: Control) -> Iterator[Instruction]:
        """The pulses of a slot, and the gaps between them."""
        bank, steps, gap = self._block.banks[slot.bank], slot.pulse_steps, slot.gap_steps
        driven = partial(
            self._pulse, slot.bank, slot.phase, addressed=addressed_by(self._assembly, slot), held=slot.held,
            driven=self._cut.tiles_of(slot),
        )  # fmt: skip
        begin = tuple(self._begin_pulse(slot))
        if slot.pulses == 1:
            yield from begin
            yield from driven(bank.current, steps)
            return
        choose = Instruction(controller.rule(controller.choose_pulse), control)
        pulse = tuple(driven(bank.train, steps))
        again, first = (choose, *pulse), (choose, *begin, *pulse)
        repeated = partial(Repeat, NO_CODE, period=steps + gap, turn=control.turn)
        if gap:
            idle = driven(bank.idle, gap, offset=steps)
            yield repetition((*first, *idle), repeated(first=0, last=slot.pulses - 1))
            yield repetition(first, repeated(first=slot.pulses - 1, last=slot.pulses))
        else:
            # Pulses without gaps are one, as a write by width sends it: it begins once.
            yield repetition(first, repeated(first=0, last=1))
            yield repetition(again, repeated(first=1, last=slot.pulses))

    def _carriers(self, slot: Slot) -> Iterator[Instruction]:
        """The pulse of a bank with carriers, step by step.

        The current of a READ is constant and each carrier's mean is 0. So a READ
        moves all states, and takes them back by its end.
        """
        writes, turn = slot.operation == Operation.WRITE_CARRIERS, np.zeros(1)
        operand, bank = self._cut.carried(slot, turn), self._block.banks[slot.bank]
        if writes:
            yield Instruction(carriers.carrier(carriers.set_amplitudes), operand)
        else:
            yield from self._flawed(slot, "driver_range", imperfect.drive_out)
        yield from self._begin_pulse(slot)
        steps = [Instruction(carriers.carrier(carriers.tune), operand)]
        if writes:
            steps.append(Instruction(carriers.carrier(carriers.modulate), operand))
            steps += self._flawed(slot, "driver_range", imperfect.drive_out)
        steps += self._pulse(slot.bank, slot.phase, bank.current, 1, held=slot.held)
        yield repetition(steps, Repeat(NO_CODE, 0, slot.pulse_steps, 1, turn))

    def _rest(self, slot: Slot) -> Iterator[Instruction]:
        """Carry the banks that a slot does not drive through it, and all banks through the rest after it.

        A bank that rests at zero current and is not recorded has nothing to do.
        """
        rest = self._assembly.schedule.rest_steps
        for number, bank in enumerate(self._block.banks):
            if number in self._cut.recorded or not (self._assembly.rests(number) and self._assembly.skip):
                if number != slot.bank:
                    yield from self._pulse(number, slot.phase, bank.idle, slot.width)
                if rest:
                    yield from self._pulse(number, Phase.IDLE, bank.idle, rest, offset=slot.width)

    def _time_since(self, number: int) -> float:
        """Seconds from the beginning of the slot that last drove a slot's bank, maybe in the sample before."""
        slots, steps = self._assembly.schedule.slots, 0
        for k in range(number - 1, number - 1 - len(slots), -1):
            slot = slots[k % len(slots)]
            steps += slot.width + self._assembly.schedule.rest_steps
            if slot.bank == slots[number].bank:
                break
        return steps * self._assembly.dt
