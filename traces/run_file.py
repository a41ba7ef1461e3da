"""Writing a run file: rows, epochs, keyframes and checkpoints, each counted after it has reached the file."""

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import h5py
import numpy as np

from . import locks, recovery, space
from .background import Beside
from .chunks import checksum
from .description import RunDescription, TracePlan
from .files import absolute
from .hdf5 import memory_file
from .held import HeldRun
from .past import PAST, of_checksum
from .places import FilePlaces, Places, Rows
from .rows import BankTrace, RowsPart
from .schema import CHECKPOINTS, COMMITTED, RUN
from .stored import Stored
from .templates import new_file


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, and a folder that cannot be written.

    Raises
    ------
    ValueError
        With one line that says what to do.
    """
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise ValueError(f"{path}: exists; name another file, or allow it to be replaced with overwrite=True")
    if path.exists() and locks.is_being_written(path):
        raise ValueError(f"{path}: {locks.BEING_WRITTEN}")
    folder = path.parent
    if not folder.is_dir():
        raise ValueError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ValueError(f"{path}: cannot be written; check the permissions of {folder}")


@dataclass(frozen=True)
class Target:
    """What a run or a drive is written into: a file, with the lock that makes its writer the only one, or arrays.

    Attributes
    ----------
    opened : h5py.File or HeldRun
        A file that is open for writing, or a run that is held in memory.
    path : Path or None
        None for what is in memory.
    held : locks.Lock or None
    """

    opened: h5py.File | HeldRun
    path: Path | None = None
    held: locks.Lock | None = None

    @property
    def file(self) -> h5py.File:
        """The HDF5 file."""
        return self.opened.file if isinstance(self.opened, HeldRun) else self.opened

    @cached_property
    def places(self) -> Places:
        """Where the values of a run are put."""
        return self.opened if isinstance(self.opened, HeldRun) else FilePlaces(self.opened)

    def stored(self) -> Stored:
        """A run in memory, to be read."""
        return self.opened if isinstance(self.opened, HeldRun) else Stored(self.opened)

    def close(self) -> None:
        """Close the file, and let others write it."""
        try:
            if isinstance(self.opened, HeldRun):
                self.opened.close()
            elif self.opened:
                self.opened.close()
                if self.held is not None:
                    space.release(self.held.descriptor)
        finally:
            if self.held is not None:
                self.held.release()


def open_target(path: Path | None, overwrite: bool) -> Target:
    """A new HDF5 file that is open for writing, empty; one in memory where no path is given.

    Raises
    ------
    ValueError, OSError
        With a line that says what to do.
    """
    if path is None:
        return Target(memory_file())
    with memory_file() as file:
        file.flush()
        image = bytes(file.id.get_file_image())
    return _target_of(path, image, overwrite, recovery.read_write)


def _target_of(path: Path, image: bytes, overwrite: bool, opened: Callable[[locks.Lock], h5py.File]) -> Target:
    """A file of given bytes that is open to be written."""
    held = _put(path, image, overwrite)
    try:
        return Target(opened(held), held.path, held)
    except BaseException:
        held.release()
        raise


def _put(path: Path, image: bytes, overwrite: bool) -> locks.Lock:
    """Make a file under another name, so that one that is to be replaced stays until it is whole; whose writer this is.

    Its lock goes with it to its own name. A file that is replaced is locked for
    that moment: no run may go on with it then.
    """
    path = absolute(path)  # of a link, the file that it leads to
    begun = path.with_name(f".{path.name}.new")
    held = locks.new(begun, path)
    try:
        check_target(path, overwrite)  # another one may have made it while this waited
        space.require(held.descriptor, 0, len(image) + space.MARGIN)
        _write_whole(begun, image)
        replaced = locks.lock(path) if path.exists() else None
        try:
            begun.replace(path)
        finally:
            if replaced is not None:
                replaced.release()
        held.move(path)
    except BaseException:
        begun.unlink(missing_ok=True)
        held.release()
        raise
    return held


def _write_whole(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise (space.full(len(content)) if space.is_full(error) else error) from None


def write_image(path: Path, image: bytes, overwrite: bool = False) -> None:
    """Write the bytes of a file that is whole.

    Raises
    ------
    ValueError, OSError
        With a line that says what to do.
    """
    check_target(path, overwrite)
    held = _put(path, image, overwrite)
    space.release(held.descriptor)
    held.release()


def open_image(image: bytes) -> h5py.File:
    """A file in memory with the given bytes."""
    return h5py.File(h5py.h5f.open_file_image(image))


def create_run_file(path: Path | None, run: RunDescription, trace: TracePlan, overwrite: bool = False) -> Target:
    """Make a run file with all its datasets, empty; in memory where no path is given.

    It is made under another name and takes its own when it is complete, so
    that a file which is to be replaced stays until then.

    Raises
    ------
    ValueError, OSError
        With a line that says what to do.
    """
    if path is None:
        return Target(new_file(run, trace) if trace.selections else HeldRun(run, trace))
    check_target(path, overwrite)
    return _target_of(path, _layout_image(run, trace), overwrite, recovery.open_to_write)


def _layout_image(run: RunDescription, trace: TracePlan) -> bytes:
    """The bytes of a file with all datasets, empty; made in memory, where no disk can be full."""
    with new_file(run, trace) as file:
        file.flush()
        return bytes(file.id.get_file_image())


class RunWriter:
    """A run file that is being written. All its methods belong to one thread.

    Parameters
    ----------
    target : Target
    banks : sequence of str
    trace : TracePlan
    """

    def __init__(self, target: Target, banks: Sequence[str], trace: TracePlan) -> None:
        self.path, self._into, self._banks = target.path, target.places, banks
        self._target, self._sample_steps = target, self._into.sample_steps
        beside = Beside()
        self._traces = {
            name: BankTrace(
                self.file["traces"][name],
                self.file["overview"][name],
                trace.selections[name],
                trace.compression,
                beside,
            )
            for name in banks
            if name in trace.selections
        }
        self._past = [
            (f"keyframes/{bank}/{name}", place, kind)
            for place, bank in enumerate(banks)
            for kind, name in enumerate(PAST)
            if self._into.has(f"keyframes/{bank}/{name}")
        ]
        # Files of earlier versions have no energies of epochs, and go on without.
        self._energies = [f"metrics/{bank}/energy" for bank in banks if self._into.has("metrics/phase_time")]
        self._growing = set(self._names_of_growing())
        for name in self._growing:
            self._into.grows(name)
        self._epochs = self._keyframes = self._checkpoints = 0
        self._reserved = 0  # bytes of the file that there is room for
        self._held = sum(trace.held_bytes for trace in self._traces.values())
        if self.path is not None:  # in memory no disk can be full; these have the datasets that grow
            groups = (self.file[name] for name in ("metrics", "keyframes", "traces", "overview") if name in self.file)
            self._held += sum(map(_bytes_of_chunks, groups))
        self._unflushed = 0  # bytes that HDF5 may still hold

    @property
    def file(self) -> h5py.File:
        """The file."""
        return self._target.file

    def _names_of_growing(self) -> Iterator[str]:
        """Datasets of epochs and keyframes: those that are there only sometimes, and all others, to miss them now."""
        for field in RUN:
            if field.grows and field.path.startswith(("metrics/", "keyframes/")):
                names = [field.at(BANK=bank).path for bank in (self._banks if "BANK" in field.path else ("",))]
                yield from (name for name in names if not (field.late or field.when) or self._into.has(name))

    def start(self, configuration: str, epochs: int, keyframes: int) -> None:
        """Go on from what is in the file: from its last checkpoint, of so many epochs and keyframes.

        Rows after the ones that were counted are to be appended again.
        """
        self._require(len(configuration))
        into = self._into
        into.require_room("configuration", configuration)
        into.put("committed/finished", 0)  # before it is a longer run's
        into.put("committed/stopped", 0)
        into.put("configuration", configuration)
        # A kill in a commit leaves more epochs and keyframes than its checkpoint has. Keyframes go back first.
        into.put("committed/keyframes", keyframes)
        into.put("committed/epochs", epochs)
        self._epochs, self._keyframes = epochs, keyframes
        self._checkpoints = into.count("committed/checkpoint")
        for trace in self._traces.values():
            trace.go_on(into.count("committed/rows"))

    def append_rows(
        self, first_step: int, rows: int, parts: Mapping[str, Sequence[RowsPart]], done: Callable[[], None]
    ) -> None:
        """Append a stretch of the trace; ``done`` is called when the parts are no longer needed."""
        arrays = [array for bank in parts.values() for p in bank for array in (p.state, p.current, p.voltage)]
        size = sum(array.nbytes for array in arrays)
        self._require(size)
        for name, trace in self._traces.items():
            trace.append(first_step, rows, parts.get(name, ()))
        self._unflushed -= size  # a trace's chunks are written at once
        done()

    def append_epochs(self, metrics: Mapping[str, np.ndarray], energy: np.ndarray, order: Rows) -> None:
        """Append complete epochs.

        Parameters
        ----------
        metrics : dict
            Name to rows, the epochs first: ``total_error``, ``learning_rate`` and ``validation_error``, of which a
            file may lack the last two.
        energy : (epochs, banks, phases, realisations) float64
            In J.
        order : (epochs, samples, realisations) unsigned, or a function that gives it
            The sample that was shown; a run in memory keeps the function.
        """
        if self.path is not None and callable(order):
            order = order()
        self._require(sum(rows.nbytes for rows in (*metrics.values(), energy, order) if not callable(rows)))
        first, count = self._epochs, len(metrics["total_error"])
        energies = {name: energy[:, bank] for bank, name in enumerate(self._energies)}
        named: dict[str, Rows] = {f"metrics/{name}": rows for name, rows in metrics.items()}
        of_all = {"metrics/epoch": np.arange(first, first + count), "metrics/order": order}
        for path, rows in (of_all | named | energies).items():
            if path in self._growing:
                self._into.append(path, first, rows)
        self._epochs += count

    def append_keyframes(
        self, samples: np.ndarray, states: Sequence[np.ndarray], bias: np.ndarray, past: Sequence[np.ndarray] = ()
    ) -> None:
        """Append keyframes.

        Parameters
        ----------
        samples : (n,) int64
            Samples that were complete.
        states : sequence of (n, devices, variables, realisations) float64
            Of each bank.
        bias : (n, units, realisations) float64
        past : sequence of (n, kinds, devices, realisations) float64
            Of each bank, in the order of :data:`~memsim.traces.past.PAST`; none where it does not count.
        """
        self._require(bias.nbytes + sum(array.nbytes for array in (*states, *past)))
        into, first = self._into, self._keyframes
        for name, values in zip(self._banks, states, strict=True):
            into.append(f"keyframes/{name}/time", first, samples * self._sample_steps)
            into.append(f"keyframes/{name}/state", first, values)
        for name, place, kind in self._past:
            into.append(name, first, past[place][:, kind])
        into.append("keyframes/keyframe", first, np.arange(first, first + len(samples)))
        into.append("keyframes/bias_weight", first, bias)
        into.append("keyframes/crc32", first, partial(_checksums, states, bias, past))
        into.append("keyframes/sample", first, samples)
        self._keyframes += len(samples)

    def commit(
        self, about: Mapping[str, float], error: np.ndarray, counters: Sequence[Mapping[str, np.ndarray]],
        best: Mapping[str, np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        """Make a checkpoint, and count what has reached the file.

        Parameters
        ----------
        about : dict
            ``sample``, ``device_steps`` and ``wall_seconds``.
        error : (realisations,) float64
            Of the epoch in progress.
        counters : sequence of dict
            Of each bank: name to values.
        best : dict, optional
            ``epoch``, ``error``, and ``BANK/state`` of each bank at that epoch.
        """
        best = best or {}
        slot = self._checkpoints % CHECKPOINTS
        kept = [*best.values(), *(values for bank in counters for values in bank.values())]
        self._require(error.nbytes + sum(values.nbytes for values in kept))
        into = self._into
        for name, value in (*about.items(), ("keyframes", self._keyframes), ("total_error", error)):
            into.put_slot(f"checkpoint/{name}", slot, value)
        for bank, values in zip(self._banks, counters, strict=True):
            for name, array in values.items():
                if into.has(f"diagnostics/{bank}/{name}"):  # an earlier version counted less
                    into.put_slot(f"diagnostics/{bank}/{name}", slot, array)
        for name, array in best.items():
            into.put_slot(f"best/{name}", slot, array)
        self._checkpoints += 1
        self._count()

    def finish(self, stopped: bool) -> None:
        """Write what is staged of the traces; the last checkpoint has been made."""
        self._require(0)
        for trace in self._traces.values():
            trace.finish()
        self._into.flush()
        self._count(finished=1, stopped=int(stopped))

    def _count(self, **flags: int) -> None:
        """Flush, and only then say how much there is."""
        into = self._into
        into.flush()
        rows = min((len(trace) for trace in self._traces.values()), default=0)
        counts = {
            "rows": max(rows, into.count("committed/rows")),
            "keyframes": self._keyframes,
            "epochs": self._epochs,
            "checkpoint": self._checkpoints,
        }
        for field in COMMITTED:
            if field.name in counts | flags:
                into.put(field.path, (counts | flags)[field.name])
        into.flush()
        self._unflushed = 0

    def _require(self, size: int) -> None:
        """Have room for so many bytes more, and for all that is staged here or held by HDF5."""
        if self.path is None:
            return
        descriptor = self.file.id.get_vfd_handle()
        locks.refuse_gone(self.path, descriptor)
        self._unflushed += size
        end = self.file.id.get_filesize()
        room = self._unflushed + self._held + space.MARGIN
        space.require(descriptor, min(self._reserved, end), end + room)
        self._reserved = end


def _bytes_of_chunks(group: h5py.Group) -> int:
    """One chunk of each dataset in a group that grows: what a first row takes."""
    sizes = []

    def visit(name: bytes) -> None:
        item = h5py.h5o.open(group.id, name)  # without what h5py makes of it: a file has hundreds
        made = item.get_create_plist() if isinstance(item, h5py.h5d.DatasetID) else None
        if made is not None and made.get_layout() == h5py.h5d.CHUNKED:
            sizes.append(item.get_type().get_size() * math.prod(made.get_chunk()))

    h5py.h5o.visit(group.id, visit)
    return sum(sizes)


def _checksums(states: Sequence[np.ndarray], bias: np.ndarray, past: Sequence[np.ndarray]) -> np.ndarray:
    """CRC-32 of several keyframes, (n,) uint32."""
    sums = [
        keyframe_checksum([values[k] for values in states], bias[k], [values[k] for values in past])
        for k in range(len(bias))
    ]
    return np.array(sums, dtype=np.uint32)


def keyframe_checksum(states: Sequence[np.ndarray], bias: np.ndarray, past: Sequence[np.ndarray] = ()) -> int:
    """CRC-32 of a keyframe: the states of all banks in their order, the bias weights, the past of all banks."""
    kinds = [of_checksum(values) for values in past]
    return checksum(np.concatenate([array.ravel() for array in (*states, bias, *kinds)]))


def close_quietly(target: Target) -> None:
    """Close after an error, whose message is the one that counts."""
    with contextlib.suppress(OSError, RuntimeError):
        target.close()
