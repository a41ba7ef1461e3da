"""Whether dt is small enough for the writes of devices that are written by their model, seen before a run.

A write of a paper's device is exact at any dt, as its drift depends on the
current alone. Others may move through most of their range within one step.
"""

from dataclasses import dataclass

from ..calibration.bank import BankCalibration, slot_time
from ..calibration.nominal_banks import nominal_of
from ..network.assembly import Assembly

FINER = 16  # steps to one of the run's
CHANGE = 1e-2  # of the range: the write that is looked at
HALVINGS = 50  # of the driver's range, for the pulse
TOLERANCE = 0.1  # of a write, that is said to be too much


@dataclass(frozen=True)
class CoarseWrite:
    """A write that is not what dt makes of it.

    Attributes
    ----------
    bank, model : str
    change, finer : float
        How far a pulse carries a state from mid range at dt, and at dt/16, as shares of the range.
    """

    bank: str
    model: str
    change: float
    finer: float

    def __str__(self) -> str:
        return (
            f"{self.bank}: a pulse that moves a {self.model} by {self.change:.2%} of its range moves it by "
            f"{self.finer:.2%} with steps of dt/{FINER}"
        )


def coarse_writes(assembly: Assembly) -> list[CoarseWrite]:
    """Writes from mid range, upwards and downwards, that differ by more than a tenth between dt and dt/16.

    Each is the pulse that at dt moves a state by a hundredth of the range. Of
    every bank that is written by its model the worse direction, where it is too
    coarse.

    Parameters
    ----------
    assembly : Assembly
    """
    found = []
    for bank in assembly.banks:
        if bank.modelled is not None and not bank.device.functions().constant_drift:
            both = [_write(assembly, bank, sign) for sign in (1.0, -1.0)]
            worst = max(both, key=lambda write: abs(write.finer - write.change))
            if abs(worst.finer - worst.change) > TOLERANCE * abs(worst.change):
                found.append(worst)
    return found


def _write(assembly: Assembly, bank: BankCalibration, sign: float) -> CoarseWrite:
    time, seconds = assembly.config.time, slot_time(assembly.config)
    nominal = nominal_of(bank.device, "devices")

    def moved(amplitude: float, finer: int) -> float:
        current, steps = sign * nominal.polarity * amplitude, round(seconds / time.dt) * finer
        moved = nominal.effect(nominal.middle, current, steps, time.dt / finer, bank.integrator)
        return float(moved) / nominal.range

    low, high = 0.0, bank.driver_limit
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if abs(moved(middle, 1)) >= CHANGE else (middle, high)
    return CoarseWrite(bank.name, nominal.model, moved(high, 1), moved(high, FINER))
