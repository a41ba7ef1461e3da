"""The learning loop: it executes the slot table, sample after sample, pulse by pulse.

In a slot the controller sets the currents of one bank,
the bank is stepped through its pulses, and the controller reads the voltages.
The loop is a template: its two pulse kernels are bound by :func:`loop_kernel`.
"""

import functools
from collections.abc import Callable

import numpy as np

from . import carriers, controller
from .block import place, rows_of
from .compiling import inlined, specialise
from .imperfect import hooks_of, imperfect, name_of
from .scratch import cube, line, rows, sheet
from .slots import BankColumn, BiasCurrent, Column, Imperfect, Nominal, Operation, Phase, Rule
from .state_dependent import rules_of
from .stepping import ModelFunctions, Tally, cache_key, pulse_kernel
from .tiles import ANY_VARIABLE, NO_VARIABLE

# Open names of the templates.
pulse_0: Callable
pulse_1: Callable
set_own_currents: Callable
read_own_voltages: Callable
parameters_of: Callable
step_of: Callable
begin_pulse: Callable
end_train: Callable
drive_out: Callable
read_in: Callable
recall: Callable
begin_slot: Callable
keep_past: Callable


@inlined
def begin_sample(plan, data, epoch, index, registers):
    """Put the next sample on the inputs of every realisation."""
    batch, last = plan.rules[Rule.BATCH], data.order.shape[1] - 1
    registers.rate[0] = data.rates[epoch]
    registers.closing[0] = 1.0 if (index + 1) % batch == 0 or index == last else 0.0
    inputs = data.inputs.shape[1]
    outputs = data.targets.shape[1]
    for lane in range(registers.scale.size):
        sample = data.order[epoch, index, lane]
        for i in range(inputs):
            registers.signal[i, lane] = data.inputs[sample, i]
        for k in range(outputs):
            registers.target[k, lane] = data.targets[sample, k]


@inlined
def set_currents(plan, slot, at, devices, counters, registers):
    """The controller's rule before a slot's pulse: the current of each element in ``devices.current``."""
    lanes = registers.scale.size
    operation = slot[Column.OPERATION]
    layer = slot[Column.LAYER]
    units = plan.units
    nominal = plan.nominal[slot[Column.BANK]]
    below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
    fan_in, fan_out = first - below, beyond - first
    if operation == Operation.READ_SYNAPSES or operation == Operation.READ_LINES:
        signal = rows(registers.signal, below, first)
        controller.find_scale(signal, nominal[Nominal.FULL_SCALE], registers.scale)
        if operation == Operation.READ_SYNAPSES:
            current = cube(devices.current, at.first, fan_in, fan_out, lanes)
            controller.drive_rows(signal, registers.scale, nominal[Nominal.READ_CURRENT], current)
        else:
            for lane in range(lanes):
                registers.scale[lane] = max(registers.scale[lane], 1.0)
            amplitude = nominal[Nominal.READ_CURRENT]
            current = cube(devices.current, at.first, fan_in, 1, lanes)
            controller.drive_rows(signal, registers.scale, amplitude, current)
            ones = sheet(registers.ones, 0, 1, lanes)
            current = cube(devices.current, at.first + fan_in * lanes, 1, 1, lanes)
            controller.drive_rows(ones, registers.scale, amplitude, current)
    elif operation == Operation.BACKREAD_SYNAPSES:
        gradient = rows(registers.gradient, first, beyond)
        controller.find_scale(gradient, nominal[Nominal.FULL_SCALE], registers.scale)
        current = cube(devices.current, at.first, fan_in, fan_out, lanes)
        controller.drive_columns(gradient, registers.scale, nominal[Nominal.READ_CURRENT], current)
    elif operation == Operation.READ_NODES or operation == Operation.RESTORE_NODES:
        unit = nominal[Nominal.UNIT_CURRENT]
        unit = -unit if operation == Operation.RESTORE_NODES else unit
        controller.drive_nodes(
            rows(registers.net, first, beyond), unit, sheet(devices.current, at.first, at.devices, lanes)
        )
    elif operation == Operation.READ_MEMRISTOR:
        states = sheet(devices.state, at.first_state, at.variables, at.room)
        controller.tap_net_input(states, rows(registers.signal, 0, units[1]), registers.net[0])
        net = sheet(registers.net, 0, 1, lanes)
        controller.drive_nodes(net, nominal[Nominal.UNIT_CURRENT], sheet(devices.current, at.first, at.devices, lanes))
    else:
        set_write_currents(plan, slot, at, devices, counters, registers)


