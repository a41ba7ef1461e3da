"""Carriers: what the learning loop does where waveforms tell a device's variables apart, and not amplitudes.

A WRITE moves all variables at once. The controller sends an amplitude for each
of them, and the driver gives the sum of the amplitudes times their carriers; the
device demodulates it (:mod:`memsim.kernels.models.carrier_memristor`). Currents
and carriers differ from step to step, so a slot is stepped one step at a time.
Both are held through a step.
"""

import math
from collections.abc import Callable

import numpy as np

from . import controller
from .compiling import compiled, inlined
from .models.carrier_memristor import FIRST_CARRIER
from .scratch import line, sheet
from .slots import Column, Imperfect, Nominal, Operation, Rule
from .tiles import ANY_VARIABLE

# Open names of the templates.
apply_pulse: Callable
begin_pulse: Callable
count_residuals: Callable
drive_out: Callable
end_train: Callable
keep_states: Callable
tune: Callable


@inlined
def tuned_parameters(plan, block, at, bank):
    """The parameters that all devices of a bank share, with the carriers of the present step."""
    return block.devices.tuned


@inlined
def tune_shared(plan, block, at, column):
    """Have the devices' demodulators take the carriers of a step."""
    for variable in range(plan.carriers.shape[0]):
        block.devices.tuned[FIRST_CARRIER + variable] = plan.carriers[variable, column]


@compiled
def tune_own(plan, block, at, column):
    """The same, where every device has parameters of its own."""
    count = block.own.parameter_rows
    parameters = sheet(block.own.parameters, count * at.first, count, at.room)
    for variable in range(plan.carriers.shape[0]):
        for e in range(at.room):
            parameters[FIRST_CARRIER + variable, e] = plan.carriers[variable, column]


@compiled
def set_amplitudes(plan, slot, at, devices, counters, registers):
    """The controller's rule before a WRITE: an amplitude for each variable's carrier; whether the slot is a WRITE.

    The update u = Delta * x_i * g' is sent as u * I_0: a carrier's mean square
    times the demodulators' gain is 1, so it moves the weight as a constant current of that
    size would.
    """
    if slot[Column.OPERATION] != Operation.WRITE_CARRIERS:
        return False
    pulse_time = slot[Column.PULSE_STEPS] * plan.dt
    charge = plan.nominal[slot[Column.BANK], Nominal.UNIT_CURRENT] * pulse_time * (registers.rate[0] / plan.rate)
    inputs = plan.units[1]
    gradient = registers.gradient[inputs]
    request = line(devices.request, at.first, at.elements)
    for variable in range(at.variables - 1):
        first = at.first_state + variable * at.room
        signal = registers.signal[variable] if variable < inputs else registers.ones
        controller.request_variable(signal, gradient, charge, request)
        gathered = line(devices.gathered, first, at.elements)
        controller.gather(request, plan.rules[Rule.BATCH], registers.closing[0], gathered)
        encode_carrier(request, pulse_time, line(devices.amplitudes, first, at.elements))
    cut = line(devices.pulses, at.first, at.elements)
    current = line(devices.current, at.first, at.elements)
    for e in range(at.elements):
        cut[e] = 0.0
        current[e] = 0.0
    return True


@compiled
def encode_carrier(request, pulse_time, amplitude):
    """Encode writes by the amplitude of a carrier: the charge in A s, with its sign, over the pulse's width.

    ``request`` and ``amplitude``, filled, (elements,); in A s and A.
    """
    pulses_a_second = 1.0 / pulse_time
    for e in range(request.size):
        amplitude[e] = request[e] * pulses_a_second


@compiled
def modulate(amplitude, carriers, column, limit, current, cut, clipped):
    """The driver's current in a step: the sum of the amplitudes times their carriers, in the carriers' order.

    Parameters
    ----------
    amplitude : (carriers, elements) float64
        In A.
    carriers : (carriers, steps) float64
    column : int
        Of ``carriers``, for the step.
    limit : float
        The driver's, in A.
    current : (elements,) float64
        Filled, in A.
    cut : (elements,) float64
        1 where the limit has cut the pulse; the caller begins each pulse with zeros.
    clipped : (elements,) float64
        Writes cut by the limit are counted, once each.
    """
    for e in range(current.size):
        current[e] = 0.0
    for variable in range(carriers.shape[0]):
        value = carriers[variable, column]
        for e in range(current.size):
            current[e] += amplitude[variable, e] * value
    for e in range(current.size):
        if abs(current[e]) > limit:
            current[e] = math.copysign(limit, current[e])
            clipped[e] += 1.0 - cut[e]
            cut[e] = 1.0


@inlined
def drive_step(plan, block, at, bank, column):
    """The currents of a WRITE in a step."""
    carriers = plan.carriers
    modulate(
        sheet(block.devices.amplitudes, at.first_state, carriers.shape[0], at.room), carriers, column,
        plan.nominal[bank, Nominal.DRIVER_LIMIT], line(block.devices.current, at.first, at.elements),
        line(block.devices.pulses, at.first, at.elements), line(block.counters.clipped, at.first, at.elements),
    )  # fmt: skip


def run_carriers(plan, block, at, slot, row, first_step):
    """Step the driven bank through a slot, step by step; of a READ, count what it leaves in the states.

    The current of a READ is constant and each carrier's mean is 0. So a READ
    moves all states, and takes them back by its end.
    """
    bank = slot[Column.BANK]
    writes = slot[Column.OPERATION] == Operation.WRITE_CARRIERS
    currents = line(block.devices.current, at.first, at.room)
    # Not literals: Numba would compile all below once more for each of them.
    any_variable = np.int64(ANY_VARIABLE)
    one_step = np.int64(1)
    stepped = 0
    if not writes:
        keep_states(at, block.devices)
    begin_pulse(plan, block, at, bank, currents, first_step + row)
    for step in range(slot[Column.PULSE_STEPS]):
        column = step // plan.rules[Rule.FINER]
        tune(plan, block, at, column)
        if writes:
            drive_step(plan, block, at, bank, column)
            drive_out(plan, block, at, bank)
        stepped += apply_pulse(
            plan, block, at, bank, slot[Column.PHASE], any_variable, slot[Column.HELD], currents, one_step, row + step
        )
    end_train(plan, block, at, bank, slot)
    if not writes:
        count_residuals(at, plan.lower[bank], plan.upper[bank], block.devices, block.counters)
    return stepped


def hooks_of(kind: Imperfect) -> dict:
    """What open names of the learning loop stand for in networks with carriers."""
    if kind:
        return {"tune": tune_own, "set_own_currents": set_amplitudes}
    return {"tune": tune_shared, "set_own_currents": set_amplitudes, "parameters_of": tuned_parameters}
