"""A tile of elements: loaded into scratch, carried through a step, recorded, put back.

A tile is scratch memory of a shape that is known at compile time; so the
compiler keeps its states in vector registers for a whole pulse. What works on a
tile is therefore put into the kernel before that is optimised
(:func:`~memsim.kernels.compiling.inlined`). The steps are templates: their open
names are bound for each device model by :mod:`memsim.kernels.stepping`.
"""

from collections.abc import Callable

from .compiling import inlined

WIDE = 64  # elements: eight vectors of eight, enough to hide how long one operation takes
NARROW = 16  # for the last few elements, and for small banks

ANY_VARIABLE = -1  # every variable may move
NO_VARIABLE = -2  # no variable may move: a READ

# Open names of the templates.
drift: Callable
output: Callable
advance: Callable
VARIABLES: int


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


def step_tile(tile, start, end, p, lower, upper, dt):
    """One step of a tile of a model with one state variable, with the voltages after it and their sum."""
    x, _, _, voltage, total = tile
    for j in range(x.shape[1]):
        moved = advance(x[0, j], start[0, j], end[0, j], p, lower[0], upper[0], dt)
        response = output(moved, end[0, j], p)
        x[0, j] = moved
        voltage[0, j] = response
        total[0, j] += response


def euler_tile(tile, start, end, p, lower, upper, dt):
    """One step of explicit Euler for a tile of a model with several state variables."""
    x, rate, _, _, _ = tile
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            rate[v, j] = x[v, j] + dt * drift(v, x, j, start[0, j], p)
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            moved = lower[v] if rate[v, j] < lower[v] else rate[v, j]
            x[v, j] = upper[v] if moved > upper[v] else moved


def heun_tile(tile, start, end, p, lower, upper, dt):
    """One step of Heun's method for a tile of a model with several state variables."""
    x, rate, ahead, _, _ = tile
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            rate[v, j] = drift(v, x, j, start[0, j], p)
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            moved = x[v, j] + dt * rate[v, j]
            moved = lower[v] if moved < lower[v] else moved
            ahead[v, j] = upper[v] if moved > upper[v] else moved
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            rate[v, j] += drift(v, ahead, j, end[0, j], p)
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            moved = x[v, j] + (0.5 * dt) * rate[v, j]
            moved = lower[v] if moved < lower[v] else moved
            x[v, j] = upper[v] if moved > upper[v] else moved


def step_tile_of_several(tile, start, end, p, lower, upper, dt):
    """:func:`step_tile` for a model with several state variables."""
    advance(tile, start, end, p, lower, upper, dt)
    x, _, _, voltage, total = tile
    for j in range(x.shape[1]):
        response = output(x, j, end[0, j], p)
        voltage[0, j] = response
        total[0, j] += response


def conduct(tile, drive, p):
    """The voltages of a tile of a model with one state variable."""
    x, _, _, voltage, _ = tile
    for j in range(x.shape[1]):
        voltage[0, j] = output(x[0, j], drive[0, j], p)


def conduct_of_several(tile, drive, p):
    """The voltages of a tile of a model with several state variables."""
    x, _, _, voltage, _ = tile
    for j in range(x.shape[1]):
        voltage[0, j] = output(x, j, drive[0, j], p)


def find_moving(x, drive, p, moves):
    """Which elements of a tile have a drift that is not zero, as 1 and 0, and whether any has."""
    moving = 0
    for j in range(x.shape[1]):
        moves[0, j] = 1.0 if drift(x[0, j], drive[0, j], p) != 0.0 else 0.0
        moving |= drift(x[0, j], drive[0, j], p) != 0.0
    return moving != 0


def find_moving_of_several(x, drive, p, moves):
    """:func:`find_moving` for a model with several state variables."""
    moving = 0
    for j in range(x.shape[1]):
        moves[0, j] = 0.0
    for v in range(VARIABLES):
        for j in range(x.shape[1]):
            moves[0, j] = 1.0 if drift(v, x, j, drive[0, j], p) != 0.0 else moves[0, j]
            moving |= drift(v, x, j, drive[0, j], p) != 0.0
    return moving != 0


@inlined
def fill(values, given, padding):
    """Copy what is given to the front of a tile's values, and pad the rest."""
    rest = values[given.size :]
    for j in range(given.size):
        values[j] = given[j]
    for j in range(rest.size):
        rest[j] = padding


@inlined
def load_tile(states, x, first, count, padding):
    """Load a tile of states; the last tile is padded, so that all loops have one length."""
    for v in range(x.shape[0]):
        fill(x[v], states[v, first : first + count], padding[v])


@inlined
def load_drive(values, drive, first, count):
    """Load a tile's drive; padding elements get none."""
    fill(drive[0], values[first : first + count], 0.0)


@inlined
def clear(values):
    """Set a tile's values to 0."""
    for j in range(values.shape[1]):
        values[0, j] = 0.0


@inlined
def store_tile(states, x, first, count, addressed, disturbed):
    """Put a tile's states back, and count variables that moved without being addressed."""
    moved = disturbed[first : first + count]
    for v in range(x.shape[0]):
        part = states[v, first : first + count]
        if addressed not in (v, ANY_VARIABLE):
            for j in range(count):
                moved[j] += 1.0 if x[v, j] != part[j] else 0.0
        for j in range(count):
            part[j] = x[v, j]


@inlined
def store_totals(tile, drive, moves, first, count, steps, dt, voltages, energies):
    """Put a tile's last voltages and its energies back.

    The energy is I * dt times the sum of the voltages; of an element that does
    not drift, ``steps`` times its one voltage, which is the same to the bit
    whether its tile is stepped or not.
    """
    _, _, _, voltage, total = tile
    for j in range(drive.shape[1]):
        total[0, j] = total[0, j] if moves[0, j] == 1.0 else steps * voltage[0, j]
    last = voltages[first : first + count]
    energy = energies[first : first + count]
    for j in range(count):
        last[j] = voltage[0, j]
        energy[j] += drive[0, j] * dt * total[0, j]


@inlined
def record(values, row, first, count):
    """Write a tile's values into a row of the trace."""
    part = row[first : first + count]
    for j in range(count):
        part[j] = values[j]


@inlined
def record_states(x, row_states, row, first, count):
    """Write a tile's states into a row of the trace, (variables, rows, elements)."""
    for v in range(x.shape[0]):
        record(x[v], row_states[v, row], first, count)
