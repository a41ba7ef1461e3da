"""Operands: the records that instructions work on, views of a block's memory that are cut once, before the run.

An instruction is a kernel and an operand. A slot of the schedule is a list of
them (:mod:`memsim.stepping.program`), which the learning loop calls one after the other as
``kernel(operand, rows, step)``: the rows of the trace, and the step of the run
at which the slot begins. So each decision about what a slot needs is taken
before the run, by the program that makes the list. Compiled code has none of
them, and each function is compiled on its own, once for all networks.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numba import types

from .counters import DEVICES, PHASES, STATES, Counter, declared_in
from .records import Code, Cube, Integers, Line, Order, RecordType, Seeds, Sheet, Stack

NOTHING = np.empty(0)
ALL = np.empty(0, dtype=np.int64)  # of stretches: nothing is left out


class Rows(NamedTuple):
    """Rows of the trace in the order of the banks, flat; empty where nothing is recorded."""

    state: Line  # of each bank (variables, capacity, elements)
    current: Line  # of each bank (capacity, elements), A
    voltage: Line  # V
    capacity: int
    first_step: int = 0  # the step of the run in row 0


class Bank(NamedTuple):
    """A bank's devices in a block of realisations, and all that is known and counted of them.

    The first axis is the state variables, or the phases, where there are two.
    The last one is the *elements*, (devices, realisations) flat, and the room
    beside them that a last tile needs (:func:`~memsim.kernels.tiles.room_of`).
    """

    state: Sheet
    before: Sheet  # states before the READ that a RESTORE is to undo
    gathered: Sheet  # requests of the mini-batch in progress, added up: charges, or changes of a weight
    amplitudes: Sheet  # of the carriers of a write, A; no elements where there are none
    current: Line  # amplitudes, A
    train: Line  # the present pulse of a train, A
    idle: Line  # zeros
    voltage: Line  # V
    request: Line  # charge beyond the threshold, A s; of modelled banks the change of a weight, ohm or 1
    pulses: Line  # pulses of a train
    known: Line  # modelled banks: states as they were measured
    aim: Line  # modelled banks: states that a write or a restoration leads to
    asked: Line  # the currents that the controller asked for, where drivers are imperfect, A
    movable: Line  # 0 of stuck devices, 1 of others
    past: Sheet  # what a device's past leaves in it: see Past
    parameters: Line  # of the model: one for all devices, or (parameters, room) flat where each has its own
    lower: Line  # (variables,), bounds of the states
    upper: Line
    # Counters; what kernels see of those by phase is (phases, room), of states (variables, room), of others (room,).
    complete_energy: Annotated[Sheet, Counter(PHASES, "J", "energy V I dt of the complete epochs", late=True)]
    epoch_energy: Annotated[Sheet, Counter(PHASES, "J", "energy V I dt of the epoch in progress")]
    peak_current: Annotated[Sheet, Counter(PHASES, "A", "largest magnitude of a pulse")]
    disturbed: Annotated[Sheet, Counter(PHASES, "1", "variables that moved and should not have", programmed=True)]
    bound: Annotated[Sheet, Counter(
        PHASES, "1", "pulses that may move a state and left it at a bound", programmed=True,
    )]  # fmt: skip
    highest: Annotated[Sheet, Counter(STATES, "state", "largest state at a pulse's end")]
    lowest: Annotated[Sheet, Counter(STATES, "state", "smallest state at a pulse's end")]
    residual: Annotated[Line, Counter(DEVICES, "1", "largest distance after RESTORE, as a share of the state's range")]
    unrestored: Annotated[Line, Counter(DEVICES, "1", "RESTOREs with a residual above 1e-12")]
    clipped: Annotated[Line, Counter(
        DEVICES, "1", "writes cut by the driver's limit, or by the train's length", "clipped_writes", programmed=True,
    )]  # fmt: skip
    shortened: Annotated[Line, Counter(
        DEVICES, "1", "writes shortened to stay within their allowed range", "shortened_writes",
    )]  # fmt: skip
    rounded: Annotated[Line, Counter(
        DEVICES, "1", "writes rounded to whole steps or pulses", "rounded_writes", programmed=True,
    )]  # fmt: skip
    rounding: Annotated[Line, Counter(DEVICES, "A s", "largest charge lost to rounding")]
    stalled: Annotated[Sheet, Counter(
        PHASES, "1", "pulses that cannot move a state, whose drift has vanished below its last digit", "stalled",
        programmed=True, late=True,
    )]  # fmt: skip
    unsent: Annotated[Line, Counter(
        DEVICES, "1", "writes below the controller's resolution, which were not sent", "unsent",
        programmed=True, late=True,
    )]  # fmt: skip
    unverified: Annotated[Line, Counter(
        DEVICES, "1", "writes and RESTOREs that a verifying READ did not find at their aim", "unverified",
        programmed=True, late=True,
    )]  # fmt: skip
    out_of_range: Annotated[Line, Counter(
        DEVICES, "1", "READs of a memristance beyond its range, taken for the bound's", "out_of_range",
        programmed=True, late=True,
    )]  # fmt: skip
    driver_clipped: Annotated[Line, Counter(
        DEVICES, "1", "pulses cut by the range of imperfect drivers", "driver_clipped", programmed=True, late=True,
    )]  # fmt: skip
    readout_clipped: Annotated[Line, Counter(
        DEVICES, "1", "voltages cut by the range of imperfect read-outs", "readout_clipped",
        programmed=True, late=True,
    )]  # fmt: skip
    devices: int
    elements: int


# The whole energy is the sum of both that are counted.
COUNTERS = {"energy": Counter(PHASES, "J", "energy V I dt, signed", programmed=True)} | declared_in(Bank)


class Layer(NamedTuple):
    """The controller's memory of a layer, (units, realisations)."""

    signal: Sheet
    net: Sheet
    slope: Sheet
    bias: Sheet
    sensitivity: Sheet  # of modelled nodes: dV/dw_b
    arriving: Sheet  # the gradient without the slope: T - V, or the sum of delta_l w_kl
    gradient: Sheet


