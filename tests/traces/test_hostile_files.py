"""Broken and hostile files: one clear line and exit status 2, no crash, no hang, no memory for what is not there."""

import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hostile_reader import Reader
from mutations import mutations
from places import DATA

import memsim
from memsim import analysis
from memsim.configuration.sections import Configuration
from memsim.datasets import balanced_gate, labelled, scaled
from memsim.devices import Node
from memsim.errors import ReplayError, RunFileError
from memsim.kernels.operands import COUNTERS
from memsim.runs import training
from memsim.traces.heaps import broken_heap
from memsim.traces.run_file import keyframe_checksum

OLDER = ("mlp-schema-1.h5", "slp-schema-1.h5")
CONFIGURATION = Configuration(
    run={"realisations": 2, "threads": 1},
    time={"pulse_steps": 3},
    learning={"epochs": 5, "keep_best": True},
    data={"arrays": "xor"},
    trace={"mode": "select", "banks": ("nodes2",), "keyframe_samples": 4},
)
# With all that a file can say of its samples: classes, names, a scaling, a part for a test.
_GATE = balanced_gate("xor", 6)
DATA_OF_CLASSES = scaled(
    replace(
        labelled(_GATE.inputs, ["odd" if target else "even" for target in _GATE.targets], "xor", features=("a", "b")),
        test=labelled(_GATE.inputs[:3], ["even", "odd", "odd"]),
    ),
    "range",
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A run file of the present schema, with a trace of one bank."""
    path = tmp_path_factory.mktemp("good") / "run.h5"
    training.run(CONFIGURATION, DATA_OF_CLASSES, out=path).close()
    return path


@pytest.fixture(scope="module")
def reader(good):
    """The process that reads."""
    reader = Reader([good, *(DATA / name for name in OLDER)])
    yield reader
    reader.close()


@pytest.fixture
def broken(good, tmp_path):
    """A copy to be broken."""
    return Path(shutil.copy(good, tmp_path / "broken.h5"))


@pytest.fixture
def refused_everywhere(reader, tmp_path):
    """The library and a command refuse a file with the same line, which matches."""

    def check(path, message):
        answer = reader.look(path)
        assert answer["wrong"] == []
        assert answer["state"].startswith("refused: "), answer
        assert re.search(message, answer["state"]), answer
        assert not list(tmp_path.glob("*.out.h5"))

    return check


# A thousand mutations


def mutated(reader, path, count, seed, tmp_path):
    """Read mutations of a file; what became of them, and what should not have."""
    states, wrong, target = Counter(), [], tmp_path / path.name
    for what, data in mutations(path, count, seed):
        target.write_bytes(data)
        answer = reader.look(target)
        states[answer["state"].split()[0].rstrip(":")] += 1
        wrong += [f"{what}: {line}" for line in answer["wrong"]]
    return states, wrong


def assert_all_is_well(states, wrong, count):
    assert wrong == []
    assert states.total() == count
    assert states["refused"] > count // 4  # the damage is felt,
    assert states["read"] > count // 50  # and what is not touched is read


@pytest.mark.parametrize(("name", "count"), [("present", 60), *((name, 30) for name in OLDER)])
def test_mutations_are_read_or_refused(reader, good, tmp_path, name, count):
    path = good if name == "present" else DATA / name
    assert_all_is_well(*mutated(reader, path, count, 1, tmp_path), count)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("present", 700), *((name, 250) for name in OLDER)])
def test_a_thousand_mutations_are_read_or_refused(reader, good, tmp_path, name, count):
    path = good if name == "present" else DATA / name
    assert_all_is_well(*mutated(reader, path, count, 2, tmp_path), count)


# Files of drives


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A drive file of the present schema."""
    path = tmp_path_factory.mktemp("drive") / "drive.h5"
    memsim.drive(Node(), np.linspace(0.0, 1e-4, 500), dt=1e-3, out=path).close()
    return path


@pytest.mark.parametrize("schema", ["1", "present"])
def test_mutations_of_a_drive_are_read_or_refused(reader, drive, tmp_path, schema):
    path = drive if schema == "present" else DATA / "drive-schema-1.h5"
    assert_all_is_well(*mutated(reader, path, 100, 3, tmp_path), 100)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_drives_are_refused(reader, drive, tmp_path, share):
    content = drive.read_bytes()
    (tmp_path / "drive.h5").write_bytes(content[: int(share * len(content))])
    answer = reader.look(tmp_path / "drive.h5")
    assert answer["wrong"] == []
    assert answer["state"].startswith("refused: ")


@pytest.mark.parametrize(
    "part", ["configuration", "labels", "state", "voltage", "committed_rows", "energy", "rows_at_bound", "samples"]
)
def test_drives_with_other_parts_are_refused(reader, drive, tmp_path, part):
    for replacement in REPLACEMENTS:
        path = Path(shutil.copy(drive, tmp_path / "drive-replaced.h5"))
        with h5py.File(path, "r+") as file:
            file.attrs["other"] = str(drive)
            del file[part]
            replacement(file, part)
        answer = reader.look(path)
        assert answer["wrong"] == [], replacement.__name__
        texts_in_place_of_texts = (part, replacement) in {("configuration", as_text), ("labels", as_texts)}
        allowed = texts_in_place_of_texts or (part == "samples" and "group" in replacement.__name__)
        assert allowed or answer["state"].startswith("refused: "), (replacement.__name__, answer)


@pytest.mark.parametrize(("column", "message"), [
    ("phase", "its slots have another phase than its configuration gives them"),
    ("operation", "its slots have another operation than its configuration gives them"),
])  # fmt: skip
def test_slots_have_the_names_that_the_schedule_gives_them(broken, refused_everywhere, column, message):
    with h5py.File(broken, "r+") as file:
        meanings = file[f"slots/{column}"].attrs["flag_meanings"].decode().split()
        changed = " ".join(f"<b>{name[:4]}" for name in meanings)
        file[f"slots/{column}"].attrs["flag_meanings"] = np.bytes_(changed)
    refused_everywhere(broken, message)


def test_slots_are_those_of_the_configuration(broken, refused_everywhere):
    with h5py.File(broken, "r+") as file:
        file["slots/bank"][1] = 0
    refused_everywhere(broken, "its slots have another bank than its configuration gives them")


# Older and broken run files


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", OLDER)
def test_truncated_files_of_the_older_schema_are_refused(reader, tmp_path, name, share):
    content = (DATA / name).read_bytes()
    (tmp_path / "cut.h5").write_bytes(content[: int(share * len(content))])
    answer = reader.look(tmp_path / "cut.h5")
    assert answer["wrong"] == []
    assert answer["state"].startswith("refused: ")


def test_a_heap_of_texts_without_end_is_refused(reader, tmp_path):
    """HDF5 2.0.0 goes around in it for ever: the free space that it has is 0 bytes long."""
    content = bytearray((DATA / OLDER[0]).read_bytes())
    assert broken_heap(DATA / OLDER[0]) is None
    at = content.find(b"GCOL")
    content[at + 16 : at + 4096] = bytes(4080)
    (tmp_path / "heap.h5").write_bytes(content)
    assert broken_heap(tmp_path / "heap.h5") == at
    answer = reader.look(tmp_path / "heap.h5")
    assert answer["wrong"] == []
    assert answer["state"].endswith(f"its global heap at byte {at:,} is damaged")


# Parts that are missing, or are something else

AXES = (
    "device", "variable", "realisation", "phase", "slot", "sample", "input", "output", "epoch", "keyframe", "time",
    "unit", "extreme", "row", "tile", "checksums", "class", "test_sample",
)  # fmt: skip
DECORATION = (
    "units", "long_name", "CLASS", "NAME", "DIMENSION_LIST", "DIMENSION_LABELS", "REFERENCE_LIST", "scale_factor",
    "flag_values", "dt_units", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties",
)  # fmt: skip


def contents(path):
    """Paths of everything in a file, and of its attributes (path, name)."""
    items, attributes = [], [("/", name) for name in h5py.File(path).attrs]
    with h5py.File(path) as file:
        file.visititems(lambda name, item: items.append(name) or attributes.extend((name, a) for a in item.attrs))
    return items, attributes


of_each_schema = pytest.mark.parametrize(
    ("name", "every"),
    [("present", 6), *(pytest.param(name, 1, marks=pytest.mark.slow) for name in ("present", *OLDER))],
)


@of_each_schema
def test_a_file_without_any_one_of_its_parts_is_read_or_refused(reader, good, tmp_path, name, every):
    source = good if name == "present" else DATA / name
    items, _ = contents(source)
    # Banks are alike; one is enough of those that are not traced.
    alike = ("nodes1", "synapses2", "diagnostics/synapses1", "65536")
    items = [item for item in items if not any(name in item for name in alike)]
    read = []
    items = [item for item in items if item.count("/") == 0] + [item for item in items if "/" in item][::every]
    for item in items:
        path = Path(shutil.copy(source, tmp_path / "without.h5"))
        with h5py.File(path, "r+") as file:
            del file[item]
        answer = reader.look(path)
        assert answer["wrong"] == [], item
        if answer["state"] == "read":
            read.append(item)
    # Without its trace a run is one that kept none; without one of its quantities, one that kept the others.
    kept = {item for item in items if item.count("/") < 3 and item.startswith("traces")}
    # Earlier versions did not count all that is counted now.
    late = {*(name for name, counter in COUNTERS.items() if counter.late), "learning_rate", "phase_time"}
    kept |= {item for item in items if item.rsplit("/", 1)[-1] in late}
    kept |= {item for item in items if item.startswith("metrics") and item.endswith("energy")}
    # And did not name classes and inputs, or hold samples back.
    kept |= {"dataset/class_name", "dataset/input_name", "dataset/test_inputs"}
    assert {item for item in read if item.rsplit("/", 1)[-1] not in AXES and "checksums" not in item} <= kept


@of_each_schema
def test_a_file_without_any_one_of_its_attributes_is_read_or_refused(reader, good, tmp_path, name, every):
    source = good if name == "present" else DATA / name
    _, attributes = contents(source)
    alike = ("nodes1", "synapses2")
    counted = [(i, a) for i, a in attributes if a not in DECORATION and not any(name in i for name in alike)]
    for item, attribute in counted[::every]:
        path = Path(shutil.copy(source, tmp_path / "without.h5"))
        with h5py.File(path, "r+") as file:
            del file[item].attrs[attribute]
        answer = reader.look(path)
        assert answer["wrong"] == [], (item, attribute)


REPLACED = (
    "configuration", "seeds", "dataset/inputs", "dataset/targets", "slots/phase", "slots/start", "metrics/order",
    "metrics/total_error", "metrics/nodes2/energy", "banks/nodes2/initial_state", "keyframes/sample", "keyframes/crc32",
    "keyframes/bias_weight",
    "keyframes/nodes2/state", "diagnostics/nodes2/energy", "diagnostics/nodes2/highest", "checkpoint/device_steps",
    "committed/rows", "committed/keyframes", "traces/nodes2/state", "traces/nodes2/time", "traces/nodes2/device",
    "overview/nodes2/256/state", "metrics/learning_rate", "best/epoch", "best/error", "best/nodes2/state",
    "dataset/class_name", "dataset/input_name", "dataset/offset", "dataset/highest", "dataset/test_inputs",
)  # fmt: skip


def as_text(file, path):
    file[path] = "text of variable length"


def as_texts(file, path):
    file[path] = np.array([b"text"] * 3)


def as_a_compound(file, path):
    file[path] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])


