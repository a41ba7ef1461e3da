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
from .compiling import elementwise, file_digest, inlined, merged, specialise
from .scratch import fixed_tuple, give, stack_array, stack_line, take
from .tiles import NARROW, WIDE, Tile, give_tally, take_tally

INTEGRATORS = ("euler", "heun")
EXACT = "exact"  # in an integrator's place: a pulse is one evaluation of its closed form

# Open names of the templates.
drift: Callable
conjugate: Callable
begin_tile: Callable
carry_on: Callable
count_tile: Callable
step_tile: Callable
carry_wide: Callable
carry_narrow: Callable
of_bank: Callable
of_tile: Callable
lacks_parameters: Callable
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
    constant_drift : bool
        Whether no drift changes while the current is constant: it depends on
        the drive, and on variables that never move, alone.
    affine_output : bool
        Whether the voltage is affine in the state. With one variable of
        constant drift, a pulse then has a closed form.
    memristance : function or None
        Memristance in ohm for a state, of ohmic models with one variable: the
        voltage is the memristance times the current.
    drift_under_voltage : function or None
        The drift with a voltage in the place of the current, of models whose
        law has the voltage; without it, the drift is taken at the current that
        the voltage causes.
    own_parameters : bool
        Whether each element has parameters of its own: a kernel then takes them
        as (parameters, room).
    carried : bool
        Whether the last parameters are carriers, which change from step to step
        (:mod:`memsim.kernels.carriers`).
    """

    key: str
    variables: int
    parameters: int
    drift: Callable
    output: Callable
    current: Callable | None = None
    constant_drift: bool = False
    affine_output: bool = False
    memristance: Callable | None = None
    drift_under_voltage: Callable | None = None
    own_parameters: bool = False
    carried: bool = False

    @property
    def has_closed_form(self) -> bool:
        """Whether a pulse of constant current is one evaluation."""
        return self.variables == 1 and self.constant_drift and self.affine_output


# Parameters that all elements share, a tuple; or an element's own, a row of each in scratch.


def shared_of_bank(parameters):
    """The parameters of a bank as a tuple, which the compiler keeps in registers."""
    return fixed_tuple(parameters, PARAMETERS)


def shared_of_tile(p, first):
    """The same for every tile."""
    return p


def shared_of_element(p, j):
    """The same for every element."""
    return p


def lacks_shared_parameters(parameters, elements):
    """Whether there are fewer parameters than a kernel reads."""
    return parameters.size < PARAMETERS


def own_of_bank(parameters):
    """The parameters of a bank's elements, (parameters, room)."""
    return parameters


def own_of_tile(p, first):
    """The parameters of a tile's elements in scratch."""
    taken = stack_array(PARAMETERS, WIDTH)
    for k in range(PARAMETERS):
        take(taken[k], p[k], first, 0.0)
    return taken


def own_of_element(p, j):
    """The parameters of one element of a tile as a tuple."""
    return fixed_tuple(p[:, j], PARAMETERS)


def lacks_own_parameters(parameters, elements):
    """Whether there are fewer parameters, or of fewer elements, than a kernel reads."""
    return parameters.shape[0] < PARAMETERS or parameters.shape[1] < elements


class Tally(NamedTuple):
    """What a pulse leaves beside the states, for each element, all float64.

    Attributes
    ----------
    voltage : (elements,)
        At the end of the last step in V; replaced.
    energy : (elements,)
        The sum of V * I * dt in J is added.
    epoch_energy : (elements,)
        The same is added; whoever counts by epochs begins each with zeros.
    peak_current : (elements,)
        Largest magnitude in A.
    disturbed : (elements,)
        The number of variables that moved without being addressed is added.
    bound : (elements,)
        The number of variables that a pulse, which may move any, left at a
        bound is added.
    highest, lowest : (variables, elements)
        Extremes of the states.
    """

    voltage: np.ndarray
    energy: np.ndarray
    epoch_energy: np.ndarray
    peak_current: np.ndarray
    disturbed: np.ndarray
    bound: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray


