"""What a person sees of a sweep: its plan before, and at the end what became of it."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from ..reporting import console, counted
from .configuration import SweepConfiguration
from .index import FAILED, FINISHED, MISSING, POINTS, RESULTS, STOPPED, Index, Outcome
from .packing import plan

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
    out = console()
    fields = list(laid_out.points[0])
    table = Table("point", *fields, "realisations", "pack", title="Points", title_justify="left", title_style="bold")
    packs = {point: pack.name for pack in laid_out.packs for point in pack.points}
    for number, point in list(enumerate(laid_out.points))[:SHOWN]:
        cells = [_shown(point[name]) for name in fields]
        table.add_row(str(number), *cells, str(laid_out.realisations[number]), packs[number])
    out.print(table)
    if len(laid_out.points) > SHOWN:
        out.print(f"... and {counted(len(laid_out.points) - SHOWN, 'point')} more")
    lanes = max(len(pack.points) * pack.config.run.realisations for pack in laid_out.packs)
    out.print(
        f"{counted(len(laid_out.points), 'point')}, {counted(sum(laid_out.realisations), 'realisation')} in "
        f"{counted(len(laid_out.packs), 'pack')} of {lanes} at most; nothing was run"
    )


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """How many realisations of each configuration learned, and how well."""
    table = Table(*outcomes[0].values, title="Configurations, over all seeds", title_justify="left", title_style="bold")
    for heading in ("learned", "mean\ntotal error", "largest"):
        table.add_column(heading, justify="right")
    for values, learned, errors in outcomes:
        found = (f"{np.mean(errors):.4g}", f"{max(errors):.4g}") if errors else ("", "")
        table.add_row(*map(_shown, values.values()), f"{sum(learned)} of {len(learned)}", *found)
    return table


def show_sweep(index: Index, folder: Path, goes_on: str) -> int:
    """Print what became of a sweep: how each configuration did, what failed, and how to go on.

    Parameters
    ----------
    index : Index
    folder : Path
    goes_on : str
        The command that goes on, as the end of a sentence.

    Returns
    -------
    int
        The exit status: 0 finished, 1 some points failed, 130 stopped.
    """
    failed, open_points = index.points_of(FAILED), index.points_of(STOPPED, MISSING)
    outcomes = index.outcomes()
    if any(outcome.learned for outcome in outcomes):
        console().print(_outcomes_table(outcomes[:SHOWN]))
        if len(outcomes) > SHOWN:
            click.echo(f"... and {counted(len(outcomes) - SHOWN, 'configuration')} more")
    learned, finished = (sum(each) for each in zip(*((sum(o.learned), len(o.learned)) for o in outcomes), strict=True))
    click.echo(
        f"{counted(len(index.points_of(FINISHED)), 'point')} finished, {len(failed)} failed, "
        f"{len(open_points)} open; {learned} of {counted(finished, 'realisation')} learned"
    )
    click.echo(f"wrote {folder / POINTS}, {folder / RESULTS}")
    if failed:
        named = ", ".join(map(str, failed[:NAMED])) + (", ..." if len(failed) > NAMED else "")
        error = index.error_of(failed[0])
        click.echo(
            f"memsim: failed: {'point' if len(failed) == 1 else 'points'} {named}: {error}; "
            f"{folder / POINTS} has every error",
            err=True,
        )
    if open_points:
        click.echo(f"stopped with {counted(len(open_points), 'point')} open; {goes_on}", err=True)
        return 130
    return 1 if failed else 0
