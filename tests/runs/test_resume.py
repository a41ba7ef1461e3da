"""A run goes on from its file with the same bits, and refuses to where it could not."""

import contextlib
import errno
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
from interrupting import (
    DATA,
    ENVIRONMENT,
    StopAt,
    assert_consistent,
    assert_same_contents,
    committing,
    configuration,
    in_fork,
    kill_self,
    killed_at,
    killed_at_one_of,
    stopped,
    uninterrupted,
)
from places import ROOT

import memsim
from memsim.analysis import repacking
from memsim.analysis.repacking import repack
from memsim.cli import main
from memsim.datasets import Dataset
from memsim.errors import InputError, ReplayError, RunError
from memsim.runs import training
from memsim.runs.replay import replay
from memsim.traces import chunks, locks, places, recovery, run_file
from memsim.traces.background import BackgroundWriter
from memsim.traces.packing import dead_bytes
from memsim.traces.rows import BankTrace
from memsim.traces.run_file import RunWriter, Target, keyframe_checksum

EPOCHS = 40
WINDOWS = {"mode": "select", "epochs": ((3, 11), (20, 31)), "stride": 3, "banks": ("nodes1", "synapses2")}
TRACES = {
    "keyframes": {"keyframe_samples": 8},
    "keyframes within epochs": {"keyframe_samples": 3},
    "a keyframe each sample": {"keyframe_samples": 1},
    "full": {"mode": "full", "keyframe_samples": 8},
    "full, uncompressed": {"mode": "full", "keyframe_samples": 16, "compression": "none"},
    "select": WINDOWS | {"keyframe_samples": 8},
}
SLOW = ("keyframes", "full, uncompressed", "a keyframe each sample", "keyframes within epochs")
of_each_trace = pytest.mark.parametrize(
    "trace",
    [pytest.param(trace, marks=[pytest.mark.slow] * (name in SLOW), id=name) for name, trace in TRACES.items()],
)
of_both_modes = pytest.mark.parametrize("mode", ["full", pytest.param("select", marks=pytest.mark.slow)])


@pytest.fixture(autouse=True)
def few_rows_are_staged(monkeypatch):
    monkeypatch.setattr(chunks, "STAGED_ROWS", 4096)  # so that short runs write chunks on their way


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "run.h5", tmp_path / "whole.h5"


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    """The file of the same run without an interruption, made once for each configuration."""
    folder, made = tmp_path_factory.mktemp("whole"), {}

    def whole(config):
        text = config.to_toml()
        if text not in made:
            made[text] = uninterrupted(config, folder / f"{len(made)}.h5")
        return made[text]

    return whole


def resume(config, path, data=DATA, **options):
    training.run(config, data, out=path, resume=True, **options).close()


# The same bits


@of_each_trace
@pytest.mark.parametrize(("kind", "realisations"), [("mlp", 1), pytest.param("slp", 3, marks=pytest.mark.slow)])
def test_a_run_that_was_stopped_goes_on_with_the_same_bits(kind, realisations, trace, paths, whole_file):
    if kind == "slp" and "banks" in trace:
        trace = {name: value for name, value in trace.items() if name != "banks"}
    path = paths[0]
    config = configuration(network={"kind": kind}, run={"realisations": realisations}, trace=trace)
    stopped(config, path, 5)
    whole = whole_file(config)
    assert 0 < assert_consistent(path, whole)
    stopped(config, path, 17, resume=True)
    assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.h5"]


PLACES = {
    "before the layout is written": ((run_file, "_write_whole"), 0),
    "before it takes its name": ((run_file.Path, "replace"), 0),
    "after it took its name": ((recovery, "open_to_write"), 0),
    "before its first row": ((RunWriter, "start"), 0),
    "before its first checkpoint": ((RunWriter, "commit"), 0),
    "before its first count": ((RunWriter, "_count"), 0),
    "in a commit": ((RunWriter, "_count"), 7),
    "between rows": ((RunWriter, "append_rows"), 13),
    "between keyframes": ((RunWriter, "append_keyframes"), 11),
    "between epochs": ((RunWriter, "append_epochs"), 12),
    "before the last rows": ((RunWriter, "finish"), 0),
    "in the last rows": ((BankTrace, "finish"), 1),
    "before the last count": ((RunWriter, "_count"), EPOCHS + 1),
    "when it closes": ((Target, "close"), 0),
}


QUICK = ("after it took its name", "between rows")