class PulseRows(NamedTuple):
    """Rows of the trace that a pulse fills, all float64; no rows where nothing is recorded.

    Attributes
    ----------
    state : (variables, rows, elements)
    current, voltage : (rows, elements)
        In A and V.
    """

    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


def carry(first, states, currents, steps, dt, p, lower, upper, addressed, held, skip, tally, rows, first_row):
    """Carry the tile from element ``first`` on through a pulse; whether it was stepped."""
    tile = Tile(
        stack_array(VARIABLES, WIDTH), stack_array(VARIABLES, WIDTH), stack_array(VARIABLES, WIDTH), stack_line(WIDTH),
        stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH),
        stack_line(WIDTH), stack_array(VARIABLES, WIDTH), stack_array(VARIABLES, WIDTH),
    )  # fmt: skip
    before = stack_array(VARIABLES, WIDTH)
    x, drive = tile.x, tile.drive
    for v in range(VARIABLES):
        take(x[v], states[v], first, lower[v])
        take(before[v], states[v], first, lower[v])
    take(drive, currents, first, 0.0)
    own = of_tile(p, first)
    moving = (begin_tile(tile, own) or not skip) and held == 0
    recorded = rows.voltage.shape[0] > 0
    if moving and not recorded:
        carry_on(tile, before, 0, steps, own, lower, upper, dt)
    if recorded:
        for t in range(steps):
            if moving:
                carry_on(tile, before, t, 1, own, lower, upper, dt)
            for v in range(VARIABLES):
                give(x[v], rows.state[v, first_row + t], first)
            give(drive, rows.current[first_row + t], first)
            give(tile.voltage, rows.voltage[first_row + t], first)
    take_tally(tile, tally, first)
    changed = count_tile(tile, before, held, steps, dt, lower, upper, addressed)
    give_tally(tile, before, changed, lower, upper, addressed, tally, first)
    if moving:
        for v in range(VARIABLES):
            give(x[v], states[v], first)
    return moving


def too_short(states, currents, elements, parameters, lower, upper, tally):
    """Whether an array has fewer values than a pulse reads or writes: nothing below looks."""
    energies = min(tally.energy.size, tally.epoch_energy.size)
    lines = min(tally.voltage.size, energies, tally.peak_current.size, tally.disturbed.size, tally.bound.size)
    room = min(states.shape[1], currents.size, lines, tally.highest.shape[1], tally.lowest.shape[1])
    variables = min(states.shape[0], lower.size, upper.size, tally.highest.shape[0], tally.lowest.shape[0])
    return room < elements or variables < VARIABLES or lacks_parameters(parameters, elements)


