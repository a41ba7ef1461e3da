"""``memsim trace follow``."""

from pathlib import Path

import click

from ...terminal.streams import say
from .. import options

EPILOG = """\b
Examples:
  memsim trace follow xor.h5
  memsim trace follow xor.h5 --every 10 --realisation 3
"""


@click.command(name="follow", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--realisation", type=click.IntRange(min=0), default=0, show_default=True, help="Whose states to show.")
def command(file: Path, every: float, realisation: int) -> int:
    """Watch a run that is going on: epoch, error, speed, time left, the newest states.

    Ends when the run does. What is shown is what the file holds: up to the run's
    last commit, about a second ago. Ctrl-C ends the watching, not the run.
    """
    from ...analysis.following import follow
    from ...runs.opening import open_run

    with open_run(file) as run:
        ended = follow(run, every=every, realisation=realisation)
    say(f"{file}: {ended}")
    return 0
