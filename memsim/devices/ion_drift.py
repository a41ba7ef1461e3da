"""Linear ion drift: HP's device, with one of three window functions or without."""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..fields import quantity
from .contract import (
    HP_MOBILITY,
    HP_R_OFF,
    HP_R_ON,
    HP_THICKNESS,
    Device,
    ParameterSet,
    StateVariable,
    check_scale,
    with_ordered_resistances,
)

STRUKOV = "Strukov et al., Nature 453, 80 (2008), as commonly quoted"
PUBLIC = "common in public SPICE decks, not checked against a paper"


class IonDrift(Device):
    """Linear ion drift: the boundary of the doped region moves with the charge that flows.

    The state is the doped share of the film. A window slows it down near the
    ends of its range: Joglekar's and Prodromakis's are 0 at both ends, where a
    state comes to rest for good; Biolek's is 0 only at the end that the state
    moves to. Without a window the state stops at its bounds.
    """

    title: ClassVar[str] = "linear ion drift (HP), plain or with a window"
    equations: ClassVar[str] = (
        "V = (R_ON * x + R_OFF * (1 - x)) * I\n"
        "dx/dt = k * I * f(x),  k = mu_V * R_ON / D^2\n"
        "none:        f = 1\n"
        "joglekar:    f = 1 - (2x - 1)^(2p)\n"
        "biolek:      f = 1 - (x - s)^(2p),  s = 1 for I < 0, else 0\n"
        "prodromakis: f = j * (1 - ((x - 1/2)^2 + 3/4)^p)"
    )
    source: ClassVar[str] = (
        "Strukov et al., Nature 453, 80 (2008); windows: Joglekar and Wolf, arXiv:0807.3994 (2008); Biolek, Biolek and "
        "Biolkova, Radioengineering 18, 210 (2009); Prodromakis et al., IEEE Trans. Electron Devices 58, 3099 (2011)"
    )
    presets: ClassVar[dict[str, ParameterSet]] = {
        "hp": ParameterSet(
            f"{STRUKOV}, with R_OFF/R_ON = 160",
            {"r_on": 100.0, "r_off": 16e3, "thickness": 10e-9, "mobility": 1e-14, "window": "none"},
        ),
        "joglekar": ParameterSet(
            f"{PUBLIC}; start at doped = 0.56",
            {
                "r_on": 100.0, "r_off": 10e3, "thickness": 12e-9, "mobility": 5e-14, "window": "joglekar",
                "exponent": 7,
            },
        ),
        "biolek": ParameterSet(
            f"{PUBLIC}; start at doped = 0.076",
            {"r_on": 100.0, "r_off": 1e3, "thickness": 16e-9, "mobility": 4e-14, "window": "biolek", "exponent": 7},
        ),
    }  # fmt: skip

    model: Literal["ion-drift"] = "ion-drift"
    r_on: float = quantity(HP_R_ON, "ohm", "memristance of the fully doped film", gt=0, origin=STRUKOV)
    r_off: float = quantity(
        HP_R_OFF, "ohm", "memristance of the undoped film", gt=0, origin="R_OFF/R_ON = 100, as for the synapse and node"
    )
    thickness: float = quantity(HP_THICKNESS, "m", "thickness D of the film", gt=0, origin=STRUKOV)
    mobility: float = quantity(HP_MOBILITY, "m2/(V s)", "average ion mobility mu_V", gt=0, origin=STRUKOV)
    window: Literal["none", "joglekar", "biolek", "prodromakis"] = Field(default="none", description="window f")
    exponent: int = quantity(1, "1", "exponent p of the window, an integer", ge=1, le=15)
    scale: float = quantity(1.0, "1", "factor j of the window prodromakis", gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "IonDrift":
        check_scale(self.window, self.scale)
        return with_ordered_resistances(self)

    @property
    def drift_coefficient(self) -> float:
        """The drift coefficient k in 1/(A s)."""
        return self.mobility * self.r_on / self.thickness**2

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("doped", "1", "doped share of the film", 0.0, 1.0),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.drift_coefficient * self.scale, self.r_off, self.r_off - self.r_on)

    def functions(self) -> Any:
        from ..kernels.models import ion_drift as physics
        from ..kernels.stepping import ModelFunctions

        key, drift = f"ion_drift_{self.window}_{self.exponent}", physics.drift_of(self.window, self.exponent)
        plain = self.window == "none"
        return ModelFunctions(
            key, physics.VARIABLES, physics.PARAMETERS, drift, physics.output, physics.current,
            constant_drift=plain, affine_output=plain, memristance=physics.memristance,
            drift_near=physics.drift_near_of(self.window, self.exponent),
        )  # fmt: skip
