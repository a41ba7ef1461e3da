"""The controller's rules for devices whose drift depends on their state.

The pulse that writes such a device depends on where its state is. The controller
finds that out from a voltage: V / I is the memristance, and the nominal model
says which state has it. From there the pulse that leads to the wanted state is
searched in the model. Only nominal constants and measured voltages enter here.

The functions are templates: their open names are bound for each device model by
:func:`rules_of`. Searches are by regula falsi with the Illinois rule (Dowell and
Jarratt, BIT 11, 168 (1971)), with every third step a bisection.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

from . import controller, tiles
from .compiling import compiled, elementwise, specialise
from .scratch import cube, fixed_tuple, line, rows, sheet
from .slots import BankColumn, BiasRule, Column, Nominal, Operation, Phase, Rule, WriteLaw
from .stepping import EXACT, ModelFunctions, cache_key

SEARCH = 160  # evaluations at most
CLOSE = 2.0**-46  # of what is searched for: near enough
ROUNDING = 2.0**-49  # of a state: what a pulse's steps may lose to rounding, where the change is much smaller
FIRST_SHARE = 2.0**-5  # of a guess, by which the search for a pulse first goes to either side
DIFFERENCE = 2.0**-13  # of a current or of a state's range: for differences in the place of derivatives

# Open names of the templates.
drift: Callable
memristance: Callable
advance: Callable
set_currents_0: Callable
set_currents_1: Callable
read_voltages_0: Callable
read_voltages_1: Callable
PARAMETERS: int


@elementwise
def next_trial(low, at_low, high, at_high, trial):
    """Where to look next between two places whose values have different signs."""
    if trial % 3 == 2:
        return 0.5 * (low + high)
    return (low * at_high - high * at_low) / (at_high - at_low)


# What the model says of one device. Templates.


def state_of(resistance, p, lower, upper):
    """The state that has a memristance, by search; the nearer bound where none has it."""
    low, high = lower, upper
    at_low = memristance(low, p) - resistance
    at_high = memristance(high, p) - resistance
    if (at_low > 0.0) == (at_high > 0.0):
        return low if abs(at_low) < abs(at_high) else high
    close = CLOSE * (abs(at_low) + abs(at_high))
    kept = 0
    x = low
    for trial in range(SEARCH):
        x = next_trial(low, at_low, high, at_high, trial)
        found = memristance(x, p) - resistance
        if abs(found) <= close:
            break
        if (found > 0.0) == (at_high > 0.0):
            high, at_high = x, found
            at_low = 0.5 * at_low if kept == 1 else at_low
            kept = 1
        else:
            low, at_low = x, found
            at_high = 0.5 * at_high if kept == -1 else at_high
            kept = -1
    return x


def effect(x, current, law, steps, dt, p, lower, upper):
    """How far a pulse carries a state: its drift at the start times the width, or the whole pulse stepped."""
    if law == WriteLaw.SLOPE:
        return drift(x, current, p) * (steps * dt)
    moved = x
    for _ in range(steps):
        moved = advance(moved, current, current, p, lower, upper, dt)
    return moved - x


def missing(x, wanted, current, law, steps, dt, p, lower, upper):
    """How much farther than ``wanted`` a pulse carries a state, in either direction; negative where it falls short."""
    return math.copysign(1.0, wanted) * effect(x, current, law, steps, dt, p, lower, upper) - abs(wanted)


def search_amplitude(x, wanted, sign, law, low, at_low, high, at_high, steps, dt, p, lower, upper):
    """The magnitude of the pulse that carries a state as far as is wanted, between two that do less and more."""
    close = CLOSE * abs(wanted) + ROUNDING * abs(x)
    kept = 0
    amplitude = high
    for trial in range(SEARCH):
        amplitude = next_trial(low, at_low, high, at_high, trial)
        found = missing(x, wanted, sign * amplitude, law, steps, dt, p, lower, upper)
        if abs(found) <= close:
            break
        if found > 0.0:
            high, at_high = amplitude, found
            at_low = 0.5 * at_low if kept == 1 else at_low
            kept = 1
        else:
            low, at_low = amplitude, found
            at_high = 0.5 * at_high if kept == -1 else at_high
            kept = -1
    return amplitude


def amplitude_towards(x, aim, sign, law, limit, steps, dt, p, lower, upper):
    """The magnitude of the pulse that carries a state to its aim, by search; the driver's limit where that is less.

    ``sign`` is that of the current. The search for a whole pulse begins where
    the slope would have it.
    """
    wanted = aim - x
    nothing = missing(x, wanted, 0.0, WriteLaw.SLOPE, steps, dt, p, lower, upper)
    most = missing(x, wanted, sign * limit, WriteLaw.SLOPE, steps, dt, p, lower, upper)
    guess = limit
    if nothing < 0.0 < most:
        guess = search_amplitude(x, wanted, sign, WriteLaw.SLOPE, 0.0, nothing, limit, most, steps, dt, p, lower, upper)
    if law == WriteLaw.SLOPE or nothing >= 0.0:
        return guess if nothing < 0.0 else 0.0
    low = high = guess
    at_low = at_high = missing(x, wanted, sign * guess, law, steps, dt, p, lower, upper)
    if abs(at_low) <= CLOSE * abs(wanted) + ROUNDING * abs(x):
        return guess
    share = FIRST_SHARE
    while at_low > 0.0:
        high, at_high = low, at_low
        low = guess * (1.0 - share) if share < 1.0 else 0.0
        at_low = missing(x, wanted, sign * low, law, steps, dt, p, lower, upper) if low > 0.0 else nothing
        share *= 2.0
    while at_high < 0.0:
        if high == limit:
            return limit
        low, at_low = high, at_high
        high = guess * (1.0 + share) if guess * (1.0 + share) < limit else limit
        at_high = missing(x, wanted, sign * high, law, steps, dt, p, lower, upper)
        share *= 2.0
    return search_amplitude(x, wanted, sign, law, low, at_low, high, at_high, steps, dt, p, lower, upper)


def pulses_towards(x, aim, current, law, most, steps, dt, p, lower, upper):
    """How many equal pulses of a train come nearest to the aim, and what is missing then, as a number of pulses.

    One more than ``most`` where even these do not reach the aim.
    """
    wanted = abs(aim - x)
    if law == WriteLaw.SLOPE:
        one = abs(effect(x, current, law, steps, dt, p, lower, upper))
        number = wanted / one if one > 0.0 else most + 1.0
        number = number if number < most + 1.0 else most + 1.0
        whole = 1.0 * math.floor(number + 0.5)
        return whole, abs(whole - number)
    reached = 0.0
    moved = x
    for pulse in range(most):
        moved += effect(moved, current, law, steps, dt, p, lower, upper)
        covered = abs(moved - x)
        if covered >= wanted:
            share = (wanted - reached) / (covered - reached) if covered > reached else 1.0
            return (pulse + 1.0, 1.0 - share) if share >= 0.5 else (pulse * 1.0, share)
        reached = covered
    return most + 1.0, 0.0


def state_before(x, current, steps, dt, p, lower, upper):
    """The state before a pulse of which the end is known: midpoint steps backwards in time."""
    for _ in range(steps):
        middle = x - 0.5 * dt * drift(x, current, p)
        x -= dt * drift(middle, current, p)
        x = lower if x < lower else x
        x = upper if x > upper else x
    return x


def response_of_node(x, current, steps, dt, p, lower, upper):
    """How the state after a READ depends on the READ: (state before, dx/dx_0, dx/dI).

    For any drift f(x, I) of one state, dx/dx_0 = f(x)/f(x_0) and dx/dI = f(x) times
    the integral of (df/dI)/f over the pulse. Both are 0 where the state is at a bound.
    """
    margin = controller.RESIDUAL * (upper - lower)
    at_end = drift(x, current, p)
    charge = 0.0
    back = x
    for _ in range(steps):
        middle = back - 0.5 * dt * drift(back, current, p)
        middle = lower if middle < lower else middle
        middle = upper if middle > upper else middle
        rate = drift(middle, current, p)
        more = drift(middle, current * (1.0 + DIFFERENCE), p) - drift(middle, current * (1.0 - DIFFERENCE), p)
        charge += more / (2.0 * DIFFERENCE * current * rate) if rate != 0.0 else 0.0
        back -= dt * rate
        back = lower if back < lower else back
        back = upper if back > upper else back
    if x <= lower + margin or x >= upper - margin:
        return back, 0.0, 0.0
    at_start = drift(back, current, p)
    from_state = at_end / at_start if at_end != 0.0 and at_start != 0.0 else 1.0
    return back, from_state, at_end * (charge * dt)


# What the controller does with all devices of a bank. Templates.


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


def set_write_currents(plan, slot, at, devices, counters, registers):
    """A WRITE: the change that is wanted, as an aim from the measured state on; then pulses."""
    lanes = registers.scale.size
    bank, operation, layer, units = slot[Column.BANK], slot[Column.OPERATION], slot[Column.LAYER], plan.units
    nominal = plan.nominal[bank]
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
    gradient = rows(registers.gradient, first, beyond)
    ohm_per_weight, rate = nominal[Nominal.STATE_PER_WEIGHT], registers.rate[0]
    batch, closing = plan.rules[Rule.BATCH], registers.closing[0]
    request = line(devices.request, at.first, at.elements)
    gathered = line(devices.gathered, at.first_state, at.elements)
    if operation == Operation.WRITE_NODES:
        changes = sheet(devices.request, at.first, at.devices, lanes)
        request_biases(
            rows(registers.sensitivity, first, beyond), rows(registers.arriving, first, beyond), gradient, rate,
            plan.rules[Rule.BIAS], changes,
        )  # fmt: skip
        controller.gather(request, batch, closing, gathered)
        limit_biases(
            rows(registers.bias, first, beyond),
            nominal[Nominal.BIAS_LIMIT],
            changes,
            sheet(counters.shortened, at.first, at.devices, lanes),
        )
        middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
        for node in range(at.devices):
            for lane in range(lanes):
                e = at.first + node * lanes + lane
                if devices.request[e] != 0.0:
                    devices.aim[e] = middle + half * registers.bias[first + node, lane]
                    devices.known[e] = middle + half * (registers.bias[first + node, lane] - devices.request[e])
    else:
        if operation == Operation.WRITE_SYNAPSES:
            controller.request_synapses(
                rows(registers.signal, below, first), gradient, rate, ohm_per_weight, 1.0,
                cube(devices.request, at.first, first - below, beyond - first, lanes),
            )  # fmt: skip
            controller.gather(request, batch, closing, gathered)
        else:
            variable = slot[Column.VARIABLE]
            signal = registers.signal[variable] if variable < units[1] else registers.ones
            for e in range(at.first, at.first + at.elements):
                devices.request[e] = 0.0
            chosen = line(devices.request, at.first + variable * lanes, lanes)
            controller.request_variable(signal, gradient[0], rate * ohm_per_weight, chosen)
            controller.gather(chosen, batch, closing, line(devices.gathered, at.first_state + variable * lanes, lanes))
        for e in range(at.first, at.first + at.elements):
            if devices.request[e] != 0.0:
                known = memristance(devices.known[e], p)
                wanted = known + devices.request[e]
                devices.aim[e] = state_of(wanted, p, lower, upper)
                beyond_range = abs(memristance(devices.aim[e], p) - wanted) > controller.RESIDUAL * abs(
                    memristance(upper, p) - memristance(lower, p)
                )
                counters.shortened[e] += 1.0 if beyond_range else 0.0
    encode_towards(plan, slot, at, devices, counters, 0.0)


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


def observe_states(plan, slot, at, devices):
    """The states of all devices that a READ drove, from V / I; of a READ that moves them, those before it."""
    bank = slot[Column.BANK]
    steps, dt = model_steps(plan, slot)
    p = fixed_tuple(plan.parameters[bank], PARAMETERS)
    lower, upper = plan.lower[bank, 0], plan.upper[bank, 0]
    moves = plan.nominal[bank, Nominal.MOVES] != 0.0 and slot[Column.HELD] == 0
    for e in range(at.first, at.first + at.elements):
        current = devices.current[e]
        if current != 0.0:
            x = state_of(devices.voltage[e] / current, p, lower, upper)
            if moves:
                x = state_before(x, current, steps, dt, p, lower, upper)
            devices.known[e] = x


@compiled
def subtract_reference(reference, at, devices):
    """Take off the voltages of the lines' reference resistors, which get the same currents."""
    for e in range(at.first, at.first + at.elements):
        devices.voltage[e] -= reference * devices.current[e]


