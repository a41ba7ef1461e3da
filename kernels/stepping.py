"""Stepping: every device's state, dt by dt, through a pulse or a sampled waveform.

All devices of a bank and all realisations of it lie side by side as *elements*.
A kernel takes them in tiles: it loads a tile's states, carries them through the
whole pulse, and stores them. The functions below are templates: their open
names (``drift``, ``output``, ``advance``, ...) are bound for each device model by
:func:`pulse_kernel` and :func:`waveform_kernel`.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .compiling import compiled, file_digest, specialise
from .scratch import fixed_tuple, stack_array

TILE = 64

ANY_VARIABLE = -1  # every variable may move
NO_VARIABLE = -2  # no variable may move: a READ

INTEGRATORS = ("euler", "heun")

# Open names of the templates.
drift: Callable
output: Callable
conjugate: Callable
advance: Callable
VARIABLES: int
PARAMETERS: int


class ModelFunctions(NamedTuple):
    """What a kernel needs of a device model.

    Attributes
    ----------
    key : str
        Name of the functions' combination, a Python identifier; the key of the
        disk cache.
    variables, parameters : int
        How many state variables and parameters the model has.
    drift, output : function
        See :mod:`memsim.kernels.models`.
    current : function or None
        Current under a voltage, of models with one variable that a voltage can
        drive.
    """

    key: str
    variables: int
    parameters: int
    drift: Callable
    output: Callable
    current: Callable | None = None


def euler_step(x, rate, ahead, start, end, p, lower, upper, dt):
    """One step of explicit Euler for a tile; the drive is the one at the step's start."""
    for v in range(VARIABLES):
        for j in range(TILE):
            rate[v, j] = x[v, j] + dt * drift(v, x, j, start[0, j], p)
    for v in range(VARIABLES):
        for j in range(TILE):
            moved = lower[v] if rate[v, j] < lower[v] else rate[v, j]
            x[v, j] = upper[v] if moved > upper[v] else moved


def heun_step(x, rate, ahead, start, end, p, lower, upper, dt):
    """One step of Heun's second-order method for a tile, with the drive at both ends."""
    for v in range(VARIABLES):
        for j in range(TILE):
            rate[v, j] = drift(v, x, j, start[0, j], p)
    for v in range(VARIABLES):
        for j in range(TILE):
            moved = x[v, j] + dt * rate[v, j]
            moved = lower[v] if moved < lower[v] else moved
            ahead[v, j] = upper[v] if moved > upper[v] else moved
    for v in range(VARIABLES):
        for j in range(TILE):
            rate[v, j] += drift(v, ahead, j, end[0, j], p)
    for v in range(VARIABLES):
        for j in range(TILE):
            moved = x[v, j] + (0.5 * dt) * rate[v, j]
            moved = lower[v] if moved < lower[v] else moved
            x[v, j] = upper[v] if moved > upper[v] else moved


@compiled
def load_tile(states, x, first, count, padding):
    """Load a tile of states; the last tile is padded, so that all loops have one length."""
    for v in range(x.shape[0]):
        for j in range(count):
            x[v, j] = states[v, first + j]
        for j in range(count, TILE):
            x[v, j] = padding[v]


@compiled
def load_drive(values, drive, first, count):
    """Load a tile's drive; padding elements get none."""
    for j in range(count):
        drive[0, j] = values[first + j]
    for j in range(count, TILE):
        drive[0, j] = 0.0


@compiled
def store_tile(states, x, first, count, addressed, disturbed):
    """Put a tile's states back, and count variables that moved without being addressed."""
    for v in range(x.shape[0]):
        guarded = addressed not in (v, ANY_VARIABLE)
        for j in range(count):
            disturbed[first + j] += 1.0 if guarded and x[v, j] != states[v, first + j] else 0.0
            states[v, first + j] = x[v, j]


@compiled
def record_row(x, count, first, row_states, row):
    """Write a tile's states into a row of the trace."""
    for v in range(x.shape[0]):
        for j in range(count):
            row_states[v, row, first + j] = x[v, j]


@compiled
def record_tile(x, drive, voltage, count, first, row_states, row_currents, row_voltages, row):
    """Write a tile's states, currents and voltages into a row of the trace."""
    record_row(x, count, first, row_states, row)
    for j in range(count):
        row_currents[row, first + j] = drive[0, j]
        row_voltages[row, first + j] = voltage[0, j]


def any_drift(x, drive, p):
    """Whether any variable of a tile has a drift that is not zero."""
    moving = False
    for v in range(VARIABLES):
        for j in range(TILE):
            moving |= drift(v, x, j, drive[0, j], p) != 0.0
    return moving


