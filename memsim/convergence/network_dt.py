"""The first samples of a run at dt, dt/2 and dt/4: the same pulses, the same starting states, the same order."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..errors import InputError, NotFiniteError
from ..imperfections.retention import relaxes
from ..network.assembly import Assembly, assemble
from ..network.starting import Start
from ..runs.programming import programmed
from ..runs.replay import of_realisations
from ..stepping.engine import Engine
from .dt_check import TOLERANCE, Comparison, DtCheck, StateDifference, check_tolerance, relative

SAMPLES = 20  # that are repeated, or the first epoch where that is shorter, or the first mini-batch where it is longer
REALISATIONS = 8  # that are looked at, at most

Progress = Callable[[int, int, str], None]


def check_dt(
    config: Configuration,
    data: Dataset,
    *,
    start: Start | None = None,
    samples: int | None = None,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> DtCheck:
    """Repeat the first samples of a run at half and at a quarter of its dt, and compare.

    The pulses keep their widths in seconds and their currents; only the steps
    within them become finer. States are compared at the end of each slot.

    Parameters
    ----------
    config : Configuration
    data : Dataset
    start : Start, optional
        Of a run that goes on with the devices of another one.
    samples : int, optional
        How many; by default 20, or the first epoch if it is shorter.
    tolerance : float
        Largest difference that is fine: of states as a share of their range, of outputs in units of 1.
    progress : callable, optional
        Called with the samples that are done, all, and the word ``"sample"``.

    Returns
    -------
    DtCheck

    Raises
    ------
    InputError
        Settings that cannot work, or more samples than the run has.
    """
    check_tolerance(tolerance)
    assembly = assemble(config, data, start=start)
    whole = config.learning.epochs * len(assembly.inputs)
    # A mini-batch at least: before its end nothing is written.
    count = min(max(SAMPLES, config.learning.batch), len(assembly.inputs)) if samples is None else samples
    if not 1 <= count <= whole:
        raise InputError(f"samples: must be from 1 to the run's {whole:,} (got {count})")
    lanes = range(min(REALISATIONS, len(assembly.seeds)))
    assembly = programmed(of_realisations(assembly, lanes), threads=1)
    comparisons = [
        Comparison(np.array([[v.lower, v.upper] for v in bank.device.state_variables()]).T, tolerance)
        for bank in assembly.banks
    ]
    outputs, energies, lost = np.zeros(2), np.zeros(2), ""
    stalled = np.zeros(len(assembly.banks), dtype=np.int64)
    try:
        outputs, energies, stalled = _compare(
            [refined(assembly, factor) for factor in (1, 2, 4)], count, comparisons, progress
        )
    except NotFiniteError as error:
        lost = str(error)
    banks = tuple(
        StateDifference(bank.name, *compared.shares, compared.jumps, _is_constant(assembly, bank), int(count))
        for bank, compared, count in zip(assembly.banks, comparisons, stalled, strict=True)
    )
    covered = f"{count:,} sample{'s' * (count != 1)} of {len(lanes)} realisation{'s' * (len(lanes) != 1)}"
    methods = {assembly.integrator(number) for number in range(len(assembly.banks))}
    method = methods.pop() if len(methods) == 1 else "euler"
    return DtCheck(config.time.dt, method, covered, banks, float(outputs[0]), float(outputs[1]), tolerance, lost,
                   float(energies[0]), float(energies[1]))  # fmt: skip


def _is_constant(assembly: Assembly, bank: BankCalibration) -> bool:
    """Whether a bank's drifts do not change while a current is constant."""
    return bank.device.functions().constant_drift and not relaxes(bank, assembly.config.imperfections)


def refined(assembly: Assembly, factor: int) -> Assembly:
    """A run with each step divided: pulses, gaps and rests of as many seconds, and the same controller.

    With a power of two no time, and so no current that is made of times, changes
    in any bit. A controller that finds its pulses in the devices' model keeps the
    steps of the run there.
    """
    slots = tuple(
        replace(slot, pulse_steps=slot.pulse_steps * factor, gap_steps=slot.gap_steps * factor)
        for slot in assembly.schedule.slots
    )
    schedule = replace(assembly.schedule, slots=slots, rest_steps=assembly.schedule.rest_steps * factor)
    return replace(assembly, schedule=schedule, finer=factor, steps_before=assembly.steps_before * factor)


def _compare(
    assemblies: list[Assembly], samples: int, comparisons: list[Comparison], progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry all through the samples, slot by slot.

    Returns
    -------
    outputs, energies : (2,) float64
        Largest differences from dt to dt/2 and from dt/2 to dt/4.
    stalled : (banks,) int64
        Pulses at dt.
    """
    learning = assemblies[0].config.learning
    largest = np.zeros(2)
    with ExitStack() as stack:
        engines = [
            stack.enter_context(
                closing(Engine(each, threads=1, epochs=learning.epochs, shuffled=learning.shuffle))
            )
            for each in assemblies
        ]  # fmt: skip
        outputs = np.zeros((len(engines), 1, assemblies[0].targets.shape[1], engines[0].realisations))
        for slot in range(samples * engines[0].clock.slots_a_sample):
            for engine, shown in zip(engines, outputs, strict=True):
                engine.advance(slot + 1, shown)
            states = [engine.blocks.states() for engine in engines]
            for bank, compared in enumerate(comparisons):
                compared.add(*(_by_variable(each[bank]) for each in states))
            if engines[0].clock.position % engines[0].clock.slots_a_sample == 0:
                largest = np.maximum(largest, np.abs(np.diff(outputs, axis=0)).max(axis=(1, 2, 3)))
                if progress:
                    progress(engines[0].clock.sample, samples, "sample")
        banks = range(len(assemblies[0].banks))
        energies = [np.array([engine.blocks.counter("energy", bank).sum() for bank in banks]) for engine in engines]
        stalled = np.array([engines[0].blocks.counter("stalled", bank).sum() for bank in banks]).astype(np.int64)
    return largest, relative(energies), stalled


def _by_variable(states: np.ndarray) -> np.ndarray:
    """(devices, variables, realisations) as (variables, n)."""
    return states.transpose(1, 0, 2).reshape(states.shape[1], -1)
