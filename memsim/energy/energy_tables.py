"""Energies for other programs: JSON of the summary, CSV of all epochs."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..files import whole
from ..kernels.slots import Phase
from ..runs.run import Run
from .summary import EnergySummary
from .widths import AtWidth, exponent


def as_dict(summary: EnergySummary, widths: Sequence[AtWidth] = ()) -> dict[str, Any]:
    """Plain numbers by name, with units in the names."""
    mean = summary.joules.mean(axis=-1)
    found: dict[str, Any] = {
        "samples": summary.samples,
        "realisations": summary.joules.shape[-1],
        **_numbers(summary),
        "seconds_a_sample_by_phase": {p.name: float(summary.seconds[p]) for p in Phase},
        "joules_a_sample_by_bank": {
            bank: {p.name: float(mean[k, p]) for p in Phase} for k, bank in enumerate(summary.banks)
        },
    }
    if summary.programming is not None:
        found["programming"] = {
            "joules": float(summary.programming.energy.mean()), "seconds": summary.programming.seconds,
            "joules_by_bank": {
                bank: float(each["energy"].sum(axis=0).mean()) for bank, each in summary.programming.banks.items()
            },
        }  # fmt: skip
    if widths:
        times = [each.width for each in widths]
        found["pulse_widths"] = [
            {
                "steps": each.steps, "seconds": each.width, "unit_current_amperes": each.current,
                **_numbers(each.energy), "total_error": float(each.error.mean()), "learned": each.learned,
            }
            for each in widths
        ]  # fmt: skip
        slopes = {
            "current": [each.current for each in widths],
            "read": [float(each.energy.read.sum()) for each in widths],
            "write": [float(each.energy.write.sum()) for each in widths],
        }
        found["pulse_width_exponents"] = {name: exponent(times, values) for name, values in slopes.items()}
    plain: dict[str, Any] = whole.for_json(found)
    return plain


def _numbers(summary: EnergySummary) -> dict[str, float]:
    return {
        "joules_a_sample": summary.sample_energy,
        "read_joules_a_sample": float(summary.read.sum()),
        "write_joules_a_sample": float(summary.write.sum()),
        "seconds_a_sample": summary.sample_time,
        "mean_watts": summary.power,
    }


def write_json(summary: EnergySummary, widths: Sequence[AtWidth], path: Path) -> None:
    """Write the summary."""
    whole.write_json(path, as_dict(summary, widths))


def write_csv(run: Run, path: Path) -> None:
    """Write a row for each epoch, bank, phase and realisation."""
    with whole.written_whole(path, overwrite=True) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "bank", "phase", "realisation", "energy_joules", "time_seconds"])
        times = run.phase_time
        energies = {bank: run.epoch_energy[bank] for bank in run.banks}
        for epoch in range(len(run.total_error)):
            for bank, joules in energies.items():
                for phase, lane in np.ndindex(joules.shape[1:]):
                    name = Phase(phase).name
                    table.writerow([epoch, bank, name, lane, repr(float(joules[epoch, phase, lane])), times[name]])
