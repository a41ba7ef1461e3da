"""A report on the terminal: a table a suite, and what became slower or faster."""

from collections.abc import Callable

from ..terminal.screen import Column, Table, describe, numbers, show
from ..terminal.si import counted, duration
from .bench_comparison import Change, Comparison
from .bench_records import Record, Report, noise_of_work

SHOWN = 12  # changes of a kind; the rest is counted
UNSTABLE = 0.1  # noise above which a time is not to be trusted


def _number(value: float | None) -> str:
    """Three digits; empty for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _more(name: str, factor: float = 1.0) -> Callable[[Record], str]:
    """A cell of what a suite measures beside the common figures."""

    def cell(record: Record) -> str:
        value = record.more.get(name)
        return _number(None if value is None else float(value) * factor)

    return cell


Cells = dict[str, Callable[[Record], str]]

COMMON: Cells = {
    "case": lambda r: r.case,
    "shortest": lambda r: duration(r.seconds),
    "median": lambda r: duration(r.median_seconds),
    "noise": lambda r: f"{100 * r.noise:.0f} %",
    "processor\ntime": lambda r: "" if r.processor_seconds is None else duration(r.processor_seconds),
    "its\nnoise": lambda r: "" if r.noise_of_processor is None else f"{100 * r.noise_of_processor:.0f} %",
}
BESIDE: Cells = {
    "ns a\ndevice-step": lambda r: _number(r.ns_per_device_step),
    "time\nover C": lambda r: _number(r.ratio_to_c),
    "over\nNumPy": lambda r: _number(r.ratio_to_numpy),
    "bits\nof C": lambda r: {None: "", True: "same", False: "differ"}[r.same_bits],
}
# What each suite shows beside the common figures.
OWN: dict[str, Cells] = {
    "kernel": {**BESIDE, "over\ncopy": _more("ratio_to_memory_copy")},
    "tricks": {
        "ns a\ndevice-step": lambda r: _number(r.ns_per_device_step),
        "without": _more("ns_per_device_step_without"),
        "times\nas fast": _more("times_as_fast"),
    },
    "trace": {
        "time over\nno trace": _more("slow_down"),
        "over raw\nwrite": _more("ratio_to_raw_write"),
        "rows\n(MB/s)": _more("mb_per_s"),
        "file\n(MB)": _more("file_bytes", 1e-6),
        "median\nover replay": _more("ratio_to_replay"),
        "longest\n(ms)": _more("longest_seconds", 1e3),
    },
    "train": {**BESIDE, "ns a sample\nand lane": _more("ns_per_sample_and_lane")},
    "scaling": {
        "speed over\none thread": _more("times_as_fast_as_one"),
        "ns a step": _more("ns_per_step"),
        "in the first\ntenth": _more("ns_per_step_first_tenth"),
        "in the\nlast": _more("ns_per_step_last_tenth"),
        "MB after\na tenth": _more("resident_bytes_after_a_tenth", 1e-6),
        "MB at\nthe end": _more("resident_bytes_at_end", 1e-6),
    },
    "start": {
        "over Python's\nown start (s)": _more("seconds_over_python"),
    },
}


def show_report(report: Report) -> None:
    """Print the tables of all suites."""
    machine = report.machine
    describe(
        f"{machine.processor}; {machine.cores} cores, {machine.memory_bytes / 2**30:.1f} GiB; "
        f"C: {report.compiler}; memsim {report.versions['memsim']}, numba {report.versions['numba']}, "
        f"numpy {report.versions['numpy']}"
    )
    for suite in dict.fromkeys(record.suite for record in report.records):
        show(_table(suite, [record for record in report.records if record.suite == suite]))
        if suite in report.limits:
            describe(f"  the machine's limits beside it: {_limits(report.limits[suite])}", style="dim")
    for word in (*report.left_out, *report.failed, *_warnings(report.records)):
        describe(word)


def _warnings(records: tuple[Record, ...]) -> list[str]:
    """A word on times that are not stable."""
    noises = {f"{r.suite}: {r.case}": noise_of_work(r) for r in records if noise_of_work(r) > UNSTABLE}
    if not noises:
        return []
    worst = max(noises, key=lambda case: noises[case])
    return [
        f"not stable: {len(noises)} of {counted(len(records), 'record')} have a noise above {100 * UNSTABLE:.0f} %, "
        f"most of all {worst} ({100 * noises[worst]:.0f} %); end other programs, and measure these again"
    ]


def _limits(found: dict[str, float]) -> str:
    return ", ".join(f"{name.removesuffix('_gb_per_s').replace('_', ' ')} {v:.3g} GB/s" for name, v in found.items())


def _table(suite: str, records: list[Record]) -> Table:
    shown = {name: cell for name, cell in (COMMON | OWN[suite]).items() if any(cell(record) for record in records)}
    case, *headings = shown
    table = Table(Column(case, words=True), *numbers(*headings), title=suite)
    for record in records:
        table.row(*(cell(record) for cell in shown.values()))
    return table


def show_comparison(comparison: Comparison, name: str) -> None:
    """Print what became slower, and what faster, than in an older report."""
    for verdict in ("slower", "faster"):
        changes = comparison.of(verdict)
        if verdict == "faster":
            changes = changes[::-1]
        if changes:
            show(_changes_table(f"{verdict} than {name}", changes[:SHOWN]))
        if len(changes) > SHOWN:
            describe(f"  and {len(changes) - SHOWN} more")
    counts = ", ".join(f"{len(comparison.of(v))} {v}" for v in ("slower", "faster", "within noise"))
    describe(f"compared with {name}: {counts}")
    for word, keys in (("new", comparison.new), ("gone", comparison.gone)):
        if keys:
            shown = "; ".join(f"{suite}: {case}" for suite, case in keys[:SHOWN])
            rest = f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            describe(f"{word}: {shown}{rest}")


def _changes_table(title: str, changes: list[Change]) -> Table:
    case = Column("case", words=True)
    table = Table("suite", case, "compared", *numbers("new over old", "noise of both"), title=title)
    for change in changes:
        table.row(change.suite, change.case, change.basis, f"{change.change:.2f}", f"{100 * change.noise:.0f} %")
    return table
