"""``report.md``: the paper's claims beside what was found, number by number; the table on the terminal."""

from collections.abc import Iterable

import numpy as np

from ..proportions import interval, proportion
from ..provenance import environment
from ..runs.run import LEARNED
from ..terminal.screen import Table, describe, numbers, show
from . import beyond_report, verdicts
from .gate_rates import MULTI, SINGLE
from .learning_curves import LearningCurves
from .paper_figures import figure5_runs
from .readings import Reading
from .runs import Findings, GateRun
from .settings import GATES, MULTILAYER, MULTILAYER_RATE, NOT_SEPARABLE, SINGLE_LAYER_RATE, THRESHOLDS
from .verdicts import speeds

Claim = tuple[str, verdicts.Verdict]
FALLEN = 200  # the epoch by which the paper's single layers have learned

# Corrections that leave no second reading to run: place, trouble, reading.
ARGUED = (
    (
        "Algorithm 1, weights",
        "γ1 and γ2 do not appear in V = g(I + γ_bias), yet the net input needs them",
        "the controller taps the device's state, in one function; the equivalent construction reads its weights as "
        "voltages and learns the same curve",
    ),
    ("Eq. 8", "sums currents I_ik", "the sum is of the voltages V_ik, as in Eqs. 16 and 17"),
    (
        "Eq. 11",
        "a current I_γ is subtracted from a drift rate",
        "a current threshold I_th, times k = μ_V R_ON/D",
    ),
    (
        "Eq. 10",
        "in_k = 0 gives V = 0 whatever the bias",
        "the paper's gates all have f(0, 0) = 0; other tasks need the constant input line",
    ),
    (
        "Eq. 13 against constant weights in the forward pass",
        "V ∝ -I²t needs γ to move while it is read",
        "a READ of a node is followed by a RESTORE, -in_k for the same width; what it leaves is counted",
    ),
    (
        "sign of the weights",
        "γ in [0, D] gives one sign",
        "D becomes D', as the paper proposes: γ within ±D'/2",
    ),
)


def write(found: Findings, wall_seconds: float) -> str:
    """The whole report, Markdown."""
    parts = [_header(found, wall_seconds)]
    figures = set(found.settings.figures)
    if 3 in figures:
        parts.append(_figure3(found))
    if 4 in figures:
        parts.append(_figure4(found))
    if 5 in figures:
        parts.append(_figure5(found))
    if "gates" in figures:
        parts.append(beyond_report.gates(found))
    if "universality" in figures:
        parts.append(beyond_report.universality(found))
    if "carriers" in figures:
        parts.append(beyond_report.carriers(found))
    if found.readings:
        parts.append(_readings(found))
    if found.single or found.multi:
        parts += [_margins(found), _hardware(found)]
    parts.append(_made_with())
    return "\n\n".join(parts) + "\n"


def _header(found: Findings, wall_seconds: float) -> str:
    s = found.settings
    return f"""# {_title(s.figures)} of 'Perceptrons from Memristors' (arXiv:1807.04912)

Every device was stepped through every current pulse: {found.device_steps:.3g} device-steps in {wall_seconds:.1f} s.
{_about_gates(found) if found.single or found.multi else ""}"""


def _title(figures: Iterable[int | str]) -> str:
    """The paper's figures among those that were made; what goes beyond them has headings further below."""
    paper = sorted(str(figure) for figure in set(figures) & {3, 4, 5})
    if not paper:
        return "Beyond the figures"
    return f"Figure{'s' if len(paper) > 1 else ''} {', '.join(paper[:-1])}{' and ' if paper[1:] else ''}{paper[-1]}"


