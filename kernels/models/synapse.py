"""Synaptic memristor (Eqs. 14, 15), with the drift made two-sided.

Parameters ``p``: (drift coefficient k in ohm/(A s), threshold I_th in A).
"""

import math

from ..compiling import elementwise

VARIABLES = 1
PARAMETERS = 2


def drift(x, i, p):
    """Eq. 15 in both directions: k * sign(I) * (abs(I) - I_th) beyond the threshold."""
    over = abs(i) - p[1]
    over = over if over > 0.0 else 0.0
    return p[0] * math.copysign(over, i)


def drift_printed(x, i, p):
    """Eq. 15 as printed: the state can only grow."""
    over = i - p[1]
    return p[0] * (over if over > 0.0 else 0.0)


@elementwise
def memristance(x, p):
    """The state gamma itself, in ohm."""
    return x


def output(x, i, p):
    """Eq. 14: V = gamma * I."""
    return x * i
