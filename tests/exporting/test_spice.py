"""ngspice as the referee: the same devices, stepped by another program from equations written anew."""

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import pytest
from short_runs import configuration

import memsim
from memsim.datasets import Dataset
from memsim.devices import MODELS, IonDrift, Node, PershinDiVentra, Synapse, Team, ThresholdMemristor, Vteam, Yakopcic
from memsim.driving.waveforms import Pulses, Sampled, Sinusoid, Triangle
from memsim.errors import InputError
from memsim.exporting.spice import circuit as circuits
from memsim.exporting.spice import circuit_of, export_spice, models, netlist
from memsim.referee import TOLERANCE, NgspiceError, compare, simulate
from memsim.runs import training

with_ngspice = pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
WINDOWS = "none", "joglekar", "biolek", "prodromakis"
DATA = Dataset(np.array([[0.4, -0.9], [-0.7, 0.3], [0.8, 0.6]]), np.array([[1.0], [0.0], [1.0]]), "three samples")


def sine(amplitude, frequency, offset=0.0):
    return Sinusoid(amplitude=amplitude, frequency=frequency, offset=offset)


def pulses(*given):
    return Pulses(pulses=[dict(zip(("start", "width", "amplitude"), pulse, strict=True)) for pulse in given])


def lines(device, waveform, dt, duration, drive="current", initial=None):
    return {"device": device, "waveform": waveform, "dt": dt, "duration": duration, "drive": drive, "initial": initial}


def _ion(window, exponent):
    return IonDrift(window=window, exponent=exponent, scale=1.5 if window == "prodromakis" else 1.0)


THRESHOLDED = ThresholdMemristor(inputs=2, thresholds=(1e-3, 2e-3, 3e-3), window=1e-3)
MEMRISTOR_START = {"weight1": 0.3, "weight2": -0.2, "bias": 0.1, "learning_rate": 2e4}
TRAINS = pulses((0.01, 0.05, 1e-3), (0.08, 0.1, -1.2e-3))
# Sinusoids have a period and a quarter: it comes back to where it was, and goes on.
DRIVES = {
    "node, sinusoid": lines(Node(threshold=2e-5), sine(1e-4, 1.0), 1e-3, 1.25),
    "node, voltage": lines(Node(), sine(0.3, 1.0), 1e-3, 1.25, "voltage"),
    "node of Eq. 12": lines(Node(equation=12), sine(1e-4, 1.0), 1e-3, 1.0),
    "node into its bound and back": lines(Node(), TRAINS, 1e-4, 0.2, initial=4.9e-9),
    "node as printed": lines(Node(direction="printed"), TRAINS, 1e-4, 0.2),
    "synapse, sinusoid": lines(Synapse(threshold=2e-5), sine(1e-4, 1.0), 1e-3, 1.25, initial=500.0),
    "synapse, pulses": lines(Synapse(threshold=2e-4), TRAINS, 1e-4, 0.2, initial=-300.0),
    "threshold memristor, pulses": lines(
        THRESHOLDED, pulses((0.01, 0.02, 1.5e-3), (0.05, 0.02, -2.3e-3), (0.08, 0.01, 3.7e-3)), 1e-4, 0.1,
        initial=MEMRISTOR_START,
    ),
    "threshold memristor as printed": lines(
        THRESHOLDED.model_copy(update={"direction": "printed", "activation": "tanh"}),
        pulses((0.01, 0.02, 1.5e-3), (0.05, 0.02, -2.3e-3)), 1e-4, 0.1, initial=MEMRISTOR_START,
    ),
    "threshold memristor, sinusoid": lines(
        THRESHOLDED.model_copy(update={"activation": "identity"}), sine(1.5e-3, 5.0), 1e-5, 0.2,
        initial=MEMRISTOR_START,
    ),
    **{
        f"ion drift, {window}, p = {exponent}, {name}": lines(_ion(window, exponent), *rest)
        for window in WINDOWS
        for exponent in ((1, 7) if window != "none" else (1,))
        for name, rest in {
            "voltage": (sine(0.5, 1.0), 1e-3, 1.25, "voltage", 0.3),
            "sinusoid": (sine(1e-4, 1.0), 1e-3, 1.25, "current", 0.3),
            "pulses": (TRAINS, 1e-4, 0.2, "current", 0.3),
        }.items()
    },
    **{
        f"TEAM, {window}, {name}": lines(Team(window=window, exponent=2, a_off=2e-9, a_on=5e-10, w_c=3e-10), *rest)
        for window in ("kvatinsky", *WINDOWS)
        for name, rest in {
            "sinusoid": (sine(6e-4, 50.0), 1e-5, 0.025, "current", 1e-9),
            "pulses": (pulses((0.001, 0.002, 1.1e-3), (0.005, 0.003, -1e-4)), 1e-5, 0.02, "current", 1e-9),
        }.items()
    },
    **{
        f"VTEAM, {window}, {name}": lines(Vteam(window=window, exponent=2, a_off=8e-9, a_on=2e-9, w_c=1e-9), *rest)
        for window in ("kvatinsky", *WINDOWS)
        for name, rest in {
            "voltage": (sine(0.54, 500.0), 1e-7, 2.5e-3, "voltage", 5e-9),
            "sinusoid": (sine(4.3e-4, 500.0), 1e-7, 2.5e-3, "current", 5e-9),
            "pulses": (pulses((0.0005, 0.002, 0.8), (0.003, 0.0001, -0.535)), 2.5e-7, 0.004, "voltage", 5e-9),
        }.items()
    },
    "Yakopcic, base": lines(Yakopcic(preset="base"), sine(0.45, 100.0), 1e-5, 0.0125, "voltage", 0.11),
    "Yakopcic, miao": lines(Yakopcic(preset="miao"), sine(1.2, 1.0), 1e-3, 1.25, "voltage", 0.11),
    "Yakopcic, jo": lines(Yakopcic(preset="jo"), sine(3.0, 1.0), 1e-3, 1.25, "voltage", 0.1),
    "Yakopcic, eta = -1": lines(Yakopcic(preset="miao", eta=-1), sine(1.2, 1.0), 1e-3, 1.25, "voltage", 0.31),
    "Yakopcic, current": lines(Yakopcic(preset="miao", a2=0.2, x_min=0.01), sine(0.02, 1.0), 1e-3, 1.25, initial=0.11),
    "Yakopcic, pulses": lines(
        Yakopcic(preset="miao", x_min=0.01), pulses((0.1, 0.2, 0.01), (0.5, 0.3, -0.01)), 2e-4, 1.0, initial=0.11
    ),
    "Pershin-Di Ventra, voltage": lines(PershinDiVentra(), sine(3.0, 1e8), 1e-11, 1.25e-8, "voltage", 7e3),
    "Pershin-Di Ventra, current": lines(PershinDiVentra(alpha=1e11), sine(5e-4, 1e8), 1e-11, 1.25e-8, initial=7e3),
    "Pershin-Di Ventra, pulses": lines(
        PershinDiVentra(alpha=1e11), pulses((1e-9, 2e-9, 2.5), (5e-9, 3e-9, -2.2)), 1e-11, 1e-8, "voltage", 7e3
    ),
}  # fmt: skip


