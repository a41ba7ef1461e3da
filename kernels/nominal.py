"""The nominal model of one device, as the controller calculates with it: states from memristances, pulses by search.

Only nominal constants and measured voltages enter here. The functions are
templates: their open names are bound for each device model by :func:`functions_of`.
Searches are by regula falsi with the Illinois rule (Dowell and Jarratt, BIT 11,
168 (1971)), with every third step a bisection.
"""

import functools
import math
from collections.abc import Callable
from enum import IntEnum

import numpy as np

from . import controller, tiles
from .compiling import Kernel, inlined, merged, part, plain, specialise
from .operands import ASK
from .scratch import fixed_tuple
from .slots import WriteLaw
from .stepping import ModelFunctions, cache_key

SEARCH = 160  # evaluations at most
CLOSE = 2.0**-46  # of what is searched for: near enough
ROUNDING = 2.0**-49  # of a state: what a pulse's steps may lose to rounding, where the change is much smaller
FIRST_SHARE = 2.0**-5  # of a guess, by which the search for a pulse first goes to either side
DIFFERENCE = 2.0**-13  # of a current or of a state's range: for differences in the place of derivatives

_SLOPE, _INTEGRAL = int(WriteLaw.SLOPE), np.int64(WriteLaw.INTEGRAL)

# Open names of the templates.
drift: Callable
memristance: Callable
advance: Callable
PARAMETERS: int


@inlined
def next_trial(low, at_low, high, at_high, trial):
    """Where to look next between two places whose values have different signs."""
    if trial % 3 == 2:
        return 0.5 * (low + high)
    return (low * at_high - high * at_low) / (at_high - at_low)


@inlined
def narrowed(low, at_low, high, at_high, kept, place, found, rising):
    """The two places after a look between them: the one on the same side moves there.

    The value of the one that is kept twice running is halved (``kept``: 1 for the lower one, -1 for the upper).
    """
    if (found > 0.0) == rising:
        return low, 0.5 * at_low if kept == 1 else at_low, place, found, 1
    return place, found, high, 0.5 * at_high if kept == -1 else at_high, -1


# Templates.


def state_of(resistance, p, lower, upper):
    """The state that has a memristance, by search; the nearer bound where none has it."""
    low, high = lower, upper
    at_low = memristance(low, p) - resistance
    at_high = memristance(high, p) - resistance
    if (at_low > 0.0) == (at_high > 0.0):
        return low if abs(at_low) < abs(at_high) else high
    close = CLOSE * (abs(at_low) + abs(at_high))
    rising = at_high > 0.0
    kept = 0
    x = low
    for trial in range(SEARCH):
        x = next_trial(low, at_low, high, at_high, trial)
        found = memristance(x, p) - resistance
        if abs(found) <= close:
            break
        low, at_low, high, at_high, kept = narrowed(low, at_low, high, at_high, kept, x, found, rising)
    return x


def effect(x, current, law, steps, dt, p, lower, upper):
    """How far a pulse carries a state: its drift at the start times the width, or the whole pulse stepped."""
    if law == WriteLaw.SLOPE:
        return drift(x, current, p) * (steps * dt)
    moved = x
    for _ in range(steps):
        moved = advance(moved, current, current, p, lower, upper, dt)
    return moved - x


def missing(x, wanted, current, law, steps, dt, p, lower, upper):
    """How much farther than ``wanted`` a pulse carries a state, in either direction; negative where it falls short."""
    return math.copysign(1.0, wanted) * effect(x, current, law, steps, dt, p, lower, upper) - abs(wanted)


def search_amplitude(x, wanted, sign, law, low, at_low, high, at_high, steps, dt, p, lower, upper):
    """The magnitude of the pulse that carries a state as far as is wanted, between two that do less and more."""
    close = CLOSE * abs(wanted) + ROUNDING * abs(x)
    kept = 0
    amplitude = high
    for trial in range(SEARCH):
        amplitude = next_trial(low, at_low, high, at_high, trial)
        found = missing(x, wanted, sign * amplitude, law, steps, dt, p, lower, upper)
        if abs(found) <= close:
            break
        low, at_low, high, at_high, kept = narrowed(low, at_low, high, at_high, kept, amplitude, found, True)
    return amplitude


def amplitude_towards(x, aim, sign, law, limit, steps, dt, p, lower, upper):
    """The magnitude of the pulse that carries a state to its aim, by search; the driver's limit where that is less.

    ``sign`` is that of the current. The search for a whole pulse begins where
    the slope would have it.
    """
    wanted = aim - x
    slope = np.int64(_SLOPE)  # not a literal: Numba would compile what it is given to once more
    nothing = missing(x, wanted, 0.0, slope, steps, dt, p, lower, upper)
    most = missing(x, wanted, sign * limit, slope, steps, dt, p, lower, upper)
    guess = limit
    if nothing < 0.0 < most:
        guess = search_amplitude(x, wanted, sign, slope, 0.0, nothing, limit, most, steps, dt, p, lower, upper)
    if law == slope or nothing >= 0.0:
        return guess if nothing < 0.0 else 0.0
    low = high = guess
    at_low = at_high = missing(x, wanted, sign * guess, law, steps, dt, p, lower, upper)
    if abs(at_low) <= CLOSE * abs(wanted) + ROUNDING * abs(x):
        return guess
    share = FIRST_SHARE
    while at_low > 0.0:
        high, at_high = low, at_low
        low = guess * (1.0 - share) if share < 1.0 else 0.0
        at_low = missing(x, wanted, sign * low, law, steps, dt, p, lower, upper) if low > 0.0 else nothing
        share *= 2.0
    while at_high < 0.0:
        if high == limit:
            return limit
        low, at_low = high, at_high
        high = guess * (1.0 + share) if guess * (1.0 + share) < limit else limit
        at_high = missing(x, wanted, sign * high, law, steps, dt, p, lower, upper)
        share *= 2.0
    return search_amplitude(x, wanted, sign, law, low, at_low, high, at_high, steps, dt, p, lower, upper)


