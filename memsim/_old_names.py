"""Modules under the names that they had before: they can still be imported, with a word on where they are now."""

import importlib
import warnings
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PUBLIC = {"waveforms": "driving.waveforms", "schedule": "network.schedule", "margins": "runs.margins"}
MOVED = {
    "inspection": "analysis",
    "inspection.analysis": "analysis",
    "inspection.channels": "runs.channels",
    "inspection.lazy_arrays": "runs.lazy_arrays",
    "inspection.pulses": "runs.pulses",
    "inspection.timeline": "runs.timeline",
    "inspection.export": "exporting",
    "own": "user_models",
    "program": "stepping.program",
    "imperfections.settings": "configuration.imperfections",
    **{name: f"terminal.{name}" for name in ("streams", "si", "preparing")},
    **{name: f"files.{name}" for name in ("reading", "tables", "whole")},
    **{name: f"network.{name}" for name in ("networks", "learning_rates", "assembly", "starting", "slot_table")},
    **{name: f"stepping.{name}" for name in ("engine", "blocks")},
    **{
        name: f"runs.{name}"
        for name in (
            "training", "resuming", "recording", "watching", "run", "trace_access", "replay", "prediction",
            "consistency", "sources", "envelopes", "needed",
        )
    },
    "sizes": "files.memory",
    "run_sizes": "network.sizes",
    "carriers": "calibration.carriers",
    "state_dependent": "calibration.nominal",
    "timing_diagram": "analysis.timing_diagram",
    "ahead": "cli.ahead",
}  # fmt: skip


def home_of(name: str) -> str | None:
    """Where a module is now, by the name that it had within the package; none of one that did not move."""
    if known := PUBLIC.get(name) or MOVED.get(name):
        return known
    package, _, module = name.rpartition(".")
    home = home_of(package) if package else None
    return f"{home}.{module}" if home else None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        home = home_of(name) if package == "memsim" else None
        if home is None:
            return None
        # As a package: some of them were, and have modules.
        return ModuleSpec(fullname, _Forward(f"memsim.{home}", silently=name in PUBLIC), is_package=True)


class _Run(ModuleType):
    """The module ``memsim.run`` of before, whose name is that of a function now: that can be called all the same."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function."""
        return importlib.import_module("memsim.runs.calls").run(*arguments, **named)


class _Forward(Loader):
    """A module that gives what another one has."""

    def __init__(self, home: str, silently: bool) -> None:
        self._home, self._silently = home, silently

    def exec_module(self, module: ModuleType) -> None:
        real = importlib.import_module(self._home)
        if module.__name__ == "memsim.run":
            module.__class__ = _Run
        if not self._silently:
            warnings.warn(f"{module.__name__} has moved to {self._home}", DeprecationWarning, stacklevel=2)
        module.__getattr__ = partial(getattr, real)  # type: ignore[method-assign]
        module.__dir__ = partial(dir, real)  # type: ignore[method-assign]


FINDER = _Finder()
