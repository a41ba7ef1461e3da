"""The nominal model of one device, as the controller calculates with it.

Only nominal constants and measured voltages enter here. A model is asked by a
call of its one kernel, :func:`answer`, a template whose open names are bound for
each device model by :func:`answer_kernel`. Whoever asks is compiled once for all
models, and so is whoever searches in one (:mod:`memsim.kernels.searching`).
"""

import functools
import math
from collections.abc import Callable
from enum import IntEnum

from . import controller, tiles
from .compiling import Kernel, merged, part, plain, specialise
from .operands import ANSWER
from .scratch import fixed_tuple
from .stepping import ModelFunctions, cache_key

DIFFERENCE = 2.0**-13  # of a current or of a state's range: for differences in the place of derivatives

# Open names of the templates.
drift: Callable
memristance: Callable
euler: Callable
heun: Callable
PARAMETERS: int


class Quantity(IntEnum):
    """What is asked for, with up to three numbers: x, y and z."""

    # What a model answers; it has no use for z.
    MEMRISTANCE = 0  # ohm, of the state x
    DRIFT = 1  # of the state x under the current y
    EFFECT = 2  # how far a pulse of the current y carries the state x, stepped
    BEFORE = 3  # the state before a pulse of the current y, of which x is the end
    RESPONSE = 4  # the same, and beside it how the end depends on the state before and on the current
    # What is searched for in it.
    STATE = 5  # that has the memristance x; the nearer bound where none has it
    AMPLITUDE = 6  # of the pulse with the sign z that carries the state x to y
    PULSES = 7  # of the current z, as many as carry the state x to y; and beside it what is missing then


# Templates: of one device, with the question q and the parameters p.


def stepped_effect(x, current, q, p):
    """How far a pulse carries a state."""
    moved = x
    for _ in range(q.steps):
        if q.heun:
            moved = heun(moved, current, current, p, q.lower, q.upper, q.dt)
        else:
            moved = euler(moved, current, current, p, q.lower, q.upper, q.dt)
    return moved - x


def state_before(x, current, q, p):
    """The state before a pulse of which the end is known: midpoint steps backwards in time."""
    lower, upper, dt = q.lower, q.upper, q.dt
    for _ in range(q.steps):
        middle = x - 0.5 * dt * drift(x, current, p)
        x -= dt * drift(middle, current, p)
        x = lower if x < lower else x
        x = upper if x > upper else x
    return x


def response_of_node(x, current, q, p):
    """How the state after a READ depends on the READ: (state before, dx/dx_0, dx/dI).

    For any drift f(x, I) of one state, dx/dx_0 = f(x)/f(x_0) and dx/dI = f(x) times
    the integral of (df/dI)/f over the pulse. Both are 0 where the state is at a bound.
    """
    lower, upper, dt = q.lower, q.upper, q.dt
    margin = controller.RESIDUAL * (upper - lower)
    at_end = drift(x, current, p)
    charge = 0.0
    back = x
    for _ in range(q.steps):
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


def answer(q, what, x, y):
    """What a model says of one device; what an answer has beside its first number is in ``q.beside``."""
    p = fixed_tuple(q.parameters, PARAMETERS)
    found = math.nan
    if what == Quantity.MEMRISTANCE:
        found = memristance(x, p)
    elif what == Quantity.DRIFT:
        found = drift(x, y, p)
    elif what == Quantity.EFFECT:
        found = stepped_effect(x, y, q, p)
    elif what == Quantity.BEFORE:
        found = state_before(x, y, q, p)
    elif what == Quantity.RESPONSE:
        found, q.beside[0], q.beside[1] = response_of_node(x, y, q, p)
    return found


@functools.cache
def answer_kernel(model: ModelFunctions) -> Kernel:
    """What a model is asked by."""
    key = cache_key(model)
    bound = {
        "PARAMETERS": model.parameters,
        "drift": specialise(model.drift, f"drift_nominal_{key}", compiler=part),
        "memristance": specialise(_plain(model.memristance), f"memristance_nominal_{key}", compiler=merged),
    }
    for step in (tiles.euler, tiles.heun):
        bound[step.__name__] = specialise(step, f"{step.__name__}_nominal_{key}", compiler=merged, **bound)
    for long in (stepped_effect, state_before, response_of_node):
        bound[long.__name__] = specialise(long, f"{long.__name__}_{key}", compiler=part, **bound)
    return Kernel(specialise(answer, f"answer_{key}", compiler=plain, **bound), ANSWER)


def _plain(function):
    return getattr(function, "py_func", function)
