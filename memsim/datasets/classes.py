"""Classes, and the outputs of a network that stand for them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..errors import InputError
from ..fields import listed


@dataclass(frozen=True)
class Classes:
    """Classes, and the outputs that stand for them.

    Each class has an output of its own, which is high for its samples and low
    for all others; the largest output decides. Two classes may share one output,
    low for the first and high for the second; midway between them decides.

    Attributes
    ----------
    names : tuple of str
        Two or more; a class's number is its place here.
    low, high : float
        Target outputs, low below high.
    outputs : int
        As many as there are classes; or 1, for two classes. As many as classes where it is 0.
    """

    names: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    outputs: int = 0

    def __post_init__(self) -> None:
        refuse_unprintable("data.labels", self.names)
        if len(set(self.names)) != len(self.names) or len(self.names) < 2:
            raise InputError(
                f"data.labels: must be of two classes or more, each named once (got {listed(self.names, NAMED)})"
            )
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(f"data.low: must be below data.high, {self.high:g} (got {self.low:g})")
        if not self.outputs:
            object.__setattr__(self, "outputs", len(self.names))
        if self.outputs != len(self.names) and (self.outputs, len(self.names)) != (1, 2):
            wanted = "2, or 1 for both" if len(self.names) == 2 else str(len(self.names))
            raise InputError(
                f"outputs: must be {wanted}, for the classes {listed(self.names, NAMED)} (got {self.outputs})"
            )

    @classmethod
    def of(cls, labels: Iterable[Any], low: float = 0.0, high: float = 1.0) -> Self:
        """The classes that labels are of, in the order of numbers where all are numbers, else of their names."""
        names = sorted(set(names_of(labels)))
        return cls(tuple(sorted(names, key=float) if all(map(_is_number, names)) else names), low, high)

    def on(self, outputs: int) -> Self:
        """These classes on another number of outputs."""
        return replace(self, outputs=outputs)

    @property
    def middle(self) -> float:
        """Midway between low and high."""
        return 0.5 * (self.low + self.high)

    def numbers(self, labels: Iterable[Any]) -> np.ndarray:
        """Labels as numbers of classes, (samples,) int64.

        Raises
        ------
        InputError
            A label is missing, or of no class.
        """
        known = {name: number for number, name in enumerate(self.names)}
        found = names_of(labels)
        for sample, name in enumerate(found):
            if name not in known:
                raise InputError(
                    f"labels: must be of the classes {listed(self.names, NAMED)} (got {name!r} in sample {sample})"
                )
        return np.array([known[name] for name in found], dtype=np.int64)

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        """Outputs that stand for classes, by number, (samples, outputs) float64."""
        high = numbers[:, None] == (1 if self.outputs == 1 else np.arange(self.outputs))
        return np.where(high, self.high, self.low)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """How much speaks for each class, (samples, classes, ...): its output, or what mirrors the only one at midway.

        Parameters
        ----------
        outputs : (samples, outputs, ...) float64
        """
        if self.outputs == 1:
            return np.concatenate([2.0 * self.middle - outputs, outputs], axis=1)
        return outputs

    def decide(self, outputs: np.ndarray) -> np.ndarray:
        """Numbers of the classes that outputs stand for, (samples, ...) int64; the first class where two are equal.

        Parameters
        ----------
        outputs : (samples, outputs, ...) float64
        """
        if self.outputs == 1:
            return (outputs[:, 0] > self.middle).astype(np.int64)
        return np.argmax(outputs, axis=1)


NAMED = 10  # classes in a message, of many


def names_of(labels: Iterable[Any]) -> list[str]:
    """The name of each label's class.

    Raises
    ------
    InputError
        A label is missing: nothing, NaN or an empty text.
    """
    names = []
    for sample, label in enumerate(labels):
        if np.ndim(label):
            raise InputError(f"labels: must be of shape (samples,), one for each (got {label!r} for sample {sample})")
        names.append(name_of(label))
        if is_missing(label) or not names[-1]:
            raise InputError(f"labels: the label of sample {sample} is missing (got {label!r}); leave the sample out")
    return names


def name_of(label: Any) -> str:
    """A label as the name of its class: whole numbers without a point, texts with single blanks between words."""
    value = label.item() if isinstance(label, np.generic) else label
    return " ".join(str(int(value) if isinstance(value, float) and value.is_integer() else value).split())


def refuse_unprintable(field: str, names: Iterable[str]) -> None:
    """Refuse names that no table can show."""
    for name in names:
        if not name.isprintable():
            raise InputError(f"{field}: must be of characters that can be printed (got {name!r})")


def is_missing(label: Any) -> bool:
    """Whether a label is none: None, NaN, or what pandas has in their place."""
    try:
        return label is None or bool(label != label)  # noqa: PLR0124 (NaN)
    except TypeError:  # of pandas
        return True


def _is_number(name: str) -> bool:
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False
