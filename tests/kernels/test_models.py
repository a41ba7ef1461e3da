"""The library of device models: values, closed forms, limits, named sets of parameters, and what is refused."""

import math

import naive
import numpy as np
import pytest
from places import DATA, EXAMPLES
from test_stepping import random_states, run_naive_waveform, run_pulse, run_waveform

import memsim
from memsim.devices import MODELS, IonDrift, PershinDiVentra, Team, Vteam, Yakopcic
from memsim.driving.drive import run
from memsim.driving.drive_configuration import load_drive_configuration
from memsim.driving.drive_trace import load_drive_source
from memsim.driving.waveforms import Pulse, Pulses, Sinusoid
from memsim.errors import InputError
from memsim.kernels.models import windows

THRESHOLD_MODELS = [(Team, "i_off", "i_on"), (Vteam, "v_off", "v_on")]
PLAIN = IonDrift()
K = 1e4  # the drift coefficient of the default film in 1/(A s)

# Each model's law is in Heun's kernel, which tests/kernels/test_stepping.py compares with Euler's.
of_each_integrator = pytest.mark.parametrize("integrator", ["heun", pytest.param("euler", marks=pytest.mark.slow)])


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


@pytest.mark.slow
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
        before = np.asarray(earlier.state)
        far = slice(int(np.argmax(before[:, 0] > 0.99)))  # from there on the former one went to its end, and stayed
        assert far.stop > 40
        assert (before[-20:] == 1.0).all()
        assert again.state[far] == pytest.approx(before[far], rel=1e-12)
        assert again.current[far] == pytest.approx(np.asarray(earlier.current)[far], rel=1e-12, abs=1e-18)
        assert again.state[-1, 0] == pytest.approx(before[0, 0], abs=0.05)


# TEAM and VTEAM


def rate(device, state, drive, drive_name):
    """The drift at a state and a drive, as plain Python."""
    physics = naive.Physics(device.functions(), drive_name)
    return physics.drift(0, [state], drive, device.kernel_parameters())


@pytest.mark.parametrize("window_name", ["none", "joglekar", "biolek", "prodromakis", "kvatinsky"])
@pytest.mark.parametrize(("model", "off", "on"), THRESHOLD_MODELS)
def test_team_and_vteam_rest_up_to_their_thresholds_and_drift_as_published_beyond_them(model, off, on, window_name):
    device = model(window=window_name, exponent=2, alpha_off=2, alpha_on=3, x_off=4e-9, a_off=3e-9, a_on=1e-9)
    drive_name = "current" if model is Team else "voltage"
    off, on, x, share = getattr(device, off), getattr(device, on), 1e-9, 0.25
    assert [rate(device, x, at, drive_name) for at in (off, 0.5 * off, 0.0, 0.5 * on, on)] == [0.0] * 5
    up, down = {
        "none": (1.0, 1.0),
        "joglekar": (1.0 - 0.5**4, 1.0 - 0.5**4),
        "biolek": (1.0 - share**4, 1.0 - 0.75**4),
        "prodromakis": (1.0 - 0.8125**2, 1.0 - 0.8125**2),
        "kvatinsky": (math.exp(-math.exp(-2e-9 / 107e-12)), math.exp(-1.0)),
    }[window_name]
    assert rate(device, x, 3.0 * off, drive_name) == pytest.approx(device.k_off * 4.0 * up, rel=1e-12)
    assert rate(device, x, 3.0 * on, drive_name) == pytest.approx(device.k_on * 8.0 * down, rel=1e-12)


@pytest.mark.parametrize(("model", "off", "on"), THRESHOLD_MODELS)
def test_without_a_window_team_and_vteam_move_linearly_under_a_constant_drive(model, off, on):
    device = model(window="none", k_off=2e-8, k_on=-3e-8, alpha_off=2, alpha_on=2)
    drive_name = "current" if model is Team else "voltage"
    for threshold, speed in ((getattr(device, off), 2e-8 * 0.25), (getattr(device, on), -3e-8 * 0.25)):
        trace = drive(device, pulse_of(1.5 * threshold, 0.1), 1e-3, 0.1, drive=drive_name)
        middle = 0.5 * device.x_off
        assert trace.state[:, 0] == pytest.approx(middle + speed * trace.time, rel=1e-12)


def test_team_looks_at_the_current_and_vteam_at_the_voltage():
    """1.2 of the threshold in one state is 0.6 of it in another, for that which looks at the other quantity."""
    team, vteam = Team(window="none"), Vteam(window="none")
    near, far = 0.0, 0.9
    for device, threshold, drive_name in ((team, team.i_off, "voltage"), (vteam, vteam.v_off, "current")):
        at = [device.x_on + share * (device.x_off - device.x_on) for share in (near, far)]
        resistance = [device.r_on + share * (device.r_off - device.r_on) for share in (near, far)]
        unit = resistance[0] if device is team else 1.0 / resistance[1]
        moves = [rate(device, x, 1.2 * threshold * unit, drive_name) > 0.0 for x in at]
        assert moves == ([True, False] if device is team else [False, True])
        exact = rate(device, at[device is vteam], 1.2 * threshold * unit, drive_name)
        assert exact == pytest.approx(device.k_off * 0.2**device.alpha_off, rel=1e-9)


def test_vteam_is_slower_near_the_end_that_it_moves_to_with_bioleks_window_alone():
    biolek, joglekar = Vteam(window="biolek", exponent=2), Vteam(window="joglekar", exponent=2)
    near = 9.9e-9
    plain = rate(Vteam(window="none"), near, -1.0, "voltage")
    assert rate(biolek, near, 1.0, "voltage") < 0.1 * rate(biolek, 1e-9, 1.0, "voltage")
    assert rate(biolek, near, -1.0, "voltage") == pytest.approx(plain, rel=0.1)
    assert rate(joglekar, near, -1.0, "voltage") == pytest.approx(0.0776 * plain, rel=0.01)


def test_prodromakiss_factor_scales_the_speeds_of_team():
    one, two = Team(window="prodromakis"), Team(window="prodromakis", scale=2.0)
    for current in (1e-3, -1e-3):
        assert rate(two, 1e-9, current, "current") == 2.0 * rate(one, 1e-9, current, "current")


def test_vteam_under_a_current_moves_at_the_voltage_that_it_causes():
    device = Vteam()
    for x in np.linspace(0.0, device.x_off, 7).tolist():
        resistance = device.r_on + (device.r_off - device.r_on) * x / device.x_off
        for v in (0.7, -0.8):
            assert rate(device, x, v / resistance, "current") == pytest.approx(rate(device, x, v, "voltage"), rel=1e-12)


# Yakopcic


YAKOPCIC = {name: Yakopcic(preset=name, x_min=1e-3) for name in Yakopcic.presets}


@pytest.mark.parametrize(
    ("name", "v", "expected"),
    [
        # a x sinh(b V) at x = 1/2
        ("base", 0.4, 0.085 * math.sinh(0.02)), ("base", -0.4, -0.085 * math.sinh(0.02)),
        ("miao", 1.0, 0.055 * math.sinh(0.5)), ("miao", -1.0, -0.055 * math.sinh(0.5)),
        ("jo", 2.0, 1.85e-7 * math.sinh(1.4)), ("jo", -2.0, -2.175e-7 * math.sinh(1.4)),
    ],
)  # fmt: skip
def test_yakopcics_current(name, v, expected):
    physics = naive.Physics(YAKOPCIC[name].functions(), "voltage")
    assert physics.response([0.5], v, YAKOPCIC[name].kernel_parameters()) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", YAKOPCIC)
def test_yakopcics_voltage_under_a_current_undoes_its_current_under_a_voltage(name):
    device = YAKOPCIC[name]
    p, functions = device.kernel_parameters(), device.functions()
    forwards, back = naive.Physics(functions, "voltage"), naive.Physics(functions)
    for x in (1e-3, 0.11, 0.5, 1.0):
        for v in (*np.linspace(-3.0, 3.0, 25).tolist(), 1e-9, -1e-9):
            current = forwards.response([x], v, p)
            assert back.response([x], current, p) == pytest.approx(v, rel=1e-12, abs=1e-300)
            assert forwards.response([x], back.response([x], current, p), p) == pytest.approx(
                current, rel=1e-12, abs=0.0
            )