def as_complex_numbers(file, path):
    file[path] = np.zeros(3, dtype=complex)


def as_lists(file, path):
    file.create_dataset(path, (3,), dtype=h5py.vlen_dtype(np.float64))


def as_nothing(file, path):
    file[path] = h5py.Empty("f8")


def of_many_axes(file, path):
    file[path] = np.zeros((1,) * 7)


def of_no_length(file, path):
    file[path] = np.zeros((0, 0))


def of_absurd_length(file, path):
    file.create_dataset(path, (10**12,), "f8", chunks=(1024,), maxshape=(None,))


def of_absurd_chunks(file, path):
    file.create_dataset(path, (2**28, 1, 2), "f8", chunks=(2**28, 1, 1))


def of_absurd_items(file, path):
    file.create_dataset(path, (), dtype=np.dtype("S1000000000"))


def as_a_group(file, path):
    file.create_group(path)


def as_a_type(file, path):
    file[path] = np.dtype("f8")


def as_a_loop(file, path):
    file[path] = h5py.SoftLink(f"/{path}")


def as_a_group_that_holds_itself(file, path):
    group = file.create_group(path)
    group["again"] = group


def as_a_link_within(file, path):
    file[path] = h5py.SoftLink("/seeds")


def as_a_link_to_another_file(file, path):
    file[path] = h5py.ExternalLink("/etc/passwd", "/")


