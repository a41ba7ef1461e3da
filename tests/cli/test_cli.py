"""The command line: help, commands, files that exist, Ctrl-C."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from places import EXAMPLES
from rich.console import Console

import memsim
from memsim.cli import COMMANDS, main
from memsim.devices import MODELS
from memsim.reporting import margins_table
from memsim.reproduction.reproduction_progress import ReproductionProgress
from memsim.runs.margins import BankMargins
from memsim.terminal.progress import TrainingProgress
from memsim.terminal.screen import progress_bar
from memsim.terminal.si import clock, counted, duration
from memsim.traces import locks

# Where memsim was imported from: a process of its own must find the same one.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1])}

TOML = """
[run]
realisations = 3
threads = 1

[time]
pulse_steps = 4

[network]
kind = "mlp"

[learning]
epochs = 5

[data]
gate = "or"
samples = 12
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "or.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The bytes of its run file."""
    folder = tmp_path_factory.mktemp("done")
    (folder / "or.toml").write_text(TOML)
    with pytest.raises(SystemExit, match="0"):
        main(["run", str(folder / "or.toml"), "--out", str(folder / "done.h5"), "--quiet"])
    return (folder / "done.h5").read_bytes()


@pytest.fixture
def run_file(done, source):
    target = source.with_name("done.h5")
    target.write_bytes(done)
    return target


def python(*arguments, **options):
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True, check=False, **options
    )


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_examples(cli, command):
    for flag in ("--help", "-h"):
        shown = cli(command, flag)
        assert (shown.status, shown.err) == (0, "")
        assert f"Usage: memsim {command}" in shown.out
        assert re.search(rf"Examples:\n\s+memsim {command}\b", shown.out)


def test_help_lists_every_command_and_shows_examples(cli):
    shown = cli("--help").out
    assert re.search(r"Examples:\n\s+memsim reproduce", shown)
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name}\s+{re.escape(line.split()[0])}", shown, re.MULTILINE)


def test_the_helps_examples_name_files_that_are_there(cli):
    for command in ("--help", *([name, "--help"] for name in COMMANDS)):
        shown = cli(*([command] if isinstance(command, str) else command)).out
        for name in re.findall(r"examples/\w+\.toml", shown):
            assert (EXAMPLES.parent / name).is_file(), name


def test_help_and_version_load_no_numerical_package():
    heavy = ("numba", "numpy", "h5py", "matplotlib", "pydantic", "rich")
    code = (
        "import sys\nfrom memsim.cli import main\n"
        "try:\n    main([sys.argv[1]])\n"
        f"finally:\n    print('loaded:', *[name for name in {heavy} if name in sys.modules], file=sys.stderr)\n"
    )
    for flag in ("--help", "--version"):
        done = python("-c", code, flag)
        assert done.returncode == 0
        assert done.stderr.strip() == "loaded:"


def test_version_is_the_packages(cli):
    assert cli("--version").out.startswith("memsim ")


def test_memsim_runs_as_a_module():
    assert "Usage: memsim" in python("-m", "memsim", "--help").stdout


@pytest.mark.parametrize("arguments", [["rnu"], ["run", "--unknown"], ["run"], ["schedule", "x", "--sample", "-1"]])
def test_a_wrong_command_line_is_status_2(cli, arguments):
    result = cli(*arguments)
    assert result.status == 2
    assert result.err.startswith("memsim: error: ")
    assert result.err.count("\n") == 1
    assert ".;" not in result.err


def test_a_wrong_command_line_names_the_help_that_helps(refused):
    refused(r"No such command 'info'; memsim --help shows the usage\n$", "info")
    refused(r"No such command 'inof'; memsim trace --help shows the usage\n$", "trace", "inof", "x.h5")
    refused(r"No such option .*--plot.*; memsim trace plot --help shows the usage\n$", "trace", "plot", "--plot")


def test_a_group_without_a_command_shows_its_help(cli):
    for words, usage in (([], "Usage: memsim [OPTIONS]"), (["trace"], "Usage: memsim trace [OPTIONS]")):
        result = cli(*words)
        assert result.status == 2
        assert result.err.startswith(usage)
        assert "--help shows" not in result.err


