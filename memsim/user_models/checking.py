"""A look at a user's functions, as plain Python, over a grid of states and drives, before anything runs."""

import itertools
import math
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from .translating import Translated

CURRENTS = (0.0, 1e-6, -1e-6, 1e-3, -1e-3)  # A
VOLTAGES = (0.0, 1e-3, -1e-3, 1.0, -1.0)  # V
SHARES = tuple(10.0**-k for k in range(10))  # of the largest current
POINTS = {1: 33, 2: 9, 3: 5}  # of each state; 3 where there are more states
INVERSE = 1e-6  # relative, to which output and current must be each other's inverse


def check(device: Any) -> bool:
    """Call every function of a device of the user's over the grid; whether nothing moves without a drive.

    Raises
    ------
    InputError
        A value that is no finite number, or an output and a current that do not fit, with file and line.
    """
    functions = type(device).declared.functions
    rests = True
    for state in _grid(device):
        for k, drive in enumerate(CURRENTS):
            drifts = drifts_at(device, state, {"current": drive})
            rests = rests and (drive != 0.0 or not any(drifts))
            if "current" in functions or "memristance" in functions:
                voltage = {"voltage": VOLTAGES[k]}
                drifts_at(device, state, voltage)
        _check_inverse(device, state)
    _check_ends(device)
    return rests


def find_not_finite(device: Any, largest: float) -> str:
    """The message of the first value over the grid that is no finite number, under currents of many sizes; or none.

    Parameters
    ----------
    device : UserDevice
    largest : float
        Magnitude in A up to which currents are tried.
    """
    for share in SHARES:
        for sign in (1.0, -1.0):
            for state in _grid(device):
                try:
                    drifts_at(device, state, {"current": sign * share * largest})
                except InputError as error:
                    return str(error)
    return ""


def _grid(device: Any) -> Any:
    variables = device.state_variables()
    points = POINTS.get(len(variables), 3)
    lines = [
        [v.lower + (v.upper - v.lower) * (k / (points - 1)) for k in range(points - 1)] + [v.upper] for v in variables
    ]
    for values in itertools.product(*lines):
        yield {variable.name: value for variable, value in zip(variables, values, strict=True)}


def drifts_at(device: Any, state: Mapping[str, float], drive: Mapping[str, float]) -> list[float]:
    """The drifts under ``{"current": ...}`` or ``{"voltage": ...}``, each function called as the kernels call it.

    Raises
    ------
    InputError
        A value that is no finite number, with file and line.
    """
    functions = type(device).declared.functions
    values = {**{name: getattr(device, name) for name in type(device).declared.parameters}, **state, **drive}
    if len(state) == 1:
        (variable,), (x,) = device.state_variables(), state.values()
        values |= {"from_lower": x - variable.lower, "to_upper": variable.upper - x}
    shown = ", ".join(
        [*(f"{name} = {value:g}" for name, value in state.items()),
         *(f"{name} = {value:g} {'A' if name == 'current' else 'V'}" for name, value in drive.items())]
    )  # fmt: skip
    if "current" in drive:
        values["voltage"] = _response(functions, "output", values, shown, drive["current"])
    else:
        values["current"] = _response(functions, "current", values, shown, drive["voltage"])
    return [_finite(function, values, shown) for name, function in functions.items() if name.startswith("drift")]


def _response(functions: Mapping[str, Translated], name: str, values: Any, shown: str, drive: float) -> float:
    if name in functions:
        return _finite(functions[name], values, shown)
    memristance = functions.get("memristance")
    if memristance is None:
        return 0.0
    ohm = _finite(memristance, values, shown)
    if ohm == 0.0:
        raise InputError(
            f"{memristance.where(_line_of_return(memristance, values))}: is 0 ohm at {shown}; a voltage would cause an "
            f"infinite current; give it a resistance there, or narrow the state's bounds"
        )
    return ohm * drive if name == "output" else drive / ohm


def _check_ends(device: Any) -> None:
    """A drift that takes its state's distances from the bounds is 0 at both: near them the state is held by these."""
    drift = type(device).declared.functions.get("drift")
    if drift is None or {"from_lower", "to_upper"}.isdisjoint(drift.arguments):
        return
    (variable,) = device.state_variables()
    for bound in (variable.lower, variable.upper):
        for current in CURRENTS:
            (found,) = drifts_at(device, {variable.name: bound}, {"current": current})
            if found != 0.0:
                raise InputError(
                    f"{drift.where()}: is {found:g} at {variable.name} = {bound:g}, current = {current:g} A; a drift "
                    f"that takes from_lower or to_upper must be 0 at both bounds, so let it take {variable.name} alone"
                )


def _check_inverse(device: Any, state: Mapping[str, float]) -> None:
    functions = type(device).declared.functions
    if not {"output", "current"} <= functions.keys():
        return
    values = {**{name: getattr(device, name) for name in type(device).declared.parameters}, **state}
    for current in CURRENTS:
        shown = ", ".join([*(f"{name} = {value:g}" for name, value in state.items()), f"current = {current:g} A"])
        voltage = _finite(functions["output"], {**values, "current": current}, shown)
        back = _finite(functions["current"], {**values, "voltage": voltage}, shown)
        if abs(back - current) > INVERSE * abs(current):
            raise InputError(
                f"{functions['current'].where()}: is {back:g} A under the {voltage:g} V that output gives at {shown}; "
                f"make them each other's inverse"
            )


def _finite(function: Translated, values: Mapping[str, Any], shown: str) -> float:
    """A function's value.

    Raises
    ------
    InputError
        It has none that is a finite number; with the line that returns it, or fails.
    """
    arguments = [values[name] for name in function.arguments]
    try:
        value = function.plain(*arguments)
    except (ArithmeticError, ValueError) as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(function.path)]
        where = function.where(lines[-1] if lines else None)
        raise InputError(f"{where}: {error} at {shown}; give it a value there, or narrow the state's bounds") from None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        where = function.where(_line_of_return(function, values))
        raise InputError(f"{where}: is {value} at {shown}; it must be a finite number within the state's bounds")
    return float(value)


def _line_of_return(function: Translated, values: Mapping[str, Any]) -> int:
    """The line that a call returns from."""
    plain, lines, before = function.plain, [function.line], sys.gettrace()

    def tracer(frame: Any, event: str, _: Any) -> Any:
        if event == "return" and frame.f_code is plain.__code__:
            lines.append(frame.f_lineno)
        return tracer

    sys.settrace(tracer)
    try:
        plain(*(values[name] for name in function.arguments))
    finally:
        sys.settrace(before)
    return lines[-1]
