"""What a past leaves in a device beside its state, as keyframes hold it: each kind is declared here alone.

Kinds stand in the order of :class:`memsim.kernels.slots.Past`, under its names in small letters; a new one comes last.
"""

import math
from dataclasses import dataclass

import numpy as np

FIRST_KINDS = 2  # that every file has room for in its checksums; of later ones those count that are not 0 everywhere


@dataclass(frozen=True)
class PastKind:
    """A number of each device.

    Attributes
    ----------
    meaning : str
        In the file (``long_name``) and on its page.
    when : str
        Which banks have it.
    unit : str
    least, most : float
        Bounds of what can be.
    whole : bool
        Whether it is an integer.
    """

    meaning: str
    when: str
    unit: str = "1"
    least: float = -math.inf
    most: float = math.inf
    whole: bool = False

    def can_be(self, values: np.ndarray) -> bool:
        """Whether devices can have such values."""
        fit = np.isfinite(values) & (values >= self.least) & (values <= self.most)
        return bool((fit & ((np.floor(values) == values) | (not self.whole))).all())


PAST = {
    "pulses": PastKind(
        "pulses that have worn the device", "the bank has an `endurance`",
        least=0, most=2**53, whole=True,  # a count in float64, which 1 more does not change beyond that
    ),
    "trap": PastKind(
        "1: the device's trap is occupied", "the bank has telegraph noise", least=0, most=1, whole=True
    ),
    "logit": PastKind(
        "ln((x - lower)/(upper - x)) of a state x near a bound, which holds digits that x does not; 0 elsewhere",
        "the bank's model has a drift near bounds",
    ),
}  # fmt: skip


def of_checksum(values: np.ndarray) -> np.ndarray:
    """The kinds of a bank's past, (kinds, devices, realisations), that a keyframe's checksum covers.

    A kind that is 0 everywhere is left out, but for the first ones: so the checksums of
    files that were written before a kind was known hold on.
    """
    return values[[kind < FIRST_KINDS or bool(each.any()) for kind, each in enumerate(values)]]
