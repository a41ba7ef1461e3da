"""Many pulses in one compiled call: so the call from Python does not count, however small a bank is."""

import functools
from collections.abc import Callable

from ..kernels.compiling import specialise
from ..kernels.stepping import Tally, cache_key, no_rows, pulse_kernel
from ..kernels.tiles import ANY_VARIABLE
from .banks import Bank

pulse: Callable  # open name of the template


def pulses(states, currents, elements, count, steps, dt, parameters, lower, upper, skip, tally, rows):
    """Pulses that take the two rows of ``currents`` in turn; see :func:`memsim.kernels.stepping.pulse`."""
    stepped = 0
    for k in range(count):
        # Every variable may move, so none is counted as disturbed; the references count none either.
        stepped += pulse(
            states, currents[k % 2], elements, steps, dt, parameters, lower, upper, ANY_VARIABLE, 0, skip,
            tally, rows, 0,
        )  # fmt: skip
    return stepped


@functools.cache
def pulse_loop(functions, integrator: str):
    """The loop for a model and an integrator, compiled."""
    name = f"pulses_{integrator}_{cache_key(functions)}"
    return specialise(pulses, name, pulse=pulse_kernel(functions, integrator))


def carry(loop, bank: Bank, count: int, steps: int, *, skip: bool = True) -> int:
    """Carry a bank through pulses with a compiled loop; the device-steps that were integrated."""
    stepped = loop(
        bank.states, bank.currents, bank.elements, count, steps, bank.bench.dt, bank.parameters, bank.lower, bank.upper,
        skip, Tally(bank.voltages, bank.energies, *bank.counted, *bank.extremes), no_rows(len(bank.states)),
    )  # fmt: skip
    return int(stepped)


def kernel_pulses(bank: Bank, integrator: str, count: int, steps: int) -> int:
    """Carry a bank through pulses with memsim's kernel; the device-steps that were integrated."""
    return carry(pulse_loop(bank.bench.device.functions(), integrator), bank, count, steps)
