"""The controller's rules: from measured voltages to the next pulses' amplitudes.

The controller is the periphery of the devices. It holds nominal constants and
what it has measured; the one exception, the tap of Algorithm 1, is
:func:`tap_net_input`. In all arrays the last axis is the realisations, and sums
over devices run in index order.
"""

import math

from .compiling import compiled
from .mathematics import hyperbolic_tangent, logistic
from .slots import Activation, BiasRule, OutputGradient

RESIDUAL = 1e-12  # of the state's range: a larger one after RESTORE is counted
LAST_IN_WINDOW = 1.0 - 2.0**-20  # of a window's width: the farthest that a write reaches into it


@compiled
def find_scale(signal, full_scale, scale):
    """The magnitude that a READ's full-scale current stands for, for each realisation.

    Parameters
    ----------
    signal : (lines, realisations) float64
    full_scale : float
        Fixed scale; 0 takes the signal's own largest magnitude.
    scale : (realisations,) float64
        Filled.
    """
    lines, lanes = signal.shape
    for lane in range(lanes):
        scale[lane] = full_scale
    if full_scale == 0.0:
        for line in range(lines):
            for lane in range(lanes):
                magnitude = abs(signal[line, lane])
                scale[lane] = magnitude if magnitude > scale[lane] else scale[lane]


@compiled
def scaled(value, scale, amplitude):
    """The current that stands for a value in a READ; none where the whole vector is 0."""
    return value / (scale if scale > 0.0 else 1.0) * amplitude


@compiled
def drive_rows(signal, scale, amplitude, current):
    """READ of synapses: every synapse of row i gets signal i.

    ``signal`` (inputs, realisations), ``current`` (inputs, outputs, realisations) in A.
    """
    inputs, outputs, lanes = current.shape
    for i in range(inputs):
        for lane in range(lanes):
            current[i, 0, lane] = scaled(signal[i, lane], scale[lane], amplitude)
        for k in range(1, outputs):
            for lane in range(lanes):
                current[i, k, lane] = current[i, 0, lane]


@compiled
def drive_columns(signal, scale, amplitude, current):
    """BACKREAD: every synapse of column k gets signal k."""
    inputs, outputs, lanes = current.shape
    for k in range(outputs):
        for lane in range(lanes):
            current[0, k, lane] = scaled(signal[k, lane], scale[lane], amplitude)
    for i in range(1, inputs):
        for k in range(outputs):
            for lane in range(lanes):
                current[i, k, lane] = current[0, k, lane]


@compiled
def sum_columns(voltage, scale, weight_per_ohm, amplitude, net):
    """in_k, the sum over i of V_ik (Eq. 8 as Eqs. 16 and 17 read it), scaled back.

    ``voltage`` (inputs, outputs, realisations) in V, ``net`` (outputs, realisations).
    """
    inputs, outputs, lanes = voltage.shape
    for k in range(outputs):
        for lane in range(lanes):
            net[k, lane] = 0.0
    for i in range(inputs):
        for k in range(outputs):
            for lane in range(lanes):
                net[k, lane] += voltage[i, k, lane]
    for k in range(outputs):
        for lane in range(lanes):
            net[k, lane] *= weight_per_ohm / amplitude * scale[lane]


@compiled
def sum_rows(voltage, scale, weight_per_ohm, amplitude, slope, arriving, gradient):
    """Eq. 17: delta_i = phi'_i times the sum over k of delta_k w_ik, measured by a BACKREAD.

    ``voltage`` (inputs, outputs, realisations) in V; ``arriving``, filled with
    the sums, and ``gradient`` (inputs, realisations).
    """
    inputs, outputs, lanes = voltage.shape
    for i in range(inputs):
        for lane in range(lanes):
            arriving[i, lane] = 0.0
        for k in range(outputs):
            for lane in range(lanes):
                arriving[i, lane] += voltage[i, k, lane]
        for lane in range(lanes):
            arriving[i, lane] *= weight_per_ohm / amplitude * scale[lane]
            gradient[i, lane] = arriving[i, lane] * slope[i, lane]


@compiled
def drive_nodes(net, unit_current, current):
    """READ of nodes (unit current above 0) or RESTORE (below 0): the net input as a current."""
    nodes, lanes = net.shape
    for k in range(nodes):
        for lane in range(lanes):
            current[k, lane] = net[k, lane] * unit_current


