"""The C reference of the stepping kernel: ``banks.c``, compiled for bits and for speed."""

import ctypes
from functools import partial
from pathlib import Path

import numpy as np

from .banks import BENCHES, Bank
from .compiler import EXACT, FAST, build
from .timing import Effort, processor_seconds_of

TILES = (16, 32, 64)  # devices; the fastest is what speed is compared with


class CBanks:
    """Pulses in C.

    Parameters
    ----------
    compiler : list of str
    folder : Path
        Where the libraries go.

    Raises
    ------
    NoCompilerError
    """

    def __init__(self, compiler: list[str], folder: Path) -> None:
        defines: dict[str, int] = {
            "WINDOW_EXPONENT": BENCHES["ion-drift"].field("exponent"),
            "TEAM_ALPHA_OFF": BENCHES["team"].field("alpha_off"),
            "TEAM_ALPHA_ON": BENCHES["team"].field("alpha_on"),
            "VTEAM_ALPHA_OFF": BENCHES["vteam"].field("alpha_off"),
            "VTEAM_ALPHA_ON": BENCHES["vteam"].field("alpha_on"),
            "INPUTS": BENCHES["threshold-memristor"].field("inputs"),
        }
        self._exact = build(compiler, "banks.c", folder, EXACT, **defines)
        self._fast = {tile: build(compiler, "banks.c", folder, FAST, TILE=tile, **defines) for tile in TILES}

    def exact(self, bank: Bank, integrator: str, count: int, steps: int) -> None:
        """Carry a bank through pulses, with the bits of the kernels."""
        _call(self._exact, bank, integrator, count, steps)

    def fast(self, tile: int, bank: Bank, integrator: str, count: int, steps: int) -> None:
        """Carry a bank through pulses, as fast as the compiler can."""
        _call(self._fast[tile], bank, integrator, count, steps)

    def fastest_tile(self, bank: Bank, integrator: str, count: int, steps: int, effort: Effort) -> int:
        """The tile that is fastest for a bank."""
        taken = {tile: [float("inf")] for tile in TILES}
        for _ in range(min(3, effort.turns)):
            for tile in TILES:
                taken[tile].append(processor_seconds_of(partial(self.fast, tile, bank, integrator, count, steps)))
        return min(TILES, key=lambda tile: min(taken[tile]))


def _call(library: ctypes.CDLL, bank: Bank, integrator: str, count: int, steps: int) -> None:
    function = getattr(library, f"{bank.bench.model.replace('-', '_')}_{integrator}")
    counts = (ctypes.c_int64(number) for number in (bank.elements, count, steps))
    arrays = (_address(getattr(bank, name)) for name in ("parameters", "lower", "upper", "voltages", "energies"))
    function(_address(bank.states), _address(bank.currents), *counts, ctypes.c_double(bank.bench.dt), *arrays)


def _address(values: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)
