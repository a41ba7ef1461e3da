"""A tile of elements: taken into scratch, carried through the steps of a pulse, counted, given back.

A tile has a length that is known at compile time, so the compiler keeps its
states in vector registers for a whole pulse. What works on a tile does as much
as it can in one loop: a loop with little in it is unrolled before it can become
vector instructions. The steps, and the functions that carry a tile, are
templates: their open names are bound for each device model by
:mod:`memsim.kernels.stepping`. What is counted of a tile knows no model.
"""

import math
from collections.abc import Callable

import numpy as np

from .compiling import inlined
from .fused import fma
from .scratch import align_stack, line, load, sheet, stack_array, stack_line, store, unknown

WIDE = 64  # elements: eight vectors of eight, enough to hide how long one operation takes
NARROW = 16  # for the last few elements, and for small banks

ANY_VARIABLE = -1  # every variable may move
NO_VARIABLE = -2  # no variable may move: a READ

# What a line of DRIFTS says of an element.
RESTS, MOVES, STALLS = 0.0, 1.0, 2.0  # no drift; a drift; one that cannot move the state: see :func:`find_stalled`
VANISHED = 2.0**-20  # share of the drift in mid range, below which a drift has vanished

# Lines of a tile's scratch; after the states come as many drifts, and as many states of a step's end.
DRIVE, VOLTAGE, TOTAL, DRIFTS, STATES = range(5)
# Of models with one state and a drift near bounds, see :mod:`memsim.kernels.logit`; the elements that there are.
LOGIT, PRESENT = STATES + 1, STATES + 2
START = TOTAL  # under a drive that changes

# Open names of the templates.
drift: Callable
output: Callable
advance: Callable
of_tile: Callable
of_element: Callable
mark_stalled: Callable
few: Callable
BY_VOLTAGE: bool
WIDTH: int
SHOWN: int


def room_of(elements: int) -> int:
    """Elements that whole tiles have room for: memory of that length is taken and given back in whole vectors."""
    wide, narrow = tiles_of(elements)
    return wide * WIDE + narrow * NARROW


def tiles_of(elements: int) -> tuple[int, int]:
    """How many wide tiles, and narrow ones after them, elements are stepped in."""
    whole, rest = divmod(elements, WIDE)
    return (whole + 1, 0) if rest > NARROW else (whole, int(rest > 0))


def aligned(*shape: int) -> np.ndarray:
    """Zeros that begin at a whole vector, so that none of their vectors lies across two lines of the cache."""
    size = math.prod(shape)
    memory = np.zeros(size + 8)
    first = -memory.__array_interface__["data"][0] % 64 // 8
    return memory[first : first + size].reshape(shape)


