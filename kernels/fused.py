"""``a * b + c``, rounded once: an instruction of the processor, and the same bits in plain Python.

IEEE 754 (2008, 5.4.1) defines the operation, so its bits are the same on every
processor. One that lacks the instruction takes the C library's function, which is
slow. The compiler never fuses by itself: what is fused is written here.
"""

import math
from fractions import Fraction
from typing import Any

from numba import types
from numba.core.typing import signature
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import lower_builtin

_SPLIT = 134217729.0  # 2**27 + 1: Dekker (1971), of a number into halves whose products are exact
_SMALL, _LARGE = 2.0**-900, 2.0**900  # between them no part of a product is lost


def fma(a: float, b: float, c: float) -> float:
    """``a * b + c``, rounded once; compiled code has the processor's instruction in its place.

    The product is two numbers without any error (Dekker, Numer. Math. 18, 224
    (1971)), and :func:`math.fsum` rounds the sum of all three once.
    """
    product = a * b
    if product == 0.0 and (a == 0.0 or b == 0.0):
        return product + c
    if not (_SMALL < abs(product) < _LARGE and abs(a) < _LARGE and abs(b) < _LARGE and math.isfinite(c)):
        return _by_fractions(a, b, c)
    large, other = a * _SPLIT, b * _SPLIT
    a_high, b_high = large - (large - a), other - (other - b)
    a_low, b_low = a - a_high, b - b_high
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return math.fsum((product, error, c)) or product + c


def _by_fractions(a: float, b: float, c: float) -> float:
    """The same for numbers of any size, and for those that are none."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return float(exact) if exact else a * b + c  # which has the sign of a zero
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


@infer_global(fma)
class _Fused(ConcreteTemplate):
    """Its type, for the compiler."""

    cases = (signature(types.float64, types.float64, types.float64, types.float64),)


@lower_builtin(fma, types.float64, types.float64, types.float64)
def _instruction(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """What the compiler puts in its place."""
    return builder.fma(*arguments)
