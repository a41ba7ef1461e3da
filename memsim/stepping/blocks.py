"""Memory for a block of realisations, in the layout that the kernels expect.

A *block* is a group of realisations that is stepped together, by one thread. Its
banks lie one behind the other, each with room for whole tiles beside its
elements (:func:`~memsim.kernels.tiles.room_of`). Rows of the trace have no such room.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels.counters import DEVICES, PHASES, STATES
from ..kernels.imperfect import parameters_beyond
from ..kernels.operands import COUNTERS, Bank, Layer, Rows, Sample
from ..kernels.past import MIDDLE
from ..kernels.slots import Past, Phase
from ..kernels.tiles import aligned, new_tile, room_of
from ..network.assembly import Assembly

ELEMENTS_A_BLOCK = 1 << 15  # devices times realisations; the arrays of more fall out of the second-level cache
FEWEST_LANES, MOST_LANES = 8, 512  # of a block that is not alone: a vector of realisations, and enough for any

# Fields of Bank by the rows that they have; the states lie in memory of all banks.
_COUNTED = {name: counter.axes for name, counter in COUNTERS.items() if name in Bank._fields}
OF_STATES = ("before", "gathered", *(name for name, axes in _COUNTED.items() if axes == STATES))
OF_PHASES = [name for name, axes in _COUNTED.items() if axes == PHASES]
OF_ELEMENTS = (
    "current", "train", "idle", "voltage", "request", "pulses", "known", "aim", "asked",
    *(name for name, axes in _COUNTED.items() if axes == DEVICES),
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block of realisations: its devices, and all that belongs to them.

    Attributes
    ----------
    realisations : (lanes,) int64
        Their numbers in the run.
    banks : tuple of Bank
    state, past : flat float64
        Those of all banks, one behind the other; the banks' are views of them.
    memory : Layer
        The controller's memory of all layers, (units, lanes).
    sample : Sample
    seeds : (lanes,) uint64
    tile : flat float64
        Scratch of a tile.
    """

    realisations: np.ndarray
    banks: tuple[Bank, ...]
    state: np.ndarray
    past: np.ndarray
    memory: Layer
    sample: Sample
    seeds: np.ndarray
    tile: np.ndarray

    @property
    def lanes(self) -> int:
        """How many realisations there are."""
        return len(self.realisations)

    def of_elements(self, values: np.ndarray, bank: int) -> np.ndarray:
        """A bank's values, (..., room), without the room beside them: (..., devices, lanes), a view."""
        devices = self.banks[bank].devices
        view = values[..., : devices * self.lanes].view()
        view.shape = (*values.shape[:-1], devices, self.lanes)  # fails rather than copies
        return view

    def part_of(self, flat: np.ndarray, name: str, bank: int) -> np.ndarray:
        """A bank's part of (n, numbers) of the layout of ``state`` or ``past``, (n, rows, devices, lanes)."""
        shapes = [getattr(each, name).shape for each in self.banks]
        first = sum(rows * room for rows, room in shapes[:bank])
        rows, room = shapes[bank]
        return self.of_elements(flat[:, first : first + rows * room].reshape(len(flat), rows, room), bank)


def channels(assembly: Assembly) -> tuple[int, int]:
    """State variables and devices of the whole network."""
    return sum(bank.devices * bank.variables for bank in assembly.banks), sum(bank.devices for bank in assembly.banks)


def new_rows(assembly: Assembly, lanes: int, capacity: int) -> Rows:
    """Room for ``capacity`` rows of the trace."""
    states, devices = channels(assembly)
    return Rows(
        state=np.empty(capacity * states * lanes),
        current=np.empty(capacity * devices * lanes),
        voltage=np.empty(capacity * devices * lanes),
        capacity=capacity,
    )