def as_a_link_to_another_run(file, path):
    file[path] = h5py.ExternalLink(file.attrs["other"], f"/{path}")


def stored_in_another_file(file, path):
    file.create_dataset(path, (8,), "u1", external=[("/etc/passwd", 0, 8)])


def virtually_in_another_file(file, path):
    layout = h5py.VirtualLayout((2,), "u8")
    layout[:] = h5py.VirtualSource(file.attrs["other"], "seeds", (2,))
    file.create_virtual_dataset(path, layout)


REPLACEMENTS = (
    as_text, as_texts, as_a_compound, as_complex_numbers, as_lists, as_nothing, of_many_axes, of_no_length,
    of_absurd_length, of_absurd_chunks, of_absurd_items, as_a_group, as_a_type, as_a_loop,
    as_a_group_that_holds_itself, as_a_link_within, as_a_link_to_another_file, as_a_link_to_another_run,
    stored_in_another_file, virtually_in_another_file,
)  # fmt: skip


@pytest.mark.parametrize("replacement", REPLACEMENTS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_parts_that_are_something_else_are_refused(reader, good, tmp_path, replacement, every):
    """By default each of the parts is some things, and each thing some of the parts."""
    for item in REPLACED[REPLACEMENTS.index(replacement) % every :: every]:
        path = Path(shutil.copy(good, tmp_path / "replaced.h5"))
        with h5py.File(path, "r+") as file:
            file.attrs["other"] = str(good)
            del file[item]
            replacement(file, item)
        answer = reader.look(path)
        assert answer["wrong"] == [], item
        # A row of numbers may go on beyond those that count; trace verify compares these.
        longer = replacement is of_absurd_length and item == "metrics/learning_rate"
        assert answer["state"].startswith("refused") != longer, (item, answer)


def test_links_to_elsewhere_are_named(broken, good, refused_everywhere):
    with h5py.File(broken, "r+") as file:
        del file["seeds"]
        file["seeds"] = h5py.ExternalLink(str(good), "/seeds")
    refused_everywhere(broken, "is a broken run file: seeds is a link to elsewhere, which is not followed")
    with h5py.File(broken, "r+") as file:
        del file["seeds"]
        virtually_in_another_file_of(file, good)
    refused_everywhere(broken, "seeds keeps its values in another file, which is not followed")


def virtually_in_another_file_of(file, path):
    layout = h5py.VirtualLayout((2,), "u8")
    layout[:] = h5py.VirtualSource(str(path), "seeds", (2,))
    file.create_virtual_dataset("seeds", layout)


# Values that no run has


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 0.0, 1e300, "text", [1.0, 2.0], h5py.Empty("f8")])
def test_a_step_that_is_none_is_refused(broken, refused_everywhere, value):
    with h5py.File(broken, "r+") as file:
        file.attrs["dt"] = value
    refused_everywhere(broken, r"is a broken run file: (/\.dt is no number|dt and sample_steps|it has samples of)")


