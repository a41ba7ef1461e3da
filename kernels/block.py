"""A network's memory: one flat array for each quantity, and views of a bank in them.

A *block* is a group of realisations that is stepped together, by one thread. Its
banks lie one behind the other, each as (variables, room) or (room,): the
elements of a bank, (devices, realisations), and what a last tile has room for
beside them (:func:`~memsim.kernels.tiles.room_of`). Rows of the trace have no
such room.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from .compiling import inlined, merged
from .scratch import cube, sheet
from .slots import BankColumn, Phase
from .stepping import PulseRows

PHASES = len(Phase)


class PlaceColumn(IntEnum):
    """Columns of a block's table of places, all integers."""

    FIRST = 0  # where the bank begins in arrays with one value an element
    FIRST_STATE = 1  # where it begins in arrays with all variables
    ROOM = 2  # elements that it has room for


class Plan(NamedTuple):
    """What stays the same through a run.

    Attributes
    ----------
    slots : (slots, columns) int64
        See :class:`~memsim.kernels.slots.Column`.
    banks : (banks, columns) int64
        See :class:`~memsim.kernels.slots.BankColumn`.
    nominal : (banks, constants) float64
        See :class:`~memsim.kernels.slots.Nominal`.
    thresholds : (variables,) float64
        Nominal thresholds of a threshold memristor's variables in A.
    parameters : (banks, parameters) float64
        The devices' parameters in the order of their model.
    lower, upper : (banks, variables) float64
        Bounds of the states.
    units : (layers + 2,) int64
        Where each layer's signals begin; layer 0 is the inputs.
    flaws : (banks, columns) float64
        See :class:`~memsim.kernels.slots.Flaw`.
    dt : float
        Step in s.
    rate : float
        Learning rate that the devices are made for; the one in force is in :class:`Data`.
    rules : (rules,) int64
        See :class:`~memsim.kernels.slots.Rule`.
    carriers : (variables, steps) float64
        Of devices whose variables are told apart by them, from a slot's start on; else none.
    skip : bool
        False steps resting devices too.
    """

    slots: np.ndarray
    banks: np.ndarray
    nominal: np.ndarray
    thresholds: np.ndarray
    parameters: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    units: np.ndarray
    flaws: np.ndarray
    dt: float
    rate: float
    rules: np.ndarray
    carriers: np.ndarray
    skip: bool


class Devices(NamedTuple):
    """States and lines of a block of realisations, all float64.

    ``state``, ``before``, ``gathered`` and ``amplitudes`` hold all variables, the others one value an element.
    """

    state: np.ndarray
    before: np.ndarray  # states before the READ that a RESTORE is to undo
    gathered: np.ndarray  # requests of the mini-batch in progress, added up: charges, or changes of a weight
    current: np.ndarray  # amplitudes, A
    train: np.ndarray  # the present pulse of a train, A
    idle: np.ndarray  # zeros
    voltage: np.ndarray  # V
    request: np.ndarray  # charge beyond the threshold, A s; of modelled banks the change of a weight, ohm or 1
    pulses: np.ndarray  # pulses of a train
    known: np.ndarray  # modelled banks: states as they were measured
    aim: np.ndarray  # modelled banks: states that a write or a restoration leads to
    amplitudes: np.ndarray  # of the carriers of a write, all variables, A; empty where there are none
    tuned: np.ndarray  # (parameters,), of devices with carriers, at the present step; empty where there are none


class Counters(NamedTuple):
    """What is counted while stepping, for each device and realisation, all float64."""

    energy: np.ndarray  # (phases, elements), J
    epoch_energy: np.ndarray  # (phases, elements), J, of the epoch in progress
    peak_current: np.ndarray  # (phases, elements), A
    disturbed: np.ndarray  # (phases, elements), variables that moved and should not
    bound: np.ndarray  # (phases, elements), pulses that ended with a state at a bound
    highest: np.ndarray  # (states,)
    lowest: np.ndarray  # (states,)
    residual: np.ndarray  # (elements,), largest, as a share of the range
    unrestored: np.ndarray  # (elements,), RESTOREs with a residual above 1e-12
    clipped: np.ndarray  # (elements,), writes
    shortened: np.ndarray  # (elements,), writes
    rounded: np.ndarray  # (elements,), writes
    rounding: np.ndarray  # (elements,), largest, A s
    unverified: np.ndarray  # (elements,), writes and RESTOREs
    out_of_range: np.ndarray  # (elements,), READs
    driver_clipped: np.ndarray  # (elements,), slots
    readout_clipped: np.ndarray  # (elements,), slots


