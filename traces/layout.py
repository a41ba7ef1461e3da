"""The layout of a run file: every group and dataset that a run will ever write, made before its first step.

A file that is read while it is written cannot get new datasets. The layout is
written down in FORMAT.md beside this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import h5py
import numpy as np

from .hdf5 import attach, create, describe, grow, make_axis, put, put_attributes, text, texts
from .rows import Selection, create_bank_trace
from .samples import StoredDataset, create_dataset

CONVENTION = "memsim run"
DRIVE_CONVENTION = "memsim drive"  # of drive_file
SCHEMA = 2
CONFIGURATION_ROOM = 256  # bytes at least; a run that goes on for more epochs has a longer configuration
CHECKPOINTS = 2  # written in turn: the one before stays whole while the next is written
CALIBRATION = (
    "threshold", "read_current", "driver_limit", "write_current", "state_per_weight", "unit_current", "bias_limit",
)  # fmt: skip
PAST = {
    "pulses": "pulses that have worn the device",
    "trap": "1: the device's trap is occupied",
    "logit": "ln((x - lower)/(upper - x)) of a state x near a bound, which holds digits that x does not; 0 elsewhere",
}
PROGRAMMED = {
    "aim": ("state", "state that was to be written"),
    "writes": ("1", "pulses, or trains of them, that were sent"),
    "residual": ("1", "distance from there of the state that was reached, over the state's range"),
}
COMMITTED = {  # in the order in which they are counted: a kill between two must leave what can be read
    "rows": "rows of the traces",
    "epochs": "complete epochs in metrics",  # before the keyframes, none of which lies after the last epoch
    "keyframes": "keyframes",
    "checkpoint": "checkpoints that were made; the newest is in slot (checkpoint - 1) mod 2",
    "stopped": "1: it was stopped before its end",  # or a stopped run would seem to be complete
    "finished": "1: the run ended in good order, at its end or stopped; 0: it goes on, or was killed",
}


@dataclass(frozen=True)
class BankDescription:
    """A bank as the file describes it.

    Attributes
    ----------
    name, model : str
    digest : str
        SHA-256 of the file of a user's own model; empty for memsim's.
    devices : int
    variables : list of (name, unit, lower bound, upper bound)
    calibration : dict
        What the controller knows of the bank: a number for each of :data:`CALIBRATION`.
    initial : (devices, variables, realisations) float64
    past : tuple of str
        What keyframes hold of its devices beside their states, of :data:`PAST`.
    """

    name: str
    model: str
    digest: str
    devices: int
    variables: list[tuple[str, str, float, float]]
    calibration: dict[str, float]
    initial: np.ndarray
    past: tuple[str, ...] = ()

    @property
    def state_unit(self) -> str:
        """The unit of all variables, or where to find it."""
        units = {unit for _, unit, _, _ in self.variables}
        return units.pop() if len(units) == 1 else "see variable_units"


@dataclass(frozen=True)
class Programming:
    """How the starting weights of a run were written by pulses, before its first step.

    Attributes
    ----------
    passes : int
        Of reading and correcting.
    seconds : float
        Simulated time in s.
    banks : dict
        Bank that learns to name to (devices, realisations) float64: :data:`PROGRAMMED`, and counters.
    """

    passes: int
    seconds: float
    banks: Mapping[str, Mapping[str, np.ndarray]]

    def of(self, realisations: Sequence[int]) -> "Programming":
        """The same of some realisations."""
        lanes = list(realisations)
        banks = {bank: {name: values[:, lanes] for name, values in found.items()} for bank, found in self.banks.items()}
        return replace(self, banks=banks)

    @property
    def energy(self) -> np.ndarray:
        """Energy in J of all banks, (realisations,); signed: an active device may give energy back."""
        return np.sum([found["energy"].sum(axis=0) for found in self.banks.values()], axis=0)


@dataclass(frozen=True)
class Beginning:
    """What a run begins from beside the states: one with the devices of another, or with weights that were written.

    Attributes
    ----------
    epochs, steps : int
        That came before: draws, the order of samples and the learning rates go on from there.
    bias : (units, realisations) float64
        Bias weights as the controller last knew them.
    past : tuple of (kinds, devices, realisations) float64
        Of each bank, in the order of :data:`PAST`; none where it does not count.
    programming : Programming or None
        Of a run whose starting weights were written by pulses.
    """

    epochs: int
    steps: int
    bias: np.ndarray
    past: tuple[np.ndarray, ...] = ()
    programming: Programming | None = None

    def of(self, realisations: Sequence[int]) -> "Beginning":
        """The same of some realisations."""
        lanes = list(realisations)
        return replace(
            self, bias=self.bias[:, lanes], past=tuple(values[..., lanes] for values in self.past),
            programming=self.programming and self.programming.of(lanes),
        )  # fmt: skip

    @property
    def after_others(self) -> bool:
        """Whether other runs came before, whose devices these are."""
        return self.steps > 0

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Bias weights, and the past of each bank."""
        return (self.bias, *self.past)


