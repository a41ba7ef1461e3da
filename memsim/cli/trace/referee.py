"""``memsim trace referee``."""

from pathlib import Path

import click

from ...errors import InputError
from ...terminal.streams import say, tell
from .. import options
from ..targets import check_targets

EPILOG = """\b
Examples:
  memsim trace referee drive.h5
  memsim trace referee drive.h5 --steps 0:2000 --plot referee.png
  memsim trace referee xor.h5 --samples 3 --realisations 0 --keep netlist
"""


@click.command(name="referee", epilog=EPILOG)
@options.models
@options.path_argument("file", "FILE.h5")
@options.spans
@options.channels
@click.option("--tolerance", type=float, default=1e-3, show_default=True, help="Largest share of a channel's range.")
@options.path_option("--plot", "Figure (PNG, SVG or PDF) of the channels that differ most.")
@options.path_option("--keep", "New folder for the netlist and what ngspice wrote.")
@options.any_size
@options.overwrite
@options.quiet
def command(
    *, file: Path, banks: tuple[str, ...], devices: tuple[int, ...], realisations: tuple[int, ...],
    quantities: tuple[str, ...], epochs: str | None, samples: str | None, steps: str | None, tolerance: float,
    plot: Path | None, keep: Path | None, any_size: bool, overwrite: bool,
    quiet: bool,
) -> int:  # fmt: skip
    """Let ngspice simulate a stretch of a run or a drive, and compare all traces.

    ngspice gets the netlist that "memsim trace export --format spice" writes:
    the same starting states and pulses, and the models' equations written anew.
    Printed is, of each bank and quantity, the largest difference in any device
    at the end of any step, as a share of what the channel moves in the stretch.
    Exit status 1 where one is above the tolerance.
    """
    from ...exporting.spice import circuit_of
    from ...referee import compare, simulate
    from ...referee.ngspice import find_ngspice
    from ...runs.opening import open_recorded
    from ...terminal.screen import Table, numbers, show
    from ...terminal.si import with_prefix

    if quantities:
        raise InputError("--quantities: all are compared; leave it out")
    if not tolerance > 0:
        raise InputError(f"--tolerance: must be greater than 0 (got {tolerance:g})")
    find_ngspice()
    check_targets(overwrite, plot=plot)
    with open_recorded(file) as source:
        circuit = circuit_of(
            source, banks=banks, devices=devices, realisations=realisations, epochs=epochs, samples=samples,
            steps=steps, any_size=any_size,
        )  # fmt: skip
    if keep is not None:
        _make(keep)
    if not quiet:
        tell(f"ngspice simulates {len(circuit.instances)} devices over {circuit.steps:,} steps")
    compared = compare(circuit, simulate(circuit, keep))
    title = f"{circuit.title[len('memsim: ') :]}: {len(circuit.instances)} devices, dt = {circuit.dt:g} s"
    table = Table("bank", "quantity", *numbers("difference\n/ range", "range"), "device", "tolerance", title=title)
    for (kind, quantity), trace in compared.worst().items():
        said = "" if trace.residual <= tolerance else f"above {tolerance:g}"
        name, span = circuit.instances[trace.instance].name, with_prefix(trace.range, trace.unit)
        table.row(kind, quantity, f"{trace.residual:.1e}", span, name, said)
    show(table)
    if plot is not None:
        from ...referee.referee_figure import draw

        draw(compared, plot, overwrite=overwrite, tolerance=tolerance)
        say(f"wrote {plot}")
    agree = compared.residual <= tolerance
    say("memsim and ngspice agree" if agree else "memsim and ngspice differ; see docs/spice.md for the causes")
    return 0 if agree else 1


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
    except OSError as error:
        raise InputError(f"--keep: {folder} cannot be made: {error.strerror}; name a new folder") from None
