"""What a person sees of a sweep: its plan before, and at the end what became of it."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..proportions import interval
from ..runs.run import LEARNED
from ..terminal.interrupts import status_of_stop
from ..terminal.screen import Table, describe, numbers, show
from ..terminal.si import counted
from ..terminal.streams import say, tell
from .index import FAILED, FINISHED, MISSING, POINTS, RESULTS, STOPPED, Index, Outcome
from .packs import plan
from .sweep_configuration import SweepConfiguration

SHOWN = 20  # points of a plan
NAMED = 10  # failed points of a line


def show_plan(config: SweepConfiguration, processes: int) -> None:
    """Print the points of a sweep, and how they are packed.

    Raises
    ------
    InputError
        A point's configuration cannot be.
    """
    laid_out = plan(config, processes)
    fields = list(laid_out.points[0])
    table = Table("point", *fields, "realisations", "pack", title="Points")
    packs = {point: pack.name for pack in laid_out.packs for point in pack.points}
    for number, point in list(enumerate(laid_out.points))[:SHOWN]:
        cells = [_shown(point[name]) for name in fields]
        table.row(str(number), *cells, str(laid_out.realisations[number]), packs[number])
    show(table)
    if len(laid_out.points) > SHOWN:
        describe(f"... and {counted(len(laid_out.points) - SHOWN, 'point')} more")
    lanes = max(len(pack.points) * pack.config.run.realisations for pack in laid_out.packs)
    describe(
        f"{counted(len(laid_out.points), 'point')}, {counted(sum(laid_out.realisations), 'realisation')} in "
        f"{counted(len(laid_out.packs), 'pack')} of {lanes} at most; nothing was run"
    )


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """How many realisations of each configuration learned, and how well."""
    headings = numbers("learned", "95 % interval", "mean\ntotal error", "largest")
    table = Table(*outcomes[0].values, *headings, title="Configurations, over all seeds")
    for values, learned, errors in outcomes:
        table.row(*map(_shown, values.values()), f"{sum(learned)} of {len(learned)}", *_found(learned, errors))
    return table


def _found(learned: Sequence[bool], errors: Sequence[float]) -> tuple[str, str, str]:
    """The interval of the rate, and the mean and the largest total error; empty before there is one."""
    if not errors:
        return "", "", ""
    return interval(sum(learned), len(learned)), f"{np.mean(errors):.4g}", f"{max(errors):.4g}"


def show_sweep(index: Index, folder: Path, goes_on: str, in_options: Callable[[str], str]) -> int:
    """Print what became of a sweep: how each configuration did, what failed, and how to go on.

    Parameters
    ----------
    index : Index
    folder : Path
    goes_on : str
        The command that goes on, as the end of a sentence.
    in_options : callable
        Puts the command's options in the place of parameters in a message.

    Returns
    -------
    int
        The exit status: 0 finished, 1 some points failed, 130 or 143 stopped.
    """
    done, failed, open_points = (index.points_of(*each) for each in ((FINISHED,), (FAILED,), (STOPPED, MISSING)))
    outcomes = index.outcomes()
    if any(outcome.learned for outcome in outcomes):
        show(_outcomes_table(outcomes[:SHOWN]))
        if len(outcomes) > SHOWN:
            describe(f"... and {counted(len(outcomes) - SHOWN, 'configuration')} more")
    learned, finished = (sum(each) for each in zip(*((sum(o.learned), len(o.learned)) for o in outcomes), strict=True))
    describe(
        f"{counted(len(done), 'point')} finished, {len(failed)} failed, {len(open_points)} open; "
        f"learned {learned:,} of {counted(finished, 'realisation')}, to a total error under {LEARNED:g}"
    )
    say(f"wrote {folder / POINTS}, {folder / RESULTS}")
    if done:
        file = folder / index.run_file_of(done[0]).relative_to(folder.absolute())
        say(f"'memsim trace plot {shlex.quote(str(file))}' draws the run of point {done[0]}")
    if failed:
        named = ", ".join(map(str, failed[:NAMED])) + (", ..." if len(failed) > NAMED else "")
        error = in_options(index.error_of(failed[0]))
        tell(
            f"memsim: failed: {'point' if len(failed) == 1 else 'points'} {named}: {error}; "
            f"{folder / POINTS} has every error"
        )
    if open_points:
        tell(f"stopped with {counted(len(open_points), 'point')} open; {goes_on}")
        return status_of_stop()
    return 1 if failed else 0
