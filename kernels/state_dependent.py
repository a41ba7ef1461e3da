"""The controller's rules for devices whose drift depends on their state.

The pulse that writes such a device depends on where its state is. The controller
finds that out from a voltage: V / I is the memristance, and the nominal model
(:mod:`memsim.kernels.nominal`) says which state has it. From there the pulse
that leads to the wanted state is searched in the model. Only nominal constants
and measured voltages enter here.

The functions are templates: their open names are bound for each device model by
:func:`rules_of`.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

from . import controller
from .compiling import compiled, elementwise, specialise
from .nominal import DIFFERENCE, model_of
from .scratch import cube, fixed_tuple, line, rows, sheet
from .slots import BankColumn, BiasRule, Column, Nominal, Operation, Phase, Rule
from .stepping import ModelFunctions, cache_key

# Open names of the templates.
state_of: Callable
amplitude_towards: Callable
pulses_towards: Callable
state_before: Callable
response_of_node: Callable
memristance: Callable
set_currents_0: Callable
set_currents_1: Callable
read_voltages_0: Callable
read_voltages_1: Callable
PARAMETERS: int


@elementwise
def model_steps(plan, slot):
    """Steps of a pulse in the controller's model, and their length in s.

    They are the run's, also where its devices are stepped more finely, to see whether dt is small enough.
    """
    finer = plan.rules[Rule.FINER]
    return slot[Column.PULSE_STEPS] // finer, plan.dt * finer


def encode_towards(plan, slot, at, devices, counters, tolerance):
    """Pulses that lead the states with a request from where they were measured to their aims.

    A device within the tolerance, a share of the range, gets none.
    """
    bank = slot[Column.BANK]
    nominal = plan.nominal[bank]
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    law, pulses = plan.rules[Rule.WRITE_LAW], slot[Column.PULSES]
    steps, dt = model_steps(plan, slot)
    for e in range(at.first, at.first + at.elements):
        devices.current[e] = 0.0
        devices.pulses[e] = 0.0
        x, aim = devices.known[e], devices.aim[e]
        if devices.request[e] != 0.0 and abs(aim - x) > tolerance * (upper - lower):
            sign = nominal[Nominal.POLARITY] * math.copysign(1.0, aim - x)
            if pulses == 1:
                limit = nominal[Nominal.DRIVER_LIMIT]
                amplitude = amplitude_towards(x, aim, sign, law, limit, steps, dt, p, lower, upper)
                counters.clipped[e] += 1.0 if amplitude == limit else 0.0
            else:
                amplitude = nominal[Nominal.WRITE_CURRENT] if aim > x else nominal[Nominal.FALL_CURRENT]
                number, missed = pulses_towards(x, aim, sign * amplitude, law, pulses, steps, dt, p, lower, upper)
                counters.clipped[e] += 1.0 if number > pulses else 0.0
                counters.rounded[e] += 1.0 if missed > controller.RESIDUAL else 0.0
                lost = missed * amplitude * (steps * dt)
                counters.rounding[e] = lost if lost > counters.rounding[e] else counters.rounding[e]
                devices.pulses[e] = number if number < pulses else pulses
            devices.current[e] = sign * amplitude


@compiled
def request_biases(sensitivity, arriving, gradient, rate, rule, request):
    """The changes of the bias weights that are asked for (Eq. 18).

    ``sensitivity`` is dV/dw_b. All arrays (nodes, realisations).
    """
    nodes, lanes = request.shape
    for k in range(nodes):
        for lane in range(lanes):
            change = 0.0
            if rule == BiasRule.GRADIENT:
                change = rate * arriving[k, lane] * sensitivity[k, lane]
            elif rule == BiasRule.PRINTED:
                change = rate * gradient[k, lane]
            request[k, lane] = change


@compiled
def limit_biases(bias, limit, request, shortened):
    """Keep changes of the bias weights within what is allowed; none is made where a bias weight is not known.

    All arrays (nodes, realisations).
    """
    nodes, lanes = request.shape
    for k in range(nodes):
        for lane in range(lanes):
            change = request[k, lane]
            if change != 0.0 and not math.isnan(bias[k, lane]):
                aim = bias[k, lane] + change
                allowed = min(max(aim, -limit), limit)
                shortened[k, lane] += 1.0 if allowed != aim else 0.0
                change = allowed - bias[k, lane]
                bias[k, lane] = allowed
            else:
                change = 0.0
            request[k, lane] = change


@compiled
def aim_nodes(plan, slot, at, devices, counters, registers):
    """The wanted changes of bias weights, as aims from the bias weights that are known."""
    lanes, bank, layer, units = registers.scale.size, slot[Column.BANK], slot[Column.LAYER], plan.units
    first, beyond = units[layer], units[layer + 1]
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    changes = sheet(devices.request, at.first, at.devices, lanes)
    request_biases(
        rows(registers.sensitivity, first, beyond), rows(registers.arriving, first, beyond),
        rows(registers.gradient, first, beyond), registers.rate[0], plan.rules[Rule.BIAS], changes,
    )  # fmt: skip
    controller.gather(
        line(devices.request, at.first, at.elements), plan.rules[Rule.BATCH], registers.closing[0],
        line(devices.gathered, at.first_state, at.elements),
    )  # fmt: skip
    limit_biases(
        rows(registers.bias, first, beyond), plan.nominal[bank, Nominal.BIAS_LIMIT], changes,
        sheet(counters.shortened, at.first, at.devices, lanes),
    )  # fmt: skip
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    for node in range(at.devices):
        for lane in range(lanes):
            e = at.first + node * lanes + lane
            if devices.request[e] != 0.0:
                devices.aim[e] = middle + half * registers.bias[first + node, lane]
                devices.known[e] = middle + half * (registers.bias[first + node, lane] - devices.request[e])


@compiled
def request_changes(plan, slot, at, devices, registers):
    """The wanted changes of weights, in ohm."""
    rate, batch, closing = registers.rate[0], plan.rules[Rule.BATCH], registers.closing[0]
    lanes, layer, units = registers.scale.size, slot[Column.LAYER], plan.units
    below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
    gradient = rows(registers.gradient, first, beyond)
    ohm_per_weight = plan.nominal[slot[Column.BANK], Nominal.STATE_PER_WEIGHT]
    if slot[Column.OPERATION] == Operation.WRITE_SYNAPSES:
        controller.request_synapses(
            rows(registers.signal, below, first), gradient, rate, ohm_per_weight, 1.0,
            cube(devices.request, at.first, first - below, beyond - first, lanes),
        )  # fmt: skip
        request = line(devices.request, at.first, at.elements)
        controller.gather(request, batch, closing, line(devices.gathered, at.first_state, at.elements))
    else:
        variable = slot[Column.VARIABLE]
        signal = registers.signal[variable] if variable < units[1] else registers.ones
        for e in range(at.first, at.first + at.elements):
            devices.request[e] = 0.0
        chosen = line(devices.request, at.first + variable * lanes, lanes)
        controller.request_variable(signal, gradient[0], rate * ohm_per_weight, chosen)
        controller.gather(chosen, batch, closing, line(devices.gathered, at.first_state + variable * lanes, lanes))


def aim_synapses(plan, slot, at, devices, counters):
    """The states that have the wanted memristances; of one beyond the range the nearer bound, which is counted."""
    bank = slot[Column.BANK]
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    margin = controller.RESIDUAL * abs(memristance(upper, p) - memristance(lower, p))
    for e in range(at.first, at.first + at.elements):
        if devices.request[e] != 0.0:
            wanted = memristance(devices.known[e], p) + devices.request[e]
            devices.aim[e] = state_of(wanted, p, lower, upper)
            beyond_range = abs(memristance(devices.aim[e], p) - wanted) > margin
            counters.shortened[e] += 1.0 if beyond_range else 0.0


def set_write_currents(plan, slot, at, devices, counters, registers):
    """A WRITE: the change that is wanted, as an aim from the measured state on; then pulses."""
    if slot[Column.OPERATION] == Operation.WRITE_NODES:
        aim_nodes(plan, slot, at, devices, counters, registers)
    else:
        request_changes(plan, slot, at, devices, registers)
        aim_synapses(plan, slot, at, devices, counters)
    encode_towards(plan, slot, at, devices, counters, 0.0)


def set_verify_currents(plan, slot, at, devices, registers):
    """A VERIFY: a small READ of each device that is being written or restored."""
    bank, layer = slot[Column.BANK], slot[Column.LAYER]
    lanes = registers.scale.size
    amplitude = plan.nominal[bank, Nominal.READ_CURRENT]
    if slot[Column.PHASE] == Phase.RESTORE:
        lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
        for node in range(at.devices):
            for lane in range(lanes):
                e = at.first + node * lanes + lane
                bias = registers.bias[plan.units[layer] + node, lane]
                known = not math.isnan(bias) and registers.net[plan.units[layer] + node, lane] != 0.0
                devices.aim[e] = 0.5 * (lower + upper) + 0.5 * (upper - lower) * bias if known else 0.0
                devices.request[e] = 1.0 if known else 0.0
    for e in range(at.first, at.first + at.elements):
        devices.current[e] = amplitude if devices.request[e] != 0.0 else 0.0


def out_of_range(resistance, p, lower, upper):
    """1 where no state within the bounds has a memristance, beyond rounding."""
    ends = memristance(lower, p), memristance(upper, p)
    low, high = min(ends[0], ends[1]), max(ends[0], ends[1])
    margin = controller.RESIDUAL * (high - low)
    return 1.0 if resistance < low - margin or resistance > high + margin else 0.0


def observe_states(plan, slot, at, devices, counters):
    """The states of all devices that a READ drove, from V / I; of a READ that moves them, those before it."""
    bank = slot[Column.BANK]
    steps, dt = model_steps(plan, slot)
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    moves = plan.nominal[bank, Nominal.MOVES] != 0.0 and slot[Column.HELD] == 0
    for e in range(at.first, at.first + at.elements):
        current = devices.current[e]
        if current != 0.0:
            resistance = devices.voltage[e] / current
            counters.out_of_range[e] += out_of_range(resistance, p, lower, upper)
            x = state_of(resistance, p, lower, upper)
            if moves:
                x = state_before(x, current, steps, dt, p, lower, upper)
            devices.known[e] = x


@compiled
def subtract_reference(reference, at, devices):
    """Take off the voltages of the lines' reference resistors, which get the same currents."""
    for e in range(at.first, at.first + at.elements):
        devices.voltage[e] -= reference * devices.current[e]