class Own(NamedTuple):
    """What each device of a block has of its own; empty where all are perfect."""

    parameter_rows: int  # rows of parameters that each bank has room for
    parameters: np.ndarray  # flat: of each bank (parameter_rows, room): a model's, and what its imperfections add
    movable: np.ndarray  # (elements,), 0 of stuck devices, 1 of others
    past: np.ndarray  # (kinds, elements), see Past
    asked: np.ndarray  # (elements,), the currents that the controller asked for, A
    seeds: np.ndarray  # (realisations,) uint64


class Registers(NamedTuple):
    """The controller's memory for a block of realisations, (units, realisations) float64."""

    signal: np.ndarray
    net: np.ndarray
    slope: np.ndarray
    bias: np.ndarray
    sensitivity: np.ndarray  # of modelled nodes: dV/dw_b
    arriving: np.ndarray  # the gradient without the slope: T - V, or the sum of delta_l w_kl
    gradient: np.ndarray
    target: np.ndarray
    difference: np.ndarray
    scale: np.ndarray  # (realisations,)
    error: np.ndarray  # (realisations,)
    ones: np.ndarray  # (realisations,)
    rate: np.ndarray  # (1,), learning rate of the sample's epoch
    closing: np.ndarray  # (1,), 1 where the sample is the last of its mini-batch, else 0


class Data(NamedTuple):
    """Samples, the order in which each realisation sees them, and how fast it learns from them."""

    inputs: np.ndarray  # (samples, inputs)
    targets: np.ndarray  # (samples, outputs)
    order: np.ndarray  # (epochs, samples, realisations) uint32
    rates: np.ndarray  # (epochs,), learning rates of the same epochs


class Rows(NamedTuple):
    """Rows of the trace in the order of the banks, flat float64; empty where nothing is recorded."""

    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    capacity: int


class Block(NamedTuple):
    """A block of realisations: its devices, and all that belongs to them."""

    lanes: int
    places: np.ndarray  # (banks, columns) int64, see PlaceColumn
    devices: Devices
    own: Own
    counters: Counters
    registers: Registers
    rows: Rows


class Results(NamedTuple):
    """What a stretch of the run gives."""

    total_error: np.ndarray  # (epochs, realisations), Eq. 20
    energy: np.ndarray  # (epochs, banks, phases, realisations), J, of complete epochs
    outputs: np.ndarray  # (samples, outputs, realisations); no samples where not wanted
    keyframes: "Keyframes"


class Keyframes(NamedTuple):
    """All that a run goes on from, kept at the end of every so many samples."""

    state: np.ndarray  # (keyframes, states), of all devices of a block
    bias: np.ndarray  # (keyframes, units, realisations), the bias weights as the controller last knew them
    past: np.ndarray  # (keyframes, kinds, elements), of Own
    every: int  # samples; 0 keeps none


class Place(NamedTuple):
    """Where a bank lies in the flat arrays of a block."""

    devices: int
    variables: int
    elements: int
    first: int
    first_state: int
    room: int


@merged
def place(banks, block, bank):
    """The :class:`Place` of a bank in a block."""
    at = block.places[bank]
    return Place(
        banks[bank, BankColumn.DEVICES],
        banks[bank, BankColumn.VARIABLES],
        banks[bank, BankColumn.DEVICES] * block.lanes,
        at[PlaceColumn.FIRST],
        at[PlaceColumn.FIRST_STATE],
        at[PlaceColumn.ROOM],
    )


@inlined
def rows_of(plan, at, bank, block):
    """The trace rows of a bank."""
    rows = block.rows
    kept = rows.capacity if plan.banks[bank, BankColumn.RECORDED] == 1 else 0
    first = rows.capacity * block.lanes * plan.banks[bank, BankColumn.FIRST_DEVICE]
    first_state = rows.capacity * block.lanes * plan.banks[bank, BankColumn.FIRST_STATE]
    return PulseRows(
        cube(rows.state, first_state, at.variables, kept, at.elements),
        sheet(rows.current, first, kept, at.elements),
        sheet(rows.voltage, first, kept, at.elements),
    )
