"""Many pulses in one compiled call: so the call from Python does not count, however small a bank is."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..kernels.learning import REPEAT
from ..kernels.logit import new_logit
from ..kernels.operands import Job, Repeat, Rows, Tally
from ..kernels.records import Packed, from_python
from ..kernels.stepping import Stretch, stretches_of
from ..kernels.tiles import ANY_VARIABLE, aligned, new_tile, room_of
from .banks import Bank

Cut = Callable[[Job], list[Stretch]]  # how a pulse is parted into tiles, and which kernels step them


class Pulses:
    """Pulses that take the two rows of a bank's currents in turn, again and again.

    It works on a copy of the bank, with room for whole tiles, as a network's banks
    have it. What is copied once is not part of what is measured.

    Parameters
    ----------
    bank : Bank
    integrator : str
    steps : int
        Of a pulse.
    skip : bool
        False steps resting tiles too.
    cut : function, optional
        A variant of :func:`memsim.kernels.stepping.stretches_of`.
    room : int, optional
        Elements that the arrays have room for; not given, whole tiles.
    """

    def __init__(
        self, bank: Bank, integrator: str, steps: int, *, skip: bool = True, cut: Cut | None = None,
        room: int | None = None,
    ) -> None:  # fmt: skip
        self._elements, self._room = bank.elements, room or room_of(bank.elements)
        self._states, self._extremes = self._roomy(bank.states), self._roomy(bank.extremes)
        self._voltages, self._energies = self._roomy(bank.voltages), self._roomy(bank.energies)
        self._counted, currents = self._roomy(bank.counted), self._roomy(bank.currents)
        # No device is driven beside those of the bank.
        currents[:, bank.elements :] = 0.0
        nothing = np.empty(0)
        self._rows = Packed(Rows(nothing, nothing, nothing, capacity=0))
        self._packed: list[Packed] = []  # what the addresses in a program lead to
        cut = cut or functools.partial(stretches_of, bank.bench.device.functions(), integrator)
        self._codes = [self._code(cut(self._job(bank, row, steps, skip))) for row in currents]
        self._programs: dict[int, Packed] = {}

    def _roomy(self, values: np.ndarray) -> np.ndarray:
        """A copy with room for whole tiles, which the last element fills."""
        copy = aligned(*values.shape[:-1], self._room)
        copy[..., : self._elements], copy[..., self._elements :] = values, values[..., -1:]
        return copy

    def _job(self, bank: Bank, currents: np.ndarray, steps: int, skip: bool) -> Job:
        """A pulse, not yet parted into tiles."""
        return Job(
            states=self._states, currents=currents, parameters=bank.parameters, lower=bank.lower, upper=bank.upper,
            tally=Tally(self._voltages, self._energies, *self._counted, *self._extremes),
            tile=aligned(2 * len(new_tile(len(self._states)))),  # variants have tiles that are twice as wide
            elements=self._elements, steps=steps, dt=bank.bench.dt,
            # Every variable may move, so none is counted as disturbed; the references count none either.
            addressed=ANY_VARIABLE, skip=skip, logit=new_logit(bank.bench.device.functions(), self._room),
        )  # fmt: skip

    def _code(self, stretches: Iterable[Stretch]) -> list[tuple[int, int]]:
        """The instructions of a pulse."""
        return [
            (one.pulse.address, self._address(one.job._replace(model=one.tile.address))) for one in stretches
        ]  # fmt: skip

    def _address(self, operand: Any) -> int:
        self._packed.append(Packed(operand))
        return self._packed[-1].address

    def _program(self, count: int) -> Packed:
        """Instructions for so many pulses: pairs of them, and one more where they are odd."""
        if count not in self._programs:
            first, second = self._codes
            pairs = (REPEAT.address, self._address(_repeat([*first, *second], count // 2)))
            self._programs[count] = Packed(_repeat([pairs, *(first if count % 2 else ())], 1))
        return self._programs[count]

    def __call__(self, count: int) -> int:
        """Carry the bank through pulses, from the first row of currents on; the device-steps that were integrated."""
        return _compiled_repeat()(self._program(count), self._rows, 0)

    def give_back(self, bank: Bank) -> None:
        """Put states, voltages, energies, and what was counted, into a bank."""
        bank.states[:] = self._states[:, : self._elements]
        bank.voltages[:], bank.energies[:] = self._voltages[: self._elements], self._energies[: self._elements]
        bank.counted[:], bank.extremes[:] = self._counted[:, : self._elements], self._extremes[..., : self._elements]


def _repeat(code: list[tuple[int, int]], turns: int) -> Repeat:
    return Repeat(np.array(code, dtype=np.int64), first=0, last=turns, period=0, turn=np.zeros(1))


@functools.cache
def _compiled_repeat() -> Callable[..., int]:
    """The repetition of instructions, for Python."""
    return from_python(REPEAT)


def kernel_pulses(bank: Bank, integrator: str, count: int, steps: int, **given: Any) -> int:
    """Carry a bank through pulses with memsim's kernel, once; the device-steps that were integrated.

    Parameters
    ----------
    bank : Bank
    integrator : str
    count, steps : int
        Pulses, and steps of each.
    **given
        See :class:`Pulses`.
    """
    pulses = Pulses(bank, integrator, steps, **given)
    stepped = pulses(count)
    pulses.give_back(bank)
    return stepped
