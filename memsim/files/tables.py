"""CSV files with a header: named columns of finite numbers, or of texts."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..fields import did_you_mean, in_one_line, listed
from .reading import read_text

NO_TEXT = ("", "?", "na", "n/a", "nan")  # how tables write that a text is missing
MISSING = (*NO_TEXT, "none", "null")  # and that a number is


def read_columns(path: Path, names: Iterable[str], texts: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Read a CSV file whose first row names the columns.

    Parameters
    ----------
    path : Path
    names : iterable of str
        Columns of numbers.
    texts : collection of str
        Columns of texts.

    Returns
    -------
    dict
        Name to (rows,) float64, or (rows,) str.

    Raises
    ------
    InputError
        A missing file, a ragged row, no such column or two of that name, a number that is missing or not
        finite, or an empty text; the message gives the line.
    """
    if path.suffix.lower() == ".toml":
        raise InputError(f"{path}: is TOML, and no CSV file; name the file of the samples")
    # Blanks before a quote are none of the text.
    rows = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    header = [name.strip() for name in _next(rows, path) or []]
    wanted = {name: header.index(_known(name, header, path)) for name in (*names, *texts)}
    cells: dict[str, list[str]] = {name: [] for name in wanted}
    while (row := _next(rows, path)) is not None:
        if not row:
            continue
        if len(row) != len(header):
            raise InputError(f"{path}: line {rows.line_num}: must have {len(header)} cells (got {len(row)})")
        for name, place in wanted.items():
            wrong = _wrong_text(row[place]) if name in texts else _wrong_number(row[place])
            if wrong:
                raise InputError(f"{path}: line {rows.line_num}: {name}: {wrong}")
            cells[name].append(row[place].strip())
    if not next(iter(cells.values())):
        raise InputError(f"{path}: has no rows below its header; give at least one")
    return {name: np.array(values, dtype=str if name in texts else np.float64) for name, values in cells.items()}


def _next(rows: Any, path: Path) -> list[str] | None:
    """The next row of a CSV reader; none at the end."""
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        said = f"a cell has more than {csv.field_size_limit():,} characters" if "limit" in str(error) else str(error)
        raise InputError(
            f"{path}: line {max(1, rows.line_num)}: {said}; check the quotes and the ends of lines"
        ) from None
    return row


def _wrong_number(cell: str) -> str:
    """What is wrong with a cell that should be a finite number; empty where nothing is."""
    if cell.strip().lower() in MISSING:
        return f"the value is missing (got {cell!r}); give it one, or leave the row out"
    return "" if _is_number(cell) else f"must be a finite number (got {in_one_line(cell)})"


def _wrong_text(cell: str) -> str:
    """What is wrong with a cell that should be a text; empty where nothing is."""
    missing = cell.strip().lower() in NO_TEXT
    return f"the text is missing (got {cell!r}); give it one, or leave the row out" if missing else ""


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _known(name: str, header: Sequence[str], path: Path) -> str:
    """A name that one column has."""
    if name in header and header.count(name) == 1:
        return name
    if name in header:
        raise InputError(f"{path}: line 1: must name the column {name!r} once (got it {header.count(name)} times)")
    if not header or all(_is_number(cell) for cell in header):
        raise InputError(f"{path}: line 1: must name the columns (got {listed(header)})")
    raise InputError(f"{path}: has no column {name!r}; it has {listed(header)}{did_you_mean(name, header)}")
