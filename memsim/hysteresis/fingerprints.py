"""The three fingerprints of a memristor, judged for each amplitude from its loops over the frequencies.

Adhikari, Sah, Kim and Chua, 'Three fingerprints of memristor', IEEE Trans.
Circuits and Systems I 60, 3008 (2013).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .loop import Loop
    from .loop_configuration import LoopsConfiguration

NO_AREA = 1e-12  # of peak voltage times peak current: below it an area is rounding
LAST = 3  # frequencies that the slope is fitted to


class Fingerprint(NamedTuple):
    """A fingerprint at one amplitude.

    Attributes
    ----------
    name : str
        ``"pinched"``, ``"shrinking"`` or ``"line"``.
    amplitude : float
        In A or V.
    holds : bool or None
        None where the loops cannot tell.
    value : float
        Pinched: the largest response at zero drive as a share of its peak.
        Shrinking: the slope of log(area) over log(frequency), of the last three
        frequencies. Line: the loop's width at the highest frequency as a share
        of its peak.
    words : str
        The numbers that it rests on, in words.
    """

    name: str
    amplitude: float
    holds: bool | None
    value: float
    words: str


def judge(loops: Sequence["Loop"], config: "LoopsConfiguration") -> tuple[Fingerprint, Fingerprint, Fingerprint]:
    """Judge the loops of one amplitude.

    Parameters
    ----------
    loops : sequence of Loop
        Frequencies rising.
    config : LoopsConfiguration
        With both tolerances.
    """
    return (
        _pinched(loops, config.loops.pinch_tolerance, "V" if config.bank.drive == "current" else "I"),
        _shrinking(loops),
        _line(loops, config.loops.line_tolerance),
    )


def _pinched(loops: Sequence["Loop"], tolerance: float, response: str) -> Fingerprint:
    """A loop that is one, and whose response is 0 wherever the drive is."""
    value = float(np.max([loop.zero_response for loop in loops]))
    name, amplitude = "pinched", loops[0].amplitude
    if np.isnan(value):
        words = "the drive is never at 0, or jumps across it; a pulse train needs a pause"
        return Fingerprint(name, amplitude, None, value, words)
    drive = "I" if response == "V" else "V"
    shown = f"|{response}| at {drive} = 0: {value:.2g} of its peak at most (tolerance {tolerance:g})"
    if max(loop.relative_area for loop in loops) < NO_AREA:
        return Fingerprint(name, amplitude, False, value, f"{shown}; there is no loop: no lobe has an area")
    return Fingerprint(name, amplitude, value <= tolerance, value, shown)


def _shrinking(loops: Sequence["Loop"]) -> Fingerprint:
    """A lobe area that falls from its largest on, towards higher frequencies."""
    name, amplitude = "shrinking", loops[0].amplitude
    areas = np.array([loop.area if loop.relative_area >= NO_AREA else 0.0 for loop in loops])
    frequencies = np.array([loop.frequency for loop in loops])
    slope = area_slope(frequencies, areas)
    if len(loops) < 2:
        return Fingerprint(name, amplitude, None, slope, "needs two frequencies at the least")
    if not areas.any():
        return Fingerprint(name, amplitude, False, slope, "no lobe has an area at any frequency")
    largest = int(areas.argmax())
    if largest == len(areas) - 1:
        words = f"the area still grows at the highest frequency, {frequencies[-1]:g} Hz; take higher ones"
        return Fingerprint(name, amplitude, False, slope, words)
    after = areas[largest:]
    rising = np.flatnonzero((np.diff(after) >= 0) & (after[1:] > 0))
    if len(rising):
        at = frequencies[largest + 1 + int(rising[0])]
        return Fingerprint(name, amplitude, False, slope, f"the area grows again at {at:g} Hz")
    words = f"falls from {frequencies[largest]:g} Hz on"
    if not np.isnan(slope):
        words += f"; area ~ f^{slope:.3f} over the last {min(LAST, int((areas > 0).sum()))} frequencies"
    return Fingerprint(name, amplitude, True, slope, words.replace("-", "\N{MINUS SIGN}"))


def area_slope(frequencies: np.ndarray, areas: np.ndarray) -> float:
    """The slope of log(area) over log(frequency), fitted to the last three areas that are not 0; NaN of fewer than two.

    Parameters
    ----------
    frequencies, areas : (frequencies,) float64
        In Hz, rising, and V*A.
    """
    there = np.flatnonzero(areas > 0)[-LAST:]
    if len(there) < 2:
        return float("nan")
    return float(np.polyfit(np.log(frequencies[there]), np.log(areas[there]), 1)[0])


def _line(loops: Sequence["Loop"], tolerance: float) -> Fingerprint:
    """A loop that is a single-valued function at the highest frequency."""
    last = loops[-1]
    words = (
        f"at {last.frequency:g} Hz {last.width:.2g} of its peak wide (tolerance {tolerance:g}), "
        f"{last.off_line:.2g} from a straight line"
    )
    if last.width > tolerance:
        words += "; higher frequencies may show the limit"
    return Fingerprint("line", last.amplitude, last.width <= tolerance, last.width, words)
