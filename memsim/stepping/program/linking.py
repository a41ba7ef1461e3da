"""Linking: instructions as the addresses that compiled code calls, in memory that lives as long as the program."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...kernels.operands import Program
from ...kernels.records import Packed
from ...network.assembly import Assembly
from ..blocks import Block
from .making import Instruction, Instructions


class Linked:
    """A program that the learning loop can carry out; the owner of every operand's memory, and of the kernels.

    Parameters
    ----------
    assembly : Assembly
    block : Block
    instructions : Instructions
        From :func:`~memsim.stepping.program.making.make`, for the same block.
    """

    def __init__(self, assembly: Assembly, block: Block, instructions: Instructions) -> None:
        self._kernels = instructions.kernels()  # whose code lives as long as they do
        self._packed: dict[int, Packed] = {}  # by the identity of the records, which the packed ones keep alive
        self._words: dict[int, list[int]] = {}  # of records within them, likewise
        counts = [len(slot) for slot in instructions.slots]
        inputs, last = assembly.sizes[0], sum(assembly.sizes[:-1])
        schedule = assembly.schedule
        self.program = Packed(
            Program(
                code=self._code(instruction for slot in instructions.slots for instruction in slot),
                first=np.cumsum([0, *counts]),
                steps=np.array([slot.width + schedule.rest_steps for slot in schedule.slots]),
                opening=self._code(instructions.opening),
                closing=self._code(instructions.closing),
                spent=instructions.spent,
                batch=assembly.config.learning.batch,
                sample=block.sample,
                signal=block.memory.signal[:inputs],
                outputs=block.memory.signal[last:],
                bias=block.memory.bias,
                state=block.state,
                past=block.past,
            )
        )

    def _code(self, instructions: Iterable[Instruction]) -> np.ndarray:
        """Addresses of kernels and operands, (instructions, 2)."""
        code = [(one.kernel.address, self._address(self._linked(one))) for one in instructions]
        return np.array(code, dtype=np.int64).reshape(-1, 2)

    def _linked(self, instruction: Instruction) -> Any:
        """An instruction's operand with the addresses in it."""
        if instruction.model is not None:
            return instruction.operand._replace(model=instruction.model.address)
        if instruction.repeated:
            return instruction.operand._replace(code=self._code(instruction.repeated))
        return instruction.operand

    def _address(self, operand: Any) -> int:
        if id(operand) not in self._packed:
            self._packed[id(operand)] = Packed(operand, self._words)
        return self._packed[id(operand)].address