def pulse(
    states, currents, steps, dt, parameters, lower_bounds, upper_bounds, addressed, held, skip,
    voltages, energies, disturbed, row_states, row_currents, row_voltages, first_row,
):  # fmt: skip
    """Step a bank through a pulse of constant currents.

    A tile in which no variable drifts is not stepped: with a constant current
    its states stay where they are, so this changes no bit.

    Parameters
    ----------
    states : (variables, elements) float64
        Updated in place.
    currents : (elements,) float64
        Amplitude of each element's pulse in A.
    steps : int
        Width of the pulse in steps, 1 or more.
    dt : float
        Step in s.
    parameters : (parameters,) float64
    lower_bounds, upper_bounds : (variables,) float64
        States stop there.
    addressed : int
        The variable that the pulse may move; ANY_VARIABLE or NO_VARIABLE.
    held : int
        1: external control holds the states; the devices only conduct.
    skip : bool
        False steps resting tiles too, for the proof that skipping is exact.
    voltages : (elements,) float64
        Filled with the voltages of the last row in V.
    energies : (elements,) float64
        The sum of V * I * dt in J is added.
    disturbed : (elements,) float64
        The number of variables that moved without being addressed is added.
    row_states, row_currents, row_voltages : arrays
        (variables, rows, elements) and (rows, elements), filled from
        ``first_row`` on; no rows where nothing is recorded.

    Returns
    -------
    int
        Device-steps that were integrated.
    """
    elements = states.shape[1]
    p = fixed_tuple(parameters, PARAMETERS)
    lower = fixed_tuple(lower_bounds, VARIABLES)
    upper = fixed_tuple(upper_bounds, VARIABLES)
    x = stack_array(VARIABLES, TILE)
    rate = stack_array(VARIABLES, TILE)
    ahead = stack_array(VARIABLES, TILE)
    drive = stack_array(1, TILE)
    at_first = stack_array(1, TILE)
    beyond_first = stack_array(1, TILE)
    voltage = stack_array(1, TILE)
    record = row_voltages.shape[0] > 0
    stepped = 0
    for first in range(0, elements, TILE):
        count = min(TILE, elements - first)
        load_tile(states, x, first, count, lower)
        load_drive(currents, drive, first, count)
        moving = held == 0 and (not skip or any_drift(x, drive, p))
        if moving:
            stepped += count * steps
            advance(x, rate, ahead, drive, drive, p, lower, upper, dt)
        for j in range(TILE):
            voltage[0, j] = output(x, j, drive[0, j], p)
            at_first[0, j] = voltage[0, j]
            beyond_first[0, j] = 0.0
        if record:
            record_tile(x, drive, voltage, count, first, row_states, row_currents, row_voltages, first_row)
        for t in range(1, steps if moving or record else 1):
            if moving:
                advance(x, rate, ahead, drive, drive, p, lower, upper, dt)
                for j in range(TILE):
                    voltage[0, j] = output(x, j, drive[0, j], p)
                    beyond_first[0, j] += voltage[0, j] - at_first[0, j]
            if record:
                record_tile(x, drive, voltage, count, first, row_states, row_currents, row_voltages, first_row + t)
        if moving:
            store_tile(states, x, first, count, addressed, disturbed)
        # Energy over a pulse is I * dt * (steps * V_1 + sum of (V_n - V_1)), which
        # is the same to the bit whether a resting tile is stepped or not.
        for j in range(count):
            voltages[first + j] = voltage[0, j]
            energies[first + j] += drive[0, j] * dt * (steps * at_first[0, j] + beyond_first[0, j])
    return stepped


