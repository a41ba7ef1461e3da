"""TEAM and VTEAM: drift beyond two thresholds, of the current or of the voltage."""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..fields import quantity
from .contract import Device, ParameterSet, StateVariable, check_scale, with_ordered_resistances

TEAM_PAPER = "Kvatinsky et al., IEEE TCAS-I 60, 211 (2013)"
VTEAM_PAPER = "Kvatinsky et al., IEEE TCAS-II 62, 786 (2015)"
PICKETT = "Pickett et al., J. Appl. Phys. 106, 074508 (2009), as public models quote it"
VERILOG = "the authors' public Verilog-A model of TEAM"
PUBLIC = "common in public models of VTEAM, not checked against a paper"
AT_THE_END = "where the film ends"
PLACES = 10  # widths w_c, by which the window may begin beside the film
WIDTH = f"TEAM's tunnel barrier: {PICKETT}"

WINDOWS_TEXT = (
    "R = R_ON + (R_OFF - R_ON) * z,  z = (x - x_on) / (x_off - x_on)\n"
    "kvatinsky:   f = exp(-exp((x - a_off)/w_c)) growing,\n"
    "                 exp(-exp((a_on - x)/w_c)) falling\n"
    "joglekar:    f = 1 - (2z - 1)^(2p)\n"
    "biolek:      f = 1 - z^(2p) growing, 1 - (z - 1)^(2p) falling\n"
    "prodromakis: f = j * (1 - ((z - 1/2)^2 + 3/4)^p)\n"
    "none:        f = 1"
)
WINDOWS_SOURCE = (
    "windows: the same TCAS-I paper; Joglekar and Wolf, arXiv:0807.3994 (2008); Biolek, Biolek and Biolkova, "
    "Radioengineering 18, 210 (2009); Prodromakis et al., IEEE Trans. Electron Devices 58, 3099 (2011)"
)


class _ThresholdDrift(Device):
    """What TEAM and VTEAM share: the memristance, the speeds and the windows."""

    r_on: float
    r_off: float
    x_on: float
    x_off: float
    k_off: float
    k_on: float
    alpha_off: int
    alpha_on: int
    window: Literal["kvatinsky", "none", "joglekar", "biolek", "prodromakis"] = Field(
        default="kvatinsky", description="window f"
    )
    exponent: int = quantity(1, "1", "exponent p of the last three windows, an integer", ge=1, le=15)
    scale: float = quantity(1.0, "1", "factor j of the window prodromakis", gt=0)
    a_off: float = quantity(10e-9, "m", "kvatinsky: where f falls to 1/e for growing states", origin=AT_THE_END)
    a_on: float = quantity(0.0, "m", "kvatinsky: where f falls to 1/e for falling states", origin=AT_THE_END)
    w_c: float = quantity(107e-12, "m", "kvatinsky: width of the window's slope", gt=0, origin=WIDTH)

    @model_validator(mode="after")
    def _fits(self) -> "_ThresholdDrift":
        check_scale(self.window, self.scale)
        if self.x_off <= self.x_on:
            raise ValueError(f"x_off: must be greater than x_on = {self.x_on:g} m (got {self.x_off:g})")
        if self.window == "kvatinsky":
            self._check_places()
        return with_ordered_resistances(self)

    def _check_places(self) -> None:
        """Refuse a window beside the film, which would stop the state everywhere, or nowhere."""
        margin = PLACES * self.w_c
        for name in ("a_off", "a_on"):
            place = getattr(self, name)
            if not self.x_on - margin <= place <= self.x_off + margin:
                raise ValueError(
                    f"{name}: must be between x_on = {self.x_on:g} m and x_off = {self.x_off:g} m, within {PLACES} w_c "
                    f"(got {place:g})"
                )

    def thresholds(self) -> tuple[float, float]:
        """The drives beyond which the state grows, and falls, in A or V."""
        raise NotImplementedError

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("position", "m", "position x of the boundary", self.x_on, self.x_off),)

    def kernel_parameters(self) -> tuple[float, ...]:
        slope = (self.r_off - self.r_on) / (self.x_off - self.x_on)
        off, on = self.thresholds()
        steepness = 1.0 / self.w_c
        of_window = (self.a_off * steepness, self.a_on * steepness, steepness)
        if self.window != "kvatinsky":
            of_window = (self.x_on, 1.0 / (self.x_off - self.x_on), 0.0)
        return (
            self.r_on - slope * self.x_on, slope, 1.0 / off, self.k_off * self.scale, 1.0 / on,
            self.k_on * self.scale, *of_window,
        )  # fmt: skip

    def _choice(self) -> tuple[str, int, int, int]:
        """What is fixed at compile time."""
        return (self.window, self.exponent, self.alpha_off, self.alpha_on)

    def _functions(self, name: str, drift: Any, under_voltage: Any, near: Any, near_under_voltage: Any) -> Any:
        from ..kernels.models import team as physics
        from ..kernels.stepping import ModelFunctions

        key = "_".join([name, *(str(part) for part in self._choice())])
        return ModelFunctions(
            key, physics.VARIABLES, physics.PARAMETERS, drift, physics.output, physics.current,
            memristance=physics.memristance, drift_under_voltage=under_voltage, drift_near=near,
            drift_near_under_voltage=near_under_voltage,
        )  # fmt: skip


