"""A stretch of a run as a table of pandas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..files.memory import require_memory
from ..libraries import load_library
from ..runs.channels import choose
from ..runs.run import Run
from ..runs.timeline import Timeline
from .spans import Span, steps_of

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = 10  # of 8 bytes each, about


def to_pandas(
    run: Run, bank: str, *, epochs: Span | None = None, samples: Span | None = None, steps: Span | None = None,
    devices: Sequence[int] = (), realisations: Sequence[int] = (),
) -> "DataFrame":  # fmt: skip
    """Every step of a stretch, stored or replayed, a row for each step, device and realisation.

    Parameters
    ----------
    run : Run
    bank : str
    epochs, samples, steps : "A:B" or (A, B), optional
        One of them at most; the whole run where none is given.
    devices, realisations : sequence of int, optional
        All where not given.

    Returns
    -------
    pandas.DataFrame
        ``step`` from the run's start, ``time`` in s at which it begins, ``epoch``, ``sample`` (its place in the epoch),
        ``device``, ``realisation``; the bank's state variables at the step's end, by their names and in their units;
        ``current`` in A and ``voltage`` in V.

    Raises
    ------
    InputError
        pandas is not installed, or there is no such bank, device, realisation or stretch, or it takes more memory than
        there is.
    """
    pandas = load_library("pandas", "pandas", "run.to_pandas()")
    channels = choose(run, [bank], devices, realisations)
    start, stop = steps_of(run, epochs=epochs, samples=samples, steps=steps)
    chosen, lanes = list(channels.devices[bank]), list(channels.realisations)
    shape = (stop - start, len(chosen), len(lanes))
    advice = "choose epochs, samples or steps, or fewer devices or realisations"
    require_memory(8 * COLUMNS * int(np.prod(shape)), f"steps: {shape[0]:,} of them", advice)
    rows = run.stretch(start, stop, [bank], realisations=lanes)[bank]
    line, at = Timeline(run), np.arange(start, stop)
    calendar = {"step": at, "time": line.seconds(at), "epoch": line.epochs(at), "sample": line.samples(at)}
    axes = {"device": np.array(chosen)[:, None], "realisation": np.array(lanes)}
    names = channels.variables[bank]
    found = {
        **{name: values[:, None, None] for name, values in calendar.items()},
        **axes,
        **{name: rows.state[:, chosen, number] for number, name in enumerate(names)},
        "current": rows.current[:, chosen],
        "voltage": rows.voltage[:, chosen],
    }
    return pandas.DataFrame({name: np.broadcast_to(values, shape).ravel() for name, values in found.items()})
