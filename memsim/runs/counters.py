"""Counters as run files have them."""

from ..kernels.counters import DEVICES
from ..kernels.operands import COUNTERS
from ..traces.schema import Field

COUNTED = tuple(
    Field(f"diagnostics/BANK/{name}", "f8", f"slot {each.axes}", each.unit, each.meaning, late=each.late)
    for name, each in COUNTERS.items()
)
COUNTED_OF_PROGRAMMING = tuple(
    Field(f"programming/BANK/{name}", "f8", DEVICES, each.unit, each.meaning, "programmed")
    for name, each in COUNTERS.items()
    if each.programmed
)
