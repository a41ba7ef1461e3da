"""Room on the disk, asked for before it is needed: a full disk must not catch HDF5 in the middle of its own tables."""

import errno
import shutil
import sys
from pathlib import Path

MARGIN = 1 << 20  # bytes, for HDF5's own tables


class DiskFullError(OSError):
    """There is no room for what is to be written next."""


def require(path: Path, size: int) -> None:
    """Refuse to write ``size`` bytes more to a file where they may not fit.

    Raises
    ------
    DiskFullError
        The file system, or the limit on a file's size, leaves less.
    """
    needed = size + MARGIN
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise DiskFullError(errno.ENOSPC, f"the disk is full: {free:,} bytes are free and {needed:,} are needed")
    limit = _file_size_limit()
    if limit is not None and path.stat().st_size + needed > limit:
        raise DiskFullError(errno.EFBIG, f"the file would exceed the limit of {limit:,} bytes on a file's size")


def _file_size_limit() -> int | None:
    """The process's limit on the size of a file in bytes; None where there is none."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft
