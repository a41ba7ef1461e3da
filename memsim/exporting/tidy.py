"""One tidy table: a row for each number, its columns say what it is."""

from collections.abc import Iterator
from typing import NamedTuple

from ..runs.channels import UNITS
from .excerpt import Kept


class ChannelCells(NamedTuple):
    """What the table says of a channel; ``variable`` is the name of a state variable, or None."""

    bank: str
    device: int
    variable: str | None
    realisation: int
    quantity: str
    unit: str


def channel_cells(excerpt: Kept) -> Iterator[ChannelCells]:
    """The cells of each channel, in the order of :meth:`~.excerpt.Block.matrix`."""
    variables = {bank: excerpt.variables(bank) for bank in excerpt.channels.banks}
    for bank, quantity, device, variable, realisation in excerpt.channels:
        name, unit = (None, UNITS[quantity]) if variable is None else variables[bank][variable]
        yield ChannelCells(bank, device, name, realisation, quantity, unit)
