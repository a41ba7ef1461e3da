"""Wear and random telegraph noise: a memristance that follows from a device's past, beside its state.

After a device's own parameters (:mod:`memsim.kernels.imperfect`) come a factor
of its voltage, which is above 1 while its trap is occupied, the share by which
its range has closed, and the middle of that range. They follow from what
:class:`~memsim.kernels.slots.Past` names, which keyframes hold.
"""

from .block import place
from .compiling import compiled, inlined
from .mathematics import exponential
from .random import PURPOSE_TRAP, uniform
from .scratch import line
from .slots import BankColumn, Column, Flaw, Past, Rule

PARAMETERS = 3  # that follow all others
GAIN, CLOSED, MIDDLE = range(PARAMETERS)

# Open names of the templates.
inner = None
VARYING: int


def varying_output_of_one(x, i, p):
    """The model's voltage at a state that is drawn towards the middle, times the device's factor."""
    return p[VARYING + GAIN] * inner(x + p[VARYING + CLOSED] * (p[VARYING + MIDDLE] - x), i, p)


def varying_output_of_several(x, element, i, p):
    """The model's voltage times the device's factor."""
    return p[VARYING + GAIN] * inner(x, element, i, p)


@inlined
def past_of(block, at, kind):
    """One kind of a bank's past, (elements,)."""
    return line(block.own.past[kind], at.first, at.elements)


@inlined
def varying_of(plan, block, at, bank, number):
    """One of the parameters of a bank's devices that follow from their past, (elements,)."""
    row = plan.banks[bank, BankColumn.PARAMETERS] + 2 + plan.banks[bank, BankColumn.VARIABLES] + number
    return line(block.own.parameters, block.own.parameter_rows * at.first + row * at.room, at.elements)


@compiled
def close_ranges(plan, block, at, bank):
    """Wear: the range halves again and again, each time after as many pulses."""
    pulses = past_of(block, at, Past.PULSES)
    closed = varying_of(plan, block, at, bank, CLOSED)
    for e in range(at.elements):
        closed[e] = 1.0 - exponential(-plan.flaws[bank, Flaw.WEAR] * pulses[e])


@compiled
def show_traps(plan, block, at, bank):
    """Telegraph noise: the memristance is larger while a trap is occupied."""
    traps = past_of(block, at, Past.TRAP)
    gain = varying_of(plan, block, at, bank, GAIN)
    for e in range(at.elements):
        gain[e] = 1.0 + plan.flaws[bank, Flaw.TELEGRAPH_AMPLITUDE] * traps[e]


@inlined
def wear(plan, block, at, bank, drive):
    """Count the pulse of each device that gets one and can move."""
    if plan.flaws[bank, Flaw.WEAR] > 0.0:
        pulses = past_of(block, at, Past.PULSES)
        movable = line(block.own.movable, at.first, at.elements)
        for e in range(at.elements):
            pulses[e] += movable[e] if drive[e] != 0.0 else 0.0
        close_ranges(plan, block, at, bank)


@compiled
def steps_since(plan, index):
    """Steps from the beginning of the slot that last drove a slot's bank, maybe in the sample before."""
    slots = plan.slots.shape[0]
    steps = 0
    k = index
    while True:
        k = k - 1 if k > 0 else slots - 1
        slot = plan.slots[k]
        pulses = slot[Column.PULSES]
        steps += pulses * slot[Column.PULSE_STEPS] + (pulses - 1) * slot[Column.GAP_STEPS] + slot[Column.REST_STEPS]
        if slot[Column.BANK] == plan.slots[index, Column.BANK]:
            return steps


@compiled
def draw_traps(plan, block, index, step):
    """Draw whether the traps of the bank that a slot drives are occupied, from what they were at its last one.

    The exact transition of a two-state Markov process over any time t: the
    probability goes from what it was to its mean as e**(-t * rate).
    """
    bank = plan.slots[index, Column.BANK]
    flaws = plan.flaws[bank]
    if flaws[Flaw.TELEGRAPH_AMPLITUDE] > 0.0:
        at = place(plan.banks, block, bank)
        traps = past_of(block, at, Past.TRAP)
        share = flaws[Flaw.TELEGRAPH_SHARE]
        kept = exponential(-steps_since(plan, index) * plan.dt * flaws[Flaw.TELEGRAPH_RATE])
        for device in range(at.devices):
            for lane in range(block.lanes):
                e = device * block.lanes + lane
                drawn = uniform(block.own.seeds[lane], PURPOSE_TRAP, bank, device, step // plan.rules[Rule.FINER])
                traps[e] = 1.0 if drawn < share + (traps[e] - share) * kept else 0.0
        show_traps(plan, block, at, bank)


@compiled
def recall(plan, block):
    """Before a stretch: what follows from the past, as a keyframe gives that alone."""
    for bank in range(plan.banks.shape[0]):
        at = place(plan.banks, block, bank)
        close_ranges(plan, block, at, bank)
        show_traps(plan, block, at, bank)


@compiled
def keep_past(block, keyframes, index):
    """Copy the past of a block into a keyframe."""
    for kind in range(keyframes.past.shape[1]):
        for e in range(keyframes.past.shape[2]):
            keyframes.past[index, kind, e] = block.own.past[kind, e]
