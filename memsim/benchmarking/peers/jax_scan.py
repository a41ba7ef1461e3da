"""JAX: ``lax.scan`` over the steps of a pulse, in one over the pulses, under ``jit``, in double precision."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .contract import EULER, RK4, SECOND_ORDER, Method, Peer, Prepared
from .jax_equations import drift_of, pulses_of
from .problems import PULSES, Problem


class JaxScan(Peer):
    """A step written in jax.numpy."""

    name = "JAX"
    install = "pip install 'memsim[peers]'"
    manual = "https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html"
    settings = (
        "lax.scan under jit, float64 on the processor; compiled before it is measured, block_until_ready; unroll and "
        "lax.map over chunks were tried, and are slower"
    )
    packages = ("jax", "jaxlib")
    methods: ClassVar[dict[str, Method]] = {"euler": EULER, "heun": SECOND_ORDER, "rk4": RK4}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Compile."""
        return Compiled(
            problem, partial(_pulse, method=FASTEST[problem.device][method], steps=int(level)), int(level) * PULSES
        )


class Compiled(Prepared):
    """A function of states, currents and a pulse's numbers, over the train, compiled.

    Parameters
    ----------
    problem : Problem
    pulse : function
        Of a drift, states, currents, a pulse's numbers and its length; gives states, and how many steps it took.
    steps : int
        0 where the function counts.
    """

    def __init__(self, problem: Problem, pulse: Callable[..., Any], steps: int) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        drift, pulses, length = drift_of(problem), pulses_of(problem), problem.about.pulse

        def train(x: Any, current: Any) -> Any:
            def one(x: Any, pulse_numbers: Any) -> Any:
                return pulse(drift, x, current, pulse_numbers, length)

            return jax.lax.scan(one, x, pulses)

        self._compiled = jax.jit(train)
        self._given = jnp.array(problem.starts), jnp.array(problem.currents)
        jax.block_until_ready(self._compiled(*self._given))
        self.steps = steps

    def integrate(self) -> None:
        import jax

        self._found = jax.block_until_ready(self._compiled(*self._given))
        self.steps = self.steps or int(np.sum(self._found[1]))

    def states(self) -> np.ndarray:
        return np.asarray(self._found[0])


def _pulse(drift: Any, x: Any, current: Any, pulse: Any, length: float, *, method: Any, steps: int) -> Any:
    import jax

    def rate(x: Any) -> Any:
        return drift(x, current, pulse)

    def step(x: Any, _: None) -> Any:
        return method(rate, x, length / steps), None

    return jax.lax.scan(step, x, None, length=steps)[0], steps


def _euler(rate: Any, x: Any, dt: float) -> Any:
    return x + dt * rate(x)


def _heun(rate: Any, x: Any, dt: float) -> Any:
    first = rate(x)
    return x + 0.5 * dt * (first + rate(x + dt * first))


def _rk4(rate: Any, x: Any, dt: float) -> Any:
    first = rate(x)
    second = rate(x + 0.5 * dt * first)
    third = rate(x + 0.5 * dt * second)
    return x + dt / 6.0 * (first + 2.0 * (second + third) + rate(x + dt * third))


def _scanned(rate: Any, x: Any, dt: float, *, shares: tuple[float, ...], weights: tuple[float, ...]) -> Any:
    """A step whose stages are a scan as well: XLA would work out expensive stages anew wherever it needs them."""
    import jax

    def stage(carried: Any, numbers: Any) -> Any:
        k, total = carried
        k = rate(x + dt * numbers[0] * k)
        return (k, total + numbers[1] * k), None

    zero = jax.numpy.zeros_like(x)
    (_, total), _ = jax.lax.scan(stage, (zero, zero), (jax.numpy.array(shares), jax.numpy.array(weights)))
    return x + dt * total


PLAIN = {"euler": _euler, "heun": _heun, "rk4": _rk4}
STAGES = {
    "euler": _euler,
    "heun": partial(_scanned, shares=(0.0, 1.0), weights=(0.5, 0.5)),
    "rk4": partial(_scanned, shares=(0.0, 0.5, 0.5, 1.0), weights=(1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}
# As measured: of VTEAM twice as fast.
FASTEST: dict[str, dict[str, Any]] = {
    "ion-drift": PLAIN,
    "synapse": PLAIN,
    "vteam": STAGES,
}
PEERS = {"JAX": JaxScan()}
