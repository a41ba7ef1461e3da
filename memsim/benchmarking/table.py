"""A report on the terminal: a table a suite, and what became slower or faster."""

from collections.abc import Callable

from rich.table import Table

from ..reporting import console, duration
from .comparison import Change, Comparison
from .records import Record, Report

SHOWN = 12  # changes of a kind; the rest is counted


COLUMNS: dict[str, Callable[[Record], str]] = {
    "case": lambda r: r.case,
    "shortest": lambda r: duration(r.seconds),
    "median": lambda r: duration(r.median_seconds),
    "noise": lambda r: f"{100 * r.noise:.0f} %",
    "ns a\ndevice-step": lambda r: _number(r.ns_per_device_step),
    "time\nover C": lambda r: _number(r.ratio_to_c),
    "time\nover NumPy": lambda r: _number(r.ratio_to_numpy),
    "bits\nof C": lambda r: {None: "", True: "same", False: "differ"}[r.same_bits],
    "time over\nmemory copy": lambda r: _number(r.more.get("ratio_to_memory_copy")),
}


def show_report(report: Report) -> None:
    """Print the tables of all suites."""
    out = console()
    machine = report.machine
    out.print(
        f"{machine.processor}; {machine.cores} cores, {machine.memory_bytes / 2**30:.1f} GiB; "
        f"C: {report.compiler}; memsim {report.versions['memsim']}, numba {report.versions['numba']}, "
        f"numpy {report.versions['numpy']}"
    )
    for suite in dict.fromkeys(record.suite for record in report.records):
        out.print(_table(suite, [record for record in report.records if record.suite == suite]))
        if suite in report.limits:
            out.print(f"  the machine's limits beside it: {_limits(report.limits[suite])}", style="dim")
    for word in report.left_out:
        out.print(word)


def _limits(found: dict[str, float]) -> str:
    return ", ".join(f"{name.removesuffix('_gb_per_s').replace('_', ' ')} {v:.3g} GB/s" for name, v in found.items())


def _table(suite: str, records: list[Record]) -> Table:
    table = Table(title=suite, title_justify="left", title_style="bold")
    for heading, cell in COLUMNS.items():
        cells = [cell(record) for record in records]
        if any(cells):
            table.add_column(heading, justify="left" if heading == "case" else "right")
    shown = [cell for cell in COLUMNS.values() if any(cell(record) for record in records)]
    for record in records:
        table.add_row(*(cell(record) for cell in shown))
    return table


def _number(value: object) -> str:
    """Three digits; empty for nothing."""
    return f"{value:,.3g}" if isinstance(value, int | float) else str(value or "")


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
    out.print(f"compared with {name}: {counts}")
    for word, keys in (("new", comparison.new), ("gone", comparison.gone)):
        if keys:
            shown = "; ".join(f"{suite}: {case}" for suite, case in keys[:SHOWN])
            rest = f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            out.print(f"{word}: {shown}{rest}")


def _changes_table(title: str, changes: list[Change]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("suite", "case", "compared", "new over old", "noise of both"):
        table.add_column(heading, justify="right" if heading in ("new over old", "noise of both") else "left")
    for change in changes:
        table.add_row(change.suite, change.case, change.basis, f"{change.change:.2f}", f"{100 * change.noise:.0f} %")
    return table
