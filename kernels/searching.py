"""Searches in a nominal model, one for all models: the state that has a memristance, the pulse that a write needs.

By regula falsi with the Illinois rule (Dowell and Jarratt, BIT 11, 168 (1971)),
with every third step a bisection. The model is asked by the address of its
:func:`~memsim.kernels.nominal.answer`, here ``model``, with a question ``q``.
"""

import math

import numpy as np

from .compiling import Kernel, inlined, part
from .nominal import Quantity
from .operands import ASK
from .records import call_answer

SEARCH = 160  # evaluations at most
CLOSE = 2.0**-46  # of what is searched for: near enough
ROUNDING = 2.0**-49  # of a state: what a pulse's steps may lose to rounding, where the change is much smaller
FIRST_SHARE = 2.0**-5  # of a guess, by which the search for a pulse first goes to either side

# Whether a pulse has the effect of its slope. No literals: for each, Numba would compile what takes it once more.
SLOPE, WHOLE = np.bool_(True), np.bool_(False)


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


@inlined
def memristance_of(model, q, x):
    """The memristance of a state in ohm."""
    return call_answer(model, q, Quantity.MEMRISTANCE, x, 0.0)


@part
def state_of(model, q, resistance):
    """The state that has a memristance, by search; the nearer bound where none has it."""
    low, high = q.lower, q.upper
    at_low = memristance_of(model, q, low) - resistance
    at_high = memristance_of(model, q, high) - resistance
    if (at_low > 0.0) == (at_high > 0.0):
        return low if abs(at_low) < abs(at_high) else high
    close = CLOSE * (abs(at_low) + abs(at_high))
    rising = at_high > 0.0
    kept = 0
    x = low
    for trial in range(SEARCH):
        x = next_trial(low, at_low, high, at_high, trial)
        found = memristance_of(model, q, x) - resistance
        if abs(found) <= close:
            break
        low, at_low, high, at_high, kept = narrowed(low, at_low, high, at_high, kept, x, found, rising)
    return x


@part
def effect(model, q, x, current, slope):
    """How far a pulse carries a state: its drift at the start times the width, or the whole pulse stepped."""
    if slope:
        return call_answer(model, q, Quantity.DRIFT, x, current) * (q.steps * q.dt)
    return call_answer(model, q, Quantity.EFFECT, x, current)


@part
def missing(model, q, x, wanted, current, slope):
    """How much farther than ``wanted`` a pulse carries a state, in either direction; negative where it falls short."""
    return math.copysign(1.0, wanted) * effect(model, q, x, current, slope) - abs(wanted)


@part
def search_amplitude(model, q, x, wanted, sign, slope, low, at_low, high, at_high):
    """The magnitude of the pulse that carries a state as far as is wanted, between two that do less and more."""
    close = CLOSE * abs(wanted) + ROUNDING * abs(x)
    kept = 0
    amplitude = high
    for trial in range(SEARCH):
        amplitude = next_trial(low, at_low, high, at_high, trial)
        found = missing(model, q, x, wanted, sign * amplitude, slope)
        if abs(found) <= close:
            break
        low, at_low, high, at_high, kept = narrowed(low, at_low, high, at_high, kept, amplitude, found, True)
    return amplitude


@part
def amplitude_towards(model, q, x, aim, sign):
    """The magnitude of the pulse that carries a state to its aim, by search; the driver's limit where that is less.

    ``sign`` is that of the current. The search for a whole pulse begins where
    the slope would have it.
    """
    wanted, limit = aim - x, q.limit
    nothing = missing(model, q, x, wanted, 0.0, SLOPE)
    most = missing(model, q, x, wanted, sign * limit, SLOPE)
    guess = limit
    if nothing < 0.0 < most:
        guess = search_amplitude(model, q, x, wanted, sign, SLOPE, 0.0, nothing, limit, most)
    if q.slope or nothing >= 0.0:
        return guess if nothing < 0.0 else 0.0
    low = high = guess
    at_low = at_high = missing(model, q, x, wanted, sign * guess, WHOLE)
    if abs(at_low) <= CLOSE * abs(wanted) + ROUNDING * abs(x):
        return guess
    share = FIRST_SHARE
    while at_low > 0.0:
        high, at_high = low, at_low
        low = guess * (1.0 - share) if share < 1.0 else 0.0
        at_low = missing(model, q, x, wanted, sign * low, WHOLE) if low > 0.0 else nothing
        share *= 2.0
    while at_high < 0.0:
        if high == limit:
            return limit
        low, at_low = high, at_high
        high = guess * (1.0 + share) if guess * (1.0 + share) < limit else limit
        at_high = missing(model, q, x, wanted, sign * high, WHOLE)
        share *= 2.0
    return search_amplitude(model, q, x, wanted, sign, WHOLE, low, at_low, high, at_high)


@part
def pulses_towards(model, q, x, aim, current):
    """How many equal pulses of a train come nearest to the aim, and what is missing then, as a number of pulses.

    One more than ``q.pulses`` where even these do not reach the aim.
    """
    wanted, most = abs(aim - x), q.pulses
    if q.slope:
        one = abs(effect(model, q, x, current, SLOPE))
        number = wanted / one if one > 0.0 else most + 1.0
        number = number if number < most + 1.0 else most + 1.0
        whole = 1.0 * math.floor(number + 0.5)
        return whole, abs(whole - number)
    reached = 0.0
    moved = x
    for pulse in range(most):
        moved += effect(model, q, moved, current, WHOLE)
        covered = abs(moved - x)
        if covered >= wanted:
            share = (wanted - reached) / (covered - reached) if covered > reached else 1.0
            return (pulse + 1.0, 1.0 - share) if share >= 0.5 else (pulse * 1.0, share)
        reached = covered
    return most + 1.0, 0.0


def ask(questions):
    """Ask the same of many devices, for Python; what is no answer of a model is searched for in it."""
    model, q, what = questions.model, questions.question, questions.what
    for k in range(questions.found.size):
        x, y, z = questions.x[k], questions.y[k], questions.z[k]
        if what == Quantity.STATE:
            questions.found[k] = state_of(model, q, x)
        elif what == Quantity.AMPLITUDE:
            questions.found[k] = amplitude_towards(model, q, x, y, z)
        elif what == Quantity.PULSES:
            questions.found[k], q.beside[0] = pulses_towards(model, q, x, y, z)
        else:
            questions.found[k] = call_answer(model, q, what, x, y)
    return questions.found.size


ASK_MANY = Kernel(ask, ASK)
