"""From a checked configuration and a data set to the arrays that the kernels run on."""

from dataclasses import dataclass

import numpy as np

from . import calibration, schedule
from .calibration import BankCalibration
from .carriers import carriers_of
from .configuration import Configuration, MultilayerSection, SingleLayerSection
from .datasets import Dataset, with_constant_line
from .devices import CarrierMemristor, Node, PerceptronMemristor, Synapse, ThresholdMemristor
from .errors import InputError
from .imperfections.drawing import OwnDevices, draw_devices, flaws_of, stuck_states
from .imperfections.levels import settled
from .imperfections.past import past_counts
from .imperfections.retention import refuse_retention, relaxes
from .kernels.block import Plan
from .kernels.random import PURPOSE_BIAS, PURPOSE_WEIGHT, uniform
from .kernels.slots import (
    Activation,
    BankColumn,
    BiasCurrent,
    BiasRule,
    Imperfect,
    Nominal,
    OutputGradient,
    Rule,
    WriteLaw,
)
from .starting import Start


@dataclass(frozen=True)
class Assembly:
    """All that a run is made of, before its first step.

    Attributes
    ----------
    config : Configuration
    dataset : Dataset
        As the user gave it.
    inputs, targets : (samples, n) float64
        As the network sees them, with the constant line.
    schedule : memsim.schedule.Schedule
    banks : tuple of BankCalibration
    plan : memsim.kernels.block.Plan
    seeds : (realisations,) uint64
        Each realisation's own seed.
    initial : tuple of (variables, devices, realisations) float64
        Starting states of each bank.
    own : tuple of OwnDevices
        What the devices of each bank have of their own; empty where all are perfect.
    start : Start or None
        Where a run begins that goes on with the devices of another one.
    """

    config: Configuration
    dataset: Dataset
    inputs: np.ndarray
    targets: np.ndarray
    schedule: schedule.Schedule
    banks: tuple[BankCalibration, ...]
    plan: Plan
    seeds: np.ndarray
    initial: tuple[np.ndarray, ...]
    own: tuple[OwnDevices, ...] = ()
    start: Start | None = None

    @property
    def epochs_before(self) -> int:
        """Epochs of the runs whose devices this one goes on with."""
        return self.start.beginning.epochs if self.start is not None else 0

    @property
    def models(self) -> tuple:
        """The distinct device models, in the order of the loop's kernels."""
        return tuple(dict.fromkeys(bank.device.functions() for bank in self.banks))

    @property
    def watched(self) -> bool:
        """Whether the run is looked at after each epoch, and the states of its best one kept."""
        learning = self.config.learning
        return learning.keep_best or learning.patience > 0 or self.dataset.validation is not None

    @property
    def modelled(self) -> tuple[bool, ...]:
        """Of each of :attr:`models`, whether the controller finds pulses in it."""
        found = {bank.device.functions() for bank in self.banks if bank.modelled is not None}
        return tuple(model in found for model in self.models)

    @property
    def imperfect(self) -> Imperfect:
        """What the kernels are compiled for."""
        if not self.own:
            return Imperfect.NOTHING
        # A drift of one's own that does not change in a pulse is taken out of the steps, which are then no vector
        # instructions; with a relaxation, at a rate of 0, they are, with the same bits, and several times as fast.
        taken_out = self.config.time.solver != "exact" and all(
            m.variables == 1 and m.constant_drift for m in self.models
        )
        relaxing = taken_out or any(relaxes(bank, self.config.imperfections) for bank in self.banks)
        kind = Imperfect.OWN | Imperfect.RELAXING if relaxing else Imperfect.OWN
        return kind | Imperfect.VARYING if past_counts(self.banks, self.config.imperfections) else kind


def realisation_seeds(seed: int, realisations: int) -> np.ndarray:
    """A 64-bit seed of its own for each realisation; it depends on the run's seed and its number only."""
    return np.array(
        [np.random.SeedSequence([seed, r]).generate_state(1, np.uint64)[0] for r in range(realisations)],
        dtype=np.uint64,
    )


