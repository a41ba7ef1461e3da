"""A window of a run as a run file of its own: everything that the run's file says, and every step of the window."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError, RunError
from ..files.whole import check_output, written_whole
from ..runs.channels import choose
from ..runs.recording import describe
from ..runs.replay import arithmetic_of
from ..runs.run import Run
from ..traces.codecs import CodecError, codec
from ..traces.description import RunDescription, TracePlan
from ..traces.doubted import DoubtedFile
from ..traces.hdf5 import opened
from ..traces.packing import pack
from ..traces.rows import RowsPart, Selection
from ..traces.run_file import RunWriter, close_quietly, create_run_file
from ..traces.space import DiskFullError

EPOCHS_AT_ONCE = 4096
KEYFRAMES_AT_ONCE = 256
NO_ENERGIES = np.empty((0, 0, 0, 0))  # of a file of an earlier version


def write_window(
    run: Run,
    out: Path,
    start: int,
    stop: int,
    *,
    banks: Sequence[str] = (),
    devices: Sequence[int] = (),
    realisations: Sequence[int] = (),
    quantities: Sequence[str] = (),
    stride: int = 1,
    compression: str = "gzip",
    overwrite: bool = False,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Replay a window of a run into a run file of its own.

    Parameters
    ----------
    run : Run
    out : Path
    start, stop : int
        Steps from the start of the run.
    banks : sequence of str
        All where none is given.
    devices, realisations : sequence of int
        Whose rows are kept; all where none is given.
    quantities : sequence of {"state", "current", "voltage"}
        All where none is given.
    stride : int
        Keep the steps whose number, from the start of the run, is a multiple of this.
    compression : {"gzip", "none", "blosc"}
    overwrite : bool
    report : callable, optional
        Told the steps that are done, and all.

    Raises
    ------
    InputError
        The file cannot be written, or there is no such bank or realisation.
    ReplayError
        The replay differs from the run's next keyframe.
    """
    if run.path is not None and out.exists() and out.samefile(run.path):
        raise InputError(f"{out}: is the run itself; name another file")
    if stride < 1 or -(-start // stride) * stride >= stop:
        raise InputError(f"stride: must keep a step of {start} to {stop} (got {stride})")
    channels = choose(run, banks, devices, realisations, quantities)
    selections = {
        name: Selection(
            np.array(channels.devices[name]), np.array(channels.realisations),
            np.arange(len(run.bank(name).variables)), channels.quantities, stride, ((start, stop),),
        )
        for name in channels.banks
    }  # fmt: skip
    plan = TracePlan(selections, compression)
    partial = out.with_name(f".{out.name}.partial")
    try:
        check_output(out, overwrite)
        codec(compression)
        target = create_run_file(partial, _description(run), plan, overwrite=True)
    except CodecError as error:
        raise InputError(f"compression: {error}; pip install 'memsim[blosc]', or take gzip") from None
    except (ValueError, OSError) as error:
        raise InputError(str(error).splitlines()[0]) from None
    try:
        _fill(run, RunWriter(target, run.banks, plan), selections, report)
        target.close()
        # It does not grow any more, and what it holds of the whole run may be more than its rows.
        with opened(partial) as file, written_whole(out, overwrite) as packed:
            pack(DoubtedFile(file), packed, compress=True)
    except DiskFullError as error:
        said = f"{error.strerror}; make room, or name a file on another disk" if error.strerror else None
        raise RunError(f"{out}: {said}" if said else str(error)) from None
    finally:
        close_quietly(target)
        partial.unlink(missing_ok=True)


def _fill(
    run: Run, writer: RunWriter, selections: dict[str, Selection], report: Callable[[int, int], None] | None
) -> None:
    """Write all that the run's file has, and the rows of the window."""
    kept = next(iter(selections.values()))
    lanes, ((start, stop),) = kept.realisations, kept.windows
    writer.start(run.configuration_text, 0, 0)
    _copy_results(run, writer)
    for first, rows in run.stretches(start, stop, tuple(selections), realisations=lanes.tolist()):
        parts = {name: [RowsPart(lanes, part.state, part.current, part.voltage)] for name, part in rows.items()}
        count = len(next(iter(rows.values())).current)
        writer.append_rows(first, count, parts, lambda: None)
        if report is not None:
            report(first + count - start, stop - start)
    writer.finish(run.stopped)


def _description(run: Run) -> RunDescription:
    """What the run's file says of it, in the present layout."""
    # In files of schema version 1 keyframes are not evenly spaced.
    interval = run.stored.keyframe_interval or int(np.gcd.reduce(run.stored.keyframe_samples)) or 1
    source = run.path.name if run.path is not None else "memory"
    described = describe(run.assembly, interval)
    # Its keyframes are those of the run's arithmetic, which its replays are compared with.
    program = described.program | {"arithmetic_version": arithmetic_of(run.stored)}
    return replace(
        described, program=program, configuration=run.configuration_text, replayed_from=source,
        epoch_energy=run.stored.has_energies,
    )  # fmt: skip


def _copy_results(run: Run, writer: RunWriter) -> None:
    """Metrics, keyframes and diagnostics, as the run's file has them."""
    stored, errors = run.stored, run.total_error
    epochs, order = {"total_error": errors, "learning_rate": run.learning_rate}, run.order
    if stored.is_validated:
        epochs["validation_error"] = run.validation_error
    banks = run.banks if stored.has_energies else ()
    for first in range(0, len(errors), EPOCHS_AT_ONCE):
        part = slice(first, first + EPOCHS_AT_ONCE)
        energies = [stored.epoch_energy(bank, first, first + len(errors[part])) for bank in banks]
        metrics = {name: values[part] for name, values in epochs.items()}
        writer.append_epochs(metrics, np.stack(energies, axis=1) if energies else NO_ENERGIES, order[part])
    samples = stored.keyframe_samples
    units = sum(run.assembly.sizes)
    for first in range(0, len(samples), KEYFRAMES_AT_ONCE):
        part = slice(first, first + KEYFRAMES_AT_ONCE)
        bias = stored.keyframe_bias(part)
        known = np.zeros((len(samples[part]), units, run.realisations)) if bias is None else bias
        states = [stored.keyframe_states(bank, part) for bank in run.banks]
        writer.append_keyframes(samples[part], states, known, stored.keyframe_past(part))
    counters = [{name: stored.counter(bank, name) for name in stored.counters(bank)} for bank in run.banks]
    about = {"sample": run.samples_done, "device_steps": run.device_steps, "wall_seconds": run.wall_seconds}
    best: dict[str, np.ndarray] = {}
    if stored.is_watched:
        best = {"epoch": stored.best_epoch, "error": stored.best_error}
        best |= {f"{bank}/state": stored.best_state(bank) for bank in run.banks}
    writer.commit(about, np.zeros(run.realisations), counters, best)
