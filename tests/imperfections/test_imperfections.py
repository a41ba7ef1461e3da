"""Imperfect devices and periphery: the naive network, distributions, and what must change no bit."""

import dataclasses
import functools
import math
import statistics
import tomllib
from unittest import mock

import h5py
import naive
import naive_state_dependent
import numpy as np
import pytest
import short_runs
from imperfect_runs import CASES, SLOW, VTEAM, configuration, same
from interrupting import stopped
from short_runs import REAL

from memsim.analysis.verification import verify
from memsim.analysis.windows import write_window
from memsim.configuration.sections import Configuration
from memsim.convergence.network_dt import check_dt
from memsim.datasets import Dataset
from memsim.errors import InputError, RunFileError
from memsim.imperfections.drawing import own_device
from memsim.kernels.controller import trust, within_limit
from memsim.kernels.imperfect import add_read_noise, flaw
from memsim.kernels.operands import Flaws, Rows
from memsim.kernels.random import normal
from memsim.kernels.records import Packed, from_python
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.opening import open_run
from memsim.runs.prediction import evaluate
from memsim.stepping.blocks import new_block
from memsim.stepping.engine import Engine
from memsim.stepping.program.slot_operands import Cutter
from memsim.stepping.teams import ALONE

of_each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in SLOW else ()) for case in CASES]
)


def states_after(assembly, threads=1):
    """Final states, total errors and counters of an assembly's run."""
    epochs = assembly.config.learning.epochs
    engine = Engine(assembly, threads=threads, epochs=epochs)
    while not engine.clock.is_over:
        engine.advance(engine.clock.slots)
    engine.close()
    counters = {name: [engine.blocks.counter(name, b) for b in range(len(assembly.banks))] for name in naive.COUNTERS}
    return engine.blocks.states(), engine.take_errors(), counters


@functools.cache
def ran(case):
    return states_after(assemble(configuration(case), REAL))


# The twin


def assert_equals_its_twin(assembly, states, errors, counters):
    modelled = any(bank.modelled is not None for bank in assembly.banks)
    for lane, seed in enumerate(assembly.seeds):
        network = (naive_state_dependent if modelled else naive).Network(assembly, lane)
        found = network.learn([naive.shuffle(seed, epoch, len(REAL.inputs)) for epoch in range(len(errors))])
        for b, bank in enumerate(assembly.banks):
            differ = np.argwhere(naive.bits(states[b][..., lane]) != naive.bits(network.states(b))).tolist()
            assert not differ, f"{bank.name}: states of these (device, variable) differ"
            for name, values in counters.items():
                assert same([values[b][..., lane]], [network.counter(name, b)]), (bank.name, name)
        assert errors[:, lane].tolist() == found


@of_each_case
def test_an_imperfect_network_equals_its_twin(case):
    assert_equals_its_twin(assemble(configuration(case), REAL), *ran(case))


@pytest.mark.slow
@pytest.mark.parametrize("time", [{"solver": "exact"}, {"integrator": "heun"}])
def test_a_network_whose_past_counts_equals_its_twin_with_each_method(time):
    assembly = assemble(configuration("telegraph noise", time=time), REAL)
    assert_equals_its_twin(assembly, *states_after(assembly))


def test_converters_clip_and_count_in_the_twins_cases():
    counters = ran("periphery")[2]
    for name in ("driver_clipped", "readout_clipped"):
        assert sum(values.sum() for values in counters[name]) > 0


# What changes no bit


@of_each_case
def test_threads_change_no_bit(case):
    states, errors, _ = states_after(assemble(configuration(case), REAL), threads=3)
    assert same(states, ran(case)[0])
    assert same([errors], [ran(case)[1]])


def test_a_realisation_alone_has_the_same_bits():
    assembly = assemble(configuration("spread"), REAL)
    alone = assemble(configuration("spread"), REAL, assembly.seeds[1:2])
    for states, wanted in zip(states_after(alone)[0], ran("spread")[0], strict=True):
        assert same([states[..., 0]], [wanted[..., 1]])


@pytest.mark.parametrize("kind", ["mlp", pytest.param("slp", marks=pytest.mark.slow)])
def test_nothing_of_everything_has_the_bits_of_perfect_devices(kind):
    bank, field = ("synapse", "mobility") if kind == "mlp" else ("memristor", "reference_current")
    perfect = states_after(assemble(short_runs.configuration(kind), REAL))
    nothing = assemble(short_runs.configuration(kind, imperfections={bank: {"spread": {field: 0.0}}}), REAL)
    assert nothing.drawn
    found = states_after(nothing)
    assert same(found[0], perfect[0])
    assert same([found[1]], [perfect[1]])


