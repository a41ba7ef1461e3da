"""The memristors of 'Perceptrons from Memristors', which networks are made of."""

import itertools
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ..errors import InputError
from ..fields import quantity
from .contract import (
    HP_MOBILITY,
    HP_R_OFF,
    HP_R_ON,
    HP_THICKNESS,
    UNBOUNDED,
    Device,
    StateVariable,
    with_ordered_resistances,
)

Direction = Literal["both", "printed"]


class _IonDrift(Device):
    """Parameters of the linear ion drift device, which synapse and node share."""

    r_on: float = quantity(HP_R_ON, "ohm", "memristance of the fully doped film", gt=0)
    r_off: float = quantity(HP_R_OFF, "ohm", "memristance of the undoped film", gt=0)
    thickness: float = quantity(HP_THICKNESS, "m", "thickness D of the film", gt=0)
    mobility: float = quantity(HP_MOBILITY, "m2/(V s)", "average ion mobility mu_V", gt=0)
    direction: Direction = Field(
        default="both",
        description="drift in both directions, or upwards only as Eqs. 11 and 15 are printed",
    )

    by_charge: ClassVar[bool] = True

    @model_validator(mode="after")
    def _resistances_differ(self) -> "_IonDrift":
        return with_ordered_resistances(self)

    @property
    def drift_coefficient(self) -> float:
        """The drift coefficient k, in the state's unit for each A s."""
        raise NotImplementedError

    @property
    def state_range(self) -> float:
        """D', in the state's unit."""
        raise NotImplementedError

    @property
    def output_r_on(self) -> float:
        """R_ON as the output has it, in ohm."""
        return self.r_on

    def charge_of(self, share: float) -> float:
        return share * self.state_range / self.drift_coefficient

    def nominal_constants(self) -> dict[str, float]:
        return {
            "drift": self.drift_coefficient, "r_on": self.output_r_on, "r_off": self.r_off, "range": self.state_range,
        }  # fmt: skip


class Synapse(_IonDrift):
    """Synaptic memristor (Eqs. 14, 15): V = gamma * I, with a current threshold.

    The state gamma is the memristance of the linear ion drift device, measured
    from the middle of its range (the paper's D to D'), so that it has either
    sign: gamma lies within +-(R_OFF - R_ON)/2 ohm and drifts at k = mu_V * R_ON
    * (R_OFF - R_ON) / D**2 ohm/(A s) beyond the threshold. A device with a
    negative gamma is an active element: V * I may be negative.
    """

    title: ClassVar[str] = "synaptic memristor"
    equations: ClassVar[str] = (
        "V = gamma * I                                        (Eq. 14)\n"
        "dgamma/dt = k * sign(I) * (|I| - I_th), |I| > I_th   (Eq. 15, two-sided)\n"
        "k = mu_V * R_ON * (R_OFF - R_ON) / D^2"
    )
    source: ClassVar[str] = "Silva et al., 'Perceptrons from Memristors', arXiv:1807.04912"

    model: Literal["synapse"] = "synapse"
    threshold: float | None = quantity(
        None, "A", "current threshold I_th; calibrated by the network where it is not given", ge=0
    )

    @property
    def drift_coefficient(self) -> float:
        """The drift coefficient k in ohm/(A s)."""
        return self.mobility * self.r_on * (self.r_off - self.r_on) / self.thickness**2

    @property
    def state_range(self) -> float:
        """D' in ohm."""
        return self.r_off - self.r_on

    def state_variables(self) -> tuple[StateVariable, ...]:
        half = 0.5 * self.state_range
        return (StateVariable("memristance", "ohm", "memristance gamma about its middle", -half, half),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.drift_coefficient, self.threshold or 0.0)

    def functions(self) -> Any:
        from ..kernels.models import synapse
        from ..kernels.stepping import ModelFunctions

        drift = synapse.drift if self.direction == "both" else synapse.drift_printed
        return ModelFunctions(
            f"synapse_{self.direction}", synapse.VARIABLES, synapse.PARAMETERS, drift, synapse.output,
            constant_drift=True, affine_output=True, memristance=synapse.memristance,
        )  # fmt: skip


