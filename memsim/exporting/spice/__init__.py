"""A stretch of a run or a drive as a netlist that ngspice runs as it is; see docs/spice.md."""

from .circuit import Circuit
from .writing import circuit_of, export_spice, write_netlist

__all__ = ["Circuit", "circuit_of", "export_spice", "write_netlist"]
