"""Free parameters: where they start, between which bounds, and on which scale the fit moves them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..devices import UNBOUNDED, Device
from ..driving.initial_states import initial_states
from ..errors import InputError
from ..fields import one_of
from ..libraries import load_library

DECADES = 304.0  # of a position, at most: its power is a number
INITIAL = "initial"  # what stands for the starting state among the names of parameters


@dataclass(frozen=True)
class FreeParameter:
    """A parameter that the fit moves.

    Attributes
    ----------
    name, unit : str
    start, lower, upper : float
        In the parameter's unit; a starting state's in shares of its range.
    scale : {"log", "linear"}
        Parameters of one sign are moved by factors, others by shares of their
        range or start.
    state : int
        Index of the state variable, of a starting state; -1 else.
    """

    name: str
    unit: str
    start: float
    lower: float
    upper: float
    scale: Literal["log", "linear"]
    state: int = -1

    @property
    def symbol(self) -> str:
        """What lmfit calls it, which wants plain letters; no field begins with an underscore, as starting states do."""
        plain = self.name.encode("ascii", "backslashreplace").decode()
        return ("_" if self.state >= 0 else "") + re.sub(r"\W", "_", plain)

    @property
    def moved(self) -> str:
        """What lmfit calls its position on the fit's scale."""
        return f"_{'log10' if self.scale == 'log' else 'scaled'}_{self.symbol}"

    @property
    def _size(self) -> float:
        """What the linear scale counts in."""
        if math.isfinite(self.upper - self.lower):
            return self.upper - self.lower
        return abs(self.start) or 1.0

    def position(self, value: float) -> float:
        """Where the fit sees a value: its decimal logarithm, or its share."""
        if self.scale == "linear":
            return value / self._size
        return math.log10(abs(value)) if value else -math.inf

    def slope(self, value: float) -> float:
        """By how much the value moves for a unit of position."""
        return value * math.log(10.0) if self.scale == "log" else self._size

    def add_to(self, parameters: Any) -> None:
        """Have lmfit move its position between its bounds, and derive its value from that."""
        ends = sorted(map(self.position, (self.lower, self.upper)))
        expression = f"{self._size!r} * {self.moved}"
        if self.scale == "log":
            ends[1] = min(ends[1], DECADES)
            expression = f"{'-' if self.start < 0.0 else ''}(10.0 ** {self.moved})"
        parameters.add(self.moved, self.position(self.start), min=ends[0], max=ends[1])
        parameters.add(self.symbol, min=self.lower, max=self.upper, expr=expression)


@dataclass(frozen=True)
class Model:
    """A device whose free parameters the fit moves, and the state it starts from.

    Attributes
    ----------
    device : Device
        With the parameters that are fixed, and the start of those that are free.
    initial : any
        Starting state as a user gives it; where it is free, the fit's start.
    free : tuple of FreeParameter
    """

    device: Device
    initial: Any
    free: tuple[FreeParameter, ...]

    @cached_property
    def parameters(self) -> Any:
        """The parameters as lmfit has them: bounds, positions, and expressions for the values."""
        parameters = load_library("lmfit", "fit", "a fit").Parameters()
        for parameter in self.free:
            parameter.add_to(parameters)
        return parameters

    def put(self, positions: np.ndarray) -> Any:
        """The parameters, put to positions of the fit's scale, (free,)."""
        for parameter, position in zip(self.free, positions, strict=True):
            self.parameters[parameter.moved].value = float(position)
        return self.parameters

    def positions(self, parameters: Any) -> np.ndarray:
        """Where parameters of lmfit are, (free,) float64."""
        return np.array([parameters[parameter.moved].value for parameter in self.free])

    def start(self) -> np.ndarray:
        """The positions of the start, (free,) float64."""
        return np.array([parameter.position(parameter.start) for parameter in self.free])

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """The bounds as positions, (free,) float64 each."""
        moved = [self.parameters[parameter.moved] for parameter in self.free]
        return np.array([each.min for each in moved]), np.array([each.max for each in moved])

    def at(self, positions: np.ndarray) -> tuple[Device, np.ndarray]:
        """The device and its starting states, (variables, 1), at positions of the fit.

        Raises
        ------
        InputError
            Parameters that do not go together.
        """
        parameters = self.put(positions)
        values = {parameter: float(parameters[parameter.symbol].value) for parameter in self.free}
        device = changed(self.device, {p.name: value for p, value in values.items() if p.state < 0})
        shares = {p.state: value for p, value in values.items() if p.state >= 0}
        if len(shares) == len(device.state_variables()):
            states = np.empty((len(shares), 1))
        else:
            states = initial_states(self.initial, device, 1)
        for k, share in shares.items():
            variable = device.state_variables()[k]
            states[k] = variable.lower + share * (variable.upper - variable.lower)
        return device, states


