"""The controller's rules: from measured voltages to the next pulses' amplitudes.

The controller is the periphery of the devices. It holds nominal constants and
what it has measured; the one exception, the tap of Algorithm 1, is
:func:`tap_net_input`. Each rule is an instruction, which works on a
:class:`~memsim.kernels.operands.Control`, here ``c``. The last axis is the
realisations, and sums over devices run in index order.
"""

import functools
import math

from .compiling import Kernel, elementwise, inlined
from .mathematics import hyperbolic_tangent, logistic
from .operands import Control, instruction_on
from .scratch import cube, line, sheet
from .slots import Activation, BiasRule, OutputGradient
from .tiles import WIDE

UNSEEN = 0.5  # of the allowed bias weight: standard deviation of a bias weight that was last known
RESIDUAL = 1e-12  # of the state's range: a larger one after RESTORE is counted
LAST_IN_WINDOW = 1.0 - 2.0**-20  # of a window's width: the farthest that a write reaches into it


@functools.cache
def rule(function) -> Kernel:
    """A rule as a kernel, one for all networks."""
    return Kernel(function, instruction_on(Control))


@inlined
def by_place(c, values):
    """A bank's values as (rows, columns, realisations): rows and columns of synapses, or one row of nodes."""
    return cube(values, 0, c.rows, c.columns, c.sample.error.size)


@inlined
def by_node(c, values):
    """Values of a bank of nodes as (nodes, realisations)."""
    return sheet(values, 0, c.columns, c.sample.error.size)


# READs: signals as currents.


@inlined
def find_scale(signal, full_scale, scale):
    """The magnitude that a READ's full-scale current stands for: fixed, or 0 for the signal's own largest one."""
    lines, lanes = signal.shape
    for lane in range(lanes):
        scale[lane] = full_scale
    if full_scale == 0.0:
        for k in range(lines):
            for lane in range(lanes):
                magnitude = abs(signal[k, lane])
                scale[lane] = magnitude if magnitude > scale[lane] else scale[lane]


@inlined
def scaled(value, scale, amplitude):
    """The current that stands for a value in a READ; none where the whole vector is 0."""
    return value / (scale if scale > 0.0 else 1.0) * amplitude


# Rows without a signal are left out: of their devices nobody asks anything, and nothing changes in them.


@inlined
def stretch(driven, part):
    """Where a stretch begins, and where it ends."""
    return driven[2 * part + 1], driven[2 * part + 2]


@inlined
def clear(current, first, last):
    """Set the currents of some elements to 0."""
    part = line(current, first, last - first)
    for e in range(last - first):
        part[e] = 0.0


@inlined
def has_signal(c, i):
    """Whether a row gets a signal in any realisation."""
    signal, found = c.below.signal, False
    for lane in range(c.sample.error.size):
        found |= signal[i, lane] != 0.0
    return found


