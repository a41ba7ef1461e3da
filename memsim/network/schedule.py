"""The scheduler: Algorithms 1 and 2 as tables of slots.

A training sample has the same slots every time; only the amplitudes depend on
data. So the table is computed once, and the learning loop executes it. The
scheduler knows integers only: which bank is driven, in which phase, from which
step on, for how long.
"""

from ..configuration.sections import Configuration
from ..kernels.slots import Operation, Phase
from .architectures import architecture_of
from .slot import Schedule, Slot, read_train, verified, write_train

__all__ = ["Schedule", "Slot", "build", "programming"]


def build(config: Configuration) -> Schedule:
    """The schedule of one training sample."""
    return Schedule(tuple(architecture_of(config).slots(config)), config.time.rest)


def programming(config: Configuration) -> Schedule:
    """The schedule that writes starting weights: each bank in turn is read, corrected, and so on, and read at the end.

    Lines of the equivalent construction are written one at a time; it is the schedule of one of them.
    """
    read, write, passes = read_train(config), write_train(config), config.network.programming_passes
    architecture, slots = architecture_of(config), []
    for bank, layer, moved in architecture.programmed_banks(config):
        first = Slot(Phase.WRITE, Operation.CORRECT, bank, layer, **write)
        # Nothing is known before the first reading, so that the writing begins with it.
        slots += verified(first, passes, read, write, moved=moved, held=architecture.held)[1:]
    return Schedule(tuple(slots), config.time.rest)
