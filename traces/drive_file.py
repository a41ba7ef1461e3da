"""Drive files: HDF5 files with the rows of devices under a waveform.

Row n holds the drive at the end of step n, the state there, and the response
to both. Rows beyond ``committed_rows`` do not count: that number is written
after them.
"""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from . import space
from .chunks import ChunkedDataset, chunk_rows, create_chunked
from .doubted import FAILURES, DoubtedFile, one_line
from .errors import NotARunFileError
from .hdf5 import attach, describe, make_axis, put_attributes, text, texts
from .layout import CONVENTION, DRIVE_CONVENTION
from .locks import refuse_gone
from .reader import FileReader, open_hdf5
from .rows import QUANTITIES

SCHEMA = 2
READABLE = (1, 2)  # version 2 names its axes and has checksums
UNITS = {"current": "A", "voltage": "V"}
RESPONSES = {"current": "voltage", "voltage": "current"}
ATTRIBUTES = ("dt", "steps", "drive", "model", "variables", "variable_units", "finished")
ADDED = ("stalled", "largest_step")  # that earlier files do not have
CONTENTS = (
    "configuration", "labels", "notes", "samples", "committed_rows", "state", "current", "voltage",
    "initial_state", "lowest", "highest", "rows_at_bound", "energy", "peak_response",
)  # fmt: skip


@dataclass(frozen=True)
class DriveDescription:
    """What is known of a drive before its first step.

    Attributes
    ----------
    program : dict
        Name, version, and the environment, as attributes of the file.
    configuration : str
        TOML.
    dt : float
        Step in s.
    steps : int
        Length of the drive.
    drive : {"current", "voltage"}
    model : str
    variables : list of (name, unit, lower bound, upper bound)
    initial : (devices, variables) float64
    labels : list of str
        For each device, what drives it.
    notes : list of str
        What the drive leaves out of its waveforms.
    samples : dict
        Number of the entry to times and values of its samples.
    dt_check : dict
        Attributes of the file that say how dt was checked; none where it was not.
    """

    program: dict[str, str]
    configuration: str
    dt: float
    steps: int
    drive: str
    model: str
    variables: list[tuple[str, str, float, float]]
    initial: np.ndarray
    labels: list[str]
    notes: list[str]
    samples: dict[int, tuple[np.ndarray, np.ndarray]]
    dt_check: dict[str, float | str] = field(default_factory=dict)


