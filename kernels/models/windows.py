"""Window functions: how a drift slows down as its state nears the ends of its range.

``x`` is the state as a share of its range, from 0 to 1; ``direction`` has the
sign of the state's motion, where ``x`` grows for a positive one. Exponents are
fixed at compile time. Sources: Joglekar and Wolf, arXiv:0807.3994; Biolek,
Biolek and Biolkova, Radioengineering 18, 210 (2009); Prodromakis et al., IEEE
Trans. Electron Devices 58, 3099 (2011); Kvatinsky et al., IEEE TCAS-I 60, 211
(2013).
"""

import functools

from ..compiling import elementwise, specialise
from ..fused import fma
from ..mathematics import complement_of_power, exponential_within, power

EXPONENT: int  # open name of the templates


def none(x, direction):
    """No window: 1 everywhere."""
    return 1.0


def joglekar(x, direction):
    """1 - (2x - 1)**(2p): 1 in the middle, 0 at both ends in both directions."""
    off_centre = fma(2.0, x, -1.0)
    return 1.0 - power(off_centre * off_centre, EXPONENT)


def biolek(x, direction):
    """1 - (x - step(-direction))**(2p): 0 at the end that the state moves to, 1 at the one that it leaves."""
    covered = x if direction > 0.0 else x - 1.0
    return 1.0 - power(covered * covered, EXPONENT)


def prodromakis(x, direction):
    """1 - ((x - 1/2)**2 + 3/4)**p: 0 at both ends, 1 - (3/4)**p in the middle. Its factor j is part of the drift's."""
    off_centre = x - 0.5
    return 1.0 - power(fma(off_centre, off_centre, 0.75), EXPONENT)


def near_joglekar(below, above):
    """Joglekar's window from the distances to both ends, which near an end keep the digits that ``x`` loses."""
    return complement_of_power(4.0 * below * above, EXPONENT)


def near_prodromakis(below, above):
    """Prodromakis's window from the distances to both ends."""
    return complement_of_power(below * above, EXPONENT)


@elementwise
def kvatinsky(beyond):
    """exp(-exp(beyond)): ``beyond`` is how far the state is past the window's edge, in widths of its slope."""
    # Below -40 the window is 1 to the last bit; the powers of so small an exponential would be subnormal, and slow.
    beyond = beyond if beyond > -40.0 else -40.0
    # Above 6.56 it stays at 1e-307: such a state goes on, ever so slowly, and does not count as one that rests.
    beyond = beyond if beyond < 6.56 else 6.56
    return exponential_within(-exponential_within(beyond))


NEAR = {"joglekar": near_joglekar, "prodromakis": near_prodromakis}  # that are 0 at both ends in both directions
WINDOWS = {"none": none, "joglekar": joglekar, "biolek": biolek, "prodromakis": prodromakis}


@functools.cache
def window_of(name: str, exponent: int):
    """The compiled window of a name in WINDOWS, with its exponent."""
    return specialise(WINDOWS[name], f"{name}_{exponent}", compiler=elementwise, EXPONENT=exponent)


@functools.cache
def near_window_of(name: str, exponent: int):
    """The compiled window of a name in NEAR, with its exponent."""
    return specialise(NEAR[name], f"near_{name}_{exponent}", compiler=elementwise, EXPONENT=exponent)
