"""Carriers: sampled sines and codes that tell the variables of one device apart.

Over a WRITE of N steps all carriers c_i have the mean 0, the same mean square,
and are orthogonal to each other:

- sine: c_i(n) = sin(2 pi p_i n / N) with different whole numbers of periods
  p_i below N/2, so N/2 - 1 of them at most; mean square 1/2;
- code: rows of a Hadamard matrix without the row of ones, each chip as many
  steps as it takes to fill the pulse; L - 1 of them for L chips; mean square 1.
"""

import math

import numpy as np

from ..configuration.sections import Configuration, Timing
from ..devices import CarrierMemristor
from ..errors import InputError

MOST_CHIPS = 1024  # of a code: the matrix of so many has 8 MB


def carriers_of(device: CarrierMemristor, time: Timing) -> np.ndarray:
    """The carriers of the weights and the bias from a slot's start on, (inputs + 1, steps of the longer slot)."""
    steps = max(time.read, time.write)
    if device.carriers == "sine":
        return sines(device.every_period, time.write, steps)
    return codes(device.inputs + 1, time.write, steps)


def sines(periods: tuple[float, ...], pulse_steps: int, steps: int) -> np.ndarray:
    """Sines with a number of periods each in a pulse, (carriers, steps)."""
    # The phase is reduced before it is multiplied by pi: whole periods repeat to the bit.
    angles = [[2.0 * math.pi * (p * n % pulse_steps / pulse_steps) for n in range(steps)] for p in periods]
    return np.array([[math.sin(angle) for angle in row] for row in angles])


def codes(count: int, pulse_steps: int, steps: int) -> np.ndarray:
    """Codes of +-1 that fill a pulse and then begin anew, (count, steps)."""
    chips = chips_of(pulse_steps)
    rows = hadamard(chips)[1 : count + 1]
    # Of the memory layout of sines: for another one Numba would compile the whole loop once more.
    return np.ascontiguousarray(rows[:, np.arange(steps) % pulse_steps // (pulse_steps // chips)])


def chips_of(pulse_steps: int) -> int:
    """The largest order of a Hadamard matrix from :func:`hadamard` that divides a pulse, ``MOST_CHIPS`` at most."""
    orders = range(min(pulse_steps, MOST_CHIPS), 0, -1)
    return next(order for order in orders if pulse_steps % order == 0 and is_order(order))


def is_order(order: int) -> bool:
    """Whether :func:`hadamard` has a matrix of an order."""
    return order in (1, 2) or (order % 4 == 0 and (_is_prime(order - 1) or is_order(order // 2)))


def hadamard(order: int) -> np.ndarray:
    """A Hadamard matrix of an order, (order, order) of +-1.0; its first row is ones, so the others add up to 0.

    Paley's first construction where the order less 1 is a prime, else
    Sylvester's doubling (Paley, J. Math. Phys. 12, 311 (1933)).
    """
    if order == 1:
        return np.ones((1, 1))
    if order > 2 and _is_prime(order - 1):
        return _paley(order - 1)
    return np.kron([[1.0, 1.0], [1.0, -1.0]], hadamard(order // 2))


def _paley(prime: int) -> np.ndarray:
    """Paley's matrix of order prime + 1, for a prime that is 3 more than a multiple of 4."""
    places = np.arange(prime)
    squares = np.isin(places, places**2 % prime)
    # The quadratic character: 1 of squares, -1 of others; on the diagonal, of 0, it is -1 here.
    character = np.where(squares & (places > 0), 1.0, -1.0)
    matrix = np.ones((prime + 1, prime + 1))
    matrix[1:, 1:] = character[(places[None, :] - places[:, None]) % prime]
    return matrix


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def refuse_carriers(config: Configuration, device: CarrierMemristor) -> None:
    """Refuse pulses that have too few carriers, or no whole number of their periods.

    Raises
    ------
    InputError
    """
    count, steps = device.inputs + 1, config.time.write
    room = (steps - 1) // 2 if device.carriers == "sine" else chips_of(steps) - 1
    if count > room:
        raise InputError(
            f"time.write_steps: a pulse of {steps} steps has room for {room} (devices.memristor.carriers = "
            f"{device.carriers!r}), and the weights and the bias need {count}; {_advice(device, count)}"
        )
    if device.carriers == "sine":
        _refuse_periods(config, device)
    elif device.whole_periods and config.time.read % steps:
        raise InputError(
            f"time.pulse_steps: must be a multiple of time.write_steps = {steps}, the length of a code, or READs "
            f"disturb the weights (got {config.time.read}); devices.memristor.whole_periods = false allows it"
        )


def _advice(device: CarrierMemristor, count: int) -> str:
    if device.carriers == "sine":
        return f"take {2 * count + 1} steps or more"
    if count >= MOST_CHIPS:
        return f"codes have {MOST_CHIPS - 1} at most: take devices.memristor.carriers = 'sine'"
    return f"take {next(order for order in range(count + 1, 4 * count + 4) if is_order(order))} steps, or a multiple"


def _refuse_periods(config: Configuration, device: CarrierMemristor) -> None:
    """Refuse sines that dt does not sample twice a period, and parts of a period in a pulse."""
    read, write = config.time.read, config.time.write
    largest = max(device.every_period)
    if largest >= 0.5 * write:
        raise InputError(
            f"devices.memristor.periods: must be below {0.5 * write:g}, half of time.write_steps, or dt does not "
            f"sample them (got {largest:g})"
        )
    for period in device.every_period if device.whole_periods else ():
        for name, steps in (("write_steps", write), ("pulse_steps", read)):
            if period * steps % write:
                raise InputError(
                    f"devices.memristor.periods: must be whole numbers of periods in a pulse of time.{name} = {steps}, "
                    f"or variables disturb each other, and READs the weights (got {period * steps / write:g}); "
                    f"devices.memristor.whole_periods = false allows it"
                )
