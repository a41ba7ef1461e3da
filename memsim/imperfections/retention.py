"""Retention: states that relax towards a state of their own, whether or not a current flows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import BankImperfections, ImperfectionsSection
from ..devices import UNBOUNDED
from ..errors import InputError

STEPS = 10  # of a time constant, at least


def relaxes(bank: BankCalibration, imperfections: ImperfectionsSection) -> bool:
    """Whether a bank's states move at rest because they relax."""
    return getattr(imperfections, bank.kind).retention_time is not None


def aims_of(bank: BankCalibration, section: BankImperfections) -> np.ndarray:
    """The state that each variable relaxes to, (variables,)."""
    about = bank.device.state_variables()
    if section.retention_time is None:
        return np.zeros(len(about))
    return np.array([v.lower + section.retention_state * (v.upper - v.lower) for v in about])


def refuse_retention(imperfections: ImperfectionsSection, banks: Sequence[BankCalibration], time: Any) -> None:
    """Refuse what cannot relax, or cannot be stepped while it does.

    Raises
    ------
    InputError
    """
    for bank in banks:
        if not relaxes(bank, imperfections):
            continue
        where = f"imperfections.{bank.kind}.retention_time"
        constant = getattr(imperfections, bank.kind).retention_time
        if constant < STEPS * time.dt:
            raise InputError(f"{where}: must be at least {STEPS} steps of time.dt = {time.dt:g} s (got {constant:g})")
        if any(abs(bound) >= UNBOUNDED for v in bank.device.state_variables() for bound in (v.lower, v.upper)):
            raise InputError(
                f"{where}: a {bank.device.model} has a state without a bound, of whose range there is no share; "
                f"leave it out"
            )
        if time.solver == "exact":
            raise InputError(
                f"time.solver: must be 'stepping' for {bank.name}, whose states relax within a pulse (got 'exact')"
            )
