"""Sweeps that are stopped, killed, or lose a process: nothing is lost, and nothing is made twice."""

import os
import re
import signal
import threading
import time
from unittest import mock

import dying_worker
import h5py
import pandas
import psutil
import pytest
from interrupting import finish, start
from sweeps import (
    LONG,
    assert_each_once,
    assert_points_have_the_bits_of_runs_alone,
    assert_same_sweeps,
    begun,
    kill_one_worker,
    long_sweep,
    packs_of,
    source,
    wait_for,
    workers_of,
)

import memsim
from memsim.errors import InputError
from memsim.sweeping import local
from memsim.sweeping.folder import Folder
from memsim.sweeping.index import Index
from memsim.sweeping.pack_run import carry_out
from memsim.sweeping.packs import plan
from memsim.sweeping.sweep_configuration import load_sweep
from memsim.traces import locks

__all__ = ["long_sweep", "source"]  # fixtures


ENDLESS = ("--set", "base.learning.epochs=20000000")


def start_sweep(source, out, words=LONG, processes=2):
    return start("sweep", source, "--out", out, "--processes", processes, *words)


@pytest.mark.slow
def test_ctrl_c_stops_at_the_next_keyframes_and_resume_goes_on(cli, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(source, out)
    wait_for(lambda: begun(out) >= 2, process)
    kept = [path.stat().st_ino for path in packs_of(out)]
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130, err
    assert re.search(rf"stopped with \d points open; 'memsim sweep {out} --resume' goes on\n$", err)
    points = pandas.read_csv(out / "points.csv")
    assert set(points["status"]) <= {"finished", "stopped", "missing"}
    assert "stopped" in set(points["status"])
    for path in packs_of(out):
        with memsim.open_run(path) as run:
            assert not run.live
            assert run.finished
    with pytest.raises(InputError, match="are missing: pack-0000"):
        memsim.open_sweep(out).results()
    assert cli("sweep", out, "--resume", "--quiet").status == 0
    assert_same_sweeps(out, long_sweep)
    assert [path.stat().st_ino for path in packs_of(out)][: len(kept)] == kept
    assert_each_once(out)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(source, out)
    wait_for(lambda: begun(out) >= 2, process)
    kill_one_worker(process)
    status, _, err = finish(process)
    assert status == 0, err
    assert_same_sweeps(out, long_sweep)
    assert_each_once(out)


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_loses_nothing_that_was_committed(cli, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(source, out)
    wait_for(lambda: begun(out) >= 2, process)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    status, _, err = finish(process)
    assert status == 130
    assert re.search(rf"'memsim sweep {out} --resume' goes on\n", err), err
    points = memsim.open_sweep(out).points
    files = {path.stem for path in packs_of(out)}
    assert {pack for pack, status in zip(points["pack"], points["status"], strict=True) if status != "missing"} == files
    assert "stopped" in set(points["status"])
    assert set(points["error"]) == {"-"}
    resumed = cli("sweep", out, "--resume", "--quiet")
    assert resumed.status == 0, resumed.err
    assert_same_sweeps(out, long_sweep)


@pytest.mark.slow
def test_a_sweep_that_is_killed_leaves_no_process_and_goes_on(cli, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(source, out)
    wait_for(lambda: begun(out) >= 2, process)
    workers = [psutil.Process(pid) for pid in workers_of(process)]
    assert len(workers) == 2
    process.kill()
    process.wait()
    # At once, while the workers may still be on their way to the next keyframe.
    assert cli("sweep", source, "--out", out, "--resume", "--quiet", *LONG).status == 0
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    finish(process)
    assert_same_sweeps(out, long_sweep)
    assert_each_once(out)


def test_a_second_sweep_of_a_folder_is_refused(refused, source, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.1)  # the other one is there for sure
    out = tmp_path / "out"
    (tmp_path / "link").symlink_to(out)
    process = start_sweep(source, out, ENDLESS, processes=1)
    try:
        wait_for(lambda: packs_of(out), process)
        for path in (out, tmp_path / "link"):
            refused("another sweep is writing it; wait for its end", "sweep", path, "--resume")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert finish(process)[0] == 143


def test_of_two_sweeps_that_begin_together_one_is_refused_and_changes_nothing(refused, source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    other = locks.new(out / ".sweep.toml.new", out / "sweep.toml")
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.1)
    refused("another sweep is writing it; wait for its end", "sweep", source, "--out", out)
    assert [path.name for path in out.iterdir()] == [".sweep.toml.new"]
    other.release()
    original = Folder.create

    def late(self, config):
        """The other one begins and ends just before."""
        (out / "sweep.toml").write_text("the other's")
        return original(self, config)

    monkeypatch.setattr(Folder, "create", late)
    refused("out: holds a sweep; go on with it by --resume", "sweep", source, "--out", out)
    assert (out / "sweep.toml").read_text() == "the other's"
    assert [path.name for path in out.iterdir()] == ["sweep.toml"]


def test_a_folder_of_a_sweep_that_was_killed_before_it_began_is_taken(cli, refused, source, tmp_path):
    out = tmp_path / "out"
    (out / "packs").mkdir(parents=True)
    (out / ".sweep.lock").touch()  # of an earlier version
    (out / ".sweep.toml.new").write_text("[swe")
    refused(r"out: holds no sweep \(no sweep.toml\); run it without", "sweep", source, "--out", out, "--resume")
    (out / "packs" / "mine").touch()
    refused("exists and holds no sweep", "sweep", source, "--out", out)
    (out / "packs" / "mine").unlink()
    assert cli("sweep", source, "--out", out, "--quiet").status == 0
    assert {path.name for path in out.iterdir()} == {"packs", "sweep.toml", "points.csv", "results.csv", ".sweep.lock"}


# Within a sweep


def test_a_pack_that_somebody_looks_into_waits_for_a_moment(source, tmp_path):
    """HDF5 does not let a file be written that a reader has open without SWMR."""
    laid_out = plan(load_sweep(source, ["base.learning.epochs=20000"]), 1)
    folder, stop = Folder(tmp_path / "out"), threading.Event()
    folder.create(laid_out.config).release()
    pack = laid_out.packs[0]
    assert not carry_out(pack, folder, stop, lambda told: stop.set())
    reader = h5py.File(folder.run_file(pack.name))
    closing = threading.Timer(0.3, reader.close)
    closing.start()
    assert carry_out(pack, folder, threading.Event(), lambda told: None)
    closing.join()
    assert Index(laid_out, folder).is_done(pack)


@pytest.mark.slow
def test_a_pack_whose_process_dies_every_time_is_given_up(cli, source, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_serve", dying_worker.dies_with_the_second_pack)
    out = tmp_path / "out"
    called = cli("sweep", source, "--out", out, "--quiet", "--processes", 2)
    assert called.status == 1
    assert re.search(
        r"failed: point 2: its process was killed by signal 9, as happens without enough memory, 3 times; --resume",
        called.err,
    )
    monkeypatch.undo()
    sweep = memsim.open_sweep(out)
    assert sweep.missing == ("pack-00001",)
    with pytest.raises(InputError, match="of 4 packs 1 are missing: pack-00001; "):
        sweep.results()
    assert_points_have_the_bits_of_runs_alone(out, [0, 1, 3, 4, 5])
    assert cli("sweep", out, "--resume", "--quiet").status == 0
    assert_each_once(out)
    assert memsim.open_sweep(out).missing == ()


def test_a_pack_whose_process_is_stopped_every_time_is_given_up(cli, source, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_serve", dying_worker.stops_every_pack)
    out = tmp_path / "out"
    called = cli("sweep", source, "--out", out, "--quiet", "--processes", 2, "--set", "sweep.lanes=100")
    assert called.status == 1
    assert "failed: points 0, 1, 2, 3, 4, 5: its process was stopped, 3 times; --resume tries again" in called.err
    assert memsim.open_sweep(out).missing == ("pack-00000", "pack-00001")


def test_a_file_that_its_killed_writer_left_unreadable_is_stopped_and_not_failed(source, tmp_path):
    laid_out, folder = plan(load_sweep(source), 2), Folder(tmp_path / "out")
    folder.create(laid_out.config).release()
    broken, cut_off, failed, _ = laid_out.packs
    folder.run_file(broken.name).write_bytes(b"before")
    index = Index(laid_out, folder)
    index.look(failed, "its process died")
    folder.run_file(cut_off.name).write_bytes(b"meanwhile")
    index.look_at_open()
    assert index.points_of("stopped") == list(cut_off.points)
    assert index.points_of("missing") == list(laid_out.packs[3].points)
    assert "is no HDF5 file" in index.error_of(broken.points[0])
    assert index.error_of(failed.points[0]) == "its process died"


def test_a_process_whose_parent_is_gone_ends_whatever_it_does():
    ours, theirs = local.SPAWN.Pipe()
    process = local.SPAWN.Process(target=dying_worker.never_comes_to_a_keyframe, args=(theirs,))
    process.start()
    theirs.close()
    ours.send(("a pack", "its folder"))
    assert ours.recv() == "begun"
    ours.close()  # as the system does for a parent that is killed
    process.join(60)
    assert process.exitcode == 1
    process.close()


def test_a_pack_that_is_stopped_while_it_makes_rows_again_is_no_failure(source, tmp_path, monkeypatch):
    laid_out, folder = plan(load_sweep(source), 2), Folder(tmp_path / "out")
    folder.create(laid_out.config).release()

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.runs.training.run", stopped)
    assert local.attempt(laid_out.packs[0], folder, threading.Event(), lambda told: None) == (False, None)


@pytest.fixture
def starts(monkeypatch):
    """The processes of packs that are started, counted."""
    counted, original = [], local.SPAWN.Process.start

    def start(process):
        counted.append(process)
        original(process)

    monkeypatch.setattr(local.SPAWN.Process, "start", start)
    return counted


def test_no_process_is_started_once_all_are_to_stop(source, tmp_path, starts):
    laid_out = plan(load_sweep(source, ["base.learning.epochs=100000"]), 2)
    folder, stop = Folder(tmp_path / "out"), threading.Event()
    folder.create(laid_out.config).release()
    with local.LocalProcesses(2) as workers:
        ended = [e for e in workers.carry_out(laid_out.packs, folder, stop, lambda told: stop.set()) if e]
    assert len(starts) == len(ended) <= 2
    assert [e.error for e in ended] == [None] * len(ended)
    assert Index(laid_out, folder).points_of("stopped")


def test_an_interrupt_at_any_moment_of_a_process_leaves_it_to_be_closed(source, tmp_path, starts, monkeypatch):
    laid_out = plan(load_sweep(source), 2)
    folder = Folder(tmp_path / "out")
    worker = local._Worker()
    worker.close()  # it has none
    worker.begin(laid_out.packs[0], folder)
    for _ in range(2):
        worker.close(at_once=True)

    def interrupted(process):
        raise KeyboardInterrupt

    monkeypatch.setattr(local.SPAWN.Process, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), local.LocalProcesses(2) as workers:
        list(workers.carry_out(laid_out.packs, folder, threading.Event(), lambda told: None))


def test_an_interrupt_while_one_process_is_closed_leaves_no_other_open():
    workers = local.LocalProcesses(3)
    workers._workers = [mock.Mock() for _ in range(3)]
    workers._workers[1].close.side_effect = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), workers:
        pass
    for worker in workers._workers:
        worker.close.assert_called_once_with(at_once=False)


def test_a_pack_waits_for_another_writer_without_the_lock_of_its_stop(source, tmp_path, monkeypatch):
    """A signal's handler sets the event in the thread that would hold the lock."""
    laid_out, stop = plan(load_sweep(source), 1), threading.Event()
    folder = Folder(tmp_path / "out")
    folder.create(laid_out.config).release()
    monkeypatch.setattr(locks, "is_being_written", lambda path: True)
    monkeypatch.setattr(time, "sleep", lambda seconds: stop.set())
    monkeypatch.setattr(stop, "wait", lambda seconds: pytest.fail("may hold the lock"))
    assert not carry_out(laid_out.packs[0], folder, stop, lambda told: None)
