"""The files of a benchmark: its records as JSON, and its figures; checked before the work."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .bench_records import Report, write_report


@dataclass(frozen=True)
class Targets:
    """Where a benchmark goes: a JSON file, a figure's file for each suite, the record of releases, its name in that."""

    out: Path | None
    figures: dict[str, Path]
    releases: Path | None = None
    release: str = ""


def write_all(report: Report, targets: Targets) -> list[Path]:
    """Write the records first, then the figures; what was written."""
    written = []
    if targets.out is not None:
        write_report(report, targets.out)
        written.append(targets.out)
    written += draw_figures(report, targets.figures)
    if targets.releases is not None:
        written += _write_release(report, targets.releases, targets.release, targets.figures.get("releases"))
    return written


def _write_release(report: Report, path: Path, release: str, figure: Path | None) -> list[Path]:
    """Add the report to the record of releases, and draw that where a figure is wanted."""
    from ..figures import save
    from .releases import add_release, draw_releases

    rows = add_release(path, report, release)
    if figure is None:
        return [path]
    save(draw_releases(rows), figure, overwrite=True)
    return [path, figure]


def figure_files(names: tuple[str, ...], given: Path, overwrite: bool) -> dict[str, Path]:
    """Suite to the figure's file: in a folder one each, or beside a named file, which the only one has.

    Raises
    ------
    InputError
        A file exists, cannot be written, or has no known ending.
    """
    from ..figures import check_plot_target

    if given.suffix and not given.is_dir():
        files = {name: given if len(names) == 1 else given.with_stem(f"{given.stem}-{name}") for name in names}
    else:
        files = {name: given / f"{name}.png" for name in names}
        try:
            given.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--plot: {given} cannot be made: {error.strerror}; name another folder") from None
    for path in files.values():
        check_plot_target(path, overwrite)
    return files


def draw_figures(report: Report, files: dict[str, Path]) -> list[Path]:
    """Draw the suites that were measured; the files that were written."""
    written = []
    for suite, path in files.items():
        records = [r for r in report.records if r.suite == suite]
        if records:
            from ..figures import save
            from .bench_figures import FIGURES

            save(FIGURES[suite](records), path, overwrite=True)
            written.append(path)
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
