"""Banks of a single-layer perceptron: one memristor, or lines of synapses and an activation stage."""

import numpy as np

from ..configuration.sections import Configuration
from ..devices import CarrierMemristor, PerceptronMemristor, ThresholdMemristor
from ..errors import InputError
from .bank import (
    READ_MARGIN,
    SLOPE,
    WINDOW_MARGIN,
    BankCalibration,
    driver,
    synapses,
)


def calibrate_lines(config: Configuration, inputs: int) -> BankCalibration:
    """The equivalent construction: a synapse for each weight and one for the bias."""
    unit_current = memristor_of(config, inputs).reference_current
    limit = memristor_of(config, inputs).weight_limit
    return synapses(config, "lines", inputs + 1, unit_current, limit, held=True)


def calibrate_activation(config: Configuration, inputs: np.ndarray) -> BankCalibration:
    """The activation stage of the equivalent construction: a memristor like the one that it is equivalent to.

    Its weight and its bias stay at 0, since no READ reaches their thresholds; nothing
    is ever written. What is left of Eq. 5 is V = V_0 * g(I / I_0).
    """
    given = memristor_of(config, inputs.shape[1])
    assert isinstance(given, ThresholdMemristor)
    unit = given.reference_current
    largest_net = given.weight_limit * float(np.abs(inputs).sum(axis=1).max() + 1.0) * unit
    first = READ_MARGIN * largest_net
    thresholds = (first, READ_MARGIN * first)
    device = ThresholdMemristor(
        **{**given.model_dump(), "inputs": 1, "thresholds": thresholds, "window": 0.5 * (thresholds[1] - first)}
    )
    return BankCalibration(
        "activation", device, 1, first, 0.0, first, 0.0, 1.0, unit, integrator=config.time.integrator, kind="memristor",
        learns=False,
    )  # fmt: skip


def memristor_of(config: Configuration, inputs: int) -> PerceptronMemristor:
    """The configured memristor, or the default one with thresholds, for a number of inputs."""
    device = config.devices.memristor or ThresholdMemristor(inputs=inputs)
    if device.inputs != inputs:
        raise InputError(
            f"devices.memristor.inputs: must be the network's {inputs}, the constant line included "
            f"(got {device.inputs})"
        )
    return device


def calibrate_memristor(config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> BankCalibration:
    """Windows above the largest READ, each wide enough for the largest update; or carriers for all at once."""
    device = memristor_of(config, inputs.shape[1])
    unit = device.reference_current
    largest_error = _largest_error(device, targets)
    if isinstance(device, CarrierMemristor):
        # At worst the carriers of all variables are at their peaks together.
        signals = float(np.abs(inputs).sum(axis=1).max()) + 1.0
        largest_update = largest_error * signals * SLOPE[device.activation] * unit * config.learning.batch
        limit = config.write.driver_limit or WINDOW_MARGIN * largest_update
        return BankCalibration("memristor", device, 1, 0.0, 0.0, limit, 0.0, 1.0, unit, kind="memristor")
    assert isinstance(device, ThresholdMemristor)
    largest_input = max(1.0, float(np.abs(inputs).max()))
    largest_update = largest_error * largest_input * SLOPE[device.activation] * unit * config.learning.batch
    window = device.window or WINDOW_MARGIN * largest_update
    thresholds = device.thresholds
    if thresholds is None:
        largest_net = device.weight_limit * float(np.abs(inputs).sum(axis=1).max()) * unit
        first = WINDOW_MARGIN * max(largest_net, unit)
        thresholds = tuple(first + WINDOW_MARGIN * window * i for i in range(device.inputs + 1))
    # The copy is checked anew: windows that overlap are refused.
    device = ThresholdMemristor(**{**device.model_dump(), "thresholds": thresholds, "window": window})
    highest_threshold = max(thresholds)
    limit, train = driver(config, "devices.memristor.thresholds", highest_threshold, window)
    train = train and min(train, (1.0 - 2.0**-20) * window)
    return BankCalibration("memristor", device, 1, min(thresholds), 0.0, limit, train, 1.0, unit, kind="memristor")


def _largest_error(device: PerceptronMemristor, targets: np.ndarray) -> float:
    """The largest |T - V| that a sample can have."""
    if device.activation == "identity":
        return float(np.abs(targets).max()) + device.weight_limit
    lowest, highest = (0.0, 1.0) if device.activation == "logistic" else (-1.0, 1.0)
    return max(float(targets.max()) - lowest, highest - float(targets.min()))