def measure_nodes(plan, slot, at, devices, registers):
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
        measure_nodes(plan, slot, at, devices, registers)
        if layer == plan.units.size - 2:
            first, beyond = plan.units[layer], plan.units[layer + 1]
            controller.output_gradient(
                rows(registers.signal, first, beyond), rows(registers.slope, first, beyond), registers.target,
                plan.rules[Rule.OUTPUT_GRADIENT], rows(registers.arriving, first, beyond),
                rows(registers.gradient, first, beyond), registers.error,
            )  # fmt: skip
        return True
    if operation == Operation.VERIFY:
        observe_states(plan, slot, at, devices)
        if slot[Column.VARIABLE] == 0:
            tolerance = plan.nominal[bank, Nominal.TOLERANCE] * (plan.upper[bank, 0] - plan.lower[bank, 0])
            count_unverified(tolerance, at, devices, counters)
    if operation == Operation.READ_SYNAPSES or operation == Operation.READ_LINES:
        observe_states(plan, slot, at, devices)
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
def model_of(model: ModelFunctions, integrator: str):
    """The functions of one device for a model: ``state_of`` and the others, compiled, by name."""
    method = "euler" if integrator == EXACT else integrator
    key = f"{method}_{cache_key(model)}"
    bound = {
        "PARAMETERS": model.parameters,
        "drift": specialise(model.drift, f"nominal_drift_{cache_key(model)}", compiler=elementwise),
        "memristance": specialise(_plain(model.memristance), f"memristance_{cache_key(model)}", compiler=elementwise),
    }
    step = {"euler": tiles.euler, "heun": tiles.heun}[method]
    bound["advance"] = specialise(step, f"nominal_{key}", compiler=elementwise, drift=bound["drift"])
    for template in (
        state_of, effect, missing, search_amplitude, amplitude_towards, pulses_towards, state_before, response_of_node,
    ):  # fmt: skip
        bound[template.__name__] = specialise(template, f"{template.__name__}_{key}", **bound)
    return bound


