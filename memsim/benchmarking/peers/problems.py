"""The problems: banks of three devices under one train of rectangular current pulses, as plain numbers.

Each tool writes the devices' equations in its own language, and takes these numbers. The starting states, the
currents and the length of a pulse are such that no state meets a bound: so no tool has to look for one.
"""

from dataclasses import dataclass

import numpy as np

PULSES = 10  # even ones go up, odd ones come down


@dataclass(frozen=True)
class Device:
    """A device under test; a state is x.

    Attributes
    ----------
    parameters : dict
        SI units; names as in :mod:`memsim.devices`.
    states, currents : (float, float)
        Ranges of the starting states, and of the currents of even pulses in A.
    back : float
        Current of odd pulses, as a share of that of even ones: they go the other way.
    pulse : float
        Length of a pulse in s.
    span : (float, float)
        Bounds of the state; errors are shares of their distance.
    """

    parameters: dict[str, float]
    states: tuple[float, float]
    currents: tuple[float, float]
    back: float
    pulse: float
    span: tuple[float, float]

    @property
    def scale(self) -> float:
        """The distance of the bounds, in the state's unit."""
        return self.span[1] - self.span[0]


DEVICES = {
    # dx/dt = k i (1 - (2x - 1)**2), HP's device with Joglekar's window.
    "ion-drift": Device(
        {"mobility": 1e-14, "r_on": 100.0, "thickness": 10e-9, "k": 1e4},
        states=(0.2, 0.6), currents=(1e-4, 2e-4), back=0.6, pulse=0.1, span=(0.0, 1.0),
    ),
    # v = i (r_on + (r_off - r_on) x / x_off); beyond v_off, dx/dt = k_off (v/v_off - 1) exp(-exp((x - x_off)/w_c));
    # beyond v_on, dx/dt = k_on (v/v_on - 1)**3 exp(-exp(-x/w_c)).
    "vteam": Device(
        {
            "r_on": 100.0, "r_off": 2500.0, "x_off": 10e-9, "v_off": 0.5, "v_on": -0.53, "k_off": 4.03e-8,
            "k_on": -4.03e-8, "w_c": 107e-12,
        },
        states=(4e-9, 6e-9), currents=(1.2e-3, 1.8e-3), back=0.6, pulse=5e-3, span=(0.0, 10e-9),
    ),
    # dx/dt = k sign(i) max(|i| - threshold, 0), the synapse of 'Perceptrons from Memristors'.
    "synapse": Device(
        {"r_on": 100.0, "r_off": 10e3, "mobility": 1e-14, "thickness": 10e-9, "k": 9.9e7, "threshold": 1e-3},
        states=(-2000.0, 2000.0), currents=(1.3e-3, 2e-3), back=0.9, pulse=5e-3, span=(-4950.0, 4950.0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """A bank of one device, with its train.

    Attributes
    ----------
    device : str
        A name of :data:`DEVICES`.
    starts, currents : (devices,) float64
        Starting states, and currents of even pulses in A.
    """

    device: str
    starts: np.ndarray
    currents: np.ndarray

    @property
    def about(self) -> Device:
        """What is known of the device."""
        return DEVICES[self.device]

    @property
    def devices(self) -> int:
        """How many."""
        return len(self.starts)

    @property
    def factors(self) -> tuple[float, ...]:
        """Of the currents in each pulse."""
        return tuple(1.0 if pulse % 2 == 0 else -self.about.back for pulse in range(PULSES))

    def part(self, first: int, count: int) -> "Problem":
        """So many of the devices alone, from one on."""
        own = slice(first, first + count)
        return Problem(self.device, self.starts[own], self.currents[own])

    def error(self, states: np.ndarray, right: np.ndarray) -> float:
        """The largest error of a state, as a share of the distance of its bounds."""
        return float(np.abs(states - right).max()) / self.about.scale


def problem_of(device: str, devices: int) -> Problem:
    """The problem with so many devices; the same numbers whenever it is asked for."""
    about, random = DEVICES[device], np.random.default_rng(devices)
    return Problem(device, random.uniform(*about.states, devices), random.uniform(*about.currents, devices))