def driven(given, factor=1):
    """A drive at dt, or at a part of it."""
    return memsim.drive(**{**given, "dt": given["dt"] / factor}, integrator="heun")


def assert_converged(given, coarse):
    """Rows at dt and at dt/2 differ by less than a tenth of the tolerance, of each channel's range."""
    fine = driven(given, 2)
    for quantity in ("state", "current", "voltage"):
        ours, finer = coarse.window(quantity), fine.window(quantity)[1::2]
        moved = np.ptp(ours, axis=0)
        assert (np.abs(finer - ours).max(axis=0) <= 0.1 * TOLERANCE * moved).all(), quantity


def is_slow(name):
    """Whether others show the same by default: of VTEAM's windows each is shown under a voltage and under pulses."""
    other_window = name.endswith("sinusoid") and name.startswith(tuple(f"VTEAM, {window}" for window in WINDOWS[1:]))
    return ", p = 7," in name or other_window


@with_ngspice
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if is_slow(name) else ()) for name in DRIVES]
)
def test_a_drive_is_that_of_ngspice(name):
    given = DRIVES[name]
    trace = driven(given)
    assert_converged(given, trace)
    circuit = circuit_of(trace)
    found = compare(circuit, simulate(circuit))
    assert found.residual < TOLERANCE, {key: worst.residual for key, worst in found.worst().items()}


def test_every_model_and_both_kinds_of_drive_are_among_these():
    kinds = {(type(given["device"]), type(given["waveform"])) for given in DRIVES.values()}
    assert kinds == {(model, waveform) for model in MODELS.values() if model.alone for waveform in (Sinusoid, Pulses)}


