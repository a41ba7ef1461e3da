"""The first steps of a drive at dt, dt/2 and dt/4."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..driving import drive
from ..driving.drive_configuration import DriveConfiguration
from ..driving.drive_trace import DriveTrace
from ..errors import RunError
from .dt_check import TOLERANCE, Comparison, DtCheck, StateDifference, check_tolerance, relative

VALUES = 1 << 22  # numbers of the rows at dt that are compared, at most; those at dt/4 are four times as many
QUANTITIES = {"current": "voltage", "voltage": "current"}  # what answers a drive


def check_drive_dt(
    config: DriveConfiguration,
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> DtCheck:
    """Repeat a drive at half and at a quarter of its dt, and compare states and responses at each step's end.

    Parameters
    ----------
    config : DriveConfiguration
    tolerance : float
        Largest difference that is fine, as a share of a state's range and of the largest response.
    threads : int
    progress : callable, optional
        Called with steps that are done and all, of each of the three drives.

    Returns
    -------
    DtCheck
        Of the whole drive, or of its first steps where it is long.
    """
    check_tolerance(tolerance)
    variables = config.device.state_variables()
    compared = Comparison(np.array([[v.lower, v.upper] for v in variables]).T, tolerance)
    steps = max(1, min(config.time.steps, VALUES // (config.bank.count * (len(variables) + 2))))
    outputs, energies, stalled, lost = np.zeros(2), np.zeros(2), 0, ""
    try:
        done = [_driven(config, steps, factor, threads, progress) for factor in (1, 2, 4)]
        compared.add(*(each.states for each in done))
        outputs = relative([each.responses for each in done])
        energies = relative([each.energies for each in done])
        stalled = done[0].stalled
    except RunError as error:
        lost = str(error)
    model = str(getattr(config.device, "model", type(config.device).__name__))
    constant = config.device.functions().constant_drift
    # Under a voltage, or a current that changes within a step, a drift changes too.
    constant = constant and config.bank.drive == "current"
    bank = StateDifference(model, *compared.shares, compared.jumps, constant, stalled)
    covered = f"{steps:,} steps of {config.bank.count} device{'s' * (config.bank.count != 1)}"
    return DtCheck(
        config.time.dt,
        config.time.integrator,
        covered,
        (bank,),
        float(outputs[0]),
        float(outputs[1]),
        tolerance,
        lost,
        float(energies[0]),
        float(energies[1]),
    )


class _Driven(NamedTuple):
    """What a drive gives at the ends of the steps of dt, however fine its own steps are."""

    states: np.ndarray  # (variables, n)
    responses: np.ndarray  # (n,)
    energies: np.ndarray  # (devices,)
    stalled: int


def _driven(
    config: DriveConfiguration, steps: int, factor: int, threads: int, progress: Callable[[int, int], None] | None
) -> _Driven:
    """The first steps of a drive, taken in steps of dt / factor."""
    time = config.time
    finer = time.model_copy(update={"dt": time.dt / factor, "duration": steps * time.dt})
    with drive.run(config.model_copy(update={"time": finer}), threads=threads, progress=progress) as trace:
        rows = _every(trace, factor, QUANTITIES[config.bank.drive])
        return _Driven(*rows, trace.energy, int(trace.stalled.sum()))


def _every(trace: DriveTrace, factor: int, response: str) -> tuple[np.ndarray, np.ndarray]:
    states, responses = (trace.window(name)[factor - 1 :: factor] for name in ("state", response))
    states = states.reshape(len(states), len(trace.labels), -1)
    return states.transpose(2, 0, 1).reshape(states.shape[2], -1), responses.ravel()
