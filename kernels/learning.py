"""The learning loop: it carries out the instructions of a sample, sample after sample.

In a slot the controller sets the currents of one bank, the bank is stepped
through its pulses, and the controller reads the voltages: each is an instruction
(:mod:`memsim.kernels.operands`). One loop is compiled for all networks.
"""

import functools
from collections.abc import Callable

from .compiling import Kernel, inlined
from .operands import RUN, Repeat, Spent, instruction_on
from .records import call_instruction, from_python


@inlined
def carry_out(code, first, last, rows, step):
    """Carry out instructions, from ``first`` up to ``last``; the device-steps that were integrated."""
    stepped = 0
    for k in range(first, last):
        stepped += call_instruction(code[k, 0], code[k, 1], rows, step)
    return stepped


@inlined
def begin_sample(program, data, epoch, index):
    """Put the next sample on the inputs of every realisation."""
    sample, last = program.sample, data.order.shape[1] - 1
    sample.rate[0] = data.rates[epoch]
    sample.closing[0] = 1.0 if (index + 1) % program.batch == 0 or index == last else 0.0
    for lane in range(sample.error.size):
        shown = data.order[epoch, index, lane]
        for i in range(data.inputs.shape[1]):
            program.signal[i, lane] = data.inputs[shown, i]
        for k in range(data.targets.shape[1]):
            sample.target[k, lane] = data.targets[shown, k]


@inlined
def keep_keyframe(program, keyframes, index):
    """Copy states, their past, and the one thing that the controller remembers from sample to sample."""
    for e in range(program.state.size):
        keyframes.state[index, e] = program.state[e]
    for e in range(program.past.size):
        keyframes.past[index, e] = program.past[e]
    for unit in range(program.bias.shape[0]):
        for lane in range(program.bias.shape[1]):
            keyframes.bias[index, unit, lane] = program.bias[unit, lane]


@inlined
def show_outputs(program, outputs, index):
    """Copy the last layer's signals."""
    for k in range(program.outputs.shape[0]):
        for lane in range(program.outputs.shape[1]):
            outputs[index, k, lane] = program.outputs[k, lane]


@inlined
def keep_energies(spent, energy, epoch):
    """Copy the energies of an epoch that was closed, (banks, phases, realisations)."""
    for bank in range(spent.shape[0]):
        for phase in range(spent.shape[1]):
            for lane in range(spent.shape[2]):
                energy[epoch, bank, phase, lane] = spent[bank, phase, lane]


def run_slots(program, data, results, rows, first_slot, slots, first_epoch):
    """Carry out a stretch of the schedule for a block of realisations.

    Parameters
    ----------
    program : Program
    data : Data
        ``data.order[0]`` and ``data.rates[0]`` belong to ``first_epoch``.
    results : Results
        ``total_error[0]`` and ``energy[0]`` belong to ``first_epoch``, ``outputs[0]`` to the
        stretch's first sample, ``keyframes`` to the first keyframe that the
        stretch comes to; all are added to or filled.
    rows : Rows
        Row 0 is the stretch's first step.
    first_slot, slots : int
        Slots are counted from the start of the run.
    first_epoch : int

    Returns
    -------
    int
        Device-steps that were integrated.
    """
    slots_a_sample = program.steps.size
    samples = data.order.shape[1]
    first_sample = first_slot // slots_a_sample
    every = results.keyframes.every
    sample = first_sample
    slot = first_slot - sample * slots_a_sample
    epoch = sample // samples - first_epoch
    shown = sample % samples
    step = rows.first_step
    keyframe = 0
    stepped = carry_out(program.opening, 0, program.opening.shape[0], rows, step)
    for _ in range(slots):
        if slot == 0:
            begin_sample(program, data, epoch, shown)
        stepped += carry_out(program.code, program.first[slot], program.first[slot + 1], rows, step)
        step += program.steps[slot]
        slot += 1
        if slot == slots_a_sample:
            for lane in range(program.sample.error.size):
                results.total_error[epoch, lane] += program.sample.error[lane]
            if results.outputs.shape[0] > 0:
                show_outputs(program, results.outputs, sample - first_sample)
            if every > 0 and (sample + 1) % every == 0:
                keep_keyframe(program, results.keyframes, keyframe)
                keyframe += 1
            slot = 0
            sample += 1
            shown += 1
            if shown == samples:
                carry_out(program.closing, 0, program.closing.shape[0], rows, step)
                keep_energies(program.spent, results.energy, epoch)
                shown = 0
                epoch += 1
    return stepped


def repeat(r, rows, step):
    """An instruction that repeats others; the device-steps that were integrated."""
    stepped = 0
    for turn in range(r.first, r.last):
        r.turn[0] = turn
        stepped += carry_out(r.code, 0, r.code.shape[0], rows, step + turn * r.period)
    return stepped


def close_epoch(spent, rows, step):
    """Add up an epoch's energies of a bank over its devices in their order; the next epoch has none.

    The energy of a whole run is a sum of epochs, not of pulses, of which rounding would take more.
    """
    energy, complete, total = spent.epoch_energy, spent.complete_energy, spent.total
    lanes = total.shape[1]
    for phase in range(energy.shape[0]):
        for lane in range(lanes):
            sum_of_devices = 0.0
            for device in range(spent.devices):
                sum_of_devices += energy[phase, device * lanes + lane]
            total[phase, lane] = sum_of_devices
        for e in range(energy.shape[1]):
            complete[phase, e] += energy[phase, e]
            energy[phase, e] = 0.0
    return 0


LOOP = Kernel(run_slots, RUN)
REPEAT = Kernel(repeat, instruction_on(Repeat))
CLOSE_EPOCH = Kernel(close_epoch, instruction_on(Spent))


@functools.cache
def loop() -> Callable[..., int]:
    """:func:`run_slots` for Python: it takes packed records and integers."""
    return from_python(LOOP)
