"""Each device model beside SciPy: the equations written down once more, as the papers print them, and solved by LSODA.

The rates below share nothing with the kernels. The states must agree as far as Heun's method at the step allows; so
must the currents.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import memsim
from memsim.devices import Device, IonDrift, PershinDiVentra, Team, Vteam, Yakopcic
from memsim.driving.waveforms import Sinusoid

STEPS = 20_000  # of one period


def step(value):
    """Return 1 for 0 or more, else 0."""
    return 1.0 if value >= 0.0 else 0.0


def window_of(d, x, i):
    """A window as its paper prints it, x the share of the range."""
    if d.window == "joglekar":
        return 1.0 - (2.0 * x - 1.0) ** (2 * d.exponent)
    if d.window == "biolek":
        return 1.0 - (x - step(-i)) ** (2 * d.exponent)
    if d.window == "prodromakis":
        return d.scale * (1.0 - ((x - 0.5) ** 2 + 0.75) ** d.exponent)
    return 1.0


def ion_drift(d, x, v):
    i = v / (d.r_on * x + d.r_off * (1.0 - x))
    return d.mobility * d.r_on / d.thickness**2 * i * window_of(d, x, i), i


def threshold_drift(d, x, v, drive, off, on):
    """TEAM and VTEAM, whose thresholds are of the drive: i or v."""
    if off < drive:
        speed, edge = d.k_off * (drive / off - 1.0) ** d.alpha_off, (x - d.a_off) / d.w_c
    elif drive < on:
        speed, edge = d.k_on * (drive / on - 1.0) ** d.alpha_on, -(x - d.a_on) / d.w_c
    else:
        return 0.0
    if d.window == "kvatinsky":
        return speed * math.exp(-math.exp(edge))
    return speed * window_of(d, (x - d.x_on) / (d.x_off - d.x_on), drive)


def current_of_position(d, x, v):
    return v / (d.r_on + (d.r_off - d.r_on) / (d.x_off - d.x_on) * (x - d.x_on))


def team(d, x, v):
    i = current_of_position(d, x, v)
    return threshold_drift(d, x, v, i, d.i_off, d.i_on), i


def vteam(d, x, v):
    return threshold_drift(d, x, v, v, d.v_off, d.v_on), current_of_position(d, x, v)


def yakopcic(d, x, v):
    """As the 2011 paper has it, with its windows w_p and w_n."""
    g = 0.0
    if v > d.v_p:
        g = d.a_p * (math.exp(v) - math.exp(d.v_p))
    elif v < -d.v_n:
        g = -d.a_n * (math.exp(-v) - math.exp(d.v_n))
    f = 1.0
    if d.eta * v >= 0.0 and x >= d.x_p:
        f = math.exp(-d.alpha_p * (x - d.x_p)) * ((d.x_p - x) / (1.0 - d.x_p) + 1.0)
    elif d.eta * v < 0.0 and x <= 1.0 - d.x_n:
        f = math.exp(d.alpha_n * (x + d.x_n - 1.0)) * (x / (1.0 - d.x_n))
    a = d.a1 if v >= 0.0 else d.a2
    return d.eta * g * f, a * x * math.sinh(d.b * v)


def pershin_di_ventra(d, x, v):
    rate = d.beta * v + 0.5 * (d.alpha - d.beta) * (abs(v + d.v_t) - abs(v - d.v_t))
    return rate, v / x


@dataclass
class Case:
    """A device under a voltage sinusoid of one period, and its rate and current: f(device, x, v)."""

    device: Device
    law: Callable
    amplitude: float
    frequency: float
    start: float
    tolerance: float = 1e-7  # share of the state's range

    def __str__(self):
        return f"{self.device.model}-{getattr(self.device, 'window', '')}{getattr(self.device, 'eta', '')}"


FILM = {"window": "none", "k_off": 3e-9, "k_on": -1e-10, "alpha_off": 1, "alpha_on": 1}
SLOW = {"k_on": -4e-8, "alpha_on": 1}
CASES = [
    Case(IonDrift(preset="hp"), ion_drift, 1.0, 1.0, 0.1),
    Case(IonDrift(window="joglekar", exponent=2), ion_drift, 0.6, 1.0, 0.2),
    Case(IonDrift(window="biolek", exponent=2), ion_drift, 0.6, 1.0, 0.2),
    Case(IonDrift(window="prodromakis", exponent=4, scale=1.4), ion_drift, 0.9, 1.0, 0.2),
    Case(Team(**FILM), team, 0.15, 1.0, 1e-9),
    Case(Team(**(FILM | {"window": "biolek", "exponent": 3})), team, 0.3, 1.0, 1e-9),
    Case(Team(**(FILM | {"window": "kvatinsky", "a_on": 3e-10, "a_off": 2e-9})), team, 0.3, 1.0, 1e-9),
    Case(Vteam(**SLOW), vteam, 1.0, 8.0, 6e-9),
    Case(Vteam(**SLOW, window="joglekar", exponent=2), vteam, 1.0, 1.0, 3e-9),
    Case(Vteam(**SLOW, window="biolek", exponent=2), vteam, 1.0, 1.0, 3e-9),
    Case(Vteam(**SLOW, window="prodromakis", exponent=2), vteam, 1.2, 1.0, 3e-9),
    Case(Vteam(preset="ferroelectric", k_off=1e-9, k_on=-4e-4, alpha_on=3), vteam, 6.5, 50.0, 3e-9),
    Case(Yakopcic(preset="base"), yakopcic, 0.45, 100.0, 0.11, 1e-6),
    Case(Yakopcic(preset="base", eta=-1), yakopcic, 0.3, 100.0, 0.9),
    Case(Yakopcic(preset="miao"), yakopcic, 1.0, 0.5, 0.11),
    Case(Yakopcic(preset="jo"), yakopcic, 3.0, 0.2, 0.1),
    Case(PershinDiVentra(), pershin_di_ventra, 3.0, 2.5e8, 5e3),
    Case(PershinDiVentra(alpha=2e11), pershin_di_ventra, 2.0, 2e8, 5e3),
]


def solved(case, times):
    """State at some times by LSODA; no step of it reaches over a corner of the rate."""
    integrate = pytest.importorskip("scipy.integrate")
    turn = 2.0 * math.pi * case.frequency
    answer = integrate.solve_ivp(
        lambda t, x: case.law(case.device, x[0], case.amplitude * math.sin(turn * t))[0],
        (0.0, times[-1]), [case.start], "LSODA", times, rtol=1e-10, atol=1e-14 * abs(case.start),
        max_step=1e-3 / case.frequency,
    )  # fmt: skip
    assert answer.success
    return answer.y[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_model_agrees_with_scipy(case):
    period = 1.0 / case.frequency
    trace = memsim.drive(
        case.device, Sinusoid(amplitude=case.amplitude, frequency=case.frequency), dt=period / STEPS, duration=period,
        drive="voltage", initial=case.start, integrator="heun",
    )  # fmt: skip
    every = slice(STEPS // 200 - 1, None, STEPS // 200)
    times, states, currents = trace.time[every], trace.state[every, 0], trace.current[every, 0]
    expected = solved(case, times)
    variable = case.device.state_variables()[0]
    span = variable.upper - variable.lower
    assert np.ptp(expected) > 0.05 * span
    assert variable.lower < trace.state.min()
    assert trace.state.max() < variable.upper
    assert np.abs(states - expected).max() < case.tolerance * span
    volts = case.amplitude * np.sin(2.0 * np.pi * case.frequency * times)
    laws = np.array([case.law(case.device, x, v)[1] for x, v in zip(expected, volts, strict=True)])
    assert np.abs(currents - laws).max() < 20.0 * case.tolerance * np.abs(laws).max()


def test_a_wrong_window_or_sign_would_be_seen():
    """The traps of other tools: Prodromakis's 3/4 taken off, and Biolek's step on the current's own sign."""
    for case, wrong in (
        (CASES[3], lambda x, _: 1.4 * (1.0 - ((x - 0.5) ** 2 - 0.75) ** 4)),
        (CASES[2], lambda x, i: 1.0 - (x - step(i)) ** 4),
    ):
        d = case.device

        def law(device, x, v, wrong=wrong):
            i = v / (device.r_on * x + device.r_off * (1.0 - x))
            return device.drift_coefficient * i * wrong(x, i), i

        times = np.linspace(0.01, 1.0, 100)
        mistaken = Case(d, law, case.amplitude, case.frequency, case.start)
        assert np.abs(solved(mistaken, times) - solved(case, times)).max() > 1e-2
