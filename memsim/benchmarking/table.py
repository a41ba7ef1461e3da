"""A report on the terminal: a table a suite, and what became slower or faster."""

from collections.abc import Callable

from rich.table import Table

from ..reporting import console, duration
from .comparison import Change, Comparison
from .records import Record, Report

CASE_WIDTH = 46
SHOWN = 12  # changes of a kind; the rest is counted


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
        "processor\ntime": lambda r: "" if r.processor_seconds is None else duration(r.processor_seconds),
        "over Python's\nown start (s)": _more("seconds_over_python"),
    },
}


def show_report(report: Report) -> None:
    """Print the tables of all suites."""
    out = console()
    machine = report.machine
    out.print(
        f"{machine.processor}; {machine.cores} cores, {machine.memory_bytes / 2**30:.1f} GiB; "
        f"C: {report.compiler}; memsim {report.versions['memsim']}, numba {report.versions['numba']}, "
        f"numpy {report.versions['numpy']}",
        soft_wrap=True,
    )
    for suite in dict.fromkeys(record.suite for record in report.records):
        out.print(_table(suite, [record for record in report.records if record.suite == suite]))
        if suite in report.limits:
            out.print(f"  the machine's limits beside it: {_limits(report.limits[suite])}", style="dim", soft_wrap=True)
    for word in (*report.left_out, *report.failed):
        out.print(word, markup=False, soft_wrap=True)


def _limits(found: dict[str, float]) -> str:
    return ", ".join(f"{name.removesuffix('_gb_per_s').replace('_', ' ')} {v:.3g} GB/s" for name, v in found.items())


def _table(suite: str, records: list[Record]) -> Table:
    table = Table(title=suite, title_justify="left", title_style="bold")
    shown = {name: cell for name, cell in (COMMON | OWN[suite]).items() if any(cell(record) for record in records)}
    for heading in shown:
        table.add_column(heading, justify="left" if heading == "case" else "right", min_width=_least(heading, records))
    for record in records:
        table.add_row(*(cell(record) for cell in shown.values()))
    return table


def _least(heading: str, records: list[Record]) -> int | None:
    """Cells that a column needs: the cases are read most easily on one line."""
    return min(CASE_WIDTH, max(len(record.case) for record in records)) if heading == "case" else None


def show_comparison(comparison: Comparison, name: str) -> None:
    """Print what became slower, and what faster, than in an older report."""
    out = console()
    for verdict in ("slower", "faster"):
        changes = comparison.of(verdict)
        if verdict == "faster":
            changes = changes[::-1]
        if changes:
            out.print(_changes_table(f"{verdict} than {name}", changes[:SHOWN]))
        if len(changes) > SHOWN:
            out.print(f"  and {len(changes) - SHOWN} more")
    counts = ", ".join(f"{len(comparison.of(v))} {v}" for v in ("slower", "faster", "within noise"))
    out.print(f"compared with {name}: {counts}", markup=False, soft_wrap=True)
    for word, keys in (("new", comparison.new), ("gone", comparison.gone)):
        if keys:
            shown = "; ".join(f"{suite}: {case}" for suite, case in keys[:SHOWN])
            rest = f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            out.print(f"{word}: {shown}{rest}", markup=False, soft_wrap=True)


def _changes_table(title: str, changes: list[Change]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("suite", "case", "compared", "new over old", "noise of both"):
        table.add_column(heading, justify="right" if heading in ("new over old", "noise of both") else "left")
    for change in changes:
        table.add_row(change.suite, change.case, change.basis, f"{change.change:.2f}", f"{100 * change.noise:.0f} %")
    return table
