"""Device models: the paper's three memristors, and two others that can be driven, over one contract.

A device model is a class derived from :class:`Device`: checked parameters with
units, named state variables with units and bounds, and the compiled functions
that the kernels step (:mod:`memsim.kernels.models`).
"""

from .contract import UNBOUNDED, Device, StateVariable
from .drifting import Vteam, WindowedDrift
from .perceptrons import Node, Synapse, ThresholdMemristor

__all__ = [
    "MODELS",
    "UNBOUNDED",
    "Device",
    "Node",
    "StateVariable",
    "Synapse",
    "ThresholdMemristor",
    "Vteam",
    "WindowedDrift",
]

MODELS: dict[str, type[Device]] = {
    model.model_fields["model"].default: model for model in (Synapse, Node, ThresholdMemristor, WindowedDrift, Vteam)
}
