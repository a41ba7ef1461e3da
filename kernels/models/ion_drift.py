"""Linear ion drift, HP's device: the boundary of the doped region moves with the charge, times a window.

The state ``x`` is the doped share of the film, from 0 to 1. Parameters ``p``:
(drift coefficient k = mu_V * R_ON / D**2 in 1/(A s), R_OFF in ohm, R_OFF -
R_ON in ohm). The window is fixed at compile time.
"""

import functools
from collections.abc import Callable

from ..compiling import elementwise, plain, specialise
from ..fused import fma
from .windows import NEAR, near_window_of, window_of

VARIABLES = 1
PARAMETERS = 3

window: Callable  # open names of the templates
near_window: Callable


def drift(x, i, p):
    """K * I * f(x)."""
    return p[0] * i * window(x, i)


def drift_near(x, below, above, i, p):
    """K * I * f(x), from the distances to both bounds."""
    return p[0] * i * near_window(below, above)


@elementwise
def memristance(x, p):
    """R_ON * x + R_OFF * (1 - x) in ohm."""
    return fma(-p[2], x, p[1])


def output(x, i, p):
    """V = memristance * I."""
    return memristance(x, p) * i


def current(x, v, p):
    """The current under a voltage."""
    return v / memristance(x, p)


@functools.cache
def drift_of(name: str, exponent: int):
    """The drift with a window and its exponent, not yet compiled."""
    compiled = window_of(name, exponent)
    return specialise(drift, f"drift_{name}_{exponent}", compiler=plain, window=compiled)


@functools.cache
def drift_near_of(name: str, exponent: int):
    """The drift near bounds with a window that is 0 at both, not yet compiled; None with another."""
    if name not in NEAR:
        return None
    compiled, key = near_window_of(name, exponent), f"drift_near_{name}_{exponent}"
    return specialise(drift_near, key, compiler=plain, near_window=compiled)
