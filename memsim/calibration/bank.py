"""Calibration: currents, thresholds and windows from the ranges of inputs, weights and updates.

The paper leaves thresholds and window widths to be calibrated for each problem.
They are chosen here such that no READ disturbs a state and no WRITE reaches
another variable's window; settings that are certain to fail are refused. What
may fail is counted while stepping (:mod:`memsim.runs.margins`).
"""

from dataclasses import dataclass, replace

import numpy as np

from ..configuration.sections import Configuration, MultilayerSection, SingleLayerSection
from ..devices import CarrierMemristor, Device, Node, PerceptronMemristor, Synapse, ThresholdMemristor
from ..errors import InputError
from .carrier_waveforms import refuse_carriers
from .nominal_banks import Modelled, Nominal, is_modelled, nominal_of

READ_MARGIN = 1.25  # calibrated threshold over the largest READ
WINDOW_MARGIN = 1.05  # calibrated window over the largest update
# A calibrated driver carries a state through this share of its range in one slot. By amplitude, all of it; a train
# of pulses has as many sizes as pulses, and a smaller range makes them finer.
WRITE_RANGE = {"amplitude": 1.0, "width": 0.05, "count": 0.05}
READ_SHARE = 1e-6  # of its range, that a synapse without a threshold moves in a calibrated READ at mid range
PROBE_SHARE = 1e-3  # of the current that stands for 1, in a READ that verifies nodes
SLOPE = {"logistic": 0.25, "tanh": 1.0, "identity": 1.0}  # largest g'


