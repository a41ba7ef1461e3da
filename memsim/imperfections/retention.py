"""Retention: states that relax towards a state of their own, whether or not a current flows."""

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import BankImperfections, ImperfectionsSection


def relaxes(bank: BankCalibration, imperfections: ImperfectionsSection) -> bool:
    """Whether a bank's states move at rest because they relax."""
    return getattr(imperfections, bank.kind).retention_time is not None


def aims_of(bank: BankCalibration, section: BankImperfections) -> np.ndarray:
    """The state that each variable relaxes to, (variables,)."""
    about = bank.device.state_variables()
    if section.retention_time is None:
        return np.zeros(len(about))
    return np.array([v.lower + section.retention_state * (v.upper - v.lower) for v in about])
