"""Helping: the program of a member of a team, beside the one of the first member, which has all that is not shared."""

from functools import cached_property

import numpy as np

from ...kernels.operands import Data, Keyframes, Results, Rows
from ...kernels.records import Packed
from ...network.assembly import Assembly
from ..blocks import Block, new_rows
from ..teams import Member, block_of
from .linking import Linked
from .making import make


class Helper:
    """A member of a block's team that is not the first.

    It shows no samples and keeps no results: its signals and requests are those of the block.

    Parameters
    ----------
    assembly : Assembly
    block : Block
    member : Member

    Attributes
    ----------
    block : Block
        The block as the member sees it.
    instructions : Instructions
    """

    def __init__(self, assembly: Assembly, block: Block, member: Member) -> None:
        self._assembly = assembly
        self.block = block_of(block, member)
        self.instructions = make(assembly, self.block, member=member)
        self._nothing = np.empty((len(assembly.inputs), 0))

    @cached_property
    def _linked(self) -> Linked:
        return Linked(self._assembly, self.block, self.instructions)

    def given(self, order: np.ndarray, rates: np.ndarray, first_step: int) -> tuple[Packed, Packed, Packed, Packed]:
        """What the learning loop takes: the program, samples without numbers, results for nobody, and no rows."""
        lanes, epochs = self.block.lanes, len(rates)
        state, bias, past = (np.empty((0, 0)), np.empty((0, 0, 0)), np.empty((0, 0)))
        energy = np.empty((epochs, *self.instructions.spent.shape))
        results = Results(np.zeros((epochs, lanes)), energy, np.empty((0, 0, lanes)), Keyframes(state, bias, past, 0))
        rows: Rows = new_rows(self._assembly, lanes, 0)._replace(first_step=first_step)
        data = Data(self._nothing, self._nothing, order, rates)
        return self._linked.program, Packed(data), Packed(results), Packed(rows)
