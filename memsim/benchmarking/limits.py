"""The machine's own limits: what no program can do faster."""

import os
from pathlib import Path

import numpy as np

from .timing import Effort, taking_turns

COPIED_BYTES = 64 << 20
WRITTEN_BYTES = 64 << 20


def write_plainly(path: Path, size: int) -> None:
    """Write as many bytes as asked for with plain calls, a mebibyte each."""
    piece = np.random.default_rng(0).bytes(1 << 20)
    with path.open("wb", buffering=0) as file:
        for start in range(0, size, len(piece)):
            file.write(piece[: size - start])


def write_through(path: Path, size: int) -> None:
    """Write a file, and wait until the disk has it."""
    write_plainly(path, size)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def measure_limits(folder: Path, effort: Effort) -> dict[str, float]:
    """Memory copy, store fill and disk write, the best of some turns.

    Parameters
    ----------
    folder : Path
        On the disk that is written to.
    effort : Effort

    Returns
    -------
    dict
        Name to GB/s. A copy counts what it reads and what it writes. A plain
        write ends when the system has the bytes, one through to the disk when
        the disk has them.
    """
    source, target = np.zeros(COPIED_BYTES // 8), np.zeros(COPIED_BYTES // 8)
    path = folder / "limit"
    times = taking_turns(
        {
            "memory_copy_gb_per_s": lambda: np.copyto(target, source),
            "store_fill_gb_per_s": lambda: target.fill(1.0),
            "plain_write_gb_per_s": lambda: write_plainly(path, WRITTEN_BYTES),
            "disk_write_gb_per_s": lambda: write_through(path, WRITTEN_BYTES),
        },
        Effort(effort.turn_seconds, min(effort.turns, 5), effort.case_seconds),
    )
    path.unlink()
    sizes = {"memory_copy_gb_per_s": 2 * COPIED_BYTES, "store_fill_gb_per_s": COPIED_BYTES}
    return {name: sizes.get(name, WRITTEN_BYTES) / taken.minimum / 1e9 for name, taken in times.items()}


class MemoryCopy:
    """Copies three arrays of a bank's length: what a pulse must read and write of memory at least.

    Parameters
    ----------
    elements : int
        Devices.
    """

    def __init__(self, elements: int) -> None:
        self._source, self._target = np.zeros((2, 3 * elements))

    def __call__(self, count: int) -> None:
        """Copy so many times."""
        for _ in range(count):
            np.copyto(self._target, self._source)
