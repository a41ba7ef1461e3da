"""The activation stage of the equivalent construction: a memristor of its own, read by pulses."""

import numpy as np
import pytest
from short_runs import REAL, configuration

import memsim
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble
from memsim.runs import training

G = {"logistic": lambda net: 1.0 / (1.0 + np.exp(-net)), "tanh": np.tanh, "identity": lambda net: net}


def run(activation="logistic", imperfections=None, **network):
    sections = {"devices": {"memristor": {"activation": activation, "reference_voltage": 0.5}}, "network": network}
    if imperfections is not None:
        sections |= imperfections
    return training.run(configuration("lines", learning={"rate": 2.0}, trace={"mode": "full"}, **sections), REAL)


@pytest.mark.parametrize("activation", G)
def test_its_voltage_is_the_activation_of_what_the_lines_gave(activation):
    """Eq. 5 without a weight or a bias, V = V_0 g(I / I_0), from the states of the lines and the shown inputs."""
    done = run(activation)
    slots = done.slots
    (read,) = np.flatnonzero(slots["operation"] == b"READ_ACTIVATION")
    shown = done.order.reshape(-1, done.realisations)
    starts = np.arange(len(shown)) * done.sample_steps + slots["start"][read]
    width = slots["pulse_steps"][read]
    states, limit = done.window("lines", "state"), 20.0
    weights = states[starts] / (0.5 * done.config.devices.synapse.state_range) * limit
    inputs = np.concatenate([REAL.inputs, np.ones((len(REAL.inputs), 1))], axis=1)
    net = np.einsum("sir,sri->sr", weights, inputs[shown])
    for step in (starts, starts + width - 1):
        current = done.window("activation", "current")[step, 0]
        voltage = done.window("activation", "voltage")[step, 0]
        np.testing.assert_allclose(current, 1e-3 * net, rtol=1e-12, atol=1e-17)
        np.testing.assert_allclose(voltage, 0.5 * G[activation](net), rtol=1e-12, atol=1e-15)


def test_nothing_of_it_moves_and_no_read_reaches_a_threshold():
    done = run()
    assert not done.window("activation", "state").any()
    (_, margins) = done.margins
    assert 0.0 < margins.peak_read < 0.81
    assert sum(margins.counts.values()) == 0


def test_its_energy_is_that_of_its_reads():
    """The sum of V I dt over the trace; none in any other phase."""
    done = run()
    power = done.window("activation", "voltage")[:, 0] * done.window("activation", "current")[:, 0]
    spent = done.energy["activation"]
    np.testing.assert_allclose(spent["READ"], power.sum(axis=0) * done.dt, rtol=1e-12)
    assert (spent["READ"] != 0.0).all()
    assert not any(spent[phase.name].any() for phase in Phase if phase != Phase.READ)


@pytest.mark.parametrize("activation", G)
def test_it_learns_the_curve_of_an_activation_that_is_computed(activation):
    rate = {"logistic": 2.0, "tanh": 0.2, "identity": 0.05}[activation]
    sections = {"devices": {"memristor": {"activation": activation}}, "learning": {"rate": rate, "epochs": 50}}
    data = memsim.datasets.gate("or", samples=20)
    by_device, by_controller = (
        training.run(configuration("lines", network={"activation": stage}, **sections), data)
        for stage in ("device", "controller")
    )
    assert by_device.banks == ("lines", "activation")
    assert by_controller.banks == ("lines",)
    np.testing.assert_allclose(by_device.total_error, by_controller.total_error, rtol=1e-9)
    assert by_device.total_error[-1].max() < 0.9 * by_device.total_error[0].min()  # and it is a curve


def test_it_is_as_imperfect_as_memristors_are():
    """Another V_0 of each device scales its output by a factor of its own, and noise falls on what is read of it."""
    spread = run(imperfections={"imperfections": {"memristor": {"spread": {"reference_voltage": 0.1}}}})
    voltage, current = (spread.window("activation", name)[:, 0] for name in ("voltage", "current"))
    factors = voltage / (0.5 * G["logistic"](current / 1e-3))
    np.testing.assert_allclose(factors, factors[:1].repeat(len(factors), axis=0), rtol=1e-12)
    assert np.ptp(factors[0]) > 0.01
    noisy = run(imperfections={"periphery": {"memristor": {"read_noise": 0.05}}})
    assert not np.array_equal(noisy.total_error, run().total_error)


def test_a_closed_form_of_the_lines_does_not_need_one_of_what_stands_still():
    """Solver 'exact': the lines by their closed form, and the activation step by step, its current constant."""
    stepped, exact = (
        training.run(configuration("lines", time={"solver": solver}, learning={"rate": 2.0}), REAL)
        for solver in ("stepping", "exact")
    )
    np.testing.assert_allclose(exact.total_error, stepped.total_error, rtol=1e-9)
    np.testing.assert_allclose(exact.energy["activation"]["READ"], stepped.energy["activation"]["READ"], rtol=1e-9)


@pytest.mark.parametrize("kind", ["slp", "lines"])
def test_the_stage_is_there_where_it_is_asked_for(kind):
    for stage in ("device", "controller"):
        assembly = assemble(configuration(kind, network={"activation": stage}), REAL)
        expected = {"slp": ["memristor"], "lines": ["lines", "activation"][: 1 + (stage == "device")]}[kind]
        assert [bank.name for bank in assembly.banks] == expected
