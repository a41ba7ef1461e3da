"""Counters as the file has them."""

from typing import NamedTuple

from ..traces.schema import Field

PHASES, STATES, DEVICES = "phase device realisation", "device variable realisation", "device realisation"


class Counter(NamedTuple):
    """What is counted of each device while stepping.

    Attributes
    ----------
    axes : str
    unit : str
        ``state`` stands for that of the bank's state variables.
    meaning : str
    shown : str
        What a run calls the sum of it, where it shows that.
    programmed : bool
        Whether it is kept of the writing of starting weights too.
    late : bool
        Whether files of earlier versions lack it.
    """

    axes: str
    unit: str
    meaning: str
    shown: str = ""
    programmed: bool = False
    late: bool = False


COUNTERS = {
    "energy": Counter(PHASES, "J", "energy V I dt, signed", programmed=True),
    "complete_energy": Counter(PHASES, "J", "energy V I dt of the complete epochs", late=True),
    "epoch_energy": Counter(PHASES, "J", "energy V I dt of the epoch in progress"),
    "peak_current": Counter(PHASES, "A", "largest magnitude of a pulse"),
    "disturbed": Counter(PHASES, "1", "variables that moved and should not have", programmed=True),
    "bound": Counter(PHASES, "1", "pulses that may move a state and left it at a bound", programmed=True),
    "highest": Counter(STATES, "state", "largest state at a pulse's end"),
    "lowest": Counter(STATES, "state", "smallest state at a pulse's end"),
    "residual": Counter(DEVICES, "1", "largest distance after RESTORE, as a share of the state's range"),
    "unrestored": Counter(DEVICES, "1", "RESTOREs with a residual above 1e-12"),
    "clipped": Counter(
        DEVICES, "1", "writes cut by the driver's limit, or by the train's length", shown="clipped_writes",
        programmed=True,
    ),
    "shortened": Counter(
        DEVICES, "1", "writes shortened to stay within their allowed range", shown="shortened_writes"
    ),
    "rounded": Counter(
        DEVICES, "1", "writes rounded to whole steps or pulses", shown="rounded_writes", programmed=True
    ),
    "rounding": Counter(DEVICES, "A s", "largest charge lost to rounding"),
    "stalled": Counter(
        PHASES, "1", "pulses that cannot move a state, whose drift has vanished below its last digit",
        shown="stalled", programmed=True, late=True,
    ),
    "unsent": Counter(
        DEVICES, "1", "writes below the controller's resolution, which were not sent", shown="unsent",
        programmed=True, late=True,
    ),
    "unverified": Counter(
        DEVICES, "1", "writes and RESTOREs that a verifying READ did not find at their aim", shown="unverified",
        programmed=True, late=True,
    ),
    "out_of_range": Counter(
        DEVICES, "1", "READs of a memristance beyond its range, taken for the bound's", shown="out_of_range",
        programmed=True, late=True,
    ),
    "driver_clipped": Counter(
        DEVICES, "1", "pulses cut by the range of imperfect drivers", shown="driver_clipped", programmed=True,
        late=True,
    ),
    "readout_clipped": Counter(
        DEVICES, "1", "voltages cut by the range of imperfect read-outs", shown="readout_clipped", programmed=True,
        late=True,
    ),
}  # fmt: skip
COUNTED = tuple(
    Field(f"diagnostics/BANK/{name}", "f8", f"slot {each.axes}", each.unit, each.meaning, late=each.late)
    for name, each in COUNTERS.items()
)
COUNTED_OF_PROGRAMMING = tuple(
    Field(f"programming/BANK/{name}", "f8", DEVICES, each.unit, each.meaning, "programmed")
    for name, each in COUNTERS.items()
    if each.programmed
)
