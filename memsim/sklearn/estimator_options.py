"""What the estimators take, checked, and the runs that it stands for."""

import math
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from ..configuration.imperfections import ImperfectionsSection
from ..configuration.network_sections import MultilayerSection, SingleLayerSection
from ..configuration.sections import (
    Configuration,
    DataSection,
    DevicesSection,
    LearningSection,
    RunSection,
    SynapseDevice,
    TraceSection,
)
from ..devices import Node, ThresholdMemristor
from ..errors import InputError
from ..fields import Settings
from ..network.architectures import calibrate

SAMPLES = "samples"  # the name of the data set in the run file
KEYFRAMES = 10  # of a run at most, so that a pickle is small
FIELDS = {"network.bias_limit": "bias_limit", "network.weight_limit": "weight_limit"}  # of a run file, as parameters


class Options(Settings):
    """What all estimators take."""

    weight_limit: float = Field(gt=0)
    learning_rate_init: float = Field(gt=0)
    max_iter: int = Field(ge=1)
    batch_size: int = Field(ge=1, lt=2**31)
    shuffle: bool
    early_stopping: bool
    validation_fraction: float = Field(gt=0, lt=1)
    n_iter_no_change: int = Field(ge=1)
    scaling: Literal["range", "standard", "none"]
    beyond: Literal["clip", "refuse"]
    synapse: SynapseDevice | None
    realisations: int = Field(ge=1)
    imperfections: ImperfectionsSection | None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """The checked parameters of an estimator.

        Raises
        ------
        InputError
            With a clause for each that is wrong.
        """
        return cls(**{name: _plain(parameters[name]) for name in cls.model_fields})

    def refuse_early_stopping(self) -> None:
        """Refuse what needs many epochs, where the samples are shown once.

        Raises
        ------
        InputError
        """
        if self.early_stopping:
            raise InputError("early_stopping: must be False for partial_fit, which shows the samples once (got True)")

    @property
    def lasting(self) -> tuple[str, ...]:
        """Names of the parameters that devices and their currents are made by, so that they last as long."""
        return ("weight_limit", "scaling", "synapse", "realisations", "imperfections")

    def refuse_other_devices(self, made_by: "Options") -> None:
        """Refuse parameters of other devices or currents than those of the call that made them.

        Raises
        ------
        InputError
            With a clause for each that was changed.
        """
        values = {name: (getattr(made_by, name), getattr(self, name)) for name in made_by.lasting}
        changed = [
            f"{name}: must stay {before!r}, by which the devices were made (got {now!r}); fit makes new ones"
            for name, (before, now) in values.items()
            if before != now
        ]
        if changed:
            raise InputError(*changed)

    def of_samples(self, samples: int) -> Self:
        """Options with mini-batches of no more than the samples that there are to learn, which a warning says."""
        if self.batch_size <= samples:
            return self
        warnings.warn(
            f"batch_size: {self.batch_size} is more than the {samples} samples to learn, and was taken for {samples}",
            UserWarning,
            stacklevel=4,
        )
        return self.model_copy(update={"batch_size": samples})

    def configuration(self, inputs: int, outputs: int, *, seed: int, epochs: int, samples: int) -> Configuration:
        """The run of a network.

        Parameters
        ----------
        inputs, outputs : int
        seed : int
        epochs : int
        samples : int
            To learn, in one epoch.
        """
        config = Configuration(
            run=RunSection(seed=seed, realisations=self.realisations, threads=1),
            network=self.section(inputs, outputs),
            learning=LearningSection(
                rate=self.learning_rate_init, epochs=epochs, shuffle=self.shuffle, batch=self.batch_size,
                patience=self.n_iter_no_change if self.early_stopping else 0,
            ),
            imperfections=self.imperfections or ImperfectionsSection(),
            data=DataSection(arrays=SAMPLES, beyond=self.beyond),
            trace=TraceSection(keyframe_samples=math.ceil(epochs / KEYFRAMES) * samples),
        )  # fmt: skip
        devices = self.devices(config)
        if self.synapse is not None:
            devices = devices.model_copy(update={"synapse": self.synapse})
        return config.model_copy(update={"devices": devices})

    def section(self, inputs: int, outputs: int) -> MultilayerSection | SingleLayerSection:
        """The network of so many inputs and outputs."""
        raise NotImplementedError

    def devices(self, config: Configuration) -> DevicesSection:
        """Its devices."""
        raise NotImplementedError


