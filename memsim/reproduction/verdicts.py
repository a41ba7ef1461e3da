"""Whether a claim of the paper holds, from the numbers of a run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from ..runs.run import LEARNED
from .gate_rates import SINGLE, Key, name_of
from .learning_curves import LearningCurves
from .runs import GateRun

Verdict = Literal["holds", "in part", "does not hold"]
GUESSING = 0.1  # true positive rate beyond the false one, up to which classifying counts as guessing
FASTER = ("OR", "AND")  # the gates that the paper says are learned faster by the multilayer perceptron
FASTER_AT = (50, 200)  # epochs at which that is asked


def of_each(met: Iterable[bool]) -> Verdict:
    """Holds where a claim is met in all cases, in part where in some, and not where in none."""
    cases = [bool(case) for case in met]
    if all(cases):
        return "holds"
    return "in part" if any(cases) else "does not hold"


def approaches_zero(run: LearningCurves) -> Verdict:
    """Whether the total error of every realisation ends under what counts as learned."""
    return of_each(run.total_error[-1] < LEARNED)


def stays_up(run: LearningCurves) -> Verdict:
    """Whether that of none does."""
    return of_each(run.total_error[-1] >= LEARNED)


def falls_to_zero(run: LearningCurves, epoch: int) -> Verdict:
    """Whether that of every realisation is there by an epoch; in part where more of them are only later.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    """
    by_then = of_each(run.total_error[epoch - 1] < LEARNED)
    return "in part" if by_then != "holds" and run.learned else by_then


def learns_faster(run: LearningCurves, other: LearningCurves, epochs: Sequence[int]) -> Verdict:
    """Whether the mean total error of a run is below another's at each of some epochs, counted from 1."""
    return of_each(run.mean[epoch - 1] < other.mean[epoch - 1] for epoch in epochs)


def classifies(run: GateRun) -> Verdict:
    """Whether every sample is on its side of every threshold of Figure 5, in every realisation."""
    points = run.rates.values()
    right = np.concatenate([(point.false_positive == 0.0) & (point.true_positive == 1.0) for point in points])
    return of_each(right)


def guesses(run: GateRun) -> Verdict:
    """Whether samples of 1 are called 1 about as often as those of 0 are, at every threshold, in the mean."""
    beyond = [float(np.mean(point.true_positive - point.false_positive)) for point in run.rates.values()]
    return of_each(abs(each) <= GUESSING for each in beyond)


def speeds(runs: Mapping[Key, LearningCurves], epochs: int) -> list[str]:
    """A table of the paper's second claim of Figure 4: which perceptron learns faster, at two epochs.

    Parameters
    ----------
    runs : mapping
        Perceptron and gate to its curves.
    epochs : int
        Of the runs.
    """
    at = sorted({min(epoch, epochs) for epoch in FASTER_AT})
    columns = " | ".join(f"mean total error at epoch {epoch}, and the single layer's" for epoch in at)
    lines = [f"| run | the paper | verdict | {columns} |", "| --- | --- | --- |" + " --- |" * len(at)]
    for (perceptron, gate), run in runs.items():
        if perceptron == SINGLE or gate not in FASTER or (SINGLE, gate) not in runs:
            continue
        single = runs[SINGLE, gate]
        cells = " | ".join(f"{run.mean[epoch - 1]:.3g}, {single.mean[epoch - 1]:.3g}" for epoch in at)
        verdict = learns_faster(run, single, at)
        lines.append(f"| {name_of(perceptron, gate)} | learns faster than the single layer | {verdict} | {cells} |")
    return lines
