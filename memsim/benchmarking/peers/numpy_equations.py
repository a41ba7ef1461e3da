"""The devices' equations as NumPy has them, a pulse's drift at a time: what a pulse keeps constant is taken out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Drift = Callable[[np.ndarray, np.ndarray], None]  # of states; into an array


def drift_of(device: str, p: Mapping[str, Any], current: np.ndarray) -> Drift:
    """The drift under constant currents, in the state's unit a second.

    Parameters
    ----------
    device : str
    p : dict
        Its parameters.
    current : (devices,) array
        In A; all of them have the same sign.
    """
    return _MAKERS[device](p, current)


def _ion_drift(p: Mapping[str, Any], current: np.ndarray) -> Drift:
    speed = p["k"] * current

    def drift(x: np.ndarray, out: np.ndarray) -> None:
        np.multiply(x, 2.0, out=out)
        np.subtract(out, 1.0, out=out)
        np.multiply(out, out, out=out)
        np.subtract(1.0, out, out=out)
        np.multiply(out, speed, out=out)

    return drift


def _vteam(p: Mapping[str, Any], current: np.ndarray) -> Drift:
    up = bool(current[0] > 0.0)
    per_threshold = current / (p["v_off"] if up else p["v_on"])
    slope = (p["r_off"] - p["r_on"]) / p["x_off"] * per_threshold
    rest = p["r_on"] * per_threshold - 1.0  # v/threshold - 1 = rest + slope x
    speed, steepness = p["k_off"] if up else p["k_on"], (1.0 if up else -1.0) / p["w_c"]
    place = p["x_off"] / p["w_c"] if up else 0.0
    over = np.empty_like(current)

    def drift(x: np.ndarray, out: np.ndarray) -> None:
        np.multiply(x, steepness, out=out)
        np.subtract(out, place, out=out)
        np.exp(out, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.multiply(out, speed, out=out)
        np.multiply(x, slope, out=over)
        np.add(over, rest, out=over)
        np.maximum(over, 0.0, out=over)
        np.multiply(out, over, out=out)
        if not up:
            np.multiply(over, over, out=over)
            np.multiply(out, over, out=out)

    return drift


def _synapse(p: Mapping[str, Any], current: np.ndarray) -> Drift:
    speed = p["k"] * np.copysign(np.maximum(np.abs(current) - p["threshold"], 0.0), current)

    def drift(x: np.ndarray, out: np.ndarray) -> None:
        np.copyto(out, speed)

    return drift


_MAKERS: dict[str, Callable[[Any, np.ndarray], Drift]] = {
    "ion-drift": _ion_drift, "vteam": _vteam, "synapse": _synapse,
}  # fmt: skip
