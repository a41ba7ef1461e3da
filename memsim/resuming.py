"""Going on with a run from its file: what must be the same, where it goes on from, and which rows are made again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .configuration import Configuration
from .engine import Checkpoint, Engine, Recorded
from .errors import InputError, RunFileError
from .recording import counters_from_file
from .replay import StoredKeyframes, replay
from .run import Run, open_run
from .traces import recovery
from .traces.errors import NotARunFileError
from .traces.layout import SCHEMA, TracePlan
from .traces.overview import LEVELS
from .traces.run_file import RunWriter, Target, keyframe_checksum

# Epochs may be more, which is checked apart; of a CSV file the samples are compared.
MAY_DIFFER = ("run.threads", "learning.epochs", "data.csv")


def stored_interval(path: Path) -> int:
    """Samples between keyframes of the run that a file holds."""
    with _opened(path) as run:
        return run.stored.keyframe_interval


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
    """A run file whose run goes on.

    Its lock is taken first, then it is read, compared and checked; only then is
    it opened for writing.

    Parameters
    ----------
    path : Path
    engine : Engine
        Of the same run; put to the file's last checkpoint.
    plan : TracePlan

    Attributes
    ----------
    target : Target
    complete : bool
        Whether there is nothing left to do.
    wall_seconds : float
        That the run has taken so far.

    Raises
    ------
    InputError
        The file is being written, is broken, or holds another run.
    ReplayError
        The run cannot be carried on with the same bits here.
    """

    def __init__(self, path: Path, engine: Engine, plan: TracePlan) -> None:
        self._engine, self._plan = engine, plan
        try:
            held = recovery.lock(path)
        except OSError as error:
            raise InputError(str(error)) from None
        try:
            with _opened(path) as run:
                self._read(run)
            self.target = Target(recovery.open_to_write(path), path, held)
        except NotARunFileError as error:
            recovery.release(held)
            raise InputError(str(error)) from None
        except BaseException:
            recovery.release(held)
            raise

    def _read(self, run: Run) -> None:
        refuse_other_run(run, self._engine)
        stored = run.stored
        lanes = range(run.realisations)
        everything = StoredKeyframes(stored, lanes)
        self._keyframe = int(stored.checkpoint("keyframes")) - 1
        at = everything.at(self._keyframe)
        self._check_checksum(run, at)
        counters = [{name: stored.counter(bank, name) for name in stored.counters(bank)} for bank in run.banks]
        self._at = Checkpoint(
            at.sample, at.states, at.bias if len(at.bias) else np.zeros((int(self._engine.plan.units[-1]), len(lanes))),
            stored.checkpoint("total_error"), counters_from_file(counters), int(stored.checkpoint("device_steps")),
        )  # fmt: skip
        self.wall_seconds = float(stored.checkpoint("wall_seconds"))
        self.complete = stored.finished and at.sample == self._engine.epochs * self._engine.samples
        self._spans = self._missing(stored.committed("rows"))
        # What the replay of the missing rows and the check of the last keyframe go on from.
        needed = {-1, self._keyframe, *(self._before(everything, first) for first, _ in self._spans)}
        needed.add(max(-1, self._keyframe - 1))
        self._keyframes = _Held(everything, sorted(needed))

    def _check_checksum(self, run: Run, at: Checkpoint) -> None:
        if self._keyframe >= 0:
            wanted = run.stored.keyframe_checksum(self._keyframe)
            if wanted is not None and keyframe_checksum(at.states, at.bias) != wanted:
                raise InputError(f"{run.path}: the checksum of its last keyframe is wrong; it cannot be continued")

    def _before(self, keyframes: StoredKeyframes, sample: int) -> int:
        return int(np.searchsorted(keyframes.samples, sample, side="right")) - 1

    def _missing(self, rows: int) -> list[tuple[int, int]]:
        """Samples whose rows are made again: from the last whole block of the overview up to the checkpoint."""
        if not self._plan.selections:
            return []
        selection = next(iter(self._plan.selections.values()))
        steps = self._engine.assembly.schedule.steps
        whole = rows // LEVELS[-1] * LEVELS[-1]
        found = []
        for begin, end in selection.spans(0, self._at.sample * steps):
            if selection.row_of(end) > whole:
                first = max(begin, selection.step_of(whole))
                found.append((first // steps, -(-end // steps)))
        return found

    def writer(self) -> RunWriter:
        """The file's writer, put to the checkpoint."""
        engine = self._engine
        writer = RunWriter(self.target, [bank.name for bank in engine.assembly.banks], self._plan)
        writer.start(engine.assembly.config.to_toml(), self._at.sample // engine.samples, self._keyframe + 1)
        return writer

    def feed(self, take: Callable[[int, int, Recorded], None]) -> None:
        """Make the missing rows again, check the last keyframe by a replay, and put the engine to the checkpoint."""
        engine = self._engine
        for first, last in self._spans:
            for stretch in replay(engine, self._keyframes, first, last):
                take(stretch.first_step, stretch.steps, stretch.recorded)
                engine.take_keyframes()
        if self._keyframe >= 0 and not self._spans:
            last = self._at.sample
            for _ in replay(engine, self._keyframes, last - 1, last - 1):
                pass
        engine.restore(self._at)


class _Held:
    """Some keyframes of a file, read before it is closed."""

    def __init__(self, keyframes: StoredKeyframes, indices: list[int]) -> None:
        known = [index for index in indices if index >= 0]
        self.samples = keyframes.samples[known]
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
    before = run.config.learning.epochs
    if wanted.learning.epochs < before:
        raise InputError(
            f"learning.epochs: must be at least the file's {before} to go on with {run.path} "
            f"(got {wanted.learning.epochs})"
        )
    data = run.dataset
    same = np.array_equal(data.inputs, engine.assembly.dataset.inputs) and np.array_equal(
        data.targets, engine.assembly.dataset.targets
    )
    if not same:
        raise InputError(f"{run.path}: was made with other samples; run it under another name")


def differences(one: Configuration, other: Configuration) -> list[tuple[str, Any, Any]]:
    """Fields that differ and must not: (name, value of the first, value of the second)."""
    before, now = _flat(one.model_dump()), _flat(other.model_dump())
    names = [name for name in {**before, **now} if name not in MAY_DIFFER]
    return [(n, before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
