"""Stepping: every device's state, dt by dt, through a pulse or a sampled waveform.

All devices of a bank and all realisations of it lie side by side as *elements*.
A kernel takes them in tiles: it loads a tile's states, has the model's function
carry them through the whole pulse, counts, and stores them. A pulse is one
kernel for all models; the function for a tile is one for each
(:func:`tile_kernel`), and is called by its address. A waveform is likewise one kernel, which calls the
model's function for a step (:func:`follow_kernel`).
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from . import logit, tiles
from .compiling import Kernel, file_digest, inlined, merged, part, plain, specialise
from .operands import ALL, FOLLOW, TILE, Job, instruction_on
from .records import call_step, call_tile
from .scratch import fetch, fixed_tuple, line, load, sheet, show, stack_array, store, unknown
from .tiles import DRIFTS, DRIVE, LOGIT, NARROW, NO_VARIABLE, PRESENT, STALLS, START, STATES, VOLTAGE, WIDE, tiles_of

INTERLEAVE = 8  # vectors of a wide tile, where one has eight numbers: a loop over it is without a loop then
INTEGRATORS = ("euler", "heun")
EXACT = "exact"  # in an integrator's place: a pulse is one evaluation of its closed form

# Open names of the templates.
drift: Callable
drift_near: Callable
conjugate: Callable
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
    drift_near, drift_near_under_voltage : function or None
        Of models with one variable whose drift vanishes at both bounds: the
        drift, ``(x, below, above, drive, p)``, where the distances to the bounds
        have all their digits; see :mod:`memsim.kernels.logit`.
    shown : int or None
        Of several variables, none of whose drifts changes: which the voltage depends on alone, counted from the last,
        which is 1.
    own_parameters : bool
        Whether each element has parameters of its own: a kernel then takes them
        as (parameters, room).
    carried : bool
        Whether the last parameters are carriers, which change from step to step
        (:mod:`memsim.kernels.carriers`).
    sized : bool
        Whether the model is one for any number of state variables, with a
        parameter more for each: how many there are is data of a bank, and no
        matter of the compiler's.
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
    drift_near: Callable | None = None
    drift_near_under_voltage: Callable | None = None
    shown: int | None = None
    own_parameters: bool = False
    carried: bool = False
    sized: bool = False

    @property
    def has_closed_form(self) -> bool:
        """Whether a pulse of constant current is one evaluation."""
        return self.variables == 1 and self.constant_drift and self.affine_output

    def of_any_size(self) -> "ModelFunctions":
        """The model without the number of its variables, where that is data."""
        return self._replace(variables=0, parameters=self.parameters - self.variables) if self.sized else self


def method_of(model: ModelFunctions, integrator: str) -> str:
    """The method that a model is stepped with: of a constant drift Heun's is Euler's to the bit."""
    if integrator == EXACT:
        return "euler"
    return "euler" if model.constant_drift and model.variables == 1 else integrator


# A model's function for a tile. Parameters are shared by all elements, or each element has its own. Of one state they
# are a tuple, which the compiler keeps in registers.


def shared_of_tile(job, first):
    """The parameters of a bank."""
    return fixed_tuple(job.parameters, PARAMETERS)


def shared_of_element(p, j):
    """The parameters of a bank, which every element has."""
    return p


def own_of_tile(job, first):
    """The parameters of a tile's elements, in scratch."""
    taken = stack_array(PARAMETERS, WIDTH)
    room = job.currents.size
    for k in range(PARAMETERS):
        load(taken[k], job.parameters, k * room + first, WIDTH)
    return taken


def own_of_element(p, j):
    """The parameters of one element of a tile."""
    return fixed_tuple(p[:, j], PARAMETERS)


def shared_of_tile_of_several(job, first):
    """The parameters of a bank."""
    return job.parameters


