"""The engine: blocks of realisations, stepped by threads, in bounded stretches.

Realisations do not touch each other, so each thread carries a block of them
through the same stretch of the schedule. A stretch ends where the trace's rows
or the keyframes' memory is full, or after about a tenth of a second; the
results do not depend on where.
"""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from ..errors import InputError, NotFiniteError
from ..kernels.compiling import Kernel
from ..kernels.learning import loop
from ..kernels.operands import Data, Keyframes, Results, Rows
from ..kernels.random import DRAW_ORDERS, shuffle
from ..kernels.records import Packed
from ..network.assembly import Assembly
from ..network.learning_rates import rates_of
from ..terminal.preparing import prepare
from ..traces.rows import RowsPart
from ..traces.stored import COUNTED_AT_MOST
from .blocks import PHASES, Block, bank_rows, channels, lanes_a_block, new_block, new_rows, partition, put_states
from .program.linking import Linked
from .program.making import make

STRETCH_SECONDS = 0.1
ORDER_BYTES = 4 << 20  # of the order of samples that is drawn ahead
KEYFRAME_BYTES = 4 << 20  # of the keyframes that one stretch may fill
SLOT_BYTES = 4 << 30  # of the rows of one slot
ROW_BYTES = 16 << 20  # of trace rows that one stretch may fill
ROWS_AT_MOST = 1 << 16


@dataclass
class BankRows(RowsPart):
    """Rows of one bank and one block, as the kernel filled them.

    Attributes
    ----------
    bank : int
        Its place in the network.
    """

    bank: int


@dataclass
class Recorded:
    """The rows of one stretch, for each recorded bank and block; give the memory back with :meth:`Engine.recycle`."""

    rows: list[BankRows]
    memory: list[Rows]


@dataclass
class KeyframeStates:
    """Keyframes that a stretch came to.

    Attributes
    ----------
    samples : (n,) int64
        Samples that were complete at each.
    states : list of (n, devices, variables, realisations) float64
        Of each bank.
    bias : (n, units, realisations) float64
        Bias weights as the controller last knew them.
    past : list of (n, kinds, devices, realisations) float64
        What the past left in each bank's devices; empty where it does not count.
    """

    samples: np.ndarray
    states: list[np.ndarray]
    bias: np.ndarray
    past: list[np.ndarray]


@dataclass
class Checkpoint:
    """All that a run goes on from, at the end of a mini-batch: nothing is gathered there.

    Attributes
    ----------
    sample : int
        Samples that are complete.
    states : list of (devices, variables, realisations) float64
    bias : (units, realisations) float64
    past : list of (kinds, devices, realisations) float64
        See :class:`~memsim.kernels.slots.Past`, of each bank; empty where it does not count, or for a fresh one.
    error : (realisations,) float64
        Of the epoch in progress.
    counters : list of dict
        For each bank, name to values as :meth:`Engine.counter` gives them;
        empty where counting starts anew.
    device_steps : int
    """

    sample: int
    states: list[np.ndarray]
    bias: np.ndarray
    past: list[np.ndarray]
    error: np.ndarray
    counters: list[dict[str, np.ndarray]]
    device_steps: int


