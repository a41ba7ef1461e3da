"""The configuration of a sweep of loops: ``[loops]`` in the place of a drive's ``[time]`` and ``[[drive]]``."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from ..configuration.sections import override, resolve_paths
from ..driving.drive_configuration import IN_MEMORY, AnyDevice, BankSection, DriveConfiguration, DriveEntry, DriveTiming
from ..driving.waveforms import DRIVE_UNIT, Csv, Pulse, Pulses
from ..errors import InputError
from ..fields import Settings, quantity
from ..files.memory import in_bytes
from ..files.reading import kind_of, parse_toml, read_text, read_toml
from .cycles import Cycle, Shape, periodic_shape, pulse_shape, sampled_shape

_TRAIN = (Pulse(start=0.0, width=0.25, amplitude=1.0), Pulse(start=0.5, width=0.25, amplitude=-1.0))


class LoopsSection(Settings):
    """``[loops]``: a periodic drive, its frequencies and amplitudes, and what counts as a fingerprint."""

    waveform: Literal["sinusoid", "triangle", "pulses", "csv"] = Field(default="sinusoid", description="of one period")
    frequencies: tuple[Annotated[float, Field(gt=0)], ...] = quantity(
        (), "Hz", "each with every amplitude; a measured period has its own where none is given"
    )
    amplitudes: tuple[Annotated[float, Field(gt=0)], ...] = quantity(
        (), DRIVE_UNIT, "largest magnitudes of the drive; a measured period has its own where none is given"
    )
    periods: int = Field(default=2, ge=2, le=10**6, description="the last is the loop, those before let it settle")
    steps_per_period: int = Field(default=1000, ge=8, le=10**8, multiple_of=4, description="a multiple of 4")
    integrator: Literal["euler", "heun"] = Field(default="heun", description="explicit Euler, or Heun's second order")
    pulses: tuple[Pulse, ...] = Field(
        default=_TRAIN,
        min_length=1,
        description="pulses: list of start, width, amplitude; start and width in shares of the period",
    )
    path: Path | None = Field(default=None, description="csv: the file of one period; relative to its folder")
    time: str = Field(default="time", description="csv: name of the column of times in s")
    amplitude: str = Field(default="amplitude", description="csv: name of the column of amplitudes in A or V")
    pinch_tolerance: float = quantity(
        1e-3, "1", "response at zero drive, as a share of its peak, up to which a loop is pinched", gt=0, lt=1
    )
    line_tolerance: float = quantity(
        0.05, "1", "width of a loop, as a share of its peak, up to which it is a single-valued line", gt=0, lt=1
    )

    @model_validator(mode="after")
    def _consistent(self) -> "LoopsSection":
        for name in ("frequencies", "amplitudes"):
            values = getattr(self, name)
            if not values and self.waveform != "csv":
                raise ValueError(f"{name}: is missing; give a list with one value at the least")
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: must differ from each other (got {list(values)})")
        if (self.waveform == "csv") != (self.path is not None):
            raise ValueError("path: names the file of waveform = 'csv', and of no other; give both or neither")
        self._refuse_long()
        try:
            shape = self.shape
        except InputError as error:
            raise ValueError(str(error)) from None
        if not shape.ends.min() < 0 < shape.ends.max():
            raise ValueError("waveform: must go to both sides of 0, since fingerprints are those of a bipolar drive")
        return self

    def _refuse_long(self) -> None:
        """Refuse rows that the memory is not for: current, voltage and a state of every step."""
        steps, devices = self.periods * self.steps_per_period, max(1, len(self.amplitudes))
        if 3 * steps * devices > IN_MEMORY:
            raise ValueError(
                f"steps_per_period: {self.periods:,} periods of {self.steps_per_period:,} steps at {devices:,} "
                f"amplitudes would take {in_bytes(24 * steps * devices)} of memory, and {in_bytes(8 * IN_MEMORY)} are "
                f"for them; take fewer steps or periods"
            )

    @cached_property
    def measured(self) -> Csv | None:
        """The measured period, where the waveform is one."""
        return None if self.path is None else Csv(path=self.path, time=self.time, amplitude=self.amplitude)

    @cached_property
    def shape(self) -> Shape:
        """One period, of a largest magnitude of 1."""
        if self.measured:
            times, values = self.measured.arrays()
            if len(times) < 3:
                raise InputError(f"path: {self.path} must have 3 samples of a period at the least (got {len(times)})")
            return sampled_shape(times, values, self.steps_per_period)
        if self.waveform == "pulses":
            return pulse_shape(Pulses(pulses=self.pulses), self.steps_per_period)
        return periodic_shape(self.waveform, self.steps_per_period)  # type: ignore[arg-type]

    def all_frequencies(self) -> tuple[float, ...]:
        """In Hz, rising."""
        if self.frequencies or not self.measured:
            return tuple(sorted(self.frequencies))
        times, _ = self.measured.arrays()
        return (float(1.0 / (times[-1] - times[0])),)

    def all_amplitudes(self) -> tuple[float, ...]:
        """In A or V, rising."""
        if self.amplitudes or not self.measured:
            return tuple(sorted(self.amplitudes))
        return (float(np.abs(self.measured.arrays()[1]).max()),)

    def notes(self) -> list[str]:
        """What was done to a measured period, one line each."""
        if not self.measured:
            return []
        times, values = self.measured.arrays()
        name, own = self.measured.path.name, 1.0 / (times[-1] - times[0])
        lines = [
            f"{name}: {len(times)} samples of a period at {own:.6g} Hz, resampled linearly at {self.steps_per_period} "
            f"steps a period, scaled in time to each frequency and in size to each amplitude"
        ]
        if values[0] != values[-1]:
            lines.append(f"{name}: ends at {values[-1]:g} and begins at {values[0]:g}: the drive jumps between periods")
        return lines


class LoopsConfiguration(Settings):
    """Everything that a sweep of loops depends on.

    Raises
    ------
    InputError
        No frequency or amplitude, a drive that keeps its sign, a pulse off the
        grid of steps, and whatever a drive refuses.
    """

    loops: LoopsSection
    device: AnyDevice
    bank: BankSection = BankSection()

    @model_validator(mode="after")
    def _fits(self) -> "LoopsConfiguration":
        if self.bank.count != 1:
            raise ValueError("bank.count: is not for loops, which have a device for each amplitude; leave it out")
        self.at(self.loops.all_frequencies()[0])
        return self

    def at(self, frequency: float) -> DriveConfiguration:
        """The drive at one frequency in Hz: a device for each amplitude, side by side."""
        loops, amplitudes = self.loops, self.loops.all_amplitudes()
        dt = 1.0 / (frequency * loops.steps_per_period)
        entries = [
            DriveEntry(
                waveform=Cycle(starts=size * loops.shape.starts, ends=size * loops.shape.ends, name=loops.waveform),
                devices=(k,),
            )
            for k, size in enumerate(amplitudes)
        ]
        return DriveConfiguration(
            time=DriveTiming(
                dt=dt, duration=loops.periods * loops.steps_per_period * dt, integrator=loops.integrator
            ),
            device=self.device,
            bank=BankSection(count=len(amplitudes), drive=self.bank.drive, initial=self.bank.initial),
            drive=tuple(entries),
        )  # fmt: skip


def is_sweep_of_loops(path: Path) -> bool:
    """Whether a file is the configuration of a sweep of loops: TOML with a section ``[loops]``."""
    try:
        return kind_of(parse_toml(read_text(path), str(path))) == "loops"
    except InputError:
        return False  # for the reader of a drive to say what is wrong with it


def load_loops(path: Path, assignments: Sequence[str] = ()) -> LoopsConfiguration:
    """Read and check the configuration of a sweep of loops; a path in it is relative to its folder.

    Parameters
    ----------
    path : Path
        TOML with a section ``[loops]``.
    assignments : sequence of str
        ``section.field=value``.
    """
    values = read_toml(path, "loops")
    for name in ("time", "drive"):
        if name in values:
            raise InputError(f"{path}: {name}: has no place beside [loops], which says frequencies, steps and waveform")
    resolve_paths(values.get("loops"), path.parent, "path")
    return LoopsConfiguration(**override(values, list(assignments)))
