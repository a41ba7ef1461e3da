"""Data sets as a run file holds them, and back."""

from ..traces.samples import StoredClasses, StoredDataset, StoredScaling
from .classes import Classes
from .dataset import Dataset
from .scaling import Scaling


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
