"""Writing a run file: everything that the run can be recomputed from, and what it gave.

The layout is written down in FORMAT.md beside this module.
"""

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .rows import BankTrace, Selection

CONVENTION = "memsim run"
SCHEMA = 1


@dataclass(frozen=True)
class BankDescription:
    """A bank as the file describes it: name, model, devices, and (name, unit, lower, upper) of its variables."""

    name: str
    model: str
    devices: int
    variables: list[tuple[str, str, float, float]]


@dataclass(frozen=True)
class RunDescription:
    """What is known of a run before its first step.

    Attributes
    ----------
    program : dict
        Name, version, and the environment, as attributes of the file.
    configuration : str
        TOML.
    seeds : (realisations,) uint64
    inputs, targets : (samples, n) float64
    dataset : str
        Its name.
    slots : (slots,) structured
        The slot table.
    dt : float
        Step in s.
    sample_steps : int
        Steps of one sample.
    epochs : int
    banks : list of BankDescription
    initial : list of (devices, variables, realisations) float64
    calibration : dict
        Bank to dictionary of numbers.
    phases : list of str
    """

    program: dict[str, str]
    configuration: str
    seeds: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    dataset: str
    slots: np.ndarray
    dt: float
    sample_steps: int
    epochs: int
    banks: list[BankDescription]
    initial: list[np.ndarray]
    calibration: dict[str, dict[str, float]]
    phases: list[str]


