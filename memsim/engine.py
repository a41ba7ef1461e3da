"""The engine: blocks of realisations, stepped by threads, in bounded stretches.

Realisations do not touch each other, so each thread carries a block of them
through the same stretch of the schedule. A stretch ends where the trace's rows
are full, where a keyframe is due, or after about a tenth of a second; the
results do not depend on where.
"""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .assembly import Assembly
from .blocks import channels, new_block, new_rows
from .errors import RunError
from .kernels import block as kernel_block
from .kernels.block import Block, Data, Results
from .kernels.learning import loop_kernel
from .kernels.random import shuffle
from .kernels.slots import BankColumn

LANES_A_BLOCK = 128  # at most; more fall out of the first-level cache
STRETCH_SECONDS = 0.1
ORDER_BYTES = 4 << 20  # of the order of samples that is drawn ahead
ROW_BYTES = 16 << 20  # of trace rows that one stretch may fill
ROWS_AT_MOST = 1 << 16


@dataclass
class BankRows:
    """Rows of one bank and one block, as the kernel filled them.

    Attributes
    ----------
    bank : int
    realisations : slice
    state : (variables, rows, devices, realisations) float64
    current, voltage : (rows, devices, realisations) float64
    """

    bank: int
    realisations: slice
    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


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
    """

    def __init__(
        self, assembly: Assembly, *, threads: int, epochs: int, shuffled: bool = True, recorded: tuple[int, ...] = ()
    ) -> None:
        self.assembly = assembly
        self.epochs = epochs
        self.samples = len(assembly.inputs)
        self.shuffled = shuffled
        self.plan = _with_recorded(assembly.plan, recorded)
        self.slots_a_sample = len(self.plan.slots)
        self.slot_rows = np.array([s.width + assembly.schedule.rest_steps for s in assembly.schedule.slots])
        realisations = len(assembly.seeds)
        count = max(min(threads, realisations), -(-realisations // LANES_A_BLOCK))
        edges = np.linspace(0, realisations, count + 1).astype(int)
        self.parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
        self.position = 0  # slots from the start of the run
        self.device_steps = 0  # that were integrated
        self.total_error = np.zeros((epochs, realisations))
        self._kernel = loop_kernel(assembly.models, assembly.config.time.integrator)
        self._row_capacity = self._rows_a_stretch(bool(recorded))
        self._blocks = [self._new_block(part) for part in self.parts]
        self._order = np.empty((0, self.samples, realisations), dtype=np.uint32)
        self._order_first = 0
        self._rate = 0.0  # slots a second, measured
        self._pool = ThreadPoolExecutor(max_workers=min(threads, len(self.parts)))

    @property
    def slots(self) -> int:
        """Slots of the whole run."""
        return self.epochs * self.samples * self.slots_a_sample

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return self.position // (self.samples * self.slots_a_sample)

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown()

    def order(self, first: int, last: int) -> np.ndarray:
        """The order of samples of the epochs from ``first`` up to ``last``, (epochs, samples, realisations)."""
        if not self.shuffled:
            shape = (last - first, self.samples, len(self.assembly.seeds))
            # A copy: for a read-only array Numba would compile the whole loop once more.
            return np.broadcast_to(np.arange(self.samples, dtype=np.uint32)[None, :, None], shape).copy()
        order = np.empty((last - first, self.samples, len(self.assembly.seeds)), dtype=np.uint32)
        shuffle(self.assembly.seeds, first, order)
        return order

    def advance(self, limit: int, outputs: np.ndarray | None = None) -> list[BankRows]:
        """Run one stretch, up to slot ``limit`` at most.

        Parameters
        ----------
        limit : int
            Slots from the start of the run.
        outputs : (samples, outputs, realisations) float64, optional
            Filled with the network's outputs, from this stretch's first sample on.

        Returns
        -------
        list of BankRows
            What was recorded, for each block and recorded bank; the arrays are
            the caller's to keep.
        """
        slots = self._stretch(min(limit, self.slots))
        first_epoch = self._draw_order(self.position, self.position + slots)
        begun = time.perf_counter()
        work = [self._pool.submit(self._run_block, k, slots, first_epoch, outputs) for k in range(len(self.parts))]
        self.device_steps += sum(task.result() for task in work)
        self._measure(slots, time.perf_counter() - begun)
        self._check_finite()
        rows = int(self._rows_before(self.position + slots) - self._rows_before(self.position))
        self.position += slots
        return self._take_rows(rows)

    def states(self) -> list[np.ndarray]:
        """The states of each bank, (devices, variables, realisations), copied."""
        return [self._gather(b, "state") for b in range(len(self.plan.banks))]

    def counter(self, name: str, bank: int) -> np.ndarray:
        """A counter of a bank: (devices, realisations), with the phases or variables before it where it has them."""
        at = self._place(bank)
        parts = []
        for part, block in zip(self.parts, self._blocks, strict=True):
            lanes = part.stop - part.start
            values = getattr(block.counters, name)
            if name in ("highest", "lowest"):
                first, size = at.first_state * lanes, at.variables * at.devices * lanes
                parts.append(values[first : first + size].reshape(at.variables, at.devices, lanes))
            else:
                first, size = at.first * lanes, at.devices * lanes
                flat = values[..., first : first + size]
                parts.append(flat.reshape(*flat.shape[:-1], at.devices, lanes))
        return np.concatenate(parts, axis=-1)

    def _place(self, bank: int) -> kernel_block.Place:
        return kernel_block.place(self.plan.banks, bank, 1)

    def _gather(self, bank: int, field: str) -> np.ndarray:
        """A state array of a bank over all blocks, (devices, variables, realisations)."""
        at = self._place(bank)
        parts = []
        for part, block in zip(self.parts, self._blocks, strict=True):
            lanes = part.stop - part.start
            first, size = at.first_state * lanes, at.variables * at.devices * lanes
            flat = getattr(block.devices, field)[first : first + size]
            parts.append(flat.reshape(at.variables, at.devices, lanes).transpose(1, 0, 2))
        return np.concatenate(parts, axis=-1)

    def _new_block(self, part: slice) -> Block:
        initial = [states[:, :, part] for states in self.assembly.initial]
        return new_block(self.plan, initial, self.assembly.targets.shape[1], self._row_capacity)

    def _rows_a_stretch(self, recording: bool) -> int:
        if not recording:
            return 0
        states, elements = channels(self.plan)
        row_bytes = 8 * (states + 2 * elements) * len(self.assembly.seeds)
        return max(int(self.slot_rows.max()), min(ROWS_AT_MOST, ROW_BYTES // row_bytes))

    def _rows_before(self, position: int) -> int:
        sample, slot = divmod(position, self.slots_a_sample)
        return int(sample * self.slot_rows.sum() + self.slot_rows[:slot].sum())

    def _stretch(self, limit: int) -> int:
        """Slots of the next stretch."""
        slots = max(1, int(self._rate * STRETCH_SECONDS)) if self._rate else self.slots_a_sample
        ahead = max(1, ORDER_BYTES // (4 * self.samples * len(self.assembly.seeds)))
        epoch_slots = self.samples * self.slots_a_sample
        slots = min(slots, limit - self.position, (self.epoch + ahead) * epoch_slots - self.position)
        if self._row_capacity:
            last = self.position
            while last < self.position + slots and self._fits(last + 1):
                last += 1
            slots = last - self.position
        return slots

    def _fits(self, position: int) -> bool:
        return self._rows_before(position) - self._rows_before(self.position) <= self._row_capacity

    def _draw_order(self, first_slot: int, last_slot: int) -> int:
        """Have the order of samples at hand for a stretch; returns the epoch that it begins with."""
        epoch_slots = self.samples * self.slots_a_sample
        first, last = first_slot // epoch_slots, -(-last_slot // epoch_slots)
        held = range(self._order_first, self._order_first + len(self._order))
        if first not in held or last - 1 not in held:
            ahead = max(last - first, min(64, ORDER_BYTES // (4 * self.samples * len(self.assembly.seeds))))
            self._order = self.order(first, min(max(last, first + ahead), self.epochs))
            self._order_first = first
        return first

    def _run_block(self, index: int, slots: int, first_epoch: int, outputs: np.ndarray | None) -> int:
        part, block = self.parts[index], self._blocks[index]
        lanes = part.stop - part.start
        order = np.ascontiguousarray(self._order[first_epoch - self._order_first :, :, part])
        errors = np.ascontiguousarray(self.total_error[first_epoch : first_epoch + len(order), part])
        kept = 0 if outputs is None else len(outputs)
        shown = np.empty((kept, self.assembly.targets.shape[1], lanes))
        data = Data(self.assembly.inputs, self.assembly.targets, order)
        stepped = self._kernel(self.plan, block, data, Results(errors, shown), self.position, slots, first_epoch)
        self.total_error[first_epoch : first_epoch + len(order), part] = errors
        if outputs is not None:
            # A stretch may begin and end within a sample.
            samples = (self.position + slots) // self.slots_a_sample - self.position // self.slots_a_sample
            outputs[:samples, :, part] = shown[:samples]
        return int(stepped)

    def _measure(self, slots: int, seconds: float) -> None:
        """Follow the speed, so that a stretch takes about as long as it should."""
        now = slots / max(seconds, 1e-6)
        self._rate = now if not self._rate else 0.5 * (self._rate + now)

    def _check_finite(self) -> None:
        for block in self._blocks:
            if not (np.isfinite(block.devices.state).all() and np.isfinite(block.registers.error).all()):
                raise RunError(
                    f"a device's state or a sample's error is no longer finite in epoch {self.epoch}; "
                    f"check the data and the devices' parameters, or take a smaller time.dt"
                )

    def _take_rows(self, rows: int) -> list[BankRows]:
        """Hand over what was recorded, and give the blocks fresh rows."""
        if not self._row_capacity:
            return []
        taken = []
        for k, part in enumerate(self.parts):
            block = self._blocks[k]
            for bank in np.flatnonzero(self.plan.banks[:, BankColumn.RECORDED]):
                taken.append(self._bank_rows(int(bank), part, block, rows))
            self._blocks[k] = block._replace(rows=new_rows(self.plan, block.lanes, self._row_capacity))
        return taken

    def _bank_rows(self, bank: int, part: slice, block: Block, rows: int) -> BankRows:
        at = kernel_block.place(self.plan.banks, bank, block.lanes)
        state, current, voltage = kernel_block.rows_of(self.plan, at, bank, block)
        shape = (rows, at.devices, block.lanes)
        return BankRows(
            bank,
            part,
            state[:, :rows].reshape(at.variables, *shape),
            current[:rows].reshape(shape),
            voltage[:rows].reshape(shape),
        )


def _with_recorded(plan: kernel_block.Plan, recorded: tuple[int, ...]) -> kernel_block.Plan:
    banks = plan.banks.copy()
    banks[list(recorded), BankColumn.RECORDED] = 1
    return plan._replace(banks=banks)
