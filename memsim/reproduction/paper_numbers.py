"""``results.json``: every number of the reproduction, for other programs."""

from typing import Any

import numpy as np

from ..proportions import wilson
from ..runs.margins import BankMargins
from .carrier_trials import CarrierRun
from .gate_rates import MULTI, OTHER, SINGLE, GateRuns
from .learning_curves import LearningCurves
from .paper_figures import figure5_runs
from .runs import Findings, GateRun
from .settings import MULTILAYER, MULTILAYER_RATE, SEARCHED, SINGLE_LAYER_RATE
from .universality import FitRun

PERCEPTRONS = {"single_layer": SINGLE, "multilayer": MULTI, "multilayer_searched": OTHER}


def as_json(found: Findings, wall_seconds: float) -> dict[str, Any]:
    """The findings as nested dictionaries of plain numbers.

    Returns
    -------
    dict
        ``settings``; ``figure3`` and ``figure4``: gate to ``mean_total_error``
        (one an epoch) and ``final_total_error`` (one a realisation);
        ``figure5``: curve to threshold to ``false_positive_rate`` and
        ``true_positive_rate``; ``gates``: kind of perceptron to gate to the
        same as of ``figure3``, and how many learned, on each data seed and in
        all, with the Wilson interval of the share; ``universality``: fit to its errors, the best
        polynomial's, and margins; ``carriers``: run to its errors, writing time,
        cross talk and margins; ``device_steps``; ``wall_seconds``; ``runs``:
        margins, simulated time and energy of each run.
    """
    figures = set(found.settings.figures)
    rates = {"single_layer": SINGLE_LAYER_RATE, "multilayer": MULTILAYER_RATE}
    settings = {**found.settings.model_dump(mode="json"), "learning_rate": rates, "multilayer": MULTILAYER}
    settings["multilayer_searched"] = SEARCHED
    results: dict[str, Any] = {"settings": settings}
    if 3 in figures:
        results["figure3"] = {gate: _curve(run) for gate, run in found.single.items()}
    if 4 in figures:
        results["figure4"] = {gate: _curve(run) for gate, run in found.multi.items()}
    if 5 in figures:
        results["figure5"] = {name: _rates(run) for name, run in figure5_runs(found).items()}
    if "gates" in figures:
        results["gates"] = {
            kind: {gate: _gate(run) for (perceptron, gate), run in found.gates.items() if perceptron == name}
            for kind, name in PERCEPTRONS.items()
        }
    if "universality" in figures:
        results["universality"] = {run.fit.name: _fit(run) for run in found.fits}
    if "carriers" in figures:
        results["carriers"] = {run.trial.name: _carriers(run) for run in found.carriers}
    results["device_steps"] = found.device_steps
    results["wall_seconds"] = wall_seconds
    results["runs"] = {run.name: _run(run) for run in found.runs()}
    return results


def _curve(run: LearningCurves) -> dict[str, list[float]]:
    return {"mean_total_error": run.mean.tolist(), "final_total_error": run.total_error[-1].tolist()}


def _gate(run: GateRuns) -> dict[str, Any]:
    low, high = wilson(run.learned, run.realisations)
    return {
        **_curve(run),
        "learned_realisations": run.learned,
        "learned_realisations_by_data_seed": {
            str(each.of.config.data.seed): learned for each, learned in zip(run.sets, run.learned_of_each, strict=True)
        },
        "learned_share_wilson_95": [low, high],
        "bounds_in_read": run.bounds_in_read,
    }


def _rates(run: GateRun) -> dict[str, dict[str, float]]:
    return {
        str(threshold): {
            "false_positive_rate": float(np.mean(point.false_positive)),
            "true_positive_rate": float(np.mean(point.true_positive)),
        }
        for threshold, point in run.rates.items()
    }


def _fit(run: FitRun) -> dict[str, Any]:
    fit, config = run.fit, run.fit.config.model_dump(mode="json")
    return {
        "function": fit.target.formula,
        "hidden_nodes": fit.nodes,
        "network": config["network"],
        "node": config["devices"]["node"],
        "learning_rate": fit.config.learning.rate,
        "epochs": fit.config.learning.epochs,
        "root_mean_square_error": run.error.tolist(),
        "bounds_in_read": run.bounds_in_read.tolist(),
        "best_polynomial_of_degree_4": fit.target.floor,
        "device_steps": run.device_steps,
        "simulated_seconds": run.simulated_time,
        "margins": _margins(run.margins),
    }


def _carriers(run: CarrierRun) -> dict[str, Any]:
    config = run.trial.config.model_dump(mode="json")
    return {
        "memristor": config["devices"]["memristor"],
        "mean_total_error": run.mean.tolist(),
        "final_total_error": run.total_error[-1].tolist(),
        "learned_realisations": run.learned,
        "write_seconds_a_sample": run.write_seconds,
        "seconds_a_sample": run.sample_seconds,
        # No numbers where the realisations are too few to tell the variables apart.
        "share_of_each_update_in_each_variable": run.talk.tolist() if np.isfinite(run.talk).all() else None,
        "read_move_over_learning_rate": run.read_moves.tolist(),
        "device_steps": run.device_steps,
        "margins": _margins(run.margins),
    }


def _run(run: GateRun) -> dict[str, Any]:
    return {
        "learned_realisations": run.learned,
        "device_steps": run.device_steps,
        "simulated_seconds": run.simulated_time,
        "energy_joules": run.energy,
        "energy_joules_by_phase": run.energy_by_phase,
        "margins": _margins(run.margins),
    }


def _margins(banks: tuple[BankMargins, ...]) -> dict[str, Any]:
    return {
        bank.bank: {
            "peak_state_over_bound": bank.peak_state,
            "peak_read_over_threshold": bank.peak_read,
            "peak_write_over_limit": bank.peak_write,
            "restore_residual": bank.restore_residual,
            **bank.counts,
        }
        for bank in banks
    }
