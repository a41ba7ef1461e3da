"""What a benchmark writes: the machine, versions, limits, and a list of records; as JSON, checked when it is read."""

import datetime
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ..errors import InputError
from ..fields import Settings, explain
from ..files.reading import read_text
from ..files.whole import write_text
from ..provenance import PACKAGES, program_version
from .timing import Times, noise_of

SCHEMA = 1

Value = bool | int | float | str


class Record(Settings):
    """One case of a suite, measured."""

    suite: str
    case: str
    seconds: float = Field(gt=0, description="shortest turn, in s")
    median_seconds: float = Field(gt=0, description="turn in the middle, in s")
    noise: float = Field(ge=0, description="of the shortest turn, relative")
    turns: int = Field(ge=1, description="how often it was measured")
    processor_seconds: float | None = Field(
        default=None, gt=0, description="of the process and of those that it started: the turn that took least, in s"
    )
    noise_of_processor: float | None = Field(default=None, ge=0, description="of the processor's time, relative")
    instructions: int | None = Field(default=None, ge=1, description="of a turn, where the processor counts them")
    device_steps: int | None = Field(default=None, ge=1, description="device-steps of a turn, resting ones included")
    ns_per_device_step: float | None = Field(default=None, gt=0, description="shortest turn over device-steps, in ns")
    ratio_to_c: float | None = Field(default=None, gt=0, description="time over that of C")
    noise_of_c: float | None = Field(default=None, ge=0, description="of C's time, relative")
    ratio_to_numpy: float | None = Field(default=None, gt=0, description="time over that of NumPy")
    noise_of_numpy: float | None = Field(default=None, ge=0, description="of NumPy's time, relative")
    same_bits: bool | None = Field(default=None, description="results equal those of C to the last bit")
    more: dict[str, Value] = Field(default_factory=dict, description="what else the suite measures, units in names")


def reference(times: Times, device_steps: int = 1) -> tuple[float, float]:
    """Least time a device-step in s, of the processor where it is known, and its noise."""
    return times.work / device_steps, times.noise_of_work


def noise_of_work(record: Record) -> float:
    """The noise of what is compared: of the processor's time, or of the clock's where that is not known."""
    return record.noise if record.noise_of_processor is None else record.noise_of_processor


def record(
    suite: str,
    case: str,
    times: Times,
    *,
    device_steps: int | None = None,
    c: tuple[float, float] | None = None,
    numpy: tuple[float, float] | None = None,
    same_bits: bool | None = None,
    noise: float | None = None,
    more: dict[str, Value] | None = None,
) -> Record:
    """A record from times.

    Parameters
    ----------
    suite, case : str
    times : Times
    device_steps : int, optional
        That one turn does, resting ones included.
    c, numpy : (float, float), optional
        Time a device-step, and its noise, of the references; a whole turn's
        where no device-steps are given.
    same_bits : bool, optional
    noise : float, optional
        Where one turn alone was measured, known from its parts.
    more : dict, optional
        What else was measured.
    """
    own = times.work / (device_steps or 1)
    processor = times.processor_seconds
    least = min(processor, default=0.0)
    return Record(
        suite=suite, case=case, seconds=times.minimum, median_seconds=times.median,
        noise=times.noise if noise is None else noise,
        processor_seconds=least or None, instructions=times.instructions,
        noise_of_processor=noise_of(processor) if processor else None,
        turns=len(times.seconds), device_steps=device_steps,
        ns_per_device_step=1e9 * times.minimum / device_steps if device_steps else None,
        ratio_to_c=own / c[0] if c else None, noise_of_c=c[1] if c else None,
        ratio_to_numpy=own / numpy[0] if numpy else None, noise_of_numpy=numpy[1] if numpy else None,
        same_bits=same_bits, more=more or {},
    )  # fmt: skip


class Machine(Settings):
    """The machine that was measured."""

    processor: str
    cores: int = Field(ge=1, description="that this process may use")
    memory_bytes: int = Field(ge=0, description="0 where the system does not tell")
    system: str


class Report(Settings):
    """All that one call of ``memsim bench`` found."""

    program: Literal["memsim bench"] = "memsim bench"
    schema_version: Literal[1] = 1
    made: datetime.datetime
    command: str
    quick: bool
    complete: bool = Field(description="false where it was stopped with Ctrl-C")
    compiler: str = Field(description="of the C reference; 'none' where there is none")
    left_out: tuple[str, ...] = Field(default=(), description="what cannot be measured here, and why")
    failed: tuple[str, ...] = Field(default=(), description="cases that failed, and why")
    machine: Machine
    versions: dict[str, str]
    limits: dict[str, dict[str, float]] = Field(description="suite to the machine's own limits beside it, in GB/s")
    took: dict[str, float] = Field(default_factory=dict, description="how long each case took in all, in s")
    records: tuple[Record, ...]


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON."""
    write_text(path, report.model_dump_json(indent=1) + "\n")


def read_report(path: Path) -> Report:
    """Read a report.

    Raises
    ------
    InputError
        The file is not there, is no JSON, or not one that ``memsim bench`` wrote.
    """
    try:
        values = json.loads(read_text(path))
    except InputError as error:
        raise InputError(f"{error}; name a file that 'memsim bench --out' wrote") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error}); name a file that 'memsim bench --out' wrote") from None
    if not isinstance(values, dict) or values.get("program") != "memsim bench":
        raise InputError(f"{path}: is not of memsim bench; name a file that 'memsim bench --out' wrote")
    version = values.get("schema_version")
    if version != SCHEMA:
        raise InputError(f"{path}: schema_version: must be {SCHEMA} (got {version!r}); measure it again")
    try:
        return Report.model_validate(values)
    except (InputError, ValidationError) as error:
        clauses = explain(error, Report) if isinstance(error, ValidationError) else error.clauses
        raise InputError(f"{path}: {clauses[0]}; measure it again") from None


def describe_machine() -> Machine:
    """The present machine."""
    return Machine(processor=_processor(), cores=cores(), memory_bytes=_memory(), system=platform.platform())


def versions() -> dict[str, str]:
    """Versions of memsim and of what it stands on."""
    found = {package: version(package) for package in PACKAGES}
    return {"memsim": program_version(), "python": sys.version.split()[0], **found}


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The processor's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    about = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    named = {name.strip(): value.strip() for name, value in about.items()}
    family = f", family {named['cpu family']}, model {named['model']}" if "cpu family" in named else ""
    return named.get("model name", platform.processor() or platform.machine()) + family


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
