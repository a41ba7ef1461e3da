"""Device models: the paper's memristors, and a library of others that can be driven, over one contract.

A device model is a class derived from :class:`~memsim.devices.Device`: checked parameters with
units, named state variables with units and bounds, and the compiled functions
that the kernels step (:mod:`memsim.kernels.models`).
"""

from collections.abc import Mapping
from typing import Any

from ..fields import one_of
from .contract import UNBOUNDED, Device, ParameterSet, StateVariable
from .ion_drift import IonDrift
from .perceptrons import CarrierMemristor, Node, PerceptronMemristor, Synapse, ThresholdMemristor
from .pershin_di_ventra import PershinDiVentra
from .team import Team, Vteam
from .yakopcic import Yakopcic

__all__ = [
    "MODELS",
    "UNBOUNDED",
    "CarrierMemristor",
    "Device",
    "IonDrift",
    "Node",
    "ParameterSet",
    "PerceptronMemristor",
    "PershinDiVentra",
    "StateVariable",
    "Synapse",
    "Team",
    "ThresholdMemristor",
    "Vteam",
    "Yakopcic",
    "device_of",
]

_BUILT_IN = (Synapse, Node, ThresholdMemristor, CarrierMemristor, IonDrift, Team, Vteam, Yakopcic, PershinDiVentra)
MODELS: dict[str, type[Device]] = {model.model_fields["model"].default: model for model in _BUILT_IN}

# Names that models had in earlier files, and what stands for them now.
FORMER: dict[str, dict[str, Any]] = {"windowed-drift": {"model": "ion-drift", "window": "joglekar"}}

HOW_TO_LOAD = "a model of your own is loaded with --models FILE.py, or memsim.load_models('FILE.py') in Python"


def present_form(section: Mapping[str, Any]) -> dict[str, Any]:
    """A device's section of a configuration under its model's present name."""
    return {**section, **FORMER.get(str(section.get("model")), {})}


def device_of(section: Any, default: str | None = None) -> Any:
    """A device model from its section of a configuration, by the name in ``model``; or by that name alone.

    Parameters
    ----------
    section : mapping or str
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
    if isinstance(section, str):
        section = {"model": section}
    if not isinstance(section, dict):
        return section
    section = present_form(section)
    name = section.get("model", default)
    if not isinstance(name, str) or name not in MODELS:
        raise ValueError(f"model: must be {one_of(MODELS, name)}; {HOW_TO_LOAD}")
    return MODELS[name](**{**section, "model": name})


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__"])  # the pages of the reference look for __all__ here
