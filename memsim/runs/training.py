"""Training: the main job, from a configuration to a run file."""

import bisect
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..errors import InputError, RunError
from ..files.whole import check_output
from ..kernels.operands import COUNTERS
from ..network.assembly import Assembly, assemble
from ..network.starting import Start
from ..stepping.block_set import KeyframeStates
from ..stepping.engine import Engine
from ..stepping.row_memory import Recorded
from ..terminal.interrupts import interrupts
from ..traces.background import BackgroundWriter
from ..traces.description import RunDescription, TracePlan
from ..traces.locks import GoneError
from ..traces.run_file import RunWriter, Target, close_quietly, create_run_file
from ..traces.space import DiskFullError, is_full
from .opening import open_run
from .programming import programmed
from .recording import (
    describe,
    joined_keyframes,
    keyframe_interval,
    parts_by_bank,
    trace_plan,
)
from .resuming import Continued, resumable
from .run import Run
from .watching import Watch

STOP_SECONDS = 2.0  # to the next keyframe at most, where a run is stopped
WAITING_BYTES = 4 << 20  # of epochs and keyframes that wait for the writer
COMMIT_SECONDS = 1.0  # between commits, at the next keyframe then: what a killed run may lose


class Progress(Protocol):
    """Who is told how a run goes on."""

    def start(self) -> None:
        """All input is accepted, the run begins."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Complete epochs, mean total error of the last one, device-steps so far."""


class ToldEachEpoch:
    """A progress that is told of each epoch, however fast they follow each other."""


class NoProgress:
    """Progress that is shown nowhere."""

    def start(self) -> None:
        """Do nothing."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Do nothing."""


def run(
    config: Configuration,
    data: Dataset,
    *,
    start: Start | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    dt_check: Mapping[str, float | str] | None = None,
) -> Run:
    """Carry out a configuration on samples; :func:`memsim.runs.calls.run` is what users call.

    Parameters
    ----------
    config : Configuration
    data : Dataset
    start : Start, optional
        Where a run begins that goes on with the devices of another one, from :func:`~memsim.runs.sources.start_of`.
    out : path, optional
    overwrite : bool
    resume : bool
        Go on from the last keyframe of ``out``, where that exists. The result is
        the same bits as without the interruption.
    progress : Progress, optional
    stop : threading.Event, optional
        Set by another thread, has the run stop at the next keyframe. Ctrl-C and
        SIGTERM do that where it is not given. Before the run begins, while
        kernels are compiled, nothing is kept.
    dt_check : dict, optional
        Attributes that a new file gets: what :meth:`memsim.convergence.dt_check.DtCheck.attributes` says of dt.

    Raises
    ------
    InputError
        Settings that cannot work, or a file that cannot be continued with them.
    RunError
        The disk is full, or a state is no longer finite. The file keeps the
        work up to its last commit, and can be resumed.
    StoppedCompilingError
        Stopped before the run began.
    """
    if start is not None:
        config = start.calibrated(config)
    assembly = assemble(config, data, start=start)
    plan = trace_plan(assembly)
    path = None if out is None else Path(out)
    with ExitStack() as last:
        file = last.enter_context(resumable(path)) if resume and path is not None and path.exists() else None
        if file is None:
            if path is not None:
                check_output(path, overwrite)  # before anything is compiled
            interval, assembly = keyframe_interval(assembly), programmed(assembly, _threads(config), stop)
        else:
            interval, assembly = file.interval, file.begun(assembly)
        engine = last.enter_context(closing(_engine(assembly, plan, interval)))
        watch = last.enter_context(closing(Watch(assembly, _threads(config)))) if assembly.watched else None
        with _failures(path):
            if file is None:
                _prepare(engine, watch, stop)  # before there is a file: whoever stops it leaves nothing
                about = replace(describe(assembly, interval), dt_check=dict(dt_check or {}))
                target, continued = _new_target(path, about, plan, overwrite), None
            else:
                continued = Continued(file, engine, plan, watch)
                target = continued.target
            if continued is None or not continued.complete:
                _carry_out(engine, watch, target, plan, progress or NoProgress(), continued, stop)
        if path is None:
            return Run(target.stored())
        target.close()
    return open_run(path)


