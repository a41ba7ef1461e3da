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

from ..compiling import elementwise, plain, specialise
from ..fused import fma
from ..mathematics import power
from .windows import NEAR, kvatinsky, near_window_of, window_of

VARIABLES = 1
PARAMETERS = 9

ALPHA_OFF: int  # open names of the templates
ALPHA_ON: int
window: Callable
near_window: Callable
law: Callable
speed: Callable


def speed_of_threshold(drive, p):
    """K * (drive/threshold - 1)**alpha beyond either threshold."""
    off = drive * p[2] - 1.0  # rounded to 0 at the threshold itself
    off = off if off > 0.0 else 0.0
    on = drive * p[4] - 1.0
    on = on if on > 0.0 else 0.0
    # Only one of the two is not 0, so one window is enough: that of the direction.
    return fma(p[3], power(off, ALPHA_OFF), p[5] * power(on, ALPHA_ON))


def law_of_threshold(x, drive, p):
    """The speed times f(x)."""
    return speed(drive, p) * window(x, drive, p)


def law_near(x, below, above, drive, p):
    """The speed times f(x), from the distances to both bounds."""
    return speed(drive, p) * near_window(below * p[7], above * p[7])


def kvatinskys_window(x, drive, p):
    """exp(-exp((x - a_off)/w_c)) for growing states, exp(-exp((a_on - x)/w_c)) for falling ones."""
    return kvatinsky(fma(x, p[8], -p[6]) if drive > 0.0 else fma(-x, p[8], p[7]))


def window_of_share(x, drive, p):
    """Any other window, of the state as a share of its range."""
    return window((x - p[6]) * p[7], drive)


def drift_by_voltage(x, i, p):
    """VTEAM's drift under a current: that of the voltage which the current causes."""
    return law(x, memristance(x, p) * i, p)


def drift_near_by_voltage(x, below, above, i, p):
    """VTEAM's drift under a current, from the distances to both bounds."""
    return law(x, below, above, memristance(x, p) * i, p)


@elementwise
def memristance(x, p):
    """R in ohm, linear in the state: R_ON at x_on, R_OFF at x_off."""
    return fma(p[1], x, p[0])


def output(x, i, p):
    """V = memristance * I."""
    return memristance(x, p) * i


def current(x, v, p):
    """The current under a voltage."""
    return v / memristance(x, p)


@functools.cache
def _speed_of(alpha_off: int, alpha_on: int):
    alphas = {"ALPHA_OFF": alpha_off, "ALPHA_ON": alpha_on}
    return specialise(speed_of_threshold, f"speed_{alpha_off}_{alpha_on}", compiler=elementwise, **alphas)


@functools.cache
def law_of(name: str, exponent: int, alpha_off: int, alpha_on: int):
    """The drift by the drive itself for a window, its exponent and two alphas, not yet compiled."""
    if name == "kvatinsky":
        shape = specialise(kvatinskys_window, "kvatinskys_window", compiler=elementwise)
    else:
        bound = {"window": window_of(name, exponent)}
        shape = specialise(window_of_share, f"share_{name}_{exponent}", compiler=elementwise, **bound)
    key = f"law_{name}_{exponent}_{alpha_off}_{alpha_on}"
    return specialise(law_of_threshold, key, compiler=plain, window=shape, speed=_speed_of(alpha_off, alpha_on))


@functools.cache
def law_near_of(name: str, exponent: int, alpha_off: int, alpha_on: int):
    """The drift near bounds by the drive itself, of a window that is 0 at both; else None."""
    if name not in NEAR:
        return None
    key = f"law_near_{name}_{exponent}_{alpha_off}_{alpha_on}"
    shape, speed = near_window_of(name, exponent), _speed_of(alpha_off, alpha_on)
    return specialise(law_near, key, compiler=plain, near_window=shape, speed=speed)


@functools.cache
def drift_by_voltage_of(*choice):
    """VTEAM's drift under a current for what :func:`law_of` takes, not yet compiled."""
    return _by_voltage(drift_by_voltage, law_of(*choice))


@functools.cache
def drift_near_by_voltage_of(*choice):
    """VTEAM's drift under a current near bounds; None where the window is not 0 there."""
    law = law_near_of(*choice)
    return law and _by_voltage(drift_near_by_voltage, law)


def _by_voltage(template, law):
    """A law that takes the voltage as a drift that takes the current."""
    compiled = specialise(law, law.__name__, compiler=elementwise)
    return specialise(template, f"drift_by_voltage_{law.__name__}", compiler=plain, law=compiled)
