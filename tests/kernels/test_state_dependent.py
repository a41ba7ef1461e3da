"""Networks of devices whose drift depends on their state: the controller's model, its pulses, and what it learns."""

import math

import numpy as np
import pytest

import memsim
from memsim.calibration.bank import PROBE_SHARE, READ_MARGIN
from memsim.calibration.nominal_banks import nominal_of
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset, gate
from memsim.devices import IonDrift, Node, Synapse, ThresholdMemristor, Vteam
from memsim.driving.waveforms import Pulse, Pulses
from memsim.errors import InputError
from memsim.kernels import controller, state_dependent
from memsim.kernels.nominal import Quantity
from memsim.kernels.slots import Operation, Phase
from memsim.network.architectures import calibrate
from memsim.network.assembly import assemble
from memsim.runs.training import run

VTEAM = Vteam()
JOGLEKAR = IonDrift(window="joglekar", exponent=2)
DT, STEPS = 2.5e-4, 20
PULSE = {"steps": STEPS, "dt": DT}
XOR = gate("xor", samples=12, seed=3)
MLP = {"kind": "mlp", "node_drift": 0.115, "weight_limit": 3.5, "bias_limit": 0.05, "initial_bias": 0.03}


def configuration(**sections):
    """A short run of XOR with some sections changed."""
    base = {
        "network": MLP,
        "run": {"seed": 1, "realisations": 3, "threads": 1},
        "learning": {"rate": 0.1, "epochs": 4},
        "data": {"arrays": "xor"},
    }
    merged = {name: {**base.get(name, {}), **sections.get(name, {})} for name in base.keys() | sections.keys()}
    return Configuration(**merged)


def trained(**sections):
    """A short run of XOR, in memory."""
    return run(configuration(**sections), XOR)


# The model


def test_vteams_dead_zone_ends_where_its_largest_memristance_reaches_the_lower_threshold():
    assert nominal_of(VTEAM, "devices.synapse").dead_zone == pytest.approx(0.5 / 2500.0, rel=1e-12)
    assert nominal_of(JOGLEKAR, "devices.synapse").dead_zone == 0.0
    assert nominal_of(Node(threshold=3e-5), "devices.node").dead_zone == pytest.approx(3e-5, rel=1e-12)


@pytest.mark.parametrize(
    ("device", "polarity", "rises"), [(VTEAM, 1.0, True), (JOGLEKAR, 1.0, False), (Synapse(threshold=0.0), 1.0, True)]
)
def test_the_model_knows_which_way_a_current_moves_a_state_and_a_state_its_memristance(device, polarity, rises):
    nominal = nominal_of(device, "devices.synapse")
    assert nominal.polarity == polarity
    low, high = nominal.ends
    assert (high > low) == rises


@pytest.mark.parametrize("device", [VTEAM, JOGLEKAR, Synapse(threshold=0.0), Node()])
def test_a_state_is_found_from_its_memristance(device):
    nominal = nominal_of(device, "devices.synapse")
    states = np.linspace(nominal.lower, nominal.upper, 11)
    found = nominal.states_of(nominal.memristances(states))
    assert np.abs(found - states).max() <= 1e-13 * nominal.range
    beyond = np.array([min(nominal.ends) - 1.0, max(nominal.ends) + 1.0])
    assert set(nominal.states_of(beyond)) == {nominal.lower, nominal.upper}


@pytest.mark.parametrize("device", [VTEAM, JOGLEKAR, IonDrift(window="biolek"), IonDrift(window="prodromakis")])
@pytest.mark.parametrize("move", [0.2, 1e-3, -1e-3, -0.2])
@pytest.mark.parametrize("integrator", ["euler", "heun"])
def test_the_pulse_from_the_whole_model_ends_at_its_aim(device, move, integrator):
    """The same pulse through ``memsim.drive`` moves the state as was asked."""
    nominal = nominal_of(device, "devices.synapse")
    start = nominal.lower + 0.45 * nominal.range
    aim = start + move * nominal.range
    sign = math.copysign(nominal.polarity, move)
    amplitude = float(nominal.ask(Quantity.AMPLITUDE, start, aim, sign, limit=1.0, heun=integrator == "heun", **PULSE))
    pulse = Pulses(pulses=[Pulse(width=STEPS * DT, amplitude=sign * amplitude)])
    driven = memsim.drive(device, pulse, dt=DT, duration=STEPS * DT, initial=start, integrator=integrator)
    assert abs(driven.state[-1, 0] - aim) <= 1e-9 * abs(aim - start)