class Sample(NamedTuple):
    """What the controller holds of the present sample, for a block of realisations."""

    target: Sheet  # (outputs, realisations)
    difference: Line  # T - V of the single-layer perceptron
    error: Line  # Eq. 19
    scale: Line  # that a READ's full-scale current stands for
    rate: Line  # (1,), learning rate of the sample's epoch
    closing: Line  # (1,), 1 where the sample is the last of its mini-batch, else 0


class Nominal(NamedTuple):
    """What the controller knows of a bank: calibrated constants, in SI units."""

    threshold: float  # of the devices, or of the variable that a WRITE addresses, A
    read_current: float  # full scale of a READ of synapses, A
    limit: float  # largest current of a WRITE, A
    write_current: float  # amplitude of the pulses of a train, A beyond the threshold
    state_per_weight: float  # 1/B, state units; of modelled synapses ohm
    unit_current: float  # the current that stands for a signal of 1, A
    unit_voltage: float  # the voltage that stands for an output of 1, V
    bias_limit: float  # allowed magnitude of a bias weight
    full_scale: float  # fixed scale of a READ; 0: each vector's own largest magnitude
    resolution: float = 0.0  # of a request, up to which no pulse is sent; of modelled banks as a share of the range
    read_error: float = 0.0  # standard deviation of a voltage that is read, by noise and rounding, V
    # Of the paper's synapse and node.
    drift: float = 0.0  # k, state units per A s beyond the threshold; 1 where requests are no charges
    r_on: float = 0.0  # ohm
    r_off: float = 0.0  # ohm
    range: float = 0.0  # D', state units
    # Of banks that the controller writes by the model.
    lower: float = 0.0  # bounds of the state
    upper: float = 0.0
    reference: float = 0.0  # synapses: the reference resistor whose voltage is subtracted, ohm
    polarity: float = 0.0  # 1 where a positive current raises the state, -1 where it lowers it
    fall_current: float = 0.0  # amplitude of a train's pulses that lower a state, A; write_current raises
    tolerance: float = 0.0  # share of the range within which a state is where it should be
    moves: bool = False  # whether any READ moves the state
    kept_bias: bool = False  # nodes: the controller keeps the bias weights, and RESTOREs are verified


class Question(NamedTuple):
    """What a model is asked with, beside a few numbers; see :mod:`memsim.kernels.nominal`."""

    parameters: Line
    beside: Line  # (2,), filled with what an answer has beside its first number
    lower: float  # bounds of the state
    upper: float
    limit: float = 0.0  # of the driver, A
    slope: bool = False  # whether a pulse has the effect of its first drift, not of all its steps
    heun: bool = False  # whether the steps are Heun's
    steps: int = 0  # of a pulse
    dt: float = 0.0  # s
    pulses: int = 0  # of a train at most


class Control(NamedTuple):
    """What the controller's rules work on in a slot."""

    bank: Bank
    nominal: Nominal
    sample: Sample
    below: Layer
    layer: Layer
    rows: int  # the bank's elements lie as (rows, columns, realisations); nodes in one row
    columns: int
    line_signal: Line  # of the line that a WRITE addresses
    request: Line  # the part of the bank's requests that a WRITE is for
    gathered: Line  # and of what is gathered
    turn: Line  # (1,), the present pulse of a train
    question: Question  # to the model of a modelled bank
    pulse_time: float  # s
    pulses: int  # of the slot's train
    made_for: float  # the learning rate that the devices are made for
    bias_rule: int  # BiasRule
    gradient_rule: int  # OutputGradient
    activation: int  # Activation
    write_tolerance: float  # share of the range: a device that is so near to its aim gets no pulse
    held: bool  # whether external control holds the states
    driven: Integers  # stretches of rows that the slot drives: how many there are, then where each begins and ends
    tiles: Integers  # the same of whole tiles, in elements
    member: int = 0  # of the team that shares the bank
    members: int = 1
    group: int = 1  # rows that fill whole tiles
    model: int = 0  # address of the answer of the bank's model, of rules that ask


