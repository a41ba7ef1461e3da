"""``memsim trace verify``."""

from pathlib import Path

import click

from .. import options

EPILOG = """\b
Examples:
  memsim trace verify xor.h5
  memsim trace verify xor.h5 --windows 100 --seed 1
"""


@click.command(name="verify", epilog=EPILOG)
@options.path_argument("file", "RUN.h5")
@click.option(
    "--windows", type=click.IntRange(min=0), default=10, show_default=True,
    help="Stretches between keyframes that are replayed.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the choice of these.")
@options.quiet
def command(file: Path, windows: int, seed: int, quiet: bool) -> int:
    """Check a run file: counters, checksums, and replays of some of its windows.

    Exit status 1 where anything is wrong, with a line for each fault.
    """
    from ...inspection.verification import verify
    from ...run import open_run

    faults = 0
    with open_run(file) as run:
        for finding in verify(run, windows=windows, seed=seed):
            if not quiet or finding.wrong:
                click.echo(f"{finding.what}: {'ok' if not finding.wrong else f'{len(finding.wrong)} wrong'}")
            for line in finding.wrong:
                click.echo(f"  {line}")
            faults += len(finding.wrong)
    click.echo(f"{file}: {'nothing is wrong' if not faults else f'{faults} faults'}")
    return 1 if faults else 0
