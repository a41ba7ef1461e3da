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

from . import tiles
from .compiling import elementwise, file_digest, inlined, specialise
from .scratch import fixed_tuple, stack_array
from .tiles import (
    NARROW,
    WIDE,
    clear,
    load_drive,
    load_tile,
    record,
    record_states,
    store_tile,
    store_totals,
)  # fmt: skip

INTEGRATORS = ("euler", "heun")

# Open names of the templates.
drift: Callable
conjugate: Callable
conduct: Callable
find_moving: Callable
step_tile: Callable
carry_wide: Callable
carry_narrow: Callable
VARIABLES: int
PARAMETERS: int
WIDTH: int


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


def carry(
    first, count, states, currents, steps, dt, p, lower, upper, addressed, held, skip,
    voltages, energies, disturbed, row_states, row_currents, row_voltages, first_row,
):  # fmt: skip
    """Carry one tile through a pulse: ``count`` elements from ``first`` on; the device-steps that were integrated."""
    x = stack_array(VARIABLES, WIDTH)
    rate = stack_array(VARIABLES, WIDTH)
    ahead = stack_array(VARIABLES, WIDTH)
    voltage = stack_array(1, WIDTH)
    total = stack_array(1, WIDTH)
    drive = stack_array(1, WIDTH)
    moves = stack_array(1, WIDTH)
    tile = (x, rate, ahead, voltage, total)
    load_tile(states, x, first, count, lower)
    load_drive(currents, drive, first, count)
    clear(moves)
    clear(total)
    conduct(tile, drive, p)
    moving = held == 0 and (find_moving(x, drive, p, moves) or not skip)
    rows = row_voltages.shape[0]
    if moving and rows == 0:
        for _ in range(steps):
            step_tile(tile, drive, drive, p, lower, upper, dt)
    if rows > 0:
        for t in range(first_row, first_row + steps):
            if moving:
                step_tile(tile, drive, drive, p, lower, upper, dt)
            record_states(x, row_states, t, first, count)
            record(drive[0], row_currents[t], first, count)
            record(voltage[0], row_voltages[t], first, count)
    if moving:
        store_tile(states, x, first, count, addressed, disturbed)
    store_totals(tile, drive, moves, first, count, steps, dt, voltages, energies)
    return count * steps if moving else 0


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
    stepped = 0
    first = 0
    while first < elements:
        wide = elements - first > 2 * NARROW
        count = min(WIDE if wide else NARROW, elements - first)
        if wide:
            stepped += carry_wide(
                first, count, states, currents, steps, dt, p, lower, upper, addressed, held, skip,
                voltages, energies, disturbed, row_states, row_currents, row_voltages, first_row,
            )  # fmt: skip
        else:
            stepped += carry_narrow(
                first, count, states, currents, steps, dt, p, lower, upper, addressed, held, skip,
                voltages, energies, disturbed, row_states, row_currents, row_voltages, first_row,
            )  # fmt: skip
        first += count
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
    x = stack_array(VARIABLES, WIDE)
    rate = stack_array(VARIABLES, WIDE)
    ahead = stack_array(VARIABLES, WIDE)
    response = stack_array(1, WIDE)
    total = stack_array(1, WIDE)
    start = stack_array(1, WIDE)
    end = stack_array(1, WIDE)
    tile = (x, rate, ahead, response, total)
    for first in range(0, elements, WIDE):
        count = min(WIDE, elements - first)
        load_tile(states, x, first, count, lower)
        clear(start)
        clear(end)
        line = lines[first : first + count]
        energy = energies[first : first + count]
        for t in range(steps):
            for j in range(count):
                start[0, j] = starts[t, line[j]]
                end[0, j] = ends[t, line[j]]
            clear(total)
            step_tile(tile, start, end, p, lower, upper, dt)
            record_states(x, row_states, t, first, count)
            record(end[0], row_drives[t], first, count)
            record(response[0], row_responses[t], first, count)
            for j in range(count):
                energy[j] += end[0, j] * response[0, j] * dt
        for v in range(VARIABLES):
            record(x[v], states[v], first, count)


@functools.cache
def cache_key(model: ModelFunctions) -> str:
    """The model's key, with a digest of its file where that is a user's own."""
    digest = file_digest(model.drift, model.output, model.current)
    return f"{model.key}_{digest}" if digest else model.key


def _drift_under_voltage(x, v, p):
    return drift(x, conjugate(x, v, p), p)


def _drift_of_several_under_voltage(variable, x, element, v, p):
    return drift(variable, x, element, conjugate(x, element, v, p), p)


@functools.cache
def _physics(model: ModelFunctions, drive: str):
    """Drift and response under a drive, compiled: the voltage under a current, or the current under a voltage."""
    key = cache_key(model)
    plain = specialise(model.drift, f"drift_{key}", compiler=elementwise)
    if drive == "current":
        return plain, specialise(model.output, f"output_{key}", compiler=elementwise)
    inverse = specialise(model.current, f"current_{key}", compiler=elementwise)
    under_voltage = _drift_under_voltage if model.variables == 1 else _drift_of_several_under_voltage
    name = f"drift_{key}_under_voltage"
    return specialise(under_voltage, name, compiler=elementwise, drift=plain, conjugate=inverse), inverse


def _bindings(model: ModelFunctions, integrator: str, drive: str) -> dict:
    """What the open names of :func:`pulse` and :func:`waveform` stand for."""
    drift_function, response = _physics(model, drive)
    numbers = {"VARIABLES": model.variables, "PARAMETERS": model.parameters}
    key = f"{integrator}_{cache_key(model)}_under_{drive}"

    def bound(template, compiler=inlined, **names):
        return specialise(template, f"{template.__name__}_{key}", compiler=compiler, **numbers, **names)

    if model.variables == 1:
        step = bound({"euler": tiles.euler, "heun": tiles.heun}[integrator], elementwise, drift=drift_function)
        parts = tiles.step_tile, tiles.conduct, tiles.find_moving
    else:
        step = bound({"euler": tiles.euler_tile, "heun": tiles.heun_tile}[integrator], drift=drift_function)
        parts = tiles.step_tile_of_several, tiles.conduct_of_several, tiles.find_moving_of_several
    step_tile, conduct, find_moving = parts
    return {
        **numbers,
        "step_tile": bound(step_tile, advance=step, output=response),
        "conduct": bound(conduct, output=response),
        "find_moving": bound(find_moving, drift=drift_function),
    }


@functools.cache
def pulse_kernel(model: ModelFunctions, integrator: str):
    """The kernel :func:`pulse` for a device model and an integrator."""
    bindings = _bindings(model, integrator, "current")
    key = f"{integrator}_{cache_key(model)}"
    for name, width in (("carry_wide", WIDE), ("carry_narrow", NARROW)):
        bindings[name] = specialise(carry, f"{name}_{key}", compiler=inlined, WIDTH=width, **bindings)
    return specialise(pulse, f"pulse_{key}", **bindings)


@functools.cache
def waveform_kernel(model: ModelFunctions, integrator: str, drive: str):
    """The kernel :func:`waveform` for a model, an integrator, and a ``"current"`` or ``"voltage"`` drive.

    Under a voltage the drift is taken at the current that the voltage causes,
    and the response is that current.
    """
    bindings = _bindings(model, integrator, drive)
    return specialise(waveform, f"waveform_{integrator}_{cache_key(model)}_under_{drive}", **bindings)


def no_rows(variables: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row arrays of no rows, for a pulse that is not recorded."""
    return np.empty((variables, 0, 0)), np.empty((0, 0)), np.empty((0, 0))
