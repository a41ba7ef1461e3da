"""A run file is read by programs that know nothing of memsim, whole and while it is written."""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings

import h5py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from interrupting import ENVIRONMENT, Forked

import memsim
from memsim.configuration.sections import TraceSection
from memsim.datasets import labelled, scaled
from memsim.runs.lazy_arrays import time_index

xarray = pytest.importorskip("xarray")
netcdf = pytest.importorskip("netCDF4")
pytest.importorskip("h5netcdf")

BANKS = ("synapses1", "nodes1", "synapses2", "nodes2")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run.h5"
    gate = memsim.datasets.gate("xor", samples=5)
    named = labelled(gate.inputs, ["no", "yes, é"] * 2 + ["no"], "xor", features=("first", "second"))
    data = scaled(named, "common-range")
    trace = TraceSection(mode="full", keyframe_samples=2)
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=2, realisations=3, trace=trace, out=path).close()
    return path


@pytest.fixture
def run(path):
    with memsim.open_run(path) as opened:
        yield opened


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_gives_names_seconds_and_lazy_values(path, run, engine):
    for bank in BANKS:
        with xarray.open_dataset(path, engine=engine, group=f"traces/{bank}") as trace:
            assert trace.state.dims == ("time", "device", "variable", "realisation")
            assert trace.voltage.dims == ("time", "device", "realisation")
            assert trace.voltage.attrs["units"] == "V"
            assert trace.current.attrs["units"] == "A"
            assert trace.state.attrs["units"] == ("ohm" if bank.startswith("synapses") else "m")
            assert not trace.voltage.variable._in_memory
            np.testing.assert_allclose(trace.time, np.arange(run.steps) * run.dt, rtol=1e-15)
            part = trace.voltage.sel(time=slice(0.01, 0.0199))
            assert np.array_equal(part, run.window(bank, "voltage", 40, 80))


def test_xarray_opens_every_group(path, run):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            assert {f"/traces/{bank}" for bank in BANKS} <= set(tree.groups)
            assert np.array_equal(tree["metrics"].total_error, run.total_error)
            assert np.array_equal(tree["metrics"].order, run.order)
            keyframes = tree["keyframes/nodes1"]
            assert keyframes.state.dims == ("time", "device", "variable", "realisation")
            ends = run.keyframes["sample"] * run.sample_steps * run.dt
            np.testing.assert_allclose(keyframes.time, ends, rtol=1e-15)
            meanings = tree["slots"].phase.attrs["flag_meanings"].split()
            phases = [meanings[code] for code in tree["slots"].phase.values]
            assert phases == [name.decode() for name in run.slots["phase"]]
            level = tree["overview/nodes2/256"]
            assert level.voltage.dims == ("time", "extreme", "device", "realisation")


