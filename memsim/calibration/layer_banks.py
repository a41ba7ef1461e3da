"""Banks of a multilayer perceptron: synapses and nodes of each layer."""

from dataclasses import replace

from ..configuration.network_sections import MultilayerSection
from ..configuration.sections import Configuration
from ..devices import Node
from ..errors import InputError
from .bank import (
    PROBE_SHARE,
    WRITE_RANGE,
    BankCalibration,
    driver,
    drivers,
    slot_time,
    synapses,
    with_model,
)
from .nominal_banks import NominalDevice, is_modelled, nominal_of


def calibrate_layers(config: Configuration, network: MultilayerSection) -> tuple[BankCalibration, ...]:
    """Synapses and nodes of each layer."""
    sizes = [network.layers[0] + network.constant_input, *network.layers[1:]]
    banks = []
    for layer in range(1, len(sizes)):
        node = _node(config, network, layer)
        count = sizes[layer - 1] * sizes[layer]
        banks.append(
            synapses(
                config, f"synapses{layer}", count, node.unit_current, network.weight_limit, held=False, layer=layer
            )
        )
        banks.append(replace(node, name=f"nodes{layer}", devices=sizes[layer]))
    return tuple(banks)


def _node(config: Configuration, network: MultilayerSection, layer: int) -> BankCalibration:
    """A bank of one node of a layer."""
    node, role = config.devices.of_layer("node", layer)
    integrator = config.devices.integrator_of_layer("node", layer) or config.time.integrator
    read_time = config.time.read * config.time.dt
    if isinstance(node, Node):  # the paper's, by its own formulas
        half = 0.5 * node.state_range
        unit_current = network.node_drift * half / (node.drift_coefficient * read_time)
        allowed = WRITE_RANGE[config.write.encoding] * 2.0 * network.bias_limit * half
        over = allowed / (node.drift_coefficient * slot_time(config))
        threshold = node.threshold
        limit, train = driver(config, f"{role}.threshold", threshold, over)
    else:
        nominal = nominal_of(node, role)
        half = 0.5 * nominal.range
        _refuse_active(nominal)
        unit_current = nominal.current_for(network.node_drift * half / read_time, 1.0)
        threshold = nominal.dead_zone
        limit, train = drivers(config, nominal, network.bias_limit)
    probe = PROBE_SHARE * unit_current
    bank = BankCalibration(
        "nodes1",
        node,
        1,
        threshold,
        0.0,
        limit,
        train,
        half,
        unit_current,
        network.bias_limit,
        integrator=integrator,
        kind="node",
    )
    if not is_modelled(config, node):
        return bank
    bank = replace(bank, read_current=probe)
    kept = network.restore_verify > 0
    return with_model(
        config, bank, role, network.weight_limit, moves=True, kept_bias=kept,
        share=network.bias_limit,
    )  # fmt: skip


def _refuse_active(nominal: NominalDevice) -> None:
    """Refuse a node whose memristance is not positive: V / I and the output's scale would lose their sense."""
    if min(nominal.ends) <= 0.0:
        raise InputError(
            f"{nominal.role}.model: must have a positive memristance over its whole range "
            f"(got {nominal.model!r}, down to {min(nominal.ends):g} ohm)"
        )
