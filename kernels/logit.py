"""States near bounds at which their drift vanishes: stepped by their logit, which has no bounds.

Between the windows of Joglekar and of Prodromakis a state comes ever nearer to an
end and never gets there, and the way back takes as long. Its distance to the
upper bound soon has no digit left in the state, and neither end keeps the drift's.
So within ``NEAR`` of either bound, as a share of the range, the state is held by
y = ln((x - lower)/(upper - x)), of which dy/dt = drift * range/((x - lower) * (upper - x))
changes but little: of Joglekar's window for p = 1 it is 4 k I (Joglekar and Wolf,
arXiv:0807.3994, Eq. 11). A model says by its ``drift_near`` that it is stepped in
this way. The state that is shown is at a bound only where it began there.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .compiling import elementwise
from .mathematics import exponential, logarithm_of_one_plus
from .scratch import align_stack, line, load, stack_line, store
from .tiles import DRIFTS, DRIVE, LOGIT, STALLED, START, STATES, TOTAL, VOLTAGE, aligned, begins_to_move

NEAR = 2.0**-16  # of the range: nearer than this to a bound, a state is stepped by its logit
FAR = 340.0  # beyond this logit, the drift is proportional to the distance to the last bit; its e-fold is a number yet
LAST_DIGIT = 2.0**-52
LEAST = 2.0**-1000  # of the range: nearer states count as so near


def new_logit(model: Any, room: int) -> np.ndarray:
    """The logits of a bank of which no state has been held by one yet; no elements where none can be."""
    return aligned(room if model.drift_near is not None else 0)


# Open names of the templates.
drift: Callable
drift_near: Callable
output: Callable
advance: Callable
of_tile: Callable
of_element: Callable
rate: Callable
carried: Callable
WIDTH: int
HEUN: bool


@elementwise
def logit_of(x, lower, upper):
    """ln((x - lower)/(upper - x)) of a state between its bounds, from -693 to 693."""
    below, above, least = x - lower, upper - x, LEAST * (upper - lower)
    nearer = below if below < above else above
    nearer = nearer if nearer > least else least
    return math.copysign(logarithm_of_one_plus(abs(below - above) / nearer), below - above)


@elementwise
def state_of_logit(y, lower, upper):
    """The state that has a logit; never a bound itself, but the number beside it."""
    width = upper - lower
    if y > 0.0:
        x = upper - width / (1.0 + exponential(y))
        return x if x < upper else upper - LAST_DIGIT * abs(upper)
    x = lower + width / (1.0 + exponential(-y))
    return x if x > lower else lower + LAST_DIGIT * abs(lower)


@elementwise
def is_near(x, lower, upper):
    """Whether a state is so near to a bound that it is stepped by its logit."""
    margin = NEAR * (upper - lower)
    return (x < lower + margin) | (x > upper - margin)


def rate_of_logit(y, drive, p, lower, upper):
    """dy/dt, from the distances to both bounds, which both have all their digits."""
    y = -FAR if y < -FAR else y
    y = FAR if y > FAR else y
    width = upper - lower
    below, above = width / (1.0 + exponential(-y)), width / (1.0 + exponential(y))
    return width * drift_near(state_of_logit(y, lower, upper), below, above, drive, p) / (below * above)


def carried_near(x, y, start, end, p, lower, upper, dt):
    """A step of a state that may be near a bound, or come near to one: the state, and its logit."""
    plain = advance(x, start, end, p, lower, upper, dt)
    if not (is_near(x, lower, upper) or is_near(plain, lower, upper)):
        return plain, 0.0
    if x <= lower or x >= upper:  # it began there, and rests
        return x, 0.0
    known = y != 0.0 and state_of_logit(y, lower, upper) == x
    begun = y if known else logit_of(x, lower, upper)
    first = rate(begun, start, p, lower, upper)
    moved = begun + dt * first
    if HEUN:
        moved = begun + (0.5 * dt) * (first + rate(moved, end, p, lower, upper))
    if moved == begun:
        return x, y
    x = state_of_logit(moved, lower, upper)
    return x, moved if is_near(x, lower, upper) else 0.0


def any_near(x, lower, upper):
    """Whether any state of a tile is near a bound."""
    low, high = lower + NEAR * (upper - lower), upper - NEAR * (upper - lower)
    near = 0
    for j in range(WIDTH):
        near |= (x[j] < low) | (x[j] > high)
    return near != 0


def tile_of_one_near(job, first, done, steps):
    """:func:`~memsim.kernels.tiles.tile_of_one`, of a model that has a drift near bounds.

    A step that leads no state of a tile near a bound is taken as other models' are.
    """
    align_stack()
    tile, lower, upper, dt = job.tile, job.lower[0], job.upper[0], job.dt
    state, drive = line(tile, STATES * WIDTH, WIDTH), line(tile, DRIVE * WIDTH, WIDTH)
    logit, voltage = line(tile, LOGIT * WIDTH, WIDTH), line(tile, VOLTAGE * WIDTH, WIDTH)
    p = of_tile(job, first)
    moving = True
    if done == 0:
        drifting = 0
        drifts, sums = line(tile, DRIFTS * WIDTH, WIDTH), line(tile, TOTAL * WIDTH, WIDTH)
        for j in range(WIDTH):
            below, above = state[j] - lower, upper - state[j]
            moves = drift_near(state[j], below, above, drive[j], of_element(p, j)) != 0.0
            drifting |= moves
            drifts[j] = 1.0 if moves else 0.0
            sums[j] = 0.0
        moving = begins_to_move(job, drifting)
    if moving:
        x, answer, total = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
        load(x, tile, STATES * WIDTH)
        load(total, tile, TOTAL * WIDTH)
        near = any_near(x, lower, upper)
        for _ in range(steps):
            ahead = stack_line(WIDTH)
            if not near:
                for j in range(WIDTH):
                    ahead[j] = advance(x[j], drive[j], drive[j], of_element(p, j), lower, upper, dt)
                near = any_near(ahead, lower, upper)
            if near:
                for j in range(WIDTH):
                    own = of_element(p, j)
                    ahead[j], logit[j] = carried(x[j], logit[j], drive[j], drive[j], own, lower, upper, dt)
                near = any_near(ahead, lower, upper)
            for j in range(WIDTH):
                response = output(ahead[j], drive[j], of_element(p, j))
                x[j] = ahead[j]
                answer[j] = response
                total[j] += response
        store(x, tile, STATES * WIDTH)
        store(answer, tile, VOLTAGE * WIDTH)
        store(total, tile, TOTAL * WIDTH)
    else:
        for j in range(WIDTH):
            voltage[j] = output(state[j], drive[j], of_element(p, j))
    return 1 if moving else 0


def follow_one_near(w):
    """:func:`~memsim.kernels.tiles.follow_one`, of a model that has a drift near bounds."""
    tile, p, lower, upper, dt = w.tile, of_tile(w, 0), w.lower[0], w.upper[0], w.dt
    x, response = line(tile, STATES * WIDTH, WIDTH), line(tile, VOLTAGE * WIDTH, WIDTH)
    start, end = line(tile, START * WIDTH, WIDTH), line(tile, DRIVE * WIDTH, WIDTH)
    logit, stalled = line(tile, LOGIT * WIDTH, WIDTH), line(tile, STALLED * WIDTH, WIDTH)
    for j in range(WIDTH):
        before = x[j]
        x[j], logit[j] = carried(before, logit[j], start[j], end[j], p, lower, upper, dt)
        within = (x[j] > lower) & (x[j] < upper) & (logit[j] == 0.0) & (start[j] != 0.0)
        stalled[j] = 1.0 if (x[j] == before) & within & (drift(before, start[j], p) != 0.0) else 0.0
        response[j] = output(x[j], end[j], p)
    return 0