def _about_gates(found: Findings) -> str:
    """What the runs of all gates share, and the settings of the paper's."""
    s = found.settings
    gates = "; ".join(
        f"{gate}: node drift {v['node_drift']:g}, weights within ±{v['weight_limit']:g}, "
        f"bias weights within ±{v['bias_limit']:g}, starting ones {v.get('initial_bias', 0.1):g} of Glorot's range"
        for gate, v in MULTILAYER.items()
        if gate in GATES
    )
    rates = ", ".join(f"{gate} {MULTILAYER_RATE[gate]:g}" for gate in GATES)
    return f"""
- Data: one set of 100 random samples of each gate for all realisations (seed {s.data_seed}), shuffled in every epoch.
- {s.realisations} realisations of Glorot's starting weights (seed {s.seed}), {s.epochs} epochs, pulses of 20 steps.
- Learning rates: single-layer {SINGLE_LAYER_RATE:g}; multilayer {rates}.
- Multilayer settings, one for each gate: {gates}.
- 'Learned' means a total error (Eq. 20) under {LEARNED:g} at the last epoch; intervals are Wilson's, of 95 %.
- Verdicts are of these numbers: a claim holds where all realisations (thresholds, epochs) meet it, in part where some
  do. The total error is 0 where it is under {LEARNED:g}; guessing is a true positive rate no further than
  {verdicts.GUESSING:g} from the false one, in the mean of realisations."""


def _figure3(found: Findings) -> str:
    lines = [_learning_line(_single_layers_claim(gate, run), run, gate) for gate, run in found.single.items()]
    return "\n".join(["## Figure 3: single-layer perceptron\n\n![Figure 3](figure3.png)\n", *_LEARNING_HEAD, *lines])


def _figure4(found: Findings) -> str:
    claim = "the total error approaches 0"
    lines = [_learning_line((claim, verdicts.approaches_zero(run)), run, gate) for gate, run in found.multi.items()]
    if found.single:
        both = {SINGLE: found.single, MULTI: found.multi}
        runs = {(perceptron, gate): run for perceptron, of_gates in both.items() for gate, run in of_gates.items()}
        lines += ["", *speeds(runs, found.settings.epochs)]
    return "\n".join(["## Figure 4: multilayer perceptron\n\n![Figure 4](figure4.png)\n", *_LEARNING_HEAD, *lines])


def _single_layers_claim(gate: str, run: GateRun) -> Claim:
    if gate in NOT_SEPARABLE:
        return "the total error does not go to 0", verdicts.stays_up(run)
    epoch = min(FALLEN, len(run.total_error))
    return f"the total error falls to 0 within {FALLEN} epochs", verdicts.falls_to_zero(run, epoch)