@pytest.mark.parametrize(
    "case",
    [
        "all, writes by count", "memristor", "retention", "levels", "endurance", "telegraph noise",
        *(pytest.param(case, marks=pytest.mark.slow) for case in SLOW),
    ],
)  # fmt: skip
def test_an_imperfect_run_is_replayed_and_resumed_with_the_same_bits(case, tmp_path):
    config = configuration(case, learning={"epochs": 40}, trace={"keyframe_samples": 3})
    path = stopped(config, tmp_path / "stopped.h5", 5, data=REAL)
    with training.run(config, REAL, out=path, resume=True) as resumed:
        states = states_after(assemble(config, REAL))[0]
        for bank, wanted in zip(resumed.banks, states, strict=True):
            assert same([resumed.final_state[bank]], [wanted]), bank
        assert [finding for finding in verify(resumed) if finding.wrong] == []


def test_evaluation_uses_the_devices_of_the_run():
    run = training.run(configuration("spread"), REAL)
    perfect = training.run(short_runs.configuration("mlp"), REAL)
    outputs = evaluate(run, REAL.inputs).outputs
    assert np.array_equal(outputs, evaluate(run, REAL.inputs).outputs)
    assert not np.array_equal(outputs, evaluate(perfect, REAL.inputs).outputs)


# Distributions


def test_normal_numbers_are_the_inverse_of_their_distribution():
    exact = statistics.NormalDist()
    for share in [k * 2.0**-53 for k in (1, 2, 12345, 2**20 + 1, 2**40 + 3, 2**50 + 7, 2**52 + 9, 2**53 - 1)]:
        assert naive.quantile(share) == pytest.approx(exact.inv_cdf(share), rel=1e-14, abs=1e-14)
    for seed, device, step in [(0, 0, 0), (7, 3, 2**40), (2**64 - 1, 2**32 - 1, 5)]:
        assert normal(np.uint64(seed), 6, 1, device, step) == naive.normal(seed, 6, 1, device, step)


@functools.cache
def spread_of(distribution, share):
    """Mobilities over the nominal one, of many synapses."""
    bank = assemble(short_runs.configuration("mlp"), REAL).banks[0]
    drawn = [
        own_device(bank, distribution, {"mobility": share}, 0, device, np.uint64(5)).mobility for device in range(4000)
    ]
    return np.array(drawn) / bank.device.mobility


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("distribution", ["lognormal", "normal"])
def test_spread_has_the_stated_distribution(distribution, share):
    factors = spread_of(distribution, share)
    error = share / math.sqrt(len(factors))
    assert abs(factors.mean() - 1.0) < 4.0 * error
    assert factors.std() == pytest.approx(share, rel=0.08)
    skewed = np.log(factors) if distribution == "lognormal" else factors
    shape = (skewed - skewed.mean()) / skewed.std()
    assert abs((shape**3).mean()) < 0.2
    assert (shape**4).mean() == pytest.approx(3.0, abs=0.4)