class Engine:
    """A run in progress.

    Parameters
    ----------
    assembly : Assembly
    threads : int
        1 or more.
    epochs : int
        Epochs that the order of samples is drawn for.
    shuffled : bool
        False shows the samples in their own order.
    recorded : tuple of int
        Banks whose every step is recorded.
    recorded_realisations : (n,) int, optional
        Realisations that are recorded; all where not given.
    keyframe_samples : int
        Keep the states at the end of every so many samples; 0 keeps none.
    shown : (samples, realisations) uint32, optional
        The samples that an epoch shows each realisation; the data set's in their order, or shuffled, where not given.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        threads: int,
        epochs: int,
        shuffled: bool = True,
        recorded: tuple[int, ...] = (),
        recorded_realisations: Sequence[int] | np.ndarray | None = None,
        keyframe_samples: int = 0,
        shown: np.ndarray | None = None,
    ) -> None:
        self.assembly = assembly
        self.epochs = epochs
        self.samples = len(assembly.inputs) if shown is None else len(shown)
        self._shown = shown
        self.shuffled = shuffled
        self.keyframe_samples = keyframe_samples
        self.slots_a_sample = len(assembly.schedule.slots)
        self.slot_rows = np.array([s.width + assembly.schedule.rest_steps for s in assembly.schedule.slots])
        self.realisations = len(assembly.seeds)
        most = lanes_a_block(channels(assembly)[1])
        chosen = recorded_realisations if recorded else None
        self.parts, records = partition(self.realisations, threads, most, chosen)
        self._inverse = np.argsort(np.concatenate(self.parts))
        self._records = [bool(recorded) and wanted for wanted in records]
        self._recorded = recorded
        self.position = 0  # slots from the start of the run
        self.steps_before = assembly.steps_before  # that the draws of noise go on from
        self.device_steps = 0  # that were integrated
        self.partial_error = np.zeros(self.realisations)  # of the epoch in progress
        self._errors: list[np.ndarray] = []
        self._energies: list[np.ndarray] = []
        self._keyframes: list[KeyframeStates] = []
        self._row_capacity = self._rows_a_stretch() if recorded else 0
        self._free_rows: deque[list[Rows]] = deque()
        self._blocks = [new_block(assembly, part) for part in self.parts]
        if assembly.start is not None:
            for block in self._blocks:
                block.memory.bias[:] = assembly.start.beginning.bias[:, block.realisations]
        self._instructions = [
            make(assembly, block, self._recorded if records else ())
            for block, records in zip(self._blocks, self._records, strict=True)
        ]
        self._programs: list[dict[bool, Linked]] = [{} for _ in self._blocks]
        self._order = np.empty((0, self.samples, self.realisations), dtype=np.uint32)
        self._order_first = 0
        self._rate = 0.0  # slots a second, measured
        self._measured = 0  # stretches
        self._prepared = False
        self._pool = ThreadPoolExecutor(max_workers=min(threads, len(self.parts)))

    @property
    def slots(self) -> int:
        """Slots of the whole run."""
        return self.epochs * self.samples * self.slots_a_sample

    @property
    def all_steps(self) -> int:
        """Steps of the whole run."""
        return self._rows_before(self.slots)

    @property
    def sample(self) -> int:
        """Samples that are complete."""
        return self.position // self.slots_a_sample

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return self.sample // self.samples

    @property
    def slots_a_second(self) -> float:
        """The present speed; 0 until it is known: the first stretches are short."""
        return self._rate if self._measured > 2 else 0.0

    @property
    def step(self) -> int:
        """The step of the run that comes next."""
        return self._rows_before(self.position)

    def kernels(self) -> list[Kernel]:
        """Every kernel that the run needs, each once; its stretches that are not recorded need no others."""
        needed = [kernel for made in self._instructions for kernel in made.kernels()]
        shuffled = self.shuffled and self._shown is None
        return list(dict.fromkeys([*needed, *([DRAW_ORDERS] if shuffled else [])]))

    def prepare(self, stop: Event | None = None) -> None:
        """Have all compiled code at hand, before a clock runs; see :func:`memsim.terminal.preparing.prepare`."""
        if not self._prepared:
            prepare(self.kernels(), stop)
            self._prepared = True

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown()

    def order(self, first: int, last: int) -> np.ndarray:
        """The order of samples of the epochs from ``first`` up to ``last``, (epochs, samples, realisations)."""
        if self._shown is not None:
            return np.repeat(self._shown[None], last - first, axis=0)
        if not self.shuffled:
            shape = (last - first, self.samples, self.realisations)
            return np.broadcast_to(np.arange(self.samples, dtype=np.uint32)[None, :, None], shape).copy()
        order = np.empty((last - first, self.samples, self.realisations), dtype=np.uint32)
        shuffle(self.assembly.seeds, self.assembly.epochs_before + first, order)
        return order

    def rates(self, first: int, last: int) -> np.ndarray:
        """Learning rates of the epochs from ``first`` up to ``last``, (epochs,)."""
        before = self.assembly.epochs_before
        return rates_of(self.assembly.config.learning, before + first, before + last)

    def advance(self, limit: int, outputs: np.ndarray | None = None, *, record: bool = True) -> Recorded:
        """Run one stretch, up to slot ``limit`` at most.

        Parameters
        ----------
        limit : int
            Slots from the start of the run.
        outputs : (samples, outputs, realisations) float64, optional
            Filled with the network's outputs, from this stretch's first sample on.
        record : bool
            False records nothing in this stretch.

        Returns
        -------
        Recorded
            The caller's to keep, or to give back with :meth:`recycle`.
        """
        self.prepare()
        recording = record and self._row_capacity > 0
        slots = self._stretch(min(limit, self.slots), recording)
        first_epoch = self._draw_order(self.position, self.position + slots)
        kept = self._keyframes_within(self.position + slots)
        memory = self._take_memory() if recording else [new_rows(self.assembly, 0, 0) for _ in self.parts]
        programs = [self._program(k, rows.capacity > 0) for k, rows in enumerate(memory)]
        begun = time.perf_counter()
        work = [
            self._pool.submit(self._run_block, k, program, memory[k], slots, first_epoch, len(kept), outputs)
            for k, program in enumerate(programs)
        ]
        results = [task.result() for task in work]
        self._measure(slots, time.perf_counter() - begun)
        self.device_steps += sum(stepped for stepped, _ in results)
        self._check_finite()
        rows = self._rows_before(self.position + slots) - self._rows_before(self.position)
        self.position += slots
        self._keep_epochs([given for _, given in results], first_epoch)
        if len(kept):
            self._keep_keyframes(kept, [given.keyframes for _, given in results])
        return Recorded(self._bank_rows(memory, rows) if recording else [], memory if recording else [])

    def recycle(self, recorded: Recorded) -> None:
        """Take the memory of rows back; whoever holds views of them must not read them after this."""
        if recorded.memory:
            self._free_rows.append(recorded.memory)

    def take_errors(self) -> np.ndarray:
        """Total errors of the epochs that were completed since the last call, (epochs, realisations)."""
        taken, self._errors = self._errors, []
        return np.concatenate([np.empty((0, self.realisations)), *taken])

    def take_energies(self) -> np.ndarray:
        """Energies in J of the same epochs since the last call, (epochs, banks, phases, realisations)."""
        taken, self._energies = self._energies, []
        nothing = np.empty((0, len(self.assembly.banks), PHASES, self.realisations))
        return np.concatenate([nothing, *taken])

    def take_keyframes(self) -> list[KeyframeStates]:
        """The keyframes since the last call."""
        taken, self._keyframes = self._keyframes, []
        return taken

    def next_keyframe(self) -> int:
        """Slots from the start of the run to the next keyframe's place; to the end where there is none before it."""
        sample = (self.position // self.slots_a_sample // self.keyframe_samples + 1) * self.keyframe_samples
        return min(sample * self.slots_a_sample, self.slots)

    def next_epoch(self) -> int:
        """Slots from the start of the run to the end of the epoch in progress, or of the one that begins."""
        return (self.epoch + 1) * self._epoch_slots

    def next_batch_end(self) -> int:
        """Slots from the start of the run to the end of the mini-batch in progress, or to where the engine is."""
        epoch, sample = divmod(-(-self.position // self.slots_a_sample), self.samples)
        batch = self.assembly.config.learning.batch
        return (epoch * self.samples + min(-(-sample // batch) * batch, self.samples)) * self.slots_a_sample

    def states(self) -> list[np.ndarray]:
        """The states of each bank, (devices, variables, realisations), copied."""
        return [self._states_of(bank, [block.state[None] for block in self._blocks])[0] for bank in self._bank_numbers]

    def past(self) -> list[np.ndarray]:
        """The past of each bank's devices, (kinds, devices, realisations), copied; none where it does not count."""
        return [past[0] for past in self._past_of([block.past[None] for block in self._blocks])]

    def counter(self, name: str, bank: int) -> np.ndarray:
        """A counter of a bank: (devices, realisations), with the phases or variables before it where it has them."""
        if name == "energy":
            return self.counter("complete_energy", bank) + self.counter("epoch_energy", bank)
        return self._joined([self._counter_view(name, bank, block) for block in self._blocks])

    def request(self, bank: int, aims: np.ndarray, devices: np.ndarray) -> None:
        """Have devices of a bank led to states by the VERIFYs and CORRECTs to come.

        Parameters
        ----------
        bank : int
        aims : (devices, realisations) float64
        devices : (devices,) bool
            Which of them; the others get no pulse.
        """
        for block in self._blocks:
            self._counter_view("aim", bank, block)[:] = aims[:, block.realisations]
            self._counter_view("request", bank, block)[:] = devices[:, None]

    def checkpoint(self, counters: Sequence[str]) -> Checkpoint:
        """All that a run goes on from, copied; ``position`` must be at a mini-batch's end.

        Raises
        ------
        NotFiniteError
            A counter, as an energy, is beyond what is counted.
        """
        found = [{name: self.counter(name, bank) for name in counters} for bank in self._bank_numbers]
        self._check_counted(found)
        return Checkpoint(
            sample=self.sample,
            states=self.states(),
            bias=self._joined([block.memory.bias for block in self._blocks]),
            past=self.past(),
            error=self.partial_error.copy(),
            counters=found,
            device_steps=self.device_steps,
        )

    def _check_counted(self, counters: list[dict[str, np.ndarray]]) -> None:
        """Refuse what a reader of the file would take for broken."""
        for bank, counted in zip(self.assembly.banks, counters, strict=True):
            for name, values in counted.items():
                beyond = ~(np.abs(values) < COUNTED_AT_MOST)
                if beyond.any():
                    lost = np.flatnonzero(beyond.reshape(-1, self.realisations).any(axis=0))
                    raise NotFiniteError(
                        f"{name.replace('_', ' ')} of {bank.name} is beyond {COUNTED_AT_MOST:g} in epoch {self.epoch}; "
                        f"check time.dt and the sizes of the devices' parameters",
                        tuple(lost.tolist()),
                    )

    def restore(self, at: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.position = at.sample * self.slots_a_sample
        self.device_steps = at.device_steps
        self.partial_error = np.array(at.error)
        self._errors, self._energies, self._keyframes = [], [], []
        for block in self._blocks:
            part = block.realisations
            block.memory.bias[:] = at.bias[:, part]
            for bank, states in zip(block.banks, at.states, strict=True):
                bank.gathered[:] = 0.0
                put_states(bank, states[..., part].transpose(1, 0, 2))
            for number, past in enumerate(at.past or self.assembly.past):
                block.of_elements(block.banks[number].past, number)[:] = past[..., part]
            for number, counters in enumerate(at.counters):
                for name, values in _energies_apart(counters).items():
                    self._counter_view(name, number, block)[:] = values[..., part]

    @property
    def _bank_numbers(self) -> range:
        return range(len(self.assembly.banks))

    def _program(self, index: int, recording: bool) -> Linked:
        """The linked program of a block."""
        known, block, records = self._programs[index], self._blocks[index], self._records[index]
        if recording not in known:
            made = self._instructions[index] if recording == records else make(self.assembly, block)
            known[recording] = Linked(self.assembly, block, made)
        return known[recording]

    def _joined(self, parts: list[np.ndarray]) -> np.ndarray:
        """Arrays of all blocks, realisations last, in the order of the realisations."""
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=-1)[..., self._inverse]

    def _counter_view(self, name: str, bank: int, block: Block) -> np.ndarray:
        """A block's counter of a bank, (devices, realisations), with the phases or variables before it."""
        return block.of_elements(getattr(block.banks[bank], name), bank)

    def _states_of(self, bank: int, flat: list[np.ndarray]) -> np.ndarray:
        """A bank's states from (n, states) of each block, (n, devices, variables, realisations)."""
        parts = [
            block.part_of(values, "state", bank).transpose(0, 2, 1, 3)
            for block, values in zip(self._blocks, flat, strict=True)
        ]
        return self._joined(parts)

    def _past_of(self, flat: list[np.ndarray]) -> list[np.ndarray]:
        """Each bank's past from (n, numbers) of each block, (n, kinds, devices, realisations)."""
        if not self.assembly.past:
            return []
        return [
            self._joined([
                block.part_of(values, "past", bank) for block, values in zip(self._blocks, flat, strict=True)
            ])
            for bank in self._bank_numbers
        ]  # fmt: skip

    def _rows_a_stretch(self) -> int:
        states, elements = channels(self.assembly)
        lanes = sum(len(part) for part, records in zip(self.parts, self._records, strict=True) if records)
        row_bytes = 8 * (states + 2 * elements) * max(1, lanes)
        longest = int(self.slot_rows.max())
        if longest * row_bytes > SLOT_BYTES:
            needed = longest * row_bytes / 2**30
            raise InputError(
                f"trace.mode: the rows of one slot of {longest:,} steps would take {needed:.3g} GiB of memory, "
                f"more than {SLOT_BYTES / 2**30:g}; select fewer realisations, or take a larger time.dt"
            )
        return max(int(self.slot_rows.max()), min(ROWS_AT_MOST, ROW_BYTES // row_bytes))

    def _rows_before(self, position: int) -> int:
        sample, slot = divmod(position, self.slots_a_sample)
        return int(sample * self.slot_rows.sum() + self.slot_rows[:slot].sum())

    def _stretch(self, limit: int, recording: bool) -> int:
        """Slots of the next stretch."""
        slots = max(1, int(self._rate * STRETCH_SECONDS)) if self._rate else self.slots_a_sample
        slots = min(
            slots, limit - self.position, (self.epoch + self._order_ahead()) * self._epoch_slots - self.position
        )
        if self.keyframe_samples:
            numbers = sum(b.state.size + b.memory.bias.size + b.past.size for b in self._blocks)
            room = max(1, KEYFRAME_BYTES // (8 * numbers))
            last = (self.sample // self.keyframe_samples + room + 1) * self.keyframe_samples
            slots = min(slots, last * self.slots_a_sample - 1 - self.position)
        if recording:
            ends = self._ends(self.position, self.position + slots)
            slots = int(np.searchsorted(ends, self._rows_before(self.position) + self._row_capacity, side="right"))
        return max(1, slots)

    def _ends(self, first: int, last: int) -> np.ndarray:
        """Rows before each position after ``first`` up to ``last``, as far as they may fit."""
        last = min(last, first + self._row_capacity // int(self.slot_rows.min()) + 1)
        positions = np.arange(first + 1, last + 1)
        before = np.concatenate([[0], np.cumsum(self.slot_rows)])
        return positions // self.slots_a_sample * before[-1] + before[positions % self.slots_a_sample]

    @property
    def _epoch_slots(self) -> int:
        return self.samples * self.slots_a_sample

    def _order_ahead(self) -> int:
        """Epochs whose order may be held at once."""
        return max(1, ORDER_BYTES // (4 * self.samples * self.realisations))

    def _draw_order(self, first_slot: int, last_slot: int) -> int:
        """Have the order of samples at hand for a stretch; returns the epoch that it begins with."""
        first, last = first_slot // self._epoch_slots, -(-last_slot // self._epoch_slots)
        held = range(self._order_first, self._order_first + len(self._order))
        if first not in held or last - 1 not in held:
            ahead = max(last - first, min(64, self._order_ahead()))
            self._order = self.order(first, min(max(last, first + ahead), self.epochs))
            self._order_first = first
        return first

    def _keyframes_within(self, last_slot: int) -> np.ndarray:
        """Samples that are complete at the keyframes of the stretch up to ``last_slot``."""
        every = self.keyframe_samples
        if not every:
            return np.empty(0, dtype=np.int64)
        return np.arange(self.sample // every + 1, last_slot // self.slots_a_sample // every + 1) * every

    def _run_block(
        self, index: int, linked: Linked, rows: Rows, slots: int, first_epoch: int, keyframes: int,
        outputs: np.ndarray | None,
    ) -> tuple[int, Results]:  # fmt: skip
        part, block = self.parts[index], self._blocks[index]
        lanes = len(part)
        epochs = -(-(self.position + slots) // self._epoch_slots) - first_epoch
        at = first_epoch - self._order_first
        order = np.ascontiguousarray(self._order[at : at + epochs][..., _as_slice(part)])
        errors = np.zeros((epochs, lanes))
        errors[0] = self.partial_error[part]
        shown = np.empty((0 if outputs is None else len(outputs), self.assembly.targets.shape[1], lanes))
        kept = Keyframes(
            np.empty((keyframes, len(block.state))), np.empty((keyframes, *block.memory.bias.shape)),
            np.empty((keyframes, len(block.past))), self.keyframe_samples,
        )  # fmt: skip
        rates = self.rates(first_epoch, first_epoch + epochs)
        data = Data(self.assembly.inputs, self.assembly.targets, order, rates)
        results = Results(errors, np.zeros((epochs, len(block.banks), PHASES, lanes)), shown, kept)
        rows = rows._replace(first_step=self.steps_before + self.step)
        given = (linked.program, Packed(data), Packed(results), Packed(rows))
        stepped = loop()(*given, self.position, slots, first_epoch)
        if outputs is not None:
            # A stretch may begin and end within a sample.
            samples = (self.position + slots) // self.slots_a_sample - self.position // self.slots_a_sample
            outputs[:samples, :, part] = shown[:samples]
        return stepped, results

    def _keep_epochs(self, given: list[Results], first_epoch: int) -> None:
        joined = self._joined([part.total_error for part in given])
        complete = self.epoch - first_epoch
        if complete:
            self._errors.append(joined[:complete])
            self._energies.append(self._joined([part.energy[:complete] for part in given]))
        self.partial_error = joined[complete] if complete < len(joined) else np.zeros(self.realisations)

    def _keep_keyframes(self, samples: np.ndarray, kept: list[Keyframes]) -> None:
        states = [self._states_of(bank, [part.state for part in kept]) for bank in self._bank_numbers]
        past = self._past_of([part.past for part in kept])
        self._keyframes.append(KeyframeStates(samples, states, self._joined([part.bias for part in kept]), past))

    def _measure(self, slots: int, seconds: float) -> None:
        """Follow the speed, so that a stretch takes about as long as it should."""
        now = slots / max(seconds, 1e-6)
        self._measured += 1
        self._rate = now if not self._rate else 0.5 * (self._rate + now)

    def _check_finite(self) -> None:
        lost: list[int] = []
        for block in self._blocks:
            error = block.sample.error
            if not (np.isfinite(block.state).all() and np.isfinite(error).all()):
                views = [block.of_elements(bank.state, number) for number, bank in enumerate(block.banks)]
                finite = np.all([np.isfinite(view).all(axis=(0, 1)) for view in views], axis=0)
                lost += block.realisations[~(finite & np.isfinite(error))].tolist()
        if lost:
            found = [bank.device.find_not_finite(bank.driver_limit) for bank in self.assembly.banks]
            reason = next(filter(None, found), "check the data and the devices' parameters, or take a smaller time.dt")
            raise NotFiniteError(
                f"a device's state or a sample's error is no longer finite in epoch {self.epoch}; {reason}",
                tuple(sorted(lost)),
            )

    def _take_memory(self) -> list[Rows]:
        """Room for the rows of a stretch: given back earlier, or new."""
        try:
            return self._free_rows.popleft()
        except IndexError:
            capacities = [self._row_capacity if records else 0 for records in self._records]
            return [
                new_rows(self.assembly, len(part), capacity)
                for part, capacity in zip(self.parts, capacities, strict=True)
            ]

    def _bank_rows(self, memory: list[Rows], rows: int) -> list[BankRows]:
        """Views of what was recorded."""
        found = []
        for part, filled, records in zip(self.parts, memory, self._records, strict=True):
            for bank in self._recorded if records else ():
                states, currents, voltages = bank_rows(self.assembly, filled, len(part), bank)
                found.append(BankRows(part, states[:, :rows], currents[:rows], voltages[:rows], bank))
        return found


def _energies_apart(counters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Counters with the energy of complete epochs in the place of the whole; earlier files have not told them apart."""
    found = {name: values for name, values in counters.items() if name != "energy"}
    if "energy" in counters and "complete_energy" not in counters:
        found["complete_energy"] = counters["energy"] - counters.get("epoch_energy", 0.0)
    return found


def _as_slice(part: np.ndarray) -> Any:
    """Consecutive numbers as a slice, which is read faster."""
    consecutive = len(part) == part[-1] - part[0] + 1
    return slice(int(part[0]), int(part[-1]) + 1) if consecutive else part
