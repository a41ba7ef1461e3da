"""Weights that are written all at once, each by its own carrier; and what parts of periods do to them."""

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import datasets
from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..kernels.slots import Phase
from ..runs import training
from ..runs.margins import BankMargins
from ..runs.run import Run
from .learning_curves import LearningCurves
from .settings import GATES, Reproduction, single_layer
from .side_by_side import ProgressMaker

SCHEMES: dict[str, dict[str, Any]] = {
    "amplitudes": {},
    "frequencies": {"model": "carrier-memristor", "carriers": "sine"},
    "codes": {"model": "carrier-memristor", "carriers": "code"},
}
PERIODS = (1.0, 2.0, 3.0)  # of two weights and a bias in a WRITE
FRACTIONS = (0.0, 0.0625, 0.125, 0.25, 0.375, 0.5)  # of a period beyond these
FRACTIONS_GATE = "OR"


@dataclass(frozen=True)
class Trial:
    """A run that is to be made.

    Attributes
    ----------
    gate, scheme : str
    fraction : float
        Of a period that each carrier has beyond a whole number.
    config : Configuration
    """

    gate: str
    scheme: str
    fraction: float
    config: Configuration

    @property
    def name(self) -> str:
        """As ``"SLP OR, frequencies"``."""
        beyond = f", {self.fraction:g} of a period more" if self.fraction else ""
        return f"SLP {self.gate}, {self.scheme}{beyond}"


@dataclass(frozen=True)
class CarrierRun(LearningCurves):
    """What a run gave.

    Attributes
    ----------
    trial : Trial
    total_error : (epochs, realisations) float64
    weights : (3, realisations) float64
        Weights and bias at the end.
    write_seconds, sample_seconds : float
        Of WRITEs in a sample, and of the whole sample.
    write_currents : (steps,) float64
        Through all WRITEs of the first sample in A, of the realisation with the largest.
    talk : (3, 3) float64
        Share of its update with which variable j moves variable i in a WRITE, measured on the devices.
    read_moves : (3,) float64
        What a READ of the net input 1 moves each weight by, in units of the learning rate; measured on the devices.
    margins : tuple of BankMargins
    device_steps : int
    """

    trial: Trial
    total_error: np.ndarray
    weights: np.ndarray
    write_seconds: float
    sample_seconds: float
    write_currents: np.ndarray
    talk: np.ndarray
    read_moves: np.ndarray
    margins: tuple[BankMargins, ...]
    device_steps: int


def plan_trials(settings: Reproduction) -> list[Trial]:
    """The runs of the carriers' figure: each gate by each scheme, and one gate with parts of periods."""
    if "carriers" not in settings.figures:
        return []
    trials = [_trial(settings, gate, scheme) for gate in GATES for scheme in SCHEMES]
    return trials + [_trial(settings, FRACTIONS_GATE, "frequencies", part) for part in FRACTIONS if part]


def _trial(settings: Reproduction, gate: str, scheme: str, fraction: float = 0.0) -> Trial:
    device = dict(SCHEMES[scheme])
    if fraction:
        device |= {"periods": tuple(period + fraction for period in PERIODS), "whole_periods": False}
    config = single_layer(settings, gate, devices={"memristor": device} if device else {})
    return Trial(gate, scheme, fraction, config)


def carrier_run(trial: Trial, progress: ProgressMaker, stop: threading.Event | None = None) -> CarrierRun:
    """Train, and measure on the first sample what the pulses did."""
    data = datasets.load(trial.config.data)
    shown_progress = progress(trial.name, trial.config.learning.epochs)
    with training.run(trial.config, data, progress=shown_progress, stop=stop) as finished:
        schedule = finished.assembly.schedule
        currents = finished.window("memristor", "current", 0, schedule.steps)[:, 0]
        writes = currents[schedule.slots[0].width :]
        talk, moves = measure(finished, data)
        return CarrierRun(
            trial=trial,
            total_error=finished.total_error,
            weights=finished.final_state["memristor"][0, :-1],
            write_seconds=schedule.phase_steps()[Phase.WRITE] * finished.dt,
            sample_seconds=schedule.steps * finished.dt,
            write_currents=writes[:, np.argmax(np.abs(writes).max(axis=0))],
            talk=talk,
            read_moves=moves,
            margins=finished.margins,
            device_steps=finished.device_steps,
        )


def measure(finished: Run, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """How the first sample of each realisation moved the weights: by the WRITEs for each other, and by the READ.

    Returns
    -------
    talk : (3, 3) float64
        Of least squares over the realisations; NaN where they are too few to tell.
    read_moves : (3,) float64
    """
    read = finished.assembly.schedule.slots[0].width
    states = finished.window("memristor", "state", 0, finished.sample_steps)[:, 0, :-1]
    output = finished.window("memristor", "voltage", read - 1, read)[0, 0]
    net = finished.window("memristor", "current", 0, 1)[0, 0] / finished.calibration[0].unit_current
    shown = finished.samples_shown(0, 1)[0]
    rate = finished.config.learning.rate
    gradient = (data.targets[shown, 0] - output) * output * (1.0 - output)
    updates = rate * gradient * np.vstack([data.inputs[shown].T, np.ones(len(shown))])
    written = states[-1] - states[read - 1]
    enough = np.linalg.matrix_rank(updates, tol=1e-6 * rate) == len(updates)
    talk = np.linalg.lstsq(updates.T, written.T, rcond=None)[0].T if enough else np.full((3, 3), np.nan)
    lane = int(np.argmax(np.abs(net)))
    moved = states[read - 1, :, lane] - finished.initial_state["memristor"][0, :-1, lane]
    return talk, moved / (rate * net[lane])


# Closed forms


def cosines(periods: float, steps: int) -> float:
    """The mean over n < steps of cos(2 pi periods n / steps)."""
    angle = math.pi * periods
    if math.isclose(math.sin(angle / steps), 0.0, abs_tol=1e-12):
        return 1.0
    return math.sin(angle) * math.cos(angle * (steps - 1) / steps) / math.sin(angle / steps) / steps


def talk_of(periods: tuple[float, ...], steps: int) -> np.ndarray:
    """Twice the mean product of each two sines in a pulse, (n, n): 1 of whole periods with themselves, else 0."""
    return np.array([[cosines(p - q, steps) - cosines(p + q, steps) for q in periods] for p in periods])


def moves_of(periods: tuple[float, ...], steps: int) -> np.ndarray:
    """Twice the mean of each sine in a pulse, (n,): 0 of whole periods."""
    angles = math.pi * np.array(periods)
    return np.asarray(2.0 * np.sin(angles) * np.sin(angles * (steps - 1) / steps) / np.sin(angles / steps) / steps)


def largest(talk: np.ndarray, moves: np.ndarray) -> tuple[float, float, float]:
    """The largest cross talk, the largest loss or gain of an update, and the largest move by a READ."""
    own = np.diag(talk)
    return float(np.abs(talk - np.diag(own)).max()), float(np.abs(own - 1.0).max()), float(np.abs(moves).max())
