"""Questions that people ask of a run's file: loops, switching, drift, read-disturb, weights; whether it is whole."""

from .disturb import Disturbance, disturb_events, read_disturb_per_phase
from .drift import Drift, drift_per_epoch
from .hysteresis import DeviceLoop, Lobe, enclosed_area, hysteresis, lobes, plot_hysteresis
from .switching import switching_events
from .weights import StoredWeights, WeightHistogram, plot_weights, stored_weights, weight_histogram

__all__ = [
    "DeviceLoop", "Disturbance", "Drift", "Lobe", "StoredWeights", "WeightHistogram", "disturb_events",
    "drift_per_epoch",
    "enclosed_area", "hysteresis", "lobes", "plot_hysteresis", "plot_weights", "read_disturb_per_phase",
    "stored_weights", "switching_events", "weight_histogram",
]  # fmt: skip