def measure_nodes(plan, slot, at, devices, counters, registers):
    """Output, slope, bias weight and its effect on the output, from the voltage at a READ's end.

    As :func:`~memsim.kernels.controller.measure_nodes`, with the drift of any
    model in the place of Eq. 11. Where RESTOREs are verified, the bias weight
    is the one that the controller keeps, once it has been measured.
    """
    bank, layer = slot[Column.BANK], slot[Column.LAYER]
    first, lanes = plan.units[layer], registers.scale.size
    steps, dt = model_steps(plan, slot)
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    unit = plan.nominal[bank, Nominal.UNIT_CURRENT]
    kept = plan.nominal[bank, Nominal.KEPT_BIAS] != 0.0
    factor = 2.0 / (memristance(lower, p) + memristance(upper, p))
    small = DIFFERENCE * half
    for node in range(at.devices):
        for lane in range(lanes):
            e = at.first + node * lanes + lane
            unit_of = first + node
            current = devices.current[e]
            registers.signal[unit_of, lane] = factor * devices.voltage[e] / unit
            registers.slope[unit_of, lane] = 0.0
            registers.sensitivity[unit_of, lane] = 0.0
            if current != 0.0:
                resistance = devices.voltage[e] / current
                counters.out_of_range[e] += out_of_range(resistance, p, lower, upper)
                x = state_of(resistance, p, lower, upper)
                before, from_state, from_current = response_of_node(x, current, steps, dt, p, lower, upper)
                steepness = (memristance(x + small, p) - memristance(x - small, p)) / (2.0 * small)
                registers.slope[unit_of, lane] = factor * (resistance + current * steepness * from_current)
                registers.sensitivity[unit_of, lane] = factor * (current / unit) * steepness * from_state * half
                if not kept or math.isnan(registers.bias[unit_of, lane]):
                    registers.bias[unit_of, lane] = (before - middle) / half


