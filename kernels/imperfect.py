"""Imperfect devices and periphery: what the learning loop does where not all is as its calibration says.

Each device has parameters of its own. After those of its model comes a factor
of its drift: 0 of a stuck device, else 1, and drawn anew for each pulse under
write noise. Where states relax, there follow the rate of that, and the state
that each variable relaxes to; then what :mod:`memsim.kernels.past` adds. The
controller does not know them. The hooks of perfect networks compile to nothing.
"""

import functools
import math
from collections.abc import Callable

import numpy as np

from . import past
from .compiling import compiled, elementwise, inlined, specialise
from .mathematics import exponential
from .past import draw_traps, keep_past, recall, varying_output_of_one, varying_output_of_several, wear
from .random import PURPOSE_READ_NOISE, PURPOSE_WRITE_NOISE, normal
from .scratch import line, sheet
from .slots import BankColumn, Column, Flaw, Imperfect, Operation, Phase, Rule
from .stepping import ModelFunctions, cache_key

# Open names of the templates.
inner = None
FACTOR: int


def drift_of_one(x, i, p):
    """The model's drift times the device's factor."""
    return p[FACTOR] * inner(x, i, p)


def drift_of_several(variable, x, element, i, p):
    """The model's drift times the device's factor."""
    return p[FACTOR] * inner(variable, x, element, i, p)


def relaxing_drift_of_one(x, i, p):
    """The same, and the relaxation."""
    return p[FACTOR] * inner(x, i, p) + p[FACTOR + 1] * (p[FACTOR + 2] - x)


def relaxing_drift_of_several(variable, x, element, i, p):
    """The same, and the relaxation."""
    relaxation = p[FACTOR + 1] * (p[FACTOR + 2 + variable] - x[variable, element])
    return p[FACTOR] * inner(variable, x, element, i, p) + relaxation


def parameters_beyond(variables: int) -> int:
    """How many parameters may follow those of a model: a factor, a rate, a state for each variable, and of the past."""
    return 2 + variables + past.PARAMETERS


@functools.cache
def imperfect(model: ModelFunctions, kind: Imperfect) -> ModelFunctions:
    """A model whose elements have parameters of their own, and what the imperfections add after them."""
    relaxing = Imperfect.RELAXING in kind
    varying = Imperfect.VARYING in kind
    key = f"{name_of(kind)}_{cache_key(model)}"
    own = specialise(model.drift, f"inner_drift_{key}", compiler=elementwise)
    one, several = (relaxing_drift_of_one, relaxing_drift_of_several) if relaxing else (drift_of_one, drift_of_several)
    template = one if model.variables == 1 else several
    drift = specialise(template, f"drift_{key}", compiler=_plain, inner=own, FACTOR=model.parameters)
    beyond = 2 + model.variables if relaxing else 1
    return model._replace(
        key=key,
        parameters=model.parameters + (parameters_beyond(model.variables) if varying else beyond),
        drift=drift,
        output=_varying_output(model, key) if varying else model.output,
        constant_drift=model.constant_drift and not relaxing,
        drift_under_voltage=None,
        own_parameters=True,
    )


def _varying_output(model: ModelFunctions, key: str) -> Callable:
    """A model's output with what follows from the device's past."""
    own = specialise(model.output, f"inner_output_{key}", compiler=elementwise)
    template: Callable = varying_output_of_one if model.variables == 1 else varying_output_of_several
    first = model.parameters + 2 + model.variables
    return specialise(template, f"output_{key}", compiler=_plain, inner=own, VARYING=first)


def name_of(kind: Imperfect) -> str:
    """A name for the disk cache."""
    name = "relaxing" if Imperfect.RELAXING in kind else "imperfect"
    return f"{name}_varying" if Imperfect.VARYING in kind else name


def _plain(function):
    return function


# Hooks of perfect networks.


@inlined
def shared_parameters(plan, block, at, bank):
    """All devices of a bank have the nominal parameters."""
    return plan.parameters[bank]


