"""A user's model in a plain Python file: bits of the built-in one and of plain Python, errors with lines."""

import hashlib
import json
import math
import os
import platform
import subprocess
import sys

import h5py
import naive
import naive_state_dependent
import numpy as np
import pytest
import short_runs
from caches import filled

import memsim
from memsim.devices import MODELS, IonDrift
from memsim.driving.waveforms import Pulse, Pulses, Sinusoid
from memsim.errors import InputError
from memsim.network.assembly import assemble
from memsim.stepping.engine import Engine

FILE = """\
import math
from memsim import device_model, parameter, state

@device_model("own-drift", title="ion drift", source="a test")
class OwnDrift:
    doped = state("1", 0.0, 1.0, "doped share of the film")
    r_on = parameter(100.0, "ohm", "of the doped film", gt=0)
    r_off = parameter(10e3, "ohm", "of the undoped film", gt=0)
    speed = parameter(1e4, "1/(A s)", "drift coefficient", gt=0)

    def drift(doped, current, speed):
        return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)

    def output(doped, current, r_on, r_off):
        return (r_off - (r_off - r_on) * doped) * current

    def current(doped, voltage, r_on, r_off):
        return voltage / (r_off - (r_off - r_on) * doped)
"""

# Two states, of which one warms up and relaxes; a helper; functions of math; a bound that is a parameter.
WARMING = """\
import math
from memsim import device_model, parameter, state

ROOM = 300.0

def arrhenius(warming, energy):
    return math.exp(-energy / (ROOM + warming)) * math.sqrt(1.0 + warming / ROOM)

@device_model("warming")
class Warming:
    '''Ion drift in a film that warms up.'''

    thickness = parameter(10e-9, "m", "of the film", gt=0)
    energy = parameter(3000.0, "K", "barrier over Boltzmann's constant", ge=0)
    time_constant = parameter(1e-2, "s", "of the warming", gt=0)
    doped = state("m", 0.0, thickness, "doped width")
    warming = state("K", 0.0, 1000.0, "above the surroundings", rest=0.0)

    def drift_doped(doped, warming, thickness, energy, voltage):
        speed = 10.0 * arrhenius(warming, energy) * voltage
        if speed > 0.0:
            window = 1.0 - (doped / thickness) ** 4
        else:
            window = 1.0 - (1.0 - doped / thickness) ** 4
        return min(max(speed * window, -1e-6), 1e-6)

    def drift_warming(warming, current, voltage, time_constant):
        return (1e6 * current * voltage - warming) / time_constant

    def memristance(doped, warming, thickness):
        return 100.0 + 1e4 * (1.0 - doped / thickness) + 0.5 * warming
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for all kernels of this file."""
    return filled(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _models_as_before(monkeypatch, cache):
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(cache))
    before = dict(MODELS)
    yield
    MODELS.clear()
    MODELS.update(before)


@pytest.fixture
def load(tmp_path):
    """Load a text as ``my_device.py``; its models."""

    def loaded(text):
        (tmp_path / "my_device.py").write_text(text)
        return memsim.load_models(tmp_path / "my_device.py")

    return loaded


FUSED = FILE
for plain, fused in (
    ("import math\n", "import math\nfrom memsim.kernels.fused import fma\n"),
    ("(2.0 * doped - 1.0)", "fma(2.0, doped, -1.0)"),
    ("(r_off - (r_off - r_on) * doped)", "fma(r_on - r_off, doped, r_off)"),
):
    assert plain in FUSED
    FUSED = FUSED.replace(plain, fused)


@pytest.mark.parametrize(("drive", "integrator"), [("current", "euler"), ("voltage", "heun")])
@pytest.mark.parametrize(("text", "error"), [(FUSED, 0.0), (FILE, 1e-14)], ids=["rounded once", "rounded twice"])
def test_a_users_ion_drift_has_the_bits_of_the_built_in_one_where_it_is_rounded_alike(
    load, drive, integrator, text, error
):
    (model,) = load(text)
    built_in = IonDrift(window="joglekar")
    own, amplitude = model(speed=built_in.drift_coefficient), 1e-4 if drive == "current" else 0.9
    given = {"dt": 1e-3, "duration": 1.0, "drive": drive, "initial": 0.3, "integrator": integrator}
    sine = Sinusoid(amplitude=amplitude, frequency=1.0)
    ours, theirs = (memsim.drive(device, sine, **given) for device in (own, built_in))
    assert ours.state.max() > 0.31
    assert own.rests
    for name in ("state", "current", "voltage"):
        mine, its = getattr(ours, name), getattr(theirs, name)
        assert np.allclose(mine, its, rtol=error, atol=error * np.abs(its).max()), name


