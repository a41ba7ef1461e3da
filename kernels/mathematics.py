"""Elementary functions from basic arithmetic, the same bits on every machine.

The C library's ``exp`` differs between systems and keeps a loop from being
vectorised. This one uses additions and multiplications alone, and is right to
about 1e-15 of its value.
"""

import numpy as np

from .compiling import compiled

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490  # ln 2 in two parts: Cody and Waite (1980)
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and taking it off rounds to an integer
_LARGEST = 708.0


@compiled
def exponential(x):
    """e**x for x in [-708, 708]; beyond, the value at the nearer end."""
    x = -_LARGEST if x < -_LARGEST else x
    x = _LARGEST if x > _LARGEST else x
    power = (x * _LOG2_E + _ROUND) - _ROUND
    r = (x - power * _LN2_HIGH) - power * _LN2_LOW
    series = 1.0 / 6227020800.0  # 1/13!, then Horner's scheme down to 1/0!
    series = series * r + 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * np.int64((np.int64(power) + 1023) << 52).view(np.float64)


@compiled
def logistic(x):
    """1 / (1 + e**-x), in (0, 1)."""
    return 1.0 / (1.0 + exponential(-x))


@compiled
def hyperbolic_tangent(x):
    """tanh(x) = 1 - 2 / (e**(2x) + 1), to an absolute 1e-15."""
    return 1.0 - 2.0 / (exponential(2.0 * x) + 1.0)
