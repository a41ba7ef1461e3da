"""What is given in the place of a file or a value: one line, and status 2, whatever it is."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from places import EXAMPLES

from memsim.configuration.sections import Configuration
from memsim.driving.drive_configuration import DriveConfiguration
from memsim.errors import InputError
from memsim.files.memory import memory
from memsim.files.reading import KINDS, read_text
from memsim.files.tables import read_columns
from memsim.hysteresis.loop_configuration import LoopsConfiguration
from memsim.sweeping.sweep_configuration import SweepConfiguration
from memsim.user_models.loading import load_models

XOR, DRIVE, LOOPS, SWEEP = (EXAMPLES / f"{name}.toml" for name in ("xor", "hysteresis", "loops", "sweep"))
FIT = ("--model", "ion-drift", "--free", "r_on")
# How each command takes a file that it reads.
COMMANDS = [
    ("run", "FILE"),
    ("drive", "FILE"),
    ("schedule", "FILE"),
    ("sweep", "FILE"),
    ("compile", "FILE"),
    ("energy", "FILE"),
    ("fit", "FILE", *FIT),
    ("devices", "--models", "FILE"),
    ("bench", "kernel", "--compare", "FILE"),
    ("run", EXAMPLES / "ring.toml", "--set", "data.csv='FILE'"),
    ("drive", EXAMPLES / "waveform.toml", "--set", "drive.0.path='FILE'"),
    ("trace", "info", "FILE"),
    ("trace", "export", "FILE", "--format", "csv"),
    ("trace", "plot", "FILE", "--out", "x.png"),
    ("trace", "view", "FILE"),
]


def given(command, path):
    return [str(word).replace("FILE", str(path)) for word in command]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(map(str, command[:2])))
def test_what_is_no_file_is_refused_by_every_command(refused, tmp_path, monkeypatch, command):
    """None of them waits for a pipe, or reads a device into the memory."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for place in (tmp_path / "pipe", tmp_path / "socket", "/dev/zero"):
            refused("is a pipe, a socket or a device; save what it gives to a file", *given(command, place))
    if command[:2] != ("sweep", "FILE"):
        refused("is a folder; name a file in it", *given(command, tmp_path))
    refused("symbolic links", *given(command, tmp_path / "loop"))
    refused("no such file; check the path", *given(command, tmp_path / "none"))
    refused("File name too long", *given(command, tmp_path / ("x" * 300)))
    refused("cannot be read: Input/output error", *given(command, "/proc/self/mem"))  # as of a damaged disk


@pytest.mark.parametrize("command", [("run", XOR, "--out"), ("schedule", XOR, "--plot"), ("sweep", SWEEP, "--out")])
def test_a_name_that_no_file_can_have_is_refused(refused, command):
    refused("File name too long: .*xxx", *command, "x" * 300 + ".png")


def test_standard_input_is_a_pipe_like_any_other():
    """A configuration is read more than once."""
    called = [sys.executable, "-m", "memsim", "run", "/dev/stdin"]
    done = subprocess.run(called, input=XOR.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"memsim: error: /dev/stdin: is a pipe, a socket or a device; save")


def test_a_file_that_is_larger_than_the_memory_is_refused_unread(tmp_path, refused):
    with (tmp_path / "data.csv").open("wb") as file:
        file.truncate(memory() + 1)
    refused("data.csv: is too large to be read: its text would take about .* of memory", "fit", file.name, *FIT)


@pytest.mark.parametrize(
    ("path", "said"),
    [(XOR, "of a run, with .*'memsim run "), (DRIVE, "of a drive, with .*'memsim drive "),
     (LOOPS, r"of a sweep of loops, with \[loops\].*'memsim drive "), (SWEEP, "of a sweep, with .*'memsim sweep ")],
)  # fmt: skip
def test_the_wrong_kind_of_configuration_is_said_with_its_command(refused, path, said):
    takes = {"run": (XOR,), "schedule": (XOR,), "drive": (DRIVE, LOOPS), "sweep": (SWEEP,)}
    for command, right in takes.items():
        if path not in right:
            refused(f"is the configuration {said}", command, path)
    refused("is no HDF5 file; a configuration goes to memsim run, drive or sweep", "energy", path)
    refused("is no HDF5 file; a configuration goes to memsim run, drive or sweep", "trace", "info", path)
    refused("is TOML, and no CSV file", "fit", path, *FIT)
    refused("is no Python file", "devices", "--models", path)


