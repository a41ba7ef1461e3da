"""Room on the disk, taken before it is needed: HDF5 loses data, and can crash, when one of its own writes fails."""

import ctypes
import errno
import os
import sys

MARGIN = 1 << 20  # bytes, for HDF5's own tables
KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of fallocate(2)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFullError(OSError):
    """There is no room for what is to be written next."""


def is_full(error: OSError) -> bool:
    """Whether a disk was full, or a file too long; some libraries say so in words alone."""
    return error.errno in FULL or any(os.strerror(code) in str(error) for code in FULL)


def require(descriptor: int, start: int, stop: int) -> None:
    """Have room for an open file's bytes from ``start`` up to ``stop``, or refuse.

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
    if length > 0 and not _reserve(descriptor, start, length):
        beyond = stop - os.fstat(descriptor).st_size
        about = os.fstatvfs(descriptor)
        if about.f_bavail * about.f_frsize < beyond:
            raise full(beyond)


def release(descriptor: int) -> None:
    """Give back what was reserved beyond the file's end."""
    os.truncate(descriptor, os.fstat(descriptor).st_size)


def full(size: int) -> DiskFullError:
    """The error of so many bytes that do not fit."""
    return DiskFullError(errno.ENOSPC, f"the disk is full: there is no room for {size:,} bytes more")


def _reserve(descriptor: int, start: int, length: int) -> bool:
    """Reserve blocks for a stretch of a file, without a change of its size; False where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return False
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    while fallocate(descriptor, KEEP_SIZE, start, length) != 0:
        reason = ctypes.get_errno()
        if reason in FULL:
            raise full(length)
        if reason != errno.EINTR:
            return False
    return True


def _file_size_limit() -> int | None:
    """The process's limit on the size of a file in bytes; None where there is none."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft
