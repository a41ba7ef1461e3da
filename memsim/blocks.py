"""Memory for a block of realisations, in the layout that the kernels expect."""

from collections.abc import Sequence

import numpy as np

from .imperfections.drawing import OwnDevices
from .kernels.block import PHASES, Block, Counters, Devices, Own, PlaceColumn, Plan, Registers, Rows
from .kernels.imperfect import parameters_beyond
from .kernels.past import MIDDLE
from .kernels.slots import BankColumn, Nominal, Past
from .kernels.stepping import PulseRows
from .kernels.tiles import room_of

ELEMENTS_A_BLOCK = 1 << 15  # devices times realisations; the arrays of more fall out of the second-level cache
FEWEST_LANES, MOST_LANES = 8, 512  # of a block that is not alone: a vector of realisations, and enough for any


def channels(plan: Plan) -> tuple[int, int]:
    """State variables and devices of the whole network."""
    devices = plan.banks[:, BankColumn.DEVICES]
    return int((devices * plan.banks[:, BankColumn.VARIABLES]).sum()), int(devices.sum())


def new_rows(plan: Plan, lanes: int, capacity: int) -> Rows:
    """Room for ``capacity`` rows of the trace."""
    states, devices = channels(plan)
    return Rows(
        state=np.empty(capacity * states * lanes),
        current=np.empty(capacity * devices * lanes),
        voltage=np.empty(capacity * devices * lanes),
        capacity=capacity,
    )


def bank_rows(plan: Plan, block: Block, bank: int) -> PulseRows:
    """The rows of a recorded bank, (variables, capacity, elements) and (capacity, elements), as views."""
    capacity, lanes = block.rows.capacity, block.lanes
    devices, variables, first, first_state = (
        int(plan.banks[bank, column])
        for column in (BankColumn.DEVICES, BankColumn.VARIABLES, BankColumn.FIRST_DEVICE, BankColumn.FIRST_STATE)
    )
    size = capacity * lanes
    shape = (capacity, devices * lanes)
    return PulseRows(
        block.rows.state[size * first_state : size * (first_state + variables * devices)].reshape(variables, *shape),
        block.rows.current[size * first : size * (first + devices)].reshape(shape),
        block.rows.voltage[size * first : size * (first + devices)].reshape(shape),
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


def places_of(plan: Plan, lanes: int) -> np.ndarray:
    """Where each bank lies in the flat arrays of a block, (banks, columns) int64."""
    rooms = np.array([room_of(int(devices) * lanes) for devices in plan.banks[:, BankColumn.DEVICES]])
    rooms_of_states = rooms * plan.banks[:, BankColumn.VARIABLES]
    places = np.zeros((len(rooms), len(PlaceColumn)), dtype=np.int64)
    places[:, PlaceColumn.FIRST] = np.cumsum(rooms) - rooms
    places[:, PlaceColumn.FIRST_STATE] = np.cumsum(rooms_of_states) - rooms_of_states
    places[:, PlaceColumn.ROOM] = rooms
    return places


def unread_bias(plan: Plan) -> float:
    """What the controller holds for the bias weights before the first READ: nothing, where it is to keep them."""
    return np.nan if plan.nominal[:, Nominal.KEPT_BIAS].any() else 0.0


def _repeated(states: np.ndarray, room: int) -> np.ndarray:
    """States of a bank, (variables, room): beside the elements the last one, as a device that is never driven."""
    return np.pad(states, ((0, 0), (0, room - states.shape[1])), mode="edge")


def repeat_last(plan: Plan, block: Block) -> None:
    """Fill the room beside the elements anew, after states were put into a block."""
    for (first, room), (devices, variables) in zip(
        block.places[:, [PlaceColumn.FIRST_STATE, PlaceColumn.ROOM]],
        plan.banks[:, [BankColumn.DEVICES, BankColumn.VARIABLES]],
        strict=True,
    ):
        states = block.devices.state[first : first + variables * room].reshape(variables, room)
        states[:] = _repeated(states[:, : devices * block.lanes], room)


def new_block(plan: Plan, initial: Sequence[np.ndarray], outputs: int, own: Own) -> Block:
    """A block at the start of a run.

    Parameters
    ----------
    plan : Plan
    initial : sequence of (variables, devices, realisations) float64
        Starting states of each bank, for the block's realisations.
    outputs : int
        Outputs of the network.
    own : Own
        From :func:`own_of`.
    """
    lanes = initial[0].shape[2]
    places = places_of(plan, lanes)
    rooms = places[:, PlaceColumn.ROOM]
    padded = [_repeated(states.reshape(len(states), -1), room) for states, room in zip(initial, rooms, strict=True)]
    # Adding 0 turns -0 into 0, which a step would do as well.
    state = np.concatenate([states.ravel() for states in padded]) + 0.0
    units = int(plan.units[-1])
    return Block(
        lanes=lanes,
        places=places,
        devices=_new_devices(plan, state, int(rooms.sum())),
        own=own,
        counters=_new_counters(state, int(rooms.sum())),
        registers=Registers(
            signal=np.zeros((units, lanes)),
            net=np.zeros((units, lanes)),
            slope=np.zeros((units, lanes)),
            bias=np.full((units, lanes), unread_bias(plan)),
            sensitivity=np.zeros((units, lanes)),
            arriving=np.zeros((units, lanes)),
            gradient=np.zeros((units, lanes)),
            target=np.zeros((outputs, lanes)),
            difference=np.zeros((1, lanes)),
            scale=np.zeros(lanes),
            error=np.zeros(lanes),
            ones=np.ones(lanes),
            rate=np.full(1, plan.rate),
            closing=np.ones(1),
        ),
        rows=new_rows(plan, lanes, 0),
    )


def own_of(plan: Plan, own: Sequence[OwnDevices], seeds: np.ndarray) -> Own:
    """What the devices of a block have of their own, laid out; empty where all are perfect."""
    rows = plan.parameters.shape[1] + parameters_beyond(plan.lower.shape[1])
    parameters, movable, past = [np.zeros(0)], [np.zeros(0)], [np.zeros((len(Past), 0))]
    for bank, devices in enumerate(own):
        room = room_of(devices.movable.size)
        values = np.zeros((rows, devices.movable.size))
        count = int(plan.banks[bank, BankColumn.PARAMETERS])
        values[:count] = devices.parameters.reshape(count, -1)
        values[count] = devices.movable.ravel()
        values[count + 1] = devices.relaxation.ravel()
        values[count + 2 : count + 2 + len(devices.aims)] = devices.aims[:, None]
        values[count + 2 + len(devices.aims) + MIDDLE] = devices.middle
        parameters.append(_repeated(values, room).ravel())
        movable.append(_repeated(devices.movable.reshape(1, -1), room).ravel())
        past.append(_repeated(devices.past.reshape(len(Past), -1), room))
    return Own(
        rows, np.concatenate(parameters), np.concatenate(movable), np.concatenate(past, axis=1),
        np.zeros(sum(map(len, movable))), np.array(seeds),
    )  # fmt: skip


def _new_devices(plan: Plan, state: np.ndarray, elements: int) -> Devices:
    carried = len(plan.carriers) > 0
    return Devices(
        state=state,
        before=state.copy(),
        gathered=np.zeros(len(state)),
        current=np.zeros(elements),
        train=np.zeros(elements),
        idle=np.zeros(elements),
        voltage=np.zeros(elements),
        request=np.zeros(elements),
        pulses=np.zeros(elements),
        known=np.zeros(elements),
        aim=np.zeros(elements),
        amplitudes=np.zeros(len(state) if carried else 0),
        tuned=plan.parameters[0].copy() if carried else np.zeros(0),
    )


def _new_counters(state: np.ndarray, elements: int) -> Counters:
    return Counters(
        energy=np.zeros((PHASES, elements)),
        epoch_energy=np.zeros((PHASES, elements)),
        peak_current=np.zeros((PHASES, elements)),
        disturbed=np.zeros((PHASES, elements)),
        bound=np.zeros((PHASES, elements)),
        highest=state.copy(),
        lowest=state.copy(),
        residual=np.zeros(elements),
        unrestored=np.zeros(elements),
        clipped=np.zeros(elements),
        shortened=np.zeros(elements),
        rounded=np.zeros(elements),
        rounding=np.zeros(elements),
        unverified=np.zeros(elements),
        out_of_range=np.zeros(elements),
        driver_clipped=np.zeros(elements),
        readout_clipped=np.zeros(elements),
    )