@inlined
def encode_write(plan, slot, at, devices, counters, registers, threshold, limit):
    """Charges in ``devices.request`` as amplitudes, or as trains of pulses."""
    operation = slot[Column.OPERATION]
    nominal = plan.nominal[slot[Column.BANK]]
    pulse_time = slot[Column.PULSE_STEPS] * plan.dt
    request = line(devices.request, at.first, at.elements)
    current = line(devices.current, at.first, at.elements)
    clipped = line(counters.clipped, at.first, at.elements)
    if operation == Operation.WRITE_VARIABLE and plan.rules[Rule.BIAS_CURRENT] == BiasCurrent.PRINTED:
        controller.add_bias_current_printed(request, registers.difference[0], threshold, pulse_time, current)
    elif slot[Column.PULSES] == 1:
        controller.encode_amplitude(request, threshold, limit, pulse_time, current, clipped)
    else:
        controller.encode_train(
            request, threshold, pulse_time, slot[Column.PULSES], nominal[Nominal.WRITE_CURRENT], current,
            line(devices.pulses, at.first, at.elements), clipped,
            line(counters.rounded, at.first, at.elements), line(counters.rounding, at.first, at.elements),
        )  # fmt: skip


@inlined
def set_write_currents(plan, slot, at, devices, counters, registers):
    """The controller's rule before a WRITE: what is to change, encoded as pulses."""
    lanes = registers.scale.size
    operation = slot[Column.OPERATION]
    layer = slot[Column.LAYER]
    variable = slot[Column.VARIABLE]
    units = plan.units
    nominal = plan.nominal[slot[Column.BANK]]
    rate = registers.rate[0]
    batch, closing = plan.rules[Rule.BATCH], registers.closing[0]
    request = line(devices.request, at.first, at.elements)
    gathered = line(devices.gathered, at.first_state, at.elements)
    pulse_time = slot[Column.PULSE_STEPS] * plan.dt
    threshold = nominal[Nominal.THRESHOLD]
    limit = nominal[Nominal.DRIVER_LIMIT]
    drift = nominal[Nominal.DRIFT]
    state_per_weight = nominal[Nominal.STATE_PER_WEIGHT]
    below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
    gradient = rows(registers.gradient, first, beyond)
    if operation == Operation.WRITE_SYNAPSES:
        fan_in, fan_out = first - below, beyond - first
        controller.request_synapses(
            rows(registers.signal, below, first), gradient, rate, state_per_weight, drift,
            cube(devices.request, at.first, fan_in, fan_out, lanes),
        )  # fmt: skip
        controller.gather(request, batch, closing, gathered)
    elif operation == Operation.WRITE_NODES:
        contrast = (nominal[Nominal.R_OFF] - nominal[Nominal.R_ON]) / (nominal[Nominal.R_OFF] + nominal[Nominal.R_ON])
        changes = sheet(devices.request, at.first, at.devices, lanes)
        controller.request_biases(
            rows(registers.net, first, beyond), rows(registers.arriving, first, beyond), gradient, rate,
            plan.rules[Rule.BIAS], contrast, changes,
        )  # fmt: skip
        controller.gather(request, batch, closing, gathered)
        controller.limit_biases(
            rows(registers.bias, first, beyond), nominal[Nominal.BIAS_LIMIT], state_per_weight, drift, changes,
            sheet(counters.shortened, at.first, at.devices, lanes),
        )  # fmt: skip
    else:
        line_signal = registers.signal[variable] if variable < units[1] else registers.ones
        if operation == Operation.WRITE_VARIABLE:
            # The device's own learning rate turns the charge into a weight; the amplitude carries any other rate.
            charge = nominal[Nominal.UNIT_CURRENT] * pulse_time * slot[Column.PULSES] * (rate / plan.rate)
            threshold = plan.thresholds[variable]
            limit = min(limit, threshold + controller.LAST_IN_WINDOW * nominal[Nominal.WINDOW])
            controller.request_variable(line_signal, gradient[0], charge, request)
            gathered = line(devices.gathered, at.first_state + variable * at.room, at.elements)
            controller.gather(request, batch, closing, gathered)
        else:
            charge = rate * state_per_weight / drift
            for e in range(at.elements):
                request[e] = 0.0
            chosen = line(devices.request, at.first + variable * lanes, lanes)
            controller.request_variable(line_signal, gradient[0], charge, chosen)
            gathered = line(devices.gathered, at.first_state + variable * lanes, lanes)
            controller.gather(chosen, batch, closing, gathered)
    encode_write(plan, slot, at, devices, counters, registers, threshold, limit)


