"""What a fit found, and as the configuration of a drive."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tomli_w

from ..devices import Device
from ..files.whole import for_json
from ..libraries import load_library
from ..provenance import environment
from ..traces.drive_file import RESPONSES, UNITS
from .measurement import Measurement


class FittedParameter(NamedTuple):
    """A parameter that was free.

    Attributes
    ----------
    name, unit : str
    value : float
    error : float
        Standard error, in the same unit; infinite where these data do not determine the parameter.
    start : float
    """

    name: str
    unit: str
    value: float
    error: float
    start: float


@dataclass(frozen=True)
class Fit:
    """A device model, fitted to a measurement.

    Attributes
    ----------
    device : Device
        With the fitted parameters.
    initial : dict
        Starting state by the variables' names, in their units.
    parameters : tuple of FittedParameter
    estimates : lmfit.Parameters
        These as lmfit has them, a starting state in shares of its range, and beside each its position on the fit's
        scale, which is what moved.
    singular_values : (free,) float64
        Of the Jacobian with columns of length 1: how near to singular the fit is.
    measurement : Measurement
    drive : str
        ``"current"`` or ``"voltage"``.
    between, integrator, loss : str
    substeps : int
    dt : float
        Usual step in s.
    fitted : (samples,) float64
        The model's response in A or V.
    states : (samples, variables) float64
    evaluations : int
        Simulations of the whole measurement, those for derivatives included.
    converged : bool
    stopped : bool
        Whether the fit was interrupted: it has the best parameters so far.
    ended : str
        Why it ended.
    notes, warnings : tuple of str
    """

    device: Device
    initial: dict[str, float]
    parameters: tuple[FittedParameter, ...]
    estimates: Any
    singular_values: np.ndarray
    measurement: Measurement
    drive: str
    between: str
    integrator: str
    loss: str
    substeps: int
    dt: float
    fitted: np.ndarray
    states: np.ndarray
    evaluations: int
    converged: bool
    stopped: bool
    ended: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def correlations(self) -> np.ndarray:
        """Of the free parameters, (free, free) float64; not a number where the data do not tell two apart."""
        known = [p for p in self.estimates.values() if p.expr is not None]
        return np.array([[p.correl.get(q.name, 1.0) for q in known] for p in known])

    @property
    def response(self) -> str:
        """The other of current and voltage."""
        return RESPONSES[self.drive]

    @property
    def unit(self) -> str:
        """Of the response: A or V."""
        return UNITS[self.response]

    @property
    def measured(self) -> np.ndarray:
        """The measured response in A or V, (samples,) float64."""
        return np.asarray(getattr(self.measurement, self.response))

    @property
    def residuals(self) -> np.ndarray:
        """Fitted less measured response in A or V, (samples,) float64."""
        return self.fitted - self.measured

    @property
    def rms(self) -> float:
        """Root of the mean square of the residuals, in A or V."""
        return float(np.sqrt(np.mean(self.residuals**2)))

    @property
    def relative_rms(self) -> float:
        """Root mean square of the residuals as a share of the measured response's range."""
        return self.rms / float(np.ptp(self.measured))

    @property
    def r_squared(self) -> float:
        """Coefficient of determination R^2."""
        spread = self.measured - self.measured.mean()
        return 1.0 - float(np.sum(self.residuals**2) / np.sum(spread**2))

    def __getitem__(self, name: str) -> FittedParameter:
        """A free parameter by its name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(f"{name}: was not free; free were {', '.join(p.name for p in self.parameters)}")

    def report(self) -> str:
        """Lmfit's report: values, standard errors, bounds and correlations."""
        return str(load_library("lmfit", "fit", "a fit").fit_report(self.estimates))

    def to_toml(self, folder: Path | None = None) -> str:
        """The fitted device as the configuration of a drive.

        Where the measured drive can stand in a configuration, the file has it as
        well, and ``memsim drive`` repeats the fit's last simulation; otherwise it
        is for ``[time]`` and ``[[drive]]`` to be added.

        Parameters
        ----------
        folder : Path, optional
            Where the file will be; the path of the measurement is given from there.
        """
        sections: dict[str, Any] = {
            "device": self.device.model_dump(mode="json", exclude_none=True),
            "bank": {"drive": self.drive, "initial": self.initial},
        }
        waveform = self._waveform(folder or Path.cwd())
        residual = f"RMS residual {self.relative_rms:.3g} of the range"
        head = f"# {self.device.model} fitted to {self.measurement.name}: {residual}\n"
        if waveform is None:
            return head + "# Add [time] and [[drive]] for 'memsim drive'.\n\n" + tomli_w.dumps(sections)
        last = self.measurement.time[-1] - self.measurement.time[0]
        steps = math.floor(last / self.dt * (1.0 + 1e-12) + 1e-9)
        time = {"dt": self.dt, "duration": steps * self.dt, "integrator": self.integrator}
        return head + "\n" + tomli_w.dumps({"time": time, **sections, "drive": [waveform]})

    def _waveform(self, folder: Path) -> dict[str, Any] | None:
        """The measured drive as an entry of a configuration, where it is a file that begins at 0 s."""
        path, columns = self.measurement.path, self.measurement.columns
        at_zero = abs(self.measurement.time[0]) <= 1e-9 * self.dt
        if path is None or columns is None or self.between != "linear" or not at_zero:
            return None
        return {
            "waveform": "csv",
            "path": os.path.relpath(path.resolve(), folder.resolve()),
            "time": columns["time"],
            "amplitude": columns[self.drive],
        }

    def as_dict(self) -> dict[str, Any]:
        """Everything but the samples, for JSON: numbers that are none are null."""
        values = {
            "environment": environment(),
            "measurement": self.measurement.name,
            "samples": len(self.measurement),
            "drive": self.drive,
            "between": self.between,
            "integrator": self.integrator,
            "loss": self.loss,
            "substeps": self.substeps,
            "dt_s": self.dt,
            "device": self.device.model_dump(mode="json", exclude_none=True),
            "initial": self.initial,
            "parameters": [parameter._asdict() for parameter in self.parameters],
            "correlations": self.correlations.tolist(),
            "singular_values": self.singular_values.tolist(),
            f"rms_{self.unit}": self.rms,
            "relative_rms": self.relative_rms,
            "r_squared": self.r_squared,
            "evaluations": self.evaluations,
            "converged": self.converged,
            "stopped": self.stopped,
            "ended": self.ended,
            "notes": self.notes,
            "warnings": self.warnings,
        }
        return {name: for_json(value) for name, value in values.items()}
