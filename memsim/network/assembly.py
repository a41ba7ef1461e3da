"""From a checked configuration and a data set to all that a run is made of."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..datasets import Dataset, with_constant_line
from ..devices import PerceptronMemristor
from ..imperfections.device_past import first_past, kept_of, varies
from ..imperfections.drawing import DrawnDevices, draw_devices, flaws_of, stuck_states
from ..imperfections.levels import settled
from ..imperfections.retention import relaxes
from ..kernels.operands import Flaws
from ..kernels.slots import Imperfect
from ..kernels.stepping import EXACT, ModelFunctions
from . import refusals, schedule
from . import sizes as run_sizes
from .architectures import architecture_of, calibrate, units_of
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
    schedule : memsim.network.schedule.Schedule
    banks : tuple of BankCalibration
    sizes : tuple of int
        Units of each layer; of layer 0 the inputs, with the constant line.
    flaws : tuple of Flaws
        Of each bank.
    seeds : (realisations,) uint64
        Each realisation's own seed.
    initial : tuple of (variables, devices, realisations) float64
        Starting states of each bank.
    drawn : tuple of DrawnDevices
        What was drawn for the devices of each bank; empty where all are perfect.
    past : tuple of (kinds, devices, realisations) float64
        What the past left in the devices of each bank, see
        :class:`~memsim.kernels.slots.Past`; empty where none counts.
    start : Start or None
        Where a run begins that goes on with the devices of another one, or with weights that were written by pulses.
    steps_before : int
        Steps of the runs whose devices this one goes on with: the draws of noise go on from there.
    finer : int
        Steps of dt to one of the controller's model and of the noise; 1 but for a check of dt.
    skip : bool
        False steps devices that rest too, for the proof that skipping them is exact.
    """

    config: Configuration
    dataset: Dataset
    inputs: np.ndarray
    targets: np.ndarray
    schedule: schedule.Schedule
    banks: tuple[BankCalibration, ...]
    sizes: tuple[int, ...]
    flaws: tuple[Flaws, ...]
    seeds: np.ndarray
    initial: tuple[np.ndarray, ...]
    drawn: tuple[DrawnDevices, ...] = ()
    past: tuple[np.ndarray, ...] = ()
    start: Start | None = None
    steps_before: int = 0
    finer: int = 1
    skip: bool = True

    @property
    def to_be_programmed(self) -> bool:
        """Whether the starting weights are still to be written by pulses."""
        return self.config.network.programmed and self.start is None

    def begun(self, start: Start) -> "Assembly":
        """A run that begins with the devices of a start."""
        past, steps = start.past_or(self.past), start.beginning.steps
        return replace(self, initial=start.states, past=past, start=start, steps_before=steps)

    @property
    def dt(self) -> float:
        """The step in s."""
        return self.config.time.dt / self.finer

    def integrator(self, number: int) -> str:
        """How the pulses of a bank are stepped, or that they are not."""
        exact = self.config.time.solver == "exact" and self.models[number].has_closed_form
        return EXACT if exact else self.banks[number].integrator

    @property
    def epochs_before(self) -> int:
        """Epochs of the runs whose devices this one goes on with."""
        return self.start.beginning.epochs if self.start is not None else 0

    @property
    def watched(self) -> bool:
        """Whether the run is looked at after each epoch, and the states of its best one kept."""
        learning = self.config.learning
        return learning.keep_best or learning.patience > 0 or self.dataset.validation is not None

    @functools.cached_property
    def models(self) -> tuple[ModelFunctions, ...]:
        """The compiled functions of each bank's devices."""
        return tuple(bank.device.functions() for bank in self.banks)

    @functools.cached_property
    def memristor(self) -> PerceptronMemristor | None:
        """The memristor that a single-layer perceptron is, or is made after; none of a multilayer one."""
        return architecture_of(self.config).memristor(self.config, self.sizes[0])

    def rests(self, number: int) -> bool:
        """Whether nothing of a bank moves at zero current."""
        bank = self.banks[number]
        return bank.device.rests and not relaxes(bank, self.config.imperfections)

    @functools.cached_property
    def kinds(self) -> tuple[Imperfect, ...]:
        """What the kernels of each bank have to reckon with."""
        return tuple(self._kind(number) for number in range(len(self.banks)))

    def _kind(self, number: int) -> Imperfect:
        bank = self.banks[number]
        if not getattr(self.config.imperfections, bank.kind).any:
            return Imperfect.NOTHING
        # A drift of one's own that does not change in a pulse is taken out of the steps, which are then no vector
        # instructions; with a relaxation, at a rate of 0, they are, with the same bits, and several times as fast.
        model = self.models[number]
        taken_out = self.integrator(number) != EXACT and model.variables == 1 and model.constant_drift
        kind = Imperfect.OWN
        if taken_out or relaxes(bank, self.config.imperfections):
            kind |= Imperfect.RELAXING
        return kind | Imperfect.VARYING if varies(bank, self.config.imperfections) else kind


