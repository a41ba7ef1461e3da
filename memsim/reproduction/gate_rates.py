"""Rates of learning: every gate on several sets of samples, each with starting weights of its own."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .. import datasets
from ..configuration.sections import Configuration
from ..runs import training
from ..runs.run import LEARNED
from .learning_curves import LearningCurves
from .settings import ALL_GATES, SEARCHED, Reproduction, multilayer, searched, single_layer
from .side_by_side import ProgressMaker

SINGLE, MULTI, OTHER = "SLP", "MLP", "MLP, searched"
Key = tuple[str, str]  # of a perceptron and a gate


def name_of(perceptron: str, gate: str) -> str:
    """As ``"MLP AND, searched"``."""
    kind, _, setting = perceptron.partition(", ")
    return f"{kind} {gate}, {setting}" if setting else f"{kind} {gate}"


@dataclass(frozen=True)
class GateSet:
    """A run that is to be made: a gate, on one of the sets of samples.

    Attributes
    ----------
    perceptron, gate : str
    config : Configuration
    """

    perceptron: str
    gate: str
    config: Configuration

    @property
    def name(self) -> str:
        """As ``"MLP XOR, data seed 2"``."""
        return f"{name_of(self.perceptron, self.gate)}, data seed {self.config.data.seed}"


@dataclass(frozen=True)
class SetRun:
    """What such a run gave.

    Attributes
    ----------
    total_error : (epochs, realisations) float64
    bounds_in_read : int
        READs that ended with a state at a bound.
    device_steps : int
    """

    of: GateSet
    total_error: np.ndarray
    bounds_in_read: int
    device_steps: int


@dataclass(frozen=True)
class GateRuns(LearningCurves):
    """A perceptron on a gate, over all sets of samples.

    Attributes
    ----------
    sets : tuple of SetRun
    """

    sets: tuple[SetRun, ...]

    @property
    def name(self) -> str:
        """As ``"MLP XOR"``."""
        return name_of(self.sets[0].of.perceptron, self.sets[0].of.gate)

    @property
    def total_error(self) -> np.ndarray:  # type: ignore[override]
        """Of the realisations of all sets, one set after the other, (epochs, all realisations)."""
        return np.concatenate([run.total_error for run in self.sets], axis=1)

    @property
    def learned_of_each(self) -> list[int]:
        """How many realisations learned on each set."""
        return [int((run.total_error[-1] < LEARNED).sum()) for run in self.sets]

    @property
    def bounds_in_read(self) -> int:
        """Of all sets."""
        return sum(run.bounds_in_read for run in self.sets)


def plan_gates(settings: Reproduction) -> list[GateSet]:
    """The runs of the gates' figure; each set of samples has its own seed, and so have its starting weights."""
    if "gates" not in settings.figures:
        return []
    kinds = ((SINGLE, ALL_GATES, single_layer), (MULTI, ALL_GATES, multilayer), (OTHER, tuple(SEARCHED), searched))
    return [
        GateSet(perceptron, gate, make(settings.of_set(number), gate))
        for perceptron, gates, make in kinds for gate in gates for number in range(settings.data_sets)
    ]  # fmt: skip


def set_run(planned: GateSet, progress: ProgressMaker, stop: threading.Event | None = None) -> SetRun:
    """Train on one set of samples."""
    config, shown = planned.config, progress(planned.name, planned.config.learning.epochs)
    with training.run(config, datasets.load(config.data), progress=shown, stop=stop) as finished:
        met = sum(bank.counts["bounds_in_read"] for bank in finished.margins)
        return SetRun(planned, finished.total_error, met, finished.device_steps)


def joined(runs: Iterable[SetRun]) -> dict[Key, GateRuns]:
    """The runs of each perceptron and gate together, in their order."""
    found: dict[Key, list[SetRun]] = {}
    for run in runs:
        found.setdefault((run.of.perceptron, run.of.gate), []).append(run)
    return {key: GateRuns(tuple(sets)) for key, sets in found.items()}
