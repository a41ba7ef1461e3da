"""The sections of ``report.md`` beyond the paper's figures."""

from typing import Any

import numpy as np

from .. import datasets
from ..proportions import interval
from ..runs.run import LEARNED
from . import verdicts
from .carrier_trials import FRACTIONS_GATE, CarrierRun, largest
from .gate_rates import MULTI, OTHER, SINGLE, GateRuns, name_of
from .runs import Findings
from .settings import ALL_GATES, MULTILAYER, MULTILAYER_RATE, NOT_SEPARABLE, SEARCHED
from .universality import SIZES, TARGETS, FitRun
from .verdicts import speeds


def gates(found: Findings) -> str:
    """All sixteen gates: how many learned, with what chance leaves open, and with what settings."""
    s = found.settings
    settings = [(MULTI, gate, MULTILAYER[gate]) for gate in ALL_GATES]
    settings += [(OTHER, gate, setting) for gate, setting in SEARCHED.items()]
    lines = [
        "## All sixteen gates\n\n![All gates](gates.png)\n",
        f"{s.data_sets} sets of 100 samples (data seeds from {s.data_seed} on), each with {s.realisations} "
        f"realisations of starting weights of its own (seeds from {s.seed} on). Learned is a total error under "
        f"{LEARNED:g} after {s.epochs} epochs; in parentheses of each set. The interval is Wilson's, of 95 %. A claim "
        "holds where all realisations meet it, in part where some do. A threshold memristor has a bias that adds to "
        "its net input, and needs no constant line.\n",
        "| run | 00, 01, 10, 11 | learned | 95 % interval | bounds in READ | claimed | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_rate(run, gate, perceptron) for (perceptron, gate), run in found.gates.items()),
        "\n" + "\n".join(speeds(found.gates, s.epochs)),
        "\nSettings of the multilayer perceptron:\n",
        "| run | η | κ | w | g | starting bias | starting weights | constant line |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_setting(*each) for each in settings),
    ]
    return "\n".join(lines)


def _rate(run: GateRuns, gate: str, perceptron: str) -> str:
    truth = ", ".join(map(str, datasets.GATES[gate.lower()]))
    learnable = perceptron != SINGLE or gate not in NOT_SEPARABLE
    claim, verdict = (
        ("is learned", verdicts.approaches_zero(run)) if learnable
        else ("not separable, is not learned", verdicts.stays_up(run))
    )  # fmt: skip
    each = ", ".join(map(str, run.learned_of_each))
    return (
        f"| {run.name} | {truth} | {run.learned} of {run.realisations} ({each}) | "
        f"{interval(run.learned, run.realisations)} | {run.bounds_in_read:,} | {claim} | {verdict} |"
    )


def _setting(perceptron: str, gate: str, setting: dict[str, Any]) -> str:
    values = (setting["node_drift"], setting["weight_limit"], setting["bias_limit"])
    starting = (setting.get("initial_bias", 0.1), setting.get("initial_weight", 1.0))
    numbers = " | ".join(f"{value:g}" for value in (MULTILAYER_RATE[gate], *values, *starting))
    return f"| {name_of(perceptron, gate)} | {numbers} | {'yes' if setting.get('constant_input') else 'no'} |"


def universality(found: Findings) -> str:
    """Errors of the fits over the number of nodes, and the floor of a polynomial."""
    s = found.settings
    lines = [
        "## Universality\n\n![Fits, and their error over the number of nodes](universality.png)\n",
        f"One hidden layer of node memristors and a constant line, {s.fit_realisations} realisations, {s.fit_epochs} "
        "epochs of the functions of one input, and as many samples of the map. Root mean square error over the "
        "samples, the least and the median; (n): realisations in which a node met a bound in a READ. 'Floor' is the "
        "best polynomial of degree 4.\n",
        "| function | nodes | floor | " + " | ".join(map(str, SIZES)) + " |",
        "| --- | --- | --- |" + " --- |" * len(SIZES),
    ]
    for target in TARGETS:
        for threshold in (True, False):
            runs = {
                run.fit.nodes: run for run in found.fits if run.fit.target is target and run.fit.threshold is threshold
            }
            cells = " | ".join(_errors(runs[size]) for size in SIZES)
            kind = "threshold" if threshold else "no threshold"
            lines.append(f"| {target.formula.replace('|', chr(92) + '|')} | {kind} | {target.floor:.4f} | {cells} |")
    return "\n".join(lines)


def _errors(run: FitRun) -> str:
    count = int((run.bounds_in_read > 0).sum())
    met = f" ({count})" if count else ""
    return f"{run.error.min():.4f}, {run.median:.4f}{met}"


def carriers(found: Findings) -> str:
    """Learning by each scheme beside that by amplitudes, and what parts of periods do."""
    runs = found.carriers
    whole = [run for run in runs if not run.trial.fraction]
    amplitudes = {run.trial.gate: run for run in whole if run.trial.scheme == "amplitudes"}
    parts = [run for run in runs if run.trial.gate == FRACTIONS_GATE and run.trial.scheme == "frequencies"]
    lines = [
        "## Carriers\n\n![Carriers](carriers.png)\n",
        f"{found.settings.realisations} realisations, {found.settings.epochs} epochs. 'Apart' is the largest "
        "difference from the run by amplitudes: of a total error as a share of the first epoch's, and of a final "
        "weight.\n",
        "| gate | addressed by | mean total error at the end | learned | apart: error | weight | WRITEs of a sample "
        "(ms) | sample (ms) | peak WRITE / limit | restore residual |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_scheme(run, amplitudes[run.trial.gate]) for run in whole),
        f"\nSines of a part of a period more than 1, 2 and 3, on {FRACTIONS_GATE}. Measured on the devices, over a "
        "pulse: the largest share of another variable's update, the largest share of its own update that is lost or "
        "gained, and how far a READ of the net input 1 moves a weight, in units of the learning rate.\n",
        "| part of a period | another's update | own update | READ | READs that left a residual | learned | "
        "mean total error at the end |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_part(run) for run in parts),
    ]
    return "\n".join(lines)


def _scheme(run: CarrierRun, base: CarrierRun) -> str:
    error = np.abs(run.total_error - base.total_error).max() / base.total_error[0].min()
    weight = np.abs(run.weights - base.weights).max()
    (bank,) = run.margins
    return (
        f"| {run.trial.gate} | {run.trial.scheme} | {run.mean[-1]:.3g} | {run.learned} | {error:.1e} | {weight:.1e} | "
        f"{1e3 * run.write_seconds:g} | {1e3 * run.sample_seconds:g} | {bank.peak_write:.3f} | "
        f"{bank.restore_residual:.1e} |"
    )


def _part(run: CarrierRun) -> str:
    talk, own, move = largest(run.talk, run.read_moves)
    residuals = run.margins[0].counts["restore_residuals"]
    return (
        f"| {run.trial.fraction:g} | {talk:.3g} | {own:.3g} | {move:.3g} | {residuals:,} | {run.learned} | "
        f"{run.mean[-1]:.3g} |"
    )
