"""``tricks``: what each trick of the kernels earns: a bank with it, and the same bank without it, in turn.

One thread, 10,000 devices where nothing else is said, pulses of 50 steps.
"""

import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np

from ...kernels.compiling import compiled, elementwise, inlined, specialise
from ...kernels.stepping import EXACT, ModelFunctions, build_pulse_kernel, cache_key
from ...kernels.tiles import NARROW, WIDE
from ..banks import BENCHES, Bank
from ..case import Case, Setting
from ..kernel_loop import carry, pulse_loop, pulses
from ..records import Record, record
from ..timing import taking_turns, times_to_call

ELEMENTS, STEPS = 10_000, 50
# Kernels are compiled without counts of references, which scratch on the heap needs.
allocating = numba.njit(nogil=True, error_model="numpy")
FEW = 10  # devices: nine are a 2-2-1 network


@dataclass(frozen=True)
class Trick:
    """A trick: a model's bank, and the loop over pulses that does without it.

    ``without`` gets the model's functions; ``skip`` is for that loop.
    """

    name: str
    model: str
    without: Callable[[ModelFunctions], Any]
    elements: int = ELEMENTS
    active: float = 1.0
    skip: bool = True


def _variant(functions: ModelFunctions, variant: str, integrator: str = "euler", compiler: Any = compiled, **other):
    """The loop over a variant of the kernel."""
    kernel = build_pulse_kernel(functions, integrator, variant, **other)
    name = f"pulses_{integrator}_{cache_key(functions)}_{variant}"
    return specialise(pulses, name, pulse=kernel, compiler=compiler)


def _of_width(width: int) -> Callable[[ModelFunctions], Any]:
    return lambda functions: _variant(functions, f"tiles_of_{width}", wide=width, narrow=min(width, NARROW))


def _no_narrow(functions: ModelFunctions) -> Any:
    return _variant(functions, "wide_only", narrow=WIDE)


@inlined
def _heap_line(length):
    return np.empty(length)


@inlined
def _heap_array(rows, columns):
    return np.empty((rows, columns))


def _on_heap(functions: ModelFunctions) -> Any:
    return _variant(
        functions, "heap", stack_line=_heap_line, stack_array=_heap_array, pulse_compiler=allocating,
        compiler=allocating,
    )  # fmt: skip


def _library_exponential(functions: ModelFunctions) -> Any:
    """The model with the C library's exponential in its drift."""
    other = _with_library_exponential(functions.drift)
    return _variant(functions._replace(key=f"{functions.key}_library_exponential", drift=other), "library")


def _with_library_exponential(function: Any) -> Any:
    """A copy of a function, and of all compiled ones that it calls, with the C library's exponential."""
    source = getattr(function, "py_func", function)
    names = source.__globals__
    called = {n: names[n] for n in source.__code__.co_names if hasattr(names.get(n), "py_func") and n != "exponential"}
    own = {n: elementwise(_with_library_exponential(one)) for n, one in called.items()}
    name = f"{source.__name__}_library"
    return types.FunctionType(source.__code__, {**names, **own, "exponential": math.exp}, name)


def _drift_each_step(functions: ModelFunctions) -> Any:
    return _variant(functions._replace(key=f"{functions.key}_drift_each_step", constant_drift=False), "each_step")


def _own(functions: ModelFunctions) -> Any:
    return pulse_loop(functions, "euler")


TRICKS = (
    *(Trick(f"tiles of {WIDE} elements, not {width}", "synapse", _of_width(width)) for width in (8, 16, 32, 128)),
    *(Trick(f"tiles of {WIDE} elements, not {width}", "ion-drift", _of_width(width)) for width in (16, 32, 128)),
    Trick(f"tiles of {NARROW} elements for small banks, {FEW} devices", "synapse", _no_narrow, FEW),
    Trick("scratch on the stack, not on the heap", "synapse", _on_heap),
    Trick("an exponential of arithmetic, not the C library's", "vteam", _library_exponential),
    Trick("drifts that do not change are taken once", "threshold-memristor", _drift_each_step),
    Trick("resting tiles are skipped, none driven", "synapse", _own, active=0.0, skip=False),
)
FEW_TRICKS = (TRICKS[1], TRICKS[-1])


def cases(setting: Setting) -> list[Case]:
    """Every trick, and the closed form of a pulse beside its steps."""
    tricks = FEW_TRICKS if setting.quick else TRICKS
    found = [Case(f"{trick.model}, {trick.name}", partial(_measure, setting, trick)) for trick in tricks]
    return [*found, Case("synapse, the closed form", partial(_closed_form, setting))]


def _measure(setting: Setting, trick: Trick) -> list[Record]:
    functions = BENCHES[trick.model].device.functions()
    bank = Bank(BENCHES[trick.model], trick.elements, trick.active)
    return [
        _beside(setting, f"{trick.model}, {trick.name}", bank, pulse_loop(functions, "euler"),
                trick.without(functions), skip=trick.skip)
    ]  # fmt: skip


def _closed_form(setting: Setting) -> list[Record]:
    """An option rather than a trick: one evaluation a pulse."""
    functions = BENCHES["synapse"].device.functions()
    bank = Bank(BENCHES["synapse"], ELEMENTS)
    exact = _variant(functions, "loop", EXACT)
    return [_beside(setting, "synapse, solver = exact, not stepping", bank, exact, pulse_loop(functions, "euler"))]


def _beside(setting: Setting, case: str, bank: Bank, loop: Any, without: Any, *, skip: bool = True) -> Record:
    """Pulses of a bank with a loop, and with another one, in turn."""
    loops = {
        "with": partial(_carry, loop, bank.copy(), True),
        "without": partial(_carry, without, bank.copy(), skip),
    }
    for one in loops.values():
        one(1)  # compiled, or loaded
    counts = {name: times_to_call(one, setting.effort) for name, one in loops.items()}
    times = taking_turns({name: partial(one, counts[name]) for name, one in loops.items()}, setting.effort)
    device_steps = bank.elements * STEPS
    ours, other = (times[name].minimum / counts[name] for name in ("with", "without"))
    return record(
        "tricks", case, times["with"], device_steps=counts["with"] * device_steps,
        more={"ns_per_device_step_without": 1e9 * other / device_steps, "times_as_fast": other / ours},
    )  # fmt: skip


def _carry(loop: Any, bank: Bank, skip: bool, count: int) -> None:
    carry(loop, bank, count, STEPS, skip=skip)