@pytest.mark.parametrize(
    ("name", "x", "v", "expected"),
    [
        # A_p (e^V - e^V_p), and beyond x_p times exp(-alpha_p (x - x_p)) (1 - (x - x_p)/(1 - x_p))
        ("base", 0.2, 0.25, 4000.0 * (math.exp(0.25) - math.exp(0.16))),
        ("base", 0.65, 0.25, 4000.0 * (math.exp(0.25) - math.exp(0.16)) * math.exp(-0.35) * 0.5),
        ("base", 0.6, -0.25, -4000.0 * (math.exp(0.25) - math.exp(0.15))),
        ("base", 0.25, -0.25, -4000.0 * (math.exp(0.25) - math.exp(0.15)) * math.exp(-5.0 * 0.25) * 0.5),
        ("miao", 0.2, 0.75, 7.5 * (math.exp(0.75) - math.exp(0.09))),
        ("miao", 0.65, 0.75, 7.5 * (math.exp(0.75) - math.exp(0.09)) * math.exp(-0.35) * 0.5),
        ("miao", 0.6, -1.25, -2.0 * (math.exp(1.25) - math.exp(0.75))),
        ("miao", 0.125, -1.25, -2.0 * (math.exp(1.25) - math.exp(0.75)) * math.exp(-5.0 * 0.375) * 0.25),
        ("jo", 0.1, 4.0, 0.005 * (math.exp(4.0) - math.exp(1.5))),
        ("jo", 0.6, 4.0, 0.005 * (math.exp(4.0) - math.exp(1.5)) * math.exp(-1.2 * 0.4) * 0.5),
        ("jo", 0.6, -2.0, -0.08 * (math.exp(2.0) - math.exp(0.5))),
        ("jo", 0.25, -2.0, -0.08 * (math.exp(2.0) - math.exp(0.5)) * math.exp(-3.0 * 0.25) * 0.5),
    ],
)  # fmt: skip
def test_yakopcics_drift(name, x, v, expected):
    device = YAKOPCIC[name]
    assert rate(device, x, v, "voltage") == pytest.approx(expected, rel=1e-12)
    current = naive.Physics(device.functions(), "voltage").response([x], v, device.kernel_parameters())
    assert rate(device, x, current, "current") == pytest.approx(expected, rel=1e-11)
    turned = device.model_copy(update={"eta": -1})
    # Turned around, the same voltage moves the state the other way, and the other window slows it.
    assert math.copysign(1.0, rate(turned, x, v, "voltage")) == -math.copysign(1.0, expected)


@pytest.mark.parametrize("name", YAKOPCIC)
def test_yakopcic_rests_up_to_its_thresholds_and_comes_to_rest_at_both_ends(name):
    device = YAKOPCIC[name].model_copy(update={"x_min": 0.0})
    below = [device.v_p, 0.5 * device.v_p, 0.0, -0.5 * device.v_n, -device.v_n]
    assert [rate(device, x, v, "voltage") for x in (0.0, 0.11, 1.0) for v in below] == [0.0] * 15
    assert abs(rate(device, 1.0, device.v_p + 1.0, "voltage")) < 1e-12
    assert rate(device, 0.0, -device.v_n - 1.0, "voltage") == 0.0
    assert rate(device, 1.0, -device.v_n - 1.0, "voltage") < 0.0 < rate(device, 0.0, device.v_p + 1.0, "voltage")