@dataclass(frozen=True)
class RunDescription:
    """What is known of a run before its first step.

    Attributes
    ----------
    program : dict
        Name, version, and the environment, as attributes of the file.
    configuration : str
        TOML.
    seeds : (realisations,) uint64
    data : StoredDataset
    slots : (slots,) structured
        The slot table.
    dt : float
        Step in s.
    sample_steps : int
        Steps of one sample.
    epochs : int
        That are wanted.
    banks : list of BankDescription
    phases, operations : list of str
        Names, in the order of their codes.
    counters : dict
        Name to (unit, description, labels of the axes).
    units : int
        Of the controller's memory: inputs and nodes of all layers.
    keyframe_samples : int
        Samples between keyframes.
    phase_seconds : (phases,) float64
        Simulated time of each phase in one epoch.
    watched : bool
        Whether the states at the best epoch so far are kept.
    epoch_energy : bool
        Whether the energies of epochs are known, as they are but for a window of a file of an earlier version.
    dt_check : dict
        Attributes of the file that say how dt was checked; none where it was not.
    replayed_from : str
        The run file that the traces of a window were replayed from; empty for a run.
    beginning : Beginning or None
        Of a run that goes on with the devices of another one, or whose starting weights were written by pulses.
    """

    program: dict[str, str]
    configuration: str
    seeds: np.ndarray
    data: StoredDataset
    slots: np.ndarray
    dt: float
    sample_steps: int
    epochs: int
    banks: list[BankDescription]
    phases: list[str]
    operations: list[str]
    counters: dict[str, tuple[str, str, tuple[str, ...]]]
    units: int
    keyframe_samples: int
    phase_seconds: np.ndarray
    watched: bool = False
    epoch_energy: bool = True
    replayed_from: str = ""
    beginning: Beginning | None = None
    dt_check: dict[str, float | str] = field(default_factory=dict)

    @property
    def keyframes(self) -> int:
        """Keyframes that are expected."""
        return -(-self.epochs * len(self.data.inputs) // self.keyframe_samples)


@dataclass
class TracePlan:
    """Which banks are traced, and how."""

    selections: dict[str, Selection] = field(default_factory=dict)
    compression: str = "gzip"


def create_layout(file: h5py.File, run: RunDescription, trace: TracePlan) -> None:
    """Fill an empty file with all groups and datasets of a run."""
    file.attrs.update({name: text(value) for name, value in run.program.items()})
    file.attrs.update({"convention": text(CONVENTION), "schema_version": SCHEMA})
    file.attrs.update({"dt": run.dt, "dt_units": text("s"), "sample_steps": run.sample_steps})
    put_attributes(file, run.dt_check)
    if run.replayed_from:
        file.attrs["replayed_from"] = text(run.replayed_from)
    file["configuration"] = configuration_text(run.configuration)
    realisation = make_axis(file, "realisation", np.arange(len(run.seeds)), "1", "number of the realisation")
    put(file, "seeds", run.seeds, "1", "seed of each realisation", [realisation])
    # Here, as a group's axes may lie in it or above it only.
    sample = make_axis(file, "sample", np.arange(len(run.data.inputs)), "1", "number of the sample")
    create_dataset(file, run.data, sample)
    _create_slots(file, run)
    _create_metrics(file, run, sample, realisation)
    keyframes = file.create_group("keyframes")
    keyframes.attrs["samples"] = run.keyframe_samples
    _create_keyframe_table(keyframes, run, realisation)
    for index, bank in enumerate(run.banks):
        _create_bank(file.require_group("banks"), index, bank, realisation)
        _create_bank_keyframes(keyframes, bank, run, realisation)
        _create_diagnostics(file.require_group("diagnostics"), bank, run, realisation)
    _create_checkpoint(file.create_group("checkpoint"), realisation)
    if run.beginning is not None:
        _create_start(file.create_group("start"), run, run.beginning, realisation)
        if run.beginning.programming is not None:
            _create_programming(file.create_group("programming"), run, run.beginning.programming, realisation)
    if run.watched:
        _create_best(file.create_group("best"), run, realisation)
    for bank in run.banks:
        if bank.name in trace.selections:
            create_bank_trace(
                file.require_group("traces").create_group(bank.name),
                file.require_group("overview").create_group(bank.name),
                [(name, unit) for name, unit, _, _ in bank.variables],
                trace.selections[bank.name], run.dt, trace.compression,
            )  # fmt: skip
    committed = file.create_group("committed")
    for name, about in COMMITTED.items():
        put(committed, name, np.int64(0), "1", f"{about}; written after what it counts")


def configuration_text(configuration: str) -> np.ndarray:
    """A configuration as the file has it, with room."""
    encoded = configuration.encode()
    room = (len(encoded) // CONFIGURATION_ROOM + 2) * CONFIGURATION_ROOM
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", room))


SLOT_COLUMNS = {
    "phase": ("1", "what the slot is for, see flag_meanings"),
    "operation": ("1", "the controller's rule, see flag_meanings"),
    "bank": ("1", "index of the bank that is driven"),
    "layer": ("1", "from 1"),
    "variable": ("1", "the variable or line that is addressed, from 0; -1 where there is none"),
    "start": ("1", "first step, from the sample's start"),
    "pulses": ("1", "pulses of the slot's train, at most"),
    "pulse_steps": ("1", "width of each in steps"),
    "gap_steps": ("1", "idle steps between them"),
    "rest_steps": ("1", "idle steps after the slot"),
    "held": ("1", "1: external control holds the states"),
}


def _create_slots(file: h5py.File, run: RunDescription) -> None:
    """The slot table as one dataset a column: structured ones are not read everywhere."""
    group = file.create_group("slots")
    slot = make_axis(group, "slot", np.arange(len(run.slots)), "1", "number of the slot in a sample")
    meanings = {"phase": run.phases, "operation": run.operations}
    for name, about in SLOT_COLUMNS.items():
        values = run.slots[name]
        if name in meanings:
            values = np.array([meanings[name].index(value.decode()) for value in values], dtype=np.int8)
        column = put(group, name, values, *about, [slot])
        if name in meanings:
            _mark_flags(column, meanings[name])


def _mark_flags(dataset: h5py.Dataset, meanings: Sequence[str]) -> None:
    """Codes and what they stand for, as the CF conventions write them."""
    dataset.attrs["flag_values"] = np.arange(len(meanings), dtype=np.int8)
    dataset.attrs["flag_meanings"] = text(" ".join(meanings))


def _create_metrics(file: h5py.File, run: RunDescription, sample: h5py.Dataset, realisation: h5py.Dataset) -> None:
    group = file.create_group("metrics")
    lanes, samples = len(run.seeds), len(run.data.inputs)
    epoch = make_axis(group, "epoch", None, "1", "number of the epoch, from 0", expected=run.epochs)
    grow(
        group, "total_error", (lanes,), "f8", "1", "sum over samples of (T - O)^2 / 2 (Eq. 20)", [epoch, realisation],
        run.epochs,
    )  # fmt: skip
    grow(
        group, "order", (samples, lanes), np.min_scalar_type(samples - 1), "1",
        "index of the sample that was shown", [epoch, sample, realisation],
        run.epochs,
    )  # fmt: skip
    grow(group, "learning_rate", (), "f8", "1", "learning rate of the epoch", [epoch], run.epochs)
    if run.data.validation is not None:
        grow(
            group, "validation_error", (lanes,), "f8", "1", "the same over the samples held back, at the epoch's end",
            [epoch, realisation], run.epochs,
        )  # fmt: skip
    if run.epoch_energy:
        _create_epoch_energies(group, run, epoch, realisation)


def _create_epoch_energies(
    metrics: h5py.Group, run: RunDescription, epoch: h5py.Dataset, realisation: h5py.Dataset
) -> None:
    phase = _make_phases(metrics, run)
    put(metrics, "phase_time", run.phase_seconds, "s", "simulated time of each phase in every epoch", [phase])
    for bank in run.banks:
        grow(
            metrics.create_group(bank.name), "energy", (len(run.phases), len(run.seeds)), "f8",
            "J", "energy V I dt of each epoch, signed", [epoch, phase, realisation],
            run.epochs,
        )  # fmt: skip


def _make_phases(group: h5py.Group, run: RunDescription) -> h5py.Dataset:
    phase = make_axis(group, "phase", np.arange(len(run.phases), dtype=np.int8), "1", "phase, see flag_meanings")
    _mark_flags(phase, run.phases)
    return phase


def _create_bank(banks: h5py.Group, index: int, bank: BankDescription, realisation: h5py.Dataset) -> None:
    group = banks.create_group(bank.name)
    group.attrs.update({"index": index, "model": text(bank.model), "devices": bank.devices, **bank.calibration})
    if bank.digest:
        group.attrs["model_sha256"] = text(bank.digest)
    group.attrs["variables"] = texts([v[0] for v in bank.variables])
    group.attrs["variable_units"] = texts([v[1] for v in bank.variables])
    group.attrs["lower_bounds"] = [v[2] for v in bank.variables]
    group.attrs["upper_bounds"] = [v[3] for v in bank.variables]
    axes = [*_bank_axes(group, bank), realisation]
    put(group, "initial_state", bank.initial, bank.state_unit, "state before the first step", axes)


def _bank_axes(group: h5py.Group, bank: BankDescription) -> list[h5py.Dataset]:
    device = make_axis(group, "device", np.arange(bank.devices), "1", "number of the device in the bank")
    variables = np.arange(len(bank.variables))
    return [device, make_axis(group, "variable", variables, "1", "number of the state variable")]


def _create_keyframe_table(group: h5py.Group, run: RunDescription, realisation: h5py.Dataset) -> None:
    keyframe = make_axis(group, "keyframe", None, "1", "number of the keyframe, from 0", expected=run.keyframes)
    grow(group, "sample", (), "i8", "1", "samples that were complete", [keyframe], run.keyframes)
    grow(
        group, "crc32", (), "u4", "1", "CRC-32 of all that the keyframe holds", [keyframe],
        run.keyframes,
    )  # fmt: skip
    unit = make_axis(group, "unit", np.arange(run.units), "1", "inputs and nodes of all layers, one after the other")
    grow(
        group, "bias_weight", (run.units, len(run.seeds)), "f8",
        "1", "bias weights of the nodes, as the controller last knew them", [keyframe, unit, realisation],
        run.keyframes,
    )  # fmt: skip


def _create_bank_keyframes(
    keyframes: h5py.Group, bank: BankDescription, run: RunDescription, realisation: h5py.Dataset
) -> None:
    group = keyframes.create_group(bank.name)
    time = make_axis(group, "time", None, "s", "end of the keyframe's sample", expected=run.keyframes)
    time.attrs["scale_factor"] = run.dt
    axes = [time, *_bank_axes(group, bank), realisation]
    grow(group, "state", bank.initial.shape, "f8", bank.state_unit, "state at the sample's end", axes, run.keyframes)
    time, device, _, realisation = axes
    for name in bank.past:
        shape = (bank.devices, len(run.seeds))
        grow(group, name, shape, "f8", "1", PAST[name], [time, device, realisation], run.keyframes)


def _create_start(group: h5py.Group, run: RunDescription, beginning: Beginning, realisation: h5py.Dataset) -> None:
    """What the run begins from beside the banks' initial states."""
    group.attrs.update({"epochs": beginning.epochs, "steps": beginning.steps})
    unit = make_axis(group, "unit", np.arange(run.units), "1", "inputs and nodes of all layers, one after the other")
    put(
        group, "bias_weight", beginning.bias, "1", "bias weights of the nodes, as the controller last knew them",
        [unit, realisation],
    )  # fmt: skip
    for bank, past in zip(run.banks, beginning.past, strict=bool(beginning.past)):
        of_bank = group.create_group(bank.name)
        device = make_axis(of_bank, "device", np.arange(bank.devices), "1", "number of the device in the bank")
        for name in bank.past:
            put(of_bank, name, past[list(PAST).index(name)], "1", PAST[name], [device, realisation])


def _create_programming(
    group: h5py.Group, run: RunDescription, programming: Programming, realisation: h5py.Dataset
) -> None:
    """How the starting weights were written."""
    group.attrs["passes"] = programming.passes
    put(group, "time", np.float64(programming.seconds), "s", "simulated time that it took")
    known = PROGRAMMED | {name: about[:2] for name, about in run.counters.items()}
    for bank in (each for each in run.banks if each.name in programming.banks):
        of_bank = group.create_group(bank.name)
        device = make_axis(of_bank, "device", np.arange(bank.devices), "1", "number of the device in the bank")
        for name, values in programming.banks[bank.name].items():
            unit, about = known[name]
            put(of_bank, name, values, bank.state_unit if unit == "state" else unit, about, [device, realisation])


def _create_diagnostics(
    diagnostics: h5py.Group, bank: BankDescription, run: RunDescription, realisation: h5py.Dataset
) -> None:
    group = diagnostics.create_group(bank.name)
    device, variable = _bank_axes(group, bank)
    phase = _make_phases(group, run)
    slot = make_axis(group, "slot", np.arange(CHECKPOINTS, dtype=np.int8), "1", "slot of the checkpoint")
    axes: Mapping[str, h5py.Dataset] = {
        "phase": phase, "device": device, "variable": variable, "realisation": realisation,
    }  # fmt: skip
    for name, (unit, about, labels) in run.counters.items():
        along = [axes[label] for label in labels]
        shape = (CHECKPOINTS, *(len(axis) for axis in along))
        # With values, so that it has its place now: one that gets it later cannot be opened by who reads already.
        dataset = create(group, name, np.zeros(shape))
        describe(dataset, bank.state_unit if unit == "state" else unit, about)
        attach(dataset, [slot, *along])


def _create_checkpoint(group: h5py.Group, realisation: h5py.Dataset) -> None:
    slot = make_axis(group, "slot", np.arange(CHECKPOINTS, dtype=np.int8), "1", "slot of the checkpoint")
    for name, kind, unit, about in (
        ("sample", "i8", "1", "samples that were complete"),
        ("keyframes", "i8", "1", "keyframes up to there"),
        ("device_steps", "i8", "1", "device-steps that were integrated"),
        ("wall_seconds", "f8", "s", "duration of the run, interruptions left out"),
    ):
        attach(describe(create(group, name, np.zeros(CHECKPOINTS, kind)), unit, about), [slot])
    dataset = create(group, "total_error", np.zeros((CHECKPOINTS, len(realisation))))
    attach(describe(dataset, "1", "total error of the epoch in progress up to there"), [slot, realisation])


def _create_best(group: h5py.Group, run: RunDescription, realisation: h5py.Dataset) -> None:
    """The best epoch so far, written with each checkpoint; with values from the start, as the diagnostics."""
    slot = make_axis(group, "slot", np.arange(CHECKPOINTS, dtype=np.int8), "1", "slot of the checkpoint")
    shape = (CHECKPOINTS, len(realisation))
    for name, values, about in (
        ("epoch", np.full(shape, -1), "epoch of the lowest error so far; -1 before the first is complete"),
        ("error", np.zeros(shape), "that error"),
    ):
        put(group, name, values, "1", about, [slot, realisation])
    for bank in run.banks:
        of_bank = group.create_group(bank.name)
        axes = [slot, *_bank_axes(of_bank, bank), realisation]
        states = np.broadcast_to(bank.initial, (CHECKPOINTS, *bank.initial.shape))
        put(of_bank, "state", states, bank.state_unit, "state at that epoch's end", axes)
