"""``memsim energy``."""

from pathlib import Path

import click

from ..terminal.streams import say
from . import options
from .targets import check_targets

EPILOG = """\b
Examples:
  memsim energy xor.h5
  memsim energy xor.h5 --plot energy.png --csv energy.csv
  memsim energy xor.h5 --pulse-widths 5,10,20,40 --plot widths.png --json widths.json
  memsim energy xor.h5 --pulse-widths 10,20 --set learning.epochs=100
"""


@click.command(name="energy", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@options.path_option("--plot", "Draw each bank and phase, and the epochs (PNG, SVG or PDF).")
@options.path_option("--json", "Write the summary as JSON.")
@options.path_option("--csv", "Write each epoch's energies as CSV.")
@click.option(
    "--pulse-widths", type=options.NumberList(), metavar="STEPS,...",
    help="Make the same run again at these widths, in steps of dt, and compare.",
)  # fmt: skip
@options.overwrite
@options.assignments
@options.threads
@options.quiet
def command(
    *,
    file: Path,
    plot: Path | None,
    json: Path | None,
    csv: Path | None,
    pulse_widths: tuple[int, ...] | None,
    overwrite: bool,
    assignments: tuple[str, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    """Show what a run took: energy a sample, read against write, mean power, simulated time.

    A WRITE is as long as before beside a READ in the runs at other widths, and
    the calibration chooses currents anew; --set changes these runs alone.
    """
    from ..energy.energy_report import show_energy, show_widths
    from ..energy.summary import summarise
    from ..errors import InputError
    from ..runs.opening import open_run

    if (assignments or threads) and not pulse_widths:
        raise InputError("--set, --threads: change the runs of --pulse-widths; give that too")
    check_targets(overwrite, plot=plot, json=json, csv=csv)
    with open_run(file) as run:
        summary = summarise(run)
        if summary is None:
            raise InputError(f"{file}: has no sample yet; look again when its run has gone on")
        if pulse_widths and run.stored.beginning is not None and run.stored.beginning.after_others:
            raise InputError(
                f"--pulse-widths: {file} goes on with the devices of another run, whose currents are for one width; "
                f"take the file of that run"
            )
        if (plot or csv) and not run.epoch_energy:
            raise InputError(
                f"{file}: an earlier version made it, without the energy of each epoch; "
                f"'memsim run {file} --out again.h5' makes it again"
            )
        show_energy(summary, run.realisations)
        widths = _widths(file, pulse_widths, assignments, threads, quiet) if pulse_widths else []
        if widths:
            show_widths(widths)
        if plot is not None:
            from ..energy.energy_figures import draw

            draw(run, summary, plot, widths=widths, overwrite=overwrite)
        if json is not None or csv is not None:
            from ..energy import energy_tables

            if json is not None:
                energy_tables.write_json(summary, widths, json)
            if csv is not None:
                energy_tables.write_csv(run, csv)
    for path in filter(None, (plot, json, csv)):
        say(f"wrote {path}")


def _widths(file: Path, widths: tuple[int, ...], assignments: tuple[str, ...], threads: int | None, quiet: bool):  # type: ignore[no-untyped-def]
    """The runs at other widths, each with a progress bar."""
    from contextlib import ExitStack

    from ..energy.widths import run_at_widths
    from ..runs.sources import load_source
    from ..terminal.progress import TrainingProgress

    extra = (f"run.threads={threads}",) if threads else ()
    config, data, _ = load_source(file, (*assignments, *extra))
    with ExitStack() as bars:

        def progress(k: int) -> TrainingProgress:
            bars.close()
            name = f"{widths[k]} steps ({k + 1}/{len(widths)})"
            return bars.enter_context(TrainingProgress(config.learning.epochs, quiet, name))

        return run_at_widths(config, data, widths, progress)
