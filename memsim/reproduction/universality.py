"""Functions fitted by one hidden layer of node memristors, with a drift threshold (Eq. 11) and without."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..configuration.network_sections import MultilayerSection
from ..configuration.sections import (
    Configuration,
    DataSection,
    LearningSection,
    RunSection,
    TraceSection,
)
from ..datasets import Dataset, with_constant_line
from ..devices import Node
from ..kernels.slots import Phase
from ..network.architectures import calibrate
from ..runs import training
from ..runs.margins import BankMargins
from ..runs.prediction import evaluate
from .settings import Reproduction
from .side_by_side import ProgressMaker

SIZES = (2, 4, 8, 16, 24, 32)  # hidden nodes
SHOWN = 24  # nodes of the fits that are drawn
DEGREE = 4  # of a network of two layers without a threshold: each is of degree 2, Eq. 13
POINTS, POINTS_2D = 64, 12  # samples along an axis of one and of two inputs
WEIGHT_LIMIT = 2.0
BIAS_LIMIT = 0.1
INITIAL_BIAS = 0.05  # share of Glorot's range
FINER = 4  # as many points along an axis, where a fit is drawn


@dataclass(frozen=True)
class Target:
    """A function to fit over [-1, 1] in each input, and the settings that were found for it.

    Attributes
    ----------
    name, formula : str
    inputs : int
    values : callable
        (samples, inputs) float64 to (samples, outputs) float64.
    node_drift, threshold : float
        With a drift threshold, which is in units of the current that stands for 1.
    free_node_drift : float
        Without a threshold.
    rate : float
        Learning rate.
    initial_weight : float
        Share of Glorot's range at ``SHOWN`` nodes.
    """

    name: str
    formula: str
    inputs: int
    values: Callable[[np.ndarray], np.ndarray]
    node_drift: float = 0.25
    threshold: float = 0.8
    free_node_drift: float = 0.22
    rate: float = 0.01
    initial_weight: float = 2.0

    def grid(self, finer: int = 1) -> np.ndarray:
        """Midpoints of equal cells of [-1, 1], or of the square, (samples, inputs)."""
        along = finer * (POINTS if self.inputs == 1 else POINTS_2D)
        axis = (np.arange(along) + 0.5) * (2.0 / along) - 1.0
        return np.stack(np.meshgrid(*[axis] * self.inputs, indexing="ij"), axis=-1).reshape(-1, self.inputs)

    @cached_property
    def data(self) -> Dataset:
        """The samples, the same for all realisations."""
        inputs = self.grid()
        return Dataset(inputs, self.values(inputs), self.name)

    def epochs(self, epochs: int) -> int:
        """Epochs of as many samples as ``epochs`` of the functions of one input have."""
        return max(1, epochs * POINTS // len(self.data.inputs))

    @cached_property
    def floor(self) -> float:
        """Root mean square error of the best polynomial of the network's degree on the samples."""
        return float(rms(best_polynomial(self.data.inputs, self.data.targets) - self.data.targets))


def best_polynomial(inputs: np.ndarray, values: np.ndarray, degree: int = DEGREE) -> np.ndarray:
    """The values at the inputs of the polynomial of least squares in one or two variables.

    Parameters
    ----------
    inputs : (samples, 1 or 2) float64
    values : (samples, outputs) float64
    degree : int
    """
    if inputs.shape[1] == 1:
        terms = np.polynomial.legendre.legvander(inputs[:, 0], degree)
    else:
        terms = np.polynomial.legendre.legvander2d(inputs[:, 0], inputs[:, 1], [degree, degree])
        terms = terms[:, np.add.outer(range(degree + 1), range(degree + 1)).ravel() <= degree]
    return np.asarray(terms @ np.linalg.lstsq(terms, values, rcond=None)[0])


def rms(errors: np.ndarray) -> np.ndarray:
    """Root mean square over samples and outputs; (realisations,) of (samples, outputs, realisations)."""
    return np.asarray(np.sqrt(np.mean(np.square(errors), axis=(0, 1))))


def _diagonal(inputs: np.ndarray) -> np.ndarray:
    x, y = inputs.T
    return np.stack([0.8 * np.sin(0.5 * np.pi * (x + y)), 0.5 * np.abs(x - y)], axis=1)


