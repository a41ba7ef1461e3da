"""Data sets: samples as numbers, which the network sees as currents."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .configuration import DataSection
from .errors import InputError
from .tables import column, read_columns

if TYPE_CHECKING:
    from .traces.stored import StoredDataset

# All functions of two inputs x1, x2: outputs for the inputs 00, 01, 10, 11.
GATES = {
    "contradiction": (0, 0, 0, 0),
    "and": (0, 0, 0, 1),
    "nimply": (0, 0, 1, 0),  # x1 and not x2
    "x1": (0, 0, 1, 1),
    "converse-nimply": (0, 1, 0, 0),  # x2 and not x1
    "x2": (0, 1, 0, 1),
    "xor": (0, 1, 1, 0),
    "or": (0, 1, 1, 1),
    "nor": (1, 0, 0, 0),
    "xnor": (1, 0, 0, 1),
    "not-x2": (1, 0, 1, 0),
    "converse-imply": (1, 0, 1, 1),  # x1 or not x2
    "not-x1": (1, 1, 0, 0),
    "imply": (1, 1, 0, 1),  # x2 or not x1
    "nand": (1, 1, 1, 0),
    "tautology": (1, 1, 1, 1),
}
VALIDATION = 1  # tells the draw of what is held back from that of a gate's samples
PATTERNS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


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
    """

    inputs: np.ndarray
    targets: np.ndarray
    name: str = "arrays"
    validation: "Dataset | None" = None

    def __post_init__(self) -> None:
        for field in ("inputs", "targets"):
            values = np.ascontiguousarray(getattr(self, field), dtype=np.float64)
            if values.ndim != 2 or 0 in values.shape:
                raise InputError(f"{self.name}.{field}: must have shape (samples, n), none 0 (got {values.shape})")
            if not np.isfinite(values).all():
                where = np.argwhere(~np.isfinite(values))[0]
                value = values[tuple(where)]
                raise InputError(f"{self.name}.{field}: must be finite (got {value} in sample {where[0]})")
            object.__setattr__(self, field, values)
        if len(self.inputs) != len(self.targets):
            raise InputError(
                f"{self.name}.targets: must have as many samples as inputs, {len(self.inputs)} "
                f"(got {len(self.targets)})"
            )
        if self.validation is not None:
            self._refuse_other_widths(self.validation)

    def _refuse_other_widths(self, validation: "Dataset") -> None:
        for field in ("inputs", "targets"):
            wanted, found = (getattr(each, field).shape[1] for each in (self, validation))
            if found != wanted:
                raise InputError(f"{self.name}.validation.{field}: must have {wanted} columns (got {found})")

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Inputs and targets, of the samples to learn and then of those held back."""
        return (self.inputs, self.targets, *(self.validation.arrays if self.validation else ()))


def with_constant_line(inputs: np.ndarray, wanted: bool) -> np.ndarray:
    """Inputs as the network sees them: with a last column of ones where it has a constant input line."""
    return np.hstack([inputs, np.ones((len(inputs), 1))]) if wanted else inputs


def split(data: Dataset, share: float, seed: int = 0) -> Dataset:
    """Hold a share of the samples back for validation; the others keep their order.

    Parameters
    ----------
    data : Dataset
    share : float
        From 0 up to 1, 1 not included; 0 holds nothing back.
    seed : int
        Of the draw (NumPy's default generator).

    Raises
    ------
    InputError
        The share is no whole sample, or leaves none to learn.
    """
    if share == 0.0:
        return data
    if data.validation is not None:
        raise InputError(f"data.validation: must be 0 for data that bring samples for validation (got {share:g})")
    samples, count = len(data.inputs), round(share * len(data.inputs))
    if not 0 < count < samples:
        raise InputError(
            f"data.validation: must hold back at least one of {samples} samples, and leave one (got {share:g}, that is "
            f"{count})"
        )
    held_back = np.zeros(samples, dtype=bool)
    held_back[np.random.default_rng((seed, VALIDATION)).permutation(samples)[:count]] = True
    validation = Dataset(data.inputs[held_back], data.targets[held_back], f"{data.name}.validation")
    return Dataset(data.inputs[~held_back], data.targets[~held_back], data.name, validation)


def of_stored(stored: "StoredDataset") -> Dataset:
    """The samples of a run file."""
    validation = of_stored(stored.validation) if stored.validation else None
    return Dataset(np.asarray(stored.inputs), np.asarray(stored.targets), stored.name, validation)


def gate(name: str, samples: int = 100, seed: int = 0) -> Dataset:
    """Randomly drawn samples of a two-input logic gate, labelled.

    Parameters
    ----------
    name : str
        One of ``GATES``.
    samples : int
        How many, 1 or more; each input is 0 or 1 with equal chance.
    seed : int
        Seed of the draw (NumPy's default generator).
    """
    truth = gate_truth(name)
    if samples < 1:
        raise InputError(f"samples: must be 1 or more (got {samples})")
    inputs = np.random.default_rng(seed).integers(0, 2, size=(samples, 2))
    return Dataset(inputs.astype(float), truth[2 * inputs[:, 0] + inputs[:, 1]][:, None], name.lower())


def balanced_gate(name: str, samples: int = 100) -> Dataset:
    """The four patterns of a gate in turn, as often as each other."""
    pattern = np.arange(samples) % 4
    return Dataset(PATTERNS[pattern], gate_truth(name)[pattern][:, None], f"{name.lower()} (balanced)")


def gate_truth(name: str) -> np.ndarray:
    """Outputs of a gate for the inputs 00, 01, 10, 11, (4,) float64."""
    if name.lower() not in GATES:
        raise InputError(f"data.gate: must be one of {', '.join(GATES)} (got {name!r})")
    return np.array(GATES[name.lower()], dtype=np.float64)


def load(section: DataSection) -> Dataset:
    """The data set that a configuration names, with what it holds back."""
    return split(_load(section), section.validation, section.seed)


def _load(section: DataSection) -> Dataset:
    if section.gate is not None:
        return gate(section.gate, section.samples, section.seed)
    if section.csv is None:
        raise InputError("data.arrays: were given from Python; run the run file itself, which holds them")
    path = Path(section.csv)
    table = read_columns(path)
    columns = {
        k: np.stack([column(table, n, path) for n in getattr(section, k)], axis=1) for k in ("inputs", "targets")
    }
    return Dataset(columns["inputs"], columns["targets"], path.name)
