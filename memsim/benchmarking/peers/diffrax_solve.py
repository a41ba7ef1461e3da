"""diffrax: ``diffeqsolve`` on all devices as one system, a call for each pulse in a scan, under ``jit``."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from .contract import EULER, Method, Peer, Prepared, adaptive
from .jax_scan import Compiled
from .problems import PULSES, Problem

TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
MOST_STEPS = 100_000  # of a pulse
FIXED = ("euler",)


class DiffraxSolve(Peer):
    """Its solvers for problems that are not stiff, as its page on choosing one recommends."""

    name = "diffrax"
    install = "pip install 'memsim[peers]'"
    manual = "https://docs.kidger.site/diffrax/usage/how-to-choose-a-solver/"
    settings = (
        "diffeqsolve under jit, float64 on the processor, all devices one system, a call for each pulse; "
        "PIDController with rtol, and atol = rtol of the state's range; compiled before it is measured"
    )
    packages = ("diffrax", "jax", "jaxlib")
    methods: ClassVar[dict[str, Method]] = {
        "Euler": EULER,
        "Tsit5": adaptive(*TOLERANCES),
        "Dopri8": adaptive(*TOLERANCES),
    }
    scaled = "Tsit5"

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Compile."""
        steps = 0 if self.methods[method].by_tolerance else int(level)
        pulse = partial(_pulse, method=method, level=level, steps=steps, scale=problem.about.scale)
        return Compiled(problem, pulse, steps * PULSES)


def _pulse(
    drift: Any, x: Any, current: Any, pulse: Any, length: float, *, method: str, level: float, steps: int, scale: float
) -> Any:
    import diffrax

    def rate(t: Any, x: Any, args: Any) -> Any:
        return drift(x, current, pulse)

    by_tolerance = diffrax.PIDController(rtol=level, atol=level * scale)
    found = diffrax.diffeqsolve(
        diffrax.ODETerm(rate), getattr(diffrax, method)(), t0=0.0, t1=length, y0=x,
        dt0=length / steps if steps else None, saveat=diffrax.SaveAt(t1=True),
        stepsize_controller=diffrax.ConstantStepSize() if steps else by_tolerance,
        max_steps=steps + 1 if steps else MOST_STEPS, adjoint=diffrax.ForwardMode(),
    )  # fmt: skip
    return found.ys[0], found.stats["num_accepted_steps"]


PEERS = {"diffrax": DiffraxSolve()}
