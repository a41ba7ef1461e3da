"""What the schedule, the program and the controller's rules call things: phases, operations, and choices of rules."""

from enum import IntEnum, IntFlag


class Phase(IntEnum):
    """What a stretch of the schedule is for."""

    READ = 0
    RESTORE = 1
    BACKREAD = 2
    WRITE = 3
    IDLE = 4


class Operation(IntEnum):
    """What the controller does in a slot: which rules set the currents and read the voltages."""

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
    READ_ACTIVATION = 16  # sends what the lines gave to the activation stage


class Imperfect(IntFlag):
    """What a model's kernels have to reckon with."""

    NOTHING = 0
    OWN = 1  # each device has parameters of its own, and the periphery may be imperfect
    RELAXING = 2  # states relax at all times
    VARYING = 4  # the memristance follows from the device's past too, and may change at rest


class Past(IntEnum):
    """What a device's past leaves in it beside its state; 0 where nothing does."""

    PULSES = 0  # that wore it
    TRAP = 1  # 1 while its trap is occupied
    LOGIT = 2  # of a state near a bound, of models that are stepped by it there


class BiasRule(IntEnum):
    """How a node's bias weight learns (Eq. 18)."""

    GRADIENT = 0
    PRINTED = 1
    NONE = 2


class OutputGradient(IntEnum):
    """What stands before the slope in Eq. 16."""

    ERROR = 0  # T - V
    PRINTED = 1  # T


class Activation(IntEnum):
    """Activation of the single-layer perceptron."""

    LOGISTIC = 0
    TANH = 1
    IDENTITY = 2
