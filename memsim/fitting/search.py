"""The search for the parameters with the least residual, by lmfit's least squares from several starts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError, RunError
from .fit_settings import LOSSES
from .parameters import Model
from .simulation import Simulation
from .uncertainty import without_influence

STEP = 1e-5  # of the central differences, on the fit's scales
TOLERANCE = 1e-12  # of cost, step and gradient: a fit goes on until rounding stops it
KEPT = 3  # of the other starts that were tried, those that the fit goes on from
REACH = 1.3  # how far other starts lie from the given one: a factor of 20 to both sides, on a log scale
FAR = 1e60  # ranges: a residual whose square still is a number; what is beyond counts as no response
STOPPED = -2  # in the place of SciPy's status
Progress = Callable[[int, int, str], None]


def _silent(done: int, limit: int, unit: str) -> None:
    """Progress that is shown nowhere."""


class Search:
    """Residuals and derivatives of a model, and the best positions so far."""

    def __init__(self, model: Model, simulation: Simulation, loss: str, loss_scale: float) -> None:
        self.model, self.simulation, self.loss, self.loss_scale = model, simulation, loss, loss_scale
        self.range = float(np.ptp(simulation.response))
        self.best: tuple[float, np.ndarray] = (np.inf, model.start())
        self.status = STOPPED
        self.simulations = 0
        self._lower, self._upper = model.limits()
        self._tried, self._limit = 0, 1
        self._progress: Progress = _silent

    def run(self, minimizer: Any, starts: int, evaluations: int, progress: Progress | None) -> None:
        """Fit from the model's start and from the best of others."""
        self._limit, self._progress = starts + evaluations * (1 + min(starts, KEPT)), progress or _silent
        for k, start in enumerate([self.model.start(), *self._other_starts(starts)]):
            before = self.best[0] if k else np.inf
            self._tried = starts + k * evaluations
            fitter = minimizer(self._of_lmfit(self.residuals), self.model.put(start), nan_policy="propagate")
            # lmfit's own errors, which are not used, have no value where parameters only go together.
            with np.errstate(invalid="ignore", divide="ignore"):
                found = fitter.least_squares(
                    Dfun=self._of_lmfit(self.jacobian), x_scale="jac", loss=self.loss, f_scale=self.loss_scale,
                    ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE, max_nfev=evaluations,
                )  # fmt: skip
            if self.best[0] < before:
                self.status = 0 if found.aborted else int(found.status)

    def _of_lmfit(self, function: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], np.ndarray]:
        """A function of positions as one of lmfit's parameters."""
        return lambda parameters: function(self.model.positions(parameters))

    def _other_starts(self, starts: int) -> list[np.ndarray]:
        """Those with the least cost of positions drawn about the model's start."""
        start = self.model.start()
        reach = np.array([REACH if p.scale == "log" else 1.0 for p in self.model.free])
        lower, upper = np.maximum(self._lower, start - reach), np.minimum(self._upper, start + reach)
        drawn = lower + (upper - lower) * np.random.default_rng(0).random((starts, len(start)))
        costs = np.array([self.cost(self.residuals(positions)) for positions in drawn])
        order = np.argsort(costs, kind="stable")[:KEPT]
        return [drawn[k] for k in order if np.isfinite(costs[k])]

    def cost(self, residuals: np.ndarray) -> float:
        """What the fit makes small."""
        square = (residuals / self.loss_scale) ** 2
        if not np.isfinite(square).all():
            return np.inf
        return float(LOSSES[self.loss].cost(square).sum())

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Residuals as shares of the response's range, (samples,); infinite where there is no such device."""
        self.simulations += 1
        try:
            device, states = self.model.at(positions)
        except InputError:
            return np.full(len(self.simulation.response), np.inf)
        response, _ = self.simulation.run(device, states)
        residuals: np.ndarray = (response - self.simulation.response) / self.range
        return residuals if (np.abs(residuals) < FAR).all() else np.full(len(residuals), np.inf)

    def residuals(self, positions: np.ndarray) -> np.ndarray:
        """What the solver makes small; the least so far is kept."""
        residuals = self.at(positions)
        self._tried += 1
        self._progress(min(self._tried, self._limit), self._limit, "evaluation")
        cost = self.cost(residuals)
        if cost < self.best[0]:
            self.best = cost, positions.copy()
        return residuals

    def jacobian(self, positions: np.ndarray) -> np.ndarray:
        """Central differences, (samples, free); to one side where the other has no device."""
        columns = [self._column(positions, k) for k in range(len(positions))]
        return np.stack(columns, axis=1)

    def _column(self, positions: np.ndarray, k: int) -> np.ndarray:
        step = STEP
        for _ in range(4):
            ends, values = [], []
            for sign in (-1.0, 1.0):
                moved = positions.copy()
                moved[k] = min(max(positions[k] + sign * step, self._lower[k]), self._upper[k])
                value = self.at(moved)
                if not np.isfinite(value).all():
                    moved, value = positions, self.at(positions)
                ends.append(moved[k])
                values.append(value)
            if ends[1] > ends[0]:
                return np.asarray((values[1] - values[0]) / (ends[1] - ends[0]))
            step *= 0.1
        return np.zeros(len(self.simulation.response))

    def check_start(self, start: np.ndarray) -> None:
        """Refuse a start whose response is no number, and parameters that do not change it."""
        device, states = self.model.at(start)
        response, _ = self.simulation.run(device, states)
        if not np.isfinite(response).all():
            k = int(np.flatnonzero(~np.isfinite(response))[0])
            raise RunError(f"the model's response at the start is {response[k]} at sample {k}; start from other values")
        dead = np.flatnonzero(without_influence(self.jacobian(start)))
        if len(dead):
            names = ", ".join(self.model.free[k].name for k in dead)
            raise InputError(
                f"free: {names}: has no influence on the response from this start; fix it, or start where it has"
            )
