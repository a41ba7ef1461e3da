"""Training: the main job, from a configuration to a run file."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from .engine import BankRows, Engine
from .errors import InputError
from .kernels.slots import Phase
from .networks import Network
from .provenance import environment
from .run import Run
from .slot_table import structured
from .traces.background import BackgroundWriter
from .traces.rows import Selection
from .traces.run_file import BankDescription, RunDescription, RunWriter, TracePlan, open_target

KEYFRAMES = 20  # in a run, where their distance is not given
EPOCHS_A_WRITE = 64  # metrics and orders of complete epochs are written at the latest then


class Progress(Protocol):
    """Who is told how a run goes on."""

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Complete epochs, mean total error of the last one, device-steps so far."""


class NoProgress:
    """Nobody is told."""

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
    try:
        file = open_target(None if out is None else Path(out), overwrite)
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from None
    writer = RunWriter(file, _describe(assembly), TracePlan(selections, config.trace.compression))
    recorded = tuple(k for k, bank in enumerate(assembly.banks) if bank.name in selections)
    engine = Engine(
        assembly,
        threads=config.run.threads or os.cpu_count() or 1,
        epochs=config.learning.epochs,
        shuffled=config.learning.shuffle,
        recorded=recorded,
    )
    background = BackgroundWriter()
    begun = time.perf_counter()
    try:
        stopped = _run_epochs(engine, writer, background, progress or NoProgress())
    finally:
        engine.close()
        background.close()
    totals = {
        "device_steps": engine.device_steps,
        "wall_seconds": time.perf_counter() - begun,
        "epochs": engine.epoch,
        "stopped": stopped,
    }
    writer.finish(engine.states(), _diagnostics(engine, assembly), totals)
    return Run(file)


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
                background.submit(writer.append_rows, first_step, _by_bank(rows, engine.assembly))
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
        return interrupted.is_set()


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


def trace_selections(assembly: Assembly) -> dict[str, Selection]:
    """Which banks, devices, realisations and steps the configuration asks to trace."""
    trace, realisations = assembly.config.trace, len(assembly.seeds)
    if trace.mode == "keyframes":
        return {}
    if trace.mode == "full":
        lanes = np.arange(realisations)
        return {bank.name: Selection(np.arange(bank.devices), lanes) for bank in assembly.banks}
    names = [bank.name for bank in assembly.banks]
    for name in trace.banks:
        if name not in names:
            raise InputError(f"trace.banks: must be of {', '.join(names)} (got {name!r})")
    for number in trace.realisations:
        _check_index("trace.realisations", number, realisations)
    lanes = np.array(sorted(set(trace.realisations)) or range(realisations))
    selections = {}
    for bank in assembly.banks:
        if trace.banks and bank.name not in trace.banks:
            continue
        for number in trace.devices:
            _check_index(f"trace.devices of {bank.name}", number, bank.devices)
        devices = np.array(sorted(set(trace.devices)) or range(bank.devices))
        selections[bank.name] = Selection(devices, lanes, trace.stride)
    return selections


