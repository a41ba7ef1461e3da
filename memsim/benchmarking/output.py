"""The files of a benchmark: its records as JSON, and its figures; checked before the work."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..traces.run_file import check_target
from .records import Report, write_report


@dataclass(frozen=True)
class Targets:
    """Where a benchmark goes: a JSON file, and a figure's file for each suite."""

    out: Path | None
    figures: dict[str, Path]


def check_targets(names: tuple[str, ...], out: Path | None, plot: Path | None, overwrite: bool) -> Targets:
    """Refuse files that exist or cannot be written, before anything is measured.

    Raises
    ------
    InputError
    """
    if out is not None:
        try:
            check_target(out, overwrite)
        except ValueError as error:
            raise InputError(str(error)) from None
    if plot is None:
        return Targets(out, {})
    from .plots import figure_files

    return Targets(out, figure_files(names, plot, overwrite))


def write_all(report: Report, targets: Targets) -> list[Path]:
    """Write the records first, then the figures; what was written."""
    written = []
    if targets.out is not None:
        write_report(report, targets.out)
        written.append(targets.out)
    if targets.figures:
        from .plots import draw_figures

        written += draw_figures(report, targets.figures)
    return written


@contextmanager
def work_folder(out: Path | None) -> Iterator[Path]:
    """A folder for large files, beside ``out`` or in the present one: the disk that is measured. It is deleted.

    Raises
    ------
    InputError
        It cannot be made.
    """
    parent = out.parent if out is not None else Path.cwd()
    try:
        folder = tempfile.TemporaryDirectory(dir=parent, prefix="memsim-bench-", ignore_cleanup_errors=True)
    except OSError as error:
        raise InputError(
            f"{parent}: cannot be written: {error.strerror}; go to another folder, or give --out"
        ) from None
    with folder as name:
        yield Path(name)
