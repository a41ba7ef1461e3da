"""Fitting a device model's parameters to a measurement, by lmfit's least squares.

lmfit has the parameters, moves them and reports them. The covariance is put together in ``uncertainty``: lmfit's own,
the inverse of JᵀJ, is the same for plain least squares. But it has none where a fit was stopped, an error of 1e-10
where two parameters cannot be told apart, and with outliers, which it takes at full weight, one 17 times as large.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from ..devices import Device, StateVariable
from ..driving.drive_configuration import check_drivable
from ..errors import InputError, RunError
from ..fields import one_of
from ..files.memory import require_memory
from ..kernels.stepping import WAVEFORM
from ..libraries import load_library
from ..terminal.preparing import prepare
from ..traces.drive_file import RESPONSES
from .fit_result import Fit, FittedParameter
from .measurement import Measurement, measured
from .parameters import FreeParameter, Model, free_model
from .simulation import Between, Simulation
from .uncertainty import Uncertainty, uncertainty_of, without_influence

STEP = 1e-5  # of the central differences, on the fit's scales
TOLERANCE = 1e-12  # of cost, step and gradient: a fit goes on until rounding stops it
KEPT = 3  # of the other starts that were tried, those that the fit goes on from
REACH = 1.3  # how far other starts lie from the given one: a factor of 20 to both sides, on a log scale
FAR = 1e60  # ranges: a residual whose square still is a number; what is beyond counts as no response
COARSE = 1e-3  # share of the response's range by which half the step may change it
START_BYTES = 24  # of each parameter of a start that is tried, and of its cost
STOPPED = -2
ENDED = {  # by SciPy's status
    STOPPED: "stopped before its end",
    0: "as many evaluations as were allowed",
    1: "converged: no slope is left",
    2: "converged: the residual does not fall any more",
    3: "converged: the parameters do not move any more",
    4: "converged: neither residual nor parameters move any more",
}


class Loss(NamedTuple):
    """What a residual costs, and its derivative: how much it weighs; both of the square of a scaled residual."""

    cost: Callable[[np.ndarray], np.ndarray]
    weight: Callable[[np.ndarray], np.ndarray]


LOSSES = {
    "linear": Loss(lambda z: z, np.ones_like),
    "soft_l1": Loss(lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0), lambda z: 1.0 / np.sqrt(1.0 + z)),
    "huber": Loss(lambda z: np.where(z > 1.0, 2.0 * np.sqrt(z) - 1.0, z), lambda z: 1.0 / np.sqrt(np.maximum(z, 1.0))),
    "cauchy": Loss(np.log1p, lambda z: 1.0 / (1.0 + z)),
}
Progress = Callable[[int, int, str], None]


def fit(
    device: Device,
    time: Any,
    voltage: Any,
    current: Any,
    *,
    free: Sequence[str],
    drive: Literal["current", "voltage"] = "voltage",
    initial: float | Sequence[Any] | np.ndarray | Mapping[str, Any] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    between: Between = "linear",
    substeps: int = 1,
    integrator: Literal["euler", "heun"] = "heun",
    loss: Literal["linear", "soft_l1", "huber", "cauchy"] = "linear",
    loss_scale: float = 0.05,
    starts: int = 64,
    evaluations: int = 200,
    progress: Progress | None = None,
) -> Fit:
    """Fit parameters of a device model to a measured I-V curve or pulse response.

    The model is stepped through the measured drive, and the sum of squares of
    its response less the measured one is made small.

    Parameters
    ----------
    device : Device
        Its parameters are the start of those that are free, and stay what they
        are for the others.
    time, voltage, current : (samples,) array
        In s, V and A; times increase.
    free : sequence of str
        Parameters of the model; "initial" is the starting state, "initial.NAME"
        one variable of it.
    drive : {"voltage", "current"}
        Which of the two drives the model; the other is compared.
    initial : number, array or mapping, optional
        State at the first sample, as for :func:`memsim.drive`.
    bounds : mapping of str to (lower, upper), optional
        In the parameters' units; of a starting state in shares of its range, 0 to 1.
    between : {"linear", "held"}
        The drive from one sample to the next: linear, or held at the next
        sample's value, as rows of a pulse response are.
    substeps : int
        Steps from one sample to the next.
    integrator : {"heun", "euler"}
    loss : {"linear", "soft_l1", "huber", "cauchy"}
        Least squares, or a loss in which outliers weigh less.
    loss_scale : float
        Residual, as a share of the response's range, from which on they do.
    starts : int
        Other starts, drawn about the given one, always the same. The fit is made
        from the given one and from the best three of these, and the best is
        kept; with 0 from the given one alone.
    evaluations : int
        Steps that the fit tries at most from each start, derivatives not counted.
    progress : callable, optional
        Called with the evaluations that are done, those in all, and the unit.

    Returns
    -------
    Fit
        Where Ctrl-C stops the fit, with the best parameters so far.

    Raises
    ------
    InputError
        Bad input: fewer samples than a fit needs, constant data, a parameter
        without influence, lmfit not there, ...
    RunError
        The model's response at the start is no finite number.
    """
    return fit_measurement(
        device, measured(time, current, voltage), free=free, drive=drive, initial=initial, bounds=bounds,
        between=between, substeps=substeps, integrator=integrator, loss=loss, loss_scale=loss_scale,
        starts=starts, evaluations=evaluations, progress=progress,
    )  # fmt: skip


def fit_measurement(
    device: Device,
    measurement: Measurement,
    *,
    free: Sequence[str],
    drive: str = "voltage",
    initial: Any = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    between: Between = "linear",
    substeps: int = 1,
    integrator: str = "heun",
    loss: str = "linear",
    loss_scale: float = 0.05,
    starts: int = 64,
    evaluations: int = 200,
    progress: Progress | None = None,
) -> Fit:
    """Fit a measurement; see :func:`fit`."""
    _check_choices(drive, between, integrator, loss)
    _check_numbers(substeps, starts, evaluations, loss_scale)
    lmfit = load_library("lmfit", "fit", "a fit")
    try:
        check_drivable(device, drive)
    except ValueError as error:
        raise InputError(str(error)) from None
    model = free_model(device, free, initial, bounds)
    require_memory(starts * START_BYTES * (len(model.free) + 1), f"starts: {starts:,} other starts", "take fewer")
    _check_data(measurement, drive, len(model.free))
    simulation = Simulation(measurement, drive, between, substeps, integrator)
    prepare([WAVEFORM, simulation.model_of(device)])
    search = _Search(model, simulation, loss, loss_scale)
    search.check_start(model.start())
    stopped = False
    try:
        search.run(lmfit.Minimizer, starts, evaluations, progress or _silent)
    except KeyboardInterrupt:
        stopped = True
    return _result(
        search, measurement, drive=drive, between=between, integrator=integrator, substeps=substeps, stopped=stopped,
    )  # fmt: skip


def _silent(done: int, limit: int, unit: str) -> None:
    """Progress that nobody looks at."""


class _Search:
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

    def run(self, minimizer: Any, starts: int, evaluations: int, progress: Progress) -> None:
        """Fit from the model's start and from the best of others."""
        self._limit, self._progress = starts + evaluations * (1 + min(starts, KEPT)), progress
        for k, start in enumerate([self.model.start(), *self._other_starts(starts)]):
            before = self.best[0] if k else np.inf
            self._tried = starts + k * evaluations
            fitter = minimizer(self._of_lmfit(self.residuals), self.model.put(start), nan_policy="propagate")
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


