"""Teams: where there are more threads than blocks of realisations, some share a block's large banks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..kernels.operands import Meeting, Sample
from ..kernels.teams import give_way_address, new_meeting_place
from ..kernels.tiles import aligned
from .blocks import Block

ELEMENTS_A_MEMBER = 1 << 12  # of a bank that is shared: fewer take no longer than the members' meetings

WORTH = 1.1  # times as fast as one thread: less is not worth the others
FEWEST_STRETCHES, MOST_STRETCHES = 8, 256  # after which what was slower is tried again


@dataclass(frozen=True)
class Member:
    """One of the threads that carry out a block: which, and of how many.

    Attributes
    ----------
    number, members : int
    arrived : int64
        How often each has come to a meeting, see :mod:`memsim.kernels.teams`.
    """

    number: int = 0
    members: int = 1
    arrived: np.ndarray = field(default_factory=lambda: new_meeting_place(1))

    @property
    def is_first(self) -> bool:
        """Whether it carries out what is not shared."""
        return self.number == 0

    @property
    def is_last(self) -> bool:
        """Whether a bank's last rows are its own."""
        return self.number == self.members - 1

    def meeting(self) -> Meeting:
        """Where it waits for the others."""
        return Meeting(self.arrived, self.number, self.members, give_way_address())


ALONE = Member()


def team_of(members: int) -> list[Member]:
    """A team of so many members."""
    arrived = new_meeting_place(members)
    return [Member(number, members, arrived) for number in range(members)]


def size_of_team(elements: Sequence[int], threads: int) -> int:
    """Members of a team at most, for banks of some elements that may be shared."""
    return max(1, min(threads, max(elements, default=0) // ELEMENTS_A_MEMBER))


def block_of(block: Block, member: Member) -> Block:
    """A block as a member sees it: the same devices, and scratch of its own."""
    if member.is_first:
        return block
    own = Sample(*(np.zeros_like(values) for values in block.sample))
    return replace(block, sample=own, tile=aligned(block.tile.size))


class Choice:
    """Whether a team is worth its threads, as measured: stretches together and alone give the same bits.

    Members wait for each other some times a sample. Where other programs have the processors, each wait can be as long
    as these are given at a time. So both ways are tried, and the other one again after ever longer.

    Parameters
    ----------
    possible : bool
        Whether there is a team at all.
    """

    def __init__(self, possible: bool) -> None:
        self._possible, self._together = possible, True
        self._taken: dict[bool, float] = {}
        self._left, self._most = 0, FEWEST_STRETCHES

    def together(self) -> bool:
        """Whether the next stretch is a team's."""
        if not self._possible:
            return False
        if len(self._taken) < 2:
            return True not in self._taken
        return self._together if self._left > 0 else not self._together

    def measure(self, together: bool, slots: int, seconds: float) -> None:
        """Tell how long a stretch took."""
        self._taken[together] = seconds / slots
        if len(self._taken) < 2:
            return
        better = self._taken[True] * WORTH < self._taken[False]
        tried = self._left == 0
        self._left = self._left - 1
        if better != self._together:
            self._together, self._most, self._left = better, FEWEST_STRETCHES, FEWEST_STRETCHES
        elif tried:
            self._most = min(2 * self._most, MOST_STRETCHES)
            self._left = self._most