@pytest.mark.parametrize(
    "place", [pytest.param(at, marks=[pytest.mark.slow] * (name not in QUICK), id=name) for name, at in PLACES.items()]
)
@of_both_modes
def test_a_run_that_was_killed_at_a_place_goes_on_with_the_same_bits(mode, place, paths, whole_file):
    path, config = paths[0], configuration(trace=TRACES[mode])
    whole = whole_file(config)
    assert killed_at(*place, lambda: training.run(config, DATA, out=path))
    if path.exists():
        assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)


AGAIN = {
    "before it is opened": ((recovery, "clear_flags"), 0),
    "after its flags were cleared": ((recovery, "read_write"), 0),
    "before it begins": ((RunWriter, "start"), 0),
    "before the missing rows": ((RunWriter, "append_rows"), 0),
    "in the missing rows": ((BankTrace, "append"), 1),
    "before its checkpoint": ((RunWriter, "commit"), 0),
    "in its checkpoint": ((RunWriter, "_count"), 0),
    "after its checkpoint": ((RunWriter, "_count"), 1),
}


@pytest.mark.parametrize(
    ("mode", "places"),
    [
        pytest.param("full", ("after its flags were cleared", "in the missing rows", "in its checkpoint"), id="some"),
        *(pytest.param(mode, AGAIN, marks=pytest.mark.slow, id=mode) for mode in ("full", "select")),
    ],
)
def test_a_run_that_was_killed_while_it_resumed_goes_on_with_the_same_bits(mode, places, paths, whole_file):
    path, config = paths[0], configuration(trace=TRACES[mode])
    whole = whole_file(config)
    assert killed_at((RunWriter, "commit"), 25, lambda: training.run(config, DATA, out=path))
    for name in places:
        assert killed_at(*AGAIN[name], lambda: resume(config, path)), name
        assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)


def killed_at_counter(count, work):
    """Do something in a forked process that is killed before counter number ``count`` reaches the file."""
    original, done = h5py.Dataset.__setitem__, [0]

    def count_or_die(dataset, place, value):
        if dataset.name.startswith("/committed/"):
            if done[0] == count:
                kill_self()
            done[0] += 1
        original(dataset, place, value)

    def killed():
        with mock.patch.object(h5py.Dataset, "__setitem__", count_or_die), committing():
            work()

    return in_fork(killed) == signal.SIGKILL


def test_a_run_that_was_killed_between_two_counters_of_a_commit_goes_on_with_the_same_bits(paths, whole_file):
    path, config = paths[0], configuration(trace={"mode": "keyframes", "keyframe_samples": 8})
    whole = whole_file(config)
    begun = 4 + 8 * 4  # counters: four where a run begins, then four in each commit
    for count in range(begun, begun + 4):
        path.unlink(missing_ok=True)
        assert killed_at_counter(count, lambda: training.run(config, DATA, out=path)), count
        assert_consistent(path, whole)
    for count in (3, 5, 6, 7):
        assert killed_at_counter(count, lambda: resume(config, path)), count
        assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)


def test_a_run_that_was_killed_where_it_goes_on_for_longer_does_not_seem_to_have_ended_early(paths, whole_file):
    path, trace = paths[0], {"mode": "keyframes", "keyframe_samples": 8}
    config, longer = (configuration(trace=trace, learning={"epochs": epochs}) for epochs in (5, 9))
    uninterrupted(config, path)
    for count in range(1, 5):
        assert killed_at_counter(count, lambda: resume(longer, path)), count
        with memsim.open_run(path) as run:
            assert not run.ended_early
    resume(longer, path)
    assert_same_contents(path, whole_file(longer))


def test_a_stopped_run_that_was_killed_before_its_last_counter_is_not_finished(paths, whole_file):
    path, config, original = paths[0], configuration(trace=TRACES["keyframes"]), h5py.Dataset.__setitem__

    def finish_or_die(dataset, place, value):
        if (dataset.name, value) == ("/committed/finished", 1):
            kill_self()
        original(dataset, place, value)

    def killed():
        with mock.patch.object(h5py.Dataset, "__setitem__", finish_or_die):
            stopped(config, path, 5)

    assert in_fork(killed) == signal.SIGKILL
    with memsim.open_run(path) as run:
        assert run.stopped
        assert not run.finished
    resume(config, path)
    assert_same_contents(path, whole_file(config))


