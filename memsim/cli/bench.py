"""``memsim bench``."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.streams import say, tell
from . import options
from .targets import check_targets

if TYPE_CHECKING:
    from ..benchmarking.bench_records import Report

EPILOG = """\b
Examples:
  memsim bench --quick
  memsim bench kernel --out kernel.json --plot kernel.png
  memsim bench --out new.json --compare old.json --plot figures
  memsim bench kernel train --compare old.json --fail-on-slower
  memsim bench --given new.json --record releases.csv --plot figures
"""


@click.command(name="bench", epilog=EPILOG)
@click.argument("suites", metavar="[SUITE]...", nargs=-1)
@click.option("--quick", is_flag=True, help="Small cases, few turns: seconds, for a look.")
@options.path_option("--out", "JSON file that gets all records; they are only shown where it is not given.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FOLDER|FILE", help="Draw a figure a suite (PNG, SVG or PDF)."
)
@click.option(
    "--compare", type=click.Path(path_type=Path), metavar="OLD.json", help="Say what became slower or faster since."
)
@click.option(
    "--given", type=click.Path(path_type=Path), metavar="FILE.json", help="Take its records; measure nothing."
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="RELEASES.csv",
    help="Add ratios to C to those of releases.",
)
@click.option("--release", default="", metavar="NAME", help="Its name there; the version where none is given.")
@click.option("--fail-on-slower", is_flag=True, help="With --compare: exit status 1 where a case became slower.")
@options.threads
@options.overwrite
@options.quiet
def command(
    *,
    suites: tuple[str, ...],
    quick: bool,
    out: Path | None,
    plot: Path | None,
    compare: Path | None,
    given: Path | None,
    record: Path | None,
    release: str,
    fail_on_slower: bool,
    threads: int | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Measure memsim beside C, NumPy and the machine's own limits.

    The suites are kernel, tricks, trace, train, scaling and start; all where none is
    named. What is compared takes turns in one run, and the shortest turns count.
    Ctrl-C keeps what was measured. All suites take about half an hour,
    --quick some seconds once the kernels are compiled.
    """
    from ..benchmarking.bench_files import Targets, figure_files, write_all
    from ..benchmarking.bench_records import read_report
    from ..benchmarking.running import suites_of
    from ..benchmarking.table import show_report
    from ..errors import InputError
    from ..terminal.si import counted

    if fail_on_slower and compare is None:
        raise InputError("--fail-on-slower: needs --compare OLD.json")
    if given is not None and (suites or out):
        raise InputError("--given: measures nothing; leave out SUITE and --out")
    found = read_report(given) if given is not None else None
    names = suites_of(tuple(found.limits) if found else suites)
    old = read_report(compare) if compare is not None else None
    check_targets(overwrite, out=out)
    if record is not None:
        from ..benchmarking.releases import read_releases

        read_releases(record)  # refused before anything is measured
    drawn = (*names, *(["releases"] if record else []))
    targets = Targets(out, figure_files(drawn, plot, overwrite) if plot is not None else {}, record, release)
    report = found or _measured(names, old, out, quick, threads, quiet)
    show_report(report)
    for path in write_all(report, targets):
        say(f"wrote {path}")
    slower = bool(old and _compared(old, report, compare))
    if not report.complete:
        tell(f"stopped; kept are {counted(len(report.records), 'record')}")
        return 130
    return 1 if report.failed or (slower and fail_on_slower) else 0


def _measured(
    names: tuple[str, ...], old: "Report | None", out: Path | None, quick: bool, threads: int | None, quiet: bool
) -> "Report":
    """Measure, and tell how far that is."""
    from ..benchmarking.bench_files import work_folder
    from ..benchmarking.bench_records import cores
    from ..benchmarking.case import Setting
    from ..benchmarking.pace import Pace
    from ..benchmarking.running import run_suites
    from ..terminal.progress import Progress
    from ..terminal.screen import clock_of

    with work_folder(out) as folder, Progress("measuring", (), quiet=quiet) as progress:

        def begins(pace: Pace, done: int, total: int, case: str) -> None:
            line = f"case {done + 1}/{total}: {case}  {clock_of(pace.left)} left"
            progress.show(pace.done, pace.total, line, doing=case, left=lambda: pace.left)

        took = old.took if old is not None and old.quick == quick else {}
        setting = Setting(folder, quick, threads or cores())
        return run_suites(names, setting, shlex.join(["memsim", *sys.argv[1:]]), begins, took)


def _compared(old: "Report", new: "Report", path: Path | None) -> bool:
    """Show what changed; whether a case became slower."""
    from ..benchmarking.bench_comparison import compare
    from ..benchmarking.table import show_comparison

    found = compare(old, new)
    show_comparison(found, str(path))
    return bool(found.of("slower"))