class Node(_IonDrift):
    """Node memristor: the linear ion drift device with a threshold (Eqs. 10, 11).

    The state gamma is the boundary of the doped region about the film's middle,
    within +-D/2 metres; with threshold 0 this is HP's device, x = 1/2 + gamma/D.
    """

    title: ClassVar[str] = "node memristor, the linear ion drift device"
    equations: ClassVar[str] = (
        "V = (R_ON * x + R_OFF * (1 - x)) * I, x = 1/2 + gamma/D   (Eq. 10)\n"
        "V = R_OFF * (1 - x) * I                                   (Eq. 12, equation = 12)\n"
        "dgamma/dt = k * sign(I) * (|I| - I_th), |I| > I_th        (Eq. 11, two-sided)\n"
        "k = mu_V * R_ON / D"
    )
    source: ClassVar[str] = (
        "Silva et al., 'Perceptrons from Memristors', arXiv:1807.04912, after Strukov et al., Nature 453, 80 (2008)"
    )

    model: Literal["node"] = "node"
    threshold: float = quantity(0.0, "A", "current threshold I_th", ge=0)
    equation: Literal[10, 12] = Field(default=10, description="output: Eq. 10, or Eq. 12 with R_ON dropped")

    @property
    def drift_coefficient(self) -> float:
        """The drift coefficient k in m/(A s)."""
        return self.mobility * self.r_on / self.thickness

    @property
    def state_range(self) -> float:
        """D' in m."""
        return self.thickness

    @property
    def output_r_on(self) -> float:
        """R_ON as the output has it: 0 ohm in Eq. 12."""
        return self.r_on if self.equation == 10 else 0.0

    def state_variables(self) -> tuple[StateVariable, ...]:
        half = 0.5 * self.thickness
        return (StateVariable("boundary", "m", "boundary gamma of the doped region about the middle", -half, half),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.drift_coefficient, self.threshold, self.output_r_on, self.r_off, self.thickness)

    def functions(self) -> Any:
        from ..kernels.models import node
        from ..kernels.stepping import ModelFunctions

        drift = node.drift if self.direction == "both" else node.drift_printed
        return ModelFunctions(
            f"node_{self.direction}", node.VARIABLES, node.PARAMETERS, drift, node.output, node.current,
            constant_drift=True, affine_output=True, memristance=node.memristance,
        )  # fmt: skip


class PerceptronMemristor(Device):
    """What the memristors share that are a whole single-layer perceptron (Eq. 5).

    Their n + 2 states are the n weights, the bias weight, and the learning rate,
    which the paper counts among the internal variables. They are active elements:
    V(0) = V_0 * g(gamma_bias) is not 0.

    Attributes
    ----------
    about_rate : str
        What the learning rate is.
    """

    about_rate: ClassVar[str] = ""
    with_rate: ClassVar[bool] = True

    inputs: int = Field(default=2, ge=1, description="number n of inputs")
    reference_current: float = quantity(1e-3, "A", "current I_0 that stands for a net input of 1", gt=0)
    reference_voltage: float = quantity(1.0, "V", "voltage V_0 that stands for an output of 1", gt=0)
    weight_limit: float = quantity(20.0, "1", "weights and bias stop at +- this", gt=0)
    activation: Literal["logistic", "tanh", "identity"] = Field(default="logistic", description="activation g")

    def state_variables(self) -> tuple[StateVariable, ...]:
        limit = self.weight_limit
        weights = [StateVariable(f"weight{i + 1}", "1", "weight", -limit, limit) for i in range(self.inputs)]
        bias = StateVariable("bias", "1", "bias weight", -limit, limit)
        rate = StateVariable("learning_rate", "1/(A s)", self.about_rate, 0.0, UNBOUNDED)
        return (*weights, bias, rate)

    @property
    def unit_voltage(self) -> float:
        return self.reference_voltage

    def resting_state(self) -> tuple[float, ...]:
        return (0.0,) * (self.inputs + 2)

    def _output(self) -> Any:
        """The compiled output with the activation."""
        from ..kernels.models import threshold_memristor as physics

        return {
            "logistic": physics.output_logistic,
            "tanh": physics.output_tanh,
            "identity": physics.output_identity,
        }[self.activation]


class ThresholdMemristor(PerceptronMemristor):
    """Threshold memristor of the single-layer perceptron (Eqs. 5, 6).

    Variable i moves only while the magnitude of the current lies in its own
    window [I_i, I_i + a).
    """

    title: ClassVar[str] = "threshold memristor of the single-layer perceptron"
    equations: ClassVar[str] = (
        "V = V_0 * g(I/I_0 + gamma_bias)                            (Eq. 5)\n"
        "dgamma_i/dt = gamma_eta * sign(I) * (|I| - I_i), I_i <= |I| < I_i + a   (Eq. 6, the same on both sides)\n"
        "dgamma_eta/dt = 0"
    )
    source: ClassVar[str] = "Silva et al., 'Perceptrons from Memristors', arXiv:1807.04912"

    about_rate: ClassVar[str] = "weight per A s beyond the threshold"

    model: Literal["threshold-memristor"] = "threshold-memristor"
    thresholds: tuple[float, ...] | None = quantity(
        None, "A", "thresholds I_1 .. I_n+1 of the weights and the bias; calibrated where not given", min_length=2
    )
    window: float | None = quantity(None, "A", "width a of each window; calibrated where not given", gt=0)
    direction: Direction = Field(default="both", description="Eq. 6 the same on both sides, or as printed")

    @model_validator(mode="after")
    def _windows_apart(self) -> "ThresholdMemristor":
        if self.thresholds is None:
            return self
        wanted = self.inputs + 1
        if len(self.thresholds) != wanted:
            raise ValueError(
                f"thresholds: needs {wanted} values, one for each weight and the bias (got {len(self.thresholds)})"
            )
        if min(self.thresholds) <= 0:
            raise ValueError(f"thresholds: must be greater than 0 A (got {min(self.thresholds):g})")
        if self.window is not None:
            _check_windows(self.thresholds, self.window)
        return self

    @property
    def threshold_windows(self) -> tuple[tuple[float, float], ...]:
        thresholds, window = self.thresholds, self.window
        return () if thresholds is None or window is None else tuple((threshold, window) for threshold in thresholds)

    def kernel_parameters(self) -> tuple[float, ...]:
        if self.thresholds is None or self.window is None:
            raise InputError("ThresholdMemristor.thresholds: give thresholds and a window, or let a network calibrate")
        return (1.0 / self.reference_current, self.reference_voltage, self.window, *self.thresholds)

    def functions(self) -> Any:
        from ..kernels.models import threshold_memristor as physics
        from ..kernels.stepping import ModelFunctions

        drift = physics.drift if self.direction == "both" else physics.drift_printed
        variables = self.inputs + 2
        key = f"threshold_memristor_{self.activation}_{self.direction}"
        parameters = physics.FIRST_THRESHOLD + self.inputs + 1
        # The one variable that a drift depends on, the learning rate, never moves.
        return ModelFunctions(
            key, variables, parameters, drift, self._output(), constant_drift=True, shown=2, sized=True
        )


