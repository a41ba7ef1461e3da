"""What a run file holds, read on demand: the datasets of schema version 2 by what they mean.

Whatever comes from a file is doubted: a dataset that is missing, of another
kind, unreadable, or larger than the bytes behind it can justify gives one line
that says so, and never memory for what is not there.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from .chunks import wrong_chunks
from .errors import NotARunFileError
from .hdf5 import as_text
from .layout import CHECKPOINTS, COMMITTED
from .overview import LEVELS
from .rows import QUANTITIES, Selection

COMPRESSION_AT_MOST = 1100  # deflate's largest ratio is 1032
SMALL = 1 << 16  # bytes that are read without a question
FAILURES = (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError, AttributeError, MemoryError)


@dataclass(frozen=True)
class BankInfo:
    """A bank as its run file describes it.

    Attributes
    ----------
    name, model : str
    devices : int
    variables : tuple of (name, unit, lower bound, upper bound)
    """

    name: str
    model: str
    devices: int
    variables: tuple[tuple[str, str, float, float], ...]


@dataclass(frozen=True)
class StoredDataset:
    """The samples that a run learned: inputs (samples, n) and targets (samples, n), float64."""

    inputs: np.ndarray
    targets: np.ndarray
    name: str


@dataclass(frozen=True)
class StoredTrace:
    """The trace of a bank that is in the file.

    Attributes
    ----------
    selection : Selection
        What was kept.
    rows : int
        Rows that count.
    """

    selection: Selection
    rows: int

    def covers(self, start: int, stop: int) -> bool:
        """Whether every step from ``start`` up to ``stop`` is there."""
        first, last = self.selection.row_of(start), self.selection.row_of(stop)
        return self.selection.stride == 1 and last - first == stop - start and last <= self.rows


class HDF5Source:
    """An HDF5 file whose datasets are doubted.

    Parameters
    ----------
    file : h5py.File
    live : bool
        Whether it may grow while it is read.
    """

    def __init__(self, file: h5py.File, live: bool = False) -> None:
        self.file, self.live = file, live

    def broken(self, what: str) -> NotARunFileError:
        """The error that names the file."""
        return NotARunFileError(f"{self.file.filename}: is a broken run file: {what}")

    def dataset(self, path: str) -> h5py.Dataset:
        """A dataset, as it is in the file now."""
        try:
            found = self.file[path]
        except FAILURES as error:
            raise self.broken(f"it has no {path} ({_line(error)})") from None
        if not isinstance(found, h5py.Dataset):
            raise self.broken(f"{path} is no dataset")
        if self.live:
            found.id.refresh()
        return found

    def group(self, path: str) -> h5py.Group:
        """A group."""
        try:
            found = self.file[path]
        except FAILURES as error:
            raise self.broken(f"it has no {path} ({_line(error)})") from None
        if not isinstance(found, h5py.Group):
            raise self.broken(f"{path} is no group")
        return found

    def names(self, path: str) -> list[str]:
        """Names in a group; none where there is no such group."""
        try:
            return list(self.group(path)) if path in self.file else []
        except FAILURES as error:
            raise self.broken(f"{path} cannot be listed: {_line(error)}") from None

    def read(self, path: str, *where: Any, ndim: int | None = None, kind: str = "fiu") -> Any:
        """Values of a dataset of numbers.

        Parameters
        ----------
        path : str
        *where : slice, int or array
            Along the first axes; all where not given.
        ndim : int, optional
            Axes that it must have.
        kind : str
            NumPy's kinds that it may be of.
        """
        dataset = self.dataset(path)
        try:
            if dataset.dtype.kind not in kind or (ndim is not None and dataset.ndim != ndim):
                raise self.broken(f"{path} is of type {dataset.dtype} with {dataset.ndim} axes")
            size = dataset.dtype.itemsize * math.prod(_length(n, w) for n, w in _along(dataset.shape, where))
            held = COMPRESSION_AT_MOST * dataset.id.get_storage_size()
            if size > max(SMALL, held):
                raise self.broken(f"{path} claims {size:,} bytes, which the file cannot hold")
            return dataset[where]
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {_line(error)}") from None

    def text(self, path: str) -> str:
        """Text in a dataset."""
        try:
            return as_text(self.dataset(path).asstr()[()])
        except NotARunFileError:
            raise
        except (*FAILURES, UnicodeDecodeError) as error:
            raise self.broken(f"{path} cannot be read: {_line(error)}") from None

    def attribute(self, path: str, name: str) -> Any:
        """An attribute of a group or dataset."""
        try:
            value = self.file[path].attrs[name]
            return as_text(value) if isinstance(value, bytes | str) else value
        except (*FAILURES, UnicodeDecodeError) as error:
            shown = name if path == "/" else f"{path}.{name}"
            raise self.broken(f"it has no {shown} ({_line(error)})") from None

    def number(self, path: str, name: str) -> float:
        """An attribute that is a finite number."""
        value = self.attribute(path, name)
        if not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise self.broken(f"{path}.{name} is no number")
        return float(value)

    def integer(self, path: str, name: str) -> int:
        """An attribute that is an integer."""
        value = self.attribute(path, name)
        if not isinstance(value, int | np.integer):
            raise self.broken(f"{path}.{name} is no integer")
        return int(value)

    def array(self, path: str, name: str) -> list[Any]:
        """An attribute that is a list."""
        value = np.atleast_1d(self.attribute(path, name))
        if value.size > SMALL:
            raise self.broken(f"{path}.{name} is too long")
        try:
            return [as_text(v) if isinstance(v, bytes | str) else v for v in value.tolist()]
        except UnicodeDecodeError as error:
            raise self.broken(f"{path}.{name} cannot be read: {_line(error)}") from None


def _line(error: BaseException) -> str:
    text = str(error).strip("'\"").splitlines()
    return text[0] if text else type(error).__name__


def _along(shape: tuple[int, ...], where: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
    for axis, length in enumerate(shape):
        yield length, where[axis] if axis < len(where) else slice(None)


def _length(length: int, where: Any) -> int:
    """How many entries of an axis a selection takes."""
    if isinstance(where, slice):
        return len(range(*where.indices(length)))
    return 1 if np.ndim(where) == 0 else len(where)


class Stored(HDF5Source):
    """A run file of schema version 2."""

    @property
    def configuration_text(self) -> str:
        """TOML."""
        return self.text("configuration")

    @property
    def dt(self) -> float:
        """Step in s."""
        return self.number("/", "dt")

    @property
    def sample_steps(self) -> int:
        """Steps of one sample."""
        return self.integer("/", "sample_steps")

    @property
    def seeds(self) -> np.ndarray:
        """(realisations,) uint64."""
        values: np.ndarray = self.read("seeds", ndim=1, kind="u")
        return values

    @property
    def data(self) -> StoredDataset:
        """The samples."""
        inputs, targets = (self.read(f"dataset/{name}", ndim=2, kind="f") for name in ("inputs", "targets"))
        return StoredDataset(inputs, targets, str(self.attribute("dataset", "name")))

    def committed(self, name: str) -> int:
        """One of the counters that are written last."""
        value = int(self.read(f"committed/{name}", ndim=0, kind="i"))
        if value < 0:
            raise self.broken(f"committed/{name} is {value}")
        return value

    @property
    def finished(self) -> bool:
        """Whether the run ended in good order."""
        return self.committed("finished") == 1

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self.committed("stopped") == 1

    @property
    def total_error(self) -> np.ndarray:
        """(epochs, realisations) float64."""
        return self._counted("metrics/total_error", self.committed("epochs"), 2)

    @property
    def order(self) -> np.ndarray:
        """(epochs, samples, realisations)."""
        return self._counted("metrics/order", self.committed("epochs"), 3)

    def _counted(self, path: str, count: int, ndim: int, *where: Any) -> np.ndarray:
        """The first rows of a dataset, as many as were counted."""
        values: np.ndarray = self.read(path, slice(0, count), *where, ndim=ndim)
        if len(values) != count:
            raise self.broken(f"{path} has {len(values)} rows, and {count} were counted")
        return values

    @property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        columns = {}
        for name in ("phase", "operation", "bank", "layer", "variable", "start", "pulses", "pulse_steps", "gap_steps",
                     "rest_steps", "held"):  # fmt: skip
            values = self.read(f"slots/{name}", ndim=1, kind="iu")
            if name in ("phase", "operation"):
                meanings = str(self.attribute(f"slots/{name}", "flag_meanings")).split()
                if values.size and not (0 <= values.min() and values.max() < len(meanings)):
                    raise self.broken(f"slots/{name} has a code that stands for nothing")
                kind = "S8" if name == "phase" else "S20"
                values = np.array([meanings[code].encode() for code in values], dtype=kind)
            columns[name] = values
        if len({len(values) for values in columns.values()}) != 1:
            raise self.broken("the columns of slots are not equally long")
        table = np.empty(len(columns["phase"]), dtype=[(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            table[name] = values
        return table

    @property
    def banks(self) -> tuple[str, ...]:
        """Names of the banks, in the order of the network."""
        return tuple(sorted(self.names("banks"), key=lambda name: self.integer(f"banks/{name}", "index")))

    def bank(self, name: str) -> BankInfo:
        """What the file says of a bank."""
        path = f"banks/{name}"
        lists = [self.array(path, k) for k in ("variables", "variable_units", "lower_bounds", "upper_bounds")]
        if len({len(each) for each in lists}) != 1:
            raise self.broken(f"the lists of {path} are not equally long")
        variables = tuple((str(n), str(u), float(a), float(b)) for n, u, a, b in zip(*lists, strict=True))
        return BankInfo(name, str(self.attribute(path, "model")), self.integer(path, "devices"), variables)

    def calibration(self, name: str) -> Mapping[str, float]:
        """What the controller knows of a bank."""
        return dict(self.group(f"banks/{name}").attrs)

    def initial_state(self, name: str) -> np.ndarray:
        """(devices, variables, realisations)."""
        values: np.ndarray = self.read(f"banks/{name}/initial_state", ndim=3, kind="f")
        return values

    @property
    def keyframe_interval(self) -> int:
        """Samples between keyframes; 0 where they are not evenly spaced."""
        return self.integer("keyframes", "samples")

    @property
    def keyframe_samples(self) -> np.ndarray:
        """Samples that were complete at each keyframe, (keyframes,) int64."""
        return self._counted("keyframes/sample", self.committed("keyframes"), 1)

    def keyframe_states(self, name: str, index: int | slice) -> np.ndarray:
        """States of a bank at one keyframe or several, (devices, variables, realisations) each."""
        values: np.ndarray = self.read(f"keyframes/{name}/state", index, ndim=4, kind="f")
        return values

    def keyframe_bias(self, index: int | slice) -> np.ndarray | None:
        """Bias weights as the controller knew them, (units, realisations); None where the file has none."""
        values: np.ndarray = self.read("keyframes/bias_weight", index, ndim=3, kind="f")
        return values

    def keyframe_checksum(self, index: int) -> int | None:
        """CRC-32; None where the file has none."""
        return int(self.read("keyframes/crc32", index, ndim=1, kind="u"))

    def final_state(self, name: str) -> np.ndarray:
        """State at the last keyframe, (devices, variables, realisations)."""
        count = self.committed("keyframes")
        return self.keyframe_states(name, count - 1) if count else self.initial_state(name)

    @property
    def slot(self) -> int:
        """The slot of the newest checkpoint.

        Raises
        ------
        NotARunFileError
            The run was killed before its first.
        """
        count = self.committed("checkpoint")
        if count == 0:
            raise self.broken("its run was killed before its first checkpoint; run it again")
        return (count - 1) % CHECKPOINTS

    def checkpoint(self, name: str) -> Any:
        """A value of the newest checkpoint: sample, keyframes, device_steps, wall_seconds, total_error."""
        return self.read(f"checkpoint/{name}", self.slot)

    def counters(self, bank: str) -> list[str]:
        """Names of what was counted of a bank."""
        axes = ("slot", "phase", "device", "variable", "realisation")
        return [name for name in self.names(f"diagnostics/{bank}") if name not in axes]

    def counter(self, bank: str, name: str) -> np.ndarray:
        """What was counted up to the newest checkpoint."""
        values: np.ndarray = self.read(f"diagnostics/{bank}/{name}", self.slot, kind="f")
        return values

    @property
    def traced(self) -> tuple[str, ...]:
        """Banks with a trace in the file."""
        return tuple(name for name in self.banks if name in self.names("traces"))

    def trace(self, bank: str) -> StoredTrace:
        """What was kept of a bank's trace."""
        path = f"traces/{bank}"
        device, lane, variable = (
            self.read(f"{path}/{name}", ndim=1, kind="iu") for name in ("device", "realisation", "variable")
        )
        windows = np.atleast_2d(self.attribute(path, "windows")).reshape(-1, 2)
        present = self.names(path)
        quantities = tuple(name for name in QUANTITIES if name in present)
        stride = max(1, self.integer(path, "stride"))
        selection = Selection(device, lane, variable, quantities, stride, tuple((int(a), int(b)) for a, b in windows))
        return StoredTrace(selection, self.committed("rows"))

    def trace_rows(self, bank: str, quantity: str, first: int, last: int, *, stride: int = 1) -> np.ndarray:
        """Rows of a trace: (rows, devices, [variables,] realisations)."""
        ndim = 4 if quantity == "state" else 3
        path = f"traces/{bank}/{quantity}"
        # Of all rows a stride is faster taken afterwards: HDF5 picks single rows one by one.
        values: np.ndarray = self.read(path, slice(first, last), ndim=ndim, kind="f")[::stride]
        if len(values) != len(range(first, last, stride)):
            raise self.broken(f"traces/{bank}/{quantity} has fewer rows than were counted")
        return values

    def trace_steps(self, bank: str, first: int, last: int) -> np.ndarray:
        """The steps that rows belong to, (rows,) int64."""
        values: np.ndarray = self.read(f"traces/{bank}/time", slice(first, last), ndim=1, kind="i")
        return values

    def overview(self, bank: str, quantity: str, level: int, first: int, last: int) -> np.ndarray:
        """Entries of the overview, (entries, 2, devices, [variables,] realisations)."""
        path = f"overview/{bank}/{LEVELS[level]}/{quantity}"
        values: np.ndarray = self.read(path, slice(first, last), kind="f")
        return values

    def overview_entries(self, bank: str, level: int) -> int:
        """Entries of the overview that count."""
        rows = self.trace(bank).rows
        if self.finished:
            return -(-rows // LEVELS[level])
        return rows // LEVELS[-1] * (LEVELS[-1] // LEVELS[level])

    def wrong_chunks(self, bank: str) -> Iterator[str]:
        """What is wrong with the chunks of a bank's trace, a line each."""
        trace = self.trace(bank)
        for name in ("time", *trace.selection.quantities):
            for row, what in wrong_chunks(self.group(f"traces/{bank}"), name, trace.rows):
                yield f"traces/{bank}/{name}: the chunk at row {row:,} {what}"

    def check(self) -> None:
        """Read everything that a run file must have, but the long datasets.

        Raises
        ------
        NotARunFileError
            With one line that says what is wrong.
        """
        lanes, data = len(self.seeds), self.data
        if len(data.inputs) != len(data.targets) or len(data.inputs) == 0 or lanes == 0:
            raise self.broken("its samples or its realisations are missing")
        if self.sample_steps < 1 or self.dt <= 0:
            raise self.broken("dt and sample_steps must be above 0")
        for name in COMMITTED:
            self.committed(name)
        slots, banks = self.slots, self.banks
        if len(slots) and slots["bank"].max() >= len(banks):
            raise self.broken("slots names a bank that is not there")
        expected: dict[str, tuple[int, ...]] = {
            "metrics/total_error": (lanes,),
            "metrics/order": (len(data.inputs), lanes),
            "keyframes/sample": (),
        }
        for bank in banks:
            about = self.bank(bank)
            shape = (about.devices, len(about.variables), lanes)
            if self.initial_state(bank).shape != shape:
                raise self.broken(f"banks/{bank}/initial_state is not of the shape {shape}")
            expected[f"keyframes/{bank}/state"] = shape
            for name in self.counters(bank):
                self.dataset(f"diagnostics/{bank}/{name}")
        for path, row in expected.items():
            if self.dataset(path).shape[1:] != row:
                raise self.broken(f"{path} has rows of the shape {self.dataset(path).shape[1:]}, not {row}")
        for bank in self.traced:
            self.trace(bank)