@compiled
def measure_nodes(
    current, voltage, drift, threshold, r_on, r_off, state_range, unit_current, read_time, signal, slope, bias
):
    """Output, slope and present bias weight of nodes, from the voltage at a READ's end.

    The memristance at the end is V / I. From it and the nominal drift follow the
    slope of Eq. 10 over the whole pulse and the bias weight before it. Where the
    current is 0 the output is 0, no update needs the slope, and the bias weight
    stays as last known.

    Parameters
    ----------
    current, voltage : (nodes, realisations) float64
        In A and V.
    drift, threshold, r_on, r_off, state_range : float
        Nominal constants k in m/(A s), I_th in A, ohm, ohm, D' in m.
    unit_current : float
        The current of a signal of 1 in A.
    read_time : float
        Width of the READ in s.
    signal, slope, bias : (nodes, realisations) float64
        Filled.
    """
    nodes, lanes = current.shape
    factor = 2.0 / (r_on + r_off)
    drift_slope = factor * (r_off - r_on) / state_range * drift * read_time
    for k in range(nodes):
        for lane in range(lanes):
            i = current[k, lane]
            driven = i != 0.0
            resistance = voltage[k, lane] / (i if driven else 1.0)
            doped = (r_off - resistance) / (r_off - r_on)
            inside = (doped > RESIDUAL) & (doped < 1.0 - RESIDUAL)
            over = abs(i) - threshold
            over = over if over > 0.0 else 0.0
            moved = drift * read_time * math.copysign(over, i)
            steepening = drift_slope * i if (over > 0.0) & inside else 0.0
            measured = 2.0 * ((doped - 0.5) - moved / state_range)
            # A drift longer than the range met a bound; the RESTORE meets the other one.
            measured = min(max(measured, -1.0), 1.0)
            signal[k, lane] = factor * voltage[k, lane] / unit_current
            slope[k, lane] = factor * resistance - steepening if driven else 0.0
            bias[k, lane] = measured if driven else bias[k, lane]


@compiled
def output_gradient(signal, slope, target, rule, arriving, gradient, error):
    """Eqs. 9, 16 and 19: the local gradient of the output layer, and the sample's error.

    All arrays (outputs, realisations), but ``error`` (realisations,), which is
    filled with the sum over outputs of (T - V)**2 / 2. ``arriving`` is T - V,
    the gradient without the node's slope.
    """
    outputs, lanes = signal.shape
    for lane in range(lanes):
        error[lane] = 0.0
    for k in range(outputs):
        for lane in range(lanes):
            difference = target[k, lane] - signal[k, lane]
            error[lane] += 0.5 * difference * difference
            if rule == OutputGradient.PRINTED:
                difference = target[k, lane]
            arriving[k, lane] = difference
            gradient[k, lane] = difference * slope[k, lane]


@compiled
def request_synapses(signal, gradient, rate, state_per_weight, drift, request):
    """Delta w_ij = eta * delta_j * V_i, as the charge beyond the threshold in A s that writes it.

    ``signal`` (inputs, realisations), ``gradient`` (outputs, realisations),
    ``request`` (inputs, outputs, realisations).
    """
    inputs, outputs, lanes = request.shape
    charge_per_weight = state_per_weight / drift
    for i in range(inputs):
        for k in range(outputs):
            for lane in range(lanes):
                request[i, k, lane] = rate * gradient[k, lane] * signal[i, lane] * charge_per_weight


@compiled
def request_biases(net, arriving, gradient, rate, rule, contrast, request):
    """The changes of the bias weights that are asked for (Eq. 18).

    ``contrast`` is (R_OFF - R_ON) / (R_OFF + R_ON), so that dV/dw_b = -contrast * in;
    the gradient is that times what arrives at the node, without the slope.
    All arrays (nodes, realisations).
    """
    nodes, lanes = net.shape
    for k in range(nodes):
        for lane in range(lanes):
            change = 0.0
            if rule == BiasRule.GRADIENT:
                change = -rate * arriving[k, lane] * contrast * net[k, lane]
            elif rule == BiasRule.PRINTED:
                change = rate * gradient[k, lane]
            request[k, lane] = change


@compiled
def limit_biases(bias, limit, state_per_weight, drift, request, shortened):
    """Keep changes of the bias weights within what is allowed, and turn them into charges in A s.

    A write that would leave [-limit, limit] ends there, and is counted in
    ``shortened``. All arrays (nodes, realisations).
    """
    nodes, lanes = request.shape
    charge_per_weight = state_per_weight / drift
    for k in range(nodes):
        for lane in range(lanes):
            change = request[k, lane]
            aim = bias[k, lane] + change
            allowed = min(max(aim, -limit), limit)
            if allowed != aim and change != 0.0:
                shortened[k, lane] += 1.0
                change = allowed - bias[k, lane]
            bias[k, lane] += change
            request[k, lane] = change * charge_per_weight


@compiled
def gather(request, batch, closing, gathered):
    """Mini-batches: requests are added up from sample to sample, and written at the batch's end, all at once.

    Parameters
    ----------
    request : (elements,) float64
        What the sample asks for. Left with what is to be written now: the sum at
        the batch's end, and nothing before.
    batch : int
        Samples of a batch; 1 leaves all as it is.
    closing : float
        1 where the sample is its batch's last.
    gathered : (elements,) float64
        The sums of the batch in progress.
    """
    if batch > 1:
        for e in range(request.size):
            total = gathered[e] + request[e]
            request[e] = total if closing == 1.0 else 0.0
            gathered[e] = 0.0 if closing == 1.0 else total