def test_stuck_devices_have_their_shares_and_never_move():
    shares = {"stuck_lower": 0.2, "stuck_upper": 0.1, "stuck": 0.3}
    sections = {"imperfections": {"synapse": shares}, "run": {"realisations": 400}, "learning": {"epochs": 1}}
    assembly = assemble(short_runs.configuration("mlp", **sections), REAL)
    variable = assembly.banks[0].device.state_variables()[0]
    initial, movable = assembly.initial[0][:, 0], assembly.drawn[0].movable
    found = {
        "stuck_lower": initial == variable.lower,
        "stuck_upper": initial == variable.upper,
        "stuck": (movable == 0.0) & (np.abs(initial) < variable.upper),
    }
    for name, share in shares.items():
        error = math.sqrt(share * (1.0 - share) / initial.size)
        assert found[name].mean() == pytest.approx(share, abs=4.0 * error), name
    moved = states_after(assembly)[0][0][:, 0] != initial
    assert not moved[movable == 0.0].any()
    assert moved[movable == 1.0].any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [{}, {"encoding": "width"}, {"encoding": "count", "pulses": 400, "train_steps": 1, "train_gap_steps": 0}],
    ids=["amplitude", "width", "count without gaps"],
)
def test_write_noise_has_mean_1_and_the_stated_deviation(write):
    # One write of the same charge in many realisations: what it moves is the factor, one for all pulses without gaps.
    share = 0.25
    one = Dataset(REAL.inputs[:1], REAL.targets[:1], REAL.name)
    sections = {"learning": {"epochs": 1, "rate": 1.0}, "run": {"realisations": 1}, "write": write}
    sections |= {"time": {"write_steps": 400}} if "encoding" in write else {}
    perfect = assemble(short_runs.configuration("lines", **sections), one)
    noisy = assemble(
        short_runs.configuration("lines", **sections, imperfections={"synapse": {"write_noise": share}}), one
    )
    wanted = states_after(perfect)[0][0] - perfect.initial[0]
    seen = []
    for seed in range(1200):
        own = dataclasses.replace(noisy, seeds=np.array([seed], dtype=np.uint64))
        moved = states_after(own)[0][0] - perfect.initial[0]
        seen.append(moved[wanted != 0.0] / wanted[wanted != 0.0])
    factors = np.concatenate(seen)
    assert factors.mean() == pytest.approx(1.0, abs=4.0 * share / math.sqrt(factors.size))
    assert factors.std() == pytest.approx(share, rel=0.08)
    logarithms = np.log(factors)
    assert logarithms.std() == pytest.approx(math.sqrt(math.log1p(share**2)), rel=0.06)


# Retention


@pytest.mark.parametrize(
    ("model", "integrator", "order"),
    [
        ("synapse", "euler", 1),
        pytest.param("synapse", "heun", 2, marks=pytest.mark.slow),
        pytest.param("vteam", "euler", 1, marks=pytest.mark.slow),
    ],
)
def test_states_at_rest_relax_exponentially(model, integrator, order):
    # The learning rate writes nothing, and READs stay below the thresholds: 900 steps in which only retention acts.
    constant, share = 0.1, 0.25
    sections = {"learning": {"rate": 1e-30, "epochs": 4}, "devices": {"synapse": {"model": model}}}
    time = {"pulse_steps": 3, "write_steps": 4, "gap_steps": 1, "integrator": integrator}
    relaxing = {"synapse": {"retention_time": constant, "retention_state": share, "stuck": 0.3}}
    assembly = assemble(short_runs.configuration("mlp", **sections, time=time, imperfections=relaxing), REAL)
    steps = naive_steps(assembly) * 4 * len(REAL.inputs)
    dt = assembly.config.time.dt
    spent = steps * dt / constant
    assert spent > 1.0
    for b in (0, 2):
        variable, initial = assembly.banks[b].device.state_variables()[0], assembly.initial[b][:, 0]
        aim = variable.lower + share * (variable.upper - variable.lower)
        wanted = aim + (initial - aim) * math.exp(-spent)
        found = states_after(assembly)[0][b][:, 0]
        stuck = assembly.drawn[b].movable == 0.0
        assert np.array_equal(found[stuck], initial[stuck])
        error = (
            spent * (dt / constant) ** order / math.factorial(order + 1)
        )  # of the logarithm, by the integrator's own series
        assert found[~stuck] - aim == pytest.approx((wanted - aim)[~stuck], rel=1.1 * error, abs=0.0)
        assert not np.allclose((found - aim)[~stuck], (wanted - aim)[~stuck], rtol=0.9 * error, atol=0.0)


def naive_steps(assembly):
    """Steps of a sample."""
    slots = assembly.schedule.slots
    return sum(slot.width + assembly.schedule.rest_steps for slot in slots)


# Levels


def test_states_end_a_write_at_levels():
    # An epoch ends with WRITEs, after which no synapse moves.
    levels = 4097
    stuck = {"levels": levels, "stuck": 0.2}
    assembly = assemble(short_runs.configuration("mlp", imperfections={"synapse": stuck}), REAL)
    perfect = states_after(assemble(short_runs.configuration("mlp"), REAL))[0]
    found = states_after(assembly)[0]
    for b in (0, 2):
        variable, initial = assembly.banks[b].device.state_variables()[0], assembly.initial[b][:, 0]
        gap = (variable.upper - variable.lower) / (levels - 1)
        for states in (initial, found[b][:, 0]):
            number = (states - variable.lower) / gap
            assert number == pytest.approx(np.rint(number), abs=1e-9)
        assert (found[b][:, 0] != initial).any()
        assert np.array_equal((found[b][:, 0] != initial) & (assembly.drawn[b].movable == 0.0), np.zeros_like(initial))
        assert np.abs(initial - assemble(short_runs.configuration("mlp"), REAL).initial[b][:, 0]).max() <= 0.5001 * gap
    assert not same(found, perfect)


