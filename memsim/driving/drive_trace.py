"""A drive that was carried out: its rows, read from its file or from memory."""

import tomllib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..devices import UNBOUNDED
from ..errors import InputError, RunFileError
from ..files.reading import refuse_no_file
from ..traces.doubted import line_of
from ..traces.drive_file import DriveReader, open_drive_file
from ..traces.errors import NotARunFileError
from ..traces.files import is_hdf5
from .drive_configuration import DriveConfiguration, load_drive_configuration, override_entries

FAR = 1e-2  # of a state's range in one step: with Euler's method the state is then wrong by about half of it


class DriveTrace(DriveReader):
    """The rows of a drive; see :class:`~memsim.traces.drive_file.DriveReader` for the arrays.

    Row n holds the drive at the end of step n, the state there, and the
    response to both; ``initial_state`` is the state before row 0. With a file
    behind it, an array is read each time that it is asked for.
    """

    def __enter__(self) -> "DriveTrace":
        return self

    def __init__(self, file: h5py.File) -> None:
        super().__init__(file)
        self._doubted.error = RunFileError

    def __repr__(self) -> str:
        if self.closed:
            return "<DriveTrace: closed>"
        model = self.config.device.model
        return f"<DriveTrace: {model}, {self.steps:,} steps of {self.dt:g} s; .time, .current, .voltage, .state>"

    @property
    def configuration(self) -> dict[str, Any]:
        """The effective configuration as nested dictionaries, samples as the file holds them in place of CSV files."""
        doubted = self._doubted
        try:
            values = tomllib.loads(self.configuration_text)
            for number in doubted.names("samples"):
                arrays = {name: doubted.read(f"samples/{number}/{name}", kind="f") for name in ("times", "values")}
                values["drive"][int(number)] = _sampled(values["drive"][int(number)], arrays)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            raise doubted.broken(f"its configuration is not that of a drive: {line_of(error)}") from None
        return values

    @cached_property
    def config(self) -> DriveConfiguration:
        """The effective configuration; driving with it again gives the same bits.

        Raises
        ------
        RunFileError
            The file holds a configuration that no drive has.
        """
        try:
            return DriveConfiguration(**self.configuration)
        except InputError as error:
            raise self._doubted.broken(f"its configuration: {error}") from None


def _sampled(entry: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """An entry of a configuration with its samples as arrays."""
    name = entry.get("name") or Path(entry.get("path", "")).name
    kept: dict[str, Any] = {key: entry[key] for key in ("beyond", "devices") if key in entry}
    return {"waveform": "sampled", "name": name, **arrays, **kept}


def open_drive(path: str | Path) -> DriveTrace:
    """Open the file of a drive for reading.

    Raises
    ------
    RunFileError
        No such file, no file of a drive, or one of another schema version.
    """
    try:
        return DriveTrace(open_drive_file(Path(path)))
    except NotARunFileError as error:
        raise RunFileError(str(error)) from None


def load_drive_source(path: Path, assignments: Sequence[str] = ()) -> DriveConfiguration:
    """The configuration of a drive, from TOML or from the file of an earlier drive.

    Raises
    ------
    InputError
        Anything that is wrong with either.
    """
    refuse_no_file(path)
    if not is_hdf5(path):
        return load_drive_configuration(path, assignments)
    try:
        with open_drive(path) as earlier:
            unchanged = earlier.config  # a file that is broken is named; what follows is of the assignments
            if not assignments:
                return unchanged
            return DriveConfiguration(**override_entries(earlier.configuration, assignments))
    except RunFileError as error:
        raise InputError(str(error)) from None


def largest_shares(trace: DriveReader) -> np.ndarray:
    """How far each state moves in one step at most, as a share of its range, (devices, variables).

    0 of a state without a range, and where the file does not tell.
    """
    lower, upper = trace.bounds
    if trace.largest_step is None:
        return np.zeros((len(trace.labels), len(lower)))
    bounded = upper < UNBOUNDED
    return np.asarray(np.where(bounded, trace.largest_step / np.where(bounded, upper - lower, 1.0), 0.0))