def with_room(states: np.ndarray) -> np.ndarray:
    """A copy of (variables, elements) with room for whole wide tiles beside the elements, where it repeats the last."""
    elements = states.shape[1]
    room = aligned(len(states), -(-elements // WIDE) * WIDE)
    room[:, :elements] = states
    room[:, elements:] = states[:, -1:]
    return room


def new_tile(variables: int) -> np.ndarray:
    """Scratch for a tile of a model with some variables."""
    return aligned((STATES + 3 * variables) * WIDE)


# Steps of a model with one state variable.


def euler(x, start, end, p, lower, upper, dt):
    """One step of explicit Euler for a state; the drive is the one at the step's start."""
    moved = fma(dt, drift(x, start, p), x)
    moved = lower if moved < lower else moved
    return upper if moved > upper else moved


def heun(x, start, end, p, lower, upper, dt):
    """One step of Heun's second-order method for a state, with the drive at both ends."""
    rate = drift(x, start, p)
    ahead = fma(dt, rate, x)
    ahead = lower if ahead < lower else ahead
    ahead = upper if ahead > upper else ahead
    moved = fma(0.5 * dt, rate + drift(ahead, end, p), x)
    moved = lower if moved < lower else moved
    return upper if moved > upper else moved


def heun_by_voltage(x, start, end, p, lower, upper, dt):
    """:func:`heun`, of a law of the voltage: ``start`` is the voltage at the step's start, ``end`` the current."""
    rate = drift(x, start, p)
    ahead = fma(dt, rate, x)
    ahead = lower if ahead < lower else ahead
    ahead = upper if ahead > upper else ahead
    moved = fma(0.5 * dt, rate + drift(ahead, output(ahead, end, p), p), x)
    moved = lower if moved < lower else moved
    return upper if moved > upper else moved


# What a model does with a tile: with no steps behind it, it begins, which is to find which elements drift; where any
# does, and may, it carries the tile on by some steps, else it only shows what the elements conduct.


@inlined
def begins_to_move(job, drifting):
    """Whether a tile is to be stepped: external control does not hold it, and some element drifts."""
    return (drifting != 0 or not job.skip) and not job.held


def find_stalled(x, drive, drifts, p, lower, upper, dt):
    """Say which elements of a tile stall.

    A state stalls where its drift has vanished, next to that in mid range, and a
    step adds less than its last digit, under the drive and under the reversed one
    alike: it then stays for good. One in an equilibrium, or near a bound that it
    leaves at full speed, does not, and no more does one under a weak drive.
    """
    middle = 0.5 * (lower + upper)
    for j in range(WIDTH):
        own, i = of_element(p, j), drive[j]
        slope, back, usual = drift(x[j], i, own), drift(x[j], -i, own), drift(middle, i, own)
        still = (fma(dt, slope, x[j]) == x[j]) & (fma(dt, back, x[j]) == x[j]) & (slope != 0.0)
        drifts[j] = STALLS if still & (abs(slope) < VANISHED * abs(usual)) else drifts[j]


def begin(job, tile, state, drive, p):
    """Begin a tile of a model with one state: which elements drift, and which of them stall; whether it moves."""
    drifting, weak = 0, 0
    drifts = line(tile, DRIFTS * WIDTH, WIDTH)
    for j in range(WIDTH):
        slope = drift(state[j], drive[j], of_element(p, j))
        moves = slope != 0.0
        drifting |= moves
        weak |= moves & (fma(job.dt, slope, state[j]) == state[j])
        drifts[j] = MOVES if moves else RESTS
    if weak != 0:
        mark_stalled(state, drive, drifts, p, job.lower[0], job.upper[0], job.dt)
    return begins_to_move(job, drifting)


@inlined
def begin_sums(total, tile, done, width):
    """Take the sums of voltages as the steps before left them, or begin them."""
    if done > 0:
        load(total, tile, TOTAL * width, width)
    else:
        for j in range(width):
            total[j] = 0.0


def show_voltage(answer, state, drive, p):
    """Find the voltages of a tile of a model with one state."""
    for j in range(WIDTH):
        answer[j] = output(state[j], drive[j], of_element(p, j))


def tile_of_one(job, first, done, steps):
    """Begin a tile, and carry it on where it moves, of a model with one state; whether it moves.

    What it only reads it reads where it lies, and what it writes but once it writes there. A law of the voltage takes
    the one that the step before left.
    """
    align_stack()
    tile, drive, answer = job.tile, line(job.currents, first, WIDTH), line(job.tally.voltage, first, WIDTH)
    state = line(job.states, first, WIDTH) if done == 0 else line(tile, STATES * WIDTH, WIDTH)
    p = of_tile(job, first)
    moving = done > 0 or begin(job, tile, state, drive, p)
    if BY_VOLTAGE and done == 0:
        show_voltage(answer, state, drive, p)
    if moving:
        x, voltage, total = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
        load(x, state, 0, WIDTH)
        load(voltage, answer, 0, WIDTH)
        begin_sums(total, tile, done, WIDTH)
        lower, upper, dt = job.lower[0], job.upper[0], job.dt
        for _ in range(steps):
            for j in range(WIDTH):
                own = of_element(p, j)
                start = voltage[j] if BY_VOLTAGE else drive[j]
                moved = advance(x[j], start, drive[j], own, lower, upper, dt)
                response = output(moved, drive[j], own)
                x[j] = moved
                voltage[j] = response
                total[j] += response
        store(x, tile, STATES * WIDTH, WIDTH)
        store(voltage, answer, 0, WIDTH)
        store(total, tile, TOTAL * WIDTH, WIDTH)
    elif not BY_VOLTAGE:
        show_voltage(answer, state, drive, p)
    return 1 if moving else 0


def tile_of_one_steady(job, first, done, steps):
    """:func:`tile_of_one`, of a model whose drift does not change in a pulse.

    States then move in one direction. So they are stepped without a look at the bounds; where the first or the last
    lies beyond one, all are stepped again from where they began, and stopped there.
    """
    align_stack()
    tile, drive, answer = job.tile, line(job.currents, first, WIDTH), line(job.tally.voltage, first, WIDTH)
    state = line(job.states, first, WIDTH) if done == 0 else line(tile, STATES * WIDTH, WIDTH)
    p = of_tile(job, first)
    moving = done > 0 or begin(job, tile, state, drive, p)
    if moving:
        lower, upper, dt = job.lower[0], job.upper[0], job.dt
        x, slope, total = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
        load(x, state, 0, WIDTH)
        begin_sums(total, tile, done, WIDTH)
        for j in range(WIDTH):
            slope[j] = drift(state[j], drive[j], of_element(p, j))
        for _ in range(steps):
            for j in range(WIDTH):
                moved = fma(dt, slope[j], x[j])
                x[j] = moved
                total[j] += output(moved, drive[j], of_element(p, j))
        crossed = 0
        for j in range(WIDTH):
            crossed |= (state[j] < lower) | (state[j] > upper) | (x[j] < lower) | (x[j] > upper)
        if crossed != 0:
            load(x, state, 0, WIDTH)
            begin_sums(total, tile, done, WIDTH)
            for _ in range(steps):
                for j in range(WIDTH):
                    moved = fma(dt, slope[j], x[j])
                    moved = lower if moved < lower else moved
                    moved = upper if moved > upper else moved
                    x[j] = moved
                    total[j] += output(moved, drive[j], of_element(p, j))
        for j in range(WIDTH):
            slope[j] = output(x[j], drive[j], of_element(p, j))
        store(x, tile, STATES * WIDTH, WIDTH)
        store(total, tile, TOTAL * WIDTH, WIDTH)
        store(slope, answer, 0, WIDTH)
    else:
        show_voltage(answer, state, drive, p)
    return 1 if moving else 0


def leap(job, first, done, steps):
    """Step a tile in one evaluation, however many steps there are.

    For models of one variable, whose drift does not change in a pulse, and whose
    voltage is affine in the state. Then x_n = x_0 + n * dt * drift, up to the bound; and the
    voltages of the steps before it add up to their number times the voltage at
    the mean of the first and the last state.
    """
    tile, before, drive = job.tile, line(job.states, first, WIDTH), line(job.currents, first, WIDTH)
    state, voltage = line(tile, STATES * WIDTH, WIDTH), line(job.tally.voltage, first, WIDTH)
    total = line(tile, TOTAL * WIDTH, WIDTH)
    drifts = line(tile, DRIFTS * WIDTH, WIDTH)
    p = of_tile(job, first)
    lower, upper, dt = job.lower[0], job.upper[0], job.dt
    drifting = 0
    for j in range(WIDTH):
        moves = drift(before[j], drive[j], of_element(p, j)) != 0.0
        drifting |= moves
        drifts[j] = MOVES if moves else RESTS
    moving = begins_to_move(job, drifting)
    number = np.float64(done + steps)
    for j in range(WIDTH):
        x, i, own = before[j], drive[j], of_element(p, j)
        step = dt * drift(x, i, own) if moving else 0.0
        bound = upper if step > 0.0 else lower
        free = (bound - x) / step if step != 0.0 else number
        free = np.floor(free if free < number else number)
        free = free if free > 0.0 else 0.0
        moved = x + number * step
        moved = lower if moved < lower else moved
        moved = upper if moved > upper else moved
        moved = moved if moving else x
        response = output(moved, i, own)
        mean = output(x + 0.5 * (free + 1.0) * step, i, own)
        state[j] = moved
        voltage[j] = response
        total[j] = free * mean + (number - free) * response
    return 1 if moving else 0


# Steps of a model with several state variables: (variables, elements) in a tile's scratch, one variable after another.


def euler_of_several(x, rate, ahead, start, end, p, lower, upper, dt):
    """One step of explicit Euler for a tile's states; the drive is the one at the step's start."""
    for v in range(x.shape[0]):
        low, high = lower[v], upper[v]
        for j in range(WIDTH):
            moved = fma(dt, drift(v, x, j, start[j], of_element(p, j)), x[v, j])
            moved = low if moved < low else moved
            rate[v, j] = high if moved > high else moved
    store(line(rate, 0, x.shape[0] * WIDTH), x, 0, x.shape[0] * WIDTH)


def heun_of_several(x, rate, ahead, start, end, p, lower, upper, dt):
    """One step of Heun's second-order method for a tile's states, with the drive at both ends."""
    for v in range(x.shape[0]):
        low, high = lower[v], upper[v]
        for j in range(WIDTH):
            slope = drift(v, x, j, start[j], of_element(p, j))
            moved = fma(dt, slope, x[v, j])
            moved = low if moved < low else moved
            rate[v, j] = slope
            ahead[v, j] = high if moved > high else moved
    for v in range(x.shape[0]):
        low, high = lower[v], upper[v]
        for j in range(WIDTH):
            moved = fma(0.5 * dt, rate[v, j] + drift(v, ahead, j, end[j], of_element(p, j)), x[v, j])
            moved = low if moved < low else moved
            x[v, j] = high if moved > high else moved


def constant_of_several(x, rate, ahead, start, end, p, lower, upper, dt):
    """One step for a tile's states, with the drifts of the pulse's beginning: Euler's and Heun's alike.

    Where no drift changes, Heun's 0.5 * dt * (2 * drift) is dt * drift, which is not rounded.
    """
    width = unknown(WIDTH)
    for v in range(x.shape[0]):
        low, high = lower[v], upper[v]
        for j in range(width):
            moved = fma(dt, rate[v, j], x[v, j])
            moved = low if moved < low else moved
            x[v, j] = high if moved > high else moved


def begin_several(job, first, x, rate, drive, p):
    """Begin a tile of a model with several states: which elements drift, and how fast; whether it moves."""
    drifting, room = 0, job.currents.size
    slope, drifts = stack_line(WIDTH), stack_line(WIDTH)
    for j in range(WIDTH):
        drifts[j] = RESTS
    for v in range(x.shape[0]):
        store(line(job.states, v * room + first, WIDTH), x, v * WIDTH, WIDTH)
    for v in range(x.shape[0]):
        for j in range(WIDTH):
            slope[j] = drift(v, x, j, drive[j], of_element(p, j))
            moves = slope[j] != 0.0
            drifting |= moves
            drifts[j] = MOVES if moves else drifts[j]
        store(slope, rate, v * WIDTH, WIDTH)
    store(drifts, job.tile, DRIFTS * WIDTH, WIDTH)
    return begins_to_move(job, drifting)


def carry_alone(tile, v, steps, rate, lower, upper, dt):
    """Carry one variable of a tile through steps, none of which changes its drift."""
    x, slope = stack_line(WIDTH), stack_line(WIDTH)
    load(x, tile, (STATES + v) * WIDTH, WIDTH)
    for j in range(WIDTH):
        slope[j] = rate[v, j]
    for _ in range(steps):
        for j in range(WIDTH):
            moved = fma(dt, slope[j], x[j])
            moved = lower if moved < lower else moved
            x[j] = upper if moved > upper else moved
    store(x, tile, (STATES + v) * WIDTH, WIDTH)


def drifts_of(rate, v):
    """Whether a variable of a tile drifts in any element."""
    drifting = 0
    for j in range(WIDTH):
        drifting |= rate[v, j] != 0.0
    return drifting != 0


def tile_of_several(job, first, done, steps):
    """:func:`tile_of_one`; voltages and their sums are on the stack, where the compiler sees that nothing overlaps."""
    align_stack()
    tile, variables, drive = job.tile, job.states.shape[0], line(job.currents, first, WIDTH)
    x = sheet(tile, STATES * WIDTH, variables, WIDTH)
    rate = sheet(tile, (STATES + variables) * WIDTH, variables, WIDTH)
    ahead = sheet(tile, (STATES + 2 * variables) * WIDTH, variables, WIDTH)
    p = of_tile(job, first)
    voltage, total = stack_line(WIDTH), stack_line(WIDTH)
    moving = done > 0 or begin_several(job, first, x, rate, drive, p)
    begin_sums(total, tile, done, WIDTH)
    if moving:
        for _ in range(steps):
            advance(x, rate, ahead, drive, drive, p, job.lower, job.upper, job.dt)
            for j in range(WIDTH):
                response = output(x, j, drive[j], of_element(p, j))
                voltage[j] = response
                total[j] += response
    else:
        for j in range(WIDTH):
            voltage[j] = output(x, j, drive[j], of_element(p, j))
    store(voltage, job.tally.voltage, first, WIDTH)
    store(total, tile, TOTAL * WIDTH, WIDTH)
    return 1 if moving else 0


def tile_of_several_steady(job, first, done, steps):
    """:func:`tile_of_several`, of a model whose drifts do not change in a pulse, and whose voltage shows one variable.

    Each variable goes its own way, and one that rests is not stepped. A voltage that stays is added up, and
    evaluated once.
    """
    align_stack()
    tile, variables, drive = job.tile, job.states.shape[0], line(job.currents, first, WIDTH)
    x = sheet(tile, STATES * WIDTH, variables, WIDTH)
    rate = sheet(tile, (STATES + variables) * WIDTH, variables, WIDTH)
    p = of_tile(job, first)
    voltage, total, slope = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
    moving = done > 0 or begin_several(job, first, x, rate, drive, p)
    begin_sums(total, tile, done, WIDTH)
    shown = variables - SHOWN
    for v in range(variables if moving else 0):
        if v != shown and drifts_of(rate, v):
            carry_alone(tile, v, steps, rate, job.lower[v], job.upper[v], job.dt)
    last = stack_array(SHOWN, WIDTH)  # of the variables, in which the one that is shown is the first
    load(last[0], tile, (STATES + shown) * WIDTH, WIDTH)
    if moving and drifts_of(rate, shown):
        lower, upper, dt = job.lower[shown], job.upper[shown], job.dt
        for j in range(WIDTH):
            slope[j] = rate[shown, j]
        for _ in range(steps):
            for j in range(WIDTH):
                moved = fma(dt, slope[j], last[0, j])
                moved = lower if moved < lower else moved
                last[0, j] = upper if moved > upper else moved
                response = output(last, j, drive[j], of_element(p, j))
                voltage[j] = response
                total[j] += response
        store(last[0], tile, (STATES + shown) * WIDTH, WIDTH)
    else:
        for j in range(WIDTH):
            voltage[j] = output(last, j, drive[j], of_element(p, j))
        for _ in range(steps if moving else 0):
            for j in range(WIDTH):
                total[j] += voltage[j]
    store(voltage, job.tally.voltage, first, WIDTH)
    store(total, tile, TOTAL * WIDTH, WIDTH)
    return 1 if moving else 0


# Steps under a drive that changes: it is START at a step's start, and DRIVE at its end, with the response after it.


def follow_one(w):
    """One step of a tile of a model with one state."""
    tile = w.tile
    x, response = line(tile, STATES * WIDTH, WIDTH), line(tile, VOLTAGE * WIDTH, WIDTH)
    start, end = line(tile, START * WIDTH, WIDTH), line(tile, DRIVE * WIDTH, WIDTH)
    drifts = line(tile, DRIFTS * WIDTH, WIDTH)
    p, lower, upper, dt = of_tile(w, 0), w.lower[0], w.upper[0], w.dt
    weak = 0
    for j in range(WIDTH):
        slope = drift(x[j], start[j], p)
        drifts[j] = MOVES if slope != 0.0 else RESTS
        weak |= (slope != 0.0) & (fma(dt, slope, x[j]) == x[j])
    if weak != 0:
        mark_stalled(x, start, drifts, p, lower, upper, dt)
    for j in range(WIDTH):
        moved = advance(x[j], start[j], end[j], p, lower, upper, dt)
        x[j] = moved
        response[j] = output(moved, end[j], p)
    return 0


def follow_several(w):
    """One step of a tile of a model with several states."""
    tile, variables = w.tile, w.states.shape[0]
    x, response = sheet(tile, STATES * WIDTH, variables, WIDTH), line(tile, VOLTAGE * WIDTH, WIDTH)
    rate = sheet(tile, (STATES + variables) * WIDTH, variables, WIDTH)
    ahead = sheet(tile, (STATES + 2 * variables) * WIDTH, variables, WIDTH)
    start, end = line(tile, START * WIDTH, WIDTH), line(tile, DRIVE * WIDTH, WIDTH)
    p = of_tile(w, 0)
    advance(x, rate, ahead, start, end, p, w.lower, w.upper, w.dt)
    for j in range(WIDTH):
        response[j] = output(x, j, end[j], p)
    return 0


# What is counted of a tile, of any model. What does not change is not written.


def count_energy(job, first, moving):
    """Energies and the largest currents.

    Of an element that drifts it is I * dt times the sum of the voltages; of another ``steps`` times its one voltage,
    which is the same to the bit whether its tile is stepped or not.
    """
    tally, tile, drive = job.tally, job.tile, line(job.currents, first, WIDTH)
    voltage = line(tally.voltage, first, WIDTH)
    total, drifts = line(tile, TOTAL * WIDTH, WIDTH), line(tile, DRIFTS * WIDTH, WIDTH)
    before, highest = line(tally.energy, first, WIDTH), line(tally.peak_current, first, WIDTH)
    energy, peak = stack_line(WIDTH), stack_line(WIDTH)
    dt, steps, width = job.dt, job.steps, few(WIDTH)
    higher = 0
    for j in range(width):
        drifting = moving & (drifts[j] != RESTS)
        energy[j] = before[j] + drive[j] * dt * (total[j] if drifting else steps * voltage[j])
        magnitude = abs(drive[j])
        higher |= magnitude > highest[j]
        peak[j] = magnitude if magnitude > highest[j] else highest[j]
    store(energy, tally.energy, first, WIDTH)
    if higher != 0:
        store(peak, tally.peak_current, first, WIDTH)


def count_states(job, first, v):
    """Extremes of a variable of a tile that moved; whether it strayed."""
    tally, place, width = job.tally, v * job.currents.size + first, few(WIDTH)
    x, before = line(job.tile, (STATES + v) * WIDTH, WIDTH), line(job.states, place, WIDTH)
    highest, lowest = line(tally.highest, place, WIDTH), line(tally.lowest, place, WIDTH)
    higher, deeper, count = stack_line(WIDTH), stack_line(WIDTH), stack_line(WIDTH)
    beyond, strays = 0, 0
    for j in range(width):
        beyond |= (x[j] > highest[j]) | (x[j] < lowest[j])
        higher[j] = x[j] if x[j] > highest[j] else highest[j]
        deeper[j] = x[j] if x[j] < lowest[j] else lowest[j]
        strays |= x[j] != before[j]
    if beyond != 0:
        store(higher, tally.highest, place, WIDTH)
        store(deeper, tally.lowest, place, WIDTH)
    if strays != 0 and not (job.addressed == v or job.addressed == ANY_VARIABLE):
        load(count, tally.disturbed, first, WIDTH)
        for j in range(width):
            count[j] += 1.0 if x[j] != before[j] else 0.0
        store(count, tally.disturbed, first, WIDTH)


def count_bounds(job, first, x, lower, upper):
    """Count the elements that are driven, and are at a bound."""
    drive, count, width = line(job.currents, first, WIDTH), stack_line(WIDTH), few(WIDTH)
    met = 0
    for j in range(width):
        met |= ((x[j] <= lower) | (x[j] >= upper)) & (drive[j] != 0.0)
    if met != 0:
        load(count, job.tally.bound, first, WIDTH)
        for j in range(width):
            count[j] += 1.0 if ((x[j] <= lower) | (x[j] >= upper)) & (drive[j] != 0.0) else 0.0
        store(count, job.tally.bound, first, WIDTH)


def count_stalled(job, first):
    """Count the elements that a pulse, which may move them, cannot."""
    drifts, count = line(job.tile, DRIFTS * WIDTH, WIDTH), line(job.tally.stalled, first, WIDTH)
    stalls = 0
    for j in range(few(WIDTH)):
        stalls |= drifts[j] == STALLS
    if stalls != 0:
        for j in range(few(WIDTH)):
            count[j] += 1.0 if drifts[j] == STALLS else 0.0


def count_tile(job, first, moving):
    """Add a pulse to what is counted of a tile.

    Where no element moved nothing of the states is looked at, but for the bounds of those that are driven.
    """
    count_energy(job, first, moving)
    for v in range(job.states.shape[0]):
        if moving:
            count_states(job, first, v)
        if job.addressed != NO_VARIABLE:
            x = line(job.tile, (STATES + v) * WIDTH, WIDTH)
            if not moving:
                x = line(job.states, v * job.currents.size + first, WIDTH)
            count_bounds(job, first, x, job.lower[v], job.upper[v])
    if job.addressed != NO_VARIABLE and not (job.held or job.relaxes):
        count_stalled(job, first)
