"""What a netlist holds: kinds of devices, devices with their starting states and sources, the clock, its origin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...devices import UNBOUNDED, Device, StateVariable
from ...errors import InputError
from ...provenance import program_version

EDGE = 1e-4  # of dt: rise and fall time of a pulse's edges
STEP = 0.5  # of dt: ngspice's longest step
MOST_DEVICES = 500
MOST_DEVICE_STEPS = 1_000_000


@dataclass(frozen=True)
class Kind:
    """Devices of one model with the same parameters: a subcircuit.

    Attributes
    ----------
    name : str
        Of the subcircuit.
    device : Device
    scales : (variables,) of (lower, range)
        A state's capacitor has the voltage (state - lower) / range, which is of order 1.
    hold : str or None
        Source of the voltage that multiplies all drifts: 0 where external
        control holds the states; None where it never does.
    """

    name: str
    device: Device
    scales: tuple[tuple[float, float], ...]
    hold: str | None = None

    @property
    def variables(self) -> tuple[StateVariable, ...]:
        """The state variables of its model."""
        return self.device.state_variables()


@dataclass(frozen=True)
class Instance:
    """A device of a kind.

    Attributes
    ----------
    name : str
        Of its terminal's node; a word of letters, digits and underscores.
    kind : Kind
    initial : (variables,) float64
        States at the stretch's start, in the units of the variables.
    sources : tuple of str
        Independent sources that add up, as SPICE writes them: ``SIN(0 1 50)``.
    """

    name: str
    kind: Kind
    initial: np.ndarray
    sources: tuple[str, ...]


@dataclass(frozen=True)
class CircuitRows:
    """What memsim found in the stretch: one row a step, at the step's end.

    Attributes
    ----------
    state : tuple of (steps, variables) float64
        For each instance, in the units of the variables.
    current, voltage : (steps, instances) float64
        In A and V.
    """

    state: tuple[np.ndarray, ...]
    current: np.ndarray
    voltage: np.ndarray


@dataclass(frozen=True)
class Circuit:
    """A stretch of a run or a drive, ready to be written as a netlist.

    Attributes
    ----------
    title : str
        One line.
    about : tuple of str
        Where it comes from, as comments.
    dt : float
        Step in s.
    steps : int
    drive : {"current", "voltage"}
    instances : tuple of Instance
    rows : CircuitRows
    """

    title: str
    about: tuple[str, ...]
    dt: float
    steps: int
    drive: str
    instances: tuple[Instance, ...]
    rows: CircuitRows = field(repr=False)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The different kinds, in the order of their first instances."""
        return tuple({instance.kind.name: instance.kind for instance in self.instances}.values())


def scales_of(device: Device, initial: Iterable[np.ndarray]) -> tuple[tuple[float, float], ...]:
    """Lower end and range of each variable; of one without an upper bound, the largest starting state."""
    largest = np.abs(np.array(list(initial))).max(axis=0)
    return tuple(
        (v.lower, v.upper - v.lower) if v.upper < UNBOUNDED else (v.lower, float(most - v.lower) or 1.0)
        for v, most in zip(device.state_variables(), largest, strict=True)
    )


def check_size(devices: int, steps: int, any_size: bool) -> None:
    """Refuse what ngspice would take very long for.

    Raises
    ------
    InputError
    """
    if any_size or (devices <= MOST_DEVICES and devices * steps <= MOST_DEVICE_STEPS):
        return
    raise InputError(
        f"format='spice': a netlist holds at most {MOST_DEVICES:,} devices and {MOST_DEVICE_STEPS:,} device-steps (got "
        f"{devices:,} devices, {devices * steps:,} device-steps); choose fewer banks, devices, realisations "
        f"or steps, or lift the limit with any_size=True"
    )


def names_of(instances: Sequence[Instance]) -> list[str]:
    """The columns that ngspice writes beside the time, in their order."""
    names = []
    for instance in instances:
        names += [f"{instance.name}_{variable.name}" for variable in instance.kind.variables]
        names += [f"{instance.name}_current", f"{instance.name}_voltage"]
    return names


def origin(path: Path | None, made_by: str, start: int, stop: int, configuration: str) -> tuple[str, ...]:
    """Lines for the header: the file, the programs, the steps, and the whole configuration."""
    name = path.name if path is not None else "memory"
    return (
        f"From {name}, made by memsim {made_by}; written by memsim {program_version()}.",
        f"Steps {start} to {stop}, the last one not included. Its configuration:",
        *(f"    {line}" for line in configuration.splitlines()),
    )
