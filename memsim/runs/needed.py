"""Which kernels are needed: by a run as it is, and by others of the same network."""

from collections.abc import Iterator

import numpy as np

from ..kernels.compiling import Kernel
from ..kernels.random import DRAW_ORDERS
from ..kernels.tiles import WIDE, tiles_of
from ..network.assembly import Assembly
from ..stepping.blocks import new_block
from ..stepping.program.making import kernels_of_teams, make
from .programming import programming
from .replay import of_realisations


def kernels_of(assembly: Assembly) -> list[Kernel]:
    """Every kernel that a network's runs need, each once.

    Runs with any number of realisations, recorded or not. READs alone, as of
    predictions, need no others.
    """
    found: list[Kernel] = [DRAW_ORDERS, *_kernels_of(assembly)]
    if assembly.to_be_programmed:
        found += _kernels_of(programming(assembly))
    return list(dict.fromkeys(found))


def _kernels_of(assembly: Assembly) -> list[Kernel]:
    found: list[Kernel] = []
    for lanes in sorted({count for bank in assembly.banks for count in _lane_counts(bank.devices)}):
        some = of_realisations(assembly, [0] * lanes)
        block = new_block(some, np.arange(lanes))
        for recorded in (), tuple(range(len(some.banks))):
            found += make(some, block, recorded).kernels()
        found += kernels_of_teams(some, block)
    return found


def _lane_counts(devices: int) -> Iterator[int]:
    """The least numbers of realisations for which a bank is stepped in wide tiles, and in narrow ones."""
    for tiles in zip(*(tiles_of(devices * lanes) for lanes in range(1, WIDE + 1)), strict=True):
        found = np.flatnonzero(tiles)
        if len(found):  # of some numbers of devices no tile is ever narrow
            yield int(found[0]) + 1
