"""States near bounds at which their drift vanishes: stepped by their logit, which has no bounds.

Between the windows of Joglekar and of Prodromakis a state comes ever nearer to an
end and never gets there, and the way back takes as long. Its distance to the
upper bound soon has no digit left in the state, and neither end keeps the drift's.
So within ``NEAR`` of either bound, as a share of the range, the state is held by
y = ln((x - lower)/(upper - x)), of which dy/dt = drift * range/((x - lower) * (upper - x))
changes but little: of Joglekar's window for p = 1 (Joglekar and Wolf,
arXiv:0807.3994) it is 4 k I. A model says by its ``drift_near`` that it is stepped in
this way. The state that is shown is at a bound only where it began there.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .compiling import elementwise
from .fused import fma
from .mathematics import exponential_within, logarithm_of_one_plus
from .scratch import align_stack, line, load, stack_line, store
from .tiles import DRIFTS, DRIVE, LOGIT, MOVES, PRESENT, RESTS, START, STATES, TOTAL, VOLTAGE, aligned, begins_to_move

NEAR = 2.0**-16  # of the range: nearer than this to a bound, a state is stepped by its logit
FAR = 340.0  # beyond this logit, the drift is proportional to the distance to the last bit; its e-fold is a number yet
FARTHEST = 708.0  # logits beyond it count as it: their distances are numbers yet
LAST_DIGIT = 2.0**-52
LEAST = 2.0**-1000  # of the range: nearer states count as so near


def new_logit(model: Any, room: int) -> np.ndarray:
    """The logits of a bank of which no state has been held by one yet; no elements where none can be.

    They are written: memory that never was is one page of zeros at many addresses, which processors are slow to read.
    """
    logit = aligned(room if model.drift_near is not None else 0)
    logit.fill(0.0)
    return logit


# Open names of the templates.
drift: Callable
drift_near: Callable
output: Callable
free: Callable
of_tile: Callable
of_element: Callable
rate: Callable
carried: Callable
each_carried: Callable
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
def distances_of_logit(y, width):
    """The distances from the lower and to the upper bound, each with all its digits."""
    y = -FARTHEST if y < -FARTHEST else y
    odds = exponential_within(FARTHEST if y > FARTHEST else y)
    share = 1.0 / (1.0 + odds)
    return width * (odds * share), width * share


@elementwise
def state_between(below, above, lower, upper):
    """The state at two distances from its bounds; never a bound itself, but the number beside it."""
    if above < below:
        x = upper - above
        return x if x < upper else upper - LAST_DIGIT * abs(upper)
    x = lower + below
    return x if x > lower else lower + LAST_DIGIT * abs(lower)


@elementwise
def state_of_logit(y, lower, upper):
    """The state that has a logit."""
    below, above = distances_of_logit(y, upper - lower)
    return state_between(below, above, lower, upper)


@elementwise
def off_centre(x, lower, upper):
    """How far a state is from the middle of its range."""
    return abs(x - 0.5 * (lower + upper))


@elementwise
def reach(lower, upper):
    """How far it may be from there without being near a bound."""
    return (0.5 - NEAR) * (upper - lower)


def euler(x, start, end, p, dt):
    """One step of explicit Euler for a state that is not near a bound; it does not count where it leads near to one."""
    return fma(dt, drift(x, start, p), x)


def heun(x, start, end, p, dt):
    """One step of Heun's method for a state that is not near a bound; see :func:`euler`."""
    slope = drift(x, start, p)
    return fma(0.5 * dt, slope + drift(fma(dt, slope, x), end, p), x)


def rate_of_logit(y, drive, p, lower, upper):
    """dy/dt, from the distances to both bounds."""
    y = -FAR if y < -FAR else y
    y = FAR if y > FAR else y
    width = upper - lower
    below, above = distances_of_logit(y, width)
    return width * drift_near(state_between(below, above, lower, upper), below, above, drive, p) / (below * above)


def carried_near(x, y, start, end, p, lower, upper, dt):
    """A step of a state that may be near a bound, or come near to one: the state, and its logit, 0 where unknown."""
    most = reach(lower, upper)
    if not off_centre(x, lower, upper) > most:
        plain = free(x, start, end, p, dt)
        if not off_centre(plain, lower, upper) > most:
            return plain, 0.0
    if x <= lower or x >= upper:  # it began there, and rests
        return x, 0.0
    begun = y if y != 0.0 else logit_of(x, lower, upper)
    first = rate(begun, start, p, lower, upper)
    moved = fma(dt, first, begun)
    if HEUN:
        moved = fma(0.5 * dt, first + rate(moved, end, p, lower, upper), begun)
    if moved == begun:
        return x, y
    x = state_of_logit(moved, lower, upper)
    return x, moved if off_centre(x, lower, upper) > most else 0.0


