"""VTEAM, which drifts beyond two thresholds of its voltage."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ..fields import quantity
from .contract import Device, StateVariable, with_ordered_resistances


class Vteam(Device):
    """VTEAM: drift beyond two threshold voltages, with Kvatinsky's exponential window.

    The memristance is linear in the state, from R_ON at x_on to R_OFF at x_off.
    The default parameters are the published fit to a Pt-Hf-Ti device; those of
    the window are where the film ends, and the width of the TEAM model's fit.
    """

    title: ClassVar[str] = "VTEAM, with an exponential window"
    equations: ClassVar[str] = (
        "V = (R_ON + (R_OFF - R_ON) * (x - x_on) / (x_off - x_on)) * I\n"
        "dx/dt = k_off * (V/v_off - 1)^alpha_off * exp(-exp((x - a_off)/w_c)), V > v_off\n"
        "dx/dt = k_on * (V/v_on - 1)^alpha_on * exp(-exp((a_on - x)/w_c)),     V < v_on\n"
        "dx/dt = 0 between the thresholds"
    )
    source: ClassVar[str] = (
        "Kvatinsky et al., IEEE Trans. Circuits and Systems II 62, 786 (2015); window: IEEE TCAS-I 60, 211 (2013)"
    )

    model: Literal["vteam"] = "vteam"
    r_on: float = quantity(100.0, "ohm", "memristance at x_on", gt=0)
    r_off: float = quantity(2500.0, "ohm", "memristance at x_off", gt=0)
    x_on: float = quantity(0.0, "m", "lower bound of the state", ge=0)
    x_off: float = quantity(10e-9, "m", "upper bound of the state", gt=0)
    v_off: float = quantity(0.5, "V", "threshold beyond which the state grows", gt=0)
    v_on: float = quantity(-0.53, "V", "threshold below which the state falls", lt=0)
    k_off: float = quantity(4.03e-8, "m/s", "speed beyond v_off", gt=0)
    k_on: float = quantity(-80.0, "m/s", "speed below v_on", lt=0)
    alpha_off: int = quantity(1, "1", "exponent beyond v_off, an integer", ge=1, le=15)
    alpha_on: int = quantity(3, "1", "exponent below v_on, an integer", ge=1, le=15)
    a_off: float = quantity(10e-9, "m", "where the window for growing states falls to 1/e")
    a_on: float = quantity(0.0, "m", "where the window for falling states falls to 1/e")
    w_c: float = quantity(107e-12, "m", "width of the window's slope", gt=0)

    @model_validator(mode="after")
    def _bounds_differ(self) -> "Vteam":
        if self.x_off <= self.x_on:
            raise ValueError(f"x_off: must be greater than x_on = {self.x_on:g} m (got {self.x_off:g})")
        return with_ordered_resistances(self)

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("position", "m", "position x of the boundary", self.x_on, self.x_off),)

    def kernel_parameters(self) -> tuple[float, ...]:
        slope = (self.r_off - self.r_on) / (self.x_off - self.x_on)
        steepness = 1.0 / self.w_c
        return (
            self.r_on - slope * self.x_on, slope, 1.0 / self.v_off, self.k_off, 1.0 / self.v_on, self.k_on,
            self.a_off * steepness, self.a_on * steepness, steepness,
        )  # fmt: skip

    def functions(self) -> Any:
        from ..kernels.models import vteam as physics
        from ..kernels.stepping import ModelFunctions

        key = f"vteam_{self.alpha_off}_{self.alpha_on}"
        drift = physics.drift_of(self.alpha_off, self.alpha_on)
        return ModelFunctions(
            key, physics.VARIABLES, physics.PARAMETERS, drift, physics.output, physics.current,
            memristance=physics.memristance,
        )  # fmt: skip
