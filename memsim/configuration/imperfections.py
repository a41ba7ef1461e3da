"""``[imperfections]`` and ``[periphery]``: how far devices, drivers and read-outs are from perfect."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..fields import Settings, quantity

Share = Annotated[float, Field(ge=0, le=1)]
# Fields that only say more of an imperfection; each other one is an imperfection unless it is 0 or not given.
DETAILS = {"distribution", "retention_state", "capture_time", "emission_time"}


class BankImperfections(Settings):
    """``[imperfections.synapse]``, ``[imperfections.node]``, ``[imperfections.memristor]``."""

    spread: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={},
        description="standard deviation of parameters from device to device, by name, as a share of its value",
    )
    distribution: Literal["lognormal", "normal"] = Field(
        default="lognormal",
        description="of the spread; the mean is the nominal value, of a truncated normal one more",
    )
    stuck_lower: Share = quantity(0.0, "1", "share of devices stuck at the lower bound of their state")
    stuck_upper: Share = quantity(0.0, "1", "share of devices stuck at the upper bound of their state")
    stuck: Share = quantity(0.0, "1", "share of devices stuck at their starting state")
    write_noise: float = quantity(
        0.0, "1", "standard deviation of the drift from pulse to pulse, as a share of its mean", ge=0, le=1
    )

    retention_time: float | None = quantity(
        None, "s", "time constant with which states relax, 10 steps of time.dt or more", gt=0
    )
    retention_state: Share = quantity(0.0, "1", "where they relax to, as a share of the range from its lower bound on")
    levels: int = Field(
        default=0,
        ge=0,
        le=65536,
        description="levels that a WRITE can end at, 2 or more, evenly from bound to bound; 0: any state",
    )
    endurance: float | None = quantity(
        None, "1", "pulses after which the range of the memristance is half as wide", gt=0
    )
    telegraph_amplitude: Share = quantity(
        0.0, "1", "share by which the memristance is larger while a trap is occupied; needs both times"
    )
    capture_time: float | None = quantity(None, "s", "mean time that the trap stays empty", gt=0)
    emission_time: float | None = quantity(None, "s", "mean time that the trap stays occupied", gt=0)

    @model_validator(mode="after")
    def _shares_fit(self) -> "BankImperfections":
        total = self.stuck_lower + self.stuck_upper + self.stuck
        if total > 1:
            raise ValueError(f"stuck: stuck, stuck_lower and stuck_upper must add up to at most 1 (got {total:g})")
        if self.levels == 1:
            raise ValueError("levels: must be 0, or 2 or more: both bounds are among them (got 1)")
        return self

    @model_validator(mode="after")
    def _telegraph_is_whole(self) -> "BankImperfections":
        for name in ("capture_time", "emission_time"):
            if self.telegraph_amplitude and getattr(self, name) is None:
                raise ValueError(f"{name}: is missing; telegraph_amplitude = {self.telegraph_amplitude:g} needs it")
        return self

    @property
    def any(self) -> bool:
        """Whether any device may differ from a perfect one."""
        return any(self.model_dump(exclude=DETAILS).values())


class ImperfectionsSection(Settings):
    """``[imperfections]``: of each kind of bank."""

    synapse: BankImperfections = BankImperfections()
    node: BankImperfections = BankImperfections()
    memristor: BankImperfections = BankImperfections()


class BankPeriphery(Settings):
    """``[periphery.synapse]``, ``[periphery.node]``, ``[periphery.memristor]``."""

    read_noise: float = quantity(
        0.0, "V", "standard deviation of each voltage that the controller reads; normal, mean 0", ge=0
    )
    readout_bits: int = Field(
        default=0, ge=0, le=32, description="resolution of the read-outs, 2 bits or more; 0: no steps"
    )
    readout_range: float | None = quantity(None, "V", "read-outs clip at +- this; readout_bits need it", gt=0)
    driver_bits: int = Field(
        default=0, ge=0, le=32, description="resolution of the drivers, 2 bits or more; 0: no steps"
    )
    driver_range: float | None = quantity(None, "A", "drivers clip at +- this; driver_bits need it", gt=0)

    @model_validator(mode="after")
    def _bits_have_ranges(self) -> "BankPeriphery":
        for name in ("readout", "driver"):
            bits, limit = getattr(self, f"{name}_bits"), getattr(self, f"{name}_range")
            if bits == 1:
                raise ValueError(f"{name}_bits: must be 0, or 2 or more: 0 and both ends of the range (got 1)")
            if bits and limit is None:
                raise ValueError(f"{name}_range: is missing; {name}_bits = {bits} needs the range that the bits span")
        return self

    @property
    def any(self) -> bool:
        """Whether anything is imperfect."""
        return bool(self.read_noise or self.readout_range or self.driver_range)


class PeripherySection(Settings):
    """``[periphery]``: of each kind of bank."""

    synapse: BankPeriphery = BankPeriphery()
    node: BankPeriphery = BankPeriphery()
    memristor: BankPeriphery = BankPeriphery()


def step_of(bits: int, limit: float | None) -> float:
    """The step of a converter with ``2**bits - 1`` codes from -limit to +limit, 0 among them; 0 without steps."""
    return limit / (2 ** (bits - 1) - 1) if bits and limit else 0.0
