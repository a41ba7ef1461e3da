"""``memsim trace``: one module a command."""

import click

from ..lazy import LazyGroup

COMMANDS = {
    "info": "Show what a run file holds, its margins first.",
}

EPILOG = """\b
Examples:
  memsim trace info xor.h5
"""


@click.group(name="trace", cls=LazyGroup, package=__name__, one_liners=COMMANDS, epilog=EPILOG)
def command() -> None:
    """Look into the file of a run, also while it is being written."""
