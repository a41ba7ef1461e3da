"""Sizes that a run cannot have: more memory than there is, slots without an end, steps and currents beyond counting.

Estimated before anything is allocated, from the configuration and the samples
alone. What is counted are the arrays that are certain to be made: a block's
(:mod:`memsim.stepping.blocks`), the counters and states of the run file, whose layout is
in memory twice while it is made, the samples, and the order that they are shown
in. Real runs take some more (tests/network/test_sizes.py measures them), so that nothing
is refused that would fit.
"""

from collections.abc import Sequence

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..datasets.gates import SAMPLE_BYTES
from ..errors import InputError
from ..files import memory as sizes
from ..kernels.tiles import WIDE
from ..traces.stored import COUNTED_AT_MOST
from .architecture import architecture_of
from .slot import Schedule, Slot

# Numbers of 8 bytes for each device and realisation, and more for each of its state variables.
IN_A_BLOCK = 44, 5
IN_THE_FILE = 2 * 35, 2 * 2 + 1  # counters in two checkpoints, and the starting state
IMAGES = 2  # of the file's layout
DATA_COPIES = 3  # of the samples: those that were read, and in the layout
ORDER_BYTES = 4  # of each sample's place in an epoch, for each realisation
SLOT_WORK = 10**10  # device-steps: a slot is stepped to its end before Ctrl-C is seen
STEPS = 2**63  # that can be counted
CURRENTS = 1e-60, 1e60  # A, whose squares, times any time and memristance, are still counted


def refuse_memory(config: Configuration, data: Dataset, units: Sequence[int], realisations: int) -> None:
    """Refuse a run that takes more memory than there is.

    Parameters
    ----------
    config : Configuration
    data : Dataset
    units : sequence of int
        Of each layer; of layer 0 the inputs, with the constant line.
    realisations : int

    Raises
    ------
    InputError
        Naming the field that makes it so large.
    """
    banks = list(architecture_of(config).devices(config, units))
    devices = sum(count for count, _ in banks)
    of_data = DATA_COPIES * sum(values.nbytes for values in data.arrays)
    of_order = ORDER_BYTES * len(data.inputs)
    of_devices = sum(count * bytes_of_device(variables) for count, variables in banks)
    each = of_devices + of_order
    fitting = (sizes.memory() - of_data) // each
    if fitting >= 1:
        field, advice = "run.seeds" if config.run.seeds else "run.realisations", f"take {fitting:,} at most"
        what = f"{realisations:,} realisations of {devices:,} device{'s' if devices > 1 else ''}"
    elif of_devices < of_data + of_order:
        field, what, advice = "data", f"{len(data.inputs):,} samples", "take fewer"
    else:
        field = f"network.{config.network.size_field}"
        what, advice = f"{devices:,} devices", "take fewer"
    sizes.require_memory(of_data + realisations * each, f"{field}: {what}", advice)


def refuse_samples(config: Configuration) -> None:
    """Refuse samples of a gate before they are drawn, where these and their orders take more memory than there is."""
    samples, order = config.data.samples, ORDER_BYTES * config.run.lanes
    if config.data.gate is not None and samples > config.run.lanes:  # else the realisations are too many
        sizes.require_memory(samples * (SAMPLE_BYTES + order), f"data.samples: {samples:,} samples", "take fewer")


def bytes_of_device(variables: int) -> int:
    """Bytes that are certain to be taken for each device of so many state variables, in each realisation."""
    block, file = (fixed + more * variables for fixed, more in (IN_A_BLOCK, IN_THE_FILE))
    return 8 * (block + IMAGES * file)


def refuse_steps(
    config: Configuration, schedule: Schedule, banks: Sequence[BankCalibration], samples: int, realisations: int,
    rests: Sequence[bool],
) -> None:  # fmt: skip
    """Refuse more steps than can be counted, and a slot of more than can be waited for.

    Parameters
    ----------
    config : Configuration
    schedule : Schedule
    banks : sequence of BankCalibration
    samples : int
        Of an epoch.
    realisations : int
    rests : sequence of bool
        Whether nothing of a bank moves at zero current; its idle steps are then no work.

    Raises
    ------
    InputError
        With the steps and the field.
    """
    every = config.learning.epochs * samples * schedule.steps
    if every >= STEPS:
        raise InputError(
            f"learning.epochs: {config.learning.epochs:,} epochs of {samples:,} samples of {schedule.steps:,} steps "
            f"are {every:.3g} steps, and {STEPS:.3g} can be counted; take fewer"
        )
    for slot in schedule.slots:
        bank = banks[slot.bank]
        steps = _stepped(config, slot, rests[slot.bank])
        _refuse_work(_field_of(config, slot), f"a slot of {bank.name}", steps, bank.devices * realisations)
    moving = sum(bank.devices for bank, still in zip(banks, rests, strict=True) if not still)
    _refuse_work("time.gap_steps", "the rest after a slot", schedule.rest_steps if moving else 0, moving * realisations)


def _stepped(config: Configuration, slot: Slot, rests: bool) -> int:
    """Steps of a slot that are work; in closed form each pulse of a train is one, and a single pulse none."""
    if config.time.solver == "exact":
        return slot.pulses if slot.pulses > 1 else 0
    return slot.pulses * slot.pulse_steps if rests else slot.width


def _field_of(config: Configuration, slot: Slot) -> str:
    """The field that makes a slot as long as it is."""
    time, write = config.time, config.write
    if (slot.pulses, slot.pulse_steps) == (1, time.read):
        return "time.pulse_steps" if time.pulse_width is None else "time.pulse_width"
    if write.encoding != "count":
        return "time.write_steps" if time.write_width is None else "time.write_width"
    sizes = {"pulses": write.pulses, "train_steps": write.train_steps, "train_gap_steps": write.train_gap_steps}
    return f"write.{max(sizes, key=lambda name: sizes[name])}"


def _refuse_work(field: str, what: str, steps: int, devices: int) -> None:
    work = steps * max(devices, WIDE)
    if work > SLOT_WORK:
        raise InputError(
            f"{field}: {what} would take {steps:,} steps of {devices:,} devices, for which Ctrl-C would have to wait; "
            f"{SLOT_WORK // max(devices, WIDE):,} steps can be; take fewer, or a larger time.dt"
        )


def refuse_currents(banks: Sequence[BankCalibration]) -> None:
    """Refuse currents whose energies are beyond counting.

    Raises
    ------
    InputError
    """
    for bank in banks:
        for current in (bank.unit_current, bank.driver_limit):
            if not CURRENTS[0] <= current <= CURRENTS[1]:
                raise InputError(
                    f"time.dt: with the parameters of its devices {bank.name} would have currents of {current:.3g} A, "
                    f"and from {CURRENTS[0]:g} to {CURRENTS[1]:g} A can be; check the sizes of both"
                )


def refuse_states(banks: Sequence[BankCalibration], initial: Sequence[np.ndarray]) -> None:
    """Refuse starting states that are beyond counting: the learning rate is one of a threshold memristor's.

    Raises
    ------
    InputError
    """
    for bank, states in zip(banks, initial, strict=True):
        if not np.abs(states).max() < COUNTED_AT_MOST:
            raise InputError(
                f"learning.rate: the states of {bank.name} would begin at {np.abs(states).max():.3g}, beyond what is "
                f"counted; check time.dt, the rate and the devices' parameters"
            )
