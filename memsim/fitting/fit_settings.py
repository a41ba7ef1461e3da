"""How a fit is made, checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..fields import one_of
from ..traces.drive_file import RESPONSES
from .simulation import Between


class Loss(NamedTuple):
    """What a residual costs, and its derivative: how much it weighs; both of the square of a scaled residual."""

    cost: Callable[[np.ndarray], np.ndarray]
    weight: Callable[[np.ndarray], np.ndarray]


LOSSES = {
    "linear": Loss(lambda z: z, np.ones_like),
    "soft_l1": Loss(lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0), lambda z: 1.0 / np.sqrt(1.0 + z)),
    "huber": Loss(lambda z: np.where(z > 1.0, 2.0 * np.sqrt(z) - 1.0, z), lambda z: 1.0 / np.sqrt(np.maximum(z, 1.0))),
    "cauchy": Loss(np.log1p, lambda z: 1.0 / (1.0 + z)),
}


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a fit is made; :func:`~memsim.fit` says what each of these means.

    Raises
    ------
    InputError
        One that is none of its choices, or beyond its bounds.
    """

    free: Sequence[str]
    drive: str
    initial: Any
    bounds: Mapping[str, tuple[float, float]] | None
    between: Between
    substeps: int
    integrator: str
    loss: str
    loss_scale: float
    starts: int
    evaluations: int

    def __post_init__(self) -> None:
        choices: dict[str, Sequence[str]] = {
            "drive": tuple(RESPONSES), "between": ("linear", "held"), "integrator": ("euler", "heun"),
            "loss": tuple(LOSSES),
        }  # fmt: skip
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name}: must be {one_of(known, getattr(self, name))}")
        for name, least in (("substeps", 1), ("starts", 0), ("evaluations", 1)):
            number = getattr(self, name)
            if not isinstance(number, int) or number < least:
                raise InputError(f"{name}: must be a whole number of {least} or more (got {number!r})")
        if not 0.0 < self.loss_scale < np.inf:
            raise InputError(f"loss_scale: must be greater than 0 (got {self.loss_scale:g})")