def pulses_towards(x, aim, current, law, most, steps, dt, p, lower, upper):
    """How many equal pulses of a train come nearest to the aim, and what is missing then, as a number of pulses.

    One more than ``most`` where even these do not reach the aim.
    """
    wanted = abs(aim - x)
    if law == WriteLaw.SLOPE:
        one = abs(effect(x, current, law, steps, dt, p, lower, upper))
        number = wanted / one if one > 0.0 else most + 1.0
        number = number if number < most + 1.0 else most + 1.0
        whole = 1.0 * math.floor(number + 0.5)
        return whole, abs(whole - number)
    reached = 0.0
    moved = x
    for pulse in range(most):
        moved += effect(moved, current, law, steps, dt, p, lower, upper)
        covered = abs(moved - x)
        if covered >= wanted:
            share = (wanted - reached) / (covered - reached) if covered > reached else 1.0
            return (pulse + 1.0, 1.0 - share) if share >= 0.5 else (pulse * 1.0, share)
        reached = covered
    return most + 1.0, 0.0


def state_before(x, current, steps, dt, p, lower, upper):
    """The state before a pulse of which the end is known: midpoint steps backwards in time."""
    for _ in range(steps):
        middle = x - 0.5 * dt * drift(x, current, p)
        x -= dt * drift(middle, current, p)
        x = lower if x < lower else x
        x = upper if x > upper else x
    return x


def response_of_node(x, current, steps, dt, p, lower, upper):
    """How the state after a READ depends on the READ: (state before, dx/dx_0, dx/dI).

    For any drift f(x, I) of one state, dx/dx_0 = f(x)/f(x_0) and dx/dI = f(x) times
    the integral of (df/dI)/f over the pulse. Both are 0 where the state is at a bound.
    """
    margin = controller.RESIDUAL * (upper - lower)
    at_end = drift(x, current, p)
    charge = 0.0
    back = x
    for _ in range(steps):
        middle = back - 0.5 * dt * drift(back, current, p)
        middle = lower if middle < lower else middle
        middle = upper if middle > upper else middle
        rate = drift(middle, current, p)
        more = drift(middle, current * (1.0 + DIFFERENCE), p) - drift(middle, current * (1.0 - DIFFERENCE), p)
        charge += more / (2.0 * DIFFERENCE * current * rate) if rate != 0.0 else 0.0
        back -= dt * rate
        back = lower if back < lower else back
        back = upper if back > upper else back
    if x <= lower + margin or x >= upper - margin:
        return back, 0.0, 0.0
    at_start = drift(back, current, p)
    from_state = at_end / at_start if at_end != 0.0 and at_start != 0.0 else 1.0
    return back, from_state, at_end * (charge * dt)


class Quantity(IntEnum):
    """What a model can be asked for."""

    MEMRISTANCE = 0  # ohm, of states
    DRIFT = 1  # of states under currents
    STATE = 2  # that has a memristance


def answer(q):
    """Ask a model for a quantity, of many devices at once."""
    p = fixed_tuple(q.parameters, PARAMETERS)
    for k in range(q.found.size):
        if q.what == Quantity.MEMRISTANCE:
            q.found[k] = memristance(q.x[k], p)
        elif q.what == Quantity.DRIFT:
            q.found[k] = drift(q.x[k], q.drive[k], p)
        else:
            q.found[k] = state_of(q.x[k], p, q.lower, q.upper)
    return q.found.size


def answer_effect(q):
    """How far pulses carry states."""
    p = fixed_tuple(q.parameters, PARAMETERS)
    for k in range(q.found.size):
        q.found[k] = effect(q.x[k], q.drive[k], _INTEGRAL, q.steps, q.dt, p, q.lower, q.upper)
    return q.found.size


_OF_ANY_METHOD = (state_of, state_before, response_of_node)
_OF_A_METHOD = (effect, missing, search_amplitude, amplitude_towards, pulses_towards)


@functools.cache
def functions_of(model: ModelFunctions, method: str = "", of_numbers: Callable = merged, of_searches: Callable = part):
    """The functions of one device for a model by name, compiled: ``drift``, ``state_of`` and the others.

    Those that step whole pulses are there where a method is given.
    """
    key = f"nominal_{of_numbers.__name__}_{cache_key(model)}"
    bound = {
        "PARAMETERS": model.parameters,
        "drift": specialise(model.drift, f"drift_{key}", compiler=of_numbers),
        "memristance": specialise(_plain(model.memristance), f"memristance_{key}", compiler=of_numbers),
    }
    if method:
        bound = dict(functions_of(model, "", of_numbers, of_searches))
        step = {"euler": tiles.euler, "heun": tiles.heun}[method]
        bound["advance"] = specialise(step, f"{method}_{key}", compiler=of_numbers, **bound)
    for template in _OF_A_METHOD if method else _OF_ANY_METHOD:
        name = f"{template.__name__}_{method}_{key}"
        bound[template.__name__] = specialise(template, name, compiler=of_searches, **bound)
    return bound


@functools.cache
def answer_kernel(model: ModelFunctions, method: str = "") -> Kernel:
    """What a model is asked by: for any quantity but an effect, or for the effect of pulses that a method steps."""
    template = answer_effect if method else answer
    name = f"{template.__name__}_{method}_{cache_key(model)}"
    return Kernel(specialise(template, name, compiler=plain, **functions_of(model, method)), ASK)


def _plain(function):
    return getattr(function, "py_func", function)
