"""Programming: the controller writes the starting weights by pulses before the first sample, reading and correcting.

The devices are handed over fresh, with states that stand for weights of 0. What
follows is a short run of its own (:func:`memsim.network.schedule.programming`) by the
rules and kernels of verified writes (:mod:`memsim.kernels.state_dependent`):
the controller reads each device, sends the pulse that leads it to its aim by the
nominal model, reads it again, and so on. The learning run begins from the
states, and from the past, that this leaves.
"""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import numpy as np

from ..calibration.bank import BankCalibration
from ..calibration.nominal_banks import nominal_of
from ..imperfections.drawing import stuck_states
from ..imperfections.levels import settled
from ..kernels.operands import COUNTERS, Flaws
from ..kernels.random import PURPOSE_PROGRAMMING
from ..kernels.slots import Operation
from ..network import schedule
from ..network.architectures import architecture_of, calibrate
from ..network.assembly import Assembly, seeds_for
from ..network.starting import Start
from ..stepping.blocks import unread_bias
from ..stepping.engine import Engine
from ..stepping.program.slot_operands import read_error
from ..traces.description import Beginning, Programming


def programmed(assembly: Assembly, threads: int, stop: Event | None = None) -> Assembly:
    """A run as it begins when its starting weights are written; where they are not to be, or are already, as it is.

    Parameters
    ----------
    assembly : Assembly
    threads : int
        1 or more. The results do not depend on it.
    stop : threading.Event, optional
        Set by another thread, has it stop before the next kernel is compiled.

    Raises
    ------
    NotFiniteError
        A state is no longer finite.
    StoppedCompilingError
    """
    if not assembly.to_be_programmed:
        return assembly
    return assembly.begun(_written(assembly, threads, stop))


def programming(assembly: Assembly) -> Assembly:
    """The run that writes the starting weights of another one, from fresh devices on."""
    config = assembly.config
    passes = config.network.programming_passes
    config = config.model_copy(update={"write": config.write.model_copy(update={"verify": passes})})
    banks = tuple(
        _readable(bank, flaws, config.write.tolerance)
        for bank, flaws in zip(calibrate(config, assembly.inputs, assembly.targets), assembly.flaws, strict=True)
    )
    # Of perfect devices nothing is drawn.
    seeds = seeds_for(assembly.seeds, PURPOSE_PROGRAMMING) if assembly.drawn else assembly.seeds
    return replace(
        assembly, config=config, banks=banks, schedule=schedule.programming(config), initial=fresh_states(assembly),
        seeds=seeds,
    )  # fmt: skip


def steps_of_programming(assembly: Assembly) -> int:
    """Steps that it takes to write the starting weights of a run."""
    writing = programming(assembly)
    return writing.schedule.steps * len(list(_turns(writing)))


def fresh_states(assembly: Assembly) -> tuple[np.ndarray, ...]:
    """States of fresh devices, (devices, variables, realisations) of each bank: they stand for weights of 0."""
    lanes, flaws = len(assembly.seeds), assembly.config.imperfections
    states = [
        bank.states(np.zeros((bank.devices, lanes)))[:, None] if bank.learns else handed_over
        for bank, handed_over in zip(assembly.banks, assembly.initial, strict=True)
    ]
    return stuck_states(settled(states, assembly.banks, flaws), assembly.banks, flaws, assembly.seeds)


def _readable(bank: BankCalibration, flaws: Flaws, tolerance: float) -> BankCalibration:
    """A bank whose READs move its states, and so are small, with READs that tell them in spite of the read-out's error.

    They are as large as it takes for that error to be the tolerance, and at most as the current that stands for 1.
    """
    known = bank.modelled
    if known is None or not known.moves:
        return bank
    ohm = np.ptp(nominal_of(bank.device, bank.name).ends)
    needed = min(read_error(flaws) / (tolerance * ohm), bank.unit_current)
    return replace(bank, read_current=max(bank.read_current, needed))


def _written(assembly: Assembly, threads: int, stop: Event | None) -> Start:
    """Carry out the pulses; the start that they leave."""
    writing = programming(assembly)
    # Of devices that could have any state: the controller knows neither of levels nor of stuck ones.
    states = architecture_of(assembly.config).starting_states(
        assembly.config, assembly.banks, assembly.sizes, assembly.seeds
    )
    aims = {number: states[number][:, 0] for number, bank in enumerate(assembly.banks) if bank.learns}
    sent = {number: np.zeros(each.shape) for number, each in aims.items()}
    turns, lanes = list(_turns(writing)), len(assembly.seeds)
    # The samples are not looked at: each turn is the schedule once.
    engine = Engine(writing, threads=threads, epochs=len(turns), shown=np.zeros((1, lanes), dtype=np.uint32))
    try:
        engine.prepare(stop)
        for devices in turns:
            for bank, each in enumerate(devices):
                engine.blocks.request(bank, aims[bank], each)
            for slot in writing.schedule.slots:
                engine.advance(engine.clock.position + 1)
                if slot.operation == Operation.CORRECT:
                    sent[slot.bank] += engine.blocks.counter("current", slot.bank) != 0.0
        found = {
            writing.banks[number].name: _found(engine, number, each) | {"writes": sent[number]}
            for number, each in aims.items()
        }
        about = Programming(writing.config.write.verify, engine.clock.step * writing.dt, found)
        left, past = tuple(engine.blocks.states()), tuple(engine.blocks.past())
    finally:
        engine.close()
    unread = np.full((sum(assembly.sizes), lanes), unread_bias(assembly))
    return Start(assembly.seeds, left, Beginning(0, 0, unread, past, about))


def _turns(writing: Assembly) -> Iterator[list[np.ndarray]]:
    """Which devices of each bank are written together: all of a bank, but lines one at a time."""
    if architecture_of(writing.config).held:
        yield from ([one] for one in np.eye(writing.banks[0].devices, dtype=bool))
    else:
        yield [np.ones(bank.devices, dtype=bool) for bank in writing.banks]


def _found(engine: Engine, number: int, aims: np.ndarray) -> dict[str, np.ndarray]:
    """What is kept of a bank, (devices, realisations) by name."""
    about = engine.assembly.banks[number].device.state_variables()[0]
    residual = np.abs(engine.blocks.states()[number][:, 0] - aims) / (about.upper - about.lower)
    kept = [name for name, counter in COUNTERS.items() if counter.programmed]  # others stay 0 meanwhile
    counted = {name: engine.blocks.counter(name, number) for name in kept}
    # Of those that are counted by phase, all phases.
    return {"aim": aims, "residual": residual} | {
        name: values.sum(axis=0) if values.ndim > 2 else values for name, values in counted.items()
    }
