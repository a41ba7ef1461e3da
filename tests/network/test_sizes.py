"""Sizes that cannot be: one line that names bytes or steps and the field, and nothing that would fit is refused."""

import subprocess
import sys

import pytest
from places import EXAMPLES

import memsim
from memsim.configuration.sections import Configuration
from memsim.errors import InputError
from memsim.files import memory as sizes
from memsim.hysteresis.loop_sweep import hysteresis_loops
from memsim.network import sizes as run_sizes
from memsim.network.assembly import assemble
from memsim.sklearn import MemristorMLPRegressor

XOR, SLP, DRIVE, SWEEP = (EXAMPLES / f"{name}.toml" for name in ("xor", "slp", "hysteresis", "sweep"))
COUNT = ("--set", "write.encoding=count")
EXACT = ("--set", "time.solver=exact")


@pytest.fixture(autouse=True)
def _some_memory(monkeypatch):
    """The lines do not depend on the machine."""
    monkeypatch.setattr(sizes, "memory", lambda: 16 * 10**9)


@pytest.mark.parametrize(
    ("command", "assignments", "message"),
    [
        (("run", XOR), ["run.realisations=1000000000"],
         r"run\.realisations: 1,000,000,000 realisations of 9 devices would take about 14\.\d TB of "
         r"memory, and 16 GB are there; take 1,0\d\d,\d{3} at most$"),
        (("run", XOR), ["run.realisations=9223372036854775807"], r"run\.realisations: .* TB of memory"),
        (("run", XOR), ["network.layers=[2,100000,100000,1]"],
         r"network\.layers: 10,000,500,001 devices would take about 1\.\d+e\+03 TB of memory, .*; take fewer$"),
        (("run", XOR), [f"network.layers={[2] * 1001}"], r"network\.layers: .* at most 1000 items"),
        (("run", XOR), ["data.samples=100000000"], r"data\.samples: 100,000,000 samples would take about 47\.2 GB"),
        (("run", XOR), ["data.samples=10000000000"], r"data\.samples: 10,000,000,000 samples .* TB of memory"),
        (("run", XOR), ["learning.epochs=1000000000000000000"], r"learning\.epochs: .* are 2\.2e\+22 steps"),
        (("run", XOR), ["time.pulse_steps=2000000000"],
         r"time\.pulse_steps: a slot of synapses1 would take 2,000,000,000 steps of 400 devices, .* 25,000,000 "),
        (("run", XOR), ["time.write_width=250000"], r"time\.write_width: a slot of synapses1 would take 1,000,"),
        (("run", XOR), ["run.realisations=1", "time.write_steps=2000000000"], r"time\.write_steps: a slot"),
        (("run", XOR, *COUNT), ["write.pulses=2000000000"], r"write\.pulses: a slot of .* 2,000,000,000 steps"),
        (("run", XOR, *COUNT), ["write.train_steps=2000000000"], r"write\.train_steps: a slot of .* 40,000,000,000"),
        (("run", XOR, *COUNT, *EXACT), ["write.pulses=2000000000"], r"write\.pulses: a slot"),
        (("run", XOR), ["time.gap_steps=2000000000", "imperfections.synapse.retention_time=1.0"],
         r"time\.gap_steps: the rest after a"),
        (("run", XOR), ["time.dt=1e-300"], r"time\.dt: must be from 1e-30 to 1e\+30 s \(got 1e-300\)"),
        (("run", XOR), ["time.dt=1e300"], r"time\.dt: must be from 1e-30 to 1e\+30 s \(got 1e\+300\)"),
        (("run", XOR), ["devices.node.mobility=1e-160"], r"time\.dt: with the parameters .* of \d\.\d+e\+1\d\d A"),
        (("run", SLP), ["learning.rate=1e300"], r"learning\.rate: the states of memristor would begin at .*e"),
        (("schedule", XOR), ["run.realisations=1000000000"], r"run\.realisations: "),
        (("schedule", XOR), ["time.pulse_steps=2000000000"], r"time\.pulse_steps: "),
        (("compile", XOR), ["network.layers=[2,1000000,1000000,1]"], r"network\.layers: "),
        (("sweep", SWEEP), ["base.data.samples=10000000000"], r"point 0: data\.samples: 10,000,000,000 samples"),
        (("sweep", SWEEP), ["base.run.realisations=1000000000"], r"point 0: run\.realisations: 1,000,000,000 "),
        (
            ("drive", DRIVE, "--out", "x.h5"), ["time.duration=5e11"],
            r"time\.duration: 5,000,000,000,000,000 steps of 3 devices would take 349 TB on the disk at least, and",
        ),
        (("drive", DRIVE), ["bank.count=1000000000"], r"bank\.count: 1,000,000,000 devices would take about 300 GB"),
        (("drive", EXAMPLES / "loops.toml"), ["loops.steps_per_period=100000000"], r"loops\.steps_per_period: 2 "),
        (("drive", EXAMPLES / "loops.toml"), ["loops.periods=1000000"], r"loops\.steps_per_period: 1,000,000 periods"),
    ],
)  # fmt: skip
def test_what_no_machine_has_is_refused_in_one_line_before_anything_is_allocated(
    refused, tmp_path, monkeypatch, command, assignments, message
):
    monkeypatch.chdir(tmp_path)
    words = [word for assignment in assignments for word in ("--set", assignment)]
    refused(message, *command, *words)
    assert list(tmp_path.iterdir()) == []


