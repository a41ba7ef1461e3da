"""Starting states of a bank, as a user may give them: a number, a list, or values by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..devices import Device, StateVariable
from ..errors import InputError
from ..fields import did_you_mean, in_one_line, listed


def initial_states(given: Any, device: Device, devices: int) -> np.ndarray:
    """Starting states of a bank of one model.

    Parameters
    ----------
    given : None, number, array or mapping
        None is the device's resting state. For a model with one variable, a
        number or one for each device; with several, (variables,) or (devices,
        variables). A mapping gives some variables by name, each as a number or
        as one for each device; the others rest.
    device : Device
    devices : int

    Returns
    -------
    (variables, devices) float64
        In the units of the state variables.

    Raises
    ------
    InputError
        An unknown name, a wrong shape, or a state that is not finite or out of
        its bounds.
    """
    variables = device.state_variables()
    states = np.empty((len(variables), devices))
    states[:] = np.array(device.resting_state())[:, None]
    if isinstance(given, Mapping):
        for name, values in given.items():
            _known(name, variables)
            index = [variable.name for variable in variables].index(name)
            states[index] = _shaped(f"initial.{name}", values, ((), (devices,)))
    elif given is not None:
        states[:] = _from_array(given, len(variables), devices)
    for variable, values in zip(variables, states, strict=True):
        _check_bounds(variable, values)
    return states


def _from_array(given: Any, variables: int, devices: int) -> np.ndarray:
    if variables == 1:
        return _shaped("initial", given, ((), (devices,), (devices, 1))).reshape(1, -1)
    values = _shaped("initial", given, ((variables,), (devices, variables)))
    return values.reshape(-1, variables).T


def _shaped(name: str, given: Any, shapes: tuple[tuple[int, ...], ...]) -> np.ndarray:
    try:
        if not isinstance(given, np.ndarray) and any(isinstance(x, bool) for x in np.array(given, dtype=object).flat):
            raise TypeError
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: must be a number or an array of numbers (got {in_one_line(given)})") from None
    if values.shape not in shapes:
        wanted = " or ".join("a number" if shape == () else f"shape {shape}" for shape in shapes)
        raise InputError(f"{name}: must be {wanted} (got shape {values.shape})")
    return values


def _known(name: str, variables: tuple[StateVariable, ...]) -> None:
    names = [variable.name for variable in variables]
    if name not in names:
        raise InputError(
            f"initial.{name}: no such state variable; the model has {listed(names)}{did_you_mean(name, names)}"
        )


def _check_bounds(variable: StateVariable, values: np.ndarray) -> None:
    outside = ~((values >= variable.lower) & (values <= variable.upper))
    if outside.any():
        k = int(np.flatnonzero(outside)[0])
        unit = "" if variable.unit == "1" else f" {variable.unit}"
        raise InputError(
            f"initial.{variable.name}: must lie from {variable.lower:g} to {variable.upper:g}{unit} "
            f"(got {values[k]:g} for device {k})"
        )
