"""What a run file holds, read on demand: the datasets of schema version 2 by what they mean.

:func:`.checking.check_run` compares what the parts of a file say of each other;
after it only values can be wrong, and they are doubted where they are read.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np

from .chunks import wrong_chunks
from .description import Beginning, Programming
from .doubted import FAILURES, DoubtedFile, line_of
from .errors import NotARunFileError
from .overview import LEVELS
from .past import PAST
from .rows import Selection
from .samples import StoredDataset, read_dataset
from .schema import (
    CALIBRATION,
    CHECKPOINTS,
    PROGRAMMED,
    QUANTITIES,
    RUN,
    SLOT_NAMES,
    SLOTS,
    STEPS_AT_MOST,
    Field,
)  # fmt: skip

COUNTED_AT_MOST = 1e200  # by far more than any run counts, and sums of it are finite
STRIDDEN_ROWS = 4096  # that are kept of a piece, where every so many rows are read


@dataclass(frozen=True)
class BankInfo:
    """A bank as its run file describes it.

    Attributes
    ----------
    name, model : str
    devices : int
    variables : tuple of (name, unit, lower bound, upper bound)
    """

    name: str
    model: str
    devices: int
    variables: tuple[tuple[str, str, float, float], ...]


@dataclass(frozen=True)
class StoredTrace:
    """The trace of a bank that is in the file.

    Attributes
    ----------
    selection : Selection
        What was kept.
    rows : int
        Rows that count.
    """

    selection: Selection
    rows: int

    def covers(self, start: int, stop: int) -> bool:
        """Whether every step from ``start`` up to ``stop`` is there."""
        first, last = self.selection.row_of(start), self.selection.row_of(stop)
        return self.selection.stride == 1 and last - first == stop - start and last <= self.rows


class Stored(DoubtedFile):
    """A run file of schema version 2."""

    fields: ClassVar = RUN
    goes_on: ClassVar = True  # whether it has what a run goes on from
    _slot: int | None = None  # of the last checkpoint, once it was looked for

    @property
    def configuration_text(self) -> str:
        """TOML."""
        return self.text("configuration")

    # What never changes is read once.

    @cached_property
    def dt(self) -> float:
        """Step in s."""
        return self.number("/", "dt")

    @cached_property
    def sample_steps(self) -> int:
        """Steps of one sample."""
        return self.integer("/", "sample_steps")

    @property
    def seeds(self) -> np.ndarray:
        """(realisations,) uint64."""
        values: np.ndarray = self.read("seeds", ndim=1, kind="u")
        return values

    @property
    def data(self) -> StoredDataset:
        """The samples."""
        return read_dataset(self)

    @cached_property
    def is_validated(self) -> bool:
        """Whether samples were held back for validation."""
        return self.has("dataset/validation_inputs")

    def committed(self, name: str) -> int:
        """One of the counters that are written last."""
        if self.live:
            return self._committed(name)
        if name not in self._known:
            self._known[name] = self._committed(name)
        return self._known[name]

    @cached_property
    def _known(self) -> dict[str, int]:
        """Counters that were read of a file that does not grow."""
        return {}

    def _committed(self, name: str) -> int:
        value = int(self.read(f"committed/{name}", ndim=0, kind="i"))
        if value < 0:
            raise self.broken(f"committed/{name} is {value}")
        return value

    @property
    def finished(self) -> bool:
        """Whether the run ended in good order."""
        return self.committed("finished") == 1

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self.committed("stopped") == 1

    @property
    def total_error(self) -> np.ndarray:
        """(epochs, realisations) float64."""
        return self._counted("metrics/total_error", self.committed("epochs"), 2)

    @property
    def order(self) -> np.ndarray:
        """(epochs, samples, realisations)."""
        return self._counted("metrics/order", self.committed("epochs"), 3, kind="u")

    @property
    def has_learning_rates(self) -> bool:
        """Whether the learning rates of epochs were kept; earlier versions did not."""
        return self.has("metrics/learning_rate")

    @property
    def learning_rate(self) -> np.ndarray:
        """(epochs,) float64."""
        return self._plausible(
            "metrics/learning_rate", self._counted("metrics/learning_rate", self.committed("epochs"), 1)
        )

    @property
    def validation_error(self) -> np.ndarray:
        """(epochs, realisations) float64."""
        return self._counted("metrics/validation_error", self.committed("epochs"), 2)

    @cached_property
    def is_watched(self) -> bool:
        """Whether the states at the best epoch so far are kept."""
        return self.has("best")

    @property
    def best_epoch(self) -> np.ndarray:
        """Epoch of the lowest error so far, (realisations,) int64; -1 before the first is complete."""
        values: np.ndarray = self.read("best/epoch", self.slot, ndim=2, kind="i")
        epochs = self.committed("epochs")
        if not ((values >= -1) & ((values < epochs) | self.live)).all():
            raise self.broken(f"best/epoch is not of its {epochs} epochs")
        return values

    @property
    def best_error(self) -> np.ndarray:
        """The error of that epoch, (realisations,) float64."""
        return self._plausible("best/error", self.read("best/error", self.slot, ndim=2, kind="f"))

    def best_state(self, name: str) -> np.ndarray:
        """States of a bank at that epoch's end, (devices, variables, realisations)."""
        return self.states(name, f"best/{name}/state", self.slot, ndim=4)

    @property
    def has_energies(self) -> bool:
        """Whether the energies of epochs were kept; earlier versions did not."""
        return self.has("metrics/phase_time")

    def epoch_energy(self, bank: str, first: int = 0, last: int | None = None) -> np.ndarray:
        """Energy of a bank in J in some epochs, all where not given, (epochs, phases, realisations) float64."""
        path, count = f"metrics/{bank}/energy", self.committed("epochs")
        last = count if last is None else min(last, count)
        return self._plausible(path, self._counted(path, last, 3, first=first))

    @property
    def phase_time(self) -> np.ndarray:
        """Simulated time of each phase in one epoch in s, (phases,) float64."""
        return self._plausible("metrics/phase_time", self.read("metrics/phase_time", ndim=1, kind="f"))

    def _counted(self, path: str, count: int, ndim: int, kind: str = "f", *, first: int = 0) -> np.ndarray:
        """The first rows of a dataset, as many as were counted, or those from ``first`` on."""
        values: np.ndarray = self.read(path, slice(first, count), ndim=ndim, kind=kind)
        if len(values) != max(0, count - first):
            raise self.broken(f"{path} has {first + len(values)} rows, and {count} were counted")
        return values

    @cached_property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        columns = {field.name: self._slot_column(field) for field in SLOTS}
        if len({len(values) for values in columns.values()}) != 1:
            raise self.broken("the columns of slots are not equally long")
        table = np.empty(len(columns["phase"]), dtype=[(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            table[name] = values
        table.flags.writeable = False
        return table

    def _slot_column(self, field: Field) -> np.ndarray:
        """A column of the slot table; codes by their names."""
        values: np.ndarray = self.read(field.path, ndim=1, kind="iu")
        if field.name not in SLOT_NAMES:
            return values
        meanings = self.label(field.path, "flag_meanings").split()
        if values.size and not (0 <= values.min() and values.max() < len(meanings)):
            raise self.broken(f"{field.path} has a code that stands for nothing")
        return np.array([meanings[code].encode() for code in values], dtype=SLOT_NAMES[field.name])

    @cached_property
    def banks(self) -> tuple[str, ...]:
        """Names of the banks, in the order of the network."""
        names = self.names("banks")
        order = {name: self.integer(f"banks/{name}", "index") for name in names}
        if sorted(order.values()) != list(range(len(names))):
            raise self.broken(f"its banks have the indices {sorted(order.values())}")
        return tuple(sorted(names, key=order.__getitem__))

    def bank(self, name: str) -> BankInfo:
        """What the file says of a bank."""
        if name not in self._banks:
            self._banks[name] = self._bank(name)
        return self._banks[name]

    @cached_property
    def _banks(self) -> dict[str, BankInfo]:
        return {}

    def _bank(self, name: str) -> BankInfo:
        path = f"banks/{name}"
        names, units = self.labels(path, "variables"), self.labels(path, "variable_units")
        lower, upper = (self.numbers(path, side).tolist() for side in ("lower_bounds", "upper_bounds"))
        if not 0 < len(names) == len(units) == len(lower) == len(upper):
            raise self.broken(f"the lists of {path} are not equally long")
        devices = self.integer(path, "devices")
        if devices < 1:
            raise self.broken(f"{path} has {devices} devices")
        return BankInfo(name, self.label(path, "model"), devices, tuple(zip(names, units, lower, upper, strict=True)))

    def calibration(self, name: str) -> Mapping[str, float]:
        """What the controller knows of a bank."""
        return {each.name: self.number(f"banks/{name}", each.name) for each in CALIBRATION}

    def states(
        self, name: str, path: str, *where: Any, ndim: int | None = None, variables: Any = slice(None)
    ) -> np.ndarray:
        """States of a bank, of some of its variables: finite, and within their bounds, as all that a run writes."""
        values: np.ndarray = self.read(path, *where, ndim=ndim, kind="f")
        lower, upper = np.array([bounds[2:] for bounds in self.bank(name).variables])[variables].T[..., None]
        fitting = values.ndim > 1 and values.shape[-2] == len(lower)
        if not (fitting and ((lower <= values) & (values <= upper) & np.isfinite(values)).all()):
            raise self.broken(f"{path} holds states that are not within their bounds")
        return values

    def initial_state(self, name: str) -> np.ndarray:
        """(devices, variables, realisations)."""
        return self.states(name, f"banks/{name}/initial_state", ndim=3)

    @cached_property
    def beginning(self) -> Beginning | None:
        """What the run began from beside the states; None where its starting weights were set."""
        if not self.has("start"):
            return None
        epochs, steps = (self.integer("start", name) for name in ("epochs", "steps"))
        if not (0 <= epochs <= STEPS_AT_MOST and 0 <= steps <= STEPS_AT_MOST):
            raise self.broken(f"start says that {epochs} epochs of {steps} steps came before")
        kept = {bank: [name for name in PAST if self.has(f"start/{bank}/{name}")] for bank in self.banks}
        past = tuple(self._past_at_start(bank, kept[bank]) for bank in self.banks) if any(kept.values()) else ()
        return Beginning(epochs, steps, self.read("start/bias_weight", ndim=2, kind="f"), past, self._programming())

    def _programming(self) -> Programming | None:
        """How the starting weights were written."""
        if not self.has("programming"):
            return None
        passes, seconds = self.integer("programming", "passes"), self.read("programming/time", ndim=0, kind="f")
        if not (passes > 0 and 0 <= float(seconds) < COUNTED_AT_MOST):
            raise self.broken(f"programming says that {passes} passes took {float(seconds):g} s")
        written = [bank for bank in self.banks if self.has(f"programming/{bank}")]
        if not written:
            raise self.broken("programming names no bank")
        return Programming(passes, float(seconds), {bank: self._programmed(bank) for bank in written})

    def _programmed(self, bank: str) -> dict[str, np.ndarray]:
        """What is known of a bank whose starting weights were written, (devices, realisations) by name."""
        path = f"programming/{bank}"
        names = [name for name in self.names(path) if name != "device"]
        if not {*(field.name for field in PROGRAMMED), "energy"} <= {*names}:
            raise self.broken(f"{path} is not complete")
        found = {name: self._plausible(f"{path}/{name}", self.read(f"{path}/{name}", kind="f")) for name in names}
        for name, values in found.items():
            if values.shape != self.initial_state(bank).shape[::2]:
                raise self.broken(f"{path}/{name} is not of the bank's devices")
        return found

    def _past_at_start(self, bank: str, kept: list[str]) -> np.ndarray:
        nothing = np.zeros(self.initial_state(bank).shape[::2])
        paths = {name: f"start/{bank}/{name}" for name in PAST}
        found = [self.read(path, ndim=2, kind="f") if name in kept else nothing for name, path in paths.items()]
        for (name, path), values in zip(paths.items(), found, strict=True):
            self._refuse_past(path, name, values, nothing.shape)
        return np.stack(found)

    def _refuse_past(self, path: str, name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
        """Refuse what no past leaves: pulses that nobody counts, traps that are neither occupied nor empty."""
        if values.shape != shape or not PAST[name].can_be(values):
            raise self.broken(f"{path} holds what no device has")

    @property
    def keyframe_interval(self) -> int:
        """Samples between keyframes; 0 where they are not evenly spaced."""
        every = self.integer("keyframes", "samples")
        if not 0 < every <= STEPS_AT_MOST:
            raise self.broken(f"keyframes.samples is {every}")
        return every

    @property
    def keyframe_samples(self) -> np.ndarray:
        """Samples that were complete at each keyframe, (keyframes,) int64."""
        samples = self._counted("keyframes/sample", self.committed("keyframes"), 1, kind="i")
        return self._growing("keyframes/sample", samples)

    def _growing(self, path: str, samples: np.ndarray) -> np.ndarray:
        """Samples of keyframes, which follow each other."""
        if len(samples) and (samples[0] < 1 or (np.diff(samples) < 1).any() or samples[-1] > STEPS_AT_MOST):
            raise self.broken(f"{path} does not grow from keyframe to keyframe")
        return samples

    def keyframe_states(self, name: str, index: int | slice) -> np.ndarray:
        """States of a bank at one keyframe or several, (devices, variables, realisations) each."""
        return self.states(name, f"keyframes/{name}/state", index, ndim=4)

    def keyframe_bias(self, index: int | slice) -> np.ndarray | None:
        """Bias weights as the controller knew them, (units, realisations); None where the file has none."""
        values: np.ndarray = self.read("keyframes/bias_weight", index, ndim=3, kind="f")
        return values

    def keyframe_past(self, index: int | slice) -> list[np.ndarray]:
        """The past of each bank's devices, (kinds, devices, realisations) each; none where it does not count."""
        kept = {bank: [name for name in PAST if self.has(f"keyframes/{bank}/{name}")] for bank in self.banks}
        return [self._past(bank, kept[bank], index) for bank in self.banks] if any(kept.values()) else []

    def _past(self, bank: str, kept: list[str], index: int | slice) -> np.ndarray:
        states = self.keyframe_states(bank, index)
        nothing = np.zeros((*states.shape[:-3], states.shape[-3], states.shape[-1]))
        found = []
        for name in PAST:
            path = f"keyframes/{bank}/{name}"
            values = self.read(path, index, ndim=3, kind="f") if name in kept else nothing
            self._refuse_past(path, name, values, nothing.shape)
            found.append(values)
        return np.stack(found, axis=-3)

    def keyframe_checksum(self, index: int) -> int | None:
        """CRC-32; None where the file has none."""
        return int(self.read("keyframes/crc32", index, ndim=1, kind="u"))

    def final_state(self, name: str) -> np.ndarray:
        """State at the last keyframe, (devices, variables, realisations)."""
        count = self.committed("keyframes")
        return self.keyframe_states(name, count - 1) if count else self.initial_state(name)

    @property
    def slot(self) -> int:
        """The slot of the newest checkpoint.

        Raises
        ------
        NotARunFileError
            The run was killed before its first.
        """
        if self._slot is not None:
            return self._slot
        count = self.committed("checkpoint")
        if count == 0:
            raise self.broken("its run was killed before its first checkpoint; run it again")
        slot = (count - 1) % CHECKPOINTS
        if self.finished:  # else a run may go on, and write over it
            self._slot = slot
        return slot

    def checkpoint(self, name: str) -> Any:
        """A value of the newest checkpoint: sample, keyframes, device_steps, wall_seconds, total_error."""
        real = name in ("wall_seconds", "total_error")
        axes = 2 if name == "total_error" else 1
        values = self.read(f"checkpoint/{name}", self.slot, ndim=axes, kind="f" if real else "i")
        if not np.isfinite(values).all() or (not real and values < 0):
            raise self.broken(f"checkpoint/{name} is {values}")
        return values

    @property
    def has_counters(self) -> bool:
        """Whether anything was counted yet."""
        return self.committed("checkpoint") > 0

    def counters(self, bank: str) -> list[str]:
        """Names of what was counted of a bank."""
        axes = ("slot", "phase", "device", "variable", "realisation")
        return [name for name in self.names(f"diagnostics/{bank}") if name not in axes]

    def counter(self, bank: str, name: str) -> np.ndarray:
        """What was counted up to the newest checkpoint."""
        return self._plausible(
            f"diagnostics/{bank}/{name}", self.read(f"diagnostics/{bank}/{name}", self.slot, kind="f")
        )

    def _plausible(self, path: str, values: np.ndarray) -> np.ndarray:
        """Numbers that can have been counted."""
        if not (np.abs(values) < COUNTED_AT_MOST).all():
            raise self.broken(f"{path} holds what no run counts, as {values[~(np.abs(values) < COUNTED_AT_MOST)][0]}")
        return values

    @cached_property
    def traced(self) -> tuple[str, ...]:
        """Banks with a trace in the file."""
        names = self.names("traces")
        return tuple(name for name in self.banks if name in names)

    def trace(self, bank: str) -> StoredTrace:
        """What was kept of a bank's trace."""
        if bank not in self._selections:
            self._selections[bank] = self._selection(bank)
        return StoredTrace(self._selections[bank], self.committed("rows"))

    @cached_property
    def _selections(self) -> dict[str, Selection]:
        return {}

    def _selection(self, bank: str) -> Selection:
        path = f"traces/{bank}"
        device, lane, variable = (
            self.read(f"{path}/{name}", ndim=1, kind="iu") for name in ("device", "realisation", "variable")
        )
        windows = self._windows(path)
        present = self.names(path)
        quantities = tuple(name for name in QUANTITIES if name in present)
        return Selection(
            device, lane, variable, quantities, self.integer(path, "stride"), tuple(map(tuple, windows.tolist()))
        )

    def _windows(self, path: str) -> np.ndarray:
        """First steps and ends of the windows of a trace, (windows, 2); the attribute is there only where there are."""
        if not self.has_attribute(path, "windows"):
            return np.empty((0, 2), dtype=np.int64)
        flat = self.numbers(path, "windows", ndim=1, kind="i")
        if len(flat) % 2:
            raise self.broken(f"{path}.windows are no pairs")
        return flat.reshape(-1, 2)

    def trace_rows(
        self, bank: str, quantity: str, first: int, last: int, *, stride: int = 1,
        devices: slice = slice(None), realisations: slice = slice(None),
    ) -> np.ndarray:  # fmt: skip
        """Rows of a trace: (rows, devices, [variables,] realisations)."""
        path = f"traces/{bank}/{quantity}"
        channels = (devices, slice(None), realisations) if quantity == "state" else (devices, realisations)
        read = self._reader(bank, quantity)
        # A stride is taken of rows that are read together: HDF5 would pick single ones one by one.
        piece = STRIDDEN_ROWS * stride if stride > 1 else max(1, last - first)
        parts = [
            read(path, slice(at, min(last, at + piece)), *channels, ndim=1 + len(channels))[::stride]
            for at in range(first, max(last, first + 1), piece)
        ]
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if len(values) != len(range(first, last, stride)):
            raise self.broken(f"traces/{bank}/{quantity} has fewer rows than were counted")
        return values

    def _reader(self, bank: str, quantity: str) -> Callable[..., Any]:
        """What reads a quantity of a trace."""
        if quantity != "state":
            return partial(self.read, kind="f")
        return partial(self.states, bank, variables=self.trace(bank).selection.variables)

    def trace_steps(self, bank: str, first: int, last: int) -> np.ndarray:
        """The steps that rows belong to, (rows,) int64."""
        values: np.ndarray = self.read(f"traces/{bank}/time", slice(first, last), ndim=1, kind="i")
        return values

    def overview(self, bank: str, quantity: str, level: int, first: int, last: int) -> np.ndarray:
        """Entries of the overview, (entries, 2, devices, [variables,] realisations)."""
        path = f"overview/{bank}/{LEVELS[level]}/{quantity}"
        values: np.ndarray = self._reader(bank, quantity)(path, slice(first, last))
        if len(values) != last - first:
            raise self.broken(f"{path} has fewer entries than were counted")
        return values

    def overview_entries(self, bank: str, level: int) -> int:
        """Entries of the overview that count."""
        rows = self.trace(bank).rows
        if self.finished:
            return -(-rows // LEVELS[level])
        return rows // LEVELS[-1] * (LEVELS[-1] // LEVELS[level])

    def wrong_chunks(self, bank: str, report: Callable[[int, int], None] = lambda _, __: None) -> Iterator[str]:
        """What is wrong with the chunks of a bank's trace, a line each; ``report`` as in :func:`.wrong_chunks`."""
        trace = self.trace(bank)
        names = ("time", *trace.selection.quantities)
        for k, name in enumerate(names):

            def told(done: int, count: int, before: int = k) -> None:
                report(before * count + done, len(names) * count)

            path = f"traces/{bank}/{name}"
            try:
                self.justify(path, trace.rows)
                for row, what in wrong_chunks(self.group(f"traces/{bank}"), name, trace.rows, told):
                    yield f"{path}: the chunk at row {row:,} {what}"
            except NotARunFileError:
                raise
            except FAILURES as error:
                raise self.broken(f"{path} cannot be compared with its checksums: {line_of(error)}") from None

    def look_at_states(self) -> None:
        """Read the states before the first step, and what the run began from beside them: they are what a run has."""
        for bank in self.banks:
            self.initial_state(bank)
        _ = self.beginning
