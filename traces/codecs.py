"""Codecs: a chunk of float64 to the bytes that HDF5 would have made of it.

A chunk that is compressed here and handed over ready is written five times as
fast as one that the library compresses: ISA-L's deflate is faster than zlib's,
and both it and the shuffle let other threads run.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from isal import isal_zlib

DEFLATE_LEVEL = 1
BLOSC_LEVEL = 5


class CodecError(RuntimeError):
    """A codec that is not installed."""


@dataclass(frozen=True)
class Codec:
    """How chunks are stored.

    Attributes
    ----------
    filters : dict
        Arguments of ``create_dataset`` that describe it to HDF5.
    encode : function
        From a C-ordered array of 8-byte numbers to bytes.
    compresses : bool
        Whether that is work.
    """

    filters: dict[str, Any]
    encode: Callable[[np.ndarray], Any]
    compresses: bool = True


def codec(name: str) -> Codec:
    """A codec by its name: ``gzip``, ``none`` or ``blosc``.

    Raises
    ------
    CodecError
        Blosc's packages are not installed.
    """
    if name == "gzip":
        return Codec({"compression": "gzip", "compression_opts": DEFLATE_LEVEL, "shuffle": True}, _deflate)
    return Codec({}, _plain, compresses=False) if name == "none" else _blosc()


def _plain(values: np.ndarray) -> memoryview:
    return values.data


def _deflate(values: np.ndarray) -> bytes:
    """The byte shuffle, then deflate: first bytes of all numbers, then second bytes, ..."""
    shuffled = np.ascontiguousarray(values.reshape(-1).view(np.uint8).reshape(-1, 8).T)
    compressed: bytes = isal_zlib.compress(shuffled, DEFLATE_LEVEL)
    return compressed


def _blosc() -> Codec:
    try:
        import hdf5plugin
        from numcodecs import blosc
    except ImportError:
        raise CodecError("trace.compression: 'blosc' needs hdf5plugin and numcodecs") from None
    load_plugins()
    blosc.use_threads = False

    def encode(values: np.ndarray) -> bytes:
        compressed: bytes = blosc.compress(values, b"lz4", BLOSC_LEVEL, blosc.SHUFFLE)
        return compressed

    return Codec(dict(hdf5plugin.Blosc(cname="lz4", clevel=BLOSC_LEVEL, shuffle=1)), encode)


@functools.cache
def load_plugins() -> None:
    """Have h5py read and write what the optional codecs encode, where they are installed.

    hdf5plugin leaves a filter alone that HDF5 finds already, and after ``import netCDF4`` it
    finds one in netCDF4's folder (``HDF5_PLUGIN_PATH``, which child processes inherit). That
    one calls netCDF4's copy of HDF5, to which h5py's identifiers mean nothing: every dataset
    would be refused. So Blosc is registered whatever is there.
    """
    try:
        import hdf5plugin
    except ImportError:
        return
    hdf5plugin.register("blosc", force=True)
