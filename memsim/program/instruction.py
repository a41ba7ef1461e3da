"""Instructions, before they are linked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..kernels.compiling import Kernel
from ..kernels.learning import REPEAT
from ..kernels.operands import Repeat


@dataclass(frozen=True)
class Instruction:
    """A kernel, and the record that it works on.

    Attributes
    ----------
    kernel : Kernel
    operand : NamedTuple
        Of :mod:`memsim.kernels.operands`; of a pulse or a repetition without the addresses in it.
    tile : Kernel or None
        Of a pulse: the model's function for a tile.
    repeated : tuple of Instruction
        Of a repetition: what is repeated.
    """

    kernel: Kernel
    operand: Any
    tile: Kernel | None = None
    repeated: tuple["Instruction", ...] = ()

    def kernels(self) -> Iterator[Kernel]:
        """Every kernel that it needs."""
        yield self.kernel
        if self.tile is not None:
            yield self.tile
        for instruction in self.repeated:
            yield from instruction.kernels()


def repetition(instructions: Iterable[Instruction], operand: Repeat) -> Instruction:
    """Instructions that are carried out again and again."""
    return Instruction(REPEAT, operand, repeated=tuple(instructions))
