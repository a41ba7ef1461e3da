"""Reading a run file: arrays with names, and windows of the trace."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from .run_file import CONVENTION, SCHEMA

QUANTITIES = ("state", "current", "voltage")

# What every run file has, and the attributes of metrics in a finished one.
ATTRIBUTES = ("program_version", "dt", "sample_steps", "epochs", "finished")
MEMBERS = (
    "configuration", "seeds", "dataset/inputs", "dataset/targets", "slots", "banks", "metrics/total_error", "order",
    "keyframes/epoch",
)  # fmt: skip
TOTALS = ("device_steps", "wall_seconds", "epochs", "stopped")


class NotARunFileError(OSError):
    """The file is no run file, is broken, or is of another schema version."""


@dataclass(frozen=True)
class StoredDataset:
    """The samples that a run learned: inputs (samples, n) and targets (samples, n), float64."""

    inputs: np.ndarray
    targets: np.ndarray
    name: str


@dataclass(frozen=True)
class Rows:
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
    minimum, maximum : (spans, devices, [variables,] realisations) float64
        States have the axis of variables.
    """

    steps: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray


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


class Arrays(Mapping[str, np.ndarray]):
    """The arrays of a group by name, read when they are asked for."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._group:
            raise KeyError(f"no {name!r}; there are {', '.join(self._group)}")
        values: np.ndarray = self._group[name][()]
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)


def open_file(path: Path) -> h5py.File:
    """Open a run file for reading, and check that it is one.

    Raises
    ------
    NotARunFileError
        With one line that says what is wrong.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise NotARunFileError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise NotARunFileError(f"{path}: {_why_unreadable(error)}") from None
    wrong = _what_is_wrong(file)
    if wrong:
        file.close()
        raise NotARunFileError(f"{path}: {wrong}")
    return file


def _what_is_wrong(file: h5py.File) -> str:
    """Why an HDF5 file is no run file that this program reads; empty where it is one."""
    convention = file.attrs.get("convention")
    if convention != CONVENTION:
        return f"is no run file: its convention is {convention!r}, not {CONVENTION!r}"
    if file.attrs.get("schema_version") != SCHEMA:
        found = file.attrs.get("schema_version")
        return f"has schema version {found}; this program reads version {SCHEMA}"
    missing = [name for name in ATTRIBUTES if name not in file.attrs]
    missing += [name for name in MEMBERS if name not in file]
    groups = ["initial_state", "keyframes"]
    if file.attrs.get("finished"):
        groups += ["final_state", "diagnostics"]
        missing += [f"metrics.{name}" for name in TOTALS if "metrics" in file and name not in file["metrics"].attrs]
    missing += [
        f"{group}/{bank}" for group in groups for bank in file.get("banks", ()) if f"{group}/{bank}" not in file
    ]
    if missing:
        return f"is a broken run file: it has no {', '.join(missing)}"
    try:
        tomllib.loads(file["configuration"].asstr()[()])
    except (tomllib.TOMLDecodeError, TypeError, UnicodeDecodeError) as error:
        return f"is a broken run file: its configuration is not valid TOML: {error}"
    return ""


def _why_unreadable(error: OSError) -> str:
    if "already open for write" in str(error):
        return (
            "is being written, or its run was killed before it could close the file; wait, or run it again "
            "(HDF5's 'h5clear -s FILE' may bring a killed run's file back)"
        )
    return f"is no HDF5 file, or a broken one: {error}"