def bank_rows(assembly: Assembly, rows: Rows, lanes: int, bank: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States, currents and voltages of a recorded bank, (capacity, devices, [variables,] lanes)."""
    before, own = assembly.banks[:bank], assembly.banks[bank]
    size = rows.capacity * lanes
    shape = (rows.capacity, own.devices, lanes)
    first, first_state = sum(b.devices for b in before), sum(b.devices * b.variables for b in before)
    elements = slice(size * first, size * (first + own.devices))
    states = slice(size * first_state, size * (first_state + own.variables * own.devices))
    return (
        rows.state[states].reshape(-1, *shape).transpose(1, 2, 0, 3),
        rows.current[elements].reshape(shape),
        rows.voltage[elements].reshape(shape),
    )


def lanes_a_block(devices: int) -> int:
    """Realisations that are stepped together at most, for a network of some devices."""
    return min(MOST_LANES, max(FEWEST_LANES, ELEMENTS_A_BLOCK // devices))


def partition(
    realisations: int, threads: int, most: int, recorded: Sequence[int] | np.ndarray | None = None
) -> tuple[list[np.ndarray], list[bool]]:
    """Blocks of realisations, those that are recorded apart from those that are not.

    Parameters
    ----------
    realisations, threads : int
    most : int
        Realisations of a block at most, from :func:`lanes_a_block`.
    recorded : sequence of int, optional
        Numbers of the realisations that are recorded; all where not given.

    Returns
    -------
    list of (n,) int64
        The realisations of each block; each is in one of them.
    list of bool
        Whether a block is recorded.
    """
    everyone = np.arange(realisations)
    chosen = everyone if recorded is None else np.unique(np.asarray(recorded, dtype=np.int64))
    rest = np.setdiff1d(everyone, chosen)
    parts, records = [], []
    for group, kept in ((chosen, True), (rest, False)):
        if len(group):
            share = -(-threads * len(group) // realisations)
            # As many for each thread: a stretch ends when the last of them does.
            count = min(len(group), max(share, share * -(-len(group) // (share * most))))
            blocks = np.array_split(group, count)
            parts += blocks
            records += [kept] * len(blocks)
    return parts, records


def unread_bias(assembly: Assembly) -> float:
    """What the controller holds for the bias weights before the first READ: nothing, where it is to keep them."""
    kept = any(bank.modelled is not None and bank.modelled.kept_bias for bank in assembly.banks)
    return np.nan if kept else 0.0


def new_block(assembly: Assembly, realisations: np.ndarray) -> Block:
    """A block at the start of a run."""
    lanes = len(realisations)
    rooms = [room_of(bank.devices * lanes) for bank in assembly.banks]
    kinds = len(Past) if assembly.past else 0
    state, states = _behind_each_other([bank.variables for bank in assembly.banks], rooms)
    past, pasts = _behind_each_other([kinds for _ in rooms], rooms)
    banks = []
    for number, (own_state, own_past) in enumerate(zip(states, pasts, strict=True)):
        _fill(own_state, assembly.initial[number][..., realisations].swapaxes(0, 1))
        if kinds:
            _fill(own_past, assembly.past[number][..., realisations])
        banks.append(_new_bank(assembly, number, realisations, own_state, own_past))
    units = sum(assembly.sizes)
    memory = Layer(*(np.zeros((units, lanes)) for _ in Layer._fields))
    memory.bias[:] = unread_bias(assembly)
    sample = Sample(
        target=np.zeros((assembly.sizes[-1], lanes)), difference=np.zeros(lanes), error=np.zeros(lanes),
        scale=np.zeros(lanes), rate=np.full(1, assembly.config.learning.rate), closing=np.ones(1),
    )  # fmt: skip
    tile = new_tile(max(bank.variables for bank in assembly.banks))
    return Block(realisations, tuple(banks), state, past, memory, sample, assembly.seeds[realisations], tile)


def _behind_each_other(rows: Sequence[int], rooms: Sequence[int]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Flat memory for all banks, and the (rows, room) of each in it."""
    ends = np.cumsum([count * room for count, room in zip(rows, rooms, strict=True)])
    flat = aligned(int(ends[-1]))
    parts = np.split(flat, ends[:-1])
    return flat, [part.reshape(count, room) for part, count, room in zip(parts, rows, rooms, strict=True)]


def _fill(values: np.ndarray, given: np.ndarray) -> None:
    """Fill (rows, room) with (rows, devices, lanes), beside them the last one, as a device that is never driven.

    Adding 0 turns -0 into 0, which a step would do as well.
    """
    rows = given.reshape(len(given), -1)
    values[:] = np.pad(rows, ((0, 0), (0, values.shape[1] - rows.shape[1])), mode="edge") + 0.0


def put_states(bank: Bank, states: np.ndarray) -> None:
    """Put states, (devices, variables, lanes), into a bank."""
    _fill(bank.state, states.swapaxes(0, 1))


def _new_bank(
    assembly: Assembly, number: int, realisations: np.ndarray, state: np.ndarray, past: np.ndarray
) -> Bank:  # fmt: skip
    bank, lanes = assembly.banks[number], len(realisations)
    variables, room = state.shape
    about = bank.device.state_variables()
    values = {name: aligned(variables, room) for name in OF_STATES}
    for name in ("before", "highest", "lowest"):
        values[name][:] = state
    values |= {name: aligned(len(Phase), room) for name in OF_PHASES}
    values |= {name: aligned(room) for name in OF_ELEMENTS}
    carried = assembly.models[number].carried
    values |= {
        "state": state,
        "past": past,
        "amplitudes": aligned(variables, room if carried else 0),
        "movable": _movable(assembly, number, realisations, room),
        "parameters": _parameters(assembly, number, realisations, room),
        "lower": np.array([variable.lower for variable in about]),
        "upper": np.array([variable.upper for variable in about]),
    }
    return Bank(**values, devices=bank.devices, elements=bank.devices * lanes)


def _movable(assembly: Assembly, number: int, realisations: np.ndarray, room: int) -> np.ndarray:
    movable = aligned(1, room if assembly.drawn else 0)
    if assembly.drawn:
        _fill(movable, assembly.drawn[number].movable[None, :, realisations])
    return movable[0]


def _parameters(assembly: Assembly, number: int, realisations: np.ndarray, room: int) -> np.ndarray:
    """Those of the model, or of each device, with what its imperfections add; flat."""
    bank = assembly.banks[number]
    if not assembly.kinds[number]:
        return np.array(bank.device.kernel_parameters(), dtype=np.float64)
    own = assembly.drawn[number].of(realisations)
    count, aims = len(own.parameters), len(own.aims)
    values = np.zeros((count + parameters_beyond(aims), *own.movable.shape))
    values[:count] = own.parameters
    values[count] = own.movable
    values[count + 1] = own.relaxation
    values[count + 2 : count + 2 + aims] = own.aims[:, None, None]
    values[count + 2 + aims + MIDDLE] = own.middle
    parameters = aligned(len(values), room)
    _fill(parameters, values)
    return parameters.ravel()
