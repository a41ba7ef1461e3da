"""The tidy table as Parquet: text columns by dictionary, units and provenance in the schema."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...libraries import load_library
from ..timeline import PHASES
from .excerpt import Block, Excerpt, Report
from .provenance import provenance
from .tidy import COLUMNS, channel_cells

EXTRA = "parquet"
PURPOSE = "Parquet"


def write_parquet(excerpt: Excerpt, path: Path, report: Report) -> None:
    """Write the tidy table; docs/export.md describes it.

    Parameters
    ----------
    excerpt : Excerpt
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

    def __init__(self, arrow: Any, excerpt: Excerpt) -> None:
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
        types = (whole, real, whole, whole, word, word, number, word, number, word, word, real)
        units = {"time_s": {"units": "s"}, "value": {"units": "see unit"}}
        fields = [
            arrow.field(name, kind, nullable=name == "variable", metadata=units.get(name))
            for name, kind in zip(COLUMNS, types, strict=True)
        ]
        return arrow.schema(fields, metadata=provenance(self._excerpt))

    def batch(self, block: Block) -> Any:
        """A block as a record batch: (rows times channels) rows, channels of a step side by side."""
        arrow, line, steps = self._arrow, self._excerpt.timeline, block.steps
        matrix = block.matrix()
        rows, channels = matrix.shape
        columns: dict[str, Any] = {
            "step": np.repeat(steps, channels),
            "time_s": np.repeat(line.seconds(steps), channels),
            "epoch": np.repeat(line.epochs(steps), channels),
            "sample": np.repeat(line.samples(steps), channels),
            "phase": self._phases.column(arrow, np.repeat(line.phases(steps), channels)),
            "value": matrix.reshape(-1),
        }
        columns |= {name: words.column(arrow, np.tile(words.codes, rows)) for name, words in self._words.items()}
        columns |= {name: np.tile(numbers, rows) for name, numbers in self._numbers.items()}
        return arrow.RecordBatch.from_arrays([arrow.array(columns[name]) for name in COLUMNS], schema=self.schema)


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
