"""Logic gates of two inputs."""

import numpy as np

from ..errors import InputError
from ..fields import one_of
from ..files.memory import require_memory
from .dataset import Dataset

SAMPLE_BYTES = 72  # of what is drawn, and of the data set

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
PATTERNS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


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
    require_memory(samples * SAMPLE_BYTES, f"data.samples: {samples:,} samples", "take fewer")
    inputs = np.random.default_rng(seed).integers(0, 2, size=(samples, 2))
    return Dataset(inputs.astype(float), truth[2 * inputs[:, 0] + inputs[:, 1]][:, None], name.lower())


def balanced_gate(name: str, samples: int = 100) -> Dataset:
    """The four patterns of a gate in turn, as often as each other."""
    pattern = np.arange(samples) % 4
    return Dataset(PATTERNS[pattern], gate_truth(name)[pattern][:, None], f"{name.lower()} (balanced)")


def gate_truth(name: str) -> np.ndarray:
    """Outputs of a gate for the inputs 00, 01, 10, 11, (4,) float64."""
    if name.lower() not in GATES:
        raise InputError(f"data.gate: must be {one_of(GATES, name)}")
    return np.array(GATES[name.lower()], dtype=np.float64)
