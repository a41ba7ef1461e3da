"""What each peer is asked: whether it is there, how it is installed, and to integrate a problem."""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..timing import processor_seconds
from .problems import Problem


@dataclass(frozen=True)
class Method:
    """A way in which a peer integrates.

    Attributes
    ----------
    levels : tuple of float
        Steps of a pulse, ascending; or tolerances, descending.
    order : int or None
        How the error falls with the step; None where the tool chooses its steps
        by a tolerance.
    devices : tuple of str
        Problems that it takes; empty for all.
    """

    levels: tuple[float, ...]
    order: int | None = None
    devices: tuple[str, ...] = ()

    @property
    def by_tolerance(self) -> bool:
        """Whether a level is a tolerance."""
        return self.order is None


def fixed(order: int, *steps: int, devices: Sequence[str] = ()) -> Method:
    """A method with so many steps of a pulse."""
    return Method(tuple(float(number) for number in steps), order, tuple(devices))


def adaptive(*tolerances: float) -> Method:
    """A method that chooses its steps by a relative tolerance."""
    return Method(tolerances)


EULER = fixed(1, 1, 10, 100, 1000, 10_000)
SECOND_ORDER = fixed(2, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
RK4 = fixed(4, 1, 2, 4, 8, 16, 32, 64, 128)


class Prepared(ABC):
    """A problem that a peer is ready to integrate: all is built and compiled.

    Attributes
    ----------
    steps : int
        Of one device in the whole train; known after ``run`` where the peer chooses them.
    """

    steps: int

    def reset(self) -> None:  # noqa: B027 (most have nothing to do)
        """Go back to the starting states, uncounted; called before each run."""

    @abstractmethod
    def integrate(self) -> None:
        """Carry the devices through the whole train."""

    @abstractmethod
    def states(self) -> np.ndarray:
        """States at the end, (devices,), in the problem's unit."""

    def run(self) -> float:
        """Integrate once; the processor seconds that it took, of all threads and processes."""
        self.reset()
        begun = processor_seconds()
        self.integrate()
        return processor_seconds() - begun


class Peer(ABC):
    """A tool.

    Attributes
    ----------
    name : str
    install : str
        The command that installs it.
    manual : str
        Where its own manual says how it is to be used.
    settings : str
        How it is used here, one sentence.
    methods : dict
        Name to method.
    scaled : str
        The method that is measured over the number of devices.
    most_devices : int
        More than these take it too long.
    case_seconds : float
        About how long a case of the suite takes.
    """

    name: str
    install: str
    manual: str
    settings: str
    methods: ClassVar[dict[str, Method]]
    scaled: str = "euler"
    most_devices: int = 1_000_000
    case_seconds: float = 8.0
    packages: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """Why it cannot be measured here; None where it can."""
        for package in self.packages:
            if importlib.util.find_spec(package) is None:
                return f"{self.name} is left out: {package} is not installed; {self.install}"
        return None

    def versions(self) -> dict[str, str]:
        """Of the packages that it stands on."""
        return {package: version(package) for package in self.packages}

    @abstractmethod
    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Build and compile all that a run needs.

        Parameters
        ----------
        problem : Problem
        method : str
        level : float
            Steps of a pulse, or a tolerance.
        folder : Path
            Where compiled code may be kept for a later process.
        """
