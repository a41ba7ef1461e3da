"""``memsim drive``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.streams import say, tell
from . import options
from .targets import check_targets

if TYPE_CHECKING:
    from ..driving.drive_configuration import DriveConfiguration

EPILOG = """\b
Examples:
  memsim drive examples/hysteresis.toml --plot loops.png
  memsim drive examples/waveform.toml --out trace.h5 --plot trace.pdf
  memsim drive examples/hysteresis.toml --set time.integrator=heun --set drive.0.amplitude=0.3
  memsim drive examples/hysteresis.toml --check-dt      is dt small enough?
  memsim drive examples/loops.toml --plot fingerprints.png --table loops.csv
  memsim drive trace.h5 --plot again.png        the same drive from its own file: the same bits
  memsim drive my_drive.toml --models my_device.py --out my_drive.h5     a model of one's own
"""


@click.command(name="drive", epilog=EPILOG)
@options.models
@options.path_argument("source", "CONFIG.toml|TRACE.h5")
@options.path_option("--out", "HDF5 file that gets the rows; they are not kept where it is not given.")
@options.path_option("--plot", "Draw I-V loops, and drive, response and state over time (PNG, SVG or PDF).")
@options.path_option("--table", "Of a file with [loops]: the numbers of each loop (.csv), and of fingerprints (.json).")
@options.overwrite
@options.assignments
@options.threads
@options.check_dt
@options.quiet
def command(
    *,
    source: Path,
    out: Path | None,
    plot: Path | None,
    table: Path | None,
    overwrite: bool,
    assignments: tuple[str, ...],
    threads: int | None,
    check_dt: bool,
    check_dt_tolerance: float,
    quiet: bool,
) -> None:
    """Drive any device with any waveform, as a current or a voltage.

    Shows the energy of each device, its largest response, and how far its state
    went. In --set an entry of [[drive]] goes by its number: drive.0.amplitude=1.

    A file with [loops] drives the device at every frequency and amplitude, and
    shows lobe areas and the three fingerprints of a memristor.
    """
    from ..errors import InputError
    from ..hysteresis.loop_configuration import is_sweep_of_loops

    if is_sweep_of_loops(source):
        if check_dt:
            raise InputError(f"--check-dt: is for one drive, and {source} has many; check one of its loops as a drive")
        _loops(source, out, plot, table, overwrite, assignments, threads, quiet)
        return
    if table is not None:
        raise InputError(
            f"--table: is for a file with [loops], which {source} has not; --out keeps the rows of a drive"
        )
    from ..driving.drive_trace import load_drive_source

    config = load_drive_source(source, assignments)
    check_targets(overwrite, plot=plot, out=out)
    checked = _check_dt(config, check_dt_tolerance, threads or 0, quiet) if check_dt else {}
    _drive(config, out, plot, overwrite, threads or 0, quiet, checked)


def _check_dt(config: "DriveConfiguration", tolerance: float, threads: int, quiet: bool) -> dict[str, float | str]:
    """Compare dt with its half and its quarter, and show it; what the file keeps of that."""
    from ..convergence.drive_dt import check_drive_dt
    from ..convergence.dt_report import show_check
    from ..terminal.progress import Progress

    with Progress("checking dt", quiet=quiet) as progress:
        check = check_drive_dt(config, tolerance=tolerance, threads=threads, progress=progress)
    show_check(check)
    return check.attributes()


def _drive(
    config: "DriveConfiguration", out: Path | None, plot: Path | None, overwrite: bool, threads: int, quiet: bool,
    checked: dict[str, float | str],
) -> None:  # fmt: skip
    """One drive, its summary and its figure."""
    from ..driving.drive import run
    from ..driving.drive_report import show_drive
    from ..errors import StoppedCompilingError
    from ..terminal.progress import Progress

    try:
        with Progress("driving", quiet=quiet) as progress:
            trace = run(config, out=out, overwrite=overwrite, threads=threads, progress=progress, dt_check=checked)
    except KeyboardInterrupt as error:
        if out is not None and not isinstance(error, StoppedCompilingError):
            tell(f"{out} keeps the rows so far")
        raise
    with trace:
        show_drive(trace)
        if plot is not None:
            from ..driving.drive_figure import draw

            draw(trace, plot, overwrite=overwrite)
    for path in filter(None, (out, plot)):
        say(f"wrote {path}")


def _loops(
    source: Path, out: Path | None, plot: Path | None, table: Path | None, overwrite: bool,
    assignments: tuple[str, ...], threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Loops over frequencies and amplitudes."""
    from ..errors import InputError
    from ..hysteresis.loop_configuration import load_loops
    from ..hysteresis.loop_report import FORMATS, show_loops, write_table
    from ..hysteresis.loop_sweep import run
    from ..terminal.progress import Progress

    if out is not None:
        raise InputError(f"--out: keeps the rows of one drive, and {source} has many; --table keeps the loops' numbers")
    config = load_loops(source, assignments)
    check_targets(overwrite, endings={"table": FORMATS}, plot=plot, table=table)
    with Progress("driving", quiet=quiet) as progress:
        sweep = run(config, threads=threads or 0, progress=progress)
    show_loops(sweep)
    if plot is not None:
        from ..hysteresis.loop_figures import draw

        draw(sweep, plot, overwrite=overwrite)
        say(f"wrote {plot}")
    if table is not None:
        write_table(sweep, table, overwrite=overwrite)
        say(f"wrote {table}")