@inlined
def read_voltages(plan, slot, at, devices, registers):
    """The controller's rule after a slot's pulse: what it learns from the voltages."""
    lanes = registers.scale.size
    operation = slot[Column.OPERATION]
    layer = slot[Column.LAYER]
    units = plan.units
    last = units.size - 2
    below, first, beyond = units[layer - 1], units[layer], units[layer + 1]
    fan_in, fan_out = first - below, beyond - first
    nominal = plan.nominal[slot[Column.BANK]]
    weight_per_state = 1.0 / nominal[Nominal.STATE_PER_WEIGHT]
    amplitude = nominal[Nominal.READ_CURRENT]
    net = rows(registers.net, first, beyond)
    signal = rows(registers.signal, first, beyond)
    slope = rows(registers.slope, first, beyond)
    gradient = rows(registers.gradient, first, beyond)
    if operation == Operation.READ_SYNAPSES:
        voltage = cube(devices.voltage, at.first, fan_in, fan_out, lanes)
        controller.sum_columns(voltage, registers.scale, weight_per_state, amplitude, net)
    elif operation == Operation.BACKREAD_SYNAPSES:
        voltage = cube(devices.voltage, at.first, fan_in, fan_out, lanes)
        controller.sum_rows(
            voltage, registers.scale, weight_per_state, amplitude,
            rows(registers.slope, below, first), rows(registers.arriving, below, first),
            rows(registers.gradient, below, first),
        )  # fmt: skip
    elif operation == Operation.READ_NODES:
        controller.measure_nodes(
            sheet(devices.current, at.first, at.devices, lanes), sheet(devices.voltage, at.first, at.devices, lanes),
            nominal[Nominal.DRIFT], nominal[Nominal.THRESHOLD], nominal[Nominal.R_ON], nominal[Nominal.R_OFF],
            nominal[Nominal.RANGE], nominal[Nominal.UNIT_CURRENT], slot[Column.PULSE_STEPS] * plan.dt,
            signal, slope, rows(registers.bias, first, beyond),
        )  # fmt: skip
        if layer == last:
            arriving = rows(registers.arriving, first, beyond)
            controller.output_gradient(
                signal, slope, registers.target, plan.rules[Rule.OUTPUT_GRADIENT], arriving, gradient, registers.error
            )
    elif operation == Operation.READ_MEMRISTOR or operation == Operation.READ_LINES:
        activation = plan.rules[Rule.ACTIVATION]
        if operation == Operation.READ_MEMRISTOR:
            for lane in range(lanes):
                signal[0, lane] = devices.voltage[at.first + lane] / nominal[Nominal.UNIT_VOLTAGE]
        else:
            voltage = cube(devices.voltage, at.first, at.devices, 1, lanes)
            controller.sum_columns(voltage, registers.scale, weight_per_state, amplitude, net)
            for lane in range(lanes):
                signal[0, lane] = controller.activate(activation, net[0, lane])
        controller.delta_rule(
            activation, signal[0], registers.target[0], gradient[0], registers.difference[0], registers.error
        )


@inlined
def keep_states(at, devices):
    """Remember a bank's states before a READ that moves them."""
    states = sheet(devices.state, at.first_state, at.variables, at.room)
    before = sheet(devices.before, at.first_state, at.variables, at.room)
    for v in range(at.variables):
        for e in range(at.elements):
            before[v, e] = states[v, e]


