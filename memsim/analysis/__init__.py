"""Questions that people ask of a run's file: loops, switching, changes of states, read-disturb, weights."""

from typing import TYPE_CHECKING

from .._old_names import former_names
from .device_loops import DeviceLoop, Lobe, device_loop, enclosed_area, lobes, plot_device_loop
from .disturb import Disturbance, disturb_events, read_disturb_per_phase
from .state_changes import StateChange, change_per_epoch
from .switching import switching_events
from .weights import StoredWeights, WeightHistogram, plot_weights, stored_weights, weight_histogram

__all__ = [
    "DeviceLoop", "Disturbance", "Lobe", "StateChange", "StoredWeights", "WeightHistogram", "change_per_epoch",
    "device_loop", "disturb_events", "enclosed_area", "lobes", "plot_device_loop", "plot_weights",
    "read_disturb_per_phase", "stored_weights", "switching_events", "weight_histogram",
]  # fmt: skip

RENAMED = {
    "Drift": "StateChange", "drift_per_epoch": "change_per_epoch", "hysteresis": "device_loop",
    "plot_hysteresis": "plot_device_loop",
}  # fmt: skip

if not TYPE_CHECKING:  # with it, checkers of types would take any name
    __getattr__ = former_names(__name__, RENAMED)
