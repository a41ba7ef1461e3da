"""SciPy: ``solve_ivp`` on all devices as one system, a call for each pulse, so that no step goes over an edge."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .contract import Method, Peer, Prepared, adaptive
from .numpy_equations import drift_of
from .problems import Problem

TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)


class SolveIvp(Peer):
    """The explicit methods for smooth problems, and LSODA with the Jacobian's band, which is the diagonal."""

    name = "SciPy"
    install = "pip install 'memsim[peers]'"
    manual = "https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.solve_ivp.html"
    settings = (
        "all devices one system, a call for each pulse; atol = rtol of the state's range; LSODA: lband = uband = 0"
    )
    packages = ("scipy",)
    methods: ClassVar[dict[str, Method]] = {
        "RK45": adaptive(*TOLERANCES),
        "DOP853": adaptive(*TOLERANCES),
        "LSODA": adaptive(*TOLERANCES),
    }
    scaled = "RK45"

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Nothing to compile."""
        return _Solved(problem, method, level)


class _Solved(Prepared):
    def __init__(self, problem: Problem, method: str, tolerance: float) -> None:
        from scipy.integrate import solve_ivp

        self._solve, self._problem = solve_ivp, problem
        scale = problem.about.scale
        self._given: dict[str, Any] = {"method": method, "rtol": tolerance, "atol": tolerance * scale}
        if method == "LSODA":
            self._given |= {"lband": 0, "uband": 0}

    def integrate(self) -> None:
        about, x, steps = self._problem.about, self._problem.starts, 0
        for factor in self._problem.factors:
            drift = drift_of(self._problem.device, about.parameters, factor * self._problem.currents)

            def rate(t: float, state: np.ndarray, drift: Any = drift) -> np.ndarray:
                out = np.empty_like(state)
                drift(state, out)
                return out

            found = self._solve(rate, (0.0, about.pulse), x, t_eval=None, **self._given)
            x = found.y[:, -1]
            steps += len(found.t) - 1
        self._x, self.steps = x, steps

    def states(self) -> np.ndarray:
        return self._x


PEERS = {"SciPy": SolveIvp()}
