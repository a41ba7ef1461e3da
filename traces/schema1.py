"""Run files of schema version 1, read as if they were of the present one."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from .rows import Selection
from .schema import QUANTITIES, RUN_1, SLOT_COLUMNS
from .stored import Stored, StoredTrace


class StoredSchema1(Stored):
    """A run file of schema version 1: keyframes at epochs' ends, everything else written when the run had ended."""

    fields = RUN_1
    goes_on = False

    @property
    def finished(self) -> bool:
        """Whether the run ended in good order."""
        return self.flag("/", "finished")

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self.finished and self.flag("metrics", "stopped")

    def committed(self, name: str) -> int:
        """Counters, from what there is."""
        if name == "rows":
            rows = int(self.read("traces/committed_rows", ndim=0, kind="i")) if self.has("traces") else 0
            if rows < 0:
                raise self.broken(f"traces/committed_rows is {rows}")
            return rows
        if name in ("finished", "stopped"):
            return int(getattr(self, name))
        if name == "checkpoint":
            return int(self.finished)
        path = {"epochs": "metrics/total_error", "keyframes": "keyframes/epoch"}[name]
        return self.shape(path)[0]

    @property
    def order(self) -> np.ndarray:
        """(epochs, samples, realisations)."""
        return self._counted("order", self.committed("epochs"), 3, kind="u")

    @cached_property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        values: np.ndarray = self.read("slots", ndim=1, kind="V")
        kinds = {name: values.dtype[name].kind for name in values.dtype.names or ()}
        if kinds != {name: kind[0] for name, kind in SLOT_COLUMNS}:
            raise self.broken("slots has other columns than a slot table")
        values.flags.writeable = False
        return values

    def initial_state(self, name: str) -> np.ndarray:
        """(devices, variables, realisations)."""
        return self.states(name, f"initial_state/{name}", ndim=3)

    @property
    def keyframe_interval(self) -> int:
        """Not evenly spaced."""
        return 0

    @property
    def keyframe_samples(self) -> np.ndarray:
        """Samples that were complete at each keyframe, (keyframes,) int64."""
        epochs: np.ndarray = self.read("keyframes/epoch", ndim=1, kind="i")
        return self._growing("keyframes/epoch", epochs) * self.shape("dataset/inputs")[0]

    def keyframe_states(self, name: str, index: int | slice) -> np.ndarray:
        """States of a bank at one keyframe or several."""
        return self.states(name, f"keyframes/{name}", index, ndim=4)

    def keyframe_bias(self, index: int | slice) -> None:
        """Was not kept."""
        return

    def keyframe_past(self, index: int | slice) -> list[np.ndarray]:
        """None: no past counted."""
        return []

    def keyframe_checksum(self, index: int) -> None:
        """Was not kept."""
        return

    def final_state(self, name: str) -> np.ndarray:
        """State after the last step."""
        if not self.finished:
            raise self.broken("its run has not finished, and files of schema version 1 cannot be continued")
        return self.states(name, f"final_state/{name}", ndim=3)

    def checkpoint(self, name: str) -> Any:
        """Totals at the end of the run."""
        if name in ("device_steps", "wall_seconds"):
            return self.number("metrics", name)
        raise self.broken(f"files of schema version 1 have no {name} to go on from")

    def counters(self, bank: str) -> list[str]:
        """Names of what was counted of a bank."""
        return self.names(f"diagnostics/{bank}")

    def counter(self, bank: str, name: str) -> np.ndarray:
        """What was counted."""
        if not self.finished:
            raise self.broken("its run has not finished, and counters were written at the end")
        path = f"diagnostics/{bank}/{name}"
        return self._plausible(path, self.read(path, kind="f"))

    def trace(self, bank: str) -> StoredTrace:
        """What was kept of a bank's trace."""
        path = f"traces/{bank}"
        devices, lanes = (self.read(f"{path}/{name}", ndim=1, kind="iu") for name in ("device", "realisation"))
        variables = np.arange(len(self.labels(path, "variables")))
        stride = self.integer("traces", "stride")
        return StoredTrace(Selection(devices, lanes, variables, QUANTITIES, stride), self.committed("rows"))

    def trace_steps(self, bank: str, first: int, last: int) -> np.ndarray:
        """The steps that rows belong to, (rows,) int64."""
        return np.arange(first, last) * self.trace(bank).selection.stride

    def overview_entries(self, bank: str, level: int) -> int:
        """There is no overview."""
        return 0

    def wrong_chunks(self, bank: str, report: Callable[[int, int], None] = lambda _, __: None) -> Iterator[str]:
        """Nothing to compare with: there are no checksums."""
        return iter(())

    def look_at_states(self) -> None:
        """Look at states as in later schemas, and at those after the last step."""
        super().look_at_states()
        for bank in self.banks if self.finished else ():
            self.final_state(bank)
