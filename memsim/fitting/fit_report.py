"""A fit as a table on the terminal, as TOML and as JSON."""

import math
from pathlib import Path

from ..files import whole
from ..terminal.screen import Table, describe, numbers, show
from ..terminal.si import counted, with_prefix
from .fit_result import Fit, FittedParameter


def show_fit(fit: Fit) -> None:
    """What was fitted, the parameters, the residual, and what to beware of."""
    model = getattr(fit.device, "model", type(fit.device).__name__)
    describe(
        f"{model} driven by the {fit.drive} of {fit.measurement.name} ({counted(len(fit.measurement), 'sample')}, "
        f"step {with_prefix(fit.dt, 's')}, {fit.integrator})"
    )
    table = Table("parameter", *numbers("fitted", "standard error", "started from"), "unit")
    for parameter in fit.parameters:
        table.row(parameter.name, f"{parameter.value:.6g}", _error(parameter), f"{parameter.start:.4g}", parameter.unit)
    show(table)
    describe(
        f"RMS residual {with_prefix(fit.rms, fit.unit)}, {100.0 * fit.relative_rms:.3g} % of the {fit.response}'s "
        f"range; R2 = {fit.r_squared:.6g}"
    )
    describe(f"{counted(fit.evaluations, 'simulation')}; {fit.ended}")
    for kind, lines in (("warning", fit.warnings), ("note", fit.notes)):
        for line in lines:
            describe(f"{kind}: {line}")


def _error(parameter: FittedParameter) -> str:
    if not math.isfinite(parameter.error):
        return "not determined"
    share = abs(parameter.error / parameter.value) if parameter.value else math.inf
    return f"{parameter.error:.2g}" + (f" ({100.0 * share:.2g} %)" if share < 10.0 else "")


def write_toml(fit: Fit, path: Path) -> None:
    """Write the fitted device as the configuration of a drive."""
    whole.write_text(path, fit.to_toml(path.parent))


def write_json(fit: Fit, path: Path) -> None:
    """Write parameters, errors, correlations and residual."""
    whole.write_json(path, fit.as_dict())
