"""The controller's rules for devices whose drift depends on their state.

The pulse that writes such a device depends on where its state is. The controller
finds that out from a voltage: V / I is the memristance, and the nominal model
(:mod:`memsim.kernels.nominal`) says which state has it. From there the pulse
that leads to the wanted state is searched in the model, which is asked by its
address. Only nominal constants and measured voltages enter here.
"""

import math

from .compiling import inlined
from .controller import RESIDUAL, UNSEEN, by_node, request_weights, send_columns, send_rows, trust, within_limit
from .nominal import DIFFERENCE, Quantity
from .records import call_answer
from .searching import amplitude_towards, memristance_of, pulses_towards, state_of
from .slots import BiasRule

# Rules that ask nothing.


def request_synapses(c, rows, step):
    """The wanted changes of weights, in ohm."""
    request_weights(c, c.nominal.state_per_weight)
    return 0


def request_line(c, rows, step):
    """The wanted change of the weight of a line, in ohm; the others are to stay."""
    for e in range(c.bank.elements):
        c.bank.request[e] = 0.0
    ohm = c.sample.rate[0] * c.nominal.state_per_weight
    for lane in range(c.request.size):
        c.request[lane] = c.layer.gradient[0, lane] * c.line_signal[lane] * ohm
    return 0


def request_biases(c, rows, step):
    """The changes of the bias weights that are asked for (Eq. 18), by the measured dV/dw_b."""
    request, rate = by_node(c, c.request), c.sample.rate[0]
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            change = 0.0
            if c.bias_rule == BiasRule.GRADIENT:
                change = rate * c.layer.arriving[k, lane] * c.layer.sensitivity[k, lane]
            elif c.bias_rule == BiasRule.PRINTED:
                change = rate * c.layer.gradient[k, lane]
            request[k, lane] = change
    return 0


def limit_biases(c, rows, step):
    """Keep changes of the bias weights within what is allowed; none is made where a bias weight is not known."""
    request, shortened, bias = by_node(c, c.request), by_node(c, c.bank.shortened), c.layer.bias
    limit = c.nominal.bias_limit
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            change = request[k, lane]
            if change != 0.0 and not math.isnan(bias[k, lane]):
                allowed = within_limit(bias[k, lane], change, limit)
                shortened[k, lane] += 1.0 if allowed != change else 0.0
                bias[k, lane] += allowed
                change = allowed
            else:
                change = 0.0
            request[k, lane] = change
    return 0


def aim_nodes(c, rows, step):
    """The wanted changes of bias weights as aims, from the bias weights that are known on."""
    request, aim, known = by_node(c, c.request), by_node(c, c.bank.aim), by_node(c, c.bank.known)
    lower, upper = c.nominal.lower, c.nominal.upper
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            if request[k, lane] != 0.0:
                aim[k, lane] = middle + half * c.layer.bias[k, lane]
                known[k, lane] = middle + half * (c.layer.bias[k, lane] - request[k, lane])
    return 0


def aim_restored(c, rows, step):
    """A RESTORE that is verified: the states that nodes are to have again, of those that the READ drove."""
    request, aim, bias = by_node(c, c.request), by_node(c, c.bank.aim), c.layer.bias
    lower, upper = c.nominal.lower, c.nominal.upper
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            known = not math.isnan(bias[k, lane]) and c.layer.net[k, lane] != 0.0
            aim[k, lane] = 0.5 * (lower + upper) + 0.5 * (upper - lower) * bias[k, lane] if known else 0.0
            request[k, lane] = 1.0 if known else 0.0
    return 0


def drive_verify(c, rows, step):
    """VERIFY: a small READ of each device that is being written or restored."""
    for e in range(c.bank.elements):
        c.bank.current[e] = c.nominal.read_current if c.bank.request[e] != 0.0 else 0.0
    return 0


def negate(c, rows, step):
    """RESTORE_VERIFY: the currents of the VERIFY, negated."""
    for e in range(c.bank.elements):
        c.bank.current[e] = -c.bank.current[e]
    return 0


def restore_rows(c, rows, step):
    """RESTORE after a READ of synapses: the same currents, negated."""
    send_rows(c, -c.nominal.read_current)
    return 0


def restore_columns(c, rows, step):
    """RESTORE after a BACKREAD: the same currents, negated."""
    send_columns(c, -c.nominal.read_current)
    return 0


def count_unverified(c, rows, step):
    """Count the devices that the last READ did not find within the tolerance of their aims."""
    bank, tolerance = c.bank, c.nominal.tolerance * (c.nominal.upper - c.nominal.lower)
    for e in range(bank.elements):
        far = abs(bank.aim[e] - bank.known[e]) > tolerance
        bank.unverified[e] += 1.0 if bank.request[e] != 0.0 and far else 0.0
    return 0


def subtract_reference(c, rows, step):
    """Take off the voltages of the lines' reference resistors, which get the same currents."""
    for e in range(c.bank.elements):
        c.bank.voltage[e] -= c.nominal.reference * c.bank.current[e]
    return 0


# Rules that ask the model.


