"""Energy and simulated time of a run, a sample and in all, of each bank: read against write."""

from dataclasses import dataclass

import numpy as np

from ..kernels.slots import Phase
from ..runs.run import Run
from ..traces.description import Programming

READING = (Phase.READ, Phase.RESTORE, Phase.BACKREAD)  # what it takes to know; a WRITE is what it takes to learn


@dataclass(frozen=True)
class EnergySummary:
    """Mean energy and time of one training sample.

    Attributes
    ----------
    banks : tuple of str
    joules : (banks, phases, realisations) float64
        Energy of one sample in J, mean over all samples; negative where active devices give energy back.
    seconds : (phases,) float64
        Simulated time of one sample.
    samples : int
        Samples that were shown, of all epochs.
    programming : Programming or None
        What it took to write the starting weights before them, where they were written; no part of the rest.
    """

    banks: tuple[str, ...]
    joules: np.ndarray
    seconds: np.ndarray
    samples: int
    programming: Programming | None = None

    @property
    def sample_energy(self) -> float:
        """Energy of one sample in J, of all banks and phases, mean over the realisations."""
        return float(self.joules.sum(axis=(0, 1)).mean())

    @property
    def read(self) -> np.ndarray:
        """Energy in READ, RESTORE and BACKREAD of one sample for each bank in J, mean over the realisations."""
        return np.asarray(self.joules[:, READING].sum(axis=1).mean(axis=-1))

    @property
    def write(self) -> np.ndarray:
        """Energy in WRITE of one sample for each bank in J, mean over the realisations."""
        return np.asarray(self.joules[:, Phase.WRITE].mean(axis=-1))

    @property
    def sample_time(self) -> float:
        """Simulated time of one sample in s."""
        return float(self.seconds.sum())

    @property
    def power(self) -> float:
        """Mean power in W."""
        return self.sample_energy / self.sample_time

    @property
    def read_share(self) -> float:
        """Share of reading in what reading and writing take, by their magnitudes; NaN where neither takes any."""
        read, write = abs(float(self.read.sum())), abs(float(self.write.sum()))
        return read / (read + write) if read + write > 0.0 else float("nan")


def summarise(run: Run) -> EnergySummary | None:
    """The summary of a run, up to its last keyframe; None before that."""
    samples = run.samples_done
    if samples == 0 or not run.stored.has_counters:
        return None
    energy = run.energy
    joules = np.array([[energy[bank][phase.name] for phase in Phase] for bank in run.banks]) / samples
    times = run.phase_time
    seconds = np.array([times[phase.name] for phase in Phase]) / run.samples
    return EnergySummary(run.banks, joules, seconds, samples, run.programming)
