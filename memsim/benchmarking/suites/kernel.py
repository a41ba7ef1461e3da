"""``kernel``: the stepping of a bank, for every model, over sizes, pulse widths, activity and integrators.

A device-step is a step of a device, whether it is driven or rests. One thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...terminal.si import counted
from ..banks import BENCHES, Bank
from ..bench_records import Record, Value, record, reference
from ..c_banks import CBanks
from ..case import Case, Setting
from ..kernel_loop import Pulses, kernel_pulses
from ..limits import MemoryCopy
from ..numpy_banks import numpy_pulses
from ..timing import Times, Work, taking_turns, times_to_call

SIZES = (10, 100, 1000, 10_000, 100_000, 1_000_000)
WIDTHS = (1, 20, 500)
COMMON_SIZE, COMMON_WIDTH = 100_000, 50
COMPARED_SIZE, COMPARED_PULSES = 1003, 5  # for bits: fills no tile; an even number would go back and forth
MEMORY_SIZE = 100_000  # devices from which on a copy of memory is measured beside


@dataclass(frozen=True)
class Drive:
    """A bank's size, and how it is driven."""

    elements: int = COMMON_SIZE
    steps: int = COMMON_WIDTH
    integrator: str = "euler"
    active: float = 1.0
    stretches: bool = False

    @property
    def name(self) -> str:
        """For the case's name."""
        words = [f"{self.elements:,} devices", counted(self.steps, "step")]
        if self.active < 1.0:
            words.append(f"{100 * self.active:g} % driven" + (" in stretches" if self.stretches else ""))
        return ", ".join([*words, *([self.integrator] if self.integrator != "euler" else [])])

    @property
    def seconds(self) -> float:
        """About how long it takes to be measured: many turns, and of a long pulse, of which one takes longer, three."""
        return 1.5 + 1e-7 * self.elements * self.steps

    @property
    def described(self) -> dict[str, Value]:
        """For the record."""
        return {
            "devices": self.elements, "pulse_steps": self.steps, "integrator": self.integrator,
            "driven_share": self.active, "driven_in_stretches": self.stretches,
        }  # fmt: skip


ALL = (
    *(Drive(elements) for elements in SIZES),
    *(Drive(steps=steps) for steps in WIDTHS),
    Drive(active=0.1, stretches=True),
    Drive(active=0.01),
    Drive(active=0.0),
    Drive(integrator="heun"),
)
FEW = (
    Drive(100, 20),
    Drive(3000, 20),
    Drive(3000, 1),
    Drive(3000, 20, active=0.1, stretches=True),
    Drive(3000, 20, integrator="heun"),
)


def cases(setting: Setting) -> list[Case]:
    """Every model under every drive."""
    drives = FEW if setting.quick else ALL
    return [
        Case(f"{model}, {drive.name}", partial(_measure, setting, model, drive), drive.seconds)
        for model in BENCHES
        for drive in drives
    ]


def _measure(setting: Setting, model: str, drive: Drive) -> list[Record]:
    bank = Bank(BENCHES[model], drive.elements, drive.active, drive.stretches)
    works, counts = _works(setting, bank, drive)
    times = taking_turns(works, setting.effort)
    pulse_steps = drive.elements * drive.steps
    given = {name: reference(times[name], counts[name] * pulse_steps) for name in ("c", "numpy") if name in times}
    found = record(
        "kernel", f"{model}, {drive.name}", times["kernel"], device_steps=counts["kernel"] * pulse_steps,
        c=given.get("c"), numpy=given.get("numpy"), same_bits=same_bits(setting, model, drive.integrator),
        more={"model": model, **drive.described, **_over_copy(times, counts)},
    )  # fmt: skip
    return [found]


def _works(setting: Setting, bank: Bank, drive: Drive) -> tuple[dict[str, Work], dict[str, int]]:
    """What takes turns, each on a bank of its own; and how many pulses a turn of each has."""
    effort, steps, integrator = setting.effort, drive.steps, drive.integrator
    loops: dict[str, Callable[[int], object]] = {"kernel": Pulses(bank, integrator, steps)}
    c = setting.c_banks
    if c is not None:
        tile = c.fastest_tile(bank.copy(), integrator, 2, steps, effort)
        loops["c"] = partial(_carry_c, c, tile, bank.copy(), integrator, steps)
    if integrator == "euler" and drive.active == 1.0:
        loops["numpy"] = partial(_carry_numpy, bank.copy(), steps)
    if drive.elements >= MEMORY_SIZE:
        loops["copy"] = MemoryCopy(drive.elements)
    loops["kernel"](1)  # compiled, or loaded
    counts = {name: times_to_call(loop, effort) for name, loop in loops.items()}
    return {name: partial(loop, counts[name]) for name, loop in loops.items()}, counts


def _carry_c(c: CBanks, tile: int, bank: Bank, integrator: str, steps: int, count: int) -> None:
    c.fast(tile, bank, integrator, count, steps)


def _carry_numpy(bank: Bank, steps: int, count: int) -> None:
    numpy_pulses(bank, count, steps)


def _over_copy(times: dict[str, Times], counts: dict[str, int]) -> dict[str, float]:
    """The time over that of copying what a pulse must touch of memory, where that was measured."""
    if "copy" not in times:
        return {}
    ours, copy = (times[name].work / counts[name] for name in ("kernel", "copy"))
    return {"ratio_to_memory_copy": ours / copy}


def same_bits(setting: Setting, model: str, integrator: str) -> bool | None:
    """Whether kernel and C give the same states, voltages and energies, all bits of them; None without a compiler."""
    c = setting.c_banks
    if c is None:
        return None
    ours = Bank(BENCHES[model], COMPARED_SIZE, 0.5)
    theirs = ours.copy()
    kernel_pulses(ours, integrator, COMPARED_PULSES, COMMON_WIDTH)
    c.exact(theirs, integrator, COMPARED_PULSES, COMMON_WIDTH)
    return all(
        np.array_equal(getattr(ours, name).view(np.uint64), getattr(theirs, name).view(np.uint64))
        for name in ("states", "voltages", "energies")
    )
