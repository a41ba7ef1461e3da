"""Variables told apart by carriers: orthogonal, learning as by amplitudes, and what parts of periods do."""

import functools
import math
import re

import numpy as np
import pytest
from interrupting import stopped
from short_runs import REAL, configuration
from test_learning import GATES, PRECISION, SETTINGS, SIGNED, assert_single_layer_is_the_references, count, run

import memsim
from memsim.analysis.timing_diagram import sample_currents
from memsim.analysis.verification import verify
from memsim.calibration.carrier_waveforms import chips_of, codes, hadamard, is_order, sines
from memsim.configuration.sections import Configuration
from memsim.devices import CarrierMemristor
from memsim.errors import InputError
from memsim.exporting.spice import circuit_of
from memsim.network.architectures import calibrate
from memsim.network.assembly import assemble
from memsim.reproduction.settings import single_layer
from memsim.runs import training
from memsim.runs.pulses import pulse_table
from memsim.stepping.engine import Engine

EXACT = 1e-12
SHORT = {"pulse_steps": 8, "write_steps": 8, "gap_steps": 1}  # one compiled loop for all
KINDS = {"sine": CarrierMemristor(), "code": CarrierMemristor(carriers="code")}
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def section(device):
    """A device as a configuration's section."""
    return {"memristor": device.model_dump()}


def short(device=KINDS["sine"], **sections):
    """A short run of two real inputs."""
    sections = {"time": SHORT, "devices": section(device), "trace": {"mode": "full"}} | sections
    return configuration("slp", **sections)


@functools.cache
def traced(kind):
    """A short run with every step in its file."""
    return training.run(short(KINDS[kind]), REAL)


# The carriers