def test_writes_of_less_than_half_a_level_are_lost():
    assembly = assemble(short_runs.configuration("mlp", imperfections={"synapse": {"levels": 5}}), REAL)
    found = states_after(assembly)[0]
    assert np.array_equal(found[0][:, 0], assembly.initial[0][:, 0])


# Wear


def with_kept_rows(case, **sections):
    """A run of a case in memory, and its assembly."""
    config = configuration(case, **sections)
    return training.run(config, REAL), assemble(config, REAL)


def last_slot(assembly, bank, phase):
    """First step and width of the last slot of a bank in a phase, from a sample's start."""
    schedule = assembly.schedule
    found = zip(schedule.slots, schedule.starts, strict=True)
    return [(start, slot.width) for slot, start in found if (slot.bank, slot.phase) == (bank, phase)][-1]


def gains(run, assembly, bank, sample, phase):
    """Voltages over those of fresh devices without a trap, at the end of a READ, (devices, realisations)."""
    first, width = last_slot(assembly, bank, phase)
    step = sample * assembly.schedule.steps + first + width - 1
    name, device = assembly.banks[bank].name, assembly.banks[bank].device
    state, current, voltage = (run.window(name, q, step, step + 1)[0] for q in ("state", "current", "voltage"))
    fresh = naive.plain(device.functions().output)(state, current, device.kernel_parameters())
    return state, current, voltage, fresh


def test_the_range_halves_after_as_many_pulses_as_the_endurance():
    # A synapse gets one pulse a sample, of the WRITE at its end; a node three, by READ, RESTORE and WRITE.
    wear = {"synapse": {"endurance": 7.0, "stuck": 0.3}, "node": {"endurance": 25.0}}
    run, assembly = with_kept_rows("endurance", imperfections=wear, write={"encoding": "amplitude"})
    samples = int(run.keyframes["sample"][-1])
    pulses = run.stored.keyframe_past(-1)
    for b, (endurance, each) in enumerate([(7.0, 1), (25.0, 3)] * 2):
        moving = assembly.drawn[b].movable == 1.0
        assert np.array_equal(pulses[b][0], np.where(moving, each * samples, 0.0))
        state, current, voltage, _ = gains(run, assembly, b, samples - 1, Phase.READ)
        before = np.where(moving, each * (samples - 1) + (each == 3), 0)
        about, device = assembly.banks[b].device.state_variables()[0], assembly.banks[b].device
        middle = 0.5 * (about.lower + about.upper)
        seen = middle + (state - middle) * 0.5 ** (before / endurance)
        wanted = naive.plain(device.functions().output)(seen, current, device.kernel_parameters())
        assert voltage == pytest.approx(wanted, rel=1e-12)
        assert (current != 0.0).any()


def test_a_long_endurance_wears_nothing():
    fresh = {"synapse": {"spread": {"mobility": 0.0}}}
    endless = {"synapse": {"endurance": 1e30}}
    runs = [states_after(assemble(short_runs.configuration("mlp", imperfections=s), REAL)) for s in (fresh, endless)]
    assert same(runs[0][0], runs[1][0])


def test_evaluation_uses_devices_as_worn_as_the_run_left_them():
    run, _ = with_kept_rows("telegraph noise")
    outputs = [evaluate(run, REAL.inputs, keyframe=k, seed=0).outputs for k in (-1, None)]
    assert np.array_equal(*outputs)
    # The states of the end in fresh devices give other outputs.
    stored = run.stored
    with mock.patch.object(type(stored), "keyframe_past", return_value=[]):
        assert not np.array_equal(evaluate(run, REAL.inputs, seed=0).outputs, outputs[0])


def test_a_window_of_a_worn_run_can_be_replayed_again(tmp_path):
    run, _ = with_kept_rows("telegraph noise")
    write_window(run, tmp_path / "window.h5", 300, 400)
    with open_run(tmp_path / "window.h5") as window:
        assert [finding for finding in verify(window) if finding.wrong] == []
        assert same(window.stored.keyframe_past(-1), run.stored.keyframe_past(-1))


