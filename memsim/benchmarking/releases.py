"""The record of releases: a CSV file with the ratios to C that each version had, and their figure.

C is measured beside, in the same run. So the ratios of versions that were measured on other machines can be compared,
which times cannot.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ..figures import COLOURS, new_figure
from ..files.tables import read_columns
from ..files.whole import write_text
from .bench_records import Report, noise_of_work

TICKS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0)


class Row(NamedTuple):
    """A case of a release.

    Attributes
    ----------
    release, made : str
        Its name, and the day of the measurement.
    suite, case : str
    ratio_to_c, noise : float
        Time over that of C, and the noise of both.
    processor : str
    """

    release: str
    made: str
    suite: str
    case: str
    ratio_to_c: float
    noise: float
    processor: str


TEXTS = tuple(name for name, kind in Row.__annotations__.items() if kind is str)
NUMBERS = tuple(name for name in Row._fields if name not in TEXTS)


def rows_of(report: Report, release: str = "") -> list[Row]:
    """The cases of a report that have a ratio to C; of a release of that name, or of the report's version."""
    name, made, processor = release or report.versions["memsim"], f"{report.made:%Y-%m-%d}", report.machine.processor
    return [
        Row(
            name, made, r.suite, r.case, round(r.ratio_to_c, 3), round(noise_of_work(r) + (r.noise_of_c or 0.0), 3),
            processor,
        )
        for r in report.records
        if r.ratio_to_c
    ]  # fmt: skip


def read_releases(path: Path) -> list[Row]:
    """The rows of a record; none where there is no file yet.

    Raises
    ------
    InputError
    """
    if not path.exists():
        return []
    columns = read_columns(path, NUMBERS, TEXTS)
    return [Row(*values) for values in zip(*(columns[name].tolist() for name in Row._fields), strict=True)]


def add_release(path: Path, report: Report, release: str = "") -> list[Row]:
    """Add a report to the record, in place of what it has of the same release and case; all rows."""
    old, new = read_releases(path), rows_of(report, release)
    order = list(dict.fromkeys(row.release for row in (*old, *new)))
    measured = {(row.release, row.suite, row.case) for row in new}
    kept = [row for row in old if (row.release, row.suite, row.case) not in measured]
    rows = sorted([*kept, *new], key=lambda row: order.index(row.release))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    write_text(path, text.getvalue())
    return rows


def draw_releases(rows: Sequence[Row]) -> Figure:
    """Time over C over the releases: banks in one panel, networks in the other; a line a case that two of them have."""
    figure = new_figure(11.0, 4.6)
    places = {release: place for place, release in enumerate(dict.fromkeys(row.release for row in rows))}
    for axes, (suite, title) in zip(
        figure.subplots(1, 2), (("kernel", "stepping of a bank"), ("train", "training")), strict=True
    ):
        _panel(axes, [row for row in rows if row.suite == suite], places)
        axes.set(title=title, ylabel="time over C", yscale="log")
        axes.set_xticks(range(len(places)), list(places), fontsize="small")
        axes.axhline(1.0, color="black", linewidth=0.8)
        low, high = axes.get_ylim()
        axes.set_yticks([tick for tick in TICKS if low <= tick <= high])
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.3)
    return figure


def _panel(axes: Axes, rows: Sequence[Row], places: dict[str, int]) -> None:
    cases = {row.case: [other for other in rows if other.case == row.case] for row in rows}
    shown = {case: own for case, own in cases.items() if len(own) > 1 and _is_common(case)}
    for number, (case, own) in enumerate(shown.items()):
        at, ratios = [places[row.release] for row in own], np.array([row.ratio_to_c for row in own])
        marker, colour = "os^vD"[number // len(COLOURS) % 5], COLOURS[number % len(COLOURS)]
        axes.plot(at, ratios, marker=marker, color=colour, label=case.removesuffix(", 50 steps"))
    if shown:
        axes.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _is_common(case: str) -> bool:
    """Whether a case is drawn: of banks, those of one size in the usual pulses."""
    return "devices" not in case or case.endswith("100,000 devices, 50 steps")