def assemble(
    config: Configuration, dataset: Dataset, seeds: np.ndarray | None = None, start: Start | None = None
) -> Assembly:
    """Check data against network, calibrate, and lay everything out.

    Parameters
    ----------
    config : Configuration
    dataset : Dataset
    seeds : (realisations,) uint64, optional
        The realisations' own seeds; from ``start`` or ``config.run`` where not given.
    start : Start, optional
        Where a run begins that goes on with the devices of another one.
    """
    network = config.network
    sizes = (network.inputs, 1) if isinstance(network, SingleLayerSection) else network.layers
    name = "inputs" if isinstance(network, SingleLayerSection) else "layers"
    dataset = _on_outputs(config, dataset, sizes[-1])
    for side, wanted, values in (("inputs", sizes[0], dataset.inputs), ("targets", sizes[-1], dataset.targets)):
        if values.shape[1] != wanted:
            raise InputError(
                f"network.{name}: gives {wanted} {side} a sample, but {dataset.name} has {values.shape[1]}; "
                f"make them equal"
            )
    _refuse_batch(config.learning.batch, len(dataset.inputs))
    for part in ("validation", "test"):
        share = getattr(config.data, part)
        if share and part not in dataset.held_back:
            raise InputError(
                f"data.{part}: needs samples that were held back, by memsim.datasets.split (got {share:g}, and none)"
            )
    inputs = with_constant_line(dataset.inputs, network.constant_input)
    units = (inputs.shape[1], *sizes[1:])
    banks = calibration.calibrate(config, inputs, dataset.targets)
    _refuse_solver(config, banks)
    refuse_retention(config.imperfections, banks, config.time)
    slots = schedule.build(config)
    if start is not None:
        start.refuse_other_devices(config, banks)
        seeds = start.seeds
    if seeds is None:
        seeds = np.concatenate([realisation_seeds(seed, config.run.realisations) for seed in config.run.every_seed])
    own = draw_devices(banks, config.imperfections, config.periphery, seeds)
    initial = settled(_initial_states(config, banks, units, seeds), banks, config.imperfections)
    initial = stuck_states(initial, banks, config.imperfections, seeds)
    if start is not None:
        if isinstance(banks[0].device, PerceptronMemristor):
            start.refuse_other_rate(initial[0])
        initial = tuple(states.transpose(1, 0, 2) for states in start.states)
        own = start.with_past(own)
    if isinstance(banks[0].device, ThresholdMemristor):
        calibration.refuse_disturbing_reads(banks[0], initial[0][: units[0], 0], inputs)
    plan = _plan(config, slots, banks, units)
    plan.rules[Rule.STEPS_BEFORE] = start.beginning.steps if start is not None else 0
    return Assembly(config, dataset, inputs, dataset.targets, slots, banks, plan, seeds, initial, own, start)


def _on_outputs(config: Configuration, dataset: Dataset, outputs: int) -> Dataset:
    """A data set with its classes on a network's outputs."""
    classes = dataset.classes
    if classes is None:
        return dataset
    if outputs != len(classes.names) and (outputs, len(classes.names)) != (1, 2):
        raise InputError(_what_fits(config, dataset.name, len(classes.names), outputs))
    missing = set(range(len(classes.names))) - set(dataset.class_numbers.tolist())
    if missing:
        name = classes.names[min(missing)]
        raise InputError(f"{dataset.name}: the class {name!r} has no sample to learn; give it one, or leave it out")
    return dataset.on(outputs)


def _what_fits(config: Configuration, name: str, classes: int, outputs: int) -> str:
    if isinstance(config.network, SingleLayerSection):
        return (
            f"network.kind: 'slp' has one output, which tells two classes apart, but {name} has {classes}; take 'mlp' "
            f"with {classes} outputs"
        )
    wanted = "1 or 2" if classes == 2 else str(classes)
    return f"network.layers: must end with {wanted}, for the {classes} classes of {name} (got {outputs})"