@with_ngspice
@pytest.mark.parametrize("kind", ["mlp", "slp", "lines"])
def test_a_training_sample_of_a_network_is_that_of_ngspice(kind):
    run = training.run(configuration(kind, learning={"epochs": 2}), DATA)
    for sample in (0, 4):
        circuit = circuit_of(run, samples=str(sample), realisations=[1])
        assert {instance.kind.name for instance in circuit.instances} == set(run.banks)
        assert circuit.steps == run.sample_steps
        found = compare(circuit, simulate(circuit))
        assert found.residual < TOLERANCE, {key: worst.residual for key, worst in found.worst().items()}


def test_the_networks_dt_is_converged():
    check = memsim.check_dt(configuration("mlp", learning={"epochs": 2}), DATA, tolerance=0.1 * TOLERANCE)
    assert check.verdict in ("exact", "fine"), check


@pytest.mark.slow
@with_ngspice
def test_a_training_sample_of_vteam_synapses_is_that_of_ngspice():
    """With a direction downwards that the step can follow; dt is shown to be converged."""
    slow = {"model": "vteam", "k_on": -4.03e-8, "alpha_on": 1}
    config = configuration(
        "mlp", learning={"epochs": 1, "rate": 0.1}, devices={"synapse": slow}, time={"integrator": "heun"}
    )
    check = memsim.check_dt(config, DATA, samples=2, tolerance=0.1 * TOLERANCE)
    assert check.verdict == "fine"
    assert check.worst.order == pytest.approx(2.0, abs=0.2)
    circuit = circuit_of(training.run(config, DATA), samples="1", realisations=[1])
    assert compare(circuit, simulate(circuit)).residual < TOLERANCE


WAVES = {
    "triangle": Triangle(amplitude=3e-4, frequency=3.0, phase=0.7, offset=2e-5),
    "samples": Sampled(times=[0.0, 0.13, 0.31, 0.9, 1.0], values=[0.0, 2e-4, -3e-4, 1e-4, 0.0]),
    "samples, then nothing": Sampled(times=[0.13, 0.31, 0.6], values=[2e-4, -3e-4, 1e-4], beyond="zero"),
    "sum": Sinusoid(amplitude=2e-4, frequency=2.0, phase=1.0, offset=1e-5) + pulses((0.2, 0.3, 3e-4)),
    "pulses that overlap": pulses((0.1, 0.3, 2e-4), (0.2, 0.5, -3e-4)),
}


@with_ngspice
@pytest.mark.parametrize("drive", ["current", "voltage"])
@pytest.mark.parametrize("name", WAVES)
def test_every_waveform_is_that_of_ngspice_from_the_middle_of_a_drive_on(name, drive):
    """The states at the stretch's start, and where in its period each waveform is there."""
    slow = IonDrift(thickness=20e-9, window="biolek")
    waveform = WAVES[name] if drive == "current" else [wave_in_volts(WAVES[name])]
    trace = memsim.drive(slow, waveform, dt=1e-3, duration=1.0, drive=drive, initial=0.4, integrator="heun")
    for steps in (None, "173:777"):
        circuit = circuit_of(trace, steps=steps)
        found = compare(circuit, simulate(circuit))
        assert found.residual < TOLERANCE, {key: worst.residual for key, worst in found.worst().items()}


def wave_in_volts(waveform):
    """The same shape as a voltage of 2 kV for each A."""
    if isinstance(waveform, Sampled):
        times, values = waveform.arrays()
        return Sampled(times=times, values=2e3 * values, beyond=waveform.beyond)
    parts = getattr(waveform, "parts", (waveform,))
    scaled = [_scaled(part) for part in parts]
    return scaled[0] if len(scaled) == 1 else scaled[0] + scaled[1]


def _scaled(part):
    if isinstance(part, Pulses):
        return pulses(*((pulse.start, pulse.width, 2e3 * pulse.amplitude) for pulse in part.pulses))
    return part.model_copy(update={"amplitude": 2e3 * part.amplitude, "offset": 2e3 * part.offset})


@pytest.fixture(scope="module")
def drive_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spice") / "drive.h5"
    memsim.drive(Node(), [sine(1e-4, 1.0), sine(2e-4, 2.0)], dt=1e-3, duration=0.5, out=path, integrator="heun").close()
    return path


@with_ngspice
def test_a_wrong_equation_is_found(drive_file, tmp_path, cli, monkeypatch):
    """The referee's own test: with a drift that is 1 % too large in the netlist, it says so and exits with 1."""
    arguments = "trace", "referee", drive_file, "--quiet"
    agrees = cli(*arguments, "--plot", tmp_path / "both.png")
    assert (agrees.status, agrees.err) == (0, "")
    assert "agree" in agrees.out
    assert (tmp_path / "both.png").stat().st_size > 10_000
    right = models.equations_of(Node())
    wrong = dataclasses.replace(right, drifts=(f"1.01*{right.drifts[0]}",))
    monkeypatch.setattr(netlist, "equations_of", lambda device: wrong)
    differs = cli(*arguments)
    assert differs.status == 1
    assert re.search(r"boundary +│ +1.0e-02 │ .* │ above 0.001", differs.out), differs.out


