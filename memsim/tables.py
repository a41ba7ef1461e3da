"""CSV files with a header: named columns of finite numbers."""

import csv
from pathlib import Path

import numpy as np

from .configuration import read_text
from .errors import InputError


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Read a CSV file whose first row names the columns.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        Name to (rows,) float64.

    Raises
    ------
    InputError
        A missing file, a ragged row or a cell that is no finite number; the
        message gives the line.
    """
    rows = csv.reader(read_text(path).splitlines())
    names = [name.strip() for name in next(rows, [])]
    if not names or len(set(names)) != len(names) or any(_is_number(name) for name in names):
        raise InputError(f"{path}: line 1: must name the columns, each once (got {names})")
    values: list[list[float]] = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            raise InputError(f"{path}: line {rows.line_num}: must have {len(names)} cells (got {len(row)})")
        for name, cell in zip(names, row, strict=True):
            if not _is_number(cell):
                raise InputError(f"{path}: line {rows.line_num}: {name}: must be a finite number (got {cell!r})")
        values.append([float(cell) for cell in row])
    if not values:
        raise InputError(f"{path}: has no rows below its header; give at least one")
    table = np.array(values, dtype=np.float64)
    return {name: table[:, k].copy() for k, name in enumerate(names)}


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def column(table: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    """One column of a table, (rows,)."""
    if name not in table:
        raise InputError(f"{path}: has no column {name!r}; it has {', '.join(table)}")
    return table[name]
