"""``memsim compile``."""

import os
from pathlib import Path

import click

from ..terminal.streams import say
from . import options

EPILOG = """\b
Examples:
  memsim compile                          for the paper's perceptrons
  memsim compile examples/xor.toml examples/hysteresis.toml
  memsim compile examples/xor.toml --set time.integrator=heun
  memsim compile sweep.toml --models my_device.py --jobs 4
  MEMSIM_CACHE_DIR=/opt/memsim memsim compile    into a folder of an image
  chmod -R go+rX /opt/memsim                     which all may read
"""


@click.command(name="compile", epilog=EPILOG)
@options.models
@click.argument("sources", metavar="[CONFIG.toml|RUN.h5]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; as many as processors where not given.")
@options.assignments
@options.quiet
def command(sources: tuple[Path, ...], jobs: int | None, assignments: tuple[str, ...], quiet: bool) -> None:
    """Compile the kernels that configurations need, ahead of their runs.

    Takes configurations of runs, sweeps, drives and loops, run files and files
    of drives; without any, the paper's perceptrons. Runs with any number of
    realisations then find their kernels in the cache, and so do predictions and
    replays. MEMSIM_CACHE_DIR names another folder for it. What is made there is
    for you alone; the status is 2 where nothing can be kept.
    """
    from ..kernels.disk_cache import cache_folder
    from ..terminal.si import counted
    from .ahead import compile_ahead

    made = compile_ahead(sources, assignments, jobs or os.cpu_count() or 1)
    say(f"compiled {counted(made.compiled, 'kernel')}, {made.there} were there: {cache_folder()}")