def test_options_and_python_are_refused_alike(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("fit", EXAMPLES / "iv.csv", "--model", "ion-drift", "--free", "r_on")
    refused(r"starts: 1,000,000,000,000 other starts would take about 48 TB", *words, "--starts", 10**12)
    refused(r"epochs: must be less than or equal to 1000000000", "reproduce", "--epochs", 10**12)
    refused(
        r"run\.realisations: 1,000,000,000 realisations",
        "reproduce",
        "--quiet",
        "--figures",
        3,
        "--realisations",
        10**9,
    )
    data = memsim.datasets.gate("xor", samples=4)
    with pytest.raises(InputError, match=r"run\.realisations: 1,000,000,000 realisations"):
        memsim.train(memsim.MultilayerPerceptron(), data, realisations=10**9)
    with pytest.raises(InputError, match=r"data\.samples: 10,000,000,000 samples"):
        memsim.datasets.gate("xor", samples=10**10)
    wave = memsim.waveforms.Sinusoid(amplitude=1e-3, frequency=1.0)
    with pytest.raises(InputError, match=r"bank\.count: 1,000,000,000,000 devices"):
        memsim.drive(memsim.Node(), wave, dt=1e-3, duration=1.0, devices=10**12)
    with pytest.raises(InputError, match=r"steps_per_period: 2 periods of 100,000,000 steps"):
        hysteresis_loops(memsim.Node(), frequencies=[1.0], amplitudes=[1e-3], steps_per_period=10**8)
    with pytest.raises(InputError, match=r"network\.layers: 1,000,\d+,\d+,\d+ devices would take about"):
        MemristorMLPRegressor((10**6, 10**6)).fit(data.inputs, data.targets[:, 0])


def test_a_refusal_is_where_the_estimate_is(monkeypatch):
    config, data = Configuration(run={"realisations": 50}), memsim.datasets.gate("xor")
    each = 9 * run_sizes.bytes_of_device(1) + run_sizes.ORDER_BYTES * 100
    whole = 50 * each + run_sizes.DATA_COPIES * 8 * 300
    monkeypatch.setattr(sizes, "memory", lambda: whole)
    assert assemble(config, data).seeds.shape == (50,)
    monkeypatch.setattr(sizes, "memory", lambda: whole - 1)
    with pytest.raises(InputError, match="take 49 at most"):
        assemble(config, data)


def test_kernels_can_be_compiled_where_the_run_does_not_fit(cli, monkeypatch):
    monkeypatch.setattr(sizes, "memory", lambda: 10**6)
    assert cli("compile", XOR, "--quiet").status == 0


def peak(*assignments):
    """Largest memory in bytes of a short run in a process of its own."""
    words = [word for assignment in assignments for word in ("--set", assignment)]
    arguments = ["run", str(XOR), "--out", "peak.h5", "--overwrite", "--quiet", *words]
    code = f"""
import atexit, pathlib
status = pathlib.Path("/proc/self/status")  # what getrusage says begins with the memory of this test's own process
atexit.register(lambda: print(status.read_text().partition("VmHWM:")[2].split()[0]))
from memsim.cli import main
main({arguments})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return 1024 * int(done.stdout.split()[-1])


def test_real_runs_take_what_is_estimated_and_no_less(tmp_path, monkeypatch):
    """What would fit is never refused; and what is refused would not have fitted by much."""
    monkeypatch.chdir(tmp_path)
    short = ("learning.epochs=1", "data.samples=4", "network.weight_limit=100")
    peak("run.realisations=1", *short)  # with the kernels at hand
    least = peak("run.realisations=1", *short)
    for assignments, elements in (
        (("run.realisations=15000",), 15_000 * 9),
        (("run.realisations=1", "network.layers=[2,350,350,1]"), 700 + 350 + 350 * 350 + 350 + 350 + 1),
    ):
        taken = peak(*assignments, *short) - least
        estimated = elements * run_sizes.bytes_of_device(1)
        assert estimated <= taken <= 2.0 * estimated


def test_energies_beyond_counting_end_a_run_and_never_make_a_file_that_is_broken(cli, tmp_path):
    words = ("run", XOR, "--set", "run.realisations=1", "--set", "learning.epochs=1", "--quiet")
    out = tmp_path / "out.h5"
    done = cli(*words, "--out", out, "--set", "devices.node.r_off=1e300", "--set", "time.integrator=euler")
    assert done.status == 1
    assert "energy of nodes1 is beyond 1e+200 in epoch 1; check time.dt and the sizes of the devices" in done.err
    with memsim.open_run(out) as run:
        assert not run.finished


def test_without_memory_a_command_says_so(cli, monkeypatch):
    def full(*_, **__):
        raise MemoryError("Unable to allocate 8 GiB")

    monkeypatch.setattr("memsim.network.assembly.assemble", full)
    done = cli("schedule", XOR)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "there is not enough memory: Unable to allocate 8 GiB; take a smaller" in done.err


def test_the_memory_is_the_least_of_machine_group_and_limits():
    sizes.require_memory(16 * 10**9, "all of it")
    code = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (3 << 30, 3 << 30))
from memsim.files.memory import memory
print(memory())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) <= 3 << 30