def pulse(
    states, currents, elements, steps, dt, parameters, lower_bounds, upper_bounds, addressed, held, skip,
    tally, rows, first_row,
):  # fmt: skip
    """Step a bank through a pulse of constant currents.

    A tile in which no variable drifts is not stepped: with a constant current
    its states stay where they are, so this changes no bit.

    Parameters
    ----------
    states : (variables, room) float64
        Updated in place. ``room`` is ``elements`` or more; a length of
        :func:`~memsim.kernels.tiles.room_of` elements is the fastest, and what
        lies beyond the elements is carried along.
    currents : (room,) float64
        Amplitude of each element's pulse in A.
    elements : int
        Elements whose device-steps are counted.
    steps : int
        Width of the pulse in steps, 1 or more.
    dt : float
        Step in s.
    parameters : (parameters,) float64
        Or (parameters, room), of a model with ``own_parameters``.
    lower_bounds, upper_bounds : (variables,) float64
        States stop there.
    addressed : int
        The variable that the pulse may move; ANY_VARIABLE or NO_VARIABLE.
    held : int
        1: external control holds the states; the devices only conduct.
    skip : bool
        False steps resting tiles too, for the proof that skipping is exact.
    tally : Tally
        Its arrays have ``room`` elements too.
    rows : PulseRows
        Filled from ``first_row`` on.
    first_row : int

    Returns
    -------
    int
        Device-steps that were integrated; -1, and nothing done, where an array
        is too short.
    """
    if too_short(states, currents, elements, parameters, lower_bounds, upper_bounds, tally):
        return -1
    p = of_bank(parameters)
    lower = fixed_tuple(lower_bounds, VARIABLES)
    upper = fixed_tuple(upper_bounds, VARIABLES)
    stepped = 0
    first = 0
    while first < elements:
        if elements - first > 2 * NARROW:
            width = WIDE
            moved = carry_wide(
                first, states, currents, steps, dt, p, lower, upper, addressed, held, skip, tally, rows, first_row
            )
        else:
            width = NARROW
            moved = carry_narrow(
                first, states, currents, steps, dt, p, lower, upper, addressed, held, skip, tally, rows, first_row
            )
        if moved:
            stepped += min(width, elements - first) * steps
        first += width
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
    start = stack_line(WIDE)
    unused = stack_line(WIDE)
    several_unused = stack_array(VARIABLES, WIDE)
    tile = Tile(
        stack_array(VARIABLES, WIDE), stack_array(VARIABLES, WIDE), stack_array(VARIABLES, WIDE), stack_line(WIDE),
        stack_line(WIDE), stack_line(WIDE), unused, unused, unused, unused, several_unused, several_unused,
    )  # fmt: skip
    x, end, response = tile.x, tile.drive, tile.voltage
    for j in range(WIDE):
        tile.total[j] = 0.0
    for first in range(0, elements, WIDE):
        for v in range(VARIABLES):
            take(x[v], states[v], first, lower[v])
        for j in range(WIDE):
            start[j] = 0.0
            end[j] = 0.0
        line_of = lines[first : first + WIDE]
        energy = energies[first : first + WIDE]
        for t in range(steps):
            for j in range(line_of.size):
                start[j] = starts[t, line_of[j]]
                end[j] = ends[t, line_of[j]]
            step_tile(tile, start, end, p, lower, upper, dt)
            for v in range(VARIABLES):
                give(x[v], row_states[v, t], first)
            give(end, row_drives[t], first)
            give(response, row_responses[t], first)
            for j in range(energy.size):
                energy[j] += end[j] * response[j] * dt
        for v in range(VARIABLES):
            give(x[v], states[v], first)


@functools.cache
def cache_key(model: ModelFunctions) -> str:
    """The model's key, with a digest of its file where that is a user's own."""
    digest = file_digest(model.drift, model.output, model.current, model.drift_under_voltage)
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
    name = f"drift_{key}_under_voltage"
    if model.drift_under_voltage is not None:
        return specialise(model.drift_under_voltage, name, compiler=elementwise), inverse
    under_voltage = _drift_under_voltage if model.variables == 1 else _drift_of_several_under_voltage
    return specialise(under_voltage, name, compiler=elementwise, drift=plain, conjugate=inverse), inverse