_LEARNING_HEAD = (
    "| run | the paper | verdict | mean total error at epoch 1 | 50 | 200 | last | smallest, largest at the end | "
    "learned (95 % interval) | patterns right (of 4, mean; most) |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def _learning_line(claim: Claim, run: GateRun, gate: str) -> str:
    from ..datasets import gate_truth

    mean, last = run.mean, run.total_error[-1]
    right = ((run.patterns > 0.5) == (gate_truth(gate) > 0.5)[:, None]).sum(axis=0)
    at = [f"{mean[min(epoch, len(mean)) - 1]:.3g}" for epoch in (1, 50, 200, len(mean))]
    return (
        f"| {run.name} | {' | '.join(claim)} | {' | '.join(at)} | {last.min():.2g}, {last.max():.2g} | "
        f"{proportion(run.learned, len(last))} | {right.mean():.2f}; {right.max()} |"
    )


def _figure5(found: Findings) -> str:
    lines = [
        f"## Figure 5: ROC after {found.settings.roc_epoch} epochs, on the training set\n\n![Figure 5](figure5.png)\n",
        "Mean over realisations (false positive rate, true positive rate), with the 10 % and 90 % quantiles.\n",
        "| curve | the paper | verdict | " + " | ".join(f"threshold {t}" for t in THRESHOLDS) + " |",
        "| --- | --- | --- |" + " --- |" * len(THRESHOLDS),
    ]
    for name, run in figure5_runs(found).items():
        cells = []
        for point in run.rates.values():
            false, true = point.false_positive, point.true_positive
            cells.append(f"({_spread(false)}, {_spread(true)})")
        lines.append(f"| {name} | {' | '.join(_classifiers_claim(name, run))} | {' | '.join(cells)} |")
    lines.append(
        "\nOn the random set XOR's four patterns are not equally frequent, so that a single layer can do a little "
        "better, or worse, than chance; on the balanced set it cannot."
    )
    return "\n".join(lines)


def _classifiers_claim(name: str, run: GateRun) -> Claim:
    if name.startswith("SLP XOR"):
        return "equivalent to random guessing", verdicts.guesses(run)
    return "every input classified correctly", verdicts.classifies(run)


def _spread(values: np.ndarray) -> str:
    low, high = np.quantile(values, (0.1, 0.9))
    return f"{values.mean():.3f} [{low:.2f}, {high:.2f}]"


def _readings(found: Findings) -> str:
    few = found.readings[0].other.total_error.shape[1]
    lines = [
        "## Equations read both ways\n",
        f"{few} realisations each, of which all that learn leave a rate of {interval(few, few)} open, and none that "
        f"learns {interval(0, few)}. 'As corrected' is what the figures above use.\n",
        "| equation | what the other reading does | run | learned, as corrected | learned, other | "
        "final mean total error, as corrected | other | at bounds in READ, other |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in found.readings:
        met = sum(bank.counts["bounds_in_read"] for bank in result.other.margins)
        lines.append(
            f"| {result.reading.equation} | {result.reading.text} | {_run_name(result.reading, result.gate)} | "
            f"{result.corrected.learned} | {result.other.learned} | {result.corrected.mean[-1]:.3g} | "
            f"{result.other.mean[-1]:.3g} | {met:,} |"
        )
    lines += ["\nThe other corrections leave no second reading to run:\n", "| place | trouble | reading |"]
    lines += ["| --- | --- | --- |", *(f"| {place} | {trouble} | {reading} |" for place, trouble, reading in ARGUED)]
    return "\n".join(lines)


def _run_name(reading: Reading, gate: str) -> str:
    return f"{reading.network} {gate}" + (f", {reading.coding} inputs" if reading.coding else "")


def _margins(found: Findings) -> str:
    lines = [
        "## Margins\n",
        "Over all devices, realisations and pulses. READs of nodes are meant to move the state.\n",
        "| run | bank | peak state / bound | peak READ / I_th | peak WRITE / driver's limit | restore residual | "
        "counted |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in found.runs():
        for bank in run.margins:
            counted = [f"{number:,} {name.replace('_', ' ')}" for name, number in bank.counts.items() if number]
            lines.append(
                f"| {run.name} | {bank.bank} | {bank.peak_state:.3f} | {bank.shown_read} | {bank.peak_write:.3f} | "
                f"{bank.restore_residual:.1e} | {', '.join(counted) or 'nothing'} |"
            )
    return "\n".join(lines)


def _hardware(found: Findings) -> str:
    phases = ("READ", "RESTORE", "BACKREAD", "WRITE")
    lines = [
        "## What the hardware would have taken\n",
        "Simulated time of one realisation's training, and its energy ∫ V·I dt with its sign: signed synapses and the "
        "threshold memristor are active elements, whose energy may be negative.\n",
        "| run | time (s) | energy (J) | " + " | ".join(f"{phase} (J)" for phase in phases) + " |",
        "| --- | --- | --- |" + " --- |" * len(phases),
    ]
    for run in found.runs():
        cells = " | ".join(f"{run.energy_by_phase[phase]:.3g}" for phase in phases)
        lines.append(f"| {run.name} | {run.simulated_time:.4g} | {run.energy:.3g} | {cells} |")
    return "\n".join(lines)


def _made_with() -> str:
    return "## Made with\n\n" + "\n".join(f"- {name}: {value}" for name, value in environment().items())


def show_findings(found: Findings) -> None:
    """A table of the runs that are to learn, one of the functions that are to be met, and what they mean."""
    runs: list[tuple[str, LearningCurves]] = [(run.name, run) for run in found.runs()]
    runs += [(run.name, run) for run in found.gates.values()]
    runs += [(tried.trial.name, tried) for tried in found.carriers]
    if runs:
        table = Table("run", *numbers("learned", "95 % interval", "mean total error"))
        for name, run in runs:
            rate = interval(run.learned, run.realisations)
            table.row(name, f"{run.learned} of {run.realisations}", rate, f"{run.mean[-1]:.3g}")
        show(table)
        describe(f"learned is a total error under {LEARNED:g} after the last epoch")
    if found.fits:
        table = Table("function", *numbers("least root mean\nsquare error", "median"))
        for fit in found.fits:
            table.row(fit.fit.name, f"{fit.error.min():.3g}", f"{fit.median:.3g}")
        show(table)
