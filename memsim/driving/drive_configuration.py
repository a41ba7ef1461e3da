"""The configuration of a drive: step, device, bank, and the waveforms that drive it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from pydantic import BeforeValidator, Field, SerializeAsAny, create_model, model_serializer, model_validator

from ..configuration.sections import override, resolve_paths, whole_steps
from ..devices import Device, device_of
from ..errors import InputError
from ..fields import Settings, one_of, quantity
from ..files.memory import require_memory
from ..files.reading import read_toml
from .initial_states import initial_states
from .waveforms import WAVEFORMS, Sum, Waveform

DEVICE_BYTES = 300  # of each, without its rows
IN_MEMORY = 1 << 29  # numbers of a trace that is kept in memory, at most: 4 GiB


class DriveTiming(Settings):
    """``[time]``: step, duration, integrator."""

    dt: float = quantity(..., "s", "step", gt=0)
    duration: float = quantity(..., "s", "length of the drive, a multiple of dt", gt=0)
    integrator: Literal["euler", "heun"] = Field(default="euler", description="explicit Euler, or Heun's second order")

    @model_validator(mode="after")
    def _on_the_grid(self) -> "DriveTiming":
        whole_steps("duration", self.duration, self.dt)
        return self

    @property
    def steps(self) -> int:
        """Length of the drive in steps."""
        return whole_steps("duration", self.duration, self.dt)


def _plain(value: Any) -> Any:
    """Arrays as lists, so that any starting state can be written as TOML."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


class BankSection(Settings):
    """``[bank]``: how many devices, what drives them, where they start."""

    count: int = Field(default=1, ge=1, description="number of devices")
    drive: Literal["current", "voltage"] = Field(default="current", description="what the waveforms are, in A or in V")
    initial: Annotated[Any, BeforeValidator(_plain)] = Field(
        default=None,
        description="starting states: a number, a list, or values by the variable's name; at rest where not given",
    )


# An entry of a configuration is flat: the waveform's fields, and the devices that it drives.
_FLAT: dict[str, type[Waveform]] = {
    name: create_model(model.__name__, __base__=model, devices=(tuple[int, ...], ()))
    for name, model in WAVEFORMS.items()
}


class DriveEntry(Settings):
    """``[[drive]]``: a waveform, and the devices that it drives."""

    waveform: SerializeAsAny[Waveform]
    devices: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), description="numbers, from 0; none stands for all"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, section: Any) -> Any:
        if not isinstance(section, dict) or isinstance(section.get("waveform"), Waveform):
            return section
        name = section.get("waveform")
        if name not in _FLAT:
            raise ValueError(f"waveform: must be {one_of(_FLAT, name)}")
        waveform = _FLAT[name](**section)
        return {"waveform": waveform, "devices": getattr(waveform, "devices", ())}

    @model_serializer
    def _as_flat(self) -> dict[str, Any]:
        waveform = self.waveform.model_dump(mode="json", exclude={"devices"})
        return {**waveform, "devices": list(self.devices)} if self.devices else waveform


AnyDevice = Annotated[SerializeAsAny[Device], BeforeValidator(device_of)]