def own_of_tile_of_several(job, first):
    """The parameters of a bank's elements from ``first`` on."""
    room = job.currents.size
    return sheet(job.parameters, first, job.parameters.size // room, room)


def own_of_element_of_several(p, j):
    """The parameters of one element of a tile."""
    return p[:, j]


def tile_kernel(model: ModelFunctions, integrator: str, width: int) -> Kernel:
    """A model's function for a tile, with an integrator or ``EXACT``.

    Raises
    ------
    ValueError
        The closed form of a model that has none.
    """
    if integrator == EXACT and not model.has_closed_form:
        raise ValueError(f"{model.key}: has no closed form of a pulse")
    method = EXACT if integrator == EXACT else method_of(model, integrator)
    return build_tile_kernel(model.of_any_size(), method, width)


@functools.cache
def build_tile_kernel(
    model: ModelFunctions, method: str, width: int, variant: str = "", template: Callable | None = None,
    interleave: int = INTERLEAVE, **own,
) -> Kernel:  # fmt: skip
    """Build a tile's function; the benchmark builds variants, to measure what its parts earn.

    Parameters
    ----------
    model : ModelFunctions
    method : str
        An integrator, or ``EXACT``.
    width : int
        Elements of a tile.
    variant : str
        A name of its own, for the disk cache.
    template : function, optional
        Another one in the place of those of :mod:`memsim.kernels.tiles`.
    interleave : int
        Vectors that loops work on side by side; 0 leaves it to the compiler.
    **own
        Other functions in the place of what the template uses.
    """
    if (template or own or interleave != INTERLEAVE) and not variant:
        raise ValueError("variant: needs a name of its own, or the disk would give the usual function")
    several = model.variables != 1
    key = f"{method}_{cache_key(model)}_{width}{variant and '_'}{variant}"
    names = {**_method(model, method, "current", key, width), **own}
    for name, found in zip(("of_tile", "of_element"), _parameters(model), strict=True):
        names[name] = specialise(found, f"{name}_{key}", compiler=inlined, **names)
    if several:
        names["SHOWN"] = model.shown
        names["begin_several"] = specialise(tiles.begin_several, f"begin_{key}", compiler=inlined, **names)
        for name in ("drifts_of", "carry_alone"):
            names[name] = specialise(getattr(tiles, name), f"{name}_{width}", compiler=inlined, WIDTH=width)
        names["advance"] = specialise(names["advance"], f"advance_{key}", compiler=inlined, **names)
    chosen = template or _template(model, method, width)
    if model.drift_near is not None:
        forget = specialise(logit.forget_strangers, f"forget_strangers_{width}", compiler=part, WIDTH=width)
        names["forget_strangers"] = forget
        names["each_carried"] = specialise(logit.carry_each, f"each_carried_{key}", compiler=part, **names)
    elif not several:
        names["mark_stalled"] = specialise(tiles.find_stalled, f"mark_stalled_{key}", compiler=part, **names)
        for name in ("begin", "show_voltage"):
            names[name] = specialise(getattr(tiles, name), f"{name}_{key}", compiler=inlined, **names)
    by_voltage = chosen is tiles.tile_of_one and model.drift_under_voltage is not None and "BY_VOLTAGE" not in own
    names.setdefault("BY_VOLTAGE", by_voltage)
    if by_voltage:
        law = specialise(model.drift_under_voltage, f"law_{key}", compiler=merged)
        step = {"heun": tiles.heun_by_voltage}.get(method, tiles.euler)
        names["advance"] = specialise(step, f"advance_by_voltage_{key}", compiler=inlined, **{**names, "drift": law})
    return Kernel(specialise(chosen, f"tile_{key}", compiler=plain, **names), TILE, interleave=interleave)


def _template(model: ModelFunctions, method: str, width: int) -> Callable:
    """What carries a tile of a model."""
    if model.drift_near is not None:
        return logit.tile_of_one_near
    steady = model.constant_drift and width > NARROW  # loops over a narrow one are too small for vector instructions
    if model.variables != 1:
        return tiles.tile_of_several_steady if steady and model.shown is not None else tiles.tile_of_several
    if method == EXACT:
        return tiles.leap
    return tiles.tile_of_one_steady if steady else tiles.tile_of_one


def _parameters(model: ModelFunctions) -> tuple[Callable, Callable]:
    """How a model's parameters are read for a tile, and for an element of it."""
    if model.variables == 1:
        return (own_of_tile, own_of_element) if model.own_parameters else (shared_of_tile, shared_of_element)
    if model.own_parameters:
        return own_of_tile_of_several, own_of_element_of_several
    return shared_of_tile_of_several, shared_of_element


def _method(model: ModelFunctions, method: str, drive: str, key: str, width: int) -> dict:
    """A model's drift and output under a drive, and the template that takes a step with them."""
    drift_function, response = _physics(model, drive)
    names = {"PARAMETERS": model.parameters, "WIDTH": width, "drift": drift_function, "output": response}
    if model.drift_near is not None:
        return {**names, **_near(model, method, drive, key, names)}
    if model.variables == 1:
        step = {"heun": tiles.heun}.get(method, tiles.euler)
        return {**names, "advance": specialise(step, f"advance_{key}", compiler=inlined, **names)}
    steps = {"euler": tiles.euler_of_several, "heun": tiles.heun_of_several}
    constant = drive == "current" and model.constant_drift
    return {**names, "advance": tiles.constant_of_several if constant else steps[method]}


def _near(model: ModelFunctions, method: str, drive: str, key: str, names: dict) -> dict:
    """What steps a state near a bound."""
    under = specialise(_physics_near(model, drive), f"drift_near_{key}", compiler=merged)
    step = {"heun": logit.heun}.get(method, logit.euler)
    bound = {
        "drift_near": under,
        "rate": specialise(logit.rate_of_logit, f"rate_{key}", compiler=part, drift_near=under),
        "free": specialise(step, f"free_{key}", compiler=inlined, **names),
    }
    carried = {**names, **bound, "HEUN": method == "heun"}
    return {**bound, "carried": specialise(logit.carried_near, f"carried_{key}", compiler=part, **carried)}


@functools.cache
def cache_key(model: ModelFunctions) -> str:
    """The model's key, with a digest of its file where that is a user's own."""
    digest = file_digest(model.drift, model.output, model.current, model.drift_under_voltage, model.drift_near)
    return f"{model.key}_{digest}" if digest else model.key


def _drift_under_voltage(x, v, p):
    return drift(x, conjugate(x, v, p), p)


def _drift_of_several_under_voltage(variable, x, element, v, p):
    return drift(variable, x, element, conjugate(x, element, v, p), p)


@functools.cache
def _physics(model: ModelFunctions, drive: str):
    """Drift and response under a drive, compiled: the voltage under a current, or the current under a voltage."""
    key = cache_key(model)
    own = specialise(model.drift, f"drift_{key}", compiler=merged)
    if drive == "current":
        return own, specialise(model.output, f"output_{key}", compiler=merged)
    inverse = specialise(model.current, f"current_{key}", compiler=merged)
    name = f"drift_{key}_under_voltage"
    if model.drift_under_voltage is not None:
        return specialise(model.drift_under_voltage, name, compiler=merged), inverse
    under_voltage = _drift_under_voltage if model.variables == 1 else _drift_of_several_under_voltage
    return specialise(under_voltage, name, compiler=merged, drift=own, conjugate=inverse), inverse


def _drift_near_under_voltage(x, below, above, v, p):
    return drift_near(x, below, above, conjugate(x, v, p), p)


def _physics_near(model: ModelFunctions, drive: str) -> Callable:
    """The drift near bounds under a drive, not yet compiled."""
    assert model.drift_near is not None
    if drive == "current":
        return model.drift_near
    if model.drift_near_under_voltage is not None:
        return model.drift_near_under_voltage
    key = cache_key(model)
    bound = {
        "drift_near": specialise(model.drift_near, f"inner_drift_near_{key}", compiler=merged),
        "conjugate": specialise(model.current, f"current_near_{key}", compiler=merged),
    }
    return specialise(_drift_near_under_voltage, f"drift_near_{key}_under_voltage", compiler=plain, **bound)


# Pulses, one kernel for all models.


def record(job, rows, row, first, width, moving):
    """Show currents, voltages and states of a tile in a row of the trace."""
    elements, room = job.elements, job.currents.size
    place = job.elements_before * rows.capacity + row * elements + first
    show(job.currents, first, rows.current, place, width)
    show(job.tally.voltage, first, rows.voltage, place, width)
    for v in range(job.states.shape[0]):
        place = job.states_before * rows.capacity + (v * rows.capacity + row) * elements + first
        if moving:
            show(job.tile, (STATES + v) * WIDTH, rows.state, place, width)
        else:
            show(job.states, v * room + first, rows.state, place, width)


def rests(job, first):
    """Whether a tile of a quiet bank has no current; its voltages are 0 then, and there is nothing to count."""
    drive, driven = line(job.currents, first, WIDTH), 0
    for j in range(WIDTH):
        driven |= drive[j] != 0.0
    if driven == 0:
        voltage = line(job.tally.voltage, first, WIDTH)
        for j in range(WIDTH):
            voltage[j] = 0.0
    return driven == 0


def fetch_tile(job, first):
    """Have what a pulse needs of a tile on its way into the cache, while the one before is worked on."""
    tally = job.tally
    fetch(job.states, first, WIDTH)
    fetch(job.currents, first, WIDTH)
    fetch(tally.voltage, first, WIDTH)
    fetch(tally.energy, first, WIDTH)
    fetch(tally.peak_current, first, WIDTH)
    if job.addressed != NO_VARIABLE:
        fetch(tally.highest, first, WIDTH)
        fetch(tally.lowest, first, WIDTH)


def pulse(job, rows, step):
    """Step tiles of a bank through a pulse of constant currents; the device-steps that were integrated.

    A tile in which no variable drifts is not stepped: with a constant current
    its states stay where they are, so this changes no bit.
    """
    row = step + job.offset - rows.first_step
    recorded = job.recorded and rows.capacity > 0
    # Nobody looks at what is between the rows: without them the whole pulse is one stretch.
    stretch = 1 if recorded else job.steps
    stepped = 0
    listed = job.driven.size > 0
    for k in range(job.driven[0] if listed else 1):
        begin, end = (job.driven[2 * k + 1], job.driven[2 * k + 2]) if listed else (job.first, job.last)
        for first in range(begin, end, WIDTH):
            width = min(WIDTH, job.elements - first)
            if listed:  # the one after the last may be any: nothing is read of it
                fetch_tile(job, first + WIDTH if first + WIDTH < end else job.driven[2 * k + 3])
            if job.quiet and not recorded and rests(job, first):
                continue
            moving = call_tile(job.model, job, first, 0, stretch) != 0
            if recorded:
                for done in range(job.steps):
                    if moving and done > 0:
                        call_tile(job.model, job, first, done, 1)
                    record(job, rows, row + done, first, width, moving)
            count_tile(job, first, moving)
            if moving:
                for v in range(job.states.shape[0]):
                    store(line(job.tile, (STATES + v) * WIDTH, WIDTH), job.states, v * job.currents.size + first, WIDTH)
                stepped += width * job.steps
    return stepped


COUNTS = ("count_energy", "count_states", "count_bounds", "count_stalled", "count_tile")


@functools.cache
def pulse_kernel(width: int) -> Kernel:
    """A pulse in tiles of a width, of any model."""
    names: dict = {"WIDTH": width, "few": unknown_number if width == NARROW else known_number}
    names["fetch_tile"] = specialise(fetch_tile, f"fetch_tile_{width}", compiler=inlined, **names)
    names["record"] = specialise(record, f"record_{width}", compiler=part, **names)
    names["rests"] = specialise(rests, f"rests_{width}", compiler=merged, **names)
    for name in COUNTS:
        names[name] = specialise(getattr(tiles, name), f"{name}_{width}", compiler=merged, **names)
    return Kernel(specialise(pulse, f"pulse_{width}", compiler=plain, **names), instruction_on(Job))


@inlined
def known_number(number):
    """A length as it is: a loop over a wide tile becomes vector instructions."""
    return number


@inlined
def unknown_number(number):
    """A length that the compiler does not know: it would unroll a loop over a narrow tile before that."""
    return unknown(number)


class Stretch(NamedTuple):
    """A pulse of some of a bank's elements, in tiles of one width."""

    pulse: Kernel
    tile: Kernel
    job: Job  # without the address of the tile's kernel


def stretches_of(model: ModelFunctions, integrator: str, job: Job) -> list[Stretch]:
    """A pulse of a bank: its wide tiles, of which some may be left out, and what is left in narrow ones.

    Raises
    ------
    ValueError
        An array is shorter than whole tiles, which nothing in compiled code looks at.
    """
    _refuse_short(model, job)
    wide, narrow = tiles_of(job.elements)
    found = []
    for width, first, last in ((WIDE, 0, wide * WIDE), (NARROW, wide * WIDE, wide * WIDE + narrow * NARROW)):
        if first < last:
            driven = job.driven if width == WIDE else ALL
            part = job._replace(first=first, last=last, width=width, driven=driven)
            found.append(Stretch(pulse_kernel(width), tile_kernel(model, integrator, width), part))
    return found


def _refuse_short(model: ModelFunctions, job: Job) -> None:
    room, variables = tiles.room_of(job.elements), len(job.states)
    sheets = job.states, job.tally.highest, job.tally.lowest
    lines = job.currents, *job.tally[:-2]
    if min(values.shape[-1] for values in (*lines, *sheets)) < room or job.steps < 1:
        raise ValueError(f"job: arrays must have room for {room} elements, whole tiles, and a pulse 1 step or more")
    if min(map(len, (*sheets, job.lower, job.upper))) < variables or job.tile.size < tiles.new_tile(variables).size:
        raise ValueError(f"job: extremes, bounds and scratch must be of {variables} variables")
    if model.drift_near is not None and job.logit.size < room:
        raise ValueError(f"job: must have room for the logits of {room} elements")
    needed = model.parameters + (variables if model.sized and not model.variables else 0)
    if job.parameters.size < needed * (job.currents.size if model.own_parameters else 1):
        raise ValueError(f"job: needs {needed} parameters, of {job.currents.size} elements where each has its own")


# Waveforms, one kernel for all models.


def waveform(w):
    """Step a bank through sampled waveforms; the device-steps that were integrated."""
    steps, variables, elements, room, tile = w.starts.shape[0], w.lower.size, w.energies.size, w.states.shape[1], w.tile
    start, end = line(tile, START * WIDE, WIDE), line(tile, DRIVE * WIDE, WIDE)
    response, drifts = line(tile, VOLTAGE * WIDE, WIDE), line(tile, DRIFTS * WIDE, WIDE)
    for first in range(0, elements, WIDE):
        width = min(WIDE, elements - first)
        for v in range(variables):
            load(line(tile, (STATES + v) * WIDE, WIDE), w.states, v * room + first, WIDE)
        if w.logit.size > 0:
            load(line(tile, LOGIT * WIDE, WIDE), w.logit, first, WIDE)
            tile[PRESENT * WIDE] = width
        for j in range(WIDE):
            start[j] = 0.0
            end[j] = 0.0
            drifts[j] = 0.0
        for t in range(steps):
            for j in range(width):
                start[j] = w.starts[t, w.line_of[first + j]]
                end[j] = w.ends[t, w.line_of[first + j]]
            call_step(w.model, w)
            show(tile, DRIVE * WIDE, w.row_drives, t * elements + first, width)
            show(tile, VOLTAGE * WIDE, w.row_responses, t * elements + first, width)
            for v in range(variables):
                show(tile, (STATES + v) * WIDE, w.row_states, (v * steps + t) * elements + first, width)
            for j in range(width):
                spent = end[j] * response[j] * w.dt - w.rests[first + j]
                sum_of_steps = w.energies[first + j] + spent
                w.rests[first + j] = (sum_of_steps - w.energies[first + j]) - spent
                w.energies[first + j] = sum_of_steps
                w.stalled[first + j] += 1.0 if drifts[j] == STALLS else 0.0
        for v in range(variables):
            store(line(tile, (STATES + v) * WIDE, WIDE), w.states, v * room + first, WIDE)
        if w.logit.size > 0:
            store(line(tile, LOGIT * WIDE, WIDE), w.logit, first, WIDE)
    return steps * elements


WAVEFORM = Kernel(waveform, FOLLOW)


def follow_kernel(model: ModelFunctions, integrator: str, drive: str) -> Kernel:
    """A model's function for a step of a waveform, with an integrator, under a ``"current"`` or a ``"voltage"``.

    Under a voltage the response is the current that it causes.
    """
    return _follow_kernel(model.of_any_size(), integrator, drive)


@functools.cache
def _follow_kernel(model: ModelFunctions, integrator: str, drive: str) -> Kernel:
    key = f"{integrator}_{cache_key(model)}_under_{drive}"
    one = model.variables == 1
    names = _method(model._replace(constant_drift=False), integrator, drive, f"follow_{key}", WIDE)
    of_tile = shared_of_tile if one else shared_of_tile_of_several
    names["of_tile"] = specialise(of_tile, f"of_tile_follow_{key}", compiler=inlined, **names)
    names["of_element"] = specialise(shared_of_element, f"of_element_{key}", compiler=inlined)
    if not one:
        names["advance"] = specialise(names["advance"], f"advance_follow_{key}", compiler=inlined, **names)
    near = model.drift_near is not None
    if one and not near:
        names["mark_stalled"] = specialise(tiles.find_stalled, f"mark_stalled_follow_{key}", compiler=part, **names)
    template = logit.follow_one_near if near else tiles.follow_one if one else tiles.follow_several
    return Kernel(specialise(template, f"follow_{key}", compiler=plain, **names), FOLLOW, interleave=INTERLEAVE)
