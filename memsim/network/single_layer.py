"""The single-layer perceptron: one memristor for all weights, or lines of synapses and an activation stage."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ..calibration.bank import BankCalibration, slot_time
from ..calibration.carrier_waveforms import refuse_carriers
from ..calibration.memristor_banks import (
    calibrate_activation,
    calibrate_lines,
    calibrate_memristor,
    memristor_of,
)
from ..configuration.network_sections import SingleLayerSection
from ..configuration.sections import Configuration
from ..devices import CarrierMemristor, PerceptronMemristor
from ..errors import InputError
from ..kernels.random import PURPOSE_WEIGHT
from ..kernels.slots import Operation, Phase
from .architecture import Architecture, ProgrammedBank
from .slot import Slot, read_train, verified, write_train
from .starting_weights import glorot


def _section(config: Configuration) -> SingleLayerSection:
    assert isinstance(config.network, SingleLayerSection)
    return config.network


def _carried(config: Configuration) -> bool:
    """Whether carriers tell the memristor's variables apart."""
    return config.devices.memristor is not None and config.devices.memristor.carried


class SingleLayer(Architecture):
    """Algorithm 1."""

    kind: ClassVar[str] = "slp"
    held: ClassVar[bool] = True

    def refuse(self, config: Configuration) -> None:
        """Refuse devices, encodings and rules that a memristor, its carriers, or lines do not have."""
        network = _section(config)
        if _carried(config):
            _refuse_beside_carriers(config, network)
        if network.construction == "memristor":
            _refuse_beside_memristor(config)
        if config.devices.layer:
            raise InputError(
                f"devices.layer: needs network.kind = 'mlp', which has layers (got {len(config.devices.layer)} entries)"
            )
        _refuse_integrators(config, network)
        device = self.memristor(config, network.inputs + network.constant_input)
        if isinstance(device, CarrierMemristor):  # whose own carriers are looked at
            refuse_carriers(config, device)

    def devices(self, config: Configuration, units: Sequence[int]) -> Iterator[tuple[int, int]]:
        """One device with all variables, or lines and an activation stage."""
        network = _section(config)
        lines = network.construction == "equivalent"
        yield (units[0] + 1, 1) if lines else (1, units[0] + 2)  # weights, the bias, and the learning rate
        if network.activates:
            yield (1, 3)

    def calibrate(self, config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> tuple[BankCalibration, ...]:
        """Thresholds or carriers of the memristor, or the lines' currents and the activation stage."""
        network = _section(config)
        if network.construction == "equivalent":
            lines = calibrate_lines(config, inputs.shape[1])
            return (lines, calibrate_activation(config, inputs)) if network.activates else (lines,)
        return (replace(calibrate_memristor(config, inputs, targets), integrator=config.time.integrator),)

    def slots(self, config: Configuration) -> list[Slot]:
        """One READ, then a WRITE for each weight and the bias in turn.

        In the equivalent construction external control holds all lines in their READ,
        and a second READ sends their sum to the activation stage; in a WRITE it keeps
        the current from lines that are not addressed. Where variables have carriers,
        one WRITE is for all.
        """
        network, read, write = _section(config), read_train(config), write_train(config)
        if _carried(config):
            read_all = Slot(Phase.READ, Operation.READ_MEMRISTOR, 0, 1, **read)
            return [read_all, Slot(Phase.WRITE, Operation.WRITE_CARRIERS, 0, 1, **write)]
        held = network.construction == "equivalent"
        first = Slot(Phase.READ, Operation.READ_LINES if held else Operation.READ_MEMRISTOR, 0, 1, held=held, **read)
        operation = Operation.WRITE_LINE if held else Operation.WRITE_VARIABLE
        lines = network.inputs + network.constant_input + 1
        slots = [first]
        if network.activates:
            slots.append(Slot(Phase.READ, Operation.READ_ACTIVATION, 1, 1, **read))
        for i in range(lines):
            slot = Slot(Phase.WRITE, operation, 0, 1, variable=i, **write)
            slots += verified(slot, config.write.verify if held else 0, read, write, held=held)
        return slots

    def programmed_banks(self, config: Configuration) -> Iterator[ProgrammedBank]:
        """The lines."""
        yield ProgrammedBank(0, 1, False)

    def starting_states(
        self, config: Configuration, banks: tuple[BankCalibration, ...], units: tuple[int, ...], seeds: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Glorot's starting weights as states; of a memristor the learning rate is one too."""
        bank = banks[0]
        weights = glorot(seeds, PURPOSE_WEIGHT, 0, units[0] + 1, units[0], 1)
        if bank.device.with_rate:
            device_rate = config.learning.rate / (bank.unit_current * slot_time(config))
            states = np.vstack([weights, np.full((1, len(seeds)), device_rate)])
            return (states[None],)
        # All of an activation stage's variables are 0, its learning rate too.
        stages = [np.zeros((stage.devices, stage.variables, len(seeds))) for stage in banks[1:]]
        return (bank.states(weights)[:, None], *stages)

    def memristor(self, config: Configuration, inputs: int) -> PerceptronMemristor:
        """The memristor that the network is, or that its lines are made after."""
        return memristor_of(config, inputs)

    def refuse_states(
        self, banks: tuple[BankCalibration, ...], states: tuple[np.ndarray, ...], inputs: np.ndarray
    ) -> None:
        """Refuse starting weights whose READs reach a threshold memristor's thresholds."""
        bank = banks[0]
        if not bank.device.threshold_windows:
            return
        largest = float(np.abs(inputs @ states[0][0, : inputs.shape[1]]).max()) * bank.unit_current
        if largest >= bank.threshold:
            raise InputError(
                f"devices.memristor.thresholds: the lowest must be above {largest:g} A, the largest READ of the "
                f"starting weights, or reading disturbs them (got {bank.threshold:g} A)"
            )

    def keeps_rate(self, banks: tuple[BankCalibration, ...]) -> bool:
        """Whether one memristor has all variables, and the learning rate among them."""
        return banks[0].device.with_rate

    def calibrated(self, config: Configuration, banks: Sequence[BankCalibration]) -> Configuration:
        """A configuration with the windows of the threshold memristor, which else follow from the samples.

        Of carriers it is the driver's limit.
        """
        if _section(config).construction != "memristor":
            return config
        given = config.devices.memristor
        if _carried(config):
            limit = config.write.driver_limit or banks[0].driver_limit
            return config.model_copy(update={"write": config.write.model_copy(update={"driver_limit": limit})})
        if given is not None and given.threshold_windows:
            return config
        devices = config.devices.model_copy(update={"memristor": banks[0].device})
        return config.model_copy(update={"devices": devices})

    def unfit_classes(self, config: Configuration, name: str, classes: int, outputs: int) -> str:
        """What to say of a data set whose classes do not fit the one output."""
        return (
            f"network.kind: 'slp' has one output, which tells two classes apart, but {name} has {classes}; take 'mlp' "
            f"with {classes} outputs"
        )


def _refuse_beside_memristor(config: Configuration) -> None:
    """Refuse what needs lines, or the sign of a sample's error where a train of pulses or a mini-batch has none."""
    if config.write.verify > 0:
        raise InputError(
            f"write.verify: needs network.construction = 'equivalent', whose weights are read as voltages "
            f"(got {config.write.verify})"
        )
    if config.devices.synapse.model != "synapse":
        raise InputError(
            f"devices.synapse.model: needs network.construction = 'equivalent'; with 'memristor' there are no synapses "
            f"(got {config.devices.synapse.model!r})"
        )
    if config.learning.bias_current == "printed" and config.write.encoding != "amplitude":
        raise InputError(
            f"write.encoding: must be 'amplitude' for learning.bias_current = 'printed' (got {config.write.encoding!r})"
        )
    if config.learning.bias_current == "printed" and config.learning.batch > 1:
        raise InputError(
            f"learning.batch: must be 1 for learning.bias_current = 'printed', which takes the sign of one sample's "
            f"error (got {config.learning.batch})"
        )


def _refuse_integrators(config: Configuration, network: SingleLayerSection) -> None:
    """Refuse integrators of devices that a single-layer perceptron does not have: it has synapses as lines alone."""
    absent = ["node_integrator"]
    if network.construction == "memristor":
        absent.append("synapse_integrator")
    for name in absent:
        given = getattr(config.devices, name)
        if given is not None:
            raise InputError(f"devices.{name}: this network has no such devices (got {given!r}); give time.integrator")


def _refuse_beside_carriers(config: Configuration, network: SingleLayerSection) -> None:
    """Refuse what needs thresholds, or a current that is constant through a pulse."""
    for field, value, needed, why in (
        ("network.construction", network.construction, "memristor", "the lines of the other have one variable each"),
        ("write.encoding", config.write.encoding, "amplitude", "a carrier fills the whole pulse"),
        ("learning.bias_current", config.learning.bias_current, "update", "there is no threshold to reach"),
    ):
        if value != needed:
            raise InputError(
                f"{field}: must be {needed!r} for devices.memristor.model = 'carrier-memristor', since {why} "
                f"(got {value!r})"
            )
