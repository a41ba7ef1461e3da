"""Memory for the rows of traces: filled by a stretch, handed on, and given back."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..kernels.operands import Rows
from ..network.assembly import Assembly
from ..traces.rows import RowsPart
from .blocks import bank_rows, channels, new_rows

SLOT_BYTES = 4 << 30  # of the rows of one slot
ROW_BYTES = 16 << 20  # of the rows that one stretch may fill
ROWS_AT_MOST = 1 << 16


@dataclass
class BankRows(RowsPart):
    """Rows of one bank and one block, as the kernel filled them.

    Attributes
    ----------
    bank : int
        Its place in the network.
    """

    bank: int


@dataclass
class Recorded:
    """The rows of one stretch, for each recorded bank and block; give the memory back with :meth:`Engine.recycle`."""

    rows: list[BankRows]
    memory: list[Rows]


class RowMemory:
    """Room for the rows of stretches.

    Parameters
    ----------
    assembly : Assembly
    banks : tuple of int
        That are recorded.
    parts : list of (n,) int64
        Realisations of each block.
    records : list of bool
        Whether a block is recorded.
    longest_slot : int
        Steps; a stretch is one slot at least.

    Attributes
    ----------
    capacity : int
        Rows that one stretch may fill; 0 where nothing is recorded.
    """

    def __init__(
        self, assembly: Assembly, banks: tuple[int, ...], parts: list[np.ndarray], records: list[bool],
        longest_slot: int,
    ) -> None:  # fmt: skip
        self._assembly, self._banks, self._parts = assembly, banks, parts
        self._records = [bool(banks) and wanted for wanted in records]
        lanes = sum(len(part) for part, wanted in zip(parts, self._records, strict=True) if wanted)
        self.capacity = _capacity(assembly, lanes, longest_slot) if banks else 0
        self._free: deque[list[Rows]] = deque()

    def banks_of(self, block: int) -> tuple[int, ...]:
        """The banks that are recorded of a block."""
        return self._banks if self._records[block] else ()

    def take(self) -> list[Rows]:
        """Room for the rows of a stretch, for each block: given back earlier, or new."""
        try:
            return self._free.popleft()
        except IndexError:
            return self._new([self.capacity if wanted else 0 for wanted in self._records])

    def none(self) -> list[Rows]:
        """No room, for each block, of a stretch that is not recorded."""
        return [new_rows(self._assembly, 0, 0) for _ in self._parts]

    def give_back(self, recorded: Recorded) -> None:
        """Take memory back; whoever holds views of it must not read them after this."""
        if recorded.memory:
            self._free.append(recorded.memory)

    def recorded(self, memory: list[Rows], rows: int) -> Recorded:
        """What the first rows of filled memory hold, as views."""
        found = []
        for block, (part, filled) in enumerate(zip(self._parts, memory, strict=True)):
            for bank in self.banks_of(block):
                states, currents, voltages = bank_rows(self._assembly, filled, len(part), bank)
                found.append(BankRows(part, states[:rows], currents[:rows], voltages[:rows], bank))
        return Recorded(found, memory)

    def _new(self, capacities: Sequence[int]) -> list[Rows]:
        sizes = zip(self._parts, capacities, strict=True)
        return [new_rows(self._assembly, len(part), capacity) for part, capacity in sizes]


def _capacity(assembly: Assembly, lanes: int, longest_slot: int) -> int:
    """Rows of one stretch."""
    states, elements = channels(assembly)
    row_bytes = 8 * (states + 2 * elements) * max(1, lanes)
    if longest_slot * row_bytes > SLOT_BYTES:
        needed = longest_slot * row_bytes / 2**30
        raise InputError(
            f"trace.mode: the rows of one slot of {longest_slot:,} steps would take {needed:.3g} GiB of memory, "
            f"more than {SLOT_BYTES / 2**30:g}; select fewer realisations, or take a larger time.dt"
        )
    return max(longest_slot, min(ROWS_AT_MOST, ROW_BYTES // row_bytes))