def _check_index(name: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise InputError(f"{name}: must be from 0 to {count - 1} (got {number})")


def _by_bank(rows: list[BankRows], assembly: Assembly) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for part in rows:
        name = assembly.banks[part.bank].name
        grouped.setdefault(name, []).append((part.realisations, part.state, part.current, part.voltage))
    return grouped


def _describe(assembly: Assembly) -> RunDescription:
    config = assembly.config
    banks = [
        BankDescription(
            bank.name,
            bank.device.model,
            bank.devices,
            [(v.name, v.unit, v.lower, v.upper) for v in bank.device.state_variables()],
        )
        for bank in assembly.banks
    ]
    calibrated = {
        bank.name: {
            "threshold": bank.threshold,
            "read_current": bank.read_current,
            "driver_limit": bank.driver_limit,
            "write_current": bank.write_current,
            "state_per_weight": bank.state_per_weight,
            "unit_current": bank.unit_current,
        }
        for bank in assembly.banks
    }
    return RunDescription(
        program=environment(),
        configuration=config.to_toml(),
        seeds=assembly.seeds,
        inputs=assembly.dataset.inputs,
        targets=assembly.dataset.targets,
        dataset=assembly.dataset.name,
        slots=structured(assembly.schedule),
        dt=config.time.dt,
        sample_steps=assembly.schedule.steps,
        epochs=config.learning.epochs,
        banks=banks,
        initial=[states.transpose(1, 0, 2) for states in assembly.initial],
        calibration=calibrated,
        phases=[phase.name for phase in Phase],
    )


PHASE_LABELS = ("phase", "device", "realisation")
STATE_LABELS = ("variable", "device", "realisation")
DEVICE_LABELS = ("device", "realisation")
COUNTERS = {
    "energy": ("J", "energy V I dt, signed", PHASE_LABELS),
    "peak_current": ("A", "largest magnitude of a pulse", PHASE_LABELS),
    "disturbed": ("1", "variables that moved and should not have", PHASE_LABELS),
    "bound": ("1", "pulses that ended with a state at a bound", PHASE_LABELS),
    "highest": ("see variable_units", "largest state at a pulse's end", STATE_LABELS),
    "lowest": ("see variable_units", "smallest state at a pulse's end", STATE_LABELS),
    "residual": ("1", "largest distance after RESTORE over the state's range", DEVICE_LABELS),
    "unrestored": ("1", "RESTOREs with a residual above 1e-12", DEVICE_LABELS),
    "clipped": ("1", "writes cut by the driver's limit", DEVICE_LABELS),
    "shortened": ("1", "bias writes shortened to stay within their range", DEVICE_LABELS),
    "rounded": ("1", "writes rounded to whole steps or pulses", DEVICE_LABELS),
    "rounding": ("A s", "largest charge lost to rounding", DEVICE_LABELS),
}


def _diagnostics(engine: Engine, assembly: Assembly) -> dict[str, dict[str, Any]]:
    return {
        bank.name: {name: (engine.counter(name, k), *about) for name, about in COUNTERS.items()}
        for k, bank in enumerate(assembly.banks)
    }


@dataclass(frozen=True)
class Prediction:
    """What a network gives for inputs.

    Attributes
    ----------
    outputs : (samples, outputs, realisations) float64
    energy : float
        In J, over all realisations.
    """

    outputs: np.ndarray
    energy: float


def evaluate(finished: Run, inputs: np.ndarray, *, keyframe: int | None = None) -> Prediction:
    """Send inputs through a copy of a run's devices by READ and RESTORE pulses.

    Parameters
    ----------
    finished : Run
    inputs : (samples, inputs) float64
    keyframe : int, optional
        Number of the keyframe whose states are taken; the final ones where not given.

    Returns
    -------
    Prediction
    """
    config = finished.config
    outputs = finished.dataset.targets.shape[1]
    data = Dataset(inputs, np.zeros((len(inputs), outputs)), "inputs")
    # Thresholds and windows stay those that were calibrated on the training data.
    trained = assemble(config, Dataset(finished.dataset.inputs, finished.dataset.targets), finished.seeds)
    shown = data.inputs
    if config.network.constant_input:
        shown = np.hstack([shown, np.ones((len(shown), 1))])
    stored = finished.final_state if keyframe is None else finished.keyframes
    states = tuple(
        (stored[bank.name] if keyframe is None else stored[bank.name][keyframe]).transpose(1, 0, 2)
        for bank in trained.banks
    )
    forward = trained.schedule.forward()
    assembly = Assembly(
        config, data, shown, data.targets, forward, trained.banks,
        trained.plan._replace(slots=forward.table()), trained.seeds, states,
    )  # fmt: skip
    engine = Engine(assembly, threads=1, epochs=1, shuffled=False)
    values = np.empty((len(shown), outputs, len(trained.seeds)))
    try:
        while engine.position < engine.slots:
            sample = engine.position // engine.slots_a_sample
            engine.advance(engine.slots, values[sample:])
    finally:
        engine.close()
    energy = sum(float(engine.counter("energy", k).sum()) for k in range(len(trained.banks)))
    return Prediction(values, energy)