# The state lies between two bounds that are not 0, one of them a parameter.
BETWEEN = """\
from memsim import device_model, parameter, state

@device_model("between")
class Between:
    end = parameter(3.0, "1", "upper bound")
    speed = parameter(1e4, "1/(A s)", "drift coefficient", gt=0)
    place = state("1", 2.0, end, "place of the boundary")

    def drift(from_lower, to_upper, current, speed):
        return speed * current * 4.0 * from_lower * to_upper

    def memristance(place):
        return 10e3 - 9.9e3 * (place - 2.0)
"""


@pytest.mark.parametrize("drive", ["current", "voltage"])
def test_a_drift_by_distances_comes_back_from_a_bound_as_that_of_the_built_in_window_does(load, drive):
    (model,) = load(BETWEEN)
    built_in, own = IonDrift(window="joglekar"), model(end=3.0)
    sine = Sinusoid(amplitude=0.05 if drive == "current" else 5.0, frequency=1.0)
    given = {"dt": 1e-4, "duration": 1.0, "drive": drive, "integrator": "heun"}
    theirs = memsim.drive(built_in, sine, initial=0.3, **given)
    ours = memsim.drive(own, sine, initial=2.3, **given)
    assert 3.0 - 1e-12 < ours.state.max() < 3.0
    assert ours.rows_at_bound.sum() == 0
    np.testing.assert_allclose(ours.state - 2.0, theirs.state, atol=2e-9)
    assert abs(ours.state[-1, 0] - 2.3) < 1e-3


def test_a_drift_by_distances_that_does_not_vanish_at_a_bound_is_refused(load):
    with pytest.raises(InputError, match=r"is .* at place = 3, current = 1e-06 A; a drift that takes from_lower"):
        load(BETWEEN.replace("* from_lower * to_upper", "* from_lower"))


@pytest.mark.parametrize("integrator", ["euler", "heun"])
@pytest.mark.parametrize("drive", ["current", "voltage"])
def test_one_state_has_the_bits_of_the_users_functions_as_they_stand(load, integrator, drive):
    (model,) = load(FILE.replace("** 2)", "* (2.0 * doped - 1.0))"))
    functions = {}
    exec(FILE.replace("** 2)", "* (2.0 * doped - 1.0))").replace('@device_model("own-drift", title="ion drift", '
         'source="a test")', ""), functions)  # fmt: skip
    user, device = functions["OwnDrift"], model()
    r_on, r_off, speed = device.kernel_parameters()
    sine = Sinusoid(amplitude=1e-4 if drive == "current" else 0.9, frequency=5.0)
    trace = memsim.drive(device, sine, dt=1e-3, duration=0.3, drive=drive, initial=0.3, integrator=integrator)

    def rate(x, d):
        return user.drift(x, d if drive == "current" else user.current(x, d, r_on, r_off), speed)

    x, states = 0.3, []
    for start, end in zip(*(side.tolist() for side in sine.boundaries(0, 300, 1e-3)), strict=True):
        first = rate(x, start)
        ahead = min(max(x + 1e-3 * first, 0.0), 1.0)
        x = ahead if integrator == "euler" else min(max(x + 0.5 * 1e-3 * (first + rate(ahead, end)), 0.0), 1.0)
        states.append(x)
    assert np.array_equal(trace.state[:, 0], np.array(states))
    assert len(set(states)) > 100


