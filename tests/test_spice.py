"""ngspice as the referee: the same devices, stepped by another program from equations written anew."""

import shutil

import numpy as np
import pytest
from short_runs import configuration

import memsim
from memsim import training
from memsim.datasets import Dataset
from memsim.devices import MODELS, IonDrift, Node, PershinDiVentra, Synapse, Team, ThresholdMemristor, Vteam, Yakopcic
from memsim.inspection.export.spice import circuit_of
from memsim.referee import TOLERANCE, compare, simulate
from memsim.waveforms import Pulses, Sinusoid

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
DRIVES = {
    "node, sinusoid": lines(Node(threshold=2e-5), sine(1e-4, 1.0), 1e-3, 2.0),
    "node, voltage": lines(Node(), sine(0.3, 1.0), 1e-3, 2.0, "voltage"),
    "node of Eq. 12": lines(Node(equation=12), sine(1e-4, 1.0), 1e-3, 1.0),
    "node into its bound and back": lines(Node(), TRAINS, 1e-4, 0.2, initial=4.9e-9),
    "node as printed": lines(Node(direction="printed"), TRAINS, 1e-4, 0.2),
    "synapse, sinusoid": lines(Synapse(threshold=2e-5), sine(1e-4, 1.0), 1e-3, 2.0, initial=500.0),
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
            "voltage": (sine(0.5, 1.0), 1e-3, 2.0, "voltage", 0.3),
            "sinusoid": (sine(1e-4, 1.0), 1e-3, 2.0, "current", 0.3),
            "pulses": (TRAINS, 1e-4, 0.2, "current", 0.3),
        }.items()
    },
    **{
        f"TEAM, {window}, {name}": lines(Team(window=window, exponent=2), *rest)
        for window in ("kvatinsky", *WINDOWS)
        for name, rest in {
            "sinusoid": (sine(6e-4, 50.0), 1e-5, 0.04, "current", 1e-9),
            "pulses": (pulses((0.001, 0.002, 1.1e-3), (0.005, 0.003, -1e-4)), 1e-5, 0.02, "current", 1e-9),
        }.items()
    },
    **{
        f"VTEAM, {window}, {name}": lines(Vteam(window=window, exponent=2), *rest)
        for window in ("kvatinsky", *WINDOWS)
        for name, rest in {
            "voltage": (sine(0.54, 500.0), 1e-7, 4e-3, "voltage", 5e-9),
            "sinusoid": (sine(4.3e-4, 500.0), 1e-7, 4e-3, "current", 5e-9),
            "pulses": (pulses((0.01, 0.05, 0.8), (0.08, 0.0001, -0.56)), 1e-5, 0.12, "voltage", 5e-9),
        }.items()
    },
    "Yakopcic, base": lines(Yakopcic(preset="base"), sine(0.45, 100.0), 1e-5, 0.02, "voltage", 0.11),
    "Yakopcic, miao": lines(Yakopcic(preset="miao"), sine(1.2, 1.0), 1e-3, 2.0, "voltage", 0.11),
    "Yakopcic, jo": lines(Yakopcic(preset="jo"), sine(3.0, 1.0), 1e-3, 2.0, "voltage", 0.1),
    "Yakopcic, eta = -1": lines(Yakopcic(preset="miao", eta=-1), sine(1.2, 1.0), 1e-3, 2.0, "voltage", 0.31),
    "Yakopcic, current": lines(Yakopcic(preset="miao", a2=0.2, x_min=0.01), sine(0.02, 1.0), 1e-3, 2.0, initial=0.11),
    "Yakopcic, pulses": lines(
        Yakopcic(preset="miao", x_min=0.01), pulses((0.1, 0.2, 0.01), (0.5, 0.3, -0.01)), 2e-4, 1.0, initial=0.11
    ),
    "Pershin-Di Ventra, voltage": lines(PershinDiVentra(), sine(3.0, 1e8), 1e-11, 2e-8, "voltage", 7e3),
    "Pershin-Di Ventra, current": lines(PershinDiVentra(alpha=1e11), sine(5e-4, 1e8), 1e-11, 2e-8, initial=7e3),
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


@with_ngspice
@pytest.mark.parametrize("name", DRIVES)
def test_a_drive_is_that_of_ngspice(name):
    given = DRIVES[name]
    trace = driven(given)
    assert_converged(given, trace)
    circuit = circuit_of(trace)
    found = compare(circuit, simulate(circuit))
    assert found.residual < TOLERANCE, {key: worst.residual for key, worst in found.worst().items()}


def test_every_model_and_both_kinds_of_drive_are_among_these():
    kinds = {(type(given["device"]), type(given["waveform"])) for given in DRIVES.values()}
    assert kinds == {(model, waveform) for model in MODELS.values() for waveform in (Sinusoid, Pulses)}


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