def test_netcdf_reads_every_variable_and_attribute(path):
    def visit(group):
        for variable in group.variables.values():
            variable[...]
            assert "units" in variable.ncattrs() or variable.name == "configuration"
        for item in (group, *group.variables.values()):
            for name in item.ncattrs():
                item.getncattr(name)
        return len(group.variables) + sum(visit(each) for each in group.groups.values())

    with netcdf.Dataset(path) as file, h5py.File(path) as plain:
        datasets = []
        plain.visititems(lambda name, item: datasets.append(name) if isinstance(item, h5py.Dataset) else None)
        assert visit(file) == len(datasets)
        assert file["dataset/class_name"][:].tolist() == ["no", "yes, é"]
        assert file["dataset/input_name"][:].tolist() == ["first", "second"]


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump is not installed (Debian: hdf5-tools)")
def test_h5dump_prints_values(path, run):
    shown = subprocess.run(
        ["h5dump", "-y", "-m", "%.17g", "-d", "/traces/nodes2/voltage", "-s", "0,0,1", "-c", "2000,1,1", path],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    block = re.search(r"DATA \{(.*?)\}", shown, flags=re.DOTALL)[1]
    values = [float(text) for text in block.replace(",", " ").split()]
    assert values == run.window("nodes2", "voltage", 0, 2000)[:, 0, 1].tolist()
    assert np.abs(values).max() > 0


CONFIGURATION = """
[run]
realisations = 2
[time]
pulse_steps = 3
[learning]
epochs = 1000000
[data]
gate = "xor"
samples = 20
[trace]
mode = "full"
keyframe_samples = 10
"""


@pytest.fixture
def going_on(tmp_path):
    """The file of a run that another process is writing, with its first keyframes."""
    path = tmp_path / "run.h5"
    (tmp_path / "run.toml").write_text(CONFIGURATION)
    process = Forked("run", tmp_path / "run.toml", "--out", path)
    try:
        for _ in range(600):
            assert process.poll() is None, process.stderr.read()
            # Before its writer lets readers in, the file is locked, or has not all that a run has.
            with contextlib.suppress(OSError, KeyError), h5py.File(path, "r", swmr=True) as file:
                if file["committed/rows"][()] > 1000:
                    break
            time.sleep(0.05)
        yield path, process
    finally:
        process.kill()
        process.communicate()


def test_two_readers_of_one_process_see_a_file_grow(going_on):
    path, _ = going_on
    with memsim.open_run(path) as one, memsim.open_run(path) as other:
        before = one.steps
        for _ in range(100):
            for run in (one, other):
                last = run.steps
                assert len(run.total_error) >= last // (run.samples * run.sample_steps)
                assert run.window("nodes1", "voltage", last - 50, last).shape == (50, 2, 2)
            if one.steps > before and other.steps > before:
                break
            time.sleep(0.05)
        assert one.steps > before
        assert other.steps > before
    with memsim.open_run(path) as again:
        assert again.live


def test_a_file_that_is_being_written_is_read_by_plain_h5py_xarray_and_memsim(going_on):
    path, process = going_on
    with h5py.File(path, "r", swmr=True) as file:
        rows, keyframes = int(file["committed/rows"][()]), int(file["committed/keyframes"][()])
        voltage = file["traces/nodes1/voltage"][:rows]
        error = file["metrics/total_error"][: file["committed/epochs"][()]]
    options = {"engine": "h5netcdf", "group": "keyframes/nodes1", "driver_kwds": {"swmr": True}}
    with xarray.open_dataset(path, **options) as opened:
        states = opened.state[:keyframes].values
    with memsim.open_run(path) as run:
        assert run.live
        assert not run.finished
        assert not run.stopped
        before = run.steps
        window = run.window("nodes1", "voltage", before - 100, before)
        seen = next(iter(run.stretches(before - 100, before, ["nodes1"])))[1]["nodes1"].voltage
        assert np.array_equal(window, seen)
        for _ in range(100):
            if run.steps > before:
                break
            time.sleep(0.1)
        assert run.steps > before  # the open file grows
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    with memsim.open_run(path) as run:
        assert (run.live, run.finished, run.stopped) == (False, True, True)
        assert np.array_equal(voltage, run.window("nodes1", "voltage", 0, rows))
        assert np.array_equal(error, run.total_error[: len(error)])
        assert np.array_equal(states, run.keyframes["nodes1"][:keyframes])
        assert np.array_equal(window, run.window("nodes1", "voltage", before - 100, before))


def test_follow_shows_a_run_until_it_ends(going_on):
    path, process = going_on
    watching = subprocess.Popen(
        [sys.executable, "-m", "memsim", "trace", "follow", path, "--every", "0.2"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        first = watching.stdout.readline()
        assert re.match(r"epoch [\d,]+/1,000,000  error \S+ ", first), first
        assert watching.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        rest = watching.communicate(timeout=60)[0]
        assert watching.returncode == 0
    finally:
        watching.kill()
    assert re.search(r"run\.h5: stopped after [\d,]+ epochs\n$", rest), rest


@given(steps=st.integers(1, 200_000), dt=st.sampled_from([2.5e-4, 1e-4, 1e-5, 3e-7]))
@example(steps=1001, dt=2.5e-4)
@example(steps=147 * 220, dt=2.5e-4)
def test_the_time_axis_of_lazy_arrays_has_a_label_for_each_step(steps, dt):
    index = time_index(steps, dt)
    assert index.size == steps
    few = np.unique(np.linspace(0, steps - 1, 5).astype(int))
    labels = index.isel({"time": few}).index.to_numpy()
    np.testing.assert_allclose(labels, few * dt, rtol=1e-12)


def test_the_lazy_arrays_of_a_run_are_its_windows(run):
    trace = run.to_xarray("nodes1")
    assert dict(trace.sizes) == {"time": run.steps, "device": 2, "variable": 1, "realisation": 3}
    assert trace.time.attrs["units"] == "s"
    assert not trace.voltage.variable._in_memory
    whole = run.window("nodes1", "voltage")
    assert np.array_equal(trace.voltage[100:900:7, 1, ::2], whole[100:900:7, 1, ::2])
    assert np.array_equal(trace.voltage[900:100:-7, :, 1], whole[900:100:-7, :, 1])
    assert np.array_equal(trace.voltage[17], whole[17])
    assert trace.voltage[17, 1, 2] == whole[17, 1, 2]
    part = trace.current.isel(realisation=[2, 0], time=slice(3, 9))
    assert np.array_equal(part, run.window("nodes1", "current", 3, 9)[..., [2, 0]])
    assert np.array_equal(trace.state[5:8, :, 0], run.window("nodes1", "state", 5, 8))
    part = trace.voltage.sel(time=slice(0.01, 0.02), method="nearest")
    assert np.array_equal(part, whole[40:80])
    assert np.array_equal(trace.sel(time=0.0125, method="nearest").voltage, whole[50])
    assert set(run.to_xarray().children) == set(BANKS)


WITH_NETCDF = """
import netCDF4
import memsim
from memsim.configuration import TraceSection
data = memsim.datasets.gate("xor", samples=3)
for codec in ("gzip", "blosc"):
    trace = TraceSection(mode="full", compression=codec)
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=1, trace=trace, out=f"{codec}.h5").close()
with memsim.open_run("gzip.h5") as one, memsim.open_run("blosc.h5") as other:
    print((one.window("nodes1", "state", 0, one.steps) == other.window("nodes1", "state", 0, one.steps)).all())
"""


def test_blosc_is_written_and_read_where_netcdf_was_imported_first(tmp_path):
    """netCDF4 puts filters of its own, for its own copy of HDF5, in the way of those for h5py."""
    pytest.importorskip("hdf5plugin")
    outcome = subprocess.run(
        [sys.executable, "-c", WITH_NETCDF], check=False, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert outcome.stdout.split() == ["True"], outcome.stderr
