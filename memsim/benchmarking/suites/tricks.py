"""``tricks``: what each trick of the kernels earns: a bank with it, and the same bank without it, in turn.

One thread, 10,000 devices where nothing else is said, pulses of 50 steps.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...kernels import logit, stepping, tiles
from ...kernels.compiling import Kernel, elementwise, inlined, plain, specialise
from ...kernels.operands import Job
from ...kernels.scratch import line
from ...kernels.stepping import (
    EXACT,
    ModelFunctions,
    Stretch,
    build_tile_kernel,
    pulse_kernel,
    stretches_of,
    tile_kernel,
)
from ...kernels.tiles import DRIFTS, NARROW, STATES, TOTAL, WIDE, begins_to_move, room_of
from ..banks import BENCHES, Bank
from ..bench_records import Record, record
from ..case import Case, Setting
from ..kernel_loop import Cut, Pulses
from ..timing import taking_turns, times_to_call

ELEMENTS, STEPS = 10_000, 50
LIT = 0.19  # share of the pixels that are not dark, as of MNIST's digits
FEW = 10  # devices: nine are a 2-2-1 network

# Open names of the templates below.
drift: Callable[..., Any]
output: Callable[..., Any]
advance: Callable[..., Any]
of_tile: Callable[..., Any]
of_element: Callable[..., Any]
own_tile: Callable[..., Any]
WIDTH: int


@dataclass(frozen=True)
class Trick:
    """A trick: a model's bank, and the pulses that do without it.

    ``without`` gets the model's functions, and parts a pulse into tiles of other
    kernels; ``skip`` and ``room``, the elements that arrays have room for, are for
    those pulses.
    """

    name: str
    model: str
    without: Callable[[ModelFunctions], Cut]
    elements: int = ELEMENTS
    active: float = 1.0
    skip: bool = True
    room: Callable[[int], int] = room_of


def _own(functions: ModelFunctions) -> Cut:
    return partial(stretches_of, functions, "euler")


# Tiles of other sizes.


def _of_width(width: int) -> Callable[[ModelFunctions], Cut]:
    return lambda functions: partial(_cut, functions, width, NARROW)


def _no_narrow(functions: ModelFunctions) -> Cut:
    return partial(_cut, functions, WIDE, WIDE)


def _wide_room(elements: int) -> int:
    return -(-elements // WIDE) * WIDE


def _cut(functions: ModelFunctions, wide: int, narrow: int, job: Job) -> list[Stretch]:
    """A pulse in tiles of other sizes than a run's."""
    middle = job.elements // wide * wide
    last = middle - (middle - job.elements) // narrow * narrow
    return [
        Stretch(
            pulse_kernel(width),
            tile_kernel(functions, "euler", width),
            job._replace(first=first, last=end, width=width),
        )
        for width, first, end in ((wide, 0, middle), (narrow, middle, last))
        if first < end
    ]


# Scratch of the tile's function.


def tile_in_place(job, first, done, steps):
    """:func:`memsim.kernels.tiles.tile_of_one` without scratch of its own: it works where the block keeps its tile."""
    tile, drive = job.tile, line(job.currents, first, WIDTH)
    x, voltage = line(tile, STATES * WIDTH, WIDTH), line(job.tally.voltage, first, WIDTH)
    total, drifts = line(tile, TOTAL * WIDTH, WIDTH), line(tile, DRIFTS * WIDTH, WIDTH)
    p = of_tile(job, first)
    moving = True
    if done == 0:
        drifting = 0
        for j in range(WIDTH):
            own = of_element(p, j)
            x[j] = job.states[0, first + j]
            moves = drift(x[j], drive[j], own) != 0.0
            drifting |= moves
            drifts[j] = 1.0 if moves else 0.0
            voltage[j] = output(x[j], drive[j], own)
            total[j] = 0.0
        moving = begins_to_move(job, drifting)
    lower, upper, dt = job.lower[0], job.upper[0], job.dt
    for _ in range(steps if moving else 0):
        for j in range(WIDTH):
            own = of_element(p, j)
            moved = advance(x[j], drive[j], drive[j], own, lower, upper, dt)
            response = output(moved, drive[j], own)
            x[j] = moved
            voltage[j] = response
            total[j] += response
    return 1 if moving else 0


def _tiles(variant: str, **chosen: Any) -> Callable[[ModelFunctions], Cut]:
    """Tiles of another template, or compiled in another way."""

    def without(functions: ModelFunctions) -> Cut:
        model, method = functions.of_any_size(), stepping.method_of(functions, "euler")
        return lambda job: [
            stretch._replace(tile=build_tile_kernel(model, method, stretch.job.width, variant, **chosen))
            for stretch in stretches_of(functions, "euler", job)
        ]

    return without


