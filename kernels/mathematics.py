"""Elementary functions from basic arithmetic, the same bits on every machine.

The C library's ``exp`` differs between systems and keeps a loop from being
vectorised. This one uses additions and multiplications alone, and is right to
about 1e-15 of its value.
"""

import math

import numpy as np

from .compiling import elementwise

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490  # ln 2 in two parts: Cody and Waite (1980)
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and taking it off rounds to an integer
_LARGEST = 708.0
_SQUARE_ROOT_OF_2 = 1.4142135623730951
_FRACTION = (1 << 52) - 1  # bits of a float64 below its exponent
_ONE = 1023 << 52  # bits of 1.0
_LARGE = 134217728.0  # 2**27: beyond it, arsinh x is ln 2x to the last bit


@elementwise
def _beyond_one(r):
    """e**r - 1 for r within half of ln 2.

    Taylor's series up to the 13th power. Its terms are added in pairs, pairs of
    pairs and so on (Estrin's scheme): a chain of 7 additions where Horner's has 13.
    """
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0))
    middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0))
    high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0))
    return r + r2 * ((low + r4 * middle) + (r4 * r4) * high)


@elementwise
def exponential(x):
    """e**x for x in [-708, 708]; beyond, the value at the nearer end.

    The nearest multiple n of ln 2 is taken off; what is left goes into a series.
    """
    x = -_LARGEST if x < -_LARGEST else x
    x = _LARGEST if x > _LARGEST else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    series = 1.0 + _beyond_one((x - n * _LN2_HIGH) - n * _LN2_LOW)
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
def hyperbolic_sine(x):
    """sinh(x) for x in [-708, 708], also of a small x to about 1e-15 of its value; beyond, the value at the nearer end.

    From d = e**abs(x) - 1, which is small where x is: (d + d/(d + 1)) / 2.
    """
    size = abs(x)
    size = _LARGEST if size > _LARGEST else size
    shifted = size * _LOG2_E + _ROUND
    n = shifted - _ROUND
    scale = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    difference = scale * _beyond_one((size - n * _LN2_HIGH) - n * _LN2_LOW) + (scale - 1.0)
    return math.copysign(0.5 * (difference + difference / (difference + 1.0)), x)


@elementwise
def logarithm_of_one_plus(x):
    """ln(1 + x) for x of 0 or more, also of a small x to about 1e-15 of its value.

    The exponent's multiple of ln 2 is taken off, so that 1 + f lies within a
    factor of the square root of 2 from 1; ln(1 + f) = 2 artanh(f/(2 + f)) goes into a
    series. What rounding took from 1 + x is added as its share of the logarithm.
    """
    u = 1.0 + x
    lost = (x - (u - 1.0)) / u
    bits = np.float64(u).view(np.int64)
    m = np.int64((bits & _FRACTION) | _ONE).view(np.float64)
    n = np.float64((bits >> 52) - 1023)
    n = n + 1.0 if m > _SQUARE_ROOT_OF_2 else n
    m = 0.5 * m if m > _SQUARE_ROOT_OF_2 else m
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    low = (2.0 / 3.0 + z * (2.0 / 5.0)) + z2 * (2.0 / 7.0 + z * (2.0 / 9.0))
    middle = (2.0 / 11.0 + z * (2.0 / 13.0)) + z2 * (2.0 / 15.0 + z * (2.0 / 17.0))
    high = 2.0 / 19.0 + z * (2.0 / 21.0)
    series = z * ((low + z4 * middle) + (z4 * z4) * high)
    return n * _LN2_HIGH + ((f - s * (f - series)) + (n * _LN2_LOW + lost))


@elementwise
def inverse_hyperbolic_sine(x):
    """arsinh(x) = ln(x + sqrt(x**2 + 1)), also of a small x to about 1e-15 of its value."""
    size = abs(x)
    within = _LARGE if size > _LARGE else size
    square = within * within
    more = within + square / (1.0 + math.sqrt(1.0 + square))
    return math.copysign(logarithm_of_one_plus(2.0 * size - 1.0 if size > _LARGE else more), x)


@elementwise
def power(x, exponent):
    """x**exponent, an integer from 0 to 15 that is fixed at compile time: then only its multiplications are left."""
    result = 1.0
    for bit in range(4):
        result = result * x if (exponent >> bit) & 1 else result
        x = x * x
    return result


@elementwise
def complement_of_power(c, exponent):
    """1 - (1 - c)**exponent for c in [0, 1], also of a small c to about 1e-15 of its value; exponents as of `power`."""
    result = 0.0
    for bit in range(4):
        result = result + c * (1.0 - result) if (exponent >> bit) & 1 else result
        c = c * (2.0 - c)
    return result
