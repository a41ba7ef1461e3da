"""What a run has learned, as tables: a score for each part of its samples, and the confusion of its classes."""

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..run import Run
from .classification import Classification
from .classification import of_read as classified
from .names import MOST_CLASSES, numbered
from .parts import Read, parts_of, read_part
from .regression import of_read as fitted

MOST_CELLS = 64  # of a terminal's line of 80, for all counts of a row


def tables_of(run: Run) -> list[Table | Text]:
    """Tables and lines for a run's summary; none for samples that have neither classes nor a test.

    Samples are read through a copy of the devices: of the best epoch, where the run kept it.
    """
    data = run.dataset
    if data.classes is None and data.test is None:
        return []
    reads = [read_part(run, name) for name in reversed(parts_of(run))]
    return _scores(reads) if data.classes is None else _scores(reads) + confusion_tables(classified(reads[-1]))


def _scores(reads: list[Read]) -> list[Table | Text]:
    """The score of each part."""
    states = "the best epoch's states" if reads[0].best else "the final states"
    classes = reads[0].data.classes
    table = Table("samples", "number", *(("RMSE", "R²") if classes is None else ("accuracy",)), "inputs clipped")
    for read in reads:
        if classes is None:
            fit = fitted(read)
            values = [_mean(fit.rmse), _mean(fit.r2)]
        else:
            values = [_mean(classified(read).accuracy)]
        clipped = f"{read.data.clipped:,} of {read.data.inputs.size:,}" if read.data.scaling else "not scaled"
        table.add_row(read.name, f"{len(read.data.inputs):,}", *values, clipped)
    return [Text(f"By READs through a copy of the devices, {states}:", "bold"), _to_the_right(table)]


def _mean(values: np.ndarray) -> str:
    """The mean over realisations, with the smallest and the largest value."""
    spread = "" if len(values) == 1 else f" ({values.min():.4g} to {values.max():.4g})"
    return f"{values.mean():.4g}{spread}"


def confusion_tables(found: Classification) -> list[Table | Text]:
    """True classes down, predicted ones across; and each class's area under the ROC curve."""
    names = [escape(name) for name in numbered(found.classes.names)]
    rows = [[f"{count:,}" for count in row] for row in found.confusion.sum(axis=2)]
    widest = max(len(count) for row in rows for count in row)
    if len(names) > MOST_CLASSES or len(names) * (widest + 1) > MOST_CELLS:
        return [Text(f"{len(names)} classes; memsim.classification(run) has confusion, and auc, the ROC areas")]
    return [*_counts(found, names, rows), *_areas(found, names)]


def _counts(found: Classification, names: list[str], rows: list[list[str]]) -> list[Table | Text]:
    """What was taken for what; columns are headed by the numbers of classes, which leave room for the counts."""
    lanes = found.predicted.shape[1]
    many = "" if lanes == 1 else f" in all {lanes:,} realisations"
    title = Text(f"Confusion of the {found.part} samples{many}; true classes down, predicted ones across:", "bold")
    table = Table("class", box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for number in range(len(names)):
        table.add_column(str(number), min_width=3, no_wrap=True)
    for name, row in zip(names, rows, strict=True):
        table.add_row(name, *row)
    return [title, _to_the_right(table)]


def _areas(found: Classification, names: list[str]) -> list[Table | Text]:
    """Areas under the ROC curves."""
    table = Table("class", "area")
    for name, area in zip(names, found.auc, strict=True):
        table.add_row(name, "-" if np.isnan(area).any() else _mean(area))
    return [Text("Area under the ROC curve of each class against the rest:", "bold"), _to_the_right(table)]


def _to_the_right(table: Table) -> Table:
    """A table whose columns but the first are of numbers."""
    for column in table.columns[1:]:
        column.justify = "right"
    return table
