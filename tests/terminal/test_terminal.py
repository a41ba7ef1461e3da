"""What commands print: on streams that take little or nothing, on narrow terminals, of text from hostile files."""

import io
import os
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from places import EXAMPLES
from rich.console import Console

import memsim
from memsim.cli import COMMANDS
from memsim.cli.trace import COMMANDS as OF_TRACE
from memsim.datasets import labelled
from memsim.errors import InputError
from memsim.figures import new_figure, save
from memsim.terminal import streams
from memsim.terminal.progress import Progress
from memsim.terminal.screen import Styled, Table, numbers, progress_bar

HOSTILE = "\x1b[31mred \x1b]8;;http://x\x07 \u202egnp.exe [link=http://x]v2[/x] $x^$ :bomb: \x9b\n second\r"
IN_PATHS = "da\x1b[31mta [v2] \u202e[link=a]\nmemsim: error: µ"
TOML = """
[run]
realisations = 2
threads = 1
[time]
pulse_steps = 4
[learning]
epochs = 3
[data]
gate = "or"
samples = 8
"""
SWEEP = '[sweep]\nbase = "or.toml"\nseeds = { first = 0, last = 1 }\n[fields]\nlearning.rate = [0.05, 0.1]\n'
DRIVE = """
[time]
dt = 1e-3
duration = 0.1
[device]
model = "node"
[bank]
count = 2
[[drive]]
waveform = "csv"
path = "µ[v2].csv"
[[drive]]
waveform = "sinusoid"
devices = [1]
amplitude = 1e-4
frequency = 20.0
"""
LOOPS = """
[loops]
waveform = "sinusoid"
frequencies = [1.0, 100.0]
amplitudes = [0.3, 0.6]
steps_per_period = 100
[device]
model = "node"
threshold = 0.0
[bank]
drive = "voltage"
"""
# A call of each command, of its files in a folder; "#" are those that print the same again.
CALLS = (
    "devices #", "devices vteam #", "schedule or.toml --program #", "run or.toml --out out.h5 --check-dt --overwrite",
    "drive drive.toml --out drive.out.h5 --check-dt --overwrite #", "drive loops.toml --table loops.csv --overwrite #",
    "fit iv.csv --model ion-drift --free r_on,initial --starts 0 --evaluations 3 --out fit.toml --overwrite #",
    "energy run.h5 --pulse-widths 3,4 --csv energy.csv --overwrite #", "sweep sweep.toml --dry-run #",
    "compile or.toml", "trace info run.h5 #", "trace info run.h5 --configuration #", "trace verify run.h5 --windows 1",
    "trace follow run.h5", "trace plot run.h5 --classes --out run.svg --overwrite",
    "trace replay run.h5 --samples 0:1 --out window.h5 --overwrite",
    "trace export run.h5 --out run.csv --samples 0:1 --overwrite",
    "trace repack run.h5 --out packed.h5 --overwrite",
)  # fmt: skip
REPEATABLE = [call.removesuffix(" #") for call in CALLS if call.endswith("#")]
CALLS = [call.removesuffix(" #") for call in CALLS]
# What those that take longer print goes by the same tables and lines.
NOT_CALLED = {"bench", "reproduce", "sweep", "view", "referee", "trace"}


