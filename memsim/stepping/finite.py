"""A run whose numbers are no longer finite stops, and says in which realisations and what to do."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..errors import NotFiniteError
from ..network.assembly import Assembly
from ..traces.stored import COUNTED_AT_MOST
from .blocks import Block


def check_finite(assembly: Assembly, blocks: Iterable[Block], epoch: int) -> None:
    """Refuse states or errors of samples that are not finite.

    Raises
    ------
    NotFiniteError
    """
    lost = [realisation for block in blocks for realisation in _lost(block)]
    if lost:
        found = [bank.device.find_not_finite(bank.driver_limit) for bank in assembly.banks]
        reason = next(filter(None, found), "check the data and the devices' parameters, or take a smaller time.dt")
        raise NotFiniteError(
            f"a device's state or a sample's error is no longer finite in epoch {epoch}; {reason}",
            tuple(sorted(lost)),
        )


def check_counted(assembly: Assembly, counters: Sequence[Mapping[str, np.ndarray]], epoch: int) -> None:
    """Refuse counters, as an energy, that a reader of the file would take for broken.

    Raises
    ------
    NotFiniteError
    """
    for bank, counted in zip(assembly.banks, counters, strict=True):
        for name, values in counted.items():
            beyond = ~(np.abs(values) < COUNTED_AT_MOST)
            if beyond.any():
                lost = np.flatnonzero(beyond.reshape(-1, values.shape[-1]).any(axis=0))
                raise NotFiniteError(
                    f"{name.replace('_', ' ')} of {bank.name} is beyond {COUNTED_AT_MOST:g} in epoch {epoch}; "
                    f"check time.dt and the sizes of the devices' parameters",
                    tuple(lost.tolist()),
                )


def _lost(block: Block) -> list[int]:
    """Realisations of a block that are no longer finite."""
    error = block.sample.error
    if np.isfinite(block.state).all() and np.isfinite(error).all():
        return []
    views = [block.of_elements(bank.state, number) for number, bank in enumerate(block.banks)]
    finite = np.all([np.isfinite(view).all(axis=(0, 1)) for view in views], axis=0)
    lost: list[int] = block.realisations[~(finite & np.isfinite(error))].tolist()
    return lost
