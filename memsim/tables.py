"""CSV files with a header: named columns of finite numbers, or of texts."""

import csv
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from .configuration import read_text
from .errors import InputError

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
        A missing file, a ragged row, no such column, a number that is missing or not
        finite, or an empty text; the message gives the line.
    """
    rows = csv.reader(read_text(path).splitlines())
    header = [name.strip() for name in next(rows, [])]
    if not header or len(set(header)) != len(header) or any(_is_number(name) for name in header):
        raise InputError(f"{path}: line 1: must name the columns, each once (got {header})")
    wanted = {name: header.index(_known(name, header, path)) for name in (*names, *texts)}
    cells: dict[str, list[str]] = {name: [] for name in wanted}
    for row in rows:
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


def _wrong_number(cell: str) -> str:
    """What is wrong with a cell that should be a finite number; empty where nothing is."""
    if cell.strip().lower() in MISSING:
        return f"the value is missing (got {cell!r}); give it one, or leave the row out"
    return "" if _is_number(cell) else f"must be a finite number (got {cell!r})"


def _wrong_text(cell: str) -> str:
    """What is wrong with a cell that should be a text; empty where nothing is."""
    missing = cell.strip().lower() in NO_TEXT
    return f"the text is missing (got {cell!r}); give it one, or leave the row out" if missing else ""


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _known(name: str, header: Collection[str], path: Path) -> str:
    if name not in header:
        raise InputError(f"{path}: has no column {name!r}; it has {', '.join(header)}")
    return name
