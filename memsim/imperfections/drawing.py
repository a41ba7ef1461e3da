"""What each device has of its own: parameters and stuck states, drawn from keys before a run."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import (
    BankImperfections,
    BankPeriphery,
    ImperfectionsSection,
    PeripherySection,
    step_of,
)
from ..devices import Device
from ..errors import InputError
from ..kernels.operands import Flaws
from ..kernels.random import PURPOSE_SPREAD, PURPOSE_STUCK, normal, uniform
from .device_past import flaws_of_past, middle_of
from .retention import aims_of

DRAWS = 1000  # of a device that its model refuses, before the spread is


@dataclass(frozen=True)
class DrawnDevices:
    """What the devices of a bank have of their own.

    Attributes
    ----------
    parameters : (parameters, devices, realisations) float64
        In the order of the model's kernel parameters.
    movable : (devices, realisations) float64
        0 of stuck devices, 1 of others.
    relaxation : (devices, realisations) float64
        The rate in 1/s at which states relax; 0 where they keep.
    aims : (variables,) float64
        The states that they relax to.
    middle : float
        The state towards which the range closes by wear.
    """

    parameters: np.ndarray
    movable: np.ndarray
    relaxation: np.ndarray
    aims: np.ndarray
    middle: float

    def of(self, realisations: Any) -> "DrawnDevices":
        """What was drawn for some of the realisations."""
        return DrawnDevices(
            self.parameters[..., realisations], self.movable[..., realisations], self.relaxation[..., realisations],
            self.aims, self.middle,
        )  # fmt: skip


def flaws_of(
    banks: Sequence[BankCalibration], imperfections: ImperfectionsSection, periphery: PeripherySection
) -> tuple[Flaws, ...]:
    """What is imperfect of each bank and of its periphery."""
    return tuple(_flaws(getattr(imperfections, bank.kind), getattr(periphery, bank.kind)) for bank in banks)


def _flaws(section: BankImperfections, around: BankPeriphery) -> Flaws:
    return Flaws(
        write_noise=_sigma(section.write_noise),
        levels=section.levels,
        read_noise=around.read_noise,
        readout_range=around.readout_range or 0.0,
        readout_step=step_of(around.readout_bits, around.readout_range),
        driver_range=around.driver_range or 0.0,
        driver_step=step_of(around.driver_bits, around.driver_range),
        **flaws_of_past(section),
    )


def draw_devices(
    banks: Sequence[BankCalibration],
    imperfections: ImperfectionsSection,
    periphery: PeripherySection,
    seeds: np.ndarray,
) -> tuple[DrawnDevices, ...]:
    """What the devices of each bank have of their own; none where everything is perfect.

    Raises
    ------
    InputError
        No draw gave a device that can be.
    """
    sections = [getattr(imperfections, bank.kind) for bank in banks]
    if not any(s.any or getattr(periphery, b.kind).any for s, b in zip(sections, banks, strict=True)):
        return ()
    drawn = []
    for index, (bank, section) in enumerate(zip(banks, sections, strict=True)):
        movable = _movable(index, bank, section, seeds)
        rates = movable / section.retention_time if section.retention_time else np.zeros_like(movable)
        drawn.append(
            DrawnDevices(
                _parameters(index, bank, section, seeds), movable, rates, aims_of(bank, section),
                middle_of(bank, section),
            )
        )  # fmt: skip
    return tuple(drawn)


def stuck_states(
    initial: Sequence[np.ndarray],
    banks: Sequence[BankCalibration],
    imperfections: ImperfectionsSection,
    seeds: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Starting states, (devices, variables, realisations) of each bank, with stuck devices at their bounds."""
    found = []
    for index, (states, bank) in enumerate(zip(initial, banks, strict=True)):
        section: BankImperfections = getattr(imperfections, bank.kind)
        placed = states
        if section.stuck_lower or section.stuck_upper:
            about = bank.device.state_variables()
            drawn = _stuck_draws(index, bank, seeds)[:, None]
            lower, upper = np.array([(v.lower, v.upper) for v in about]).T[..., None]
            placed = np.where(drawn < section.stuck_lower, lower, states)
            at_upper = (drawn >= section.stuck_lower) & (drawn < section.stuck_lower + section.stuck_upper)
            placed = np.where(at_upper, upper, placed)
        found.append(placed)
    return tuple(found)


def _sigma(spread: float) -> float:
    """Standard deviation of the logarithm, where the lognormal number itself has ``spread`` of its mean."""
    return math.sqrt(math.log1p(spread * spread))


def numbers_of(device: Device) -> dict[str, float]:
    """The fields of a device that are numbers with a unit, but for integers."""
    fields = type(device).model_fields
    values = {name: getattr(device, name) for name, field in fields.items() if field.json_schema_extra}
    return {name: value for name, value in values.items() if isinstance(value, float)}


def device_with(device: Device, values: dict[str, float]) -> Device:
    """A device some of whose parameters are others."""
    return type(device)(**{**device.model_dump(), **values})


def _parameters(index: int, bank: BankCalibration, section: BankImperfections, seeds: np.ndarray) -> np.ndarray:
    nominal = np.array(bank.device.kernel_parameters())
    found = np.empty((len(nominal), bank.devices, len(seeds)))
    found[:] = nominal[:, None, None]
    spread = {field: share for field, share in section.spread.items() if share > 0.0}
    if spread:
        for device in range(bank.devices):
            for lane, seed in enumerate(seeds):
                own = own_device(bank, section.distribution, spread, index, device, seed)
                found[:, device, lane] = own.kernel_parameters()
    return found


def own_device(
    bank: BankCalibration, distribution: str, spread: dict[str, float], index: int, device: int, seed: np.uint64
) -> Device:
    """One device of a bank with parameters of its own.

    What its model refuses, such as R_OFF below R_ON, or a parameter that is not
    greater than 0, is drawn again.
    """
    known = numbers_of(bank.device)
    for attempt in range(DRAWS):
        values = {}
        for field, share in spread.items():
            z = normal(seed, PURPOSE_SPREAD, index, device, (attempt << 32) + zlib.crc32(field.encode()))
            sigma = _sigma(share)
            factor = math.exp(sigma * z - 0.5 * sigma * sigma) if distribution == "lognormal" else 1.0 + share * z
            values[field] = known[field] * factor
        if all(values[field] * known[field] > 0.0 for field in values):
            try:
                return device_with(bank.device, values)
            except InputError:
                continue
    raise InputError(
        f"imperfections.{bank.kind}.spread: none of {DRAWS} draws gave a {bank.device.model} that can be; "
        f"take a smaller spread"
    )


def _stuck_draws(index: int, bank: BankCalibration, seeds: np.ndarray) -> np.ndarray:
    """One uniform number a device, (devices, realisations), which says whether and where it is stuck."""
    return np.array([[uniform(seed, PURPOSE_STUCK, index, d, 0) for seed in seeds] for d in range(bank.devices)])


def _movable(index: int, bank: BankCalibration, section: BankImperfections, seeds: np.ndarray) -> np.ndarray:
    share = section.stuck_lower + section.stuck_upper + section.stuck
    if share == 0.0:
        return np.ones((bank.devices, len(seeds)))
    return np.where(_stuck_draws(index, bank, seeds) < share, 0.0, 1.0)
