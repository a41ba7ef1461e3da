"""The samples that a run is scored on, and what its devices give for them."""

from typing import NamedTuple

import numpy as np

from ..datasets import Dataset, of_stored
from ..errors import InputError
from ..runs.prediction import read_through
from ..runs.run import Run

PARTS = ("test", "validation", "training")


class Read(NamedTuple):
    """Samples and what is read for them.

    Attributes
    ----------
    name : str
        Of the part.
    data : Dataset
    outputs : (samples, outputs, realisations) float64
    best : bool
        Whether the states were those of each realisation's best epoch, or else the final ones.
    """

    name: str
    data: Dataset
    outputs: np.ndarray
    best: bool


def parts_of(run: Run) -> dict[str, Dataset]:
    """The parts of a run's samples by name: of ``test``, ``validation`` and ``training`` those that there are."""
    data = of_stored(run.dataset)
    found = {**data.held_back, "training": data}
    return {name: found[name] for name in PARTS if name in found}


def read_part(run: Run, part: str | None = None, *, best: bool | None = None, keyframe: int | None = None) -> Read:
    """Send a part of a run's samples through a copy of its devices.

    Parameters
    ----------
    run : Run
    part : {"test", "validation", "training"}, optional
        The first of these that the run has, where not given.
    best : bool, optional
        Take the states of each realisation's best epoch; where not given, if the run kept them and no keyframe is
        asked for.
    keyframe : int, optional
        Number of the keyframe whose states are taken, in the place of the final ones.

    Raises
    ------
    InputError
        No such part, keyframe or best epoch.
    """
    parts = parts_of(run)
    name = next(iter(parts)) if part is None else part
    if name not in parts:
        raise InputError(f"part: must be one of {', '.join(parts)} (got {name!r})")
    chosen = chosen_states(run, best, keyframe)
    return Read(name, parts[name], read_through(run, parts[name], keyframe=keyframe, best=chosen).outputs, chosen)


def spread(scores: np.ndarray) -> str:
    """A score of one realisation, or the lowest to the highest of several."""
    lowest, highest = f"{scores.min():.3g}", f"{scores.max():.3g}"
    return lowest if lowest == highest else f"{lowest} to {highest} of {len(scores)} realisations"


def chosen_states(run: Run, best: bool | None, keyframe: int | None) -> bool:
    """Whether the best epoch's states are taken: as asked for, or else where the run kept them and no others are."""
    return (keyframe is None and bool(run.best_state)) if best is None else best