@pytest.mark.parametrize(("name", "value"), [("pulses", -1.0), ("pulses", 0.5), ("trap", 2.0), ("trap", math.nan)])
def test_a_past_that_no_device_has_is_refused(tmp_path, name, value):
    path = tmp_path / "run.h5"
    training.run(configuration("telegraph noise"), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        file[f"keyframes/synapses1/{name}"][0, 1, 1] = value
    with open_run(path) as run, pytest.raises(RunFileError, match=f"synapses1/{name} holds what no device has"):
        run.window("synapses1", "voltage", run.sample_steps * 6, run.sample_steps * 7)


def test_a_run_without_its_past_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    training.run(configuration("telegraph noise"), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        del file["keyframes/nodes1/trap"]
    with pytest.raises(RunFileError, match="its keyframes lack the trap of nodes1"):
        open_run(path)


# Random telegraph noise


@functools.cache
def trapped(capture, emission):
    """Traps of a synapse bank at each sample's end, (samples, devices times realisations), and the samples' time."""
    noise = {"telegraph_amplitude": 0.2, "capture_time": capture, "emission_time": emission}
    sections = {"imperfections": {"synapse": noise}, "run": {"realisations": 400}, "learning": {"epochs": 5}}
    assembly = assemble(short_runs.configuration("mlp", **sections), REAL)
    engine = Engine(assembly, threads=1, epochs=5)
    found = [engine.blocks.past()[0][1].ravel()]
    while not engine.clock.is_over:
        engine.advance(engine.clock.position + engine.clock.slots_a_sample)
        found.append(engine.blocks.past()[0][1].ravel())
    engine.close()
    return np.array(found), assembly.schedule.steps * assembly.config.time.dt


@pytest.mark.parametrize(("capture", "emission"), [(0.02, 0.06), (0.2, 0.1)])
def test_traps_are_occupied_as_long_and_as_often_as_stated(capture, emission):
    traps, period = trapped(capture, emission)
    share = emission / (capture + emission)
    kept = math.exp(-period * (1.0 / capture + 1.0 / emission))
    # Devices are independent, samples are not: each of those has the same share.
    error = math.sqrt(share * (1.0 - share) / traps.shape[1])
    assert np.abs(traps.mean(axis=1) - share).max() < 4.0 * error
    before, after = traps[:-1] == 1.0, traps[1:] == 1.0
    for occupied, stays in ((True, share + (1.0 - share) * kept), (False, 1.0 - share + share * kept)):
        chosen = before == occupied
        found = (after == occupied)[chosen].mean()
        assert found == pytest.approx(stays, abs=4.0 * math.sqrt(stays * (1.0 - stays) / chosen.sum()))
    # The autocorrelation falls exponentially, over several samples as over one.
    for lag in (1, 2, 4):
        product = (traps[lag:] - share) * (traps[:-lag] - share)
        scatter = product.std() / math.sqrt(product.size / (2 * lag))
        assert product.mean() == pytest.approx(share * (1.0 - share) * kept**lag, abs=4.0 * scatter)


def test_occupied_traps_raise_the_memristance_by_the_amplitude():
    noise = {"telegraph_amplitude": 0.2, "capture_time": 0.02, "emission_time": 0.02}
    config = configuration("telegraph noise", imperfections={"synapse": noise, "node": {}})
    run, assembly = training.run(config, REAL), assemble(config, REAL)
    seen = set()
    for sample in range(10):
        _, current, voltage, fresh = gains(run, assembly, 0, sample, Phase.READ)
        ratio = voltage[current != 0.0] / fresh[current != 0.0]
        assert np.minimum(np.abs(ratio - 1.0), np.abs(ratio - 1.2)).max() < 1e-12
        seen |= set(np.round(ratio, 6).tolist())
    assert seen == {1.0, 1.2}


def test_traps_are_the_same_in_finer_steps():
    checked = check_dt(configuration("telegraph noise"), REAL, samples=6)
    assert max(bank.half for bank in checked.banks) < 1e-13
    assert checked.output < 1e-12


# Bad input


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"imperfections": {"synapse": {"spread": {"mobilty": 0.1}}}}, "did you mean 'mobility'"),
        ({"imperfections": {"synapse": {"spread": {"r_off": 0.1}}}}, "sets the bounds of a synapse's state"),
        ({"imperfections": {"node": {"spread": {"threshold": 0.1}}}}, "spread.threshold: is 0 in nodes1"),
        (VTEAM | {"imperfections": {"synapse": {"spread": {"alpha_off": 0.1}}}}, "spread: must name one of"),
        (
            VTEAM | {"imperfections": {"synapse": {"spread": {"scale": 0.1}}}},
            r"imperfections.synapse.spread.scale: cannot differ from device to device: scale: must be 1",
        ),
        (
            {"periphery": {"synapse": {"driver_bits": 2, "driver_range": 1.0}}},
            r"periphery.synapse.driver_bits: a step of 1 A rounds READs of synapses1, of up to .*, to 0; take more",
        ),
        ({"imperfections": {"synapse": {"spread": {"mobility": -0.1}}}}, "must be greater than or equal to 0"),
        ({"imperfections": {"synapse": {"spread": {"mobility": 1.5}}}}, "must be less than or equal to 1"),
        ({"imperfections": {"synapse": {"stuck": 0.6, "stuck_lower": 0.6}}}, r"at most 1 \(got 1.2\)"),
        ({"imperfections": {"memristor": {"write_noise": 0.1}}}, "this network has no such devices"),
        ({"imperfections": {"node": {"levels": 1}}}, r"levels: must be 0, or 2 or more: both bounds .* \(got 1\)"),
        ({"imperfections": {"node": {"levels": -2}}}, "must be greater than or equal to 0"),
        ({"imperfections": {"node": {"retention_time": 1e-3}}}, r"at least 10 steps of time.dt = 0.00025 s"),
        ({"imperfections": {"node": {"retention_time": 0.0}}}, "must be greater than 0"),
        ({"imperfections": {"node": {"retention_state": 1.5}}}, "must be less than or equal to 1"),
        ({"imperfections": {"node": {"endurance": 0.0}}}, "endurance: must be greater than 0"),
        ({"imperfections": {"node": {"telegraph_amplitude": 0.1, "capture_time": 1.0}}}, "emission_time: is missing"),
        ({"imperfections": {"node": {"capture_time": 0.0}}}, "capture_time: must be greater than 0"),
        ({"imperfections": {"node": {"telegraph_amplitude": 1.5}}}, "must be less than or equal to 1"),
        (
            {"imperfections": {"node": {"retention_time": 1.0}}, "time": {"solver": "exact"}},
            "time.solver: must be 'stepping' for nodes1, whose states relax",
        ),
        ({"periphery": {"synapse": {"readout_bits": 8}}}, "readout_range: is missing"),
        ({"periphery": {"synapse": {"driver_bits": 1, "driver_range": 1.0}}}, "driver_bits: must be 0, or 2 or more"),
    ],
)
def test_bad_imperfections_are_refused(sections, message):
    with pytest.raises(InputError, match=message):
        assemble(short_runs.configuration("mlp", **sections), REAL)


