"""The C reference of training: ``network.c``, compiled for the 2-2-1 network, for bits and for speed."""

import ctypes
from pathlib import Path

import numpy as np

from ..calibration.bank import BankCalibration
from ..devices import Node, Synapse
from ..network.assembly import Assembly
from .compiler import EXACT, FAST, build

LANES = (8, 16, 32)  # side by side; the fastest is what speed is compared with


class CNetwork:
    """Training in C of a network with two layers, of 2 and 1 units.

    Parameters
    ----------
    compiler : list of str
    folder : Path

    Raises
    ------
    NoCompilerError
    """

    def __init__(self, compiler: list[str], folder: Path) -> None:
        # A list of sizes is what one macro stands for.
        sizes = "-DSIZES=2,2,1"
        self._exact = build(compiler, "network.c", folder, (*EXACT, sizes), LAYERS=2)
        self._fast = {n: build(compiler, "network.c", folder, (*FAST, sizes), LAYERS=2, LANES=n) for n in LANES}

    def exact(self, assembly: Assembly, order: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Train with the bits of the emulator: states of each bank, (devices, lanes), and error, (epochs, lanes)."""
        return _learn(self._exact, assembly, order)

    def fast(self, side_by_side: int, assembly: Assembly, order: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Train the network as fast as the compiler can make it."""
        return _learn(self._fast[side_by_side], assembly, order)


def _learn(library: ctypes.CDLL, assembly: Assembly, order: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    config = assembly.config
    epochs, samples, lanes = order.shape
    states = np.concatenate([initial[:, 0] for initial in assembly.initial])
    energies, errors = np.zeros_like(states), np.zeros((epochs, lanes))
    calibrations = np.array([_numbers(bank, config.write.resolution) for bank in assembly.banks])
    arrays = (states, energies, calibrations, assembly.inputs, assembly.targets, order, errors)
    library.learn(
        *(ctypes.c_void_p(values.ctypes.data) for values in arrays),
        *(ctypes.c_int64(number) for number in (lanes, epochs, samples)),
        ctypes.c_double(config.learning.rate), ctypes.c_int64(config.time.read), ctypes.c_double(config.time.dt),
    )  # fmt: skip
    ends = np.cumsum([bank.devices for bank in assembly.banks])[:-1]
    return np.split(states, ends), errors


def _numbers(bank: BankCalibration, resolution: float) -> list[float]:
    """A bank's calibration in the order of the C file."""
    device, state = bank.device, bank.device.state_variables()[0]
    assert isinstance(device, Synapse | Node)
    k, threshold = device.kernel_parameters()[:2]
    node = (device.output_r_on, device.r_off, device.thickness) if isinstance(device, Node) else (0.0, 0.0, 1.0)
    return [
        k, threshold, state.lower, state.upper, *node,
        bank.read_current, bank.driver_limit, bank.state_per_weight, bank.unit_current, bank.bias_limit,
        device.charge_of(resolution),
    ]  # fmt: skip