def test_the_pulse_from_the_slope_solves_vteams_law_at_the_present_state():
    nominal = nominal_of(VTEAM, "devices.synapse")
    x, time = 4e-9, STEPS * DT
    memristance = 100.0 + 2400.0 * 0.4

    def window(away):
        return math.exp(-math.exp(away / VTEAM.w_c))

    rise, fall = (
        nominal.ask(Quantity.AMPLITUDE, x, x + sign * 1e-11, sign, limit=1.0, slope=True, **PULSE) for sign in (1, -1)
    )
    speed = 1e-11 / time / VTEAM.k_off / window(x - VTEAM.a_off)
    assert rise == pytest.approx(VTEAM.v_off * (1.0 + speed) / memristance, rel=1e-9)
    excess = (1e-11 / time / -VTEAM.k_on / window(VTEAM.a_on - x)) ** (1.0 / 3.0)
    assert fall == pytest.approx(-VTEAM.v_on * (1.0 + excess) / memristance, rel=1e-9)


def test_a_driver_that_is_too_weak_gives_its_limit():
    nominal = nominal_of(VTEAM, "devices.synapse")
    assert nominal.ask(Quantity.AMPLITUDE, 5e-9, 9e-9, 1.0, limit=5e-4, **PULSE) == 5e-4


@pytest.mark.parametrize("device", [JOGLEKAR, IonDrift(window="prodromakis"), VTEAM, Node(threshold=1e-5)])
def test_what_a_read_tells_of_a_node_are_the_derivatives_of_its_end(device):
    """dx/dx_0 and dx/dI against differences of pulses with a fine step."""
    nominal = nominal_of(device, "devices.node")
    steps, dt = 2000, STEPS * DT / 2000
    current = nominal.current_for(0.05 * nominal.range / (STEPS * DT), 1.0)
    start = nominal.lower + 0.4 * nominal.range

    def end(x, i):
        return x + float(nominal.effect(x, i, steps, dt, "heun"))

    beside = np.empty(2)
    before = nominal.ask(Quantity.RESPONSE, end(start, current), current, steps=steps, dt=dt, beside=beside)
    from_state, from_current = beside
    assert abs(before - start) < 1e-7 * nominal.range
    h, g = 1e-4 * nominal.range, 1e-4 * current
    assert from_state == pytest.approx((end(start + h, current) - end(start - h, current)) / (2 * h), rel=1e-4)
    assert from_current == pytest.approx((end(start, current + g) - end(start, current - g)) / (2 * g), rel=1e-3)


def test_at_a_bound_nothing_more_is_said_of_a_node():
    nominal = nominal_of(JOGLEKAR, "devices.node")
    beside = np.full(2, np.nan)
    nominal.ask(Quantity.RESPONSE, nominal.upper, 1e-4, beside=beside, **PULSE)
    assert beside.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("heun", "most"), [(False, 0.035), (True, 7e-4)])
@pytest.mark.parametrize("device", [JOGLEKAR, IonDrift(window="biolek"), IonDrift(window="prodromakis")])
def test_the_slope_of_a_windowed_node_is_that_of_its_steps_but_for_the_methods_error(device, heun, most):
    nominal, beside, small = nominal_of(device, "devices.node"), np.empty(2), 1e-6
    for share in (-0.3, -0.115, 0.05, 0.2):
        for before in (0.3, 0.5, 0.7):
            current = share * 0.5 / (device.drift_coefficient * DT * STEPS)

            def state(current, before=before):
                return before + nominal.ask(Quantity.EFFECT, before, current, heun=heun, **PULSE)

            def voltage(current, state=state):
                return nominal.memristance(state(current)) * current

            after, step = state(current), 1e-5 * current
            nominal.ask(Quantity.RESPONSE, after, current, heun=heun, beside=beside, **PULSE)
            steepness = (nominal.memristance(after + small) - nominal.memristance(after - small)) / (2.0 * small)
            slope = nominal.memristance(after) + current * steepness * beside[1]
            assert slope == pytest.approx((voltage(current + step) - voltage(current - step)) / (2.0 * step), rel=most)


@pytest.mark.parametrize("slope", [False, True])
def test_a_train_has_the_number_of_pulses_that_comes_nearest(slope):
    """Ion drift without a window moves alike with every pulse."""
    device = IonDrift()
    nominal = nominal_of(device, "devices.synapse")
    one, beside = device.drift_coefficient * 1e-5 * DT, np.empty(2)
    for asked, number, missed in ((3.0, 3, 0.0), (3.4, 3, 0.4), (3.6, 4, 0.4), (0.3, 0, 0.3), (30.0, 11, None)):
        train = {"slope": slope, "steps": 1, "dt": DT, "pulses": 10, "beside": beside}
        assert nominal.ask(Quantity.PULSES, 0.2, 0.2 + asked * one, 1e-5, **train) == number
        if missed is not None:
            assert beside[0] == pytest.approx(missed, abs=1e-9)


