"""``memsim trace replay``."""

from pathlib import Path

import click

from ...terminal.streams import say, tell
from .. import options

EPILOG = """\b
Examples:
  memsim trace replay xor.h5 --epochs 500:501 --out window.h5
  memsim trace replay xor.h5 --samples 0:10 --banks nodes2 --realisations 0 --out few.h5
  memsim trace replay xor.h5 --epochs 0:1000 --quantities state --stride 22000 --out states.h5
  memsim trace plot window.h5 --epochs 500:501
"""


@click.command(name="replay", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@options.path_option("--out", "Run file to write; the run's name with -window.h5 where not given.")
@options.spans
@options.channels
@click.option(
    "--stride", type=click.IntRange(min=1), default=1, metavar="N",
    help="Keep the steps whose number, from the run's start, is a multiple of N.",
)  # fmt: skip
@click.option(
    "--compression", type=click.Choice(["gzip", "none", "blosc"]), default="gzip", show_default=True, help="Codec."
)
@options.overwrite
@options.quiet
def command(
    *,
    file: Path,
    out: Path | None,
    epochs: str | None,
    samples: str | None,
    steps: str | None,
    banks: tuple[str, ...],
    devices: tuple[int, ...],
    realisations: tuple[int, ...],
    quantities: tuple[str, ...],
    stride: int,
    compression: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Make a window of a run again, every step of it, from the nearest keyframe.

    The result is a run file: what the run's own file says, and the trace of
    the window. It has the bits that a full trace would have held; states are
    checked against the keyframes on the way and against the next one.
    """
    from ...analysis.spans import steps_of
    from ...analysis.windows import write_window
    from ...errors import InputError, RunError
    from ...runs.opening import open_run
    from ...terminal.progress import Progress

    target = out or Path(f"{file.stem}-window.h5")
    if epochs is None and samples is None and steps is None:
        raise InputError("--epochs, --samples, --steps: give one of them, as --epochs 500:501")
    try:
        with open_run(file) as run, Progress("replaying", quiet=quiet) as progress:
            start, stop = steps_of(run, epochs=epochs, samples=samples, steps=steps)
            write_window(
                run, target, start, stop, banks=banks, devices=devices, realisations=realisations,
                quantities=quantities, stride=stride, compression=compression, overwrite=overwrite, report=progress,
            )  # fmt: skip
    except (KeyboardInterrupt, RunError):
        tell(f"{target} {'keeps what it held' if target.exists() else 'was not written'}")
        raise
    say(f"replayed {stop - start:,} steps; wrote {target}")
