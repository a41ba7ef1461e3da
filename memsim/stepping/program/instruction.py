"""Instructions, before they are linked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...kernels.compiling import Kernel
from ...kernels.learning import REPEAT
from ...kernels.operands import Repeat


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
