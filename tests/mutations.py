"""Damage for HDF5 files: bytes changed at random, and in the places that the library trusts most.

The signatures are those of the HDF5 File Format Specification, version 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from memsim.traces.recovery import lookup3

SIGNATURES = (
    b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB", b"BTHD", b"BTIN", b"BTLF", b"EAHD", b"EAIB", b"EASB", b"EADB",
    b"FAHD", b"FADB", b"FSHD", b"TREE", b"SNOD", b"HEAP", b"GCOL",
)  # fmt: skip
SUPERBLOCK_BYTES = 96


@dataclass(frozen=True)
class Place:
    """A stretch of a file and what lies there."""

    name: str
    offset: int
    length: int


def places(path: Path) -> dict[str, list[Place]]:
    """The structures of an HDF5 file by their kind: metadata found by its signature, raw data by its address."""
    data = path.read_bytes()
    found = {"superblock": [Place("superblock", 0, SUPERBLOCK_BYTES)], "anywhere": [Place("anywhere", 0, len(data))]}
    for signature in SIGNATURES:
        name, at = signature.decode(), data.find(signature)
        while at >= 0:
            found.setdefault(name, []).append(Place(name, at, min(512, len(data) - at)))
            at = data.find(signature, at + 1)
    for name, offset, length in raw_data(path):
        kind = "raw" if "/" in name else "raw of the root"
        found.setdefault(kind, []).append(Place(name, offset, length))
    return found


def raw_data(path: Path) -> list[tuple[str, int, int]]:
    """Name, offset and length of every stretch of raw data."""
    found = []

    def visit(name: str, item: h5py.HLObject) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.chunks is None:
            if item.id.get_offset() is not None:
                found.append((name, item.id.get_offset(), item.id.get_storage_size()))
            return
        for k in range(item.id.get_num_chunks()):
            chunk = item.id.get_chunk_info(k)
            found.append((name, chunk.byte_offset, chunk.size))

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def mended(data: bytearray, at: int) -> bool:
    """Give the object header or superblock at an offset a checksum that is right, as an attacker would."""
    if len(data) < at + 64:
        return False
    if data[at : at + 4] == b"OHDR":
        flags = data[at + 5]
        size = 1 << (flags & 3)
        begin = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        end = begin + size + int.from_bytes(data[begin : begin + size], "little")
    elif at == 0 and data[8] in (2, 3):
        end = 44
    else:
        return False
    if end + 4 > len(data):
        return False
    data[end : end + 4] = lookup3(bytes(data[at:end])).to_bytes(4, "little")
    return True


def mutations(path: Path, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Broken copies of a file: what was done, and the bytes."""
    rng = np.random.default_rng(seed)
    whole = path.read_bytes()
    where = places(path)
    kinds = sorted(where)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        at = where[kind][rng.integers(len(where[kind]))]
        data = bytearray(whole)
        how = ("flip", "bytes", "ones", "zero", "swap", "double", "truncate")[rng.integers(7)]
        offset = at.offset + int(rng.integers(at.length))
        length = int(min(2 ** rng.integers(0, 10), len(data) - offset))
        if how == "flip":
            data[offset] ^= 1 << int(rng.integers(8))
        elif how == "bytes":
            for k in offset + rng.integers(0, length, size=8):
                data[k] = int(rng.integers(256))
        elif how == "ones":
            data[offset : offset + min(length, 16)] = b"\xff" * min(length, 16)
        elif how == "zero":
            data[offset : offset + length] = bytes(length)
        elif how == "swap":
            other = int(rng.integers(len(data) - length))
            data[offset : offset + length], data[other : other + length] = (
                data[other : other + length], data[offset : offset + length],
            )  # fmt: skip
        elif how == "double":
            data[offset:offset] = data[offset : offset + length]
        else:
            del data[offset:]
        mend = kind in ("OHDR", "superblock") and bool(rng.integers(2)) and len(data) > at.offset
        mend = mend and mended(data, at.offset)
        yield f"{number}: {how} at {offset} ({kind} {at.name}{', checksum mended' if mend else ''})", bytes(data)
