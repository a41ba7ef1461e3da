"""``memsim trace info``."""

import shlex
from pathlib import Path

import click

from ...terminal.streams import say, say_toml
from .. import options

EPILOG = """\b
Examples:
  memsim trace info xor.h5
  memsim trace info xor.h5 --configuration > again.toml
"""


@click.command(name="info", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@click.option("--configuration", is_flag=True, help="Print the effective configuration alone, as TOML.")
def command(file: Path, configuration: bool) -> None:
    """Show what a run file holds: margins, results, what was kept, and what it takes.

    Works on a run that is going on, up to its last commit, and on one that was
    killed.
    """
    from ...analysis.contents import show_contents
    from ...reporting import show_run
    from ...runs.opening import open_run

    with open_run(file) as run:
        if configuration:
            say_toml(run.configuration_text.rstrip("\0"))
            return
        run.config  # noqa: B018 (refused before the first line, where it cannot be read)
        # Read once: a run that goes on would have other numbers in each line. Whether it goes on is asked before.
        live, finished = run.live, run.finished
        error = run.total_error
        say(f"{file}: {state_of(run, file, len(error), live=live, finished=finished)}")
        show_run(run, error)
        show_contents(run, error)


def state_of(run: "Run", file: Path, epochs: int, *, live: bool, finished: bool) -> str:  # type: ignore[name-defined] # noqa: F821
    """In a few words, how the run ended or where it is."""
    wanted = run.config.learning.epochs
    goes_on = f"'memsim run {shlex.quote(str(file))} --resume' goes on"
    if live:
        return f"is being written: {epochs} of {wanted} epochs so far"
    if finished:
        return f"stopped after {epochs} of {wanted} epochs; {goes_on}" if run.stopped else "finished"
    return f"the run has not finished: {epochs} of {wanted} epochs are complete; {goes_on}"
