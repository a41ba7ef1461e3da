"""Imperfect devices and periphery: instructions where not all is as the calibration says.

Each device has parameters of its own. After those of its model comes a factor
of its drift: 0 of a stuck device, else 1, and drawn anew for each pulse under
write noise. Where states relax, there follow the rate of that, and the state
that each variable relaxes to; then what :mod:`memsim.kernels.past` adds. The
controller does not know them. Each instruction works on a
:class:`~memsim.kernels.operands.Flawed`, here ``f``, and is part of a program
only where its flaw is.
"""

import functools
import math
from collections.abc import Callable

import numpy as np

from . import past
from .compiling import Kernel, inlined, merged, plain, specialise
from .mathematics import exponential
from .operands import Flawed, instruction_on
from .random import PURPOSE_READ_NOISE, PURPOSE_WRITE_NOISE, normal_of
from .slots import Imperfect
from .stepping import ModelFunctions, cache_key

# Open names of the templates.
inner: Callable
FACTOR: int
SIZED: int


def drift_of_one(x, i, p):
    """The model's drift times the device's factor."""
    return p[FACTOR] * inner(x, i, p)


def drift_of_several(variable, x, element, i, p):
    """The model's drift times the device's factor."""
    return p[FACTOR + SIZED * x.shape[0]] * inner(variable, x, element, i, p)


def drift_near_of_one(x, below, above, i, p):
    """The model's drift near a bound times the device's factor."""
    return p[FACTOR] * inner(x, below, above, i, p)


def relaxing_drift_of_one(x, i, p):
    """The drift of a state, and its relaxation."""
    return p[FACTOR] * inner(x, i, p) + p[FACTOR + 1] * (p[FACTOR + 2] - x)


def relaxing_drift_of_several(variable, x, element, i, p):
    """The drift of one of several states, and its relaxation."""
    factor = FACTOR + SIZED * x.shape[0]
    relaxation = p[factor + 1] * (p[factor + 2 + variable] - x[variable, element])
    return p[factor] * inner(variable, x, element, i, p) + relaxation


def parameters_beyond(variables: int) -> int:
    """How many parameters may follow those of a model: a factor, a rate, a state for each variable, and of the past."""
    return 2 + variables + past.PARAMETERS


@functools.cache
def imperfect(model: ModelFunctions, kind: Imperfect) -> ModelFunctions:
    """A model whose elements have parameters of their own, and what the imperfections add after them."""
    if not kind:
        return model
    relaxing = Imperfect.RELAXING in kind
    varying = Imperfect.VARYING in kind
    key = f"{name_of(kind)}_{cache_key(model)}"
    one, several = (relaxing_drift_of_one, relaxing_drift_of_several) if relaxing else (drift_of_one, drift_of_several)
    drift = _around(model, model.drift, one if model.variables == 1 else several, f"drift_{key}")
    output = _around(
        model, model.output, past.varying_output_of_one if model.variables == 1 else past.varying_output_of_several,
        f"output_{key}",
    )  # fmt: skip
    # What relaxes is drawn away from a bound, where its drift is not 0.
    near = None if relaxing else model.drift_near
    beyond = 2 + model.variables if relaxing else 1
    return model._replace(
        key=key,
        parameters=model.parameters + (parameters_beyond(model.variables) if varying else beyond),
        drift=drift,
        output=output if varying else model.output,
        constant_drift=model.constant_drift and not relaxing,
        drift_under_voltage=None,
        drift_near=near and _around(model, near, drift_near_of_one, f"drift_near_{key}"),
        drift_near_under_voltage=None,
        own_parameters=True,
    )


def _around(model: ModelFunctions, function: Callable, template: Callable, name: str) -> Callable:
    """A template around one of a model's functions, not yet compiled."""
    inner_one = specialise(function, f"inner_{name}", compiler=merged)
    varying = model.parameters + 2 + (1 if model.variables == 1 else 0)  # of several the states' number comes on top
    return specialise(
        template,
        name,
        compiler=plain,
        inner=inner_one,
        FACTOR=model.parameters,
        VARYING=varying,
        SIZED=int(model.sized),
    )