@pytest.mark.parametrize("value", [0, -1, 2**62, 1.5, np.nan, "text", [3, 4]])
def test_samples_of_no_length_are_refused(broken, refused_everywhere, value):
    with h5py.File(broken, "r+") as file:
        file.attrs["sample_steps"] = value
    refused_everywhere(broken, "sample_steps|its slots do not fill")


@pytest.mark.parametrize("name", ["rows", "keyframes", "epochs"])
@pytest.mark.parametrize("value", [-1, -(2**63), 10**6, 2**62])
def test_counts_beyond_what_is_there_are_refused(broken, refused_everywhere, name, value):
    with h5py.File(broken, "r+") as file:
        file[f"committed/{name}"][()] = value
    refused_everywhere(broken, f"committed/{name} is {value}|rows, and {value} were counted")


def test_counts_in_a_dataset_of_absurd_length_are_refused(broken, refused_everywhere):
    with h5py.File(broken, "r+") as file:
        file["metrics/total_error"].resize(10**12, axis=0)
        file["metrics/order"].resize(10**12, axis=0)
        file["committed/epochs"][()] = 10**12
    refused_everywhere(broken, "claims 16,000,000,000,000 bytes, which the file cannot hold")


@pytest.mark.parametrize("samples", [[0, 4], [-4, 4], [8, 4], [4, 4], [4, 2**62]])
def test_keyframes_out_of_order_are_refused(broken, refused_everywhere, samples):
    with h5py.File(broken, "r+") as file:
        file["keyframes/sample"][:2] = samples
    refused_everywhere(broken, "keyframes/sample does not grow")


