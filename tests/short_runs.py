"""Short runs of each kind of network on two real inputs, for tests of what a run leaves behind."""

import functools

import numpy as np
import pytest

import memsim.runs.training
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.devices import Synapse

_RNG = np.random.default_rng(6)
REAL = Dataset(_RNG.uniform(-1.0, 1.0, (5, 2)), _RNG.uniform(0.0, 1.0, (5, 1)), "two real inputs")
KINDS = {
    "mlp": {"network": {"kind": "mlp"}},
    "slp": {"network": {"kind": "slp"}},
    "lines": {"network": {"kind": "slp", "construction": "equivalent"}},
}
EPOCHS, REALISATIONS = 4, 3
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def configuration(kind, **sections):
    """A short run; ``sections`` are merged in."""
    base = {
        "run": {"seed": 2**62 + 1, "realisations": REALISATIONS, "threads": 1},
        "time": {"pulse_steps": 3, "write_steps": 4, "gap_steps": 1},
        "learning": {"epochs": EPOCHS},
        "data": {"arrays": REAL.name},
        **KINDS[kind],
    }
    return Configuration(**base | {name: base.get(name, {}) | fields for name, fields in sections.items()})


@functools.cache
def overdriven():
    """A multilayer perceptron whose READs reach beyond the threshold, and whose nodes reach their bounds."""
    network = {"weight_limit": 1.5, "bias_limit": 0.05, "initial_bias": 0.03, "node_drift": 0.99, "read_scale": 0.95}
    sections = {
        "network": {"kind": "mlp"} | network,
        "time": {"pulse_steps": 5, "write_steps": 5},
        "learning": {"rate": 8.0},
        "devices": {"synapse": Synapse(threshold=0.041)},
        "write": {"driver_limit": 0.05},
        "trace": {"mode": "full"},
    }
    return memsim.runs.training.run(configuration("mlp", **sections), REAL)
