"""What an export holds: chosen channels over a span of steps, read in blocks of bounded size."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..provenance import program_version
from ..runs.channels import Channels
from ..runs.run import Run
from ..runs.timeline import Timeline
from ..traces.chunks import CHUNK_ROWS, chunk_rows
from ..traces.reader import BankRows

Report = Callable[[int, int], None]  # called with the rows that are done, and all

BLOCK_VALUES = 2**18  # numbers in a block, about
READ_STEPS = 4096  # below so many steps a replay, the run chooses
PIECE_BYTES = 32 << 20  # that are read from the file at a time, about
PIECE_ROWS = 65536  # at most; a power of two


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

    def part(self, low: int, high: int) -> "Block":
        """Some of its rows."""
        return Block(self.steps[low:high], {key: values[low:high] for key, values in self.values.items()})


class Kept(ABC):
    """Rows of some channels over some steps, of a run or of a drive: what the tidy table is written from.

    Attributes
    ----------
    run : Run or DriveTrace
    channels : Channels
    start, stop, stride : int
    step_columns, channel_columns : tuple of str
        What the table says of a step, and of a channel.
    value_bytes : float
        Of a number as text, with comma and line end; measured.
    """

    run: Any
    channels: Channels
    start: int
    stop: int
    stride: int
    step_columns: ClassVar[tuple[str, ...]] = ("step", "time_s", "epoch", "sample", "phase")
    channel_columns: ClassVar[tuple[str, ...]] = ("bank", "device", "variable", "realisation", "quantity", "unit")
    value_bytes: ClassVar[float] = 11.0  # most currents and voltages are 0.0

    @property
    def rows(self) -> int:
        """Number of rows that are kept."""
        return len(range(self.start, self.stop, self.stride))

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Of the tidy table."""
        return (*self.step_columns, *self.channel_columns, "value")

    @property
    @abstractmethod
    def program_version(self) -> str:
        """Of what made the file."""

    @property
    @abstractmethod
    def changing(self) -> float:
        """About which share of the numbers differ from those of the row before."""

    @abstractmethod
    def columns(self, steps: np.ndarray) -> tuple[np.ndarray, ...]:
        """What all channels share at some steps, in the order of ``step_columns``."""

    @abstractmethod
    def variables(self, bank: str) -> list[tuple[str, str]]:
        """Name and unit of each state variable of a bank."""

    @abstractmethod
    def blocks(self, report: Report) -> Iterator[Block]:
        """All kept rows in order; no block is empty.

        Parameters
        ----------
        report : callable
            Told the rows that are done, and all, each time the next block is asked for.
        """


