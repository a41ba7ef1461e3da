"""Which perceptron learns faster: the paper's second claim of Figure 4."""

from collections.abc import Mapping

from . import verdicts
from .gate_rates import SINGLE, Key, name_of
from .learning_curves import LearningCurves

FASTER = ("OR", "AND")  # the gates that the paper says are learned faster by the multilayer perceptron
FASTER_AT = (50, 200)  # epochs at which that is asked


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
        verdict = verdicts.learns_faster(run, single, at)
        lines.append(f"| {name_of(perceptron, gate)} | learns faster than the single layer | {verdict} | {cells} |")
    return lines
