"""The tidy table as CSV: every float in the fewest digits that give it back exactly."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..timeline import PHASES
from .excerpt import Excerpt, Report
from .tidy import COLUMNS, channel_cells


def write_csv(excerpt: Excerpt, path: Path, report: Report) -> None:
    """Write the tidy table; docs/export.md describes it.

    Parameters
    ----------
    excerpt : Excerpt
    path : Path
        Replaced where it exists.
    report : callable
        Called with rows done and in all.
    """
    channels = channel_lines(excerpt)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(_line(COLUMNS) + "\n")
        for block in excerpt.blocks(report):
            for step, values in zip(step_lines(excerpt, block.steps), block.matrix().tolist(), strict=True):
                # Four times as fast as a csv.writer, with the same bytes: floats need no quotes.
                lines = [f"{step},{channel},{value!r}\n" for channel, value in zip(channels, values, strict=True)]
                file.write("".join(lines))


def channel_lines(excerpt: Excerpt) -> list[str]:
    """The cells that all steps of a channel share."""
    return [_line(cells) for cells in channel_cells(excerpt)]


def step_lines(excerpt: Excerpt, steps: np.ndarray) -> Iterator[str]:
    """The cells that all channels of a step share."""
    columns = (column.tolist() for column in excerpt.columns(steps))
    for step, seconds, epoch, sample, phase in zip(*columns, strict=True):
        yield f"{step},{seconds!r},{epoch},{sample},{PHASES[phase]}"


def _line(cells: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
