"""Run files of schema version 1, read as if they were of the present one."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .rows import QUANTITIES, Selection
from .stored import Stored, StoredTrace


class StoredSchema1(Stored):
    """A run file of schema version 1: keyframes at epochs' ends, everything else written when the run had ended."""

    @property
    def finished(self) -> bool:
        """Whether the run ended in good order."""
        return bool(self.attribute("/", "finished"))

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self.finished and bool(self.attribute("metrics", "stopped"))

    def committed(self, name: str) -> int:
        """Counters, from what there is."""
        if name == "rows":
            return int(self.read("traces/committed_rows", ndim=0, kind="i")) if "traces" in self.file else 0
        if name in ("finished", "stopped"):
            return int(getattr(self, name))
        if name == "checkpoint":
            return int(self.finished)
        path = {"epochs": "metrics/total_error", "keyframes": "keyframes/epoch"}[name]
        return len(self.dataset(path))

    @property
    def order(self) -> np.ndarray:
        """(epochs, samples, realisations)."""
        return self._counted("order", self.committed("epochs"), 3)

    @property
    def slots(self) -> np.ndarray:
        """The slot table, structured."""
        values: np.ndarray = self.read("slots", ndim=1, kind="V")
        return values

    def initial_state(self, name: str) -> np.ndarray:
        """(devices, variables, realisations)."""
        values: np.ndarray = self.read(f"initial_state/{name}", ndim=3, kind="f")
        return values

    @property
    def keyframe_interval(self) -> int:
        """Not evenly spaced."""
        return 0

    @property
    def keyframe_samples(self) -> np.ndarray:
        """Samples that were complete at each keyframe, (keyframes,) int64."""
        samples = self.read("dataset/inputs", ndim=2).shape[0]
        epochs: np.ndarray = self.read("keyframes/epoch", ndim=1, kind="i")
        return epochs * samples

    def keyframe_states(self, name: str, index: int | slice) -> np.ndarray:
        """States of a bank at one keyframe or several."""
        values: np.ndarray = self.read(f"keyframes/{name}", index, ndim=4, kind="f")
        return values

    def keyframe_bias(self, index: int | slice) -> None:
        """Was not kept."""
        return

    def keyframe_checksum(self, index: int) -> None:
        """Was not kept."""
        return

    def final_state(self, name: str) -> np.ndarray:
        """State after the last step."""
        if not self.finished:
            raise self.broken("its run has not finished, and files of schema version 1 cannot be continued")
        values: np.ndarray = self.read(f"final_state/{name}", ndim=3, kind="f")
        return values

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
        values: np.ndarray = self.read(f"diagnostics/{bank}/{name}", kind="f")
        return values

    def trace(self, bank: str) -> StoredTrace:
        """What was kept of a bank's trace."""
        path = f"traces/{bank}"
        devices, lanes = (self.read(f"{path}/{name}", ndim=1, kind="iu") for name in ("device", "realisation"))
        variables = np.arange(len(self.array(path, "variables")))
        stride = max(1, self.integer("traces", "stride"))
        return StoredTrace(Selection(devices, lanes, variables, QUANTITIES, stride), self.committed("rows"))

    def trace_steps(self, bank: str, first: int, last: int) -> np.ndarray:
        """The steps that rows belong to, (rows,) int64."""
        return np.arange(first, last) * self.trace(bank).selection.stride

    def overview_entries(self, bank: str, level: int) -> int:
        """There is no overview."""
        return 0

    def wrong_chunks(self, bank: str) -> Iterator[str]:
        """Nothing to compare with: there are no checksums."""
        return iter(())

    def calibration(self, name: str) -> Mapping[str, float]:
        """What the controller knows of a bank."""
        return dict(self.group(f"banks/{name}").attrs)

    def check(self) -> None:
        """Read what every file of this version must have."""
        self.configuration_text  # noqa: B018 (reading it is the check)
        for path in ("seeds", "dataset/inputs", "dataset/targets", "slots", "metrics/total_error", "order"):
            self.dataset(path)
        self.keyframe_samples  # noqa: B018
        self.group("banks")
        names = ("initial_state", "keyframes", *(("final_state", "diagnostics") if self.finished else ()))
        for group in names:
            for bank in self.names("banks"):
                if f"{group}/{bank}" not in self.file:
                    raise self.broken(f"it has no {group}/{bank}")
        for name in ("device_steps", "wall_seconds", "epochs", "stopped") if self.finished else ():
            self.attribute("metrics", name)
        self.dt, self.sample_steps, self.attribute("/", "program_version")
