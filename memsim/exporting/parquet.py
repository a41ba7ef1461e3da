"""The tidy table as Parquet: text columns by dictionary, units and provenance in the schema."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..libraries import load_library
from ..runs.timeline import PHASES
from .csv_table import channel_cells
from .excerpt import Block, Kept, Report, provenance

EXTRA = "parquet"
PURPOSE = "Parquet"


def write_parquet(excerpt: Kept, path: Path, report: Report) -> None:
    """Write the tidy table; docs/export.md describes it.

    Parameters
    ----------
    excerpt : Kept
    path : Path
        Replaced where it exists.
    report : callable
        Called with rows done and in all.

    Raises
    ------
    InputError
        pyarrow is not installed.
    """
    parquet = load_parquet()
    table = _Table(load_library("pyarrow", EXTRA, PURPOSE), excerpt)
    with parquet.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for block in excerpt.blocks(report):
            writer.write_batch(table.batch(block))


def load_parquet() -> Any:
    """Load pyarrow's Parquet.

    Raises
    ------
    InputError
        It is not installed.
    """
    return load_library("pyarrow.parquet", EXTRA, PURPOSE)


class _Table:
    """Blocks of an excerpt as record batches."""

    def __init__(self, arrow: Any, excerpt: Kept) -> None:
        self._arrow, self._excerpt = arrow, excerpt
        cells = list(channel_cells(excerpt))
        self._words = {
            "bank": _Words([c.bank for c in cells]),
            "variable": _Words([c.variable for c in cells]),
            "quantity": _Words([c.quantity for c in cells]),
            "unit": _Words([c.unit for c in cells]),
        }
        self._phases = _Words(PHASES)
        self._numbers = {
            "device": np.array([c.device for c in cells], dtype=np.int32),
            "realisation": np.array([c.realisation for c in cells], dtype=np.int32),
        }
        self.schema = self._schema()

    def _schema(self) -> Any:
        arrow = self._arrow
        whole, number, real = arrow.int64(), arrow.int32(), arrow.float64()
        word = arrow.dictionary(arrow.int16(), arrow.string())
        types = {
            "step": whole, "time_s": real, "epoch": whole, "sample": whole, "device": number, "realisation": number,
            "value": real,
        }  # fmt: skip
        units = {"time_s": {"units": "s"}, "value": {"units": "see unit"}}
        fields = [
            arrow.field(name, types.get(name, word), nullable=name == "variable", metadata=units.get(name))
            for name in self._excerpt.table_columns
        ]
        return arrow.schema(fields, metadata=provenance(self._excerpt))

    def batch(self, block: Block) -> Any:
        """A block as a record batch: (rows times channels) rows, channels of a step side by side."""
        arrow, names = self._arrow, self._excerpt.table_columns
        matrix = block.matrix()
        rows, channels = matrix.shape
        of_steps = zip(self._excerpt.step_columns, self._excerpt.columns(block.steps), strict=True)
        columns: dict[str, Any] = {name: np.repeat(values, channels) for name, values in of_steps}
        if "phase" in columns:
            columns["phase"] = self._phases.column(arrow, columns["phase"])
        columns["value"] = matrix.reshape(-1)
        columns |= {name: words.column(arrow, np.tile(words.codes, rows)) for name, words in self._words.items()}
        columns |= {name: np.tile(numbers, rows) for name, numbers in self._numbers.items()}
        return arrow.RecordBatch.from_arrays([arrow.array(columns[name]) for name in names], schema=self.schema)


class _Words:
    """A column of few texts.

    Attributes
    ----------
    codes : (texts,) int16
        Number of each text among the different ones; -1 for None.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        self._words = list(dict.fromkeys(text for text in texts if text is not None))
        numbers = {word: number for number, word in enumerate(self._words)}
        self.codes = np.array([-1 if text is None else numbers[text] for text in texts], dtype=np.int16)

    def column(self, arrow: Any, codes: np.ndarray) -> Any:
        """The texts of some codes, encoded by dictionary."""
        indices = arrow.array(codes, type=arrow.int16(), mask=codes < 0)
        return arrow.DictionaryArray.from_arrays(indices, arrow.array(self._words, type=arrow.string()))
