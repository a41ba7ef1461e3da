"""Global heaps, in which HDF5 keeps texts of variable length: looked at before the library does.

A collection whose free space claims no length has the library go around in it
for ever (HDF5 2.0.0, H5HG__cache_heap_deserialize). Files of schema version 2
have no such texts, so only older ones are looked through. The layout is that of
the HDF5 File Format Specification, section III.E.
"""

import mmap
import struct
from pathlib import Path

SIGNATURE = b"GCOL\x01\0\0\0"
HEADER = OBJECT = 16  # bytes
ALIGNMENT = 8


def broken_heap(path: Path) -> int | None:
    """Offset of the first global heap collection of a file that is not whole; None where all are."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(SIGNATURE)
        while at >= 0:
            if not _is_whole(data, at):
                return at
            at = data.find(SIGNATURE, at + 1)
    return None


def _is_whole(data: mmap.mmap, begin: int) -> bool:
    """Whether a collection's objects follow each other up to its end."""
    if begin + HEADER > len(data):
        return False
    (size,) = struct.unpack_from("<Q", data, begin + 8)
    at, end = begin + HEADER, begin + size
    if end > len(data) or at > end:
        return False
    while at + OBJECT <= end:
        index, _, length = struct.unpack_from("<HH4xQ", data, at)
        # The free space counts its own header, an object does not.
        taken = length if index == 0 else OBJECT + -(-length // ALIGNMENT) * ALIGNMENT
        if taken < OBJECT or at + taken > end:
            return False
        at += taken
    return True
