"""NumPy: whole arrays in place, as many devices at a time as fit the caches."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from .contract import EULER, RK4, SECOND_ORDER, Method, Peer, Prepared
from .numpy_equations import Drift, drift_of
from .problems import Problem

TOGETHER = 4096  # devices: their arrays fit the second-level cache


class NumpyLoops(Peer):
    """Loops over steps in Python, over devices in NumPy."""

    name = "NumPy"
    install = "pip install numpy"
    manual = "https://numpy.org/doc/stable/reference/ufuncs.html"
    settings = f"ufuncs with out=, {TOGETHER} devices at a time; all that is constant in a pulse is taken out"
    packages = ("numpy",)
    methods: ClassVar[dict[str, Method]] = {"euler": EULER, "heun": SECOND_ORDER, "rk4": RK4}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Nothing to compile."""
        return _Loops(problem, method, int(level))


class _Loops(Prepared):
    def __init__(self, problem: Problem, method: str, steps: int) -> None:
        self._problem, self._step, self._count = problem, STEPS[method], steps
        self.steps = steps * len(problem.factors)

    def integrate(self) -> None:
        self._x = self._problem.starts.copy()
        for first in range(0, len(self._x), TOGETHER):
            self._carry(self._x[first : first + TOGETHER], self._problem.currents[first : first + TOGETHER])

    def _carry(self, x: np.ndarray, currents: np.ndarray) -> None:
        about = self._problem.about
        dt, scratch = about.pulse / self._count, np.empty((4, len(x)))
        for factor in self._problem.factors:
            drift = drift_of(self._problem.device, about.parameters, factor * currents)
            for _ in range(self._count):
                self._step(drift, x, dt, scratch)

    def states(self) -> np.ndarray:
        return self._x


def _euler(drift: Drift, x: np.ndarray, dt: float, scratch: np.ndarray) -> None:
    rate = scratch[0]
    drift(x, rate)
    np.multiply(rate, dt, out=rate)
    np.add(x, rate, out=x)


def _heun(drift: Drift, x: np.ndarray, dt: float, scratch: np.ndarray) -> None:
    rate, ahead, there, _ = scratch
    drift(x, rate)
    np.multiply(rate, dt, out=ahead)
    np.add(x, ahead, out=ahead)
    drift(ahead, there)
    np.add(rate, there, out=rate)
    np.multiply(rate, 0.5 * dt, out=rate)
    np.add(x, rate, out=x)


def _rk4(drift: Drift, x: np.ndarray, dt: float, scratch: np.ndarray) -> None:
    total, rate, ahead, _ = scratch
    drift(x, total)
    np.multiply(total, 0.5 * dt, out=ahead)
    for share in (0.5 * dt, dt):
        np.add(x, ahead, out=ahead)
        drift(ahead, rate)
        np.multiply(rate, share, out=ahead)
        np.multiply(rate, 2.0, out=rate)
        np.add(total, rate, out=total)
    np.add(x, ahead, out=ahead)
    drift(ahead, rate)
    np.add(total, rate, out=total)
    np.multiply(total, dt / 6.0, out=total)
    np.add(x, total, out=x)


STEPS = {"euler": _euler, "heun": _heun, "rk4": _rk4}
PEERS = {"NumPy": NumpyLoops()}