@inlined
def count_residuals(at, lower, upper, devices, counters):
    """Compare a bank's states after RESTORE with those before the READ."""
    states = sheet(devices.state, at.first_state, at.variables, at.room)
    before = sheet(devices.before, at.first_state, at.variables, at.room)
    residual = line(counters.residual, at.first, at.elements)
    unrestored = line(counters.unrestored, at.first, at.elements)
    for v in range(at.variables):
        for e in range(at.elements):
            share = abs(states[v, e] - before[v, e]) / (upper[v] - lower[v])
            residual[e] = share if share > residual[e] else residual[e]
            unrestored[e] += 1.0 if share > controller.RESIDUAL else 0.0


def apply_pulse(plan, block, at, bank, phase, addressed, held, currents, steps, row):
    """Step one bank through one pulse, with what is recorded and counted of it."""
    counters = block.counters
    tally = Tally(
        line(block.devices.voltage, at.first, at.room),
        line(counters.energy[phase], at.first, at.room),
        line(counters.epoch_energy[phase], at.first, at.room),
        line(counters.peak_current[phase], at.first, at.room),
        line(counters.disturbed[phase], at.first, at.room),
        line(counters.bound[phase], at.first, at.room),
        sheet(counters.highest, at.first_state, at.variables, at.room),
        sheet(counters.lowest, at.first_state, at.variables, at.room),
    )
    trace_rows = rows_of(plan, at, bank, block)
    states = sheet(block.devices.state, at.first_state, at.variables, at.room)
    parameters = parameters_of(plan, block, at, bank)
    lower = plan.lower[bank]
    upper = plan.upper[bank]
    if plan.banks[bank, BankColumn.KERNEL] == 0:
        stepped = pulse_0(
            states, currents, at.elements, steps, plan.dt, parameters, lower, upper, addressed, held, plan.skip,
            tally, trace_rows, row,
        )  # fmt: skip
    else:
        stepped = pulse_1(
            states, currents, at.elements, steps, plan.dt, parameters, lower, upper, addressed, held, plan.skip,
            tally, trace_rows, row,
        )  # fmt: skip
    return stepped


@inlined
def banks_idle(plan, block):
    """Whether banks have nothing to do while another is driven: none moves at rest, and none is recorded."""
    idle = plan.skip
    for bank in range(plan.banks.shape[0]):
        recorded = plan.banks[bank, BankColumn.RECORDED] == 1 and block.rows.capacity > 0
        idle = idle and plan.banks[bank, BankColumn.RESTS] == 1 and not recorded
    return idle


def rest_banks(plan, block, slot, row):
    """Carry the banks that a slot does not drive through it, and all banks through the rest after it.

    A bank that rests at zero current and is not recorded has nothing to do.
    """
    stepped = 0
    # Not literals: Numba would compile all below once more for each of them.
    any_variable = np.int64(ANY_VARIABLE)
    free = np.int64(0)
    width = slot_width(slot)
    for bank in range(plan.banks.shape[0]):
        rests = plan.banks[bank, BankColumn.RESTS] == 1 and plan.skip
        recorded = plan.banks[bank, BankColumn.RECORDED] == 1 and block.rows.capacity > 0
        if recorded or not rests:
            at = place(plan.banks, block, bank)
            idle = line(block.devices.idle, at.first, at.room)
            for after in range(2):
                steps = slot[Column.REST_STEPS] if after == 1 else width
                phase = np.int64(Phase.IDLE) if after == 1 else slot[Column.PHASE]
                if steps > 0 and (after == 1 or bank != slot[Column.BANK]):
                    first_row = row + after * width
                    stepped += apply_pulse(plan, block, at, bank, phase, any_variable, free, idle, steps, first_row)
    return stepped


@inlined
def addressed_variable(plan, slot):
    """Which variables a slot may move: all, one, or none."""
    operation = slot[Column.OPERATION]
    if operation == Operation.WRITE_VARIABLE:
        return slot[Column.VARIABLE]
    if slot[Column.PHASE] == Phase.BACKREAD or operation == Operation.READ_SYNAPSES or operation == Operation.VERIFY:
        return ANY_VARIABLE if plan.nominal[slot[Column.BANK], Nominal.MOVES] != 0.0 else NO_VARIABLE
    if operation == Operation.READ_MEMRISTOR or operation == Operation.READ_LINES:
        return NO_VARIABLE
    return ANY_VARIABLE


