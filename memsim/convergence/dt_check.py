"""What a comparison of dt with its half and its quarter says: differences, order, what remains, a verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ..devices import UNBOUNDED
from ..errors import InputError

TOLERANCE = 1e-3  # of a variable's range, and of an output's unit
ROUNDING = 1e-11  # of the range: a difference below it is the rounding of a sum of many steps
FALLS = 0.75  # share of the difference that the next halving may leave; Euler's leaves a half
SMALL = 1e-2  # share of the tolerance below which a difference is too small to be asked whether it falls
GROWS = 2.0  # times that a difference above that may grow by from one halving to the next
OF_ENERGY = 1e-2  # of the largest: energies are sums over steps, wrong by half a step's change of a voltage
ORDERS = {"euler": 1, "heun": 2}  # in theory, of a drift without kinks
LEAST_ORDER, MOST_ORDER = 0.5, 3.0  # that the rest is estimated with

Verdict = Literal["exact", "fine", "coarse", "unstable", "stalled"]


@dataclass(frozen=True)
class StateDifference:
    """How far the states of a bank at dt are from those at finer steps, as shares of each variable's range.

    Attributes
    ----------
    bank : str
    half, quarter : float
        Largest difference from dt to dt/2, and from dt/2 to dt/4.
    jumps : int
        States that are at a bound at dt and not, or at the other one, at dt/2, or the reverse,
        and differ by more than the tolerance.
    constant_drift : bool
        Whether the current alone decides the drift: Euler's steps then have no error but rounding.
    stalled : int
        Steps of a drive, or pulses of a network, that cannot move a state, whose
        drift has vanished below its last digit: at this dt, and at any.
    """

    bank: str
    half: float
    quarter: float
    jumps: int
    constant_drift: bool
    stalled: int = 0

    @property
    def order(self) -> float | None:
        """Observed order of convergence; None where there is nothing but rounding to see."""
        return order_of(self.half, self.quarter)

    @property
    def remaining(self) -> float:
        """Estimate of what the states at dt are wrong by, as a share of the range (Richardson's extrapolation)."""
        return remaining(self.half, self.quarter)


@dataclass(frozen=True)
class DtCheck:
    """The comparison of a step with its half and its quarter.

    Attributes
    ----------
    dt : float
        In s.
    integrator : str
    covered : str
        What was repeated, as ``"20 samples of 8 realisations"``.
    banks : tuple of StateDifference
    output, output_quarter : float
        Largest difference of an output (of a network, in its unit 1; of a
        drive, as a share of the largest response) from dt to dt/2, and from
        dt/2 to dt/4.
    energy, energy_quarter : float
        Largest difference of a device's energy, or of a bank's in a network, as
        a share of the largest, likewise.
    tolerance : float
    lost : str
        What the message of a state that is no longer finite says; empty where none is.
    """

    dt: float
    integrator: str
    covered: str
    banks: tuple[StateDifference, ...]
    output: float
    output_quarter: float
    tolerance: float = TOLERANCE
    lost: str = ""
    energy: float = 0.0
    energy_quarter: float = 0.0

    @property
    def worst(self) -> StateDifference:
        """The bank whose states differ most, at either halving."""
        return max(self.banks, key=lambda bank: max(bank.half, bank.quarter))

    @property
    def stalled(self) -> int:
        """Steps or pulses of all banks in which a state with a drift did not move."""
        return sum(bank.stalled for bank in self.banks)

    @property
    def verdict(self) -> Verdict:
        """What both halvings say together.

        ``exact`` up to rounding, ``fine`` within the tolerance, ``coarse``
        beyond it, ``unstable`` where the differences do not fall as a method's
        that converges, ``stalled`` where states cannot move though they drift.
        """
        compared = list(self._compared())
        if self.lost or any(bank.jumps for bank in self.banks) or not all(falls(*each) for each in compared):
            return "unstable"
        if self.stalled:
            return "stalled"
        if any(max(half, quarter, remaining(half, quarter)) > allowed for half, quarter, allowed in compared):
            return "coarse"
        return "exact" if all(max(bank.half, bank.quarter) <= ROUNDING for bank in self.banks) else "fine"

    def _compared(self) -> Iterator[tuple[float, float, float]]:
        """Both differences of each bank's states, of the outputs and of the energy, and what is allowed."""
        for bank in self.banks:
            yield bank.half, bank.quarter, self.tolerance
        yield self.output, self.output_quarter, self.tolerance
        yield self.energy, self.energy_quarter, OF_ENERGY

    def attributes(self) -> dict[str, float | str]:
        """What a file keeps of it, by the names of attributes."""
        return {
            "dt_check": self.verdict, "dt_check_covered": self.covered, "dt_check_tolerance": self.tolerance,
            "dt_check_state_difference": self.worst.half, "dt_check_state_difference_half": self.worst.quarter,
            "dt_check_output_difference": self.output, "dt_check_energy_difference": self.energy,
            "dt_check_stalled": float(self.stalled), "dt_check_bank": self.worst.bank,
        }  # fmt: skip


def falls(half: float, quarter: float, allowed: float) -> bool:
    """Whether a difference falls from one halving to the next as that of a method that converges does.

    Small ones need not: a drift with kinks lets them go up and down.
    """
    if not max(half, quarter) <= allowed:  # not finite is neither
        return quarter <= FALLS * half
    return quarter <= max(GROWS * half, SMALL * allowed)


def relative(values: Sequence[np.ndarray]) -> np.ndarray:
    """Largest differences from dt to dt/2 and from dt/2 to dt/4, as shares of the largest value at dt; (2,)."""
    largest = np.abs(values[0]).max()
    differences = np.array([np.abs(a - b).max() for a, b in pairwise(values)])
    return differences / largest if largest > 0.0 else differences


def order_of(half: float, quarter: float) -> float | None:
    """Order of convergence from the differences of two halvings; None where either is rounding."""
    if not (half > ROUNDING and quarter > 0.0 and np.isfinite(half) and np.isfinite(quarter)):
        return None
    return float(np.log2(half / quarter))


def remaining(half: float, quarter: float) -> float:
    """Estimate of the error at dt: of order p, it is the difference to dt/2 times 2^p / (2^p - 1)."""
    order = order_of(half, quarter)
    if order is None:
        return half
    gain = 2.0 ** min(max(order, LEAST_ORDER), MOST_ORDER)
    return half * gain / (gain - 1.0)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is no share."""
    if not 0.0 < tolerance < 1.0:
        raise InputError(f"tolerance: must be above 0 and below 1, a share of the range (got {tolerance:g})")


class Comparison:
    """Largest differences of states, as shares of the range, as they come.

    Parameters
    ----------
    bounds : (2, variables) float64
    tolerance : float
    """

    def __init__(self, bounds: np.ndarray, tolerance: float) -> None:
        self._lower, self._upper = bounds
        self._bounded = self._upper < UNBOUNDED
        self._scale = np.where(self._bounded, self._upper - self._lower, 0.0)
        self._tolerance = tolerance
        self._largest = np.zeros((2, len(self._lower)))
        self.jumps = 0

    def add(self, coarse: np.ndarray, half: np.ndarray, quarter: np.ndarray) -> None:
        """Take in states at the same times, (variables, n) each."""
        seen = np.abs(coarse).max(axis=1)
        self._scale = np.where(self._bounded, self._scale, np.maximum(self._scale, seen))
        differences = np.abs(coarse - half), np.abs(half - quarter)
        self._largest = np.maximum(self._largest, [each.max(axis=1) for each in differences])
        lower, upper = self._lower[:, None], self._upper[:, None]
        apart = differences[0] > self._tolerance * self._scale[:, None]
        elsewhere = (coarse <= lower) != (half <= lower)
        elsewhere |= ((coarse >= upper) != (half >= upper)) & self._bounded[:, None]
        self.jumps += int((apart & elsewhere).sum())

    @property
    def shares(self) -> tuple[float, float]:
        """Largest differences from dt to dt/2 and from dt/2 to dt/4, of all variables."""
        scale = np.where(self._scale > 0.0, self._scale, 1.0)
        half, quarter = (self._largest / scale).max(axis=1)
        return float(half), float(quarter)
