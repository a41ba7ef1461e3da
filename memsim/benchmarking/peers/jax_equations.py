"""The devices' equations as JAX has them: a drift from a state, a current, and the numbers of a pulse."""

from collections.abc import Callable
from typing import Any

from .problems import Problem


def pulses_of(problem: Problem) -> dict[str, Any]:
    """What each pulse has of its own, an array over the pulses each: what ``lax.scan`` goes over."""
    import jax.numpy as jnp

    p, factors = problem.about.parameters, jnp.array(problem.factors)
    if problem.device != "vteam":
        return {"factor": factors}
    up = factors > 0.0
    return {
        "factor": factors, "down": jnp.where(up, 0.0, 1.0), "speed": jnp.where(up, p["k_off"], p["k_on"]),
        "threshold": jnp.where(up, p["v_off"], p["v_on"]), "steepness": jnp.where(up, 1.0, -1.0) / p["w_c"],
        "place": jnp.where(up, p["x_off"] / p["w_c"], 0.0),
    }  # fmt: skip


def drift_of(problem: Problem) -> Callable[..., Any]:
    """The drift of states under the currents of even pulses, and the numbers of the present one."""
    import jax.numpy as jnp

    p = problem.about.parameters

    def ion_drift(x: Any, current: Any, pulse: Any) -> Any:
        return p["k"] * pulse["factor"] * current * (1.0 - (2.0 * x - 1.0) ** 2)

    def vteam(x: Any, current: Any, pulse: Any) -> Any:
        volts = pulse["factor"] * current * (p["r_on"] + (p["r_off"] - p["r_on"]) / p["x_off"] * x)
        over = jnp.maximum(volts / pulse["threshold"] - 1.0, 0.0)
        window = jnp.exp(-jnp.exp(x * pulse["steepness"] - pulse["place"]))
        # The exponents are 1 upwards and 3 downwards.
        return pulse["speed"] * over * (1.0 + pulse["down"] * (over * over - 1.0)) * window

    def synapse(x: Any, current: Any, pulse: Any) -> Any:
        drive = pulse["factor"] * current
        return p["k"] * jnp.copysign(jnp.maximum(jnp.abs(drive) - p["threshold"], 0.0), drive) + 0.0 * x

    return {"ion-drift": ion_drift, "vteam": vteam, "synapse": synapse}[problem.device]
