"""The multilayer perceptron: a bank of synapses and one of nodes for each layer."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ..calibration.bank import BankCalibration
from ..calibration.layer_banks import calibrate_layers
from ..calibration.nominal_banks import is_modelled, moves_in_read
from ..configuration.network_sections import MultilayerSection
from ..configuration.sections import Configuration
from ..errors import InputError
from ..kernels.random import PURPOSE_BIAS, PURPOSE_WEIGHT
from ..kernels.slots import Operation, Phase
from .architecture import Architecture, ProgrammedBank
from .slot import Slot, read_train, verified, write_train
from .starting_weights import glorot


def _section(config: Configuration) -> MultilayerSection:
    assert isinstance(config.network, MultilayerSection)
    return config.network


class Multilayer(Architecture):
    """Algorithm 2; the banks of layer l are 2 (l - 1), its synapses, and 2 l - 1, its nodes."""

    kind: ClassVar[str] = "mlp"

    def refuse(self, config: Configuration) -> None:
        """Refuse devices of layers that the network does not have."""
        layers, given = len(_section(config).layers) - 1, len(config.devices.layer)
        if given and given != layers:
            raise InputError(
                f"devices.layer: needs an entry for each of the {layers} layers of synapses and nodes (got {given})"
            )

    def devices(self, config: Configuration, units: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Synapses and nodes of each layer, of one variable each."""
        for inputs, outputs in pairwise(units):
            yield from ((inputs * outputs, 1), (outputs, 1))

    def calibrate(self, config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> tuple[BankCalibration, ...]:
        """Currents of synapses and nodes, layer by layer, under which READs of the inputs move no synapse."""
        network = _section(config)
        banks = calibrate_layers(config, network)
        first, largest = banks[0], float(np.abs(inputs).max())
        if network.read_scale and largest / network.read_scale * first.read_current >= first.threshold:
            least = largest * first.read_current / first.threshold
            raise InputError(
                f"network.read_scale: must be above {least:.4g}, or READs of the inputs exceed the synapses' threshold "
                f"of {first.threshold:g} A (got {network.read_scale:g})"
            )
        return banks

    def slots(self, config: Configuration) -> list[Slot]:
        """READs forward, BACKREADs backward, WRITEs forward; synapses that any READ moves are restored after it."""
        network, read, write = _section(config), read_train(config), write_train(config)
        moves = [_moving(config, layer) for layer in range(1, len(network.layers))]
        layers, restores, verify = len(network.layers) - 1, network.restore_verify, config.write.verify
        slots = []
        for layer in range(1, layers + 1):
            synapses, nodes = 2 * layer - 2, 2 * layer - 1
            slots.append(Slot(Phase.READ, Operation.READ_SYNAPSES, synapses, layer, **read))
            if moves[layer - 1]:
                slots.append(Slot(Phase.RESTORE, Operation.RESTORE_SYNAPSES, synapses, layer, **read))
            slots.append(Slot(Phase.READ, Operation.READ_NODES, nodes, layer, **read))
            restore = Slot(Phase.RESTORE, Operation.RESTORE_NODES, nodes, layer, variable=restores or -1, **read)
            slots += verified(restore, restores, read, write, moved=True)
        for layer in range(layers, 1, -1):
            slots.append(Slot(Phase.BACKREAD, Operation.BACKREAD_SYNAPSES, 2 * layer - 2, layer, **read))
            if moves[layer - 1]:
                slots.append(Slot(Phase.RESTORE, Operation.RESTORE_COLUMNS, 2 * layer - 2, layer, **read))
        for layer in range(1, layers + 1):
            of_synapses = Slot(Phase.WRITE, Operation.WRITE_SYNAPSES, 2 * layer - 2, layer, **write)
            of_nodes = Slot(Phase.WRITE, Operation.WRITE_NODES, 2 * layer - 1, layer, **write)
            slots += verified(of_synapses, verify, read, write, moved=moves[layer - 1])
            slots += verified(of_nodes, verify, read, write, moved=True)
        return slots

    def programmed_banks(self, config: Configuration) -> Iterator[ProgrammedBank]:
        """Synapses and nodes, layer by layer."""
        for layer in range(1, len(_section(config).layers)):
            yield ProgrammedBank(2 * layer - 2, layer, _moving(config, layer))
            yield ProgrammedBank(2 * layer - 1, layer, True)

    def starting_states(
        self, config: Configuration, banks: tuple[BankCalibration, ...], units: tuple[int, ...], seeds: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Shares of Glorot's starting weights as states."""
        return tuple(_layer_states(_section(config), k, bank, units, seeds) for k, bank in enumerate(banks))

    def unfit_classes(self, config: Configuration, name: str, classes: int, outputs: int) -> str:
        """What to say of a data set whose classes do not fit the last layer."""
        wanted = "1 or 2" if classes == 2 else str(classes)
        return f"network.layers: must end with {wanted}, for the {classes} classes of {name} (got {outputs})"


def _moving(config: Configuration, layer: int) -> bool:
    """Whether any READ moves a layer's synapses, which are restored after it."""
    return is_modelled(config, config.devices.of_layer("synapse", layer)[0]) and moves_in_read(config, layer)


def _layer_states(
    network: MultilayerSection, index: int, bank: BankCalibration, units: tuple[int, ...], seeds: np.ndarray
) -> np.ndarray:
    """Starting states of one bank of a multilayer perceptron, (devices, 1, realisations)."""
    layer = index // 2 + 1
    if bank.kind == "synapse":
        name, share, purpose = "weight_limit", network.initial_weight, PURPOSE_WEIGHT
    else:
        name, share, purpose = "bias_limit", network.initial_bias, PURPOSE_BIAS
    weights = share * glorot(seeds, purpose, index, bank.devices, units[layer - 1], units[layer])
    largest, allowed = float(np.abs(weights).max()), getattr(network, name)
    if largest > allowed:
        raise InputError(
            f"network.{name}: must hold the starting weights of {bank.name}, up to {largest:.3g} (got {allowed:g})"
        )
    return bank.states(weights)[:, None]
