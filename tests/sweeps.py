"""Small sweeps, and what must be true of their folders: shared by the tests of sweeps."""

import contextlib
import csv
import os
import signal
import time

import numpy as np
import psutil
import pytest
from interrupting import assert_same_contents

import memsim
from memsim import datasets
from memsim.configuration.sections import Configuration
from memsim.runs import training
from memsim.sweeping.sweep_configuration import put

TOML = """
[sweep]
seeds = { first = 0, last = 2 }
lanes = 4
[fields]
learning.rate = [0.05, 0.1]
[base.run]
realisations = 2
[base.time]
pulse_steps = 3
write_steps = 4
gap_steps = 1
[base.learning]
epochs = 4
[base.data]
gate = "xor"
samples = 8
[base.trace]
keyframe_samples = 8
"""
LONG = ("--set", "base.learning.epochs=200000")  # seconds for each of four packs


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="module")
def long_sweep(tmp_path_factory):
    """The folder of the long sweep, which nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "s.toml").write_text(TOML)
    with contextlib.suppress(SystemExit):
        memsim.cli.main(["sweep", str(folder / "s.toml"), "--out", str(folder / "whole"), "--quiet", *LONG])
    return folder / "whole"


def packs_of(folder):
    return sorted((folder / "packs").glob("*.h5"))


def assert_same_sweeps(folder, whole):
    """Both have the same packs with the same bits, and the same tables; nothing else is left."""
    assert [path.name for path in packs_of(folder)] == [path.name for path in packs_of(whole)]
    for one, other in zip(packs_of(folder), packs_of(whole), strict=True):
        assert_same_contents(one, other)
    for name in ("points.csv", "results.csv", "sweep.toml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert {path.name for path in folder.rglob("*")} == {path.name for path in whole.rglob("*")}


def assert_each_once(folder):
    """Each realisation of each point is in the table of results once, and in its pack once."""
    with (folder / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["point"], row["realisation"]) for row in rows]
    assert sorted(keys, key=lambda key: tuple(map(int, key))) == [(str(p), str(r)) for p in range(6) for r in range(2)]
    lanes = [(row["pack"], row["lane"]) for row in rows]
    assert len(set(lanes)) == len(lanes) == 12


def alone(base, point):
    """A point as a run of its own."""
    values = {name: dict(section) for name, section in base.items()}
    for name, value in point.items():
        put(values, name, value)
    config = Configuration(**values)
    return training.run(config, datasets.load(config.data))


def assert_points_have_the_bits_of_runs_alone(folder, points=None):
    """Total errors of every epoch and final states, of all realisations of all finished points."""
    sweep = memsim.open_sweep(folder)
    results = sweep.results(allow_missing=True)
    fields = [name for name in sweep.points if name not in ("point", "realisations", "pack", "status", "error")]
    found = sorted(set(results["point"].tolist()))
    assert points is None or found == points
    for point in found:
        at = results["point"] == point
        lanes, (pack,) = results["lane"][at], set(results["pack"][at].tolist())
        values = {name: sweep.points[name][point].item() for name in fields}
        with sweep.run(pack) as packed, alone(sweep.config.base, values) as single:
            assert packed.seeds[lanes].tolist() == single.seeds.tolist()
            assert np.ascontiguousarray(packed.total_error[:, lanes]).tobytes() == single.total_error.tobytes()
            assert results["total_error"][at].tobytes() == single.total_error[-1].tobytes()
            assert (results["learned"][at] == (single.total_error[-1] < 0.1)).all()
            energy = sum(joules for bank in single.energy.values() for joules in bank.values())
            assert results["energy_joules"][at] == pytest.approx(energy, rel=1e-12)
            assert set(results["simulated_seconds"][at].tolist()) == {single.simulated_time}
            for bank, states in single.final_state.items():
                assert np.ascontiguousarray(packed.final_state[bank][..., lanes]).tobytes() == states.tobytes()


def wait_for(condition, process, seconds=300):
    """Wait until something is so, while a process goes on."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def begun(folder):
    """Packs that have come to some keyframes."""
    count = 0
    for path in packs_of(folder):
        # Between the writer's flushes a reader may find a dataset shorter than its count says.
        with contextlib.suppress(memsim.errors.RunFileError), memsim.open_run(path) as run:
            count += len(run.keyframes["sample"]) > 100
    return count


def workers_of(process):
    """The processes that carry out packs for a sweep's process."""
    children = psutil.Process(process.pid).children()
    return [child.pid for child in children if any("spawn_main" in word for word in child.cmdline())]


def kill_one_worker(process):
    os.kill(workers_of(process)[0], signal.SIGKILL)
