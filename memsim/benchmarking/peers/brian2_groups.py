"""Brian2: a NeuronGroup of the devices, by generated NumPy or Cython code from Python's loop, or as a C++ program.

The pulse's own numbers are shared variables, set where a pulse begins by ``run_regularly``: within a step they are
constant, so that methods of higher order keep it.
"""

import shutil
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..timing import processor_seconds
from .contract import Method, Peer, Prepared, fixed
from .problems import PULSES, Problem

EQUATIONS = {
    "ion-drift": """
        dx/dt = k * factor * current * (1 - (2*x - 1)**2) / second : 1
        current : 1 (constant)
        pulse : integer (shared)
        factor : 1 (shared)""",
    "vteam": """
        dx/dt = speed * over * (1 + down * (over*over - 1)) * exp(-exp(x*steepness - place)) / second : 1
        over = clip(factor * current * (r_on + slope*x) / threshold - 1, 0, inf) : 1
        current : 1 (constant)
        pulse : integer (shared)
        factor : 1 (shared)
        down : 1 (shared)
        speed : 1 (shared)
        threshold : 1 (shared)
        steepness : 1 (shared)
        place : 1 (shared)""",
    "synapse": """
        dx/dt = k * sign(factor) * clip(abs(factor)*current - threshold, 0, inf) / second : 1
        current : 1 (constant)
        pulse : integer (shared)
        factor : 1 (shared)""",
}
FACTOR = """
        factor = int(pulse % 2 == 0) - back * int(pulse % 2 == 1)
        pulse = pulse + 1"""
PULSE = {
    "ion-drift": FACTOR,
    "synapse": FACTOR,
    "vteam": FACTOR
    + """
        down = int(factor < 0)
        speed = int(factor > 0)*k_off + int(factor < 0)*k_on
        threshold = int(factor > 0)*v_off + int(factor < 0)*v_on
        steepness = sign(factor) / w_c
        place = int(factor > 0) * x_off / w_c""",
}
# Few: each is a program to compile. Its Heun's method is for noise; its rk2 is behind one of these two at any error.
METHODS = {"euler": fixed(1, 10, 100, 1000), "rk4": fixed(4, 1, 4, 16, 64)}


class Brian2Group(Peer):
    """Brian2 with one of its ways to run.

    Parameters
    ----------
    name : str
    target : str
        ``"numpy"`` or ``"cython"`` at run time, ``"cpp_standalone"``.
    how : str
        For the settings.
    """

    install = "pip install 'memsim[peers]'"
    manual = "https://brian2.readthedocs.io/en/stable/user/computation.html"
    packages: tuple[str, ...] = ("brian2",)
    methods: ClassVar[dict[str, Method]] = METHODS

    def __init__(self, name: str, target: str, how: str) -> None:
        self.name, self._target = name, target
        self.settings = f"{how}; float64, dimensionless; what a pulse sets is shared, once a pulse"
        if target == "cython":
            self.packages = ("brian2", "Cython")
        self.case_seconds = {"numpy": 8.0, "cython": 25.0, "cpp_standalone": 50.0}[target]  # mostly a compiler's

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Generate code, and compile it."""
        kind = _Standalone if self._target == "cpp_standalone" else _AtRunTime
        return kind(problem, method, int(level), self._target, folder)


class _Group(Prepared):
    """The group, its network and the namespace that its equations are read in."""

    def __init__(self, problem: Problem, method: str, steps: int, target: str, folder: Path) -> None:
        import brian2

        self._brian, self._problem, self._folder = brian2, problem, folder
        self.steps = steps * PULSES
        brian2.BrianLogger.suppress_name("method_choice")
        self._begin(target)
        length = problem.about.pulse * brian2.second
        p = problem.about.parameters
        names = {**p, "back": problem.about.back}
        if problem.device == "vteam":
            names["slope"] = (p["r_off"] - p["r_on"]) / p["x_off"]
        read = EQUATIONS[problem.device] + PULSE[problem.device]
        used = {name: value for name, value in names.items() if name in read}
        self._group = brian2.NeuronGroup(
            problem.devices, EQUATIONS[problem.device], method=method, dt=length / steps, namespace=used
        )
        self._group.x, self._group.current = problem.starts, problem.currents
        self._group.run_regularly(PULSE[problem.device], dt=length, when="before_start")
        self._network = brian2.Network(self._group)
        self._duration = PULSES * length

    def _begin(self, target: str) -> None:
        """Choose where the code goes."""

    def integrate(self) -> None:
        raise NotImplementedError

    def states(self) -> np.ndarray:
        return np.asarray(self._group.x[:])


class _AtRunTime(_Group):
    """Python's loop over the steps."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._network.store()
        self.run()  # code is generated, and compiled

    def _begin(self, target: str) -> None:
        self._brian.set_device("runtime")
        self._brian.prefs.codegen.target = target
        self._brian.prefs.codegen.runtime.cython.cache_dir = str(self._folder / "cython")

    def reset(self) -> None:
        self._network.restore()

    def run(self) -> float:
        """The loop alone: code is generated anew by each call of ``run``, which its report leaves out."""
        self.reset()
        marks: list[float] = []

        def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
            marks.append(processor_seconds())

        self._network.run(self._duration, report=report, report_period=1e9 * self._brian.second)
        return marks[-1] - marks[0]


class _Standalone(_Group):
    """A C++ program, run with the files that it was built with."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._network.run(self._duration)
        self._device.build(directory=str(self._place), compile=True, run=False, with_output=False)

    def _begin(self, target: str) -> None:
        brian, problem = self._brian, self._problem
        self._place = self._folder / f"brian2-{problem.device}"
        brian.set_device(target, build_on_run=False)
        self._device = brian.get_device()
        self._device.reinit()
        self._device.activate(build_on_run=False)
        brian.prefs.devices.cpp_standalone.openmp_threads = 0  # one thread
        shutil.rmtree(self._place / "results", ignore_errors=True)

    def run(self) -> float:
        """The program's own loop, which it reports, without its start and its files."""
        begun = processor_seconds()
        self._device.run(str(self._place), with_output=False, run_args=[])
        whole = processor_seconds() - begun
        return min(whole, float(self._device._last_run_time))


PEERS = {
    "Brian2, NumPy": Brian2Group("Brian2, NumPy", "numpy", "runtime mode, codegen.target = numpy"),
    "Brian2, Cython": Brian2Group("Brian2, Cython", "cython", "runtime mode, codegen.target = cython"),
    "Brian2, C++": Brian2Group(
        "Brian2, C++", "cpp_standalone", "C++ standalone mode with its own compiler flags, one thread"
    ),
}
