"""Wear and random telegraph noise: what a device's past leaves in it beside its state."""

import math

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import BankImperfections, ImperfectionsSection
from ..kernels.random import PURPOSE_FIRST_TRAP, uniform
from ..kernels.slots import Past


def kept_of(bank: BankCalibration, imperfections: ImperfectionsSection) -> tuple[Past, ...]:
    """What of a bank's past counts, and is kept in keyframes."""
    section: BankImperfections = getattr(imperfections, bank.kind)
    counts = {
        Past.PULSES: section.endurance is not None,
        Past.TRAP: section.telegraph_amplitude > 0.0,
        Past.LOGIT: bank.device.functions().drift_near is not None,
    }
    return tuple(kind for kind in Past if counts[kind])


def varies(bank: BankCalibration, imperfections: ImperfectionsSection) -> bool:
    """Whether the memristance of a bank's devices follows from their past too: of a logit it follows by the state."""
    return any(kind is not Past.LOGIT for kind in kept_of(bank, imperfections))


def flaws_of_past(section: BankImperfections) -> dict[str, float]:
    """Wear and telegraph noise as fields of :class:`~memsim.kernels.operands.Flaws`."""
    found = {"wear": math.log(2.0) / section.endurance if section.endurance else 0.0}
    if section.telegraph_amplitude and section.capture_time and section.emission_time:
        found["telegraph_amplitude"] = section.telegraph_amplitude
        found["telegraph_rate"] = 1.0 / section.capture_time + 1.0 / section.emission_time
        found["telegraph_share"] = section.emission_time / (section.capture_time + section.emission_time)
    return found


def first_past(index: int, bank: BankCalibration, section: BankImperfections, seeds: np.ndarray) -> np.ndarray:
    """The past of a bank's devices before the run, (kinds, devices, realisations): fresh, with stationary traps."""
    found = np.zeros((len(Past), bank.devices, len(seeds)))
    share = flaws_of_past(section).get("telegraph_share", 0.0)
    if share:
        drawn = [[uniform(seed, PURPOSE_FIRST_TRAP, index, d, 0) for seed in seeds] for d in range(bank.devices)]
        found[Past.TRAP] = np.array(drawn) < share
    return found


def middle_of(bank: BankCalibration, section: BankImperfections) -> float:
    """The state towards which the range closes."""
    if section.endurance is None:
        return 0.0
    about = bank.device.state_variables()
    return 0.5 * (about[0].lower + about[0].upper)
