"""What a person sees of a drive on the terminal: each device's energy and extremes."""

import numpy as np

from ..terminal.screen import Column, Table, describe, numbers, show
from ..terminal.si import with_prefix
from ..traces.drive_file import RESPONSES, UNITS, DriveReader
from .drive_trace import FAR, largest_shares

SHOWN = 20  # devices in the summary


def show_drive(trace: DriveReader) -> None:
    """What was driven, each device's energy, peaks and bounds, and what the drive left out."""
    devices, duration = len(trace.labels), trace.steps * trace.dt
    describe(
        f"{devices} {trace.model} device{'s' if devices > 1 else ''} driven by a {trace.drive}, "
        f"{trace.steps:,} steps of {with_prefix(trace.dt, 's')} = {with_prefix(duration, 's')}"
    )
    show(_table(trace))
    if devices > SHOWN:
        describe(f"and {devices - SHOWN} devices more; energy of all: {with_prefix(float(trace.energy.sum()), 'J')}")
    for note in (*trace.notes, *_doubts(trace)):
        describe(f"note: {note}")


def _doubts(trace: DriveReader) -> list[str]:
    """What makes a drive's states doubtful: steps that lead far, and steps that cannot move a state."""
    found = []
    shares = largest_shares(trace)
    device, variable = np.unravel_index(int(shares.argmax()), shares.shape)
    furthest = shares[device, variable]
    if furthest > FAR:
        found.append(
            f"{trace.variables[variable][0]} of device {device} moves by up to {furthest:.2g} of its range in one step "
            f"of {with_prefix(trace.dt, 's')}; take a smaller time.dt, or see how much it matters with --check-dt"
        )
    if trace.stalled.any():
        found.append(
            f"{trace.stalled.sum():,} steps cannot move a state, whose drift has vanished below its last digit: it "
            "stays for good; --check-dt says more"
        )
    return found


def _table(trace: DriveReader) -> Table:
    """A line for each device, and for each of its state variables."""
    response = RESPONSES[trace.drive]
    table = Table(
        "device", Column("driven by", words=True), *numbers("energy", f"largest\n{response}"),
        "state", "from", "to", "end", *numbers("rows at\na bound"), shared=4,
    )  # fmt: skip
    peaks = trace.peak_response
    end = np.reshape(trace.window("state", start=trace.steps - 1)[0], trace.lowest.shape)
    for device in range(min(len(trace.labels), SHOWN)):
        about = [str(device), trace.labels[device], with_prefix(trace.energy[device], "J")]
        about.append(with_prefix(peaks[device], UNITS[response]))
        for v, (name, unit) in enumerate(trace.variables):
            states = (trace.lowest[device, v], trace.highest[device, v], end[device, v])
            bound = f"{trace.rows_at_bound[device, v]:,}"
            table.row(*about, name, *(with_prefix(x, unit) for x in states), bound)
    return table