def test_yakopcic_takes_a_voltage_from_any_state_and_a_current_only_above_0():
    trace = drive(Yakopcic(), Sinusoid(amplitude=0.45, frequency=100.0), 1e-5, 0.02, drive="voltage", initial=0.0)
    assert trace.state.max() > 0.1
    assert np.isfinite(trace.current).all()
    refusal = r"device.x_min: must be greater than 0 under a current, which a state of 0 cannot carry \(got 0\)"
    with pytest.raises(InputError, match=refusal):
        drive(Yakopcic(), pulse_of(1e-3, 0.01), 1e-4, 0.01)
    with pytest.raises(InputError, match=r"initial.x: must lie from 0.001 to 1 \(got 0 for device 0\)"):
        drive(YAKOPCIC["base"], pulse_of(1e-3, 0.01), 1e-4, 0.01, initial=0.0)
    carried = drive(YAKOPCIC["base"], pulse_of(-5e-3, 0.01), 1e-5, 0.01, initial=0.3)
    assert np.isfinite(carried.voltage).all()
    assert carried.voltage[:, 0] == pytest.approx(-np.arcsinh(5e-3 / (0.17 * carried.state[:, 0])) / 0.05, rel=1e-12)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("device.model=[1]", r"device.model: must be one of .*yakopcic.* \(got \[1\]\)"),
        ("device.model=yakopcik", "did you mean 'yakopcic'"),
        ("device.preset=hp", r"device.preset: must be one of base, miao, jo \(got 'hp'\)"),
        ("device.x_min=1", r"device.x_min: must be less than 1 \(got 1\)"),
        ("bank.drive=current", "device.x_min: must be greater than 0 under a current"),
    ],
)
def test_a_file_with_a_device_that_cannot_be_is_refused_in_one_line(assignment, message):
    example = EXAMPLES / "yakopcic.toml"
    with pytest.raises(InputError, match=message) as refusal:
        load_drive_configuration(example, [assignment])
    assert "\n" not in str(refusal.value)


def test_a_drive_keeps_the_values_of_its_named_set_and_not_the_name(tmp_path):
    path = tmp_path / "drive.h5"
    drive(Yakopcic(preset="jo"), Sinusoid(amplitude=4.0, frequency=1.0), 1e-2, 1.0, drive="voltage", out=path).close()
    with memsim.open_drive(path) as trace:
        assert trace.config.device == Yakopcic(preset="jo")
        assert "preset" not in trace.configuration["device"]
        assert trace.configuration["device"]["a1"] == 3.7e-7
    assert load_drive_source(path, ["device.a1=1e-6"]).device == Yakopcic(preset="jo", a1=1e-6)
    with pytest.raises(InputError, match=r"device\.preset: 'base' gives nothing, since each of its values is given"):
        load_drive_source(path, ["device.preset=base"])


# Pershin and Di Ventra


def test_pershin_and_di_ventras_rate_is_piecewise_linear_in_the_voltage():
    device = PershinDiVentra(alpha=3.0, beta=100.0, v_t=2.0)
    for v, expected in ((1.0, 3.0), (2.0, 6.0), (5.0, 306.0), (-1.0, -3.0), (-5.0, -306.0), (0.0, 0.0)):
        printed = 100.0 * v + 0.5 * (3.0 - 100.0) * (abs(v + 2.0) - abs(v - 2.0))
        assert (
            rate(device, 4e3, v, "voltage") == pytest.approx(expected, abs=1e-12) == pytest.approx(printed, abs=1e-12)
        )
        assert rate(device, 4e3, v / 4e3, "current") == pytest.approx(expected, abs=1e-9)


def test_pershin_and_di_ventras_memristance_under_a_voltage_grows_linearly_and_stops():
    device = PershinDiVentra(beta=1e5)
    trace = drive(device, pulse_of(2.6, 0.1), 1e-4, 0.1, drive="voltage", initial=5e3)
    assert trace.state[:, 0] == pytest.approx(np.minimum(5e3 + 1e5 * trace.time, 10e3), rel=1e-12)
    assert trace.current[-1, 0] == pytest.approx(2.6e-4, rel=1e-14)
    rests = drive(device, pulse_of(1.6, 0.1), 1e-3, 0.1, drive="voltage", initial=5e3)
    assert np.all(rests.state == 5e3)


def test_pershin_and_di_ventras_memristance_under_a_current_grows_exponentially():
    """DR/dt = beta (R I - V_t), so R - V_t/I = (R_0 - V_t/I) exp(beta I t)."""
    device = PershinDiVentra(beta=1e5)
    trace = drive(device, pulse_of(4e-4, 0.02), 1e-5, 0.02, initial=5e3)
    rest = 1.6 / 4e-4
    assert trace.state[:, 0] == pytest.approx(rest + (5e3 - rest) * np.exp(1e5 * 4e-4 * trace.time), rel=1e-7)
    below = drive(device, pulse_of(4e-4, 0.02), 1e-4, 0.02, initial=3.9e3)
    assert np.all(below.state == 3.9e3)


# Fingerprints


