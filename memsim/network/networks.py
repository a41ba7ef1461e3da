"""Networks, as a Python user meets them: topology, options, and the device models they are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration.network_sections import MultilayerSection, NetworkSection, SingleLayerSection
from ..configuration.sections import DevicesSection, LayerDevices
from ..devices import Device, PerceptronMemristor, Synapse
from ..errors import InputError


@dataclass(frozen=True)
class Network:
    """A network: its settings and its devices, as the sections of a configuration."""

    section: NetworkSection
    devices: DevicesSection

    def __repr__(self) -> str:
        return f"<Network: {self.section.title}; its settings are .section and .devices>"


def MultilayerPerceptron(  # noqa: N802 (reads as the thing that it makes)
    layers: Sequence[int] | None = None, *, inputs: int | None = None, hidden: Sequence[int] | int | None = None,
    outputs: int | None = None, synapse: Device | str | None = None, node: Device | str | None = None,
    by_layer: Sequence[LayerDevices] = (), **settings: Any,
) -> Network:  # fmt: skip
    """The multilayer perceptron of Algorithm 2: synapses and nodes are memristors.

    Parameters
    ----------
    layers : sequence of int
        Sizes from inputs to outputs, at least two; 2, 2, 1 where nothing is given.
    inputs, hidden, outputs : int, sequence of int, int
        Instead of ``layers``: the number of inputs, of nodes in each hidden layer, and of outputs. Those that are not
        given are 2, (2,) and 1.
    synapse, node : device or str
        Device models, or their names as ``"vteam"``; the paper's by default.
    by_layer : sequence of LayerDevices, optional
        Devices and integrators that differ from layer to layer, an entry for each layer of synapses and nodes.
    **settings
        Any field of :class:`~memsim.configuration.MultilayerSection`:
        ``weight_limit``, ``bias_limit``, ``node_drift``, ``constant_input``, ...

    Raises
    ------
    InputError
        A setting is out of its bounds, or there is no such model.
    """
    sizes = _sizes(layers, {"inputs": inputs, "hidden": hidden, "outputs": outputs})
    section = MultilayerSection(layers=sizes, **settings)
    return Network(section, _devices(synapse=synapse, node=node, layer=tuple(by_layer)))


def _devices(**given: Any) -> DevicesSection:
    """The section of devices, the paper's where none is given."""
    for kind, device in given.items():
        if isinstance(device, type):
            raise InputError(f"{kind}: is a class, not a device; write {device.__name__}(), with parameters in it")
    return DevicesSection(**{kind: device for kind, device in given.items() if device is not None})


def _sizes(layers: Sequence[int] | None, named: dict[str, Any]) -> tuple[int, ...]:
    """Sizes of all layers, as they were given together or one by one."""
    given = {name: value for name, value in named.items() if value is not None}
    if layers is not None:
        for name, value in given.items():
            raise InputError(f"{name}: is among layers already (got {value}); give either")
        return _several(layers)
    one_by_one = {"inputs": 2, "hidden": (2,), "outputs": 1} | given
    return (one_by_one["inputs"], *_several(one_by_one["hidden"]), one_by_one["outputs"])


def _several(sizes: Any) -> Any:
    """Sizes as a tuple; a number is one of them, and anything else is left to be refused."""
    if isinstance(sizes, int | np.integer):
        return (int(sizes),)
    return tuple(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, str) else sizes


def SingleLayerPerceptron(  # noqa: N802
    inputs: int = 2, *, memristor: PerceptronMemristor | str | None = None, synapse: Synapse | str | None = None,
    **settings: Any,
) -> Network:  # fmt: skip
    """The single-layer perceptron of Algorithm 1.

    Parameters
    ----------
    inputs : int
        Number of inputs, without the constant one.
    memristor : ThresholdMemristor, CarrierMemristor or str
        The device, or its model's name; one with thresholds, calibrated for the data, by default.
    synapse : Synapse or str
        The devices of the equivalent construction.
    **settings
        Any field of :class:`~memsim.configuration.SingleLayerSection`:
        ``construction``, ``constant_input``, ...

    Raises
    ------
    InputError
        A setting is out of its bounds, or there is no such model.
    """
    section = SingleLayerSection(inputs=inputs, **settings)
    return Network(section, _devices(memristor=memristor, synapse=synapse))
