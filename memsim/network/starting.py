"""Where a run begins that goes on with the devices of another run: their states, and all that the past left in them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..errors import InputError
from ..traces.description import Beginning
from .architecture import architecture_of

if TYPE_CHECKING:
    from ..traces.stored import Stored


@dataclass(frozen=True)
class Start:
    """Devices as another run left them.

    Attributes
    ----------
    seeds : (realisations,) uint64
        What each realisation's devices were drawn from; the draws of the run go on from them.
    states : tuple of (devices, variables, realisations) float64
        Of each bank.
    beginning : Beginning
        What the controller remembers, the devices' past, and how much came before.
    banks : tuple of BankCalibration
        The devices as they were calibrated; none where a run's own file says it.
    """

    seeds: np.ndarray
    states: tuple[np.ndarray, ...]
    beginning: Beginning
    banks: tuple[BankCalibration, ...] = ()

    def of(self, realisations: Sequence[int]) -> "Start":
        """The start of some of the realisations."""
        lanes = list(realisations)
        return Start(
            self.seeds[lanes], tuple(states[..., lanes] for states in self.states), self.beginning.of(lanes), self.banks
        )

    def calibrated(self, config: Configuration) -> Configuration:
        """A configuration with what was calibrated of the run whose devices these are, where samples decide it."""
        return architecture_of(config).calibrated(config, self.banks) if self.banks else config

    def refuse_other_devices(self, config: Configuration, banks: Sequence[BankCalibration]) -> None:
        """Refuse a network of other devices, or of other currents, than those that the states belong to.

        Raises
        ------
        InputError
            Naming the bank and what differs.
        """
        if config.run.lanes != len(self.seeds):
            raise InputError(
                f"run.realisations: must be the {len(self.seeds)} of the run whose states are the start "
                f"(got {config.run.lanes})"
            )
        for known, bank in zip(self.banks, banks, strict=False):
            _refuse_difference(known, bank)
        if len(self.states) != len(banks) or (self.banks and len(self.banks) != len(banks)):
            raise InputError(f"start: has {len(self.states)} banks of devices, and the network {len(banks)}")
        for states, bank in zip(self.states, banks, strict=True):
            expected = (bank.devices, len(bank.device.state_variables()), len(self.seeds))
            if states.shape != expected:
                raise InputError(f"start: the states of {bank.name} are of the shape {states.shape}, not {expected}")

    def refuse_other_rate(self, drawn: np.ndarray) -> None:
        """Refuse another learning rate than a memristor's own, which is one of its variables."""
        if not np.array_equal(drawn[:, -1], self.states[0][:, -1]):
            raise InputError(
                f"learning.rate: is a variable of the memristor, and with the width of a WRITE must give the "
                f"start's {self.states[0][0, -1, 0]:.6g} 1/(A s) (got {drawn[0, -1, 0]:.6g}); take the rate of the run "
                f"that it goes on from"
            )

    def past_or(self, fresh: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """What the past left in the devices; that of fresh ones, (kinds, devices, realisations), where it left nothing.

        Raises
        ------
        InputError
            It left something in devices in which nothing can be left.
        """
        past = self.beginning.past
        if past and [values.shape for values in fresh] != [left.shape for left in past]:
            raise InputError(
                "imperfections: must be those of the run whose states are the start, which left a past in its devices"
            )
        return past or fresh


def _refuse_difference(known: BankCalibration, bank: BankCalibration) -> None:
    # How a device is stepped may change.
    compared = [field.name for field in fields(BankCalibration) if field.name != "integrator"]
    names = sorted(compared, key=lambda name: name in ("device", "modelled"))
    for name in names:  # numbers before what holds many of them
        before, now = getattr(known, name), getattr(bank, name)
        if before != now:
            raise InputError(
                f"start: {name} of {known.name} is {_short(before)} in the run whose states are the start, and "
                f"{_short(now)} here; take the network, time and write settings of that run"
            )


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def stored_start(stored: "Stored") -> Start | None:
    """The start that a run file holds; none of a run that drew its starting weights."""
    beginning = stored.beginning
    if beginning is None:
        return None
    return Start(stored.seeds, tuple(stored.initial_state(bank) for bank in stored.banks), beginning)
