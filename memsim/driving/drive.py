"""Driving devices with waveforms: any model, one device or a bank, by a current or a voltage."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from ..devices import UNBOUNDED, Device
from ..errors import InputError, RunError
from ..files.memory import require_disk
from ..files.whole import check_output
from ..kernels.compiling import Kernel
from ..kernels.logit import new_logit
from ..kernels.operands import Following
from ..kernels.records import Packed, from_python
from ..kernels.stepping import WAVEFORM, follow_kernel
from ..kernels.tiles import WIDE, new_tile, with_room
from ..provenance import environment
from ..terminal.preparing import prepare
from ..terminal.si import counted
from ..traces.background import BackgroundWriter
from ..traces.drive_file import RESPONSES, UNITS, DriveDescription, DriveWriter, open_drive_file
from ..traces.locks import GoneError
from ..traces.run_file import close_quietly, open_target
from ..traces.space import DiskFullError
from .drive_configuration import IN_MEMORY, BankSection, DriveConfiguration, DriveEntry, DriveTiming
from .drive_trace import DriveTrace
from .waveforms import Sampled, Waveform, parts_of

MOST_PACKED = 1032  # bytes in one, of deflate at its best
CHUNK_VALUES = 1 << 21  # numbers that one stretch of a drive keeps in memory

Progress = Callable[[int, int], None]
AnyWaveform = Waveform | np.ndarray


def drive(
    device: Device | str,
    waveform: AnyWaveform | Sequence[AnyWaveform],
    *,
    dt: float,
    duration: float | None = None,
    drive: Literal["current", "voltage"] = "current",
    devices: int | None = None,
    initial: float | Sequence[Any] | np.ndarray | Mapping[str, Any] | None = None,
    integrator: Literal["euler", "heun"] = "euler",
    out: str | Path | None = None,
    overwrite: bool = False,
    threads: int = 1,
    chunk_steps: int | None = None,
    progress: Progress | None = None,
) -> DriveTrace:
    """Drive devices with waveforms, every step of dt integrated and kept.

    Parameters
    ----------
    device : Device or str
        The model of all devices, such as :class:`~memsim.devices.Node`, or its name.
    waveform : Waveform, array, or sequence of them
        One for all devices, or a list with one for each device. An array has
        the drive at the boundaries of the steps in A or V: (steps + 1,) for all
        devices, (steps + 1, devices) for each.
    dt : float
        Step in s, greater than 0.
    duration : float, optional
        Length in s, a multiple of dt; the length of the array where an array
        is given.
    drive : {"current", "voltage"}
        What the waveforms are, in A or in V.
    devices : int, optional
        How many; 1, or as many as there are waveforms, where not given.
    initial : number, array or mapping, optional
        Starting states; see :func:`memsim.driving.initial_states.initial_states`.
    integrator : {"euler", "heun"}
        Explicit Euler, or Heun's second-order method.
    out : path, optional
        HDF5 file that gets the rows as they come, in bounded memory; they are
        kept in memory where none is given.
    overwrite : bool
        Whether a file that exists may be replaced.
    threads : int
        Threads that share the devices; 0 takes all processors. The results do
        not depend on it.
    chunk_steps : int, optional
        Steps between two writes. The results do not depend on it.
    progress : callable, optional
        Called with the steps that are done and the steps in all.

    Returns
    -------
    DriveTrace
        Rows of current, voltage and state, and the energy of each device.

    Raises
    ------
    InputError
        Bad input; nothing has been written then.
    RunError
        A state or a response that is no finite number; the message names the
        step.
    """
    given = _one_or_each(waveform)
    if devices is not None and (devices < 1 or (len(given) > 1 and len(given) != devices)):
        raise InputError(f"devices: must be 1 or more, and as many as waveforms in a list (got {devices})")
    timing: dict[str, Any] = {"dt": dt, "integrator": integrator}
    if duration is not None:
        timing["duration"] = duration
    elif isinstance(given[0], np.ndarray):
        timing["duration"] = (len(given[0]) - 1) * dt
    time = DriveTiming(**timing)
    config = DriveConfiguration(
        time=time,
        device=cast("Device", device),  # a name becomes its model
        bank=BankSection(count=devices or len(given), drive=drive, initial=initial),
        drive=_entries([_waveform(part, time.dt) for part in given]),
    )
    return run(config, out=out, overwrite=overwrite, threads=threads, chunk_steps=chunk_steps, progress=progress)


def _one_or_each(given: Any) -> list[Any]:
    """The waveform of all devices, or those of each."""
    if isinstance(given, np.ndarray) and given.ndim in (1, 2):
        return list(np.atleast_2d(given.T))
    if isinstance(given, Waveform):
        return [given]
    if isinstance(given, list | tuple) and given:
        return list(given)
    raise InputError(
        f"waveform: must be a waveform of memsim.waveforms, an array, or a list with one for each device "
        f"(got {given!r})"
    )


def _waveform(given: Any, dt: float) -> Waveform:
    if isinstance(given, np.ndarray) and given.ndim == 1:
        return Sampled(times=np.arange(len(given)) * dt, values=given)
    if isinstance(given, Waveform):
        return given
    raise InputError(f"waveform: must be a waveform of memsim.waveforms or an array (got {given!r})")


def _entries(waveforms: list[Waveform]) -> tuple[DriveEntry, ...]:
    """An entry for each different waveform, or for each part of a sum."""
    devices: dict[int, list[int]] = {}
    for k, waveform in enumerate(waveforms):
        devices.setdefault(id(waveform), []).append(k)
    by_id = {id(waveform): waveform for waveform in waveforms}
    return tuple(
        DriveEntry(waveform=part, devices=tuple(numbers) if len(waveforms) > 1 else ())
        for key, numbers in devices.items()
        for part in parts_of(by_id[key])
    )


def run(
    config: DriveConfiguration,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    threads: int = 1,
    chunk_steps: int | None = None,
    progress: Progress | None = None,
    dt_check: Mapping[str, float | str] | None = None,
) -> DriveTrace:
    """Carry out the configuration of a drive; see :func:`drive`. ``dt_check`` are attributes for its file."""
    _check_run(config, out, threads, chunk_steps)
    try:
        if out is not None:
            check_output(Path(out), overwrite)
        prepare(kernels_of(config))  # before there is a file
        target = open_target(None if out is None else Path(out), overwrite)
    except DiskFullError as error:
        raise RunError(f"{out}: {error.strerror}; make room, or name a file on another disk") from None
    except (ValueError, OSError) as error:
        raise InputError(str(error).splitlines()[0]) from None
    try:
        writer = DriveWriter(
            target.file,
            target.path,
            replace(_describe(config), dt_check=dict(dt_check or {})),
            "none" if out is None else "gzip",
        )
        _run_steps(config, writer, threads or os.cpu_count() or 1, chunk_steps, progress)
    except DiskFullError as error:
        close_quietly(target)
        raise RunError(f"{out}: {error.strerror}; it keeps the rows so far") from None
    except GoneError as error:
        close_quietly(target)
        raise RunError(str(error)) from None
    except BaseException:
        close_quietly(target)
        raise
    if out is None:
        return DriveTrace(target.file)
    target.close()
    return DriveTrace(open_drive_file(Path(out)))


def kernels_of(config: DriveConfiguration) -> list[Kernel]:
    """The compiled functions that a drive needs."""
    return [WAVEFORM, _model_of(config)]


def _model_of(config: DriveConfiguration) -> Kernel:
    """The model's own."""
    return follow_kernel(config.device.functions(), config.time.integrator, config.bank.drive)


