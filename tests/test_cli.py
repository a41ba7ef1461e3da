"""The command line: help, commands, files that exist, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import memsim
from memsim.cli import COMMANDS, main
from memsim.devices import MODELS
from memsim.reporting import ReproductionProgress, TrainingProgress

EXAMPLES = Path(__file__).parents[1] / "examples"
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


@pytest.fixture
def run_file(cli, source):
    target = source.with_name("done.h5")
    assert cli("run", source, "--out", target, "--quiet").status == 0
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


def test_debug_shows_the_traceback(cli, tmp_path):
    result = cli("--debug", "run", tmp_path / "missing.toml")
    assert result.status == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("memsim: error: ")


def test_an_error_nobody_expected_is_one_line_and_status_1(cli, source, monkeypatch):
    monkeypatch.setattr("memsim.training.run", lambda *_, **__: 1 / 0)
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


def test_a_run_file_can_replace_itself(cli, run_file):
    with memsim.open_run(run_file) as run:
        before = run.total_error
    assert cli("run", run_file, "--out", run_file, "--overwrite", "--quiet").status == 0
    with memsim.open_run(run_file) as run:
        assert np.array_equal(run.total_error, before)


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
    refused("is no HDF5 file, or a broken one", "run", broken, "--out", tmp_path / "out.h5")


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
        assert "arXiv:1807.04912" in one.out


def test_an_unknown_device_is_refused_with_the_known_ones(refused):
    refused(r"NAME: must be one of synapse, node, threshold-memristor \(got 'neuron'\)", "devices", "neuron")


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
        (source, "is no HDF5 file, or a broken one"),
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
    monkeypatch.setattr("memsim.reporting.PLAIN_SECONDS", 0.0)
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
        progress.update(5, 1.25, 1000)
        assert progress._bar.tasks[0].percentage == 50.0
    with ReproductionProgress(2, 10) as progress:
        progress.run("one", 10).update(10, 1.0, 1)
        progress.run("two", 10).update(5, 1.0, 1)
        assert progress._bar.tasks[0].percentage == 75.0


# Ctrl-C


def test_a_second_ctrl_c_stops_at_once(monkeypatch):
    from memsim.training import interrupts

    with interrupts() as flag:
        signal.raise_signal(signal.SIGINT)
        assert flag.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_anywhere_is_status_130(capsys, monkeypatch, source):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.training.run", stop)
    with pytest.raises(SystemExit) as end:
        main(["run", str(source), "--quiet"])
    assert end.value.code == 130
    assert capsys.readouterr().err.strip() == "memsim: stopped"