@inlined
def row_after(c, count):
    """The row that comes after so many with a signal, or the first one behind it where tiles begin."""
    seen, found = 0, c.rows
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        if seen <= count < seen + last - first:
            found = first + count - seen
        seen += last - first
    return min(-(-found // c.group), (c.rows - 1) // c.group) * c.group


@inlined
def take_share(c):
    """Keep a team member's share of the rows with a signal: as many as others have; where it begins and ends.

    The last group of rows is always the last member's: beyond it lies what is left in narrow tiles.
    """
    driven, total, parts = c.driven, 0, 0
    for part in range(driven[0]):
        first, last = stretch(driven, part)
        total += last - first
    begins = row_after(c, total * c.member // c.members) if c.member > 0 else 0
    ends = row_after(c, total * (c.member + 1) // c.members) if c.member < c.members - 1 else c.rows
    for part in range(driven[0]):
        first, last = stretch(driven, part)
        if max(first, begins) < min(last, ends):
            driven[2 * parts + 1], driven[2 * parts + 2] = max(first, begins), min(last, ends)
            parts += 1
    driven[0] = parts
    return ends


@inlined
def list_rows(c):
    """List the stretches of rows that get a signal in any realisation."""
    driven, was, place = c.driven, False, 1
    for i in range(c.rows):
        is_driven = has_signal(c, i)
        driven[place] = i
        place += is_driven != was
        was = is_driven
    driven[place] = c.rows
    driven[0] = place // 2


def find_rows(c, rows, step):
    """Find the rows that get a signal in any realisation."""
    list_rows(c)
    return 0


def find_driven(c, rows, step):
    """Find the rows that get a signal in any realisation, and the tiles that they lie in; of a team a member's share.

    What lies beside such rows in their tiles, and beyond the last wide tile, gets no current. Currents, voltages and
    requests of other tiles are left as they are, and nobody looks at them in this slot.
    """
    current, count = c.bank.current, c.columns * c.sample.error.size
    list_rows(c)
    ends = take_share(c) if c.members > 1 else c.rows
    if ends == c.rows:
        clear(current, c.bank.elements // WIDE * WIDE, current.size)
    parts = 0
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        begin, end = first * count // WIDE * WIDE, min(-(-last * count // WIDE) * WIDE, current.size)
        clear(current, begin, first * count)
        clear(current, last * count, end)
        end = min(end, current.size // WIDE * WIDE)
        if parts > 0 and c.tiles[2 * parts] >= begin:
            c.tiles[2 * parts] = end
        else:
            c.tiles[2 * parts + 1], c.tiles[2 * parts + 2] = begin, end
            parts += 1
    c.tiles[0] = parts
    return 0


@inlined
def send_rows(c, amplitude):
    """Every synapse of row i gets signal i of the layer below."""
    current, signal, scale = by_place(c, c.bank.current), c.below.signal, c.sample.scale
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        if scale.size == 1:
            for i in range(first, last):
                row, value = line(c.bank.current, i * c.columns, c.columns), scaled(signal[i, 0], scale[0], amplitude)
                for k in range(c.columns):
                    row[k] = value
            continue
        for i in range(first, last):
            for lane in range(scale.size):
                current[i, 0, lane] = scaled(signal[i, lane], scale[lane], amplitude)
            for k in range(1, c.columns):
                for lane in range(scale.size):
                    current[i, k, lane] = current[i, 0, lane]


@inlined
def send_columns(c, amplitude):
    """Every synapse of column k gets gradient k."""
    current, gradient, scale = by_place(c, c.bank.current), c.layer.gradient, c.sample.scale
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        for k in range(c.columns):
            for lane in range(scale.size):
                current[first, k, lane] = scaled(gradient[k, lane], scale[lane], amplitude)
        for i in range(first + 1, last):
            for k in range(c.columns):
                for lane in range(scale.size):
                    current[i, k, lane] = current[first, k, lane]


def drive_rows(c, rows, step):
    """READ of synapses: the signals of the layer below, scaled."""
    find_scale(c.below.signal, c.nominal.full_scale, c.sample.scale)
    send_rows(c, c.nominal.read_current)
    return 0


def drive_columns(c, rows, step):
    """BACKREAD: the local gradients, scaled."""
    find_scale(c.layer.gradient, c.nominal.full_scale, c.sample.scale)
    send_columns(c, c.nominal.read_current)
    return 0


def drive_lines(c, rows, step):
    """READ of the equivalent construction: the inputs, and 1 for the bias, scaled to 1 at least."""
    current, signal, scale = by_place(c, c.bank.current), c.below.signal, c.sample.scale
    find_scale(signal, c.nominal.full_scale, scale)
    inputs = signal.shape[0]
    for lane in range(scale.size):
        scale[lane] = max(scale[lane], 1.0)
    for i in range(inputs):
        for lane in range(scale.size):
            current[i, 0, lane] = scaled(signal[i, lane], scale[lane], c.nominal.read_current)
    for lane in range(scale.size):
        current[inputs, 0, lane] = scaled(1.0, scale[lane], c.nominal.read_current)
    return 0


@inlined
def send_net_inputs(c, unit_current):
    """Every node gets its net input as a current."""
    current, net = by_node(c, c.bank.current), c.layer.net
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            current[k, lane] = net[k, lane] * unit_current


def drive_nodes(c, rows, step):
    """READ of nodes: the net inputs as currents."""
    send_net_inputs(c, c.nominal.unit_current)
    return 0


def restore_nodes(c, rows, step):
    """RESTORE of nodes: the net inputs as currents, negated."""
    send_net_inputs(c, -c.nominal.unit_current)
    return 0


def tap_net_input(c, rows, step):
    """Algorithm 1, Eq. 2: the net input from the device's own state, sent to it as a current.

    An idealisation of the paper, and the only place where the controller sees a
    state: V = g(I + gamma_bias) does not show the weights, yet the net input
    needs them. The equivalent construction reads its weights as voltages.
    """
    signal, net, state = c.below.signal, c.layer.net, c.bank.state
    inputs, lanes = signal.shape
    for lane in range(lanes):
        net[0, lane] = 0.0
    for i in range(inputs):
        for lane in range(lanes):
            net[0, lane] += state[i, lane] * signal[i, lane]
    for lane in range(lanes):
        c.bank.current[lane] = net[0, lane] * c.nominal.unit_current
    return 0


# What READs say.


def sum_columns(c, rows, step):
    """in_k, the sum over i of V_ik (Eq. 8 as Eqs. 16 and 17 read it), scaled back."""
    net, lanes = c.layer.net, c.sample.error.size
    count = c.columns * lanes
    sums = line(net, 0, count)
    for e in range(count):
        sums[e] = 0.0
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        for i in range(first, last):
            voltage = line(c.bank.voltage, i * count, count)
            for e in range(count):
                sums[e] += voltage[e]
    weight_per_state = 1.0 / c.nominal.state_per_weight
    for k in range(c.columns):
        for lane in range(lanes):
            net[k, lane] *= weight_per_state / c.nominal.read_current * c.sample.scale[lane]
    return 0


def sum_rows(c, rows, step):
    """Eq. 17: delta_i = phi'_i times the sum over k of delta_k w_ik, measured by a BACKREAD."""
    voltage, lanes = by_place(c, c.bank.voltage), c.sample.error.size
    arriving, slope, gradient = c.below.arriving, c.below.slope, c.below.gradient
    weight_per_state = 1.0 / c.nominal.state_per_weight
    for i in range(c.rows):
        for lane in range(lanes):
            arriving[i, lane] = 0.0
        for k in range(c.columns):
            for lane in range(lanes):
                arriving[i, lane] += voltage[i, k, lane]
        for lane in range(lanes):
            arriving[i, lane] *= weight_per_state / c.nominal.read_current * c.sample.scale[lane]
            gradient[i, lane] = arriving[i, lane] * slope[i, lane]
    return 0


@elementwise
def trust(current, error, unseen):
    """How much a memristance V / I counts beside what is known already, from 0 to 1: Kalman's gain.

    ``error`` is that of the memristance at 1 A, ``unseen`` the one of what is known, both in one unit.
    """
    known = unseen * abs(current)
    return known * known / (known * known + error * error)


@inlined
def moved_by(nominal, current, pulse_time):
    """How far a READ of a node moves the boundary, in state units."""
    over = abs(current) - nominal.threshold
    over = over if over > 0.0 else 0.0
    return nominal.drift * pulse_time * math.copysign(over, current)


def measure_nodes(c, rows, step):
    """Output, slope and present bias weight of nodes, from the voltage at a READ's end.

    The memristance at the end is V / I. From it and the nominal drift follow the
    slope of Eq. 10 over the whole pulse and the bias weight before it. Where the
    current is 0 the output is 0, no update needs the slope, and the bias weight
    stays as last known. Where the read-out errs, V / I tells the less, the smaller
    the current is: it counts by its share of :func:`trust`, and what was last
    known by the rest.
    """
    nominal, signal, slope, bias = c.nominal, c.layer.signal, c.layer.slope, c.layer.bias
    current, voltage = by_node(c, c.bank.current), by_node(c, c.bank.voltage)
    r_on, r_off, drift, width = nominal.r_on, nominal.r_off, nominal.drift, nominal.range
    factor = 2.0 / (r_on + r_off)
    drift_slope = factor * (r_off - r_on) / width * drift * c.pulse_time
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            i = current[k, lane]
            driven = i != 0.0
            resistance = voltage[k, lane] / (i if driven else 1.0)
            doped = (r_off - resistance) / (r_off - r_on)
            if nominal.read_error > 0.0:
                expected = 0.5 + 0.5 * bias[k, lane] + moved_by(nominal, i, c.pulse_time) / width
                expected = min(max(expected, 0.0), 1.0)
                error = nominal.read_error / (r_off - r_on)
                doped = expected + trust(i, error, 0.5 * UNSEEN * nominal.bias_limit) * (doped - expected)
                resistance = r_off - doped * (r_off - r_on)
            inside = (doped > RESIDUAL) & (doped < 1.0 - RESIDUAL)
            moved = moved_by(nominal, i, c.pulse_time)
            steepening = drift_slope * i if (abs(i) > nominal.threshold) & inside else 0.0
            measured = 2.0 * ((doped - 0.5) - moved / width)
            # A drift longer than the range met a bound; the RESTORE meets the other one.
            measured = min(max(measured, -1.0), 1.0)
            signal[k, lane] = factor * voltage[k, lane] / nominal.unit_current
            slope[k, lane] = factor * resistance - steepening if driven else 0.0
            bias[k, lane] = measured if driven else bias[k, lane]
    return 0


def find_gradient(c, rows, step):
    """Eqs. 9, 16 and 19: the local gradient of the output layer, and the sample's error.

    The error is the sum over outputs of (T - V)**2 / 2. ``arriving`` is T - V,
    the gradient without the node's slope.
    """
    signal, error, target = c.layer.signal, c.sample.error, c.sample.target
    for lane in range(error.size):
        error[lane] = 0.0
    for k in range(c.columns):
        for lane in range(error.size):
            difference = target[k, lane] - signal[k, lane]
            error[lane] += 0.5 * difference * difference
            if c.gradient_rule == OutputGradient.PRINTED:
                difference = target[k, lane]
            c.layer.arriving[k, lane] = difference
            c.layer.gradient[k, lane] = difference * c.layer.slope[k, lane]
    return 0


def measure_memristor(c, rows, step):
    """Output of the single-layer perceptron's memristor: its voltage at the READ's end."""
    for lane in range(c.sample.error.size):
        c.layer.signal[0, lane] = c.bank.voltage[lane] / c.nominal.unit_voltage
    return 0


@elementwise
def activated(activation, net):
    """The activation stage of the equivalent construction."""
    if activation == Activation.LOGISTIC:
        return logistic(net)
    if activation == Activation.TANH:
        return hyperbolic_tangent(net)
    return net


@elementwise
def slope_from_output(activation, signal):
    """The slope g' from the activation's own value: y (1 - y), 1 - y**2, or 1."""
    if activation == Activation.LOGISTIC:
        return signal * (1.0 - signal)
    if activation == Activation.TANH:
        return 1.0 - signal * signal
    return 1.0


def activate(c, rows, step):
    """Output of the equivalent construction, from the net input that was read."""
    for lane in range(c.sample.error.size):
        c.layer.signal[0, lane] = activated(c.activation, c.layer.net[0, lane])
    return 0


def apply_delta_rule(c, rows, step):
    """Algorithm 1: Delta = T - V, g' from the measured output, and Delta * g'; Eq. 19 for the error."""
    signal, gradient, difference = c.layer.signal, c.layer.gradient, c.sample.difference
    for lane in range(c.sample.error.size):
        difference[lane] = c.sample.target[0, lane] - signal[0, lane]
        c.sample.error[lane] = 0.5 * difference[lane] * difference[lane]
        gradient[0, lane] = difference[lane] * slope_from_output(c.activation, signal[0, lane])
    return 0


# Requests: what is to change.


@inlined
def request_weights(c, charge_per_weight):
    """Delta w_ij = eta * delta_j * V_i, as what changes a weight so."""
    request, gradient, signal = by_place(c, c.request), c.layer.gradient, c.below.signal
    rate, lanes = c.sample.rate[0], c.sample.error.size
    slopes = line(gradient, 0, c.columns)
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        if lanes == 1:
            for i in range(first, last):
                row, value = line(c.request, i * c.columns, c.columns), signal[i, 0]
                for k in range(c.columns):
                    row[k] = rate * slopes[k] * value * charge_per_weight
            continue
        for i in range(first, last):
            for k in range(c.columns):
                for lane in range(lanes):
                    request[i, k, lane] = rate * gradient[k, lane] * signal[i, lane] * charge_per_weight


def request_synapses(c, rows, step):
    """Changes of weights, as the charges beyond the threshold in A s that write them."""
    request_weights(c, c.nominal.state_per_weight / c.nominal.drift)
    return 0


def request_biases(c, rows, step):
    """The changes of the bias weights that are asked for (Eq. 18).

    dV/dw_b = -contrast * in with the contrast (R_OFF - R_ON) / (R_OFF + R_ON);
    the gradient is that times what arrives at the node, without the slope.
    """
    request, net, nominal = by_node(c, c.request), c.layer.net, c.nominal
    contrast = (nominal.r_off - nominal.r_on) / (nominal.r_off + nominal.r_on)
    rate = c.sample.rate[0]
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            change = 0.0
            if c.bias_rule == BiasRule.GRADIENT:
                change = -rate * c.layer.arriving[k, lane] * contrast * net[k, lane]
            elif c.bias_rule == BiasRule.PRINTED:
                change = rate * c.layer.gradient[k, lane]
            request[k, lane] = change
    return 0


def request_variable(c, rows, step):
    """The update u = Delta * x_i * g' of Algorithm 1, as a charge beyond the threshold in A s.

    The device's own learning rate turns the charge into a weight; the amplitude carries any other rate.
    """
    charge = c.nominal.unit_current * c.pulse_time * c.pulses * (c.sample.rate[0] / c.made_for)
    for lane in range(c.request.size):
        c.request[lane] = c.layer.gradient[0, lane] * c.line_signal[lane] * charge
    return 0


def request_line(c, rows, step):
    """WRITE of the equivalent construction: the update of a line's weight, as a charge in A s."""
    for e in range(c.bank.elements):
        c.bank.request[e] = 0.0
    charge = c.sample.rate[0] * c.nominal.state_per_weight / c.nominal.drift
    for lane in range(c.request.size):
        c.request[lane] = c.layer.gradient[0, lane] * c.line_signal[lane] * charge
    return 0


def gather(c, rows, step):
    """Mini-batches: requests are added up from sample to sample, and written at the batch's end, all at once.

    Left in the requests is what is to be written now: the sum at the batch's end, and nothing before.
    """
    closing = c.sample.closing[0] == 1.0
    for e in range(c.request.size):
        total = c.gathered[e] + c.request[e]
        c.request[e] = total if closing else 0.0
        c.gathered[e] = 0.0 if closing else total
    return 0


@elementwise
def within_limit(bias, change, limit):
    """A change that leads no further than the limit: never larger than what was asked for, nor of the other sign.

    A bias weight that is known to be beyond the limit already goes no further, and is not brought back either.
    """
    aim = bias + change
    if -limit <= aim <= limit:
        return change
    if change > 0.0:
        return min(change, max(limit - bias, 0.0))
    return max(change, min(-limit - bias, 0.0))


def limit_biases(c, rows, step):
    """Keep changes of the bias weights within what is allowed, and turn them into charges in A s.

    A write that would leave [-limit, limit] ends there, and is counted in ``shortened``.
    """
    request, shortened, bias = by_node(c, c.request), by_node(c, c.bank.shortened), c.layer.bias
    limit = c.nominal.bias_limit
    charge_per_weight = c.nominal.state_per_weight / c.nominal.drift
    for k in range(c.columns):
        for lane in range(c.sample.error.size):
            change = request[k, lane]
            allowed = within_limit(bias[k, lane], change, limit)
            shortened[k, lane] += 1.0 if allowed != change else 0.0
            bias[k, lane] += allowed
            request[k, lane] = allowed * charge_per_weight
    return 0


# Encoding: requests as pulses.


def encode_amplitude(c, rows, step):
    """Encode writes by amplitude: I = sign(q) * (I_th + abs(q) / T), none where the charge q is too small.

    Writes that the driver's limit cuts are counted in ``clipped``, those below the
    controller's resolution in ``unsent``.
    """
    count = c.columns * c.sample.error.size
    for part in range(c.driven[0]):
        first, last = stretch(c.driven, part)
        encode_stretch(c, first * count, last * count)
    return 0


@inlined
def encode_stretch(c, first, last):
    """Encode the writes of some elements by amplitude."""
    count, threshold, limit = last - first, c.nominal.threshold, c.nominal.limit
    request, current = line(c.bank.request, first, count), line(c.bank.current, first, count)
    resolution, pulses_a_second = c.nominal.resolution, 1.0 / c.pulse_time
    beyond, below = 0, 0
    for e in range(count):
        amplitude = threshold + abs(request[e]) * pulses_a_second
        beyond |= amplitude > limit
        below |= (abs(request[e]) <= resolution) & (request[e] != 0.0)
        amplitude = limit if amplitude > limit else amplitude
        current[e] = math.copysign(amplitude, request[e]) if abs(request[e]) > resolution else 0.0
    if beyond:
        clipped = line(c.bank.clipped, first, count)
        for e in range(count):
            clipped[e] += 1.0 if threshold + abs(request[e]) * pulses_a_second > limit else 0.0
    if below:
        unsent = line(c.bank.unsent, first, count)
        for e in range(count):
            unsent[e] += 1.0 if (abs(request[e]) <= resolution) & (request[e] != 0.0) else 0.0


def encode_train(c, rows, step):
    """Encode writes as trains of equal pulses, as many as come nearest.

    Counted are writes cut by the train's length (``clipped``), writes rounded, and the largest charge lost to that;
    those below the controller's resolution are counted in ``unsent`` alone.
    """
    bank, threshold, write_current = c.bank, c.nominal.threshold, c.nominal.write_current
    quantum = write_current * c.pulse_time
    for e in range(bank.elements):
        sent = abs(bank.request[e]) > c.nominal.resolution
        bank.unsent[e] += 1.0 if not sent and bank.request[e] != 0.0 else 0.0
        charge = abs(bank.request[e]) if sent else 0.0
        wanted = math.floor(charge / quantum + 0.5)
        lost = abs(wanted * quantum - charge)
        bank.rounded[e] += 1.0 if lost > RESIDUAL * quantum else 0.0
        bank.rounding[e] = lost if lost > bank.rounding[e] else bank.rounding[e]
        bank.clipped[e] += 1.0 if wanted > c.pulses else 0.0
        bank.pulses[e] = wanted if wanted < c.pulses else c.pulses
        bank.current[e] = math.copysign(threshold + write_current, bank.request[e])
    return 0


def add_bias_current_printed(c, rows, step):
    """Algorithm 1 as printed: I = u + I_b, where I_b takes the sign of the error.

    Where u has the other sign the sum lies below the threshold.
    """
    for lane in range(c.sample.error.size):
        bias_current = c.nominal.threshold if c.sample.difference[lane] >= 0.0 else -c.nominal.threshold
        c.bank.current[lane] = c.request[lane] / c.pulse_time + bias_current
    return 0


def choose_pulse(c, rows, step):
    """The currents in a pulse of a train: none of a device whose train is over."""
    turn = c.turn[0]
    for e in range(c.bank.elements):
        c.bank.train[e] = 0.0 if c.bank.pulses[e] <= turn else c.bank.current[e]
    return 0


# Before a READ that moves states, and after its RESTORE.


def keep_states(c, rows, step):
    """Remember a bank's states before a READ that moves them."""
    state, before = c.bank.state, c.bank.before
    for v in range(state.shape[0]):
        for e in range(c.bank.elements):
            before[v, e] = state[v, e]
    return 0


def count_residuals(c, rows, step):
    """Compare a bank's states after RESTORE with those before the READ."""
    bank = c.bank
    for v in range(bank.state.shape[0]):
        width = bank.upper[v] - bank.lower[v]
        for e in range(bank.elements):
            share = abs(bank.state[v, e] - bank.before[v, e]) / width
            bank.residual[e] = share if share > bank.residual[e] else bank.residual[e]
            bank.unrestored[e] += 1.0 if share > RESIDUAL else 0.0
    return 0