@pytest.mark.parametrize("integrator", ["euler", "heun"])
def test_several_states_have_the_bits_of_plain_python(load, integrator):
    (model,) = load(WARMING)
    device, wave = model(thickness=20e-9), Sinusoid(amplitude=2e-4, frequency=20.0)
    trace = memsim.drive(device, wave, dt=1e-4, duration=0.05, initial={"doped": 4e-9}, integrator=integrator)
    starts, ends = (side.tolist() for side in wave.boundaries(0, 500, 1e-4))
    physics, bounds = naive.Physics(device.functions()), device.state_variables()
    twin = naive.waveform(
        physics, integrator, [4e-9, 0.0], starts, ends, dt=1e-4, p=device.kernel_parameters(),
        lower=[v.lower for v in bounds], upper=[v.upper for v in bounds],
    )  # fmt: skip
    assert np.array_equal(naive.bits(trace.state[:, 0, :]), naive.bits(twin.states))
    assert np.array_equal(naive.bits(trace.voltage[:, 0]), naive.bits(twin.responses))
    assert np.ptp(trace.state[:, 0, 0]) > 1e-11
    assert trace.state[:, 0, 1].max() > 1.0


def test_several_states_follow_a_closed_form_and_a_voltage_drives_them(load):
    (model,) = load(WARMING)
    device = model()
    assert device.resting_state() == (5e-9, 0.0)
    assert device.state_variables()[0].upper == 10e-9
    assert model(thickness=30e-9).state_variables()[0].upper == 30e-9
    assert model.title == "Ion drift in a film that warms up."
    assert not device.rests  # what is warm cools down
    pulse = Pulses(pulses=[Pulse(width=0.01, amplitude=0.0)])
    cooling = memsim.drive(device, pulse, dt=1e-5, duration=0.02, initial={"doped": 0.0, "warming": 100.0},
                           integrator="heun", drive="voltage")  # fmt: skip
    assert cooling.state[-1, 0, 1] == pytest.approx(100.0 * math.exp(-2.0), rel=1e-6)
    under = memsim.drive(device, Sinusoid(amplitude=1.0, frequency=50.0), dt=1e-5, duration=0.02, drive="voltage")
    ohm = 100.0 + 1e4 * (1.0 - under.state[:, :, 0] / 10e-9) + 0.5 * under.state[:, :, 1]
    assert np.allclose(under.voltage, ohm * under.current, rtol=1e-12, atol=0.0)


OHMIC = (
    FILE.split("    def output", maxsplit=1)[0]
    + """\
    def memristance(doped, r_on, r_off):
        return r_off - (r_off - r_on) * doped
"""
)
FUSED_OHMIC = OHMIC.replace("r_off - (r_off - r_on) * doped", "fma(r_on - r_off, doped, r_off)").replace(
    "import math\n", "import math\nfrom memsim.kernels.fused import fma\n"
)