def _refuse_batch(batch: int, samples: int) -> None:
    """Refuse a mini-batch of more samples than there are."""
    if batch > samples:
        raise InputError(f"learning.batch: must be at most {samples}, the samples of an epoch (got {batch})")


def _refuse_solver(config: Configuration, banks: tuple[BankCalibration, ...]) -> None:
    """Refuse the closed form of a pulse for devices that have none."""
    for bank in banks:
        if config.time.solver == "exact" and not bank.device.functions().has_closed_form:
            raise InputError(
                f"time.solver: must be 'stepping' for {bank.name}, since a {bank.device.model} has no closed form of a "
                f"pulse (got 'exact')"
            )


def _glorot(seeds: np.ndarray, purpose: int, bank: int, devices: int, fan_in: int, fan_out: int) -> np.ndarray:
    """U(-1, 1) * sqrt(6 / (n_in + n_out)), (devices, realisations)."""
    drawn = [[uniform(seed, purpose, bank, device, 0) for seed in seeds] for device in range(devices)]
    return (2.0 * np.array(drawn) - 1.0) * np.sqrt(6.0 / (fan_in + fan_out))


def _initial_states(
    config: Configuration, banks: tuple[BankCalibration, ...], units: tuple[int, ...], seeds: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Glorot's starting weights as states: the devices as they are handed to the run."""
    if isinstance(config.network, MultilayerSection):
        return tuple(_layer_states(config.network, k, bank, units, seeds) for k, bank in enumerate(banks))
    bank = banks[0]
    weights = _glorot(seeds, PURPOSE_WEIGHT, 0, units[0] + 1, units[0], 1)
    if isinstance(bank.device, PerceptronMemristor):
        device_rate = config.learning.rate / (bank.unit_current * calibration.slot_time(config))
        states = np.vstack([weights, np.full((1, len(seeds)), device_rate)])
        return (states[:, None, :],)
    return (bank.states(weights)[None],)


def _layer_states(
    network: MultilayerSection, index: int, bank: BankCalibration, units: tuple[int, ...], seeds: np.ndarray
) -> np.ndarray:
    """Starting states of one bank of a multilayer perceptron, (1, devices, realisations)."""
    layer = index // 2 + 1
    if bank.name.startswith("synapses"):
        name, share, purpose = "weight_limit", network.initial_weight, PURPOSE_WEIGHT
    else:
        name, share, purpose = "bias_limit", network.initial_bias, PURPOSE_BIAS
    weights = share * _glorot(seeds, purpose, index, bank.devices, units[layer - 1], units[layer])
    largest, allowed = float(np.abs(weights).max()), getattr(network, name)
    if largest > allowed:
        raise InputError(
            f"network.{name}: must hold the starting weights of {bank.name}, up to {largest:.3g} (got {allowed:g})"
        )
    return bank.states(weights)[None]


def _plan(
    config: Configuration, slots: schedule.Schedule, banks: tuple[BankCalibration, ...], units: tuple[int, ...]
) -> Plan:
    """Tables of integers and constants for the learning loop."""
    functions = [bank.device.functions() for bank in banks]
    order = list(dict.fromkeys(functions))
    table = np.zeros((len(banks), len(BankColumn)), dtype=np.int64)
    nominal = np.zeros((len(banks), len(Nominal)))
    parameters = np.zeros((len(banks), max(f.parameters for f in functions)))
    bounds = np.zeros((2, len(banks), max(f.variables for f in functions)))
    devices = states = 0
    for b, (bank, model) in enumerate(zip(banks, functions, strict=True)):
        table[b, BankColumn.KERNEL] = order.index(model)
        table[b, BankColumn.DEVICES] = bank.devices
        table[b, BankColumn.VARIABLES] = model.variables
        table[b, BankColumn.FIRST_DEVICE] = devices
        table[b, BankColumn.FIRST_STATE] = states
        table[b, BankColumn.RESTS] = bank.device.rests and not relaxes(bank, config.imperfections)
        table[b, BankColumn.MODELLED] = bank.modelled is not None
        table[b, BankColumn.PARAMETERS] = model.parameters
        devices += bank.devices
        states += bank.devices * model.variables
        parameters[b, : model.parameters] = bank.device.kernel_parameters()
        for v, variable in enumerate(bank.device.state_variables()):
            bounds[:, b, v] = variable.lower, variable.upper
        nominal[b] = _nominal(config, bank)
    first = banks[0].device
    thresholds = np.array((first.thresholds if isinstance(first, ThresholdMemristor) else None) or (0.0,))
    rules: dict[str, dict[str, int]] = {
        "bias_rule": {"gradient": BiasRule.GRADIENT, "printed": BiasRule.PRINTED, "none": BiasRule.NONE},
        "output_gradient": {"error": OutputGradient.ERROR, "printed": OutputGradient.PRINTED},
        "bias_current": {"update": BiasCurrent.UPDATE, "printed": BiasCurrent.PRINTED},
    }
    chosen = [codes[getattr(config.learning, name)] for name, codes in rules.items()]
    memristor = calibration.memristor_of(config, units[0]) if isinstance(config.network, SingleLayerSection) else None
    chosen.append(Activation[memristor.activation.upper()] if memristor else Activation.IDENTITY)
    chosen += [WriteLaw[config.write.law.upper()], 1, config.learning.batch, 0]
    return Plan(
        slots=slots.table(),
        banks=table,
        nominal=nominal,
        thresholds=thresholds,
        parameters=parameters,
        lower=bounds[0],
        upper=bounds[1],
        units=np.cumsum([0, *units]),
        flaws=flaws_of(banks, config.imperfections, config.periphery),
        dt=config.time.dt,
        rate=config.learning.rate,
        rules=np.array(chosen, dtype=np.int64),
        carriers=carriers_of(first, config.time) if isinstance(first, CarrierMemristor) else np.zeros((0, 0)),
        skip=True,
    )


def _nominal(config: Configuration, bank: BankCalibration) -> np.ndarray:
    """The controller's constants for a bank, in the order of :class:`~memsim.kernels.slots.Nominal`."""
    row = np.zeros(len(Nominal))
    device = bank.device
    row[Nominal.THRESHOLD] = bank.threshold
    row[Nominal.READ_CURRENT] = bank.read_current
    row[Nominal.DRIVER_LIMIT] = bank.driver_limit
    row[Nominal.WRITE_CURRENT] = bank.write_current
    row[Nominal.STATE_PER_WEIGHT] = bank.state_per_weight
    row[Nominal.UNIT_CURRENT] = bank.unit_current
    row[Nominal.BIAS_LIMIT] = bank.bias_limit
    row[Nominal.FULL_SCALE] = config.network.read_scale
    if bank.modelled is not None:
        row[Nominal.DRIFT] = 1.0
        row[Nominal.REFERENCE] = bank.modelled.reference
        row[Nominal.POLARITY] = bank.modelled.polarity
        row[Nominal.FALL_CURRENT] = bank.modelled.fall_current
        row[Nominal.MOVES] = bank.modelled.moves
        row[Nominal.KEPT_BIAS] = bank.modelled.kept_bias
        row[Nominal.TOLERANCE] = config.write.tolerance
    elif isinstance(device, PerceptronMemristor):
        row[Nominal.UNIT_VOLTAGE] = device.reference_voltage
        row[Nominal.WINDOW] = (device.window if isinstance(device, ThresholdMemristor) else None) or 0.0
    elif isinstance(device, Synapse | Node):
        row[Nominal.DRIFT] = device.drift_coefficient
        row[Nominal.RANGE] = device.state_range
        row[Nominal.R_ON] = device.output_r_on if isinstance(device, Node) else device.r_on
        row[Nominal.R_OFF] = device.r_off
    return row
