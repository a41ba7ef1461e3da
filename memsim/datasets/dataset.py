"""A data set: samples to learn, those held back, and what their numbers stand for; and as a run file holds them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..errors import InputError
from ..fields import listed
from ..traces.samples import StoredClasses, StoredDataset, StoredScaling
from .classes import Classes, refuse_unprintable
from .scaling import Beyond, Kind, Scaling


@dataclass(frozen=True)
class Dataset:
    """Samples to learn.

    Attributes
    ----------
    inputs : (samples, inputs) float64
        In units of the network's unit current.
    targets : (samples, outputs) float64
    name : str
    validation : Dataset, optional
        Samples that are not learned; the error over them is measured after each epoch.
    test : Dataset, optional
        Samples that the run never sees; what was learned is told by them.
    classes : Classes, optional
        What the targets stand for.
    features : tuple of str
        Names of the inputs; empty where they have none.
    scaling : Scaling, optional
        How the inputs became currents.
    clipped : int
        Values of these inputs that were beyond the scaling's range, and set to its end.
    beyond : str
        What becomes of inputs beyond the scaling's range, here and when the network is asked later:
        ``clip`` or ``refuse``.
    numbers : (samples,) int64, optional
        The samples' numbers in the data that they were split from, for messages.
    """

    inputs: np.ndarray
    targets: np.ndarray
    name: str = "arrays"
    validation: "Dataset | None" = None
    test: "Dataset | None" = None
    classes: Classes | None = None
    features: tuple[str, ...] = ()
    scaling: Scaling | None = None
    clipped: int = 0
    beyond: Beyond = "clip"
    numbers: np.ndarray | None = None

    def __post_init__(self) -> None:
        for field, names in (("inputs", self.features), ("targets", ())):
            object.__setattr__(self, field, table_of(f"{self.name}.{field}", getattr(self, field), names))
        self._refuse_other_lengths()
        for kind, part in self.held_back.items():
            self._refuse_other_columns(kind, part)

    def _refuse_other_lengths(self) -> None:
        """Refuse targets, names, classes or a scaling that are not as many as they describe."""
        samples, columns = self.inputs.shape
        if len(self.targets) != samples:
            raise InputError(
                f"{self.name}.targets: must have as many samples as inputs, {samples} (got {len(self.targets)})"
            )
        refuse_unprintable(f"{self.name}.features", self.features)
        if self.features and len(self.features) != columns:
            raise InputError(f"{self.name}.features: must be {columns}, one for each input (got {len(self.features)})")
        if len(set(self.features)) != len(self.features):
            raise InputError(f"{self.name}.features: must be given once each (got {', '.join(self.features)})")
        if self.scaling and len(self.scaling.offset) != columns:
            raise InputError(f"{self.name}.scaling: must be of {columns} inputs (got {len(self.scaling.offset)})")
        if self.classes and self.classes.outputs != self.targets.shape[1]:
            raise InputError(
                f"{self.name}.targets: must have {self.classes.outputs} columns, as its classes have outputs (got "
                f"{self.targets.shape[1]})"
            )

    def _refuse_other_columns(self, kind: str, part: "Dataset") -> None:
        """Refuse a part that is held back whose numbers stand for something else."""
        for field in ("inputs", "targets"):
            wanted, found = (getattr(each, field).shape[1] for each in (self, part))
            if found != wanted:
                raise InputError(f"{self.name}.{kind}.{field}: must have {wanted} columns (got {found})")
        if part.classes != self.classes:
            raise InputError(
                f"{self.name}.{kind}.classes: must be those of the samples to learn (got {_named(part.classes)}, not "
                f"{_named(self.classes)}); labelled(..., classes=...) takes known ones"
            )
        if (part.scaling is None) != (self.scaling is None) or (
            part.scaling and self.scaling and not part.scaling.is_same(self.scaling)
        ):
            raise InputError(
                f"{self.name}.{kind}.scaling: must be that of the samples to learn; scale the data set as a whole"
            )

    @property
    def held_back(self) -> "dict[str, Dataset]":
        """The parts that are not learned, by name: ``validation``, ``test``, as far as there are."""
        parts = {"validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Inputs and targets, of the samples to learn and then of those held back."""
        return (self.inputs, self.targets, *(array for part in self.held_back.values() for array in part.arrays))

    def same_samples(self, other: "Dataset") -> bool:
        """Whether another data set has equal samples, of the same classes, and holds the same ones back."""
        parts = self.held_back.keys() == other.held_back.keys()
        return parts and self.classes == other.classes and all(map(np.array_equal, self.arrays, other.arrays))

    @property
    def class_numbers(self) -> np.ndarray:
        """Number of each sample's class, (samples,) int64; only of a data set with classes."""
        assert self.classes is not None
        return self.classes.decide(self.targets)

    def only(self, chosen: np.ndarray) -> Self:
        """Some of the samples to learn; ``chosen`` (samples,) bool."""
        numbers = np.arange(len(self.inputs)) if self.numbers is None else self.numbers
        return replace(
            self, inputs=self.inputs[chosen], targets=self.targets[chosen], validation=None, test=None,
            numbers=numbers[chosen],
        )  # fmt: skip

    def on(self, outputs: int) -> Self:
        """The samples, where they have two classes, on one output or on two.

        Raises
        ------
        InputError
            The classes do not fit the number of outputs.
        """
        if self.classes is None or outputs == self.classes.outputs:
            return self
        classes = self.classes.on(outputs)
        return replace(
            self, classes=classes, targets=classes.targets(self.class_numbers),
            validation=self.validation and self.validation.on(outputs), test=self.test and self.test.on(outputs),
        )  # fmt: skip


