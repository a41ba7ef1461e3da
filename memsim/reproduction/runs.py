"""The runs behind the figures, and what is read off them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from .. import datasets
from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..kernels.compiling import Kernel
from ..kernels.slots import Phase
from ..network.assembly import assemble
from ..runs import training
from ..runs.margins import BankMargins
from ..runs.needed import kernels_of
from ..runs.prediction import evaluate
from ..runs.run import Run
from .carrier_trials import CarrierRun, Trial, carrier_run, plan_trials
from .gate_rates import GateRuns, GateSet, joined, plan_gates, set_run
from .gate_rates import Key as GateKey
from .learning_curves import LearningCurves
from .readings import READINGS, Reading
from .settings import GATES, THRESHOLDS, Reproduction, multilayer, single_layer
from .side_by_side import ProgressMaker, side_by_side
from .universality import Fit, FitRun, fit_run, plan_fits


@dataclass(frozen=True)
class RatePoint:
    """A threshold's point in the ROC plane, for each realisation.

    Attributes
    ----------
    false_positive, true_positive : (realisations,) float64
    """

    false_positive: np.ndarray
    true_positive: np.ndarray


@dataclass(frozen=True)
class GateRun(LearningCurves):
    """What a run gave.

    Attributes
    ----------
    name : str
        As ``"MLP XOR"``.
    total_error : (epochs, realisations) float64
    margins : tuple of BankMargins
    rates : dict
        Threshold to point, after the epoch of Figure 5.
    patterns : (4, realisations) float64
        Final outputs for the inputs 00, 01, 10, 11.
    simulated_time : float
        Seconds that the hardware of one realisation would have taken.
    energy : float
        J a realisation, the mean.
    energy_by_phase : dict
        Phase to J a realisation.
    device_steps : int
    """

    name: str
    total_error: np.ndarray
    margins: tuple[BankMargins, ...]
    rates: dict[float, RatePoint]
    patterns: np.ndarray
    simulated_time: float
    energy: float
    energy_by_phase: dict[str, float]
    device_steps: int


@dataclass(frozen=True)
class ReadingResult:
    """The effect of another reading of an equation on one gate."""

    reading: Reading
    gate: str
    corrected: GateRun
    other: GateRun


@dataclass
class Findings:
    """All runs of a reproduction."""

    settings: Reproduction
    single: dict[str, GateRun] = field(default_factory=dict)
    multi: dict[str, GateRun] = field(default_factory=dict)
    balanced: GateRun | None = None
    readings: list[ReadingResult] = field(default_factory=list)
    gates: dict[GateKey, GateRuns] = field(default_factory=dict)
    fits: list[FitRun] = field(default_factory=list)
    carriers: list[CarrierRun] = field(default_factory=list)

    def runs(self) -> Iterator[GateRun]:
        """The runs behind the paper's figures."""
        yield from self.single.values()
        yield from self.multi.values()
        if self.balanced is not None:
            yield self.balanced

    @property
    def device_steps(self) -> int:
        """Device-steps of all runs, those of the other readings included."""
        others = sum(r.corrected.device_steps + r.other.device_steps for r in self.readings)
        gates = sum(run.device_steps for gate in self.gates.values() for run in gate.sets)
        fits = sum(run.device_steps for run in self.fits)
        carriers = sum(run.device_steps for run in self.carriers)
        return sum(run.device_steps for run in self.runs()) + gates + fits + others + carriers


@dataclass(frozen=True)
class Job:
    """A run that is to be made: its name, its configuration, its samples."""

    name: str
    config: Configuration
    data: Dataset


@dataclass(frozen=True)
class Plan:
    """All runs of a reproduction, before they are made."""

    jobs: "Jobs"
    gates: list[GateSet]
    fits: list[Fit]
    trials: list[Trial]

    @property
    def configurations(self) -> list[Configuration]:
        """Of every run."""
        of_each = (
            [job.config for job in self.jobs.values()], [gate.config for gate in self.gates],
            [fit.config for fit in self.fits], [trial.config for trial in self.trials],
        )  # fmt: skip
        return [config for configurations in of_each for config in configurations]


def plan(settings: Reproduction) -> Plan:
    """The runs that the figures of ``settings`` and the report need."""
    return Plan(plan_jobs(settings), plan_gates(settings), plan_fits(settings), plan_trials(settings))


def kernels_needed(planned: Plan) -> list[Kernel]:
    """Every kernel that the runs need, each once; of runs that differ in samples and learning alone one is asked."""
    needed = [(job.config, job.data) for job in planned.jobs.values()]
    needed += [(fit.config, fit.target.data) for fit in planned.fits]
    drawn = [gate.config for gate in planned.gates] + [trial.config for trial in planned.trials]
    needed += [(config, datasets.load(config.data)) for config in drawn]
    networks = {_without_its_numbers(config): (config, data) for config, data in needed}
    return list(dict.fromkeys(kernel for each in networks.values() for kernel in kernels_of(assemble(*each))))


def _without_its_numbers(config: Configuration) -> str:
    """A configuration but for what no kernel depends on: how many realisations, epochs and samples, and the rate."""
    learning = config.learning.model_copy(update={"epochs": 1, "rate": 1.0})
    return str(config.model_copy(update={"run": None, "data": None, "trace": None, "learning": learning}))


