"""Training: the main job, from a configuration to a run file."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from .assembly import assemble
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
from .engine import Engine
from .errors import InputError
from .networks import Network
from .recording import describe, diagnostics, rows_by_bank, trace_selections
from .run import Run, open_run
from .traces.background import BackgroundWriter
from .traces.run_file import RunWriter, TracePlan, open_target

KEYFRAMES = 20  # in a run, where their distance is not given
EPOCHS_A_WRITE = 64  # metrics and orders of complete epochs are written at the latest then


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
    progress: Progress | None = None,
) -> Run:
    """Carry out a configuration; see :func:`train`."""
    assembly = assemble(config, data)
    selections = trace_selections(assembly)
    recorded = tuple(k for k, bank in enumerate(assembly.banks) if bank.name in selections)
    engine = Engine(
        assembly,
        threads=config.run.threads or os.cpu_count() or 1,
        epochs=config.learning.epochs,
        shuffled=config.learning.shuffle,
        recorded=recorded,
    )
    # All that can be refused has been; only now is a file that exists replaced.
    path = None if out is None else Path(out)
    try:
        file = open_target(path, overwrite)
    except (ValueError, OSError) as error:
        engine.close()
        raise InputError(str(error).splitlines()[0]) from None
    writer = RunWriter(file, describe(assembly), TracePlan(selections, config.trace.compression))
    background = BackgroundWriter()
    begun = time.perf_counter()
    progress = progress or NoProgress()
    progress.start()
    try:
        try:
            stopped = _run_epochs(engine, writer, background, progress)
        finally:
            engine.close()
            background.close()
        totals = {
            "device_steps": engine.device_steps,
            "wall_seconds": time.perf_counter() - begun,
            "epochs": engine.epoch,
            "stopped": stopped,
        }
        writer.finish(engine.states(), diagnostics(engine, assembly), totals)
    except BaseException:
        file.close()
        raise
    if path is None:
        return Run(file)
    file.close()
    return open_run(path)


def _run_epochs(engine: Engine, writer: RunWriter, background: BackgroundWriter, progress: Progress) -> bool:
    """Run to the end, or to the next keyframe after an interrupt; returns whether it was interrupted."""
    config = engine.assembly.config
    every = config.trace.keyframe_epochs or max(1, config.learning.epochs // KEYFRAMES)
    epoch_slots = engine.samples * engine.slots_a_sample
    sample_steps = engine.assembly.schedule.steps
    written = 0
    with interrupts() as interrupted:
        while engine.position < engine.slots:
            ahead = 1 if interrupted.is_set() else every - engine.epoch % every
            due = min(engine.epoch + ahead, engine.epochs)
            first_step = _first_step(engine, sample_steps)
            rows = engine.advance(due * epoch_slots)
            if rows:
                background.submit(writer.append_rows, first_step, rows_by_bank(rows, engine.assembly))
            if engine.epoch > written:
                error = float(engine.total_error[engine.epoch - 1].mean())
                progress.update(engine.epoch, error, engine.device_steps)
            at_keyframe = engine.position == due * epoch_slots
            if at_keyframe or engine.epoch - written >= EPOCHS_A_WRITE:
                done, order = engine.total_error[written : engine.epoch].copy(), engine.order(written, engine.epoch)
                background.submit(writer.append_epochs, done, order)
                written = engine.epoch
            if at_keyframe:
                background.submit(writer.append_keyframe, due, engine.states())
                if interrupted.is_set():
                    break
        return interrupted.is_set() and engine.position < engine.slots


def _first_step(engine: Engine, sample_steps: int) -> int:
    """Step of the run that the next stretch begins with."""
    sample, slot = divmod(engine.position, engine.slots_a_sample)
    return int(sample * sample_steps + engine.slot_rows[:slot].sum())


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
