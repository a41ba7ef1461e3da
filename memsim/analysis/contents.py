"""What a run file holds and takes: keyframes, traces, overview, bytes and their compression."""

import h5py
import numpy as np
from rich.filesize import decimal

from ..runs.description import cost_of_programming, result_of_programming
from ..runs.replay import arithmetic_of
from ..runs.run import Run
from ..terminal.screen import Column, Table, describe, numbers, show
from ..terminal.si import counted, duration
from ..traces.packing import dead_bytes

GROUPS = {
    "metrics": "total error and order of the samples",
    "programming": "how the starting weights were written",
    "keyframes": "states that everything else can be replayed from",
    "best": "states at the best epoch so far",
    "diagnostics": "what was counted while stepping",
    "traces": "rows of state, current and voltage",
    "overview": "extremes of the traces over 256 and 65,536 rows",
}
DEAD_SAID = 1_000_000  # bytes of a file: less is what HDF5 itself leaves between its parts
CODECS = {h5py.h5z.FILTER_DEFLATE: "gzip", 32001: "blosc"}  # by HDF5's numbers of filters


def show_contents(run: Run, error: np.ndarray | None = None) -> None:
    """Print what is in the file, where it comes from, and how much it takes.

    Parameters
    ----------
    run : Run
    error : (epochs, realisations) float64, optional
        The run's total error; what was read of it before, of a run that goes on.
    """
    epochs = len(run.total_error if error is None else error)
    attribute = run.stored.attribute
    describe(
        f"made by memsim {attribute('/', 'program_version')} with numba {attribute('/', 'numba_version')}, "
        f"numpy {attribute('/', 'numpy_version')}, h5py {attribute('/', 'h5py_version')} "
        f"on {attribute('/', 'machine')}; schema version {run.stored.integer('/', 'schema_version')}, "
        f"arithmetic version {arithmetic_of(run.stored)}"
    )
    describe(f"network {_network(run)}; {_seeds(run)}")
    describe(
        f"data {run.dataset.name}: {counted(run.samples, 'sample')} of {counted(run.sample_steps, 'step')} "
        f"of {duration(run.dt)}; {counted(run.realisations, 'realisation')}; {counted(run.steps, 'step')} "
        f"= {duration(run.steps * run.dt)} of hardware"
    )
    if run.programming is not None:
        describe(f"{cost_of_programming(run.programming)}; {result_of_programming(run.programming)}")
    elif run.stored.beginning is not None:
        describe(f"goes on after {counted(run.epochs_before, 'epoch')} of other runs, with their devices")
    if run.stored.has_attribute("/", "replayed_from"):
        describe(f"a window that was replayed from {attribute('/', 'replayed_from')}")
    show(_sizes(run, epochs))
    dead = 0 if run.live else dead_bytes(run.stored)
    if dead >= DEAD_SAID:
        describe(f"{decimal(dead)} are dead, left by runs that were killed; 'memsim trace repack' drops them")
    if run.traced:
        show(_traces(run))
    else:
        describe("no traces are stored; 'memsim trace replay' makes any window of them again")


def _network(run: Run) -> str:
    """Kind, size and device models."""
    return (
        f"{run.config.network.summary}; devices {', '.join(dict.fromkeys(run.bank(name).model for name in run.banks))}"
    )


def _seeds(run: Run) -> str:
    """The seed, or how many there are and the first of them."""
    seeds = run.config.run.every_seed
    shown = ", ".join(map(str, seeds[:3]))
    return f"seed {shown}" if len(seeds) == 1 else f"{len(seeds)} seeds {shown}{', ...' if len(seeds) > 3 else ''}"


def _sizes(run: Run, epochs: int) -> Table:
    table = Table("part", "entries", *numbers("in the file", "unpacked", "unpacked\n/ in file"), title="Contents")
    entries = {
        "metrics": counted(epochs, "epoch"),
        "keyframes": f"{len(run.stored.keyframe_samples):,}{_interval(run)}",
        "traces": counted(len(run.traced), "bank"),
    }
    for name in GROUPS:
        if run.stored.has(name):
            stored, raw = run.stored.sizes(name)
            ratio = f"{raw / stored:.3g}" if stored else ""
            table.row(name, entries.get(name, ""), decimal(stored), decimal(raw), ratio)
    if run.path is not None:
        table.row("whole file", "", decimal(run.path.stat().st_size), "", "")
    return table


def _interval(run: Run) -> str:
    every = run.stored.keyframe_interval
    if not every:
        return ""
    if every == run.samples:
        return ", every epoch"
    return f", every {every // run.samples} epochs" if every % run.samples == 0 else f", every {every} samples"


def _traces(run: Run) -> Table:
    """What is kept of each bank; the variables only where it is not all of them."""
    traces = {bank: run.trace(bank) for bank in run.traced}
    some = any(len(trace.selection.variables) < len(run.bank(bank).variables) for bank, trace in traces.items())
    variables = [Column("variables", words=True)] if some else []
    table = Table(
        "bank", "rows", "devices", "realisations", Column("quantities", words=True), *variables,
        Column("steps", words=True), title=f"Traces, {_codec(run)}",
    )  # fmt: skip
    for bank, trace in traces.items():
        kept, about = trace.selection, run.bank(bank)
        every = "every" if kept.stride == 1 else f"one of {kept.stride}"
        windows = ", ".join(f"{a:,} to {b:,}" for a, b in kept.windows[:3]) + (", ..." if len(kept.windows) > 3 else "")
        table.row(
            bank,
            f"{trace.rows:,}",
            f"{len(kept.devices)} of {about.devices}",
            f"{len(kept.realisations)} of {run.realisations}",
            ", ".join(kept.quantities),
            *([", ".join(about.variables[k][0] for k in kept.variables)] if some else []),
            f"{every} from {windows}" if windows else every,
        )
    return table


def _codec(run: Run) -> str:
    """How the rows are packed, by the filters of their datasets."""
    found = []
    for bank in run.traced:
        for quantity in run.trace(bank).selection.quantities:
            made = run.stored.dataset(f"traces/{bank}/{quantity}").id.get_create_plist()
            numbers = [made.get_filter(k)[0] for k in range(made.get_nfilters())]
            found += [CODECS[number] for number in numbers if number in CODECS]
    return f"packed with {' and '.join(dict.fromkeys(found))}" if found else "not packed"
