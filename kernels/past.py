"""Wear and random telegraph noise: a memristance that follows from a device's past, beside its state.

After a device's own parameters (:mod:`memsim.kernels.imperfect`) come a factor
of its voltage, which is above 1 while its trap is occupied, the share by which
its range has closed, and the middle of that range. They follow from what
:class:`~memsim.kernels.slots.Past` names, which keyframes hold. Each instruction
works on a :class:`~memsim.kernels.operands.Flawed`, here ``f``.
"""

from collections.abc import Callable

from .mathematics import exponential
from .random import PURPOSE_TRAP, uniform_of
from .slots import Past

PARAMETERS = 3  # that follow all others
GAIN, CLOSED, MIDDLE = range(PARAMETERS)
PULSES, TRAP = int(Past.PULSES), int(Past.TRAP)

# Open names of the templates.
inner: Callable
VARYING: int
SIZED: int


def varying_output_of_one(x, i, p):
    """The model's voltage at a state that is drawn towards the middle, times the device's factor."""
    return p[VARYING + GAIN] * inner(x + p[VARYING + CLOSED] * (p[VARYING + MIDDLE] - x), i, p)


def varying_output_of_several(x, element, i, p):
    """The model's voltage times the device's factor."""
    return p[VARYING + (1 + SIZED) * x.shape[0] + GAIN] * inner(x, element, i, p)


def close_ranges(f, rows, step):
    """Wear: the range halves again and again, each time after as many pulses."""
    pulses = f.bank.past[PULSES]
    for e in range(f.closed.size):
        f.closed[e] = 1.0 - exponential(-f.flaws.wear * pulses[e])
    return 0


def wear(f, rows, step):
    """Count the pulse of each device that gets one and can move."""
    pulses = f.bank.past[PULSES]
    for e in range(f.drive.size):
        pulses[e] += f.bank.movable[e] if f.drive[e] != 0.0 else 0.0
    return 0


def show_traps(f, rows, step):
    """Telegraph noise: the memristance is larger while a trap is occupied."""
    traps = f.bank.past[TRAP]
    for e in range(f.gain.size):
        f.gain[e] = 1.0 + f.flaws.telegraph_amplitude * traps[e]
    return 0


def draw_traps(f, rows, step):
    """Draw whether traps are occupied, from what they were when the bank was last driven.

    The exact transition of a two-state Markov process over any time t: the
    probability goes from what it was to its mean as e**(-t * rate).
    """
    traps, share, lanes = f.bank.past[TRAP], f.flaws.telegraph_share, f.seeds.size
    kept = exponential(-f.time_since * f.flaws.telegraph_rate)
    for device in range(f.bank.devices):
        for lane in range(lanes):
            e = device * lanes + lane
            drawn = uniform_of(f.seeds[lane], PURPOSE_TRAP, f.number, device, step // f.finer)
            traps[e] = 1.0 if drawn < share + (traps[e] - share) * kept else 0.0
    return 0
