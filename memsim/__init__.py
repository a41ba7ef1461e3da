"""memsim: emulate neural networks whose synapses and neurons are memristors.

The names below load on first use, so that ``import memsim`` costs nothing.
"""

import importlib
import sys
from typing import TYPE_CHECKING

from ._old_names import FINDER, PUBLIC

if TYPE_CHECKING:  # what the names below are, for editors and type checkers
    from . import analysis as analysis
    from . import calibration as calibration
    from . import configuration as configuration
    from . import datasets as datasets
    from . import devices as devices
    from . import errors as errors
    from .configuration.sections import Configuration as Configuration
    from .configuration.sections import Timing as Timing
    from .configuration.sections import TraceSection as TraceSection
    from .configuration.sections import WriteEncoding as WriteEncoding
    from .convergence.drive import check_drive_dt as check_drive_dt
    from .convergence.network import check_dt as check_dt
    from .devices import CarrierMemristor as CarrierMemristor
    from .devices import Node as Node
    from .devices import Synapse as Synapse
    from .devices import ThresholdMemristor as ThresholdMemristor
    from .driving import waveforms as waveforms
    from .driving.drive import drive as drive
    from .driving.trace import open_drive as open_drive
    from .fitting.least_squares import fit as fit
    from .hysteresis.sweep import hysteresis_loops as hysteresis_loops
    from .network import schedule as schedule
    from .network.networks import MultilayerPerceptron as MultilayerPerceptron
    from .network.networks import SingleLayerPerceptron as SingleLayerPerceptron
    from .runs import margins as margins
    from .runs.opening import open_run as open_run
    from .runs.prediction import evaluate as evaluate
    from .runs.training import train as train
    from .scoring.classification import classification as classification
    from .scoring.regression import regression as regression
    from .sweeping.results import open_sweep as open_sweep
    from .user_models.declaring import device_model as device_model
    from .user_models.declaring import parameter as parameter
    from .user_models.declaring import state as state
    from .user_models.loading import load_models as load_models

    __version__: str

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


if not TYPE_CHECKING:  # checkers of types know the names above, and no others

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
