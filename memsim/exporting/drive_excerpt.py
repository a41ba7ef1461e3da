"""What an export of a drive holds: chosen devices and quantities over a stretch of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..analysis.spans import Span, bounds_of
from ..driving.drive_trace import DriveTrace
from ..errors import InputError
from ..runs.channels import Channels, named, numbered
from ..traces.reader import QUANTITIES
from .excerpt import BLOCK_VALUES, Block, Kept, Report

BANK = "devices"  # a drive has one


@dataclass(frozen=True)
class DriveExcerpt(Kept):
    """Some devices and quantities of a drive over some of its rows; known to be within it.

    A row's time is that of its step's end, as its numbers are.
    """

    run: DriveTrace
    channels: Channels
    start: int
    stop: int
    stride: int = 1
    step_columns: ClassVar[tuple[str, ...]] = ("step", "time_s")
    channel_columns: ClassVar[tuple[str, ...]] = ("device", "variable", "quantity", "unit")
    value_bytes: ClassVar[float] = 22.0

    @property
    def program_version(self) -> str:
        return self.run.program_version

    @property
    def changing(self) -> float:
        return 1.0

    def columns(self, steps: np.ndarray) -> tuple[np.ndarray, ...]:
        return steps, (steps + 1) * self.run.dt

    def variables(self, bank: str) -> list[tuple[str, str]]:
        return list(self.run.variables)

    def blocks(self, report: Report) -> Iterator[Block]:
        most = max(1, BLOCK_VALUES // len(self.channels))
        kept = np.arange(self.start, self.stop, self.stride)
        for low in range(0, len(kept), most):
            steps = kept[low : low + most]
            yield Block(steps, {(BANK, name): self._values(name, steps) for name in self.channels.quantities})
            report(low + len(steps), len(kept))

    def _values(self, quantity: str, steps: np.ndarray) -> np.ndarray:
        """(rows, devices[, variables], 1), as of one realisation."""
        values = self.run.window(quantity, int(steps[0]), int(steps[-1]) + 1, self.stride)
        chosen = values[:, list(self.channels.devices[BANK])]
        shape = (*chosen.shape[:2], len(self.run.variables), 1) if quantity == "state" else (*chosen.shape, 1)
        return chosen.reshape(shape)


def excerpt_of_drive(
    trace: DriveTrace, *, devices: Sequence[int] = (), quantities: Sequence[str] = (), steps: Span | None = None,
    stride: int = 1, **of_runs: object,
) -> DriveExcerpt:  # fmt: skip
    """What is chosen of a drive; all where nothing is.

    Raises
    ------
    InputError
        There is no such device, quantity or step, or ``of_runs`` has what only runs have.
    """
    for name, given in of_runs.items():
        if given:
            raise InputError(f"{name}: is of a run, and {trace.path} is of a drive; leave it out")
    if trace.steps == 0:
        raise InputError(f"{trace.path}: the drive has no steps")
    start, stop = (0, trace.steps) if steps is None else bounds_of(steps, "steps", trace.steps, "drive")
    channels = Channels(
        banks=(BANK,),
        devices={BANK: numbered("devices", devices, len(trace.labels))},
        variables={BANK: tuple(name for name, _ in trace.variables)},
        realisations=(0,),
        quantities=named("quantities", quantities, QUANTITIES),
    )
    return DriveExcerpt(trace, channels, start, stop, stride)
