"""Modules and functions under the names that they had before: still found, with a word on where they are now."""

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PUBLIC = {"waveforms": "driving.waveforms", "schedule": "network.schedule", "margins": "runs.margins"}
# Within their packages: package to each module's name of before and of now.
RENAMED = {
    "energy": {"figures": "energy_figures", "report": "energy_report", "tables": "energy_tables"},
    "driving": {
        "configuration": "drive_configuration", "figures": "drive_figure", "report": "drive_report",
        "trace": "drive_trace",
    },
    "benchmarking": {"networks": "bench_networks"},
    "calibration": {"carriers": "carrier_waveforms", "nominal": "nominal_banks"},
    "convergence": {"drive": "drive_dt", "network": "network_dt", "report": "dt_report", "result": "dt_check"},
    "datasets": {"loading": "configured_data", "scikit_learn": "configured_data", "storing": "dataset"},
    "exporting": {"of_drive": "drive_excerpt", "provenance": "excerpt", "target": "size", "tidy": "csv_table"},
    "exporting.spice": {
        "of_drive": "drive_circuit", "of_run": "run_circuit", "sources": "circuit_sources", "origin": "circuit",
    },
    "fitting": {"figures": "fit_figure", "report": "fit_report", "result": "fit_result"},
    "hysteresis": {
        "configuration": "loop_configuration", "figures": "loop_figures", "report": "loop_report",
        "sweep": "loop_sweep",
    },
    "scoring": {"figures": "class_figure", "report": "score_report"},
    "sklearn": {"classification": "classifiers", "options": "estimator_options"},
    "sweeping": {"configuration": "sweep_configuration", "packing": "packs", "report": "sweep_report"},
    "analysis": {"drift": "state_changes", "packing": "repacking", "stored": "stored_states"},
}  # fmt: skip
MOVED = {
    **{f"{room}.{old}": f"{room}.{new}" for room, names in RENAMED.items() for old, new in names.items()},
    "inspection": "analysis",
    "inspection.analysis": "analysis",
    # Not analysis.hysteresis: a module of this name would hide the function.
    "inspection.hysteresis": "analysis.device_loops",
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
            "training", "resuming", "recording", "watching", "trace_access", "replay", "prediction",
            "consistency", "sources", "needed",
        )
    },
    "envelopes": "runs.trace_access",
    "sizes": "files.memory",
    "run_sizes": "network.sizes",
    "carriers": "calibration.carrier_waveforms",
    "state_dependent": "calibration.nominal_banks",
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


def former_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module: what was renamed, under the name that it had, with a word on its name now."""

    def find(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
        warnings.warn(f"{module}.{name} is called {renamed[name]} now", DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(module), renamed[name])

    return find


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


class _Forward(Loader):
    """A module that gives what another one has."""

    def __init__(self, home: str, silently: bool) -> None:
        self._home, self._silently = home, silently

    def exec_module(self, module: ModuleType) -> None:
        real = importlib.import_module(self._home)
        if not self._silently:
            warnings.warn(f"{module.__name__} has moved to {self._home}", DeprecationWarning, stacklevel=2)
        module.__doc__ = real.__doc__
        module.__getattr__ = partial(getattr, real)  # type: ignore[method-assign]
        module.__dir__ = partial(dir, real)  # type: ignore[method-assign]


FINDER = _Finder()
