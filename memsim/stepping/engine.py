"""The engine: blocks of realisations, stepped by threads, in bounded stretches.

Realisations do not touch each other, so each thread carries a block of them
through the same stretch of the schedule. A stretch ends where the trace's rows
or the keyframes' memory is full, or after about a tenth of a second; the
results do not depend on where.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import numpy as np

from ..kernels.compiling import Kernel
from ..kernels.learning import loop
from ..kernels.operands import Data, Keyframes, Results, Rows
from ..kernels.random import DRAW_ORDERS
from ..kernels.records import Packed
from ..kernels.slots import Phase
from ..kernels.teams import break_up
from ..network.assembly import Assembly
from ..network.learning_rates import rates_of
from ..terminal.preparing import prepare
from .block_set import BlockSet, Checkpoint, KeyframeStates
from .blocks import Block, channels, lanes_a_block, partition
from .clock import Clock, Pace
from .finite import check_counted, check_finite
from .program.helping import Helper
from .program.linking import Linked
from .program.making import make, members_of
from .row_memory import Recorded, RowMemory
from .sample_order import HeldOrder, SampleOrder
from .teams import Choice, team_of

KEYFRAME_BYTES = 4 << 20  # of the keyframes that one stretch may fill


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

    Attributes
    ----------
    clock : Clock
        Where it is.
    blocks : BlockSet
        What the devices hold, and what was counted.
    order : SampleOrder
    steps_before : int
        That the draws of noise go on from.
    device_steps : int
        That were integrated.
    partial_error : (realisations,) float64
        Of the epoch in progress.
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
        self.realisations = len(assembly.seeds)
        schedule = assembly.schedule
        self.clock = Clock(
            [slot.width + schedule.rest_steps for slot in schedule.slots],
            samples=len(assembly.inputs) if shown is None else len(shown),
            epochs=epochs, batch=assembly.config.learning.batch, keyframe_samples=keyframe_samples,
        )  # fmt: skip
        self.order = SampleOrder(
            assembly.seeds, self.clock.samples, epochs_before=assembly.epochs_before, shuffled=shuffled, shown=shown
        )  # fmt: skip
        most = lanes_a_block(channels(assembly)[1])
        chosen = recorded_realisations if recorded else None
        parts, records = partition(self.realisations, threads, most, chosen)
        self._rows = RowMemory(assembly, recorded, parts, records, int(self.clock.slot_steps.max()))
        self.blocks = BlockSet(assembly, parts)
        self._orders = [HeldOrder(self.order.of(part)) for part in parts]
        self.steps_before = assembly.steps_before
        self.device_steps = 0
        self.partial_error = np.zeros(self.realisations)
        self._errors: list[np.ndarray] = []
        self._energies: list[np.ndarray] = []
        self._keyframes: list[KeyframeStates] = []
        self._teams = [team_of(self._members(block, threads)) for block in self.blocks]
        self._instructions = [
            make(assembly, block, self._rows.banks_of(k), self._teams[k][0]) for k, block in enumerate(self.blocks)
        ]
        self._helpers = [
            [Helper(assembly, block, member) for member in team[1:]]
            for block, team in zip(self.blocks, self._teams, strict=True)
        ]
        self._programs: list[dict[tuple[bool, bool], Linked]] = [{} for _ in self.blocks]
        self._pace = Pace()
        self._choice = Choice(any(self._helpers))
        self._prepared = False
        self._pool = ThreadPoolExecutor(max_workers=min(threads, sum(map(len, self._teams))))

    @property
    def slots_a_second(self) -> float:
        """The present speed; 0 until it is known."""
        return self._pace.slots_a_second

    def kernels(self) -> list[Kernel]:
        """Every kernel that the run needs, each once; its stretches that are not recorded need no others."""
        programs = [*self._instructions, *(helper.instructions for team in self._helpers for helper in team)]
        needed = [kernel for made in programs for kernel in made.kernels()]
        return list(dict.fromkeys([*needed, *([DRAW_ORDERS] if self.order.is_drawn else [])]))

    def prepare(self, stop: Event | None = None) -> None:
        """Have all compiled code at hand, before a clock runs; see :func:`memsim.terminal.preparing.prepare`."""
        if not self._prepared:
            prepare(self.kernels(), stop)
            self._prepared = True

    def close(self) -> None:
        """Give the threads back."""
        self._pool.shutdown()

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

        Raises
        ------
        NotFiniteError
            A state or an error of a sample is no longer finite.
        """
        self.prepare()
        recording = record and self._rows.capacity > 0
        clock, first_epoch = self.clock, self.clock.epoch
        end = clock.position + self._stretch(min(limit, clock.slots), recording)
        keyframes = clock.keyframes_up_to(end)
        memory = self._rows.take() if recording else self._rows.none()
        results = self._run(memory, end, len(keyframes), outputs)
        check_finite(self.assembly, self.blocks, first_epoch)
        rows = clock.steps_to(end) - clock.step
        clock.position = end
        self._keep_epochs(results, clock.epoch - first_epoch)
        if len(keyframes):
            self._keyframes.append(self.blocks.keyframes(keyframes, [given.keyframes for given in results]))
        return self._rows.recorded(memory, rows) if recording else Recorded([], [])

    def recycle(self, recorded: Recorded) -> None:
        """Take the memory of rows back; whoever holds views of them must not read them after this."""
        self._rows.give_back(recorded)

    def take_errors(self) -> np.ndarray:
        """Total errors of the epochs that were completed since the last call, (epochs, realisations)."""
        taken, self._errors = self._errors, []
        return np.concatenate([np.empty((0, self.realisations)), *taken])

    def take_energies(self) -> np.ndarray:
        """Energies in J of those epochs since the last call, (epochs, banks, phases, realisations)."""
        taken, self._energies = self._energies, []
        nothing = np.empty((0, len(self.assembly.banks), len(Phase), self.realisations))
        return np.concatenate([nothing, *taken])

    def take_keyframes(self) -> list[KeyframeStates]:
        """The keyframes since the last call."""
        taken, self._keyframes = self._keyframes, []
        return taken

    def checkpoint(self, counters: Sequence[str]) -> Checkpoint:
        """All that a run goes on from, copied; the clock must be at a mini-batch's end.

        Raises
        ------
        NotFiniteError
            A counter, as an energy, is beyond what is counted.
        """
        found = self.blocks.counters(counters)
        check_counted(self.assembly, found, self.clock.epoch)
        return Checkpoint(
            sample=self.clock.sample,
            states=self.blocks.states(),
            bias=self.blocks.bias(),
            past=self.blocks.past(),
            error=self.partial_error.copy(),
            counters=found,
            device_steps=self.device_steps,
        )

    def restore(self, at: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.clock.position = at.sample * self.clock.slots_a_sample
        self.device_steps = at.device_steps
        self.partial_error = np.array(at.error)
        self._errors, self._energies, self._keyframes = [], [], []
        self.blocks.restore(at)

    def _stretch(self, limit: int, recording: bool) -> int:
        """Slots of the next stretch."""
        clock = self.clock
        drawn = (clock.epoch + self.order.epochs_at_once) * clock.slots_an_epoch
        slots = min(self._pace.slots(clock.slots_a_sample), limit - clock.position, drawn - clock.position)
        if clock.keyframe_samples:
            numbers = sum(b.state.size + b.memory.bias.size + b.past.size for b in self.blocks)
            slots = min(slots, clock.before_keyframe(max(1, KEYFRAME_BYTES // (8 * numbers))))
        if recording:
            slots = clock.slots_within(self._rows.capacity, slots)
        return max(1, slots)

    def _run(self, memory: list[Rows], end: int, keyframes: int, outputs: np.ndarray | None) -> list[Results]:
        """Carry all blocks to slot ``end``."""
        together = self._choice.together()
        programs = [self._program(k, rows.capacity > 0, together) for k, rows in enumerate(memory)]
        begun = time.perf_counter()
        with self._nobody_waits_in_vain():
            helped = [
                self._pool.submit(self._in_team, self._help, k, helper, end)
                for k, team in enumerate(self._helpers) for helper in team if together
            ]  # fmt: skip
            work = [
                self._pool.submit(self._in_team, self._run_block, k, program, memory[k], end, keyframes, outputs)
                for k, program in enumerate(programs)
            ]
        results = [task.result() for task in work]
        self.device_steps += sum(task.result() for task in helped)
        slots, seconds = end - self.clock.position, time.perf_counter() - begun
        self._pace.measure(slots, seconds)
        self._choice.measure(together, slots, seconds)
        self.device_steps += sum(stepped for stepped, _ in results)
        return [given for _, given in results]

    @contextmanager
    def _nobody_waits_in_vain(self) -> Iterator[None]:
        """Where a thread is not begun, or fails, or Ctrl-C comes between two, let those that have begun end."""
        try:
            yield
        except BaseException:
            for team in self._teams:
                break_up(team[0].arrived)
            raise

    def _members(self, block: Block, threads: int) -> int:
        """How many threads carry out a block: some, where there are more of them than blocks."""
        return 1 if self._rows.capacity else members_of(self.assembly, block, threads // len(self.blocks))

    def _help(self, index: int, helper: Helper, end: int) -> int:
        """Carry out a member's share up to slot ``end``; the device-steps that it integrated."""
        clock, first = self.clock, self.clock.epoch
        epochs = clock.epochs_to(end) - first
        order = self._orders[index].between(first, first + epochs)
        given = helper.given(order, self.rates(first, first + epochs), self.steps_before + clock.step)
        return loop()(*given, clock.position, end - clock.position, first)

    def _in_team(self, work: Callable[..., Any], *given: Any) -> Any:
        """What a thread does, of which others wait for it."""
        with self._nobody_waits_in_vain():
            return work(*given)

    def _program(self, index: int, recording: bool, together: bool) -> Linked:
        """The linked program of a block."""
        known, block, team = self._programs[index], self.blocks[index], self._teams[index]
        if (recording, together) not in known:
            as_made = recording == bool(self._rows.banks_of(index)) and (together or len(team) == 1)
            made = self._instructions[index] if as_made else make(self.assembly, block)
            known[recording, together] = Linked(self.assembly, block, made)
        return known[recording, together]

    def _run_block(
        self, index: int, linked: Linked, rows: Rows, end: int, keyframes: int, outputs: np.ndarray | None
    ) -> tuple[int, Results]:
        block, clock = self.blocks[index], self.clock
        part, lanes, first = block.realisations, block.lanes, clock.epoch
        epochs = clock.epochs_to(end) - first
        errors = np.zeros((epochs, lanes))
        errors[0] = self.partial_error[part]
        shown = np.empty((0 if outputs is None else len(outputs), self.assembly.targets.shape[1], lanes))
        kept = Keyframes(
            np.empty((keyframes, len(block.state))), np.empty((keyframes, *block.memory.bias.shape)),
            np.empty((keyframes, len(block.past))), clock.keyframe_samples,
        )  # fmt: skip
        order = self._orders[index].between(first, first + epochs)
        data = Data(self.assembly.inputs, self.assembly.targets, order, self.rates(first, first + epochs))
        results = Results(errors, np.zeros((epochs, len(block.banks), len(Phase), lanes)), shown, kept)
        rows = rows._replace(first_step=self.steps_before + clock.step)
        given = (linked.program, Packed(data), Packed(results), Packed(rows))
        stepped = loop()(*given, clock.position, end - clock.position, first)
        if outputs is not None:
            # A stretch may begin and end within a sample.
            samples = end // clock.slots_a_sample - clock.sample
            outputs[:samples, :, part] = shown[:samples]
        return stepped, results

    def _keep_epochs(self, given: list[Results], complete: int) -> None:
        joined = self.blocks.joined([part.total_error for part in given])
        if complete:
            self._errors.append(joined[:complete])
            self._energies.append(self.blocks.joined([part.energy[:complete] for part in given]))
        self.partial_error = joined[complete] if complete < len(joined) else np.zeros(self.realisations)
