"""What a run file holds and takes: keyframes, traces, overview, bytes and their compression."""

from rich.filesize import decimal
from rich.table import Table

from ..reporting import console
from ..run import Run
from ..si import with_prefix

GROUPS = {
    "metrics": "total error and order of the samples",
    "keyframes": "states that everything else can be replayed from",
    "diagnostics": "what was counted while stepping",
    "traces": "rows of state, current and voltage",
    "overview": "extremes of the traces over 256 and 65,536 rows",
}


def show_contents(run: Run) -> None:
    """Print what is in the file, where it comes from, and how much it takes."""
    out = console()
    attribute = run.stored.attribute
    out.print(
        f"made by memsim {attribute('/', 'program_version')} with numba {attribute('/', 'numba_version')}, "
        f"numpy {attribute('/', 'numpy_version')}, h5py {attribute('/', 'h5py_version')} "
        f"on {attribute('/', 'machine')}; schema version {run.stored.integer('/', 'schema_version')}"
    )
    out.print(
        f"data {run.dataset.name}: {run.samples} samples of {run.sample_steps} steps of {with_prefix(run.dt, 's')}; "
        f"{run.realisations} realisations; {run.steps:,} steps = {with_prefix(run.steps * run.dt, 's')} of hardware"
    )
    if run.stored.has_attribute("/", "replayed_from"):
        out.print(f"a window that was replayed from {attribute('/', 'replayed_from')}")
    out.print(_sizes(run))
    if run.traced:
        out.print(_traces(run))
    else:
        out.print("no traces are stored; 'memsim trace replay' makes any window of them again")


def _sizes(run: Run) -> Table:
    table = Table("part", "entries", "in the file", "unpacked", "ratio", title="Contents", title_justify="left")
    table.title_style = "bold"
    entries = {
        "metrics": f"{len(run.total_error):,} epochs",
        "keyframes": f"{len(run.stored.keyframe_samples):,}{_interval(run)}",
        "traces": f"{len(run.traced)} banks",
    }
    for name in GROUPS:
        if run.stored.has(name):
            stored, raw = run.stored.sizes(name)
            ratio = f"{raw / stored:.3g}" if stored else ""
            table.add_row(name, entries.get(name, ""), decimal(stored), decimal(raw), ratio)
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def _interval(run: Run) -> str:
    every = run.stored.keyframe_interval
    if not every:
        return ""
    if every == run.samples:
        return ", every epoch"
    return f", every {every // run.samples} epochs" if every % run.samples == 0 else f", every {every} samples"


def _traces(run: Run) -> Table:
    table = Table(
        "bank", "rows", "devices", "realisations", "quantities", "steps", title="Traces", title_justify="left"
    )
    table.title_style = "bold"
    for bank in run.traced:
        trace = run.trace(bank)
        kept = trace.selection
        every = "every" if kept.stride == 1 else f"one of {kept.stride}"
        windows = ", ".join(f"{a:,} to {b:,}" for a, b in kept.windows[:3]) + (", ..." if len(kept.windows) > 3 else "")
        table.add_row(
            bank,
            f"{trace.rows:,}",
            f"{len(kept.devices)} of {run.bank(bank).devices}",
            f"{len(kept.realisations)} of {run.realisations}",
            ", ".join(kept.quantities),
            f"{every} from {windows}" if windows else every,
        )
    return table