@with_ngspice
def test_the_netlist_of_the_command_runs_as_it_is(drive_file, tmp_path, cli):
    out = tmp_path / "my drive.cir"
    result = cli("trace", "export", drive_file, "--out", out, "--devices", "1", "--steps", "100:200")
    assert result.status == 0
    assert "ngspice -n -b" in result.out
    done = subprocess.run(["ngspice", "-n", "-b", out.name], cwd=tmp_path, capture_output=True, text=True, check=True)
    table = np.loadtxt(tmp_path / "my_drive.data", skiprows=1)
    with memsim.open_drive(drive_file) as trace:
        assert table.shape == (100, 4), done.stdout
        for column, quantity in ((1, "state"), (2, "current"), (3, "voltage")):
            ours = trace.window(quantity)[100:200, 1]
            np.testing.assert_allclose(table[:, column], ours, rtol=0, atol=1e-4 * np.ptp(ours))


def test_a_netlist_is_not_written_over_what_exists_nor_from_what_it_cannot_hold(drive_file, tmp_path, refused):
    out = tmp_path / "drive.cir"
    out.write_text("mine")
    export = "trace", "export", drive_file, "--out", out
    refused("exists", *export)
    new = "trace", "export", drive_file, "--out", tmp_path / "new.cir"
    refused("--stride: is not for --format spice", *new, "--stride", "2")
    refused("--quantities: is not for --format spice", *new, "--quantities", "state")
    refused("--banks: a drive has none", *new, "--banks", "nodes1")
    refused(r"--devices: must be from 0 to 1 \(got 2\)", *new, "--devices", "2")
    refused("--steps: the drive has steps 0 to 499", *new, "--steps", "0:501")
    refused("--out .*x.csv ends in .csv", *export[:-1], tmp_path / "x.csv", "--format", "spice")
    refused("--any-size: is not for --format csv", "trace", "export", drive_file, "--format", "csv", "--any-size")
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive.cir"]


def test_too_much_for_a_netlist_is_refused_with_its_limits(monkeypatch, drive_file, tmp_path, refused, cli):
    monkeypatch.setattr(circuits, "MOST_DEVICE_STEPS", 999)
    export = "trace", "export", drive_file, "--out", tmp_path / "drive.cir"
    refused("2 devices, 1,000 device-steps.*--any-size", *export)
    assert cli(*export, "--any-size").status == 0


def test_a_run_with_imperfections_has_no_netlist(tmp_path, refused):
    path = tmp_path / "run.h5"
    sections = {"learning": {"epochs": 1}, "imperfections": {"synapse": {"spread": {"mobility": 0.1}}}}
    training.run(configuration("mlp", **sections), DATA, out=path).close()
    refused(r"the run has \[imperfections\]", "trace", "export", path, "--out", tmp_path / "run.cir")


def test_a_model_of_ones_own_has_no_netlist(tmp_path):
    class Mine(Node):
        pass

    trace = memsim.drive(Node(), sine(1e-4, 1.0), dt=1e-3, duration=0.1)
    trace.__dict__["config"] = trace.config.model_copy(update={"device": Mine()})
    with pytest.raises(InputError, match="Mine has no equations for ngspice, only ion-drift, node"):
        export_spice(trace, tmp_path / "mine.cir")


def test_without_ngspice_one_line_says_how_to_get_it(drive_file, refused, monkeypatch):
    monkeypatch.setenv("PATH", "")
    refused("ngspice: is not on PATH; install it", "trace", "referee", drive_file)


def test_what_ngspice_complains_of_is_said_and_the_netlist_kept(drive_file, tmp_path, monkeypatch):
    (tmp_path / "ngspice").write_text("#!/bin/sh\necho 'Error: timestep too small'\nexit 1\n")
    (tmp_path / "ngspice").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    keep = tmp_path / "kept"
    keep.mkdir()
    with memsim.open_drive(drive_file) as trace, pytest.raises(NgspiceError, match=r"timestep too small.*netlist\.cir"):
        simulate(circuit_of(trace), keep)
    assert (keep / "netlist.cir").read_text().startswith("* memsim")