def _result(
    search: _Search, measurement: Measurement, *, drive: str, between: str, integrator: str, substeps: int,
    stopped: bool,
) -> Fit:  # fmt: skip
    """Measure the best positions."""
    model, positions = search.model, search.best[1]
    device, states = model.at(positions)
    response, rows = search.simulation.run(device, states)
    residuals = (response - search.simulation.response) / search.range
    weights = LOSSES[search.loss].weight((residuals / search.loss_scale) ** 2)
    names = [parameter.name for parameter in model.free]
    known = uncertainty_of(search.jacobian(positions), residuals, weights, names)
    estimates = _estimates(model, positions, known)
    variables = device.state_variables()
    warnings = list(known.warnings)
    if search.status == 0:
        warnings.append("the fit ended before it converged; allow more evaluations, or start nearer")
    warnings += _at_bounds(model, estimates)
    warnings += _coarse(search, measurement, device, states, response, between=between, substeps=substeps)
    notes = [] if search.simulation.regular else [
        f"{measurement.name}: samples are not on a regular grid; each spacing is divided into steps of its own"
    ]  # fmt: skip
    return Fit(
        device=device, initial={v.name: float(s) for v, s in zip(variables, states[:, 0], strict=True)},
        parameters=tuple(_fitted(parameter, estimates, variables) for parameter in model.free), estimates=estimates,
        singular_values=known.singular_values, measurement=measurement, drive=drive, between=between,
        integrator=integrator, loss=search.loss, substeps=substeps, dt=search.simulation.dt, fitted=response,
        states=rows, evaluations=search.simulations, converged=search.status > 0, stopped=stopped,
        ended=ENDED[search.status], notes=tuple(notes), warnings=tuple(warnings),
    )  # fmt: skip


