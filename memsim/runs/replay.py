"""Replay: any stretch of a run again, step by step, from the nearest keyframe, checked against the next.

A run is deterministic from a keyframe, so its rows need not be stored to be
looked at; :func:`replay` gives the bits that a full trace would have held.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ..errors import OtherArithmeticError, ReplayError
from ..kernels.arithmetic import ARITHMETIC
from ..network.assembly import Assembly
from ..stepping.block_set import Checkpoint
from ..stepping.blocks import unread_bias
from ..stepping.engine import Engine
from ..stepping.row_memory import Recorded
from ..traces.run_file import keyframe_checksum
from ..traces.stored import Stored

OTHER_ARITHMETIC = 1e-9  # of a variable's range: what other rounding mostly changes up to the next keyframe


def arithmetic_of(stored: Stored) -> int:
    """The version of the arithmetic that made a file: see :data:`~memsim.kernels.arithmetic.ARITHMETIC`."""
    name = "arithmetic_version"
    return stored.integer("/", name) if stored.has_attribute("/", name) else 1


def tolerance_of(arithmetic: int) -> float:
    """How far a replay may be from what an arithmetic made, as a share of the range: of this one, nothing at all."""
    return 0.0 if arithmetic == ARITHMETIC else OTHER_ARITHMETIC


def rounds_otherwise(arithmetic: int) -> str:
    """Why a replay cannot have the bits of another arithmetic."""
    return (
        f"made with version {arithmetic} of memsim's arithmetic; this is version {ARITHMETIC}, which rounds "
        "differently, so that no replay has the same bits"
    )


class Keyframes(Protocol):
    """Where keyframes come from; -1 is the state before the first step."""

    samples: np.ndarray
    arithmetic: int

    def at(self, index: int) -> Checkpoint:
        """What a run goes on from."""


class StoredKeyframes:
    """The keyframes of a run file, of some realisations.

    Parameters
    ----------
    stored : Stored
    realisations : sequence of int
    """

    def __init__(self, stored: Stored, realisations: Sequence[int]) -> None:
        self._stored, self._lanes = stored, list(realisations)
        self.samples = stored.keyframe_samples
        self.arithmetic = arithmetic_of(stored)

    def at(self, index: int) -> Checkpoint:
        """A keyframe, without counters.

        Raises
        ------
        NotARunFileError
            Its checksum is wrong, or its states are beyond their bounds.
        """
        stored, lanes = self._stored, self._lanes
        banks = stored.banks
        start = index < 0
        states = [stored.initial_state(b) if start else stored.keyframe_states(b, index) for b in banks]
        begun = stored.beginning
        bias = (begun.bias if begun else None) if start else stored.keyframe_bias(index)
        wanted = None if start else stored.keyframe_checksum(index)
        past = (list(begun.past) if begun else []) if start else stored.keyframe_past(index)
        if wanted is not None and bias is not None and keyframe_checksum(states, bias, past) != wanted:
            raise stored.broken(f"the checksum of keyframe {index} is wrong")
        units = len(bias) if bias is not None else 0
        return Checkpoint(
            sample=0 if start else int(self.samples[index]),
            states=[values[..., lanes] for values in states],
            bias=np.zeros((units, len(lanes))) if bias is None else bias[:, lanes],
            past=[values[..., lanes] for values in past],
            error=np.zeros(len(lanes)),
            counters=[],
            device_steps=0,
        )


def of_realisations(assembly: Assembly, realisations: Sequence[int]) -> Assembly:
    """A run with some of its realisations; each has the same bits as among all."""
    lanes = list(realisations)
    return replace(
        assembly,
        seeds=assembly.seeds[lanes],
        initial=tuple(values[..., lanes] for values in assembly.initial),
        drawn=tuple(devices.of(lanes) for devices in assembly.drawn),
        past=tuple(values[..., lanes] for values in assembly.past),
        start=assembly.start.of(lanes) if assembly.start is not None else None,
    )


def replaying_engine(assembly: Assembly, recorded: Sequence[str]) -> Engine:
    """An engine for :func:`replay` that records some banks, by name; close it."""
    learning = assembly.config.learning
    return Engine(
        assembly, threads=os.cpu_count() or 1, epochs=learning.epochs, shuffled=learning.shuffle,
        recorded=tuple(k for k, bank in enumerate(assembly.banks) if bank.name in recorded),
    )  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """Consecutive recorded steps.

    Attributes
    ----------
    first_step : int
        From the start of the run.
    steps : int
    recorded : Recorded
    """

    first_step: int
    steps: int
    recorded: Recorded


def replay(engine: Engine, keyframes: Keyframes, start: int, stop: int) -> Iterator[Stretch]:
    """Run the samples from ``start`` up to ``stop`` again, recorded, and on to the next keyframe.

    Parameters
    ----------
    engine : Engine
        With the banks that are to be recorded.
    keyframes : Keyframes
    start, stop : int
        Samples from the start of the run.

    Yields
    ------
    Stretch

    Raises
    ------
    ReplayError
        The states at a keyframe on the way are not the ones in the file.
    """
    before = int(np.searchsorted(keyframes.samples, start, side="right")) - 1
    checked = dict.fromkeys(
        range(before + 1, min(len(keyframes.samples), int(np.searchsorted(keyframes.samples, stop)) + 1))
    )
    engine.restore(with_units(keyframes.at(before), engine))
    ends = {int(keyframes.samples[k]): k for k in checked}
    for end in sorted({start, stop, *ends}):
        while engine.clock.position < end * engine.clock.slots_a_sample:
            recording = start <= engine.clock.sample < stop
            first_step = engine.clock.step
            recorded = engine.advance(end * engine.clock.slots_a_sample, record=recording)
            if recording:
                yield Stretch(first_step, engine.clock.step - first_step, recorded)
        if end in ends:
            check(engine, keyframes.at(ends[end]), keyframes.arithmetic)


def with_units(at: Checkpoint, engine: Engine) -> Checkpoint:
    """A checkpoint whose controller remembers nothing yet, where the file does not say what it did."""
    units = sum(engine.assembly.sizes)
    return (
        at
        if len(at.bias) == units
        else replace(at, bias=np.full((units, engine.realisations), unread_bias(engine.assembly)))
    )


def check(engine: Engine, expected: Checkpoint, arithmetic: int) -> None:
    """Compare the engine's states with those of a keyframe.

    Parameters
    ----------
    engine : Engine
    expected : Checkpoint
    arithmetic : int
        Version of the arithmetic that made it: every bit is compared where it is this one.

    Raises
    ------
    OtherArithmeticError
        It differs by more than another rounding mostly changes.
    ReplayError
        With the bank, and by how much it differs.
    """
    found, tolerance = [], tolerance_of(arithmetic)
    for bank, states, wanted in zip(engine.assembly.banks, engine.blocks.states(), expected.states, strict=True):
        about = bank.device.state_variables()
        shares = np.abs(states - wanted) / np.array([v.upper - v.lower for v in about])[:, None]
        # A share of a range without end may round to 0: bits are compared as they are.
        if not (np.array_equal(states, wanted) or (tolerance > 0.0 and (shares <= tolerance).all())):
            device, variable, lane = np.unravel_index(int(np.argmax(np.nan_to_num(shares, nan=np.inf))), shares.shape)
            difference = abs(states[device, variable, lane] - wanted[device, variable, lane])
            found.append(
                f"{bank.name} by up to {difference:.3g} {about[int(variable)].unit}, "
                f"{shares[device, variable, lane]:.2g} of its range (device {device}, {about[int(variable)].name})"
            )
    # Another order of operations may turn a trap's draw, and all that follows.
    if tolerance == 0.0 and expected.past:
        for bank, past, kept in zip(engine.assembly.banks, engine.blocks.past(), expected.past, strict=True):
            if not np.array_equal(past, kept):
                found.append(f"{bank.name} by the wear or the traps of {int((past != kept).any(axis=0).sum())} devices")
    if found:
        differs = f"the replay differs from the keyframe after {expected.sample} samples: {'; '.join(found)}"
        if arithmetic != ARITHMETIC:
            raise OtherArithmeticError(
                f"{differs}: the run was {rounds_otherwise(arithmetic)}, and what a threshold decides may come out "
                "otherwise; replay it with the memsim that made it, or run it again"
            )
        raise ReplayError(f"{differs}; is the file changed, or was the run made with another memsim?")
