"""Reading a run file, whole or while it is written: arrays with names, stored rows, the overview."""

import contextlib
import os
import re
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from .checking import check_run
from .description import Programming
from .doubted import FAILURES, DoubtedFile, line_of, one_line
from .errors import NotARunFileError
from .files import refuse_what_is_no_file
from .hdf5 import opened
from .locks import is_being_written
from .overview import LEVELS
from .samples import StoredDataset
from .schema import CONVENTION, DRIVE_CONVENTION, QUANTITIES, SCHEMA
from .schema1 import StoredSchema1
from .shared import is_open, open_growing, release
from .stored import BankInfo, Stored, StoredTrace

__all__ = ["Arrays", "BankInfo", "BankRows", "Envelope", "FileReader", "NotARunFileError", "RunReader", "open_file"]

OPENING_SECONDS = 2.0  # that a writer may take between making a file and letting others read it


@dataclass(frozen=True)
class BankRows:
    """Consecutive rows of a bank's trace, float64.

    Attributes
    ----------
    state : (steps, devices, variables, realisations)
        At the end of each step, in the units of the bank's state variables.
    current, voltage : (steps, devices, realisations)
        In A and V.
    """

    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


@dataclass(frozen=True)
class Envelope:
    """Smallest and largest values of a quantity over consecutive spans of steps.

    Attributes
    ----------
    steps : (spans,) int64
        First step of each span.
    rows : int
        Steps of the overview's blocks that spans are made of, 1 where they are made of rows. The first span may begin
        with a block that began before the stretch, and the last one end with one that goes on behind it.
    minimum, maximum : (spans, devices, [variables,] realisations) float64
        States have the axis of variables.
    """

    steps: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    rows: int = 1


class Arrays(Mapping[str, np.ndarray]):
    """Arrays by name, read when they are asked for."""

    def __init__(self, names: list[str], read: Callable[[str], np.ndarray]) -> None:
        self._names, self._read = names, read

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(f"no {name!r}; there are {', '.join(self._names)}")
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file for reading, also one that was not closed in good order, or is being written.

    Raises
    ------
    NotARunFileError
        With one line that says what is wrong.
    """
    refuse_what_is_no_file(path)
    deadline = time.monotonic() + OPENING_SECONDS
    while True:
        try:
            if is_open(path):
                return open_growing(path)
            return opened(path)
        except BlockingIOError as error:
            failed: Exception = error
        except FAILURES as error:
            if "already open for" not in str(error):
                raise NotARunFileError(f"{path}: {_not_opened(path, error)}") from None
            try:
                return open_growing(path)
            except FAILURES as second:
                failed = second
        if time.monotonic() > deadline:
            if isinstance(failed, BlockingIOError) or is_being_written(path):
                raise NotARunFileError(f"{path}: cannot be opened while another program has it open: {line_of(failed)}")
            raise NotARunFileError(f"{path}: whoever wrote it was killed before it was closed; make it again")
        time.sleep(0.05)


def _not_opened(path: Path, error: Exception) -> str:
    """Why a file is no HDF5 file, by what the library said of it."""
    if isinstance(error, OSError) and error.errno:
        return f"cannot be read: {os.strerror(error.errno)}"
    said = line_of(error)
    if path.suffix.lower() == ".toml":
        return "is no HDF5 file; a configuration goes to memsim run, drive or sweep"
    lengths = re.search(r"truncated file: eof = (\d+), .*stored_eof = (\d+)", said)
    if lengths is None:
        return f"is no HDF5 file, or a broken one: {said}"
    there, whole = map(int, lengths.groups())
    size, unit = next((each for each in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if whole >= each[0]), (1, "bytes"))
    return f"is cut off: {there / size:.1f} of {whole / size:.1f} {unit} are there; copy it again"


def open_file(path: Path) -> Stored:
    """Open a run file for reading, and check that it is one.

    Raises
    ------
    NotARunFileError
        With one line that says what is wrong.
    """
    file = open_hdf5(path)
    try:
        # One that was killed does not grow, and what does not grow needs no second look.
        stored = _stored(path, file, is_being_written(path))
        check_run(stored)
        parse_configuration(path, stored.configuration_text)
    except BaseException:
        with contextlib.suppress(*FAILURES):
            release(file)
        raise
    return stored


def parse_configuration(path: Path | str, text: str) -> dict[str, Any]:
    """The TOML that a file holds.

    Raises
    ------
    NotARunFileError
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotARunFileError(
            f"{path}: is a broken run file: its configuration is not valid TOML: {one_line(line_of(error))}"
        ) from None