# One kernel for all models.


def call_own(address, job, first, done, steps):
    """A tile's function that has become part of the pulse's."""
    return own_tile(job, first, done, steps)


@functools.cache
def _pulse_of_model(functions: ModelFunctions, width: int) -> Kernel:
    """The pulse compiled for a model."""
    name = f"of_{functions.key}_{width}"
    tile = inlined(tile_kernel(functions, "euler", width).function)
    call = specialise(call_own, f"call_own_{name}", compiler=inlined, own_tile=tile)
    usual = pulse_kernel(width)
    return Kernel(specialise(usual.function, f"pulse_{name}", compiler=plain, call_tile=call), usual.signature)


def _of_model(functions: ModelFunctions) -> Cut:
    """A pulse that is compiled for each model, with the tile's function in it."""
    return lambda job: [
        stretch._replace(pulse=_pulse_of_model(functions, stretch.job.width))
        for stretch in stretches_of(functions, "euler", job)
    ]


# Physics.


def _library_exponential(functions: ModelFunctions) -> Cut:
    """The model with the C library's exponential in its drift."""
    other = _with(functions.drift, "library", exponential_within=math.exp)
    return _own(functions._replace(key=f"{functions.key}_library_exponential", drift=other))


def _with(function: Any, suffix: str, **others: Any) -> Any:
    """A copy of a function, and of all compiled ones that it calls, with other functions in the place of some."""
    source = getattr(function, "py_func", function)
    names = source.__globals__
    called = {n: names[n] for n in source.__code__.co_names if hasattr(names.get(n), "py_func") and n not in others}
    own = {n: elementwise(_with(one, suffix, **others)) for n, one in called.items()}
    # A name of its own: the disk would else give the code of the model's function, or keep this for it.
    return specialise(source, f"{source.__name__}_{suffix}", compiler=plain, **own, **others)


@elementwise
def rounded_twice(a, b, c):
    """``a * b + c``, rounded twice."""
    return a * b + c


def _not_fused(functions: ModelFunctions) -> Cut:
    """The model, and its steps, without fused multiply-add."""
    apart, variant = {"fma": rounded_twice}, "rounded_twice"
    physics = {name: elementwise(_with(getattr(functions, name), variant, **apart)) for name in ("drift", "output")}
    step, name = (tiles.euler, "advance") if functions.drift_near is None else (logit.euler, "free")
    advance = specialise(step, f"{name}_{functions.key}_{variant}", compiler=inlined, **physics, **apart)
    return _tiles(variant, **physics, **apart, **{name: advance})(functions)


def _drift_each_step(functions: ModelFunctions) -> Cut:
    return _own(functions._replace(key=f"{functions.key}_drift_each_step", constant_drift=False))


TRICKS = (
    *(Trick(f"tiles of {WIDE} elements, not {width}", "synapse", _of_width(width)) for width in (16, 32, 128)),
    *(Trick(f"tiles of {WIDE} elements, not {width}", "ion-drift", _of_width(width)) for width in (16, 32, 128)),
    Trick(f"tiles of {NARROW} elements for small banks, {FEW} devices", "synapse", _no_narrow, FEW, room=_wide_room),
    Trick("scratch on the stack, not the block's memory", "synapse", _tiles("in_place", template=tile_in_place)),
    Trick("steady states without a look at bounds", "synapse", _tiles("bounded", template=tiles.tile_of_one)),
    Trick("steady states without a look at bounds", "node", _tiles("bounded", template=tiles.tile_of_one)),
    Trick(
        "steady variables apart, a voltage that stays taken once",
        "threshold-memristor",
        _tiles("together", template=tiles.tile_of_several),
    ),
    Trick("the voltage of the step before for the law", "yakopcic", _tiles("anew", BY_VOLTAGE=False)),
    *(Trick("vectors side by side", model, _tiles("alone", interleave=0)) for model in ("vteam", "team", "yakopcic")),
    Trick("one pulse for all models, not compiled for each", "synapse", _of_model),
    Trick(f"one pulse for all models, not compiled for each, {FEW} devices", "synapse", _of_model, FEW),
    Trick("an exponential of arithmetic, not the C library's", "vteam", _library_exponential),
    *(Trick("products and sums rounded once, not twice", model, _not_fused) for model in ("ion-drift", "team")),
    Trick("drifts that do not change are taken once", "threshold-memristor", _drift_each_step),
    Trick("resting tiles are skipped, none driven", "synapse", _own, active=0.0, skip=False),
)
FEW_TRICKS = (TRICKS[0], TRICKS[-1])