@dataclass(frozen=True)
class Excerpt(Kept):
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
    def program_version(self) -> str:
        return self.run.stored.label("/", "program_version")

    @property
    def changing(self) -> float:
        """From one step to the next few numbers change, and from one sample to the next nearly all."""
        return min(1.0, (self.stride - 1) / self.run.sample_steps)

    def columns(self, steps: np.ndarray) -> tuple[np.ndarray, ...]:
        line = self.timeline
        return steps, line.seconds(steps), line.epochs(steps), line.samples(steps), line.phases(steps)

    def variables(self, bank: str) -> list[tuple[str, str]]:
        return [(name, unit) for name, unit, *_ in self.run.bank(bank).variables]

    def blocks(self, report: Report) -> Iterator[Block]:
        done = 0
        for block in _even(self._stored_blocks() if self._is_stored else self._replayed_blocks(), self._most):
            yield block
            done += len(block.steps)
            report(done, self.rows)

    @property
    def _most(self) -> int:
        """Rows of a block at most."""
        return max(1, BLOCK_VALUES // len(self.channels))

    @property
    def _keys(self) -> list[tuple[str, str]]:
        return [(bank, quantity) for bank in self.channels.banks for quantity in self.channels.quantities]

    @property
    def _is_stored(self) -> bool:
        """Whether the file itself has every step of what is chosen."""
        chosen = self.channels
        return all(
            self.run.holds(
                bank, self.start, self.stop, chosen.realisations,
                devices=chosen.devices[bank], quantities=chosen.quantities,
            )
            for bank in chosen.banks
        )  # fmt: skip

    def _stored_blocks(self) -> Iterator[Block]:
        """What is chosen and nothing else, read in pieces of whole chunks; pieces without a kept row are left out."""
        piece = self._piece_rows()
        # Chunks are counted in rows of the trace, which may begin later than the run.
        shift = self.run.trace(self.channels.banks[0]).selection.row_of(self.start) - self.start
        step = self.start
        while step < self.stop:
            end = min(self.stop, (step + shift) // piece * piece + piece - shift)
            kept = np.arange(step, end, self.stride)
            yield Block(kept, {key: self._stored(*key, step, int(kept[-1]) + 1) for key in self._keys})
            step = int(kept[-1]) + self.stride

    def _stored(self, bank: str, quantity: str, start: int, stop: int) -> np.ndarray:
        """Kept rows of a bank and a quantity, states with their axis of variables."""
        chosen = self.channels
        devices, lanes = chosen.devices[bank], chosen.realisations
        values = self.run.window(
            bank, quantity, start, stop, stride=self.stride, devices=devices, realisations=lanes
        )  # fmt: skip
        variables = (len(chosen.variables[bank]),) if quantity == "state" else ()
        return values.reshape(len(values), len(devices), *variables, len(lanes))

    def _piece_rows(self) -> int:
        """Rows of the trace that are read at a time: a power of two, and whole chunks."""
        chosen = self.channels
        chunk = 1
        for bank in chosen.banks:
            kept = self.run.trace(bank).selection
            chunk = max(chunk, chunk_rows(len(kept.devices) * len(kept.variables) * len(kept.realisations)))
        # All quantities of the devices from the first to the last that is chosen, at worst.
        lanes = chosen.realisations[-1] - chosen.realisations[0] + 1
        width = lanes * sum(
            (chosen.devices[bank][-1] - chosen.devices[bank][0] + 1) * (len(chosen.variables[bank]) + 2)
            for bank in chosen.banks
        )
        fitting = max(1, PIECE_BYTES // (8 * width))
        return min(PIECE_ROWS, max(min(chunk, CHUNK_ROWS), 1 << (fitting.bit_length() - 1)))

    def _replayed_blocks(self) -> Iterator[Block]:
        stretches = self.run.stretches(
            self.start, self.stop, self.channels.banks,
            realisations=self.channels.realisations, steps=self._read_steps(),
        )  # fmt: skip
        for first, stretch in stretches:
            length = len(stretch[self.channels.banks[0]].current)
            kept = np.arange((self.start - first) % self.stride, length, self.stride)
            if len(kept):
                yield self._block(first, kept, stretch)

    def _read_steps(self) -> int:
        """Steps of a read that fill a block; 0, the run's own choice, where they would be few."""
        infos = [self.run.bank(bank) for bank in self.channels.banks]
        read = sum(info.devices * (len(info.variables) + 2) for info in infos) * len(self.channels.realisations)
        steps = BLOCK_VALUES // read
        return steps if steps > READ_STEPS else 0

    def _block(self, first: int, kept: np.ndarray, stretch: dict[str, BankRows]) -> Block:
        span = slice(int(kept[0]), int(kept[-1]) + 1, self.stride)
        values = {
            (bank, quantity): getattr(stretch[bank], quantity)[span][:, self.channels.devices[bank]]
            for bank, quantity in self._keys
        }
        return Block(first + kept, values)


def _even(blocks: Iterable[Block], most: int) -> Iterator[Block]:
    """Rows in blocks of ``most`` rows, the last one of fewer."""
    held: list[Block] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block.steps)
        if count < most:
            continue
        whole = _joined(held)
        full = count // most * most
        yield from (whole.part(low, low + most) for low in range(0, full, most))
        held, count = ([whole.part(full, count)] if count > full else []), count - full
    if count:
        yield _joined(held)


def _joined(blocks: Sequence[Block]) -> Block:
    """Blocks that follow each other as one."""
    if len(blocks) == 1:
        return blocks[0]
    values = {key: np.concatenate([block.values[key] for block in blocks]) for key in blocks[0].values}
    return Block(np.concatenate([block.steps for block in blocks]), values)


def provenance(excerpt: Kept) -> dict[str, str]:
    """What an exported file says of itself: program, run, configuration, and what was chosen."""
    run = excerpt.run
    return {
        "convention": "memsim export",
        "program": "memsim",
        "program_version": program_version(),
        "run_program_version": excerpt.program_version,
        "run_file": run.path.name if run.path is not None else "in memory",
        "dt": repr(run.dt),
        "dt_units": "s",
        "start_step": str(excerpt.start),
        "stop_step": str(excerpt.stop),
        "stride": str(excerpt.stride),
        "configuration": run.configuration_text,
    }
