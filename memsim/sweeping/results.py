"""A sweep that was carried out, read from its folder."""

import csv
import io
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..files.reading import read_text
from ..libraries import load_library
from ..runs.opening import open_run
from ..runs.run import Run
from ..terminal.si import counted
from ..terminal.streams import printable
from .folder import Folder
from .index import FAILED, FINISHED, POINTS, RESULTS
from .sweep_configuration import SweepConfiguration

if TYPE_CHECKING:
    from pandas import DataFrame

NAMED = 10  # packs in a message
Columns = dict[str, np.ndarray]


class Sweep:
    """Points and results of a sweep.

    Parameters
    ----------
    path : Path
        The sweep's folder.

    Raises
    ------
    InputError
        It holds no sweep, or no index.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = Folder(path)
        if not self._folder.sweep_file.exists():
            raise InputError(f"{path}: holds no sweep; name the folder that a sweep wrote")
        for name in (POINTS, RESULTS):
            if not (path / name).exists():
                raise InputError(f"{path / name}: is missing; memsim.sweep with resume=True writes it again")

    @cached_property
    def config(self) -> SweepConfiguration:
        """The sweep's effective configuration."""
        return self._folder.stored()

    @cached_property
    def points(self) -> Columns:
        """A row for each point: column to (points,).

        ``point``, the fields, ``realisations``, ``pack``, ``status`` (finished,
        failed, stopped or missing), ``error``.
        """
        return _read(self.path / POINTS)

    @property
    def failed(self) -> dict[int, str]:
        """Points that failed, with their errors."""
        at = self.points["status"] == FAILED
        return dict(zip(self.points["point"][at].tolist(), self.points["error"][at].tolist(), strict=True))

    @property
    def missing(self) -> tuple[str, ...]:
        """Packs with a point that is not finished, or without their run files; points that cannot work left out."""
        found: dict[str, list[tuple[int, str]]] = {}
        columns = (self.points[name].tolist() for name in ("pack", "point", "status"))
        for pack, point, status in zip(*columns, strict=True):
            found.setdefault(pack, []).append((point, status))
        return tuple(pack for pack, points in found.items() if self._is_missing(pack, points))

    def _is_missing(self, pack: str, points: list[tuple[int, str]]) -> bool:
        """Of a pack, by its points and their statuses."""
        failures = self._folder.failures(pack)
        statuses = {status for point, status in points if point not in failures}
        return bool(statuses) and (statuses != {FINISHED} or not self._folder.run_file(pack).exists())

    def results(self, *, allow_missing: bool = False) -> Columns:
        """A row for each realisation of each finished point: column to (rows,).

        Parameters
        ----------
        allow_missing : bool
            Leave out packs that are missing. Points that cannot work
            always are; see :attr:`failed`.

        Returns
        -------
        dict
            ``point``, the fields, ``realisation`` (within the point), ``pack``,
            ``lane`` (the realisation in the pack's run file), ``epochs``,
            ``total_error`` (Eq. 20, after the last epoch), ``learned`` (whether
            that is under 0.1), ``energy_joules``, ``simulated_seconds`` (that the
            hardware would have taken).

        Raises
        ------
        InputError
            Naming the packs that are missing.
        """
        missing = self.missing
        if missing and not allow_missing:
            named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
            raise InputError(
                f"{self.path}: of {len(set(self.points['pack'].tolist()))} packs {len(missing)} are missing: {named}; "
                "memsim.sweep with resume=True makes them, allow_missing=True leaves them out"
            )
        columns = _read(self.path / RESULTS)
        kept = ~np.isin(columns["pack"], missing)
        return {name: values[kept] for name, values in columns.items()}

    def to_pandas(self, *, allow_missing: bool = False) -> "DataFrame":
        """The results as a table of pandas; see :meth:`results`.

        Raises
        ------
        InputError
            pandas is not installed, or packs are missing.
        """
        pandas = load_library("pandas", "pandas", "sweep.to_pandas()")
        return pandas.DataFrame(self.results(allow_missing=allow_missing))

    def __repr__(self) -> str:
        statuses, counts = np.unique(self.points["status"], return_counts=True)
        told = ", ".join(f"{count} {status}" for status, count in zip(statuses, counts, strict=True))
        return printable(f"<Sweep: {counted(int(counts.sum()), 'point')}, {told}; {self.path}>")

    def run(self, pack: str) -> Run:
        """Open the run of a pack, by its name in the tables.

        Raises
        ------
        InputError
            There is no such pack, or its run file is missing.
        """
        if pack not in self.points["pack"]:
            raise InputError(f"pack: must be one of the sweep's, as {self.points['pack'][0]} (got {pack!r})")
        if not self._folder.run_file(pack).exists():
            raise InputError(f"{self._folder.run_file(pack)}: is missing; memsim.sweep with resume=True makes it")
        return open_run(self._folder.run_file(pack))


def open_sweep(path: str | Path) -> Sweep:
    """Open the folder of a sweep for reading, finished or not.

    Raises
    ------
    InputError
        It holds no sweep.
    """
    return Sweep(Path(path))


def _read(path: Path) -> Columns:
    """A table of the index, each column an array of the narrowest type that it fits."""
    text = read_text(path)
    try:
        names, *rows = list(csv.reader(io.StringIO(text, newline="")))
        return {name: _column(name, [row[k] for row in rows]) for k, name in enumerate(names)}
    except (csv.Error, ValueError, IndexError):
        raise InputError(f"{path}: is damaged; memsim.sweep with resume=True writes it again") from None


def _column(name: str, cells: list[str]) -> np.ndarray:
    if name in ("pack", "status", "error"):
        return np.array(cells, dtype=str)
    if cells and set(cells) <= {"True", "False"}:
        return np.array([cell == "True" for cell in cells])
    for kind in (np.int64, np.float64):
        try:
            return np.array([_number(cell, kind) for cell in cells], dtype=kind)
        except ValueError:
            continue
    return np.array(cells, dtype=str)


def _number(cell: str, kind: Any) -> Any:
    return int(cell) if kind is np.int64 else float(cell)