def test_a_program_gives_the_model_to_the_rules_that_ask_it():
    """And to no other: an address that a rule has not got is one that no process survives."""
    asking = {"call_answer", "memristance_of", "ends_of", "state_of", "amplitude_towards", "pulses_towards"}
    rules = {
        rule
        for module in (controller, state_dependent)
        for rule in vars(module).values()
        if callable(rule) and getattr(rule, "__code__", None) and rule.__code__.co_varnames[:3] == ("c", "rows", "step")
    }
    assert len(rules) > 30
    assert {rule for rule in rules if asking & set(rule.__code__.co_names)} == set(state_dependent.ASKING)


# Calibration and schedule


def test_a_vteam_bank_is_read_below_its_thresholds_and_has_a_reference_in_the_middle():
    synapses, nodes = calibrate(configuration(devices={"synapse": VTEAM}), XOR.inputs, XOR.targets)[:2]
    assert synapses.read_current == pytest.approx(0.5 / 2500.0 / READ_MARGIN)
    assert synapses.modelled.reference == pytest.approx(1300.0)
    assert synapses.modelled.ohm_per_weight == pytest.approx(1200.0 / 3.5)
    assert synapses.weights(np.array([0.0, 5e-9, 1e-8])) == pytest.approx([-3.5, 0.0, 3.5])
    assert synapses.states(synapses.weights(np.array([2e-9]))) == pytest.approx([2e-9])
    assert nodes.modelled is None


def test_a_node_of_another_model_drifts_as_far_in_a_read_of_1():
    config = configuration(devices={"node": JOGLEKAR})
    nodes = calibrate(config, XOR.inputs, XOR.targets)[1]
    drift = JOGLEKAR.drift_coefficient * nodes.unit_current  # the window is 1 in the middle
    assert drift * STEPS * DT == pytest.approx(MLP["node_drift"] * 0.5)
    assert nodes.read_current == PROBE_SHARE * nodes.unit_current
    assert nodes.weights(np.array([0.0, 0.5, 1.0])) == pytest.approx([-1.0, 0.0, 1.0])


def operations(config):
    return [Operation(slot.operation).name for slot in memsim.network.schedule.build(config).slots]


def test_synapses_that_any_read_moves_are_restored_after_it():
    drifting = operations(configuration(devices={"synapse": JOGLEKAR}))
    assert drifting[:2] == ["READ_SYNAPSES", "RESTORE_SYNAPSES"]
    assert drifting[drifting.index("BACKREAD_SYNAPSES") + 1] == "RESTORE_COLUMNS"
    assert "RESTORE_SYNAPSES" not in operations(configuration(devices={"synapse": VTEAM}))


def test_verified_writes_and_restores_end_with_a_reading():
    config = configuration(network={"restore_verify": 1}, write={"verify": 2})
    slots = memsim.network.schedule.build(config).slots
    names = operations(config)
    at = names.index("RESTORE_NODES")
    assert names[at + 1 : at + 6] == ["VERIFY", "RESTORE_VERIFY", "CORRECT", "VERIFY", "RESTORE_VERIFY"]
    assert all(slot.phase == Phase.RESTORE for slot in slots[at : at + 6])
    at = names.index("WRITE_SYNAPSES")
    assert names[at + 1 : at + 6] == ["VERIFY", "CORRECT", "VERIFY", "CORRECT", "VERIFY"]
    assert [slot.variable for slot in slots[at + 1 : at + 6]] == [2, 2, 1, 1, 0]


# Learning


@pytest.mark.slow
def test_the_papers_devices_learn_the_same_by_their_model():
    """Verified writes find every state at its aim, so that two ways of computing pulses meet: to 1e-9."""
    plain, verified = trained(), trained(write={"verify": 1}, network={"restore_verify": 1})
    assert plain.total_error[-1] != pytest.approx(plain.total_error[0], rel=1e-2)
    np.testing.assert_allclose(verified.total_error, plain.total_error, rtol=1e-9, atol=1e-9)
    for bank, weights in plain.weights.items():
        np.testing.assert_allclose(verified.weights[bank], weights, atol=1e-9)
    assert all(margins.counts["unverified"] == 0 for margins in verified.margins)


