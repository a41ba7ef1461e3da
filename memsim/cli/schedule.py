"""``memsim schedule``."""

from pathlib import Path

import click

from ..terminal.streams import say
from . import options
from .targets import check_targets

EPILOG = """\b
Examples:
  memsim schedule examples/xor.toml
  memsim schedule examples/xor.toml --plot timing.png
  memsim schedule examples/xor.toml --program     what the compiled loop carries out in each slot
  memsim schedule examples/slp.toml --sample 3 --plot timing.svg
"""


@click.command(name="schedule", epilog=EPILOG)
@options.models
@options.path_argument("source", "CONFIG.toml|RUN.h5")
@options.path_option("--plot", "Draw the timing diagram of one sample (PNG, SVG or PDF).")
@click.option(
    "--sample", type=click.IntRange(min=0), help="Which sample is drawn; the first that is written where not given."
)
@click.option("--program", is_flag=True, help="Show the instructions that each slot is carried out by, too.")
@options.overwrite
@options.assignments
def command(
    source: Path, plot: Path | None, sample: int | None, program: bool, overwrite: bool, assignments: tuple[str, ...]
) -> None:
    """Show the slots of one training sample: phase, bank, time, and what drives it.

    The diagram shows the currents that the first realisation's first epoch
    drives, a line for each bank, phases shaded.
    """
    from ..errors import InputError
    from ..network.assembly import assemble
    from ..network.slot_table import table
    from ..runs.programming import programmed, steps_of_programming
    from ..runs.sources import load_source
    from ..terminal.screen import describe, show

    config, data, start = load_source(source, assignments)
    assembly = assemble(config, data, start=start)
    drawn = config.learning.batch - 1 if sample is None else sample
    if plot is not None:
        check_targets(overwrite, plot=plot)
        if drawn >= len(assembly.inputs):
            raise InputError(f"--sample: must be below the number of samples, {len(assembly.inputs)} (got {drawn})")
    show(table(assembly))
    steps = assembly.schedule.steps
    describe(f"one sample: {steps} steps of {config.time.dt:g} s = {steps * config.time.dt:g} s")
    for phase, count in assembly.schedule.phase_steps().items():
        if count:
            describe(f"  {phase.name:9s}{count:6d} steps  {count / steps:6.1%}")
    if assembly.to_be_programmed:
        before = steps_of_programming(assembly)
        describe(f"before the first: {before} steps = {before * config.time.dt:g} s to write the starting weights")
    if program:
        from ..stepping.program.shown import table as instructions

        show(instructions(assembly))
    if plot is not None:
        from ..analysis.timing_diagram import draw

        draw(programmed(assembly, threads=1), plot, sample=drawn, overwrite=overwrite)
        say(f"wrote {plot}")