class DriveWriter:
    """A drive file that is being written.

    Parameters
    ----------
    file : h5py.File
        Empty and open for writing.
    path : Path or None
        None for a file in memory.
    description : DriveDescription
    compression : {"gzip", "none"}
    """

    def __init__(self, file: h5py.File, path: Path | None, description: DriveDescription, compression: str) -> None:
        self.file, self._path = file, path
        self._describe(description)
        self._axes = _make_axes(file, description)
        self._make_totals(description)
        self._rows = _make_rows(file, description, self._axes, compression)
        _put(file, "committed_rows", np.int64(0), ("1", "rows that count; written after them"), [])
        file.flush()

    def _describe(self, about: DriveDescription) -> None:
        file, (names, units, lower, upper) = self.file, zip(*about.variables, strict=True)
        said = {**about.program, "dt_units": "s", "drive": about.drive, "model": about.model}
        file.attrs.update({name: text(value) for name, value in {"convention": DRIVE_CONVENTION, **said}.items()})
        file.attrs.update({"schema_version": SCHEMA, "dt": about.dt, "steps": about.steps, "finished": False})
        put_attributes(file, about.dt_check)
        file.attrs.update({"variables": texts(names), "variable_units": texts(units)})
        file.attrs.update({"lower_bounds": lower, "upper_bounds": upper})
        file["configuration"] = text(about.configuration)
        file["labels"] = texts(about.labels)
        file["notes"] = texts(about.notes)
        samples = file.create_group("samples")
        for entry, (times, values) in about.samples.items():
            group = samples.create_group(str(entry))
            sample = make_axis(group, "sample", np.arange(len(times)), "1", "number of the sample")
            _put(group, "times", times, ("s", "times of the samples"), [sample])
            _put(group, "values", values, (UNITS[about.drive], "drive at these times"), [sample])

    def _make_totals(self, about: DriveDescription) -> None:
        file, unit, shape = self.file, _state_unit(about), about.initial.shape
        _, device, variable = self._axes
        both = [device, variable]
        _put(file, "initial_state", about.initial, (unit, "state before row 0"), both)
        _put(file, "lowest", about.initial, (unit, "smallest state at a row or before row 0"), both)
        _put(file, "highest", about.initial, (unit, "largest state at a row or before row 0"), both)
        _put(file, "rows_at_bound", np.zeros(shape, np.int64), ("1", "rows with the state at a bound"), both)
        about_stalled = "rows whose step cannot move the state, whose drift has vanished below its last digit"
        _put(file, "stalled", np.zeros(shape[0], np.int64), ("1", about_stalled), [device])
        _put(file, "largest_step", np.zeros(shape), (unit, "largest change of the state in one step"), both)
        _put(file, "energy", np.zeros(shape[0]), ("J", "sum of V I dt over the rows, signed"), [device])
        response = UNITS[RESPONSES[about.drive]]
        _put(file, "peak_response", np.zeros(shape[0]), (response, "largest magnitude of the response"), [device])

    def append(self, rows: dict[str, np.ndarray], totals: dict[str, np.ndarray]) -> None:
        """Append rows, and commit the ones that have reached the file.

        Parameters
        ----------
        rows : dict
            ``"state"`` (rows, devices, variables), ``"current"`` and
            ``"voltage"`` (rows, devices).
        totals : dict
            ``"energy"``, ``"stalled"``, ``"peak_response"``, ``"lowest"``, ``"highest"``,
            ``"rows_at_bound"`` and ``"largest_step"`` up to the last of them.
        """
        count = len(rows["current"])
        self._require(sum(values.nbytes for values in rows.values()))
        for name, dataset in self._rows.items():
            values, done = np.moveaxis(rows[name], 0, -1), 0
            while done < count:
                taken = min(dataset.room(), count - done)
                at = slice(dataset.filled, dataset.filled + taken)
                dataset.staged[..., at] = values[..., done : done + taken]
                dataset.filled += taken
                done += taken
                if dataset.room() == 0:
                    dataset.write()
        time = self.file["time"]
        time.resize(len(time) + count, axis=0)
        time[-count:] = np.arange(len(time) - count, len(time))
        for name, total in totals.items():
            self.file[name][...] = total
        self._commit()

    def finish(self, complete: bool) -> None:
        """Write what is staged; ``complete`` says whether the drive came to its end."""
        self._require(0)
        for dataset in self._rows.values():
            if dataset.filled:
                dataset.write()
        self._commit()
        self.file.attrs["finished"] = complete
        self.file.flush()

    def _require(self, size: int) -> None:
        """Have room for so many bytes, and for what is staged."""
        if self._path is not None:
            end = self.file.id.get_filesize()
            held = sum(dataset.staged.nbytes for dataset in self._rows.values())
            descriptor = self.file.id.get_vfd_handle()
            refuse_gone(self._path, descriptor)
            space.require(descriptor, end, end + size + held + space.MARGIN)

    def _commit(self) -> None:
        rows = min(dataset.written for dataset in self._rows.values())
        if rows > self.file["committed_rows"][()]:
            self.file.flush()
            self.file["committed_rows"][()] = rows
            self.file.flush()


def _make_axes(file: h5py.File, about: DriveDescription) -> list[h5py.Dataset]:
    devices, variables = about.initial.shape
    time = make_axis(file, "time", None, "s", "end of the row's step")
    # Stored is the number of the row: exact, and small when compressed.
    time.attrs.update({"scale_factor": about.dt, "add_offset": about.dt})
    return [
        time,
        make_axis(file, "device", np.arange(devices), "1", "number of the device"),
        make_axis(file, "variable", np.arange(variables), "1", "number of the state variable"),
    ]


def _make_rows(
    file: h5py.File, about: DriveDescription, axes: list[h5py.Dataset], compression: str
) -> dict[str, ChunkedDataset]:
    driven, response = about.drive, RESPONSES[about.drive]
    quantities = {
        "state": (axes, _state_unit(about), "state at the end of the step"),
        driven: (axes[:2], UNITS[driven], f"{driven} at the end of the step: the drive"),
        response: (axes[:2], UNITS[response], f"{response} from the drive and the state at the end of the step"),
    }
    rows = chunk_rows(about.initial.size)
    for name, (along, unit, description) in quantities.items():
        create_chunked(
            file, name, along, kind="f8", rows=rows, unit=unit, description=description, compression=compression
        )
    return {name: ChunkedDataset(file, name, compression) for name in quantities}


def _state_unit(about: DriveDescription) -> str:
    units = {unit for _, unit, _, _ in about.variables}
    return units.pop() if len(units) == 1 else "see variable_units"


