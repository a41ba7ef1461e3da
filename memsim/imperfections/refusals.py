"""Every refusal of imperfections that do not fit the devices, drivers and read-outs that they are of."""

from collections.abc import Sequence

from ..calibration.bank import BankCalibration
from ..configuration.imperfections import (
    BankImperfections,
    BankPeriphery,
    ImperfectionsSection,
    PeripherySection,
    step_of,
)
from ..configuration.sections import Timing
from ..devices import UNBOUNDED
from ..errors import InputError
from ..fields import one_of
from .drawing import device_with, numbers_of

PROBE = 1.0 + 2.0**-10  # a factor that tells whether a field moves the bounds of a state
STEPS = 10  # of a time constant of retention, at least


def refuse(
    banks: Sequence[BankCalibration], imperfections: ImperfectionsSection, periphery: PeripherySection, time: Timing
) -> None:
    """Refuse imperfections that the devices of a network cannot have: once, before anything is drawn.

    Raises
    ------
    InputError
        Naming the field.
    """
    _refuse_unused(banks, imperfections, periphery)
    for bank in banks:
        section = getattr(imperfections, bank.kind)
        _refuse_without_bounds(bank, section)
        _refuse_retention(bank, section, time)
        _refuse_coarse_drivers(bank, getattr(periphery, bank.kind))
        for field in section.spread:
            _refuse_spread(bank, field)


def _refuse_unused(
    banks: Sequence[BankCalibration], imperfections: ImperfectionsSection, periphery: PeripherySection
) -> None:
    """Refuse settings of banks that the network does not have."""
    kinds = {bank.kind for bank in banks}
    for name, section in (("imperfections", imperfections), ("periphery", periphery)):
        for kind in ("synapse", "node", "memristor"):
            if kind not in kinds and getattr(section, kind).any:
                raise InputError(
                    f"{name}.{kind}: this network has no such devices; give {name}.{' or '.join(sorted(kinds))}"
                )


def _refuse_without_bounds(bank: BankCalibration, section: BankImperfections) -> None:
    """Refuse what needs states between two bounds, and what needs a single one of them."""
    about, where, model = bank.device.state_variables(), f"imperfections.{bank.kind}", bank.device.model
    boundless = any(abs(bound) >= UNBOUNDED for v in about for bound in (v.lower, v.upper))
    if section.levels and (len(about) > 1 or boundless):
        raise InputError(
            f"{where}.levels: a {model} has several states, or one without a bound; levels are of one state between "
            f"two bounds, leave them out"
        )
    if section.endurance is not None and (len(about) > 1 or boundless):
        raise InputError(
            f"{where}.endurance: a {model} has several states, or one without a bound; a range closes that lies "
            f"between two bounds, leave it out"
        )
    if section.retention_time is not None and boundless:
        raise InputError(
            f"{where}.retention_time: a {model} has a state without a bound, of whose range there is no share; "
            f"leave it out"
        )
    if (section.stuck_lower or section.stuck_upper) and boundless:
        raise InputError(
            f"{where}.stuck_lower: a {model} has a state without a bound to be stuck at; give stuck, for devices "
            f"stuck where they start"
        )


def _refuse_retention(bank: BankCalibration, section: BankImperfections, time: Timing) -> None:
    """Refuse a relaxation that is too fast for dt, or that a closed form leaves out."""
    constant = section.retention_time
    if constant is not None and constant < STEPS * time.dt:
        raise InputError(
            f"imperfections.{bank.kind}.retention_time: must be at least {STEPS} steps of time.dt = {time.dt:g} s "
            f"(got {constant:g})"
        )
    if constant is not None and time.solver == "exact":
        raise InputError(
            f"time.solver: must be 'stepping' for {bank.name}, whose states relax within a pulse (got 'exact')"
        )


def _refuse_coarse_drivers(bank: BankCalibration, around: BankPeriphery) -> None:
    """Refuse drivers whose steps round every READ to 0."""
    step = step_of(around.driver_bits, around.driver_range)
    largest = bank.read_current or bank.unit_current
    if 0.5 * step > largest:
        raise InputError(
            f"periphery.{bank.kind}.driver_bits: a step of {step:.4g} A rounds READs of {bank.name}, of up to "
            f"{largest:.4g} A, to 0; take more bits, a smaller driver_range, or a larger READ"
        )


def _refuse_spread(bank: BankCalibration, field: str) -> None:
    """Refuse a spread of what is no parameter, or that has no meaning."""
    where, device = f"imperfections.{bank.kind}.spread", bank.device
    known = numbers_of(device)
    if field not in known:
        raise InputError(f"{where}: must name {one_of(known, field)}")
    if known[field] == 0.0:
        raise InputError(f"{where}.{field}: is 0 in {bank.name}, which a share of it does not spread; leave it out")
    try:
        moved = device_with(device, {field: known[field] * PROBE})
    except InputError as error:
        raise InputError(f"{where}.{field}: cannot differ from device to device: {error}; leave it out") from None
    if moved.state_variables() != device.state_variables():
        raise InputError(
            f"{where}.{field}: sets the bounds of a {device.model}'s state, which all devices share; "
            f"spread other parameters"
        )