def test_a_memristor_is_not_stuck_at_a_bound_that_it_does_not_have():
    sections = {"imperfections": {"memristor": {"stuck_upper": 0.5}}}
    with pytest.raises(InputError, match="a state without a bound"):
        assemble(short_runs.configuration("slp", **sections), REAL)
    with pytest.raises(InputError, match=r"retention_time: a threshold-memristor has a state without a bound"):
        assemble(short_runs.configuration("slp", imperfections={"memristor": {"retention_time": 1.0}}), REAL)
    with pytest.raises(InputError, match=r"endurance: a threshold-memristor has several states"):
        assemble(short_runs.configuration("slp", imperfections={"memristor": {"endurance": 9.0}}), REAL)
    with pytest.raises(InputError, match=r"levels: a threshold-memristor has several states"):
        assemble(short_runs.configuration("slp", imperfections={"memristor": {"levels": 9}}), REAL)


def test_the_configuration_goes_through_toml():
    config = configuration("all, writes by count")
    assert Configuration(**tomllib.loads(config.to_toml())) == config


# What the controller reads


@pytest.mark.slow
def test_readings_beyond_the_range_are_counted():
    """Noise of many times the range of the voltages: nearly all READs lie beyond it, and none does without noise."""
    verify, exact = {"write": {"verify": 1}}, {"readout_bits": 32, "readout_range": 1e3}
    noisy, quiet = (
        assemble(short_runs.configuration("mlp", **verify, periphery={"synapse": around}), REAL)
        for around in ({"read_noise": 1e3}, exact)
    )
    counted, without = (states_after(assembly)[2]["out_of_range"] for assembly in (noisy, quiet))
    # Each synapse is read in each sample, and verified up to twice.
    reads = len(REAL.inputs) * noisy.config.learning.epochs
    for b in (0, 2):
        assert (counted[b] > 0.9 * reads).all()
        assert (counted[b] <= 3 * reads).all()
        assert not without[b].any()