def test_the_sections_of_each_kind_are_those_of_its_configuration():
    for kind, model in (
        ("run", Configuration), ("drive", DriveConfiguration), ("loops", LoopsConfiguration),
        ("sweep", SweepConfiguration),
    ):  # fmt: skip
        assert set(KINDS[kind][2]) == set(model.model_fields)


HOSTILE = [
    ("a = " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
    ("[" + ".".join("a" * 5000) + "]", "is nested too deeply"),
    ("[learning]\nepochs = " + "9" * 5000, "is not valid TOML: a whole number in it has thousands of digits"),
    ("[learning]\nepochs = 0x" + "f" * 5000, r"learning\.epochs: must be a whole number of at most 64 bits"),
    ("[learning]\nepochs = [1, [18446744073709551616]]", r"learning\.epochs\.1\.0: must be a whole number of at most"),
    ("[time]\ndt = 250us", "is not valid TOML: .*; write 250e-6"),
]


@pytest.mark.parametrize("command", ["run", "drive", "sweep", "schedule", "compile"])
@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_toml_that_is_too_deep_or_has_too_large_numbers_is_refused(refused, tmp_path, command, text, message):
    (tmp_path / "hostile.toml").write_text(text)
    refused(f"hostile.toml: {message}", command, tmp_path / "hostile.toml")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("time.dt=250us", r"time\.dt: .*\(got '250us'\); write 250e-6"),
        ("time.dt=1.5 kHz", "write 1.5e3"),
        ("learning.rate=0,5", "write 0.5"),
        ("network.layers=2,2,1", r"network\.layers: must be a list \(got '2,2,1'\); write \[2, 2, 1\]"),
        ("trace.banks=nodes1", r"trace\.banks: must be a list \(got 'nodes1'\); write \['nodes1'\]"),
        ("time.integrator=heum", r"must be 'euler' or 'heun' \(got 'heum'\); did you mean 'heun'\?"),
        ("devices.synapse.model=vtaem", r"\(got 'vtaem'\); did you mean 'vteam'\?"),
        ("data.gate=xnro", r"\(got 'xnro'\); did you mean 'xnor'\?"),
        ("a." * 5000 + "b=1", "--set: must be section.field=value"),
        ("learning.epochs=" + "9" * 5000, r"--set: learning\.epochs: .* thousands of digits"),
        ("learning.epochs=" + "1" + "0" * 30, r"--set: learning\.epochs: must be a whole number of at most 64 bits"),
        ("learning.epochs=1e30", r"learning\.epochs: must be a whole number of at most 64 bits \(got 1e\+30\)"),
        (f"network.layers={[1] * 1001}", r"network\.layers: must have at most 1000 items \(got \[1, 1, .* \.\.\.\)"),
        ("learning.rate=" + "[" * 5000, r"--set: learning\.rate: is nested too deeply"),
    ],
)
def test_a_value_that_was_meant_otherwise_comes_with_a_hint(refused, assignment, message):
    refused(message, "run", XOR, "--set", assignment)


def test_a_name_that_is_nearly_right_comes_with_a_hint(refused):
    refused(r"NAME: must be one of .*\(got 'vtaem'\); did you mean 'vteam'\?", "devices", "vtaem")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"time": {"dt": True}}, r"time\.dt: must be a number \(got true\)"),
        ({"run": {"realisations": True}}, r"run\.realisations: must be a number \(got true\)"),
        ({"run": {"seeds": [0, False]}}, r"run\.seeds\.1: must be a number \(got false\)"),
        ({"network": {"layers": [2, True, 1]}}, r"network\.layers\.1: must be a number \(got true\)"),
        ({"time": {"pulse_steps": True}}, r"time\.pulse_steps: must be a number \(got true\)"),
        ({"data": {"gate": "or", "input_range": [False, True]}}, r"data\.input_range\.0: must be a number"),
        ({"devices": {"node": {"mobility": True}}}, r"devices\.node\.mobility: must be a number \(got true\)"),
        ({"learning": {"epochs": 10**30}}, r"learning\.epochs: must be a smaller number \(got 1000"),
        ({"learning": {"rate": 10**5000}}, r"learning\.rate: must be a smaller number \(got a number of 16610 bits\)"),
    ],
)
def test_true_is_no_number_and_a_number_has_its_size(section, message):
    with pytest.raises(InputError, match=message):
        Configuration(**section)


