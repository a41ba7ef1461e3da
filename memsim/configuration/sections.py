"""The configuration of a run: every setting, its unit, its bounds and its default.

A configuration comes from a TOML file, from a run file, or from Python; it is
checked once, here, and everything within trusts it.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ..devices import Device, Node, PerceptronMemristor, Synapse, device_of
from ..errors import InputError
from ..fields import Settings, in_one_line, quantity
from ..files.reading import DEEPEST, read_toml, toml_value
from ..traces.files import absolute
from ..traces.schema import STEPS_AT_MOST
from .imperfections import ImperfectionsSection, PeripherySection
from .network_sections import MultilayerSection, Network

Integrator = Literal["euler", "heun"]
DT_FROM, DT_TO = 1e-30, 1e30  # s: beyond these, currents and energies are


class RunSection(Settings):
    """``[run]``: seeds, realisations, threads."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="seed of the starting weights and the shuffles")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(
        default=(), description="several seeds side by side, in the place of one"
    )
    realisations: int = Field(default=1, ge=1, description="runs from seeds of their own, side by side; of each seed")
    threads: int = Field(default=0, ge=0, description="threads; 0 takes all processors. Results do not depend on it")

    @model_validator(mode="after")
    def _seed_or_seeds(self) -> "RunSection":
        if self.seeds and "seed" in self.model_fields_set:
            raise ValueError(f"seeds: give either seed or seeds, not both (got seed {self.seed})")
        return self

    @model_serializer(mode="wrap")
    def _without_the_other(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        values.pop("seed" if self.seeds else "seeds", None)
        return values

    @property
    def every_seed(self) -> tuple[int, ...]:
        """The seeds side by side; each has ``realisations``, which follow each other."""
        return self.seeds or (self.seed,)

    @property
    def lanes(self) -> int:
        """Realisations of all seeds."""
        return len(self.every_seed) * self.realisations


class Timing(Settings):
    """``[time]``: the step, the widths of pulses, the integrator."""

    dt: float = quantity(2.5e-4, "s", "step, from 1e-30 to 1e30", gt=0)
    pulse_steps: int | None = Field(
        default=None, ge=1, lt=2**31, description="width of READ, RESTORE and BACKREAD in steps (20)"
    )
    pulse_width: float | None = quantity(None, "s", "the same width in seconds", gt=0)
    write_steps: int | None = Field(
        default=None, ge=1, lt=2**31, description="width of a WRITE in steps (as pulse_steps)"
    )
    write_width: float | None = quantity(None, "s", "the same width in seconds", gt=0)
    gap_steps: int | None = Field(default=None, ge=0, lt=2**31, description="idle steps after each slot (0)")
    gap: float | None = quantity(None, "s", "the same in seconds", ge=0)
    integrator: Integrator = Field(default="euler", description="explicit Euler, or Heun's second order")
    solver: Literal["stepping", "exact"] = Field(
        default="stepping",
        description="every step of dt, or one evaluation a pulse for devices whose drift the current alone decides",
    )

    @model_validator(mode="after")
    def _on_the_grid(self) -> "Timing":
        if not DT_FROM <= self.dt <= DT_TO:
            raise ValueError(f"dt: must be from {DT_FROM:g} to {DT_TO:g} s (got {self.dt:g})")
        for steps, width in (("pulse_steps", "pulse_width"), ("write_steps", "write_width"), ("gap_steps", "gap")):
            self._steps(steps, width, 1)
        return self

    def _steps(self, steps: str, width: str, default: int) -> int:
        """Whole steps of a width that is given in steps or in seconds, but not in both."""
        in_steps, in_seconds = getattr(self, steps), getattr(self, width)
        if in_steps is not None and in_seconds is not None:
            raise ValueError(f"{width}: give either {width} or {steps}, not both")
        if in_seconds is None:
            return default if in_steps is None else int(in_steps)
        return whole_steps(width, in_seconds, self.dt)

    @property
    def read(self) -> int:
        """Width of READ, RESTORE and BACKREAD in steps."""
        return self._steps("pulse_steps", "pulse_width", 20)

    @property
    def write(self) -> int:
        """Width of a WRITE in steps."""
        return self._steps("write_steps", "write_width", self.read)

    @property
    def rest(self) -> int:
        """Idle steps after each slot."""
        return self._steps("gap_steps", "gap", 0)


def whole_steps(name: str, seconds: float, dt: float) -> int:
    """A time as steps of dt; refused where it does not fall on the grid."""
    if not seconds / dt < STEPS_AT_MOST:
        raise ValueError(f"{name}: must be below {STEPS_AT_MOST} steps of dt = {dt:.12g} s (got {seconds:.12g} s)")
    if 0 < seconds < 0.5 * dt:
        raise ValueError(f"{name}: must be at least one step of dt = {dt:.12g} s (got {seconds:.12g} s)")
    steps = round(seconds / dt)
    # A millionth of a step, and what the quotient's rounding may add.
    if abs(steps * dt - seconds) > 1e-6 * dt + 4e-16 * seconds:
        lower, upper = int(seconds / dt) * dt, (int(seconds / dt) + 1) * dt
        raise ValueError(
            f"{name}: must be a multiple of dt = {dt:.12g} s (got {seconds:.12g} s); "
            f"take {lower:.12g} s or {upper:.12g} s"
        )
    return steps


class WriteEncoding(Settings):
    """``[write]``: how a change of a state becomes pulses."""

    encoding: Literal["amplitude", "width", "count"] = Field(default="amplitude", description="what carries the size")
    pulses: int = Field(default=20, ge=2, lt=2**31, description="count: pulses at most in a train")
    train_steps: int = Field(default=1, ge=1, lt=2**31, description="count: width of one pulse of a train in steps")
    train_gap_steps: int = Field(
        default=0, ge=0, lt=2**31, description="count: idle steps between the pulses of a train"
    )
    driver_limit: float | None = quantity(
        None, "A", "largest current of a write; calibrated where it is not given", gt=0
    )
    resolution: float = quantity(
        1e-12,
        "1",
        "change of a state, as a share of its range (of a weight of the single-layer memristor, in units of 1), up to "
        "which no pulse is sent",
        ge=0,
        lt=1,
    )
    law: Literal["slope", "integral"] = Field(
        default="integral",
        description="state-dependent drift: pulses from the drift at the present state, or from the whole pulse "
        "in the controller's model of the device",
    )
    verify: int = Field(default=0, ge=0, le=1000, description="passes of reading and correcting after each write")
    tolerance: float = quantity(
        1e-4, "1", "verifying: share of the state's range within which it is where it should be", gt=0, lt=1
    )


def _memristor_of(section: Any) -> Any:
    """The memristor that is a whole single-layer perceptron, from its section."""
    device = device_of(section, default="threshold-memristor")
    if isinstance(device, Device) and not isinstance(device, PerceptronMemristor):
        raise ValueError(f"model: must be 'threshold-memristor' or 'carrier-memristor' (got {device.model!r})")
    return device


SynapseDevice = Annotated[SerializeAsAny[Device], BeforeValidator(functools.partial(device_of, default="synapse"))]
NodeDevice = Annotated[SerializeAsAny[Device], BeforeValidator(functools.partial(device_of, default="node"))]


class LayerDevices(Settings):
    """``[[devices.layer]]``: what the devices of one layer have of their own; all else is as for the whole network."""

    synapse: SynapseDevice | None = Field(default=None, description="the layer's synapses")
    node: NodeDevice | None = Field(default=None, description="the layer's nodes")
    synapse_integrator: Integrator | None = Field(default=None, description="of the synapses")
    node_integrator: Integrator | None = Field(default=None, description="of the nodes")


class DevicesSection(Settings):
    """``[devices.*]``: the device models and their parameters."""

    synapse: SynapseDevice = Synapse()
    node: NodeDevice = Node()
    memristor: Annotated[SerializeAsAny[PerceptronMemristor] | None, BeforeValidator(_memristor_of)] = Field(
        default=None, description="the single-layer perceptron's; inputs as its own"
    )
    synapse_integrator: Integrator | None = Field(default=None, description="of synapses; time.integrator where none")
    node_integrator: Integrator | None = Field(default=None, description="of nodes; time.integrator where none")
    layer: tuple[LayerDevices, ...] = Field(
        default=(), description="devices that differ from layer to layer: an entry for each layer of synapses and nodes"
    )

    def of_layer(self, kind: Literal["synapse", "node"], layer: int) -> tuple[Device, str]:
        """The synapse or node of a layer, counted from 1, and the field that it comes from."""
        own = getattr(self.layer[layer - 1], kind) if self.layer else None
        if own is not None:
            return own, f"devices.layer.{layer - 1}.{kind}"
        return getattr(self, kind), f"devices.{kind}"

    def integrator_of_layer(self, kind: Literal["synapse", "node"], layer: int) -> Integrator | None:
        """The integrator that a layer's synapses or nodes have of their own."""
        own: Integrator | None = getattr(self.layer[layer - 1], f"{kind}_integrator") if self.layer else None
        return own or getattr(self, f"{kind}_integrator")


class LearningSection(Settings):
    """``[learning]``: rates, epochs, and how the paper's rules are read."""

    rate: float = quantity(0.1, "1", "learning rate eta", gt=0)
    epochs: int = Field(default=1000, ge=1, description="passes over all samples")
    shuffle: bool = Field(default=True, description="a new order of the samples in every epoch")
    batch: int = Field(
        default=1, ge=1, lt=2**31, description="samples of a mini-batch, whose updates are added up before one write"
    )
    schedule: Literal["constant", "step", "exponential", "cosine"] = Field(
        default="constant", description="how the rate falls from epoch to epoch"
    )
    decay: float = quantity(
        0.1, "1", "step, exponential, cosine: what is left of the rate after decay_epochs", gt=0, le=1
    )
    decay_epochs: int = Field(
        default=100, ge=1, lt=2**31, description="step: epochs between falls; exponential, cosine: epochs of the decay"
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="epochs without a lower error that settle a realisation; the run ends with the last; 0: never",
    )
    keep_best: bool = Field(
        default=False,
        description="keep the states of the epoch with the lowest error; always so with patience or data.validation",
    )
    bias_rule: Literal["gradient", "printed", "none"] = Field(
        default="gradient", description="bias weight of nodes: the gradient, Eq. 18 as printed, or no learning"
    )
    output_gradient: Literal["error", "printed"] = Field(
        default="error", description="Eq. 16 with T - V, or as printed with T"
    )
    bias_current: Literal["update", "printed"] = Field(
        default="update", description="sign of I_b in Algorithm 1: the update's, or the error's as printed"
    )


class DataSection(Settings):
    """``[data]``: a logic gate, a data set of scikit-learn, a CSV file, or arrays given from Python."""

    gate: str | None = Field(default=None, description="one of the sixteen two-input gates: and, xor, nand, ...")
    samples: int = Field(default=100, ge=1, description="random samples of the gate")
    seed: int = Field(default=0, ge=0, lt=2**63, description="seed of the samples, and of which are held back")
    dataset: Literal["iris", "wine", "breast-cancer", "digits"] | None = Field(
        default=None, description="a data set that scikit-learn ships"
    )
    csv: str | None = Field(default=None, description="a CSV file with named columns")
    inputs: tuple[str, ...] = Field(
        default=(), description="csv, dataset: names of the input columns; of a dataset all where none are named"
    )
    targets: tuple[str, ...] = Field(default=(), description="csv: names of the target columns")
    labels: str | None = Field(
        default=None, description="csv: name of the column of classes, texts or numbers, in the place of targets"
    )
    arrays: str | None = Field(
        default=None, description="name of arrays that were given from Python, kept in the run file"
    )
    low: float = quantity(0.0, "1", "classes: target of the outputs of other classes")
    high: float = quantity(1.0, "1", "classes: target of a class's own output")
    scaling: Literal["none", "range", "common-range", "standard"] = Field(
        default="none",
        description="inputs as currents, by the samples to learn: as they are, each column by its range, all columns "
        "by one range, or each by its mean and standard deviation",
    )
    input_range: tuple[float, float] = Field(
        default=(0.0, 1.0), description="range, common-range: what the smallest and the largest value become"
    )
    beyond: Literal["clip", "refuse"] = Field(
        default="clip",
        description="scaled inputs outside the range of the samples to learn: set to its end and counted, or refused",
    )
    test: float = quantity(0.0, "1", "share of the samples that is held back, to test what was learned", ge=0, lt=1)
    validation: float = quantity(
        0.0, "1", "share of the rest that is held back, to validate after each epoch", ge=0, lt=1
    )

    @model_validator(mode="after")
    def _one_source(self) -> "DataSection":
        given = [name for name in ("gate", "csv", "dataset", "arrays") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"gate: give exactly one of gate, csv, dataset (got {', '.join(given) or 'none'})")
        return self

    @model_validator(mode="after")
    def _columns(self) -> "DataSection":
        """Columns only where there are some to name, each once, and all that a CSV file needs."""
        named = [*self.inputs, *self.targets, *([self.labels] if self.labels else [])]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"inputs: must name each column once, targets and labels included (got {twice!r} twice)")
        if self.gate is not None and self.inputs:
            raise ValueError(
                f"inputs: names columns of data.csv or data.dataset (got {self.inputs[0]!r}); leave it out"
            )
        if self.csv is None:
            for name in ("targets", "labels"):
                if getattr(self, name):
                    raise ValueError(f"{name}: names columns of data.csv (got none); leave it out")
            return self
        if not self.inputs or not (self.targets or self.labels):
            raise ValueError(
                "inputs: csv needs the names of the input columns, and of the target columns or the labels"
            )
        if self.targets and self.labels:
            raise ValueError(f"labels: give either targets or labels, not both (got {self.labels!r})")
        return self

    @model_validator(mode="after")
    def _ends(self) -> "DataSection":
        if not self.low < self.high:
            raise ValueError(f"low: must be below high, {self.high:g} (got {self.low:g})")
        if not self.input_range[0] < self.input_range[1]:
            raise ValueError(f"input_range: must be [smallest, largest] (got {list(self.input_range)})")
        return self

    @model_validator(mode="after")
    def _counts(self) -> "DataSection":
        """Refuse what would count for nothing."""
        without_classes = not (self.labels or self.dataset or self.arrays)
        unused = {
            "low": without_classes and "classes alone, with data.labels or data.dataset",
            "high": without_classes and "classes alone, with data.labels or data.dataset",
            "beyond": self.scaling == "none" and self.arrays is None and "a data.scaling other than 'none' alone",
        }
        for name, where in unused.items():
            if where and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name}: counts for {where} (got {getattr(self, name)}); leave it out")
        return self

    @model_serializer(mode="wrap")
    def _without_what_does_not_count(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        of_classes = () if self.labels or self.dataset else ("low", "high")
        of_scaling = () if self.scaling != "none" else ("input_range", *(["beyond"] if self.arrays is None else []))
        return {name: value for name, value in values.items() if name not in (*of_classes, *of_scaling)}


Bound = Annotated[int, Field(le=2**40)]
Span = Annotated[tuple[Bound, Bound], Field(description="first, and the first that is no longer in it")]


class TraceSection(Settings):
    """``[trace]``: what is kept of the devices' states while the run goes on."""

    mode: Literal["keyframes", "full", "select"] = Field(
        default="keyframes",
        description="states at some samples' ends, everything else by replay; every step of every device; every step "
        "of some",
    )
    keyframe_samples: int = Field(
        default=0, ge=0, le=2**40, description="samples between keyframes; 0 takes as many keyframes as fit in 32 MB"
    )
    banks: tuple[str, ...] = Field(default=(), description="select: names of banks; none stands for all")
    devices: tuple[int, ...] = Field(
        default=(), description="select: devices of each bank, from 0; none stands for all"
    )
    realisations: tuple[int, ...] = Field(default=(), description="select: realisations, from 0; none stands for all")
    quantities: tuple[Literal["state", "current", "voltage"], ...] = Field(
        default=(), description="select: state, current, voltage; none stands for all"
    )
    variables: tuple[str, ...] = Field(default=(), description="select: names of state variables; none stands for all")
    stride: int = Field(default=1, ge=1, le=2**40, description="select: keep every so many steps")
    epochs: tuple[Span, ...] = Field(
        default=(), description="select: pairs [first, end) of epochs, from 0; none stands for the whole run"
    )
    samples: tuple[Span, ...] = Field(
        default=(), description="select: pairs [first, end) of samples, from the start of the run"
    )
    compression: Literal["gzip", "none", "blosc"] = Field(
        default="gzip", description="of the trace in the file; blosc is faster, and needs a plugin to be read"
    )

    @model_validator(mode="after")
    def _spans_are_forward(self) -> "TraceSection":
        for name in ("epochs", "samples"):
            for first, end in getattr(self, name):
                if not 0 <= first < end:
                    raise ValueError(
                        f"{name}: a pair must be [first, end) with 0 <= first < end (got [{first}, {end}])"
                    )
        return self

    @model_validator(mode="after")
    def _only_select_selects(self) -> "TraceSection":
        fields = ("banks", "devices", "realisations", "quantities", "variables", "epochs", "samples")
        given = [name for name in fields if getattr(self, name)] + (["stride"] if self.stride != 1 else [])
        if self.mode != "select" and given:
            raise ValueError(f"{given[0]}: needs trace.mode = 'select' (got mode {self.mode!r})")
        return self


class Configuration(Settings):
    """Everything that a run depends on.

    Equal configurations give equal bits, for one machine type and one set of
    versions.
    """

    run: RunSection = RunSection()
    time: Timing = Timing()
    network: Network = MultilayerSection()
    devices: DevicesSection = DevicesSection()
    learning: LearningSection = LearningSection()
    write: WriteEncoding = WriteEncoding()
    imperfections: ImperfectionsSection = ImperfectionsSection()
    periphery: PeripherySection = PeripherySection()
    data: DataSection = DataSection(gate="xor")
    trace: TraceSection = TraceSection()

    def to_toml(self) -> str:
        """The effective configuration, defaults included, as TOML; of perfect devices no imperfections."""
        values = self.model_dump(mode="json", exclude_none=True)
        for name in ("imperfections", "periphery"):
            if getattr(self, name) == type(self).model_fields[name].default:
                del values[name]
        if not self.devices.layer:
            del values["devices"]["layer"]
        return tomli_w.dumps(values)


def override(values: dict[str, Any], assignments: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Apply ``section.field=value`` to nested dictionaries; a value is TOML, or else a plain string."""
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator or not _is_dotted(name):
            raise InputError(f"--set: must be section.field=value (got {in_one_line(assignment)})")
        _assign(values, name.strip(), toml_value("--set", name.strip(), text), "--set")
    return values


def _is_dotted(name: Any) -> bool:
    """Whether it names a field in a section."""
    path = name.strip().split(".") if isinstance(name, str) else []
    return 2 <= len(path) <= DEEPEST and all(path)


def _assign(values: dict[str, Any], name: str, value: Any, what: str) -> None:
    """Set a field by its dotted name; ``what`` gave it, for messages."""
    place: Any = values
    *sections, field = name.split(".")
    for part in sections:
        place = _within(place, part, name, what)
    place[field] = value


def _within(place: Any, part: str, name: str, what: str) -> Any:
    """The section of a name in a section, made where it is not there, or the one of a number in a list of them."""
    found = place.setdefault(part, {}) if isinstance(place, dict) else None
    if isinstance(place, list):
        if not part.isdecimal() or int(part) >= len(place):
            raise InputError(f"{what}: {part} in {name!r} must be a number below {len(place)}, of the list's entries")
        found = place[int(part)]
    if not isinstance(found, dict | list):
        raise InputError(f"{what}: {part} in {name!r} is a value, not a section")
    return found


def resolve_paths(section: Any, folder: Path, field: str = "csv") -> None:
    """Make the path of a section's samples absolute, or each path of a list; a relative one starts from a folder."""
    value = section.get(field) if isinstance(section, dict) else None
    if isinstance(value, str):
        section[field] = str(absolute(folder / value))
    elif isinstance(value, list):
        section[field] = [str(absolute(folder / each)) if isinstance(each, str) else each for each in value]


def load_configuration(
    path: Path, assignments: list[str] | tuple[str, ...] = (), overrides: Mapping[str, Any] = MappingProxyType({})
) -> Configuration:
    """Read and check a configuration file.

    Paths in it are relative to its folder, those of assignments and overrides to where the
    program was started.
    """
    values = read_toml(path, "run")
    resolve_paths(values.get("data"), path.parent)
    values = override(values, assignments)
    for name, value in overrides.items():
        if not _is_dotted(name):
            raise InputError(f"overrides: must be by dotted names, as 'run.seed' (got {in_one_line(name)})")
        _assign(values, name, value, "overrides")
    resolve_paths(values.get("data"), Path.cwd())
    return Configuration(**values)
