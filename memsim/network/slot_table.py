"""The slot table in words: for the terminal, for figures, and for the run file."""

import numpy as np

from ..kernels.slots import Operation
from ..terminal.screen import Column, Table, numbers
from ..traces.schema import SLOT_COLUMNS
from .assembly import Assembly
from .schedule import Schedule, Slot

DRIVEN_BY = {
    "READ_SYNAPSES": "signals of the layer before, scaled",
    "READ_NODES": "net inputs",
    "RESTORE_NODES": "net inputs, negated",
    "BACKREAD_SYNAPSES": "local gradients, scaled",
    "WRITE_SYNAPSES": "eta * delta_j * V_i",
    "WRITE_NODES": "bias rule",
    "READ_MEMRISTOR": "net input (tapped weights)",
    "WRITE_VARIABLE": "Delta * x_i * g', beyond I_i",
    "READ_LINES": "inputs and 1, scaled; states held",
    "READ_ACTIVATION": "net input",
    "WRITE_LINE": "eta * Delta * x_i * g'",
    "RESTORE_SYNAPSES": "signals of the layer before, negated",
    "RESTORE_COLUMNS": "local gradients, negated",
    "VERIFY": "a small READ of what was addressed",
    "CORRECT": "what is missing",
    "RESTORE_VERIFY": "the same, negated",
    "WRITE_CARRIERS": "sum of Delta * x_i * g' times carrier i",
}


def structured(schedule: Schedule) -> np.ndarray:
    """The slot table as a structured array with named columns, (slots,)."""
    rows = [_row(slot, start, schedule.rest_steps) for slot, start in zip(schedule.slots, schedule.starts, strict=True)]
    return np.array(rows, dtype=SLOT_COLUMNS)


def _row(slot: Slot, start: int, rest_steps: int) -> tuple[object, ...]:
    return (
        slot.phase.name.encode(), slot.operation.name.encode(), slot.bank, slot.layer, slot.variable, start,
        slot.pulses, slot.pulse_steps, slot.gap_steps, rest_steps, slot.held,
    )  # fmt: skip


def table(assembly: Assembly) -> Table:
    """The slot table for the terminal."""
    headings = numbers("start\nstep", "width\nsteps", "pulses", "start\nms")
    shown = Table("phase", "bank", *headings, Column("driven by", words=True), title="Slots of one training sample")
    schedule, dt = assembly.schedule, assembly.config.time.dt
    for slot, start in zip(schedule.slots, schedule.starts, strict=True):
        driven_by = DRIVEN_BY[slot.operation.name]
        if slot.operation in (Operation.WRITE_VARIABLE, Operation.WRITE_LINE):
            driven_by = f"variable {slot.variable + 1}: {driven_by}"
        shown.row(
            slot.phase.name, assembly.banks[slot.bank].name, str(start), str(slot.width), str(slot.pulses),
            f"{1e3 * start * dt:g}", driven_by,
        )  # fmt: skip
    return shown