def set_currents(plan, slot, at, devices, counters, registers):
    """The rule before a slot's pulse; whether there is one here."""
    operation, layer, units = slot[Column.OPERATION], slot[Column.LAYER], plan.units
    lanes = registers.scale.size
    nominal = plan.nominal[slot[Column.BANK]]
    if operation == Operation.VERIFY:
        set_verify_currents(plan, slot, at, devices, registers)
    elif operation == Operation.RESTORE_VERIFY:
        for e in range(at.first, at.first + at.elements):
            devices.current[e] = -devices.current[e]
    elif operation == Operation.CORRECT:
        encode_towards(plan, slot, at, devices, counters, nominal[Nominal.TOLERANCE])
    elif operation == Operation.RESTORE_SYNAPSES or operation == Operation.RESTORE_COLUMNS:
        below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
        current = cube(devices.current, at.first, first - below, beyond - first, lanes)
        amplitude = -nominal[Nominal.READ_CURRENT]
        if operation == Operation.RESTORE_SYNAPSES:
            controller.drive_rows(rows(registers.signal, below, first), registers.scale, amplitude, current)
        else:
            controller.drive_columns(rows(registers.gradient, first, beyond), registers.scale, amplitude, current)
    elif slot[Column.PHASE] == Phase.WRITE:
        set_write_currents(plan, slot, at, devices, counters, registers)
    else:
        return False
    return True


