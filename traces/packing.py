"""A file as small as what it holds: everything that can be reached in it, copied into a new one.

What a killed process had written and not counted lies dead in its file: HDF5
keeps no list of free space while a file is read and written at once.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from . import space
from .doubted import FAILURES, DoubtedFile, line_of
from .hdf5 import LIBRARY_VERSIONS, attach

OF_SCALES = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST")  # attributes that HDF5 makes for dimension scales
COMPRESSED_BYTES = 4096  # at least: less is not worth a chunk's table
CHUNK_BYTES = 1 << 18


def dead_bytes(doubted: DoubtedFile) -> int:
    """Bytes of a file that nothing in it leads to.

    Raises
    ------
    NotARunFileError
    """
    try:
        used = sum(_bytes_of(item) for _, item in _items(doubted.file))
        return max(0, int(doubted.file.id.get_filesize()) - used)
    except FAILURES as error:
        raise doubted.broken(f"its parts cannot be listed: {line_of(error)}") from None


def _items(file: h5py.File) -> Iterator[tuple[str, h5py.HLObject]]:
    """The root and all groups and datasets, each before what is in it."""
    names: list[str] = []
    file.visit(names.append)
    yield from ((name, file[name]) for name in ("/", *names))


def _bytes_of(item: h5py.HLObject) -> int:
    about = h5py.h5o.get_info(item.id)
    kept = about.hdr.space.total
    for part in (about.meta_size.obj, about.meta_size.attr):
        kept += part.index_size + part.heap_size
    return int(kept + (item.id.get_storage_size() if isinstance(item, h5py.Dataset) else 0))


def pack(doubted: DoubtedFile, path: Path, *, compress: bool = False) -> None:
    """Copy all that can be reached in a file into a new one; chunks as they are, to the bit.

    Parameters
    ----------
    doubted : DoubtedFile
    path : Path
        Is made.
    compress : bool
        Compress what is not. Rows cannot be written again in their place then: for files that do not grow.

    Raises
    ------
    NotARunFileError
    DiskFullError
    """
    with h5py.File(path, "w-", libver=LIBRARY_VERSIONS) as target:
        descriptor = target.id.get_vfd_handle()
        space.require(descriptor, 0, doubted.file.id.get_filesize() + space.MARGIN)
        try:
            items = list(_items(doubted.file))
            for name, item in items:
                if isinstance(item, h5py.Dataset):
                    _copy(doubted.dataset(name), target, name, compress=compress)
                _copy_attributes(item, target.require_group(name) if isinstance(item, h5py.Group) else target[name])
            for name, item in items:
                if isinstance(item, h5py.Dataset):
                    _name_axes(item, target[name])
        except FAILURES as error:
            raise doubted.broken(f"it cannot be copied: {line_of(error)}") from None
        target.flush()
        space.release(descriptor)


def _copy(dataset: h5py.Dataset, target: h5py.File, name: str, *, compress: bool) -> None:
    large = dataset.nbytes >= COMPRESSED_BYTES or dataset.id.get_storage_size() > dataset.nbytes > 0
    if compress and large and not dataset.id.get_create_plist().get_nfilters():
        _copy_compressed(dataset, target, name)
    else:
        dataset.file.copy(dataset, target, name, without_attrs=True)
    if dataset.is_scale:
        target[name].make_scale(name.rpartition("/")[2])


def _copy_compressed(dataset: h5py.Dataset, target: h5py.File, name: str) -> None:
    rows = max(1, CHUNK_BYTES * len(dataset) // dataset.nbytes)
    chunk = (min(rows, len(dataset)), *dataset.shape[1:])
    made = target.create_dataset(
        name, dataset.shape, dataset.dtype, maxshape=dataset.maxshape, chunks=chunk, compression="gzip", shuffle=True
    )
    for first in range(0, len(dataset), rows):
        made[first : first + rows] = dataset[first : first + rows]


def _copy_attributes(item: h5py.HLObject, target: h5py.HLObject) -> None:
    """Attributes with their types, as fixed lengths of texts."""
    for name in item.attrs:
        if name not in OF_SCALES:
            found = h5py.h5a.open(item.id, name.encode())
            values = np.empty(found.shape, dtype=found.dtype)
            found.read(values)
            made = h5py.h5a.create(target.id, name.encode(), found.get_type(), found.get_space())
            made.write(values)


def _name_axes(dataset: h5py.Dataset, target: h5py.Dataset) -> None:
    scales = [axis[0].name for axis in dataset.dims if len(axis)]
    if scales and len(scales) == dataset.ndim:
        attach(target, [target.file[name] for name in scales])
