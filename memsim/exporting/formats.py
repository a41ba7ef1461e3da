"""Export a stretch of a run to a file of another format."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..analysis.spans import Span, steps_of
from ..driving.drive_trace import DriveTrace
from ..errors import InputError
from ..fields import one_of
from ..files.whole import check_output, written_whole
from ..runs.channels import choose
from ..runs.opening import open_recorded
from ..runs.run import Run
from . import vcd
from .csv_table import write_csv
from .drive_excerpt import excerpt_of_drive
from .excerpt import Excerpt, Report
from .npz import write_npz
from .parquet import load_parquet, write_parquet
from .size import Size, require_room, size_of
from .spice import export_spice

WRITERS: dict[str, Callable[[Any, Path, Report], None]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "vcd": vcd.write_vcd,
    "npz": write_npz,
}
TABLES = ("csv", "parquet")  # the tidy table, of runs and drives
# What a file of each format ends in; a netlist is written by the subpackage ``spice``.
SUFFIXES = {**{name: name for name in WRITERS}, "spice": "cir"}


def format_of(path: Path | None, name: str | None) -> str:
    """The format that is asked for by its name or by a file's suffix.

    Raises
    ------
    InputError
        By neither, by an unknown name, or by two that differ.
    """
    suffix = path.suffix.removeprefix(".").lower() if path is not None else ""
    formats = {end: known for known, end in SUFFIXES.items()}
    if name is None:
        if suffix not in formats:
            *others, last = (f".{known}" for known in formats)
            got = f" (got {path})" if path is not None else ""
            raise InputError(f"give format=NAME, or out=FILE that ends in {', '.join(others)} or {last}{got}")
        return formats[suffix]
    if name not in SUFFIXES:
        raise InputError(f"format: must be {one_of(SUFFIXES, name)}")
    if formats.get(suffix, name) != name:
        raise InputError(f"format: is {name}, but out={path} ends in .{suffix}; leave out one of them")
    return name


def export(
    run: Run | DriveTrace | str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    banks: Sequence[str] = (),
    devices: Sequence[int] = (),
    realisations: Sequence[int] = (),
    quantities: Sequence[str] = (),
    epochs: Span | None = None,
    samples: Span | None = None,
    steps: Span | None = None,
    stride: int = 1,
    any_size: bool = False,
    overwrite: bool = False,
    begin: Callable[[Size], None] = lambda size: None,
    report: Report = lambda done, rows: None,
) -> Path:
    """Export a stretch of a run or of a drive; the file is there whole or not at all.

    Parameters
    ----------
    run : Run, DriveTrace or path
        Or the file of one. A drive goes to CSV, Parquet and SPICE, by its devices, quantities and steps.
    out : str or Path
    format : {"csv", "parquet", "vcd", "npz", "spice"}, optional
        The suffix of ``out`` where not given; a netlist's is ``.cir``.
    banks, devices, realisations, quantities : sequence, optional
        As :func:`~memsim.runs.channels.choose` takes them; all where not
        given.
    epochs, samples, steps : "A:B" or (A, B), optional
        One of them at most; the whole run where none is given.
    stride : int
        Keep every so many steps, from the first one on.
    any_size : bool
        Lift the limits on the size of a netlist.
    overwrite : bool
        Replace a file that exists.
    begin : callable
        Called once with about how large the file will be, before anything is read; not for a netlist.
    report : callable
        Called with the steps that are done, and all; not for a netlist.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        Something is chosen that the run does not have; the target exists or
        cannot be written, or its disk has no room; the format cannot hold it
        or its library is missing.
    DiskFullError
        The disk was full before the end.
    """
    path = Path(out)
    name = format_of(path, format)
    chosen = {"banks": banks, "devices": devices, "realisations": realisations}
    spans = {"epochs": epochs, "samples": samples, "steps": steps}
    with open_recorded(run) if isinstance(run, str | Path) else nullcontext(run) as source:
        if name == "spice":
            _refuse("stride", stride != 1, "spice", "ngspice steps as it needs")
            _refuse("quantities", bool(quantities), "spice", "a netlist gives all of them")
            return export_spice(source, path, any_size=any_size, overwrite=overwrite, **chosen, **spans)
        _refuse("any_size", any_size, name, "it lifts the limits of a netlist")
        if stride < 1:
            raise InputError(f"stride: must be at least 1 (got {stride})")
        excerpt = _excerpt(source, name, stride, quantities, chosen, spans)
        _check_format(name, excerpt)
        check_output(path, overwrite, source=Path(str(source.file.filename)))
        size = size_of(excerpt, name)
        require_room(size, path)
        begin(size)
        with written_whole(path, overwrite) as partial:
            WRITERS[name](excerpt, partial, report)
    return path


def _refuse(parameter: str, given: bool, name: str, why: str) -> None:
    """Refuse what a format has no use for."""
    if given:
        raise InputError(f"{parameter}: is not for format={name}, as {why}; leave it out")


def _excerpt(
    source: Run | DriveTrace, name: str, stride: int, quantities: Sequence[str], chosen: Any, spans: Any
) -> Any:
    """What is chosen of a run or of a drive."""
    if isinstance(source, DriveTrace):
        if name not in TABLES:
            raise InputError(f"format: must be {one_of((*TABLES, 'spice'), name)}, for a drive")
        return excerpt_of_drive(source, quantities=quantities, stride=stride, **chosen, **spans)
    channels = choose(source, chosen["banks"], chosen["devices"], chosen["realisations"], quantities)
    return Excerpt(source, channels, *steps_of(source, **spans), stride)


def _check_format(name: str, excerpt: Excerpt) -> None:
    """Refuse before the work what a format's library or time axis cannot do."""
    if name == "parquet":
        load_parquet()
    if name == "vcd":
        vcd.load_vcd()
        vcd.check_timescale(excerpt)