def _estimates(model: Model, positions: np.ndarray, known: Uncertainty) -> Any:
    """Lmfit's parameters with standard errors and correlations, on the fit's scales and in the parameters' units."""
    estimates = copy.deepcopy(model.put(positions))
    slopes = np.array([p.slope(estimates[p.symbol].value) for p in model.free])
    _say([estimates[p.moved] for p in model.free], known.deviations, known.correlations)
    signs = np.sign(np.outer(slopes, slopes))
    _say([estimates[p.symbol] for p in model.free], np.abs(slopes) * known.deviations, signs * known.correlations)
    return estimates


def _say(estimates: Sequence[Any], deviations: np.ndarray, correlations: np.ndarray) -> None:
    """Have parameters of lmfit say how well they are known."""
    for k, each in enumerate(estimates):
        each.stderr = float(deviations[k])
        each.correl = {other.name: float(correlations[k, m]) for m, other in enumerate(estimates) if m != k}


def _fitted(parameter: FreeParameter, estimates: Any, variables: Sequence[StateVariable]) -> FittedParameter:
    """A parameter in its unit, a starting state too."""
    estimate = estimates[parameter.symbol]
    size, origin = 1.0, 0.0
    if parameter.state >= 0:
        variable = variables[parameter.state]
        size, origin = variable.upper - variable.lower, variable.lower
    return FittedParameter(
        parameter.name, parameter.unit, origin + size * estimate.value, size * estimate.stderr,
        origin + size * parameter.start,
    )  # fmt: skip


def _at_bounds(model: Model, estimates: Any) -> list[str]:
    moved = [(parameter.name, estimates[parameter.moved]) for parameter in model.free]
    return [
        f"{name} ended at its bound; its standard error says little"
        for name, each in moved
        if min(each.value - each.min, each.max - each.value) < 1e-6
    ]


def _coarse(
    search: _Search, measurement: Measurement, device: Device, states: np.ndarray, response: np.ndarray, *,
    between: Any, substeps: int,
) -> list[str]:  # fmt: skip
    """A warning where half the step changes the response."""
    coarse = search.simulation
    finer = Simulation(measurement, coarse.drive, between, 2 * substeps, coarse.integrator)
    change = float(np.abs(finer.run(device, states)[0] - response).max()) / search.range
    if change <= COARSE:
        return []
    return [
        f"half the step changes the response by {change:.2g} of its range: the parameters take the step's error in; "
        f"take more substeps than {substeps}"
    ]


def _check_choices(drive: str, between: str, integrator: str, loss: str) -> None:
    for name, value, known in (
        ("drive", drive, tuple(RESPONSES)),
        ("between", between, ("linear", "held")),
        ("integrator", integrator, ("euler", "heun")),
        ("loss", loss, tuple(LOSSES)),
    ):
        if value not in known:
            raise InputError(f"{name}: must be {one_of(known, value)}")


def _check_numbers(substeps: int, starts: int, evaluations: int, loss_scale: float) -> None:
    for name, number, least in (("substeps", substeps, 1), ("starts", starts, 0), ("evaluations", evaluations, 1)):
        if not isinstance(number, int) or number < least:
            raise InputError(f"{name}: must be a whole number of {least} or more (got {number!r})")
    if not 0.0 < loss_scale < np.inf:
        raise InputError(f"loss_scale: must be greater than 0 (got {loss_scale:g})")


def _check_data(measurement: Measurement, drive: str, free: int) -> None:
    """Refuse data that no fit can be made to."""
    if len(measurement) <= free:
        raise InputError(
            f"{measurement.name}: must have more samples than free parameters, {free} (got {len(measurement)})"
        )
    response = RESPONSES[drive]
    values = getattr(measurement, response)
    if np.ptp(values) == 0.0:
        raise InputError(f"{measurement.name}: {response}: is {values[0]:g} throughout; a fit needs values that change")
