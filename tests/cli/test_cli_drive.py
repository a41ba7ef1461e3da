"""``memsim drive``: its examples, its output, and one line with status 2 for bad input."""

import os
import re
import signal

import numpy as np
import pytest
from interrupting import in_fork
from places import EXAMPLES

import memsim
from memsim.cli import main
from memsim.driving.drive import run
from memsim.driving.drive_configuration import load_drive_configuration
from memsim.driving.drive_figure import figure_of
from memsim.driving.drive_report import show_drive
from memsim.driving.waveforms import Pulse, Pulses, Sinusoid
from memsim.errors import InputError, RunFileError
from memsim.terminal.progress import Progress

SHORT = """
[time]
dt = 1e-3
duration = 0.1

[device]
model = "node"

[bank]
count = 2

[[drive]]
waveform = "csv"
path = "drive.csv"

[[drive]]
waveform = "pulses"
devices = [1]
pulses = [{ start = 0.02, width = 0.03, amplitude = 1e-4 }]
"""


@pytest.fixture
def folder(tmp_path):
    """A short configuration beside its CSV file."""
    (tmp_path / "drive.toml").write_text(SHORT)
    (tmp_path / "drive.csv").write_text("time,amplitude\n0,0\n0.1,2e-4\n")
    return tmp_path


