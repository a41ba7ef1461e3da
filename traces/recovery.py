"""Opening a run file to write: one writer at a time, also after one that was killed.

A process that is killed leaves HDF5's consistency flags set and the recorded
end of the file behind the true one. Both lie in the superblock: version 3 of
the HDF5 File Format Specification, section II.A.
"""

import os
import struct

import h5py

from .hdf5 import CHUNK_CACHE_BYTES, LIBRARY_VERSIONS, opened
from .locks import InUseError, Lock, is_at

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 48
VERSION_AT, FLAGS_AT, END_AT, CHECKSUM_AT = 8, 11, 28, 44


def open_to_write(held: Lock) -> h5py.File:
    """Open a run file to write on, and let others read it meanwhile.

    Raises
    ------
    OSError
        It cannot be written, another program has it open, or it is too damaged to go on from.
    """
    held.exclude_readers()
    clear_flags(held)
    file = read_write(held)
    file.swmr_mode = True
    held.admit_readers()
    return file


def read_write(held: Lock) -> h5py.File:
    """Open an HDF5 file that nobody else has open."""
    try:
        file = _opened(held)
    except OSError as error:
        if isinstance(error, BlockingIOError) or "already open" in str(error):
            raise InUseError(f"{held.path}: is open in another program; close it there first") from None
        raise
    if not is_at(held.path, file.id.get_vfd_handle()) or not is_at(held.path, held.descriptor):
        file.close()
        raise InUseError(f"{held.path}: another file was put in its place; look which one is to be written")
    return file


def _opened(held: Lock) -> h5py.File:
    options = {"libver": LIBRARY_VERSIONS, "rdcc_nbytes": CHUNK_CACHE_BYTES}
    held.leave_to_hdf5()
    try:
        return opened(held.path, "r+", **options)
    except BlockingIOError:  # a reader came; or, as on NFS, it is our mark that is in HDF5's way
        held.exclude_readers()
        return h5py.File(held.path, "r+", locking=False, **options)


def clear_flags(held: Lock) -> bool:
    """Undo what a killed writer left in the superblock; returns whether there was anything.

    Raises
    ------
    OSError
        The superblock is not one that memsim writes, or is damaged; or there is something to undo, and no lock
        says that its writer is dead.
    """
    path, file = held.path, held.descriptor
    block = bytearray(os.pread(file, SUPERBLOCK_BYTES, 0))
    if len(block) < SUPERBLOCK_BYTES or block[:8] != SIGNATURE or block[VERSION_AT] != 3:
        raise OSError(f"{path}: has no superblock of version 3; it cannot be continued")
    (stored,) = struct.unpack_from("<I", block, CHECKSUM_AT)
    if stored != lookup3(bytes(block[:CHECKSUM_AT])):
        raise OSError(f"{path}: has a damaged superblock; it cannot be continued")
    if block[FLAGS_AT] == 0:
        return False
    if not held.excluding:
        raise OSError(
            f"{path}: is marked as being written, and its file system has no locks that would tell whether its run "
            f"was killed; make sure that no run writes it, copy it to a local disk, and go on there"
        )
    block[FLAGS_AT] = 0
    struct.pack_into("<Q", block, END_AT, os.fstat(file).st_size)
    struct.pack_into("<I", block, CHECKSUM_AT, lookup3(bytes(block[:CHECKSUM_AT])))
    os.pwrite(file, block, 0)
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
