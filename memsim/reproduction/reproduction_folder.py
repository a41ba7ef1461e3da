"""The output folder of a reproduction."""

import json
from pathlib import Path

from ..errors import InputError
from ..figures import save
from ..files.whole import write_text
from . import beyond_figures, carrier_figures, paper_figures, paper_numbers, paper_report
from .runs import Findings


def check_folder(folder: Path, overwrite: bool) -> None:
    """Make the folder; refuse one that holds results already, or cannot be written.

    Raises
    ------
    InputError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"--out: {folder} cannot be written: {error.strerror}; name another folder") from None
    there = [name for name in NAMES if (folder / name).exists()]
    if there and not overwrite:
        raise InputError(
            f"--out: {folder} holds {', '.join(there)} already; name another folder, or replace them with --overwrite"
        )


NAMES = (
    "figure3.png", "figure4.png", "figure5.png", "gates.png", "universality.png", "carriers.png", "report.md",
    "results.json",
)  # fmt: skip


def write(found: Findings, folder: Path, wall_seconds: float) -> list[Path]:
    """Write figures, report and numbers; returns what was written."""
    numbers = json.dumps(paper_numbers.as_json(found, wall_seconds), indent=1)
    write_text(folder / "results.json", numbers + "\n")
    wanted = set(found.settings.figures)
    drawn = {}
    if 3 in wanted:
        title = "Figure 3: single-layer perceptron, one threshold memristor"
        drawn["figure3.png"] = paper_figures.learning_curves(title, found.single)
    if 4 in wanted:
        title = "Figure 4: multilayer perceptron of synapse and node memristors"
        drawn["figure4.png"] = paper_figures.learning_curves(title, found.multi)
    if 5 in wanted:
        drawn["figure5.png"] = paper_figures.roc_curves(found)
    if "gates" in wanted:
        drawn["gates.png"] = beyond_figures.gates(found)
    if "universality" in wanted:
        drawn["universality.png"] = beyond_figures.universality(found)
    if "carriers" in wanted:
        drawn["carriers.png"] = carrier_figures.carriers(found)
    for name, figure in drawn.items():
        save(figure, folder / name, overwrite=True)
    write_text(folder / "report.md", paper_report.write(found, wall_seconds))
    return [folder / name for name in (*drawn, "report.md", "results.json")]
