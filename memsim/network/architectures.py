"""The kinds of network that there are, each in a file of its own, and what is asked of any of them."""

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from .architecture import Architecture, architecture_of
from .multilayer import Multilayer
from .single_layer import SingleLayer

__all__ = ["Architecture", "Multilayer", "SingleLayer", "architecture_of", "calibrate", "units_of"]


def calibrate(config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> tuple[BankCalibration, ...]:
    """Choose what a configuration leaves open; refuse what samples make certain to fail.

    Parameters
    ----------
    config : Configuration
    inputs : (samples, inputs) float64
        With the constant line, where the network has one.
    targets : (samples, outputs) float64

    Returns
    -------
    tuple of BankCalibration
        In the order of the schedule's banks.

    Raises
    ------
    InputError
    """
    return architecture_of(config).calibrate(config, inputs, targets)


def units_of(config: Configuration) -> tuple[int, ...]:
    """Units of each layer; of layer 0 the inputs, with the constant line."""
    first, *others = config.network.widths
    return (first + config.network.constant_input, *others)
