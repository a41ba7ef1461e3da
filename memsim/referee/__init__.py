"""ngspice as the referee: the same stretch by another program, from equations written anew."""

from .comparison import TOLERANCE, Compared, compare
from .ngspice import NgspiceError, simulate

__all__ = ["TOLERANCE", "Compared", "NgspiceError", "compare", "simulate"]