def _put(group: h5py.Group, name: str, values: Any, about: tuple[str, str], axes: list[h5py.Dataset]) -> None:
    attach(describe(group.create_dataset(name, data=values), *about), axes)


def open_drive_file(path: Path) -> h5py.File:
    """Open a drive file for reading, and check that it is one.

    Raises
    ------
    NotARunFileError
        With one line that says what is wrong.
    """
    file = open_hdf5(path)
    try:
        _check(path, DoubtedFile(file, kind="drive file"))
    except BaseException:
        with contextlib.suppress(*FAILURES):
            file.close()
        raise
    return file


def _check(path: Path, doubted: DoubtedFile) -> None:
    """Compare the parts of a drive file with each other."""
    found = [
        doubted.attribute("/", name) if doubted.has_attribute("/", name) else None
        for name in ("convention", "schema_version")
    ]
    if isinstance(found[0], str) and found[0] == CONVENTION:
        raise NotARunFileError(f"{path}: is a file of memsim run; 'memsim trace info {path}' shows it")
    known = isinstance(found[1], int | np.integer) and found[1] in READABLE
    if not (isinstance(found[0], str) and found[0] == DRIVE_CONVENTION and known):
        raise NotARunFileError(
            f"{path}: is no drive file that this program reads: its convention and schema version are "
            f"{one_line(repr(found[0]))[:100]} {one_line(str(found[1]))[:100]}, not {DRIVE_CONVENTION!r} "
            f"{' or '.join(map(str, READABLE))}"
        )
    missing = [n for n in ATTRIBUTES if not doubted.has_attribute("/", n)]
    missing += [n for n in CONTENTS if not doubted.has(n)]
    if missing:
        raise doubted.broken(f"it has no {', '.join(missing)}")
    drive, units = doubted.label("/", "drive"), doubted.labels("/", "variable_units")
    doubted.label("/", "model")
    doubted.flag("/", "finished")
    if drive not in UNITS or len(units) != len(doubted.labels("/", "variables")) or not doubted.number("/", "dt") > 0:
        raise doubted.broken("its drive, dt or variables are none")
    doubted.text("configuration")
    doubted.texts("notes")
    _check_shapes(doubted, len(doubted.texts("labels")), len(units))
    for name in doubted.names("samples"):
        times, values = (doubted.read(f"samples/{name}/{part}", ndim=1, kind="f") for part in ("times", "values"))
        if not name.isdecimal() or len(times) != len(values):
            raise doubted.broken(f"samples/{one_line(name)} are no samples of an entry")


def _check_shapes(doubted: DoubtedFile, devices: int, variables: int) -> None:
    rows = int(doubted.read("committed_rows", ndim=0, kind="i"))
    for name in ("state", *RESPONSES):
        shape = (devices, variables) if name == "state" else (devices,)
        found = doubted.shape(name, "f")
        if found[1:] != shape or not 0 <= rows <= found[0]:
            raise doubted.broken(f"{name} is of the shape {found}, not {rows} rows of {shape}")
        doubted.justify(name, rows * int(np.prod(shape, dtype=np.int64)))
    added = [name for name in ADDED if doubted.has(name)]
    for name in ("initial_state", "lowest", "highest", "rows_at_bound", "energy", "peak_response", *added):
        shape = (devices,) if name in ("energy", "peak_response", "stalled") else (devices, variables)
        found = doubted.read(name, kind="i" if name in ("rows_at_bound", "stalled") else "f").shape
        if found != shape:
            raise doubted.broken(f"{name} is of the shape {found}, not {shape}")