@dataclass(frozen=True)
class BankCalibration:
    """A bank of devices with all its currents chosen: what the controller knows of it.

    Attributes
    ----------
    name : str
    device : Device
        With its thresholds filled in.
    devices : int
        How many there are.
    threshold : float
        I_th in A; the first window's for a threshold memristor; of another model the largest current that moves no
        state, and 0 where any current does.
    read_current : float
        Full scale of a READ in A; 0 where READs have none.
    driver_limit : float
        Largest current of a WRITE in A.
    write_current : float
        Amplitude of a train's pulses beyond the threshold in A; 0 for writes by amplitude. Of a modelled bank the
        whole amplitude of those that raise the state.
    state_per_weight : float
        1/B in the state's unit; of modelled synapses in ohm.
    unit_current : float
        The current that stands for a signal of 1, in A.
    bias_limit : float
        Allowed magnitude of a bias weight.
    modelled : Modelled or None
        Of a bank that the controller writes by the device's model.
    integrator : str
        Euler's or Heun's method.
    """

    name: str
    device: Device
    devices: int
    threshold: float
    read_current: float
    driver_limit: float
    write_current: float
    state_per_weight: float
    unit_current: float
    bias_limit: float = 0.0
    modelled: Modelled | None = None
    integrator: str = "euler"

    def weights(self, states: np.ndarray) -> np.ndarray:
        """The weights, or bias weights, that states of devices with one variable stand for; of any shape."""
        if self.modelled is None:
            return np.asarray(states / self.state_per_weight)
        known = self.modelled
        if self.name.startswith("nodes"):
            return np.asarray((states - 0.5 * (known.lower + known.upper)) / (0.5 * (known.upper - known.lower)))
        resistances = nominal_of(self.device, "devices.synapse").memristances(states)
        return np.asarray((resistances - known.reference) / known.ohm_per_weight)

    def weight_span(self, span: float) -> float:
        """The range of weights that a range of states stands for: of a modelled bank that of all its states."""
        if self.modelled is None:
            return span / self.state_per_weight
        return float(np.ptp(self.weights(np.array([self.modelled.lower, self.modelled.upper]))))

    def states(self, weights: np.ndarray) -> np.ndarray:
        """The states that stand for weights; the inverse of :meth:`weights`."""
        if self.modelled is None:
            return np.asarray(weights * self.state_per_weight)
        known = self.modelled
        if self.name.startswith("nodes"):
            return np.asarray(0.5 * (known.lower + known.upper) + 0.5 * (known.upper - known.lower) * weights)
        return nominal_of(self.device, "devices.synapse").states_of(known.reference + known.ohm_per_weight * weights)

    @property
    def learns(self) -> bool:
        """Whether anything is ever written to its devices: to all but those of an activation stage."""
        return self.name != "activation"

    @property
    def variables(self) -> int:
        """State variables of each device."""
        return len(self.device.state_variables())

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Every current in A beyond which a state moves; empty where there is none."""
        several = (self.device.thresholds if isinstance(self.device, ThresholdMemristor) else None) or (self.threshold,)
        return tuple(threshold for threshold in several if threshold > 0)


def calibrate(config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> tuple[BankCalibration, ...]:
    """Choose what the configuration leaves open, and refuse what is certain to fail.

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
    """
    network = config.network
    _refuse_encodings(config)
    _refuse_layers(config)
    if isinstance(network, MultilayerSection):
        _refuse_read_scale(config, network, inputs)
        return _multilayer(config, network)
    if network.construction == "equivalent":
        lines = _lines(config, network, inputs.shape[1])
        return (lines, _activation(config, inputs)) if network.activates else (lines,)
    return (replace(_memristor(config, network, inputs, targets), integrator=config.time.integrator),)


def _refuse_encodings(config: Configuration) -> None:
    """Refuse trains of pulses that could not say how much to write."""
    if config.write.encoding == "width" and config.time.write < 2:
        raise InputError(f"time.write_steps: must be 2 or more for writes by width (got {config.time.write})")
    network = config.network
    memristor = isinstance(network, SingleLayerSection) and network.construction == "memristor"
    if isinstance(network, SingleLayerSection) and isinstance(config.devices.memristor, CarrierMemristor):
        _refuse_beside_carriers(config, network)
    if memristor and config.write.verify > 0:
        raise InputError(
            f"write.verify: needs network.construction = 'equivalent', whose weights are read as voltages "
            f"(got {config.write.verify})"
        )
    if memristor and not isinstance(config.devices.synapse, Synapse):
        raise InputError(
            f"devices.synapse.model: needs network.construction = 'equivalent'; with 'memristor' there are no synapses "
            f"(got {config.devices.synapse.model!r})"
        )
    if memristor and config.learning.bias_current == "printed" and config.write.encoding != "amplitude":
        raise InputError(
            f"write.encoding: must be 'amplitude' for learning.bias_current = 'printed' (got {config.write.encoding!r})"
        )
    if memristor and config.learning.bias_current == "printed" and config.learning.batch > 1:
        raise InputError(
            f"learning.batch: must be 1 for learning.bias_current = 'printed', which takes the sign of one sample's "
            f"error (got {config.learning.batch})"
        )


def _refuse_layers(config: Configuration) -> None:
    """Refuse devices of layers that the network does not have."""
    network, given = config.network, len(config.devices.layer)
    if isinstance(network, SingleLayerSection):
        if given:
            raise InputError(f"devices.layer: needs network.kind = 'mlp', which has layers (got {given} entries)")
        _refuse_integrators(config, network)
    elif given and given != len(network.layers) - 1:
        raise InputError(
            f"devices.layer: needs an entry for each of the {len(network.layers) - 1} layers of synapses and nodes "
            f"(got {given})"
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


def charge_of(device: Synapse | Node, share: float) -> float:
    """The charge beyond the threshold, in A s, that moves a state by a share of its range."""
    return share * device.state_range / device.drift_coefficient


def slot_time(config: Configuration) -> float:
    """Seconds of current that a WRITE slot has room for."""
    write = config.write
    steps = config.time.write if write.encoding != "count" else write.pulses * write.train_steps
    return steps * config.time.dt


def _driver(config: Configuration, field: str, threshold: float, over: float) -> tuple[float, float]:
    """The driver's limit and the amplitude of a train's pulses, for writes up to ``over`` beyond the threshold."""
    limit = config.write.driver_limit
    if limit is not None and limit <= threshold:
        raise InputError(
            f"write.driver_limit: must be above the threshold {field} = {threshold:g} A, "
            f"or nothing can be written (got {limit:g} A)"
        )
    limit = threshold + over if limit is None else limit
    return limit, 0.0 if config.write.encoding == "amplitude" else min(over, limit - threshold)


def _synapses(
    config: Configuration, name: str, count: int, unit_current: float, weight_limit: float, held: bool, layer: int = 1
) -> BankCalibration:
    """A bank of synapses of a layer; held ones are read under external control and need no threshold."""
    integrator = config.devices.integrator_of_layer("synapse", layer) or config.time.integrator
    device, role = config.devices.of_layer("synapse", layer)
    about = (role, name, count, unit_current, weight_limit, held)
    if isinstance(device, Synapse):
        return replace(_paper_synapses(config, device, *about), integrator=integrator)
    return replace(_other_synapses(config, device, *about), integrator=integrator)


def _paper_synapses(
    config: Configuration, device: Synapse, role: str, name: str, count: int, unit_current: float, weight_limit: float,
    held: bool,
) -> BankCalibration:  # fmt: skip
    """A bank of the paper's synapses."""
    read = config.network.read_current or unit_current
    if device.threshold is None:
        device = device.model_copy(update={"threshold": 0.0 if held else READ_MARGIN * read})
    threshold = device.threshold or 0.0
    if not held and read >= threshold:
        raise InputError(
            f"{role}.threshold: must be above the READ's full scale network.read_current = {read:g} A, "
            f"or every READ disturbs the weights (got {threshold:g} A)"
        )
    half = 0.5 * device.state_range
    share = WRITE_RANGE[config.write.encoding]
    over = share * device.state_range / (device.drift_coefficient * slot_time(config))
    limit, train = _driver(config, f"{role}.threshold", threshold, over)
    bank = BankCalibration(name, device, count, threshold, read, limit, train, half / weight_limit, unit_current)
    return _with_model(config, bank, role, weight_limit, moves=False)