def waveform(
    states, starts, ends, lines, dt, parameters, lower_bounds, upper_bounds,
    row_states, row_drives, row_responses, energies,
):  # fmt: skip
    """Step a bank through sampled waveforms, linear within each step.

    Parameters
    ----------
    states : (variables, elements) float64
        Updated in place.
    starts, ends : (steps, lines) float64
        The drive at the start and at the end of each step, in A or V.
    lines : (elements,) int64
        The line that drives each element.
    dt : float
        Step in s.
    parameters, lower_bounds, upper_bounds : arrays
        As for :func:`pulse`.
    row_states, row_drives, row_responses : arrays
        (variables, steps, elements) and (steps, elements): the state, the drive
        and the response at each step's end.
    energies : (elements,) float64
        The sum of V * I * dt in J is added.
    """
    steps = starts.shape[0]
    elements = states.shape[1]
    p = fixed_tuple(parameters, PARAMETERS)
    lower = fixed_tuple(lower_bounds, VARIABLES)
    upper = fixed_tuple(upper_bounds, VARIABLES)
    x = stack_array(VARIABLES, TILE)
    rate = stack_array(VARIABLES, TILE)
    ahead = stack_array(VARIABLES, TILE)
    start = stack_array(1, TILE)
    end = stack_array(1, TILE)
    for first in range(0, elements, TILE):
        count = min(TILE, elements - first)
        load_tile(states, x, first, count, lower)
        for j in range(TILE):
            start[0, j] = 0.0
            end[0, j] = 0.0
        for t in range(steps):
            for j in range(count):
                start[0, j] = starts[t, lines[first + j]]
                end[0, j] = ends[t, lines[first + j]]
            advance(x, rate, ahead, start, end, p, lower, upper, dt)
            record_row(x, count, first, row_states, t)
            for j in range(count):
                response = output(x, j, end[0, j], p)
                row_drives[t, first + j] = end[0, j]
                row_responses[t, first + j] = response
                energies[first + j] += end[0, j] * response * dt
        for v in range(VARIABLES):
            for j in range(count):
                states[v, first + j] = x[v, j]


def _one_variable_drift(variable, x, element, i, p):
    return drift(x[0, element], i, p)


def _one_variable_output(x, element, i, p):
    return output(x[0, element], i, p)


def _one_variable_current(x, element, v, p):
    return conjugate(x[0, element], v, p)


def _drift_under_voltage(variable, x, element, v, p):
    return drift(variable, x, element, conjugate(x, element, v, p), p)


@functools.cache
def cache_key(model: ModelFunctions) -> str:
    """The model's key, with a digest of its file where that is a user's own."""
    digest = file_digest(model.drift, model.output, model.current)
    return f"{model.key}_{digest}" if digest else model.key


@functools.cache
def tile_functions(model: ModelFunctions):
    """The model's drift, output and current, compiled, as functions of a tile's element."""
    key = cache_key(model)
    parts = {"drift": model.drift, "output": model.output, "current": model.current}
    plain = {
        part: specialise(function, f"{part}_{key}") if function is not None else None
        for part, function in parts.items()
    }
    if model.variables > 1:
        return plain["drift"], plain["output"], plain["current"]
    inverse = plain["current"]
    return (
        specialise(_one_variable_drift, f"tile_drift_{key}", drift=plain["drift"]),
        specialise(_one_variable_output, f"tile_output_{key}", output=plain["output"]),
        inverse and specialise(_one_variable_current, f"tile_current_{key}", conjugate=inverse),
    )


def _bindings(model, key, tile_drift, tile_output, integrator):
    """What the templates' open names stand for."""
    numbers = {"VARIABLES": model.variables, "PARAMETERS": model.parameters}
    step = {"euler": euler_step, "heun": heun_step}[integrator]
    return {
        **numbers,
        "drift": tile_drift,
        "output": tile_output,
        "advance": specialise(step, f"{integrator}_step_{key}", drift=tile_drift, **numbers),
        "any_drift": specialise(any_drift, f"any_drift_{key}", drift=tile_drift, **numbers),
    }


@functools.cache
def pulse_kernel(model: ModelFunctions, integrator: str):
    """The kernel :func:`pulse` for a device model and an integrator."""
    tile_drift, tile_output, _ = tile_functions(model)
    key = cache_key(model)
    bindings = _bindings(model, key, tile_drift, tile_output, integrator)
    return specialise(pulse, f"pulse_{integrator}_{key}", **bindings)


@functools.cache
def waveform_kernel(model: ModelFunctions, integrator: str, drive: str):
    """The kernel :func:`waveform` for a model, an integrator, and a ``"current"`` or ``"voltage"`` drive.

    Under a voltage the drift is taken at the current that the voltage causes,
    and the response is that current.
    """
    tile_drift, tile_output, tile_current = tile_functions(model)
    key = f"{cache_key(model)}_under_{drive}"
    if drive == "voltage":
        tile_drift = specialise(_drift_under_voltage, f"drift_{key}", drift=tile_drift, conjugate=tile_current)
        tile_output = tile_current
    bindings = _bindings(model, key, tile_drift, tile_output, integrator)
    return specialise(waveform, f"waveform_{integrator}_{key}", **bindings)


def no_rows(variables: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row arrays of no rows, for a pulse that is not recorded."""
    return np.empty((variables, 0, 0)), np.empty((0, 0)), np.empty((0, 0))
