"""``memsim run``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.streams import say, tell
from . import options

if TYPE_CHECKING:
    from ..configuration.sections import Configuration
    from ..datasets import Dataset
    from ..network.starting import Start

EPILOG = """\b
Examples:
  memsim run examples/xor.toml
  memsim run examples/xor.toml --set run.realisations=100 --out xor.h5
  memsim run examples/slp.toml --set trace.mode=full --set learning.epochs=5
  memsim run examples/xor.toml --out xor.h5 --resume      goes on where it was stopped or killed
  memsim run xor.h5 --resume --set learning.epochs=2000   goes on for more epochs
  memsim run examples/xor.toml --check-dt         is dt small enough? asked before the run
  memsim run xor.h5 --out again.h5        the same run from its own file: the same bits
"""


@click.command(name="run", epilog=EPILOG)
@options.models
@options.path_argument("source", "CONFIG.toml|RUN.h5")
@options.path_option("--out", "Run file to write; the configuration's name with .h5 where not given.")
@options.overwrite
@click.option(
    "--resume", is_flag=True, help="Go on from the last keyframe of the run file, where that exists: the same bits."
)
@options.assignments
@options.threads
@options.check_dt
@click.option(
    "--check-dt-samples",
    type=click.IntRange(min=1),
    help="Samples that are repeated for it; an epoch, or 20 where that is longer.",
)
@options.quiet
def command(
    *,
    source: Path,
    out: Path | None,
    overwrite: bool,
    resume: bool,
    assignments: tuple[str, ...],
    threads: int | None,
    check_dt: bool,
    check_dt_tolerance: float,
    check_dt_samples: int | None,
    quiet: bool,
) -> int:
    """Train a network from a configuration, every pulse stepped, and write a run file.

    Shows the run's margins first: how near states came to their bounds, READs to
    the thresholds, and WRITEs to the driver's limit. Ctrl-C and SIGTERM stop at
    the next keyframe and keep the work; --resume goes on from there.
    """
    from ..errors import InputError
    from ..reporting import show_run
    from ..runs import training
    from ..runs.sources import is_run_file, load_source, refuse_target
    from ..terminal.interrupts import status_of_stop
    from ..terminal.progress import TrainingProgress

    if resume and overwrite:
        raise InputError("--resume: goes on with the file, --overwrite replaces it; give one of them")
    extra = (f"run.threads={threads}",) if threads else ()
    config, data, start = load_source(source, (*assignments, *extra))
    target = out or Path(source.stem + ".h5")
    if resume and out is None and is_run_file(source):
        target = source
    if not resume:
        refuse_target(source, target, overwrite)
    checked = _check_dt(config, data, start, check_dt_samples, check_dt_tolerance, quiet) if check_dt else {}
    if not check_dt and not resume:
        _warn_of_coarse_writes(config, data, start)
    goes_on = f"'memsim run {shlex.quote(str(target))} --resume' goes on"
    progress = TrainingProgress(config.learning.epochs, quiet)
    try:
        with progress:
            finished = training.run(
                config, data, start=start, out=target, overwrite=overwrite, resume=resume, progress=progress,
                dt_check=checked,
            )  # fmt: skip
    except KeyboardInterrupt:
        if progress.started:
            tell(f"{target} keeps what was committed; {goes_on}")
        raise
    with finished:
        stopped, early, epochs = finished.stopped, finished.ended_early, len(finished.total_error)
        if progress.started:
            show_run(finished)
    if stopped:
        tell(f"stopped after {epochs} of {config.learning.epochs} epochs; {target} keeps them, and {goes_on}")
        return status_of_stop()
    if progress.started:
        say(f"wrote {target}")
        say(_next_look(target, data))
    else:
        more = "learning.patience ended it" if early else "--set learning.epochs=N goes on for more"
        say(f"{target} is finished after {epochs} epochs; {more}")
    return 0


def _next_look(target: Path, data: "Dataset") -> str:
    """The commands that show a run."""
    file, classes = shlex.quote(str(target)), "" if data.classes is None else " --classes"
    return f"'memsim trace plot {file}{classes}' draws it, 'memsim trace view {file}' shows it in the browser"


def _warn_of_coarse_writes(config: "Configuration", data: "Dataset", start: "Start | None") -> None:
    """Say so where the writes of devices that are written by their model are not what dt makes of them."""
    from ..calibration.nominal_banks import is_modelled
    from ..convergence.writes import coarse_writes
    from ..network.assembly import assemble

    own = [device for layer in config.devices.layer for device in (layer.synapse, layer.node) if device is not None]
    if not any(is_modelled(config, device) for device in (config.devices.synapse, config.devices.node, *own)):
        return  # before anything is laid out twice
    for write in coarse_writes(assemble(config, data, start=start)):
        tell(f"warning: {write}; take a smaller time.dt, and see --check-dt")


def _check_dt(
    config: "Configuration", data: "Dataset", start: "Start | None", samples: int | None, tolerance: float, quiet: bool
) -> dict[str, float | str]:
    """Compare dt with its half and its quarter, and show it; what the file keeps of that."""
    from ..convergence.dt_report import show_check
    from ..convergence.network_dt import check_dt
    from ..terminal.progress import Progress

    with Progress("checking dt", quiet=quiet) as progress:
        check = check_dt(config, data, start=start, samples=samples, tolerance=tolerance, progress=progress)
    show_check(check)
    return check.attributes()
