"""What a device model is: checked parameters with units, named states with bounds, and compiled functions."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import model_validator

from ..errors import InputError
from ..fields import Settings, did_you_mean, in_one_line

# HP's device as Strukov et al., 'The missing memristor found', Nature 453, 80 (2008) give it,
# with the paper's ratio R_ON/R_OFF of 1/100.
HP_R_ON = 100.0
HP_R_OFF = 10e3
HP_THICKNESS = 10e-9
HP_MOBILITY = 1e-14

UNBOUNDED = 1e300  # an upper bound that stands for none


class StateVariable(NamedTuple):
    """A state variable: name, unit, what it is, and its bounds in that unit."""

    name: str
    unit: str
    description: str
    lower: float
    upper: float


class ParameterSet(NamedTuple):
    """A named set of a model's parameters: where they come from, and the values of some fields."""

    origin: str
    values: Mapping[str, Any]


class Device(Settings):
    """The contract of a device model.

    A subclass gives its parameters as fields, the class attributes below, and
    the methods that raise ``NotImplementedError`` here. Where it has named sets
    of parameters, ``preset="..."`` beside its fields gives the values of those
    that are not given; a configuration then keeps the values, not the name.

    Attributes
    ----------
    title, equations, source : str
        For ``memsim devices``.
    rests : bool
        Whether nothing moves at zero current; only such devices are left out of
        the schedule's idle stretches.
    alone : bool
        Whether a device can be driven by itself, without a network.
    by_charge : bool
        Whether a state moves by the charge beyond its threshold, wherever it is, so that a write is a charge
        (:meth:`charge_of`); a controller writes other devices by their model.
    carried : bool
        Whether carriers tell its variables apart.
    with_rate : bool
        Whether it is a whole network: its variables are all weights, the bias, and the learning rate.
    presets : mapping of str to ParameterSet
        The named sets of parameters.
    """

    if TYPE_CHECKING:
        model: str = ""

    title: ClassVar[str] = ""
    equations: ClassVar[str] = ""
    source: ClassVar[str] = ""
    rests: ClassVar[bool] = True
    alone: ClassVar[bool] = True
    by_charge: ClassVar[bool] = False
    carried: ClassVar[bool] = False
    with_rate: ClassVar[bool] = False
    presets: ClassVar[Mapping[str, ParameterSet]] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "preset" not in given:
            return given
        name, rest = given["preset"], {field: value for field, value in given.items() if field != "preset"}
        known = ", ".join(cls.presets) or "none, since the model has no named sets"
        if not isinstance(name, str) or name not in cls.presets:
            hint = did_you_mean(name, cls.presets)
            raise ValueError(f"preset: must be one of {known} (got {in_one_line(name)}){hint}")
        values = cls.presets[name].values
        if values.keys() <= rest.keys():
            raise ValueError(f"preset: {name!r} gives nothing, since each of its values is given; leave those out")
        return {**values, **rest}

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)
        try:
            finite = all(map(math.isfinite, self.kernel_parameters()))
        except (ZeroDivisionError, OverflowError):
            finite = False
        except InputError:  # what a network is still to calibrate has none yet
            finite = True
        if not finite:
            raise InputError(f"{self.model}: what follows from these parameters is not finite; check their sizes")

    def check_drive(self, drive: str) -> None:
        """Refuse a drive, ``"current"`` or ``"voltage"``, that these parameters cannot carry.

        Raises
        ------
        ValueError
            It begins with the field that would have to change.
        """

    def state_variables(self) -> tuple[StateVariable, ...]:
        """The state variables in the order of the kernels' state array."""
        raise NotImplementedError

    def kernel_parameters(self) -> tuple[float, ...]:
        """The numbers that the compiled functions take, in their order, in SI units."""
        raise NotImplementedError

    def functions(self) -> Any:
        """The compiled functions (:class:`memsim.kernels.stepping.ModelFunctions`)."""
        raise NotImplementedError

    def resting_state(self) -> tuple[float, ...]:
        """The state of a device that nobody has written to."""
        return tuple(0.5 * (v.lower + v.upper) for v in self.state_variables())

    @property
    def threshold_windows(self) -> tuple[tuple[float, float], ...]:
        """Threshold and width in A of each variable's own window of currents; empty where they have none."""
        return ()

    @property
    def unit_voltage(self) -> float:
        """The voltage in V that stands for an output of 1; 0 of a device that has no output of its own."""
        return 0.0

    def charge_of(self, share: float) -> float:
        """The charge beyond the threshold, in A s, that moves a state by a share of its range; where ``by_charge``."""
        raise NotImplementedError

    def nominal_constants(self) -> dict[str, float]:
        """``drift``, ``r_on``, ``r_off`` and ``range`` of the paper's formulas; none of a device that has others."""
        return {}

    @property
    def digest(self) -> str:
        """SHA-256 of the file of a user's own model; empty for memsim's."""
        return ""

    def find_not_finite(self, largest: float) -> str:
        """Where a user's own model gives no finite number, with file and line; empty where nothing is found.

        Parameters
        ----------
        largest : float
            Magnitude in A up to which currents are tried.
        """
        return ""


def with_ordered_resistances(device: Any) -> Any:
    """The device, where R_OFF is greater than R_ON."""
    if device.r_off <= device.r_on:
        raise ValueError(f"r_off: must be greater than r_on = {device.r_on:g} ohm (got {device.r_off:g})")
    return device


def check_scale(window: str, scale: float) -> None:
    """Refuse a factor j that a window does not have.

    Raises
    ------
    ValueError
    """
    if scale != 1.0 and window != "prodromakis":
        raise ValueError(f"scale: must be 1 with the window {window!r} (got {scale:g}); only prodromakis has a factor")