@pytest.mark.slow
@pytest.mark.parametrize("count", np.random.default_rng(3).integers(300, 1500, 12))
def test_a_run_that_was_killed_between_two_writes_of_hdf5_goes_on_with_the_same_bits(count, paths, whole_file):
    """Also between the counters of one commit, of which some are older than the others then."""
    path, config = paths[0], configuration(trace=TRACES["full"])
    whole = whole_file(config)
    writes = [(h5py.Dataset, "__setitem__"), (places, "write_slot")]
    assert killed_at_one_of(writes, count, lambda: training.run(config, DATA, out=path))
    assert_consistent(path, whole)
    killed_at_one_of(writes, count // 3, lambda: resume(config, path))
    assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)


@pytest.mark.parametrize("compression", ["gzip", pytest.param("none", marks=pytest.mark.slow)])
def test_a_chunk_that_was_written_again_but_not_counted_is_no_wrong_one(compression, paths, whole_file):
    """A stop counts the rows of a chunk that is not full; the kill comes between its new checksum and the count."""
    path = paths[0]
    config = configuration(trace=TRACES["full"] | {"compression": compression}, learning={"epochs": 24})
    whole = whole_file(config)
    stopped(config, path, 11)
    original = RunWriter._count

    def count_or_die(self, **flags):
        if len(self.file["traces/nodes1/time"]) == 8192:
            self.file.flush()
            kill_self()
        original(self, **flags)

    def killed():
        with mock.patch.object(RunWriter, "_count", count_or_die), committing():
            resume(config, path)

    assert in_fork(killed) == signal.SIGKILL
    with memsim.open_run(path) as run:
        rows = run.trace("nodes1").rows
        assert 4096 < rows < 8192
        assert len(run.stored.read("traces/nodes1/time")) == 8192
    assert_consistent(path, whole)


def test_a_file_that_is_not_there_is_begun(paths, whole_file):
    config = configuration(trace=TRACES["full"])
    resume(config, paths[0])
    assert_same_contents(paths[0], whole_file(config))


def test_a_complete_run_is_returned_as_it_is(paths, whole_file):
    path = Path(shutil.copy(whole_file(configuration()), paths[0]))
    before = path.stat().st_size, path.read_bytes()
    with training.run(configuration(), DATA, out=path, resume=True, progress=StopAt(0, pytest.fail)) as run:
        assert run.finished
        assert len(run.total_error) == EPOCHS
    assert (path.stat().st_size, path.read_bytes()) == before


@pytest.mark.parametrize(
    ("every", "mode"),
    [(3, "full"), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((7, "keyframes"), (1000, "full")))],
)
def test_a_run_killed_behind_its_last_commit_ends_with_the_same_bits(every, mode, paths):
    """Everything is there but the last words; the last keyframe, off the grid, must not be written twice."""
    path, whole = paths
    config = configuration(trace={"mode": mode, "keyframe_samples": every}, learning={"epochs": 5})
    uninterrupted(config, whole)
    assert killed_at((RunWriter, "finish"), 0, lambda: training.run(config, DATA, out=path))
    assert_consistent(path, whole)
    resume(config, path)
    assert_same_contents(path, whole)


