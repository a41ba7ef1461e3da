"""A stretch of a drive as a circuit: every device under its waveforms."""

from collections.abc import Sequence

import numpy as np

from ...analysis import spans
from ...driving.drive_trace import DriveTrace
from ...driving.waveforms import parts_of
from ...errors import InputError
from .circuit import EDGE, Circuit, CircuitRows, Instance, Kind, check_size, origin, scales_of
from .circuit_sources import Span, source_of
from .models import equations_of


def circuit_of_drive(
    trace: DriveTrace, *, devices: Sequence[int] = (), steps: spans.Span | None = None, any_size: bool = False
) -> Circuit:
    """Chosen devices over a stretch of a drive, with their states at its start.

    Parameters
    ----------
    trace : DriveTrace
    devices : sequence of int
        All where not given.
    steps : "A:B", optional
        The whole drive where not given.
    any_size : bool
        Lift the limits on devices and device-steps.

    Raises
    ------
    InputError
        There is no such device or step, it is too much for a netlist, or the
        model or a waveform is none of memsim's own.
    """
    config = trace.config
    chosen = _devices(devices, config.bank.count)
    if trace.steps == 0:
        raise InputError(f"{trace.path}: the drive has no steps")
    start, stop = (0, trace.steps) if steps is None else spans.bounds_of(steps, "steps", trace.steps, "drive")
    check_size(len(chosen), stop - start, any_size)
    equations_of(config.device)
    initial = _states_before(trace, start)[chosen]
    kind = Kind("device", config.device, scales_of(config.device, initial))
    lines, of_device = config.lines()
    span = Span(start, stop, trace.dt, EDGE * trace.dt)
    instances = tuple(
        Instance(
            f"device{device}", kind, initial[k],
            tuple(source_of(part, span) for part in parts_of(lines[of_device[device]])) or ("DC 0",),
        )
        for k, device in enumerate(chosen)
    )  # fmt: skip
    return Circuit(
        title=f"memsim: {config.device.title} under a {trace.drive}, steps {start} to {stop}",
        about=origin(trace.path, trace.program_version, start, stop, trace.configuration_text),
        dt=trace.dt,
        steps=stop - start,
        drive=trace.drive,
        instances=instances,
        rows=_rows(trace, start, stop, chosen),
    )


def _devices(given: Sequence[int], count: int) -> list[int]:
    for number in given:
        if not 0 <= number < count:
            raise InputError(f"devices: must be from 0 to {count - 1} (got {number})")
    return sorted(set(given)) or list(range(count))


def _states_before(trace: DriveTrace, start: int) -> np.ndarray:
    """States at a step's beginning, (devices, variables)."""
    found = trace.initial_state if start == 0 else trace.window("state", start - 1, start)[0]
    return np.asarray(found.reshape(len(trace.labels), -1))


def _rows(trace: DriveTrace, start: int, stop: int, devices: list[int]) -> CircuitRows:
    state = trace.window("state", start, stop)
    state = state.reshape(*state.shape[:2], -1)
    return CircuitRows(
        state=tuple(state[:, device] for device in devices),
        current=trace.window("current", start, stop)[:, devices],
        voltage=trace.window("voltage", start, stop)[:, devices],
    )
