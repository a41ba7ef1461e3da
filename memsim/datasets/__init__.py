"""Data sets: samples as numbers, which the network sees as currents."""

from .classes import Classes
from .configured_data import load
from .dataset import Dataset, labelled, of_stored, scaled, table_of, with_constant_line
from .gates import GATES, PATTERNS, balanced_gate, gate, gate_truth
from .scaling import Kind, Scaling
from .splitting import split

__all__ = [
    "GATES", "PATTERNS", "Classes", "Dataset", "Kind", "Scaling", "balanced_gate", "gate", "gate_truth",
    "labelled", "load", "of_stored", "scaled", "split", "table_of", "with_constant_line",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__"])  # the pages of the reference look for __all__ here