class PerceptronOptions(Options):
    """What the single-layer perceptron takes."""

    construction: Literal["equivalent", "memristor"]

    @model_validator(mode="after")
    def _of_synapses(self) -> Self:
        """Refuse synapses where there are none."""
        if self.construction == "memristor" and self.synapse is not None:
            raise ValueError("synapse: counts for construction='equivalent' alone (got one); leave it out")
        return self

    @property
    def lasting(self) -> tuple[str, ...]:
        """The learning rate is a variable of the threshold memristor."""
        rate = ("learning_rate_init",) if self.construction == "memristor" else ()
        return (*super().lasting, "construction", *rate)

    def section(self, inputs: int, _: int) -> SingleLayerSection:
        """The network of so many inputs, with one output."""
        return SingleLayerSection(inputs=inputs, construction=self.construction)

    def devices(self, config: Configuration) -> DevicesSection:
        """The threshold memristor, with windows for inputs up to 1 each, whichever the samples are."""
        inputs = config.network.widths[0]
        devices = DevicesSection(memristor=ThresholdMemristor(inputs=inputs, weight_limit=self.weight_limit))
        if self.construction == "equivalent":
            return devices
        config = config.model_copy(update={"devices": devices})
        calibrated = calibrate(config, np.ones((1, inputs)), np.array([[0.0], [1.0]]))[0].device
        return devices.model_copy(update={"memristor": calibrated})


class MultilayerOptions(Options):
    """What the multilayer perceptron takes."""

    hidden_layer_sizes: tuple[Annotated[int, Field(ge=1)], ...]
    bias_limit: float = Field(gt=0, lt=1)
    node_drift: float = Field(gt=0, lt=1)
    node_threshold: float = Field(ge=0)

    @field_validator("hidden_layer_sizes", mode="before")
    @classmethod
    def _as_several(cls, sizes: Any) -> Any:
        """A single layer's number of nodes as one of several."""
        if isinstance(sizes, int) and not isinstance(sizes, bool):
            return (sizes,)
        if not isinstance(sizes, tuple):
            raise ValueError(f"must be a whole number of nodes, or one for each hidden layer (got {sizes!r})")
        return sizes

    @property
    def lasting(self) -> tuple[str, ...]:
        """Layers, biases and nodes as well."""
        return (*super().lasting, "hidden_layer_sizes", "bias_limit", "node_drift", "node_threshold")

    def section(self, inputs: int, outputs: int) -> MultilayerSection:
        """The network of so many inputs and outputs; a constant line gives hidden nodes what a bias weight cannot."""
        return MultilayerSection(
            layers=(inputs, *self.hidden_layer_sizes, outputs), constant_input=True, weight_limit=self.weight_limit,
            bias_limit=self.bias_limit, node_drift=self.node_drift, initial_bias=0.05,
        )  # fmt: skip

    def devices(self, config: Configuration) -> DevicesSection:
        """Nodes with a drift threshold (Eq. 11), which is in units of the unit current."""
        layers = config.network.widths
        nodes = calibrate(config, np.zeros((1, layers[0] + 1)), np.zeros((1, layers[-1])))[1]
        return DevicesSection(node=Node(threshold=self.node_threshold * nodes.unit_current))


def _plain(value: Any) -> Any:
    """Numbers of NumPy, as a grid of parameters has them, as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def by_own_names(error: InputError) -> InputError:
    """An error of a run with the names of parameters, where it has those of the run file's fields."""
    split = (clause.partition(":") for clause in error.clauses)
    return InputError(*(f"{FIELDS.get(field, field)}{colon}{rest}" for field, colon, rest in split))
