"""Pershin and Di Ventra's device with a threshold voltage: a memristance that moves at a rate piecewise linear in V.

The state ``x`` is the memristance in ohm, from R_ON to R_OFF. Parameters ``p``:
(alpha and beta in ohm/(V s), V_t in V).
"""

import math

from ..compiling import elementwise
from ..fused import fma

VARIABLES = 1
PARAMETERS = 3


@elementwise
def law(v, p):
    """The rate: alpha up to the threshold, beta beyond it, in ohm/(V s)."""
    over = abs(v) - p[2]
    over = over if over > 0.0 else 0.0
    return fma(p[0], v, (p[1] - p[0]) * math.copysign(over, v))


def drift_under_voltage(x, v, p):
    """The drift under a voltage."""
    return law(v, p)


def drift(x, i, p):
    """The drift under a current."""
    return law(x * i, p)


@elementwise
def memristance(x, p):
    """The state itself, in ohm."""
    return x


def output(x, i, p):
    """V = x * I."""
    return x * i


def current(x, v, p):
    """The current under a voltage."""
    return v / x
