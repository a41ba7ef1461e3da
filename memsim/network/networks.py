"""Networks, as a Python user meets them: topology, options, and the device models they are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..configuration.sections import DevicesSection, LayerDevices, MultilayerSection, SingleLayerSection
from ..devices import Device, Node, PerceptronMemristor, Synapse


@dataclass(frozen=True)
class Network:
    """A network: its settings and its devices, as the sections of a configuration."""

    section: SingleLayerSection | MultilayerSection
    devices: DevicesSection


def MultilayerPerceptron(  # noqa: N802 (reads as the thing that it makes)
    layers: Sequence[int] = (2, 2, 1), *, synapse: Device | None = None, node: Device | None = None,
    by_layer: Sequence[LayerDevices] = (), **settings: Any,
) -> Network:  # fmt: skip
    """The multilayer perceptron of Algorithm 2: synapses and nodes are memristors.

    Parameters
    ----------
    layers : sequence of int
        Sizes from inputs to outputs, at least two.
    synapse, node : devices
        Device models; the paper's by default.
    by_layer : sequence of LayerDevices, optional
        Devices and integrators that differ from layer to layer, an entry for each layer of synapses and nodes.
    **settings
        Any field of :class:`~memsim.configuration.MultilayerSection`:
        ``weight_limit``, ``bias_limit``, ``node_drift``, ``constant_input``, ...

    Raises
    ------
    InputError
        A setting is out of its bounds.
    """
    section = MultilayerSection(layers=tuple(layers), **settings)
    return Network(section, DevicesSection(synapse=synapse or Synapse(), node=node or Node(), layer=tuple(by_layer)))


def SingleLayerPerceptron(  # noqa: N802
    inputs: int = 2, *, memristor: PerceptronMemristor | None = None, synapse: Synapse | None = None, **settings: Any
) -> Network:
    """The single-layer perceptron of Algorithm 1.

    Parameters
    ----------
    inputs : int
        Number of inputs, without the constant one.
    memristor : ThresholdMemristor or CarrierMemristor
        The device; one with thresholds, calibrated for the data, by default.
    synapse : Synapse
        The devices of the equivalent construction.
    **settings
        Any field of :class:`~memsim.configuration.SingleLayerSection`:
        ``construction``, ``constant_input``, ...

    Raises
    ------
    InputError
        A setting is out of its bounds.
    """
    section = SingleLayerSection(inputs=inputs, **settings)
    return Network(section, DevicesSection(synapse=synapse or Synapse(), memristor=memristor))
