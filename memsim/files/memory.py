"""How much memory and disk there is, and the refusal of what would take more, before any of it is taken."""

import functools
import os
import shutil
import sys
from pathlib import Path

from ..errors import InputError

BYTE_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
# Where a control group says what its processes may have, in versions 2 and 1.
GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def in_bytes(size: float) -> str:
    """A number of bytes in three digits: ``1.23 GB``."""
    for least, unit in BYTE_UNITS:
        if size >= least:
            return f"{size / least:.3g} {unit}"
    return f"{size:.0f} bytes"


def require_memory(size: int, what: str, advice: str = "") -> None:
    """Refuse what would take more memory than there is.

    Parameters
    ----------
    size : int
        Bytes that are certain to be taken, rather fewer than more.
    what : str
        Of the message, up to ``would take about 3 GB of memory``: it begins with the field to change.
    advice : str
        What to do.

    Raises
    ------
    InputError
    """
    there = memory()
    if size > there:
        raise InputError(
            f"{what} would take about {in_bytes(size)} of memory, and {in_bytes(there)} are there"
            f"{advice and '; '}{advice}"
        )


def require_disk(size: int, path: Path, what: str, advice: str) -> None:
    """Refuse a file that would take more room than its disk has.

    Parameters
    ----------
    size : int
        Bytes that are certain to be taken.
    path : Path
        Of the file; where its folder is not there, nothing is said.
    what, advice : str
        As of :func:`require_memory`.

    Raises
    ------
    InputError
    """
    try:
        there = shutil.disk_usage(path.absolute().parent).free
    except OSError:
        return
    if size > there:
        raise InputError(
            f"{what} would take {in_bytes(size)} on the disk at least, and {in_bytes(there)} are free; {advice}"
        )


@functools.cache
def memory() -> int:
    """Bytes that this process may have: of the machine, its control group, and its own limits, the least."""
    return min([_of_machine(), *_of_groups(), *_of_limits()])


def _of_machine() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # a system that does not say
        return sys.maxsize


def _of_groups() -> list[int]:
    texts = [path.read_text(encoding="ascii").strip() for path in GROUP_LIMITS if path.is_file()]
    return [int(text) for text in texts if text.isdecimal()]


def _of_limits() -> list[int]:
    if sys.platform == "win32":
        return []
    import resource

    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]
