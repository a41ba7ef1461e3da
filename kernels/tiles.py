"""A tile of elements: taken into scratch, carried through the steps of a pulse, counted, given back.

A tile is scratch memory of a length that is known at compile time, so the
compiler keeps its states in vector registers for a whole pulse. What works on a
tile is therefore put into the kernel before that is optimised
(:func:`~memsim.kernels.compiling.inlined`), and does as much as it can in one
loop: a loop with little in it is unrolled before it can become vector
instructions. The steps are templates: their open names are bound for each device
model by :mod:`memsim.kernels.stepping`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .compiling import elementwise, inlined
from .scratch import give, take

WIDE = 64  # elements: eight vectors of eight, enough to hide how long one operation takes
NARROW = 16  # for the last few elements, and for small banks

ANY_VARIABLE = -1  # every variable may move
NO_VARIABLE = -2  # no variable may move: a READ

# Open names of the templates.
drift: Callable
output: Callable
advance: Callable
step_tile: Callable
of_element: Callable
VARIABLES: int


class Tile(NamedTuple):
    """A tile's scratch, all float64: (variables, elements) or (elements,).

    The first three are states, and room for a step; ``drifts`` is 1 where an
    element's drift was not zero when the pulse began, ``total`` the sum of its
    voltages. The others are what is counted: see
    :class:`~memsim.kernels.stepping.Tally`.
    """

    x: np.ndarray
    rate: np.ndarray
    ahead: np.ndarray
    drive: np.ndarray
    voltage: np.ndarray
    total: np.ndarray
    drifts: np.ndarray
    energy: np.ndarray
    epoch_energy: np.ndarray
    peak: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray


def room_of(elements: int) -> int:
    """Elements that whole tiles have room for: memory of that length is taken and given back in whole vectors."""
    rest = elements % WIDE
    padded = WIDE if rest > 2 * NARROW else -(-rest // NARROW) * NARROW
    return elements - rest + padded


# Steps of a model with one state variable.


def euler(x, start, end, p, lower, upper, dt):
    """One step of explicit Euler for a state; the drive is the one at the step's start."""
    moved = x + dt * drift(x, start, p)
    moved = lower if moved < lower else moved
    return upper if moved > upper else moved


def heun(x, start, end, p, lower, upper, dt):
    """One step of Heun's second-order method for a state, with the drive at both ends."""
    rate = drift(x, start, p)
    ahead = x + dt * rate
    ahead = lower if ahead < lower else ahead
    ahead = upper if ahead > upper else ahead
    moved = x + (0.5 * dt) * (rate + drift(ahead, end, p))
    moved = lower if moved < lower else moved
    return upper if moved > upper else moved


def step_tile_of_one(tile, start, end, p, lower, upper, dt):
    """One step of a tile, with the voltages after it, and their sum."""
    for j in range(end.size):
        own = of_element(p, j)
        moved = advance(tile.x[0, j], start[j], end[j], own, lower[0], upper[0], dt)
        response = output(moved, end[j], own)
        tile.x[0, j] = moved
        tile.voltage[j] = response
        tile.total[j] += response


def step_through(tile, before, done, steps, p, lower, upper, dt):
    """Carry a tile on by some steps, one after the other."""
    for _ in range(steps):
        step_tile(tile, tile.drive, tile.drive, p, lower, upper, dt)


def leap(tile, before, done, steps, p, lower, upper, dt):
    """Carry a tile, with ``done`` steps behind it, on by some steps in one evaluation.

    For models of one variable, whose drift does not change in a pulse, and whose
    voltage is affine in the state. Then x_n = x_0 + n * dt * drift, up to the bound; and the
    voltages of the steps before it add up to their number times the voltage at
    the mean of the first and the last state.
    """
    for j in range(tile.drive.size):
        x = before[0, j]
        i = tile.drive[j]
        own = of_element(p, j)
        number = np.float64(done + steps)
        step = dt * drift(x, i, own)
        bound = upper[0] if step > 0.0 else lower[0]
        free = (bound - x) / step if step != 0.0 else number
        free = np.floor(free if free < number else number)
        free = free if free > 0.0 else 0.0
        moved = x + number * step
        moved = lower[0] if moved < lower[0] else moved
        moved = upper[0] if moved > upper[0] else moved
        voltage = output(moved, i, own)
        mean = output(x + 0.5 * (free + 1.0) * step, i, own)
        tile.x[0, j] = moved
        tile.voltage[j] = voltage
        tile.total[j] = free * mean + (number - free) * voltage


def begin_tile_of_one(tile, p):
    """Voltages before the first step, and which elements drift; whether any does."""
    drifting = 0
    for j in range(tile.drive.size):
        own = of_element(p, j)
        moves = drift(tile.x[0, j], tile.drive[j], own) != 0.0
        drifting |= moves
        tile.drifts[j] = 1.0 if moves else 0.0
        tile.voltage[j] = output(tile.x[0, j], tile.drive[j], own)
        tile.total[j] = 0.0
    return drifting != 0


# Steps of a model with several state variables.


def euler_of_several(tile, j, start, end, p, lower, upper, dt):
    """One step of explicit Euler for the states of element ``j``."""
    for v in range(VARIABLES):
        tile.rate[v, j] = tile.x[v, j] + dt * drift(v, tile.x, j, start, p)
    for v in range(VARIABLES):
        moved = lower[v] if tile.rate[v, j] < lower[v] else tile.rate[v, j]
        tile.x[v, j] = upper[v] if moved > upper[v] else moved


