"""Both learning algorithms of arXiv:1807.04912 at the level of weights: one realisation, plain NumPy.

The oracle for the emulator. It knows no devices, pulses or units: everything is in reduced units, a node's state is
its bias weight w_b = 2*gamma/D', and lies in [-1, 1]. Where the paper's equations cannot be taken literally, the
corrected reading is used, and the docstring says which.
"""

import numpy as np

# Activation g, and its slope g' from its own value.
ACTIVATIONS = {
    "logistic": (lambda net: 1.0 / (1.0 + np.exp(-net)), lambda output: output * (1.0 - output)),
    "tanh": (np.tanh, lambda output: 1.0 - output**2),
    "identity": (lambda net: net, lambda output: 1.0),
}


def limited(biases, steps, limit):
    """Biases after steps of which none leads beyond the limit, becomes larger or turns round."""
    room = np.where(steps > 0.0, np.maximum(limit - biases, 0.0), np.minimum(-limit - biases, 0.0))
    return biases + np.where(steps > 0.0, np.minimum(steps, room), np.maximum(steps, room))


def is_written(place, samples, batch):
    """Whether the updates so far are written after the sample at a place, from 1: at a batch's and an epoch's end."""
    return place % batch == 0 or place == samples


def train_single_layer(weights, bias, inputs, targets, order, learning_rate, activation="logistic", batch=1):
    """Train one unit by the delta rule (Algorithm 1).

    Parameters
    ----------
    weights : (inputs,) array_like
        Weights before training.
    bias : float
        Bias weight before training; its input is 1.
    inputs : (samples, inputs) array_like
    targets : (samples,) array_like
    order : (epochs, samples) array_like of int
        Index of the sample shown at each place of each epoch.
    learning_rate : float or (epochs,) array_like
    activation : {"logistic", "tanh", "identity"}
    batch : int
        Samples whose updates are added up before they are made.

    Returns
    -------
    weights : (inputs,) ndarray
    bias : float
    total_error : (epochs,) ndarray
        Sum of (T - O)^2 / 2 over an epoch, O from before the sample's update (Eq. 20).

    Notes
    -----
    The update is eta * D * x_i * g', its sign that of the whole product and not of D alone.
    """
    weights = np.array(weights, dtype=float)
    bias = float(bias)
    inputs, targets = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    activate, slope_of = ACTIVATIONS[activation]
    total_error = np.zeros(len(order))
    rates = np.broadcast_to(learning_rate, len(order))
    for epoch, samples in enumerate(order):
        weight_steps, bias_step = np.zeros(len(weights)), 0.0
        for place, sample in enumerate(samples, start=1):
            x = inputs[sample]
            output = activate(weights @ x + bias)  # Eqs. 2, 3
            difference = targets[sample] - output  # Eq. 4
            total_error[epoch] += 0.5 * difference**2
            step = rates[epoch] * difference * slope_of(output)
            weight_steps += step * x
            bias_step += step
            if is_written(place, len(samples), batch):
                weights += weight_steps
                bias += bias_step
                weight_steps, bias_step = np.zeros(len(weights)), 0.0
    return weights, bias, total_error


def node_contrast(ratio):
    """Return r = (R_OFF - R_ON) / (R_OFF + R_ON) for ratio = R_ON / R_OFF; ratio 0 is Eq. 12, R_ON dropped."""
    return (1.0 - ratio) / (1.0 + ratio)


def read_nodes(net_input, state, drift, contrast, threshold=0.0):
    """READ a layer of nodes and RESTORE them (Eqs. 10, 11, two-sided, with a current threshold).

    Parameters
    ----------
    net_input : (nodes,) ndarray
    state : (nodes,) ndarray
        Bias weights before the READ, in [-1, 1].
    drift : float
        Change of the state over a READ, per unit of current above the threshold.
    contrast : float
        `node_contrast` of the device.
    threshold : float
        A smaller current moves no state.

    Returns
    -------
    output : (nodes,) ndarray
        V at the end of the READ, scaled by 2 / (R_ON + R_OFF).
    slope : (nodes,) ndarray
        dV/din; no drift term below the threshold, nor where the state met a bound.
    restored : (nodes,) ndarray
        State after RESTORE, which takes the whole motion back: what a bound cut off in the READ is lost.
    """
    motion = drift * np.sign(net_input) * np.maximum(np.abs(net_input) - threshold, 0.0)
    reached = np.clip(state + motion, -1.0, 1.0)
    resistance = 1.0 - contrast * reached
    free = (np.abs(net_input) > threshold) & (np.abs(reached) < 1.0)
    slope = resistance - np.where(free, contrast * drift * net_input, 0.0)
    restored = np.clip(reached - motion, -1.0, 1.0)
    return resistance * net_input, slope, restored


def bias_step(rule, net_input, slope, error, contrast):
    """Return a layer's change of bias weights per unit of learning rate.

    Parameters
    ----------
    rule : {"gradient", "printed", "none"}
        The gradient, with dV/dw_b = -r * in; Eq. 18 to the letter, delta; or no change.
    net_input, slope, error : (nodes,) ndarray
        `error` is -dE/dV, so that delta = slope * error.
    contrast : float

    Returns
    -------
    (nodes,) ndarray
    """
    if rule == "gradient":
        return -contrast * net_input * error
    if rule == "printed":
        return slope * error
    if rule == "none":
        return np.zeros_like(error)
    raise ValueError(f"bias_rule: must be 'gradient', 'printed' or 'none' (got {rule!r})")


