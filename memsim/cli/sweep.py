"""``memsim sweep``."""

import shlex
from functools import partial
from pathlib import Path

import click

from ..terminal.streams import tell
from . import options
from .words import in_options

EPILOG = """\b
Examples:
  memsim sweep examples/sweep.toml --dry-run
  memsim sweep examples/sweep.toml --out rates
  memsim sweep rates --resume             goes on where it was stopped or killed
  memsim sweep examples/sweep.toml --set 'sweep.seeds=[0,1]' --set base.learning.epochs=50 --out quick
  memsim sweep examples/sweep.toml --scheduler tcp://127.0.0.1:8786    on a Dask cluster
"""


@click.command(name="sweep", epilog=EPILOG)
@options.models
@options.path_argument("source", "SWEEP.toml|DIR")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Folder to write; the sweep file's name without its ending where not given.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the sweep of the folder; no finished pack is run again.")
@click.option("--processes", type=click.IntRange(min=1), help="Packs side by side; all processors where not given.")
@click.option(
    "--scheduler", metavar="ADDRESS",
    help="Run on the workers of this Dask scheduler, as tcp://HOST:PORT. They must see the folder under its path.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show points and packs; run and write nothing.")
@options.assignments
@options.quiet
def command(
    *,
    source: Path,
    out: Path | None,
    resume: bool,
    processes: int | None,
    scheduler: str | None,
    dry_run: bool,
    assignments: tuple[str, ...],
    quiet: bool,
) -> int:
    """Run a grid, a list, or a random or Sobol design over any fields of a configuration.

    Points that differ in their seed only share a run. The folder gets a run file
    for each pack of them, points.csv and results.csv. Ctrl-C stops at the next
    keyframes and keeps the work; --resume goes on from there.
    """
    from ..errors import InputError
    from ..sweeping.folder import SWEEP_FILE
    from ..sweeping.sweep import run, workers_of
    from ..sweeping.sweep_configuration import load_sweep
    from ..sweeping.sweep_progress import SweepProgress
    from ..sweeping.sweep_report import show_plan, show_sweep

    if processes and scheduler:
        raise InputError("--processes: is for this machine; the scheduler's workers are as many as they are")
    if source.is_dir():
        source, out = source / SWEEP_FILE, out or source
    config = load_sweep(source, assignments)
    target = out or Path(source.stem)
    goes_on = f"'memsim sweep {shlex.quote(str(target))} --resume' goes on"
    with workers_of(processes, scheduler) as workers:
        if dry_run:
            show_plan(config, workers.capacity)
            return 0
        progress = SweepProgress(quiet)
        try:
            with progress:
                index = run(config, target, workers, resume=resume, progress=progress)
        except KeyboardInterrupt:
            if progress.started:
                tell(f"{target} keeps what was committed; {goes_on}")
            raise
    return show_sweep(index, target, goes_on, partial(in_options, command=command))