def test_true_is_no_starting_state(refused):
    refused(r"bank\.initial: must be a number or an array", "drive", DRIVE, "--set", "bank.initial=true")


# CSV


@pytest.fixture
def table(tmp_path):
    def read(text, *names, texts=()):
        (tmp_path / "data.csv").write_bytes(text.encode())
        return {name: values.tolist() for name, values in read_columns(tmp_path / "data.csv", names, texts).items()}

    return read


def test_quoted_names_after_a_blank_and_repeated_columns_nobody_asked_for(table):
    assert table('a, "b, c" ,x,x,\n1, "2",3,4,\r\n5,6,7,8,\n', "a", "b, c") == {"a": [1.0, 5.0], "b, c": [2.0, 6.0]}
    assert table('n, t\n1, "red\u2028wine"\n', "n", texts=["t"])["t"] == ["red\u2028wine"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,a\n1,2,3\n", r"line 1: must name the column 'a' once \(got it 2 times\)"),
        ("a,b\n1,2\n2," + "x" * 200_000, r"line 3: a cell has more than 131,072 characters; check the quotes"),
        ("a\n" + "x" * 100_000, r"line 2: a: must be a finite number \(got 'x{190,200} \.\.\.\)"),
        (",".join(f"c{k}" for k in range(50_000)) + "\n", r"has no column 'a'; it has c0, c1, .*, \.\.\. \(50,000\)$"),
        ("length,widht\n1,2\n", r"has no column 'a'; it has length, widht$"),
        ("", r"line 1: must name the columns \(got none\)"),
    ],
)
def test_a_csv_file_that_is_none_is_refused_in_a_short_line(table, text, message):
    with pytest.raises(InputError, match=message) as refused:
        table(text, "a")
    assert len(str(refused.value)) < 500


# Models of one's own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise SystemExit(3)", r"own\.py:1: SystemExit: 3"),
        ("\nraise KeyboardInterrupt", r"own\.py:2: KeyboardInterrupt"),
        ("raise GeneratorExit", r"own\.py:1: GeneratorExit"),
        ("class Own(BaseException): pass\nraise Own('x')", r"own\.py:2: Own: x"),
        ("class Own(Exception):\n def __str__(self): raise Own\nraise Own", r"own\.py:3: Own"),
        ("a = 1\n\0", r"own\.py:1: .*null bytes"),
        ("(" * 50_000, r"own\.py:1: \({200}: "),
        ("-" * 200_000 + "1", r"own\.py:1: is not a Python file: it is nested too deeply"),
    ],
)
def test_a_file_of_models_that_ends_in_any_way_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(InputError, match=f"^{message}"):
        load_models(tmp_path / "own.py")


def test_ctrl_c_stops_a_file_of_models_and_not_only_its_loading(tmp_path):
    (tmp_path / "own.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            load_models(tmp_path / "own.py")
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_file_of_models_that_fails_leaves_no_module(tmp_path):
    """A module of the interpreter is read by others: one whose file is a pipe would let them wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "wrong.py").write_text("raise ValueError\n")
    (tmp_path / "torn.py").write_text("(\n")
    before = dict(sys.modules)
    (tmp_path / "empty.py").write_text("")
    for name in ("pipe", "wrong.py", "torn.py", "empty.py", "none.py"):
        with pytest.raises(InputError):
            load_models(tmp_path / name)
    assert sys.modules == before


def test_a_text_begins_after_its_byte_order_mark(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbftext")
    assert read_text(tmp_path / "text") == "text"
