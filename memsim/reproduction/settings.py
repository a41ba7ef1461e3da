"""The paper's settings, and those that it leaves to be calibrated for each problem."""

from typing import Any, Literal

from .. import datasets
from ..configuration.network_sections import MultilayerSection, SingleLayerSection
from ..configuration.sections import (
    Configuration,
    DataSection,
    LearningSection,
    RunSection,
    TraceSection,
)
from ..fields import Settings, quantity

GATES = ("OR", "AND", "XOR")  # the paper's
ALL_GATES = tuple(name.upper() for name in datasets.GATES)
NOT_SEPARABLE = ("XOR", "XNOR")  # by a single layer
Figure = Literal[3, 4, 5, "gates", "universality", "carriers"]
THRESHOLDS = (0.3, 0.5, 0.7)  # of Figure 5
SAMPLES = 100
EPOCHS_AT_MOST = 10**9  # whose keyframes still have a distance
ROC_EPOCH = 500

# Learning rates: the paper's, Section III; those of the other gates after them.
SINGLE_LAYER_RATE = 0.1
MULTILAYER_RATE = {gate: 0.01 if gate in NOT_SEPARABLE else 0.1 for gate in ALL_GATES}

# One setting for each gate, not for each data set. docs/physics.md says how the paper's were found, and
# docs/beyond.md has the others: without the constant input line Eq. 10 gives 0 for the inputs 00.
_OTHERS: dict[str, Any] = {"node_drift": 0.12, "weight_limit": 3.0, "bias_limit": 0.18}
MULTILAYER: dict[str, dict[str, Any]] = {
    **{
        gate: {**_OTHERS, "initial_weight": 0.5, "constant_input": bool(truth[0])}
        for gate, truth in zip(ALL_GATES, datasets.GATES.values(), strict=True)
    },
    "XNOR": {**_OTHERS, "constant_input": True},
    "OR": {"node_drift": 0.09, "weight_limit": 3.5, "bias_limit": 0.15},
    "AND": {"node_drift": 0.12, "weight_limit": 3.0, "bias_limit": 0.18},
    "XOR": {"node_drift": 0.115, "weight_limit": 3.5, "bias_limit": 0.05, "initial_bias": 0.03},
}

# Found by a search for what those above do not reach: AND learned faster than by a single layer (docs/physics.md).
SEARCHED: dict[str, dict[str, Any]] = {
    "AND": {"node_drift": 0.1, "weight_limit": 6.0, "bias_limit": 0.7, "initial_bias": 0.01},
}


class Reproduction(Settings):
    """What is reproduced, and how thoroughly.

    Attributes
    ----------
    figures : tuple
        The paper's by their number, and those beyond it.
    realisations, epochs : int
        The paper's 100 and 1000.
    data_sets : int
        Sets of samples of the figure of all gates, each with starting weights of its own.
    fit_realisations, fit_epochs : int
        Of the functions that the universality figure fits.
    reading_realisations : int
        Realisations of each other reading of an equation, in the report.
    data_seed : int
        Of the data set that all realisations share; of all gates the first set's.
    seed : int
        Of the starting weights and shuffles; of all gates those of the first set.
    threads : int
        0 takes all processors.
    """

    figures: tuple[Figure, ...] = (3, 4, 5)
    realisations: int = quantity(100, "1", "realisations of the starting weights", ge=1)
    epochs: int = quantity(1000, "1", "epochs", ge=1, le=EPOCHS_AT_MOST)
    data_sets: int = quantity(4, "1", "sets of samples of all gates, each with starting weights of its own", ge=1)
    fit_realisations: int = quantity(8, "1", "realisations of each fit of a function", ge=1)
    fit_epochs: int = quantity(8000, "1", "epochs of each fit of a function", ge=1, le=EPOCHS_AT_MOST)
    reading_realisations: int = quantity(20, "1", "realisations of each other reading of an equation", ge=0)
    data_seed: int = quantity(0, "1", "seed of the samples", ge=0)
    seed: int = quantity(0, "1", "seed of starting weights and shuffles", ge=0)
    threads: int = quantity(0, "1", "threads; 0 takes all processors", ge=0)

    @property
    def roc_epoch(self) -> int:
        """The epoch after which Figure 5 is taken."""
        return min(ROC_EPOCH, self.epochs)

    def of_set(self, number: int) -> "Reproduction":
        """The settings of one of the ``data_sets``, counted from 0: both seeds are that much higher."""
        return self.model_copy(update={"data_seed": self.data_seed + number, "seed": self.seed + number})


def single_layer(settings: Reproduction, gate: str, **changes: Any) -> Configuration:
    """The single-layer run of Figure 3 for a gate; ``changes`` are sections to merge in."""
    return _configuration(settings, gate, SingleLayerSection(inputs=2), SINGLE_LAYER_RATE, changes)


def multilayer(settings: Reproduction, gate: str, **changes: Any) -> Configuration:
    """The multilayer run of Figure 4 for a gate."""
    return _two_layers(settings, gate, MULTILAYER[gate], changes)


def searched(settings: Reproduction, gate: str, **changes: Any) -> Configuration:
    """The multilayer perceptron on a gate, with the setting that a search found."""
    return _two_layers(settings, gate, SEARCHED[gate], changes)


def _two_layers(settings: Reproduction, gate: str, setting: dict[str, Any], changes: Any) -> Configuration:
    network = MultilayerSection(layers=(2, 2, 1), **setting)
    return _configuration(settings, gate, network, MULTILAYER_RATE[gate], changes)


def _configuration(
    settings: Reproduction, gate: str, network: SingleLayerSection | MultilayerSection, rate: float, changes: Any
) -> Configuration:
    sections: dict[str, Any] = {
        "run": RunSection(seed=settings.seed, realisations=settings.realisations, threads=1),
        "network": network,
        "learning": LearningSection(rate=rate, epochs=settings.epochs),
        "data": DataSection(gate=gate.lower(), samples=SAMPLES, seed=settings.data_seed),
        "trace": TraceSection(keyframe_samples=settings.roc_epoch * SAMPLES),
    }
    base = Configuration(**sections).model_dump()
    for section, fields in changes.items():
        base[section] = _merged(base[section], fields)
    return Configuration(**base)


def _merged(before: Any, changes: Any) -> Any:
    if isinstance(before, dict) and isinstance(changes, dict):
        return {**before, **{name: _merged(before.get(name), value) for name, value in changes.items()}}
    return changes
