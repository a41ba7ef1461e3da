"""What is chosen to be looked at: banks, devices, realisations, quantities; and how people write numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..analysis.plot import FIRST_DEVICES
from ..errors import InputError
from ..runs.channels import Channels, choose
from ..runs.run import Run

MOST_CHANNELS = 80  # that can still be told apart on a page
_RANGE = re.compile(r"\s*([0-9]{1,9})\s*(?::\s*([0-9]{1,9})\s*)?")


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes
    ----------
    channels : Channels
    weights : bool
        Show states as the weights that they stand for.
    """

    channels: Channels
    weights: bool = False

    def __post_init__(self) -> None:
        """Refuse more channels than can be told apart."""
        self.channels.at_most(MOST_CHANNELS, "on a page")


def first_choice(
    run: Run, banks: Sequence[str] = (), devices: Sequence[int] = (), realisations: Sequence[int] = (),
    quantities: Sequence[str] = (), *, weights: bool = False,
) -> Choice:  # fmt: skip
    """What a page begins with: where nothing is chosen, states and currents of some devices of all banks.

    Raises
    ------
    InputError
        Something is chosen that the run does not have, or more than can be told apart.
    """
    known = choose(run, banks, devices, realisations or (0,), quantities or ("state", "current"))
    if not devices:
        known = replace(known, devices={bank: numbers[:FIRST_DEVICES] for bank, numbers in known.devices.items()})
        while len(known) > MOST_CHANNELS and any(len(numbers) > 1 for numbers in known.devices.values()):
            known = replace(
                known, devices={bank: numbers[: -(-len(numbers) // 2)] for bank, numbers in known.devices.items()}
            )
    if not quantities and len(known) > MOST_CHANNELS:
        known = replace(known, quantities=("current",))
    while not banks and len(known) > MOST_CHANNELS and len(known.banks) > 1:
        known = replace(known, banks=known.banks[: -(-len(known.banks) // 2)])
    return Choice(known, weights)


def chosen(
    run: Run, banks: Sequence[str], devices: str, realisations: str, quantities: Sequence[str], weights: bool
) -> Choice:
    """What the page's fields say; numbers as ``0,2,5:8``, and of devices those that a bank has.

    Raises
    ------
    InputError
        With the field, and what it must be.
    """
    if not banks:
        raise InputError(f"banks: choose one at least, of {', '.join(run.banks)}")
    if not quantities:
        raise InputError("quantities: choose one at least, of state, current, voltage")
    lanes = numbers_of("realisations", realisations, run.realisations)
    wanted = numbers_of("devices", devices, max(run.bank(bank).devices for bank in run.banks))
    found = choose(run, banks, (), lanes, quantities)
    theirs = {bank: tuple(n for n in wanted if n < run.bank(bank).devices) for bank in found.banks}
    shown = tuple(bank for bank in found.banks if theirs[bank])
    if not shown:
        most = max(run.bank(bank).devices for bank in found.banks)
        raise InputError(f"devices: the chosen banks have 0 to {most - 1} (got {devices!r})")
    return Choice(replace(found, banks=shown, devices=theirs), weights)


def numbers_of(what: str, text: str, count: int) -> tuple[int, ...]:
    """Numbers and ranges with commas between them, ascending: ``0,2,5:8`` is 0, 2, 5, 6, 7.

    Raises
    ------
    InputError
        The text is no such list, or a number is not below ``count``.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise InputError(f"{what}: must be numbers, or ranges A:B, with commas between them (got {text!r})")
        first, last = int(match[1]), int(match[2]) if match[2] else int(match[1]) + 1
        if not first < last <= count:
            raise InputError(f"{what}: must be from 0 to {count - 1}, and of a range B above A (got {part.strip()!r})")
        found.update(range(first, last))
    return tuple(sorted(found))


def as_text(numbers: Sequence[int]) -> str:
    """Numbers as :func:`numbers_of` reads them, in as few parts as it takes."""
    parts: list[str] = []
    for first, last in _stretches(numbers):
        parts.append(str(first) if last == first + 1 else f"{first}:{last}")
    return ",".join(parts)


def _stretches(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = found[-1][0], number + 1
        else:
            found.append((number, number + 1))
    return found
