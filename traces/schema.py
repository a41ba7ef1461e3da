"""What a run file and a drive file hold: each attribute and each dataset is declared here, and nowhere else.

Files are made by these tables (:mod:`.making`), checked by them (:mod:`.checking`), and the
tables of FORMAT.md and docs/drive.md are written from them. In a path BANK,
QUANTITY, ROWS and K stand for names. A dataset whose last name is its only axis
is that axis: a dimension scale.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .past import PAST

CONVENTION, DRIVE_CONVENTION = "memsim run", "memsim drive"
SCHEMA = 2
OPEN_UNIT = "see variable_units"  # of states whose variables differ in theirs
STEPS_AT_MOST = 2**53  # of a run, a sample, an interval: larger integers are no longer exact as times
CHECKPOINTS = 2  # written in turn: the one before stays whole while the next is written
QUANTITIES = ("state", "current", "voltage")
# Axes that get longer while a file is written: what lies along one of them as its first axis grows.
GROWING = ("epoch", "keyframe", "time", "QUANTITY_row")
# When a part is in a file. What has two of them is there where both hold.
CONDITIONS = {
    "validated": "samples were held back for validation",
    "tested": "samples were held back for a test",
    "classes": "samples have classes",
    "named": "inputs have names",
    "scaled": "inputs were scaled",
    "energies": "energies of epochs are known: not in windows of files of earlier versions",
    "watched": "the run looks for its best epoch: with `data.validation`, `learning.patience` or `learning.keep_best`",
    "begun": "the run goes on with the devices of another one, or its starting weights were written by pulses",
    "programmed": "its starting weights were written by pulses",
    "past": "it begins with devices whose past counts",
    **{name: kind.when for name, kind in PAST.items()},
    "traced": "the bank is traced: `trace.mode` is `full` or `select`",
    "windows": "only windows of the run were traced",
    "replayed": "it is a file of `memsim trace replay`, which does not grow: all its larger datasets are compressed",
    "checked": "dt was checked before, by `--check-dt`",
    "own model": "the model is one's own",
    "finished": "the run has ended",
}


@dataclass(frozen=True)
class Attribute:
    """An attribute of a group.

    Attributes
    ----------
    group : str
        Its path; ``/`` is the file itself.
    name : str
    kind : str
        NumPy's, or ``text``.
    meaning : str
    when : str
        Of :data:`CONDITIONS`, one or several.
    axes : str
        Of one with several values: what they are of.
    """

    group: str
    name: str
    kind: str
    meaning: str
    when: str = ""
    axes: str = ""


@dataclass(frozen=True)
class Field:
    """A dataset.

    Attributes
    ----------
    path : str
    kind : str
        NumPy's; ``text``; ``uint`` is the smallest unsigned one that fits.
    axes : str
        Names of its axes, blanks between them; none of a scalar.
    unit : str
        ``state`` stands for that of the bank's state variables, ``drive`` and ``response`` for A or V. Of texts that
        are no table there is none, and no meaning in the file.
    meaning : str
        In the file (``long_name``) and on its page.
    when : str
        Of :data:`CONDITIONS`, one or several.
    since : int
        Schema version that first had it, with this path and these axes.
    late : bool
        Whether files of that schema that earlier versions made lack it.
    """

    path: str
    kind: str
    axes: str
    unit: str
    meaning: str
    when: str = ""
    since: int = 2
    late: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def conditions(self) -> tuple[str, ...]:
        """All that must hold for it to be there."""
        return tuple(filter(None, self.when.split(", ")))

    @property
    def labels(self) -> tuple[str, ...]:
        """Its axes by name."""
        return tuple(self.axes.split())

    @property
    def is_axis(self) -> bool:
        """Whether it is a dimension scale."""
        return self.axes == self.name

    @property
    def grows(self) -> bool:
        """Whether it gets longer while the file is written."""
        return self.axes.partition(" ")[0] in GROWING

    def at(self, **names: str) -> "Field":
        """The field with names in the place of BANK and the like."""
        path, axes, meaning = self.path, self.axes, self.meaning
        for stands, name in names.items():
            path, axes, meaning = (said.replace(stands, name) for said in (path, axes, meaning))
        return replace(self, path=path, axes=axes, meaning=meaning)


def under(group: str, fields: Iterable[Field], when: str = "") -> tuple[Field, ...]:
    """Fields with a group before their paths."""
    return tuple(replace(field, path=f"{group}/{field.path}", when=when) for field in fields)


ENVIRONMENT = (
    Attribute("/", "program", "text", "`memsim`"),
    Attribute("/", "program_version", "text", "version of memsim; `not installed` from a bare checkout"),
    Attribute(
        "/", "arithmetic_version", "i8",
        "version of the order and the rounding of all operations; files of earlier versions, which have 1, lack it",
    ),
    Attribute("/", "python_version", "text", "version of Python"),
    Attribute("/", "numba_version", "text", "version of the compiler"),
    Attribute("/", "llvmlite_version", "text", "version of the compiler's LLVM binding"),
    Attribute("/", "numpy_version", "text", "version of NumPy"),
    Attribute("/", "h5py_version", "text", "version of h5py"),
    Attribute("/", "machine", "text", "as `x86_64`"),
    Attribute("/", "processor", "text", "as the operating system names it"),
    Attribute("/", "system", "text", "operating system and its version"),
)  # fmt: skip
CHECK_OF_DT = (
    Attribute("/", "dt_check", "text", "`exact` up to rounding, `fine`, `coarse`, `unstable` or `stalled`", "checked"),
    Attribute("/", "dt_check_covered", "text", "what was repeated at dt/2 and dt/4", "checked"),
    Attribute("/", "dt_check_tolerance", "f8", "largest difference that is fine", "checked"),
    Attribute(
        "/", "dt_check_state_difference", "f8",
        "largest difference of a state from dt to dt/2, as a share of its range", "checked",
    ),
    Attribute("/", "dt_check_state_difference_half", "f8", "the same bank's from dt/2 to dt/4", "checked"),
    Attribute("/", "dt_check_output_difference", "f8", "largest difference of an output from dt to dt/2", "checked"),
    Attribute(
        "/", "dt_check_energy_difference", "f8",
        "largest difference of a bank's energy from dt to dt/2, as a share of the largest", "checked",
    ),
    Attribute("/", "dt_check_stalled", "f8", "pulses that cannot move a state, whose drift has vanished", "checked"),
    Attribute("/", "dt_check_bank", "text", "the bank whose states differ most", "checked"),
)  # fmt: skip
CHECKSUMS = (
    Field("checksums/QUANTITY_row", "i8", "QUANTITY_row", "1", "first row of the chunks"),
    Field(
        "checksums/QUANTITY_tile", "i8", "QUANTITY_tile", "1",
        "number of the chunk among the channels, the last axis fastest",
    ),
    Field(
        "checksums/QUANTITY_crc32", "u4", "QUANTITY_row QUANTITY_tile", "1",
        "CRC-32 of the chunks, padded with zeros, before compression",
    ),
)  # fmt: skip


# The run file.

CALIBRATION = (
    Attribute("banks/BANK", "threshold", "f8", "I_th in A; the lowest window's of a threshold memristor"),
    Attribute("banks/BANK", "read_current", "f8", "full scale of a READ in A; 0 where READs have none"),
    Attribute("banks/BANK", "driver_limit", "f8", "largest current of a WRITE in A"),
    Attribute(
        "banks/BANK", "write_current", "f8",
        "amplitude of a train's pulses beyond the threshold in A; 0 for writes by amplitude",
    ),
    Attribute("banks/BANK", "state_per_weight", "f8", "state, in its unit, that stands for a weight of 1"),
    Attribute("banks/BANK", "unit_current", "f8", "current that stands for a signal of 1, in A"),
    Attribute("banks/BANK", "bias_limit", "f8", "allowed magnitude of a bias weight; 0 where there is none"),
)  # fmt: skip
RUN_ATTRIBUTES = (
    Attribute("/", "convention", "text", f"`{CONVENTION}`"),
    Attribute("/", "schema_version", "i8", f"{SCHEMA}"),
    *ENVIRONMENT,
    Attribute("/", "dt", "f8", "step in s"),
    Attribute("/", "dt_units", "text", "`s`"),
    Attribute("/", "sample_steps", "i8", "steps of one sample"),
    Attribute(
        "/", "replayed_from", "text",
        "name of the run file that this window was replayed from; it does not grow: all its larger datasets are "
        "compressed with gzip", "replayed",
    ),
    *CHECK_OF_DT,
    Attribute("dataset", "name", "text", "name of the data set"),
    Attribute("dataset", "low", "f8", "target of the outputs of other classes", "classes"),
    Attribute("dataset", "high", "f8", "target of a class's own output", "classes"),
    Attribute("dataset", "scaling", "text", "`range`, `common-range` or `standard`", "scaled"),
    Attribute(
        "dataset", "validation_clipped", "i8",
        "inputs held back for validation that were beyond the scaling's range, and set to its end",
        "validated, scaled",
    ),
    Attribute("dataset", "test_clipped", "i8", "the same of those held back for a test", "tested, scaled"),
    Attribute(
        "keyframes", "samples", "i8",
        "samples between keyframes; there is one more where a run ended or was stopped between their places",
    ),
    Attribute("banks/BANK", "index", "i8", "place of the bank in the network, from 0; `slots/bank` refers to it"),
    Attribute("banks/BANK", "model", "text", "device model"),
    Attribute("banks/BANK", "model_sha256", "text", "SHA-256 of the Python file that the model is from", "own model"),
    Attribute("banks/BANK", "devices", "i8", "number of devices"),
    Attribute("banks/BANK", "variables", "text", "names of the state variables", axes="variable"),
    Attribute("banks/BANK", "variable_units", "text", "their units", axes="variable"),
    Attribute("banks/BANK", "lower_bounds", "f8", "where the states stop", axes="variable"),
    Attribute("banks/BANK", "upper_bounds", "f8", "the same; 1e300 stands for no bound", axes="variable"),
    *CALIBRATION,
    Attribute(
        "start", "epochs", "i8",
        "epochs of the runs before; the order of samples, draws and learning rates go on from there; 0 where weights "
        "were written", "begun",
    ),
    Attribute("start", "steps", "i8", "steps of the runs before; the same", "begun"),
    Attribute("programming", "passes", "i8", "passes of reading and correcting", "programmed"),
    Attribute(
        "traces/BANK", "variables", "text", "names of the state variables that were traced", "traced", "variable"
    ),
    Attribute("traces/BANK", "variable_units", "text", "their units", "traced", "variable"),
    Attribute("traces/BANK", "stride", "i8", "every so many steps a row is kept", "traced"),
    Attribute(
        "traces/BANK", "windows", "i8", "first step and end of each window that was traced", "windows", "2 · windows"
    ),
)  # fmt: skip

# What is in a group for each sample that is learned, or was held back.
SAMPLES = (
    Field(
        "dataset/inputs", "f8", "sample input", "1", "inputs in units of the unit current, without the constant line"
    ),
    Field("dataset/targets", "f8", "sample output", "1", "target outputs"),
)
DEVICE = Field("device", "i8", "device", "1", "number of the device in the bank")
VARIABLE = Field("variable", "i8", "variable", "1", "number of the state variable")
REALISATION = Field("realisation", "i8", "realisation", "1", "number of the realisation")
UNIT = Field("unit", "i8", "unit", "1", "inputs and nodes of all layers, one after the other")
CHECKPOINT = Field("slot", "i1", "slot", "1", "slot of the checkpoint, of two that are written in turn")
PHASE = Field("phase", "i1", "phase", "1", "phase, see flag_meanings")
BIAS = "bias weights of the nodes, as the controller last knew them"
# The slot table: one dataset a column, as structured ones are not read everywhere. In memory two of them are names.
SLOT_NAMES = {"phase": "S8", "operation": "S20"}
SLOTS = (
    Field("slots/phase", "i1", "slot", "1", "what the slot is for, see flag_meanings"),
    Field("slots/operation", "i1", "slot", "1", "the controller's rule, see flag_meanings"),
    Field("slots/bank", "i4", "slot", "1", "index of the bank that is driven"),
    Field("slots/layer", "i4", "slot", "1", "from 1"),
    Field(
        "slots/variable", "i4", "slot", "1",
        "the variable or line that is addressed, from 0; -1 where there is none",
    ),
    Field("slots/start", "i8", "slot", "1", "first step, from the sample's start"),
    Field("slots/pulses", "i4", "slot", "1", "pulses of the slot's train, at most"),
    Field("slots/pulse_steps", "i4", "slot", "1", "width of each in steps"),
    Field("slots/gap_steps", "i4", "slot", "1", "idle steps between them"),
    Field("slots/rest_steps", "i4", "slot", "1", "idle steps after the slot"),
    Field("slots/held", "i1", "slot", "1", "1: external control holds the states"),
)  # fmt: skip
SLOT_COLUMNS = [(field.name, SLOT_NAMES.get(field.name, field.kind)) for field in SLOTS]
# In the order in which they are counted: a kill between two must leave what can be read. Epochs come before the
# keyframes, none of which lies after the last epoch; stopped before finished, or a stopped run would seem complete.
COMMITTED = (
    Field("committed/rows", "i8", "", "1", "rows of the traces that count"),
    Field("committed/epochs", "i8", "", "1", "complete epochs in metrics that count"),
    Field("committed/keyframes", "i8", "", "1", "keyframes that count"),
    Field(
        "committed/checkpoint", "i8", "", "1",
        "checkpoints that were made; the newest is in slot (checkpoint - 1) mod 2",
    ),
    Field("committed/stopped", "i8", "", "1", "1: the run was stopped before its end"),
    Field(
        "committed/finished", "i8", "", "1",
        "1: the run ended in good order, at its end or stopped; 0: it goes on, or was killed",
    ),
)  # fmt: skip
PROGRAMMED = (
    Field("programming/BANK/aim", "f8", "device realisation", "state", "state that was to be written", "programmed"),
    Field(
        "programming/BANK/writes", "f8", "device realisation", "1", "pulses, or trains of them, that were sent",
        "programmed",
    ),
    Field(
        "programming/BANK/residual", "f8", "device realisation", "1",
        "distance from there of the state that was reached, over the state's range", "programmed",
    ),
)  # fmt: skip
TRACED = {
    "state": ("device variable realisation", "state", "state at the end of the step"),
    "current": ("device realisation", "A", "current during the step"),
    "voltage": ("device realisation", "V", "voltage from the current and the state at the end of the step"),
}


def _held_back(part: str, purpose: str, when: str) -> tuple[Field, ...]:
    """Samples that are not learned."""
    sample = Field(
        f"dataset/{part}_sample", "i8", f"{part}_sample", "1", f"number of the sample that was held back for {purpose}"
    )
    values = [
        Field(
            f"dataset/{part}_{field.name}", field.kind, field.axes.replace("sample", f"{part}_sample"), field.unit,
            f"{field.meaning}, held back for {purpose}",
        )
        for field in SAMPLES
    ]  # fmt: skip
    return tuple(replace(field, when=when) for field in (*values, sample))


def _of_traces() -> tuple[Field, ...]:
    """Rows, their checksums, and their overview."""
    selected = (DEVICE, VARIABLE, REALISATION)
    return under(
        "traces/BANK",
        (
            Field("time", "i8", "time", "s", "start of the row's step"),
            *selected,
            *(
                Field(name, "f8", f"time {axes}", unit, meaning, since=1)
                for name, (axes, unit, meaning) in TRACED.items()
            ),
            *CHECKSUMS,
        ),
        "traced",
    ) + under(
        "overview/BANK",
        (
            *selected,
            Field("ROWS/time", "i8", "time", "s", "start of the first of ROWS rows"),
            Field("ROWS/extreme", "i1", "extreme", "1", "0 the smallest, 1 the largest value"),
            *(
                Field(
                    f"ROWS/{name}", "f8", f"time extreme {axes}", unit, f"{meaning}, smallest and largest of ROWS rows"
                )
                for name, (axes, unit, meaning) in TRACED.items()
            ),
        ),
        "traced",
    )


RUN = (
    Field("configuration", "text", "", "", "effective configuration, defaults included, TOML; room is left", since=1),
    Field("seeds", "u8", "realisation", "1", "seed of each realisation", since=1),
    REALISATION,
    Field("sample", "i8", "sample", "1", "number of the sample"),
    *(replace(field, since=1) for field in SAMPLES),
    *_held_back("validation", "validation", "validated"),
    *_held_back("test", "a test", "tested"),
    Field("dataset/class_name", "text", "class", "1", "name of the class", "classes"),
    Field("dataset/class", "i8", "class", "1", "number of the class", "classes"),
    Field("dataset/input_name", "text", "input", "1", "name of the input", "named"),
    Field(
        "dataset/offset", "f8", "input", "as the input", "what is taken off an input in the data's own units", "scaled"
    ),
    Field(
        "dataset/factor", "f8", "input", "1 / the input's",
        "what that is multiplied by then, which gives it in units of the unit current", "scaled",
    ),
    Field(
        "dataset/lowest", "f8", "input", "as the input",
        "smallest value of the range that the scaling was calibrated on", "scaled",
    ),
    Field("dataset/highest", "f8", "input", "as the input", "largest value of that range", "scaled"),
    Field("dataset/input", "i8", "input", "1", "number of the input"),
    Field("dataset/output", "i8", "output", "1", "number of the output"),
    Field("slots/slot", "i8", "slot", "1", "number of the slot in a sample"),
    *SLOTS,
    *under("banks/BANK", (DEVICE, VARIABLE)),
    Field("banks/BANK/initial_state", "f8", "device variable realisation", "state", "state before the first step"),
    Field("metrics/epoch", "i8", "epoch", "1", "number of the epoch, from 0"),
    Field(
        "metrics/total_error", "f8", "epoch realisation", "1", "sum over samples of (T - O)^2 / 2 (Eq. 20)", since=1
    ),
    Field("metrics/order", "uint", "epoch sample realisation", "1", "index of the sample that was shown"),
    Field("metrics/learning_rate", "f8", "epoch", "1", "learning rate that was in force in the epoch", late=True),
    Field(
        "metrics/validation_error", "f8", "epoch realisation", "1",
        "total error over the samples held back for validation, at the epoch's end", "validated",
    ),
    replace(PHASE, path="metrics/phase", when="energies", late=True),
    Field(
        "metrics/phase_time", "f8", "phase", "s", "simulated time of each phase in every epoch", "energies", late=True
    ),
    Field(
        "metrics/BANK/energy", "f8", "epoch phase realisation", "J",
        "energy V I dt of the bank in each epoch and phase, signed", "energies",
        late=True,
    ),
    Field("keyframes/keyframe", "i8", "keyframe", "1", "number of the keyframe, from 0"),
    Field("keyframes/sample", "i8", "keyframe", "1", "samples that were complete, from the start of the run"),
    Field("keyframes/crc32", "u4", "keyframe", "1", "CRC-32 (zlib's) of all that the keyframe holds"),
    *under("keyframes", (UNIT,)),
    Field("keyframes/bias_weight", "f8", "keyframe unit realisation", "1", BIAS),
    Field("keyframes/BANK/time", "i8", "time", "s", "end of the keyframe's sample"),
    *under("keyframes/BANK", (DEVICE, VARIABLE)),
    Field("keyframes/BANK/state", "f8", "time device variable realisation", "state", "state at the sample's end"),
    *(
        Field(f"keyframes/BANK/{name}", "f8", "time device realisation", kind.unit, kind.meaning, name)
        for name, kind in PAST.items()
    ),
    *under("start", (UNIT,), "begun"),
    Field("start/bias_weight", "f8", "unit realisation", "1", BIAS, "begun"),
    *under("start/BANK", (DEVICE,), "past"),
    *(
        Field(f"start/BANK/{name}", "f8", "device realisation", kind.unit, kind.meaning, f"past, {name}")
        for name, kind in PAST.items()
    ),
    Field("programming/time", "f8", "", "s", "simulated time that it took", "programmed"),
    *under("programming/BANK", (DEVICE,), "programmed"),
    *PROGRAMMED,
    *under("checkpoint", (CHECKPOINT,)),
    Field("checkpoint/sample", "i8", "slot", "1", "samples that were complete"),
    Field("checkpoint/keyframes", "i8", "slot", "1", "keyframes up to there; the states are those of the last one"),
    Field(
        "checkpoint/device_steps", "i8", "slot", "1",
        "device-steps that were integrated; resting devices are skipped",
    ),
    Field("checkpoint/wall_seconds", "f8", "slot", "s", "duration of the run, interruptions left out"),
    Field(
        "checkpoint/total_error", "f8", "slot realisation", "1", "total error of the epoch in progress up to there"
    ),
    *under("best", (CHECKPOINT,), "watched"),
    Field(
        "best/epoch", "i8", "slot realisation", "1",
        "epoch of the lowest error so far, from 0; -1 before the first is complete", "watched",
    ),
    Field(
        "best/error", "f8", "slot realisation", "1",
        "that error: of the samples that were held back, or else the total error", "watched",
    ),
    *under("best/BANK", (DEVICE, VARIABLE), "watched"),
    Field(
        "best/BANK/state", "f8", "slot device variable realisation", "state", "state at that epoch's end", "watched"
    ),
    *under("diagnostics/BANK", (CHECKPOINT, PHASE, DEVICE, VARIABLE)),
    *_of_traces(),
    *COMMITTED,
)  # fmt: skip

# Of schema version 1, which has no axes: what is at the same place now, and what is elsewhere.
RUN_1 = (
    *(field for field in RUN if field.since == 1),
    Field("order", "uint", "epoch sample realisation", "1", "index of the sample that was shown", since=1),
    Field("initial_state/BANK", "f8", "device variable realisation", "state", "state before the first step", since=1),
    Field("keyframes/epoch", "i8", "keyframe", "1", "epochs that were complete", since=1),
    Field("keyframes/BANK", "f8", "keyframe device variable realisation", "state", "state at the epoch's end", since=1),
    Field(
        "final_state/BANK", "f8", "device variable realisation", "state", "state after the last step", "finished",
        since=1,
    ),
)  # fmt: skip


# The drive file.

DRIVE_ATTRIBUTES = (
    Attribute("/", "convention", "text", f"`{DRIVE_CONVENTION}`"),
    Attribute("/", "schema_version", "i8", f"{SCHEMA}"),
    *ENVIRONMENT,
    Attribute("/", "dt", "f8", "step in s"),
    Attribute("/", "dt_units", "text", "`s`"),
    Attribute("/", "steps", "i8", "steps of the drive"),
    Attribute("/", "drive", "text", "`current` or `voltage`: which of the two the waveforms set"),
    Attribute("/", "model", "text", "device model"),
    Attribute("/", "variables", "text", "names of the state variables", axes="variable"),
    Attribute("/", "variable_units", "text", "their units", axes="variable"),
    Attribute("/", "lower_bounds", "f8", "where the states stop", axes="variable"),
    Attribute("/", "upper_bounds", "f8", "the same; 1e300 stands for no bound", axes="variable"),
    Attribute("/", "finished", "?", "whether the drive came to its end"),
    *CHECK_OF_DT,
)
DRIVE = (
    Field("configuration", "text", "", "", "effective configuration, TOML", since=1),
    Field("time", "i8", "time", "s", "end of the row's step"),
    Field("device", "i8", "device", "1", "number of the device"),
    VARIABLE,
    Field("state", "f8", "time device variable", "state", "state at the end of the step", since=1),
    Field("current", "f8", "time device", "A", "current at the end of the step", since=1),
    Field("voltage", "f8", "time device", "V", "voltage at the end of the step", since=1),
    *CHECKSUMS,
    Field("committed_rows", "i8", "", "1", "rows that count; written after them", since=1),
    Field("initial_state", "f8", "device variable", "state", "state before row 0", since=1),
    Field("lowest", "f8", "device variable", "state", "smallest state at a row or before row 0", since=1),
    Field("highest", "f8", "device variable", "state", "largest state at a row or before row 0", since=1),
    Field("rows_at_bound", "i8", "device variable", "1", "rows with the state at a bound", since=1),
    Field(
        "stalled", "i8", "device", "1",
        "rows whose step cannot move the state, whose drift has vanished below its last digit", since=1, late=True,
    ),
    Field(
        "largest_step", "f8", "device variable", "state", "largest change of the state in one step", since=1, late=True
    ),
    Field("energy", "f8", "device", "J", "sum of V I dt over the rows, signed", since=1),
    Field("peak_response", "f8", "device", "response", "largest magnitude of the response", since=1),
    Field("labels", "text", "device", "", "what drives each device", since=1),
    Field("notes", "text", "note", "", "what the drive leaves out of its waveforms", since=1),
    Field("samples/K/sample", "i8", "sample", "1", "number of the sample"),
    Field("samples/K/times", "f8", "sample", "s", "times of the samples", since=1),
    Field("samples/K/values", "f8", "sample", "drive", "drive at these times", since=1),
)  # fmt: skip