def realisation_seeds(seed: int, realisations: int) -> np.ndarray:
    """A 64-bit seed of its own for each realisation; it depends on the run's seed and its number only."""
    return np.array(
        [np.random.SeedSequence([seed, r]).generate_state(1, np.uint64)[0] for r in range(realisations)],
        dtype=np.uint64,
    )


def seeds_for(seeds: np.ndarray, purpose: int, *place: int) -> np.ndarray:
    """Seeds of the same realisations for draws of another purpose, at a place of its own: (realisations,) uint64."""
    return np.array(
        [np.random.SeedSequence([int(seed), purpose, *place]).generate_state(1, np.uint64)[0] for seed in seeds],
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
    network, architecture = config.network, architecture_of(config)
    refusals.refuse_samples(config, dataset)
    dataset = dataset.on(network.widths[-1])
    inputs = with_constant_line(dataset.inputs, network.constant_input)
    units = units_of(config)
    lanes = len(start.seeds) if start is not None else config.run.lanes
    if seeds is None:  # else they are of a file that is there
        run_sizes.refuse_memory(config, dataset, units, lanes)
    refusals.refuse(config)
    banks = calibrate(config, inputs, dataset.targets)
    run_sizes.refuse_currents(banks)
    refusals.refuse_devices(config, banks)
    slots = schedule.build(config)
    rests = [bank.device.rests and not relaxes(bank, config.imperfections) for bank in banks]
    run_sizes.refuse_steps(config, slots, banks, len(inputs), lanes if seeds is None else len(seeds), rests)
    if start is not None:
        start.refuse_other_devices(config, banks)
        seeds = start.seeds
    if seeds is None:
        seeds = np.concatenate([realisation_seeds(seed, config.run.realisations) for seed in config.run.every_seed])
    drawn = draw_devices(banks, config.imperfections, config.periphery, seeds)
    initial = settled(architecture.starting_states(config, banks, units, seeds), banks, config.imperfections)
    initial = stuck_states(initial, banks, config.imperfections, seeds)
    run_sizes.refuse_states(banks, initial)
    assembly = Assembly(
        config, dataset, inputs, dataset.targets, slots, banks, units,
        flaws_of(banks, config.imperfections, config.periphery), seeds, initial, drawn,
        _first_past(config, banks, seeds),
    )  # fmt: skip
    if start is not None:
        if architecture.keeps_rate(banks):
            start.refuse_other_rate(initial[0])
        assembly = assembly.begun(start)
    architecture.refuse_states(banks, assembly.initial, inputs)
    return assembly


def _first_past(config: Configuration, banks: tuple[BankCalibration, ...], seeds: np.ndarray) -> tuple[np.ndarray, ...]:
    """What the past has left in fresh devices, of each bank; empty where none counts."""
    imperfections = config.imperfections
    if not any(kept_of(bank, imperfections) for bank in banks):
        return ()
    sections = [getattr(imperfections, bank.kind) for bank in banks]
    return tuple(
        first_past(number, bank, section, seeds)
        for number, (bank, section) in enumerate(zip(banks, sections, strict=True))
    )
