"""Scaling: inputs in the data's own units as currents, in units of the network's unit current."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from ..errors import InputError

Kind = Literal["none", "range", "common-range", "standard"]
Beyond = Literal["refuse", "clip"]


@dataclass(frozen=True)
class Scaling:
    """A line for each column of the inputs: ``(input - offset) * factor``.

    Attributes
    ----------
    kind : str
        How it was calibrated.
    offset, factor, lowest, highest : (inputs,) float64
        Of the line, and the range of the samples that it was calibrated on.
        In the data's own units, ``factor`` in their inverse.
    features : tuple of str
        Names of the columns, for messages; numbers where there are none.
    """

    kind: str
    offset: np.ndarray
    factor: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    features: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, inputs: np.ndarray, kind: Kind, *, ends: tuple[float, float] = (0.0, 1.0), features: Sequence[str] = ()
    ) -> Self:
        """Calibrate on the training samples.

        Parameters
        ----------
        inputs : (samples, inputs) float64
        kind : str
            ``range`` puts each column's smallest and largest value on ``ends``;
            ``common-range`` those of all columns together, as of an image's pixels;
            ``standard`` gives each column a mean of 0 and a standard deviation of 1;
            ``none`` leaves all as it is.
        ends : (float, float)
            What a range becomes, in units of the unit current.
        features : sequence of str
            Names of the columns.

        Raises
        ------
        InputError
            A column is constant, or its range too large or too small, and cannot be scaled so.
        """
        if kind not in _LINES:
            raise InputError(f"scaling: must be one of {', '.join(_LINES)} (got {kind!r})")
        if not (np.isfinite(ends).all() and ends[0] < ends[1]):
            raise InputError(f"ends: must be the smallest and the largest value of a range (got {ends})")
        columns = inputs.shape[1]
        together = None if kind == "common-range" else 0
        lowest, highest = inputs.min(axis=together), inputs.max(axis=together)
        with np.errstate(all="ignore"):  # what is not finite is refused below
            line = _LINES[kind](inputs, lowest, highest, ends)
        offset, factor, lowest, highest = (np.broadcast_to(each, columns).copy() for each in (*line, lowest, highest))
        scaling = cls(kind, offset, factor, lowest, highest, tuple(features))
        scaling._refuse_constant()
        return scaling

    @classmethod
    def as_they_are(cls, inputs: np.ndarray, features: Sequence[str] = ()) -> Self:
        """Inputs unchanged, with the range of the training samples for those that come later."""
        lowest, highest = inputs.min(axis=0), inputs.max(axis=0)
        return cls("as they are", np.zeros_like(lowest), np.ones_like(lowest), lowest, highest, tuple(features))

    def _refuse_constant(self) -> None:
        """Refuse columns that have no range, or one of which no number is the inverse."""
        useless = ~(np.isfinite(self.factor) & np.isfinite(self.offset) & (self.factor != 0.0))
        if not useless.any():
            return
        constant = useless & (self.lowest == self.highest)
        if not constant.any():
            k = int(np.argmax(useless))
            raise InputError(
                f"data.scaling: {self.kind!r} cannot scale {self.feature(k)}, whose range from {self.lowest[k]:g} to "
                f"{self.highest[k]:g} is too large or too small; give it in another unit"
            )
        names = [f"{self.feature(int(k))} (always {self.lowest[k]:g})" for k in np.flatnonzero(constant)]
        if self.kind == "common-range":
            raise InputError(f"data.scaling: {self.kind!r} cannot scale inputs that are all {self.lowest[0]:g}")
        shown = ", ".join(names[:5]) + (f", ... ({len(names)})" if len(names) > 5 else "")
        raise InputError(
            f"data.scaling: {self.kind!r} cannot scale what is constant in the training samples: {shown}; leave "
            f"{'it' if len(names) == 1 else 'them'} out of the inputs, or take 'common-range', where all columns have "
            f"the same unit"
        )

    def feature(self, column: int) -> str:
        """A column's name, or its number."""
        return self.features[column] if self.features else f"column {column}"

    def is_same(self, other: "Scaling") -> bool:
        """Whether another scaling has the same lines and ranges."""
        lines = ("offset", "factor", "lowest", "highest")
        return self.kind == other.kind and all(np.array_equal(getattr(self, n), getattr(other, n)) for n in lines)

    def apply(
        self, inputs: np.ndarray, beyond: Beyond = "clip", name: str = "inputs", numbers: np.ndarray | None = None
    ) -> tuple[np.ndarray, int]:
        """Scale inputs.

        Parameters
        ----------
        inputs : (samples, inputs) float64
            In the data's own units.
        beyond : str
            What becomes of values outside the range of the training samples:
            ``clip`` sets them to its end, ``refuse`` raises.
        name : str
            Of the inputs, for messages.
        numbers : (samples,) int64, optional
            Of the samples, for messages; from 0 on where not given.

        Returns
        -------
        scaled : (samples, inputs) float64
            In units of the unit current.
        clipped : int
            Values that were set to the range's end.

        Raises
        ------
        InputError
            A value is outside the range, and ``beyond`` is ``refuse``.
        """
        if beyond not in get_args(Beyond):
            raise InputError(f"beyond: must be one of {', '.join(get_args(Beyond))} (got {beyond!r})")
        if self.kind == "none":
            return inputs, 0
        outside = (inputs < self.lowest) | (inputs > self.highest)
        if beyond == "refuse" and outside.any():
            sample, column = map(int, np.argwhere(outside)[0])
            number = sample if numbers is None else int(numbers[sample])
            others = int(outside.sum()) - 1
            raise InputError(
                f"{name}: {self.feature(column)} must be from {self.lowest[column]:.6g} to {self.highest[column]:.6g}, "
                f"the range of the training samples (got {inputs[sample, column]:.6g} in sample {number}"
                f"{f', and {others} more' if others else ''}); beyond = 'clip' takes the range's end"
            )
        return (np.clip(inputs, self.lowest, self.highest) - self.offset) * self.factor, int(outside.sum())


Line = tuple[np.ndarray | float, np.ndarray | float]  # offset and factor


def _unchanged(_: np.ndarray, __: np.ndarray, ___: np.ndarray, ____: tuple[float, float]) -> Line:
    return 0.0, 1.0


def _between(_: np.ndarray, lowest: np.ndarray, highest: np.ndarray, ends: tuple[float, float]) -> Line:
    factor = (ends[1] - ends[0]) / (highest - lowest)
    return lowest - ends[0] / factor, factor


def _standard(inputs: np.ndarray, lowest: np.ndarray, highest: np.ndarray, _: tuple[float, float]) -> Line:
    # The deviation of a constant column is not 0 where its mean is rounded.
    return inputs.mean(axis=0), 1.0 / np.where(lowest < highest, inputs.std(axis=0), 0.0)


_LINES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]], Line]] = {
    "none": _unchanged, "range": _between, "common-range": _between, "standard": _standard,
}  # fmt: skip
