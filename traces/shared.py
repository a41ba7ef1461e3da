"""Files that grow while they are read: opened once in a process, however many readers they have.

HDF5 shares an open file within a process, but not what it is told of the
file's growth: of two readers that opened it apart, one would see rows that the
other's tables do not know.
"""

import contextlib
import threading
from pathlib import Path

import h5py

from .hdf5 import opened

_LOCK = threading.Lock()
_OPEN: dict[tuple[int, int], tuple[h5py.File, int]] = {}  # by device and inode: file, readers


def open_growing(path: Path) -> h5py.File:
    """Open a file that another process may be writing; give it back with :func:`release`."""
    about = path.stat()
    key = about.st_dev, about.st_ino
    with _LOCK:
        file, readers = _OPEN.get(key, (None, 0))
        if file is None or not file:
            file, readers = opened(path, swmr=True), 0
        _OPEN[key] = file, readers + 1
        return file


def is_open(path: Path) -> bool:
    """Whether this process has opened a file by :func:`open_growing`."""
    about = path.stat()
    file, _ = _OPEN.get((about.st_dev, about.st_ino), (None, 0))
    return bool(file)


def release(file: h5py.File) -> None:
    """Close a file, where no other reader has it open."""
    with _LOCK:
        for key, (each, readers) in list(_OPEN.items()):
            if each is file:
                if readers > 1:
                    _OPEN[key] = file, readers - 1
                    return
                del _OPEN[key]
        with contextlib.suppress(ValueError):  # is closed already
            file.close()
