"""A program in words, for the terminal: what ``memsim schedule --program`` shows."""

import inspect
from collections.abc import Iterator

import numpy as np

from ...kernels.operands import Job, Repeat
from ...network.assembly import Assembly
from ...terminal.screen import Column, Table
from ..blocks import new_block
from .making import Instruction, Instructions, make


def table(assembly: Assembly) -> Table:
    """The instructions of one training sample, slot by slot."""
    made = make(assembly, new_block(assembly, np.arange(len(assembly.seeds))))
    title = f"Program of one training sample: {_count(made)} instructions, {len(made.kernels())} kernels"
    shown = Table("slot", "bank", "instruction", Column("what it does", words=True), title=title, shared=2)
    slots = zip(assembly.schedule.slots, made.slots, strict=True)
    for number, (slot, instructions) in enumerate(slots, 1):
        for depth, instruction in _flat(instructions):
            name = "  " * depth + instruction.kernel.name
            shown.row(f"{number} {slot.phase.name}", assembly.banks[slot.bank].name, name, _words(instruction))
        shown.end_section()
    for heading, instructions in (("each stretch", made.opening), ("each epoch", made.closing)):
        for _, instruction in _flat(instructions):
            shown.row(heading, "", instruction.kernel.name, _words(instruction))
    return shown


def _count(made: Instructions) -> int:
    return sum(1 for instructions in made.slots for _ in _flat(instructions))


def _flat(instructions: tuple[Instruction, ...], depth: int = 0) -> Iterator[tuple[int, Instruction]]:
    """Instructions, and those that they repeat a level deeper."""
    for instruction in instructions:
        yield depth, instruction
        yield from _flat(instruction.repeated, depth + 1)


def _words(instruction: Instruction) -> str:
    """What an instruction does, with the numbers that the program has decided."""
    operand = instruction.operand
    if isinstance(operand, Job) and instruction.model is not None:
        last = min(operand.last, operand.elements)
        return f"elements {operand.first} to {last - 1}, {operand.steps} steps, by {instruction.model.name}"
    if isinstance(operand, Repeat):
        return f"turns {operand.first} to {operand.last - 1}, {operand.period} steps each, of"
    return (inspect.getdoc(instruction.kernel.function) or "").split("\n")[0]