class FileReader:
    """An open HDF5 file that the reader closes."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunReader(FileReader):
    """A run, read from its file.

    Parameters
    ----------
    file : h5py.File
        An open run file; the reader closes it.
    """

    @property
    def finished(self) -> bool:
        """Whether the run came to its end, or was stopped in good order."""
        return bool(self.file.attrs["finished"])

    @property
    def configuration_text(self) -> str:
        """The effective configuration, TOML."""
        return str(self.file["configuration"].asstr()[()])

    @property
    def configuration(self) -> dict[str, Any]:
        """The effective configuration, as nested dictionaries."""
        return tomllib.loads(self.configuration_text)

    @property
    def banks(self) -> tuple[str, ...]:
        """Names of the banks, in the order of the network."""
        group = self.file["banks"]
        return tuple(sorted(group, key=lambda name: int(group[name].attrs["index"])))

    @property
    def dataset(self) -> StoredDataset:
        """The samples."""
        group = self.file["dataset"]
        return StoredDataset(group["inputs"][()], group["targets"][()], str(group.attrs["name"]))

    @property
    def seeds(self) -> np.ndarray:
        """Seed of each realisation, (realisations,) uint64."""
        values: np.ndarray = self.file["seeds"][()]
        return values

    @property
    def total_error(self) -> np.ndarray:
        """Eq. 20 for each complete epoch, (epochs, realisations) float64."""
        values: np.ndarray = self.file["metrics/total_error"][()]
        return values

    @property
    def order(self) -> np.ndarray:
        """Index of the sample that was shown, (epochs, samples, realisations)."""
        values: np.ndarray = self.file["order"][()]
        return values

    @property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        values: np.ndarray = self.file["slots"][()]
        return values

    @property
    def initial_state(self) -> Arrays:
        """Bank to state before the first step, (devices, variables, realisations)."""
        return Arrays(self.file["initial_state"])

    @property
    def final_state(self) -> Arrays:
        """Bank to state after the last step, (devices, variables, realisations)."""
        return Arrays(self.file["final_state"])

    @property
    def keyframes(self) -> Arrays:
        """``"epoch"`` (keyframes,), and bank to (keyframes, devices, variables, realisations)."""
        return Arrays(self.file["keyframes"])

    def diagnostics(self, bank: str) -> Arrays:
        """What was counted while stepping, for each device and realisation of a bank."""
        return Arrays(self.file["diagnostics"][bank])

    @property
    def dt(self) -> float:
        """Step in s."""
        return float(self.file.attrs["dt"])

    @property
    def sample_steps(self) -> int:
        """Steps of one sample."""
        return int(self.file.attrs["sample_steps"])

    @property
    def samples(self) -> int:
        """Samples of one epoch."""
        return int(self.file["dataset/inputs"].shape[0])

    @property
    def realisations(self) -> int:
        """Number of realisations."""
        return int(self.file["seeds"].shape[0])

    @property
    def steps(self) -> int:
        """Steps from the start of the run that can be looked at."""
        return len(self.total_error) * self.samples * self.sample_steps

    def bank(self, name: str) -> BankInfo:
        """What the file says of a bank."""
        attributes = self.file["banks"][name].attrs
        lists = (attributes[k] for k in ("variables", "variable_units", "lower_bounds", "upper_bounds"))
        variables = tuple((str(n), str(u), float(a), float(b)) for n, u, a, b in zip(*lists, strict=True))
        return BankInfo(name, str(attributes["model"]), int(attributes["devices"]), variables)

    def window(self, bank: str, quantity: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """A stretch of the stored trace.

        Parameters
        ----------
        bank : str
        quantity : {"state", "current", "voltage"}
            In the state's unit, A or V.
        start, stop : int
            Steps from the start of the run, ``stop`` not included.

        Returns
        -------
        (steps, devices, realisations) float64
            With (steps, devices, variables, realisations) for states of devices
            with several variables. With a stride, the steps that were kept.

        Raises
        ------
        KeyError
            The bank or the quantity was not stored.
        """
        if "traces" not in self.file or bank not in self.file["traces"]:
            traced = [name for name in self.file.get("traces", ()) if name != "committed_rows"]
            raise KeyError(f"{bank}: its trace was not stored; stored are: {', '.join(traced) or 'none'}")
        if quantity not in QUANTITIES:
            raise KeyError(f"quantity: must be one of {', '.join(QUANTITIES)} (got {quantity!r})")
        group = self.file["traces"]
        stride = int(group.attrs["stride"])
        rows = int(group["committed_rows"][()])
        last = rows if stop is None else min(rows, -(-stop // stride))
        values: np.ndarray = group[bank][quantity][-(-start // stride) : last]
        return values[:, :, 0] if quantity == "state" and values.shape[2] == 1 else values
