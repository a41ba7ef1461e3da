"""Elementary functions from basic arithmetic: the same bits on every machine, as vector instructions.

The C library's functions differ between systems, and keep a loop from being
vectorised. These use additions, multiplications, divisions and square roots that
are rounded once each, and :func:`~memsim.kernels.fused.fma`. They are right over
all exponents and for infinities and no-numbers: the exponential and logarithms to 1
unit in the last place, the others to 2 (`tests/kernels/test_mathematics.py`).
Polynomials are minimax (Remez's algorithm), of an error far below a last place.
"""

import math

import numpy as np

from .compiling import elementwise
from .fused import fma

_LOG2_E = 1.4426950408889634
_LN2, _LN2_REST = 0.6931471805599453, 2.3190468138462996e-17  # ln 2 in two parts
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and taking it off rounds to an integer
_SQUARE_ROOT_OF_2 = 1.4142135623730951
_FRACTION = (1 << 52) - 1  # bits of a float64 below its exponent
_ONE = 1023 << 52  # bits of 1.0
_LARGE = 2.0**60  # beyond it, arsinh x is ln 2x to the last bit
_LEVEL = 22.0  # beyond it, tanh x is 1 and sinh x is e**x / 2 to the last bit
_SMALL = 2.0**-1000  # a smaller number may lack digits
_RAISED = 54.0  # and has them after so many doublings

# (e**r - 1 - r) / r**2 for r within half of ln 2.
_E0, _E1, _E2, _E3, _E4 = (
    0.5000000000000011, 0.16666666666666413, 0.04166666666653016, 0.008333333333494446, 0.0013888888943629925,
)  # fmt: skip
_E5, _E6, _E7, _E8, _E9 = (
    0.0001984126950660702, 2.480149309902565e-05, 2.755758635352228e-06, 2.763024836847288e-07, 2.5000066626477466e-08,
)  # fmt: skip
# (2 artanh(s) - 2 s) / s**3 in z = s**2, for (1 + s)/(1 - s) within the square root of 2 from 1.
_L0, _L1, _L2, _L3, _L4, _L5, _L6 = (
    0.6666666666666734, 0.3999999999941394, 0.2857142874256663, 0.22222198553395092, 0.18183565425364695,
    0.1531402068974668, 0.14796265243631757,
)  # fmt: skip


@elementwise
def _curve(r):
    """(e**r - 1 - r) / r**2: pairs of terms, and pairs of pairs (Estrin's scheme), a short chain of operations."""
    r2 = r * r
    low = fma(r2, fma(r, _E3, _E2), fma(r, _E1, _E0))
    middle = fma(r2, fma(r, _E7, _E6), fma(r, _E5, _E4))
    r4 = r2 * r2
    return fma(r4, fma(r4, fma(r, _E9, _E8), middle), low)


@elementwise
def _shifted(x):
    """The nearest integer to x / ln 2 plus ``_ROUND``: the low bits of the sum are that integer."""
    return fma(x, _LOG2_E, _ROUND)


@elementwise
def _whole(shifted):
    """That integer, as one."""
    return np.float64(shifted).view(np.int64) - np.float64(_ROUND).view(np.int64)


@elementwise
def _left(x, n):
    """What is left of x after n times ln 2."""
    return fma(-n, _LN2_REST, fma(-n, _LN2, x))


@elementwise
def _sum(r):
    """e**r for r within half of ln 2: 1 + r, what rounding took from it, and the rest."""
    more = 1.0 + r
    return more + fma(r * r, _curve(r), (1.0 - more) + r)


@elementwise
def _power_of_two(n):
    """2**n for an integer n from -1022 to 1023."""
    return np.int64((n + 1023) << 52).view(np.float64)


@elementwise
def _over_power_of_two(n):
    """2**-n for an integer n from -1021 to 1024, where it is a subnormal number."""
    return 0.25 * _power_of_two(2 - n)


@elementwise
def exponential_within(x):
    """e**x for an x that is known to lie in [-708, 708]."""
    shifted = _shifted(x)
    r = _left(x, shifted - _ROUND)
    return np.int64(np.float64(_sum(r)).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)).view(np.float64)


@elementwise
def _exponential_halved(x, halvings):
    """e**x / 2**halvings: scaled in two parts, it may be larger or smaller than what one power of 2 reaches."""
    x = -750.0 if x < -750.0 else x
    x = 720.0 if x > 720.0 else x
    shifted = _shifted(x)
    r = _left(x, shifted - _ROUND)
    n = _whole(shifted) - halvings
    half = n >> 1
    return _sum(r) * _power_of_two(half) * _power_of_two(n - half)


@elementwise
def exponential(x):
    """e**x."""
    return _exponential_halved(x, 0)


@elementwise
def logistic(x):
    """1 / (1 + e**-x)."""
    smaller = exponential(-abs(x))
    below = 1.0 + smaller
    per = 1.0 / below
    q = per if x >= 0.0 else smaller * per
    return q + (fma(-q, below, 1.0 if x >= 0.0 else smaller) - q * (smaller - (below - 1.0))) * per


