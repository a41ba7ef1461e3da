"""States of a run at the moments that its file keeps: its start, its keyframes, its end; and before any step."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..fields import one_of
from ..runs.run import Run


def stored_states(run: Run, bank: str) -> tuple[np.ndarray, np.ndarray]:
    """States at the run's start, at its keyframes, and at its end.

    Parameters
    ----------
    run : Run
    bank : str

    Returns
    -------
    epochs : (moments,) float64
        Epochs that were complete at each moment, ascending; a keyframe within an epoch has a fraction.
    states : (moments, devices, variables, realisations) float64
        In the units of the bank's state variables.
    """
    if bank not in run.banks:
        raise InputError(f"bank: must be {one_of(run.banks, bank)}")
    keyframes = run.keyframes
    epochs = keyframes["sample"] / run.samples
    states = keyframes[bank][: len(epochs)]
    if len(epochs) == 0 or epochs[0] > 0:
        epochs, states = np.append(0.0, epochs), np.concatenate([run.initial_state[bank][None], states])
    end = run.steps / (run.samples * run.sample_steps)
    if run.finished and end > epochs[-1]:
        epochs, states = np.append(epochs, end), np.concatenate([states, run.final_state[bank][None]])
    return epochs, states


def state_before(run: Run, bank: str, step: int, realisations: Sequence[int]) -> np.ndarray:
    """State at a step's beginning, (devices, variables, realisations)."""
    if step == 0:
        return run.initial_state[bank][..., list(realisations)]
    before: np.ndarray = run.stretch(step - 1, step, [bank], realisations=realisations)[bank].state[0]
    return before