def _plain(function):
    return getattr(function, "py_func", function)


@functools.cache
def _rules_of_model(model: ModelFunctions, integrator: str):
    bound = dict(model_of(model, integrator))
    key = f"{integrator}_{cache_key(model)}"
    for template in (
        encode_towards, set_write_currents, set_verify_currents, observe_states, measure_nodes, set_currents,
        read_voltages,
    ):  # fmt: skip
        bound[template.__name__] = specialise(template, f"{template.__name__}_{key}", **bound)
    return Rules(bound["set_currents"], bound["read_voltages"])


@functools.cache
def rules_of(models: tuple[ModelFunctions, ...], integrator: str, modelled: bool) -> Rules:
    """The rules of a network for its device models, at most two; none where no bank is ``modelled``."""
    if not modelled:
        return Rules(no_currents, no_voltages)
    # A model that no search can invert is in a bank without these rules.
    both = [_rules_of_model(model, integrator) if model.memristance else RULELESS for model in models]
    key = f"{integrator}_" + "_".join(cache_key(model) for model in models)
    names = {"set_currents_0": both[0].set_currents, "set_currents_1": both[-1].set_currents}
    names |= {"read_voltages_0": both[0].read_voltages, "read_voltages_1": both[-1].read_voltages}
    return Rules(
        specialise(chosen_currents, f"chosen_currents_{key}", **names),
        specialise(chosen_voltages, f"chosen_voltages_{key}", **names),
    )


RULELESS = Rules(no_currents, no_voltages)
