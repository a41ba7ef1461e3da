"""``memsim run``."""

from pathlib import Path

import click

from . import options

EPILOG = """\b
Examples:
  memsim run examples/xor.toml
  memsim run examples/xor.toml --set run.realisations=100 --out xor.h5
  memsim run examples/slp.toml --set trace.mode=full --set learning.epochs=5
  memsim run xor.h5 --out again.h5        the same run from its own file: the same bits
"""


@click.command(name="run", epilog=EPILOG)
@options.path_argument("source", "CONFIG.toml|RUN.h5")
@options.path_option("--out", "Run file to write; the configuration's name with .h5 where not given.")
@options.overwrite
@options.assignments
@options.threads
@options.quiet
def command(
    source: Path, out: Path | None, overwrite: bool, assignments: tuple[str, ...], threads: int | None, quiet: bool
) -> int:
    """Train a network from a configuration, every pulse stepped, and write a run file.

    Shows the run's margins first: how near states came to their bounds, READs to
    the thresholds, and WRITEs to the driver's limit. Ctrl-C stops at the next
    epoch's end and keeps the work.
    """
    from .. import training
    from ..reporting import TrainingProgress, show_run
    from ..sources import load_source

    extra = (f"run.threads={threads}",) if threads else ()
    config, data = load_source(source, (*assignments, *extra))
    target = out or Path(source.stem + ".h5")
    with TrainingProgress(config.learning.epochs, quiet) as progress:
        finished = training.run(config, data, out=target, overwrite=overwrite, progress=progress)
    with finished:
        show_run(finished)
        stopped = bool(finished.file["metrics"].attrs["stopped"])
        epochs = len(finished.total_error)
    if stopped:
        click.echo(f"stopped after {epochs} of {config.learning.epochs} epochs; {target} keeps them", err=True)
        return 130
    click.echo(f"wrote {target}")
    return 0
