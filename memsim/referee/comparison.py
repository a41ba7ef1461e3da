"""How far memsim's rows and ngspice's lie apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..devices import UNBOUNDED
from ..exporting.spice import Circuit
from ..exporting.spice.circuit import CircuitRows, Kind

TOLERANCE = 1e-3  # of a channel's range
# A channel that moves by less than this is measured on it: of a state's bounds, or of its bank's largest current
# or voltage. It is the share of its range over which a netlist lets a drift fade at a bound.
LEAST_RANGE = 1e-6


class Trace(NamedTuple):
    """A channel by both: its instance's number, quantity, unit, (steps,) rows of memsim and of ngspice, its range."""

    instance: int
    quantity: str
    unit: str
    memsim: np.ndarray
    ngspice: np.ndarray
    range: float

    @property
    def residual(self) -> float:
        """The largest difference as a share of the range."""
        return float(np.abs(self.ngspice - self.memsim).max() / self.range)


@dataclass(frozen=True)
class Compared:
    """The channels of a circuit by both programs.

    Attributes
    ----------
    circuit : Circuit
    ngspice : CircuitRows
        What ngspice found.
    """

    circuit: Circuit
    ngspice: CircuitRows

    def traces(self) -> Iterator[Trace]:
        """Every channel: states, current and voltage of each device."""
        for number, instance in enumerate(self.circuit.instances):
            for k, variable in enumerate(instance.kind.variables):
                ours, theirs = (rows.state[number][:, k] for rows in (self.circuit.rows, self.ngspice))
                # From the starting state on: a channel's first row may be its last move.
                moved = float(np.ptp(np.append(ours, instance.initial[k])))
                least = LEAST_RANGE * _bounds(instance.kind, k)
                yield Trace(number, variable.name, variable.unit, ours, theirs, max(moved, least))
            for quantity, unit in (("current", "A"), ("voltage", "V")):
                ours, theirs = (getattr(rows, quantity)[:, number] for rows in (self.circuit.rows, self.ngspice))
                least = LEAST_RANGE * self._largest(instance.kind, quantity)
                yield Trace(number, quantity, unit, ours, theirs, max(float(np.ptp(ours)), least))

    def worst(self) -> dict[tuple[str, str], Trace]:
        """Of each kind of device and quantity, the channel that differs most."""
        found: dict[tuple[str, str], Trace] = {}
        for trace in self.traces():
            key = self.circuit.instances[trace.instance].kind.name, trace.quantity
            if key not in found or trace.residual > found[key].residual:
                found[key] = trace
        return found

    @property
    def residual(self) -> float:
        """The largest difference in any channel, as a share of its range."""
        return max(trace.residual for trace in self.traces())

    def _largest(self, kind: Kind, quantity: str) -> float:
        """The largest current or voltage of a kind's devices; 1 where there is none."""
        of_kind = [k for k, instance in enumerate(self.circuit.instances) if instance.kind.name == kind.name]
        return float(np.abs(getattr(self.circuit.rows, quantity)[:, of_kind]).max()) or 1.0


def _bounds(kind: Kind, number: int) -> float:
    variable = kind.variables[number]
    return variable.upper - variable.lower if variable.upper < UNBOUNDED else kind.scales[number][1]


def compare(circuit: Circuit, ngspice: CircuitRows) -> Compared:
    """Both programs' rows of a circuit, side by side."""
    return Compared(circuit, ngspice)
