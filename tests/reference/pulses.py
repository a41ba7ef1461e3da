"""Pulses and waveforms for tests: a call with plain arrays of any length, copied into room for whole tiles."""

from typing import NamedTuple

import numpy as np

from memsim.kernels.logit import new_logit
from memsim.kernels.operands import Following, Job, Rows, Tally
from memsim.kernels.records import Packed, from_python
from memsim.kernels.stepping import WAVEFORM, follow_kernel, stretches_of
from memsim.kernels.tiles import aligned, new_tile, room_of, with_room


class PulseRows(NamedTuple):
    """Rows that a pulse fills: (variables, rows, elements) and (rows, elements)."""

    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


def no_rows(variables):
    """Rows of a pulse that is not recorded."""
    return PulseRows(np.empty((variables, 0, 0)), np.empty((0, 0)), np.empty((0, 0)))


def new_tally(states):
    """A tally in which nothing has been counted yet, for (variables, elements) states."""
    voltage, energy, peak_current, disturbed, bound, stalled = np.zeros((6, states.shape[1]))
    return Tally(voltage, energy, peak_current, disturbed, bound, stalled, states.copy(), states.copy())


def roomy(values, elements):
    """A copy with room for whole tiles, beside the elements the last one."""
    copy = aligned(*values.shape[:-1], max(room_of(elements), values.shape[-1]))
    copy[..., : values.shape[-1]] = values
    copy[..., values.shape[-1] :] = values[..., -1:]
    return copy


def run_job(model, integrator, job, rows=None, step=0):
    """Carry out a pulse whose arrays have room; the device-steps that were integrated."""
    nothing = np.empty(0)
    rows = Packed(rows or Rows(nothing, nothing, nothing, 0))
    stepped = 0
    for stretch in stretches_of(model, integrator, job):
        packed = Packed(stretch.job._replace(model=stretch.tile.address))
        stepped += from_python(stretch.pulse)(packed, rows, step)
    return stepped


def pulse_kernel(model, integrator):
    """A function that takes a pulse of any number of elements."""

    def pulse(
        states, currents, elements, steps, dt, parameters, lower, upper, addressed, held, skip, tally, rows, first_row
    ):
        copy = Tally(*(roomy(values, elements) for values in tally))
        room = room_of(elements)
        job = Job(
            states=roomy(states, elements), currents=np.append(currents, np.zeros(room))[:room],
            parameters=parameters, lower=lower, upper=upper, tally=copy, tile=new_tile(len(states)), elements=elements,
            steps=steps, dt=dt, addressed=addressed, held=bool(held), skip=skip,
            logit=new_logit(model, room),
        )  # fmt: skip
        kept = Rows(rows.state.ravel(), rows.current.ravel(), rows.voltage.ravel(), len(rows.current))
        stepped = run_job(model, integrator, job, kept, first_row)
        states[:] = job.states[:, : states.shape[1]]
        for values, filled in zip(tally, copy, strict=True):
            values[:] = filled[..., : values.shape[-1]]
        return stepped

    return pulse


def waveform(model, integrator, drive):
    """A function that takes a waveform; rows as :class:`~memsim.kernels.operands.Following` has them."""
    kernel, step = from_python(WAVEFORM), follow_kernel(model, integrator, drive)

    def follow(states, starts, ends, lines, dt, parameters, lower, upper, states_at, drives_at, responses_at, energies):
        tile, room, rests, stalled = new_tile(len(states)), with_room(states), *np.zeros((2, len(energies)))
        stepped = kernel(Packed(Following(
            room, starts, ends, lines, parameters, lower, upper, states_at, drives_at, responses_at, energies, rests,
            stalled, tile,
            dt, step.address, new_logit(model, room.shape[1]),
        )))  # fmt: skip
        states[:] = room[:, : states.shape[1]]
        return stepped

    return follow
