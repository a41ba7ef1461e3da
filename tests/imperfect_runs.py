"""Short runs of imperfect devices and periphery, for tests of them and of what they take part in."""

import naive
import numpy as np
import short_runs

from memsim.devices import CarrierMemristor

COUNT = {"encoding": "count", "pulses": 6, "train_steps": 2, "train_gap_steps": 1}
VTEAM = {"devices": {"synapse": {"model": "vteam"}}}
SPREAD = {"spread": {"mobility": 0.2, "threshold": 0.05}, "stuck_lower": 0.1, "stuck_upper": 0.1, "stuck": 0.1}
NODE = {"spread": {"r_on": 0.3, "r_off": 0.1}, "distribution": "normal"}
CONVERTERS = {
    "synapse": {"readout_bits": 6, "readout_range": 1.0, "driver_bits": 8, "driver_range": 1.5e-4, "read_noise": 1e-3},
    "node": {"readout_range": 0.2, "read_noise": 1e-2, "driver_range": 1e-4},
}
ALL = {"synapse": SPREAD | {"write_noise": 0.3}, "node": NODE | {"stuck": 0.2, "write_noise": 0.05}}
# Kind of network, and sections that differ.
CASES = {
    "spread": ("mlp", {"imperfections": {"synapse": SPREAD, "node": NODE}}),
    "write noise": ("mlp", {"imperfections": {"synapse": {"write_noise": 0.3}, "node": {"write_noise": 0.1}}}),
    "periphery": ("mlp", {"periphery": CONVERTERS}),
    "all, writes by count": ("mlp", {"imperfections": ALL, "periphery": CONVERTERS, "write": COUNT}),
    "retention": (
        "mlp",
        {
            "imperfections": {
                "synapse": {"retention_time": 0.5, "retention_state": 0.3, "stuck": 0.2, "write_noise": 0.2},
                "node": {"retention_time": 0.05, "retention_state": 0.5},
            },
        },
    ),
    "levels": (
        "mlp",
        {"imperfections": {"synapse": {"levels": 4097, "stuck": 0.2, "write_noise": 0.2}, "node": {"levels": 1025}}},
    ),
    "endurance": (
        "mlp",
        {
            "imperfections": {
                "synapse": {"endurance": 30.0, "stuck": 0.2, "write_noise": 0.2},
                "node": {"endurance": 100.0},
            },
            "write": COUNT,
        },
    ),
    "telegraph noise": (
        "mlp",
        {
            "imperfections": {
                "synapse": {"telegraph_amplitude": 0.1, "capture_time": 0.01, "emission_time": 0.02, "endurance": 50.0},
                "node": {"telegraph_amplitude": 0.3, "capture_time": 0.02, "emission_time": 0.004, "stuck": 0.3},
            },
        },
    ),
    "memristor": (
        "slp",
        {
            "imperfections": {
                "memristor": {"spread": {"reference_current": 0.1}, "write_noise": 0.2}
                | {"telegraph_amplitude": 0.2, "capture_time": 0.01, "emission_time": 0.02},
            },
            "periphery": {"memristor": {"read_noise": 1e-2, "readout_bits": 5, "readout_range": 1.0}},
        },
    ),
    "carriers": (
        "slp",
        {
            "time": {"pulse_steps": 8, "write_steps": 8},
            "devices": {"memristor": CarrierMemristor()},
            "imperfections": {
                "memristor": {"spread": {"reference_current": 0.1}, "write_noise": 0.2, "stuck": 0.2}
                | {"telegraph_amplitude": 0.2, "capture_time": 0.01, "emission_time": 0.02},
            },
            "periphery": {"memristor": {"read_noise": 1e-2, "driver_bits": 6, "driver_range": 2e-4}},
        },
    ),
    "vteam synapses": (
        "mlp",
        VTEAM
        | {
            "imperfections": {
                "synapse": {"spread": {"r_on": 0.1, "k_on": 0.1}, "write_noise": 0.2, "stuck": 0.2, "endurance": 40.0},
            },
            "periphery": {"synapse": {"read_noise": 1e-4, "driver_bits": 10, "driver_range": 2e-3}},
        },
    ),
}
SLOW = ("vteam synapses", "carriers")  # loops of their own, which the others do not need


def configuration(case, **sections):
    kind, own = CASES[case]
    return short_runs.configuration(kind, **own | sections)


def same(one, other):
    """Whether arrays have the same bits, one by one."""
    return all(np.array_equal(naive.bits(a), naive.bits(b)) for a, b in zip(one, other, strict=True))