def forget_strangers(x, logit, lower, upper):
    """Forget the logits of states that something else than a step has put where they are."""
    for j in range(WIDTH):
        if logit[j] != 0.0 and state_of_logit(logit[j], lower, upper) != x[j]:
            logit[j] = 0.0


def carry_each(x, logit, drive, answer, total, p, job, present, steps):
    """Carry the first elements of a tile through steps, each as it has to be."""
    lower, upper, dt = job.lower[0], job.upper[0], job.dt
    for _ in range(steps):
        for j in range(present):
            own = of_element(p, j)
            x[j], logit[j] = carried(x[j], logit[j], drive[j], drive[j], own, lower, upper, dt)
            answer[j] = output(x[j], drive[j], own)
            total[j] += answer[j]


def tile_of_one_near(job, first, done, steps):
    """:func:`~memsim.kernels.tiles.tile_of_one`, of a model that has a drift near bounds.

    Steps that lead no state of a tile near a bound are those of other models. They are taken first; where one did lead
    there, they are taken again from where the tile began, and each state as it has to be. What becomes of a state does
    not depend on those beside it.
    """
    align_stack()
    tile, lower, upper, dt = job.tile, job.lower[0], job.upper[0], job.dt
    drive, voltage = line(job.currents, first, WIDTH), line(job.tally.voltage, first, WIDTH)
    state = line(job.states, first, WIDTH) if done == 0 else line(tile, STATES * WIDTH, WIDTH)
    logit = line(job.logit, first, WIDTH)
    p = of_tile(job, first)
    moving = True
    if done == 0:
        drifts, sums = line(tile, DRIFTS * WIDTH, WIDTH), line(tile, TOTAL * WIDTH, WIDTH)
        drifting = 0
        for j in range(WIDTH):
            slope = drift_near(state[j], state[j] - lower, upper - state[j], drive[j], of_element(p, j))
            drifting |= slope != 0.0
            drifts[j] = MOVES if slope != 0.0 else RESTS
            sums[j] = 0.0
        moving = begins_to_move(job, drifting)
        if moving:
            forget_strangers(state, logit, lower, upper)
    if moving:
        x, answer, total = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
        load(x, state, 0, WIDTH)
        load(total, tile, TOTAL * WIDTH, WIDTH)
        furthest = stack_line(WIDTH)
        for j in range(WIDTH):
            furthest[j] = off_centre(x[j], lower, upper)
        for _ in range(steps):
            for j in range(WIDTH):
                own = of_element(p, j)
                moved = free(x[j], drive[j], drive[j], own, dt)
                response = output(moved, drive[j], own)
                away = off_centre(moved, lower, upper)
                furthest[j] = away if away > furthest[j] else furthest[j]
                x[j] = moved
                answer[j] = response
                total[j] += response
        near, most = 0, reach(lower, upper)
        for j in range(WIDTH):
            near |= furthest[j] > most
        if near != 0:
            load(x, state, 0, WIDTH)
            load(total, tile, TOTAL * WIDTH, WIDTH)
            each_carried(x, logit, drive, answer, total, p, job, min(WIDTH, job.elements - first), steps)
        store(x, tile, STATES * WIDTH, WIDTH)
        store(answer, voltage, 0, WIDTH)
        store(total, tile, TOTAL * WIDTH, WIDTH)
    else:
        for j in range(WIDTH):
            voltage[j] = output(state[j], drive[j], of_element(p, j))
    return 1 if moving else 0


def follow_one_near(w):
    """:func:`~memsim.kernels.tiles.follow_one`, of a model that has a drift near bounds."""
    tile, p, lower, upper, dt = w.tile, of_tile(w, 0), w.lower[0], w.upper[0], w.dt
    most = reach(lower, upper)
    x, response = line(tile, STATES * WIDTH, WIDTH), line(tile, VOLTAGE * WIDTH, WIDTH)
    start, end = line(tile, START * WIDTH, WIDTH), line(tile, DRIVE * WIDTH, WIDTH)
    logit, ahead = line(tile, LOGIT * WIDTH, WIDTH), stack_line(WIDTH)
    near = 0
    for j in range(WIDTH):
        moved = free(x[j], start[j], end[j], p, dt)
        near |= (off_centre(x[j], lower, upper) > most) | (off_centre(moved, lower, upper) > most)
        ahead[j] = moved
    if near != 0:
        for j in range(int(tile[PRESENT * WIDTH])):
            ahead[j], logit[j] = carried(x[j], logit[j], start[j], end[j], p, lower, upper, dt)
    for j in range(WIDTH):
        x[j] = ahead[j]
        response[j] = output(ahead[j], end[j], p)
    return 0
