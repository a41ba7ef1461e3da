"""Two well-known device models that can be driven: linear drift with a window, and VTEAM."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ..fields import quantity
from .contract import HP_MOBILITY, HP_R_OFF, HP_R_ON, HP_THICKNESS, Device, StateVariable, with_ordered_resistances


class WindowedDrift(Device):
    """HP's linear ion drift device with Joglekar's window.

    The state is the doped share of the film. The window is 1 in the middle and
    0 at both ends, where the boundary comes to rest.
    """

    title: ClassVar[str] = "linear ion drift with Joglekar's window"
    equations: ClassVar[str] = (
        "V = (R_ON * x + R_OFF * (1 - x)) * I\ndx/dt = k * I * f(x), f(x) = 1 - (2x - 1)^(2p)\nk = mu_V * R_ON / D^2"
    )
    source: ClassVar[str] = "Strukov et al., Nature 453, 80 (2008); window: Joglekar and Wolf, arXiv:0807.3994"

    model: Literal["windowed-drift"] = "windowed-drift"
    r_on: float = quantity(HP_R_ON, "ohm", "memristance of the fully doped film", gt=0)
    r_off: float = quantity(HP_R_OFF, "ohm", "memristance of the undoped film", gt=0)
    thickness: float = quantity(HP_THICKNESS, "m", "thickness D of the film", gt=0)
    mobility: float = quantity(HP_MOBILITY, "m2/(V s)", "average ion mobility mu_V", gt=0)
    exponent: int = quantity(1, "1", "exponent p of the window, an integer", ge=1, le=15)

    @model_validator(mode="after")
    def _resistances_differ(self) -> "WindowedDrift":
        return with_ordered_resistances(self)

    @property
    def drift_coefficient(self) -> float:
        """The drift coefficient k in 1/(A s)."""
        return self.mobility * self.r_on / self.thickness**2

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("doped", "1", "doped share of the film", 0.0, 1.0),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.drift_coefficient, self.r_off, self.r_off - self.r_on)

    def functions(self) -> Any:
        from ..kernels.models import windowed_drift as physics
        from ..kernels.stepping import ModelFunctions

        key, drift = f"windowed_drift_{self.exponent}", physics.drift_of(self.exponent)
        return ModelFunctions(
            key, physics.VARIABLES, physics.PARAMETERS, drift, physics.output, physics.current,
            memristance=physics.memristance,
        )  # fmt: skip


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
