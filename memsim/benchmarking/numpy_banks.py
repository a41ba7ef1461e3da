"""The stepping kernel as a careful person writes it in NumPy: whole arrays in place, all that is constant taken out.

Each stepper has the arrays that it needs for one bank. ``step`` carries the
states one step on and leaves the voltages in ``voltages``; explicit Euler.
"""

from collections.abc import Callable

import numpy as np

from .banks import Bank

Step = Callable[[], None]


def numpy_pulses(bank: Bank, count: int, steps: int) -> None:
    """Carry a bank through pulses; the two rows of its currents take turns."""
    make = STEPPERS[bank.bench.model]
    total = np.empty(bank.elements)
    for k in range(count):
        current = bank.currents[k % 2]
        step = make(bank, current)
        total.fill(0.0)
        for _ in range(steps):
            step()
            total += bank.voltages
        total *= current
        total *= bank.bench.dt
        bank.energies += total


def _within(states: np.ndarray, lower: float, upper: float) -> None:
    np.maximum(states, lower, out=states)
    np.minimum(states, upper, out=states)


def _raise(rate: np.ndarray, where: np.ndarray, alpha: int) -> None:
    """Rates of some devices to an integer power, by multiplications: ``**`` takes ten times as long."""
    base = rate if where.size == rate.size else rate[where]
    result = base.copy()
    for _ in range(alpha - 1):
        result *= base
    rate[where] = result


def _over(current: np.ndarray, threshold: float) -> np.ndarray:
    """How far currents lie beyond the threshold, with their sign."""
    return np.copysign(np.maximum(np.abs(current) - threshold, 0.0), current)


def _synapse(bank: Bank, current: np.ndarray) -> Step:
    k, threshold = bank.parameters
    x, moved = bank.states[0], bank.bench.dt * (k * _over(current, threshold))

    def step() -> None:
        np.add(x, moved, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, current, out=bank.voltages)

    return step


def _node(bank: Bank, current: np.ndarray) -> Step:
    k, threshold, r_on, r_off, thickness = bank.parameters
    x, moved = bank.states[0], bank.bench.dt * (k * _over(current, threshold))
    middle, slope = 0.5 * (r_on + r_off), (r_off - r_on) / thickness

    def step() -> None:
        np.add(x, moved, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, -slope, out=bank.voltages)
        bank.voltages += middle
        bank.voltages *= current

    return step


def _ion_drift(bank: Bank, current: np.ndarray) -> Step:
    k, r_off, difference = bank.parameters
    x, most, window = bank.states[0], bank.bench.dt * (k * current), np.empty(bank.elements)
    exponent = bank.bench.field("exponent")

    def step() -> None:
        np.multiply(x, 2.0, out=window)
        np.subtract(window, 1.0, out=window)
        np.multiply(window, window, out=window)
        if exponent > 1:
            np.power(window, exponent, out=window)
        np.subtract(1.0, window, out=window)
        np.multiply(window, most, out=window)
        np.add(x, window, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, -difference, out=bank.voltages)
        bank.voltages += r_off
        bank.voltages *= current

    return step


def _team(bank: Bank, current: np.ndarray) -> Step:
    """The current decides the rate, so only the window changes in a pulse."""
    r_0, slope, per_off, k_off, per_on, k_on, a_off, a_on, steepness = bank.parameters
    x, grows = bank.states[0], current > 0.0
    over_off, over_on = (np.maximum(current * per - 1.0, 0.0) for per in (per_off, per_on))
    alpha_off, alpha_on = bank.bench.field("alpha_off"), bank.bench.field("alpha_on")
    most = bank.bench.dt * (k_off * over_off**alpha_off + k_on * over_on**alpha_on)
    sign, place = np.where(grows, steepness, -steepness), np.where(grows, a_off, -a_on)
    window, voltages = np.empty(bank.elements), bank.voltages

    def step() -> None:
        _kvatinsky(x, sign, place, window)
        np.multiply(window, most, out=window)
        np.add(x, window, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, slope, out=voltages)
        np.add(voltages, r_0, out=voltages)
        np.multiply(voltages, current, out=voltages)

    return step


def _kvatinsky(x: np.ndarray, sign: np.ndarray, place: np.ndarray, window: np.ndarray) -> None:
    np.multiply(x, sign, out=window)
    np.subtract(window, place, out=window)
    np.exp(window, out=window)
    np.negative(window, out=window)
    np.exp(window, out=window)


