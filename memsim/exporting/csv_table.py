"""The tidy table, a row for each number, and as CSV: every float in the fewest digits that give it back exactly."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..runs.channels import UNITS
from ..runs.timeline import PHASES
from .excerpt import Kept, Report


def write_csv(excerpt: Kept, path: Path, report: Report) -> None:
    """Write the tidy table; docs/export.md describes it.

    Parameters
    ----------
    excerpt : Kept
    path : Path
        Replaced where it exists.
    report : callable
        Called with rows done and in all.
    """
    channels = channel_lines(excerpt)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(_line(excerpt.table_columns) + "\n")
        for block in excerpt.blocks(report):
            for step, values in zip(step_lines(excerpt, block.steps), block.matrix().tolist(), strict=True):
                # Four times as fast as a csv.writer, with the same bytes: floats need no quotes.
                lines = [f"{step},{channel},{value!r}\n" for channel, value in zip(channels, values, strict=True)]
                file.write("".join(lines))


def channel_lines(excerpt: Kept) -> list[str]:
    """The cells that all steps of a channel share."""
    names = excerpt.channel_columns
    return [_line([getattr(cells, name) for name in names]) for cells in channel_cells(excerpt)]


def step_lines(excerpt: Kept, steps: np.ndarray) -> Iterator[str]:
    """The cells that all channels of a step share."""
    columns = zip(excerpt.step_columns, excerpt.columns(steps), strict=True)
    texts = [
        [PHASES[code] for code in values] if name == "phase" else map(repr, values.tolist()) for name, values in columns
    ]
    yield from map(",".join, zip(*texts, strict=True))


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


class ChannelCells(NamedTuple):
    """What the table says of a channel; ``variable`` is the name of a state variable, or None."""

    bank: str
    device: int
    variable: str | None
    realisation: int
    quantity: str
    unit: str


def channel_cells(excerpt: Kept) -> Iterator[ChannelCells]:
    """The cells of each channel, in the order of :meth:`~.excerpt.Block.matrix`."""
    variables = {bank: excerpt.variables(bank) for bank in excerpt.channels.banks}
    for bank, quantity, device, variable, realisation in excerpt.channels:
        name, unit = (None, UNITS[quantity]) if variable is None else variables[bank][variable]
        yield ChannelCells(bank, device, name, realisation, quantity, unit)
