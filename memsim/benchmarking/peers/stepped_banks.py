"""memsim: the kernel that steps a bank of a network through a pulse."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...devices import Device, IonDrift, Synapse, Vteam
from ...provenance import program_version
from ..banks import Bank, Bench
from ..kernel_loop import Pulses
from .contract import EULER, SECOND_ORDER, Method, Peer, Prepared, fixed
from .problems import PULSES, Problem


class SteppedBanks(Peer):
    """A bank in the compiled loop of networks, which counts beside the states whatever a run tells of a device."""

    name = "memsim"
    install = "pip install memsim"
    manual = "docs/performance.md"
    settings = "the kernel of networks, one thread; it keeps voltages, energies, peaks, extremes and bounds as well"
    packages = ("numba", "llvmlite")
    methods: ClassVar[dict[str, Method]] = {
        "euler": EULER,
        "heun": SECOND_ORDER,
        "exact": fixed(1, 1, devices=("synapse",)),
    }

    def versions(self) -> dict[str, str]:
        """Memsim's, and those of what compiles it."""
        return {"memsim": program_version(), **super().versions()}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Compile the kernels, or load them from memsim's cache."""
        return _Stepped(problem, method, int(level))


class _Stepped(Prepared):
    def __init__(self, problem: Problem, method: str, steps: int) -> None:
        about = problem.about
        bench = Bench(device_of(problem), about.pulse / steps, (about.currents,), (about.states,))
        self._bank, self._method, self._count = Bank(bench, problem.devices), method, steps
        self._bank.states[0] = problem.starts
        self._bank.currents[:] = np.outer(problem.factors[:2], problem.currents)
        self._bank.extremes[:] = problem.starts
        self.steps = steps * PULSES
        self.reset()
        self._pulses(PULSES)  # compiled, or loaded

    def reset(self) -> None:
        self._pulses = Pulses(self._bank, self._method, self._count)
        self._pulses(0)  # its program is made

    def integrate(self) -> None:
        self._pulses(PULSES)

    def states(self) -> np.ndarray:
        found = self._bank.copy()
        self._pulses.give_back(found)
        return found.states[0]


def device_of(problem: Problem) -> Device:
    """Memsim's device with the numbers of a problem."""
    p = problem.about.parameters
    if problem.device == "ion-drift":
        return IonDrift(mobility=p["mobility"], r_on=p["r_on"], thickness=p["thickness"], window="joglekar")
    if problem.device == "vteam":
        vteam: dict[str, Any] = {name: value for name, value in p.items() if name in Vteam.model_fields}
        return Vteam(**vteam, a_off=p["x_off"], alpha_off=1, alpha_on=3)
    synapse: dict[str, Any] = {name: value for name, value in p.items() if name in Synapse.model_fields}
    return Synapse(**synapse)


PEERS = {"memsim": SteppedBanks()}