def run_train(plan, block, at, slot, row, first_step):
    """Step the driven bank through the pulses of a slot and the gaps between them."""
    bank = slot[Column.BANK]
    pulses = slot[Column.PULSES]
    currents = line(block.devices.current, at.first, at.room)
    train = line(block.devices.train, at.first, at.room)
    count = line(block.devices.pulses, at.first, at.elements)
    addressed = addressed_variable(plan, slot)
    stepped = 0
    for stretch in range(2 * pulses - 1):
        in_gap = stretch % 2 == 1
        steps = slot[Column.GAP_STEPS] if in_gap else slot[Column.PULSE_STEPS]
        if steps > 0:
            if pulses > 1:
                for e in range(at.elements):
                    train[e] = 0.0 if in_gap or count[e] <= stretch // 2 else currents[e]
            drive = train if pulses > 1 else currents
            # Pulses without gaps are one, as a write by width sends it.
            begins = stretch == 0 or (not in_gap and slot[Column.GAP_STEPS] > 0)
            if begins and addressed != NO_VARIABLE:
                begin_pulse(plan, block, at, bank, drive, first_step + row)
            stepped += apply_pulse(
                plan, block, at, bank, slot[Column.PHASE], addressed, slot[Column.HELD], drive, steps, row
            )
            row += steps
    end_train(plan, block, at, bank, slot)
    return stepped


def run_slot(plan, block, slot, row, idle, first_step):
    """One slot: the controller sets currents, the devices are stepped, the controller reads voltages."""
    at = place(plan.banks, block, slot[Column.BANK])
    operation = slot[Column.OPERATION]
    if not set_own_currents(plan, slot, at, block.devices, block.counters, block.registers):
        set_currents(plan, slot, at, block.devices, block.counters, block.registers)
    reads = slot[Column.PHASE] == Phase.READ or slot[Column.PHASE] == Phase.BACKREAD
    if operation == Operation.READ_NODES or (reads and plan.nominal[slot[Column.BANK], Nominal.MOVES] != 0.0):
        keep_states(at, block.devices)
    drive_out(plan, block, at, slot[Column.BANK])
    stepped = run_train(plan, block, at, slot, row, first_step)
    if reads or operation == Operation.VERIFY:
        read_in(plan, block, at, slot[Column.BANK], first_step + row)
    # Before the rest: a bank that is stepped through it overwrites its voltages, and its states may move.
    if not read_own_voltages(plan, slot, at, block.devices, block.counters, block.registers):
        read_voltages(plan, slot, at, block.devices, block.registers)
    if slot[Column.PHASE] == Phase.RESTORE and slot[Column.VARIABLE] <= 0 and operation != Operation.VERIFY:
        lower = plan.lower[slot[Column.BANK]]
        upper = plan.upper[slot[Column.BANK]]
        count_residuals(at, lower, upper, block.devices, block.counters)
    if not idle:
        stepped += rest_banks(plan, block, slot, row)
    return stepped


@inlined
def slot_width(slot):
    """Steps of a slot from its first pulse's start to its last pulse's end."""
    pulses = slot[Column.PULSES]
    return pulses * slot[Column.PULSE_STEPS] + (pulses - 1) * slot[Column.GAP_STEPS]


@inlined
def show_outputs(signal, outputs):
    """Copy the last layer's signals, (outputs, realisations)."""
    for k in range(signal.shape[0]):
        for lane in range(signal.shape[1]):
            outputs[k, lane] = signal[k, lane]


@inlined
def keep_keyframe(block, keyframes, index):
    """Copy the states of a block, and the one thing that the controller remembers from sample to sample."""
    for e in range(block.devices.state.size):
        keyframes.state[index, e] = block.devices.state[e]
    for unit in range(block.registers.bias.shape[0]):
        for lane in range(block.lanes):
            keyframes.bias[index, unit, lane] = block.registers.bias[unit, lane]