def cases(setting: Setting) -> list[Case]:
    """Every trick, and the closed form of a pulse beside its steps."""
    tricks = FEW_TRICKS if setting.quick else TRICKS
    found = [Case(f"{trick.model}, {trick.name}", partial(_measure, setting, trick)) for trick in tricks]
    if not setting.quick:
        found += [Case(f"synapse, {name}", partial(_dark_rows, setting, name)) for name in DARK_ROWS]
    return [*found, Case("synapse, the closed form", partial(_closed_form, setting))]


def _measure(setting: Setting, trick: Trick) -> list[Record]:
    bank = Bank(BENCHES[trick.model], trick.elements, trick.active)
    without = Pulses(
        bank, "euler", STEPS, skip=trick.skip, cut=trick.without(bank.bench.device.functions()),
        room=trick.room(bank.elements),
    )  # fmt: skip
    return [_beside(setting, f"{trick.model}, {trick.name}", bank, Pulses(bank, "euler", STEPS), without)]


# Rows without a signal.


def fetch_nothing(job, first):
    """Leave the next tile to the processor."""


@functools.cache
def _pulse_without_fetching(width: int) -> Kernel:
    usual = pulse_kernel(width)
    nothing = specialise(fetch_nothing, f"fetch_nothing_{width}", compiler=inlined)
    return Kernel(
        specialise(usual.function, f"pulse_no_fetch_{width}", compiler=plain, fetch_tile=nothing), usual.signature
    )


def dark_bank() -> Bank:
    """A bank of a 784-128 network, of whose rows 19 % get a signal."""
    bank = Bank(BENCHES["synapse"], 784 * 128)
    bank.currents[:, np.repeat(np.random.default_rng(0).random(784) >= LIT, 128)] = 0.0
    return bank


def cut_lit(bank: Bank, job: Job, *, listed: bool = True, fetched: bool = True) -> list[Stretch]:
    """A pulse that goes through the tiles with a current alone, or looks at all; with the next tile fetched, or not."""
    lit = np.diff(np.concatenate([[False], bank.currents[0] != 0.0, [False]]).astype(int))
    ends = np.stack([np.flatnonzero(lit > 0), np.flatnonzero(lit < 0)], axis=1).ravel()
    driven = np.array([len(ends) // 2, *ends, 0]) if listed else job.driven
    stretches = stretches_of(bank.bench.device.functions(), "euler", job._replace(quiet=True, driven=driven))
    return stretches if fetched else [one._replace(pulse=_pulse_without_fetching(one.job.width)) for one in stretches]


DARK_ROWS: dict[str, dict[str, Any]] = {
    "tiles without a current are not looked at, 19 % of the rows driven": {"listed": False},
    "the next tile is fetched while one is stepped, 19 % of the rows driven": {"fetched": False},
}


def _dark_rows(setting: Setting, name: str) -> list[Record]:
    bank = dark_bank()
    ours = Pulses(bank, "euler", STEPS, cut=partial(cut_lit, bank))
    without = Pulses(bank, "euler", STEPS, cut=partial(cut_lit, bank, **DARK_ROWS[name]))
    return [_beside(setting, f"synapse, {name}", bank, ours, without)]


def _closed_form(setting: Setting) -> list[Record]:
    """An option rather than a trick: one evaluation a pulse."""
    bank = Bank(BENCHES["synapse"], ELEMENTS)
    exact, stepped = Pulses(bank, EXACT, STEPS), Pulses(bank, "euler", STEPS)
    return [_beside(setting, "synapse, solver = exact, not stepping", bank, exact, stepped)]


def _beside(setting: Setting, case: str, bank: Bank, ours: Pulses, other: Pulses) -> Record:
    """Pulses of a bank, and those that do without something, in turn."""
    loops = {"with": ours, "without": other}
    counts = {name: times_to_call(one, setting.effort) for name, one in loops.items()}
    times = taking_turns({name: partial(one, counts[name]) for name, one in loops.items()}, setting.effort)
    device_steps = bank.elements * STEPS
    taken, without = (times[name].work / counts[name] for name in ("with", "without"))
    return record(
        "tricks", case, times["with"], device_steps=counts["with"] * device_steps,
        more={"ns_per_device_step_without": 1e9 * without / device_steps, "times_as_fast": without / taken},
    )  # fmt: skip
