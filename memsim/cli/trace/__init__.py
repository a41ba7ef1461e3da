"""``memsim trace``: one module a command."""

import click

from ..lazy import LazyGroup

COMMANDS = {
    "info": "Show what a run file holds, its margins first.",
    "plot": "Draw any channels over any span.",
    "view": "Look at a run on a page in the browser, down to single steps.",
    "replay": "Make a window of a run again, every step, as a run file.",
    "repack": "Copy a run file without what killed runs left dead in it.",
    "verify": "Check counters and checksums, and replay some windows.",
    "follow": "Watch a run that is going on.",
    "export": "Write a stretch for other programs: CSV, Parquet, VCD, NPZ, SPICE.",
    "referee": "Let ngspice simulate a stretch of a run or a drive, and compare.",
}

EPILOG = """\b
Examples:
  memsim trace info xor.h5
  memsim trace plot xor.h5 --samples 0:2 --banks nodes2
  memsim trace view xor.h5
  memsim trace replay xor.h5 --epochs 500:501 --out window.h5
  memsim trace export xor.h5 --out waves.vcd --realisations 0 --epochs 3
"""


@click.group(name="trace", cls=LazyGroup, package=__name__, one_liners=COMMANDS, epilog=EPILOG)
def command() -> None:
    """Look into the file of a run, also while it is being written."""
