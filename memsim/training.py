"""Training: the main job, from a configuration to a run file."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .assembly import Assembly, assemble
from .configuration import (
    Configuration,
    DataSection,
    LearningSection,
    RunSection,
    Timing,
    TraceSection,
    WriteEncoding,
)
from .datasets import Dataset
from .engine import Engine, Recorded
from .errors import InputError, RunError
from .networks import Network
from .recording import (
    COUNTERS,
    checkpoint_summary,
    counters_to_file,
    describe,
    keyframe_interval,
    parts_by_bank,
    trace_plan,
)
from .resuming import Continued, stored_interval
from .run import Run, open_run
from .traces.background import BackgroundWriter
from .traces.layout import TracePlan
from .traces.run_file import RunWriter, Target, close_quietly, create_run_file
from .traces.space import DiskFullError
from .traces.stored import Stored

COMMIT_SECONDS = 1.0  # between commits, at the next keyframe then: what a killed run may lose


class Progress(Protocol):
    """Who is told how a run goes on."""

    def start(self) -> None:
        """All input is accepted, the run begins."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Complete epochs, mean total error of the last one, device-steps so far."""


class NoProgress:
    """Nobody is told."""

    def start(self) -> None:
        """Do nothing."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Do nothing."""


def train(
    network: Network,
    data: Dataset,
    *,
    epochs: int = 1000,
    learning_rate: float = 0.1,
    seed: int = 0,
    realisations: int = 1,
    threads: int = 0,
    time: Timing | None = None,
    write: WriteEncoding | None = None,
    trace: TraceSection | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **learning: Any,
) -> Run:
    """Train a network on a data set, every pulse stepped.

    Parameters
    ----------
    network : Network
        From :func:`~memsim.MultilayerPerceptron` or :func:`~memsim.SingleLayerPerceptron`.
    data : Dataset
    epochs : int
        Passes over all samples.
    learning_rate : float
        eta.
    seed : int
        Of starting weights and shuffles.
    realisations : int
        Runs from seeds of their own, side by side.
    threads : int
        0 takes all processors. The results do not depend on it.
    time : Timing, optional
    write : WriteEncoding, optional
    trace : TraceSection, optional
    out : path, optional
        A run file; the run is kept in memory where none is given.
    overwrite : bool
        Whether a file that exists may be replaced.
    **learning
        Other fields of :class:`~memsim.configuration.LearningSection`.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Settings or data that cannot work; nothing has been written then.
    """
    config = Configuration(
        run=RunSection(seed=seed, realisations=realisations, threads=threads),
        time=time or Timing(),
        network=network.section,
        devices=network.devices,
        learning=LearningSection(rate=learning_rate, epochs=epochs, **learning),
        write=write or WriteEncoding(),
        data=DataSection(arrays=data.name),
        trace=trace or TraceSection(),
    )
    return run(config, data, out=out, overwrite=overwrite)