def encode_towards(c, rows, step):
    """Pulses that lead the states with a request from where they were measured to their aims.

    A device that is near enough to its aim gets none; one that is nearer than the
    controller's resolution is counted in ``unsent``.
    """
    bank, nominal, pulses = c.bank, c.nominal, c.pulses
    span = nominal.upper - nominal.lower
    for e in range(bank.elements):
        bank.current[e] = 0.0
        bank.pulses[e] = 0.0
        x, aim = bank.known[e], bank.aim[e]
        asked = bank.request[e] != 0.0 and abs(aim - x) > c.write_tolerance * span
        if asked and abs(aim - x) <= nominal.resolution * span:
            bank.unsent[e] += 1.0
        elif asked:
            sign = nominal.polarity * math.copysign(1.0, aim - x)
            if pulses == 1:
                amplitude = amplitude_towards(c.model, c.question, x, aim, sign)
                bank.clipped[e] += 1.0 if amplitude == nominal.limit else 0.0
            else:
                amplitude = nominal.write_current if aim > x else nominal.fall_current
                number, missed = pulses_towards(c.model, c.question, x, aim, sign * amplitude)
                bank.clipped[e] += 1.0 if number > pulses else 0.0
                bank.rounded[e] += 1.0 if missed > RESIDUAL else 0.0
                lost = missed * amplitude * (c.question.steps * c.question.dt)
                bank.rounding[e] = lost if lost > bank.rounding[e] else bank.rounding[e]
                bank.pulses[e] = number if number < pulses else pulses
            bank.current[e] = sign * amplitude
    return 0


@inlined
def ends_of(c):
    """The memristances at the bounds."""
    at_lower = memristance_of(c.model, c.question, c.nominal.lower)
    return at_lower, memristance_of(c.model, c.question, c.nominal.upper)


def aim_synapses(c, rows, step):
    """The states that have the wanted memristances; of one beyond the range the nearer bound, which is counted."""
    bank = c.bank
    at_lower, at_upper = ends_of(c)
    margin = RESIDUAL * abs(at_upper - at_lower)
    for e in range(bank.elements):
        if bank.request[e] != 0.0:
            wanted = memristance_of(c.model, c.question, bank.known[e]) + bank.request[e]
            bank.aim[e] = state_of(c.model, c.question, wanted)
            beyond_range = abs(memristance_of(c.model, c.question, bank.aim[e]) - wanted) > margin
            bank.shortened[e] += 1.0 if beyond_range else 0.0
    return 0


@inlined
def out_of_range(resistance, at_lower, at_upper):
    """1 where no state between the bounds, of which the memristances are given, has a memristance, beyond rounding."""
    low, high = min(at_lower, at_upper), max(at_lower, at_upper)
    margin = RESIDUAL * (high - low)
    return 1.0 if resistance < low - margin or resistance > high + margin else 0.0


def observe_states(c, rows, step):
    """The states of all devices that a READ drove, from V / I; of a READ that moves them, those before it."""
    bank = c.bank
    at_lower, at_upper = ends_of(c)
    moves = c.nominal.moves and not c.held
    for e in range(bank.elements):
        current = bank.current[e]
        if current != 0.0:
            resistance = bank.voltage[e] / current
            bank.out_of_range[e] += out_of_range(resistance, at_lower, at_upper)
            x = state_of(c.model, c.question, resistance)
            bank.known[e] = call_answer(c.model, c.question, Quantity.BEFORE, x, current) if moves else x
    return 0


@inlined
def resistance_of(c, measured, current, bias, at_lower, at_upper):
    """The memristance at a READ's end, from V / I and from the bias weight that is known, each by its :func:`trust`."""
    nominal = c.nominal
    if nominal.read_error == 0.0:
        return measured
    middle, half = 0.5 * (nominal.lower + nominal.upper), 0.5 * (nominal.upper - nominal.lower)
    known = middle if math.isnan(bias) else middle + half * bias
    moved = 0.0 if c.held else call_answer(c.model, c.question, Quantity.EFFECT, known, current)
    expected = memristance_of(c.model, c.question, known + moved)
    unseen = 0.5 * abs(at_upper - at_lower) * (1.0 if math.isnan(bias) else UNSEEN * nominal.bias_limit)
    return expected + trust(current, nominal.read_error, unseen) * (measured - expected)


def measure_nodes(c, rows, step):
    """Output, slope, bias weight and its effect on the output, from the voltage at a READ's end.

    As :func:`~memsim.kernels.controller.measure_nodes`, with the drift of any
    model in the place of Eq. 11. Where RESTOREs are verified, the bias weight
    is the one that the controller keeps, once it has been measured. Of a bias
    weight that is not known yet, half of the range stands for what may be off.
    """
    layer, lower, upper, unit = c.layer, c.nominal.lower, c.nominal.upper, c.nominal.unit_current
    current_of, voltage_of, beyond = by_node(c, c.bank.current), by_node(c, c.bank.voltage), c.bank.out_of_range
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    at_lower, at_upper = ends_of(c)
    factor = 2.0 / (at_lower + at_upper)
    small = DIFFERENCE * half
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            current, voltage = current_of[k, lane], voltage_of[k, lane]
            layer.signal[k, lane] = factor * voltage / unit
            layer.slope[k, lane] = 0.0
            layer.sensitivity[k, lane] = 0.0
            if current != 0.0:
                resistance = resistance_of(c, voltage / current, current, layer.bias[k, lane], at_lower, at_upper)
                beyond[k * c.sample.error.size + lane] += out_of_range(resistance, at_lower, at_upper)
                x = state_of(c.model, c.question, resistance)
                before = call_answer(c.model, c.question, Quantity.RESPONSE, x, current)
                from_state, from_current = c.question.beside[0], c.question.beside[1]
                above = memristance_of(c.model, c.question, x + small)
                below = memristance_of(c.model, c.question, x - small)
                steepness = (above - below) / (2.0 * small)
                layer.slope[k, lane] = factor * (resistance + current * steepness * from_current)
                layer.sensitivity[k, lane] = factor * (current / unit) * steepness * from_state * half
                if not c.nominal.kept_bias or math.isnan(layer.bias[k, lane]):
                    layer.bias[k, lane] = (before - middle) / half
    return 0


# Those that ask, which a program gives the address of the bank's model.
ASKING = (encode_towards, aim_synapses, observe_states, measure_nodes)