class DriveConfiguration(Settings):
    """Everything that a drive depends on.

    Raises
    ------
    InputError
        A pulse off the grid, a frequency that dt cannot follow, samples that
        end before the drive, a device that is not there, a starting state out
        of bounds, a parameter that only a network would calibrate, or a voltage
        on a model that only a current can drive.
    """

    time: DriveTiming
    device: AnyDevice
    bank: BankSection = BankSection()
    drive: tuple[DriveEntry, ...] = Field(..., min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _refuse_imperfect(cls, values: Any) -> Any:
        for name in ("imperfections", "periphery"):
            if isinstance(values, dict) and name in values:
                raise ValueError(f"{name}: a drive has perfect devices, sources and meters; leave it out")
        return values

    @model_validator(mode="after")
    def _fits(self) -> "DriveConfiguration":
        try:
            require_memory(self.bank.count * DEVICE_BYTES, f"bank.count: {self.bank.count:,} devices", "take fewer")
        except InputError as error:
            raise ValueError(str(error)) from None
        for k, entry in enumerate(self.drive):
            for number in entry.devices:
                if number >= self.bank.count:
                    raise ValueError(f"drive.{k}.devices: must be from 0 to {self.bank.count - 1} (got {number})")
            try:
                entry.waveform.check(self.time.steps, self.time.dt)
            except InputError as error:
                raise ValueError(f"drive.{k}.{error}") from None
        check_drivable(self.device, self.bank.drive)
        self.device.kernel_parameters()
        try:
            self.states()
        except InputError as error:
            raise ValueError(f"bank.{error}") from None
        return self

    def states(self) -> np.ndarray:
        """Starting states, (variables, devices) float64."""
        return initial_states(self.bank.initial, self.device, self.bank.count)

    def lines(self) -> tuple[list[Sum], np.ndarray]:
        """The waveforms, and which of them drives each device.

        Returns
        -------
        lines : list of Sum
            Each different sum of entries, once.
        of_device : (devices,) int64
            Index of each device's line.
        """
        entries: list[list[int]] = [[] for _ in range(self.bank.count)]
        for k, entry in enumerate(self.drive):
            for device in sorted(set(entry.devices)) or range(self.bank.count):
                entries[device].append(k)
        numbers: dict[tuple[int, ...], int] = {}
        of_device = [numbers.setdefault(tuple(parts), len(numbers)) for parts in entries]
        lines = [Sum(parts=tuple(self.drive[k].waveform for k in parts)) for parts in numbers]
        return lines, np.array(of_device, dtype=np.int64)

    def notes(self) -> list[str]:
        """What the drive leaves out of its waveforms, one line each."""
        return [note for entry in self.drive for note in entry.waveform.notes(self.time.steps, self.time.dt)]

    def to_toml(self) -> str:
        """The effective configuration, defaults included, as TOML; without the arrays of samples."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def check_drivable(device: Device, drive: str) -> None:
    """Refuse a drive that a device cannot carry.

    Raises
    ------
    ValueError
    """
    if drive == "voltage" and device.functions().current is None:
        raise ValueError(
            f"bank.drive: a {type(device).__name__} cannot be driven by a voltage: its output under a current has no "
            f"unique inverse (its memristance may be 0 or negative, or its output does not pass the origin); "
            f"drive it with 'current'"
        )
    try:
        device.check_drive(drive)
    except ValueError as error:
        raise ValueError(f"device.{error}") from None


def load_drive_configuration(path: Path, assignments: Sequence[str] = ()) -> DriveConfiguration:
    """Read and check the configuration of a drive; paths in it are relative to its folder.

    Parameters
    ----------
    path : Path
        TOML.
    assignments : sequence of str
        ``section.field=value``; an entry of ``[[drive]]`` is ``drive.0``,
        ``drive.1``, ...
    """
    values = read_toml(path, "drive")
    entries = values.get("drive", [])
    if not isinstance(entries, list):
        raise InputError(f"{path}: drive: must be a list of sections; write [[drive]]")
    for entry in entries:
        resolve_paths(entry, path.parent, "path")
    return DriveConfiguration(**override_entries(values, assignments))


def override_entries(values: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Apply ``--set``, where an entry of the list ``drive`` goes by its number."""
    if "drive" not in values:
        return override(values, list(assignments))
    numbered = {str(k): entry for k, entry in enumerate(values["drive"])}
    changed = override({**values, "drive": dict(numbered)}, list(assignments))
    beyond = [name for name in changed["drive"] if name not in numbered]
    if beyond:
        raise InputError(f"--set: drive.{beyond[0]}: no such entry; there are {len(numbered)}, counted from 0")
    return {**changed, "drive": list(changed["drive"].values())}
