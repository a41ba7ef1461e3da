"""memsim: emulate neural networks whose synapses and neurons are memristors.

The names below load on first use, so that ``import memsim`` costs nothing.
"""

import importlib
import sys

from ._old_names import FINDER, PUBLIC

if __name__ != "memsim":
    raise ImportError(f"memsim was loaded as {__name__!r}; import it as 'memsim'")

_HOMES = {
    "MultilayerPerceptron": "network.networks",
    "SingleLayerPerceptron": "network.networks",
    "Synapse": "devices",
    "Node": "devices",
    "ThresholdMemristor": "devices",
    "CarrierMemristor": "devices",
    "Timing": "configuration.sections",
    "TraceSection": "configuration.sections",
    "WriteEncoding": "configuration.sections",
    "Configuration": "configuration.sections",
    "check_dt": "convergence.network",
    "check_drive_dt": "convergence.drive",
    "drive": "driving.drive",
    "open_drive": "driving.trace",
    "hysteresis_loops": "hysteresis.sweep",
    "fit": "fitting.least_squares",
    "device_model": "user_models.declaring",
    "parameter": "user_models.declaring",
    "state": "user_models.declaring",
    "load_models": "user_models.loading",
    "train": "runs.training",
    "evaluate": "runs.prediction",
    "classification": "scoring.classification",
    "regression": "scoring.regression",
    "open_run": "runs.opening",
    "open_sweep": "sweeping.results",
}
_MODULES = {
    **{name: name for name in ("analysis", "calibration", "configuration", "datasets", "devices", "errors")},
    **PUBLIC,
}

__all__ = [*_HOMES, *_MODULES, "__version__"]  # noqa: PLE0604 (all are strings)


if FINDER not in sys.meta_path:
    sys.meta_path.append(FINDER)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{_MODULES[name]}", __name__)
    if name == "__version__":
        from importlib.metadata import version

        return version("memsim")
    raise AttributeError(f"module 'memsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