@dataclass
class TracePlan:
    """Which banks are traced, and how."""

    selections: dict[str, Selection] = field(default_factory=dict)
    compression: str = "gzip"


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, and a folder that cannot be written.

    Raises
    ------
    ValueError
        With one line that says what to do.
    """
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise ValueError(f"{path}: exists; name another file, or allow it to be replaced with --overwrite")
    folder = path.parent
    if not folder.is_dir():
        raise ValueError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ValueError(f"{path}: cannot be written; check the permissions of {folder}")


def open_target(path: Path | None, overwrite: bool) -> h5py.File:
    """A new HDF5 file; one in memory where no path is given."""
    if path is None:
        return h5py.File(f"memory-{uuid.uuid4()}", "w", driver="core", backing_store=False)
    check_target(path, overwrite)
    return h5py.File(path, "w" if overwrite else "x", libver=("v110", "v110"))


class RunWriter:
    """A run file that is being written. All its methods belong to one thread."""

    def __init__(self, file: h5py.File, run: RunDescription, trace: TracePlan) -> None:
        self.file = file
        self._run = run
        self._write_description()
        self._make_metrics()
        self._keyframes = self._make_keyframes()
        self._traces = self._make_traces(trace)

    def _write_description(self) -> None:
        run, file = self._run, self.file
        file.attrs.update({"convention": CONVENTION, "schema_version": SCHEMA, **run.program})
        file.attrs.update({"dt": run.dt, "dt_units": "s", "sample_steps": run.sample_steps, "epochs": run.epochs})
        file.attrs["finished"] = False
        file["configuration"] = run.configuration
        _put(file, "seeds", run.seeds, "1", "seed of each realisation", ("realisation",))
        data = file.create_group("dataset")
        data.attrs["name"] = run.dataset
        _put(data, "inputs", run.inputs, "1", "inputs in units of the unit current", ("sample", "input"))
        _put(data, "targets", run.targets, "1", "target outputs", ("sample", "output"))
        file["slots"] = run.slots
        banks = file.create_group("banks")
        initial = file.create_group("initial_state")
        for index, (bank, states) in enumerate(zip(run.banks, run.initial, strict=True)):
            group = banks.create_group(bank.name)
            group.attrs.update({"index": index, "model": bank.model, "devices": bank.devices})
            group.attrs["variables"] = [v[0] for v in bank.variables]
            group.attrs["variable_units"] = [v[1] for v in bank.variables]
            group.attrs["lower_bounds"] = [v[2] for v in bank.variables]
            group.attrs["upper_bounds"] = [v[3] for v in bank.variables]
            group.attrs.update(run.calibration[bank.name])
            _put(initial, bank.name, states, _common_unit(bank), "state before the first step", STATE_LABELS)

    def _make_metrics(self) -> None:
        realisations, samples = len(self._run.seeds), len(self._run.inputs)
        metrics = self.file.create_group("metrics")
        _grow(
            metrics, "total_error", (realisations,), "f8", "1",
            "sum over samples of (T - O)^2 / 2 (Eq. 20)", ("epoch", "realisation"),
        )  # fmt: skip
        _grow(
            self.file, "order", (samples, realisations), _smallest_integer(samples), "1",
            "index of the sample that was shown", ("epoch", "sample", "realisation"),
        )  # fmt: skip

    def _make_keyframes(self) -> h5py.Group:
        group = self.file.create_group("keyframes")
        _grow(group, "epoch", (), "i8", "1", "epochs that were complete", ("keyframe",))
        for bank, states in zip(self._run.banks, self._run.initial, strict=True):
            labels = ("keyframe", *STATE_LABELS)
            _grow(group, bank.name, states.shape, "f8", _common_unit(bank), "state at the epoch's end", labels)
        return group

    def _make_traces(self, trace: TracePlan) -> dict[str, BankTrace]:
        if not trace.selections:
            return {}
        group = self.file.create_group("traces")
        stride = next(iter(trace.selections.values())).stride
        group.attrs.update({"dt": self._run.dt, "dt_units": "s", "stride": stride})
        group.create_dataset("committed_rows", data=np.int64(0))
        variables = {b.name: [(v[0], v[1]) for v in b.variables] for b in self._run.banks}
        return {
            name: BankTrace(group.create_group(name), variables[name], selection, trace.compression)
            for name, selection in trace.selections.items()
        }

    def append_rows(self, first_step: int, rows: dict[str, list[Any]]) -> None:
        """Append a stretch of the trace; see :meth:`memsim.traces.rows.BankTrace.append`."""
        for name, parts in rows.items():
            self._traces[name].append(first_step, parts)

    def append_epochs(self, total_error: np.ndarray, order: np.ndarray) -> None:
        """Append complete epochs: (epochs, realisations) and (epochs, samples, realisations)."""
        _append(self.file["metrics/total_error"], total_error)
        _append(self.file["order"], order)

    def append_keyframe(self, epoch: int, states: list[np.ndarray]) -> None:
        """Append a keyframe: the states of all banks at the end of an epoch; flushed before it is counted."""
        for bank, state in zip(self._run.banks, states, strict=True):
            _append(self._keyframes[bank.name], state[None])
        self.file.flush()
        _append(self._keyframes["epoch"], np.array([epoch]))
        self._commit_rows()
        self.file.flush()

    def _commit_rows(self) -> None:
        """Count the rows that all traced banks have in the file."""
        if self._traces:
            self.file["traces/committed_rows"][()] = min(len(trace) for trace in self._traces.values())

    def finish(self, states: list[np.ndarray], diagnostics: dict[str, dict[str, Any]], totals: dict[str, Any]) -> None:
        """Write what a run ends with.

        Parameters
        ----------
        states : list of (devices, variables, realisations) float64
        diagnostics : dict
            Bank to name to (values, unit, description, labels).
        totals : dict
            Attributes of ``metrics``.
        """
        for trace in self._traces.values():
            trace.flush()
        self.file.flush()
        self._commit_rows()
        final = self.file.create_group("final_state")
        for bank, state in zip(self._run.banks, states, strict=True):
            _put(final, bank.name, state, _common_unit(bank), "state after the last step", STATE_LABELS)
        group = self.file.create_group("diagnostics")
        group.attrs["phases"] = self._run.phases
        for bank_name, counters in diagnostics.items():
            bank_group = group.create_group(bank_name)
            for name, (values, unit, description, labels) in counters.items():
                _put(bank_group, name, values, unit, description, labels)
        self.file["metrics"].attrs.update(totals)
        self.file.attrs["finished"] = True
        self.file.flush()


STATE_LABELS = ("device", "variable", "realisation")


def _put(
    group: h5py.Group, name: str, values: np.ndarray, unit: str, description: str, labels: tuple[str, ...]
) -> None:
    dataset = group.create_dataset(name, data=values)
    _describe(dataset, unit, description, labels)


def _grow(
    group: h5py.Group, name: str, row: tuple[int, ...], kind: Any, unit: str, description: str, labels: tuple[str, ...]
) -> None:
    """A dataset that grows along its first axis."""
    width = max(1, int(np.prod(row, dtype=np.int64)))
    rows = max(1, (1 << 16) // (width * np.dtype(kind).itemsize))
    dataset = group.create_dataset(
        name, (0, *row), kind, maxshape=(None, *row), chunks=(rows, *(max(1, n) for n in row)),
        compression="gzip", compression_opts=1, shuffle=True,
    )  # fmt: skip
    _describe(dataset, unit, description, labels)


def _describe(dataset: h5py.Dataset, unit: str, description: str, labels: tuple[str, ...]) -> None:
    dataset.attrs["units"] = unit
    dataset.attrs["long_name"] = description
    for dimension, label in zip(dataset.dims, labels, strict=True):
        dimension.label = label


def _append(dataset: h5py.Dataset, rows: np.ndarray) -> None:
    before = len(dataset)
    dataset.resize(before + len(rows), axis=0)
    dataset[before:] = rows


def _common_unit(bank: BankDescription) -> str:
    units = {unit for _, unit, _, _ in bank.variables}
    return units.pop() if len(units) == 1 else "see variable_units"


def _smallest_integer(samples: int) -> Any:
    return np.min_scalar_type(samples - 1)
