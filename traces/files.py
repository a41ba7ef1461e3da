"""What lies at a path: a file that can be read to its end, or something that is none."""

import os
import stat
from pathlib import Path

import h5py

from .errors import NotARunFileError


def absolute(path: Path) -> Path:
    """A path without links, from the root: also of what is not there, and of links that lead in a circle."""
    return Path(os.path.abspath(path) if "\0" in str(path) else os.path.realpath(path))


def refuse_what_is_no_file(path: Path) -> None:
    """Refuse a path at which no regular file is: reading a pipe or a device may never end.

    Raises
    ------
    NotARunFileError
        With one line that says what is there.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise NotARunFileError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NotARunFileError(f"{path}: cannot be read: {said}") from None
    if stat.S_ISDIR(mode):
        raise NotARunFileError(f"{path}: is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise NotARunFileError(f"{path}: is a pipe, a socket or a device; save what it gives to a file, and name that")


def is_hdf5(path: Path) -> bool:
    """Whether a file can be read, and begins as one of HDF5."""
    try:
        return path.is_file() and bool(h5py.is_hdf5(path))
    except OSError:  # of what reads it otherwise the reason is told
        return False
