"""What a kind of network is: the contract between its one file and all that carries networks out.

A kind of network is a section of the configuration
(:class:`~memsim.configuration.network_sections.NetworkSection`) and an
:class:`Architecture`, which is entered by the name of the kind. Nothing else in
the program asks which kind it has before it.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..devices import PerceptronMemristor
from ..errors import InputError
from .slot import Slot

ARCHITECTURES: dict[str, "Architecture"] = {}  # by the kind of network


class ProgrammedBank(NamedTuple):
    """A bank whose starting weights are written: its number, its layer, and whether READs move it."""

    bank: int
    layer: int
    moved: bool


class Architecture:
    """A kind of network. A subclass with a ``kind`` enters itself when it is declared.

    Attributes
    ----------
    kind : str
        The name of the kind, which its section has as the default of ``kind``.
    held : bool
        Whether external control holds devices that are not addressed: their starting weights are written one at a time.
    """

    kind: ClassVar[str] = ""
    held: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        ARCHITECTURES[cls.kind] = cls()

    def refuse(self, config: Configuration) -> None:
        """Refuse settings of other sections that do not go with this kind of network.

        Raises
        ------
        InputError
        """

    def devices(self, config: Configuration, units: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Devices of each bank, and the state variables of each, before anything is calibrated.

        Parameters
        ----------
        config : Configuration
        units : sequence of int
            Of each layer; of layer 0 the inputs, with the constant line.
        """
        raise NotImplementedError

    def calibrate(self, config: Configuration, inputs: np.ndarray, targets: np.ndarray) -> tuple[BankCalibration, ...]:
        """Banks of devices in the order of the schedule's, with what the configuration leaves open chosen.

        Parameters
        ----------
        config : Configuration
        inputs : (samples, inputs) float64
            With the constant line, where the network has one.
        targets : (samples, outputs) float64
        """
        raise NotImplementedError

    def slots(self, config: Configuration) -> list[Slot]:
        """The slots of one training sample."""
        raise NotImplementedError

    def programmed_banks(self, config: Configuration) -> Iterator[ProgrammedBank]:
        """The banks whose starting weights are written by pulses, in their order."""
        raise NotImplementedError

    def starting_states(
        self, config: Configuration, banks: tuple[BankCalibration, ...], units: tuple[int, ...], seeds: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Starting weights as states, (devices, variables, realisations) of each bank.

        Devices are handed to a run with them; where it has them written, they are the aims.
        """
        raise NotImplementedError

    def memristor(self, config: Configuration, inputs: int) -> PerceptronMemristor | None:
        """The memristor that the network is, or is made after, with so many inputs; of layers of devices none."""
        return None

    def refuse_states(
        self, banks: tuple[BankCalibration, ...], states: tuple[np.ndarray, ...], inputs: np.ndarray
    ) -> None:
        """Refuse starting states that reading would disturb.

        Parameters
        ----------
        banks : tuple of BankCalibration
        states : tuple of (devices, variables, realisations) float64
        inputs : (samples, inputs) float64
        """

    def keeps_rate(self, banks: tuple[BankCalibration, ...]) -> bool:
        """Whether the learning rate is a variable of the devices, which a run that goes on with them cannot change."""
        return False

    def calibrated(self, config: Configuration, banks: Sequence[BankCalibration]) -> Configuration:
        """A configuration with what was calibrated of the run that it goes on from, where samples decide it."""
        return config

    def unfit_classes(self, config: Configuration, name: str, classes: int, outputs: int) -> str:
        """What to say of a data set whose classes do not fit the outputs."""
        raise NotImplementedError


def architecture_of(config: Configuration) -> Architecture:
    """The architecture of a configuration's network.

    Raises
    ------
    InputError
        Its section is declared, and nothing says how such a network is carried out.
    """
    kind = config.network.kind
    if kind not in ARCHITECTURES:
        raise InputError(f"network.kind: {kind!r} has no architecture; import the module that declares it")
    return ARCHITECTURES[kind]
