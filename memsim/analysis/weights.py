"""Weights over epochs, from the states that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ..errors import InputError
from ..figures import new_figure
from ..runs.run import Run
from .stored_states import stored_states


@dataclass(frozen=True)
class WeightHistogram:
    """How the weights of a bank are distributed, at several epochs.

    Attributes
    ----------
    bank : str
    epochs : (moments,) float64
        Epochs that were complete.
    edges : (bins + 1,) float64
        Weights between which each bin counts; the last bin has its upper edge too.
    counts : (moments, bins) int64
        Weights in each bin, of all devices and realisations.
    """

    bank: str
    epochs: np.ndarray
    edges: np.ndarray
    counts: np.ndarray


class StoredWeights(NamedTuple):
    """Weights of a bank at the moments that its run keeps.

    Attributes
    ----------
    epochs : (moments,) float64
        Epochs that were complete; a keyframe within an epoch has a fraction.
    weights : (moments, devices, realisations) float64
        Of a threshold memristor the weights and the bias stand in the place of the devices.
    """

    epochs: np.ndarray
    weights: np.ndarray


def learning_banks(run: Run) -> tuple[str, ...]:
    """Names of the banks that have weights which are learned."""
    return tuple(bank.name for bank in run.calibration if bank.learns)


def stored_weights(run: Run, bank: str) -> StoredWeights:
    """Weights at the run's start, at its keyframes and at its end.

    See :meth:`memsim.calibration.BankCalibration.weights`; of nodes it is the bias weight.
    """
    epochs, states = stored_states(run, bank)
    return StoredWeights(epochs, weights_of(run, bank, states))


def weights_of(run: Run, bank: str, states: np.ndarray) -> np.ndarray:
    """The weights that states stand for.

    Parameters
    ----------
    run : Run
    bank : str
    states : (moments, devices, variables, realisations) float64

    Returns
    -------
    (moments, devices, realisations) float64
        As of :func:`stored_weights`.
    """
    values = states[:, :, 0] if states.shape[2] == 1 else states[:, 0, :-1]
    (calibration,) = (known for known in run.calibration if known.name == bank)
    return calibration.weights(values)


def weight_histogram(
    run: Run, bank: str, epochs: Sequence[float] = (), bins: int | Sequence[float] = 50
) -> WeightHistogram:
    """Count weights in bins that are the same for all epochs.

    Parameters
    ----------
    run : Run
    bank : str
    epochs : sequence of float
        Complete epochs at which a state is stored, 0 for the run's start; all where it is empty.
    bins : int or sequence of float
        Number of equal bins from the smallest to the largest weight, or their edges.

    Returns
    -------
    WeightHistogram

    Raises
    ------
    InputError
        The run has no such bank, or has stored nothing at one of the epochs.
    """
    stored, weights = stored_weights(run, bank)
    for epoch in epochs:
        if epoch not in stored:
            known = ", ".join(f"{known:g}" for known in stored[:20]) + (", ..." if len(stored) > 20 else "")
            raise InputError(f"epochs: states are stored at {known} (got {epoch:g})")
    if isinstance(bins, int) and bins < 1:
        raise InputError(f"bins: must be 1 or more (got {bins})")
    chosen = np.isin(stored, list(epochs)) if len(epochs) else np.ones(len(stored), dtype=bool)
    stored, weights = stored[chosen], weights[chosen]
    edges = np.histogram_bin_edges(weights, bins)
    counts = np.array([np.histogram(moment, edges)[0] for moment in weights])
    return WeightHistogram(bank, stored, edges, counts)


def plot_weights(histogram: WeightHistogram) -> Figure:
    """Draw a histogram of weights over epochs as an image."""
    figure = new_figure(7.0, 3.6)
    place = figure.subplots()
    epochs = histogram.epochs
    middles = 0.5 * (epochs[1:] + epochs[:-1])
    # A moment's column reaches half way to its neighbours.
    if len(epochs) > 1:
        edges = np.concatenate([[epochs[0]], middles, [epochs[-1]]])
    else:
        edges = np.array([epochs[0] - 0.5, epochs[0] + 0.5])
    counts = np.ma.masked_equal(histogram.counts, 0)
    image = place.pcolormesh(edges, histogram.edges, counts.T, cmap="viridis", rasterized=True)
    figure.colorbar(image, ax=place, label="weights in a bin")
    place.set_xlabel("epoch")
    place.set_ylabel(f"weight of {histogram.bank}")
    return figure
