"""Real-valued signals for waveform viewers, as a value change dump (IEEE 1364-2005, section 18)."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..libraries import load_library
from ..runs.channels import UNITS
from ..runs.timeline import PHASES
from .excerpt import Block, Excerpt, Report, provenance

LARGEST_TIME = 2**63 - 1
UNIT_NAMES = ("s", "ms", "us", "ns", "ps", "fs")
MARKERS = ("epoch", "sample", "phase_code", "phase")
SCHEDULE = "schedule"  # scope of the markers


class _ExactReal(float):
    """A float that is written in as many digits as it takes; pyvcd asks for 16, and 17 may be needed."""

    __slots__ = ()

    def __format__(self, _: str) -> str:
        return repr(float(self))


def timescale(dt: float) -> tuple[int, str, int]:
    """The coarsest unit of VCD of which a step is a whole number.

    Parameters
    ----------
    dt : float
        In s; taken as the decimal number that it is written as.

    Returns
    -------
    magnitude, unit, units : (int, str, int)
        1, 10 or 100; ``s`` to ``fs``; how many of them a step has.

    Raises
    ------
    InputError
        A step is no whole number of femtoseconds.
    """
    step = Fraction(repr(dt))
    for power, unit in enumerate(UNIT_NAMES):
        for magnitude in (100, 10, 1):
            units = step / magnitude * 1000**power
            if units.denominator == 1:
                return magnitude, unit, int(units)
    raise InputError(
        f"time.dt: VCD counts in femtoseconds at the finest, and {dt!r} s is no whole number of them; "
        "take another format"
    )


def load_vcd() -> Any:
    """Load pyvcd.

    Raises
    ------
    InputError
        It is not installed.
    """
    return load_library("vcd", "vcd", "VCD", distribution="pyvcd")


def check_timescale(excerpt: Excerpt) -> None:
    """Refuse a step, or a span, that VCD cannot count.

    Raises
    ------
    InputError
    """
    magnitude, unit, units = timescale(excerpt.run.dt)
    if excerpt.stop * units > LARGEST_TIME:
        raise InputError(
            f"steps: VCD counts to 2^63 - 1, here in units of {magnitude} {unit}, "
            f"so a span ends at step {LARGEST_TIME // units} at most (got {excerpt.stop})"
        )


def write_vcd(excerpt: Excerpt, path: Path, report: Report) -> None:
    """Write all channels as real signals, changes only; docs/export.md describes the scopes.

    The value of row n stands from n dt to (n + 1) dt.

    Parameters
    ----------
    excerpt : Excerpt
    path : Path
        Replaced where it exists.
    report : callable
        Called with rows done and in all.

    Raises
    ------
    InputError
        pyvcd is not installed, or a step is no whole number of femtoseconds.
    """
    library = load_vcd()
    magnitude, unit, units = timescale(excerpt.run.dt)
    with path.open("w", encoding="utf-8") as file:
        writer = library.VCDWriter(
            file, timescale=(magnitude, unit), date="", version=f"memsim {provenance(excerpt)['program_version']}",
            comment=_comment(excerpt), check_values=False, init_timestamp=excerpt.start * units,
        )  # fmt: skip
        signals = _Signals(writer, excerpt, units)
        for block in excerpt.blocks(report):
            signals.write(block)
        writer.close(excerpt.stop * units)


def _comment(excerpt: Excerpt) -> str:
    """Units and provenance, in lines; a viewer shows neither."""
    about = provenance(excerpt)
    names = ("run_file", "run_program_version", "dt", "dt_units", "start_step", "stop_step", "stride")
    lines = [f"{name} = {about[name]}".replace("$", "") for name in names]
    lines += [
        f"units of {quantity}: {UNITS[quantity]}" for quantity in excerpt.channels.quantities if quantity in UNITS
    ]
    for bank in excerpt.channels.banks if "state" in excerpt.channels.quantities else ():
        lines += [f"units of {bank} {name}: {unit}" for name, unit in excerpt.variables(bank)]
    lines += [f"phase_code {code}: {name}" for code, name in enumerate(PHASES)]
    return "\n".join(lines)


class _Signals:
    """The signals of a dump that is being written."""

    def __init__(self, writer: Any, excerpt: Excerpt, units: int) -> None:
        self._writer, self._excerpt, self._units = writer, excerpt, units
        self._signals: list[Any] = []
        self._last: np.ndarray | None = None  # newest value of each signal

    def write(self, block: Block) -> None:
        """Write the changes of a block; the first one declares the signals, with its first row."""
        numbers = np.concatenate([self._markers(block), block.matrix()], axis=1)
        if self._last is None:
            self._declare(numbers[0])
            self._last = numbers[0]
        changed = numbers != np.concatenate([self._last[None], numbers[:-1]])
        rows, columns = np.nonzero(changed)
        times = (block.steps * self._units)[rows]
        for time, column, value in zip(times.tolist(), columns.tolist(), numbers[changed].tolist(), strict=True):
            self._writer.change(self._signals[column], time, _cell(column, value))
        self._last = numbers[-1]

    def _markers(self, block: Block) -> np.ndarray:
        """Values of the markers, (rows, markers) float64: whole numbers below 2^53."""
        line, steps = self._excerpt.timeline, block.steps
        phases = line.phases(steps)
        return np.stack([line.epochs(steps), line.samples(steps), phases, phases], axis=1).astype(np.float64)

    def _declare(self, values: np.ndarray) -> None:
        kinds = ("integer", "integer", "integer", "string")
        names: list[tuple[tuple[str, ...], str, str]] = [
            ((SCHEDULE,), name, kind) for name, kind in zip(MARKERS, kinds, strict=True)
        ]
        channels = self._excerpt.channels
        for bank, quantity, device, variable, realisation in channels:
            name = quantity if variable is None else channels.variables[bank][variable]
            names.append(((bank, f"device{device}", f"realisation{realisation}"), name, "real"))
        for column, ((scope, name, kind), value) in enumerate(zip(names, values.tolist(), strict=True)):
            signal = self._writer.register_var(scope, name, kind, init=_cell(column, value))
            self._signals.append(signal)


def _cell(column: int, value: float) -> Any:
    """A number as pyvcd takes it for the signal of a column."""
    if column >= len(MARKERS):
        return _ExactReal(value)
    return PHASES[int(value)] if MARKERS[column] == "phase" else int(value)
