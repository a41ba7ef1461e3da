"""Kills, signals and full disks: whatever ends a run's process, its file can be read and goes on with the same bits."""

import contextlib
import functools
import random
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest
from interrupting import DATA, Forked, assert_consistent, assert_same_contents, called_in_fork, finish, start

import memsim
from memsim.runs import training
from memsim.runs.sources import load_source

TOML = """
[run]
seed = 3
threads = 1
[time]
pulse_steps = 3
write_steps = 4
gap_steps = 1
[data]
gate = "xor"
samples = 8
[trace]
keyframe_samples = 8
"""
WINDOWS = {"trace.mode": "select", "trace.epochs": [[30, 330], [400, 560]]}
FULL = {"trace.mode": "full", "learning.epochs": 500}
RUNS = {
    "mlp keyframes": {"learning.epochs": 30000},
    "mlp keyframes, realisations": {"run.realisations": 3, "trace.keyframe_samples": 20, "learning.epochs": 30000},
    "slp keyframes": {"network.kind": "slp", "learning.epochs": 40000},
    "mlp full": FULL,
    "mlp full, uncompressed": FULL | {"run.realisations": 3, "run.threads": 2, "trace.compression": "none"},
    "slp full": FULL | {"network.kind": "slp", "run.realisations": 3, "learning.epochs": 900},
    "mlp select": WINDOWS | {
        "trace.stride": 2, "run.realisations": 2, "trace.realisations": [1], "learning.epochs": 600,
    },
    "slp select, uncompressed": {
        "network.kind": "slp", "trace.mode": "select", "trace.stride": 7, "trace.compression": "none",
        "trace.quantities": ["state", "voltage"], "learning.epochs": 900,
    },
}  # fmt: skip


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(TOML)
    return path


def assignments(fields):
    """Fields as words of the command line."""
    shown = ((name, str(value).replace("'", '"')) for name, value in fields.items())
    return [word for name, value in shown for word in ("--set", f"{name}={value}")]


def finished(source, fields, path):
    """A run carried out without an interruption, or to its end from where it was left."""
    config, data, _ = load_source(source, assignments(fields)[1::2])
    training.run(config, data, out=path, resume=True).close()
    return path


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    """The same run without an interruption, made once for each."""
    folder, made = tmp_path_factory.mktemp("whole"), {}

    def whole(source, fields):
        name = str(fields)
        if name not in made:
            made[name] = finished(source, fields, folder / f"{len(made)}.h5")
        return made[name]

    return whole


# Kills


def interrupted_once(command, rng):
    """Begin a run and end it at a random moment; returns the signal that ended it, or its exit status."""
    if rng.random() < 0.7:  # else anywhere from the start of the interpreter on
        process = Forked(*command, quiet=False)
        process.stderr.readline()  # it begins, or goes on
        time.sleep(rng.uniform(0.0, 0.5))
    else:
        process = start(*command, quiet=False)
        time.sleep(rng.uniform(0.3, 1.2))
    process.send_signal(signal.SIGKILL if rng.random() < 0.85 else rng.choice([signal.SIGTERM, signal.SIGINT]))
    status, _, err = finish(process)
    assert status in (0, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT), err
    return status


def kill_until_it_ends(source, fields, kills, seed, whole):
    """Runs from their start to their end through random kills, until there have been so many."""
    path = source.with_name("run.h5")
    rng, killed = random.Random(seed), 0
    command = ["run", source, "--out", path, "--resume", *assignments(fields)]
    while killed < kills:
        path.unlink(missing_ok=True)
        status = -1
        while status != 0 and killed < kills:
            status = interrupted_once(command, rng)
            killed += status == -signal.SIGKILL
            if path.exists():
                assert_consistent(path, whole)
        assert_same_contents(finished(source, fields, path), whole)
    return killed


def test_a_run_that_is_killed_at_a_random_moment_ends_with_the_same_bits(source, whole_file):
    fields = RUNS["mlp select"]
    assert kill_until_it_ends(source, fields, 1, 1, whole_file(source, fields)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "fields"), list(enumerate(RUNS.values())), ids=RUNS)
def test_runs_of_all_kinds_that_are_killed_at_random_moments_end_with_the_same_bits(seed, fields, source, whole_file):
    assert kill_until_it_ends(source, fields, 8, seed, whole_file(source, fields)) == 8  # of 64 in all


