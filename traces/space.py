"""Room on the disk, taken before it is needed: HDF5 loses data, and can crash, when one of its own writes fails."""

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

MARGIN = 1 << 20  # bytes, for HDF5's own tables
KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of fallocate(2)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFullError(OSError):
    """There is no room for what is to be written next."""


def require(path: Path, start: int, stop: int) -> None:
    """Have room for a file's bytes from ``start`` up to ``stop``, or refuse.

    Where the file system can, the room is reserved, so that nobody else takes
    it meanwhile; elsewhere it is only looked at.

    Raises
    ------
    DiskFullError
        The file system, a quota, or the limit on a file's size leaves less.
    """
    limit = _file_size_limit()
    if limit is not None and stop > limit:
        raise DiskFullError(errno.EFBIG, f"the file would exceed the limit of {limit:,} bytes on a file's size")
    length = stop - start
    if length > 0 and not _reserve(path, start, length):
        beyond = stop - path.stat().st_size
        free = shutil.disk_usage(path.parent).free
        if free < beyond:
            raise full(beyond)


def release(path: Path) -> None:
    """Give back what was reserved beyond the file's end."""
    os.truncate(path, path.stat().st_size)


def full(size: int) -> DiskFullError:
    """The error of so many bytes that do not fit."""
    return DiskFullError(errno.ENOSPC, f"the disk is full: there is no room for {size:,} bytes more")


def _reserve(path: Path, start: int, length: int) -> bool:
    """Reserve blocks for a stretch of a file, without a change of its size; False where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return False
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    descriptor = os.open(path, os.O_WRONLY)
    try:
        while fallocate(descriptor, KEEP_SIZE, start, length) != 0:
            reason = ctypes.get_errno()
            if reason in FULL:
                raise full(length)
            if reason != errno.EINTR:
                return False
        return True
    finally:
        os.close(descriptor)


def _file_size_limit() -> int | None:
    """The process's limit on the size of a file in bytes; None where there is none."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft
