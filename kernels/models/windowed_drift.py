"""Linear ion drift with Joglekar's window: HP's device, whose boundary slows down at both ends.

The state ``x`` is the doped share of the film, from 0 to 1. Parameters ``p``:
(drift coefficient k = mu_V * R_ON / D**2 in 1/(A s), R_OFF in ohm, R_OFF -
R_ON in ohm). The window's exponent is fixed at compile time.
"""

import functools

from ..compiling import elementwise, specialise
from ..mathematics import power

VARIABLES = 1
PARAMETERS = 3

EXPONENT: int  # open name of the template


def drift(x, i, p):
    """K * I * f(x), with Joglekar's window f(x) = 1 - (2x - 1)**(2 * EXPONENT)."""
    off_centre = 2.0 * x - 1.0
    return p[0] * i * (1.0 - power(off_centre * off_centre, EXPONENT))


@elementwise
def memristance(x, p):
    """R_ON * x + R_OFF * (1 - x) in ohm."""
    return p[1] - p[2] * x


def output(x, i, p):
    """V = memristance * I."""
    return memristance(x, p) * i


def current(x, v, p):
    """The current under a voltage."""
    return v / memristance(x, p)


@functools.cache
def drift_of(exponent: int):
    """The drift for a window's exponent, not yet compiled."""
    return specialise(drift, f"drift_{exponent}", compiler=lambda function: function, EXPONENT=exponent)
