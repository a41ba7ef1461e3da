"""Export a stretch of a run to a file of another format."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..analysis.spans import Span, steps_of, text_of
from ..driving.drive_trace import DriveTrace
from ..errors import InputError
from ..fields import one_of
from ..files.whole import written_whole
from ..runs.channels import choose
from ..runs.run import Run
from . import vcd
from .csv_table import write_csv
from .drive_excerpt import excerpt_of_drive
from .excerpt import Excerpt, Report
from .npz import write_npz
from .parquet import load_parquet, write_parquet
from .size import Size, check_export_target, require_room, size_of

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
    run: Run | DriveTrace,
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
    overwrite: bool = False,
    begin: Callable[[Size], None] = lambda size: None,
    report: Report = lambda done, rows: None,
) -> Path:
    """Export a stretch of a run or of a drive; the file is there whole or not at all.

    Parameters
    ----------
    run : Run or DriveTrace
        A drive goes to CSV and Parquet, by its devices, quantities and steps.
    out : str or Path
    format : {"csv", "parquet", "vcd", "npz"}, optional
        The suffix of ``out`` where not given.
    banks, devices, realisations, quantities : sequence, optional
        As :func:`~memsim.runs.channels.choose` takes them; all where not
        given.
    epochs, samples, steps : "A:B" or (A, B), optional
        One of them at most; the whole run where none is given.
    stride : int
        Keep every so many steps, from the first one on.
    overwrite : bool
        Replace a file that exists.
    begin : callable
        Called once with about how large the file will be, before anything is read.
    report : callable
        Called with the steps that are done, and all.

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
    if name not in WRITERS:
        raise InputError(f"format: {name} is written by memsim.exporting.spice.export_spice (got {out})")
    if stride < 1:
        raise InputError(f"stride: must be at least 1 (got {stride})")
    excerpt: Any
    if isinstance(run, DriveTrace):
        if name not in TABLES:
            raise InputError(f"format: must be {one_of((*TABLES, 'spice'), name)}, for a drive")
        excerpt = excerpt_of_drive(
            run, devices=devices, quantities=quantities, steps=text_of(steps), stride=stride, banks=banks,
            realisations=realisations, epochs=epochs, samples=samples,
        )  # fmt: skip
    else:
        channels = choose(run, banks, devices, realisations, quantities)
        start, stop = steps_of(run, epochs=text_of(epochs), samples=text_of(samples), steps=text_of(steps))
        excerpt = Excerpt(run, channels, start, stop, stride)
    _check_format(name, excerpt)
    check_export_target(path, overwrite, Path(str(run.file.filename)))
    size = size_of(excerpt, name)
    require_room(size, path)
    begin(size)
    with written_whole(path, overwrite) as partial:
        WRITERS[name](excerpt, partial, report)
    return path


def _check_format(name: str, excerpt: Excerpt) -> None:
    """Refuse before the work what a format's library or time axis cannot do."""
    if name == "parquet":
        load_parquet()
    if name == "vcd":
        vcd.load_vcd()
        vcd.check_timescale(excerpt)
