"""The functions that the kernels take, made of a user's, which take states and parameters by name."""

import hashlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..kernels.stepping import ModelFunctions
from .translating import Translated


class Forms:
    """Writes the kernels' functions for a model.

    Parameters
    ----------
    states, parameters : sequence of str
        In their order.
    functions : mapping of str to Translated
        ``drift`` or ``drift_STATE``, ``memristance`` or ``output``, perhaps ``current``.
    bounds : sequence of str or float
        Lower and upper bound of each state: a number, or the name of a parameter.
    """

    def __init__(
        self, states: Sequence[str], parameters: Sequence[str], functions: Mapping[str, Translated],
        bounds: Sequence[str | float],
    ) -> None:  # fmt: skip
        self.states, self.functions = states, functions
        self.one = len(states) == 1
        self.names = {name: f"p_[{k}]" for k, name in enumerate(parameters)}
        self.names |= {name: "x_" if self.one else f"x_[{k}, e_]" for k, name in enumerate(states)}
        lower, upper = (self.names.get(bound, repr(bound)) if isinstance(bound, str) else repr(float(bound))
                        for bound in bounds[:2])  # fmt: skip
        self.distances = {"from_lower": f"x_ - {lower}", "to_upper": f"{upper} - x_"}
        self.drifts = [functions.get(f"drift_{name}") or functions["drift"] for name in states]

    def model_functions(self, name: str) -> ModelFunctions:
        """What a kernel needs of the model; the key changes with any function."""
        names = "".join(function.compiled.__name__ for function in self.functions.values())
        digest = hashlib.sha256(f"{names} {self.names}".encode()).hexdigest()[:16]
        ohmic, inverse = self.functions.get("memristance"), "current" in self.functions
        own = {argument for drift in self.drifts for argument in drift.arguments}
        return ModelFunctions(
            f"own_{''.join(c if c.isascii() and c.isalnum() else '_' for c in name)}_{digest}",
            len(self.states), len(self.names) - len(self.states), self._drift("current"), self._output(),
            self._current() if ohmic or inverse else None,
            constant_drift=not own & {*self.states, *self.distances, "voltage"},
            memristance=self._made("memristance", "x_, p_", [f"return {self._call(ohmic)}"])
            if ohmic and self.one else None,
            drift_under_voltage=self._drift("voltage") if "voltage" in own and (ohmic or inverse) else None,
            drift_near=self._drift("current", near=True) if own & {*self.distances} else None,
            drift_near_under_voltage=self._drift("voltage", near=True)
            if own & {*self.distances} and "voltage" in own and (ohmic or inverse) else None,
        )  # fmt: skip

    def _drift(self, drive: str, *, near: bool = False) -> Callable[..., Any]:
        """The drift under a drive; where both distances are given it takes these in the place of its own."""
        other = self._voltage() if drive == "current" else self._response()
        meanings = {drive: "d_", ("voltage" if drive == "current" else "current"): other, **self.distances}
        if near:
            meanings |= {"from_lower": "b_", "to_upper": "a_"}
        calls = [self._call(drift, meanings) for drift in self.drifts]
        if near:
            return self._made("drift_near", "x_, b_, a_, d_, p_", [f"return {calls[0]}"])
        if self.one:
            return self._made("drift", "x_, d_, p_", [f"return {calls[0]}"])
        lines = [f"if v_ == {k}: return {call}" for k, call in enumerate(calls[:-1])]
        return self._made("drift", "v_, x_, e_, d_, p_", [*lines, f"return {calls[-1]}"])

    def _output(self) -> Callable[..., Any]:
        return self._made("output", f"{self._state}, d_, p_", [f"return {self._voltage()}"])

    def _current(self) -> Callable[..., Any]:
        return self._made("current", f"{self._state}, d_, p_", [f"return {self._response()}"])

    @property
    def _state(self) -> str:
        return "x_" if self.one else "x_, e_"

    def _voltage(self) -> str:
        """The voltage under a current ``d_``."""
        if "memristance" in self.functions:
            return f"{self._call(self.functions['memristance'])} * d_"
        return self._call(self.functions["output"], {"current": "d_"})

    def _response(self) -> str:
        """The current under a voltage ``d_``."""
        if "current" in self.functions:
            return self._call(self.functions["current"], {"voltage": "d_"})
        return f"d_ / {self._call(self.functions['memristance'])}" if "memristance" in self.functions else "d_"

    def _call(self, function: Any, meanings: Mapping[str, str] | None = None) -> str:
        values = {**self.names, **(meanings or {})}
        return f"float(f_{function.name}({', '.join(values[argument] for argument in function.arguments)}))"

    def _made(self, name: str, arguments: str, lines: list[str]) -> Callable[..., Any]:
        """A function of the kernels' arguments; its file is the user's, so that an edit there compiles it anew."""
        text = f"def {name}({arguments}):\n" + "".join(f"    {line}\n" for line in lines)
        any_function = self.drifts[0]
        called = {f"f_{function.name}": function.compiled for function in self.functions.values()}
        module = any_function.compiled.py_func.__module__
        names: dict[str, Any] = {**called, "__name__": module, "__file__": str(any_function.path)}
        exec(compile(text, str(any_function.path), "exec"), names)  # noqa: S102 (made of names alone)
        made: types.FunctionType = names[name]
        return made