def run(
    config: Configuration,
    data: Dataset,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Carry out a configuration; see :func:`train`.

    Parameters
    ----------
    config : Configuration
    data : Dataset
    out : path, optional
    overwrite : bool
    resume : bool
        Go on from the last keyframe of ``out``, where that exists. The result is
        the same bits as without the interruption.
    progress : Progress, optional

    Raises
    ------
    InputError
        Settings that cannot work, or a file that cannot be continued with them.
    RunError
        The disk is full, or a state is no longer finite. The file keeps the
        work up to its last commit, and can be resumed.
    """
    assembly = assemble(config, data)
    plan = trace_plan(assembly)
    path = None if out is None else Path(out)
    resuming = resume and path is not None and path.exists()
    interval = stored_interval(path) if resuming and path else keyframe_interval(assembly)
    engine = _engine(assembly, plan, interval)
    progress = progress or NoProgress()
    try:
        if resuming and path:
            continued = Continued(path, engine, plan)
            target = continued.target
            if continued.complete:
                target.close()
                return open_run(path)
        else:
            target, continued = _new_target(path, assembly, plan, interval, overwrite), None
        try:
            _carry_out(engine, target, plan, progress, continued)
        except BaseException:
            close_quietly(target)
            raise
    except InputError:
        raise
    except OSError as error:
        raise _failed(path, error) from None
    finally:
        engine.close()
    if path is None:
        return Run(Stored(target.file))
    target.close()
    return open_run(path)


def _carry_out(
    engine: Engine, target: Target, plan: TracePlan, progress: Progress, continued: Continued | None
) -> None:
    """Write a run into a file that is open, from its start or from where it was left."""
    if continued is not None:
        session = Session(engine, continued.writer(), continued.wall_seconds)
    else:
        writer = RunWriter(target, [bank.name for bank in engine.assembly.banks], plan)
        writer.start(engine.assembly.config.to_toml(), 0, 0)
        session = Session(engine, writer)
    session.carry_out(progress, continued)


def _engine(assembly: Assembly, plan: TracePlan, interval: int) -> Engine:
    config = assembly.config
    recorded = tuple(k for k, bank in enumerate(assembly.banks) if bank.name in plan.selections)
    chosen = next(iter(plan.selections.values())).realisations if plan.selections else None
    return Engine(
        assembly, threads=config.run.threads or os.cpu_count() or 1, epochs=config.learning.epochs,
        shuffled=config.learning.shuffle, recorded=recorded, recorded_realisations=chosen, keyframe_samples=interval,
    )  # fmt: skip


def _new_target(path: Path | None, assembly: Assembly, plan: TracePlan, interval: int, overwrite: bool) -> Target:
    """A new run file. All that can be refused has been; only now is a file that exists replaced."""
    try:
        return create_run_file(path, describe(assembly, interval), plan, overwrite)
    except DiskFullError as error:
        raise RunError(f"{path}: {error.strerror}; make room, or name a file on another disk") from None
    except (ValueError, OSError) as error:
        raise InputError(str(error).splitlines()[0]) from None


def _failed(path: Path | None, error: OSError) -> RunError:
    """What to do after the disk or the file failed."""
    reason = error.strerror if isinstance(error, DiskFullError) else str(error).splitlines()[0]
    return RunError(f"{path}: {reason}; the work so far is kept: make room, and run again with --resume")


class Session:
    """A run from where its engine is to its end, or to where it is stopped.

    Parameters
    ----------
    engine : Engine
    writer : RunWriter
    before : float
        Seconds that the run had taken before.
    """

    def __init__(self, engine: Engine, writer: RunWriter, before: float = 0.0) -> None:
        self._engine, self._writer = engine, writer
        self._background = BackgroundWriter()
        self._begun = time.monotonic() - before
        self._committed = time.monotonic()
        self._epochs = 0  # that were handed to the writer
        config = engine.assembly.config
        self._windows = next(iter(trace_plan(engine.assembly).selections.values()), None)
        self._traced = config.trace.mode != "keyframes"

    def carry_out(self, progress: Progress, continued: "Continued | None" = None) -> bool:
        """Run, and write; returns whether it was stopped before its end."""
        try:
            progress.start()
            with interrupts() as interrupted:
                if continued is not None:
                    continued.feed(partial(self._submit_again, interrupted))
                    self._epochs = self._engine.epoch
                self._commit()
                self._run(progress, interrupted)
            stopped = self._engine.position < self._engine.slots
            self._background.submit(self._writer.finish, stopped)
            return stopped
        finally:
            self._background.close()

    def _run(self, progress: Progress, interrupted: threading.Event) -> None:
        engine = self._engine
        while engine.position < engine.slots:
            due = interrupted.is_set() or time.monotonic() - self._committed >= COMMIT_SECONDS
            limit = engine.next_keyframe() if due else engine.slots
            record, limit = self._recorded(limit)
            first_step = engine.step
            recorded = engine.advance(limit, record=record)
            self.submit_rows(first_step, engine.step - first_step, recorded)
            self._submit_epochs(progress)
            self._submit_keyframes()
            if due and engine.position == limit and self._at_keyframe():
                self._commit()
                if interrupted.is_set():
                    return
        if not self._at_keyframe():
            at = engine.checkpoint(())
            states = [values[None] for values in at.states]
            self._background.submit(self._writer.append_keyframes, np.array([at.sample]), states, at.bias[None])
        self._commit()

    def _at_keyframe(self) -> bool:
        """Whether the engine is at the place of a keyframe."""
        engine = self._engine
        return engine.position % (engine.keyframe_samples * engine.slots_a_sample) == 0

    def _recorded(self, limit: int) -> tuple[bool, int]:
        """Whether the next stretch lies in a window that is traced, and where that changes."""
        engine = self._engine
        if not self._traced or self._windows is None or not self._windows.windows:
            return self._traced, limit
        sample_steps = engine.assembly.schedule.steps
        for begin, end in self._windows.windows:
            first, last = begin // sample_steps, end // sample_steps
            if engine.sample < first:
                return False, min(limit, first * engine.slots_a_sample)
            if engine.sample < last:
                return True, min(limit, last * engine.slots_a_sample)
        return False, limit

    def _submit_again(self, interrupted: threading.Event, first_step: int, steps: int, recorded: Recorded) -> None:
        """Hand over rows that a killed run had not stored; nothing is lost by a stop before the end of them."""
        if interrupted.is_set():
            raise KeyboardInterrupt
        self.submit_rows(first_step, steps, recorded)

    def submit_rows(self, first_step: int, steps: int, recorded: Recorded) -> None:
        """Hand rows to the writer, which gives their memory back."""
        if recorded.rows:
            parts = parts_by_bank(recorded, self._engine.assembly)
            done = partial(self._engine.recycle, recorded)
            self._background.submit(self._writer.append_rows, first_step, steps, parts, done)

    def _submit_epochs(self, progress: Progress) -> None:
        errors = self._engine.take_errors()
        if len(errors):
            first, self._epochs = self._epochs, self._epochs + len(errors)
            self._background.submit(self._writer.append_epochs, errors, self._engine.order(first, self._epochs))
            progress.update(self._epochs, float(errors[-1].mean()), self._engine.device_steps)

    def _submit_keyframes(self) -> None:
        for kept in self._engine.take_keyframes():
            self._background.submit(self._writer.append_keyframes, kept.samples, kept.states, kept.bias)

    def _commit(self) -> None:
        """Have what was done so far counted, with all that the run goes on from."""
        at = self._engine.checkpoint(tuple(COUNTERS))
        about = checkpoint_summary(at, time.monotonic() - self._begun)
        self._background.submit(self._writer.commit, about, at.error, counters_to_file(at.counters))
        self._committed = time.monotonic()


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into a flag; a second one stops at once."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def stop(number: int, _: Any) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