def _other_synapses(
    config: Configuration, device: Device, role: str, name: str, count: int, unit_current: float, weight_limit: float,
    held: bool,
) -> BankCalibration:  # fmt: skip
    """A bank of synapses of any model that suits."""
    nominal = nominal_of(device, role)
    threshold = nominal.dead_zone
    read = config.network.read_current
    if read is None and held:
        read = unit_current
    elif read is None and threshold > 0:
        read = threshold / READ_MARGIN
    elif read is None:
        read = nominal.current_for(READ_SHARE * nominal.range / (config.time.read * config.time.dt), 1.0)
    if not held and 0.0 < threshold <= read:
        raise InputError(
            f"network.read_current: must be below {threshold:.6g} A, the largest current that moves no "
            f"{nominal.model}, or every READ disturbs the weights (got {read:g} A)"
        )
    bank = BankCalibration(
        name, nominal.device, count, 0.0 if held else threshold, read, *_drivers(config, nominal), 1.0, unit_current
    )
    return _with_model(config, bank, role, weight_limit, moves=threshold == 0.0 and not held)


def _drivers(config: Configuration, nominal: Nominal, share: float = 1.0) -> tuple[float, float]:
    """The driver's limit and the amplitude of a train's raising pulses, for writes through a share of the range."""
    speed = share * nominal.range / slot_time(config)
    limit = config.write.driver_limit
    if limit is None:
        limit = max(nominal.current_for(speed, sign) for sign in (1.0, -1.0))
    train = config.write.encoding != "amplitude"
    return limit, min(limit, nominal.current_for(WRITE_RANGE["count"] * speed, 1.0)) if train else 0.0


def _with_model(
    config: Configuration, bank: BankCalibration, role: str, weight_limit: float, *, moves: bool,
    kept_bias: bool = False, share: float = 1.0,
) -> BankCalibration:  # fmt: skip
    """A bank with what the controller calculates from its devices' model, where it does."""
    if not is_modelled(config, bank.device):
        return bank
    nominal = nominal_of(bank.device, role)
    low, high = nominal.ends
    train = config.write.encoding != "amplitude"
    speed = WRITE_RANGE["count"] * share * nominal.range / slot_time(config)
    raising = min(bank.driver_limit, nominal.current_for(speed, 1.0)) if train else 0.0
    lowering = min(bank.driver_limit, nominal.current_for(speed, -1.0)) if train else 0.0
    ohm_per_weight = 0.5 * abs(high - low) / weight_limit
    known = Modelled(
        nominal.lower, nominal.upper, 0.5 * (low + high), ohm_per_weight, nominal.polarity, lowering, moves, kept_bias
    )
    synapse = not bank.name.startswith("nodes")
    per_weight = ohm_per_weight if synapse else bank.state_per_weight
    return replace(bank, write_current=raising, state_per_weight=per_weight, modelled=known)


def _refuse_read_scale(config: Configuration, network: MultilayerSection, inputs: np.ndarray) -> None:
    """Refuse a fixed full scale under which the inputs themselves exceed the threshold."""
    first = _multilayer(config, network)[0]
    largest = float(np.abs(inputs).max())
    if network.read_scale and largest / network.read_scale * first.read_current >= first.threshold:
        least = largest * first.read_current / first.threshold
        raise InputError(
            f"network.read_scale: must be above {least:.4g}, or READs of the inputs exceed the synapses' threshold of "
            f"{first.threshold:g} A (got {network.read_scale:g})"
        )


