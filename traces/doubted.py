"""An HDF5 file that is doubted: whatever is wrong with it gives one line, and never memory for what is not there.

HDF5 follows links to other files, hands out arrays of any claimed size, and
reports a broken structure in a dozen ways; here a dataset is one that lies in
the file itself, and is no larger than the bytes behind it can justify.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .codecs import load_plugins
from .errors import NotARunFileError
from .hdf5 import as_text
from .heaps import broken_heap

BLOSC = 32001  # HDF5's number of the filter
COMPRESSION_AT_MOST = 1100  # deflate's largest ratio is 1032
SMALL = 1 << 16  # bytes that are read without a question
TEXT_AT_MOST = 1 << 20  # bytes
# How a text of variable length lies in a dataset: HDF5 File Format Specification, section VIII.
REFERENCE = np.dtype([("length", "<u4"), ("collection", "<u8"), ("index", "<u4")])
FAILURES = (
    OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError, AttributeError, ArithmeticError, MemoryError,
)  # fmt: skip


class DoubtedFile:
    """An HDF5 file whose contents are doubted.

    Parameters
    ----------
    file : h5py.File
    live : bool
        Whether it may grow while it is read.
    kind : str
        What it should be, for messages.

    Attributes
    ----------
    error : type of NotARunFileError
        What is raised.
    """

    error: type[NotARunFileError] = NotARunFileError

    def __init__(self, file: h5py.File, live: bool = False, kind: str = "run file") -> None:
        self.file, self.live, self._kind = file, live, kind
        self._heaps_are_whole = file.driver == "core"
        self._datasets: dict[str, h5py.Dataset] = {}  # that were looked at
        self._groups: dict[str, h5py.Group] = {}  # that something was looked for in

    def broken(self, what: str) -> NotARunFileError:
        """The error that names the file, in one line of printable characters."""
        return self.error(f"{self.file.filename}: is a broken {self._kind}: {one_line(what)}")

    def item(self, path: str) -> Any:
        """A group or a dataset that lies in this file itself: links to other places are not followed."""
        found = self._find(path)
        if found is None:
            raise self.broken(f"it has no {path}")
        return found

    def has(self, path: str) -> bool:
        """Whether there is anything of that name."""
        return self._find(path) is not None

    def _find(self, path: str) -> Any:
        """What lies at a path; None where there is nothing."""
        parent, _, last = path.strip("/").rpartition("/")
        known = self._groups.get(parent)  # most paths share a few groups, and each step to one takes a while
        group: Any = known
        found: Any = self.file if known is None else known
        try:
            for name in filter(None, path.split("/") if known is None else (last,)):
                if not isinstance(found, h5py.Group) or not found.id.links.exists(name.encode()):
                    return None
                if found.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
                    raise self.broken(f"{path} is a link to elsewhere, which is not followed")
                group, found = found, _opened(found, name)
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"it has no {path} that can be read ({line_of(error)})") from None
        if not self.live and group is not None:
            self._groups[parent] = group
        return found

    def dataset(self, path: str) -> h5py.Dataset:
        """A dataset, as it is in the file now."""
        if path in self._datasets:
            return self._datasets[path]
        found = self.item(path)
        if not isinstance(found, h5py.Dataset):
            raise self.broken(f"{path} is no dataset")
        try:
            if self.live:
                found.id.refresh()
            made = found.id.get_create_plist()
            elsewhere = made.get_layout() == h5py.h5d.VIRTUAL or made.get_external_count() > 0
            if BLOSC in _filters_of(made):
                load_plugins()
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if elsewhere:
            raise self.broken(f"{path} keeps its values in another file, which is not followed")
        if not self.live:
            self._datasets[path] = found
        return found

    def group(self, path: str) -> h5py.Group:
        """A group."""
        found = self.item(path)
        if not isinstance(found, h5py.Group):
            raise self.broken(f"{path} is no group")
        return found

    def names(self, path: str) -> list[str]:
        """Names in a group; none where there is no such group."""
        if not self.has(path):
            return []
        group = self.group(path)
        try:
            return list(group)
        except FAILURES as error:
            raise self.broken(f"{path} cannot be listed: {line_of(error)}") from None

    def shape(self, path: str, kind: str = "fiu") -> tuple[int, ...]:
        """Shape of a dataset of numbers, whose type is of one of NumPy's kinds."""
        return self._checked_shape(path, self.dataset(path), kind)

    def _checked_shape(self, path: str, dataset: h5py.Dataset, kind: str) -> tuple[int, ...]:
        try:
            shape, found = dataset.shape, dataset.dtype
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if shape is None or found.kind not in kind or found.hasobject:
            raise self.broken(f"{path} is of type {found}")
        return tuple(shape)

    def read(self, path: str, *where: Any, ndim: int | None = None, kind: str = "fiu") -> Any:
        """Values of a dataset of numbers: float64, or integers of the file's width.

        Parameters
        ----------
        path : str
        *where : slice, int or array
            Along the first axes; all where not given.
        ndim : int, optional
            Axes that it must have.
        kind : str
            NumPy's kinds that it may be of.
        """
        dataset = self.dataset(path)
        shape = self._checked_shape(path, dataset, kind)
        if ndim is not None and len(shape) != ndim:
            raise self.broken(f"{path} has {len(shape)} axes, not {ndim}")
        self._require_filters(path, dataset)
        try:
            self._justify(path, dataset, math.prod(_length(n, w) for n, w in _along(shape, where)))
            values = dataset[where]
            native = np.float64 if dataset.dtype.kind == "f" else dataset.dtype.newbyteorder("=")
            return values.astype(native, copy=False)
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None

    def read_finite(self, path: str, *where: Any, ndim: int | None = None) -> np.ndarray:
        """Values that a run or a drive would have stopped at, had they not been finite, as states; float64."""
        values: np.ndarray = self.read(path, *where, ndim=ndim, kind="f")
        if not np.isfinite(values).all():
            raise self.broken(f"{path} holds values that are not finite")
        return values

    def _require_filters(self, path: str, dataset: h5py.Dataset) -> None:
        """Refuse to unpack what was packed with a plugin that is not installed; the file is not broken."""
        try:
            codes = _filters_of(dataset.id.get_create_plist())
            missing = [code for code in codes if not h5py.h5z.filter_avail(code)]
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if BLOSC in missing:
            packed = f"{self.file.filename}: {path} is packed with Blosc"
            raise self.error(f"{packed}; pip install 'memsim[blosc]' to read it")
        if missing:
            raise self.broken(f"{path} is packed with the filter {missing[0]}, which is not installed")

    def justify(self, path: str, values: int) -> None:
        """Refuse a dataset that claims to hold so many values, where the bytes behind it can not."""
        self._justify(path, self.dataset(path), values)

    def _justify(self, path: str, dataset: h5py.Dataset, values: int) -> None:
        try:
            size = values * dataset.dtype.itemsize
            if size and dataset.chunks is not None:  # the library unpacks whole chunks
                size = max(size, math.prod(dataset.chunks) * dataset.dtype.itemsize)
            if size <= SMALL:
                return
            held = min(dataset.id.get_storage_size(), self._file_size())
            packed = dataset.id.get_create_plist().get_nfilters() > 0
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if size > held * (COMPRESSION_AT_MOST if packed else 1):
            raise self.broken(f"{path} claims {size:,} bytes, which the file cannot hold")

    def _file_size(self) -> int:
        """Bytes of the file by now; HDF5 remembers those that it had when it was opened."""
        known: int = self.file.id.get_filesize()
        try:
            return known if self.file.driver == "core" else max(known, Path(self.file.filename).stat().st_size)
        except OSError:  # deleted while it is open
            return known

    def text(self, path: str) -> str:
        """Text in a dataset."""
        dataset = self.dataset(path)
        try:
            if h5py.check_string_dtype(dataset.dtype) is None or dataset.shape != ():
                raise self.broken(f"{path} is no text")
            if dataset.dtype.itemsize > TEXT_AT_MOST:
                raise self.broken(f"{path} is longer than {TEXT_AT_MOST:,} bytes")
            self.justify(path, 1)
            self._check_lengths(path, dataset)
            value = as_text(dataset[()])
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if len(value) > TEXT_AT_MOST:
            raise self.broken(f"{path} is longer than {TEXT_AT_MOST:,} bytes")
        return value

    def texts(self, path: str) -> list[str]:
        """Texts in a dataset of one axis."""
        dataset = self.dataset(path)
        try:
            if h5py.check_string_dtype(dataset.dtype) is None or len(dataset.shape) != 1:
                raise self.broken(f"{path} are no texts")
            self.justify(path, dataset.shape[0])
            self._check_lengths(path, dataset)
            return [as_text(value) for value in dataset[()].tolist()]
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None

    def _check_lengths(self, path: str, dataset: h5py.Dataset) -> None:
        """Before texts of variable length are read: the library makes room for any length they claim."""
        if not dataset.dtype.hasobject or self.file.driver == "core":
            return
        offset, count = dataset.id.get_offset(), math.prod(dataset.shape)
        if count == 0:
            return
        if offset is None or count > SMALL:
            raise self.broken(f"{path} is no text that lies in one piece")
        with Path(self.file.filename).open("rb") as file:
            file.seek(offset)
            references = file.read(count * REFERENCE.itemsize)
        lengths = np.frombuffer(references[: len(references) // REFERENCE.itemsize * REFERENCE.itemsize], REFERENCE)
        if lengths["length"].sum(dtype=np.int64) > TEXT_AT_MOST:
            raise self.broken(f"{path} claims to be longer than {TEXT_AT_MOST:,} bytes")
        self._check_heaps(dataset.dtype)

    def _check_heaps(self, kind: np.dtype) -> None:
        """Before the first values of variable length are read."""
        if kind.hasobject and not self._heaps_are_whole:
            at = broken_heap(Path(self.file.filename))
            if at is not None:
                raise self.broken(f"its global heap at byte {at:,} is damaged")
            self._heaps_are_whole = True

    def has_attribute(self, path: str, name: str) -> bool:
        """Whether a group or dataset has an attribute, be it broken."""
        try:
            return name in self.item(path).attrs
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"the attributes of {path} cannot be read: {line_of(error)}") from None

    def attribute(self, path: str, name: str) -> Any:
        """An attribute of a group or dataset."""
        shown = name if path == "/" else f"{path}.{name}"
        if not self.has_attribute(path, name):
            raise self.broken(f"it has no {shown}")
        try:
            attributes = self.item(path).attrs
            about = attributes.get_id(name)
            if math.prod(about.shape or (0,)) * about.dtype.itemsize > SMALL:
                raise self.broken(f"{shown} is too long")
            self._check_heaps(about.dtype)
            value = attributes[name]
            return as_text(value) if isinstance(value, bytes | str) else value
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"{shown} cannot be read: {line_of(error)}") from None

    def label(self, path: str, name: str) -> str:
        """An attribute that is text."""
        value = self.attribute(path, name)
        if not isinstance(value, str):
            raise self.broken(f"{path}.{name} is no text")
        return value

    def number(self, path: str, name: str) -> float:
        """An attribute that is a finite number."""
        value = self.attribute(path, name)
        if not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
            raise self.broken(f"{path}.{name} is no number")
        return float(value)

    def integer(self, path: str, name: str) -> int:
        """An attribute that is an integer."""
        value = self.attribute(path, name)
        if not isinstance(value, int | np.integer):
            raise self.broken(f"{path}.{name} is no integer")
        return int(value)

    def flag(self, path: str, name: str) -> bool:
        """An attribute that is true or false."""
        value = self.attribute(path, name)
        if not isinstance(value, bool | np.bool_):
            raise self.broken(f"{path}.{name} is neither true nor false")
        return bool(value)

    def labels(self, path: str, name: str) -> list[str]:
        """An attribute that is a list of texts."""
        values = np.asarray(self.attribute(path, name))
        try:
            if values.ndim == 1 and all(isinstance(value, bytes | str) for value in values.tolist()):
                return [as_text(value) for value in values.tolist()]
        except UnicodeDecodeError as error:
            raise self.broken(f"{path}.{name} cannot be read: {line_of(error)}") from None
        raise self.broken(f"{path}.{name} is no list of texts")

    def numbers(self, path: str, name: str, *, ndim: int = 1, kind: str = "fiu") -> np.ndarray:
        """An attribute that is an array of finite numbers."""
        values = np.asarray(self.attribute(path, name))
        if values.ndim != ndim or values.dtype.kind not in kind or not np.isfinite(values).all():
            raise self.broken(f"{path}.{name} is no list of numbers")
        return values

    def sizes(self, path: str) -> tuple[int, int]:
        """Bytes that the datasets of a group take in the file, and that their values would take."""
        taken = claimed = 0

        def add(_: str, item: object) -> None:
            nonlocal taken, claimed
            if isinstance(item, h5py.Dataset):
                taken += item.id.get_storage_size()
                claimed += item.dtype.itemsize * math.prod(item.shape or (0,))

        group = self.group(path)
        try:
            group.visititems(add)
        except FAILURES as error:
            raise self.broken(f"{path} cannot be listed: {line_of(error)}") from None
        return taken, claimed


def _opened(group: h5py.Group, name: str) -> Any:
    """What a group has under a name: as ``group[name]``, in a third of its time; a file has hundreds of datasets."""
    found = h5py.h5o.open(group.id, name.encode())
    kind = {h5py.h5d.DatasetID: h5py.Dataset, h5py.h5g.GroupID: h5py.Group}.get(type(found), h5py.Datatype)
    return kind(found)


def _filters_of(made: Any) -> list[int]:
    """HDF5's numbers of the filters that a dataset's chunks go through."""
    return [made.get_filter(k)[0] for k in range(made.get_nfilters())]


def line_of(error: BaseException) -> str:
    """The first line of an error's message."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = str(said).splitlines()
    return text[0] if text else type(error).__name__


def one_line(text: str) -> str:
    """A text whose characters can all be printed: others are written as Python's escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _along(shape: tuple[int, ...], where: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
    for axis, length in enumerate(shape):
        yield length, where[axis] if axis < len(where) else slice(None)


def _length(length: int, where: Any) -> int:
    """How many entries of an axis a selection takes."""
    if isinstance(where, slice):
        return len(range(*where.indices(length)))
    return 1 if np.ndim(where) == 0 else len(where)
