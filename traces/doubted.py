"""An HDF5 file that is doubted: whatever is wrong with it gives one line, and never memory for what is not there.

HDF5 follows links to other files, hands out arrays of any claimed size, and
reports a broken structure in a dozen ways; here a dataset is one that lies in
the file itself, and is no larger than the bytes behind it can justify.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

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


class _Known(NamedTuple):
    """A dataset, and what was asked of it: each question to HDF5 takes a while."""

    dataset: h5py.Dataset
    shape: tuple[int, ...] | None
    dtype: np.dtype
    filters: list[int]  # HDF5's numbers of those that chunks go through


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
        # Of a file that does not grow, what was found is kept: a file has hundreds of datasets.
        self._datasets: dict[str, _Known] = {}  # that were looked at
        self._items: dict[str, Any] = {}  # that were looked for; None for what is not there

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
        path = path.strip("/")
        if not path:
            return self.file
        if path not in self._items:
            parent, _, name = path.rpartition("/")
            found = self._entry(self._find(parent), name, path)
            if self.live:
                return found
            self._items[path] = found
        return self._items[path]

    def _entry(self, group: Any, name: str, path: str) -> Any:
        """What a group, if it is one, has under a name; None where there is nothing."""
        try:
            if not isinstance(group, h5py.Group) or not group.id.links.exists(name.encode()):
                return None
            if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
                raise self.broken(f"{path} is a link to elsewhere, which is not followed")
            return _opened(group, name, fixed=not self.live)
        except NotARunFileError:
            raise
        except FAILURES as error:
            raise self.broken(f"it has no {path} that can be read ({line_of(error)})") from None

    def dataset(self, path: str) -> h5py.Dataset:
        """A dataset, as it is in the file now."""
        return self._known_dataset(path).dataset

    def _known_dataset(self, path: str) -> _Known:
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
            filters = [made.get_filter(k)[0] for k in range(made.get_nfilters())]
            if BLOSC in filters:
                load_plugins()
            known = _Known(found, found.shape, found.dtype, filters)
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if elsewhere:
            raise self.broken(f"{path} keeps its values in another file, which is not followed")
        if not self.live:
            self._datasets[path] = known
        return known

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
        return self._checked_shape(path, self._known_dataset(path), kind)

    def _checked_shape(self, path: str, known: _Known, kind: str) -> tuple[int, ...]:
        if known.shape is None or known.dtype.kind not in kind or known.dtype.hasobject:
            raise self.broken(f"{path} is of type {known.dtype}")
        return known.shape

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
        known = self._known_dataset(path)
        shape = self._checked_shape(path, known, kind)
        if ndim is not None and len(shape) != ndim:
            raise self.broken(f"{path} has {len(shape)} axes, not {ndim}")
        self._require_filters(path, known.filters)
        try:
            self._justify(path, known, math.prod(_length(n, w) for n, w in _along(shape, where)))
            values = known.dataset[where]
            native = np.float64 if known.dtype.kind == "f" else known.dtype.newbyteorder("=")
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

    def _require_filters(self, path: str, codes: list[int]) -> None:
        """Refuse to unpack what was packed with a plugin that is not installed; the file is not broken."""
        try:
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
        self._justify(path, self._known_dataset(path), values)

    def _justify(self, path: str, known: _Known, values: int) -> None:
        try:
            dataset, size = known.dataset, values * known.dtype.itemsize
            if size and dataset.chunks is not None:  # the library unpacks whole chunks
                size = max(size, math.prod(dataset.chunks) * known.dtype.itemsize)
            if size <= SMALL:
                return
            held = min(dataset.id.get_storage_size(), self._file_size())
        except FAILURES as error:
            raise self.broken(f"{path} cannot be read: {line_of(error)}") from None
        if size > held * (COMPRESSION_AT_MOST if known.filters else 1):
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


def _opened(group: h5py.Group, name: str, *, fixed: bool) -> Any:
    """What a group has under a name: as ``group[name]``, in a third of its time; ``fixed`` where it does not grow."""
    found = h5py.h5o.open(group.id, name.encode())
    if isinstance(found, h5py.h5d.DatasetID):
        return h5py.Dataset(found, readonly=fixed)
    return h5py.Group(found) if isinstance(found, h5py.h5g.GroupID) else h5py.Datatype(found)


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