def _check_windows(thresholds: tuple[float, ...], window: float) -> None:
    ordered = sorted(thresholds)
    for lower, upper in itertools.pairwise(ordered):
        if lower + window > upper:
            raise ValueError(
                f"thresholds: windows overlap: [{lower:g}, {lower + window:g}) A reaches into the one from "
                f"{upper:g} A; set them at least window = {window:g} A apart"
            )


class CarrierMemristor(PerceptronMemristor):
    """A memristor of the single-layer perceptron whose variables have carriers in the place of thresholds.

    The paper names signals of different frequencies and AC codes as other ways
    to address a variable. No static f(gamma, I) tells them apart, so this is an
    extension: variable i demodulates the current with its own carrier c_i(t), t
    from the slot's start. Only a network has slots; the device cannot be driven alone.
    """

    title: ClassVar[str] = "threshold memristor with carriers in the place of thresholds"
    equations: ClassVar[str] = (
        "V = V_0 * g(I/I_0 + gamma_bias)                            (Eq. 5)\n"
        "dgamma_i/dt = gain * gamma_eta * I * c_i(t), t from the slot's start\n"
        "sine: c_i = sin(2 pi p_i t/T), gain 2; code: c_i = +-1, gain 1\n"
        "dgamma_eta/dt = 0"
    )
    source: ClassVar[str] = (
        "an extension after Silva et al., 'Perceptrons from Memristors', arXiv:1807.04912, Section II"
    )
    about_rate: ClassVar[str] = "weight per A s of a carrier's amplitude"
    alone: ClassVar[bool] = False
    carried: ClassVar[bool] = True

    model: Literal["carrier-memristor"] = "carrier-memristor"
    carriers: Literal["sine", "code"] = Field(
        default="sine", description="sines of different frequencies, or codes of chips of +-1"
    )
    periods: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(), description="sine: periods p_i of the weights and the bias in a WRITE; none takes 1, 2, 3, ..."
    )
    whole_periods: bool = Field(default=True, description="refuse READs and WRITEs that are no whole number of periods")

    @model_validator(mode="after")
    def _a_carrier_each(self) -> "CarrierMemristor":
        wanted, given = self.inputs + 1, len(self.periods)
        if given and self.carriers == "code":
            raise ValueError(f"periods: are those of sines; leave it out for carriers = 'code' (got {given} values)")
        if given and given != wanted:
            raise ValueError(f"periods: needs {wanted} values, one for each weight and the bias (got {given})")
        if len(set(self.periods)) < given:
            raise ValueError(
                f"periods: must differ, or their variables are one (got {', '.join(f'{p:g}' for p in self.periods)})"
            )
        return self

    @property
    def gain(self) -> float:
        """Gain of the demodulators: 1 over the mean square of a carrier."""
        return 2.0 if self.carriers == "sine" else 1.0

    @property
    def every_period(self) -> tuple[float, ...]:
        """Periods of each variable's sine in a WRITE."""
        return self.periods or tuple(float(number) for number in range(1, self.inputs + 2))

    def check_drive(self, drive: str) -> None:
        raise ValueError("model: a carrier-memristor has its carriers in the slots of a network, and no drive has any")

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1.0 / self.reference_current, self.reference_voltage, self.gain, *(0.0,) * (self.inputs + 1))

    def functions(self) -> Any:
        from ..kernels.models import carrier_memristor as physics
        from ..kernels.stepping import ModelFunctions

        parameters = physics.FIRST_CARRIER + self.inputs + 1
        key = f"carrier_memristor_{self.activation}"
        # Through a step, which is all that a pulse of its has, no drift changes.
        return ModelFunctions(
            key, self.inputs + 2, parameters, physics.drift, self._output(), constant_drift=True, carried=self.carried,
            sized=True,
        )  # fmt: skip
