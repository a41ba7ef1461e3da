"""``memsim drive``."""

from pathlib import Path

import click

from . import options

EPILOG = """\b
Examples:
  memsim drive examples/hysteresis.toml --plot loops.png
  memsim drive examples/waveform.toml --out trace.h5 --plot trace.pdf
  memsim drive examples/hysteresis.toml --set time.integrator=heun --set drive.0.amplitude=0.3
  memsim drive examples/hysteresis.toml --check-dt      is dt small enough?
  memsim drive trace.h5 --plot again.png        the same drive from its own file: the same bits
"""


@click.command(name="drive", epilog=EPILOG)
@options.path_argument("source", "CONFIG.toml|TRACE.h5")
@options.path_option("--out", "HDF5 file that gets the rows; they are not kept where it is not given.")
@options.path_option("--plot", "Draw I-V loops, and drive, response and state over time (PNG, SVG or PDF).")
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
    """
    from ..driving.report import show_drive
    from ..driving.trace import load_drive_source
    from ..reporting import StepProgress

    config = load_drive_source(source, assignments)
    if plot is not None:
        from ..errors import InputError
        from ..figures import check_plot_target

        if out is not None and plot.resolve() == out.resolve():
            raise InputError(f"--plot: must be another file than --out (got {plot} for both)")
        check_plot_target(plot, overwrite)
    from ..driving.drive import run

    checked = {}
    if check_dt:
        from ..convergence.drive import check_drive_dt
        from ..convergence.report import show_check

        with StepProgress("checking dt", quiet) as progress:
            check = check_drive_dt(config, tolerance=check_dt_tolerance, threads=threads or 0, progress=progress)
        show_check(check)
        checked = check.attributes()
    try:
        with StepProgress("driving", quiet) as progress:
            trace = run(config, out=out, overwrite=overwrite, threads=threads or 0, progress=progress, dt_check=checked)
    except KeyboardInterrupt:
        if out is not None:
            click.echo(f"{out} keeps the rows so far", err=True)
        raise
    with trace:
        show_drive(trace)
        if plot is not None:
            from ..driving.figures import draw

            draw(trace, plot, overwrite=overwrite)
    for path in filter(None, (out, plot)):
        click.echo(f"wrote {path}")