@inlined
def no_step(plan, first_slot):
    """Nobody asks for the step."""
    return 0


@inlined
def no_pulse(plan, block, at, bank, drive, step):
    """Nothing is drawn."""


@inlined
def no_noise(plan, block, at, bank, step):
    """Nothing is drawn."""


@inlined
def no_end(plan, block, at, bank, slot):
    """Nothing changes."""


@inlined
def nothing(plan, block, at, bank):
    """Nothing changes."""


@inlined
def no_traps(plan, block, index, step):
    """Nothing is drawn."""


@inlined
def no_recall(plan, block):
    """Nothing follows from the past."""


@inlined
def no_past(block, keyframes, index):
    """Nothing but the states is to be kept."""


# Hooks of imperfect networks.


@inlined
def own_parameters(plan, block, at, bank):
    """Every device's own parameters, (parameters, room)."""
    count = block.own.parameter_rows
    return sheet(block.own.parameters, count * at.first, count, at.room)


@inlined
def factors_of(plan, block, at, bank):
    """The factors of a bank's drifts, (elements,)."""
    first = block.own.parameter_rows * at.first + plan.banks[bank, BankColumn.PARAMETERS] * at.room
    return line(block.own.parameters, first, at.elements)


@compiled
def step_of(plan, first_slot):
    """The step at which a slot begins: from the start of the run, and what came before it."""
    slots = plan.slots.shape[0]
    whole, rest = 0, 0
    for k in range(slots):
        slot = plan.slots[k]
        pulses = slot[Column.PULSES]
        steps = pulses * slot[Column.PULSE_STEPS] + (pulses - 1) * slot[Column.GAP_STEPS] + slot[Column.REST_STEPS]
        whole += steps
        rest += steps if k < first_slot % slots else 0
    return plan.rules[Rule.STEPS_BEFORE] + first_slot // slots * whole + rest