FINGERPRINTS = {
    "ion-drift": (IonDrift(), 0.6, 1.0, 0.1),
    "biolek": (IonDrift(window="biolek", exponent=2), 0.6, 1.0, 0.1),
    "team": (Team(window="none", k_off=3e-9, k_on=-1e-10, alpha_off=1, alpha_on=1), 0.3, 1.0, 1e-9),
    "vteam": (Vteam(preset="pt-hf-ti", k_on=-4e-8, window="biolek"), 1.0, 1.0, 3e-9),
    "yakopcic": (Yakopcic(), 0.45, 100.0, 0.11),
    "pershin-di-ventra": (PershinDiVentra(), 3.0, 1e8, 7e3),
}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_loops_are_pinched_and_shrink_with_frequency(name):
    device, amplitude, frequency, initial = FINGERPRINTS[name]
    areas = []
    for factor in (1.0, 30.0, 1e5):
        f = factor * frequency
        trace = drive(
            device, Sinusoid(amplitude=amplitude, frequency=f), 1e-4 / f, 2.0 / f, drive="voltage", initial=initial
        )
        v, i = trace.voltage[:, 0], trace.current[:, 0]
        assert np.all(v * i >= 0.0)
        assert np.abs(i[np.abs(v) < 1e-12 * amplitude]).max() < 1e-10 * np.abs(i).max()
        half = slice(10000, 15000)  # one lobe of the second period
        areas.append(abs(np.sum(0.5 * (i[half][1:] + i[half][:-1]) * np.diff(v[half]))) / (amplitude * np.abs(i).max()))
    assert areas[0] > 0.02
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] < 2e-3


def test_the_plain_device_is_back_at_its_start_after_whole_periods():
    waveform = Sinusoid(amplitude=0.6, frequency=1.0)
    trace = drive(PLAIN, waveform, 1e-4, 3.0, drive="voltage", initial=0.1)
    assert trace.state[[9999, 19999, 29999], 0] == pytest.approx(0.1, rel=1e-6)
    assert np.ptp(trace.state) > 0.1
    current = drive(PLAIN, Sinusoid(amplitude=1e-4, frequency=1.0), 1e-4, 3.0, initial=0.1)
    assert current.state[[9999, 19999, 29999], 0] == pytest.approx(0.1, rel=1e-9)


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


SPECIAL = [
    *((Team(window=name, exponent=2), "current", 2e-2) for name in ("none", "joglekar", "biolek", "prodromakis")),
    (Vteam(window="none"), "voltage", 3.0),
    (Vteam(window="biolek", exponent=2), "current", 2e-2),
    (Vteam(window="joglekar", exponent=3), "voltage", 3.0),
    (Vteam(window="prodromakis", exponent=2, scale=1.5), "voltage", 3.0),
    (Vteam(preset="ferroelectric"), "voltage", 30.0),
    (Team(), "voltage", 5.0),
    *((Yakopcic(preset=name), "voltage", 3.0) for name in Yakopcic.presets),
    (Yakopcic(preset="miao", eta=-1, x_min=0.01), "current", 0.05),
    (Yakopcic(preset="jo", x_min=0.01), "current", 1e-6),
    (PershinDiVentra(beta=1e6), "voltage", 5.0),
    (PershinDiVentra(beta=1e6, alpha=1e5), "current", 2e-3),
]


@of_each_integrator
@pytest.mark.parametrize(("device", "drive_name", "largest"), SPECIAL, ids=lambda value: getattr(value, "model", ""))
def test_every_choice_of_a_model_equals_its_twin_to_the_last_bit(device, drive_name, largest, integrator):
    same_bits_as_its_twin(device, drive_name, integrator, largest)


# Named sets of parameters


def test_a_named_set_gives_the_values_that_are_not_given():
    device = IonDrift(preset="joglekar", r_off=8e3)
    assert device == IonDrift(r_on=100.0, r_off=8e3, thickness=12e-9, mobility=5e-14, window="joglekar", exponent=7)
    assert "preset" not in device.model_dump()


@pytest.mark.parametrize(("model", "name"), [(model, name) for model in MODELS.values() for name in model.presets])
def test_every_named_set_is_a_device_that_can_be_driven(model, name):
    device = model(preset=name)
    for field, value in model.presets[name].values.items():
        assert getattr(device, field) == value
    assert model(**device.model_dump()) == device
    variable = device.state_variables()[0]
    assert variable.lower < device.resting_state()[0] < variable.upper
    assert model.presets[name].origin


