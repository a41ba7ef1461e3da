"""memsim: emulate neural networks whose synapses and neurons are memristors.

The names below load on first use, so that ``import memsim`` costs nothing.
"""

import importlib

if __name__ != "memsim":
    raise ImportError(f"memsim was loaded as {__name__!r}; import it as 'memsim'")

_HOMES = {
    "MultilayerPerceptron": "networks",
    "SingleLayerPerceptron": "networks",
    "Synapse": "devices",
    "Node": "devices",
    "ThresholdMemristor": "devices",
    "CarrierMemristor": "devices",
    "Timing": "configuration",
    "TraceSection": "configuration",
    "WriteEncoding": "configuration",
    "Configuration": "configuration",
    "check_dt": "convergence.network",
    "check_drive_dt": "convergence.drive",
    "drive": "driving.drive",
    "open_drive": "driving.trace",
    "hysteresis_loops": "hysteresis.sweep",
    "fit": "fitting.least_squares",
    "device_model": "own.declaring",
    "parameter": "own.declaring",
    "state": "own.declaring",
    "load_models": "own.loading",
    "train": "training",
    "evaluate": "prediction",
    "classification": "scoring.classification",
    "regression": "scoring.regression",
    "open_run": "opening",
    "open_sweep": "sweeping.results",
}
_MODULES = {
    "analysis": "inspection.analysis",
    **{name: name for name in ("calibration", "configuration", "datasets", "devices", "errors", "margins")},
    **{name: name for name in ("schedule", "waveforms")},
}

__all__ = [*_HOMES, *_MODULES, "__version__"]  # noqa: PLE0604 (all are strings)


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
