"""The samples of a run in its file: what was learned, what was held back, and what the numbers stand for."""

from dataclasses import dataclass, field

import numpy as np

from .doubted import DoubtedFile

SCALINGS = ("range", "common-range", "standard")
HELD_BACK = {"validation": "held back for validation", "test": "held back for a test"}
KINDS = ("inputs", "targets")
LINES = ("offset", "factor", "lowest", "highest")
OWN = {"own": True}  # what differs from run to run, also where two files are else alike


@dataclass(frozen=True)
class StoredClasses:
    """Classes by name, and the targets of a class's own output, ``high``, and of the others, ``low``."""

    names: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True)
class StoredScaling:
    """How inputs became currents: ``(input - offset) * factor``; the range that was seen; (inputs,) float64 each."""

    kind: str
    offset: np.ndarray = field(metadata=OWN)
    factor: np.ndarray = field(metadata=OWN)
    lowest: np.ndarray = field(metadata=OWN)
    highest: np.ndarray = field(metadata=OWN)


@dataclass(frozen=True)
class StoredDataset:
    """The samples that a run learned, (samples, n) float64 each, and those that were held back.

    Attributes
    ----------
    inputs, targets : (samples, n) float64
    name : str
    validation, test : StoredDataset or None
    classes : StoredClasses or None
    features : tuple of str
        Names of the inputs; empty where they have none.
    scaling : StoredScaling or None
    clipped : int
        Inputs that were beyond the scaling's range, and set to its end.
    """

    inputs: np.ndarray = field(metadata=OWN)
    targets: np.ndarray = field(metadata=OWN)
    name: str
    validation: "StoredDataset | None" = None
    test: "StoredDataset | None" = None
    classes: StoredClasses | None = None
    features: tuple[str, ...] = ()
    scaling: StoredScaling | None = None
    clipped: int = 0

    @property
    def held_back(self) -> "dict[str, StoredDataset]":
        """The parts that are not learned, by name, as far as there are."""
        parts = {"validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}


def path_of(part: str, name: str) -> str:
    """Where inputs or targets lie in a file: of what is learned, or of a part that was held back."""
    return f"dataset/{part}_{name}" if part else f"dataset/{name}"


# Reading.


def read_dataset(file: DoubtedFile) -> StoredDataset:
    """The samples that a file holds, with all that it says of them.

    Raises
    ------
    NotARunFileError
        What it says does not fit.
    """
    found = StoredDataset(
        *_samples(file, ""), file.label("dataset", "name"), classes=_classes(file), features=_features(file),
        scaling=_scaling(file),
    )  # fmt: skip
    _check_widths(file, found)
    return StoredDataset(
        found.inputs, found.targets, found.name, _part(file, "validation", found), _part(file, "test", found),
        found.classes, found.features, found.scaling,
    )  # fmt: skip


def _samples(file: DoubtedFile, part: str) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets = (file.read(path_of(part, name), ndim=2, kind="f") for name in KINDS)
    if len(inputs) != len(targets) or 0 in (*inputs.shape, *targets.shape):
        raise file.broken(f"its samples {part and f'for {part} '}are missing, or not as many as their targets")
    return inputs, targets


def _part(file: DoubtedFile, name: str, learned: StoredDataset) -> StoredDataset | None:
    """What was held back, which is like what was learned."""
    if not file.has(f"dataset/{name}_inputs"):
        return None
    inputs, targets = _samples(file, name)
    if (inputs.shape[1], targets.shape[1]) != (learned.inputs.shape[1], learned.targets.shape[1]):
        raise file.broken(f"the samples that were {HELD_BACK[name]} are not like the others")
    clipped = 0 if learned.scaling is None else file.integer("dataset", f"{name}_clipped")
    if not 0 <= clipped <= inputs.size:
        raise file.broken(f"dataset.{name}_clipped is {clipped}, of {inputs.size} values")
    return StoredDataset(
        inputs, targets, f"{learned.name}.{name}", classes=learned.classes, features=learned.features,
        scaling=learned.scaling, clipped=clipped,
    )  # fmt: skip


def _names(file: DoubtedFile, path: str) -> tuple[str, ...]:
    names = tuple(file.texts(path))
    if len(set(names)) != len(names) or not all(name.isprintable() for name in names):
        raise file.broken(f"{path} are no names that differ and can be printed")
    return names


def _features(file: DoubtedFile) -> tuple[str, ...]:
    return _names(file, "dataset/input_name") if file.has("dataset/input_name") else ()


def _classes(file: DoubtedFile) -> StoredClasses | None:
    if not file.has("dataset/class_name"):
        return None
    low, high = (file.number("dataset", name) for name in ("low", "high"))
    if not low < high:
        raise file.broken(f"dataset.low is {low}, and dataset.high is {high}")
    return StoredClasses(_names(file, "dataset/class_name"), low, high)


def _scaling(file: DoubtedFile) -> StoredScaling | None:
    if not file.has_attribute("dataset", "scaling"):
        return None
    kind = file.label("dataset", "scaling")
    if kind not in SCALINGS:
        raise file.broken(f"dataset.scaling is {kind!r}")
    offset, factor, lowest, highest = (file.read(f"dataset/{name}", ndim=1, kind="f") for name in LINES)
    if not all(np.isfinite(values).all() for values in (offset, factor, lowest, highest)):
        raise file.broken("its scaling is not finite")
    return StoredScaling(kind, offset, factor, lowest, highest)


def _check_widths(file: DoubtedFile, data: StoredDataset) -> None:
    """Names and scaling are of each input, classes of the outputs."""
    columns, outputs = data.inputs.shape[1], data.targets.shape[1]
    if data.features and len(data.features) != columns:
        raise file.broken(f"dataset/input_name names {len(data.features)} of {columns} inputs")
    if data.scaling is not None:
        lines = [getattr(data.scaling, name) for name in LINES]
        if {values.shape for values in lines} != {(columns,)} or (lines[2] > lines[3]).any():
            raise file.broken(f"its scaling is not of {columns} inputs")
    if data.classes is not None:
        count = len(data.classes.names)
        if count < 2 or (outputs != count and (outputs, count) != (1, 2)):
            raise file.broken(f"it has {count} classes on {outputs} outputs")
