"""A hysteresis loop, and what was measured of it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Loop:
    """The last period of a device under one frequency and amplitude.

    Attributes
    ----------
    frequency : float
        In Hz.
    amplitude : float
        Of the drive, in A or V.
    voltage, current : (steps + 1,) float64
        In V and A, at the boundaries of the period's steps.
    state : (steps + 1, variables) float64
    positive_area, negative_area : float
        Of the lobes with positive and with negative current in V*A; positive
        where a lobe goes round against the clock, V to the right and I upwards.
    zero_response : float
        Largest response at zero drive as a share of its peak.
    width : float
        Largest spread of the response at one drive, as a share of its peak.
    off_line : float
        Largest distance from the best line through the origin, as a share of
        the response's peak.
    open_end : float
        How far the states end from where they were a period before, as a share of their swing.
    at_bound : bool
        Whether a state came to one of its bounds in the period.
    furthest : float
        How far a state moves in one step at most, as a share of its range, in all periods.
    stalled : int
        Steps of all periods that cannot move a state, whose drift has vanished.
    """

    frequency: float
    amplitude: float
    voltage: np.ndarray
    current: np.ndarray
    state: np.ndarray
    positive_area: float
    negative_area: float
    zero_response: float
    width: float
    off_line: float
    open_end: float
    at_bound: bool
    furthest: float
    stalled: int

    @property
    def area(self) -> float:
        """Sum of the magnitudes of both lobes' areas, in V*A."""
        return abs(self.positive_area) + abs(self.negative_area)

    @property
    def relative_area(self) -> float:
        """The area over the product of peak voltage and peak current."""
        product = float(np.abs(self.voltage).max() * np.abs(self.current).max())
        return self.area / product if product > 0 else 0.0
