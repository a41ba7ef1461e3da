"""Before an export: where it goes, how large it will be, about, and whether there is room for it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.memory import in_bytes
from .csv_table import channel_lines, step_lines
from .excerpt import Kept
from .npz import STEP_ARRAYS

# Bytes of a number, measured.
# From one step to the next few numbers change, and from one sample to the next nearly all.
PARQUET_BYTES = 1.0, 8.0
VCD_BYTES = 2.0, 18.0
SAMPLED_STEPS = 64  # whose cells are measured


@dataclass(frozen=True)
class Size:
    """The size of an export.

    Attributes
    ----------
    steps, channels : int
        That are kept; each of the channels has a number in each of the steps.
    size : float
        Bytes that it takes on the disk while it is written, about.
    packed : bool
        Whether they are packed at the end, to fewer.
    """

    steps: int
    channels: int
    size: float
    packed: bool = False

    @property
    def numbers(self) -> int:
        """Rows of the tidy table."""
        return self.steps * self.channels

    def __str__(self) -> str:
        """In words: ``1,782,000 rows (66,000 steps of 27 channels), about 115 MB``."""
        rows = f"{self.numbers:,} rows ({self.steps:,} steps of {self.channels:,} channels)"
        return f"{rows}, about {in_bytes(self.size)}{' before they are packed' if self.packed else ''}"


def size_of(excerpt: Kept, name: str) -> Size:
    """About how large an export in a format will be; nothing is read for it.

    Parameters
    ----------
    excerpt : Kept
    name : {"csv", "parquet", "vcd", "npz"}
        Of NPZ it is the size of the arrays before they are packed, which lie beside the target until then.
    """
    each = {"csv": _csv_step, "npz": _npz_step, "parquet": _parquet_step, "vcd": _vcd_step}[name]
    return Size(excerpt.rows, len(excerpt.channels), excerpt.rows * each(excerpt), packed=name == "npz")


def require_room(size: Size, path: Path) -> None:
    """Refuse what the disk has no room for.

    Raises
    ------
    InputError
    """
    free = shutil.disk_usage(path.parent).free
    if size.size > free:
        raise InputError(
            f"{path}: {size}, and {in_bytes(free)} are free there; "
            "choose a span, fewer channels or a stride, or name a file on another disk"
        )


def _csv_step(excerpt: Kept) -> float:
    """Bytes of all lines of a step."""
    places = np.unique(np.linspace(0, excerpt.rows - 1, SAMPLED_STEPS).astype(np.int64))
    lines = list(step_lines(excerpt, excerpt.start + places * excerpt.stride))
    shared = sum(map(len, lines)) / len(lines) + 1.0 + excerpt.value_bytes
    return sum(len(cells) + shared for cells in channel_lines(excerpt))


def _npz_step(excerpt: Kept) -> float:
    return 8.0 * len(excerpt.channels) + sum(np.dtype(kind).itemsize for kind in STEP_ARRAYS.values())


def _parquet_step(excerpt: Kept) -> float:
    return len(excerpt.channels) * _between(excerpt, *PARQUET_BYTES)


def _vcd_step(excerpt: Kept) -> float:
    return len(excerpt.channels) * _between(excerpt, *VCD_BYTES)


def _between(excerpt: Kept, every_step: float, every_sample: float) -> float:
    """Bytes of a number at the excerpt's stride."""
    return every_step + excerpt.changing * (every_sample - every_step)