def heun_of_several(tile, j, start, end, p, lower, upper, dt):
    """One step of Heun's second-order method for the states of element ``j``."""
    for v in range(VARIABLES):
        tile.rate[v, j] = drift(v, tile.x, j, start, p)
    for v in range(VARIABLES):
        moved = tile.x[v, j] + dt * tile.rate[v, j]
        moved = lower[v] if moved < lower[v] else moved
        tile.ahead[v, j] = upper[v] if moved > upper[v] else moved
    for v in range(VARIABLES):
        tile.rate[v, j] += drift(v, tile.ahead, j, end, p)
    for v in range(VARIABLES):
        moved = tile.x[v, j] + (0.5 * dt) * tile.rate[v, j]
        moved = lower[v] if moved < lower[v] else moved
        tile.x[v, j] = upper[v] if moved > upper[v] else moved


def constant_of_several(tile, j, start, end, p, lower, upper, dt):
    """One step for the states of element ``j``, with the drifts of the pulse's beginning: Euler's and Heun's alike.

    Where no drift changes, Heun's 0.5 * dt * (2 * drift) is dt * drift to the bit.
    """
    for v in range(VARIABLES):
        moved = tile.x[v, j] + dt * tile.rate[v, j]
        moved = lower[v] if moved < lower[v] else moved
        tile.x[v, j] = upper[v] if moved > upper[v] else moved


def step_tile_of_several(tile, start, end, p, lower, upper, dt):
    """:func:`step_tile_of_one`."""
    for j in range(end.size):
        own = of_element(p, j)
        advance(tile, j, start[j], end[j], own, lower, upper, dt)
        response = output(tile.x, j, end[j], own)
        tile.voltage[j] = response
        tile.total[j] += response


def begin_tile_of_several(tile, p):
    """:func:`begin_tile_of_one`."""
    drifting = 0
    for j in range(tile.drive.size):
        own = of_element(p, j)
        moves = False
        for v in range(VARIABLES):
            tile.rate[v, j] = drift(v, tile.x, j, tile.drive[j], own)
            moves |= tile.rate[v, j] != 0.0
        drifting |= moves
        tile.drifts[j] = 1.0 if moves else 0.0
        tile.voltage[j] = output(tile.x, j, tile.drive[j], own)
        tile.total[j] = 0.0
    return drifting != 0


# What is counted of a tile.


@elementwise
def is_stray(x, before, variable, addressed):
    """Whether a variable moved without being addressed."""
    return (x != before) & (addressed != variable) & (addressed != ANY_VARIABLE)


@elementwise
def is_at_bound(x, lower, upper, drive, addressed):
    """Whether a pulse that may move states left one at a bound."""
    return ((x <= lower) | (x >= upper)) & (drive != 0.0) & (addressed != NO_VARIABLE)


def count_tile(tile, before, held, steps, dt, lower, upper, addressed):
    """Add a pulse to energies, largest currents and extremes of a tile: (any higher, beyond, stray, at a bound).

    The energy is I * dt times the sum of the voltages; of an element that does
    not drift, ``steps`` times its one voltage, which is the same to the bit
    whether its tile is stepped or not.
    """
    drive = tile.drive
    higher, beyond, strays, met = 0, 0, 0, 0
    for j in range(drive.size):
        drifts = (tile.drifts[j] == 1.0) & (held == 0)
        total = tile.total[j] if drifts else steps * tile.voltage[j]
        spent = drive[j] * dt * total
        tile.energy[j] += spent
        tile.epoch_energy[j] += spent
        magnitude = abs(drive[j])
        higher |= magnitude > tile.peak[j]
        tile.peak[j] = magnitude if magnitude > tile.peak[j] else tile.peak[j]
        for v in range(VARIABLES):
            x = tile.x[v, j]
            beyond |= (x > tile.highest[v, j]) | (x < tile.lowest[v, j])
            tile.highest[v, j] = x if x > tile.highest[v, j] else tile.highest[v, j]
            tile.lowest[v, j] = x if x < tile.lowest[v, j] else tile.lowest[v, j]
            strays |= is_stray(x, before[v, j], v, addressed)
            met |= is_at_bound(x, lower[v], upper[v], drive[j], addressed)
    return higher != 0, beyond != 0, strays != 0, met != 0


@inlined
def take_tally(tile, tally, first):
    """Fill a tile's scratch with what was counted before."""
    take(tile.energy, tally.energy, first, 0.0)
    take(tile.epoch_energy, tally.epoch_energy, first, 0.0)
    take(tile.peak, tally.peak_current, first, 0.0)
    for v in range(tile.x.shape[0]):
        take(tile.highest[v], tally.highest[v], first, 0.0)
        take(tile.lowest[v], tally.lowest[v], first, 0.0)


@inlined
def give_tally(tile, before, changed, lower, upper, addressed, tally, first):
    """Put back what was counted, but for what did not change; strays and bounds are counted where there are any."""
    higher, beyond, strays, met = changed
    give(tile.voltage, tally.voltage, first)
    give(tile.energy, tally.energy, first)
    give(tile.epoch_energy, tally.epoch_energy, first)
    if higher:
        give(tile.peak, tally.peak_current, first)
    if beyond:
        for v in range(tile.x.shape[0]):
            give(tile.highest[v], tally.highest[v], first)
            give(tile.lowest[v], tally.lowest[v], first)
    count = tile.total
    if strays:
        take(count, tally.disturbed, first, 0.0)
        for v in range(tile.x.shape[0]):
            for j in range(count.size):
                count[j] += 1.0 if is_stray(tile.x[v, j], before[v, j], v, addressed) else 0.0
        give(count, tally.disturbed, first)
    if met:
        take(count, tally.bound, first, 0.0)
        for v in range(tile.x.shape[0]):
            for j in range(count.size):
                at_bound = is_at_bound(tile.x[v, j], lower[v], upper[v], tile.drive[j], addressed)
                count[j] += 1.0 if at_bound else 0.0
        give(count, tally.bound, first)
