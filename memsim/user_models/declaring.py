"""``device_model``, ``state`` and ``parameter``: what a user's file is written with."""

import ast
import functools
import hashlib
import inspect
import linecache
import math
import operator
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from numba import float64
from numba.core.errors import NumbaError
from pydantic import create_model

from ..devices import MODELS, Device, StateVariable
from ..errors import InputError
from ..fields import quantity
from .checking import check, find_not_finite
from .forms import Forms
from .translating import Translated, translate

BOUNDS = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
DISTANCES = ("from_lower", "to_upper")  # of a single state from its bounds, which a drift may take
DRIVES = {"memristance": (), "output": ("current",), "current": ("voltage",)}  # of functions that are no drift


class Parameter(NamedTuple):
    """A declared parameter."""

    default: float
    unit: str
    description: str
    bounds: dict[str, Any]
    origin: str


class State(NamedTuple):
    """A declared state; a bound may be a parameter."""

    unit: str
    lower: Any
    upper: Any
    description: str
    rest: float | None


class Declared(NamedTuple):
    """A declared model: states, parameters and functions by their names."""

    path: Path
    digest: str  # SHA-256 of the file
    states: Mapping[str, State]
    parameters: Mapping[str, Parameter]
    functions: Mapping[str, Translated]


def state(unit: str, lower: Any, upper: Any, description: str, *, rest: float | None = None) -> Any:
    """A state variable.

    Parameters
    ----------
    unit : str
        ``"1"`` for none.
    lower, upper : float or parameter
        Bounds in that unit, at which the state stops.
    description : str
    rest : float, optional
        Where a device starts that nobody has written to; the middle where not given.

    Raises
    ------
    InputError
    """
    for bound in (lower, upper, *([] if rest is None else [rest])):
        if not isinstance(bound, Parameter) and not _is_number(bound):
            raise InputError(f"state: bounds must be finite numbers or parameters (got {bound!r})")
    if _is_number(lower) and _is_number(upper) and lower >= upper:
        raise InputError(f"state: the lower bound must be below the upper one (got {lower} and {upper}); swap them")
    if rest is not None and any(_is_number(b) and not beyond(rest, b) for b, beyond in
                                ((lower, operator.ge), (upper, operator.le))):  # fmt: skip
        raise InputError(f"state: rest must lie within the bounds (got {rest})")
    return State(_unit("state", unit), lower, upper, description, rest)


def parameter(default: float, unit: str, description: str, *, origin: str = "", **bounds: float) -> Any:
    """A parameter.

    Parameters
    ----------
    default : float
    unit : str
        ``"1"`` for none.
    description : str
    origin : str, optional
        Where the default comes from.
    **bounds : float
        ``gt``, ``ge``, ``lt``, ``le``.

    Raises
    ------
    InputError
    """
    if not _is_number(default):
        raise InputError(f"parameter: the default must be a finite number (got {default!r})")
    for name, bound in bounds.items():
        if name not in BOUNDS:
            raise InputError(f"parameter: {name!r}: no such bound; there are {', '.join(BOUNDS)}")
        if not BOUNDS[name](default, bound):
            raise InputError(f"parameter: the default {default} is out of its bound {name} = {bound}")
    return Parameter(float(default), _unit("parameter", unit), description, bounds, origin)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _unit(kind: str, unit: Any) -> str:
    if not isinstance(unit, str) or not unit.strip():
        raise InputError(f"{kind}: must have a unit, as 'ohm', or '1' for none (got {unit!r})")
    return unit


class UserDevice(Device):
    """The base of a user's own models."""

    declared: ClassVar[Declared] = Declared(Path(), "", {}, {}, {})
    made: ClassVar[Any] = None

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)
        for name, variable in zip(type(self).declared.states, self.state_variables(), strict=True):
            if variable.lower >= variable.upper:
                raise InputError(f"{name}: bounds are reversed: {variable.lower:g} and {variable.upper:g}")
        _ = self.rests  # looks at the functions with these parameters

    @functools.cached_property
    def rests(self) -> bool:  # type: ignore[override]
        """Whether no state of the grid moves without a drive."""
        return check(self)

    @property
    def digest(self) -> str:
        return type(self).declared.digest

    def find_not_finite(self, largest: float) -> str:
        return find_not_finite(self, largest)

    def state_variables(self) -> tuple[StateVariable, ...]:
        return tuple(
            StateVariable(name, s.unit, s.description, self._bound(s.lower), self._bound(s.upper))
            for name, s in type(self).declared.states.items()
        )

    def _bound(self, bound: Any) -> float:
        named = _named(bound, type(self).declared.parameters)
        return float(getattr(self, named) if isinstance(named, str) else named)

    def kernel_parameters(self) -> tuple[float, ...]:
        return tuple(float(getattr(self, name)) for name in type(self).declared.parameters)

    def functions(self) -> Any:
        return type(self).made

    def resting_state(self) -> tuple[float, ...]:
        middles, rest = super().resting_state(), (s.rest for s in type(self).declared.states.values())
        return tuple(middle if r is None else float(r) for middle, r in zip(middles, rest, strict=True))