def test_a_last_keyframe_after_the_last_epoch_is_refused(broken, refused_everywhere):
    with h5py.File(broken, "r+") as file:
        file["keyframes/sample"][-1] = 2**40
    refused_everywhere(broken, f"5 epochs were counted, and its last keyframe is after {2**40} samples")


def change_dataset(file, name, value):
    """Give another value to an attribute, or to the first entry of a dataset; an array replaces all of it."""
    group = file["dataset"]
    if name in group.attrs:
        group.attrs[name] = value
    elif isinstance(value, np.ndarray):
        del group[name]
        group[name] = value
    else:
        group[name][0] = value


def names(*texts):
    return np.array([text.encode() for text in texts], dtype=h5py.string_dtype("utf-8", 8))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("class_name", b"odd", "class_name are no names that differ and can be printed"),
        ("class_name", b"\x1b[31m", "class_name are no names that differ and can be printed"),
        ("class_name", names("even"), "it has 1 classes on 1 outputs"),
        ("class_name", names("even", "odd", "none"), "it has 3 classes on 1 outputs"),
        ("class_name", names(*map(str, range(10_000))), "it has 10000 classes on 1 outputs"),
        ("low", 1.0, "dataset.low is 1.0, and dataset.high is 1.0"),
        ("high", np.nan, "dataset.high is no number"),
        ("input_name", names("a", "b", "c"), "dataset/input_name names 3 of 2 inputs"),
        ("input_name", b"b", "input_name are no names that differ"),
        ("scaling", "log", "dataset.scaling is 'log'"),
        ("scaling", "none", "dataset.scaling is 'none'"),
        ("factor", np.nan, "its scaling is not finite"),
        ("offset", np.inf, "its scaling is not finite"),
        ("lowest", 2.0, "its scaling is not of 2 inputs"),
        ("highest", np.zeros(3), "its scaling is not of 2 inputs"),
        ("test_clipped", -1, "dataset.test_clipped is -1, of 6 values"),
        ("test_clipped", 7, "dataset.test_clipped is 7, of 6 values"),
        ("test_clipped", 0.5, "dataset.test_clipped is no integer"),
        ("test_inputs", np.zeros((3, 3)), "the samples that were held back for a test are not like the others"),
        ("test_targets", np.zeros((2, 1)), "its samples for test are missing, or not as many as their targets"),
    ],
)
def test_what_no_data_set_says_of_its_samples_is_refused(broken, refused_everywhere, name, value, message):
    with h5py.File(broken, "r+") as file:
        change_dataset(file, name, value)
    refused_everywhere(broken, re.escape(message))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sample", 7, "its checkpoint is after 7 samples, and its keyframe is not"),
        ("sample", -4, "checkpoint/sample is -4"),
        ("keyframes", 2**40, f"its checkpoint is after {2**40} keyframes, and 8 were counted"),
        ("wall_seconds", np.nan, "checkpoint/wall_seconds is nan"),
        ("total_error", np.inf, "checkpoint/total_error is "),
    ],
)
def test_checkpoints_that_no_run_made_are_refused(broken, refused_everywhere, refused, name, value, message):
    with h5py.File(broken, "r+") as file:
        file[f"checkpoint/{name}"][...] = value
    refused_everywhere(broken, message)
    refused(message, "run", broken, "--resume", "--set", "learning.epochs=6")


