"""``memsim trace export``."""

import shlex
from pathlib import Path

import click

from ...terminal.streams import say, tell
from .. import options

EPILOG = """\b
Examples:
  memsim trace export xor.h5 --format csv --samples 0:5
  memsim trace export xor.h5 --out nodes.parquet --banks nodes1,nodes2 --epochs 0:10
  memsim trace export xor.h5 --out waves.vcd --realisations 0 --epochs -1
  memsim trace export xor.h5 --out states.npz --quantities state --stride 220
  memsim trace export xor.h5 --out xor.cir --samples 3 --realisations 0
  memsim trace export drive.h5 --out drive.csv --devices 0 --quantities current,voltage
  memsim trace export drive.h5 --format spice --steps 0:2000
"""


@click.command(name="export", epilog=EPILOG)
@options.models
@options.path_argument("file", "FILE.h5")
@click.option(
    "--format",
    "name",
    metavar="csv|parquet|vcd|npz|spice",
    help="Format; the suffix of --out says it where it is not given.",
)
@options.path_option(
    "--out", "File to write; the run's name with the format's suffix, in this folder, where not given."
)
@options.spans
@options.channels
@click.option("--stride", type=int, default=1, metavar="N", help="Keep every N-th step, from the first one on.")
@options.any_size
@options.overwrite
@options.quiet
def command(
    *,
    file: Path,
    name: str | None,
    out: Path | None,
    banks: tuple[str, ...],
    devices: tuple[int, ...],
    realisations: tuple[int, ...],
    quantities: tuple[str, ...],
    epochs: str | None,
    samples: str | None,
    steps: str | None,
    stride: int,
    any_size: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Export a stretch of a run or of a drive for other programs.

    CSV and Parquet hold one tidy table, a row for each number; a drive goes to
    these and to SPICE. VCD holds real
    signals with markers of epoch, sample and phase, for waveform viewers. NPZ
    holds arrays. SPICE is a netlist that ngspice runs as it is; its files end
    in .cir. What will be large is said first, and refused where the disk
    has no room for it. Ctrl-C leaves no half file.
    """
    from ...exporting import SUFFIXES, export, format_of
    from ...runs.opening import open_recorded
    from ...terminal.progress import Progress

    name = format_of(out, name)
    target = out or Path(f"{file.stem}.{SUFFIXES[name]}")
    try:
        with open_recorded(file) as run, Progress("exporting", quiet=quiet) as progress:
            export(
                run, target, format=name, banks=banks, devices=devices, realisations=realisations,
                quantities=quantities, epochs=epochs, samples=samples, steps=steps, stride=stride, any_size=any_size,
                overwrite=overwrite, begin=_quiet if quiet else _say, report=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        kept = "keeps what it held" if target.exists() else "was not written"
        tell(f"{target} {kept}")
        raise
    run_it = f"; run it with: ngspice -n -b {shlex.quote(str(target))}" if name == "spice" else ""
    say(f"wrote {target}{run_it}")


def _say(size: object) -> None:
    tell(f"exporting {size}")


def _quiet(size: object) -> None:
    """Say nothing."""