def carry_out(settings: Reproduction, planned: Plan, progress: ProgressMaker) -> Findings:
    """Make all runs, as many at once as there are threads; results do not depend on how many.

    Parameters
    ----------
    settings : Reproduction
    planned : Plan
        From :func:`plan`.
    progress : callable
        Gives the progress of a run, from its name and its epochs.
    """
    threads = settings.threads
    done = side_by_side({key: partial(gate_run, job, settings, progress) for key, job in planned.jobs.items()}, threads)
    of_gates = side_by_side({each.name: partial(set_run, each, progress) for each in planned.gates}, threads)
    fitted = side_by_side({fit.name: partial(fit_run, fit, progress) for fit in planned.fits}, threads)
    tried = side_by_side({trial.name: partial(carrier_run, trial, progress) for trial in planned.trials}, threads)
    found = Findings(
        settings, gates=joined(of_gates.values()), fits=list(fitted.values()), carriers=list(tried.values())
    )
    for (kind, gate, reading), run in done.items():
        if kind == "single":
            found.single[gate] = run
        elif kind == "multi":
            found.multi[gate] = run
        elif kind == "balanced":
            found.balanced = run
        elif kind == "other" and reading is not None:
            corrected = done["corrected", reading.base(gate), None]
            found.readings.append(ReadingResult(reading, gate, corrected, run))
    return found


# What a run is for, its gate or name, and the reading that it follows.
Key = tuple[str, str, Reading | None]
Jobs = dict[Key, Job]


def plan_jobs(settings: Reproduction) -> Jobs:
    """The runs that the paper's figures among those of ``settings`` need, and the readings beside them."""
    figures = set(settings.figures)
    jobs: Jobs = {}
    single = ("OR", "XOR") if 5 in figures else ()
    for gate in GATES if 3 in figures else single:
        jobs["single", gate, None] = _job(f"SLP {gate}", single_layer(settings, gate))
    multi = ("XOR",) if 5 in figures else ()
    for gate in GATES if 4 in figures else multi:
        jobs["multi", gate, None] = _job(f"MLP {gate}", multilayer(settings, gate))
    if 5 in figures:
        data = datasets.balanced_gate("xor")
        config = single_layer(settings, "XOR", data={"gate": None, "arrays": data.name})
        jobs["balanced", "XOR", None] = Job("SLP XOR balanced", config, data)
    if settings.reading_realisations:
        _plan_readings(settings, jobs)
    return jobs


def _job(name: str, config: Configuration) -> Job:
    return Job(name, config, datasets.load(config.data))


def _plan_readings(settings: Reproduction, jobs: Jobs) -> None:
    """Each equation that cannot be taken literally, read both ways, on fewer realisations."""
    few = settings.model_copy(update={"realisations": min(settings.reading_realisations, settings.realisations)})
    for reading in READINGS:
        if not reading.figure & set(settings.figures):
            continue
        make = multilayer if reading.network == "MLP" else single_layer
        for gate in reading.gates:
            data = reading.recode(datasets.gate(gate, seed=settings.data_seed))
            source = {"data": {"gate": None, "arrays": data.name}} if reading.coding else {}
            base = reading.base(gate)
            corrected = make(few, gate, **source, **reading.both)
            jobs.setdefault(("corrected", base, None), Job(base, corrected, data))
            other = make(few, gate, **source, **reading.both, **reading.changes)
            jobs["other", gate, reading] = Job(f"{base}: {reading.equation}", other, data)


def gate_run(
    job: Job, settings: Reproduction, progress: ProgressMaker, stop: threading.Event | None = None
) -> GateRun:  # fmt: skip
    """Train, and read off what the figures and the report need."""
    name, samples = job.name, job.data
    with training.run(job.config, samples, progress=progress(name, settings.epochs), stop=stop) as finished:
        patterns = evaluate(finished, _patterns(samples)).outputs[:, 0]
        energy = finished.energy
        energies = {
            phase.name: float(np.mean([bank[phase.name] for bank in energy.values()], axis=1).sum()) for phase in Phase
        }
        return GateRun(
            name=name,
            total_error=finished.total_error,
            margins=finished.margins,
            rates=rates_after(finished, settings.roc_epoch, samples),
            patterns=patterns,
            simulated_time=finished.simulated_time,
            energy=sum(energies.values()),
            energy_by_phase=energies,
            device_steps=finished.device_steps,
        )


def _patterns(samples: Dataset) -> np.ndarray:
    """The four input patterns in the samples' coding: 0 and 1, or -1 and 1."""
    return 2 * datasets.PATTERNS - 1 if samples.inputs.min() < 0 else datasets.PATTERNS


def rates_after(finished: Run, epoch: int, samples: Dataset) -> dict[float, RatePoint]:
    """ROC points on the training set after an epoch, from READ pulses through copies of the devices."""
    epochs = finished.keyframes["epoch"]
    keyframe = int(np.flatnonzero(epochs == epoch)[0])
    outputs = evaluate(finished, samples.inputs, keyframe=keyframe).outputs[:, 0]
    positive = samples.targets[:, 0] > 0.5
    return {t: rate_point(outputs > t, positive) for t in THRESHOLDS}


def rate_point(classified: np.ndarray, positive: np.ndarray) -> RatePoint:
    """False and true positive rate of each realisation.

    Parameters
    ----------
    classified : (samples, realisations) bool
    positive : (samples,) bool
        NaN is returned for a rate whose class has no samples.
    """
    negatives, positives = (~positive).sum(), positive.sum()
    false = classified[~positive].sum(axis=0) / negatives if negatives else np.full(classified.shape[1], np.nan)
    true = classified[positive].sum(axis=0) / positives if positives else np.full(classified.shape[1], np.nan)
    return RatePoint(false, true)