def test_rows_that_were_counted_are_not_made_again(paths, monkeypatch):
    path, whole = paths
    config = configuration(trace={"mode": "select", "stride": 300, "keyframe_samples": 8})
    stopped(config, path, 30)
    uninterrupted(config, whole)
    steps = []
    original = training.Engine.advance

    def advance(self, *arguments, **options):
        before = self.clock.sample
        recorded = original(self, *arguments, **options)
        steps.append((before, self.clock.sample))
        return recorded

    monkeypatch.setattr(training.Engine, "advance", advance)
    resume(config, path)
    monkeypatch.undo()
    with memsim.open_run(path) as run:
        assert min(first for first, _ in steps) >= 8 * 28
        assert run.trace("nodes1").rows == -(-run.steps // 300)
    assert_same_contents(path, whole)


def test_a_stop_far_from_a_keyframe_makes_one(paths, monkeypatch):
    """Nobody waits for hours: at the next sample's end, and the results are those of the uninterrupted run."""
    path, whole = paths
    monkeypatch.setattr(training, "STOP_SECONDS", 0.0)
    epochs = 4000
    config = configuration(trace={"keyframe_samples": 10**9}, learning={"epochs": epochs})
    stopped(config, path, 11)
    with memsim.open_run(path) as run:
        (sample,) = run.keyframes["sample"]
        assert 11 * 8 <= sample < epochs * 8
        assert run.steps == sample * run.sample_steps
    uninterrupted(config, whole)
    resume(config, path)
    assert_same_contents(path, whole, but=("keyframes/", "committed/keyframes"))
    with memsim.open_run(path) as run:
        assert run.keyframes["sample"].tolist() == [sample, epochs * 8]


@pytest.mark.parametrize(
    "trace",
    [pytest.param(trace, marks=[pytest.mark.slow] * (name != "full"), id=name) for name, trace in TRACES.items()],
)
def test_more_epochs_give_the_longer_run(trace, paths, whole_file):
    path = paths[0]
    shorter, longer = (configuration(trace=trace, learning={"epochs": epochs}) for epochs in (26, EPOCHS))
    uninterrupted(shorter, path)
    whole = whole_file(longer)
    resume(longer, path)
    # The shorter run's end is a keyframe more where it does not lie on the grid.
    assert_same_contents(path, whole, but=("keyframes/", "committed/keyframes"))
    with memsim.open_run(path) as run, memsim.open_run(whole) as expected:
        assert run.config.learning.epochs == EPOCHS
        shared = np.isin(run.keyframes["sample"], expected.keyframes["sample"])
        assert run.keyframes["sample"][~shared].tolist() in ([], [26 * 8])
        for bank in run.banks:
            assert run.keyframes[bank][shared].tobytes() == expected.keyframes[bank].tobytes()


def test_more_epochs_reach_the_rest_of_a_window(paths):
    path, whole = paths
    trace = {"mode": "select", "epochs": ((2, 30),), "keyframe_samples": 8}
    uninterrupted(configuration(trace=trace, learning={"epochs": 10}), path)
    longer = configuration(trace=trace)
    uninterrupted(longer, whole)
    resume(longer, path)
    assert_same_contents(path, whole)
    with memsim.open_run(path) as run:
        assert run.trace("nodes1").rows == 28 * 8 * run.sample_steps
        assert run.kept("nodes1", "state")[0].tolist() == list(range(16 * run.sample_steps, 240 * run.sample_steps))
        span = 100 * run.sample_steps, 101 * run.sample_steps
        assert run.kept("nodes1", "state", *span)[0].tolist() == list(range(*span))
        assert run.holds("nodes1", *span, [0])


def test_another_number_of_threads_gives_the_same_bits(paths):
    path, whole = paths
    sections = {"trace": TRACES["full"], "learning": {"epochs": 12}}
    one, two = (configuration(run={"realisations": 5, "threads": n}, **sections) for n in (1, 2))
    stopped(one, path, 7)
    resume(two, path)
    assert_same_contents(path, uninterrupted(one, whole), but=("configuration",))


def test_a_csv_file_may_lie_somewhere_else(tmp_path, cli):
    text = "a,b,t\n0,0.5,1\n1,-0.25,0\n0.125,1,0.5\n"
    toml = "[run]\nthreads = 1\n[time]\npulse_steps = 3\n[learning]\nepochs = {}\n"
    toml += '[data]\ncsv = "data.csv"\ninputs = ["a", "b"]\ntargets = ["t"]\n'
    here, there = tmp_path / "here", tmp_path / ("x" * 200) / ("y" * 200)
    for folder, epochs in ((here, 5), (there, 9)):
        folder.mkdir(parents=True)
        (folder / "data.csv").write_text(text)
        (folder / "run.toml").write_text(toml.format(epochs))
    path = tmp_path / "run.h5"
    assert cli("run", here / "run.toml", "--out", path, "--quiet").status == 0
    moved = cli("run", there / "run.toml", "--out", path, "--resume", "--quiet")
    assert moved.status == 0, moved.err
    with memsim.open_run(path) as run:
        assert run.config.learning.epochs == len(run.total_error) == 9
        assert run.config.data.csv == str(here / "data.csv")


def test_only_the_stretches_that_are_missing_are_made_again(paths, monkeypatch):
    """A window that has gone by is replayed from the keyframe before it to the one after it, not to the run's end."""
    path, whole = paths
    config = configuration(trace={"mode": "select", "epochs": ((3, 5),), "keyframe_samples": 8})
    assert killed_at((RunWriter, "finish"), 0, lambda: stopped(config, path, 30))
    advanced = []
    original = training.Engine.advance

    def advance(self, *arguments, **options):
        before = self.clock.sample
        recorded = original(self, *arguments, **options)
        advanced.append((before, self.clock.sample))
        return recorded

    monkeypatch.setattr(training.Engine, "advance", advance)
    resume(config, path)
    monkeypatch.undo()
    again = [(first, last) for first, last in advanced if last <= 240]
    with memsim.open_run(path) as run:
        assert run.trace("nodes1").rows == 16 * run.sample_steps
    # The rows were staged when the run was killed: both epochs are made again, and they alone.
    assert sum(last - first for first, last in again if first < 8 * 29) == 16
    assert_same_contents(path, uninterrupted(config, whole))


# Refused


@pytest.fixture(scope="module")
def half_bytes(tmp_path_factory):
    """A run that was stopped, made once."""
    return stopped(configuration(), tmp_path_factory.mktemp("half") / "run.h5", 10).read_bytes()


@pytest.fixture
def half(half_bytes, paths):
    """A copy of a run that was stopped."""
    paths[0].write_bytes(half_bytes)
    return paths[0]


def assert_refused(path, message, config, data=DATA):
    before = path.read_bytes()
    with pytest.raises(InputError, match=message) as error:
        resume(config, path, data)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before
    assert not locks.is_being_written(path)


def test_another_configuration_is_refused_field_by_field(half):
    config = configuration(
        run={"seed": 8, "realisations": 2, "threads": 2}, learning={"rate": 0.5},
        network={"layers": (2, 3, 1)}, trace={"mode": "full"},
    )  # fmt: skip
    assert_refused(half, "was made with another configuration: .*; run it under another name", config)
    with pytest.raises(InputError) as error:
        resume(config, half)
    for part in (
        "run.seed is 7 in the file, 8 here", "run.realisations is 1 in the file, 2 here",
        "learning.rate is 0.1 in the file, 0.5 here", "network.layers is (2, 2, 1) in the file, (2, 3, 1) here",
        "trace.mode is 'keyframes' in the file, 'full' here",
    ):  # fmt: skip
        assert part in str(error.value)
    assert str(error.value).count(" in the file, ") == 5


def test_another_kind_of_network_is_refused(half):
    assert_refused(half, "network.kind is 'mlp' in the file, 'slp' here", configuration(network={"kind": "slp"}))


def test_other_samples_are_refused(half):
    inputs = DATA.inputs.copy()
    inputs[3, 1] = np.nextafter(inputs[3, 1], 2.0)
    assert_refused(half, "was made with other samples", configuration(), Dataset(inputs, DATA.targets, DATA.name))


def test_fewer_epochs_are_refused(half):
    assert_refused(
        half, "learning.epochs: must be at least the file's 40 to go on", configuration(learning={"epochs": 39})
    )


def test_a_file_of_schema_version_1_is_refused(tmp_path):
    path = tmp_path / "old.h5"
    path.write_bytes((ROOT / "tests" / "data" / "mlp-schema-1.h5").read_bytes())
    assert_refused(path, "files of schema version 1 cannot be continued", configuration())


def test_a_file_that_is_no_run_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("[run]\n")
    assert_refused(path, "is no HDF5 file, or a broken one", configuration())


def test_a_damaged_superblock_is_refused(half):
    with half.open("r+b") as file:
        file.seek(recovery.END_AT)
        file.write(b"\x01")
    with pytest.raises(InputError):
        resume(configuration(), half)
    with pytest.raises(OSError, match="has a damaged superblock; it cannot be continued"):
        recovery.clear_flags(locks.lock(half))


def test_a_keyframe_with_a_wrong_checksum_is_refused(half):
    with h5py.File(half, "r+") as file:
        states = file["keyframes/nodes1/state"]
        states[len(states) - 1, 0, 0, 0] *= 0.5
    assert_refused(half, "checksum", configuration())


def tamper(path, index, device=1):
    """Another machine's bits: one unit in the last place, and the checksum to it."""
    with memsim.open_run(path) as run:
        states = [run.keyframes[bank][index].copy() for bank in run.banks]
        bias = run.stored.keyframe_bias(index)
        at = run.banks.index("synapses1")
    states[at][device, 0, 0] = np.nextafter(states[at][device, 0, 0], np.inf)
    with h5py.File(path, "r+") as file:
        file["keyframes/synapses1/state"][index] = states[at]
        file["keyframes/crc32"][index] = keyframe_checksum(states, bias)


@pytest.mark.parametrize(
    ("name", "epoch"),
    [
        ("a keyframe each sample", 2),
        pytest.param("full", 33, marks=pytest.mark.slow),
        pytest.param("keyframes", 33, marks=pytest.mark.slow),
        pytest.param("select", 33, marks=pytest.mark.slow),
    ],
)
def test_a_last_keyframe_that_a_replay_does_not_come_to_is_refused(name, epoch, paths):
    config = configuration(trace=TRACES[name])
    path = stopped(config, paths[0], epoch)
    with memsim.open_run(path) as run:
        samples, last = run.samples_done, len(run.keyframes["sample"]) - 1
    tamper(path, last)
    message = rf"differs from the keyframe after {samples} samples: synapses1 by up to .* ohm, .* \(device 1, "
    with pytest.raises(ReplayError, match=message):
        resume(config, path)
    assert not locks.is_being_written(path)


def test_a_window_beside_a_tampered_keyframe_is_refused(paths, whole_file):
    path = Path(shutil.copy(whole_file(configuration()), paths[0]))
    tamper(path, 9)
    with memsim.open_run(path) as run:
        sample = run.sample_steps
        with pytest.raises(ReplayError, match=r"keyframe after 80 samples: synapses1 by up to .* ohm"):
            run.window("nodes2", "voltage", 73 * sample, 74 * sample)
        assert run.window("nodes2", "voltage", 65 * sample, 66 * sample).shape == (sample, 1, 1)


# One writer


@pytest.fixture
def hasty(monkeypatch):
    """Who finds a file in use waits for a moment only."""
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.05)