@pytest.mark.parametrize(
    ("item", "value", "message"),
    [
        ("slots/bank", 4, "slots names a bank that is not there"),
        ("slots/bank", -1, "slots names a bank that is not there"),
        ("slots/start", 1, "its slots do not fill the 33 steps of a sample"),
        ("slots/pulses", 0, "slots/pulses is not from 1 on"),
        ("slots/pulse_steps", -(2**31), "slots/pulse_steps is not from 1 on"),
        ("slots/pulse_steps", 2**31 - 1, "its slots do not fill"),
        ("slots/phase", 100, "slots/phase has a code that stands for nothing"),
        ("traces/nodes2/device", 7, "traces/nodes2/device does not name devices of the bank"),
        ("traces/nodes2/realisation", -1, "traces/nodes2/realisation does not name realisations of the bank"),
        ("diagnostics/nodes2/energy", np.nan, "diagnostics/nodes2/energy holds what no run counts, as nan"),
        ("diagnostics/nodes2/unrestored", np.inf, "diagnostics/nodes2/unrestored holds what no run counts, as inf"),
    ],
)
def test_values_that_no_run_has_are_refused(broken, refused_everywhere, item, value, message):
    with h5py.File(broken, "r+") as file:
        file[item][0] = value
        if item.startswith("diagnostics"):
            file[item][...] = value
    refused_everywhere(broken, message)


@pytest.mark.parametrize(
    ("item", "name", "value", "message"),
    [
        ("banks/nodes2", "index", 7, r"its banks have the indices \[0, 1, 2, 7\]"),
        ("banks/nodes2", "devices", 0, "banks/nodes2 has 0 devices"),
        ("banks/nodes2", "devices", 2**40, "banks/nodes2/initial_state is of the shape"),
        ("banks/nodes2", "variables", "boundary", "banks/nodes2.variables is no list of texts"),
        ("banks/nodes2", "variable_units", [b"m", b"m"], "the lists of banks/nodes2 are not equally long"),
        ("banks/nodes2", "lower_bounds", [np.nan], "banks/nodes2.lower_bounds is no list of numbers"),
        ("banks/nodes2", "upper_bounds", [1.0], "its bank nodes2 is not nodes2 of its configuration"),
        ("banks/nodes2", "model", b"neuron", "its bank nodes2 is not nodes2 of its configuration"),
        ("traces/nodes2", "stride", 0, "traces/nodes2 has a stride or windows that no trace has"),
        ("traces/nodes2", "stride", -1, "traces/nodes2 has a stride or windows that no trace has"),
        ("traces/nodes2", "windows", [5, 3], "traces/nodes2 has a stride or windows that no trace has"),
        ("traces/nodes2", "windows", [5], "traces/nodes2.windows are no pairs"),
        ("slots/phase", "flag_meanings", b"", "slots/phase has a code that stands for nothing"),
    ],
)
def test_attributes_that_no_run_has_are_refused(broken, refused_everywhere, item, name, value, message):
    with h5py.File(broken, "r+") as file:
        file[item].attrs[name] = value
    refused_everywhere(broken, message)


@pytest.mark.parametrize("name", ["nodes2\nand more", "nodes\x1b[31m", "..", "nodes 2", "n" * 200, "knoten\u00e4"])
def test_banks_with_odd_names_are_refused(broken, refused_everywhere, name):
    with h5py.File(broken, "r+") as file:
        file.move("banks/nodes2", f"banks/{name}")
    refused_everywhere(broken, "a bank has the name '|it has no ")