def changed(device: Device, values: Mapping[str, Any]) -> Device:
    """A device with other parameters, checked as any device is."""
    given = {name: getattr(device, name) for name in type(device).model_fields}
    return type(device)(**{**given, **values})


def free_model(
    device: Device, free: Sequence[str], initial: Any, bounds: Mapping[str, tuple[float, float]] | None = None
) -> Model:
    """Check what is to be free.

    Parameters
    ----------
    device : Device
    free : sequence of str
        Names of the device's parameters; "initial" for the starting state, or
        "initial.NAME" for one variable of it.
    initial : any
        As for :func:`memsim.drive`.
    bounds : mapping of str to (lower, upper), optional
        Narrower than the device's.

    Raises
    ------
    InputError
        An unknown or repeated name, a parameter that is no continuous number, a
        start out of its bounds.
    """
    bounds = dict(bounds or {})
    names = _expanded(device, free)
    for name in bounds:
        if name not in names:
            raise InputError(f"bounds.{name}: is for a free parameter; free are {', '.join(names)}")
    states = initial_states(initial, device, 1)
    parameters = []
    for name in names:
        own = _starting_state(device, name, states) if name.startswith(f"{INITIAL}.") else _field(device, name)
        parameters.append(_narrowed(own, bounds.get(name)))
    return Model(device, initial, tuple(parameters))


def _expanded(device: Device, free: Sequence[str]) -> list[str]:
    """The free names, where "initial" alone stands for each state variable."""
    states = [f"{INITIAL}.{variable.name}" for variable in device.state_variables()]
    fields = [name for name in type(device).model_fields if name != "model"]
    names: list[str] = []
    for name in free:
        if name != INITIAL and name not in states and name not in fields:
            raise InputError(f"free: must be {one_of([*fields, INITIAL], name)}")
        names += states if name == INITIAL else [name]
    if not names:
        raise InputError("free: must name a parameter at the least")
    if len(set(names)) != len(names):
        raise InputError(f"free: must name each parameter once (got {', '.join(free)})")
    return names


def _starting_state(device: Device, name: str, states: np.ndarray) -> FreeParameter:
    """A starting state, as a share of its range."""
    variables = device.state_variables()
    (k,) = (k for k, variable in enumerate(variables) if f"{INITIAL}.{variable.name}" == name)
    variable = variables[k]
    if variable.upper >= UNBOUNDED:
        raise InputError(f"free: {name}: has no upper bound, so it cannot be free; give its value with initial")
    share = float((states[k, 0] - variable.lower) / (variable.upper - variable.lower))
    return FreeParameter(name, variable.unit, share, 0.0, 1.0, "linear", k)


def _field(device: Device, name: str) -> FreeParameter:
    """A field of the device, with the bounds that it has there."""
    about, value = type(device).model_fields[name], getattr(device, name)
    if value is None:
        raise InputError(f"free: {name}: has no value to start from; give one")
    if not isinstance(value, float):
        raise InputError(f"free: {name}: is no continuous number, so it cannot be free (got {value!r}); fix it")
    given = {key: getattr(m, key) for m in about.metadata for key in ("gt", "ge", "lt", "le") if hasattr(m, key)}
    given = {key: float(bound) for key, bound in given.items() if bound is not None}
    lower = max(given.get("ge", -math.inf), _beside(given.get("gt"), math.inf, -math.inf))
    upper = min(given.get("le", math.inf), _beside(given.get("lt"), -math.inf, math.inf))
    one_sign = (lower >= 0.0 and math.isinf(upper)) or (upper <= 0.0 and math.isinf(lower))
    extra = about.json_schema_extra
    unit = str(extra.get("unit", "1")) if isinstance(extra, dict) else "1"
    return FreeParameter(name, unit, value, lower, upper, "log" if one_sign and value else "linear")


def _beside(bound: float | None, towards: float, none: float) -> float:
    """The nearest number beside a bound that is not included."""
    return none if bound is None else math.nextafter(bound, towards)


def _narrowed(own: FreeParameter, bounds: tuple[float, float] | None) -> FreeParameter:
    """A parameter between a user's bounds."""
    if bounds is None:
        return own
    lower, upper = (float(bound) for bound in bounds)
    unit = "" if own.unit == "1" or own.state >= 0 else f" {own.unit}"
    if not lower < upper or lower < own.lower or upper > own.upper:
        raise InputError(
            f"bounds.{own.name}: must rise, within the parameter's own from {own.lower:g} to {own.upper:g}{unit} "
            f"(got {lower:g} to {upper:g})"
        )
    if not lower <= own.start <= upper:
        share = "a share of the state's range " if own.state >= 0 else ""
        raise InputError(
            f"{own.name}: must start from {share}within its bounds, {lower:g} to {upper:g}{unit} (got {own.start:g}); "
            f"give another start or wider bounds"
        )
    one_sign = (lower > 0.0 or upper < 0.0) and own.state < 0
    return FreeParameter(own.name, own.unit, own.start, lower, upper, "log" if one_sign else own.scale, own.state)