def _bindings(model: ModelFunctions, integrator: str, drive: str, kernel: str) -> dict:
    """What the open names of a kernel, :func:`pulse` or :func:`waveform`, stand for."""
    drift_function, response = _physics(model, drive)
    numbers = {"VARIABLES": model.variables, "PARAMETERS": model.parameters}
    key = f"{kernel}_{integrator}_{cache_key(model)}_under_{drive}"

    def bound(template, compiler=inlined, **names):
        return specialise(template, f"{template.__name__}_{key}", compiler=compiler, **numbers, **names)

    of_bank, of_element, lacks = (
        (own_of_bank, own_of_element, lacks_own_parameters)
        if model.own_parameters
        else (shared_of_bank, shared_of_element, lacks_shared_parameters)
    )
    of_element = bound(of_element, elementwise)
    one = model.variables == 1
    if one:
        step = bound({"heun": tiles.heun}.get(integrator, tiles.euler), elementwise, drift=drift_function)
    elif kernel == "pulse" and model.constant_drift:
        step = bound(tiles.constant_of_several)
    else:
        methods = {"euler": tiles.euler_of_several, "heun": tiles.heun_of_several}
        step = bound(methods[integrator], drift=drift_function)
    step_tile = bound(
        tiles.step_tile_of_one if one else tiles.step_tile_of_several,
        advance=step,
        output=response,
        of_element=of_element,
    )
    begin_tile = tiles.begin_tile_of_one if one else tiles.begin_tile_of_several
    carry_on = tiles.leap if integrator == EXACT else tiles.step_through
    return {
        **numbers,
        "step_tile": step_tile,
        "begin_tile": bound(begin_tile, drift=drift_function, output=response, of_element=of_element),
        "carry_on": bound(carry_on, drift=drift_function, output=response, step_tile=step_tile, of_element=of_element),
        "count_tile": bound(tiles.count_tile),
        "of_bank": bound(of_bank),
        "too_short": bound(too_short, merged, lacks_parameters=bound(lacks)),
    }


@functools.cache
def pulse_kernel(model: ModelFunctions, integrator: str):
    """The kernel :func:`pulse` for a device model and an integrator, or ``EXACT`` for one with a closed form."""
    return build_pulse_kernel(model, integrator)


def build_pulse_kernel(
    model: ModelFunctions,
    integrator: str,
    variant: str = "",
    *,
    wide=WIDE,
    narrow=NARROW,
    pulse_compiler=merged,
    **own,
):
    """Build a variant of :func:`pulse_kernel`, to measure what its parts earn.

    Parameters
    ----------
    model : ModelFunctions
    integrator : str
    variant : str
        A name of its own, for the disk cache.
    wide, narrow : int
        Elements of a tile.
    pulse_compiler : function
        From :mod:`memsim.kernels.compiling`.
    **own
        Other functions in the place of what :func:`carry` uses.

    Raises
    ------
    ValueError
        The closed form of a model that has none.
    """
    if integrator == EXACT and not model.has_closed_form:
        raise ValueError(f"{model.key}: has no closed form of a pulse")
    bindings = {**_bindings(model, integrator, "current", "pulse"), **own}
    key = f"{integrator}_{cache_key(model)}{variant and '_'}{variant}"
    for name, width in (("carry_wide", wide), ("carry_narrow", narrow)):
        template = own_of_tile if model.own_parameters else shared_of_tile
        of_tile = specialise(template, f"of_tile_of_{name}_{key}", compiler=inlined, WIDTH=width, **bindings)
        bindings[name] = specialise(carry, f"{name}_{key}", compiler=inlined, WIDTH=width, of_tile=of_tile, **bindings)
    return specialise(pulse, f"pulse_{key}", compiler=pulse_compiler, WIDE=wide, NARROW=narrow, **bindings)


@functools.cache
def waveform_kernel(model: ModelFunctions, integrator: str, drive: str):
    """The kernel :func:`waveform` for a model, an integrator, and a ``"current"`` or ``"voltage"`` drive.

    Under a voltage the response is the current that it causes.
    """
    bindings = _bindings(model, integrator, drive, "waveform")
    return specialise(waveform, f"waveform_{integrator}_{cache_key(model)}_under_{drive}", **bindings)


def no_rows(variables: int) -> PulseRows:
    """Rows of a pulse that is not recorded."""
    return PulseRows(np.empty((variables, 0, 0)), np.empty((0, 0)), np.empty((0, 0)))


def new_tally(states: np.ndarray) -> Tally:
    """A tally in which nothing has been counted yet, for (variables, elements) states."""
    voltage, energy, epoch_energy, peak_current, disturbed, bound = np.zeros((6, states.shape[1]))
    return Tally(voltage, energy, epoch_energy, peak_current, disturbed, bound, states.copy(), states.copy())