@pytest.mark.parametrize("steps", [3, 8, 20, 21, 64, 250])
def test_sines_of_whole_periods_are_orthogonal_and_have_no_mean(steps):
    carriers = sines(tuple(range(1, (steps - 1) // 2 + 1)), steps, steps)
    assert np.abs(carriers @ carriers.T / steps - 0.5 * np.eye(len(carriers))).max() < EXACT
    assert np.abs(carriers.mean(axis=1)).max() < EXACT


@pytest.mark.parametrize("steps", [2, 4, 8, 20, 28, 60, 64, 100, 384])
def test_codes_are_orthogonal_and_have_no_mean(steps):
    carriers = codes(chips_of(steps) - 1, steps, steps)
    assert len(carriers) > 0
    assert np.array_equal(np.abs(carriers), np.ones_like(carriers))
    assert np.array_equal(carriers @ carriers.T, steps * np.eye(len(carriers)))
    assert not carriers.sum(axis=1).any()


def test_hadamard_matrices_are_orthogonal_in_every_order_that_is_there():
    orders = [order for order in range(1, 200) if is_order(order)]
    assert orders[:12] == [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 44, 48]
    for order in orders:
        matrix = hadamard(order)
        assert np.array_equal(matrix @ matrix.T, order * np.eye(order))
        assert np.array_equal(matrix[0], np.ones(order))


def test_carriers_begin_anew_where_a_slot_is_longer_than_a_write():
    assert np.array_equal(sines((1, 3), 8, 24)[:, 8:16], sines((1, 3), 8, 8))
    assert np.array_equal(codes(7, 8, 24)[:, 16:], codes(7, 8, 8))


# Learning


def curve(device, gate, settings=SETTINGS, **sections):
    return run(single_layer(settings, gate, devices=section(device), **sections))


def assert_one_curve(one, other):
    """Total errors and weights agree, realisation by realisation."""
    assert np.abs(one.total_error - other.total_error).max() <= PRECISION * other.total_error[0].min()
    ours, theirs = (done.final_state["memristor"][0, :-1] for done in (one, other))
    assert np.abs(ours - theirs).max() <= PRECISION * np.abs(theirs).max()


@of_each_kind
@pytest.mark.parametrize("gate", GATES)
def test_a_gate_is_learned_as_by_amplitudes_and_as_the_reference_does(kind, gate):
    done = curve(KINDS[kind], gate)
    assert_single_layer_is_the_references(done)
    assert_one_curve(done, run(single_layer(SETTINGS, gate)))
    assert not any(done.margins[0].counts.values())
    assert done.margins[0].restore_residual < EXACT
    assert done.margins[0].peak_write < 1.0


@pytest.mark.slow
@of_each_kind
@pytest.mark.parametrize("gate", GATES)
def test_a_thousand_epochs_are_learned_as_by_amplitudes(kind, gate):
    settings = SETTINGS.model_copy(update={"realisations": 20, "epochs": 1000})
    assert_one_curve(curve(KINDS[kind], gate, settings), run(single_layer(settings, gate)))


@of_each_kind
@pytest.mark.parametrize(
    "learning",
    [{"batch": 7}, {"schedule": "step", "decay": 0.3, "decay_epochs": 7}, {"schedule": "cosine", "batch": 3}],
)
def test_mini_batches_and_falling_rates_learn_as_the_reference_does(kind, learning):
    config = single_layer(
        SETTINGS, "OR", devices=section(KINDS[kind]), learning={"rate": 0.5, "epochs": 20} | learning,
        data={"gate": None, "arrays": "signed"}, time={"pulse_steps": 16, "write_steps": 8, "gap_steps": 1},
    )  # fmt: skip
    done = run(config, SIGNED)
    assert_single_layer_is_the_references(done)
    assert count(done, "clipped_writes") == 0


@pytest.mark.slow
@of_each_kind
def test_heuns_method_and_other_sizes_learn_as_the_reference_does(kind):
    device = KINDS[kind].model_copy(update={"inputs": 3, "activation": "tanh"})
    sections = {"network": {"constant_input": True}, "time": {"pulse_steps": 12, "integrator": "heun"}}
    done = curve(device, "AND", learning={"rate": 0.05}, **sections)
    assert_single_layer_is_the_references(done, "tanh")


@of_each_kind
def test_all_variables_are_written_in_the_time_of_one(kind):
    for inputs in (2, 5):
        network = {"kind": "slp", "inputs": inputs}
        data = memsim.datasets.Dataset(np.zeros((1, inputs)), np.zeros((1, 1)), "zeros")
        device = KINDS[kind].model_copy(update={"inputs": inputs})
        amplitudes, carriers = (
            assemble(Configuration(network=network, **devices), data).schedule.phase_steps()
            for devices in ({}, {"devices": section(device)})
        )
        phases = {phase.name: (steps, carriers[phase]) for phase, steps in amplitudes.items()}
        assert phases["WRITE"] == (20 * (inputs + 1), 20)
        assert phases["READ"] == (20, 20)


# Physics, step by step


def stepped(kind):
    """States before the first sample and after each of its steps, (steps + 1, variables), and its currents."""
    done = traced(kind)
    states = done.window("memristor", "state", 0, done.sample_steps)[:, 0, :, 0]
    before = done.initial_state["memristor"][0, :, 0]
    return np.vstack([before, states]), done.window("memristor", "current", 0, done.sample_steps)[:, 0, 0]


@of_each_kind
def test_each_variable_moves_by_its_demodulated_current(kind):
    """d(gamma_i)/dt = gain * gamma_eta * I * c_i, in READ and WRITE; c_i from each slot's start."""
    states, currents = stepped(kind)
    gain, carriers = (2.0, sines((1, 2, 3), 8, 8)) if kind == "sine" else (1.0, codes(3, 8, 8))
    demodulated = np.zeros((18, 3))
    demodulated[:8], demodulated[9:17] = carriers.T, carriers.T
    wanted = gain * states[0, 3] * currents[:, None] * demodulated * traced(kind).dt
    assert np.abs(np.diff(states[:, :3], axis=0) - wanted).max() < 1e-15
    assert np.array_equal(states[:, 3], np.full(19, states[0, 3]))


@of_each_kind
def test_a_read_wobbles_and_gives_the_weights_back(kind):
    states, currents = stepped(kind)
    assert np.ptp(currents[:8]) == 0.0
    assert np.abs(states[1:8, :3] - states[0, :3]).max() > 1e-3
    assert np.abs(states[8] - states[0]).max() < 1e-15
    voltage = traced(kind).window("memristor", "voltage", 7, 8)[0, 0, 0]
    assert voltage == pytest.approx(1.0 / (1.0 + math.exp(-currents[7] / 1e-3 - states[0, 2])), rel=1e-12)


@of_each_kind
def test_a_write_is_the_sum_of_the_updates_times_their_carriers(kind):
    done, (states, currents) = traced(kind), stepped(kind)
    carriers = sines((1, 2, 3), 8, 8) if kind == "sine" else codes(3, 8, 8)
    shown = done.samples_shown(0, 1)[0, 0]
    output = done.window("memristor", "voltage", 7, 8)[0, 0, 0]
    gradient = (REAL.targets[shown, 0] - output) * output * (1.0 - output)
    updates = gradient * np.append(REAL.inputs[shown], 1.0)
    assert currents[9:17] == pytest.approx(1e-3 * updates @ carriers, rel=1e-12, abs=1e-18)
    assert states[17, :3] - states[0, :3] == pytest.approx(0.1 * updates, rel=1e-12)


def dirichlet(periods, steps):
    """The sum over n < steps of cos(2 pi periods n / steps), in closed form."""
    if periods % steps == 0.0:
        return float(steps)
    angle = math.pi * periods
    return math.sin(angle) * math.cos(angle * (steps - 1) / steps) / math.sin(angle / steps)


def mean_of_sine(periods, steps):
    """The mean of sin(2 pi periods n / steps), in closed form."""
    angle = math.pi * periods
    return math.sin(angle) * math.sin(angle * (steps - 1) / steps) / math.sin(angle / steps) / steps


@pytest.mark.parametrize("fraction", [0.0, 0.125, 0.25, 0.5, 0.8])
def test_parts_of_periods_cross_talk_and_disturb_as_in_closed_form(fraction):
    """A WRITE moves variable i by eta * sum over j of X_ij u_j, a READ of the net input by eta * net * 2 mean(c_i)."""
    periods = tuple(k + fraction for k in (1, 2, 3))
    done = training.run(short(CarrierMemristor(periods=periods, whole_periods=False)), REAL)
    states = done.window("memristor", "state", 0, done.sample_steps)[:, 0, :3]
    before = done.initial_state["memristor"][0, :3]
    net = done.window("memristor", "current", 0, 1)[0, 0] / 1e-3
    means = np.array([mean_of_sine(p, 8) for p in periods])
    assert states[7] - before == pytest.approx(0.1 * 2.0 * np.outer(means, net), rel=1e-11, abs=1e-15)
    talk = np.array([[dirichlet(p - q, 8) - dirichlet(p + q, 8) for q in periods] for p in periods]) / 8
    output = done.window("memristor", "voltage", 7, 8)[0, 0]
    shown = done.samples_shown(0, 1)[0]
    gradient = (REAL.targets[shown, 0] - output) * output * (1.0 - output)
    updates = gradient * np.vstack([REAL.inputs[shown].T, np.ones(len(shown))])
    assert states[16] - states[8] == pytest.approx(0.1 * talk @ updates, rel=1e-11, abs=1e-15)
    counts = done.margins[0].counts
    reads = len(REAL.inputs) * 4 * 3  # of 4 epochs and 3 realisations; each moves every weight
    assert counts["restore_residuals"] == (
        3 * reads if fraction not in (0.0, 0.5) else 0 if fraction == 0.0 else counts["restore_residuals"]
    )
    assert (done.margins[0].restore_residual > EXACT) == (fraction > 0.0)


def test_cross_talk_alone_only_bends_the_path_of_learning():
    """READs of 64 steps have 9, 17 and 25 whole periods, WRITEs of 8 an eighth more than 1, 2 and 3."""
    device = CarrierMemristor(periods=(1.125, 2.125, 3.125), whole_periods=False)
    talking, whole = (
        curve(device, "OR", time={"pulse_steps": steps, "write_steps": 8}).total_error[-1]
        for device, steps in ((device, 64), (KINDS["sine"], 8))
    )
    assert 1e-3 < np.abs(talking / whole - 1.0).max() < 0.2
    running = curve(device, "OR", time={"pulse_steps": 8}).total_error[-1]
    assert running.min() > 2.0 * whole.max()


# What follows from it elsewhere


@of_each_kind
def test_a_file_verifies_replays_and_goes_on_with_the_same_bits(kind, tmp_path):
    config = short(KINDS[kind], learning={"epochs": 40}, trace={"mode": "keyframes", "keyframe_samples": 3})
    with training.run(config, REAL) as whole, training.run(short(KINDS[kind], learning={"epochs": 40}), REAL) as full:
        for quantity in ("state", "current", "voltage"):
            for start, stop in ((0, 60), (701, 999)):
                kept = full.window("memristor", quantity, start, stop)
                assert np.array_equal(whole.window("memristor", quantity, start, stop), kept)
        path = stopped(config, tmp_path / "stopped.h5", 5, data=REAL)
        with training.run(config, REAL, out=path, resume=True) as resumed:
            assert np.array_equal(resumed.final_state["memristor"], whole.final_state["memristor"])
            assert np.array_equal(resumed.total_error, whole.total_error)
            assert [finding for done in (resumed, full) for finding in verify(done) if finding.wrong] == []


@of_each_kind
def test_pulses_are_stretches_of_equal_currents(kind):
    """Of a READ one, of a WRITE as many as its current has values one after the other; charges add up to the rows."""
    done = traced(kind)
    table = pulse_table(done)
    reads, writes = (table[table["phase"] == phase] for phase in ("READ", "WRITE"))
    assert set(reads["width_steps"]) == {8}
    assert len(writes) > 4 * len(reads)
    assert set(table["pulses"]) == {1}
    currents = done.window("memristor", "current")
    assert table["charge"].sum() == pytest.approx(currents.sum() * done.dt, rel=1e-9)
    assert np.abs(table["amplitude"]).max() == np.abs(currents).max()


@of_each_kind
def test_the_timing_diagram_has_the_recorded_currents(kind):
    (currents,) = sample_currents(assemble(short(KINDS[kind]), REAL), 1)
    done = traced(kind)
    assert np.array_equal(currents[:, 0], done.window("memristor", "current")[18:36, 0, 0])


def test_a_finer_dt_holds_the_carriers_and_changes_nothing_but_rounding():
    check = memsim.check_dt(short(), REAL)
    assert check.verdict == "exact"


def test_a_prediction_reads_without_disturbing():
    done = traced("sine")
    outputs = memsim.evaluate(done, np.repeat(REAL.inputs, 50, axis=0)).outputs[:, 0].reshape(5, 50, -1)
    assert np.ptp(outputs, axis=1).max() < EXACT
    weights, bias = done.final_state["memristor"][0, :2], done.final_state["memristor"][0, 2]
    wanted = 1.0 / (1.0 + np.exp(-(REAL.inputs @ weights + bias)))
    assert np.abs(outputs[:, 0] - wanted).max() < EXACT


def test_a_driver_that_is_too_weak_cuts_the_peaks_and_counts_each_write_once():
    done = training.run(short(write={"driver_limit": 5e-5}), REAL)
    assert done.margins[0].peak_write == 1.0
    writes = done.window("memristor", "current").reshape(-1, 18, 3)[:, 9:17]
    cut = (np.abs(writes) == 5e-5).any(axis=1).sum()
    assert 0 < cut < writes.shape[0] * 3
    assert count(done, "clipped_writes") == cut


def test_the_drivers_limit_holds_the_largest_updates():
    config = short()
    (bank,) = calibrate(config, REAL.inputs, REAL.targets)
    largest = 1.05 * 0.25 * max(REAL.targets.max(), 1.0 - REAL.targets.min()) * (1.0 + np.abs(REAL.inputs).sum(1).max())
    assert bank.driver_limit == pytest.approx(1e-3 * largest, rel=1e-12)
    assert bank.thresholds == ()
    assert traced("sine").margins[0].shown_read == "moves"


# Refused


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"periods": (1.25, 2, 3)},
            r"devices\.memristor\.periods: must be whole numbers of periods in a pulse of time\.write_steps = 8, "
            r".* \(got 1\.25\); devices\.memristor\.whole_periods = false allows it",
        ),
        ({"time": {"pulse_steps": 12}}, r"periods: .* in a pulse of time\.pulse_steps = 12, .* \(got 1\.5\)"),
        (
            {"carriers": "code", "time": {"pulse_steps": 12}},
            r"time\.pulse_steps: must be a multiple of time\.write_steps = 8, .* \(got 12\); .*whole_periods",
        ),
        ({"periods": (1, 2, 4)}, r"periods: must be below 4, half of time\.write_steps, .* \(got 4\)"),
        (
            {"time": {"write_steps": 6}},
            r"time\.write_steps: a pulse of 6 steps has room for 2 \(devices\.memristor\.carriers = 'sine'\), "
            r"and the weights and the bias need 3; take 7 steps or more",
        ),
        (
            {"carriers": "code", "time": {"write_steps": 6}},
            r"time\.write_steps: a pulse of 6 steps has room for 1 .*; take 4 steps, or a multiple",
        ),
        ({"periods": (1, 2)}, r"periods: needs 3 values, one for each weight and the bias \(got 2\)"),
        ({"periods": (1, 2, 2)}, r"periods: must differ, or their variables are one \(got 1, 2, 2\)"),
        ({"periods": (1, 2, -1)}, r"periods\.2: must be greater than 0 \(got -1\)"),
        (
            {"carriers": "code", "periods": (1, 2, 3)},
            r"periods: are those of sines; leave it out for carriers = 'code' \(got 3 values\)",
        ),
        ({"carriers": "chirp"}, r"carriers: must be 'sine' or 'code' \(got 'chirp'\)"),
        ({"inputs": 3}, r"devices\.memristor\.inputs: must be the network's 2.*\(got 3\)"),
        ({"thresholds": (1, 2, 3)}, r"devices\.memristor\.thresholds: no such setting"),
        ({"model": "team"}, r"memristor\.model: must be 'threshold-memristor' or 'carrier-memristor' \(got 'team'\)"),
        (
            {"write": {"encoding": "width"}},
            r"write\.encoding: must be 'amplitude' for devices\.memristor\.model = 'carrier-memristor', since a "
            r"carrier fills the whole pulse \(got 'width'\)",
        ),
        ({"write": {"verify": 1}}, r"write\.verify: needs network\.construction = 'equivalent'"),
        (
            {"learning": {"bias_current": "printed"}},
            r"learning\.bias_current: must be 'update' .*no threshold to reach",
        ),
        (
            {"network": {"construction": "equivalent"}},
            r"network\.construction: must be 'memristor' .*, since the lines of the other have one variable each",
        ),
        ({"time": {"solver": "exact"}}, r"time\.solver: must be 'stepping' .*a carrier-memristor has no closed form"),
        ({"imperfections": {"memristor": {"levels": 9}}}, r"levels: a carrier-memristor has several states"),
        ({"imperfections": {"memristor": {"endurance": 9.0}}}, r"endurance: a carrier-memristor has several states"),
        (
            {"imperfections": {"memristor": {"retention_time": 1.0}}},
            r"retention_time: a carrier-memristor has a state without a bound",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(sections, message):
    device = {"model": "carrier-memristor"} | {
        name: value for name, value in sections.items() if name in {*CarrierMemristor.model_fields, "thresholds"}
    }
    others = {name: value for name, value in sections.items() if name not in device}
    time = {"pulse_steps": 8, "write_steps": 8} | others.pop("time", {})
    with pytest.raises(InputError) as error:
        assemble(configuration("slp", devices={"memristor": device}, time=time, **others), REAL)
    assert re.search(message, str(error.value))
    assert "\n" not in str(error.value)


def test_a_read_may_have_other_whole_periods_than_a_write():
    device = CarrierMemristor(periods=(2, 4, 6))
    done = training.run(short(device, time={"pulse_steps": 8, "write_steps": 16}), REAL)
    assert done.margins[0].restore_residual < EXACT
    assert not any(done.margins[0].counts.values())


def test_reads_of_codes_that_do_not_fit_are_allowed_where_asked_for():
    device = CarrierMemristor(carriers="code", whole_periods=False)
    done = training.run(short(device, time={"pulse_steps": 12, "write_steps": 8}), REAL)
    assert count(done, "restore_residuals") > 0


def test_a_netlist_is_refused():
    with pytest.raises(InputError, match=r"^format='spice': CarrierMemristor has no equations for ngspice"):
        circuit_of(traced("sine"), samples="0")


def test_a_drive_is_refused():
    with pytest.raises(
        InputError, match=r"device\.model: a carrier-memristor has its carriers in the slots of a network"
    ):
        memsim.drive(
            CarrierMemristor(), memsim.waveforms.Sinusoid(amplitude=1e-3, frequency=1.0), dt=1e-3, duration=1.0
        )


def test_the_same_kernels_serve_both_kinds():
    engines = [Engine(assemble(short(device), REAL), threads=1, epochs=1) for device in KINDS.values()]
    assert engines[0].kernels() == engines[1].kernels()