def _vteam(bank: Bank, current: np.ndarray) -> Step:
    r_0, slope, per_off, k_off, per_on, k_on, a_off, a_on, steepness = bank.parameters
    x, alpha_off, alpha_on = bank.states[0], bank.bench.field("alpha_off"), bank.bench.field("alpha_on")
    # The voltage has the current's sign, so each device's direction is known for the whole pulse.
    grows = current > 0.0
    per_threshold, sign = np.where(grows, per_off, per_on), np.where(grows, steepness, -steepness)
    speed = bank.bench.dt * np.where(grows, k_off, k_on)
    place = np.where(grows, a_off, -a_on)
    alphas = {alpha: np.flatnonzero(which) for alpha, which in ((alpha_off, grows), (alpha_on, ~grows))}
    alphas = {alpha: where for alpha, where in alphas.items() if alpha > 1 and where.size}
    rate, window = np.empty(bank.elements), np.empty(bank.elements)
    voltages = bank.voltages
    np.multiply(r_0 + slope * x, current, out=voltages)

    def step() -> None:
        np.multiply(voltages, per_threshold, out=rate)
        np.subtract(rate, 1.0, out=rate)
        np.maximum(rate, 0.0, out=rate)
        for alpha, where in alphas.items():
            _raise(rate, where, alpha)
        _kvatinsky(x, sign, place, window)
        np.multiply(rate, window, out=rate)
        np.multiply(rate, speed, out=rate)
        np.add(x, rate, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, slope, out=voltages)
        np.add(voltages, r_0, out=voltages)
        np.multiply(voltages, current, out=voltages)

    return step


def _yakopcic(bank: Bank, current: np.ndarray) -> Step:
    a_1, a_2, _, per_b, a_p, a_n, v_p, v_n, alpha_p, alpha_n, x_p, x_n, per_p, per_n, _ = bank.parameters
    x, grows, size = bank.states[0], current > 0.0, np.abs(current)
    # The voltage has the current's sign, so each device's direction, with eta = 1, is known for the whole pulse.
    share = size / np.where(grows, a_1, a_2)
    speed = bank.bench.dt * np.where(grows, a_p, -a_n)
    at_threshold = np.exp(np.where(grows, v_p, v_n))
    sign, place = np.where(grows, 1.0, -1.0), np.where(grows, x_p, -x_n)
    alpha, per_width = np.where(grows, -alpha_p, -alpha_n), np.where(grows, per_p, per_n)
    volts, rate, window, beyond = np.empty((4, bank.elements))

    def voltage() -> None:
        np.divide(share, x, out=volts)
        np.arcsinh(volts, out=volts)
        np.multiply(volts, per_b, out=volts)

    def step() -> None:
        np.exp(volts, out=rate)
        np.subtract(rate, at_threshold, out=rate)
        np.maximum(rate, 0.0, out=rate)
        np.multiply(x, sign, out=beyond)
        np.subtract(beyond, place, out=beyond)
        np.maximum(beyond, 0.0, out=beyond)
        np.multiply(alpha, beyond, out=window)
        np.exp(window, out=window)
        np.multiply(rate, window, out=rate)
        np.multiply(beyond, per_width, out=beyond)
        np.subtract(1.0, beyond, out=beyond)
        np.multiply(rate, beyond, out=rate)
        np.multiply(rate, speed, out=rate)
        np.add(x, rate, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        voltage()
        np.multiply(volts, sign, out=bank.voltages)

    voltage()
    return step


def _pershin_di_ventra(bank: Bank, current: np.ndarray) -> Step:
    alpha, beta, threshold = bank.parameters
    x, below, beyond = bank.states[0], bank.bench.dt * alpha, bank.bench.dt * (beta - alpha)
    voltages, moved = bank.voltages, np.empty(bank.elements)
    np.multiply(x, current, out=voltages)

    def step() -> None:
        np.abs(voltages, out=moved)
        np.subtract(moved, threshold, out=moved)
        np.maximum(moved, 0.0, out=moved)
        np.copysign(moved, voltages, out=moved)
        np.multiply(moved, beyond, out=moved)
        np.multiply(voltages, below, out=voltages)
        np.add(x, moved, out=x)
        np.add(x, voltages, out=x)
        _within(x, bank.lower[0], bank.upper[0])
        np.multiply(x, current, out=voltages)

    return step


def _threshold_memristor(bank: Bank, current: np.ndarray) -> Step:
    per_current, v_0, width, *thresholds = bank.parameters
    weights, bias, rate = bank.states[:-1], bank.states[-2], bank.states[-1]
    size = np.abs(current)
    moved = np.zeros_like(weights)
    for row, threshold in zip(moved, thresholds, strict=True):
        inside = (size >= threshold) & (size < threshold + width)
        row[inside] = (bank.bench.dt * (rate * np.copysign(size - threshold, current)))[inside]
    net, voltages = current * per_current, bank.voltages

    def step() -> None:
        np.add(weights, moved, out=weights)
        _within(weights, bank.lower[0], bank.upper[0])
        np.add(net, bias, out=voltages)
        np.negative(voltages, out=voltages)
        np.exp(voltages, out=voltages)
        np.add(voltages, 1.0, out=voltages)
        np.divide(v_0, voltages, out=voltages)

    return step


STEPPERS: dict[str, Callable[[Bank, np.ndarray], Step]] = {
    "synapse": _synapse,
    "node": _node,
    "threshold-memristor": _threshold_memristor,
    "ion-drift": _ion_drift,
    "team": _team,
    "vteam": _vteam,
    "yakopcic": _yakopcic,
    "pershin-di-ventra": _pershin_di_ventra,
}