@pytest.mark.parametrize("device", ["node", "modelled"])
def test_read_noise_does_not_become_writes(device):
    """At a learning rate of next to nothing nothing is written, whatever the noise of what nodes are read by."""
    sections = {"devices": {"node": {"model": "node", "threshold": 1e-5}}} if device == "modelled" else {}
    config = short_runs.configuration(
        "mlp", learning={"rate": 1e-9, "epochs": 2}, periphery={"node": {"read_noise": 1e-3}}, **sections
    )
    run = training.run(config, REAL)
    quiet = training.run(short_runs.configuration("mlp", learning={"rate": 1e-9, "epochs": 2}, **sections), REAL)
    for bank in ("nodes1", "nodes2"):
        span = np.ptp(run.bank(bank).variables[0][2:])
        moved = np.abs(run.final_state[bank] - run.initial_state[bank]).max() / span
        unmoved = np.abs(quiet.final_state[bank] - quiet.initial_state[bank]).max() / span
        assert moved <= 10.0 * unmoved + 1e-8


@pytest.mark.parametrize("bias", [-0.08, -0.05, -0.01, 0.0, 0.03, 0.05, 0.2])
@pytest.mark.parametrize("change", [-1.0, -0.04, -1e-30, 0.0, 1e-30, 0.04, 1.0])
def test_a_limit_neither_enlarges_a_change_nor_turns_it_round(bias, change):
    allowed = within_limit(bias, change, 0.05)
    assert abs(allowed) <= abs(change)
    assert allowed * change >= 0.0
    if abs(bias + change) <= 0.05:
        assert allowed == change
    elif allowed != 0.0 and abs(bias) <= 0.05:
        assert abs(bias + allowed) == pytest.approx(0.05, rel=1e-12)


def test_a_measurement_counts_by_what_it_can_tell():
    assert trust(1e-3, 0.0, 0.1) == 1.0
    assert trust(0.0, 1e-7, 0.1) == 0.0
    assert trust(1e-6, 1e-7, 0.1) == 0.5  # as far off as what is known
    assert trust(-1e-4, 1e-7, 0.1) == pytest.approx(1.0 - 1e-4, rel=1e-3)


def test_writes_below_the_controllers_resolution_are_counted_and_not_sent():
    """The closed form and the steps differ in their last digits, and no more in what they send."""
    energies = {}
    for solver in ("stepping", "exact"):
        config = short_runs.configuration("mlp", time={"solver": solver}, learning={"rate": 0.1, "epochs": 6})
        run = training.run(config, REAL)
        energies[solver] = run.diagnostics("synapses1")["energy"][Phase.WRITE].sum()
    assert energies["exact"] == pytest.approx(energies["stepping"], rel=1e-9)
    coarse = short_runs.configuration("mlp", write={"resolution": 1e-3}, learning={"rate": 0.1, "epochs": 2})
    held = training.run(coarse, REAL)
    assert held.margins[0].counts["unsent"] > 0
    everything = short_runs.configuration("mlp", write={"resolution": 0.999}, learning={"rate": 0.1, "epochs": 2})
    none = training.run(everything, REAL)
    assert np.array_equal(none.final_state["synapses1"], none.initial_state["synapses1"])
    assert none.diagnostics("synapses1")["energy"][Phase.WRITE].sum() == 0.0


