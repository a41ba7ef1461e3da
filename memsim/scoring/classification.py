"""How well a run tells classes apart: accuracy, confusion, ROC curves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..datasets import Classes, of_stored
from ..datasets.scaling import Beyond
from ..errors import InputError
from ..runs.prediction import evaluate
from ..runs.run import Run
from ..terminal.si import counted
from .parts import Read, chosen_states, read_part, spread
from .roc import RocCurve, roc_areas, roc_curve


@dataclass(frozen=True)
class Classification:
    """What a run made of samples of known classes.

    Attributes
    ----------
    part : str
        Which samples they are: ``test``, ``validation``, ``training``, or ``given``.
    best : bool
        Whether they were read through the states of each realisation's best epoch, or else the final ones.
    classes : Classes
    true : (samples,) int64
        Number of each sample's class.
    predicted : (samples, realisations) int64
    scores : (samples, classes, realisations) float64
        What spoke for each class: its output.
    clipped : int
        Inputs that were beyond the range of the scaling, and set to its end.
    """

    part: str
    best: bool
    classes: Classes
    true: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray
    clipped: int

    def __repr__(self) -> str:
        about = f"{self.part}, {counted(len(self.true), 'sample')} of {len(self.classes.names)} classes"
        return f"<Classification: {about}; .accuracy {spread(self.accuracy)}; .confusion, .auc, .predicted>"

    @property
    def accuracy(self) -> np.ndarray:
        """Share of samples whose class was told right, (realisations,) float64."""
        return np.mean(self.predicted == self.true[:, None], axis=0)

    @property
    def confusion(self) -> np.ndarray:
        """Samples of a class that were taken for a class, (true, predicted, realisations) int64."""
        count, lanes = len(self.classes.names), self.predicted.shape[1]
        found = np.zeros((count, count, lanes), dtype=np.int64)
        np.add.at(found, (self.true[:, None], self.predicted, np.arange(lanes)), 1)
        return found

    def roc(self, number: int, realisation: int = 0) -> RocCurve:
        """ROC curve of a class against the rest.

        Parameters
        ----------
        number : int
            Of the class.
        realisation : int

        Raises
        ------
        InputError
            All samples are of the class, or none.
        """
        of_class = self.true == number
        if of_class.all() or not of_class.any():
            name = self.classes.names[number]
            raise InputError(f"number: must be of a class that some samples are of and some are not (got {name!r})")
        return roc_curve(of_class, self.scores[:, number, realisation])

    @property
    def auc(self) -> np.ndarray:
        """Area under each class's ROC curve, (classes, realisations) float64; NaN where all samples are of it, or none.

        Two classes that share an output share its area.
        """
        areas = [roc_areas(self.true == number, self.scores[:, number]) for number in range(self.scores.shape[1])]
        return np.stack(areas[1:] * 2 if self.classes.outputs == 1 else areas)


def classification(
    run: Run, part: str | None = None, *, inputs: ArrayLike | None = None, labels: Iterable[Any] | None = None,
    best: bool | None = None, keyframe: int | None = None, beyond: Beyond | None = None,
) -> Classification:  # fmt: skip
    """Send samples of known classes through a copy of a run's devices by READs, and compare.

    Parameters
    ----------
    run : Run
        Of a data set with classes.
    part : {"test", "validation", "training"}, optional
        The first of these that the run has, where not given.
    inputs, labels : (samples, inputs), (samples,), optional
        Other samples, in the place of a part: inputs in the data's own units, with the labels of their classes.
    best : bool, optional
        Take the states of each realisation's best epoch; where not given, if the run kept them and no keyframe is
        asked for.
    keyframe : int, optional
        Number of the keyframe whose states are taken, in the place of the final ones.
    beyond : {"clip", "refuse"}, optional
        What becomes of other samples' inputs beyond the range of the scaling: set to its end and counted, or refused;
        as the run's ``data.beyond`` where not given.

    Raises
    ------
    InputError
        The run's samples have no classes, or a label is none of them; no such part, keyframe or best epoch; inputs
        beyond the range and refused.
    """
    if run.dataset.classes is None:
        raise InputError(f"run: must be of samples with classes; {run.dataset.name} has none, see memsim.regression")
    if inputs is None and labels is None:
        if beyond is not None:
            raise InputError(f"beyond: is for inputs and labels that are given; a part is scaled (got {beyond!r})")
        return of_read(read_part(run, part, best=best, keyframe=keyframe))
    if part is not None or inputs is None or labels is None:
        raise InputError("inputs, labels: must be given both, and no part; or else a part alone")
    return _of_others(run, np.asarray(inputs), list(labels), best=best, keyframe=keyframe, beyond=beyond)


def _of_others(
    run: Run, inputs: np.ndarray, labels: list[Any], *, best: bool | None, keyframe: int | None, beyond: Beyond | None
) -> Classification:
    """A classification of samples that the run does not hold."""
    classes = of_stored(run.dataset).classes
    assert classes is not None
    true = classes.numbers(labels)
    if len(true) != len(inputs):
        raise InputError(f"labels: must be as many as inputs, {len(inputs)} (got {len(true)})")
    chosen = chosen_states(run, best, keyframe)
    given = evaluate(run, inputs, keyframe=keyframe, best=chosen, beyond=beyond)
    return _of_outputs("given", chosen, classes, true, given.outputs, given.clipped)


def of_read(read: Read) -> Classification:
    """A classification of outputs that were read already."""
    data = read.data
    assert data.classes is not None
    return _of_outputs(read.name, read.best, data.classes, data.class_numbers, read.outputs, data.clipped)


def _of_outputs(
    part: str, best: bool, classes: Classes, true: np.ndarray, outputs: np.ndarray, clipped: int
) -> Classification:
    return Classification(part, best, classes, true, classes.decide(outputs), classes.scores(outputs), clipped)