@contextmanager
def _failures(path: Path | None) -> Iterator[None]:
    """Have what the system says, once the input was accepted, said as of a run that could not go on."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise _failed(path, error) from None


def _carry_out(
    engine: Engine, watch: Watch | None, target: Target, plan: TracePlan, progress: Progress,
    continued: Continued | None, stop: threading.Event | None,
) -> None:  # fmt: skip
    """Write a run into a file that is open, from its start or from where it was left; close it after an error."""
    try:
        if continued is not None:
            _prepare(engine, watch, stop)
            writer = continued.writer()
        else:
            writer = RunWriter(target, [bank.name for bank in engine.assembly.banks], plan)
            writer.start(engine.assembly.config.to_toml(), 0, 0)
        Session(engine, watch, writer, plan, continued).carry_out(progress, stop)
    except BaseException:
        close_quietly(target)
        raise


def _engine(assembly: Assembly, plan: TracePlan, interval: int) -> Engine:
    config = assembly.config
    recorded = tuple(k for k, bank in enumerate(assembly.banks) if bank.name in plan.selections)
    chosen = next(iter(plan.selections.values())).realisations if plan.selections else None
    return Engine(
        assembly, threads=_threads(config), epochs=config.learning.epochs,
        shuffled=config.learning.shuffle, recorded=recorded, recorded_realisations=chosen, keyframe_samples=interval,
    )  # fmt: skip


def _threads(config: Configuration) -> int:
    return config.run.threads or os.cpu_count() or 1


def _prepare(engine: Engine, watch: Watch | None, stop: threading.Event | None) -> None:
    """Compile what is missing, before the clock runs and signals are caught."""
    engine.prepare(stop)
    if watch is not None:
        watch.prepare(stop)


def _new_target(path: Path | None, about: RunDescription, plan: TracePlan, overwrite: bool) -> Target:
    """A new run file. All that can be refused has been; only now is a file that exists replaced."""
    try:
        return create_run_file(path, about, plan, overwrite)
    except DiskFullError as error:
        raise RunError(f"{path}: {error.strerror}; make room, or name a file on another disk") from None
    except (ValueError, OSError) as error:
        raise InputError(str(error).splitlines()[0]) from None


def _failed(path: Path | None, error: OSError) -> RunError:
    """What to do after the disk or the file failed."""
    if isinstance(error, GoneError):
        return RunError(str(error))
    reason = error.strerror if isinstance(error, DiskFullError) else str(error).splitlines()[0]
    advice = "make room, and run again with resume=True" if is_full(error) else "run again with resume=True"
    return RunError(f"{path}: {reason}; the work so far is kept: {advice}")


class Session:
    """A run from where its engine is to its end, or to where it is stopped.

    Parameters
    ----------
    engine : Engine
    watch : Watch or None
    writer : RunWriter
    plan : TracePlan
    continued : Continued, optional
        The file that the run goes on with.
    """

    def __init__(
        self, engine: Engine, watch: Watch | None, writer: RunWriter, plan: TracePlan, continued: Continued | None
    ) -> None:
        self._engine, self._watch, self._writer, self._continued = engine, watch, writer, continued
        self._selection = next(iter(plan.selections.values()), None)
        self._background = BackgroundWriter()
        self._committed = time.monotonic()
        self._begun = self._committed - (continued.wall_seconds if continued else 0.0)
        self._epochs = 0  # that were handed to the writer
        self._keyframe = continued.sample if continued else 0  # samples complete at the last one in the file
        self._errors: list[np.ndarray] = []  # of epochs that wait for the writer
        self._energies: list[np.ndarray] = []  # of the same epochs
        self._validations: list[np.ndarray] = []  # errors of the same epochs, where samples are held back
        self._keyframes: list[KeyframeStates] = []  # that wait for the writer
        self._waiting = 0  # bytes of both

    def carry_out(self, progress: Progress, stop: threading.Event | None = None) -> None:
        """Run, and write, to the end or to where it is stopped: by ``stop``, or else by a signal."""
        try:
            progress.start()
            with nullcontext(stop) if stop is not None else interrupts() as interrupted:
                if self._continued is not None:
                    self._continued.feed(partial(self._submit_again, interrupted))
                    self._epochs = self._engine.clock.epoch
                if self._on_disk:
                    self._commit()
                self._run(progress, interrupted)
            self._background.submit(self._writer.finish, not self._over)
        finally:
            self._background.close()

    @property
    def _on_disk(self) -> bool:
        """Whether there is a file to go on from: what is in memory alone is committed at its end."""
        return self._writer.path is not None

    @property
    def _over(self) -> bool:
        """Whether the run is at its end: its last epoch is complete, or there is no more to hope for."""
        return self._engine.clock.is_over or (self._watch is not None and self._watch.satisfied)

    def _run(self, progress: Progress, interrupted: threading.Event) -> None:
        engine = self._engine
        each_epoch = self._watch is not None or isinstance(progress, ToldEachEpoch)
        while not self._over:
            stopping = interrupted.is_set()
            due = stopping or (self._on_disk and time.monotonic() - self._committed >= COMMIT_SECONDS)
            place = self._place_to_stop() if stopping else engine.clock.next_keyframe()
            if engine.clock.position < place:
                record, limit = self._recorded(place if due else engine.clock.slots)
                limit = min(limit, engine.clock.next_epoch()) if each_epoch else limit
                first_step = engine.clock.step
                recorded = engine.advance(limit, record=record)
                self._submit_rows(first_step, engine.clock.step - first_step, recorded)
                self._take_results(progress)
            if due and engine.clock.position == place:
                self._keep_keyframe()
                self._commit()
                if stopping:
                    return
        self._keep_keyframe()
        self._commit()

    def _place_to_stop(self) -> int:
        """The next keyframe's place, or the next mini-batch's end where that is far: slots from the run's start."""
        engine = self._engine
        keyframe = engine.clock.next_keyframe()
        far = engine.slots_a_second > 0 and keyframe - engine.clock.position > STOP_SECONDS * engine.slots_a_second
        return min(keyframe, engine.clock.next_batch_end()) if far else keyframe

    def _take_results(self, progress: Progress) -> None:
        """Gather epochs and keyframes for the writer, and hand them over when they are many."""
        errors, keyframes = self._engine.take_errors(), self._engine.take_keyframes()
        energies = self._engine.take_energies()
        if len(errors):
            if self._watch is not None:
                validation = self._watch.look(self._engine, errors[0])
                self._validations += [] if validation is None else [validation[None]]
            self._errors.append(errors)
            self._energies.append(energies)
            done = self._epochs + sum(map(len, self._errors))
            progress.update(done, float(errors[-1].mean()), self._engine.device_steps)
        self._keyframes += keyframes
        self._waiting += (
            energies.nbytes
            + errors.nbytes * (1 + self._engine.clock.samples)
            + sum(kept.bias.nbytes + sum(v.nbytes for v in (*kept.states, *kept.past)) for kept in keyframes)
        )
        if self._waiting > WAITING_BYTES:
            self._submit_results()

    def _submit_results(self) -> None:
        """Hand over the epochs and keyframes that wait."""
        if self._errors:
            errors, energies = np.concatenate(self._errors), np.concatenate(self._energies)
            first, self._epochs = self._epochs, self._epochs + len(errors)
            metrics = {
                "total_error": errors,
                "learning_rate": self._engine.rates(first, self._epochs),
            }
            if self._validations:
                metrics["validation_error"] = np.concatenate(self._validations)
            order = partial(self._engine.order.between, first, self._epochs)
            self._background.submit(self._writer.append_epochs, metrics, energies, order)
        if self._keyframes:
            joined = joined_keyframes(self._keyframes)
            self._keyframe = int(joined.samples[-1])
            self._background.submit(
                self._writer.append_keyframes, joined.samples, joined.states, joined.bias, joined.past
            )
        self._errors, self._energies, self._validations, self._keyframes, self._waiting = [], [], [], [], 0

    def _keep_keyframe(self) -> None:
        """Have a keyframe where the run stops or ends, also between the places for them."""
        self._submit_results()
        if self._engine.clock.sample > self._keyframe:
            at = self._engine.checkpoint(())
            self._keyframe = at.sample
            states = [values[None] for values in at.states]
            past = [values[None] for values in at.past]
            self._background.submit(self._writer.append_keyframes, np.array([at.sample]), states, at.bias[None], past)

    def _recorded(self, limit: int) -> tuple[bool, int]:
        """Whether the next stretch lies in a window that is traced, and where that changes."""
        if self._selection is None or not self._selection.windows:
            return self._selection is not None, limit
        engine, sample_steps = self._engine, self._engine.assembly.schedule.steps
        windows = self._selection.windows
        at = bisect.bisect_right(windows, engine.clock.sample * sample_steps, key=lambda window: window[1])
        if at == len(windows):
            return False, limit
        first, last = (edge // sample_steps for edge in windows[at])
        inside = engine.clock.sample >= first
        return inside, min(limit, (last if inside else first) * engine.clock.slots_a_sample)

    def _submit_again(self, interrupted: threading.Event, first_step: int, steps: int, recorded: Recorded) -> None:
        """Hand over rows that a killed run had not stored; nothing is lost by a stop before the end of them."""
        if interrupted.is_set():
            raise KeyboardInterrupt
        self._submit_rows(first_step, steps, recorded)

    def _submit_rows(self, first_step: int, steps: int, recorded: Recorded) -> None:
        """Hand rows to the writer, which gives their memory back."""
        if recorded.rows:
            parts = parts_by_bank(recorded, self._engine.assembly)
            done = partial(self._engine.recycle, recorded)
            self._background.submit(self._writer.append_rows, first_step, steps, parts, done)

    def _commit(self) -> None:
        """Have what was done so far counted, with all that the run goes on from."""
        self._submit_results()
        at = self._engine.checkpoint(tuple(COUNTERS))
        seconds = time.monotonic() - self._begun
        about = {"sample": at.sample, "device_steps": at.device_steps, "wall_seconds": seconds}
        counters, best = at.counters, self._best()
        self._background.submit(self._writer.commit, about, at.error, counters, best)
        self._committed = time.monotonic()

    def _best(self) -> dict[str, np.ndarray]:
        """The best epoch so far, as the file has it."""
        if self._watch is None:
            return {}
        best, banks = self._watch.best, self._engine.assembly.banks
        states = {f"{bank.name}/state": values for bank, values in zip(banks, best.states, strict=True)}
        return {"epoch": best.epoch, "error": best.error} | states