def labelled(
    inputs: np.ndarray, labels: Iterable[Any], name: str = "arrays", *, low: float = 0.0, high: float = 1.0,
    features: Sequence[str] = (), classes: Classes | None = None,
) -> Dataset:  # fmt: skip
    """Samples of classes.

    Parameters
    ----------
    inputs : (samples, inputs) float64
    labels : (samples,)
        Texts or numbers.
    name : str
    low, high : float
        Target outputs of the classes that a sample is not of, and of its own.
    features : sequence of str
        Names of the inputs.
    classes : Classes, optional
        Known ones, with their targets; those of the labels where not given.

    Raises
    ------
    InputError
        All samples are of one class, or a label is missing or none of the known classes.
    """
    found = list(labels)
    classes = classes or Classes.of(found, low, high)
    return Dataset(inputs, classes.targets(classes.numbers(found)), name, classes=classes, features=tuple(features))


def scaled(data: Dataset, kind: Kind, *, ends: tuple[float, float] = (0.0, 1.0), beyond: Beyond = "clip") -> Dataset:
    """A data set with inputs as currents, by a scaling that is calibrated on the samples to learn alone.

    Parameters
    ----------
    data : Dataset
        With inputs in units of their own.
    kind, ends
        As of :meth:`Scaling.fit`.
    beyond : str
        What becomes of samples that are held back and are beyond the range, as of :meth:`Scaling.apply`; of inputs
        that the trained network is asked for later, too.

    Raises
    ------
    InputError
        A column cannot be scaled so, or a value is beyond the range and ``beyond`` is ``refuse``.
    """
    if kind == "none":
        return data
    if data.scaling is not None:
        raise InputError(f"data.scaling: must be 'none' for data that are scaled already (got {kind!r})")
    scaling = Scaling.fit(data.inputs, kind, ends=ends, features=data.features)
    learned = _by(scaling, data.only(np.ones(len(data.inputs), dtype=bool)), beyond)
    return replace(
        learned, validation=data.validation and _by(scaling, data.validation, beyond),
        test=data.test and _by(scaling, data.test, beyond),
    )  # fmt: skip


def _by(scaling: Scaling, data: Dataset, beyond: Beyond) -> Dataset:
    inputs, clipped = scaling.apply(data.inputs, beyond, data.name, data.numbers)
    return replace(data, inputs=inputs, scaling=scaling, clipped=clipped, beyond=beyond)


def table_of(field: str, values: Any, names: Sequence[str] = ()) -> np.ndarray:
    """Values as (samples, n) float64, all finite.

    Parameters
    ----------
    field : str
        What they are, for messages.
    values : array-like
    names : sequence of str
        Of the columns.

    Raises
    ------
    InputError
        They are no such numbers; a missing one is named by its row and column.
    """
    try:
        table = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{field}: must be a table of numbers, (samples, n){_beside_numbers(values)}") from None
    if table.ndim != 2 or 0 in table.shape:
        advice = "; reshape((-1, 1)) makes one column of it, reshape((1, -1)) one sample" if table.ndim == 1 else ""
        raise InputError(f"{field}: must have shape (samples, n), none 0 (got {table.shape}){advice}")
    if not np.isfinite(table).all():
        row, column = map(int, np.argwhere(~np.isfinite(table))[0])
        found = "NaN" if np.isnan(table[row, column]) else f"{table[row, column]:g}"
        name = repr(names[column]) if column < len(names) else f"column {column}"
        raise InputError(
            f"{field}: must be finite (got {found} in row {row}, {name}); give the value, or leave the row out"
        )
    return table


def _beside_numbers(values: Any) -> str:
    """What keeps values from being a table of numbers, where that is plain to see."""
    if hasattr(values, "toarray"):
        return f" (got {type(values).__name__}); toarray() makes one of it"
    columns = getattr(values, "dtypes", {})  # of a table of pandas, by column
    others = [column for column in getattr(values, "columns", ()) if columns[column].kind not in "biuf"]
    return f"; leave out, or write as numbers, {listed(others)}" if others else ""


def _named(classes: Classes | None) -> str:
    return "none" if classes is None else f"{', '.join(classes.names)} on {classes.outputs}"


def with_constant_line(inputs: np.ndarray, wanted: bool) -> np.ndarray:
    """Inputs as the network sees them: with a last column of ones where it has a constant input line."""
    return np.hstack([inputs, np.ones((len(inputs), 1))]) if wanted else inputs


def to_store(data: Dataset) -> StoredDataset:
    """A data set for a run file."""
    parts = {name: to_store(part) for name, part in data.held_back.items()}
    classes, scaling = data.classes, data.scaling
    return StoredDataset(
        data.inputs, data.targets, data.name, parts.get("validation"), parts.get("test"),
        StoredClasses(classes.names, classes.low, classes.high) if classes is not None else None, data.features,
        StoredScaling(scaling.kind, scaling.offset, scaling.factor, scaling.lowest, scaling.highest)
        if scaling is not None and scaling.kind != "none" else None,
        data.clipped,
    )  # fmt: skip


def of_stored(stored: StoredDataset) -> Dataset:
    """The samples of a run file."""
    parts = {name: of_stored(part) for name, part in stored.held_back.items()}
    classes, scaling = stored.classes, stored.scaling
    outputs = stored.targets.shape[1]
    return Dataset(
        stored.inputs, stored.targets, stored.name, parts.get("validation"), parts.get("test"),
        Classes(classes.names, classes.low, classes.high, outputs) if classes is not None else None, stored.features,
        Scaling(**vars(scaling), features=stored.features) if scaling is not None else None, stored.clipped,
    )  # fmt: skip
