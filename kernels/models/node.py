"""Node memristor: the linear ion drift device (Eqs. 10, 11) with a current threshold.

The state ``x`` is gamma in metres, from -D'/2 to D'/2; the doped share of the
film is 1/2 + gamma/D'. Parameters ``p``: (drift coefficient k = mu_V * R_ON / D
in m/(A s), threshold I_th in A, R_ON in ohm, R_OFF in ohm, D' in m). Eq. 12 is
the same output with R_ON set to 0.
"""

import math

from ..compiling import elementwise

VARIABLES = 1
PARAMETERS = 5


def drift(x, i, p):
    """Eq. 11 in both directions: k * sign(I) * (abs(I) - I_th) beyond the threshold."""
    over = abs(i) - p[1]
    over = over if over > 0.0 else 0.0
    return p[0] * math.copysign(over, i)


def drift_printed(x, i, p):
    """Eq. 11 as printed: the state can only grow."""
    over = i - p[1]
    return p[0] * (over if over > 0.0 else 0.0)


@elementwise
def memristance(x, p):
    """The bracket of Eq. 10 in ohm: (R_ON + R_OFF) / 2 - (R_OFF - R_ON) * gamma / D'."""
    return 0.5 * (p[2] + p[3]) - (p[3] - p[2]) / p[4] * x


def output(x, i, p):
    """Eq. 10: V = (R_ON * doped + R_OFF * (1 - doped)) * I."""
    return memristance(x, p) * i


def current(x, v, p):
    """Eq. 10 solved for the current under a voltage."""
    return v / memristance(x, p)