@inlined
def close_epoch(plan, block, energy):
    """Add up an epoch's energies, (banks, phases, realisations), over the devices in their order; the next has none."""
    for bank in range(plan.banks.shape[0]):
        at = place(plan.banks, block, bank)
        for phase in range(energy.shape[1]):
            spent = line(block.counters.epoch_energy[phase], at.first, at.room)
            for lane in range(block.lanes):
                total = 0.0
                for device in range(at.devices):
                    total += spent[device * block.lanes + lane]
                energy[bank, phase, lane] = total
            for e in range(at.room):
                spent[e] = 0.0


def run_slots(plan, block, data, results, first_slot, slots, first_epoch):
    """Execute a stretch of the schedule for a block of realisations.

    Parameters
    ----------
    plan : Plan
    block : Block
        Changed in place.
    data : Data
        ``data.order[0]`` and ``data.rates[0]`` belong to ``first_epoch``.
    results : Results
        ``total_error[0]`` and ``energy[0]`` belong to ``first_epoch``, ``outputs[0]`` to the
        stretch's first sample, ``keyframes`` to the first keyframe that the
        stretch comes to; all are added to or filled.
    first_slot, slots : int
        Slots are counted from the start of the run.
    first_epoch : int

    Returns
    -------
    int
        Device-steps that were integrated.
    """
    slots_a_sample = plan.slots.shape[0]
    samples = data.order.shape[1]
    first_sample = first_slot // slots_a_sample
    last_layer = plan.units.size - 2
    every = results.keyframes.every
    idle = banks_idle(plan, block)
    first_step = step_of(plan, first_slot)
    recall(plan, block)
    sample = first_sample
    index = first_slot - sample * slots_a_sample
    epoch = sample // samples - first_epoch
    shown = sample % samples
    keyframe = 0
    stepped = 0
    row = np.int64(0)
    for _ in range(slots):
        slot = plan.slots[index]
        if index == 0:
            begin_sample(plan, data, epoch, shown, block.registers)
        begin_slot(plan, block, index, first_step + row)
        stepped += run_slot(plan, block, slot, row, idle, first_step)
        row += slot_width(slot) + slot[Column.REST_STEPS]
        index += 1
        if index == slots_a_sample:
            for lane in range(block.lanes):
                results.total_error[epoch, lane] += block.registers.error[lane]
            if results.outputs.shape[0] > 0:
                show_outputs(
                    rows(block.registers.signal, plan.units[last_layer], plan.units[last_layer + 1]),
                    results.outputs[sample - first_sample],
                )
            if every > 0 and (sample + 1) % every == 0:
                keep_keyframe(block, results.keyframes, keyframe)
                keep_past(block, results.keyframes, keyframe)
                keyframe += 1
            index = 0
            sample += 1
            shown += 1
            if shown == samples:
                close_epoch(plan, block, results.energy[epoch])
                shown = 0
                epoch += 1
    return stepped


@functools.cache
def loop_kernel(models: tuple[ModelFunctions, ...], integrator: str, modelled: tuple[bool, ...], kind: Imperfect):
    """The kernel :func:`run_slots` for the network's device models, at most two.

    ``modelled`` says of each whether the controller finds pulses in it
    (:mod:`memsim.kernels.state_dependent`); ``kind`` what is imperfect
    (:mod:`memsim.kernels.imperfect`).
    """
    pulses = [pulse_kernel(imperfect(model, kind) if kind else model, integrator) for model in models]
    key = f"{integrator}_" + "_".join(cache_key(model) for model in models)
    key += "_modelled_" + "".join(f"{needed:d}" for needed in modelled) if any(modelled) else ""
    key += f"_{name_of(kind)}" if kind else ""
    rules = rules_of(models, integrator, modelled)
    bound = {"pulse_0": pulses[0], "pulse_1": pulses[-1]}
    bound |= {"set_own_currents": rules.set_currents, "read_own_voltages": rules.read_voltages}
    bound |= hooks_of(kind)
    train = run_train
    if any(model.carried for model in models):
        bound |= {"keep_states": keep_states, "count_residuals": count_residuals, **carriers.hooks_of(kind)}
        train = carriers.run_carriers
    templates = {"apply_pulse": apply_pulse, "rest_banks": rest_banks, "run_train": train, "run_slot": run_slot}
    for name, template in templates.items():
        bound[name] = specialise(template, f"{template.__name__}_{key}", compiler=inlined, **bound)
    return specialise(run_slots, f"run_slots_{key}", **bound)
