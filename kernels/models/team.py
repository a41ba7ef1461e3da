"""TEAM and VTEAM (Kvatinsky et al. 2013, 2015): drift beyond two thresholds, of the current or of the voltage.

The state ``x`` is in metres, from x_on to x_off. Parameters ``p``: (R at x = 0 in
ohm, slope of R in ohm/m, 1/threshold beyond which x grows, k_off in m/s,
1/threshold below which it falls, k_on in m/s, and three of the window). With
Kvatinsky's window these are (a_off/w_c, a_on/w_c, 1/w_c in 1/m), with the others
(x_on in m, 1/(x_off - x_on) in 1/m, 0). Both alphas and the window are fixed at
compile time.
"""

import functools
from collections.abc import Callable

from ..compiling import elementwise, specialise
from ..mathematics import power
from .windows import kvatinsky, window_of

VARIABLES = 1
PARAMETERS = 9

ALPHA_OFF: int  # open names of the templates
ALPHA_ON: int
window: Callable
law: Callable


def law_of_threshold(x, drive, p):
    """K * (drive/threshold - 1)**alpha * f(x) beyond either threshold."""
    off = drive * p[2] - 1.0
    off = off if off > 0.0 else 0.0
    on = drive * p[4] - 1.0
    on = on if on > 0.0 else 0.0
    # Only one of the two is not 0, so one window is enough: that of the direction.
    return (p[3] * power(off, ALPHA_OFF) + p[5] * power(on, ALPHA_ON)) * window(x, drive, p)


def kvatinskys_window(x, drive, p):
    """exp(-exp((x - a_off)/w_c)) for growing states, exp(-exp((a_on - x)/w_c)) for falling ones."""
    return kvatinsky(x * p[8] - p[6] if drive > 0.0 else p[7] - x * p[8])


def window_of_share(x, drive, p):
    """Any other window, of the state as a share of its range."""
    return window((x - p[6]) * p[7], drive)


def drift_by_voltage(x, i, p):
    """VTEAM's drift under a current: that of the voltage which the current causes."""
    return law(x, memristance(x, p) * i, p)


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
def law_of(name: str, exponent: int, alpha_off: int, alpha_on: int):
    """The drift by the drive itself for a window, its exponent and two alphas, not yet compiled."""
    if name == "kvatinsky":
        shape = specialise(kvatinskys_window, "kvatinskys_window", compiler=elementwise)
    else:
        bound = {"window": window_of(name, exponent)}
        shape = specialise(window_of_share, f"share_{name}_{exponent}", compiler=elementwise, **bound)
    alphas = {"ALPHA_OFF": alpha_off, "ALPHA_ON": alpha_on}
    key = f"law_{name}_{exponent}_{alpha_off}_{alpha_on}"
    return specialise(law_of_threshold, key, compiler=lambda function: function, window=shape, **alphas)


@functools.cache
def drift_by_voltage_of(*choice):
    """VTEAM's drift under a current for what :func:`law_of` takes, not yet compiled."""
    plain = law_of(*choice)
    compiled = specialise(plain, plain.__name__, compiler=elementwise)
    name = f"drift_by_voltage_{plain.__name__}"
    return specialise(drift_by_voltage, name, compiler=lambda function: function, law=compiled)
