"""memsim.drive: the public function for devices under waveforms, which keeps every step in memory."""

from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from ...driving.drive import drive
from ...driving.waveforms import Pulse, Pulses, Waveform
from ...provenance import program_version
from .contract import Method, Peer, Prepared, fixed
from .problems import PULSES, Problem
from .stepped_banks import device_of


class DrivenBanks(Peer):
    """A waveform for each device."""

    name = "memsim.drive"
    install = "pip install memsim"
    manual = "docs/drive.md"
    settings = "in memory, one thread, a waveform for each device; it keeps drive, response and state of every step"
    packages = ("numba", "llvmlite")
    methods: ClassVar[dict[str, Method]] = {
        "euler": fixed(1, 1, 10, 100, 1000),
        "heun": fixed(2, 1, 3, 10, 30, 100, 300, 1000),
    }
    most_devices = 1000  # their rows are in memory

    def versions(self) -> dict[str, str]:
        """Memsim's, and those of what compiles it."""
        return {"memsim": program_version(), **super().versions()}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Compile the kernels, or load them from memsim's cache."""
        return _Driven(problem, method, int(level))


class _Driven(Prepared):
    def __init__(self, problem: Problem, method: str, steps: int) -> None:
        self._problem, self._method, self._count = problem, method, steps
        self._device = device_of(problem)
        self._waveforms = [self._train(float(current)) for current in problem.currents]
        self.steps = steps * PULSES
        self.run()  # compiled, or loaded

    def _train(self, current: float) -> Waveform:
        length, factors = self._problem.about.pulse, self._problem.factors
        return Pulses(
            pulses=tuple(
                Pulse(start=k * length, width=length, amplitude=factor * current) for k, factor in enumerate(factors)
            )
        )

    def integrate(self) -> None:
        length = self._problem.about.pulse
        self._trace = drive(
            self._device, self._waveforms, dt=length / self._count, duration=PULSES * length,
            initial=self._problem.starts, integrator=cast("Literal['euler', 'heun']", self._method),
        )  # fmt: skip

    def states(self) -> np.ndarray:
        return np.asarray(self._trace.window("state", start=self.steps - 1, stop=self.steps))[0]


PEERS = {"memsim.drive": DrivenBanks()}
