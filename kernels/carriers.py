"""Carriers: instructions where waveforms tell a device's variables apart, and not amplitudes.

A WRITE moves all variables at once. The controller sends an amplitude for each
of them, and the driver gives the sum of the amplitudes times their carriers; the
device demodulates it (:mod:`memsim.kernels.models.carrier_memristor`). Currents
and carriers differ from step to step, so a slot is stepped one step at a time.
Both are held through a step. Each instruction works on a
:class:`~memsim.kernels.operands.Carried`, here ``c``.
"""

import functools
import math

from .compiling import Kernel
from .models.carrier_memristor import FIRST_CARRIER
from .operands import Carried, instruction_on


@functools.cache
def carrier(function) -> Kernel:
    """An instruction of this module as a kernel."""
    return Kernel(function, instruction_on(Carried))


def set_amplitudes(c, rows, step):
    """The controller's rule before a WRITE: an amplitude for each variable's carrier.

    The update u = Delta * x_i * g' is sent as u * I_0: a carrier's mean square
    times the demodulators' gain is 1, so it moves the weight as a constant current of that
    size would. It is the charge over the pulse's width.
    """
    bank, closing = c.bank, c.sample.closing[0] == 1.0
    charge = c.unit_charge * (c.sample.rate[0] / c.made_for)
    pulses_a_second = 1.0 / c.pulse_time
    for variable in range(c.carriers.shape[0]):
        of_input = variable < c.signal.shape[0]
        for e in range(bank.elements):
            signal = c.signal[variable if of_input else 0, e] if of_input else 1.0
            request = c.gradient[e] * signal * charge
            if c.batch > 1:
                total = bank.gathered[variable, e] + request
                request = total if closing else 0.0
                bank.gathered[variable, e] = 0.0 if closing else total
            bank.amplitudes[variable, e] = request * pulses_a_second
    for e in range(bank.elements):
        bank.pulses[e] = 0.0
        bank.current[e] = 0.0
    return 0


def tune(c, rows, step):
    """Have the devices' demodulators take the carriers of a step."""
    column = int(c.turn[0]) // c.finer
    for variable in range(c.carriers.shape[0]):
        for e in range(c.parameters.shape[1]):
            c.parameters[FIRST_CARRIER + variable, e] = c.carriers[variable, column]
    return 0


def modulate(c, rows, step):
    """The driver's current in a step: the sum of the amplitudes times their carriers, in the carriers' order.

    It is cut at the driver's limit; a write is counted once as clipped (``bank.pulses`` is 1 where it was).
    """
    bank, column = c.bank, int(c.turn[0]) // c.finer
    for e in range(bank.elements):
        bank.current[e] = 0.0
    for variable in range(c.carriers.shape[0]):
        value = c.carriers[variable, column]
        for e in range(bank.elements):
            bank.current[e] += bank.amplitudes[variable, e] * value
    for e in range(bank.elements):
        if abs(bank.current[e]) > c.limit:
            bank.current[e] = math.copysign(c.limit, bank.current[e])
            bank.clipped[e] += 1.0 - bank.pulses[e]
            bank.pulses[e] = 1.0
    return 0
