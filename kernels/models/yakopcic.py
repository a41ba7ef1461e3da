"""Yakopcic's model: a current of a hyperbolic sine, and drift beyond two threshold voltages.

The state ``x`` is a number from 0 to 1. Parameters ``p``: (a_1 and a_2 in A, b in
1/V, 1/b, A_p and A_n in 1/s, V_p and V_n in V, alpha_p, alpha_n, x_p, 1 - x_n,
1/(1 - x_p), 1/(1 - x_n), eta).
"""

from ..compiling import elementwise
from ..fused import fma
from ..mathematics import exponential_within, hyperbolic_sine, inverse_hyperbolic_sine

VARIABLES = 1
PARAMETERS = 15


@elementwise
def voltage(x, i, p):
    """The voltage under a current, I = a x sinh(b V) solved for it; x must be above 0."""
    return inverse_hyperbolic_sine(i / ((p[0] if i >= 0.0 else p[1]) * x)) * p[3]


@elementwise
def _exponential(x):
    """e**x; beyond 708 on either side, where it is hardly a number any more, the value there."""
    x = -708.0 if x < -708.0 else x
    return exponential_within(708.0 if x > 708.0 else x)


@elementwise
def window(x, direction, p):
    """f(x): 1 up to x_p, or down to 1 - x_n, and from there to the end a fall to 0."""
    up = direction > 0.0
    beyond = x - p[10] if up else p[11] - x
    beyond = beyond if beyond > 0.0 else 0.0
    return _exponential(-(p[8] if up else p[9]) * beyond) * fma(-beyond, p[12] if up else p[13], 1.0)


@elementwise
def law(x, v, p):
    """Eta * g(V) * f(x), g = A_p (e**V - e**V_p) above V_p, and -A_n (e**-V - e**V_n) below -V_n."""
    growth = _exponential(abs(v))
    up = p[4] * (growth - _exponential(p[6])) if v > p[6] else 0.0
    down = p[5] * (growth - _exponential(p[7])) if v < -p[7] else 0.0
    return p[14] * (up - down) * window(x, p[14] * v, p)


def drift_under_voltage(x, v, p):
    """The drift under a voltage."""
    return law(x, v, p)


def drift(x, i, p):
    """The drift under a current."""
    return law(x, voltage(x, i, p), p)


def output(x, i, p):
    """The voltage under a current."""
    return voltage(x, i, p)


def current(x, v, p):
    """I = a x sinh(b V), with a_1 for V of 0 or more, and a_2 below."""
    return (p[0] if v >= 0.0 else p[1]) * x * hyperbolic_sine(p[2] * v)
