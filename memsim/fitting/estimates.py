"""What a search ended with: the parameters, how well they are known, and what to beware of.

The covariance is put together in ``uncertainty``. lmfit's own, the inverse of JᵀJ, is the same for plain least squares.
But it has none where a fit was stopped, an error of 1e-10 where two parameters cannot be told apart, and with outliers,
which it takes at full weight, one 17 times as large.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..devices import Device, StateVariable
from .fit_result import Fit, FittedParameter
from .fit_settings import LOSSES, FitSettings
from .measurement import Measurement
from .parameters import FreeParameter, Model
from .search import STOPPED, Search
from .simulation import Simulation
from .uncertainty import Uncertainty, uncertainty_of

COARSE = 1e-3  # share of the response's range by which half the step may change it
ENDED = {  # by SciPy's status
    STOPPED: "stopped before its end",
    0: "as many evaluations as were allowed",
    1: "converged: no slope is left",
    2: "converged: the residual does not fall any more",
    3: "converged: the parameters do not move any more",
    4: "converged: neither residual nor parameters move any more",
}


def fit_of(search: Search, measurement: Measurement, settings: FitSettings, stopped: bool) -> Fit:
    """Measure the best positions that a search has found; ``stopped`` where it was interrupted."""
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
    warnings += _coarse(search, measurement, settings, device, states, response)
    notes = [] if search.simulation.regular else [
        f"{measurement.name}: samples are not on a regular grid; each spacing is divided into steps of its own"
    ]  # fmt: skip
    return Fit(
        device=device, initial={v.name: float(s) for v, s in zip(variables, states[:, 0], strict=True)},
        parameters=tuple(_fitted(parameter, estimates, variables) for parameter in model.free), estimates=estimates,
        singular_values=known.singular_values, measurement=measurement, drive=settings.drive, between=settings.between,
        integrator=settings.integrator, loss=settings.loss, substeps=settings.substeps, dt=search.simulation.dt,
        fitted=response, states=rows, evaluations=search.simulations, converged=search.status > 0, stopped=stopped,
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
    search: Search, measurement: Measurement, settings: FitSettings, device: Device, states: np.ndarray,
    response: np.ndarray,
) -> list[str]:  # fmt: skip
    """A warning where half the step changes the response."""
    finer = Simulation(measurement, settings.drive, settings.between, 2 * settings.substeps, settings.integrator)
    change = float(np.abs(finer.run(device, states)[0] - response).max()) / search.range
    if change <= COARSE:
        return []
    return [
        f"half the step changes the response by {change:.2g} of its range: the parameters take the step's error in; "
        f"take more substeps than {settings.substeps}"
    ]