class Team(_ThresholdDrift):
    """TEAM: drift beyond two threshold currents, with a window.

    The memristance is linear in the state, from R_ON at x_on to R_OFF at x_off.
    """

    title: ClassVar[str] = "TEAM, with current thresholds"
    equations: ClassVar[str] = (
        "V = R(x) * I\n"
        "dx/dt = k_off * (I/i_off - 1)^alpha_off * f(x), I > i_off\n"
        "dx/dt = k_on * (I/i_on - 1)^alpha_on * f(x),    I < i_on\n"
        "dx/dt = 0 between the thresholds\n" + WINDOWS_TEXT
    )
    source: ClassVar[str] = f"{TEAM_PAPER}; {WINDOWS_SOURCE}"
    presets: ClassVar[dict[str, ParameterSet]] = {
        "verilog-a": ParameterSet(
            f"{VERILOG}; the places of the window are the film's ends",
            {
                "r_on": 50.0, "r_off": 1e3, "x_on": 0.0, "x_off": 3e-9, "i_off": 115e-6, "i_on": -8.9e-6,
                "k_off": 8e-13, "k_on": -8e-13, "alpha_off": 3, "alpha_on": 3, "a_off": 3e-9, "a_on": 0.0,
                "w_c": 107e-12,
            },
        ),
    }  # fmt: skip

    model: Literal["team"] = "team"
    r_on: float = quantity(50.0, "ohm", "memristance at x_on", gt=0, origin=VERILOG)
    r_off: float = quantity(1e3, "ohm", "memristance at x_off", gt=0, origin=VERILOG)
    x_on: float = quantity(0.0, "m", "lower bound of the state", ge=0, origin=VERILOG)
    x_off: float = quantity(3e-9, "m", "upper bound of the state", gt=0, origin=VERILOG)
    i_off: float = quantity(115e-6, "A", "threshold beyond which the state grows", gt=0, origin=PICKETT)
    i_on: float = quantity(-8.9e-6, "A", "threshold below which the state falls", lt=0, origin=PICKETT)
    k_off: float = quantity(8e-13, "m/s", "speed at I = 2 i_off", gt=0, origin=VERILOG)
    k_on: float = quantity(-8e-13, "m/s", "speed at I = 2 i_on", lt=0, origin=VERILOG)
    alpha_off: int = quantity(3, "1", "exponent beyond i_off, an integer", ge=1, le=15, origin=VERILOG)
    alpha_on: int = quantity(3, "1", "exponent below i_on, an integer", ge=1, le=15, origin=VERILOG)
    a_off: float = quantity(3e-9, "m", "kvatinsky: where f falls to 1/e for growing states", origin=AT_THE_END)

    def thresholds(self) -> tuple[float, float]:
        return self.i_off, self.i_on

    def functions(self) -> Any:
        from ..kernels.models import team as physics

        choice = self._choice()
        return self._functions("team", physics.law_of(*choice), None, physics.law_near_of(*choice), None)