def test_the_published_values():
    """As public models have them."""
    pt, fe = Vteam(preset="pt-hf-ti"), Vteam(preset="ferroelectric")
    assert (pt.r_on, pt.r_off, pt.x_off, pt.v_off, pt.v_on) == (100.0, 2500.0, 10e-9, 0.5, -0.53)
    assert (pt.k_off, pt.k_on, pt.alpha_off, pt.alpha_on) == (4.03e-8, -80.0, 1, 3)
    assert (fe.r_on, fe.r_off, fe.v_off, fe.v_on) == (1.5e5, 5e7, 1.4, -5.7)
    assert (fe.k_off, fe.k_on, fe.alpha_off, fe.alpha_on) == (
        1e-4,
        -30.0,
        5,
        5,
    )
    hp = IonDrift(preset="hp")
    assert (hp.r_on, hp.r_off, hp.thickness, hp.mobility, hp.window) == (100.0, 16e3, 1e-8, 1e-14, "none")


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


@pytest.mark.parametrize(
    ("model", "section", "message"),
    [
        (Team, {"i_on": 8.9e-6}, r"i_on: must be less than 0 \(got 8.9e-06\)"),
        (Team, {"i_off": 0.0}, r"i_off: must be greater than 0 \(got 0.0\)"),
        (Team, {"k_off": -1.0}, "k_off: must be greater than 0"),
        (Team, {"x_on": 4e-9}, r"x_off: must be greater than x_on = 4e-09 m \(got 3e-09\)"),
        (Team, {"v_off": 1.0}, "v_off: no such setting"),
        (Team, {"window": "prodromakis", "scale": 0.0}, "scale: must be greater than 0"),
        (Vteam, {"v_on": 0.53}, r"v_on: must be less than 0 \(got 0.53\)"),
        (Vteam, {"alpha_on": 16}, "alpha_on: must be less than or equal to 15"),
        (Vteam, {"alpha_off": 1.5}, "alpha_off: must be a valid integer"),
        (Vteam, {"w_c": 0.0}, "w_c: must be greater than 0"),
        (Vteam, {"scale": 2.0}, r"scale: must be 1 with the window 'kvatinsky' \(got 2\); only prodromakis"),
        (Vteam, {"preset": "hp"}, r"preset: must be one of pt-hf-ti, ferroelectric \(got 'hp'\)"),
        (Vteam, {"preset": "ferroelectric", "a1": 1.0}, "a1: no such setting"),
        (Vteam, {"a_on": 1.0}, r"a_on: must be between x_on = 0 m and x_off = 1e-08 m, within 10 w_c \(got 1\)"),
        (Team, {"a_off": -1e-6}, r"a_off: must be between x_on .*got -1e-06"),
        (Team, {"x_off": 1e-320, "window": "none"}, "team: what follows from these parameters is not finite"),
        (IonDrift, {"thickness": 1e-300}, "ion-drift: what follows from these parameters is not finite"),
        (Yakopcic, {"a1": 0.0}, "a1: must be greater than 0"),
        (Yakopcic, {"x_p": 1.0}, "x_p: must be less than 1"),
        (Yakopcic, {"eta": 2}, "eta: must be 1 or -1"),
        (Yakopcic, {"x_min": -0.1}, "x_min: must be greater than or equal to 0"),
        (Yakopcic, {"b": float("inf")}, "b: must be a finite number"),
        (PershinDiVentra, {"beta": 0.0}, "beta: must be greater than 0"),
        (PershinDiVentra, {"v_t": -1.0}, "v_t: must be greater than or equal to 0"),
        (PershinDiVentra, {"r_on": 2e4}, r"r_off: must be greater than r_on = 20000 ohm \(got 10000\)"),
    ],
)
def test_parameters_outside_their_physical_range_are_refused_in_one_line(model, section, message):
    with pytest.raises(InputError, match=message) as refusal:
        model(**section)
    assert "\n" not in str(refusal.value)


def test_models_without_named_sets_say_so():
    with pytest.raises(InputError, match="preset: must be one of none, since the model has no named sets"):
        memsim.Node(preset="hp")
