"""How the starting weights were written, in words."""

from ..terminal.si import counted, duration, with_prefix
from ..traces.description import Programming


def cost_of_programming(programming: Programming) -> str:
    """What writing the starting weights took, in one line."""
    joules, lanes = programming.energy, len(programming.energy)
    of = "" if lanes == 1 else f", mean of {lanes} realisations"
    passes = "1 pass" if programming.passes == 1 else f"{programming.passes} passes"
    return (
        f"the starting weights were written in {passes}: "
        f"{duration(programming.seconds)} and {with_prefix(float(joules.mean()), 'J')}{of}"
    )


def result_of_programming(programming: Programming) -> str:
    """How near the starting weights came to what was to be written, in one line."""
    found = programming.banks.values()
    worst = max(float(each["residual"].max()) for each in found)
    devices = sum(each["residual"].size for each in found)
    missed = sum(int(each["unverified"].sum()) for each in found)
    return (
        f"they are within {worst:.1e} of their ranges; {missed:,} of {counted(devices, 'device')} were not within "
        f"write.tolerance in the last reading"
    )
