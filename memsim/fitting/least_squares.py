"""Fitting a device model's parameters to a measurement by least squares."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ..devices import Device
from ..driving.drive_configuration import check_drivable
from ..errors import InputError
from ..files.memory import require_memory
from ..kernels.stepping import WAVEFORM
from ..libraries import load_library
from ..terminal.preparing import prepare
from ..traces.drive_file import RESPONSES
from .estimates import fit_of
from .fit_result import Fit
from .fit_settings import FitSettings
from .measurement import Measurement, measured
from .parameters import free_model
from .search import Progress, Search
from .simulation import Between, Simulation

START_BYTES = 24  # of each parameter of a start that is tried, and of its cost


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
    settings = FitSettings(
        free=free, drive=drive, initial=initial, bounds=bounds, between=between, substeps=substeps,
        integrator=integrator, loss=loss, loss_scale=loss_scale, starts=starts, evaluations=evaluations,
    )  # fmt: skip
    return fit_measurement(device, measured(time, current, voltage), settings, progress)


def fit_measurement(
    device: Device, measurement: Measurement, settings: FitSettings, progress: Progress | None = None
) -> Fit:
    """Fit a measurement; see :func:`fit`."""
    lmfit = load_library("lmfit", "fit", "a fit")
    try:
        check_drivable(device, settings.drive)
    except ValueError as error:
        raise InputError(str(error)) from None
    model = free_model(device, settings.free, settings.initial, settings.bounds)
    starts = settings.starts
    require_memory(starts * START_BYTES * (len(model.free) + 1), f"starts: {starts:,} other starts", "take fewer")
    _check_data(measurement, settings.drive, len(model.free))
    simulation = Simulation(measurement, settings.drive, settings.between, settings.substeps, settings.integrator)
    prepare([WAVEFORM, simulation.model_of(device)])
    search = Search(model, simulation, settings.loss, settings.loss_scale)
    search.check_start(model.start())
    stopped = False
    try:
        search.run(lmfit.Minimizer, starts, settings.evaluations, progress)
    except KeyboardInterrupt:
        stopped = True
    return fit_of(search, measurement, settings, stopped)


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