# The configuration


def configured(path, text):
    """Give a file another configuration."""
    with h5py.File(path, "r+") as file:
        del file["configuration"]
        file["configuration"] = np.array(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("this = is = no TOML", "its configuration is not valid TOML"),
        ("a = " + "[" * 5000, "its configuration is not valid TOML: maximum recursion depth exceeded"),
        ("a = " + "9" * 5000, "its configuration is not valid TOML: Exceeds the limit"),
        (b"a = '\xff\xfe'", "configuration cannot be read: 'utf-8' codec can't decode"),
        ("[learning]\nepoch = 5", "its configuration: learning.epoch: no such setting; did you mean 'epochs'"),
        ("'line\\nbreak' = 1", "its configuration: "),
        ('"line\\nbreak" = 1', r"its configuration: line\\nbreak: no such setting"),
        ("self = 1", "its configuration: self: no such setting"),
        ("trace = 3", "its configuration: trace: must be"),
        ("[learning]\nrate = nan", "its configuration: learning.rate: must be a finite number"),
        ("[network]\nlayers = [2, 2, 2, 1]", "it has 4 banks, and its configuration 6"),
        ("[network]\nlayers = [2, 1000000000, 1]", "it has 2 realisations|is not nodes1|is not synapses1"),
        ("[network]\nlayers = [9, 2, 1]", "it has 2 inputs, and its configuration 9"),
        ("[network]\nkind = 'slp'\ninputs = 1000000000", "it has 4 banks, and its configuration 1"),
        ("[run]\nrealisations = 1000000000000", "it has 2 realisations, and its configuration 1000000000000"),
        ("[run]\nrealisations = 2\n[time]\npulse_steps = 1000000", "it has samples of 33 steps"),
        ("[run]\nrealisations = 2\n[devices.node]\nthickness = 1e-320", "its configuration"),
        ("# " + "x" * (2 << 20), "configuration is longer than 1,048,576 bytes"),
    ],
)
def test_another_configuration_is_refused(broken, refused_everywhere, text, message):
    configured(broken, text)
    refused_everywhere(broken, f"is a broken run file: ({message})")


# Schemas and other files


def test_a_newer_schema_is_refused(broken, refused_everywhere):
    with h5py.File(broken, "r+") as file:
        file.attrs["schema_version"] = 3
    refused_everywhere(broken, "has schema version 3; this program reads versions 1 and 2; take a newer memsim")


@pytest.mark.parametrize("value", ["2", 2.0, [2, 2], -1, 2**63, h5py.Empty("i8")])
def test_a_schema_that_is_no_number_is_refused(broken, refused_everywhere, value):
    with h5py.File(broken, "r+") as file:
        file.attrs.create("schema_version", value, dtype="u8" if value == 2**63 else None)
    refused_everywhere(broken, "schema_version is no integer|has schema version")


@pytest.mark.parametrize("value", ["memsim walk", 3, [1.0], h5py.Empty("f8"), "two\nlines"])
def test_another_convention_is_refused(broken, refused_everywhere, value):
    with h5py.File(broken, "r+") as file:
        file.attrs["convention"] = value
    refused_everywhere(broken, "is no run file: its convention is ")


