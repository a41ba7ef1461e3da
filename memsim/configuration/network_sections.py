"""``[network]``: the kinds of network, and their sizes and settings."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ..fields import Settings, quantity
from ..terminal.si import counted

KINDS: dict[str, type["NetworkSection"]] = {}  # by their names; a section enters itself when it is declared


class NetworkSection(Settings):
    """What all kinds of network share; a kind is a subclass with a default of ``kind``.

    Attributes
    ----------
    size_field : str
        The field that says how many inputs and outputs there are.
    """

    size_field: ClassVar[str] = ""

    if TYPE_CHECKING:
        kind: str = ""

    constant_input: bool = Field(default=False, description="add an input line that always carries 1")
    read_scale: float = quantity(
        0.0, "1", "fixed full scale of a READ; 0 scales each vector by its own largest magnitude", ge=0
    )
    read_current: float | None = quantity(
        None, "A", "full scale of a READ of synapses; the unit current where it is not given", gt=0
    )
    programmed: bool = Field(
        default=False, description="the controller writes the starting weights by pulses, before the first sample"
    )
    programming_passes: int = Field(
        default=10, ge=1, le=1000, description="programmed: passes of reading and correcting"
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Make the kind known."""
        KINDS[cls.model_fields["kind"].default] = cls

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, without the constant one, and the units of each layer after them; the last are the outputs."""
        raise NotImplementedError

    @property
    def bank_count(self) -> int:
        """Banks of devices."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Kind and size, for a person who does not know the names of kinds."""
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """Kind and size, by the names that settings have."""
        raise NotImplementedError

    @property
    def verifies_restores(self) -> bool:
        """Whether states are read and corrected after a RESTORE, too."""
        return False

    @model_validator(mode="after")
    def _passes_of_programming(self) -> "NetworkSection":
        default = type(self).model_fields["programming_passes"].default
        if not self.programmed and self.programming_passes != default:
            raise ValueError(
                f"programming_passes: counts for network.programmed = true alone (got {self.programming_passes}); "
                f"leave it out"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_programming(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if not self.programmed:
            for name in ("programmed", "programming_passes"):
                values.pop(name, None)
        return values


class SingleLayerSection(NetworkSection):
    """``[network]`` with ``kind = "slp"``."""

    size_field: ClassVar[str] = "inputs"

    kind: Literal["slp"] = "slp"
    inputs: int = Field(2, ge=1, description="number of inputs, without the constant one")
    construction: Literal["memristor", "equivalent"] = Field(
        default="memristor",
        description="one threshold memristor, or several one-variable synapses and an activation stage",
    )
    activation: Literal["device", "controller"] = Field(
        default="device",
        description="the equivalent construction's activation stage: a device of its own, or arithmetic of the "
        "controller, as in files of earlier versions",
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, without the constant one, and the one output."""
        return self.inputs, 1

    @property
    def bank_count(self) -> int:
        """The memristor or the lines, and the activation stage where it is a device."""
        return 1 + self.activates

    @property
    def title(self) -> str:
        """Kind and size, for a person who does not know the names of kinds."""
        return f"single-layer perceptron of {counted(self.inputs, 'input')}, construction {self.construction!r}"

    @property
    def summary(self) -> str:
        """Kind and size, by the names that settings have."""
        return f"slp of {counted(self.inputs, 'input')}, construction {self.construction}"

    @property
    def activates(self) -> bool:
        """Whether the activation stage is a device of its own."""
        return self.construction == "equivalent" and self.activation == "device"

    @model_validator(mode="after")
    def _programmed_lines(self) -> "SingleLayerSection":
        if self.programmed and self.construction == "memristor":
            raise ValueError(
                "programmed: needs network.construction = 'equivalent', whose weights are read as voltages (got true "
                "with 'memristor')"
            )
        return self


class MultilayerSection(NetworkSection):
    """``[network]`` with ``kind = "mlp"``."""

    size_field: ClassVar[str] = "layers"

    kind: Literal["mlp"] = "mlp"
    layers: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(2, 2, 1), min_length=2, max_length=1000, description="sizes from inputs to outputs, 1000 at most"
    )
    weight_limit: float = quantity(8.0, "1", "weight at the end of a synapse's range, B D'/2", gt=0)
    bias_limit: float = quantity(0.2, "1", "allowed magnitude of a bias weight; 1 is the end of the range", gt=0, lt=1)
    node_drift: float = quantity(
        0.08, "1", "share of half its range that a node drifts in a READ of 1; sets the unit current", gt=0, lt=1
    )
    restore_verify: int = Field(
        default=0, ge=0, le=1000, description="passes of reading and correcting after each RESTORE of nodes"
    )
    initial_weight: float = quantity(1.0, "1", "range of the starting weights, as a share of Glorot's", gt=0)
    initial_bias: float = quantity(0.1, "1", "range of the starting bias weights, as a share of Glorot's", ge=0)

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, without the constant one, and the nodes of each layer."""
        return self.layers

    @property
    def bank_count(self) -> int:
        """Synapses and nodes of each layer."""
        return 2 * (len(self.layers) - 1)

    @property
    def title(self) -> str:
        """Kind and sizes, for a person who does not know the names of kinds."""
        return f"multilayer perceptron {'-'.join(map(str, self.layers))}"

    @property
    def summary(self) -> str:
        """Kind and sizes, by the names that settings have."""
        return f"mlp of the layers {'-'.join(map(str, self.layers))}"

    @property
    def verifies_restores(self) -> bool:
        """Whether states are read and corrected after a RESTORE, too."""
        return self.restore_verify > 0


def section_of(values: Any) -> Any:
    """A network's section from nested dictionaries, by its kind; anything else is given back as it is.

    Raises
    ------
    ValueError
        No such kind.
    InputError
        A setting that the kind does not have, or out of its bounds.
    """
    if not isinstance(values, dict):
        return values
    kind = values.get("kind", MultilayerSection.model_fields["kind"].default)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind: must be {' or '.join(map(repr, KINDS))}")
    return KINDS[kind](**values)


Network = Annotated[SerializeAsAny[NetworkSection], BeforeValidator(section_of)]