def _multilayer(config: Configuration, network: MultilayerSection) -> tuple[BankCalibration, ...]:
    sizes = [network.layers[0] + network.constant_input, *network.layers[1:]]
    banks = []
    for layer in range(1, len(sizes)):
        node = _node(config, network, layer)
        count = sizes[layer - 1] * sizes[layer]
        banks.append(
            _synapses(
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
    if isinstance(node, Node):
        half = 0.5 * node.state_range
        unit_current = network.node_drift * half / (node.drift_coefficient * read_time)
        allowed = WRITE_RANGE[config.write.encoding] * 2.0 * network.bias_limit * half
        over = allowed / (node.drift_coefficient * slot_time(config))
        threshold = node.threshold
        limit, train = _driver(config, f"{role}.threshold", threshold, over)
    else:
        nominal = nominal_of(node, role)
        half = 0.5 * nominal.range
        _refuse_active(nominal)
        unit_current = nominal.current_for(network.node_drift * half / read_time, 1.0)
        threshold = nominal.dead_zone
        limit, train = _drivers(config, nominal, network.bias_limit)
    probe = PROBE_SHARE * unit_current
    bank = BankCalibration(
        "nodes1", node, 1, threshold, 0.0, limit, train, half, unit_current, network.bias_limit, integrator=integrator
    )
    if not is_modelled(config, node):
        return bank
    bank = replace(bank, read_current=probe)
    kept = network.restore_verify > 0
    return _with_model(
        config, bank, role, network.weight_limit, moves=True, kept_bias=kept,
        share=network.bias_limit,
    )  # fmt: skip


def _refuse_active(nominal: Nominal) -> None:
    """Refuse a node whose memristance is not positive: V / I and the output's scale would lose their sense."""
    if min(nominal.ends) <= 0.0:
        raise InputError(
            f"{nominal.role}.model: must have a positive memristance over its whole range "
            f"(got {nominal.model!r}, down to {min(nominal.ends):g} ohm)"
        )


def _lines(config: Configuration, network: SingleLayerSection, inputs: int) -> BankCalibration:
    """The equivalent construction: a synapse for each weight and one for the bias."""
    unit_current = memristor_of(config, inputs).reference_current
    limit = memristor_of(config, inputs).weight_limit
    return _synapses(config, "lines", inputs + 1, unit_current, limit, held=True)


def _activation(config: Configuration, inputs: np.ndarray) -> BankCalibration:
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
        "activation", device, 1, first, 0.0, first, 0.0, 1.0, unit, integrator=config.time.integrator
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


def _memristor(
    config: Configuration, network: SingleLayerSection, inputs: np.ndarray, targets: np.ndarray
) -> BankCalibration:
    """Windows above the largest READ, each wide enough for the largest update; or carriers for all at once."""
    device = memristor_of(config, inputs.shape[1])
    unit = device.reference_current
    largest_error = _largest_error(device, targets)
    if isinstance(device, CarrierMemristor):
        refuse_carriers(config, device)
        # At worst the carriers of all variables are at their peaks together.
        signals = float(np.abs(inputs).sum(axis=1).max()) + 1.0
        largest_update = largest_error * signals * SLOPE[device.activation] * unit * config.learning.batch
        limit = config.write.driver_limit or WINDOW_MARGIN * largest_update
        return BankCalibration("memristor", device, 1, 0.0, 0.0, limit, 0.0, 1.0, unit)
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
    limit, train = _driver(config, "devices.memristor.thresholds", highest_threshold, window)
    train = train and min(train, (1.0 - 2.0**-20) * window)
    return BankCalibration("memristor", device, 1, min(thresholds), 0.0, limit, train, 1.0, unit)


def _largest_error(device: PerceptronMemristor, targets: np.ndarray) -> float:
    """The largest |T - V| that a sample can have."""
    if device.activation == "identity":
        return float(np.abs(targets).max()) + device.weight_limit
    lowest, highest = (0.0, 1.0) if device.activation == "logistic" else (-1.0, 1.0)
    return max(float(targets.max()) - lowest, highest - float(targets.min()))


def refuse_disturbing_reads(bank: BankCalibration, weights: np.ndarray, inputs: np.ndarray) -> None:
    """Refuse thresholds that the very first READs exceed (single-layer perceptron).

    Parameters
    ----------
    bank : BankCalibration
        Of the threshold memristor.
    weights : (inputs, realisations) float64
        Starting weights.
    inputs : (samples, inputs) float64
    """
    largest = float(np.abs(inputs @ weights).max()) * bank.unit_current
    if largest >= bank.threshold:
        raise InputError(
            f"devices.memristor.thresholds: the lowest must be above {largest:g} A, the largest READ of the starting "
            f"weights, or reading disturbs them (got {bank.threshold:g} A)"
        )
