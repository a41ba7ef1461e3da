"""How far the states of a bank go in each epoch."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..runs.run import Run
from .stored_states import stored_states


@dataclass(frozen=True)
class StateChange:
    """Change of states between stored moments, for each epoch.

    Attributes
    ----------
    begin, end : (spans,) float64
        Epochs that were complete at the beginning and the end of each span.
    net : (spans, devices, variables, realisations) float64
        Change of each state over the span, divided by its epochs: in the state's unit for an epoch.
    variation : (spans, devices, variables, realisations) float64
        Sum of the magnitudes of the changes between stored moments of the span, divided by its epochs.
    """

    begin: np.ndarray
    end: np.ndarray
    net: np.ndarray
    variation: np.ndarray

    @property
    def total_variation(self) -> np.ndarray:
        """Sum of the magnitudes of all stored changes, (devices, variables, realisations), in the state's unit."""
        epochs = (self.end - self.begin)[:, None, None, None]
        total: np.ndarray = (self.variation * epochs).sum(axis=0)
        return total


def change_per_epoch(run: Run, bank: str) -> StateChange:
    """How far the states of a bank go in each epoch, from what is stored: start, keyframes, end.

    A span goes from one stored end of an epoch to the next: it is one epoch
    where there is a keyframe for each, several where keyframes are rarer. With
    keyframes at t_0 < t_1 < ... < t_m in a span of n epochs::

        net       = (x(t_m) - x(t_0)) / n
        variation = sum over k of |x(t_(k+1)) - x(t_k)| / n

    The variation is never more than what the states really went, and at least
    the magnitude of the net change; READs that are restored in between do not
    count.

    Parameters
    ----------
    run : Run
    bank : str

    Returns
    -------
    StateChange

    Raises
    ------
    InputError
        The run has no such bank, or nothing is stored after its start.
    """
    epochs, states = stored_states(run, bank)
    if len(epochs) < 2:
        raise InputError(f"{bank}: nothing is stored after the run's start; wait for a keyframe")
    whole = np.flatnonzero(epochs == np.floor(epochs))
    edges = np.union1d(whole, [len(epochs) - 1])
    lengths = np.diff(epochs[edges])[:, None, None, None]
    net = np.diff(states[edges], axis=0) / lengths
    variation = np.add.reduceat(np.abs(np.diff(states, axis=0)), edges[:-1], axis=0) / lengths
    return StateChange(epochs[edges[:-1]], epochs[edges[1:]], net, variation)
