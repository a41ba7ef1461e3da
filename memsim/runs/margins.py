"""Margins: how near a run came to what it must not do, and what it counted.

The first thing that a finished run shows.
"""

from dataclasses import dataclass

import numpy as np

from ..calibration.bank import BankCalibration
from ..devices import UNBOUNDED
from ..kernels.operands import COUNTERS
from ..kernels.slots import Phase
from ..traces.reader import Arrays

AS_COUNTED = {counter.shown: name for name, counter in COUNTERS.items() if counter.shown}
COUNTS = {
    "read_disturbs": "states that moved in a READ or BACKREAD, which must leave them alone",
    "write_disturbs": "states that moved in a WRITE that was meant for another variable",
    "restore_residuals": "RESTOREs, or READs that restore, that left a state off by more than 1e-12 of its range",
    "bounds_in_read": "READs that ended with a state at a bound; of a carrier memristor, steps",
    "bounds_in_write": "WRITEs that ended with a state at a bound; of a carrier memristor, steps",
    **{shown: COUNTERS[name].meaning for shown, name in AS_COUNTED.items()},
}


@dataclass(frozen=True)
class BankMargins:
    """Margins and counts of one bank, over all its devices and realisations.

    Attributes
    ----------
    bank : str
    peak_state : float
        Largest magnitude of a state over its bound.
    peak_read : float or None
        Largest READ or BACKREAD over I_th; None where READs are meant to move
        the state, or external control holds it.
    peak_write : float
        Largest WRITE over the driver's limit.
    restore_residual : float
        Largest, as a share of the state's range.
    rounding : float
        Largest charge lost to rounding in A s.
    counts : dict
        Name, as in ``COUNTS``, to number.
    moves : bool
        Whether READs move the state, and take it back or are followed by a RESTORE.
    """

    bank: str
    peak_state: float
    peak_read: float | None
    peak_write: float
    restore_residual: float
    rounding: float
    counts: dict[str, int]
    moves: bool = False

    @property
    def shown_read(self) -> str:
        """The peak READ for a table; ``moves`` or ``held`` where it has no threshold to keep below."""
        if self.peak_read is not None:
            return f"{self.peak_read:.3f}"
        return "moves" if self.moves else "held"


def bank_margins(bank: BankCalibration, counters: Arrays, lower: np.ndarray, upper: np.ndarray) -> BankMargins:
    """The margins of a bank from what was counted while stepping.

    Parameters
    ----------
    bank : BankCalibration
    counters : Arrays
        As a run file stores them.
    lower, upper : (variables,) float64
        Bounds of the states.
    """
    reads = [Phase.READ, Phase.BACKREAD]
    highest, lowest = counters["highest"], counters["lowest"]
    half = 0.5 * (upper - lower)[:, None]
    middle = 0.5 * (upper + lower)[:, None]
    excursion = np.maximum(highest - middle, middle - lowest) / half
    current = counters["peak_current"]
    guarded = bank.threshold > 0 and bank.kind != "node"
    return BankMargins(
        bank=bank.name,
        moves=bank.kind == "node" or bank.carried or (bank.modelled is not None and bank.modelled.moves),
        peak_state=float(excursion[:, upper < UNBOUNDED].max()),
        peak_read=float(current[reads].max() / bank.threshold) if guarded else None,
        peak_write=float(current[Phase.WRITE].max() / bank.driver_limit),
        restore_residual=float(counters["residual"].max()),
        rounding=float(counters["rounding"].max()),
        counts={
            "read_disturbs": int(counters["disturbed"][reads].sum()),
            "write_disturbs": int(counters["disturbed"][Phase.WRITE].sum()),
            "restore_residuals": int(counters["unrestored"].sum()),
            "bounds_in_read": int(counters["bound"][reads].sum()),
            "bounds_in_write": int(counters["bound"][Phase.WRITE].sum()),
            **{shown: int(np.sum(counters.get(name, 0))) for shown, name in AS_COUNTED.items()},  # 0 of older files
        },
    )