TARGETS = (
    Target("sine", "0.8 sin(πx)", 1, lambda x: 0.8 * np.sin(np.pi * x), free_node_drift=0.28),
    Target("abs", "|x|", 1, np.abs, node_drift=0.28, threshold=1.0, initial_weight=1.6),
    Target(
        "step",
        "step at 0, ±0.5",
        1,
        lambda x: 0.5 * np.sign(x),
        node_drift=0.28,
        threshold=0.6,
        free_node_drift=0.28,
        initial_weight=1.7,
    ),
    Target("plane", "(0.8 sin(π(x+y)/2), |x−y|/2)", 2, _diagonal, node_drift=0.2, initial_weight=1.6),
)


@dataclass(frozen=True)
class Fit:
    """A fit that is to be made."""

    target: Target
    nodes: int
    threshold: bool
    config: Configuration

    @property
    def name(self) -> str:
        """As ``"sine, 24 nodes, threshold"``."""
        return f"{self.target.name}, {self.nodes} nodes, {'' if self.threshold else 'no '}threshold"


@dataclass(frozen=True)
class FitRun:
    """What a fit gave.

    Attributes
    ----------
    fit : Fit
    error : (realisations,) float64
        Root mean square error over the samples, from READ pulses after the training.
    outputs : (points, outputs) float64
        Of the best realisation on the finer grid.
    bounds_in_read : (realisations,) int
        READs of the training that ended with a node at a bound.
    margins : tuple of BankMargins
    simulated_time : float
        Seconds that the hardware of one realisation would have taken.
    device_steps : int
    """

    fit: Fit
    error: np.ndarray
    outputs: np.ndarray
    bounds_in_read: np.ndarray
    margins: tuple[BankMargins, ...]
    simulated_time: float
    device_steps: int

    @property
    def median(self) -> float:
        """Median over realisations of the error."""
        return float(np.median(self.error))


def plan_fits(settings: Reproduction) -> list[Fit]:
    """The fits of the universality figure; the long ones first, so that threads end together."""
    if "universality" not in settings.figures:
        return []
    return [
        Fit(target, nodes, threshold, configuration(settings, target, nodes, threshold))
        for nodes in reversed(SIZES) for target in TARGETS for threshold in (True, False)
    ]  # fmt: skip


def configuration(settings: Reproduction, target: Target, nodes: int, threshold: bool) -> Configuration:
    """The run of a fit."""
    epochs = target.epochs(settings.fit_epochs)
    network = MultilayerSection(
        layers=(target.inputs, nodes, target.data.targets.shape[1]),
        constant_input=True,
        node_drift=target.node_drift if threshold else target.free_node_drift,
        weight_limit=WEIGHT_LIMIT,
        bias_limit=BIAS_LIMIT,
        initial_bias=INITIAL_BIAS,
        # Glorot's range narrows with more nodes; that of the hidden synapses is to stay as it is at SHOWN.
        initial_weight=target.initial_weight * math.sqrt((nodes + target.inputs + 1) / (SHOWN + target.inputs + 1)),
    )
    config = Configuration(
        run=RunSection(seed=settings.seed, realisations=settings.fit_realisations, threads=1),
        network=network,
        learning=LearningSection(rate=target.rate, epochs=epochs),
        data=DataSection(arrays=target.name),
        trace=TraceSection(keyframe_samples=epochs * len(target.data.inputs)),
    )
    return with_threshold(config, target) if threshold else config


def with_threshold(config: Configuration, target: Target) -> Configuration:
    """A network whose nodes are not moved by currents up to the target's threshold."""
    inputs = with_constant_line(target.data.inputs, config.network.constant_input)
    nodes = calibrate(config, inputs, target.data.targets)[1]
    node = Node(threshold=target.threshold * nodes.unit_current)
    return config.model_copy(update={"devices": config.devices.model_copy(update={"node": node})})


def fit_run(fit: Fit, progress: ProgressMaker, stop: threading.Event | None = None) -> FitRun:
    """Train, and read off what the figure and the report need."""
    target, shown_progress = fit.target, progress(fit.name, fit.config.learning.epochs)
    with training.run(fit.config, target.data, progress=shown_progress, stop=stop) as finished:
        outputs = evaluate(finished, target.data.inputs).outputs
        error = rms(outputs - target.data.targets[:, :, None])
        shown = evaluate(finished, target.grid(FINER)).outputs[:, :, np.argmin(error)]
        bounds = sum(finished.diagnostics(bank)["bound"][Phase.READ].sum(axis=0) for bank in finished.banks)
        return FitRun(
            fit, error, shown, np.asarray(bounds), finished.margins, finished.simulated_time, finished.device_steps
        )
