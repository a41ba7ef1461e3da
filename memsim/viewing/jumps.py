"""Where to go: the next slot of a phase, the next switching event, the next read disturb."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..analysis.disturb import disturb_pieces
from ..analysis.switching import side_before, switching_levels, switching_pieces
from ..kernels.slots import Phase
from ..runs.channels import Channels
from ..runs.run import Run
from ..runs.timeline import slot_widths

PIECE_STEPS = 20_000  # that a search looks at in one go, at most; the page answers in between
ANY_PHASE = "any phase"


@dataclass(frozen=True)
class Found:
    """A place to go to.

    Attributes
    ----------
    start, stop : int
        Steps.
    said : str
        What is there.
    """

    start: int
    stop: int
    said: str


@dataclass(frozen=True)
class Searched:
    """Nothing was found up to a step; the search goes on."""

    step: int


def next_slot(run: Run, step: int, phase: str = ANY_PHASE) -> Found | None:
    """The first slot that begins behind a step; None at the run's end.

    Parameters
    ----------
    run : Run
    step : int
    phase : str
        READ, RESTORE, BACKREAD or WRITE; or any of them.
    """
    slots = run.slots
    among = np.arange(len(slots)) if phase == ANY_PHASE else np.flatnonzero(slots["phase"] == phase.encode())
    if len(among) == 0:
        return None
    sample = step // run.sample_steps
    starts = slots["start"][among] + sample * run.sample_steps
    later = np.flatnonzero(starts > step)
    place, start = (later[0], starts[later[0]]) if len(later) else (0, starts[0] + run.sample_steps)
    if start >= run.steps:
        return None
    slot = slots[among[place]]
    width = int(slot_widths(slots)[among[place]])
    said = f"{slot['phase'].decode()} of {run.banks[slot['bank']]}, layer {slot['layer']}"
    return Found(int(start), int(start) + width, said)


def phases_of(run: Run) -> list[str]:
    """The phases that a run's samples have, in their order."""
    names = [name.decode() for name in run.slots["phase"]]
    return [phase.name for phase in Phase if phase.name in names]


def next_switching(run: Run, channels: Channels, step: int) -> Iterator[Searched | Found]:
    """Search the shown devices for the first state behind a step that crosses the middle of its range, in pieces.

    Yields
    ------
    Searched or Found
        The last one is ``Found`` where there is one.
    """

    def told(bank: str, event: np.void) -> Found:
        name = channels.variables[bank][int(event["variable"])].replace("_", " ")
        way = "up" if event["direction"] > 0 else "down"
        at = int(event["step"])
        return Found(at, at + 1, f"{name} of {bank} {event['device']} switches {way} in a {event['phase']}")

    pieces = {}
    for bank in channels.banks:
        levels = switching_levels(run, bank)
        side = side_before(run, bank, levels, step + 1, channels.realisations)
        pieces[bank] = switching_pieces(
            run, bank, levels, side, step + 1, run.steps, channels.realisations, PIECE_STEPS
        )  # fmt: skip
    return _first(channels, step, pieces, told)


def next_disturb(run: Run, channels: Channels, step: int) -> Iterator[Searched | Found]:
    """Search the shown devices for the first READ behind a step that moved a state, or RESTORE that left it off.

    Yields
    ------
    Searched or Found
        The last one is ``Found`` where there is one.
    """

    def told(bank: str, event: np.void) -> Found:
        name, unit = run.bank(bank).variables[int(event["variable"])][:2]
        said = f"{event['phase']} leaves {name.replace('_', ' ')} of {bank} {event['device']} off by "
        return Found(int(event["step"]), int(event["stop"]), f"{said}{event['change']:.3g} {unit}")

    begin = (step + 1) // run.sample_steps * run.sample_steps
    pieces = {bank: disturb_pieces(run, bank, begin, run.steps, channels.realisations) for bank in channels.banks}
    return _first(channels, step, pieces, told)


def _first(
    channels: Channels, step: int, pieces: dict[str, Iterator[tuple[int, np.ndarray]]],
    told: Callable[[str, np.void], Found],
) -> Iterator[Searched | Found]:  # fmt: skip
    """The first event of the shown devices behind a step, of banks that are searched side by side."""
    reached = dict.fromkeys(pieces, step)
    found: dict[str, np.void] = {}
    while reached:
        bank = min(reached, key=lambda name: reached[name])
        if found and min(int(event["step"]) for event in found.values()) < reached[bank]:
            break
        piece = next(pieces[bank], None)
        if piece is None:
            del reached[bank]
            continue
        reached[bank], events = piece
        events = events[np.isin(events["device"], channels.devices[bank]) & (events["step"] > step)]
        if len(events):
            found[bank] = events[np.argmin(events["step"])]
            # It is the first of its bank.
            del reached[bank]
        yield Searched(min(reached.values(), default=piece[0]))
    if found:
        yield told(*min(found.items(), key=lambda known: int(known[1]["step"])))


def counted_disturbs(run: Run, channels: Channels) -> int:
    """Read disturbs that were counted while stepping, of the shown devices: over the whole run so far."""
    found = 0
    for bank in channels.banks:
        counters = run.diagnostics(bank)
        devices, lanes = list(channels.devices[bank]), list(channels.realisations)
        disturbed = counters["disturbed"][[Phase.READ, Phase.BACKREAD]]
        found += int(disturbed[:, devices][..., lanes].sum() + counters["unrestored"][devices][:, lanes].sum())
    return found
