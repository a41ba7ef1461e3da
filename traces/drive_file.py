"""Drive files: HDF5 files with the rows of devices under a waveform.

Row n holds the drive at the end of step n, the state there, and the response
to both. Rows beyond ``committed_rows`` do not count: that number is written
after them.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from . import space
from .checking import check_field
from .chunks import ChunkedDataset, chunk_rows, make_checksums, make_chunked
from .doubted import FAILURES, DoubtedFile, one_line
from .errors import NotARunFileError
from .hdf5 import text, texts
from .locks import refuse_gone
from .making import Maker, put_attributes
from .reader import FileReader, open_hdf5
from .schema import CONVENTION, DRIVE, DRIVE_ATTRIBUTES, DRIVE_CONVENTION, OPEN_UNIT, QUANTITIES, SCHEMA, Field

READABLE = (1, 2)  # version 2 names its axes and has checksums
UNITS = {"current": "A", "voltage": "V"}
RESPONSES = {"current": "voltage", "voltage": "current"}
ATTRIBUTES = ("dt", "steps", "drive", "model", "variables", "variable_units", "finished")


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

    program: dict[str, str | int]
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
    dt_check: dict[str, float | str] = field_of(default_factory=dict)


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
        _make_layout(file, description, compression)
        self._rows = {name: ChunkedDataset(file, name, compression) for name in QUANTITIES}
        file.flush()

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


def _make_layout(file: h5py.File, about: DriveDescription, compression: str) -> None:
    """Make all groups and datasets of a drive, empty, in its file."""
    put_attributes(file, DRIVE_ATTRIBUTES, {"/": _attributes(about)})
    file.create_group("samples")
    maker, values = Maker(file), _values(about)
    units = {"state": _state_unit(about), "drive": UNITS[about.drive], "response": UNITS[RESPONSES[about.drive]]}
    places = [replace(field, unit=units.get(field.unit, field.unit)) for field in _fields(about)]
    for field in sorted(places, key=lambda field: not field.is_axis):
        if field.name in QUANTITIES:
            make_checksums(maker, make_chunked(maker, field, chunk_rows(about.initial.size), compression))
        elif field.grows:
            # Stored is the number of the row: exact, and small when compressed.
            maker.grow(field).attrs.update({"scale_factor": about.dt, "add_offset": about.dt})
        else:
            maker.make(field, values.get(field.path))


def _fields(about: DriveDescription) -> Iterator[Field]:
    """The datasets of a drive but for the checksums, which are made with what they are of."""
    for field in DRIVE:
        if field.path.startswith("samples/"):
            yield from (field.at(K=f"{entry}") for entry in about.samples)
        elif "checksums" not in field.path:
            yield field


def _attributes(about: DriveDescription) -> dict[str, Any]:
    names, units, lower, upper = zip(*about.variables, strict=True)
    return {
        **about.program, "convention": DRIVE_CONVENTION, "schema_version": SCHEMA, "dt": about.dt, "dt_units": "s",
        "steps": about.steps, "drive": about.drive, "model": about.model, "finished": False, **about.dt_check,
        "variables": names, "variable_units": units, "lower_bounds": lower, "upper_bounds": upper,
    }  # fmt: skip


def _values(about: DriveDescription) -> dict[str, Any]:
    """Path to values, where they are no zeros."""
    devices, variables = about.initial.shape
    values: dict[str, Any] = {"configuration": text(about.configuration), "device": devices, "variable": variables}
    values |= {"labels": texts(about.labels), "notes": texts(about.notes)}
    values |= dict.fromkeys(("initial_state", "lowest", "highest"), about.initial)
    for entry, (times, drive) in about.samples.items():
        values |= {f"samples/{entry}/sample": len(times)}
        values |= {f"samples/{entry}/times": times, f"samples/{entry}/values": drive}
    return values


def _state_unit(about: DriveDescription) -> str:
    units = {unit for _, unit, _, _ in about.variables}
    return units.pop() if len(units) == 1 else OPEN_UNIT


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
    missing = [name for name in ATTRIBUTES if not doubted.has_attribute("/", name)]
    missing += [field.path for field in DRIVE if _is_required(field) and not doubted.has(field.path)]
    missing += [] if doubted.has("samples") else ["samples"]
    if missing:
        raise doubted.broken(f"it has no {', '.join(missing)}")
    drive, units = doubted.label("/", "drive"), doubted.labels("/", "variable_units")
    doubted.label("/", "model")
    doubted.flag("/", "finished")
    if drive not in UNITS or len(units) != len(doubted.labels("/", "variables")) or not doubted.number("/", "dt") > 0:
        raise doubted.broken("its drive, dt or variables are none")
    doubted.text("configuration")
    doubted.texts("notes")
    _check_fields(doubted, {"device": len(doubted.texts("labels")), "variable": len(units)})
    for name in doubted.names("samples"):
        times, values = (doubted.read(f"samples/{name}/{part}", ndim=1, kind="f") for part in ("times", "values"))
        if not name.isdecimal() or len(times) != len(values):
            raise doubted.broken(f"samples/{one_line(name)} are no samples of an entry")


def _is_required(field: Field) -> bool:
    return field.since == 1 and not field.late and not field.path.startswith("samples/")


def _check_fields(doubted: DoubtedFile, lengths: dict[str, int]) -> None:
    """Every dataset of numbers is as it is declared; totals, which are short, can be read."""
    rows = int(doubted.read("committed_rows", ndim=0, kind="i"))
    if rows < 0:
        raise doubted.broken(f"committed_rows is {rows}")
    for field in DRIVE:
        of_samples = field.since > 1 or field.kind == "text" or field.path.startswith("samples/")
        if not of_samples and (_is_required(field) or doubted.has(field.path)):
            check_field(doubted, field, {"time": rows}, lengths)
            if not field.grows:
                doubted.read(field.path)


class DriveReader(FileReader):
    """The rows of a drive, read from its file when they are asked for.

    Parameters
    ----------
    file : h5py.File
        An open drive file; the reader closes it.
    """

    def __init__(self, file: h5py.File) -> None:
        super().__init__(DoubtedFile(file, kind="drive file"))

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