@compiled
def tap_net_input(states, signal, net):
    """Algorithm 1, Eq. 2: the net input from the device's own state.

    An idealisation of the paper, and the only place where the controller sees a
    state: V = g(I + gamma_bias) does not show the weights, yet the net input
    needs them. The equivalent construction reads its weights as voltages.

    ``states`` (variables, realisations), ``signal`` (inputs, realisations),
    ``net`` (realisations,).
    """
    inputs, lanes = signal.shape
    for lane in range(lanes):
        net[lane] = 0.0
    for i in range(inputs):
        for lane in range(lanes):
            net[lane] += states[i, lane] * signal[i, lane]


@compiled
def activate(activation, net):
    """The activation stage of the equivalent construction."""
    if activation == Activation.LOGISTIC:
        return logistic(net)
    if activation == Activation.TANH:
        return hyperbolic_tangent(net)
    return net


@compiled
def slope_from_output(activation, signal):
    """The slope g' from the activation's own value: y (1 - y), 1 - y**2, or 1."""
    if activation == Activation.LOGISTIC:
        return signal * (1.0 - signal)
    if activation == Activation.TANH:
        return 1.0 - signal * signal
    return 1.0


@compiled
def delta_rule(activation, signal, target, gradient, difference, error):
    """Algorithm 1: Delta = T - V, g' from the measured output, and Delta * g'; Eq. 19 for the error.

    All arrays (realisations,).
    """
    for lane in range(signal.size):
        difference[lane] = target[lane] - signal[lane]
        error[lane] = 0.5 * difference[lane] * difference[lane]
        gradient[lane] = difference[lane] * slope_from_output(activation, signal[lane])


@compiled
def request_variable(line_signal, gradient, charge_per_unit, request):
    """The update u = Delta * x_i * g' of Algorithm 1, as a charge beyond the threshold in A s.

    ``line_signal`` is x_i, all ones for the bias; all arrays (realisations,).
    """
    for lane in range(gradient.size):
        request[lane] = gradient[lane] * line_signal[lane] * charge_per_unit


@compiled
def encode_amplitude(request, threshold, limit, pulse_time, current, clipped):
    """Encode writes by amplitude: I = sign(q) * (I_th + abs(q) / T), none where q is 0.

    Parameters
    ----------
    request : (elements,) float64
        Charge q beyond the threshold in A s, with its sign.
    threshold, limit : float
        Of the devices and of the driver, in A.
    pulse_time : float
        Width T of the pulse in s.
    current : (elements,) float64
        Filled with amplitudes in A.
    clipped : (elements,) float64
        Writes cut by the driver's limit are counted.
    """
    pulses_a_second = 1.0 / pulse_time
    beyond = 0
    for e in range(request.size):
        amplitude = threshold + abs(request[e]) * pulses_a_second
        beyond |= amplitude > limit
        amplitude = limit if amplitude > limit else amplitude
        current[e] = math.copysign(amplitude, request[e]) if request[e] != 0.0 else 0.0
    if beyond:
        for e in range(request.size):
            clipped[e] += 1.0 if threshold + abs(request[e]) * pulses_a_second > limit else 0.0


@compiled
def encode_train(request, threshold, pulse_time, pulses, write_current, current, count, clipped, rounded, rounding):
    """Encode writes as trains of up to ``pulses`` equal pulses, as many as come nearest.

    Parameters
    ----------
    request : (elements,) float64
        Charge beyond the threshold in A s, with its sign.
    threshold : float
        Of the devices in A.
    pulse_time : float
        Width of one pulse in s.
    pulses : int
        Pulses at most.
    write_current : float
        Amplitude of the pulses beyond the threshold in A.
    current, count : (elements,) float64
        Filled with amplitudes in A and numbers of pulses.
    clipped, rounded, rounding : (elements,) float64
        Writes cut by the train's length, writes rounded, and the largest charge
        lost to rounding in A s.
    """
    quantum = write_current * pulse_time
    for e in range(request.size):
        charge = abs(request[e])
        wanted = math.floor(charge / quantum + 0.5)
        lost = abs(wanted * quantum - charge)
        rounded[e] += 1.0 if lost > RESIDUAL * quantum else 0.0
        rounding[e] = lost if lost > rounding[e] else rounding[e]
        clipped[e] += 1.0 if wanted > pulses else 0.0
        count[e] = wanted if wanted < pulses else pulses
        current[e] = math.copysign(threshold + write_current, request[e])


@compiled
def add_bias_current_printed(request, difference, threshold, pulse_time, current):
    """Algorithm 1 as printed: I = u + I_b, where I_b takes the sign of the error.

    Where u has the other sign the sum lies below the threshold. All arrays
    (elements,), as for :func:`encode_amplitude`.
    """
    for e in range(request.size):
        bias_current = threshold if difference[e] >= 0.0 else -threshold
        current[e] = request[e] / pulse_time + bias_current
