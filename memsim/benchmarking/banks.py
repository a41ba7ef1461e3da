"""A bank of each device model, with states and currents that keep every driven device moving."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..devices import Device, IonDrift, Node, PershinDiVentra, Synapse, Team, ThresholdMemristor, Vteam, Yakopcic

STRETCH = 1000  # devices that are driven side by side where activity comes in stretches


@dataclass(frozen=True)
class Bench:
    """A device model under test.

    Attributes
    ----------
    device : Device
    dt : float
        Step in s.
    currents : tuple of (float, float)
        Ranges that amplitudes are drawn from, in A; beyond the threshold, or
        within a window.
    states : tuple of (float, float)
        Range of each state variable that starting states are drawn from.
    """

    device: Device
    dt: float
    currents: tuple[tuple[float, float], ...]
    states: tuple[tuple[float, float], ...]

    @property
    def model(self) -> str:
        """The model's name in :data:`memsim.devices.MODELS`."""
        return str(self.field("model"))

    def field(self, name: str) -> Any:
        """A parameter of the device."""
        return getattr(self.device, name)


_MEMRISTOR = ThresholdMemristor(inputs=2, thresholds=(0.02, 0.03, 0.045), window=0.01)

BENCHES: dict[str, Bench] = {
    "synapse": Bench(Synapse(threshold=1e-3), 2.5e-4, ((1.2e-3, 2e-3),), ((-4000.0, 4000.0),)),
    "node": Bench(Node(threshold=2e-4), 2.5e-4, ((3e-4, 6e-4),), ((-4e-9, 4e-9),)),
    "threshold-memristor": Bench(
        _MEMRISTOR,
        2.5e-4,
        ((0.021, 0.029), (0.031, 0.039), (0.046, 0.054)),
        ((-2.0, 2.0), (-2.0, 2.0), (-2.0, 2.0), (100.0, 200.0)),
    ),
    "ion-drift": Bench(IonDrift(window="joglekar"), 2.5e-4, ((1e-4, 2e-4),), ((0.1, 0.9),)),
    "team": Bench(Team(), 1e-6, ((2e-4, 3e-4),), ((1e-9, 2e-9),)),
    # So short a step follows the fast way on; beyond 5.3 mA a device is past its thresholds in any state.
    "vteam": Bench(Vteam(), 1e-13, ((6e-3, 9e-3),), ((2e-9, 8e-9),)),
    "yakopcic": Bench(Yakopcic(x_min=0.01), 1e-9, ((4e-3, 6e-3),), ((0.2, 0.8),)),
    # Beyond 1.6 mA a device is past its threshold in any state.
    "pershin-di-ventra": Bench(PershinDiVentra(), 1e-16, ((2e-3, 3e-3),), ((2e3, 8e3),)),
}


class Bank:
    """The arrays of a bank.

    Parameters
    ----------
    bench : Bench
    elements : int
        Devices.
    active : float
        Share of the devices that are driven.
    stretches : bool
        Driven devices lie side by side, else they are spread evenly.

    Attributes
    ----------
    states : (variables, elements) float64
    currents : (2, elements) float64
        Of even pulses and of odd ones, which have the opposite sign, in A.
    parameters, lower, upper : arrays
        As :class:`memsim.kernels.operands.Job` has them.
    voltages, energies : (elements,) float64
        What references keep as well, in V and J.
    counted, extremes : (4, elements), (2, variables, elements) float64
        What only the kernel keeps: peak currents, disturbs, states at a bound and stalled; highest and lowest states.
    """

    def __init__(self, bench: Bench, elements: int, active: float = 1.0, stretches: bool = False) -> None:
        random = np.random.default_rng(elements)
        self.bench, self.elements = bench, elements
        self.states = np.array([random.uniform(low, high, elements) for low, high in bench.states])
        ranges = np.array(bench.currents)[random.integers(0, len(bench.currents), elements)]
        amplitudes = random.uniform(ranges[:, 0], ranges[:, 1])
        amplitudes[~_driven(elements, active, stretches)] = 0.0
        self.currents = np.array([amplitudes, -amplitudes])
        variables = bench.device.state_variables()
        self.parameters = np.array(bench.device.kernel_parameters())
        self.lower = np.array([variable.lower for variable in variables])
        self.upper = np.array([variable.upper for variable in variables])
        self.voltages, self.energies = np.zeros((2, elements))
        self.counted = np.zeros((4, elements))
        self.extremes = np.array([self.states, self.states])

    def copy(self) -> "Bank":
        """A copy of the bank, with arrays of its own."""
        other = object.__new__(Bank)
        values = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}
        vars(other).update(values)
        return other


def _driven(elements: int, active: float, stretches: bool) -> np.ndarray:
    """Which devices are driven, (elements,) bool."""
    places = np.arange(elements)
    if stretches:
        places = places // STRETCH
    return np.floor((places + 1) * active) > np.floor(places * active)