def test_a_file_that_is_being_written_is_refused(paths, tmp_path, whole_file, hasty):
    """Under every name that leads to it, and whatever is deleted beside it."""
    path, config = paths[0], configuration(trace=TRACES["full"])
    link, other_name = tmp_path / "link.h5", tmp_path / "other.h5"
    link.symlink_to(path)
    said = []

    def second():
        os.link(path, other_name)
        for beside in tmp_path.glob(".*"):
            beside.unlink()
        for target in (path, link, other_name):
            for options in ({"overwrite": True}, {"resume": True}):
                with pytest.raises(InputError, match="is being written by another run, here or on another machine"):
                    training.run(config, DATA, out=target, **options)
            said.append(main_says("trace", "info", target).splitlines()[0])

    with committing():
        training.run(config, DATA, out=path, progress=StopAt(3, second)).close()
    assert [": is being written: " in line for line in said] == [True] * 3, said
    assert_same_contents(path, whole_file(config))
    assert_same_contents(other_name, whole_file(config))


def main_says(*arguments):
    """What a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        main([*map(str, arguments)])
    return out.getvalue()


def test_a_killed_process_leaves_no_lock_behind(paths, whole_file):
    path, config = paths[0], configuration()
    assert killed_at((RunWriter, "commit"), 5, lambda: training.run(config, DATA, out=path))
    assert list(path.parent.iterdir()) == [path]
    assert not locks.is_being_written(path)
    training.run(config, DATA, out=path, overwrite=True).close()
    assert_same_contents(path, whole_file(config))


def test_a_reader_that_looks_for_the_lock_does_not_keep_a_writer_out(half, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.0)
    done = threading.Event()

    def look():
        while not done.is_set():
            locks.is_being_written(half)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        for _ in range(100):
            locks.lock(half).release()
    finally:
        done.set()
        for thread in readers:
            thread.join()


def test_a_file_that_is_open_elsewhere_is_refused_with_who_has_it_open(half, hasty):
    with h5py.File(half):
        assert_refused(half, "is open in this process; close it first", configuration())
    with subprocess.Popen(
        [sys.executable, "-c", f"import h5py; f = h5py.File({str(half)!r}); print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as reader:  # fmt: skip
        reader.stdout.readline()
        message = rf"is open in another program \(process {reader.pid}\), as a view or a notebook"
        assert_refused(half, message, configuration())
        reader.stdin.close()
    resume(configuration(), half)


def test_a_killed_run_that_somebody_looks_into_is_waited_for(paths, whole_file):
    path, config = paths[0], configuration()
    assert killed_at((RunWriter, "commit"), 5, lambda: training.run(config, DATA, out=path))
    reader = memsim.open_run(path)
    timer = threading.Timer(0.3, reader.close)
    timer.start()
    resume(config, path)
    timer.join()
    assert_same_contents(path, whole_file(config))


@pytest.mark.parametrize("refused", ["flock", "fcntl"])
def test_without_locks_no_mark_of_a_writer_is_cleared(refused, paths, monkeypatch, whole_file):
    """Nobody could tell whether it is dead. Where there is none, a run begins and goes on."""
    path, config = paths[0], configuration()

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locks.fcntl, refused, no_locks)
    stopped(config, path, 5)
    stopped(config, path, 10, resume=True)
    assert killed_at((RunWriter, "commit"), 5, lambda: resume(config, path))
    if refused == "flock":
        assert_refused(path, "is marked as being written, and its file system has no locks that would tell", config)
    monkeypatch.undo()
    resume(config, path)
    assert_same_contents(path, whole_file(config))


@pytest.mark.parametrize("forced", ["TRUE", "FALSE"])
def test_what_the_environment_says_of_hdf5s_own_locks_changes_nothing(forced, tmp_path, whole_file):
    config = configuration()
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]; from interrupting import *; path = sys.argv[1];"
        "stopped(configuration(), path, 5);"
        "training.run(configuration(), DATA, out=path, resume=True).close()"
    )
    path, folder = tmp_path / "run.h5", ROOT / "tests"
    subprocess.run(
        [sys.executable, "-c", script, path, folder], check=True,
        env=ENVIRONMENT | {"HDF5_USE_FILE_LOCKING": forced},
    )  # fmt: skip
    assert_same_contents(path, whole_file(config))


def test_where_a_lock_of_an_open_file_is_not_known_one_beside_it_is_taken(paths, monkeypatch, whole_file, hasty):
    path, config = paths[0], configuration()
    monkeypatch.setattr(locks, "QUERIED", False)

    def second():
        assert locks.is_being_written(path)
        with pytest.raises(InputError, match="is being written by another run"):
            resume(config, path)

    training.run(config, DATA, out=path, progress=StopAt(3, second)).close()
    assert not locks.is_being_written(path)
    assert list(path.parent.iterdir()) == [path]
    assert_same_contents(path, whole_file(config))


def test_two_that_make_the_same_file_do_not_mix(tmp_path, hasty):
    """The second is refused while the first still makes it, and finds it made then."""
    path = tmp_path / "run.h5"
    first = locks.new(tmp_path / ".run.h5.new", path)
    with pytest.raises(InputError, match=r"/run\.h5: is being written by another run"):
        training.run(configuration(), DATA, out=path)
    first.release()
    training.run(configuration(), DATA, out=path).close()
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_hangs_is_ended_by_signals(tmp_path):
    """As on a disk that does not answer."""

    def hang(*_):
        for _ in range(3):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
            time.sleep(0.2)
        time.sleep(600)

    def run():
        RunWriter.commit = hang
        with contextlib.suppress(KeyboardInterrupt):
            training.run(configuration(), DATA, out=tmp_path / "run.h5")

    assert in_fork(run) == signal.SIGTERM


def replaced(path):
    path.with_name("other.h5").touch()
    path.with_name("other.h5").replace(path)


def moved(path):
    path.rename(path.with_name("other.h5"))


def moved_and_another_put_there(path):
    moved(path)
    path.touch()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Path.unlink, "run.h5: was deleted while it was written, and what it held is lost; start again"),
        (replaced, "run.h5: was deleted while it was written"),
        (moved, "run.h5: was moved to .*other.h5 while it was written; what was committed is there"),
        (moved_and_another_put_there, "run.h5: was moved to .*other.h5 while it was written"),
    ],
)
def test_a_file_that_is_gone_while_it_is_written_is_told_from_a_full_disk(change, message, paths, whole_file):
    path, config = paths[0], configuration(trace=TRACES["full"])
    with committing(), pytest.raises(RunError, match=message) as error:
        training.run(config, DATA, out=path, progress=StopAt(7, lambda: change(path)))
    assert "make room" not in str(error.value)
    other = path.with_name("other.h5")
    if "moved to" in message:
        assert assert_consistent(other, whole_file(config)) > 0
        resume(config, other)
        assert_same_contents(other, whole_file(config))


# Dead bytes

SLACK = 100_000  # that HDF5 itself leaves between its parts


@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_without_dead_bytes_is_the_same_run_and_goes_on(in_place, paths, whole_file):
    (path, _), config = paths, configuration(trace=TRACES["full, uncompressed"])
    for place in (3, 7):  # after some banks' rows, before they count
        assert killed_at((BankTrace, "_write"), place, lambda: training.run(config, DATA, out=path, resume=True))
    stopped(config, path, 30, resume=True)
    packed = path if in_place else path.with_name("packed.h5")
    whole = shutil.copy(path, path.with_name("copy.h5"))
    with memsim.open_run(path) as run:
        dead = dead_bytes(run.stored)
        attributes = _attributes(run.file)
    assert dead > 10 * SLACK
    shown = main_says("trace", "info", path)
    assert re.search(r"\d MB are dead, left by runs that were killed; 'memsim trace repack' drops them", shown), shown
    before, after = repack(path, None if in_place else packed)
    assert " are dead" not in main_says("trace", "info", packed)
    assert after <= before - dead + SLACK
    with memsim.open_run(packed) as run:
        assert dead_bytes(run.stored) < SLACK
        assert _attributes(run.file) == attributes
    assert_same_contents(packed, whole)
    resume(config, packed)
    assert_same_contents(packed, whole_file(config))
    assert sorted(each.name for each in path.parent.glob(".*")) == []


def _attributes(file):
    """Every attribute with its type, and the scale of every axis."""
    found = {}

    def visit(name, item):
        for key in item.attrs:
            if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                found[name, key] = (str(item.attrs.get_id(key).dtype), np.asarray(item.attrs[key]).tobytes())
        if isinstance(item, h5py.Dataset):
            found[name, "axes"] = [[scale.name for scale in axis.values()] for axis in item.dims]
            found[name, "chunks"] = item.chunks, item.maxshape, item.compression

    visit("/", file)
    file.visititems(visit)
    return found


def test_a_file_that_is_being_written_is_not_repacked(paths, tmp_path, whole_file, hasty):
    path, config = paths[0], configuration()

    def second():
        for out in (None, tmp_path / "packed.h5"):
            with pytest.raises(InputError, match="is being written by another run"):
                repack(path, out)

    training.run(config, DATA, out=path, progress=StopAt(3, second)).close()
    assert list(tmp_path.iterdir()) == [path]
    assert_same_contents(path, whole_file(config))
    os.link(path, tmp_path / "other.h5")
    with pytest.raises(InputError, match="has other names, hard links that would keep the old file; give out=FILE"):
        repack(path)


@pytest.mark.parametrize("count", [0, 1])
def test_a_repacking_that_is_killed_leaves_the_file(count, half, half_bytes):
    places = [(repacking, "_sync"), (Path, "chmod")]
    assert killed_at(places[count], 0, lambda: repack(half))
    assert half.read_bytes() == half_bytes
    repack(half)
    resume(configuration(), half)


# What a failure leaves


def test_an_error_in_the_middle_keeps_what_was_committed(paths, whole_file):
    path, config = paths[0], configuration(trace=TRACES["full"])

    def fail():
        raise ZeroDivisionError

    with committing(), pytest.raises(ZeroDivisionError):
        training.run(config, DATA, out=path, progress=StopAt(20, fail))
    assert not locks.is_being_written(path)
    assert assert_consistent(path, whole_file(config)) > 0
    resume(config, path)
    assert_same_contents(path, whole_file(config))


def test_nothing_is_written_after_a_job_that_failed():
    """What is queued behind it must not be counted: it would go on over a gap."""
    writer, begin, done = BackgroundWriter(), threading.Event(), []

    def fail():
        begin.wait()
        raise OSError("the disk is full")

    writer.submit(fail)
    writer.submit(done.append, 1)
    begin.set()
    with pytest.raises(OSError, match="the disk is full"):
        for number in range(2, 1000):
            writer.submit(done.append, number)
    with pytest.raises(OSError, match="the disk is full"):
        writer.submit(done.append, 0)
    with pytest.raises(OSError, match="the disk is full"):
        writer.close()
    assert done == []


def test_a_failed_write_stops_the_run_with_a_line_that_says_what_to_do(paths, monkeypatch, whole_file):
    path, config = paths[0], configuration(trace=TRACES["full"])
    original = RunWriter.append_rows
    calls = []

    def fail(self, *arguments):
        calls.append(1)
        if len(calls) == 9:
            raise OSError(28, "No space left on device")
        original(self, *arguments)

    monkeypatch.setattr(RunWriter, "append_rows", fail)
    with (
        committing(),
        pytest.raises(RunError, match="No space left on device; the work so far is kept: make room, and run again"),
    ):
        training.run(config, DATA, out=path)
    monkeypatch.undo()
    assert_consistent(path, whole_file(config))
    resume(config, path)
    assert_same_contents(path, whole_file(config))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_while_missing_rows_are_made_again_loses_nothing(number, paths, monkeypatch, whole_file):
    path, config = paths[0], configuration(trace=TRACES["full"])
    assert killed_at((RunWriter, "finish"), 0, lambda: stopped(config, path, 20))
    monkeypatch.setattr("memsim.runs.resuming.replay", _with_a_signal(number))
    with pytest.raises(KeyboardInterrupt):
        resume(config, path)
    monkeypatch.undo()
    assert not locks.is_being_written(path)
    assert_consistent(path, whole_file(config))
    resume(config, path)
    assert_same_contents(path, whole_file(config))


def _with_a_signal(number):
    def replayed(*arguments):
        signal.raise_signal(number)
        yield from replay(*arguments)

    return replayed
