"""Yakopcic's model of devices whose current is a hyperbolic sine of the voltage."""

from typing import Any, ClassVar, Literal

from ..fields import quantity
from .contract import Device, ParameterSet, StateVariable

PUBLIC = "common in public models after Yakopcic et al. (2011, 2013), not checked against the papers"


class Yakopcic(Device):
    """Yakopcic's model: I = a x sinh(b V), and drift beyond two threshold voltages.

    It is not ohmic. Under a current it is solved for the voltage, V =
    arsinh(I / (a x)) / b, which a state of 0 does not have: such a drive needs
    ``x_min`` above 0.
    """

    title: ClassVar[str] = "Yakopcic, a hyperbolic sine with voltage thresholds"
    equations: ClassVar[str] = (
        "I = a1 * x * sinh(b * V), V >= 0;  a2 * x * sinh(b * V), V < 0\n"
        "dx/dt = eta * g(V) * f(x)\n"
        "g = A_p * (exp(V) - exp(V_p)),   V > V_p\n"
        "g = -A_n * (exp(-V) - exp(V_n)), V < -V_n\n"
        "g = 0 between the thresholds\n"
        "eta * V > 0, x >= x_p:     f = exp(-alpha_p * (x - x_p)) * (1 - x) / (1 - x_p)\n"
        "eta * V < 0, x <= 1 - x_n: f = exp(alpha_n * (x + x_n - 1)) * x / (1 - x_n)\n"
        "elsewhere:                 f = 1"
    )
    source: ClassVar[str] = (
        "Yakopcic et al., IEEE Electron Device Letters 32, 1436 (2011); IEEE Trans. CAD 32, 1201 (2013); the devices: "
        "Miao et al., Adv. Mater. 23, 5633 (2011); Jo et al., Nano Lett. 10, 1297 (2010)"
    )
    presets: ClassVar[dict[str, ParameterSet]] = {
        "base": ParameterSet(
            f"a chalcogenide device; {PUBLIC}; start at x = 0.11",
            {
                "a1": 0.17, "a2": 0.17, "b": 0.05, "v_p": 0.16, "v_n": 0.15, "a_p": 4000.0, "a_n": 4000.0,
                "x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 5.0, "eta": 1,
            },
        ),
        "miao": ParameterSet(
            f"the tantalum oxide device of Miao et al. (2011); {PUBLIC}; start at x = 0.11",
            {
                "a1": 0.11, "a2": 0.11, "b": 0.5, "v_p": 0.09, "v_n": 0.75, "a_p": 7.5, "a_n": 2.0,
                "x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 5.0, "eta": 1,
            },
        ),
        "jo": ParameterSet(
            f"the silver-silicon device of Jo et al. (2010); {PUBLIC}; start at x = 0.1",
            {
                "a1": 3.7e-7, "a2": 4.35e-7, "b": 0.7, "v_p": 1.5, "v_n": 0.5, "a_p": 0.005, "a_n": 0.08,
                "x_p": 0.2, "x_n": 0.5, "alpha_p": 1.2, "alpha_n": 3.0, "eta": 1,
            },
        ),
    }  # fmt: skip

    model: Literal["yakopcic"] = "yakopcic"
    a1: float = quantity(0.17, "A", "current at x = 1 and sinh(b V) = 1, V of 0 or more", gt=0, origin=PUBLIC)
    a2: float = quantity(0.17, "A", "the same for V below 0", gt=0, origin=PUBLIC)
    b: float = quantity(0.05, "1/V", "how soon the current bends", gt=0, origin=PUBLIC)
    v_p: float = quantity(0.16, "V", "positive threshold V_p", ge=0, origin=PUBLIC)
    v_n: float = quantity(0.15, "V", "magnitude of the negative threshold V_n", ge=0, origin=PUBLIC)
    a_p: float = quantity(4000.0, "1/s", "rate A_p beyond V_p", ge=0, origin=PUBLIC)
    a_n: float = quantity(4000.0, "1/s", "rate A_n below -V_n", ge=0, origin=PUBLIC)
    x_p: float = quantity(0.3, "1", "where growing states slow down", ge=0, lt=1, origin=PUBLIC)
    x_n: float = quantity(0.5, "1", "1 - x where falling states slow down", ge=0, lt=1, origin=PUBLIC)
    alpha_p: float = quantity(1.0, "1", "how fast growing states slow down", ge=0, origin=PUBLIC)
    alpha_n: float = quantity(5.0, "1", "how fast falling states slow down", ge=0, origin=PUBLIC)
    eta: Literal[1, -1] = quantity(1, "1", "1: V > V_p lets the state grow; -1: fall", origin=PUBLIC)
    x_min: float = quantity(
        0.0, "1", "lower bound of the state; above 0 where a current drives", ge=0, lt=1, origin="the model's range"
    )

    def check_drive(self, drive: str) -> None:
        if drive == "current" and self.x_min == 0.0:
            raise ValueError(
                "x_min: must be greater than 0 under a current, which a state of 0 cannot carry (got 0); "
                "give 0.001, say, or drive it with 'voltage'"
            )

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("x", "1", "state, the current's share", self.x_min, 1.0),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (
            self.a1, self.a2, self.b, 1.0 / self.b, self.a_p, self.a_n, self.v_p, self.v_n, self.alpha_p,
            self.alpha_n, self.x_p, 1.0 - self.x_n, 1.0 / (1.0 - self.x_p), 1.0 / (1.0 - self.x_n), float(self.eta),
        )  # fmt: skip

    def functions(self) -> Any:
        from ..kernels.models import yakopcic as physics
        from ..kernels.stepping import ModelFunctions

        return ModelFunctions(
            "yakopcic", physics.VARIABLES, physics.PARAMETERS, physics.drift, physics.output, physics.current,
            drift_under_voltage=physics.drift_under_voltage,
        )  # fmt: skip
