"""``memsim trace verify``."""

from pathlib import Path

import click

from ...analysis.verification import Finding
from ...terminal.streams import say
from .. import options

EPILOG = """\b
Examples:
  memsim trace verify xor.h5
  memsim trace verify xor.h5 --windows 100 --seed 1
"""


@click.command(name="verify", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@click.option(
    "--windows", type=click.IntRange(min=0), default=10, show_default=True,
    help="Stretches between keyframes that are replayed.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the choice of these.")
@click.option("--quiet", is_flag=True, help="Show no progress, and of the checks only those that found a fault.")
def command(file: Path, windows: int, seed: int, quiet: bool) -> int:
    """Check a run file: counters, checksums, and replays of some of its windows.

    Exit status 1 where anything is wrong, with a line for each fault. A file
    that was made with another version of memsim's arithmetic has no replay with
    the same bits, which is said, and is no fault.
    """
    from ...analysis.verification import verify
    from ...runs.opening import open_run
    from ...terminal.progress import Progress
    from ...terminal.si import counted

    faults, unsettled = 0, 0
    with open_run(file) as run, Progress("checking", quiet=quiet) as progress:
        checks = verify(run, windows=windows, seed=seed, report=lambda unit, done, count: progress(done, count, unit))
        for finding in checks:
            progress.next("checking")
            if not quiet or finding.wrong or finding.open:
                say(f"{finding.what}: {_verdict(finding)}")
            for line in (*finding.wrong, *finding.open):
                say(f"  {line}")
            faults += len(finding.wrong)
            unsettled += bool(finding.open)
    left = f", {counted(unsettled, 'check')} open" if unsettled else ""
    say(f"{file}: {'nothing is wrong' if not faults else counted(faults, 'fault')}{left}")
    return 1 if faults else 0


def _verdict(finding: Finding) -> str:
    """A check's result in a word or two."""
    if finding.wrong:
        return f"{len(finding.wrong)} wrong"
    return "open" if finding.open else "ok"
