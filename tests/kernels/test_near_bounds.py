"""States near bounds at which their drift vanishes: closed forms, both ends, any window, exponent and amplitude."""

import math

import numpy as np
import pytest
from naive import Near
from scipy.optimize import brentq

import memsim
from memsim.configuration.sections import Configuration
from memsim.datasets import gate
from memsim.devices import IonDrift, Team, Vteam
from memsim.driving.waveforms import Sinusoid
from memsim.kernels import logit
from memsim.kernels.mathematics import complement_of_power
from memsim.kernels.slots import Past
from memsim.runs.training import run

WINDOWS = [("joglekar", 1), ("joglekar", 7), ("joglekar", 15), ("prodromakis", 1), ("prodromakis", 10)]


def ion_drift(window="joglekar", exponent=1):
    """HP's device as public SPICE decks have it."""
    return IonDrift(preset="joglekar", window=window, exponent=exponent)


def after_a_period(device, amplitude, steps, initial, **about):
    """Drive a device through one period of 1 s."""
    wave = Sinusoid(amplitude=amplitude, frequency=1.0, **about)
    return memsim.drive(device, wave, dt=1.0 / steps, duration=1.0, drive="voltage", initial=initial, integrator="heun")


@pytest.mark.parametrize("y", [-700.0, -400.0, -30.0, -11.1, 11.1, 30.0, 400.0, 700.0])
@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (-1.0, 0.0), (2e-9, 5e-9), (-3.0, -1.0)])
def test_a_state_that_is_shown_lies_within_its_bounds_and_is_the_one_of_its_logit(y, lower, upper):
    x = logit.state_of_logit(y, lower, upper)
    assert lower < x < upper
    assert x == Near(y, lower, upper)[0]
    exact = (upper - lower) / (1.0 + math.exp(abs(y)))
    nearer = x - lower if y < 0.0 else upper - x
    assert nearer == pytest.approx(exact, rel=1e-12, abs=3e-16 * max(abs(lower), abs(upper)))
    if (lower, y) == (0.0, -30.0):  # where the state itself has the digits
        assert logit.logit_of(x, lower, upper) == pytest.approx(y, rel=1e-14)


@pytest.mark.parametrize("exponent", [1, 2, 7, 10, 15])
def test_the_complement_of_a_power_keeps_the_digits_of_a_small_one(exponent):
    small = 2.0 ** -np.arange(1, 1000, 37)
    found = [complement_of_power(c, exponent) for c in small]
    exact = [-math.expm1(exponent * math.log1p(-c)) for c in small]
    np.testing.assert_allclose(found, exact, rtol=1e-14)
    assert complement_of_power(0.0, exponent) == 0.0
    assert complement_of_power(1.0, exponent) == 1.0