@elementwise
def _beyond_one(x):
    """e**x - 1 for x in [0, 44], as a number and what rounding took from it."""
    shifted = _shifted(x)
    n = shifted - _ROUND
    nearer = fma(-n, _LN2, x)
    r = fma(-n, _LN2_REST, nearer)
    tail = fma(r * r, _curve(r), fma(-n, _LN2_REST, nearer - r))
    t = r + tail
    scale = _power_of_two(_whole(shifted))
    whole = scale - 1.0
    high = fma(scale, t, whole)
    return high, fma(scale, t, whole - high) + scale * ((r - t) + tail)


@elementwise
def _share(high, low, other):
    """The share d / (d + other) of a d in two parts, as a number and what rounding took from it."""
    below = high + other
    per = 1.0 / below
    q = high * per
    lost = (high - (below - other)) if high < other else (other - (below - high))
    return q, (fma(-q, below, high) - q * lost + (1.0 - q) * low) * per


@elementwise
def hyperbolic_tangent(x):
    """tanh(x) = d / (d + 2), d = e**(2x) - 1."""
    size = abs(x)
    high, low = _beyond_one(2.0 * (_LEVEL if size > _LEVEL else size))
    q, rest = _share(high, low, 2.0)
    return math.copysign(q + rest, x)


@elementwise
def hyperbolic_sine(x):
    """sinh(x) = (d + d / (d + 1)) / 2, d = e**abs(x) - 1; of a large x e**abs(x) / 2."""
    size = abs(x)
    high, low = _beyond_one(_LEVEL if size > _LEVEL else size)
    q, rest = _share(high, low, 1.0)
    result = 0.5 * (high + (q + (rest + low)))
    return math.copysign(_exponential_halved(size, 1) if size > _LEVEL else result, x)


@elementwise
def _exponent_of(u):
    """The n of a normal u above 0 for which u / 2**n lies within a factor of the square root of 2 from 1."""
    bits = np.float64(u).view(np.int64)
    m = np.int64((bits & _FRACTION) | _ONE).view(np.float64)
    exponent = (bits >> 52) - 1023
    return exponent + 1 if m > _SQUARE_ROOT_OF_2 else exponent


@elementwise
def _logarithm(f, n, lost):
    """ln((1 + f) * 2**n) + lost, 1 + f within a factor of the square root of 2 from 1.

    As ln(1 + f) = 2 artanh(f / (2 + f)).
    """
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    series = fma(z2, fma(z2, fma(z2, _L6, fma(z, _L5, _L4)), fma(z, _L3, _L2)), fma(z, _L1, _L0))
    high = fma(n, _LN2, f)
    low = fma(n, _LN2, -high) + f
    return high + (fma(-s, fma(-z, series, f), low) + fma(n, _LN2_REST, lost))


@elementwise
def logarithm(x):
    """The natural logarithm of x; no number below 0."""
    small = x < _SMALL
    u = x * 2.0**_RAISED if small else x
    n = _exponent_of(u)
    result = _logarithm(fma(u, _over_power_of_two(n), -1.0), np.float64(n) - (_RAISED if small else 0.0), 0.0)
    result = result if x < math.inf else x
    result = result if x > 0.0 else math.nan
    return -math.inf if x == 0.0 else result


@elementwise
def logarithm_of_one_plus(x):
    """ln(1 + x), also of a small x; no number below -1."""
    u = 1.0 + x
    n = _exponent_of(u)
    scale = _over_power_of_two(n)
    f = fma(x, scale, scale - 1.0)
    lost = fma(x, scale, (scale - 1.0) - f) * fma(f, f - 1.0, 1.0)  # over 1 + f, nearly enough for so little
    result = _logarithm(f, np.float64(n), lost)
    result = result if x < math.inf else x
    result = result if u > 0.0 else math.nan
    result = -math.inf if u == 0.0 else result
    return x if x == 0.0 else result


@elementwise
def inverse_hyperbolic_sine(x):
    """arsinh(x) = ln(1 + y), y = abs(x) + x**2 / (1 + sqrt(1 + x**2)); of a large x ln(2 abs(x))."""
    size = abs(x)
    far = size > _LARGE
    square = size * size
    y = size if far else size + square / (1.0 + math.sqrt(1.0 + square))
    n = _exponent_of(1.0 + y)
    scale = _over_power_of_two(n)
    result = _logarithm(fma(y, scale, scale - 1.0), np.float64(n) + (1.0 if far else 0.0), 0.0)
    return math.copysign(result if size < math.inf else size, x)


@elementwise
def power(x, exponent):
    """x**exponent, an integer from 0 to 15 that is fixed at compile time: then only its multiplications are left.

    Beyond 3, what rounding takes from each product is carried along, so that the last sum alone is rounded.
    """
    plain = 1.0 if exponent == 0 else (x if exponent == 1 else x * x * (x if exponent == 3 else 1.0))
    result, result_lost, lost = 1.0, 0.0, 0.0
    for bit in range(4):
        if (exponent >> bit) & 1:
            product = result * x
            result_lost = fma(result, x, -product) + fma(result, lost, result_lost * x)
            result = product
        square = x * x
        lost = fma(x, x, -square) + 2.0 * (x * lost)
        x = square
    return result + result_lost if exponent > 3 else plain


@elementwise
def complement_of_power(c, exponent):
    """1 - (1 - c)**exponent for c in [0, 1], also of a small c to about 1e-15 of its value; exponents as of `power`."""
    result = 0.0
    for bit in range(4):
        result = result + c * (1.0 - result) if (exponent >> bit) & 1 else result
        c = c * (2.0 - c)
    return result
