"""Prediction: inputs through a copy of a run's devices, by READ and RESTORE pulses."""

from dataclasses import dataclass, replace

import numpy as np

from .assembly import Assembly, assemble
from .datasets import Dataset, with_constant_line
from .engine import Engine
from .errors import InputError
from .run import Run


@dataclass(frozen=True)
class Prediction:
    """What a network gives for inputs.

    Attributes
    ----------
    outputs : (samples, outputs, realisations) float64
    energy : float
        In J, over all realisations.
    """

    outputs: np.ndarray
    energy: float


def evaluate(finished: Run, inputs: np.ndarray, *, keyframe: int | None = None) -> Prediction:
    """Send inputs through a copy of a run's devices by READ and RESTORE pulses.

    Parameters
    ----------
    finished : Run
    inputs : (samples, inputs) float64
    keyframe : int, optional
        Number of the keyframe whose states are taken; the final ones where not given.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        Inputs of another width, or that are not finite; no such keyframe.

    Notes
    -----
    Samples follow each other through the same copy, as on hardware: an input so
    large that a node meets a bound in its READ changes what comes after it.
    """
    config = finished.config
    outputs = finished.dataset.targets.shape[1]
    data = Dataset(inputs, np.zeros((len(np.asarray(inputs)), outputs)), "inputs")
    wanted = finished.dataset.inputs.shape[1]
    if data.inputs.shape[1] != wanted:
        raise InputError(f"inputs: must have {wanted} columns, as the training data (got {data.inputs.shape[1]})")
    kept = len(finished.keyframes["epoch"])
    if keyframe is not None and not -kept <= keyframe < kept:
        raise InputError(f"keyframe: must be below {kept}, the number of keyframes (got {keyframe})")
    # Thresholds and windows stay those that were calibrated on the training data.
    trained = assemble(config, Dataset(finished.dataset.inputs, finished.dataset.targets), finished.seeds)
    shown = with_constant_line(data.inputs, config.network.constant_input)
    stored = finished.final_state if keyframe is None else finished.keyframes
    states = tuple(
        (stored[bank.name] if keyframe is None else stored[bank.name][keyframe]).transpose(1, 0, 2)
        for bank in trained.banks
    )
    past = finished.stored.keyframe_past(kept - 1 if keyframe is None else keyframe % kept) if kept else []
    own = tuple(replace(o, past=p) for o, p in zip(trained.own, past, strict=True)) if past else trained.own
    forward = trained.schedule.forward()
    assembly = Assembly(
        config, data, shown, data.targets, forward, trained.banks,
        trained.plan._replace(slots=forward.table()), trained.seeds, states, own,
    )  # fmt: skip
    engine = Engine(assembly, threads=1, epochs=1, shuffled=False)
    values = np.empty((len(shown), outputs, len(trained.seeds)))
    try:
        while engine.position < engine.slots:
            sample = engine.position // engine.slots_a_sample
            engine.advance(engine.slots, values[sample:])
    finally:
        engine.close()
    energy = sum(float(engine.counter("energy", k).sum()) for k in range(len(trained.banks)))
    return Prediction(values, energy)
