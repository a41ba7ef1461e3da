"""The library of device models: values, closed forms, limits, named sets of parameters, and what is refused."""

from pathlib import Path

import naive
import numpy as np
import pytest
from test_stepping import random_states, run_naive_waveform, run_pulse, run_waveform

import memsim
from memsim.devices import IonDrift
from memsim.driving.drive import run
from memsim.errors import InputError
from memsim.kernels.models import windows
from memsim.kernels.stepping import INTEGRATORS
from memsim.waveforms import Pulse, Pulses, Sinusoid

DATA = Path(__file__).with_name("data")
PLAIN = IonDrift()
K = 1e4  # the drift coefficient of the default film in 1/(A s)
of_each_integrator = pytest.mark.parametrize("integrator", INTEGRATORS)


def window(name, exponent=1):
    """A window as plain Python: f(x, direction)."""
    return naive.plain(windows.window_of(name, exponent))


def drive(device, waveform, dt, duration, **more):
    """A drive of one device with Heun's method."""
    return memsim.drive(device, waveform, dt=dt, duration=duration, integrator="heun", **more)


def pulse_of(amplitude, width):
    return Pulses(pulses=[Pulse(width=width, amplitude=amplitude)])


# Windows


@pytest.mark.parametrize("direction", [-1.0, 1.0])
@pytest.mark.parametrize("exponent", [1, 2, 7, 15])
def test_windows_at_both_ends_and_in_the_middle(direction, exponent):
    joglekar, biolek, prodromakis = (window(name, exponent) for name in ("joglekar", "biolek", "prodromakis"))
    assert [joglekar(x, direction) for x in (0.0, 0.5, 1.0)] == [0.0, 1.0, 0.0]
    ahead, behind = (1.0, 0.0) if direction > 0 else (0.0, 1.0)
    assert biolek(ahead, direction) == 0.0
    assert biolek(behind, direction) == 1.0
    assert biolek(0.5, direction) == 1.0 - 0.25**exponent
    assert [prodromakis(x, direction) for x in (0.0, 1.0)] == [0.0, 0.0]
    assert prodromakis(0.5, direction) == pytest.approx(1.0 - 0.75**exponent, rel=1e-15)
    assert [window("none")(x, direction) for x in (0.0, 0.3, 1.0)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("exponent", [1, 3, 8])
def test_windows_are_symmetric_and_bioleks_is_the_mirror_image_of_its_other_direction(exponent):
    for x in np.linspace(0.0, 1.0, 21).tolist():
        for name in ("joglekar", "prodromakis"):
            f = window(name, exponent)
            assert f(x, 1.0) == f(x, -1.0) == pytest.approx(f(1.0 - x, 1.0), abs=1e-14)
            assert 0.0 <= f(x, 1.0) <= 1.0
        biolek = window("biolek", exponent)
        assert biolek(x, 1.0) == pytest.approx(biolek(1.0 - x, -1.0), abs=1e-14)


def test_windows_for_values_worked_out_by_hand():
    assert window("joglekar", 2)(0.25, 1.0) == 1.0 - 0.0625
    assert window("biolek", 2)(0.75, 1.0) == 1.0 - 0.31640625
    assert window("biolek", 2)(0.75, -1.0) == 1.0 - 0.00390625
    assert window("prodromakis", 2)(0.25, 1.0) == 1.0 - 0.8125**2  # with -3/4 it would be 0.527 and not 0.340


def test_kvatinskys_window_is_one_over_e_at_its_edge():
    f = naive.plain(windows.kvatinsky)
    for beyond in (-3.0, -1.0, 0.0, 1.0, 3.0):
        assert f(beyond) == pytest.approx(np.exp(-np.exp(beyond)), rel=1e-13)
    assert f(-45.0) == f(-1e300) == 1.0
    assert 0.0 < f(6.5) < 1e-280
    assert f(1e300) < 1e-300


# Ion drift


@pytest.mark.parametrize("name", ["hp", None])
def test_ion_drift_under_a_voltage_has_the_memristance_that_its_flux_gives(name):
    """M = sqrt(M_0^2 - 2 (mu R_ON / D^2) (R_OFF - R_ON) flux): Joglekar and Wolf, arXiv:0807.3994."""
    device = IonDrift(preset=name) if name else PLAIN
    trace = drive(device, Sinusoid(amplitude=0.6, frequency=1.0), 1e-4, 1.0, drive="voltage", initial=0.1)
    flux = 0.6 * (1.0 - np.cos(2.0 * np.pi * trace.time)) / (2.0 * np.pi)
    span, first = device.r_off - device.r_on, 0.1 * device.r_on + 0.9 * device.r_off
    expected = np.sqrt(first**2 - 2.0 * device.drift_coefficient * span * flux)
    assert device.r_off - span * trace.state[:, 0] == pytest.approx(expected, rel=1e-7)
    assert np.ptp(trace.state) > 0.1
    assert abs(trace.state[-1, 0] - 0.1) < 1e-8


def test_joglekars_window_of_exponent_1_under_a_current():
    """x/(1 - x) = x_0/(1 - x_0) * exp(4 k q), q the charge."""
    trace = drive(IonDrift(window="joglekar"), pulse_of(2e-4, 0.1), 1e-4, 0.1, initial=0.3)
    odds = 0.3 / 0.7 * np.exp(4.0 * K * 2e-4 * trace.time)
    assert trace.state[:, 0] == pytest.approx(odds / (1.0 + odds), rel=1e-7)


def test_bioleks_window_of_exponent_1_under_a_current():
    """Upwards x = tanh(artanh(x_0) + k q), and downwards 1 - x = tanh(artanh(1 - x_0) - k q)."""
    device = IonDrift(window="biolek")
    for amplitude in (2e-4, -2e-4):
        trace = drive(device, pulse_of(amplitude, 0.3), 1e-4, 0.3, initial=0.4)
        charge = amplitude * trace.time
        up, down = np.tanh(np.arctanh(0.4) + K * charge), 1.0 - np.tanh(np.arctanh(0.6) - K * charge)
        assert trace.state[:, 0] == pytest.approx(up if amplitude > 0 else down, rel=1e-6)
        assert abs(trace.state[-1, 0] - 0.4) > 0.25


def test_bioleks_window_lets_a_state_leave_the_end_that_holds_it_with_joglekars():
    for name, leaves in (("biolek", True), ("joglekar", False), ("prodromakis", False)):
        device = IonDrift(window=name)
        for end, back in ((1.0, -1e-3), (0.0, 1e-3)):
            stays = drive(device, pulse_of(-back, 0.01), 1e-4, 0.01, initial=end).state
            assert np.all(stays == end)
            moved = drive(device, pulse_of(back, 0.01), 1e-4, 0.01, initial=end).state
            assert bool(abs(moved[-1, 0] - end) > 0.09) == leaves


def test_prodromakiss_window_of_exponent_1_under_a_current():
    """f = j x (1 - x), so x/(1 - x) = x_0/(1 - x_0) * exp(j k q)."""
    trace = drive(IonDrift(window="prodromakis", scale=1.5), pulse_of(-3e-4, 0.3), 1e-4, 0.3, initial=0.6)
    odds = 0.6 / 0.4 * np.exp(1.5 * K * -3e-4 * trace.time)
    assert trace.state[:, 0] == pytest.approx(odds / (1.0 + odds), rel=1e-7)


def test_ion_drift_stops_at_its_bounds():
    trace = drive(PLAIN, pulse_of(1e-3, 0.5), 1e-3, 0.5, initial=0.2)
    assert trace.state[:, 0] == pytest.approx(np.minimum(0.2 + K * 1e-3 * trace.time, 1.0), rel=1e-12)
    assert trace.state[-1, 0] == 1.0
    assert trace.voltage[-1, 0] == pytest.approx(1e-3 * 100.0, rel=1e-12)


def test_the_plain_device_has_the_closed_form_of_a_pulse():
    states, currents = random_states(PLAIN, 70, np.random.default_rng(1)), np.linspace(-1e-3, 1e-3, 70)
    leap, steps = (run_pulse(PLAIN, solver, states, currents, 50) for solver in ("exact", "euler"))
    assert leap.states == pytest.approx(steps.states, abs=1e-12)
    assert leap.energies == pytest.approx(steps.energies, rel=1e-12, abs=1e-18)


def test_a_file_of_the_former_windowed_drift_opens_and_drives_again():
    with memsim.open_drive(DATA / "drive-windowed-drift.h5") as earlier:
        assert earlier.model == "windowed-drift"
        assert earlier.config.device == IonDrift(window="joglekar", exponent=2)
        again = run(earlier.config)
        assert again.model == "ion-drift"
        assert again.state == pytest.approx(np.asarray(earlier.state), rel=1e-12)
        assert again.current == pytest.approx(np.asarray(earlier.current), rel=1e-12, abs=1e-18)


# The bits of the kernels, for every window and model


def same_bits_as_its_twin(device, drive_name, integrator, largest, elements=67):
    """Drive a bank with jumps, ramps and zeros, and its naive twin; the outcome."""
    rng = np.random.default_rng(elements)
    samples = rng.uniform(-largest, largest, size=(13, 3)) * rng.integers(0, 3, size=(13, 3)) / 2.0
    starts, ends = samples[:-1].copy(), samples[1:].copy()
    ends[5] = starts[5]
    states, lines = random_states(device, elements, rng), rng.integers(0, 3, size=elements)
    done = run_waveform(device, integrator, drive_name, states, (starts, ends), lines=lines)
    twin = run_naive_waveform(device, integrator, drive_name, states, (starts, ends), lines=lines)
    assert not done.differences(twin)
    assert np.isfinite(done.row_responses).all()
    assert (done.states != states).mean() > 0.2
    return done


@pytest.mark.parametrize("drive_name", ["current", "voltage"])
@of_each_integrator
@pytest.mark.parametrize("name", ["none", "joglekar", "biolek", "prodromakis"])
def test_ion_drift_equals_its_twin_to_the_last_bit(name, integrator, drive_name):
    device = IonDrift(window=name, exponent=1 if name == "none" else 3)
    same_bits_as_its_twin(device, drive_name, integrator, 1e-2 if drive_name == "current" else 30.0)


# Named sets of parameters


def test_a_named_set_gives_the_values_that_are_not_given():
    device = IonDrift(preset="joglekar", r_off=8e3)
    assert device == IonDrift(r_on=100.0, r_off=8e3, thickness=12e-9, mobility=5e-14, window="joglekar", exponent=7)
    assert "preset" not in device.model_dump()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"preset": "strukov"}, r"preset: must be one of hp, joglekar, biolek \(got 'strukov'\)"),
        ({"preset": ["hp"]}, r"preset: must be one of hp, joglekar, biolek \(got \['hp'\]\)"),
        ({"preset": "hp", "v_off": 1.0}, "v_off: no such setting"),
        ({"preset": "hp", "r_on": 20e3}, r"r_off: must be greater than r_on = 20000 ohm \(got 16000\)"),
        (
            {"preset": "hp", **IonDrift().model_dump()},
            "preset: 'hp' gives nothing, since each of its values is given; leave those out",
        ),
        ({"scale": 2.0}, r"scale: must be 1 with the window 'none' \(got 2\)"),
        ({"window": "kvatinsky"}, "window: must be 'none', 'joglekar', 'biolek' or 'prodromakis'"),
        ({"exponent": 0}, r"exponent: must be greater than or equal to 1 \(got 0\)"),
        ({"exponent": 1.5}, "exponent: must be a valid integer"),
        ({"mobility": -1e-14}, r"mobility: must be greater than 0 \(got -1e-14\)"),
        ({"thickness": float("nan")}, "thickness: must be a finite number"),
    ],
)
def test_ion_drift_refuses_what_it_cannot_be(section, message):
    with pytest.raises(InputError, match=message):
        IonDrift(**section)


def test_models_without_named_sets_say_so():
    with pytest.raises(InputError, match="preset: must be one of none, since the model has no named sets"):
        memsim.Node(preset="hp")
