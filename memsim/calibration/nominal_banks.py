"""Banks of devices that the controller writes by their model: what suits them, and their currents.

The paper's synapse and node drift by the current alone, so that a change of
their state is a charge. Any other device is written from its measured state
(:mod:`memsim.kernels.state_dependent`); so are the paper's, where writes or
RESTOREs are to be verified.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration.sections import Configuration
from ..devices import MODELS, UNBOUNDED, Device, Synapse
from ..errors import InputError
from ..kernels.nominal import Quantity, answer_kernel
from ..kernels.operands import Question, Questions
from ..kernels.records import Packed, from_python
from ..kernels.searching import ASK_MANY
from ..kernels.stepping import ModelFunctions, method_of
from ..terminal.preparing import prepare

GRID = 33  # states at which a model is looked at
LEAST_CURRENT, MOST_CURRENT = 1e-15, 1e3  # A, between which thresholds and amplitudes are searched
EDGE = 1e-3  # of the range: windows are looked at beside the bounds, not at them


@dataclass(frozen=True)
class Modelled:
    """What the controller knows of a bank that it writes by the model, beside :class:`~memsim.calibration`'s.

    Attributes
    ----------
    lower, upper : float
        Bounds of the state, in its unit.
    reference : float
        Of a synapse: the resistor in ohm whose voltage is subtracted from the device's; its weight is 0 there.
    ohm_per_weight : float
        Of a synapse: 1/B in ohm.
    polarity : float
        1 where a positive current raises the state, -1 where it lowers it.
    fall_current : float
        Amplitude in A of a train's pulses that lower the state; those that raise it have ``write_current``.
    moves : bool
        Whether any READ moves the state.
    kept_bias : bool
        Of nodes: RESTOREs are verified, and the controller keeps the bias weights.
    """

    lower: float
    upper: float
    reference: float
    ohm_per_weight: float
    polarity: float
    fall_current: float
    moves: bool
    kept_bias: bool


def is_modelled(config: Configuration, device: Device) -> bool:
    """Whether the controller writes a device by its model."""
    if not device.by_charge or config.write.verify > 0:
        return True
    return config.network.verifies_restores


class NominalDevice:
    """A device model with its nominal parameters, as the controller calculates with it.

    Parameters
    ----------
    device : Device
    role : str
        The field of the configuration, for errors.

    Raises
    ------
    InputError
        The model cannot be a synapse or a node.
    """

    def __init__(self, device: Device, role: str) -> None:
        self.device, self.role = device, role
        self.functions: ModelFunctions = device.functions()
        self.parameters = tuple(float(value) for value in device.kernel_parameters())
        variables = device.state_variables()
        if len(variables) != 1 or self.functions.memristance is None or variables[0].upper >= UNBOUNDED:
            suitable = [name for name, model in MODELS.items() if _suits(model)]
            raise self._unsuitable(
                "one bounded state and a voltage of memristance times current", f"take one of {', '.join(suitable)}"
            )
        self.lower, self.upper = float(variables[0].lower), float(variables[0].upper)
        self._refuse_flat_memristance()

    def _unsuitable(self, wanted: str, advice: str) -> InputError:
        return InputError(f"{self.role}.model: must have {wanted} (got {self.model!r}); {advice}")

    def _refuse_flat_memristance(self) -> None:
        steps = np.diff(self.memristances(np.linspace(self.lower, self.upper, GRID)))
        if not ((steps > 0).all() or (steps < 0).all()):
            raise self._unsuitable(
                "a memristance that rises or falls over the whole range of the state", "a state could not be told by it"
            )

    @property
    def middle(self) -> float:
        """The middle of the state's range."""
        return 0.5 * (self.lower + self.upper)

    @property
    def range(self) -> float:
        """The state's range."""
        return self.upper - self.lower

    @property
    def ends(self) -> tuple[float, float]:
        """The memristances in ohm at the lower and the upper bound."""
        return self.memristance(self.lower), self.memristance(self.upper)

    def ask(self, what: Quantity, x: Any, y: Any = 0.0, z: Any = 0.0, **pulse: Any) -> np.ndarray:
        """What the model says of devices, as the controller asks it; arrays of any shape.

        Parameters
        ----------
        what : Quantity
        x, y, z : array_like of float64
            States in their unit, memristances in ohm, currents in A: as ``what`` says.
        **pulse
            Fields of :class:`~memsim.kernels.operands.Question`, where a pulse is asked for.

        Returns
        -------
        array of float64
        """
        x, y, z = (np.array(each, dtype=np.float64) for each in np.broadcast_arrays(x, y, z))
        found, kernel = np.empty(x.shape), answer_kernel(self.functions)
        prepare([ASK_MANY, kernel])
        question = Question(np.array(self.parameters), np.zeros(2), self.lower, self.upper)._replace(**pulse)
        asked = Questions(question, kernel.address, what, x.ravel(), y.ravel(), z.ravel(), found.ravel())
        from_python(ASK_MANY)(Packed(asked))
        return found

    def effect(self, x: Any, current: Any, steps: int, dt: float, integrator: str) -> np.ndarray:
        """How far pulses of some steps of dt carry states."""
        heun = method_of(self.functions, integrator) == "heun"
        return self.ask(Quantity.EFFECT, x, current, heun=heun, steps=steps, dt=dt)

    def memristance(self, x: float) -> float:
        """Memristance in ohm."""
        return float(self.memristances(x))

    def drift(self, x: float, current: float) -> float:
        """The state's drift in its unit a second."""
        return float(self.ask(Quantity.DRIFT, x, current))

    @property
    def model(self) -> str:
        """The model's name."""
        return self.device.model

    def memristances(self, states: np.ndarray | float) -> np.ndarray:
        """Memristances in ohm of states, an array of any shape."""
        return self.ask(Quantity.MEMRISTANCE, states)

    def states_of(self, resistances: np.ndarray) -> np.ndarray:
        """The states that have memristances, an array of any shape."""
        return self.ask(Quantity.STATE, resistances)

    @functools.cached_property
    def polarity(self) -> float:
        """1 where a positive current raises the state, -1 where it lowers it."""
        up, down = (self._first_motion(sign) for sign in (1.0, -1.0))
        if up * down >= 0.0:
            raise self._unsuitable("a drift in both directions", "a weight must be able to grow and to shrink")
        return float(np.sign(up))

    def _first_motion(self, sign: float) -> float:
        """The drift at mid range that the smallest of growing currents adds to the drift at rest."""
        current, at_rest = LEAST_CURRENT, self.drift(self.middle, 0.0)
        while current < MOST_CURRENT:
            drift = self.drift(self.middle, sign * current) - at_rest
            if drift != 0.0:
                return drift
            current *= 2.0
        return 0.0

    @functools.cached_property
    def dead_zone(self) -> float:
        """The largest current in A that moves no state, in either direction; 0 where any current does."""
        states = np.linspace(self.lower + EDGE * self.range, self.upper - EDGE * self.range, 9)
        states = np.concatenate([states, [self.lower, self.upper]])
        least = min(self._thresholds(states, sign).min() for sign in (1.0, -1.0))
        return float(least) if least > LEAST_CURRENT else 0.0

    def _thresholds(self, states: np.ndarray, sign: float) -> np.ndarray:
        """The largest current of one sign that does not move each state; infinite where none does."""
        high = np.full(states.shape, LEAST_CURRENT)
        rests = self.ask(Quantity.DRIFT, states, sign * high) == 0.0
        while (rests & (high <= MOST_CURRENT)).any():
            high = np.where(rests & (high <= MOST_CURRENT), 2.0 * high, high)
            rests = self.ask(Quantity.DRIFT, states, sign * high) == 0.0
        low = np.where(high > LEAST_CURRENT, 0.5 * high, 0.0)
        found = (high > MOST_CURRENT) | (high == LEAST_CURRENT)  # what the least current moves has no dead zone
        while not found.all():
            middle = 0.5 * (low + high)
            found |= (high - low <= 1e-14 * high) | (middle == low) | (middle == high)
            rests = self.ask(Quantity.DRIFT, states, sign * middle) == 0.0
            low, high = np.where(rests & ~found, middle, low), np.where(rests | found, high, middle)
        return np.where(high > MOST_CURRENT, np.inf, low)

    def current_for(self, speed: float, sign: float) -> float:
        """The magnitude in A that moves a state at mid range at a speed; ``sign`` 1 raises it, -1 lowers it."""
        low, high = 0.0, LEAST_CURRENT
        while sign * self.drift(self.middle, sign * self.polarity * high) < speed:
            low, high = high, 2.0 * high
            if high > MOST_CURRENT:
                raise InputError(
                    f"{self.role}: no current below {MOST_CURRENT:g} A moves the state at mid range at {speed:.4g} a "
                    f"second, as a write asks for; take a longer time.write_steps"
                )
        for _ in range(200):
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
            reached = sign * self.drift(self.middle, sign * self.polarity * middle) >= speed
            low, high = (low, middle) if reached else (middle, high)
        return high


def _suits(model: type[Device]) -> bool:
    """Whether a model with its default parameters can be a synapse."""
    try:
        device: Any = model()
        functions, variables = device.functions(), device.state_variables()
    except (InputError, TypeError):
        return False
    return functions.memristance is not None and len(variables) == 1 and variables[0].upper < UNBOUNDED


@functools.lru_cache(maxsize=64)
def nominal_of(device: Device, role: str) -> NominalDevice:
    """The :class:`NominalDevice` of a device, made once."""
    return NominalDevice(device, role)


def moves_in_read(config: Configuration, layer: int) -> bool:
    """Whether READs of a layer's modelled synapses move them, so that a RESTORE follows each."""
    device, role = config.devices.of_layer("synapse", layer)
    if isinstance(device, Synapse):  # whose threshold is calibrated, or refused
        return False
    return nominal_of(device, role).dead_zone == 0.0