@compiled
def count_unverified(tolerance, at, devices, counters):
    """Count the devices that the last READ did not find within the tolerance of their aims."""
    for e in range(at.first, at.first + at.elements):
        far = abs(devices.aim[e] - devices.known[e]) > tolerance
        counters.unverified[e] += 1.0 if devices.request[e] != 0.0 and far else 0.0


def read_voltages(plan, slot, at, devices, counters, registers):
    """The rule after a slot's pulse; whether it was all, or the common one follows."""
    operation, layer = slot[Column.OPERATION], slot[Column.LAYER]
    bank = slot[Column.BANK]
    if operation == Operation.READ_NODES:
        measure_nodes(plan, slot, at, devices, counters, registers)
        if layer == plan.units.size - 2:
            first, beyond = plan.units[layer], plan.units[layer + 1]
            controller.output_gradient(
                rows(registers.signal, first, beyond), rows(registers.slope, first, beyond), registers.target,
                plan.rules[Rule.OUTPUT_GRADIENT], rows(registers.arriving, first, beyond),
                rows(registers.gradient, first, beyond), registers.error,
            )  # fmt: skip
        return True
    if operation == Operation.VERIFY:
        observe_states(plan, slot, at, devices, counters)
        if slot[Column.VARIABLE] == 0:
            tolerance = plan.nominal[bank, Nominal.TOLERANCE] * (plan.upper[bank, 0] - plan.lower[bank, 0])
            count_unverified(tolerance, at, devices, counters)
    if operation == Operation.READ_SYNAPSES or operation == Operation.READ_LINES:
        observe_states(plan, slot, at, devices, counters)
        subtract_reference(plan.nominal[bank, Nominal.REFERENCE], at, devices)
    if operation == Operation.BACKREAD_SYNAPSES:
        subtract_reference(plan.nominal[bank, Nominal.REFERENCE], at, devices)
    return operation == Operation.VERIFY


# The rules of a network, whose banks may have two models.


class Rules(NamedTuple):
    """What the learning loop asks for before its own rules: functions that say whether they had one."""

    set_currents: Callable
    read_voltages: Callable


def chosen_currents(plan, slot, at, devices, counters, registers):
    """The rule of a bank's own model before a pulse, where the bank has such rules."""
    bank = slot[Column.BANK]
    if plan.banks[bank, BankColumn.MODELLED] == 0:
        return False
    if plan.banks[bank, BankColumn.KERNEL] == 0:
        return set_currents_0(plan, slot, at, devices, counters, registers)
    return set_currents_1(plan, slot, at, devices, counters, registers)


def chosen_voltages(plan, slot, at, devices, counters, registers):
    """The rule of a bank's own model after a pulse, where the bank has such rules."""
    bank = slot[Column.BANK]
    if plan.banks[bank, BankColumn.MODELLED] == 0:
        return False
    if plan.banks[bank, BankColumn.KERNEL] == 0:
        return read_voltages_0(plan, slot, at, devices, counters, registers)
    return read_voltages_1(plan, slot, at, devices, counters, registers)


@elementwise
def no_currents(plan, slot, at, devices, counters, registers):
    """No bank has rules of its own."""
    return False


@elementwise
def no_voltages(plan, slot, at, devices, counters, registers):
    """No bank has rules of its own."""
    return False


@functools.cache
def _rules_of_model(model: ModelFunctions, integrator: str):
    bound = dict(model_of(model, integrator))
    key = f"{integrator}_{cache_key(model)}"
    for template in (
        encode_towards, aim_synapses, out_of_range, set_write_currents, set_verify_currents, observe_states,
        measure_nodes, set_currents, read_voltages,
    ):  # fmt: skip
        bound[template.__name__] = specialise(template, f"{template.__name__}_{key}", **bound)
    return Rules(bound["set_currents"], bound["read_voltages"])


@functools.cache
def rules_of(models: tuple[ModelFunctions, ...], integrator: str, modelled: tuple[bool, ...]) -> Rules:
    """The rules of a network for its device models, at most two, and for each whether it needs rules of its own."""
    if not any(modelled):
        return RULELESS
    both = [
        _rules_of_model(model, integrator) if needed else RULELESS
        for model, needed in zip(models, modelled, strict=True)
    ]
    key = f"{integrator}_" + "_".join(f"{cache_key(m)}_{needed:d}" for m, needed in zip(models, modelled, strict=True))
    names = {"set_currents_0": both[0].set_currents, "set_currents_1": both[-1].set_currents}
    names |= {"read_voltages_0": both[0].read_voltages, "read_voltages_1": both[-1].read_voltages}
    return Rules(
        specialise(chosen_currents, f"chosen_currents_{key}", **names),
        specialise(chosen_voltages, f"chosen_voltages_{key}", **names),
    )


RULELESS = Rules(no_currents, no_voltages)
