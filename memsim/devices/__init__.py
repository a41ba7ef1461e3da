"""Device models: the paper's three memristors, and two others that can be driven, over one contract.

A device model is a class derived from :class:`Device`: checked parameters with
units, named state variables with units and bounds, and the compiled functions
that the kernels step (:mod:`memsim.kernels.models`).
"""

from typing import Any

from ..fields import one_of
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
    "device_of",
]

MODELS: dict[str, type[Device]] = {
    model.model_fields["model"].default: model for model in (Synapse, Node, ThresholdMemristor, WindowedDrift, Vteam)
}


def device_of(section: Any, default: str | None = None) -> Any:
    """A device model from its section of a configuration, by the name in ``model``.

    Parameters
    ----------
    section : mapping
        Anything else is given back as it is.
    default : str, optional
        The model of a section that names none.

    Raises
    ------
    ValueError
        No such model.
    InputError
        A parameter that the model does not have, or out of its bounds.
    """
    if not isinstance(section, dict):
        return section
    name = section.get("model", default)
    if name not in MODELS:
        raise ValueError(f"model: must be {one_of(MODELS, name)}")
    return MODELS[name](**{**section, "model": name})
