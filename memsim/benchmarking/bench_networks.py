"""The networks that the suites train."""

from typing import Any

import numpy as np

from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..network.assembly import Assembly
from ..runs.run import Run
from ..stepping.engine import Engine

# As in examples/xor.toml.
GATE_221 = {"kind": "mlp", "layers": (2, 2, 1), "node_drift": 0.115, "weight_limit": 3.5, "bias_limit": 0.05}
SAMPLE_STEPS_221 = 220  # eleven slots of twenty steps


def _configuration(**sections: Any) -> Configuration:
    """A configuration from plain dictionaries."""
    return Configuration(**sections)


def network_221(epochs: int, realisations: int, threads: int = 1, trace: dict[str, Any] | None = None) -> Configuration:
    """The 2-2-1 network on XOR: 9 devices, 100 samples an epoch."""
    return _configuration(
        network={**GATE_221, "initial_bias": 0.03}, run={"realisations": realisations, "threads": threads},
        learning={"epochs": epochs, "rate": 0.01}, data={"gate": "xor"}, trace=trace or {},
    )  # fmt: skip


def single_layer_or(epochs: int, realisations: int) -> Configuration:
    """One threshold memristor on OR, 100 samples an epoch."""
    return _configuration(
        network={"kind": "slp"}, run={"realisations": realisations, "threads": 1},
        learning={"epochs": epochs}, data={"gate": "or"},
    )  # fmt: skip


def bank_of_64(epochs: int, trace: dict[str, Any] | None = None) -> tuple[Configuration, Dataset]:
    """A bank of 64 synapses and nothing else under Algorithm 1, one realisation, 20 samples an epoch."""
    random = np.random.default_rng(0)
    data = Dataset(random.uniform(-1.0, 1.0, (20, 63)), random.uniform(0.0, 1.0, (20, 1)), "63 random inputs")
    network = {"kind": "slp", "inputs": 63, "construction": "equivalent", "activation": "controller"}
    config = _configuration(
        network=network, run={"threads": 1}, learning={"epochs": epochs}, data={"arrays": data.name},
        trace=trace or {},
    )  # fmt: skip
    return config, data


def digits_sized(epochs: int, realisations: int, samples: int) -> tuple[Configuration, Dataset]:
    """A 64-32-10 network, 2410 devices, on random data of the shape of 8 x 8 digits: what they say does not matter."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, samples)
    data = Dataset(random.uniform(0.0, 1.0, (samples, 64)), np.eye(10)[labels], "random, of digits' shape")
    config = _configuration(
        network={"kind": "mlp", "layers": (64, 32, 10), "node_drift": 0.02, "weight_limit": 3.5},
        run={"realisations": realisations, "threads": 1},
        learning={"epochs": epochs, "rate": 0.001}, data={"arrays": data.name},
    )  # fmt: skip
    return config, data


def mnist_sized(samples: int) -> tuple[Configuration, Dataset]:
    """A 784-128-10 network, one realisation, one epoch of random data of the shape of MNIST, 19 % of it not 0."""
    random = np.random.default_rng(0)
    lit = random.random((samples, 784)) < 0.19
    inputs, labels = random.uniform(0.1, 1.0, lit.shape) * lit, random.integers(0, 10, samples)
    data = Dataset(inputs, np.eye(10)[labels], "random, of MNIST's shape")
    config = _configuration(
        network={"kind": "mlp", "layers": (784, 128, 10)}, run={"threads": 1}, learning={"epochs": 1},
        data={"arrays": data.name},
    )  # fmt: skip
    return config, data


def carry_out(assembly: Assembly, threads: int = 1, recorded: tuple[int, ...] = ()) -> Engine:
    """Train a network in memory, without a file; its engine, closed."""
    engine = Engine(assembly, threads=threads, epochs=assembly.config.learning.epochs, recorded=recorded)
    try:
        while not engine.clock.is_over:
            engine.recycle(engine.advance(engine.clock.slots))
    finally:
        engine.close()
    return engine


def unstopped(run: Run) -> Run:
    """A run that came to its end.

    Raises
    ------
    KeyboardInterrupt
        It was stopped: a run takes Ctrl-C for itself, and ends early.
    """
    if run.stopped:
        run.close()
        raise KeyboardInterrupt
    return run
