"""A sweep of loops as tables on the terminal, as CSV and as JSON."""

import csv
import io
import math
from pathlib import Path
from typing import Any

from ..files.whole import check_output, for_json, write_json, write_text
from ..provenance import environment
from ..terminal.screen import Column, Styled, Table, describe, numbers, show
from ..terminal.si import counted, with_prefix
from .loop import Loop
from .loop_sweep import LoopSweep

SHOWN = 40  # loops in the table
FORMATS = (".csv", ".json")
TITLES = {
    "pinched": "1 pinched at the origin",
    "shrinking": "2 lobes shrink with frequency",
    "line": "3 single-valued in the limit",
}
VERDICTS = {True: Styled("pass", "green"), False: Styled("FAIL", "red"), None: Styled("cannot tell", "yellow")}


def show_loops(sweep: LoopSweep) -> None:
    """What was driven, a line for each loop, and the fingerprints of each amplitude."""
    loops = sweep.config.loops
    frequencies, amplitudes = len(loops.all_frequencies()), len(loops.all_amplitudes())
    model = getattr(sweep.config.device, "model", type(sweep.config.device).__name__)
    describe(
        f"{model} driven by a {sweep.drive} ({loops.waveform}): {frequencies} frequenc"
        f"{'y' if frequencies == 1 else 'ies'}, {counted(amplitudes, 'amplitude')}, "
        f"{loops.steps_per_period:,} steps a period, the last of {loops.periods} periods"
    )
    show(_table(sweep))
    if len(sweep.loops) > SHOWN:
        describe(f"and {len(sweep.loops) - SHOWN} loops more; --table has all")
    show(_fingerprints(sweep))
    for note in sweep.notes:
        describe(f"note: {note}")


def _table(sweep: LoopSweep) -> Table:
    """A line for each loop."""
    zero = "V at I = 0" if sweep.drive == "current" else "I at V = 0"
    headings = (
        "amplitude", "frequency", "lobe area\nI > 0 (V A)", "lobe area\nI < 0 (V A)", f"{zero}\n/ peak",
        "width\n/ peak", "off a line\n/ peak",
    )  # fmt: skip
    table = Table(*numbers(*headings), shared=1)
    shown = sweep.loops[:SHOWN]
    for k, loop in enumerate(shown):
        table.row(
            with_prefix(loop.amplitude, sweep.unit),
            with_prefix(loop.frequency, "Hz"),
            f"{loop.positive_area:.4g}",
            f"{loop.negative_area:.4g}",
            "never 0" if math.isnan(loop.zero_response) else f"{loop.zero_response:.2g}",
            f"{loop.width:.3g}",
            f"{loop.off_line:.3g}",
        )
        if k + 1 == len(shown) or shown[k + 1].amplitude != loop.amplitude:
            table.end_section()
    return table


def _fingerprints(sweep: LoopSweep) -> Table:
    """A line for each fingerprint of each amplitude."""
    words = Column("numbers", words=True)
    table = Table("fingerprint", "amplitude", "verdict", words, title="Fingerprints of a memristor", shared=1)
    for name, title in TITLES.items():
        alike = [fingerprint for fingerprint in sweep.fingerprints if fingerprint.name == name]
        for fingerprint in alike:
            amplitude = with_prefix(fingerprint.amplitude, sweep.unit)
            table.row(title, amplitude, VERDICTS[fingerprint.holds], fingerprint.words)
        table.end_section()
    return table


def write_table(sweep: LoopSweep, path: Path, *, overwrite: bool = False) -> None:
    """Write the loops' numbers: CSV has a line for each loop, JSON the fingerprints and the configuration as well.

    Parameters
    ----------
    sweep : LoopSweep
    path : Path
        Ends in .csv or .json.
    overwrite : bool
        Whether a file that exists may be replaced.
    """
    check_output(path, overwrite, FORMATS, "a table's file")
    if path.suffix == ".json":
        write_json(path, as_dict(sweep), overwrite)
    else:
        write_text(path, _as_csv(sweep), overwrite)


def as_dict(sweep: LoopSweep) -> dict[str, Any]:
    """Everything but the loops' rows, for JSON: numbers that are none are null."""
    values = {
        "environment": environment(),
        "configuration": sweep.config.model_dump(mode="json", exclude_none=True),
        "loops": [dict(_numbers(sweep, loop)) for loop in sweep.loops],
        "fingerprints": [fingerprint._asdict() for fingerprint in sweep.fingerprints],
        "notes": sweep.notes,
    }
    return {name: for_json(value) for name, value in values.items()}


def _numbers(sweep: LoopSweep, loop: Loop) -> list[tuple[str, Any]]:
    """The columns of a loop, units in their names."""
    return [
        (f"amplitude_{sweep.unit}", loop.amplitude),
        ("frequency_Hz", loop.frequency),
        ("positive_area_VA", loop.positive_area),
        ("negative_area_VA", loop.negative_area),
        ("relative_area", loop.relative_area),
        ("zero_response", loop.zero_response),
        ("width", loop.width),
        ("off_line", loop.off_line),
        ("open_end", loop.open_end),
        ("at_bound", loop.at_bound),
        ("furthest", loop.furthest),
        ("stalled", loop.stalled),
    ]


def _as_csv(sweep: LoopSweep) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    rows = [_numbers(sweep, loop) for loop in sweep.loops]
    writer.writerow([name for name, _ in rows[0]])
    for row in rows:
        writer.writerow([repr(value) if isinstance(value, float) else int(value) for _, value in row])
    return text.getvalue()