class Flaws(NamedTuple):
    """Imperfections of a bank and of its periphery; 0 where there is none."""

    write_noise: float = 0.0  # standard deviation of the logarithm of a pulse's factor
    read_noise: float = 0.0  # standard deviation, V
    readout_range: float = 0.0  # V
    readout_step: float = 0.0  # V
    driver_range: float = 0.0  # A
    driver_step: float = 0.0  # A
    levels: float = 0.0  # levels that a WRITE can end at
    wear: float = 0.0  # ln 2 over the pulses after which the range of the memristance is half as wide
    telegraph_amplitude: float = 0.0  # share by which the memristance is larger while a trap is occupied
    telegraph_rate: float = 0.0  # at which a trap forgets whether it was occupied, 1/s
    telegraph_share: float = 0.0  # of the time that a trap is occupied


class Flawed(NamedTuple):
    """An imperfect bank, in a slot that drives it; (elements,) arrays are parts of the bank's."""

    bank: Bank
    flaws: Flaws
    drive: Line  # the currents of its pulses: the bank's, or those of a train, A
    factors: Line  # of the drifts
    closed: Line  # the share by which a device's range has closed; no elements where the past does not count
    gain: Line  # of its voltage
    seeds: Seeds  # (realisations,)
    number: int  # of the bank
    finer: int  # steps of dt to one of the noise; 1 but for a check of dt
    time_since: float  # since the beginning of the slot that last drove the bank, s


class Carried(NamedTuple):
    """A bank whose variables are told apart by carriers, in a slot that drives it."""

    bank: Bank
    sample: Sample
    carriers: Sheet  # (variables that have one, steps)
    parameters: Sheet  # (parameters, 1 or room)
    signal: Sheet  # of the inputs
    gradient: Line
    turn: Line  # (1,), the present step
    limit: float  # of the driver, A
    unit_charge: float  # a signal of 1 through the pulse, A s
    pulse_time: float  # s
    made_for: float  # the learning rate that the devices are made for
    batch: int
    finer: int  # steps of dt to one of the carriers


class Repeat(NamedTuple):
    """Instructions that are carried out again and again, each time some steps later."""

    code: Code
    first: int
    last: int
    period: int  # steps
    turn: Line  # (1,), set to the number of the turn


class Tally(NamedTuple):
    """What a pulse leaves beside the states, (room,), or (variables, room)."""

    voltage: Line  # at the end of the last step in V; replaced
    energy: Line  # the sum of V * I * dt in J is added; whoever counts by epochs begins each with zeros
    peak_current: Line  # largest magnitude in A
    disturbed: Line  # the number of variables that moved without being addressed is added
    bound: Line  # the number of variables that a pulse, which may move any, left at a bound is added
    stalled: Line  # 1 is added where a pulse, which may move any, cannot: the state's drift has vanished
    highest: Sheet  # extremes of the states at the ends of pulses
    lowest: Sheet


class Job(NamedTuple):
    """A pulse of constant currents for a bank; what lies beyond its elements is carried along."""

    states: Sheet  # (variables, room), updated in place
    currents: Line  # (room,), amplitude of each element's pulse, A
    parameters: Line  # (parameters,), or flat (parameters, room) of a model with ``own_parameters``
    lower: Line  # (variables,), where states stop
    upper: Line
    tally: Tally
    tile: Line  # scratch, from :func:`~memsim.kernels.tiles.new_tile`
    elements: int  # whose device-steps are counted
    steps: int  # width of the pulse, 1 or more
    dt: float  # s
    addressed: int  # the variable that the pulse may move; ANY_VARIABLE or NO_VARIABLE
    held: bool = False  # external control holds the states; the devices only conduct
    relaxes: bool = False  # whether states move at rest too: they come to an end there, and do not stall
    quiet: bool = False  # whether a device without a current has no voltage and moves in no way: it is left out
    skip: bool = True  # False steps resting tiles too, for the proof that skipping is exact
    offset: int = 0  # its first step, counted from the slot's
    recorded: bool = True  # whether rows are kept of it, where there are any
    elements_before: int = 0  # of the banks whose rows come before
    states_before: int = 0
    first: int = 0  # the elements that it steps, in tiles of one width
    last: int = 0
    width: int = 0
    model: int = 0  # address of the model's function for a tile of that width
    driven: Integers = ALL  # stretches of tiles that are stepped alone: how many, then where each begins and ends
    logit: Line = NOTHING  # (room,), of models with a drift near bounds: see :mod:`memsim.kernels.logit`