def short(text):
    """A name for a call."""
    return " ".join(text.split()[:3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of which every name and text is hostile, in a folder that is."""
    folder = tmp_path_factory.mktemp("files") / IN_PATHS
    folder.mkdir()
    texts = {"or.toml": TOML, "sweep.toml": SWEEP, "drive.toml": DRIVE, "loops.toml": LOOPS}
    texts |= {"µ[v2].csv": "time,amplitude\n0,0\n0.1,2e-4\n", "iv.csv": (EXAMPLES / "iv.csv").read_text()}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    names = ["[b]a[/x] :a: $^$", "µ[v2]"]
    inputs = np.random.default_rng(1).uniform(size=(8, 2))
    data = labelled(inputs, [names[k % 2] for k in range(8)], HOSTILE, features=("[/x]", "$x^$"))
    network, timing = memsim.MultilayerPerceptron(), memsim.Timing(pulse_steps=4)
    memsim.train(network, data, epochs=3, realisations=2, time=timing, out=folder / "run.h5").close()
    with h5py.File(folder / "run.h5", "r+") as file:
        for name in ("machine", "numba_version"):
            file.attrs[name] = HOSTILE
    return folder


@pytest.fixture
def call(cli, folder, monkeypatch):
    """A call as :data:`CALLS` has it, of files that are named by their whole path."""
    monkeypatch.chdir(folder)

    def called(text):
        words = [str(folder / word) if re.search(r"\.\w+$", word) else word for word in text.split()]
        return cli(*words)

    return called


def words_of(text):
    """Names, numbers and other words, without frames, and without colons behind the names of a block."""
    return {word.rstrip(":") for word in re.sub("[─━-╿]", " ", text).split()}


def test_every_command_is_called():
    called = {word for call in CALLS for word in call.split()[: 2 if call.startswith("trace") else 1]}
    assert {*COMMANDS, *OF_TRACE} - NOT_CALLED <= called


# Streams


@pytest.mark.parametrize("text", CALLS, ids=short)
def test_hostile_text_and_a_stream_of_ascii_change_neither_work_nor_lines(call, text):
    sys.stdout.reconfigure(encoding="ascii", errors="strict")
    sys.stderr.reconfigure(encoding="ascii", errors="strict")
    shown = call(text)
    assert shown.status == 0, shown.err
    for line in (shown.out + shown.err).split("\n"):
        assert line.isascii(), line
        assert line.isprintable(), line
        assert not line.startswith(("memsim: error", "second", " second")), line
    assert shown.out


def test_what_is_hostile_is_shown(call):
    shown = call("trace info run.h5").out
    assert (
        r"data \x1b[31mred \x1b]8;;http://x\x07 \u202egnp.exe [link=http://x]v2[/x] $x^$ :bomb: \x9b\n second\r"
        in shown
    )
    assert "1 µ[v2] " in shown
    assert r"da\x1b[31mta [v2] \u202e[link=a]\nmemsim: error: µ/run.h5: finished" in shown


@pytest.mark.parametrize("text", CALLS, ids=short)
@pytest.mark.parametrize("state", ["closed", "full", "unread"])
def test_the_work_is_done_where_nothing_can_be_printed(call, text, state, monkeypatch, tmp_path):
    stream = None
    if state == "full":
        number = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, number = os.pipe()
        os.close(reading)
    if state != "closed":
        raw = streams._Descriptor(number, "w", closefd=False)
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="ascii")
    with monkeypatch.context() as changed:
        changed.setattr(sys, "stdout", stream)
        changed.setattr(sys, "stderr", None if state == "closed" else sys.stderr)
        shown = call(text)
        if state == "closed":
            sys.stdout.close()
            sys.stderr.close()
    os.close(number)
    assert shown.status == (1 if state == "full" else 0)
    if state == "full":
        assert shown.err.splitlines()[-1].startswith("memsim: error: stdout: No space left on device")
    else:
        assert "error" not in shown.err


@pytest.mark.parametrize(
    ("redirection", "status"),
    [(">&- 2>&- <&-", 0), ("2>&-", 0), ("| head -1", 0), (">/dev/full", 1), ("2>/dev/full", 0)],
)
def test_a_shells_redirections_leave_the_run_file_alone(folder, tmp_path, redirection, status):
    command = f"{sys.executable} -m memsim run or.toml --out {tmp_path}/out.h5 {redirection}"
    environment = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    with memsim.open_run(tmp_path / "out.h5") as run:
        assert run.finished
        assert len(run.total_error) == 3


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    """What a library writes to stderr by its number would go into that file."""
    code = (
        "import os; from memsim.terminal.streams import prepare_streams; prepare_streams(); "
        "file = open('kept', 'wb', 0); os.write(1, b'lost'); os.write(2, b'lost'); file.write(b'%d' % file.fileno())"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1])}
    shell = ["bash", "-c", f'{sys.executable} -c "$0" >&- 2>&- <&-', code]
    assert subprocess.run(shell, cwd=tmp_path, env=environment, check=False).returncode == 0
    assert int((tmp_path / "kept").read_bytes()) > 2


def test_a_configuration_is_printed_so_that_ascii_keeps_its_meaning(call, folder, monkeypatch):
    sys.stdout.reconfigure(encoding="ascii")
    shown = call("trace info run.h5 --configuration").out
    with memsim.open_run(folder / "run.h5") as run:
        assert tomllib.loads(shown) == tomllib.loads(run.configuration_text)
    assert "\\U0000202e" in shown


def test_signs_that_a_stream_lacks_get_substitutes_and_names_stay_different():
    assert streams.printable("250 µs, 3 Ω, ±1, R², 2 × 3…", "ascii") == "250 us, 3 ohm, +-1, R^2, 2 x 3..."
    assert streams.printable("250 µs, 3 Ω", "latin-1") == "250 µs, 3 ohm"
    assert streams.printable("café", "ascii") == r"caf\xe9"
    assert streams.printable("a\u00a0b \u200b\ud800", "utf-8") == r"a\xa0b \u200b\ud800"
    assert streams.printable("naïve 数 [v2]") == "naïve 数 [v2]"


@pytest.mark.parametrize("error", [InputError("a\nb\x1b[2J"), OSError("a\r\nb"), RuntimeError("a\n[/x]\nb")])
def test_an_error_is_one_line_whatever_its_text(call, error, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("memsim.runs.training.run", fail)
    shown = call("run or.toml --quiet")
    (line,) = shown.err.splitlines()
    assert line.isprintable()
    assert re.match(r"memsim: error: .*a(\\r)?\\n(\[/x\]\\n)?b", line)


def test_a_warning_is_one_line_too(call, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    call("devices")
    assert warnings.formatwarning(UserWarning("a\nb\x1b"), UserWarning, "file", 1) == "warning: a\\nb\\x1b\n"


def test_a_wrong_command_line_is_one_line_whatever_its_words(refused):
    refused(r"'a\\nb\\x1b\[2J'", "a\nb\x1b[2J")
    refused(r"a\\nb", "trace", "info", "a\nb")


# Terminals


@pytest.fixture
def terminal(monkeypatch):
    """Have stdout be a terminal of some width."""

    def wide(columns):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "dumb")

    return wide


@pytest.mark.parametrize("text", REPEATABLE, ids=short)
def test_no_width_cuts_a_number_or_a_name(call, folder, terminal, text, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")  # of no meaning to a pipe
    whole = call(text).out
    for columns in (120, 100, 80, 60, 40):
        terminal(columns)
        shown = call(text).out
        assert words_of(whole) - words_of(shown) == set(), columns
        assert "…" not in shown
        where = streams.printable(str(folder))  # lines to be copied are left whole
        long = [line for line in shown.splitlines() if len(line) > columns and len(line.split()) > 1]
        assert "--configuration" in text or [line for line in long if where not in line] == [], columns


def made_up():
    table = Table("bank", *numbers("peak\n/ bound"), "verdict", title="Margins", shared=1)
    table.row("synapses1", "0.809", Styled("pass", "green"))
    table.row("synapses1", "0.409", "")
    table.end_section()
    table.row("synapses2", "1.2e-05", "cannot tell")
    return table


def lines_at(width, shown, **settings):
    console = Console(file=io.StringIO(), width=width, **settings)
    console.print(shown, crop=False)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_table_that_does_not_fit_loses_its_frame_and_then_is_a_block_for_each_row():
    framed, bare, blocks = (lines_at(width, made_up()) for width in (40, 36, 28))
    assert framed[0] == bare[0] == "Margins"
    assert "│ synapses1 │   0.809 │ pass        │" in framed
    assert "│           │   0.409 │             │" in framed
    assert "synapses1   0.809 pass" in bare
    assert "synapses2 1.2e-05 cannot tell" in bare
    assert blocks == [
        "Margins",
        "bank: synapses1", "  peak / bound: 0.809", "  verdict: pass",
        "bank: synapses1", "  peak / bound: 0.409",
        "bank: synapses2", "  peak / bound: 1.2e-05", "  verdict: cannot tell",
        "",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [30, 45, 60, 70, 90, 120])
def test_a_bar_cuts_no_number(width):
    terminal = Console(file=io.StringIO(), force_terminal=True, width=width, record=True)
    bar = progress_bar(
        "{task.completed:.0f}/{task.total:.0f}", "error {task.fields[error]}", speed="{task.fields[speed]}", on=terminal
    )
    bar.add_task(
        "training [/x]\x1b[2J", total=200000, completed=100000, error="1.234e-05", speed="1.23e+08 device-steps/s"
    )
    terminal.print(bar.get_renderable())
    shown = terminal.export_text()
    assert "\x1b" not in shown
    for whole, part in (("100000/200000", "00/"), ("1.234e-05", "error"), ("1.23e+08 device-steps/s", "1.23e+")):
        assert (whole in shown) == (part in shown)
    assert ("100000/200000" in shown) == (width >= 45)


def test_progress_is_a_bar_in_a_notebook_and_lines_where_it_cannot_show_one(monkeypatch, capsys):
    pytest.importorskip("ipywidgets")
    kernel = type("Shell", (), {"kernel": None})()
    monkeypatch.setitem(sys.modules, "IPython", type("IPython", (), {"get_ipython": staticmethod(lambda: kernel)}))
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    with Progress("driving") as progress:
        assert progress._bar is not None
    monkeypatch.setattr("memsim.terminal.streams.find_spec", lambda name: None)
    with Progress("driving") as progress:
        progress(1, 2)
    assert capsys.readouterr().err.startswith("driving: step 1/2  ")


# How a run ends


def test_a_run_ends_with_how_it_went_and_what_shows_it(call, folder):
    lines = call("run or.toml --out 'out.h5' --overwrite".replace("'", "")).out.splitlines()
    assert re.fullmatch(
        r"learned [0-2] of 2 realisations \(95 % interval: [\d.]+ to [\d.]+ %\); "
        r"learned is a total error under 0\.1 in the last epoch",
        lines[-3],
    )
    assert lines[-2].startswith("wrote ")
    assert re.fullmatch(r"'memsim trace plot .*' draws it, 'memsim trace view .*' shows it in the browser", lines[-1])


def test_a_run_of_classes_ends_with_its_accuracy(call):
    shown = call("trace info run.h5").out
    assert re.search(
        r"\naccuracy [\d.]+ .*on the 8 training samples; right is a sample whose class has the largest", shown
    )


# Figures


def test_names_of_classes_stand_in_their_figure_as_they_are(call, folder):
    assert call("trace plot run.h5 --classes --out run.svg --overwrite").status == 0
    assert (folder / "run.svg").read_text(encoding="utf-8").count("<!-- [b]a[/x] :a: $^$ -->") == 2


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_figures_text_is_no_formula(tmp_path, ending):
    figure = new_figure(3, 2)
    axes = figure.add_subplot()
    axes.set(title=f"{HOSTILE} $\\frac{{1}}$", xscale="log", xlabel="$x^$")
    axes.plot([1, 1000], [0, 1], label="$x^$\x1b")
    axes.set_yticks([0, 1], ["$x^$", "\x1b$\\bad$"])
    axes.legend()
    save(figure, tmp_path / f"figure.{ending}", overwrite=False)
    if ending == "svg":
        text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "$x^$" in text
        assert "<!-- $\\mathdefault{10^{1}}$ -->" in text
