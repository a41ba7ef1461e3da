"""Opening a run file to write: one writer at a time, also after one that was killed.

A process that is killed leaves HDF5's consistency flags set and the recorded
end of the file behind the true one. Both lie in the superblock: version 3 of
the HDF5 File Format Specification, section II.A.
"""

import os
import struct
from pathlib import Path

import filelock
import h5py

from .files import absolute
from .hdf5 import CHUNK_CACHE_BYTES, LIBRARY_VERSIONS

BEING_WRITTEN = "is being written by another run; wait for its end, or name another file"
SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 48
VERSION_AT, FLAGS_AT, END_AT, CHECKSUM_AT = 8, 11, 28, 44
PROBE_SECONDS = 0.2  # more than a reader takes to look whether a lock is held


class InUseError(OSError):
    """Another process is writing the file."""


def lock_path(path: Path) -> Path:
    """The file beside a run file that its writer holds locked; one for all links to it."""
    path = absolute(path)
    return path.with_name(f".{path.name}.lock")


def lock(path: Path) -> filelock.BaseFileLock:
    """Become the one writer of a file, until the lock is released or this process ends.

    Raises
    ------
    InUseError
        Another process, or another run of this one, is writing it.
    OSError
        Its folder takes no files.
    """
    held = filelock.FileLock(lock_path(path))
    refused = f"{path}: cannot be written; check the permissions of {path.parent}"
    try:
        held.acquire(timeout=PROBE_SECONDS, poll_interval=PROBE_SECONDS / 10)
    except filelock.Timeout:
        if not lock_path(path).exists():  # as in /proc, where filelock tries again and again
            raise OSError(refused) from None
        raise InUseError(f"{path}: {BEING_WRITTEN}") from None
    except OSError:
        raise OSError(refused) from None
    return held


def release(held: filelock.BaseFileLock) -> None:
    """Let others write the file."""
    # Removed while it is held: whoever opened it meanwhile finds it taken, or gone.
    Path(held.lock_file).unlink(missing_ok=True)
    held.release()


def is_being_written(path: Path) -> bool:
    """Whether a process holds the file's lock."""
    if not lock_path(path).exists():
        return False
    probe = filelock.FileLock(lock_path(path))
    try:
        probe.acquire(blocking=False)
    except filelock.Timeout:
        return True
    except OSError:  # a folder that may only be read
        return False
    probe.release()
    return False


def open_to_write(path: Path) -> h5py.File:
    """Open a run file to write on, and let others read it meanwhile; call with its lock held.

    Raises
    ------
    OSError
        It cannot be written, another program has it open, or it is too damaged to go on from.
    """
    clear_flags(path)
    file = read_write(path)
    file.swmr_mode = True
    return file


def read_write(path: Path) -> h5py.File:
    """Open an HDF5 file that nobody else has open."""
    try:
        return h5py.File(path, "r+", libver=LIBRARY_VERSIONS, rdcc_nbytes=CHUNK_CACHE_BYTES)
    except OSError as error:
        if isinstance(error, BlockingIOError) or "already open" in str(error):
            raise InUseError(f"{path}: is open in another program; close it there first") from None
        raise


def clear_flags(path: Path) -> bool:
    """Undo what a killed writer left in the superblock; returns whether there was anything.

    Raises
    ------
    OSError
        The superblock is not one that memsim writes, or is damaged.
    """
    with path.open("r+b") as file:
        block = bytearray(file.read(SUPERBLOCK_BYTES))
        if len(block) < SUPERBLOCK_BYTES or block[:8] != SIGNATURE or block[VERSION_AT] != 3:
            raise OSError(f"{path}: has no superblock of version 3; it cannot be continued")
        (stored,) = struct.unpack_from("<I", block, CHECKSUM_AT)
        if stored != lookup3(bytes(block[:CHECKSUM_AT])):
            raise OSError(f"{path}: has a damaged superblock; it cannot be continued")
        if block[FLAGS_AT] == 0:
            return False
        block[FLAGS_AT] = 0
        struct.pack_into("<Q", block, END_AT, os.fstat(file.fileno()).st_size)
        struct.pack_into("<I", block, CHECKSUM_AT, lookup3(bytes(block[:CHECKSUM_AT])))
        file.seek(0)
        file.write(block)
    return True


MASK = 0xFFFFFFFF


def _rotated(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (32 - bits))) & MASK


def lookup3(data: bytes) -> int:
    """Bob Jenkins's hash 'lookup3' (hashlittle, start value 0), the checksum of HDF5's metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & MASK
    done = 0
    while len(data) - done > 12:
        x, y, z = struct.unpack_from("<III", data, done)
        a, b, c = _mixed((a + x) & MASK, (b + y) & MASK, (c + z) & MASK)
        done += 12
    if done == len(data):
        return c
    x, y, z = struct.unpack("<III", data[done:].ljust(12, b"\0"))
    a, b, c = (a + x) & MASK, (b + y) & MASK, (c + z) & MASK
    for bits_c, bits_a, bits_b in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _rotated(b, bits_c)) & MASK
        a = ((a ^ c) - _rotated(c, bits_a)) & MASK
        b = ((b ^ a) - _rotated(a, bits_b)) & MASK
    return ((c ^ b) - _rotated(b, 24)) & MASK


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits_a, bits_b, bits_c in ((4, 6, 8), (16, 19, 4)):
        a, c = ((a - c) & MASK) ^ _rotated(c, bits_a), (c + b) & MASK
        b, a = ((b - a) & MASK) ^ _rotated(a, bits_b), (a + c) & MASK
        c, b = ((c - b) & MASK) ^ _rotated(b, bits_c), (b + a) & MASK
    return a, b, c