def multilayer_error(weights, biases, inputs, targets, drift, ratio=0.01, node_threshold=0.0):
    """Return the sum of (T - V)^2 / 2 over all samples, each read and restored (Eqs. 7 to 11, 20).

    Parameters are those of `train_multilayer`.
    """
    biases, contrast, total = list(biases), node_contrast(ratio), 0.0
    for sample, target in zip(np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float), strict=True):
        values = sample
        for layer, layer_weights in enumerate(weights):
            net = values @ layer_weights
            values, _, biases[layer] = read_nodes(net, biases[layer], drift, contrast, node_threshold)
        total += 0.5 * np.sum((target - values) ** 2)
    return total


def single_layer_error(weights, bias, inputs, targets, activation="logistic"):
    """Return the sum of (T - O)^2 / 2 over all samples."""
    outputs = ACTIVATIONS[activation][0](np.asarray(inputs, dtype=float) @ weights + bias)
    return 0.5 * np.sum((np.asarray(targets, dtype=float) - outputs) ** 2)


def best_of(errors, patience=0):
    """Return the epoch of the lowest error, and how many epochs there are until ``patience`` bring no lower one."""
    best = 0
    for epoch, error in enumerate(errors):
        best = epoch if error < errors[best] else best
        if patience and epoch - best == patience:
            return best, epoch + 1
    return best, len(errors)


def train_multilayer(
    weights,
    biases,
    inputs,
    targets,
    order,
    learning_rate,
    drift,
    ratio=0.01,
    node_threshold=0.0,
    weight_limit=np.inf,
    bias_limit=np.inf,
    bias_rule="gradient",
    batch=1,
):
    """Train a multilayer perceptron by backpropagation (Algorithm 2).

    Parameters
    ----------
    weights : list of (n_in, n_out) array_like
        Synapses of each layer before training.
    biases : list of (n_out,) array_like
        Bias weights of each layer's nodes before training.
    inputs : (samples, n_in of the first layer) array_like
    targets : (samples, n_out of the last layer) array_like
    order : (epochs, samples) array_like of int
        Index of the sample shown at each place of each epoch.
    learning_rate : float or (epochs,) array_like
    drift : float
        kappa: change of a node's state over a READ of unit current.
    ratio : float
        R_ON / R_OFF; 0 is Eq. 12.
    node_threshold : float
        Current that moves no node's state (Eq. 11).
    weight_limit, bias_limit : float
        A write that would leave +-limit ends at it; of a bias weight that is beyond it already, nothing is written that
        leads further. A node's state stays in [-1, 1] in any case.
    bias_rule : {"gradient", "printed", "none"}
        See `bias_step`.
    batch : int
        Samples whose updates are added up before they are made.

    Returns
    -------
    weights : list of (n_in, n_out) ndarray
    biases : list of (n_out,) ndarray
    total_error : (epochs,) ndarray
        Sum of (T - V)^2 / 2 over outputs and over an epoch, V from before the sample's update (Eq. 20).

    Notes
    -----
    Eq. 8 sums voltages, and Eq. 16 has T_k - V_k for T_k. All gradients of a sample use the weights from before its
    writes.
    """
    weights = [np.array(w, dtype=float) for w in weights]
    biases = [np.array(b, dtype=float) for b in biases]
    inputs, targets = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    contrast = node_contrast(ratio)
    bias_limit = min(bias_limit, 1.0)
    layers = range(len(weights))
    total_error = np.zeros(len(order))
    rates = np.broadcast_to(learning_rate, len(order))
    for epoch, samples in enumerate(order):
        weight_steps, bias_steps = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
        for place, sample in enumerate(samples, start=1):
            values, nets, slopes = [inputs[sample]], [], []
            for layer in layers:
                nets.append(values[-1] @ weights[layer])  # Eqs. 7, 8
                output, slope, biases[layer] = read_nodes(nets[-1], biases[layer], drift, contrast, node_threshold)
                values.append(output)
                slopes.append(slope)

            errors = [targets[sample] - values[-1]]  # Eq. 9
            total_error[epoch] += 0.5 * np.sum(errors[0] ** 2)
            for layer in reversed(layers[1:]):
                errors.insert(0, weights[layer] @ (slopes[layer] * errors[0]))  # the sum of Eq. 17

            for layer in layers:
                delta = slopes[layer] * errors[layer]  # Eqs. 16, 17
                step = bias_step(bias_rule, nets[layer], slopes[layer], errors[layer], contrast)
                weight_steps[layer] += rates[epoch] * np.outer(values[layer], delta)
                bias_steps[layer] += rates[epoch] * step
            for layer in layers if is_written(place, len(samples), batch) else ():
                weights[layer] = np.clip(weights[layer] + weight_steps[layer], -weight_limit, weight_limit)
                biases[layer] = limited(biases[layer], bias_steps[layer], bias_limit)
                weight_steps[layer][:], bias_steps[layer][:] = 0.0, 0.0
    return weights, biases, total_error