@pytest.mark.parametrize("content", [b"", b"\0" * 100_000, b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\xff" * 5000])
def test_what_is_no_hdf5_is_refused(reader, refused, tmp_path, content):
    (tmp_path / "run.h5").write_bytes(content)
    answer = reader.look(tmp_path / "run.h5")
    assert answer["wrong"] == []
    assert "is no HDF5 file, or a broken one" in answer["state"]
    refused(r"run\.h5: ", "run", tmp_path / "run.h5", "--out", tmp_path / "out.h5")


def test_a_drive_file_is_refused(refused_everywhere, tmp_path):
    path = shutil.copy(DATA / "drive-schema-1.h5", tmp_path / "run.h5")
    refused_everywhere(path, "is a file of memsim drive; 'memsim drive .* --plot loops.png' draws it")


def test_what_is_no_regular_file_is_refused_at_once(refused_everywhere, tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "loop.h5").symlink_to(tmp_path / "loop.h5")
    refused_everywhere(tmp_path / "pipe.h5", "is a pipe, a socket or a device; save")
    refused_everywhere(Path("/dev/zero"), "is a pipe, a socket or a device; save")
    refused_everywhere(tmp_path / "folder.h5", "is a folder; name a file in it")
    refused_everywhere(tmp_path / "loop.h5", "cannot be read: .*symbolic links")
    refused_everywhere(tmp_path / "none" / "run.h5", "no such file; check the path")
    refused_everywhere(tmp_path / ("x" * 300), "cannot be read: .*File name too long")


# Replays of states that are not right


def spoilt(path, index, value):
    """Put a value into a keyframe's states, and the right checksum over it."""
    with h5py.File(path, "r+") as file:
        file["keyframes/nodes2/state"][index, 0, 0, 1] = value
        banks = ("synapses1", "nodes1", "synapses2", "nodes2")
        states = [file[f"keyframes/{bank}/state"][index] for bank in banks]
        file["keyframes/crc32"][index] = keyframe_checksum(states, file["keyframes/bias_weight"][index])


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 6e-9])
def test_states_beyond_their_bounds_are_not_replayed(broken, value):
    spoilt(broken, 1, value)
    with memsim.open_run(broken) as run:
        steps = run.sample_steps
        with pytest.raises(RunFileError, match="keyframes/nodes2/state holds states that are not within their bounds"):
            run.window("synapses1", "state", 9 * steps, 9 * steps + 5)
        with pytest.raises(RunFileError, match="keyframes/nodes2/state holds states that are not within their bounds"):
            run.window("synapses1", "state", 6 * steps, 6 * steps + 5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 1e308])
@pytest.mark.parametrize(
    ("place", "ask"),
    [
        ("keyframes/nodes2/state", lambda run: analysis.weight_histogram(run, "nodes2")),
        ("keyframes/nodes2/state", lambda run: analysis.change_per_epoch(run, "nodes2")),
        ("keyframes/nodes2/state", lambda run: run.weights),
        ("keyframes/nodes2/state", lambda run: run.keyframes["nodes2"]),
        ("banks/nodes2/initial_state", lambda run: run.initial_state["nodes2"]),
        ("traces/nodes2/state", lambda run: run.window("nodes2", "state", 0, 9)),
        ("traces/nodes2/state", lambda run: run.kept("nodes2", "state")),
        ("traces/nodes2/state", lambda run: analysis.switching_events(run, "nodes2", stop=9)),
    ],
)
def test_states_that_no_run_writes_are_not_looked_at(broken, place, ask, value):
    with h5py.File(broken, "r+") as file:
        file[place][-1 if place.startswith("keyframes") else 0] = value
    message = f"is a broken run file: {place} holds states that are not within their bounds"
    with pytest.raises(RunFileError, match=message), memsim.open_run(broken) as run:
        ask(run)


def test_other_states_within_their_bounds_are_found_by_the_replay(broken):
    spoilt(broken, 1, 1e-10)
    with memsim.open_run(broken) as run:
        steps = run.sample_steps
        with pytest.raises(ReplayError, match="differs from the keyframe after 8 samples: nodes2 by up to"):
            run.window("synapses1", "state", 6 * steps, 6 * steps + 5)


def test_a_keyframe_that_is_not_as_it_was_written_is_not_replayed(broken):
    with h5py.File(broken, "r+") as file:
        file["keyframes/nodes2/state"][1, 0, 0, 1] = 1e-10
    with memsim.open_run(broken) as run:
        steps = run.sample_steps
        with pytest.raises(RunFileError, match="the checksum of keyframe 1 is wrong"):
            run.window("synapses1", "state", 9 * steps, 9 * steps + 5)
        assert run.window("synapses1", "state", 2 * steps, 2 * steps + 5).shape == (5, 4, 2)
