"""Elementary functions from basic arithmetic, the same bits on every machine.

The C library's ``exp`` differs between systems and keeps a loop from being
vectorised. This one uses additions and multiplications alone, and is right to
about 1e-15 of its value.
"""

import numpy as np

from .compiling import elementwise

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490  # ln 2 in two parts: Cody and Waite (1980)
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and taking it off rounds to an integer
_LARGEST = 708.0


@elementwise
def exponential(x):
    """e**x for x in [-708, 708]; beyond, the value at the nearer end.

    The nearest multiple n of ln 2 is taken off; what is left goes into Taylor's
    series up to the 13th power. Its terms are added in pairs, pairs of pairs and
    so on (Estrin's scheme): a chain of 7 additions where Horner's has 13.
    """
    x = -_LARGEST if x < -_LARGEST else x
    x = _LARGEST if x > _LARGEST else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0))
    middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0))
    high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0))
    series = 1.0 + (r + r2 * ((low + r4 * middle) + (r4 * r4) * high))
    # The low bits of the shifted number are n: moved to the exponent's place, they are 2**n.
    return series * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@elementwise
def logistic(x):
    """1 / (1 + e**-x), in (0, 1)."""
    return 1.0 / (1.0 + exponential(-x))


@elementwise
def hyperbolic_tangent(x):
    """tanh(x) = 1 - 2 / (e**(2x) + 1), to an absolute 1e-15."""
    return 1.0 - 2.0 / (exponential(2.0 * x) + 1.0)


@elementwise
def power(x, exponent):
    """x**exponent, an integer from 0 to 15 that is fixed at compile time: then only its multiplications are left."""
    result = 1.0
    for bit in range(4):
        result = result * x if (exponent >> bit) & 1 else result
        x = x * x
    return result
