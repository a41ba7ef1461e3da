"""Short runs of each kind of network on two real inputs, for tests of what a run leaves behind."""

import numpy as np
import pytest

from memsim.configuration import Configuration
from memsim.datasets import Dataset

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
