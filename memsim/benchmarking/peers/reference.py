"""The right states: Gragg's extrapolated midpoint rule, in numbers longer than the tools have.

In pulses the drifts are smooth, so that a pulse in a few parts of sixteenth order is right to about 1e-17 of a
state's range where a long double has 64 bits. The tests compare it with the closed forms, and with SciPy's DOP853.

Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section II.9.
"""

import numpy as np

from .numpy_equations import Drift, drift_of
from .problems import Problem

COLUMNS = 8  # of the extrapolation: order 16
PARTS = 4  # of a pulse


def reference(problem: Problem, parts: int = PARTS) -> np.ndarray:
    """The states after the whole train, (devices,) float64."""
    long = np.longdouble
    p = {name: long(repr(value)) for name, value in problem.about.parameters.items()}
    x = problem.starts.astype(long)
    step = long(repr(problem.about.pulse)) / parts
    for factor in problem.factors:
        drift = drift_of(problem.device, p, problem.currents.astype(long) * long(factor))
        for _ in range(parts):
            x = _extrapolated(drift, x, step)
    return x.astype(np.float64)


def _extrapolated(drift: Drift, x: np.ndarray, step: np.floating) -> np.ndarray:
    """One step by the midpoint rule with 2, 4, 6, ... parts, extrapolated in the square of their length."""
    counts = [2 * (k + 1) for k in range(COLUMNS)]
    row: list[np.ndarray] = []
    for k, count in enumerate(counts):
        last, row = row, [_midpoint(drift, x, step, count)]
        for j in range(k):
            ratio = (np.longdouble(count) / counts[k - j - 1]) ** 2
            row.append(row[j] + (row[j] - last[j]) / (ratio - 1))
    return row[-1]


def _midpoint(drift: Drift, x: np.ndarray, step: np.floating, count: int) -> np.ndarray:
    """Gragg's midpoint rule with so many parts, smoothed at the end."""
    h, rate = step / count, np.empty_like(x)
    drift(x, rate)
    before, now = x, x + h * rate
    for _ in range(count - 1):
        drift(now, rate)
        before, now = now, before + 2 * h * rate
    drift(now, rate)
    return (before + now + h * rate) / 2
