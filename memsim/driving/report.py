"""What a person sees of a drive on the terminal: each device's energy and extremes."""

from typing import NamedTuple

import numpy as np

from ..devices import UNBOUNDED
from ..si import with_prefix
from ..terminal import Column, Table, describe, numbers, show
from ..traces.drive_file import RESPONSES, UNITS, DriveReader

SHOWN = 20  # devices in the summary
FAR = 1e-2  # of a state's range in one step: with Euler's method the state is then wrong by about half of it


class Furthest(NamedTuple):
    """The state that moves furthest in one step, as a share of its range."""

    device: int
    name: str
    share: float


def largest_share(trace: DriveReader) -> Furthest | None:
    """The state that moves furthest in one step; None where none has a range, or the file does not tell."""
    if trace.largest_step is None:
        return None
    lower, upper = trace.bounds
    bounded = upper < UNBOUNDED
    if not bounded.any():
        return None
    shares = np.where(bounded, trace.largest_step / np.where(bounded, upper - lower, 1.0), 0.0)
    device, variable = np.unravel_index(int(shares.argmax()), shares.shape)
    return Furthest(int(device), trace.variables[variable][0], float(shares[device, variable]))


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
    furthest = largest_share(trace)
    if furthest is not None and furthest.share > FAR:
        found.append(
            f"{furthest.name} of device {furthest.device} moves by up to {furthest.share:.2g} of its range in one step "
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