class DriveReader(FileReader):
    """The rows of a drive, read from its file when they are asked for.

    Parameters
    ----------
    file : h5py.File
        An open drive file; the reader closes it.
    """

    def __init__(self, file: h5py.File) -> None:
        super().__init__(file)
        self._doubted = DoubtedFile(file, kind="drive file")

    @property
    def finished(self) -> bool:
        """Whether the drive came to its end."""
        return self._doubted.flag("/", "finished")

    @property
    def program_version(self) -> str:
        """The version of memsim that made it."""
        return (
            self._doubted.label("/", "program_version") if self._doubted.has_attribute("/", "program_version") else ""
        )

    @property
    def steps(self) -> int:
        """Rows that are there."""
        return int(self._doubted.read("committed_rows", ndim=0, kind="i"))

    @property
    def dt(self) -> float:
        """Step in s."""
        return self._doubted.number("/", "dt")

    @property
    def drive(self) -> str:
        """``"current"`` or ``"voltage"``: which of the two the waveforms set."""
        return self._doubted.label("/", "drive")

    @property
    def model(self) -> str:
        """Name of the device model."""
        return self._doubted.label("/", "model")

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each state variable."""
        names, units = (self._doubted.labels("/", name) for name in ("variables", "variable_units"))
        return tuple(zip(names, units, strict=True))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bound of each state variable, in its unit, (variables,) float64 each."""
        lower, upper = (self._doubted.numbers("/", name) for name in ("lower_bounds", "upper_bounds"))
        if len(lower) != len(self.variables) or len(upper) != len(self.variables):
            raise self._doubted.broken("lower_bounds and upper_bounds are not those of its variables")
        return lower, upper

    @property
    def labels(self) -> tuple[str, ...]:
        """For each device, what drives it."""
        return tuple(self._doubted.texts("labels"))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the drive leaves out of its waveforms."""
        return tuple(self._doubted.texts("notes"))

    @property
    def configuration_text(self) -> str:
        """The effective configuration, TOML."""
        return self._doubted.text("configuration")

    @property
    def time(self) -> np.ndarray:
        """Time of each row in s, (steps,) float64: row n is the end of step n, at (n + 1) * dt."""
        return np.arange(1, self.steps + 1) * self.dt

    @property
    def current(self) -> np.ndarray:
        """Current at each step's end in A, (steps, devices) float64."""
        return self.window("current")

    @property
    def voltage(self) -> np.ndarray:
        """Voltage at each step's end in V, (steps, devices) float64."""
        return self.window("voltage")

    @property
    def state(self) -> np.ndarray:
        """State at each step's end, (steps, devices) float64; (steps, devices, variables) of several variables."""
        return self.window("state")

    @property
    def initial_state(self) -> np.ndarray:
        """State before row 0, (devices,) or (devices, variables) float64."""
        values = self._doubted.read_finite("initial_state")
        return values[:, 0] if values.shape[1] == 1 else values

    @property
    def energy(self) -> np.ndarray:
        """Sum of V I dt over all rows in J, (devices,) float64; negative where a device gave energy."""
        return self._doubted.read_finite("energy")

    @property
    def stalled(self) -> np.ndarray:
        """Rows whose step cannot move the state, (devices,) int64; 0 of a file that has not counted them.

        Its drift has vanished, next to that in mid range, and what a step adds is
        below its last digit, under the drive and under the reversed one. So it
        stays where it is for good. Of models with one state.
        """
        if not self._doubted.has("stalled"):
            return np.zeros(len(self.labels), dtype=np.int64)
        values: np.ndarray = self._doubted.read("stalled", kind="i")
        return values

    @property
    def largest_step(self) -> np.ndarray | None:
        """Largest change of each state in one step, in its unit, (devices, variables); None where a file has none."""
        if not self._doubted.has("largest_step"):
            return None
        values: np.ndarray = self._doubted.read("largest_step", kind="f")
        return values

    @property
    def peak_response(self) -> np.ndarray:
        """Largest magnitude of the response in A or V, (devices,) float64."""
        return self._doubted.read_finite("peak_response")

    @property
    def lowest(self) -> np.ndarray:
        """Smallest state, the initial one included, (devices, variables) float64."""
        return self._doubted.read_finite("lowest")

    @property
    def highest(self) -> np.ndarray:
        """Largest state, the initial one included, (devices, variables) float64."""
        return self._doubted.read_finite("highest")

    @property
    def rows_at_bound(self) -> np.ndarray:
        """Rows whose state lies at a bound, (devices, variables) int64."""
        values: np.ndarray = self._doubted.read("rows_at_bound")
        return values

    def window(self, quantity: str, start: int = 0, stop: int | None = None, stride: int = 1) -> np.ndarray:
        """A stretch of the rows.

        Parameters
        ----------
        quantity : {"state", "current", "voltage"}
            In the state's unit, A or V.
        start, stop : int
            Rows, ``stop`` not included; to the end where not given.
        stride : int
            Every so many rows.

        Returns
        -------
        (rows, devices) float64
            (rows, devices, variables) for states of a model with several
            variables.

        Raises
        ------
        KeyError
            There is no such quantity.
        """
        if quantity not in QUANTITIES:
            raise KeyError(f"quantity: must be one of {', '.join(QUANTITIES)} (got {quantity!r})")
        last = self.steps if stop is None else min(stop, self.steps)
        values = self._doubted.read_finite(quantity, slice(start, last, stride))
        return values[:, :, 0] if quantity == "state" and values.shape[2] == 1 else values