def _check_run(config: DriveConfiguration, out: str | Path | None, threads: int, chunk_steps: int | None) -> None:
    if threads < 0:
        raise InputError(f"threads: must be 0, for all processors, or more (got {threads})")
    if chunk_steps is not None and chunk_steps < 1:
        raise InputError(f"chunk_steps: must be 1 or more (got {chunk_steps})")
    values = config.time.steps * config.bank.count * (len(config.device.state_variables()) + 2)
    if out is None and values > IN_MEMORY:
        raise InputError(
            f"out: is needed, since {config.time.steps} steps of {config.bank.count} devices take "
            f"{values * 8 / 2**30:.3g} GiB, more than the {IN_MEMORY * 8 / 2**30:.3g} GiB that are kept in memory"
        )
    if out is not None:
        of = f"time.duration: {config.time.steps:,} steps of {counted(config.bank.count, 'device')}"
        require_disk(8 * values // MOST_PACKED, Path(out), of, "take a shorter drive, or a larger time.dt")


def _describe(config: DriveConfiguration) -> DriveDescription:
    lines, of_device = config.lines()
    labels = [line.label(UNITS[config.bank.drive]) for line in lines]
    samples = {k: entry.waveform.arrays() for k, entry in enumerate(config.drive) if hasattr(entry.waveform, "arrays")}
    return DriveDescription(
        program=environment(),
        configuration=config.to_toml(),
        dt=config.time.dt,
        steps=config.time.steps,
        drive=config.bank.drive,
        model=str(getattr(config.device, "model", type(config.device).__name__)),
        variables=[(v.name, v.unit, v.lower, v.upper) for v in config.device.state_variables()],
        initial=config.states().T,
        labels=[labels[line] for line in of_device],
        notes=config.notes(),
        samples=samples,
    )


class _Block(NamedTuple):
    """Neighbouring devices of a bank, stepped by one thread."""

    states: np.ndarray  # (variables, room)
    lines: np.ndarray  # (devices,)
    energies: np.ndarray  # (devices,)
    rests: np.ndarray  # (devices,), of the energies
    stalled: np.ndarray  # (devices,)
    tile: np.ndarray  # scratch
    logit: np.ndarray  # (room,), of models with a drift near bounds


class _Bank:
    """The devices of a drive: their states, and the kernel that steps them."""

    def __init__(self, config: DriveConfiguration, blocks: list[slice], each: Callable[..., Iterable[Any]]) -> None:
        variables = config.device.state_variables()
        self._kernel, self._model = from_python(WAVEFORM), _model_of(config)
        self._dt = config.time.dt
        self._parameters = np.array(config.device.kernel_parameters(), dtype=np.float64)
        self._lower = np.array([v.lower for v in variables])
        self._upper = np.array([v.upper for v in variables])
        self._each = each
        self._lines, of_device = config.lines()
        states = config.states()
        self._functions = config.device.functions()
        self._blocks = [self._block(states[:, part], of_device[part].copy()) for part in blocks]

    def _block(self, states: np.ndarray, lines: np.ndarray) -> _Block:
        room = with_room(states)
        tile, logit = new_tile(len(states)), new_logit(self._functions, room.shape[1])
        energies, rests, stalled = np.zeros((3, len(lines)))
        return _Block(room, lines, energies, rests, stalled, tile, logit)

    def advance(self, first: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take the steps from ``first`` to ``stop`` - 1.

        Returns
        -------
        state : (steps, devices, variables) float64
        drive, response : (steps, devices) float64
        """
        boundaries = [line.boundaries(first, stop, self._dt) for line in self._lines]
        starts, ends = (np.ascontiguousarray(np.stack(side, axis=1)) for side in zip(*boundaries, strict=True))
        parts = list(self._each(lambda block: self._step(block, starts, ends), self._blocks))
        if len(parts) == 1:
            return parts[0]
        state, drives, responses = (np.concatenate(rows, axis=1) for rows in zip(*parts, strict=True))
        return state, drives, responses

    def _step(self, block: _Block, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        variables, devices = len(block.states), len(block.energies)
        steps = len(starts)
        states = np.empty((variables, steps, devices))
        drives, responses = np.empty((steps, devices)), np.empty((steps, devices))
        self._kernel(Packed(Following(
            block.states, starts, ends, block.lines, self._parameters, self._lower, self._upper,
            states, drives, responses, block.energies, block.rests, block.stalled, block.tile, self._dt,
            self._model.address, block.logit,
        )))  # fmt: skip
        return states.transpose(1, 2, 0), drives, responses

    def sums(self) -> dict[str, np.ndarray]:
        """Energy of each device so far in J, and the steps in which it stalled, (devices,) each."""
        return {
            "energy": np.concatenate([block.energies for block in self._blocks]),
            "stalled": np.concatenate([block.stalled for block in self._blocks]).astype(np.int64),
        }


def _split(devices: int, threads: int) -> list[slice]:
    """Stretches of whole tiles, one for each thread that gets any."""
    tiles = -(-devices // WIDE)
    edges = [min(devices, WIDE * (tiles * k // threads)) for k in range(threads + 1)]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]


class _Totals:
    """Extremes of states and responses, and rows at a bound, as rows go by; (devices, ...) each."""

    def __init__(self, config: DriveConfiguration) -> None:
        variables = config.device.state_variables()
        self._lower = np.array([v.lower for v in variables])
        self._upper = np.array([v.upper for v in variables])
        self._bounded = self._upper < UNBOUNDED
        self.lowest = config.states().T.copy()
        self.highest = self.lowest.copy()
        self.rows_at_bound = np.zeros(self.lowest.shape, dtype=np.int64)
        self.largest_step = np.zeros(self.lowest.shape)
        self._before = self.lowest[None].copy()
        self.peak_response = np.zeros(len(self.lowest))

    def add(self, state: np.ndarray, responses: np.ndarray) -> None:
        """Take in rows, (steps, devices, variables) and (steps, devices)."""
        np.maximum(self.peak_response, np.abs(responses).max(axis=0), out=self.peak_response)
        np.minimum(self.lowest, state.min(axis=0), out=self.lowest)
        np.maximum(self.highest, state.max(axis=0), out=self.highest)
        at_bound = ((state <= self._lower) | (state >= self._upper)) & self._bounded
        self.rows_at_bound += at_bound.sum(axis=0)
        steps = np.abs(np.diff(state, axis=0, prepend=self._before)).max(axis=0)
        np.maximum(self.largest_step, steps, out=self.largest_step)
        self._before = state[-1:].copy()

    def arrays(self) -> dict[str, np.ndarray]:
        """The totals by name, copied."""
        names = ("lowest", "highest", "peak_response", "rows_at_bound", "largest_step")
        return {name: getattr(self, name).copy() for name in names}


def _run_steps(
    config: DriveConfiguration, writer: DriveWriter, threads: int, chunk_steps: int | None, progress: Progress | None
) -> None:
    """Take all steps, in stretches that fit the memory; a thread of its own writes them."""
    background = BackgroundWriter()
    blocks = _split(config.bank.count, threads)
    length = chunk_steps or _chunk_steps(config)
    done = 0
    with ThreadPoolExecutor(len(blocks)) if len(blocks) > 1 else nullcontext() as executor:
        bank, totals = _Bank(config, blocks, executor.map if executor else map), _Totals(config)
        try:
            while done < config.time.steps:
                stop = min(done + length, config.time.steps)
                state, drives, responses = bank.advance(done, stop)
                _check_finite(config, done, state, drives, responses)
                totals.add(state, responses)
                rows = {"state": state, config.bank.drive: drives, RESPONSES[config.bank.drive]: responses}
                background.submit(writer.append, rows, {**totals.arrays(), **bank.sums()})
                done = stop
                if progress:
                    progress(done, config.time.steps)
        finally:
            try:
                background.submit(writer.finish, done == config.time.steps)
            finally:
                background.close()


def _chunk_steps(config: DriveConfiguration) -> int:
    """Steps whose numbers fill a stretch's memory."""
    lines, _ = config.lines()
    numbers = config.bank.count * (len(config.device.state_variables()) + 2) + 4 * len(lines)
    return max(1, CHUNK_VALUES // numbers)


def _check_finite(
    config: DriveConfiguration, first: int, state: np.ndarray, drives: np.ndarray, responses: np.ndarray
) -> None:
    """Refuse rows with a state or a response that is no finite number.

    Raises
    ------
    RunError
        With the first such step.
    """
    bad = ~(np.isfinite(state).all(axis=2) & np.isfinite(responses))
    if not bad.any():
        return
    row, device = (int(k) for k in np.argwhere(bad)[0])
    response = RESPONSES[config.bank.drive]
    currents = responses if response == "current" else drives
    finite = currents[np.isfinite(currents)]
    found = config.device.find_not_finite(float(np.abs(finite).max(initial=0.0)))
    advice = found or "check whether the model's resistance reaches 0, or take a smaller dt or drive"
    raise RunError(
        f"step {first + row} ({(first + row + 1) * config.time.dt:.9g} s): device {device}: the {response} is "
        f"{responses[row, device]:g} {UNITS[response]} and the state {state[row, device].tolist()}, which is no finite "
        f"number; {advice}"
    )
