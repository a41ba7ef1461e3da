"""The trace of a bank: which of its rows are kept, and where they go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import h5py
import numpy as np

from .background import Beside
from .chunks import ChunkedDataset, staged_part, staged_rows
from .hdf5 import growing
from .overview import LEVELS, Extremes
from .schema import QUANTITIES

COPIED_BYTES = 1 << 19  # of rows that are copied at once: what is read stays in the second-level cache


@dataclass(frozen=True)
class Selection:
    """Which devices, realisations, variables, quantities and steps of a bank are kept.

    Attributes
    ----------
    devices, realisations, variables : (n,) int64
        Indices in the bank, in the run, and in the model's state variables.
    quantities : tuple of str
        Of state, current, voltage.
    stride : int
        Keep the steps whose number is a multiple of this.
    windows : tuple of (first step, end step)
        Keep the steps in one of these, in order; all where there are none.
    """

    devices: np.ndarray
    realisations: np.ndarray
    variables: np.ndarray
    quantities: tuple[str, ...] = QUANTITIES
    stride: int = 1
    windows: tuple[tuple[int, int], ...] = ()

    def steps(self, first: int, stop: int) -> np.ndarray:
        """The steps from ``first`` up to ``stop`` that are kept."""
        steps = np.arange(-(-first // self.stride) * self.stride, stop, self.stride)
        if self.windows:
            begins, ends = np.array(self.windows).T
            at = np.searchsorted(begins, steps, side="right") - 1
            steps = steps[(at >= 0) & (steps < ends[np.maximum(at, 0)])]
        return steps

    def row_of(self, step: int) -> int:
        """Rows that are kept of the steps before ``step``."""
        windows = self.windows or ((0, step),)
        ends = [(begin, min(end, step)) for begin, end in windows if begin < step]
        return sum(-(-end // self.stride) + (-begin // self.stride) for begin, end in ends)

    def step_of(self, row: int) -> int:
        """The step that a row belongs to; beyond the last window's end where there is no such row."""
        for begin, end in self.windows or ((0, (row + 1) * self.stride),):
            first = -(-begin // self.stride)
            count = -(-end // self.stride) - first
            if row < count:
                return (first + row) * self.stride
            row -= count
        return self.windows[-1][1]

    def spans(self, first: int, stop: int) -> list[tuple[int, int]]:
        """The stretches between ``first`` and ``stop`` that any kept step lies in."""
        windows = self.windows or ((first, stop),)
        cut = [(max(first, begin), min(stop, end)) for begin, end in windows]
        return [(begin, end) for begin, end in cut if begin < end]


@dataclass
class RowsPart:
    """Consecutive rows of some realisations of a bank, as they come.

    Attributes
    ----------
    realisations : (n,) int64
        In order.
    state : (rows, devices, variables, n) float64
    current, voltage : (rows, devices, n) float64
    """

    realisations: np.ndarray
    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


class BankTrace:
    """The trace of one bank that rows are appended to.

    Parameters
    ----------
    group, overview : h5py.Group
        Of the trace and its overview, with empty datasets.
    selection : Selection
    compression : str
    beside : Beside
        Copies, compares and compresses while something else is written.
    """

    def __init__(
        self, group: h5py.Group, overview: h5py.Group, selection: Selection, compression: str, beside: Beside
    ) -> None:
        self.selection = selection
        widest = max(math.prod(group[name].shape[1:]) for name in selection.quantities)
        staged = staged_rows(widest)
        self._beside = beside
        self._time = ChunkedDataset(group, "time", "gzip", staged, beside)
        self._datasets = {n: ChunkedDataset(group, n, compression, staged, beside) for n in selection.quantities}
        self._extremes = {name: Extremes(overview, name) for name in selection.quantities}
        self._overview_times = [growing(overview, f"{rows}/time") for rows in LEVELS]
        self._first_step = 0  # steps before it are in the file

    def __len__(self) -> int:
        """Rows that are in the file."""
        return self._time.written

    @property
    def held_bytes(self) -> int:
        """Bytes that may be staged here, for the trace and for its overview, before they are in the file."""
        datasets = (self._time, *self._datasets.values())
        return sum(each.staged.nbytes for each in datasets) + sum(each.nbytes for each in self._extremes.values())

    def go_on(self, rows: int) -> None:
        """Go on behind so many rows, which are in the file.

        Those of the overview's last block that is not whole are read again, for
        the overview, and as a chunk that is not full is written again.
        """
        datasets = (self._time, *self._datasets.values())
        whole = rows // LEVELS[-1] * LEVELS[-1]
        for dataset in datasets:
            dataset.start(whole)
        for extremes in self._extremes.values():
            extremes.start(whole)
        while self._time.written + self._time.filled < rows:
            count = min(self._time.room(), rows - self._time.written)
            for dataset in datasets:
                dataset.load(count)
            if self._time.room() == 0:
                self._write()
        self._first_step = self.selection.step_of(rows)

    def append(self, first_step: int, rows: int, parts: Sequence[RowsPart]) -> None:
        """Append what the selection keeps of a stretch of rows.

        Parameters
        ----------
        first_step : int
            Step of the first row, from the start of the run.
        rows : int
        parts : sequence of RowsPart
            The realisations that are kept are in one of them each.
        """
        steps = self.selection.steps(max(first_step, self._first_step), first_step + rows)
        done = 0
        while done < len(steps):
            count = min(self._time.room(), len(steps) - done)
            kept = steps[done : done + count]
            self._stage(kept, kept - first_step, parts)
            done += count
            if self._time.room() == 0:
                self._write()

    def finish(self) -> None:
        """Write what is staged."""
        if self._time.filled:
            self._write()
        for extremes in self._extremes.values():
            extremes.finish()

    def _stage(self, steps: np.ndarray, kept: np.ndarray, parts: Sequence[RowsPart]) -> None:
        self._time.staged[self._time.filled : self._time.filled + len(steps)] = steps
        for name in self._datasets:
            self._stage_quantity(name, kept, parts)
        for dataset in (self._time, *self._datasets.values()):
            dataset.filled += len(steps)

    def _stage_quantity(self, name: str, kept: np.ndarray, parts: Sequence[RowsPart]) -> None:
        """Copy kept rows of a quantity to where they are staged, a few at a time: they come in another order."""
        selection, staged, filled = self.selection, self._datasets[name].staged, self._datasets[name].filled
        variables, devices = staged_part(selection.variables), staged_part(selection.devices)
        at_once = max(1, COPIED_BYTES // (8 * math.prod(staged.shape[:-1])))
        for part in parts:
            _, there, here = np.intersect1d(part.realisations, selection.realisations, return_indices=True)
            if len(here) == 0:
                continue
            lanes, where = staged_part(there), staged_part(here)
            values = part.state[:, :, variables] if name == "state" else getattr(part, name)
            for first in range(0, len(kept), at_once):
                some = kept[first : first + at_once]
                at = slice(filled + first, filled + first + len(some))
                chosen = values[self._evenly(some)][:, devices][..., lanes]
                staged[..., where, at] = np.moveaxis(chosen, 0, -1)

    def _evenly(self, kept: np.ndarray) -> Any:
        """Kept rows as a slice where they have one distance, which is copied faster."""
        stride = self.selection.stride
        even = kept[-1] - kept[0] == (len(kept) - 1) * stride
        return slice(int(kept[0]), int(kept[-1]) + 1, stride) if even else kept

    def _write(self) -> None:
        first, steps = self._time.written, self._time.staged_rows
        for name, dataset in self._datasets.items():
            extremes, staged = self._extremes[name], dataset.staged_rows
            whole = self._beside.begin(partial(extremes.of_whole_entries, staged))
            dataset.write()
            extremes.add(staged, whole())
        self._time.write()
        for times, rows in zip(self._overview_times, LEVELS, strict=True):
            starts = np.arange(-(-first // rows) * rows, first + len(steps), rows)
            if len(starts):
                stop = int(starts[-1]) // rows + 1
                if len(times) < stop:
                    times.resize(stop, axis=0)
                times[stop - len(starts) : stop] = steps[starts - first]
