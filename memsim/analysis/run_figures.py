"""Figures of a run as a Python user asks for them: how it learned, its weights over epochs, its trace."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..figures import new_figure
from ..runs.channels import choose
from ..runs.run import Run
from . import plot
from .curves import Progress, error_curve
from .spans import Span, steps_of
from .weights import learning_banks, stored_weights


def plot_learning(run: Run) -> Figure:
    """Draw the error of each epoch: mean and range of the realisations; and that of the samples held back.

    Raises
    ------
    InputError
        No epoch is complete yet.
    """
    if len(run.total_error) == 0:
        raise InputError("the run has no complete epoch yet, so there is nothing to draw; wait for one")
    figure = new_figure(7.0, 3.6)
    place = figure.subplots()
    curve = error_curve(run)
    several = run.realisations > 1  # one has no range
    if several:
        place.stairs(curve.high, curve.epochs, baseline=curve.low, fill=True, color="0.8", label="range")
    place.stairs(curve.mean, curve.epochs, baseline=None, color="0.15", label="mean" if several else "total error")
    if run.stored.is_validated:
        epochs = np.arange(len(run.validation_error)) + 0.5
        place.plot(
            epochs,
            run.validation_error.mean(axis=1),
            color="#D55E00",
            label="validation, mean" if several else "validation",
        )
    plot.scale_errors(place, run.total_error)
    place.set_xlabel("epoch")
    place.set_ylabel("total error")
    place.legend(frameon=False, fontsize="small")
    return figure


def plot_weights(run: Run, banks: Sequence[str] = (), *, realisation: int = 0) -> Figure:
    """Draw each weight over the epochs, from the states that the run keeps.

    Parameters
    ----------
    run : Run
    banks : sequence of str
        An axis for each; all that learn where none is given. Of nodes it is the bias weight.
    realisation : int

    Raises
    ------
    InputError
        There is no such bank or realisation, or a bank does not learn.
    """
    channels = choose(run, banks, (), [realisation])
    learning = learning_banks(run)
    for bank in banks:
        if bank not in learning:
            raise InputError(f"banks: {bank} has no weights; those that learn are {', '.join(learning)}")
    shown = [bank for bank in channels.banks if bank in learning]
    figure = new_figure(7.0, 1.0 + 1.8 * len(shown))
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for place, bank in zip(axes, shown, strict=True):
        _draw_weights(place, run, bank, realisation)
    axes[-1].set_xlabel("epoch")
    return figure


def _draw_weights(place: Axes, run: Run, bank: str, realisation: int) -> None:
    stored = stored_weights(run, bank)
    weights = stored.weights[:, :, realisation]
    for weight, colour in zip(weights.T, plot.curve_colours(weights.shape[1]), strict=True):
        place.plot(stored.epochs, weight, color=colour, linewidth=1.0)  # type: ignore[arg-type]
    place.axhline(0.0, color="0.6", linewidth=0.5, zorder=0.5)
    place.set_ylabel(f"{bank}\nweight", fontsize="small")


def plot_trace(
    run: Run, banks: Sequence[str] = (), *, epochs: Span | None = None, samples: Span | None = None,
    steps: Span | None = None, devices: Sequence[int] = (), realisations: Sequence[int] = (),
    quantities: Sequence[str] = (), weights: bool = False, error: bool = False, progress: Progress | None = None,
) -> Figure:  # fmt: skip
    """Draw any channels over any span, an axis for each bank and quantity; see :func:`memsim.analysis.plot.figure_of`.

    Where nothing is chosen: state and current of the first 8 devices of each bank, in realisation 0, through the first
    three samples.

    Parameters
    ----------
    run : Run
    banks : sequence of str
    epochs, samples, steps : "A:B" or (A, B), optional
        One of them at most.
    devices, realisations : sequence of int, optional
    quantities : sequence of {"state", "current", "voltage"}
    weights : bool
        Show states as the weights that they stand for.
    error : bool
        Put the total error of each epoch above.
    progress : function, optional

    Raises
    ------
    InputError
        Something is chosen that the run does not have, or more than can be told apart.
    """
    channels = choose(run, banks, devices, realisations or (0,), quantities or plot.FIRST_QUANTITIES)
    first = plot.first_look(run, channels, every_device=bool(devices))
    start, stop = steps_of(run, epochs=epochs, samples=samples, steps=steps, default=(first.start, first.stop))
    return plot.figure_of(run, first.channels, start, stop, weights=weights, error=error, progress=progress)
