"""Going on with a run from its file: what must be the same, where it goes on from, and which rows are made again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..configuration.sections import Configuration
from ..datasets import of_stored
from ..errors import InputError, MemsimError, RunFileError
from ..files.reading import refuse_no_file
from ..network.assembly import Assembly
from ..network.starting import Start, stored_start
from ..stepping.block_set import Checkpoint
from ..stepping.engine import Engine
from ..stepping.row_memory import Recorded
from ..traces import locks, recovery
from ..traces.description import TracePlan
from ..traces.files import absolute
from ..traces.run_file import RunWriter, Target, keyframe_checksum
from ..traces.schema import SCHEMA
from ..traces.space import DiskFullError
from .opening import open_run
from .replay import StoredKeyframes, replay, with_units
from .run import Run
from .watching import Best, Watch

# Epochs may be more, which is checked apart; of a CSV file the samples are compared.
MAY_DIFFER = ("run.threads", "learning.epochs", "data.csv")


@contextmanager
def resumable(path: Path) -> Iterator["Resumable"]:
    """Open a run file to go on with it, and be its one writer until the end of the block.

    Raises
    ------
    InputError
        It is being written, is no run file, or one that cannot be continued.
    """
    path = absolute(path)
    refuse_no_file(path)
    with ExitStack() as last:
        with refusals():
            held = locks.lock(path)
        last.callback(held.release)
        run = last.enter_context(_opened(path))
        yield Resumable(run, held)


@contextmanager
def refusals() -> Iterator[None]:
    """Have what the system says of a file said as of an input, but a full disk, and what has words of its own."""
    try:
        yield
    except OSError as error:
        if isinstance(error, MemsimError | DiskFullError) and not isinstance(error, RunFileError):
            raise
        raise InputError(str(error).splitlines()[0]) from None


@dataclass(frozen=True)
class Resumable:
    """A run file that is open for reading, and the lock that makes this its one writer."""

    run: Run
    held: locks.Lock

    @property
    def interval(self) -> int:
        """Samples between its keyframes."""
        return self.run.stored.keyframe_interval

    def begun(self, assembly: Assembly) -> Assembly:
        """A run whose starting weights are written, as that of the file began; any other one as it is."""
        if not assembly.to_be_programmed or differences(self.run.config, assembly.config):
            return assembly
        start = stored_start(self.run.stored)
        return assembly.begun(start) if start is not None and start.beginning.programming is not None else assembly


def _opened(path: Path) -> Run:
    """A file to go on with.

    Raises
    ------
    InputError
        It is no run file, or one that cannot be continued.
    """
    try:
        run = open_run(path)
    except RunFileError as error:
        raise InputError(str(error)) from None
    version = int(run.stored.integer("/", "schema_version"))
    if version != SCHEMA:
        run.close()
        raise InputError(
            f"{path}: files of schema version {version} cannot be continued; run it again under another name"
        )
    if "replayed_from" in run.file.attrs:
        run.close()
        raise InputError(f"{path}: is a window that was replayed from another run file; go on with that one")
    return run


class Continued:
    """A run file whose run goes on: read, compared and checked; only then is it opened for writing.

    Parameters
    ----------
    file : Resumable
        It is closed for reading then.
    engine : Engine
        Of the same run; put to the file's last checkpoint.
    plan : TracePlan
    watch : Watch, optional
        Of the same run; put to the file's last checkpoint.

    Attributes
    ----------
    target : Target
    complete : bool
        Whether there is nothing left to do.
    sample : int
        Samples that are complete at the checkpoint.
    wall_seconds : float
        That the run has taken so far.

    Raises
    ------
    InputError
        The file is broken, or holds another run.
    ReplayError
        The run cannot be carried on with the same bits here.
    """

    def __init__(self, file: Resumable, engine: Engine, plan: TracePlan, watch: Watch | None = None) -> None:
        self._engine, self._plan, self._watch = engine, plan, watch
        with refusals():
            self._read(file.run)
            path = file.held.path
            file.run.close()
            self.target = Target(recovery.open_to_write(file.held), path, file.held)

    def _read(self, run: Run) -> None:
        refuse_other_run(run, self._engine)
        stored = run.stored
        lanes = range(run.realisations)
        everything = StoredKeyframes(stored, lanes)
        # A file without a checkpoint was killed at its very beginning.
        begun = stored.committed("checkpoint") > 0
        self._keyframe = int(stored.checkpoint("keyframes")) - 1 if begun else -1
        at = with_units(everything.at(self._keyframe), self._engine)
        self._check_checksum(run, at)
        self._at = self._with_totals(run, at) if begun else at
        self.sample = at.sample
        self._data = run.config.data
        self.wall_seconds = float(stored.checkpoint("wall_seconds")) if begun else 0.0
        if begun and self._watch is not None:
            states = tuple(stored.best_state(bank) for bank in run.banks)
            best = Best(stored.best_epoch, stored.best_error, states)
            self._watch.go_on(at.sample // self._engine.clock.samples, best)
        over = self._watch is not None and self._watch.satisfied
        clock = self._engine.clock
        self.complete = stored.finished and (over or at.sample == clock.epochs * clock.samples)
        self._spans = self._missing(stored.committed("rows"))
        # What the replay of the missing rows and the check of the last keyframe go on from, and end at.
        samples = everything.samples[: self._keyframe + 1]
        needed = {-1, self._keyframe, max(-1, self._keyframe - 1)}
        for first, last in self._spans:
            needed |= {_last_up_to(samples, first), min(self._keyframe, _last_up_to(samples, last - 1) + 1)}
        self._keyframes = _Held(everything, sorted(needed))

    def _with_totals(self, run: Run, at: Checkpoint) -> Checkpoint:
        """A keyframe with all that was counted up to there."""
        stored = run.stored
        counters = [{name: stored.counter(bank, name) for name in stored.counters(bank)} for bank in run.banks]
        return replace(
            at, error=stored.checkpoint("total_error"), counters=counters,
            device_steps=int(stored.checkpoint("device_steps")),
        )  # fmt: skip

    def _check_checksum(self, run: Run, at: Checkpoint) -> None:
        if self._keyframe >= 0:
            wanted = run.stored.keyframe_checksum(self._keyframe)
            if wanted is not None and keyframe_checksum(at.states, at.bias, at.past) != wanted:
                raise InputError(f"{run.path}: the checksum of its last keyframe is wrong; it cannot be continued")

    def _missing(self, rows: int) -> list[tuple[int, int]]:
        """Samples whose rows are made again: from the last row that was counted up to the checkpoint."""
        if not self._plan.selections:
            return []
        selection = next(iter(self._plan.selections.values()))
        steps = self._engine.assembly.schedule.steps
        found = []
        for begin, end in selection.spans(0, self._at.sample * steps):
            if selection.row_of(end) > rows:
                first = max(begin, selection.step_of(rows))
                found.append((first // steps, -(-end // steps)))
        return found

    def writer(self) -> RunWriter:
        """The file's writer, put to the checkpoint."""
        engine = self._engine
        # A CSV file's name is as long as it was: the room for the configuration in the file does not grow.
        config = engine.assembly.config.model_copy(update={"data": self._data})
        try:
            writer = RunWriter(self.target, [bank.name for bank in engine.assembly.banks], self._plan)
            writer.start(config.to_toml(), self._at.sample // engine.clock.samples, self._keyframe + 1)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            line = str(error).strip("'\"").splitlines()[0]
            raise InputError(f"{self.target.path}: is a broken run file, and cannot be continued: {line}") from None
        return writer

    def feed(self, take: Callable[[int, int, Recorded], None]) -> None:
        """Make the missing rows again, check the last keyframe by a replay, and put the engine to the checkpoint.

        Parameters
        ----------
        take : callable
            Of first step, number of steps, and rows, which may be none.
        """
        engine, last = self._engine, self._at.sample
        for span in self._spans:
            self._replay(*span, take)
        if self._keyframe >= 0 and not any(end == last for _, end in self._spans):
            self._replay(last - 1, last, lambda _, __, recorded: engine.recycle(recorded))
        engine.restore(self._at)

    def _replay(self, first: int, last: int, take: Callable[[int, int, Recorded], None]) -> None:
        for stretch in replay(self._engine, self._keyframes, first, last):
            take(stretch.first_step, stretch.steps, stretch.recorded)
            self._engine.take_keyframes()


def _last_up_to(samples: np.ndarray, sample: int) -> int:
    """Index of the last keyframe up to a sample; -1 where that is the run's start."""
    return int(np.searchsorted(samples, sample, side="right")) - 1


class _Held:
    """Some keyframes of a file, read before it is closed."""

    def __init__(self, keyframes: StoredKeyframes, indices: list[int]) -> None:
        known = [index for index in indices if index >= 0]
        self.samples, self.arithmetic = keyframes.samples[known], keyframes.arithmetic
        self._held = {-1: keyframes.at(-1)} | {k: keyframes.at(index) for k, index in enumerate(known)}

    def at(self, index: int) -> Checkpoint:
        return self._held[index]


def refuse_other_run(run: Run, engine: Engine) -> None:
    """Refuse to go on with a file that another configuration or other data made.

    Raises
    ------
    InputError
        Naming the fields that differ.
    """
    wanted = engine.assembly.config
    differing = differences(run.config, wanted)
    if differing:
        shown = "; ".join(f"{name} is {before!r} in the file, {now!r} here" for name, before, now in differing)
        raise InputError(f"{run.path}: was made with another configuration: {shown}; run it under another name")
    _refuse_edited_models(run, engine)
    epochs = run.config.learning.epochs
    if wanted.learning.epochs < epochs:
        raise InputError(
            f"learning.epochs: must be at least the file's {epochs} to go on with {run.path} "
            f"(got {wanted.learning.epochs})"
        )
    chosen, every = wanted.trace.keyframe_samples, run.stored.keyframe_interval
    if chosen and chosen != every:
        raise InputError(f"{run.path}: is a broken run file: its keyframes are {every} samples apart, not {chosen}")
    _refuse_other_start(run, engine.assembly.start)
    if not engine.assembly.dataset.same_samples(of_stored(run.dataset)):
        raise InputError(f"{run.path}: was made with other samples; run it under another name")


def _refuse_other_start(run: Run, wanted: Start | None) -> None:
    """Refuse a file whose run began from the states of another run than this one does."""
    known = stored_start(run.stored)
    if known is None or wanted is None:
        if known is not wanted:
            here, there = ("drawn weights", "a start") if wanted is None else ("a start", "drawn weights")
            raise InputError(
                f"{run.path}: its run began from {there}, and this one begins from {here}; "
                "its own file goes on with it, as the configuration, by resume=True"
            )
        return
    before, now = ((*each.states, *each.beginning.arrays) for each in (known, wanted))
    if not all(map(np.array_equal, before, now)):
        raise InputError(f"{run.path}: its run began from other states; run it under another name")


def _refuse_edited_models(run: Run, engine: Engine) -> None:
    """Refuse a user's own model whose file is no longer the one that the run began with."""
    for bank in engine.assembly.banks:
        path = f"banks/{bank.name}"
        known = "model_sha256" in run.file[path].attrs
        if known and run.stored.label(path, "model_sha256") != bank.device.digest:
            raise InputError(
                f"{run.path}: {bank.name}: the file of the model {bank.device.model!r} was edited since the run began; "
                f"go on with the file as it was, or run it under another name"
            )


def differences(one: Configuration, other: Configuration) -> list[tuple[str, Any, Any]]:
    """Fields that differ and must not: (name, value of the first, value of the second)."""
    return [each for each in differences_of(one.model_dump(), other.model_dump()) if each[0] not in MAY_DIFFER]


def differences_of(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs between nested dictionaries: (dotted name, value of the first, value of the second)."""
    before, now = _flat(one), _flat(other)
    return [(name, before.get(name), now.get(name)) for name in before | now if before.get(name) != now.get(name)]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
