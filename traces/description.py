"""What is known of a run before its first step: all that its file is made from.

What is marked as :data:`~.samples.OWN` differs from run to run, also where two files are else alike: see
:mod:`.templates`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .rows import Selection
from .samples import OWN, StoredDataset
from .schema import Field


@dataclass(frozen=True)
class BankDescription:
    """A bank as the file describes it.

    Attributes
    ----------
    name, model : str
    digest : str
        SHA-256 of the file of a user's own model; empty for memsim's.
    devices : int
    variables : list of (name, unit, lower bound, upper bound)
    calibration : dict
        What the controller knows of the bank: A number for each of :data:`~.schema.CALIBRATION`.
    initial : (devices, variables, realisations) float64
    past : tuple of str
        What keyframes hold of its devices beside their states, of :data:`~.past.PAST`.
    """

    name: str
    model: str
    digest: str
    devices: int
    variables: list[tuple[str, str, float, float]]
    calibration: dict[str, float] = field(metadata=OWN)
    initial: np.ndarray = field(metadata=OWN)
    past: tuple[str, ...] = ()

    @property
    def state_unit(self) -> str:
        """The unit of all variables, or where to find it."""
        units = {unit for _, unit, _, _ in self.variables}
        return units.pop() if len(units) == 1 else "see variable_units"


@dataclass(frozen=True)
class Programming:
    """How the starting weights of a run were written by pulses, before its first step.

    Attributes
    ----------
    passes : int
        Of reading and correcting.
    seconds : float
        Simulated time in s.
    banks : dict
        Bank that learns to name to (devices, realisations) float64: :data:`~.schema.PROGRAMMED`, and counters.
    """

    passes: int = field(metadata=OWN)
    seconds: float = field(metadata=OWN)
    banks: Mapping[str, Mapping[str, np.ndarray]] = field(metadata=OWN)

    def of(self, realisations: Sequence[int]) -> "Programming":
        """What it says of some of its realisations."""
        lanes = list(realisations)
        banks = {bank: {name: values[:, lanes] for name, values in found.items()} for bank, found in self.banks.items()}
        return replace(self, banks=banks)

    @property
    def energy(self) -> np.ndarray:
        """Energy in J of all banks, (realisations,); signed: an active device may give energy back."""
        return np.sum([found["energy"].sum(axis=0) for found in self.banks.values()], axis=0)


@dataclass(frozen=True)
class Beginning:
    """What a run begins from beside the states: one with the devices of another, or with weights that were written.

    Attributes
    ----------
    epochs, steps : int
        That came before: draws, the order of samples and the learning rates go on from there.
    bias : (units, realisations) float64
        Bias weights as the controller last knew them.
    past : tuple of (kinds, devices, realisations) float64
        Of each bank, in the order of :data:`~.past.PAST`; none where it does not count.
    programming : Programming or None
        Of a run whose starting weights were written by pulses.
    """

    epochs: int = field(metadata=OWN)
    steps: int = field(metadata=OWN)
    bias: np.ndarray = field(metadata=OWN)
    past: tuple[np.ndarray, ...] = field(default=(), metadata=OWN)
    programming: Programming | None = None

    def of(self, realisations: Sequence[int]) -> "Beginning":
        """What it says of some of its realisations."""
        lanes = list(realisations)
        return replace(
            self, bias=self.bias[:, lanes], past=tuple(values[..., lanes] for values in self.past),
            programming=self.programming and self.programming.of(lanes),
        )  # fmt: skip

    @property
    def after_others(self) -> bool:
        """Whether other runs came before, whose devices these are."""
        return self.steps > 0

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Bias weights, and the past of each bank."""
        return (self.bias, *self.past)


@dataclass(frozen=True)
class RunDescription:
    """What is known of a run before its first step.

    Attributes
    ----------
    program : dict
        Name, version, and the environment, as attributes of the file.
    configuration : str
        TOML.
    seeds : (realisations,) uint64
    data : StoredDataset
    slots : (slots,) structured
        The slot table.
    dt : float
        Step in s.
    sample_steps : int
        Steps of one sample.
    epochs : int
        That are wanted.
    banks : list of BankDescription
    phases, operations : list of str
        Names, in the order of their codes.
    counters : tuple of Field
        What is counted of each bank, below ``diagnostics/BANK``.
    programmed : tuple of Field
        What of it is kept of the writing of starting weights, below ``programming/BANK``.
    units : int
        Of the controller's memory: inputs and nodes of all layers.
    keyframe_samples : int
        Samples between keyframes.
    phase_seconds : (phases,) float64
        Simulated time of each phase in one epoch.
    watched : bool
        Whether the states at the best epoch so far are kept.
    epoch_energy : bool
        Whether the energies of epochs are known, as they are but for a window of a file of an earlier version.
    dt_check : dict
        Attributes of the file that say how dt was checked; none where it was not.
    replayed_from : str
        The run file that the traces of a window were replayed from; empty for a run.
    beginning : Beginning or None
        Of a run that goes on with the devices of another one, or whose starting weights were written by pulses.
    """

    program: dict[str, str | int]
    configuration: str = field(metadata=OWN)
    seeds: np.ndarray = field(metadata=OWN)
    data: StoredDataset
    slots: np.ndarray
    dt: float
    sample_steps: int
    epochs: int
    banks: list[BankDescription]
    phases: list[str]
    operations: list[str]
    counters: tuple[Field, ...]
    programmed: tuple[Field, ...]
    units: int
    keyframe_samples: int
    phase_seconds: np.ndarray
    watched: bool = False
    epoch_energy: bool = True
    replayed_from: str = ""
    beginning: Beginning | None = None
    dt_check: dict[str, float | str] = field(default_factory=dict)

    @property
    def keyframes(self) -> int:
        """Keyframes that are expected."""
        return -(-self.epochs * len(self.data.inputs) // self.keyframe_samples)


@dataclass
class TracePlan:
    """Which banks are traced, and how."""

    selections: dict[str, Selection] = field(default_factory=dict)
    compression: str = "gzip"