class Vteam(_ThresholdDrift):
    """VTEAM: drift beyond two threshold voltages, with a window.

    The memristance is linear in the state, from R_ON at x_on to R_OFF at x_off.
    Under a current, the voltage that it causes is compared with the thresholds.
    """

    title: ClassVar[str] = "VTEAM, with voltage thresholds"
    equations: ClassVar[str] = (
        "V = R(x) * I\n"
        "dx/dt = k_off * (V/v_off - 1)^alpha_off * f(x), V > v_off\n"
        "dx/dt = k_on * (V/v_on - 1)^alpha_on * f(x),    V < v_on\n"
        "dx/dt = 0 between the thresholds\n" + WINDOWS_TEXT
    )
    source: ClassVar[str] = f"{VTEAM_PAPER}; {WINDOWS_SOURCE}".replace("the same TCAS-I paper", TEAM_PAPER)
    presets: ClassVar[dict[str, ParameterSet]] = {
        "pt-hf-ti": ParameterSet(
            f"the fit of a Pt-Hf-Ti device in {VTEAM_PAPER}; {PUBLIC}",
            {
                "r_on": 100.0, "r_off": 2500.0, "x_on": 0.0, "x_off": 10e-9, "v_off": 0.5, "v_on": -0.53,
                "k_off": 4.03e-8, "k_on": -80.0, "alpha_off": 1, "alpha_on": 3,
            },
        ),
        "ferroelectric": ParameterSet(
            f"the fit of a ferroelectric device in {VTEAM_PAPER}; {PUBLIC}; x_on and x_off are those of pt-hf-ti",
            {
                "r_on": 1.5e5, "r_off": 5e7, "x_on": 0.0, "x_off": 10e-9, "v_off": 1.4, "v_on": -5.7,
                "k_off": 1e-4, "k_on": -30.0, "alpha_off": 5, "alpha_on": 5,
            },
        ),
    }  # fmt: skip

    model: Literal["vteam"] = "vteam"
    r_on: float = quantity(100.0, "ohm", "memristance at x_on", gt=0, origin=PUBLIC)
    r_off: float = quantity(2500.0, "ohm", "memristance at x_off", gt=0, origin=PUBLIC)
    x_on: float = quantity(0.0, "m", "lower bound of the state", ge=0, origin=PUBLIC)
    x_off: float = quantity(10e-9, "m", "upper bound of the state", gt=0, origin=PUBLIC)
    v_off: float = quantity(0.5, "V", "threshold beyond which the state grows", gt=0, origin=PUBLIC)
    v_on: float = quantity(-0.53, "V", "threshold below which the state falls", lt=0, origin=PUBLIC)
    k_off: float = quantity(4.03e-8, "m/s", "speed at V = 2 v_off", gt=0, origin=PUBLIC)
    k_on: float = quantity(-80.0, "m/s", "speed at V = 2 v_on", lt=0, origin=PUBLIC)
    alpha_off: int = quantity(1, "1", "exponent beyond v_off, an integer", ge=1, le=15, origin=PUBLIC)
    alpha_on: int = quantity(3, "1", "exponent below v_on, an integer", ge=1, le=15, origin=PUBLIC)

    def thresholds(self) -> tuple[float, float]:
        return self.v_off, self.v_on

    def functions(self) -> Any:
        from ..kernels.models import team as physics

        choice = self._choice()
        return self._functions(
            "vteam", physics.drift_by_voltage_of(*choice), physics.law_of(*choice),
            physics.drift_near_by_voltage_of(*choice), physics.law_near_of(*choice),
        )  # fmt: skip
