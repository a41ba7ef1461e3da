"""Which channels of a run to look at: banks, devices, realisations, quantities."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InputError
from ..fields import did_you_mean, listed
from ..traces.reader import QUANTITIES
from .trace_access import TraceAccess

UNITS = {"current": "A", "voltage": "V"}  # states have the units of their variables


class Channel(NamedTuple):
    """One number over time; ``variable`` is the index of a state variable, and None for currents and voltages."""

    bank: str
    quantity: str
    device: int
    variable: int | None
    realisation: int


@dataclass(frozen=True)
class Channels:
    """A selection that is known to exist in its run.

    Attributes
    ----------
    banks : tuple of str
        In the order of the network.
    devices : mapping of str to tuple of int
        Devices of each bank, ascending.
    variables : mapping of str to tuple of str
        Names of each bank's state variables, all of them.
    realisations : tuple of int
        Ascending.
    quantities : tuple of str
        Of ``state``, ``current``, ``voltage``, in this order.
    """

    banks: tuple[str, ...]
    devices: Mapping[str, tuple[int, ...]]
    variables: Mapping[str, tuple[str, ...]]
    realisations: tuple[int, ...]
    quantities: tuple[str, ...]

    def __iter__(self) -> Iterator[Channel]:
        for bank in self.banks:
            for quantity in self.quantities:
                yield from self.of(bank, quantity)

    def of(self, bank: str, quantity: str) -> Iterator[Channel]:
        """The channels of a bank and a quantity that are chosen."""
        variables = range(len(self.variables[bank])) if quantity == "state" else (None,)
        for device in self.devices[bank]:
            for variable in variables:
                for realisation in self.realisations:
                    yield Channel(bank, quantity, device, variable, realisation)

    def __len__(self) -> int:
        states = {bank: len(self.variables[bank]) for bank in self.banks}
        numbers = {bank: sum(states[bank] if q == "state" else 1 for q in self.quantities) for bank in self.banks}
        return len(self.realisations) * sum(len(self.devices[bank]) * numbers[bank] for bank in self.banks)

    def at_most(self, most: int, where: str) -> "Channels":
        """The channels, unless they are more than can be told apart where they are drawn.

        Raises
        ------
        InputError
        """
        if len(self) > most:
            raise InputError(
                f"channels: at most {most} can be told apart {where} (got {len(self):,}); "
                "choose fewer banks, devices, realisations or quantities"
            )
        return self


def unit_of(run: TraceAccess, channel: Channel) -> str:
    """The unit of a channel's values: a state variable's own, A, or V."""
    if channel.variable is None:
        return UNITS[channel.quantity]
    return run.bank(channel.bank).variables[channel.variable][1]


def choose(
    run: TraceAccess,
    banks: Sequence[str] = (),
    devices: Sequence[int] = (),
    realisations: Sequence[int] = (),
    quantities: Sequence[str] = (),
) -> Channels:
    """A selection of channels; what is left empty is taken whole.

    Parameters
    ----------
    run : TraceAccess
    banks : sequence of str
    devices : sequence of int
        The same numbers in each of the banks.
    realisations : sequence of int
    quantities : sequence of {"state", "current", "voltage"}

    Raises
    ------
    InputError
        Something is chosen that the run does not have.
    """
    names = named("banks", banks, run.banks)
    infos = {name: run.bank(name) for name in names}
    advice = "" if banks or len(names) == 1 else "; choose banks with banks=NAMES"
    return Channels(
        banks=names,
        devices={name: numbered(f"devices of {name}", devices, info.devices, advice) for name, info in infos.items()},
        variables={name: tuple(variable[0] for variable in info.variables) for name, info in infos.items()},
        realisations=numbered("realisations", realisations, run.realisations),
        quantities=named("quantities", quantities, QUANTITIES),
    )


def named(what: str, chosen: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those of the known names that are chosen, in their order; all where none is."""
    chosen = set(chosen)
    for name in sorted(chosen - set(known)):
        raise InputError(f"{what}: must be among {listed(known)} (got {name!r}){did_you_mean(name, known)}")
    return tuple(name for name in known if name in chosen or not chosen)


def numbered(what: str, chosen: Iterable[int], count: int, advice: str = "") -> tuple[int, ...]:
    """The chosen numbers, each once, rising; all below ``count`` where none is chosen."""
    chosen = sorted(set(chosen))
    for number in chosen:
        if not 0 <= number < count:
            raise InputError(f"{what}: must be from 0 to {count - 1} (got {number}){advice}")
    return tuple(chosen) or tuple(range(count))