@pytest.mark.parametrize("encoding", ["width", "count"])
def test_trains_are_not_sent_below_the_controllers_resolution_either(encoding):
    rule, write = {"rate": 0.1, "epochs": 2}, {"encoding": encoding}
    sent = training.run(short_runs.configuration("mlp", write=write, learning=rule), REAL)
    assert (sent.final_state["synapses1"] != sent.initial_state["synapses1"]).any()
    held = training.run(short_runs.configuration("mlp", write={**write, "resolution": 0.999}, learning=rule), REAL)
    assert np.array_equal(held.final_state["synapses1"], held.initial_state["synapses1"])
    assert held.diagnostics("synapses1")["energy"][Phase.WRITE].sum() == 0.0
    counts = held.margins[0].counts
    assert counts["unsent"] > 0 == counts["rounded_writes"]


def test_read_noise_has_the_stated_moments():
    sigma, steps = 1e-2, 1500
    assembly = assemble(configuration("periphery"), REAL)
    block = new_block(assembly, np.arange(len(assembly.seeds)))
    bank = block.banks[1]
    operand = Packed(Cutter(assembly, block, (), ALONE).flawed(1)._replace(flaws=Flaws(read_noise=sigma)))
    add_noise, rows = from_python(flaw(add_read_noise)), Packed(Rows(*(np.empty(0),) * 3, 0))
    noise = np.empty((steps, bank.elements))
    for step in range(steps):
        bank.voltage[:] = 0.0
        add_noise(operand, rows, step)
        noise[step] = bank.voltage[: bank.elements]
    assert noise.mean() == pytest.approx(0.0, abs=4.0 * sigma / math.sqrt(noise.size))
    assert noise.std() == pytest.approx(sigma, rel=4.0 / math.sqrt(2.0 * noise.size))
    assert (noise**4).mean() / sigma**4 == pytest.approx(3.0, abs=4.0 * math.sqrt(96.0 / noise.size))
    # From step to step and from device to device there is no correlation.
    for one, other in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs((one * other).mean()) < 4.0 * sigma**2 / math.sqrt(one.size)


# Noise is used once


def correlation(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def test_each_evaluation_has_noise_of_its_own_and_a_seed_gives_it_again():
    noise = {"periphery": {"synapse": {"read_noise": 1e-2}}}
    run = training.run(short_runs.configuration("mlp", **noise, run={"realisations": 40}), REAL)
    quiet = training.run(short_runs.configuration("mlp", run={"realisations": 40}), REAL)
    inputs = np.full((30, 2), 0.5)  # the same again and again
    apart = [evaluate(run, inputs, apart=True, keyframe=0).outputs for _ in range(2)]
    by_number = [evaluate(run, inputs, keyframe=0).outputs for _ in range(2)]
    for one, other in (apart, by_number, (apart[0][1:], apart[0][:-1]), (by_number[0][1:], by_number[0][:-1])):
        # What is left after each realisation's own mean is noise.
        assert abs(correlation(one - one.mean(axis=0), other - other.mean(axis=0))) < 0.15
    seeded = [evaluate(run, inputs, keyframe=0, seed=7).outputs for _ in range(2)]
    assert np.array_equal(*seeded)
    assert not np.array_equal(seeded[0], evaluate(run, inputs, keyframe=0, seed=8).outputs)
    assert not np.array_equal(seeded[0], by_number[1])
    assert np.array_equal(*(evaluate(quiet, inputs, keyframe=0).outputs for _ in range(2)))
    with pytest.raises(InputError, match="seed: must be 0 or more"):
        evaluate(run, inputs, seed=-1)


def test_validation_has_noise_of_its_own_in_each_epoch_and_none_of_the_trainings(monkeypatch):
    drawn = []
    draw = Engine._run_block

    def listening(engine, index, linked, rows, *about):
        first = engine.steps_before + engine.clock.step
        drawn.append((engine.assembly.seeds.tolist(), first, first + engine.clock.steps))
        return draw(engine, index, linked, rows, *about)

    monkeypatch.setattr(Engine, "_run_block", listening)
    held_back = Dataset(REAL.inputs[3:], REAL.targets[3:], REAL.name)
    config = short_runs.configuration(
        "mlp", periphery={"node": {"read_noise": 1e-3}}, data={"validation": 0.4}, learning={"epochs": 3}
    )
    training.run(config, Dataset(REAL.inputs[:3], REAL.targets[:3], REAL.name, held_back))
    seeds = {tuple(each[0]) for each in drawn}
    assert len(seeds) == 2
    (looks,) = [[each for each in drawn if tuple(each[0]) == one] for one in seeds if one != tuple(drawn[0][0])]
    starts = sorted({first for _, first, _ in looks})
    assert len(starts) >= 3