def name_of(kind: Imperfect) -> str:
    """A name for the disk cache."""
    name = "relaxing" if Imperfect.RELAXING in kind else "imperfect"
    return f"{name}_varying" if Imperfect.VARYING in kind else name


# Instructions.


@functools.cache
def flaw(function) -> Kernel:
    """An instruction of this module, or of :mod:`memsim.kernels.past`, as a kernel."""
    return Kernel(function, instruction_on(Flawed))


@inlined
def noise(f, purpose, device, lane, step):
    """A standard normal number for a device at a step."""
    return normal_of(f.seeds[lane], purpose, f.number, device, step // f.finer)


def vary_drift(f, rows, step):
    """Write noise: a factor of each device's drift for the pulse that begins at a step, lognormal with mean 1."""
    sigma, lanes = f.flaws.write_noise, f.seeds.size
    for device in range(f.bank.devices):
        for lane in range(lanes):
            e = device * lanes + lane
            z = noise(f, PURPOSE_WRITE_NOISE, device, lane, step)
            f.factors[e] = f.bank.movable[e] * exponential(sigma * z - 0.5 * sigma * sigma)
    return 0


def end_variation(f, rows, step):
    """After the pulses of a slot the factors are 1 again, or 0 of stuck devices."""
    for e in range(f.factors.size):
        f.factors[e] = f.bank.movable[e]
    return 0


def settle(f, rows, step):
    """Finite levels: each state that can move goes to the nearest of them, which lie evenly from bound to bound."""
    bank, gaps, lower, upper = f.bank, f.flaws.levels - 1.0, f.bank.lower[0], f.bank.upper[0]
    span = upper - lower
    for e in range(bank.elements):
        if bank.movable[e] != 0.0:
            settled = lower + span * (np.floor((bank.state[0, e] - lower) / span * gaps + 0.5) / gaps)
            settled = settled if settled < upper else upper
            bank.state[0, e] = settled
            bank.highest[0, e] = settled if settled > bank.highest[0, e] else bank.highest[0, e]
            bank.lowest[0, e] = settled if settled < bank.lowest[0, e] else bank.lowest[0, e]
    return 0


@inlined
def convert(values, elements, limit, step, clipped):
    """Clip values at +-limit, counted, and round them to multiples of a step; 0 stands for no limit, or no step."""
    for e in range(elements):
        value = values[e]
        if limit > 0.0 and abs(value) > limit:
            clipped[e] += 1.0
            value = math.copysign(limit, value)
        values[e] = np.floor(value / step + 0.5) * step if step > 0.0 else value


def drive_out(f, rows, step):
    """Drivers: the currents as they can give them. The controller keeps those that it asked for."""
    bank = f.bank
    for e in range(bank.elements):
        bank.asked[e] = bank.current[e]
    convert(bank.current, bank.elements, f.flaws.driver_range, f.flaws.driver_step, bank.driver_clipped)
    return 0


def forget_drivers(f, rows, step):
    """After the pulses of a slot the controller goes on with the currents that it asked for."""
    for e in range(f.bank.elements):
        f.bank.current[e] = f.bank.asked[e]
    return 0


def add_read_noise(f, rows, step):
    """Read-outs: noise on the voltages as the controller gets them."""
    lanes = f.seeds.size
    for device in range(f.bank.devices):
        for lane in range(lanes):
            z = noise(f, PURPOSE_READ_NOISE, device, lane, step)
            f.bank.voltage[device * lanes + lane] += f.flaws.read_noise * z
    return 0


def read_in(f, rows, step):
    """Read-outs: the voltages as the controller gets them, clipped and rounded."""
    bank = f.bank
    convert(bank.voltage, bank.elements, f.flaws.readout_range, f.flaws.readout_step, bank.readout_clipped)
    return 0
