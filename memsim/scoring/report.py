"""What a run has learned, as tables: a score for each part of its samples, and the confusion of its classes."""

import numpy as np
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..errors import InputError
from ..run import Run
from .classification import Classification
from .classification import of_read as classified
from .parts import Read, parts_of, read_part
from .regression import of_read as fitted

MOST_CLASSES = 12  # in a table of confusion


def tables_of(run: Run) -> list[Table | Text]:
    """Tables and lines for a run's summary; none for samples that have neither classes nor a test.

    Samples are read through a copy of the devices: of the best epoch, where the run kept it.
    """
    data = run.dataset
    if data.classes is None and data.test is None:
        return []
    reads = [read_part(run, name) for name in reversed(parts_of(run))]
    return _scores(reads) if data.classes is None else _scores(reads) + _confusion(classified(reads[-1]))


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


def _confusion(found: Classification) -> list[Table | Text]:
    """True classes down, predicted ones across, and each class's area under the ROC curve."""
    names = [escape(name) for name in found.classes.names]
    if len(names) > MOST_CLASSES:
        return [Text(f"{len(names)} classes; memsim.classification(run).confusion has what was taken for what")]
    lanes = found.predicted.shape[1]
    many = "" if lanes == 1 else f" in all {lanes} realisations"
    title = Text(f"Confusion of the {found.part} samples{many}; true classes down, predicted ones across:", "bold")
    areas, missing = _areas(found)
    table = Table("", *names, *(["ROC AUC"] if areas else []))
    for row, name in enumerate(names):
        table.add_row(name, *(f"{count:,}" for count in found.confusion[row].sum(axis=1)), *areas[row : row + 1])
    return [title, _to_the_right(table), *missing]


def _areas(found: Classification) -> tuple[list[str], list[Text]]:
    """Areas under the ROC curves as cells, and a line where there are none."""
    try:
        areas = found.auc
    except InputError as error:
        return [], [Text(str(error))]
    return ["-" if np.isnan(area).any() else _mean(area) for area in areas], []


def _to_the_right(table: Table) -> Table:
    """A table whose columns but the first are of numbers."""
    for column in table.columns[1:]:
        column.justify = "right"
    return table