@pytest.mark.parametrize("integrator", ["euler", "heun"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_under_a_current_the_logit_of_joglekars_first_window_grows_with_the_charge(integrator, sign):
    # ln(x/(1 - x)) grows by 4 k q. Beyond what any distance to a bound can hold, there and back.
    device, dt, start = ion_drift(), 1e-4, 1.0 - 2.0**-20 if sign > 0 else 2.0**-20
    current = sign * 0.1
    steps = 2000
    there = np.full(steps + 1, current)
    wave = np.concatenate([there, -there])
    trace = memsim.drive(device, wave, dt=dt, initial=start, integrator=integrator)
    grown = 4.0 * device.drift_coefficient * current * dt * np.arange(1, steps + 1)
    assert abs(grown[-1]) > 2000.0
    before = math.log(start) - math.log1p(-start)
    distance = trace.state[:40, 0] if sign < 0 else 1.0 - trace.state[:40, 0]
    exact = 1.0 / (1.0 + np.exp(sign * (before + grown[:40])))
    np.testing.assert_allclose(distance, exact, rtol=1e-9, atol=3e-16)
    # Euler's steps take the drive at their start: one more of them is there than back.
    after = before + (grown[0] if integrator == "euler" else 0.0)
    assert trace.state[-1, 0] == pytest.approx(1.0 / (1.0 + math.exp(-after)), rel=1e-11, abs=1e-17)
    assert trace.rows_at_bound.sum() == 0
    assert trace.stalled.sum() == 0


def test_under_a_voltage_joglekars_first_window_has_an_invariant():
    # -R_ON ln(1 - x) + R_OFF ln x grows by 4 k phi.
    device = ion_drift()
    trace = after_a_period(device, 0.05, 20_000, 0.56)
    x, time = trace.state[:, 0], np.arange(1, 20_001) / 20_000
    seen = (x < 1.0 - 1e-9) & (x > 1e-9)
    grown = -device.r_on * np.log1p(-x) + device.r_off * np.log(x)
    start = -device.r_on * math.log1p(-0.56) + device.r_off * math.log(0.56)
    flux = 0.05 * (1.0 - np.cos(2.0 * np.pi * time)) / (2.0 * np.pi)
    assert seen.sum() > 10_000
    np.testing.assert_allclose(grown[seen] - start, 4.0 * device.drift_coefficient * flux[seen], rtol=1e-4, atol=0.05)


@pytest.mark.parametrize(("window", "exponent"), WINDOWS)
@pytest.mark.parametrize("amplitude", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("phase", [0.0, math.pi])
def test_a_state_depends_on_the_flux_alone(window, exponent, amplitude, phase):
    device = ion_drift(window, exponent)
    trace = after_a_period(device, amplitude, 100_000, 0.56, phase=phase)
    assert trace.state[-1, 0] == pytest.approx(0.56, abs=1e-3)
    assert trace.rows_at_bound.sum() == 0
    far = trace.state[:, 0].max() if phase == 0.0 else trace.state[:, 0].min()
    assert 0.0 < far < 1.0


@pytest.mark.parametrize("kind", [Team, Vteam])
@pytest.mark.parametrize(("window", "exponent"), [("joglekar", 2), ("prodromakis", 3)])
def test_team_and_vteam_come_back_from_either_end(kind, window, exponent):
    common = {"k_off": 4e-8, "k_on": -4e-8, "alpha_off": 1, "alpha_on": 1, "x_on": 2e-9, "x_off": 5e-9}
    own = {"i_off": 1e-4, "i_on": -1e-4} if kind is Team else {"v_off": 0.1, "v_on": -0.1}
    device = kind(window=window, exponent=exponent, **common, **own)
    middle = 3.5e-9
    for phase in (0.0, math.pi):
        wave = Sinusoid(amplitude=1e-3, frequency=1.0, phase=phase) if kind is Team else None
        if kind is Team:
            trace = memsim.drive(device, wave, dt=1e-5, duration=1.0, initial=middle, integrator="heun")
        else:
            trace = after_a_period(device, 1.0, 100_000, middle, phase=phase)
        away = np.abs(trace.state[:, 0] - middle).max()
        assert away > 0.499 * 3e-9
        assert trace.state[-1, 0] == pytest.approx(middle, abs=1e-3 * 3e-9)
        assert trace.rows_at_bound.sum() == 0


def test_a_state_that_begins_at_a_bound_stays_there():
    for start in (0.0, 1.0):
        trace = after_a_period(ion_drift(), 1.0, 1000, start)
        assert (trace.state == start).all()
        assert trace.rows_at_bound.sum() == 1000


def test_the_lobes_of_a_loop_that_reaches_an_end_have_their_area():
    # From the flux alone: at each instant x is the root of the invariant; the area is the integral of I dV.
    device, frequency, volts, start = IonDrift(preset="hp", window="joglekar"), 0.1, 1.2, 0.1
    sweep = memsim.hysteresis_loops(
        device, frequencies=[frequency], amplitudes=[volts], drive="voltage", initial=start, steps_per_period=20_000
    )
    turn = np.linspace(0.0, np.pi, 20_001)
    flux = volts * (1.0 - np.cos(turn)) / (2.0 * np.pi * frequency)
    at_start = -device.r_on * math.log1p(-start) + device.r_off * math.log(start)

    def missing(y, wanted):  # of x = 1/(1 + e**-y): ln x = -ln(1 + e**-y), ln(1 - x) = -ln(1 + e**y)
        return device.r_on * np.logaddexp(0.0, y) - device.r_off * np.logaddexp(0.0, -y) - wanted

    wanted = at_start + 4.0 * device.drift_coefficient * flux
    y = np.array([brentq(missing, -100.0, 1e5, args=(each,), xtol=1e-10) for each in wanted])
    resistance = device.r_off - (device.r_off - device.r_on) / (1.0 + np.exp(-y))
    voltage = volts * np.sin(turn)
    lobe = abs(np.trapezoid(voltage / resistance, voltage))
    assert y.max() > 50.0
    assert sweep.loops[0].area == pytest.approx(2.0 * lobe, rel=1e-3)


def test_a_network_with_states_near_bounds_is_replayed_and_resumed_to_the_bit(tmp_path):
    data = gate("xor", samples=12, seed=3)

    def config(epochs, mode):
        return Configuration(
            network={
                "kind": "mlp",
                "weight_limit": 1.36,
                "node_drift": 0.115,
                "bias_limit": 0.05,
                "initial_bias": 0.03,
            },
            devices={"synapse": IonDrift(window="joglekar", exponent=2)},
            learning={"rate": 3.0, "epochs": epochs},
            write={"driver_limit": 1e-2},
            data={"arrays": "xor"},
            run={"seed": 1, "realisations": 3},
            trace={"mode": mode, "keyframe_samples": 12},
        )

    full = run(config(4, "full"), data)
    held = [past[Past.LOGIT] for past in full.stored.keyframe_past(2)]
    assert held[0].any(), "a synapse is near a bound at the third keyframe"
    assert not held[1].any()
    run(config(3, "keyframes"), data, out=tmp_path / "run.h5").close()
    with run(config(4, "keyframes"), data, out=tmp_path / "run.h5", resume=True) as resumed:
        for bank in full.banks:
            assert np.array_equal(resumed.final_state[bank], full.final_state[bank])
            of_the_last_epoch = {"start": full.steps - 50, "stop": full.steps}
            replayed = resumed.window(bank, "state", **of_the_last_epoch)
            assert np.array_equal(replayed, full.window(bank, "state", **of_the_last_epoch))
