"""Pershin and Di Ventra's device, a memristance that moves beyond a threshold voltage."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ..fields import quantity
from .contract import Device, ParameterSet, StateVariable, with_ordered_resistances

NGSPICE = "the memristor example that comes with ngspice, whose author calls the values artificial"


class PershinDiVentra(Device):
    """Pershin and Di Ventra's bipolar device with a threshold voltage.

    The state is the memristance itself. It moves at a rate that is piecewise
    linear in the voltage, and stops at R_ON and R_OFF. A positive voltage raises
    it.
    """

    title: ClassVar[str] = "Pershin and Di Ventra, with a voltage threshold"
    equations: ClassVar[str] = (
        "V = R * I\n"
        "dR/dt = beta * V + (alpha - beta)/2 * (|V + V_t| - |V - V_t|)\n"
        "which is alpha * V for |V| <= V_t, and with alpha = 0 beta * (V - V_t) beyond"
    )
    source: ClassVar[str] = "Pershin and Di Ventra, 'SPICE model of memristive devices with threshold', arXiv:1204.2600"
    presets: ClassVar[dict[str, ParameterSet]] = {
        "ngspice": ParameterSet(
            f"{NGSPICE}; start at 7000 ohm, with sinusoids of 3 V and 100 MHz",
            {"r_on": 1e3, "r_off": 10e3, "alpha": 0.0, "beta": 2e12, "v_t": 1.6},
        ),
    }

    model: Literal["pershin-di-ventra"] = "pershin-di-ventra"
    r_on: float = quantity(1e3, "ohm", "lowest memristance", gt=0, origin=NGSPICE)
    r_off: float = quantity(10e3, "ohm", "highest memristance", gt=0, origin=NGSPICE)
    alpha: float = quantity(0.0, "ohm/(V s)", "rate up to the threshold", ge=0, origin=NGSPICE)
    beta: float = quantity(2e12, "ohm/(V s)", "rate beyond the threshold", gt=0, origin=NGSPICE)
    v_t: float = quantity(1.6, "V", "threshold V_t", ge=0, origin=NGSPICE)

    @model_validator(mode="after")
    def _resistances_differ(self) -> "PershinDiVentra":
        return with_ordered_resistances(self)

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("memristance", "ohm", "memristance R", self.r_on, self.r_off),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.alpha, self.beta, self.v_t)

    def functions(self) -> Any:
        from ..kernels.models import pershin_di_ventra as physics
        from ..kernels.stepping import ModelFunctions

        return ModelFunctions(
            "pershin_di_ventra", physics.VARIABLES, physics.PARAMETERS, physics.drift, physics.output,
            physics.current, memristance=physics.memristance, drift_under_voltage=physics.drift_under_voltage,
        )  # fmt: skip
