"""The index of a sweep: a table of its points, and one of the results of those that are finished."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import RunFileError
from ..runs.opening import open_run
from ..runs.resuming import differences
from ..runs.run import LEARNED, Run
from .design import Point, setting_of
from .folder import Folder, write_whole
from .packs import Pack, Plan

POINTS, RESULTS = "points.csv", "results.csv"
FINISHED, FAILED, STOPPED, MISSING = "finished", "failed", "stopped", "missing"
NO_ERROR = "-"  # an empty cell would be read as a number that is missing
WRITE_SECONDS = 10.0  # between writes while the sweep goes on
RESULT_COLUMNS = (
    "realisation",
    "pack",
    "lane",
    "epochs",
    "total_error",
    "learned",
    "energy_joules",
    "simulated_seconds",
)


class Outcome(NamedTuple):
    """The finished realisations of a configuration: its fields, whether each learned, its last total error."""

    values: Point
    learned: list[bool]
    errors: list[float]


class Index:
    """What is known of the points of a sweep, as its run files show it.

    Parameters
    ----------
    plan : Plan
    folder : Folder
    looking : callable
        Passes the packs on as they are looked at, which takes long for many.
    """

    def __init__(self, plan: Plan, folder: Folder, looking: Callable[[Sequence[Pack]], Iterable[Pack]] = iter) -> None:
        self._plan, self._folder = plan, folder
        self._written = 0.0
        self._status = [(MISSING, NO_ERROR)] * len(plan.points)
        self._errors: dict[int, str] = {}  # of packs that could not be carried out
        self._results: dict[int, list[list[Any]]] = {}  # point to its rows
        for pack in looking(plan.packs):
            self.look(pack)

    def look(self, pack: Pack, error: str | None = None, *, cut_off: bool = False) -> None:
        """Look how far a pack is.

        Parameters
        ----------
        pack : Pack
        error : str, optional
            Why it could not be carried out.
        cut_off : bool
            Whether its writer may have been killed, or go on: what cannot be read
            now is no error, as going on repairs it.
        """
        failures, kept = self._folder.failures(pack.name), self._folder.kept(pack)
        for point, text in failures.items():
            self._status[point] = FAILED, text
        status, found = self._run_of(pack, kept) if kept else (FINISHED, None)
        error = error or (None if cut_off else found)
        if error is not None and status != FINISHED:
            status, self._errors[pack.number] = FAILED, error
        for k in kept:
            self._status[pack.points[k]] = status, error or NO_ERROR if status == FAILED else NO_ERROR

    def look_at_open(self) -> None:
        """Look once more how far the packs are that are not done, and of which no error is known."""
        for pack in self._plan.packs:
            if not self.is_done(pack) and pack.number not in self._errors:
                self.look(pack, cut_off=True)

    def _run_of(self, pack: Pack, kept: Sequence[int]) -> tuple[str, str | None]:
        """Status of a pack's run file, and what is wrong with it; takes the results of a finished one."""
        path = self._folder.run_file(pack.name)
        if not path.exists():
            return MISSING, None
        try:
            with open_run(path) as run:
                differing = differences(run.config, pack.configuration(kept))
                if differing:
                    name, before, now = differing[0]
                    return STOPPED, f"{path}: holds another run: {name} is {before!r}, not {now!r}; take it away"
                if not run.finished or run.stopped:
                    return STOPPED, None
                self._take_results(pack, kept, run)
        except RunFileError as error:
            return STOPPED, str(error)
        return FINISHED, None

    def _take_results(self, pack: Pack, kept: Sequence[int], run: Run) -> None:
        errors, each = run.total_error, pack.config.run.realisations
        energy = np.sum([joules for bank in run.energy.values() for joules in bank.values()], axis=0)
        for place, k in enumerate(kept):
            rows = []
            for lane in range(place * each, (place + 1) * each):
                last = float(errors[-1, lane])
                rows.append([
                    lane - place * each, pack.name, lane, len(errors), last, last < LEARNED, float(energy[lane]),
                    run.simulated_time,
                ])  # fmt: skip
            self._results[pack.points[k]] = rows

    def is_done(self, pack: Pack) -> bool:
        """Whether nothing is left to do for a pack: each point is finished, or cannot work."""
        failed = self._folder.failures(pack.name)
        return all(point in failed or self._status[point][0] == FINISHED for point in pack.points)

    def points_of(self, *statuses: str) -> list[int]:
        """The points of a status, or of several."""
        return [point for point, (status, _) in enumerate(self._status) if status in statuses]

    def run_file_of(self, point: int) -> Path:
        """The run file that a point is in."""
        (name,) = (pack.name for pack in self._plan.packs if point in pack.points)
        return self._folder.run_file(name)

    def error_of(self, point: int) -> str:
        """Why a point failed."""
        return self._status[point][1]

    def outcomes(self) -> list["Outcome"]:
        """What became of each configuration, seeds apart, in the order of the points."""
        found: dict[str, Outcome] = {}
        for number, point in enumerate(self._plan.points):
            values = setting_of(point, self._plan.config)
            outcome = found.setdefault(json.dumps(values, default=repr), Outcome(values, [], []))
            for row in self._results.get(number, ()):
                outcome.learned.append(row[RESULT_COLUMNS.index("learned")])
                outcome.errors.append(row[RESULT_COLUMNS.index("total_error")])
        return list(found.values())

    def write_when_due(self) -> None:
        """Write the tables, if they were not written for a while."""
        if time.monotonic() - self._written >= WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write both tables; each is there whole, or as it was before."""
        fields = list(self._plan.points[0])
        packs = {point: pack.name for pack in self._plan.packs for point in pack.points}
        points, results = [], []
        for number, point in enumerate(self._plan.points):
            values = [number, *(point[name] for name in fields)]
            points.append([*values, self._plan.realisations[number], packs[number], *self._status[number]])
            results += [[*values, *row] for row in self._results.get(number, ())]
        headings = ["point", *fields, "realisations", "pack", "status", "error"]
        write_whole(self._folder.path / POINTS, _as_csv(headings, points))
        write_whole(self._folder.path / RESULTS, _as_csv(["point", *fields, *RESULT_COLUMNS], results))
        self._written = time.monotonic()


def _as_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as RFC 4180 has it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Numbers so that they are read back with the same bits; lists as JSON."""
    return json.dumps(value) if isinstance(value, list | dict) else value