# Signals


def wait_for(path, process, keyframes=3, seconds=120):
    """Wait until a run that goes on has written some keyframes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        if path.exists():
            with memsim.open_run(path) as run:
                if len(run.keyframes["sample"]) >= keyframes:
                    return
        time.sleep(0.05)
    pytest.fail("the run has not come to its keyframes")


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_stops_at_the_next_keyframe_and_says_how_to_go_on(number, source, whole_file):
    path, endless = source.with_name("run.h5"), {"learning.epochs": 20000000, "trace.keyframe_samples": 24}
    process = start("run", source, "--out", path, *assignments(endless))
    wait_for(path, process)
    process.send_signal(number)
    status, out, err = finish(process)
    assert status == 128 + number, err
    message = r"stopped after (\d+) of 20000000 epochs; (.*) keeps them, and 'memsim run \2 --resume' goes on\n"
    epochs = int(re.fullmatch(message, err)[1])
    assert out.startswith("Margins")
    assert not list(path.parent.glob(".run.h5*"))
    with memsim.open_run(path) as run:
        assert run.stopped
        assert not run.live
        assert len(run.total_error) == run.keyframes["epoch"][-1] == epochs
        assert epochs % 3 == 0
        some = min(epochs, 300)
        with memsim.open_run(whole_file(source, endless | {"learning.epochs": some})) as whole:
            assert run.total_error[:some].tobytes() == whole.total_error.tobytes()
            assert run.order[:some].tobytes() == whole.order.tobytes()
            assert run.keyframes["nodes1"][: some // 3].tobytes() == whole.keyframes["nodes1"][: some // 3].tobytes()


FAR_KEYFRAME = {"learning.epochs": 2000, "trace.keyframe_samples": 16000}


def test_a_second_ctrl_c_stops_at_once_and_the_file_goes_on(source, whole_file):
    """The next keyframe is far away; the second signal does not wait for it."""
    path, whole = source.with_name("run.h5"), whole_file(source, FAR_KEYFRAME)
    words = assignments(FAR_KEYFRAME)
    original = training.Engine.advance

    def advance(self, *arguments, **options):
        recorded = original(self, *arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return recorded

    def prepare():
        training.STOP_SECONDS = 1e9  # the first signal waits for the keyframe, however far that is
        training.Engine.advance = advance

    status, _, err = called_in_fork(path.parent, "run", source, "--out", path, *words, prepare=prepare)
    assert status == 130
    assert re.search(r"keeps what was committed; 'memsim run .*/run\.h5 --resume' goes on\s+memsim: stopped", err)
    assert_consistent(path, whole)
    with memsim.open_run(path) as run:
        assert not run.finished
        assert run.samples_done == 0
    assert_same_contents(finished(source, FAR_KEYFRAME, path), whole)


# One writer


def test_a_second_writer_is_refused_and_readers_are_not(source, refused, monkeypatch):
    monkeypatch.setattr("memsim.traces.locks.WAIT_SECONDS", 0.1)  # the other one is there for sure
    path, endless = source.with_name("run.h5"), {"learning.epochs": 20000000, "trace.mode": "full"}
    words = assignments(endless)
    process = Forked("run", source, "--out", path, *words)
    try:
        wait_for(path, process)
        busy = r"run\.h5: is being written by another run, here or on another machine; wait for its end"
        refused(busy, "run", source, "--out", path, "--overwrite", "--quiet", *words)
        refused(busy, "run", source, "--out", path, "--resume", "--quiet", *words)
        with pytest.raises(memsim.errors.InputError, match=busy):
            memsim.train(memsim.MultilayerPerceptron([2, 2, 1]), DATA, epochs=1, out=path, overwrite=True)
        with memsim.open_run(path) as run:
            assert run.live
            assert not run.finished
            epochs, steps = len(run.total_error), run.steps
            window = run.window("nodes2", "voltage", 0, run.sample_steps)
            deadline = time.monotonic() + 60
            while len(run.total_error) == epochs or run.steps == steps:
                assert time.monotonic() < deadline
        process.kill()
        process.wait()
        with memsim.open_run(path) as run:
            assert not run.live
            assert run.window("nodes2", "voltage", 0, run.sample_steps).tobytes() == window.tobytes()
    finally:
        finish(process)


# Full disks


def long_run(mode):
    """Fields of a run whose file grows by tens of megabytes."""
    modes = {
        "keyframes": {"learning.epochs": 12000, "run.realisations": 6},
        "full": {"learning.epochs": 120, "trace.mode": "full", "trace.compression": "none"},
        "select": {
            "learning.epochs": 2000, "trace.mode": "select", "trace.compression": "none",
            "trace.banks": ["synapses1", "nodes1"], "trace.epochs": [[20, 400], [500, 2000]],
        },
    }  # fmt: skip
    return modes[mode]


def assert_stopped_by_a_full_disk(result, path, message):
    status, out, err = result
    assert (status, out) == (1, ""), (status, err)
    assert err.count("\n") == 1, err
    what_to_do = "the work so far is kept: make room, and run again with --resume"
    pattern = rf"memsim: error: .*{path.name}: {message}; {what_to_do}"
    assert re.fullmatch(pattern + "\n", err), err


@pytest.mark.parametrize(
    "mode",
    ["full", pytest.param("keyframes", marks=pytest.mark.slow), pytest.param("select", marks=pytest.mark.slow)],
)
def test_a_limit_on_a_files_size_stops_a_run_that_goes_on_later(mode, source, whole_file):
    path, fields = source.with_name("run.h5"), long_run(mode)
    whole, command = whole_file(source, fields), ["run", source, "--out", path, "--resume", *assignments(fields)]
    for size in (5 << 20, 7 << 20)[: 1 if mode == "full" else 2]:
        limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        message = r"the file would exceed the limit of [\d,]+ bytes on a file's size"
        assert_stopped_by_a_full_disk(called_in_fork(path.parent, *command, prepare=limit), path, message)
        assert path.stat().st_size <= size
        assert_consistent(path, whole)
    assert_same_contents(finished(source, fields, path), whole)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=9m", "none", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    "mode",
    ["full", pytest.param("keyframes", marks=pytest.mark.slow), pytest.param("select", marks=pytest.mark.slow)],
)
def test_a_full_disk_stops_a_run_that_goes_on_once_there_is_room(mode, source, small_disk, whole_file):
    path, fields = small_disk / "run.h5", long_run(mode)
    whole, command = whole_file(source, fields), ["run", source, "--out", path, "--resume", *assignments(fields)]
    message = r"the disk is full: there is no room for [\d,]+ bytes more"
    assert_stopped_by_a_full_disk(called_in_fork(source.parent, *command), path, message)
    assert_consistent(path, whole)
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert_same_contents(finished(source, fields, path), whole)


def test_a_run_that_does_not_fit_at_all_leaves_nothing(source, small_disk):
    with (small_disk / "other").open("wb", buffering=0) as other, contextlib.suppress(OSError):
        while True:
            other.write(bytes(1 << 12))
    status, out, err = called_in_fork(source.parent, "run", source, "--out", small_disk / "run.h5")
    assert (status, out) == (1, "")
    what_to_do = "make room, or name a file on another disk"
    assert re.fullmatch(rf"memsim: error: .*run.h5: the disk is full: .*; {what_to_do}\n", err), err
    assert [path.name for path in small_disk.iterdir()] == ["other"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["keyframes", "full", "select"])
def test_a_disk_that_another_program_fills_at_a_random_moment(mode, source, small_disk, whole_file):
    """Room that was there when the run looked must not be gone when HDF5 writes, which could crash the interpreter."""
    path, fields = small_disk / "run.h5", long_run(mode)
    whole, command = whole_file(source, fields), ["run", source, "--out", path, "--resume", *assignments(fields)]
    subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
    rng, other = random.Random(5), small_disk / "other"
    for _ in range(10):
        path.unlink(missing_ok=True)
        process = Forked(*command, quiet=False)
        process.stderr.readline()
        time.sleep(rng.uniform(0.0, 0.6))
        with other.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 14))
        status, _, err = finish(process)
        other.unlink()
        assert status in (0, 1), (status, err)
        if status == 1:
            assert re.match(r"memsim: error: .*: the disk is full: .* run again with --resume\n", err), err
            assert_consistent(path, whole)
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert_same_contents(finished(source, fields, path), whole)
