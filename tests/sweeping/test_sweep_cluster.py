"""Sweeps on a Dask cluster of processes on this machine: the bits of a local sweep, also when a worker is killed."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from interrupting import DRIVER, ENVIRONMENT, finish, start
from sweeps import LONG, assert_each_once, assert_same_sweeps, begun, long_sweep, packs_of, source, wait_for

import memsim

pytest.importorskip("distributed", reason="sweeps on a cluster need Dask.distributed, of the extra 'dask'")

__all__ = ["long_sweep", "source"]  # fixtures


def dask(*words, folder):
    """Begin ``dask WORDS`` in a process of its own."""
    with (folder / f"{words[0]}.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, words)], cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log
        )


class Cluster:
    """A scheduler, and workers of one thread each."""

    def __init__(self, folder):
        self.folder, self.workers = folder, []
        about = folder / "scheduler.json"
        words = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        self.scheduler = dask(*words, "--scheduler-file", about, folder=folder)
        wait_for(lambda: about.exists() and about.stat().st_size, self.scheduler)
        self.address = json.loads(about.read_text())["address"]

    def add_worker(self):
        words = ("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        local = self.folder / f"worker-{len(self.workers)}"
        self.workers.append(dask(*words, "--local-directory", local, folder=self.folder))

    def wait_for_workers(self, count):
        from distributed import Client

        with Client(self.address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    def close(self):
        for process in (*self.workers, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    try:
        for _ in range(2):
            made.add_worker()
        made.wait_for_workers(2)
        yield made
    finally:
        made.close()


def start_sweep(cluster, source, out):
    return start("sweep", source, "--out", out, "--scheduler", cluster.address, *LONG)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_nothing(cluster, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(cluster, source, out)
    wait_for(lambda: begun(out) >= 2, process)
    files = [path.stat().st_ino for path in packs_of(out)]
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    status, said, err = finish(process)
    assert status == 0, err
    assert "6 points finished, 0 failed, 0 open" in said
    assert err == ""
    assert_same_sweeps(out, long_sweep)
    assert_each_once(out)
    # Gone on with, not begun again.
    assert [path.stat().st_ino for path in packs_of(out)][: len(files)] == files


@pytest.mark.slow
def test_ctrl_c_stops_the_workers_packs_and_a_local_resume_goes_on(cluster, cli, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(cluster, source, out)
    wait_for(lambda: begun(out) >= 2, process)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130, err
    for path in packs_of(out):
        with memsim.open_run(path) as run:
            assert run.finished
            assert not run.live
    assert cli("sweep", out, "--resume", "--quiet").status == 0
    assert_same_sweeps(out, long_sweep)


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep_whose_workers_are_all_gone(cluster, source):
    out = source.with_name("out")
    process = start_sweep(cluster, source, out)
    wait_for(lambda: begun(out) >= 2, process)
    for worker in cluster.workers:
        worker.kill()
        worker.wait()
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130, err
    assert set(memsim.open_sweep(out).points["status"]) <= {"stopped", "missing", "finished"}


@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_on_the_same_cluster(cluster, source, long_sweep):
    """Its workers may still write their packs meanwhile; the new tasks wait for them."""
    out = source.with_name("out")
    process = start_sweep(cluster, source, out)
    wait_for(lambda: begun(out) >= 2, process)
    process.kill()
    process.wait()
    finish(process)
    status, _, err = finish(start("sweep", out, "--resume", "--scheduler", cluster.address))
    assert status == 0, err
    assert_same_sweeps(out, long_sweep)
    assert_each_once(out)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_sweep_with_one_line(cluster, cli, source, long_sweep):
    out = source.with_name("out")
    process = start_sweep(cluster, source, out)
    wait_for(lambda: begun(out) >= 2, process)
    cluster.scheduler.kill()
    status, _, err = finish(process)
    assert status == 1, err
    assert "memsim: error: the Dask scheduler at tcp://127.0.0.1:" in err.splitlines()[-1]
    assert memsim.open_sweep(out).missing
    for worker in cluster.workers:
        worker.kill()
    assert cli("sweep", out, "--resume", "--quiet").status == 0
    assert_same_sweeps(out, long_sweep)


@pytest.mark.parametrize("address", ["somewhere", "http://127.0.0.1:8786"])
def test_what_is_no_address_is_refused(address, source, refused):
    message = rf"--scheduler: must be an address as tcp://HOST:PORT \(got '{address}'\)"
    refused(message, "sweep", source, "--scheduler", address)
    assert not source.with_suffix("").exists()


def test_an_address_without_a_scheduler_is_refused_in_one_line(source):
    impatient = f"from memsim.sweeping import cluster; cluster.CONNECT_SECONDS = 0.5{DRIVER}"
    status, said, err = finish(start("sweep", source, "--scheduler", "tcp://127.0.0.1:9", driver=impatient))
    assert (status, said) == (2, ""), err
    assert err.count("\n") == 1, err
    assert re.search(r"--scheduler: no Dask scheduler answers at tcp://127\.0\.0\.1:9; check the address", err), err
    assert not source.with_suffix("").exists()
