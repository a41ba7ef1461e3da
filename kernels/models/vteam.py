"""VTEAM (Kvatinsky et al. 2015): drift beyond two threshold voltages, with an exponential window.

The state ``x`` is in metres, from x_on to x_off. Parameters ``p``: (R at x = 0 in
ohm, slope of R in ohm/m, 1/v_off in 1/V, k_off in m/s, 1/v_on in 1/V, k_on in
m/s, a_off/w_c, a_on/w_c, 1/w_c in 1/m). Both alphas are fixed at compile time.
"""

import functools

from ..compiling import elementwise, specialise
from ..mathematics import exponential, power

VARIABLES = 1
PARAMETERS = 9

ALPHA_OFF: int  # open names of the template
ALPHA_ON: int


def drift(x, i, p):
    """K * (v/v_threshold - 1)**alpha * f(x) beyond either threshold, at the voltage that the current causes."""
    v = memristance(x, p) * i
    off = v * p[2] - 1.0
    off = off if off > 0.0 else 0.0
    on = v * p[4] - 1.0
    on = on if on > 0.0 else 0.0
    # Only one of the two is not 0, so one window is enough: that of the direction.
    away = x * p[8] - p[6] if v > 0.0 else p[7] - x * p[8]
    # Below -40 the window is 1 to the last bit; the powers of so small an exponential would be subnormal, and slow.
    away = away if away > -40.0 else -40.0
    return (p[3] * power(off, ALPHA_OFF) + p[5] * power(on, ALPHA_ON)) * exponential(-exponential(away))


@elementwise
def memristance(x, p):
    """R in ohm, linear in the state: R_ON at x_on, R_OFF at x_off."""
    return p[0] + p[1] * x


def output(x, i, p):
    """V = memristance * I."""
    return memristance(x, p) * i


def current(x, v, p):
    """The current under a voltage."""
    return v / memristance(x, p)


@functools.cache
def drift_of(alpha_off: int, alpha_on: int):
    """The drift for two exponents, not yet compiled."""
    name = f"drift_{alpha_off}_{alpha_on}"
    return specialise(drift, name, compiler=lambda function: function, ALPHA_OFF=alpha_off, ALPHA_ON=alpha_on)
