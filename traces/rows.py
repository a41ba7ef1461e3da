"""Rows of a trace: from blocks as they come to whole chunks of an HDF5 dataset.

A chunk holds a stretch of time of few channels: that compresses best and reads
one channel fast. Rows are staged until a chunk is full, so that no chunk is
written twice.
"""

from dataclasses import dataclass

import h5py
import numpy as np

CHUNK_ROWS = 4096  # at most
STAGED_BYTES = 16 << 20  # of one dataset, at most
CHUNK_VALUES = 4096  # at least, where a bank is so wide that few rows are staged


@dataclass(frozen=True)
class Selection:
    """Which devices, realisations and steps of a bank are kept.

    Attributes
    ----------
    devices, realisations : (n,) int
        Indices in the bank and in the run.
    stride : int
        Keep the steps whose number is a multiple of this.
    """

    devices: np.ndarray
    realisations: np.ndarray
    stride: int = 1


class StagedDataset:
    """An HDF5 dataset that grows along its first axis by whole chunks.

    Parameters
    ----------
    group : h5py.Group
    name : str
    channels : tuple of int
        Shape of one row.
    labels : tuple of str
        Names of all dimensions.
    unit, description : str
    compression : {"gzip", "none"}
    """

    def __init__(
        self,
        group: h5py.Group,
        name: str,
        channels: tuple[int, ...],
        labels: tuple[str, ...],
        *,
        unit: str,
        description: str,
        compression: str,
    ) -> None:
        width = int(np.prod(channels))
        rows = int(min(CHUNK_ROWS, max(1, STAGED_BYTES // (8 * width))))
        options = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if compression == "gzip" else {}
        self.dataset = group.create_dataset(
            name, (0, *channels), "f8", maxshape=(None, *channels), chunks=(rows, *_tile(channels, rows)), **options
        )
        self.dataset.attrs["units"] = unit
        self.dataset.attrs["long_name"] = description
        for dimension, label in zip(self.dataset.dims, labels, strict=True):
            dimension.label = label
        self._staged = np.empty((rows, *channels))
        self._filled = 0

    def room(self) -> int:
        """Rows until the staged chunk is full."""
        return len(self._staged) - self._filled

    def stage(self, part: np.ndarray, where: np.ndarray) -> None:
        """Put rows of the realisations ``where`` behind what is filled of the staged chunk."""
        self._staged[self._filled : self._filled + len(part), ..., where] = part

    def fill(self, rows: int) -> None:
        """Count staged rows as filled, and write the chunk when it is full."""
        self._filled += rows
        if self._filled == len(self._staged):
            self.flush()

    def flush(self) -> None:
        """Write what is staged."""
        if self._filled:
            stop = len(self.dataset) + self._filled
            self.dataset.resize(stop, axis=0)
            self.dataset[stop - self._filled :] = self._staged[: self._filled]
            self._filled = 0


def _tile(channels: tuple[int, ...], rows: int) -> tuple[int, ...]:
    """How many channels one chunk holds along each axis, from the last axis on."""
    wanted = max(1, CHUNK_VALUES // rows)
    tile = []
    for length in reversed(channels):
        taken = min(length, wanted)
        tile.append(taken)
        wanted = max(1, wanted // taken)
    return tuple(reversed(tile))


class BankTrace:
    """The trace of one bank: state, current and voltage of every step that is kept.

    Parameters
    ----------
    group : h5py.Group
        Made for this bank.
    variables : sequence of (name, unit)
        Of the state variables.
    selection : Selection
    compression : {"gzip", "none"}
    """

    def __init__(
        self, group: h5py.Group, variables: list[tuple[str, str]], selection: Selection, compression: str
    ) -> None:
        self.selection = selection
        devices, realisations = len(selection.devices), len(selection.realisations)
        units = sorted({unit for _, unit in variables})
        group.attrs["variables"] = [name for name, _ in variables]
        group.attrs["variable_units"] = [unit for _, unit in variables]
        group.create_dataset("device", data=selection.devices)
        group.create_dataset("realisation", data=selection.realisations)
        labels = ("step", "device", "realisation")
        self._state = StagedDataset(
            group, "state", (devices, len(variables), realisations), ("step", "device", "variable", "realisation"),
            unit=units[0] if len(units) == 1 else "see variable_units",
            description="state at the end of the step", compression=compression,
        )  # fmt: skip
        self._current = StagedDataset(
            group, "current", (devices, realisations), labels,
            unit="A", description="current during the step", compression=compression,
        )  # fmt: skip
        self._voltage = StagedDataset(
            group, "voltage", (devices, realisations), labels,
            unit="V", description="voltage from the current and the state at the end of the step",
            compression=compression,
        )  # fmt: skip

    def append(self, first_step: int, parts: list[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]) -> int:
        """Append the rows of a stretch.

        Parameters
        ----------
        first_step : int
            Step of the first row, from the start of the run.
        parts : list of (realisations, state, current, voltage)
            For each block of realisations: (variables, rows, devices,
            realisations) and (rows, devices, realisations) twice.

        Returns
        -------
        int
            Rows that were kept.
        """
        rows = parts[0][2].shape[0]
        kept = np.arange(-first_step % self.selection.stride, rows, self.selection.stride)
        for dataset, which in ((self._state, 0), (self._current, 1), (self._voltage, 2)):
            done = 0
            while done < len(kept):
                count = min(dataset.room(), len(kept) - done)
                for realisations, *arrays in parts:
                    self._stage(dataset, which, realisations, arrays[which], kept[done : done + count])
                dataset.fill(count)
                done += count
        return len(kept)

    def __len__(self) -> int:
        """Rows that are in the file."""
        return min(len(data.dataset) for data in (self._state, self._current, self._voltage))

    def flush(self) -> None:
        """Write what is staged of all datasets."""
        for dataset in (self._state, self._current, self._voltage):
            dataset.flush()

    def _stage(self, dataset: StagedDataset, which: int, part: slice, values: np.ndarray, kept: np.ndarray) -> None:
        chosen = self.selection.realisations
        where = np.flatnonzero((chosen >= part.start) & (chosen < part.stop))
        if len(where) == 0:
            return
        if which == 0:
            values = values.transpose(1, 2, 0, 3)
        rows = values[kept][:, self.selection.devices][..., chosen[where] - part.start]
        dataset.stage(rows, where)