@pytest.mark.slow
def test_a_network_of_a_users_ion_drift_has_the_bits_of_the_built_in_one(load):
    (model,) = load(FUSED_OHMIC.replace("(2.0 * doped - 1.0)", "fma(2.0, doped, -1.0)"))
    built_in, data = IonDrift(window="joglekar"), memsim.datasets.gate("xor", samples=4)
    assert model().functions().memristance is not None
    results = []
    for synapse in (model(speed=built_in.drift_coefficient), built_in):
        network = memsim.MultilayerPerceptron(synapse=synapse)
        with memsim.train(network, data, epochs=2, realisations=2) as run:
            results.append([run.total_error[:], *(run.final_state[bank] for bank in run.banks)])
    for ours, theirs in zip(*results, strict=True):
        assert np.array_equal(naive.bits(ours), naive.bits(theirs))
    assert np.ptp(results[0][0]) > 0.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return speed *", "return spede *", r"my_device.py:12: drift: 'spede': no such name; known are curr"),
        ("current, speed)", "current, spede)", r"my_device.py:11: drift: 'spede': no such name; known are doped, r_on"),
        ("        return speed *", "        a = speed *", r"my_device.py:11: drift: must return a number on every"),
        ("** 2)", "** 2), 1.0", r"my_device.py:12: drift: .*: must return one number"),
        ("return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)", "return", r":12: drift: .*must return one num"),
        ("return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)", "return 'fast'", r":12: drift: .*must return on"),
        ("** 2)", "** 2.5)", r"my_device.py:12: drift: .*: the exponent must be an integer"),
        ("speed * current", "math.sin(speed)", r"my_device.py:12: drift: 'math.sin\(speed\)': cannot be called; there"),
        ("speed * current", "math.exp(speed, 2)", r"my_device.py:12: drift: .*: must have 1 argument$"),
        ("speed * current", "np.exp(speed)", r"my_device.py:12: drift: 'np': no such name"),
        ("return speed", "for k in doped: pass\n        return speed", r"my_device.py:12: drift: .*: is not compiled"),
        ("return speed", "if doped > 0.5:\n            a = 1.0\n        return a * speed", r":14: drift: 'a': no such"),
        ("0.0, 1.0,", "1.0, 0.0,", r"my_device.py:6: state: the lower bound must be below"),
        ("0.0, 1.0,", "0.0, math.inf,", r"my_device.py:6: state: bounds must be finite"),
        ('"1", 0.0, 1.0, ', '"1", ', r"my_device.py:6: state\(\) missing 2 required"),
        ('"ohm", "of the doped film"', '"ohm"', r"my_device.py:7: parameter\(\) missing"),
        ('"ohm", "of the doped film"', '"", "of the doped film"', r"my_device.py:7: parameter: must have a unit"),
        ("100.0,", "-100.0,", r"my_device.py:7: parameter: the default -100.0 is out of its bound gt = 0"),
        ("gt=0)", "above=0)", r"my_device.py:7: parameter: 'above': no such bound; there are gt, ge, lt, le"),
        ("** 2)", "** 2) / doped", r"my_device.py:12: drift: .*division by zero at doped = 0, current = 0 A; give"),
        ("** 2)", "** 2) + 1e308 * 10.0 * speed", r"my_device.py:12: drift: is inf at doped = 0, current = 0 A"),
        ("return speed", "return math.sqrt(doped - 0.5) * speed", r"my_device.py:12: drift: .* at doped = 0,"),
        ("return voltage", "return 2.0 * voltage", r"my_device.py:17: current: is 2e-06 A under the 0.01 V that"),
        ("r_off = ", "r_on = ", r"my_device.py:8: r_on: is given twice, in line 7 too"),
        ("def output", "def outptu", r"my_device.py:14: outptu: no such function; known are drift, memristance, out"),
        ("class OwnDrift:", "class OwnDrift", r"my_device.py:5: class OwnDrift: "),
        ('"own-drift"', '"vteam"', r"my_device.py:4: 'vteam': is the name of a model that memsim has"),
        ("r_on = param", "rests = param", r"my_device.py:4: 'rests': is a name that memsim uses itself"),
        ("import math", "raise SystemExit", r"my_device.py:1: SystemExit"),
        ("import math", "import maths", r"my_device.py:1: No module named 'maths'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path, refused, old, new, message):
    (tmp_path / "my_device.py").write_text(FILE.replace(old, new, 1))
    before = dict(MODELS)
    refused(message, "devices", "--models", tmp_path / "my_device.py")
    assert before == MODELS


def test_parameters_that_make_a_function_fail_are_refused_with_its_line(load):
    (model,) = load(FILE.replace("speed * current", "speed * current / (speed - 5.0)"))
    with pytest.raises(InputError, match=r"my_device.py:12: drift: float division by zero at doped = 0, current = 0"):
        model(speed=5.0)


def test_a_model_that_moves_by_itself_only_with_some_parameters_says_so(load):
    (model,) = load(FILE.replace("speed * current", "speed * (current + (r_on - 100.0))").replace(
        "current, speed)", "current, speed, r_on)"))  # fmt: skip
    assert model().rests
    assert not model(r_on=200.0).rests


def test_two_files_cannot_share_a_name_and_a_file_can_be_loaded_again(load, tmp_path):
    (first,) = load(FILE)
    (again,) = load(FILE.replace("10e3", "20e3"))
    assert (first().r_off, again().r_off) == (10e3, 20e3)
    assert MODELS["own-drift"] is again
    (tmp_path / "other.py").write_text(FILE)
    with pytest.raises(InputError, match=r"other.py:4: 'own-drift': is the name of a model that my_device.py has"):
        memsim.load_models(tmp_path / "other.py")


PROCESS = """\
import json, sys
import memsim
from memsim.kernels.stepping import follow_kernel
(model,) = memsim.load_models("my_device.py")
train = memsim.waveforms.Pulses(pulses=[memsim.waveforms.Pulse(width=0.1, amplitude=1e-4)])
trace = memsim.drive(model(), train, dt=0.1, duration=0.1, initial=0.5)
kernel = follow_kernel(model().functions(), "euler", "current")
print(json.dumps([float(trace.state[-1, 0]), int(kernel.was_on_disk), int(not kernel.was_on_disk)]))
"""


def test_another_process_takes_the_kernel_from_the_disk_and_an_edit_compiles_it_anew(tmp_path):
    def called(text):
        (tmp_path / "my_device.py").write_text(text)
        environment = {**os.environ, "MEMSIM_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    helper = FILE.replace("@device", "def twice(x):\n    return 2.0 * x\n\n@device").replace(
        "speed * c", "twice(speed) * c"
    )
    assert called(helper) == [pytest.approx(0.7), 0, 1]
    assert called(helper) == [pytest.approx(0.7), 1, 0]
    assert called(helper.replace("2.0 * x", "3.0 * x")) == [pytest.approx(0.8), 0, 1]


DRIVE = """\
[time]
dt = 1e-3
duration = 0.1
[device]
model = "own-drift"
[[drive]]
waveform = "sinusoid"
amplitude = 1e-4
frequency = 10.0
"""


def test_files_are_driven_and_opened_with_models_and_name_them_without(load, cli, refused, tmp_path, monkeypatch):
    load(FILE)
    del MODELS["own-drift"]
    (tmp_path / "drive.toml").write_text(DRIVE)
    monkeypatch.chdir(tmp_path)
    missing = r"device.model: must be one of .*'own-drift'.*loaded with --models FILE.py"
    refused(missing, "drive", "drive.toml", "--quiet")
    assert cli("drive", "drive.toml", "--models", "my_device.py", "--quiet", "--out", "drive.h5").status == 0
    assert memsim.open_drive("drive.h5").state.shape == (100, 1)
    del MODELS["own-drift"]
    refused(missing, "drive", "drive.h5", "--quiet")
    assert cli("drive", "drive.h5", "--models", "my_device.py", "--quiet").status == 0


def test_devices_shows_a_model_of_a_file(load, cli, tmp_path):
    (tmp_path / "my_device.py").write_text(FILE)
    shown = cli("devices", "--models", tmp_path / "my_device.py", "own-drift").out
    assert "own-drift: ion drift" in shown
    assert "return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)" in shown


def test_a_value_that_is_not_finite_while_running_is_named_with_its_line(load, cli, refused, tmp_path, monkeypatch):
    # Beyond the currents at which a file is looked at when it is loaded.
    load(FILE.replace("return speed * c", "return speed / (1.0 if abs(current) < 0.05 else 0.0) * c"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drive.toml").write_text(DRIVE.replace("1e-4", "0.1"))
    failed = cli("drive", "drive.toml", "--models", "my_device.py", "--quiet", "--out", "drive.h5")
    assert failed.status == 1
    assert "my_device.py:12: drift: float division by zero at doped = 0, current = 0.1 A" in failed.err


RUN = """\
[data]
gate = "or"
samples = 4
[devices.synapse]
model = "own-drift"
[network]
kind = "mlp"
[learning]
epochs = 4
[run]
realisations = 2
"""


@pytest.mark.slow
def test_a_run_is_not_gone_on_with_after_an_edit_of_its_model(load, cli, refused, tmp_path, monkeypatch):
    load(OHMIC)
    (tmp_path / "run.toml").write_text(RUN)
    monkeypatch.chdir(tmp_path)
    assert cli("run", "run.toml", "--models", "my_device.py", "--quiet").status == 0
    digest = hashlib.sha256((tmp_path / "my_device.py").read_bytes()).hexdigest()
    with h5py.File("run.h5") as file:
        assert file["banks/synapses1"].attrs["model_sha256"].decode() == digest
        assert "model_sha256" not in file["banks/nodes1"].attrs
    further = ("run", "run.h5", "--resume", "--set", "learning.epochs=5", "--quiet", "--models", "my_device.py")
    text = (tmp_path / "my_device.py").read_text()
    (tmp_path / "my_device.py").write_text(text.replace("2.0 * doped - 1.0", "2.0 * doped - 1.1"))
    refused(r"run.h5: synapses1: the file of the model 'own-drift' was edited since the run began; go on", *further)
    (tmp_path / "my_device.py").write_text(text)
    assert cli(*further).status == 0


@pytest.mark.slow
def test_a_sweep_has_models_of_ones_own(load, cli, tmp_path, monkeypatch):
    load(OHMIC)
    (tmp_path / "run.toml").write_text(RUN)
    (tmp_path / "sweep.toml").write_text(
        '[sweep]\nbase = "run.toml"\nlanes = 2\n[fields]\ndevices.synapse.r_off = [8e3, 16e3]\n'
    )
    monkeypatch.chdir(tmp_path)
    del MODELS["own-drift"]
    swept = cli("sweep", "sweep.toml", "--models", "my_device.py", "--processes", "1", "--quiet")
    assert swept.status == 0, swept.err
    errors = []
    for number, r_off in enumerate((8e3, 16e3)):
        with memsim.open_run(tmp_path / "sweep" / "packs" / f"pack-0000{number}.h5") as run:
            assert run.config.devices.synapse.r_off == r_off
            assert run.config.devices.synapse.digest == MODELS["own-drift"]().digest
            errors.append(run.total_error[:])
    assert np.isfinite(errors).all()


INSTRUCTIONS = """\
import re, sys
import memsim
from memsim.devices import IonDrift
from memsim.kernels.stepping import follow_kernel
from memsim.driving.waveforms import Pulse, Pulses
(model,) = memsim.load_models("my_device.py")
for device in (model(), IonDrift(window="biolek")):
    memsim.drive(device, Pulses(pulses=[Pulse(width=0.1, amplitude=1e-4)]), dt=0.1, duration=0.1)
    kernel = follow_kernel(device.functions(), "euler", "current")
    found = re.findall(r"^\\s+([a-z]\\w+)\\s", kernel._code._library.get_asm_str(), flags=re.M)
    print(len(found), sum(bool(re.fullmatch(r"v(mul|add|sub|div|fn?m\\w+)pd", name)) for name in found))
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
def test_a_users_model_is_compiled_to_the_instructions_of_the_built_in_one(tmp_path):
    """As fast, measured by what does not depend on the machine's load; docs/performance.md has the times."""
    joglekars, bioleks = "(2.0 * doped - 1.0) ** 2", "(doped if current > 0.0 else doped - 1.0) ** 2"
    (tmp_path / "my_device.py").write_text(FUSED_OHMIC.replace(joglekars, bioleks))
    done = subprocess.run(
        [sys.executable, "-c", INSTRUCTIONS], check=True, cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "MEMSIM_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    (ours, our_vectors), (theirs, their_vectors) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert our_vectors == their_vectors > 5
    assert ours == pytest.approx(theirs, rel=0.02)


@pytest.mark.slow
def test_a_model_that_moves_at_rest_is_never_skipped_in_a_network(load):
    """A leak towards 0.4: synapses relax while other banks are driven, as plain Python has it, bit for bit."""
    (model,) = load(OHMIC.replace("** 2)", "** 2) - 0.5 * (doped - 0.4)"))
    synapse = model()
    assert not synapse.rests
    assembly = assemble(short_runs.configuration("mlp", devices={"synapse": synapse}), short_runs.REAL)
    assert [assembly.rests(bank) for bank in range(4)] == [False, True, False, True]
    engine = Engine(assembly, threads=1, epochs=2)
    while not engine.clock.is_over:
        engine.advance(engine.clock.slots)
    engine.close()
    errors, states = engine.take_errors(), engine.blocks.states()
    for lane, seed in enumerate(assembly.seeds):
        network = naive_state_dependent.Network(assembly, lane)
        found = network.learn([naive.shuffle(seed, epoch, len(short_runs.REAL.inputs)) for epoch in range(2)])
        assert errors[:, lane].tolist() == found
        for b in range(len(assembly.banks)):
            assert np.array_equal(naive.bits(states[b][..., lane]), naive.bits(network.states(b)))


def test_a_file_that_fails_when_it_is_loaded_again_leaves_the_module_of_before(tmp_path):
    """Numba finds the functions of models by it, and these stay as they were."""
    (tmp_path / "own.py").write_text(FILE)
    memsim.load_models(tmp_path / "own.py")
    (name,) = (name for name, module in sys.modules.items() if getattr(module, "__file__", "") == f"{tmp_path}/own.py")
    kept = sys.modules[name]
    (tmp_path / "own.py").write_text("raise ValueError\n")
    with pytest.raises(InputError):
        memsim.load_models(tmp_path / "own.py")
    assert sys.modules[name] is kept