def device_model(name: str, *, title: str = "", source: str = "") -> Any:
    """Make a device model of a class with states, parameters and plain functions.

    The class has ``drift`` (of several states ``drift_STATE`` for each), and
    ``memristance``, in ohm, or ``output``, the voltage in V; beside ``output``
    perhaps ``current``, its inverse. The functions take states, parameters,
    ``current`` in A and ``voltage`` in V by name; a drift of a single state also
    ``from_lower`` and ``to_upper``, the distances from its bounds.

    Parameters
    ----------
    name : str
        For ``model`` in configurations.
    title, source : str, optional
        For ``memsim devices``; the class's docstring is the title where none is given.

    Raises
    ------
    InputError
        With file and line, where it is a line's fault.
    """

    def made(declared: Any) -> type[Device]:
        path = next((Path(f.__code__.co_filename) for f in vars(declared).values() if inspect.isfunction(f)), Path())
        _refuse_taken(name)
        _refuse_twice(declared, path)
        things = {n: thing for n, thing in vars(declared).items() if not n.startswith("__")}
        states = {n: thing for n, thing in things.items() if isinstance(thing, State)}
        parameters = {n: thing for n, thing in things.items() if isinstance(thing, Parameter)}
        functions = _functions(declared, path, things, states, parameters)
        fields: Any = {
            n: (float, quantity(p.default, p.unit, p.description, origin=p.origin, **p.bounds))
            for n, p in parameters.items()
        }
        fields = {"model": (Literal[name], name), **fields}
        digest = hashlib.sha256("".join(linecache.getlines(str(path))).encode()).hexdigest()
        model: Any = create_model(declared.__name__, __base__=UserDevice, __module__=declared.__module__, **fields)
        model.declared = Declared(path, digest, states, parameters, functions)
        bounds = tuple(_named(bound, parameters) for s in states.values() for bound in (s.lower, s.upper))
        model.made = Forms(tuple(states), tuple(parameters), functions, bounds).model_functions(name)
        model.title, model.source = title or (inspect.getdoc(declared) or "").split("\n")[0], source
        model.equations = "\n".join(textwrap.dedent(function.text).rstrip() for function in functions.values())
        model()
        MODELS[name] = model
        return model  # type: ignore[no-any-return]

    return made


def _named(bound: Any, parameters: Mapping[str, Parameter]) -> Any:
    """The name of the parameter that a bound is, or its number."""
    return next((name for name, given in parameters.items() if given is bound), bound)


def _refuse_taken(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise InputError(f"device_model: must have a name (got {name!r})")
    if name in MODELS:
        own = getattr(MODELS[name], "declared", None)
        whose = f"{own.path.name} has" if own else "memsim has"
        raise InputError(f"{name!r}: is the name of a model that {whose}; take another")


def _refuse_twice(declared: Any, path: Path) -> None:
    """Refuse a name that a class gives twice, of which Python would keep the last in silence."""
    for node in ast.walk(ast.parse("".join(linecache.getlines(str(path))))):
        if isinstance(node, ast.ClassDef) and node.name == declared.__name__:
            seen: dict[str, int] = {}
            for part in node.body:
                names = [part.name] if isinstance(part, ast.FunctionDef) else []
                if isinstance(part, ast.Assign):
                    names = [target.id for target in part.targets if isinstance(target, ast.Name)]
                for each in names:
                    if each in seen:
                        raise InputError(
                            f"{path.name}:{part.lineno}: {each}: is given twice, in line {seen[each]} too; rename one"
                        )
                    seen[each] = part.lineno


def _functions(declared: Any, path: Path, things: Any, states: Any, parameters: Any) -> dict[str, Translated]:
    """The functions of a class, translated; each name is known, and none is missing."""
    drifts = ["drift"] if len(states) == 1 and "drift" in things else [f"drift_{name}" for name in states]
    wanted = (*drifts, *DRIVES)
    for name, thing in things.items():
        line = getattr(getattr(thing, "__code__", None), "co_firstlineno", None)
        where = f"{path.name}:{line}: {name}" if line else repr(name)
        if inspect.isfunction(thing) and name not in wanted:
            raise InputError(f"{where}: no such function; known are {', '.join(wanted)}; helpers go before the class")
        if not inspect.isfunction(thing) and not isinstance(thing, State | Parameter):
            raise InputError(f"{where}: must be a state, a parameter or a function; numbers go before the class")
        reserved = hasattr(UserDevice, name) or name in ("current", "voltage", *DISTANCES, "model", "preset")
        if isinstance(thing, State | Parameter) and reserved:
            raise InputError(f"{where}: is a name that memsim uses itself; take another")
    if not states:
        raise InputError(f"{declared.__name__}: must have a state; write NAME = state(unit, lower, upper, description)")
    missing = [name for name in drifts if name not in things]
    if missing or ("output" in things) == ("memristance" in things):
        missing = missing or ["either output or memristance"]
        raise InputError(
            f"{declared.__name__}: must have {', '.join(missing)}; write def {missing[0].split()[-1]}(...)"
        )
    if "current" in things and "memristance" in things:
        raise InputError(f"{declared.__name__}: must not have current beside memristance, which gives it; take it away")
    return {name: _function(name, things[name], states, parameters) for name in wanted if name in things}


def _function(name: str, function: Any, states: Any, parameters: Any) -> Translated:
    """A function, translated and compiled; its arguments are known.

    Raises
    ------
    InputError
        With file and line.
    """
    distances = DISTANCES if name == "drift" else ()
    known = (*states, *parameters, *DRIVES.get(name, ("current", "voltage", *distances)))
    code = function.__code__
    for argument in code.co_varnames[: code.co_argcount]:
        if argument not in known:
            where = f"{Path(code.co_filename).name}:{code.co_firstlineno}: {name}"
            raise InputError(f"{where}: {argument!r}: no such name; known are {', '.join(known)}")
    translated = translate(function)
    try:
        translated.compiled.compile((float64,) * len(translated.arguments))
    except NumbaError as error:
        raise InputError(f"{translated.where()}: cannot be compiled: {str(error).strip().splitlines()[-1]}") from None
    return translated