def _stored(path: Path, file: h5py.File, live: bool) -> Stored:
    """The file's datasets, by its schema version."""
    source = DoubtedFile(file)
    convention = source.attribute("/", "convention") if source.has_attribute("/", "convention") else None
    if isinstance(convention, str) and convention == DRIVE_CONVENTION:
        raise NotARunFileError(f"{path}: is a file of memsim drive; 'memsim drive {path} --plot loops.png' draws it")
    if not isinstance(convention, str) or convention != CONVENTION:
        found = one_line(repr(convention))[:100]
        raise NotARunFileError(f"{path}: is no run file: its convention is {found}, not {CONVENTION!r}")
    version = source.integer("/", "schema_version")
    if version == 1:
        return StoredSchema1(file, live)
    if version != SCHEMA:
        advice = "; take a newer memsim" if version > SCHEMA else ""
        raise NotARunFileError(
            f"{path}: has schema version {version}; this program reads versions 1 and {SCHEMA}{advice}"
        )
    return Stored(file, live)


class FileReader:
    """An open HDF5 file that the reader closes."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file
        self._closed = False

    @property
    def path(self) -> Path | None:
        """The file; None for one that is kept in memory."""
        return None if self.file.driver == "core" else Path(self.file.filename)

    def close(self) -> None:
        """Close the file; no harm where it is closed already."""
        if not self._closed:
            self._closed = True
            release(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunReader(FileReader):
    """A run, read from its file.

    Parameters
    ----------
    stored : Stored
        An open run file; the reader closes it.
    """

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored.file)
        self._stored = stored

    @property
    def stored(self) -> Stored:
        """What the file holds, while it is open."""
        if self._closed:
            raise ValueError("the run is closed; open its file again, or save a run in memory before it is closed")
        return self._stored

    @property
    def live(self) -> bool:
        """Whether the file is being written now."""
        return self.stored.live and self.path is not None and is_being_written(self.path)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end, or was stopped in good order."""
        return self.stored.finished

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped before its end."""
        return self.stored.stopped

    @property
    def configuration_text(self) -> str:
        """The effective configuration, TOML."""
        return self.stored.configuration_text

    @property
    def configuration(self) -> dict[str, Any]:
        """The effective configuration, as nested dictionaries."""
        values = parse_configuration(self.file.filename, self.configuration_text)
        trace = values.get("trace", {})
        if isinstance(trace, dict) and isinstance(trace.get("keyframe_epochs"), int):  # schema version 1
            trace["keyframe_samples"] = trace.pop("keyframe_epochs") * self.samples
        return values

    @property
    def banks(self) -> tuple[str, ...]:
        """Names of the banks, in the order of the network."""
        return self.stored.banks

    def bank(self, name: str) -> BankInfo:
        """What the file says of a bank."""
        if name not in self.banks:
            raise KeyError(f"no bank {name!r}; there are {', '.join(self.banks)}")
        return self.stored.bank(name)

    @property
    def dataset(self) -> StoredDataset:
        """The samples."""
        return self.stored.data

    @property
    def seeds(self) -> np.ndarray:
        """Seed of each realisation, (realisations,) uint64."""
        return self.stored.seeds

    @property
    def total_error(self) -> np.ndarray:
        """Eq. 20 for each complete epoch, (epochs, realisations) float64."""
        return self.stored.total_error

    @property
    def validation_error(self) -> np.ndarray:
        """Eq. 20 over the samples held back for validation, for each complete epoch, (epochs, realisations) float64.

        No epochs, where none were held back.
        """
        return self.stored.validation_error if self.stored.is_validated else np.empty((0, self.realisations))

    @property
    def best_epoch(self) -> np.ndarray:
        """Epoch of the lowest error so far, from 0, (realisations,) int64; -1 where no best epoch was kept."""
        kept = self.stored.is_watched and self.stored.has_counters
        return self.stored.best_epoch if kept else np.full(self.realisations, -1)

    @property
    def best_error(self) -> np.ndarray:
        """The error of that epoch, (realisations,): of the samples that were held back, or else the total error.

        NaN where no best epoch was kept.
        """
        found = np.full(self.realisations, np.nan)
        known = self.best_epoch >= 0
        if known.any():
            found[known] = self.stored.best_error[known]
        return found

    @property
    def best_state(self) -> Arrays:
        """Bank to state at the end of the best epoch so far, (devices, variables, realisations).

        No banks, where no best epoch was kept.
        """
        return Arrays(list(self.banks) if (self.best_epoch >= 0).all() else [], self.stored.best_state)

    @property
    def epoch_energy(self) -> Arrays:
        """Bank to its energy in each complete epoch in J, (epochs, phases, realisations); signed.

        No banks, where an earlier version made the file.
        """
        return Arrays(list(self.banks) if self.stored.has_energies else [], self.stored.epoch_energy)

    @property
    def epochs_before(self) -> int:
        """Epochs of the runs whose devices this one went on with; 0 where it drew its starting weights."""
        return self.stored.beginning.epochs if self.stored.beginning is not None else 0

    @property
    def programming(self) -> Programming | None:
        """How the starting weights were written by pulses; None of a run that they were set for, or given to."""
        return self.stored.beginning.programming if self.stored.beginning is not None else None

    @property
    def order(self) -> np.ndarray:
        """Index of the sample that was shown, (epochs, samples, realisations)."""
        return self.stored.order

    @property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        return self.stored.slots

    @property
    def initial_state(self) -> Arrays:
        """Bank to state before the first step, (devices, variables, realisations)."""
        return Arrays(list(self.banks), self.stored.initial_state)

    @property
    def final_state(self) -> Arrays:
        """Bank to state after the last step, or at the last keyframe so far, (devices, variables, realisations)."""
        return Arrays(list(self.banks), self.stored.final_state)

    @property
    def keyframes(self) -> Arrays:
        """``"sample"`` and ``"epoch"``, complete at each; bank to (keyframes, devices, variables, realisations)."""
        return Arrays(["sample", "epoch", *self.banks], self._keyframes)

    def _keyframes(self, name: str) -> np.ndarray:
        samples = self.stored.keyframe_samples
        if name in ("sample", "epoch"):
            return samples if name == "sample" else samples // self.samples
        return self.stored.keyframe_states(name, slice(0, len(samples)))

    def diagnostics(self, bank: str) -> Arrays:
        """What was counted while stepping, for each device and realisation of a bank."""
        return Arrays(self.stored.counters(bank), lambda name: self.stored.counter(bank, name))

    @property
    def dt(self) -> float:
        """Step in s."""
        return self.stored.dt

    @property
    def sample_steps(self) -> int:
        """Steps of one sample."""
        return self.stored.sample_steps

    @cached_property
    def samples(self) -> int:
        """Samples of one epoch."""
        return int(self.stored.dataset("dataset/inputs").shape[0])

    @cached_property
    def realisations(self) -> int:
        """Number of realisations."""
        return int(self.stored.dataset("seeds").shape[0])

    @property
    def samples_done(self) -> int:
        """Samples from the start of the run up to its last keyframe."""
        samples = self.stored.keyframe_samples
        return int(samples[-1]) if len(samples) else 0

    @property
    def steps(self) -> int:
        """Steps from the start of the run that can be looked at: up to its last keyframe."""
        return self.samples_done * self.sample_steps

    @property
    def traced(self) -> tuple[str, ...]:
        """Banks that have a trace in the file."""
        return self.stored.traced

    def trace(self, bank: str) -> StoredTrace:
        """What the file keeps of a bank's trace."""
        if bank not in self.traced:
            raise KeyError(f"{bank}: its trace was not stored; stored are: {', '.join(self.traced) or 'none'}")
        return self.stored.trace(bank)

    def kept(self, bank: str, quantity: str, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What the file itself keeps of a stretch of steps; :meth:`memsim.runs.run.Run.window` gives every step.

        Parameters
        ----------
        bank : str
        quantity : {"state", "current", "voltage"}
        start, stop : int
            Steps from the start of the run, ``stop`` not included.

        Returns
        -------
        steps : (rows,) int64
            The steps that were kept.
        values : (rows, devices, [variables,] realisations) float64
            Of the devices, variables and realisations that were kept; states of
            devices with one variable have no axis for it.

        Raises
        ------
        KeyError
            The bank or the quantity was not stored.
        """
        trace = self.trace(bank)
        check_quantity(quantity, trace.selection.quantities)
        first = min(trace.selection.row_of(start), trace.rows)
        last = trace.rows if stop is None else min(trace.rows, trace.selection.row_of(stop))
        values = self.stored.trace_rows(bank, quantity, first, max(first, last))
        steps = self.stored.trace_steps(bank, first, max(first, last))
        return steps, values[:, :, 0] if quantity == "state" and values.shape[2] == 1 else values

    def holds(
        self, bank: str, start: int, stop: int, realisations: Sequence[int], *,
        devices: Sequence[int] | None = None, quantities: Sequence[str] = QUANTITIES,
    ) -> bool:  # fmt: skip
        """Whether the file itself has every step of a stretch, with all variables of the devices that are asked for."""
        if bank not in self.traced:
            return False
        trace, about = self.stored.trace(bank), self.stored.bank(bank)
        selection = trace.selection
        return bool(
            np.isin(range(about.devices) if devices is None else devices, selection.devices).all()
            and len(selection.variables) == len(about.variables)
            and set(quantities) <= set(selection.quantities)
            and np.isin(realisations, selection.realisations).all()
            and trace.covers(start, stop)
        )

    def stored_rows(self, bank: str, start: int, stop: int, realisations: list[int]) -> BankRows:
        """Every step of a stretch that the file :meth:`holds`."""
        selection = self.stored.trace(bank).selection
        lanes = np.searchsorted(selection.realisations, realisations)
        first = selection.row_of(start)
        last = first + stop - start
        read = [self.stored.trace_rows(bank, name, first, last, realisations=_span(lanes)) for name in QUANTITIES]
        return BankRows(*(values[..., lanes - lanes.min()] for values in read))

    def stored_window(
        self, bank: str, quantity: str, start: int, stop: int, stride: int, devices: Sequence[int],
        realisations: Sequence[int],
    ) -> np.ndarray:  # fmt: skip
        """One quantity of a stretch that the file :meth:`holds`, every ``stride`` steps, with its axis of variables."""
        selection = self.stored.trace(bank).selection
        chosen = np.searchsorted(selection.devices, devices)
        lanes = np.searchsorted(selection.realisations, realisations)
        first = selection.row_of(start)
        values = self.stored.trace_rows(
            bank, quantity, first, first + stop - start, stride=stride, devices=_span(chosen), realisations=_span(lanes)
        )
        return values[:, chosen - chosen.min()][..., lanes - lanes.min()]

    def overview(self, bank: str, quantity: str, start: int, stop: int, points: int) -> Envelope | None:
        """Extremes over spans of a stretch of steps from the overview; None where it does not reach, or is too coarse.

        Spans are as long as the overview's blocks, or several of them; the
        first and the last may reach beyond the stretch by less than one.
        """
        if bank not in self.traced:
            return None
        trace = self.stored.trace(bank)
        selection = trace.selection
        if selection.stride != 1 or selection.windows or quantity not in selection.quantities:
            return None
        if len(selection.devices) != self.stored.bank(bank).devices or len(selection.realisations) != self.realisations:
            return None
        for level in reversed(range(len(LEVELS))):
            rows = LEVELS[level]
            first, last = start // rows, -(-stop // rows)
            if (stop - start) // rows >= points and last <= self.stored.overview_entries(bank, level):
                entries = self.stored.overview(bank, quantity, level, first, last)
                edges = np.unique(np.linspace(0, len(entries), points + 1).astype(int))[:-1]
                return Envelope(
                    np.maximum((first + edges) * rows, start),
                    np.minimum.reduceat(entries[:, 0], edges),
                    np.maximum.reduceat(entries[:, 1], edges),
                    rows,
                )
        return None


def _span(indices: np.ndarray) -> slice:
    """The stretch of an axis that some places on it lie in."""
    return slice(int(indices.min()), int(indices.max()) + 1)


def check_quantity(quantity: str, known: tuple[str, ...] = QUANTITIES) -> None:
    """Refuse a quantity that is not known.

    Raises
    ------
    KeyError
    """
    if quantity not in known:
        raise KeyError(f"quantity: must be one of {', '.join(known)} (got {quantity!r})")
