"""What a run has learned, as tables: a score for each part of its samples, and the confusion of its classes."""

from dataclasses import dataclass

import numpy as np

from ..runs.run import Run
from ..terminal.screen import Table, describe, numbers, show
from .classification import Classification
from .classification import of_read as classified
from .names import MOST_CLASSES, numbered
from .parts import Read, parts_of, read_part
from .regression import of_read as fitted

MOST_CELLS = 64  # of a terminal's line of 80, for all counts of a row


@dataclass(frozen=True)
class Scores:
    """What is shown of a run's scores.

    Attributes
    ----------
    parts : tuple of Table or str
        In their order; nothing of samples that have neither classes nor a test.
    accuracy : str
        In words, of the part that tells the most; empty without classes.
    """

    parts: tuple[Table | str, ...] = ()
    accuracy: str = ""

    def show(self) -> None:
        """Print all parts."""
        for part in self.parts:
            if isinstance(part, Table):
                show(part)
            else:
                describe(part, "bold")


def scores_of(run: Run) -> Scores:
    """Scores for a run's summary, of samples that are read through a copy of the devices.

    The states are those of the best epoch, where the run kept it.
    """
    data = run.dataset
    if data.classes is None and data.test is None:
        return Scores()
    reads = [read_part(run, name) for name in reversed(parts_of(run))]
    if data.classes is None:
        return Scores(tuple(_scores(reads)))
    found = classified(reads[-1])
    accuracy = f"accuracy {_mean(found.accuracy)} on the {len(found.true):,} {found.part} samples"
    return Scores((*_scores(reads), *confusion_tables(found)), accuracy)


def _scores(reads: list[Read]) -> list[Table | str]:
    """The score of each part."""
    states = "the best epoch's states" if reads[0].best else "the final states"
    classes = reads[0].data.classes
    measures = ("RMSE", "R²") if classes is None else ("accuracy",)
    table = Table("samples", *numbers("number", *measures, "inputs clipped"))
    for read in reads:
        if classes is None:
            fit = fitted(read)
            values = [_mean(fit.rmse), _mean(fit.r2)]
        else:
            values = [_mean(classified(read).accuracy)]
        clipped = f"{read.data.clipped:,} of {read.data.inputs.size:,}" if read.data.scaling else "not scaled"
        table.row(read.name, f"{len(read.data.inputs):,}", *values, clipped)
    return [f"By READs through a copy of the devices, {states}:", table]


def _mean(values: np.ndarray) -> str:
    """The mean over realisations, with the smallest and the largest value."""
    spread = "" if len(values) == 1 else f" ({values.min():.4g} to {values.max():.4g})"
    return f"{values.mean():.4g}{spread}"


def confusion_tables(found: Classification) -> list[Table | str]:
    """True classes down, predicted ones across; and each class's area under the ROC curve."""
    names = numbered(found.classes.names)
    rows = [[f"{count:,}" for count in row] for row in found.confusion.sum(axis=2)]
    widest = max(len(count) for row in rows for count in row)
    if len(names) > MOST_CLASSES or len(names) * (widest + 1) > MOST_CELLS:
        return [f"{len(names)} classes; memsim.classification(run) has confusion, and auc, the ROC areas"]
    return [*_counts(found, names, rows), *_areas(found, names)]


def _counts(found: Classification, names: list[str], rows: list[list[str]]) -> list[Table | str]:
    """What was taken for what; columns are headed by the numbers of classes, which leave room for the counts."""
    lanes = found.predicted.shape[1]
    many = "" if lanes == 1 else f" in all {lanes:,} realisations"
    title = f"Confusion of the {found.part} samples{many}; true classes down, predicted ones across:"
    table = Table("class", *numbers(*map(str, range(len(names)))), open=True)
    for name, row in zip(names, rows, strict=True):
        table.row(name, *row)
    return [title, table]


def _areas(found: Classification, names: list[str]) -> list[Table | str]:
    """Areas under the ROC curves."""
    table = Table("class", *numbers("area"))
    for name, area in zip(names, found.auc, strict=True):
        table.row(name, "-" if np.isnan(area).any() else _mean(area))
    return ["Area under the ROC curve of each class against the rest:", table]
