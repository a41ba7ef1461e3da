"""What an export holds: chosen channels over a span of steps, read in blocks of bounded size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...run import Run
from ...traces.reader import Rows
from ..channels import Channels
from ..timeline import Timeline

Report = Callable[[int, int], None]  # called with the rows that are done, and all

UNITS = {"current": "A", "voltage": "V"}  # states have the units of their variables
BLOCK_VALUES = 2**18  # numbers in a block, about
READ_STEPS = 4096  # below so many steps a read, the reader chooses


@dataclass(frozen=True)
class Block:
    """Consecutive kept rows of the chosen channels.

    Attributes
    ----------
    steps : (rows,) int64
        From the run's start.
    values : dict
        Bank and quantity to (rows, devices, realisations) float64; states have
        (rows, devices, variables, realisations).
    """

    steps: np.ndarray
    values: dict[tuple[str, str], np.ndarray]

    def matrix(self) -> np.ndarray:
        """All channels side by side in their order, (rows, channels) float64."""
        return np.concatenate([values.reshape(len(self.steps), -1) for values in self.values.values()], axis=1)


@dataclass(frozen=True)
class Excerpt:
    """Some channels of a run over some of its steps; known to be within the run.

    Attributes
    ----------
    run : Run
    channels : Channels
    start, stop : int
        Steps from the run's start, ``stop`` not included.
    stride : int
        Every so many steps a row is kept, from ``start`` on.
    """

    run: Run
    channels: Channels
    start: int
    stop: int
    stride: int = 1

    @cached_property
    def timeline(self) -> Timeline:
        """Clock and calendar of the run."""
        return Timeline(self.run)

    @property
    def rows(self) -> int:
        """Number of rows that are kept."""
        return len(range(self.start, self.stop, self.stride))

    def variables(self, bank: str) -> list[tuple[str, str]]:
        """Name and unit of each state variable of a bank."""
        return [(name, unit) for name, unit, *_ in self.run.bank(bank).variables]

    def blocks(self) -> Iterator[Block]:
        """All kept rows in order; no block is empty."""
        most = max(1, BLOCK_VALUES // len(self.channels))
        stretches = self.run.stretches(
            self.start, self.stop, self.channels.banks,
            realisations=self.channels.realisations, steps=self._read_steps(),
        )  # fmt: skip
        for first, stretch in stretches:
            length = len(stretch[self.channels.banks[0]].current)
            kept = np.arange((self.start - first) % self.stride, length, self.stride)
            for low in range(0, len(kept), most):
                yield self._block(first, kept[low : low + most], stretch)

    def _read_steps(self) -> int:
        """Steps of a read that fill a block; 0, the reader's own choice, where they would be few."""
        infos = [self.run.bank(bank) for bank in self.channels.banks]
        read = sum(info.devices * (len(info.variables) + 2) for info in infos) * len(self.channels.realisations)
        steps = BLOCK_VALUES // read
        return steps if steps > READ_STEPS else 0

    def _block(self, first: int, kept: np.ndarray, stretch: dict[str, Rows]) -> Block:
        span = slice(int(kept[0]), int(kept[-1]) + 1, self.stride)
        values = {
            (bank, quantity): getattr(stretch[bank], quantity)[span][:, self.channels.devices[bank]]
            for bank in self.channels.banks
            for quantity in self.channels.quantities
        }
        return Block(first + kept, values)