@compiled
def vary_drift(plan, block, at, bank, step):
    """Write noise: a factor of each device's drift for the pulse that begins at a step, lognormal with mean 1."""
    sigma = plan.flaws[bank, Flaw.WRITE_NOISE]
    if sigma > 0.0:
        factors = factors_of(plan, block, at, bank)
        movable = line(block.own.movable, at.first, at.elements)
        for device in range(at.devices):
            for lane in range(block.lanes):
                e = device * block.lanes + lane
                z = normal(block.own.seeds[lane], PURPOSE_WRITE_NOISE, bank, device, step // plan.rules[Rule.FINER])
                factors[e] = movable[e] * exponential(sigma * z - 0.5 * sigma * sigma)


@inlined
def begin_pulse(plan, block, at, bank, drive, step):
    """Before a pulse that may move states."""
    vary_drift(plan, block, at, bank, step)


@inlined
def begin_wearing_pulse(plan, block, at, bank, drive, step):
    """The same, where the past counts."""
    vary_drift(plan, block, at, bank, step)
    wear(plan, block, at, bank, drive)


@compiled
def end_variation(plan, block, at, bank):
    """After the pulses of a slot the factors are 1 again, or 0 of stuck devices."""
    if plan.flaws[bank, Flaw.WRITE_NOISE] > 0.0:
        factors = factors_of(plan, block, at, bank)
        movable = line(block.own.movable, at.first, at.elements)
        for e in range(at.elements):
            factors[e] = movable[e]


@compiled
def settle(plan, block, at, bank):
    """Finite levels: each state that can move goes to the nearest of them, which lie evenly from bound to bound."""
    gaps = plan.flaws[bank, Flaw.LEVELS] - 1.0
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    span = upper - lower
    states = line(block.devices.state, at.first_state, at.elements)
    highest = line(block.counters.highest, at.first_state, at.elements)
    lowest = line(block.counters.lowest, at.first_state, at.elements)
    movable = line(block.own.movable, at.first, at.elements)
    for e in range(at.elements):
        if movable[e] != 0.0:
            settled = lower + span * (np.floor((states[e] - lower) / span * gaps + 0.5) / gaps)
            states[e] = settled if settled < upper else upper
            highest[e] = states[e] if states[e] > highest[e] else highest[e]
            lowest[e] = states[e] if states[e] < lowest[e] else lowest[e]


@compiled
def forget_drivers(plan, block, at, bank):
    """After the pulses of a slot the controller goes on with the currents that it asked for."""
    if plan.flaws[bank, Flaw.DRIVER_RANGE] > 0.0:
        currents = line(block.devices.current, at.first, at.elements)
        asked = line(block.own.asked, at.first, at.elements)
        for e in range(at.elements):
            currents[e] = asked[e]


@inlined
def end_slot(plan, block, at, bank, slot):
    """After the pulses of a slot."""
    end_variation(plan, block, at, bank)
    forget_drivers(plan, block, at, bank)
    operation = slot[Column.OPERATION]
    verifies = operation == Operation.VERIFY or operation == Operation.RESTORE_VERIFY
    if slot[Column.PHASE] == Phase.WRITE and not verifies and plan.flaws[bank, Flaw.LEVELS] > 0.0:
        settle(plan, block, at, bank)


@compiled
def convert(values, limit, step, clipped):
    """Clip values at +-limit, counted, and round them to multiples of a step; 0 stands for no limit, or no step."""
    for e in range(values.size):
        value = values[e]
        if limit > 0.0 and abs(value) > limit:
            clipped[e] += 1.0
            value = math.copysign(limit, value)
        values[e] = np.floor(value / step + 0.5) * step if step > 0.0 else value


@compiled
def drive_out(plan, block, at, bank):
    """Drivers: the currents as they can give them. The controller keeps those that it asked for."""
    flaws = plan.flaws[bank]
    if flaws[Flaw.DRIVER_RANGE] > 0.0:
        currents = line(block.devices.current, at.first, at.elements)
        asked = line(block.own.asked, at.first, at.elements)
        for e in range(at.elements):
            asked[e] = currents[e]
        clipped = line(block.counters.driver_clipped, at.first, at.elements)
        convert(currents, flaws[Flaw.DRIVER_RANGE], flaws[Flaw.DRIVER_STEP], clipped)


@compiled
def read_in(plan, block, at, bank, step):
    """Read-outs: the voltages as the controller gets them, with noise, clipped and rounded."""
    flaws = plan.flaws[bank]
    voltages = line(block.devices.voltage, at.first, at.elements)
    if flaws[Flaw.READ_NOISE] > 0.0:
        for device in range(at.devices):
            for lane in range(block.lanes):
                z = normal(block.own.seeds[lane], PURPOSE_READ_NOISE, bank, device, step // plan.rules[Rule.FINER])
                voltages[device * block.lanes + lane] += flaws[Flaw.READ_NOISE] * z
    if flaws[Flaw.READOUT_RANGE] > 0.0:
        clipped = line(block.counters.readout_clipped, at.first, at.elements)
        convert(voltages, flaws[Flaw.READOUT_RANGE], flaws[Flaw.READOUT_STEP], clipped)


PERFECT = {
    "parameters_of": shared_parameters, "step_of": no_step, "begin_pulse": no_pulse, "end_train": no_end,
    "drive_out": nothing, "read_in": no_noise, "recall": no_recall, "begin_slot": no_traps, "keep_past": no_past,
}  # fmt: skip
IMPERFECT = {
    "parameters_of": own_parameters, "step_of": step_of, "begin_pulse": begin_pulse, "end_train": end_slot,
    "drive_out": drive_out, "read_in": read_in, "recall": no_recall, "begin_slot": no_traps, "keep_past": no_past,
}  # fmt: skip
WITH_PAST = IMPERFECT | {
    "begin_pulse": begin_wearing_pulse, "recall": recall, "begin_slot": draw_traps, "keep_past": keep_past,
}  # fmt: skip


def hooks_of(kind: Imperfect) -> dict:
    """What the open names of the learning loop stand for."""
    if not kind:
        return PERFECT
    return WITH_PAST if Imperfect.VARYING in kind else IMPERFECT
