"""Codes of the slot table: phases, operations, columns, and nominal constants.

The scheduler writes the table, the learning loop executes it; both read it with
the names below.
"""

from enum import IntEnum, IntFlag


class Phase(IntEnum):
    """What a stretch of the schedule is for."""

    READ = 0
    RESTORE = 1
    BACKREAD = 2
    WRITE = 3
    IDLE = 4


class Operation(IntEnum):
    """What the controller does in a slot: which rule sets the currents and reads the voltages."""

    READ_SYNAPSES = 0
    READ_NODES = 1
    RESTORE_NODES = 2
    BACKREAD_SYNAPSES = 3
    WRITE_SYNAPSES = 4
    WRITE_NODES = 5
    READ_MEMRISTOR = 6
    WRITE_VARIABLE = 7
    READ_LINES = 8
    WRITE_LINE = 9
    RESTORE_SYNAPSES = 10  # undoes a READ of synapses without a threshold
    RESTORE_COLUMNS = 11  # undoes their BACKREAD
    VERIFY = 12  # reads the states that are being written or restored
    CORRECT = 13  # leads those that are not yet there on
    RESTORE_VERIFY = 14  # undoes a VERIFY, where any READ moves the states
    WRITE_CARRIERS = 15  # writes all variables at once, each by its carrier


class Column(IntEnum):
    """Columns of the slot table, all integers."""

    PHASE = 0
    OPERATION = 1
    BANK = 2
    LAYER = 3  # counted from 1; layer 0 is the inputs
    VARIABLE = 4  # the variable or line that is addressed, passes left of VERIFY and CORRECT; -1 where there is none
    START = 5  # first step, counted from the sample's start
    PULSES = 6  # pulses in the slot's train; 1 but for writes by width or by count
    PULSE_STEPS = 7
    GAP_STEPS = 8  # idle steps between the pulses of a train
    REST_STEPS = 9  # idle steps after the slot
    HELD = 10  # 1: external control holds the devices that are not addressed


class BankColumn(IntEnum):
    """Columns of the bank table, all integers."""

    KERNEL = 0  # which of the loop's two pulse kernels steps it
    DEVICES = 1
    VARIABLES = 2
    FIRST_DEVICE = 3  # devices in the banks before it
    FIRST_STATE = 4  # state variables of all devices in the banks before it
    RESTS = 5  # 1: at zero current nothing moves
    RECORDED = 6  # 1: its rows are kept
    MODELLED = 7  # 1: the controller finds its pulses in the device's model, from measured states
    PARAMETERS = 8  # of its model


class Nominal(IntEnum):
    """What the controller knows of a bank: calibrated constants, in SI units."""

    DRIFT = 0  # k, state units per A s beyond the threshold; 1 for modelled banks, whose requests are no charges
    THRESHOLD = 1  # A
    READ_CURRENT = 2  # full scale of a READ of synapses, A
    DRIVER_LIMIT = 3  # largest current of a WRITE, A
    STATE_PER_WEIGHT = 4  # 1/B, state units; of modelled synapses ohm
    UNIT_CURRENT = 5  # the current that stands for a signal of 1, A
    R_ON = 6  # ohm
    R_OFF = 7  # ohm
    RANGE = 8  # D', state units
    BIAS_LIMIT = 9  # allowed magnitude of a bias weight
    FULL_SCALE = 10  # fixed scale of a READ; 0: each vector's own largest magnitude
    WRITE_CURRENT = 11  # amplitude of the pulses of a train, A beyond the threshold
    UNIT_VOLTAGE = 12  # the voltage that stands for an output of 1, V
    WINDOW = 13  # width of a variable's window, A
    REFERENCE = 14  # modelled synapses: the reference resistor whose voltage is subtracted, ohm
    POLARITY = 15  # modelled: 1 where a positive current raises the state, -1 where it lowers it
    FALL_CURRENT = 16  # modelled: amplitude of a train's pulses that lower a state, A; WRITE_CURRENT raises
    MOVES = 17  # modelled: 1 where any READ moves the state
    KEPT_BIAS = 18  # modelled nodes: 1 where the controller keeps the bias weights, and RESTOREs are verified
    TOLERANCE = 19  # modelled: share of the range within which a state is where it should be


class Flaw(IntEnum):
    """Imperfections of a bank and of its periphery; 0 where there is none."""

    WRITE_NOISE = 0  # standard deviation of the logarithm of a pulse's factor
    READ_NOISE = 1  # standard deviation, V
    READOUT_RANGE = 2  # V
    READOUT_STEP = 3  # V
    DRIVER_RANGE = 4  # A
    DRIVER_STEP = 5  # A
    LEVELS = 6  # levels that a WRITE can end at
    WEAR = 7  # ln 2 over the pulses after which the range of the memristance is half as wide
    TELEGRAPH_AMPLITUDE = 8  # share by which the memristance is larger while a trap is occupied
    TELEGRAPH_RATE = 9  # at which a trap forgets whether it was occupied, 1/s
    TELEGRAPH_SHARE = 10  # of the time that a trap is occupied


class Imperfect(IntFlag):
    """What the kernels of a network are compiled for."""

    NOTHING = 0
    OWN = 1  # each device has parameters of its own, and the periphery may be imperfect
    RELAXING = 2  # states relax at all times
    VARYING = 4  # the memristance follows from the device's past too, and may change at rest


class Past(IntEnum):
    """What a device's past leaves in it beside its state; 0 where nothing does."""

    PULSES = 0  # that wore it
    TRAP = 1  # 1 while its trap is occupied


class Rule(IntEnum):
    """Places in a plan's list of rules, all integers."""

    BIAS = 0  # BiasRule
    OUTPUT_GRADIENT = 1  # OutputGradient
    BIAS_CURRENT = 2  # BiasCurrent
    ACTIVATION = 3  # Activation
    WRITE_LAW = 4  # WriteLaw
    FINER = 5  # steps of dt to one of the controller's model and of the noise; 1 but for a check of dt
    BATCH = 6  # samples whose updates are added up before a write
    STEPS_BEFORE = 7  # the run, of those whose devices it goes on with: the draws go on from there


class BiasRule(IntEnum):
    """How a node's bias weight learns (Eq. 18)."""

    GRADIENT = 0
    PRINTED = 1
    NONE = 2


class WriteLaw(IntEnum):
    """How the pulse of a state-dependent write is found in the model."""

    SLOPE = 0  # from the drift at the present state
    INTEGRAL = 1  # from the whole pulse


class OutputGradient(IntEnum):
    """What stands before the slope in Eq. 16."""

    ERROR = 0  # T - V
    PRINTED = 1  # T


class BiasCurrent(IntEnum):
    """Whose sign the bias current takes in Algorithm 1."""

    UPDATE = 0
    PRINTED = 1  # that of the error


class Activation(IntEnum):
    """Activation of the single-layer perceptron."""

    LOGISTIC = 0
    TANH = 1
    IDENTITY = 2