@pytest.fixture
def call(capsys):
    """Call the command line: exit status, stdout, stderr."""

    def called(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["drive", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


@pytest.mark.parametrize("example", ["hysteresis.toml", "waveform.toml"])
def test_the_examples_run_and_draw(call, tmp_path, example):
    plot, out = tmp_path / "trace.png", tmp_path / "trace.h5"
    status, shown, _ = call(EXAMPLES / example, "--plot", plot, "--out", out)
    assert status == 0
    assert f"wrote {plot}" in shown
    assert f"wrote {out}" in shown
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_loops_of_the_example_are_open_and_shrink_with_frequency():
    trace = run(load_drive_configuration(EXAMPLES / "hysteresis.toml"))
    openings = []
    for device, frequency in enumerate((0.5, 1.0, 5.0)):
        half = round(0.5 / frequency / trace.dt)
        current, voltage = trace.current[:half, device], trace.voltage[:half, device]
        openings.append(abs(np.trapezoid(current, voltage)) / (current.max() * voltage.max()))
    assert openings == sorted(openings, reverse=True)
    assert openings[0] > 0.3
    assert openings[1] > 0.05
    assert np.abs(trace.rows_at_bound).sum() == 0


def test_the_summary_shows_devices_steps_energy_peaks_and_bounds(call, folder):
    status, shown, errors = call(folder / "drive.toml", "--set", "bank.initial=[0.0, 5e-9]", "--quiet")
    assert (status, errors) == (0, "")
    assert "2 node devices driven by a current, 100 steps of 1 ms = 0.1 s" in shown
    rows = [re.split(r"\s*│\s*", line.strip("│ ")) for line in shown.splitlines() if "boundary" in line]
    trace = run(load_drive_configuration(folder / "drive.toml", ["bank.initial=[0.0, 5e-9]"]))
    assert rows[0][1] == "drive.csv"
    assert rows[1][1] == "drive.csv + a pulse of 100 µA"
    assert rows[0][2] == f"{trace.energy[0] * 1e6:.4g} µJ"
    assert rows[0][3] == f"{trace.voltage[:, 0].max():.4g} V"
    assert rows[1][-1].strip("│ ") == "100"


def test_what_the_waveform_leaves_out_is_noted(call, folder):
    status, shown, _ = call(
        folder / "drive.toml", "--set", "time.dt=1e-2", "--set", "drive.0.path=" + str(folder / "f")
    )
    assert status == 2
    (folder / "f").write_text("time,amplitude\n0,0\n0.015,1e-4\n0.1,0\n")
    status, shown, _ = call(
        folder / "drive.toml", "--set", "time.dt=1e-2", "--set", "drive.0.path=" + str(folder / "f")
    )
    assert status == 0
    assert "note: f: 1 of 3 samples lie between the boundaries of steps" in shown


def test_a_file_drives_again_after_its_csv_is_gone(call, folder):
    status, first, _ = call(folder / "drive.toml", "--out", folder / "trace.h5")
    (folder / "drive.csv").unlink()
    status, again, _ = call(folder / "trace.h5", "--out", folder / "again.h5")
    assert status == 0
    assert first.splitlines()[:-1] == again.splitlines()[:-1]
    with memsim.open_drive(folder / "trace.h5") as one, memsim.open_drive(folder / "again.h5") as other:
        assert np.array_equal(one.state, other.state)
    status, _, _ = call(folder / "trace.h5", "--set", "drive.1.devices=[0]")
    assert status == 0


def test_a_field_of_an_entry_is_set_by_its_number(folder):
    config = load_drive_configuration(folder / "drive.toml", ["drive.0.beyond=hold", "time.duration=0.2"])
    assert config.drive[0].waveform.beyond == "hold"
    assert config.time.steps == 200


def change(old: str, new: str) -> str:
    assert old in SHORT
    return SHORT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (change("dt = 1e-3", "dt = -1e-3"), r"time.dt: must be greater than 0 \(got -0.001\)"),
        (change("dt = 1e-3", "dt = nan"), r"time.dt: must be a finite number"),
        (change("dt = 1e-3", ""), "time.dt: is missing"),
        (change("duration", "duraton"), "did you mean 'duration'"),
        (change("[bank]", "[bnak]"), "bnak: no such setting; did you mean 'bank'"),
        (change("[bank]", "[imperfections]\n[bank]"), "imperfections: a drive has perfect devices, sources and meters"),
        (change('"node"', '"nod"'), r"device.model: must be one of .*\(got 'nod'\); did you mean 'node'"),
        (change('"node"', '"node"\nthreshhold = 1.0'), "device.threshhold: no such setting; did you mean 'threshold'"),
        (change('"csv"', '"cvs"'), r"drive.0.waveform: must be one of .*\(got 'cvs'\); did you mean 'csv'"),
        (change("path", "pth"), "drive.0.*did you mean 'path'"),
        (change("devices", "device"), "drive.1.device: no such setting; did you mean 'devices'"),
        (change("[1]", "[2]"), r"drive.1.devices: must be from 0 to 1 \(got 2\)"),
        (change("0.02, width", "0.0205, width"), r"drive.1.pulses.0.start: .* dt = 0\.001 s \(got 0\.0205 s\)"),
        (change("amplitude = 1e-4", "amplitude = inf"), "drive.1.pulses.0.amplitude: must be a finite number"),
        (change("count = 2", "count = 2\ninitial = 1"), "bank.initial.boundary: must lie from"),
        (change("duration = 0.1", "duration = 0.2"), "drive.0.beyond: samples of drive.csv lie from 0 s to 0.1 s"),
        (SHORT.replace("[[drive]]", "[drive]", 1).partition("[[drive]]")[0], r"drive: must be a list.*\[\[drive\]\]"),
        (SHORT.partition("[[drive]]")[0], "drive: is missing"),
        ("[time\n", "is not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_status_2(call, folder, text, message):
    (folder / "drive.toml").write_text(text)
    assert_refused(call(folder / "drive.toml", "--out", folder / "trace.h5"), message)
    assert not (folder / "trace.h5").exists()


def assert_refused(result, message):
    status, _, errors = result
    assert status == 2
    assert errors.count("\n") == 1
    assert errors.startswith("memsim: error: ")
    assert re.search(message, errors), errors


def test_a_wrong_csv_file_is_refused_with_its_line(call, folder):
    (folder / "drive.csv").write_text("time,amplitude\n0,0\n0.1\n")
    assert_refused(call(folder / "drive.toml"), r"drive.0.*drive\.csv: line 3: must have 2 cells \(got 1\)")
    (folder / "drive.csv").unlink()
    assert_refused(call(folder / "drive.toml"), r"drive\.csv: no such file")


def test_a_missing_configuration_is_refused(call, tmp_path):
    assert_refused(call(tmp_path / "missing.toml"), "no such file; check the path")


def test_files_that_exist_are_left_alone_without_overwrite(call, folder):
    for option, name in (("--out", "trace.h5"), ("--plot", "trace.png")):
        target = folder / name
        target.write_bytes(b"mine")
        assert_refused(call(folder / "drive.toml", option, target), "exists; name another file.*--overwrite")
        assert target.read_bytes() == b"mine"
        assert call(folder / "drive.toml", option, target, "--overwrite")[0] == 0
        assert target.read_bytes() != b"mine"


@pytest.mark.parametrize(("option", "name"), [("--out", "trace.h5"), ("--plot", "trace.png")])
def test_files_that_cannot_be_written_are_refused(call, folder, monkeypatch, option, name):
    assert_refused(call(folder / "drive.toml", option, f"/dev/null/{name}"), "there is no folder")
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write anywhere
    assert_refused(call(folder / "drive.toml", option, folder / name), "cannot be written; check the permissions")


def test_a_plot_of_no_known_kind_is_refused_before_the_drive(call, folder):
    result = call(folder / "drive.toml", "--out", folder / "trace.h5", "--plot", folder / "trace.docx")
    assert_refused(result, "must end in .*png")
    assert not (folder / "trace.h5").exists()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("drive.7.amplitude=1", "--set: drive.7: no such entry; there are 2, counted from 0"),
        ("dt=1", "--set: must be section.field=value"),
        ("time.dt=0", "time.dt: must be greater than 0"),
    ],
)
def test_a_wrong_assignment_is_refused(call, folder, assignment, message):
    assert_refused(call(folder / "drive.toml", "--set", assignment), message)


def test_a_drive_that_fails_is_one_line_and_status_1(call, folder):
    text = SHORT.replace('"node"', '"node"\nequation = 12').replace("count = 2", 'count = 2\ndrive = "voltage"')
    (folder / "drive.toml").write_text(text.replace("1e-4", "1e3"))
    status, _, errors = call(folder / "drive.toml", "--quiet")
    assert status == 1
    assert re.fullmatch(r"memsim: error: step \d+ .*device 1: the current is inf A.*\n", errors)


def test_ctrl_c_keeps_the_rows_so_far(call, folder, monkeypatch):
    def stop(self, done, steps):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.terminal.progress.Progress.__call__", stop)
    monkeypatch.setattr("memsim.driving.drive.CHUNK_VALUES", 100)
    status, _, errors = call(folder / "drive.toml", "--out", folder / "trace.h5")
    assert status == 130
    assert "keeps the rows so far" in errors
    with memsim.open_drive(folder / "trace.h5") as trace:
        assert not trace.finished
        assert 0 < trace.steps < 100
        figure_of(trace)


def test_the_file_of_a_drive_that_was_killed_says_so_and_can_be_made_again(call, folder, monkeypatch):
    config, path = load_drive_configuration(folder / "drive.toml"), folder / "trace.h5"
    monkeypatch.setattr("memsim.driving.drive.CHUNK_VALUES", 100)

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_fork(lambda: run(config, out=path, progress=die)) == signal.SIGKILL
    monkeypatch.setattr("memsim.traces.reader.OPENING_SECONDS", 0.1)  # nobody will write on
    with pytest.raises(RunFileError, match=r"trace\.h5: whoever wrote it was killed before it was closed; make it"):
        memsim.open_drive(path)
    assert call(folder / "drive.toml", "--out", path, "--overwrite", "--quiet")[0] == 0
    memsim.open_drive(path).close()


def test_help_shows_examples(call):
    status, shown, _ = call("--help")
    assert status == 0
    assert "memsim drive examples/hysteresis.toml --plot loops.png" in shown


def test_a_figure_has_a_loop_for_each_device_and_axes_with_units():
    waveforms = [Sinusoid(amplitude=1e-4, frequency=f) for f in (1.0, 2.0)]
    figure = figure_of(memsim.drive(memsim.Node(), waveforms, dt=1e-3, duration=1.0))
    loops, drive, response, state = figure.axes
    assert loops.get_xlabel() == "voltage (mV)"
    assert loops.get_ylabel() == "current (µA)"
    assert drive.get_ylabel() == "current (µA)"
    assert response.get_ylabel() == "voltage (mV)"
    assert state.get_ylabel() == "boundary (nm)"
    assert state.get_xlabel() == "time (s)"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["sinusoid 100 µA, 1 Hz", "sinusoid 100 µA, 2 Hz"]


def test_a_figure_of_a_large_bank_and_a_long_drive_says_what_it_leaves_out():
    waveform = Sinusoid(amplitude=1e-4, frequency=1.0)
    figure = figure_of(memsim.drive(memsim.Node(), waveform, dt=1e-3, duration=25.0, devices=30))
    assert "the first 7 of 30 devices, 1 of 2 rows drawn" in figure.get_suptitle()
    assert figure.legends[0].get_texts()[1].get_text().startswith("device 1: ")


def test_a_figure_of_several_variables_tells_them_apart():
    device = memsim.ThresholdMemristor(thresholds=(1e-3, 2e-3, 3e-3), window=1e-3)
    waveform = Pulses(pulses=[Pulse(width=0.01, amplitude=2.5e-3)])
    figure = figure_of(memsim.drive(device, waveform, dt=1e-3, duration=0.02, initial={"learning_rate": 1e5}))
    state = figure.axes[3]
    assert [text.get_text() for text in state.get_legend().get_texts()] == ["weight1", "weight2", "bias"]
    assert state.get_ylabel() == "states"


def test_a_drive_without_rows_cannot_be_drawn(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.driving.drive._Bank.advance", stop)
    with pytest.raises(KeyboardInterrupt):
        memsim.drive(memsim.Node(), Sinusoid(amplitude=1.0, frequency=1.0), dt=1e-2, duration=1.0, out=tmp_path / "t")
    with memsim.open_drive(tmp_path / "t") as trace, pytest.raises(InputError, match="has no rows to draw"):
        figure_of(trace)


def test_progress_is_plain_lines_where_the_output_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    for quiet, lines in ((False, 1), (True, 0)):
        with Progress("driving", quiet=quiet) as progress:
            progress(500, 1000)
        assert capsys.readouterr().err.count("driving: step 500/1,000") == lines


def test_progress_is_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress("driving") as progress:
        progress(500, 1000)
        assert progress._bar is not None
        assert progress._bar.tasks[0].percentage == 50.0


def test_the_summary_of_a_large_bank_shows_the_first_devices_and_the_sum(capsys):
    waveform = Sinusoid(amplitude=1e-4, frequency=1.0)
    show_drive(memsim.drive(memsim.Node(), waveform, dt=1e-2, duration=1.0, devices=25))
    shown = capsys.readouterr().out
    assert shown.count("│ boundary") == 20
    assert "and 5 devices more; energy of all: " in shown


COARSE = """
[time]
dt = 1e-6
duration = 1e-3

[device]
model = "vteam"
preset = "pt-hf-ti"

[bank]
drive = "voltage"
initial = 5e-9

[[drive]]
waveform = "triangle"
amplitude = 1.0
frequency = 1e3
"""


def test_a_drive_says_where_a_step_leads_far_and_where_none_can_move_a_state(cli, tmp_path, monkeypatch):
    (tmp_path / "coarse.toml").write_text(COARSE)
    done = cli("drive", tmp_path / "coarse.toml", "--quiet", "--out", tmp_path / "coarse.h5")
    assert done.status == 0
    assert "note: position of device 0 moves by up to 0.29 of its range in one step of 1 µs; take a smaller" in done.out
    with memsim.open_drive(tmp_path / "coarse.h5") as trace:
        assert trace.largest_step[0, 0] == np.abs(np.diff(trace.state[:, 0], prepend=5e-9)).max()
    fine = cli("drive", "examples/hysteresis.toml", "--quiet")
    assert "in one step" not in fine.out
    assert "cannot move" not in fine.out
