"""Finite levels: devices whose state can rest at some places of its range only."""

from collections.abc import Sequence

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import ImperfectionsSection


def settled(
    initial: Sequence[np.ndarray], banks: Sequence[BankCalibration], imperfections: ImperfectionsSection
) -> tuple[np.ndarray, ...]:
    """Starting states, (devices, variables, realisations) of each bank, at the nearest levels where there are some."""
    found = []
    for states, bank in zip(initial, banks, strict=True):
        levels = getattr(imperfections, bank.kind).levels
        if levels:
            about = bank.device.state_variables()
            span = about[0].upper - about[0].lower
            places = np.floor((states - about[0].lower) / span * (levels - 1.0) + 0.5) / (levels - 1.0)
            found.append(np.minimum(about[0].lower + span * places, about[0].upper))
        else:
            found.append(states)
    return tuple(found)
