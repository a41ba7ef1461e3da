"""Prediction: inputs through a copy of a run's devices, by READ and RESTORE pulses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..datasets import Dataset, Scaling, of_stored, table_of, with_constant_line
from ..datasets.scaling import Beyond
from ..errors import InputError
from ..kernels.random import PURPOSE_EVALUATION
from ..network.assembly import Assembly, seeds_for
from ..stepping.blocks import channels
from ..stepping.engine import Engine
from ..terminal.si import counted
from .replay import of_realisations
from .run import Run

NUMBERED, SEEDED = 0, 1  # whether the noise of an evaluation is drawn by its number, or by a seed
ELEMENTS_TOGETHER = 1 << 17  # devices times copies that are read side by side


@dataclass(frozen=True)
class Prediction:
    """What a network gives for inputs.

    Attributes
    ----------
    outputs : (samples, outputs, realisations) float64
    energy : float
        In J, over all realisations.
    clipped : int
        Inputs that were beyond the range of the scaling, and set to its end.
    bounds : int
        Pulses of READs and RESTOREs that ended with a state at its bound, over all devices and realisations.
    """

    outputs: np.ndarray
    energy: float
    clipped: int = 0
    bounds: int = 0

    def __repr__(self) -> str:
        samples, outputs, realisations = self.outputs.shape
        return (
            f"<Prediction: .outputs of {counted(samples, 'sample')}, {counted(outputs, 'output')}, "
            f"{counted(realisations, 'realisation')}; .energy {self.energy:.3g} J; .clipped {self.clipped}>"
        )


def reading(trained: Assembly, data: Dataset, states: Sequence[np.ndarray]) -> Assembly:
    """A run's network as it is only read: other samples, READs and RESTOREs alone.

    Thresholds and windows stay those that were calibrated on the training data.

    Parameters
    ----------
    trained : Assembly
    data : Dataset
    states : sequence of (variables, devices, realisations) float64
        Of each bank.
    """
    return replace(
        trained, dataset=data, inputs=with_constant_line(data.inputs, trained.config.network.constant_input),
        targets=data.targets, schedule=trained.schedule.forward(), initial=tuple(states), start=None,
        steps_before=0,  # noise of the READs is drawn as in any other run
    )  # fmt: skip


def evaluate(
    finished: Run, inputs: np.ndarray, *, keyframe: int | None = None, best: bool = False, beyond: Beyond | None = None,
    apart: bool = False, seed: int | None = None,
) -> Prediction:  # fmt: skip
    """Send inputs through a copy of a run's devices by READ and RESTORE pulses.

    Parameters
    ----------
    finished : Run
    inputs : (samples, inputs) float64
        In the data's own units: where the run's inputs were scaled, these are scaled alike.
    keyframe : int, optional
        Number of the keyframe whose states are taken; the final ones where not given.
    best : bool
        Take the states of each realisation's best epoch.
    beyond : {"clip", "refuse"}, optional
        What becomes of inputs beyond the range of the scaling: set to its end and counted, or refused; as the run's
        ``data.beyond`` where not given. Inputs of a run without a scaling are taken as they are where it is not given,
        and else have the range of the samples that were learned.
    apart : bool
        Each sample goes through a copy of its own, so that its outputs do not depend on the samples beside it.
    seed : int, optional
        What the noise of the READs is drawn from, 0 or more, so that another evaluation can have the same. Where none
        is given, each evaluation of a run that was opened has noise of its own: the first, the second, and so on.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        Inputs of another width, that are not finite, or beyond the range and refused; no such keyframe, or no best
        epoch.

    Notes
    -----
    Samples follow each other through the same copy, as on hardware, unless they are kept apart: an input so large that
    a node meets a bound in its READ changes what comes after it.
    """
    learned = of_stored(finished.dataset)
    outputs, wanted = learned.targets.shape[1], learned.inputs.shape[1]
    given = table_of("inputs", inputs, learned.features)
    if given.shape[1] != wanted:
        raise InputError(f"inputs: must have {wanted} columns, as the training data (got {given.shape[1]})")
    scaling, clipped = learned.scaling, 0
    if scaling is None and beyond is not None:
        scaling = Scaling.as_they_are(learned.inputs, learned.features)
    if scaling is not None:
        given, clipped = scaling.apply(given, beyond or finished.config.data.beyond)
    data = Dataset(given, np.zeros((len(given), outputs)), "inputs")
    return replace(read_through(finished, data, keyframe=keyframe, best=best, apart=apart, seed=seed), clipped=clipped)


def read_through(
    finished: Run, data: Dataset, *, keyframe: int | None = None, best: bool = False, apart: bool = False,
    seed: int | None = None,
) -> Prediction:  # fmt: skip
    """Send samples through a network, whose inputs are in units of its unit current already."""
    kept = len(finished.keyframes["epoch"])
    if keyframe is not None and not -kept <= keyframe < kept:
        raise InputError(f"keyframe: must be below {kept}, the number of keyframes (got {keyframe})")
    if best and keyframe is not None:
        raise InputError(
            f"best: gives the states of the best epoch, keyframe those of another; give one (got {keyframe})"
        )
    if best and not finished.best_state:
        raise InputError(
            "best: the run kept no best epoch; train with learning.keep_best, learning.patience or data.validation"
        )
    trained = finished.assembly
    states = [_states(finished, bank.name, keyframe, best=best) for bank in trained.banks]
    if seed is not None and seed < 0:
        raise InputError(f"seed: must be 0 or more (got {seed})")
    place = (NUMBERED, next(finished.readings)) if seed is None else (SEEDED, seed)
    # Of perfect devices nothing is drawn, and a seed for each of many realisations takes its time.
    seeds = seeds_for(trained.seeds, PURPOSE_EVALUATION, *place) if trained.drawn else trained.seeds
    assembly = replace(reading(trained, data, states), past=_past(finished, keyframe), seeds=seeds)
    return _apart(assembly) if apart else _carried_out(Engine(assembly, threads=1, epochs=1, shuffled=False))


def _carried_out(engine: Engine) -> Prediction:
    """What an engine gives for all its samples."""
    assembly = engine.assembly
    values = np.empty((engine.clock.samples, assembly.targets.shape[1], engine.realisations))
    try:
        while not engine.clock.is_over:
            sample = engine.clock.position // engine.clock.slots_a_sample
            engine.advance(engine.clock.slots, values[sample:])
    finally:
        engine.close()
    banks = range(len(assembly.banks))
    energy = sum(float(engine.blocks.counter("energy", k).sum()) for k in banks)
    return Prediction(values, energy, bounds=sum(int(engine.blocks.counter("bound", k).sum()) for k in banks))


def _apart(assembly: Assembly) -> Prediction:
    """A prediction with a copy of the devices for each sample: copies lie side by side, as realisations do."""
    samples, lanes = len(assembly.inputs), len(assembly.seeds)
    together = max(1, ELEMENTS_TOGETHER // (channels(assembly)[1] * lanes))
    values, energy, bounds = [], 0.0, 0
    for first in range(0, samples, together):
        shown = np.arange(first, min(first + together, samples), dtype=np.uint32)
        copies = of_realisations(assembly, np.tile(np.arange(lanes), len(shown)).tolist())
        if assembly.drawn:  # noise of its own for each copy
            own = [seeds_for(assembly.seeds, PURPOSE_EVALUATION, int(sample)) for sample in shown]
            copies = replace(copies, seeds=np.concatenate(own))
        engine = Engine(copies, threads=1, epochs=1, shown=np.repeat(shown, lanes)[None])
        given = _carried_out(engine)
        values.append(given.outputs[0].reshape(-1, len(shown), lanes).transpose(1, 0, 2))
        energy += given.energy
        bounds += given.bounds
    return Prediction(np.concatenate(values), energy, bounds=bounds)


def _states(finished: Run, bank: str, keyframe: int | None, *, best: bool) -> np.ndarray:
    """States of a bank at the best epoch, at a keyframe or at the end, (devices, variables, realisations)."""
    if best:
        return finished.best_state[bank]
    return finished.final_state[bank] if keyframe is None else finished.keyframes[bank][keyframe]


def _past(finished: Run, keyframe: int | None) -> tuple[np.ndarray, ...]:
    """What the past left in the devices, at a keyframe or at the end: wear stays where the best states come back."""
    kept = len(finished.keyframes["epoch"])
    past = finished.stored.keyframe_past(kept - 1 if keyframe is None else keyframe % kept) if kept else []
    return tuple(past) or finished.assembly.past