@pytest.mark.slow
def test_the_equivalent_construction_learns_the_same_by_its_model():
    network = {"kind": "slp", "construction": "equivalent"}

    def lines(**sections):
        config = Configuration(
            network=network,
            run={"realisations": 3},
            learning={"rate": 0.5, "epochs": 4},
            data={"arrays": "or"},
            **sections,
        )
        return run(config, gate("or", samples=12, seed=0))

    plain, verified, vteam = lines(), lines(write={"verify": 1}), lines(devices={"synapse": VTEAM})
    np.testing.assert_allclose(verified.total_error, plain.total_error, rtol=1e-9)
    np.testing.assert_allclose(vteam.total_error, plain.total_error, rtol=1e-7)


def test_vteam_synapses_learn_the_papers_curve():
    """Written by the model and read against a reference, another device makes no other network."""
    plain, vteam = trained(), trained(devices={"synapse": Vteam(k_on=-4.03e-8)})
    np.testing.assert_allclose(vteam.total_error, plain.total_error, rtol=1e-6)
    assert all(margins.counts["read_disturbs"] == 0 for margins in vteam.margins)
    assert vteam.margins[0].peak_read == pytest.approx(1.0 / READ_MARGIN)


def test_a_slope_misses_what_the_whole_pulse_meets():
    """VTEAM under a current: as the memristance falls, so does the voltage, and a falling state falls short."""
    whole = trained(devices={"synapse": VTEAM}, write={"verify": 1})
    slope = trained(devices={"synapse": VTEAM}, write={"verify": 1, "law": "slope"})
    assert whole.margins[0].counts["unverified"] == 0
    assert slope.margins[0].counts["unverified"] > 0


@pytest.mark.slow
def test_restores_of_windowed_nodes_leave_a_rest_that_verifying_takes_away():
    sections = {"devices": {"node": JOGLEKAR}, "network": {"node_drift": 0.2}}
    left = trained(**sections).margins[1]
    verified = trained(**{**sections, "network": {"node_drift": 0.2, "restore_verify": 2}}).margins[1]
    assert left.restore_residual > 1e-4
    assert left.counts["restore_residuals"] > 0
    assert verified.restore_residual < 1.1e-4
    assert verified.counts["unverified"] == 0


of_other_devices = pytest.mark.parametrize(
    "sections",
    [
        {"devices": {"synapse": VTEAM}},
        pytest.param(
            {"devices": {"synapse": VTEAM, "node": JOGLEKAR}, "network": {"restore_verify": 1}}, marks=pytest.mark.slow
        ),
    ],
    ids=["synapses", "synapses and nodes"],
)


@of_other_devices
def test_an_evaluation_of_other_devices_gives_what_the_last_epoch_showed(sections):
    finished = trained(**sections)
    outputs = memsim.evaluate(finished, XOR.inputs).outputs
    error = 0.5 * ((outputs[:, 0] - XOR.targets) ** 2).sum(axis=0)
    assert error == pytest.approx(finished.total_error[-1], rel=0.5)


@of_other_devices
def test_a_run_of_other_devices_goes_on_where_it_was_left(sections, tmp_path):
    """The controller's bias weights, unknown before the first READ, are part of a keyframe."""
    whole = trained(**sections)
    run(configuration(**sections, learning={"epochs": 2}), XOR, out=tmp_path / "run.h5").close()
    longer = run(configuration(**sections), XOR, out=tmp_path / "run.h5", resume=True)
    for bank, states in whole.final_state.items():
        assert np.array_equal(longer.final_state[bank], states)
    assert np.array_equal(longer.total_error, whole.total_error)
    window = longer.window("synapses2", "state", start=0, stop=200)
    assert np.isfinite(window).all()
    longer.close()


# What is refused

TAPPED = ThresholdMemristor(inputs=2, thresholds=(1e-3, 2e-3, 3e-3), window=5e-4)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"devices": {"synapse": TAPPED}}, r"devices\.synapse\.model: must have one bounded state"),
        ({"devices": {"synapse": {"model": "vtaem"}}}, r"devices\.synapse.*did you mean 'vteam'"),
        ({"devices": {"synapse": {"model": "vteam", "k_on": 1.0}}}, r"devices\.synapse\.k_on: must be less than 0"),
        ({"devices": {"node": Synapse()}}, r"devices\.node\.model: must have a positive memristance"),
        (
            {"devices": {"synapse": Synapse(direction="printed")}, "write": {"verify": 1}},
            r"devices\.synapse\.model: must have a drift in both directions",
        ),
        (
            {"devices": {"synapse": VTEAM}, "network": {"read_current": 3e-4}},
            r"network\.read_current: must be below 0\.0002 A, the largest current that moves no vteam",
        ),
        ({"devices": {"synapse": VTEAM}, "time": {"solver": "exact"}}, r"time\.solver: must be 'stepping'"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(sections, message):
    with pytest.raises(InputError, match=message):
        assemble(configuration(**sections), Dataset(XOR.inputs, XOR.targets, "xor"))