def test_numbers_of_errors_are_not_shown(cli, source, monkeypatch):
    def fail(*_, **__):
        raise OSError(5, "Input/output error", "run.h5")

    monkeypatch.setattr("memsim.runs.training.run", fail)
    assert cli("run", source, "--quiet").err == "memsim: error: Input/output error: 'run.h5'\n"


def test_debug_shows_the_traceback(cli, tmp_path):
    result = cli("--debug", "run", tmp_path / "missing.toml")
    assert result.status == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("memsim: error: ")


def test_an_error_nobody_expected_is_one_line_and_status_1(cli, source, monkeypatch):
    monkeypatch.setattr("memsim.runs.training.run", lambda *_, **__: 1 / 0)
    result = cli("run", source, "--quiet")
    assert result.status == 1
    assert re.fullmatch(r"memsim: error: ZeroDivisionError: .*please report this.*\n", result.err)


# memsim run


def test_run_shows_margins_first_and_writes_beside_where_it_is_called(cli, source, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = cli("run", source)
    assert result.status == 0
    assert result.err == "training: 5 epochs\n"
    assert result.out.startswith("Margins")
    assert "epoch 5: total error" in result.out
    assert "wrote or.h5" in result.out
    with memsim.open_run("or.h5") as run:
        assert run.total_error.shape == (5, 3)


def test_run_takes_assignments_and_threads(cli, source):
    target = source.with_name("out.h5")
    result = cli("run", source, "--out", target, "--set", "learning.epochs=2", "--threads", "2", "--quiet")
    assert (result.status, result.err) == (0, "")
    with memsim.open_run(target) as run:
        assert run.total_error.shape == (2, 3)
        assert run.config.run.threads == 2


def test_a_file_that_exists_is_kept_without_overwrite_and_replaced_with_it(cli, refused, source):
    target = source.with_name("out.h5")
    target.write_bytes(b"mine")
    refused(r"out\.h5: exists; name another file.*--overwrite", "run", source, "--out", target)
    assert target.read_bytes() == b"mine"
    assert cli("run", source, "--out", target, "--overwrite", "--quiet").status == 0
    with memsim.open_run(target) as run:
        assert run.finished


@pytest.mark.parametrize("options", [[], ["--overwrite"]])
def test_a_run_is_not_written_over_its_own_file(refused, run_file, monkeypatch, options):
    """Its default target, too, is the file itself where that lies in the working folder."""
    whole, folder = run_file.read_bytes(), run_file.parent
    (folder / "link.h5").symlink_to(run_file)
    (folder / "hard.h5").hardlink_to(run_file)
    monkeypatch.chdir(folder)
    message = r"is the run itself; --resume goes on with it, --out FILE makes it again under another name"
    refused(rf"done\.h5: {message}", "run", "done.h5", *options)
    for name in ("done", "link", "hard"):
        refused(rf"{name}\.h5: {message}", "run", run_file, "--out", f"{name}.h5", *options)
    assert run_file.read_bytes() == whole


def test_a_configuration_is_not_written_over(refused, source):
    before = source.read_bytes()
    refused(r"or\.toml: is the configuration itself; name another file", "run", source, "--out", source, "--overwrite")
    assert source.read_bytes() == before


def test_a_run_that_can_go_on_is_said_to(refused, source, run_file):
    """One that is finished is a file like others."""
    refused(r"done\.h5: exists; name another file, or allow it to be replaced", "run", source, "--out", run_file)
    with h5py.File(run_file, "r+") as file:
        file["committed/stopped"][()] = 1
    refused(r"done\.h5: exists; .* go on with its run by --resume, .*--overwrite", "run", source, "--out", run_file)


def test_resuming_a_finished_run_says_that_nothing_is_left(cli, source, run_file, tmp_path):
    before = run_file.read_bytes()
    odd = run_file.rename(tmp_path / "done.run")  # what it holds says what it is
    for arguments in ([source, "--out", odd], [odd]):
        result = cli("run", *arguments, "--resume")
        assert (result.status, result.err) == (0, "")
        assert result.out == f"{odd} is finished after 5 epochs; --set learning.epochs=N goes on for more\n"
    assert odd.read_bytes() == before
    more = cli("run", odd, "--resume", "--set", "learning.epochs=6", "--quiet")
    assert f"\nwrote {odd}\n" in more.out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("or.toml/below.h5", "there is no folder .*make it first"),
        ("none/out.h5", "there is no folder .*make it first"),
        (".", "is a folder; name a file in it"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused(refused, source, tmp_path, target, message):
    refused(message, "run", source, "--out", tmp_path / target, "--overwrite")


def test_a_folder_without_permission_is_refused(refused, source, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write anywhere
    refused("cannot be written; check the permissions of", "run", source, "--out", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_a_text_or_a_broken_file_is_no_source(refused, run_file, tmp_path):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(run_file.read_bytes()[:5000])
    cut = rf"is cut off: 5\.0 of {run_file.stat().st_size / 1e3:.1f} kB are there; copy it again"
    refused(cut, "run", broken, "--out", tmp_path / "out.h5")


def test_files_of_other_commands_are_refused_with_what_to_do(refused, source, run_file, tmp_path):
    drive = EXAMPLES.parent / "tests" / "data" / "drive-schema-1.h5"
    draws = rf"is a file of memsim drive; 'memsim drive {drive} --plot loops\.png' draws it"
    refused(draws, "run", drive, "--out", tmp_path / "out.h5")
    refused(draws, "trace", "info", drive)
    refused(rf"is a file of memsim run; 'memsim trace info {run_file}' shows it", "drive", run_file)
    refused(r"or\.toml: is no HDF5 file; a configuration goes to memsim run", "trace", "verify", source)


def test_a_folder_that_takes_no_files_is_named(refused, source):
    """Where os.access allows it, too, as it allows root anything; /proc takes no files from anybody."""
    refused("^memsim: error: /proc/x.h5: cannot be written; check the permissions of /proc\n", "run", source, "--out",
            "/proc/x.h5")  # fmt: skip


def test_a_lock_that_cannot_be_made_is_no_other_run(tmp_path):
    with pytest.raises(OSError, match=f"run.h5: cannot be written; check the permissions of {tmp_path}/none$"):
        locks.new(tmp_path / "none" / ".run.h5.new", tmp_path / "none" / "run.h5")


# memsim devices, schedule, info


def test_devices_lists_all_models_and_shows_each(cli):
    shown = cli("devices").out
    for name, model in MODELS.items():
        assert f"{name}" in shown
        assert model.title in shown
        one = cli("devices", name)
        assert one.status == 0
        assert one.out.startswith(f"{name}: {model.title}")
        for line in model.equations.splitlines():
            assert line.strip() in one.out
        for field in model.model_fields:
            assert field == "model" or re.search(rf"│ {field} ", one.out), field
        for variable in model().state_variables():
            assert re.search(rf"│ {variable.name} ", one.out)
        assert " ".join(model.source.split()) in " ".join(one.out.split())
        for preset, parameters in model.presets.items():
            assert f"{preset}: {parameters.origin}" in " ".join(one.out.split())
            for value in parameters.values.values():
                assert f" {value:g} " in one.out if isinstance(value, float) else f" {value} " in one.out


def test_devices_shows_ranges_choices_and_where_values_come_from(cli):
    shown = cli("devices", "yakopcic").out
    assert re.search(r"│ x_p +│ 1 +│ 0\.3 +│ >= 0, < 1 +│ where growing states slow down \[1\] +│", shown)
    assert re.search(r"│ eta +│ 1 +│ 1 +│ 1, -1 +│", shown)
    assert re.search(r"│ a1 +│ 0\.17 +│ 0\.11 +│ 3\.7e-07 +│", shown)
    assert re.search(r"^\[1\] common in public models after Yakopcic", shown, re.MULTILINE)
    assert "joglekar" in cli("devices", "ion-drift").out


def test_what_devices_prints_fits_a_terminal_of_80_columns():
    for name, model in MODELS.items():
        if name not in ("node", "threshold-memristor"):
            assert max(len(line) for line in model.equations.splitlines()) <= 80, name


def test_an_unknown_device_is_refused_with_the_known_ones(refused):
    refused(
        r"NAME: must be one of synapse, node, threshold-memristor, carrier-memristor, ion-drift, team, vteam, "
        r"yakopcic, pershin-di-ventra \(got 'neuron'\)",
        "devices",
        "neuron",
    )


def test_schedule_shows_the_slots_and_the_share_of_each_phase(cli, source):
    shown = cli("schedule", source).out
    phases = re.findall(r"^│ (READ|RESTORE|BACKREAD|WRITE)\s", shown, re.MULTILINE)
    assert phases == ["READ", "READ", "RESTORE"] * 2 + ["BACKREAD"] + ["WRITE"] * 4
    assert "one sample: 44 steps of 0.00025 s = 0.011 s" in shown
    assert re.search(r"WRITE\s+16 steps\s+36\.4%", shown)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_schedule_draws_a_timing_diagram(cli, source, tmp_path, ending):
    plot = tmp_path / f"timing.{ending}"
    assert f"wrote {plot}" in cli("schedule", source, "--plot", plot, "--sample", "3").out
    signature = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert plot.read_bytes().startswith(signature)


def test_schedule_refuses_a_plot_that_it_cannot_draw(refused, source, tmp_path):
    plot = tmp_path / "timing.png"
    plot.write_bytes(b"mine")
    for arguments, message in (
        (["--plot", plot], "exists; name another file"),
        (["--plot", tmp_path / "timing.docx"], r"must end in \."),
        (["--plot", tmp_path / "new.png", "--sample", "12"], r"--sample: must be below .*, 12 \(got 12\)"),
    ):
        refused(message, "schedule", source, *arguments)
    assert plot.read_bytes() == b"mine"
    assert not (tmp_path / "new.png").exists()


def test_schedule_reads_a_run_file_too(cli, source, run_file):
    assert cli("schedule", run_file).out == cli("schedule", source).out


def test_info_shows_margins_and_results(cli, run_file):
    shown = cli("trace", "info", run_file).out
    assert shown.startswith(f"{run_file}: finished\n")
    assert "data or: 12 samples" in shown
    assert "; 3 realisations; " in shown
    assert shown.index("Margins") < shown.index("epoch 5: total error")
    for bank in ("synapses1", "nodes1", "synapses2", "nodes2"):
        assert bank in shown


def test_infos_configuration_gives_the_same_run(cli, run_file, tmp_path):
    (tmp_path / "again.toml").write_text(cli("trace", "info", run_file, "--configuration").out)
    assert cli("run", tmp_path / "again.toml", "--out", tmp_path / "again.h5", "--quiet").status == 0
    with memsim.open_run(run_file) as one, memsim.open_run(tmp_path / "again.h5") as other:
        assert np.array_equal(one.total_error, other.total_error)


def test_info_of_what_is_no_run_file_is_one_line(cli, source, tmp_path):
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["values"] = [1, 2]
    for path, message in (
        (source, "is no HDF5 file; a configuration goes to memsim run"),
        (tmp_path / "missing.h5", "no such file"),
        (tmp_path / "foreign.h5", "is no run file: its convention is None"),
    ):
        result = cli("trace", "info", path)
        assert result.status != 0
        assert result.out == ""
        assert result.err.count("\n") == 1
        assert re.match(rf"memsim: error: .*{message}", result.err)


def test_info_says_that_a_run_has_not_finished(cli, run_file):
    with h5py.File(run_file, "r+") as file:
        file["committed/finished"][()] = 0
    shown = cli("trace", "info", run_file).out
    assert f"the run has not finished: 5 of 5 epochs are complete; 'memsim run {run_file} --resume' goes on" in shown


def test_progress_is_plain_lines_where_the_output_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    with TrainingProgress(10) as progress:
        assert capsys.readouterr().err == ""
        progress.start()
        progress.update(5, 1.25, 1000)
    shown = capsys.readouterr().err
    assert shown.startswith("training: 10 epochs\nepoch 5/10  error 1.25")
    with TrainingProgress(10, quiet=True) as progress:
        progress.start()
        progress.update(5, 1.25, 1000)
    assert capsys.readouterr().err == ""


def test_progress_is_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with TrainingProgress(10) as progress:
        progress.start()
        progress.update(5, 1.25, 1000)
        assert progress._shown._bar.tasks[0].percentage == 50.0
    with ReproductionProgress(2, 20) as progress:
        progress.run("one", 10).update(10, 1.0, 1)
        progress.run("two", 10).update(5, 1.0, 1)
        assert progress._shown._bar.tasks[0].percentage == 75.0


@pytest.mark.parametrize(("width", "speed"), [(80, False), (160, True)])
def test_a_bar_leaves_room_for_all_that_is_told(width, speed):
    terminal = Console(file=io.StringIO(), force_terminal=True, width=width, record=True)
    bar = progress_bar(
        "{task.completed:.0f}/{task.total:.0f}", "error 1.234e-05", speed="1.23e+08 device-steps/s", on=terminal
    )  # fmt: skip
    bar.add_task("training", total=200000, completed=100000)
    terminal.print(bar.get_renderable())
    (line,) = terminal.export_text().splitlines()
    assert re.fullmatch(r"training [\u2501\u2578\u257a]{10,40} +50 % 100000/200000 error 1.234e-05 .*-:--:-- *", line)
    assert len(re.findall("[\u2501\u2578\u257a]", line)) >= 20
    assert ("device-steps/s" in line) == speed


def test_the_pace_of_a_run_that_goes_on_is_that_of_its_new_epochs(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("memsim.terminal.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    progress = TrainingProgress(900)
    progress.update(500, 1.0, 5_000_000)
    now[0] = 100.0
    progress.update(600, 0.5, 6_000_000)
    now[0] = 110.0
    progress.update(700, 0.25, 7_100_000)
    assert capsys.readouterr().err.splitlines() == [
        "epoch 500/900  error 1",
        "epoch 600/900  error 0.5  1.00e+04 device-steps/s  300 s left",
        "epoch 700/900  error 0.25  1.91e+04 device-steps/s  110 s left",
    ]


def test_margins_count_one_as_one():
    counts = {"bounds_in_read": 1, "clipped_writes": 1, "read_disturbs": 0, "shortened_writes": 1200}
    terminal = Console(record=True, file=io.StringIO(), width=160)
    terminal.print(margins_table((BankMargins("nodes1", 0.5, 0.5, 0.5, 0.0, 0.0, counts),)))
    assert "│ 1 bound in read, 1 clipped write, 1,200 shortened writes │" in terminal.export_text()


def test_times_and_counts_are_said_in_one_way():
    assert [duration(t) for t in (5500.0, 999.0, 43.56, 2.5e-4)] == ["5,500 s", "999 s", "43.56 s", "250 µs"]
    assert [clock(t) for t in (3723.4, 59.6, 0.0)] == ["1:02:03", "0:01:00", "0:00:00"]
    assert [counted(n, "bank") for n in (0, 1, 1200)] == ["0 banks", "1 bank", "1,200 banks"]


# Ctrl-C


def test_a_second_ctrl_c_stops_at_once(monkeypatch):
    from memsim.terminal.interrupts import interrupts

    before = signal.getsignal(signal.SIGINT)
    with interrupts() as flag:
        signal.raise_signal(signal.SIGINT)
        assert flag.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_anywhere_is_status_130(capsys, monkeypatch, source):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.runs.training.run", stop)
    with pytest.raises(SystemExit) as end:
        main(["run", str(source), "--quiet"])
    assert end.value.code == 130
    assert capsys.readouterr().err == "\nmemsim: stopped\n"


def test_an_interrupt_after_the_run_began_says_how_to_go_on(cli, monkeypatch, source):
    def stop(*_, progress, **__):
        progress.start()
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.runs.training.run", stop)
    result = cli("run", source, "--out", "a b.h5", "--overwrite", "--quiet")
    assert result.status == 130
    kept = "a b.h5 keeps what was committed; 'memsim run 'a b.h5' --resume' goes on"
    assert result.err == f"{kept}\n\nmemsim: stopped\n"
