"""C: ``loops.c``, compiled on the spot as fast as the compiler can."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..compiler import FAST, NoCompilerError, build, find_compiler, version_of
from .contract import EULER, RK4, SECOND_ORDER, Method, Peer, Prepared
from .problems import PULSES, Problem

TILES = (16, 32, 64)  # devices; the fastest is taken


class CLoops(Peer):
    """Loops over devices that the compiler makes vectors of."""

    name = "C"
    install = "apt install gcc"
    manual = "https://gcc.gnu.org/onlinedocs/gcc/Optimize-Options.html"
    settings = f"{' '.join(FAST)}, the fastest tile of {', '.join(map(str, TILES))} devices; states alone are kept"
    methods: ClassVar[dict[str, Method]] = {"euler": EULER, "heun": SECOND_ORDER, "rk4": RK4}

    def missing(self) -> str | None:
        """Whether there is a compiler."""
        try:
            find_compiler()
        except NoCompilerError as error:
            return f"C is left out: {error}; {self.install}"
        return None

    def versions(self) -> dict[str, str]:
        """The compiler's."""
        return {"compiler": version_of(find_compiler())}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Compile, where the folder does not have it."""
        source = f"{__package__.rpartition('.')[2]}/loops.c"
        prepared = [
            _Loops(problem, method, int(level), build(find_compiler(), source, folder, FAST, TILE=tile))
            for tile in TILES
        ]
        return min(prepared, key=lambda loops: min(loops.run() for _ in range(2)))


class _Pulse(NamedTuple):
    """What a pulse keeps constant: the function's stem, two arrays of the devices, and the numbers of all."""

    stem: str
    a: np.ndarray
    b: np.ndarray
    p: np.ndarray


class _Loops(Prepared):
    def __init__(self, problem: Problem, method: str, steps: int, library: ctypes.CDLL) -> None:
        about = problem.about
        self._starts, self._x = problem.starts, problem.starts.copy()
        self._pulses = [
            _PULSES[problem.device](about.parameters, factor * problem.currents) for factor in problem.factors[:2]
        ]
        self._functions = [getattr(library, f"{pulse.stem}_{method}") for pulse in self._pulses]
        counts = ctypes.c_int64(len(self._x)), ctypes.c_int64(steps), ctypes.c_double(about.pulse / steps)
        self._given = [
            (_address(self._x), _address(pulse.a), _address(pulse.b), *counts, _address(pulse.p))
            for pulse in self._pulses
        ]
        self.steps = steps * PULSES

    def reset(self) -> None:
        self._x[:] = self._starts

    def integrate(self) -> None:
        for k in range(PULSES):
            self._functions[k % 2](*self._given[k % 2])

    def states(self) -> np.ndarray:
        return self._x


def _address(values: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


def _ion_drift(p: dict[str, float], current: np.ndarray) -> _Pulse:
    return _Pulse("ion_drift", p["k"] * current, current, np.zeros(3))


def _vteam(p: dict[str, float], current: np.ndarray) -> _Pulse:
    up = bool(current[0] > 0.0)
    per_threshold = current / (p["v_off"] if up else p["v_on"])
    slope = (p["r_off"] - p["r_on"]) / p["x_off"] * per_threshold
    steepness = (1.0 if up else -1.0) / p["w_c"]
    numbers = [p["k_off"] if up else p["k_on"], steepness, p["x_off"] * steepness if up else 0.0]
    return _Pulse("vteam_up" if up else "vteam_down", slope, p["r_on"] * per_threshold - 1.0, np.array(numbers))


def _synapse(p: dict[str, float], current: np.ndarray) -> _Pulse:
    over = np.copysign(np.maximum(np.abs(current) - p["threshold"], 0.0), current)
    return _Pulse("synapse", p["k"] * over, current, np.zeros(3))


_PULSES: dict[str, Callable[[Any, np.ndarray], _Pulse]] = {
    "ion-drift": _ion_drift, "vteam": _vteam, "synapse": _synapse,
}  # fmt: skip
PEERS = {"C": CLoops()}