class Following(NamedTuple):
    """A bank that follows sampled waveforms, linear within each step."""

    states: Sheet  # (variables, room), updated in place; from :func:`~memsim.kernels.tiles.with_room`
    starts: Sheet  # (steps, lines), the drive at the start of each step, A or V
    ends: Sheet  # and at its end
    line_of: Integers  # (elements,), the line that drives each element
    parameters: Line
    lower: Line  # (variables,), where states stop
    upper: Line
    row_states: Cube  # (variables, steps, elements), filled with the states at each step's end
    row_drives: Sheet  # (steps, elements), filled with the drive there
    row_responses: Sheet  # and with the response
    energies: Line  # (elements,), the sum of V * I * dt in J is added
    rests: Line  # (elements,), what rounding took off these sums: Kahan, Commun. ACM 8, 40 (1965)
    stalled: Line  # (elements,), the number of steps that cannot move a state, whose drift has vanished, is added
    tile: Line  # scratch, from :func:`~memsim.kernels.tiles.new_tile`
    dt: float  # s
    model: int  # address of the model's function for a step
    logit: Line = NOTHING  # (room,), of models with a drift near bounds, updated in place


class Questions(NamedTuple):
    """Many devices of which a model is asked the same."""

    question: Question
    model: int  # address of its answer
    what: int  # Quantity
    x: Line
    y: Line
    z: Line
    found: Line  # filled


class Draw(NamedTuple):
    """Where the order of samples is drawn for."""

    seeds: Seeds  # (realisations,)
    order: Order  # (epochs, samples, realisations)
    first_epoch: int


class Meeting(NamedTuple):
    """Where the members of a team wait for each other."""

    arrived: Integers  # how often each has come, see :mod:`memsim.kernels.teams`
    member: int
    members: int
    give_way: int  # address of the system's function by which a thread lets others run


class Spent(NamedTuple):
    """Where the energies of a bank's epoch are added up."""

    epoch_energy: Sheet  # (phases, room), J
    complete_energy: Sheet  # (phases, room), J, to which it is added
    total: Sheet  # (phases, realisations), J
    devices: int


class Data(NamedTuple):
    """Samples, the order in which each realisation sees them, and how fast it learns from them."""

    inputs: Sheet  # (samples, inputs)
    targets: Sheet  # (samples, outputs)
    order: Order  # (epochs, samples, realisations)
    rates: Line  # (epochs,), learning rates of the same epochs


class Keyframes(NamedTuple):
    """All that a run goes on from, kept at the end of every so many samples."""

    state: Sheet  # (keyframes, states), of all devices of a block
    bias: Cube  # (keyframes, units, realisations), the bias weights as the controller last knew them
    past: Sheet  # (keyframes, numbers), of all devices of a block
    every: int  # samples; 0 keeps none


class Results(NamedTuple):
    """What a stretch of the run gives."""

    total_error: Sheet  # (epochs, realisations), Eq. 20
    energy: Stack  # (epochs, banks, phases, realisations), J, of complete epochs
    outputs: Cube  # (samples, outputs, realisations); no samples where not wanted
    keyframes: Keyframes


class Program(NamedTuple):
    """The instructions of a run, and what the loop itself touches.

    Code is (instructions, 2): the addresses of a kernel and of its operand.
    """

    code: Code  # of the slots of a sample
    first: Integers  # (slots + 1,), where each slot's instructions begin
    steps: Integers  # (slots,), of each slot and the rest after it
    opening: Code  # before a stretch
    closing: Code  # after an epoch
    spent: Cube  # (banks, phases, realisations), energies of the epoch that was closed, J
    batch: int
    sample: Sample
    signal: Sheet  # of the inputs
    outputs: Sheet  # signals of the last layer
    bias: Sheet  # (units, realisations)
    state: Line  # of all devices
    past: Line


ROWS = RecordType(Rows)
JOB = RecordType(Job)


def instruction_on(operand: type) -> Any:
    """The signature of the instructions that work on a kind of operand."""
    return types.int64(RecordType(operand), ROWS, types.int64)


TILE = types.int64(JOB, types.int64, types.int64, types.int64)
FOLLOW, ASK, SHUFFLE = (types.int64(RecordType(record)) for record in (Following, Questions, Draw))
ANSWER = types.float64(RecordType(Question), types.int64, types.float64, types.float64)
RUN = types.int64(
    *(RecordType(record) for record in (Program, Data, Results, Rows)), types.int64, types.int64, types.int64
)
