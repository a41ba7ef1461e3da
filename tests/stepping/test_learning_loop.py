"""The compiled learning loop against a naive executor of the same slots, and whatever must not change its results."""

import dataclasses
import functools
import json
import os
import subprocess
import sys

import naive
import naive_state_dependent
import numpy as np
import pytest
from places import EXAMPLES, REFERENCE

import memsim
from memsim.configuration.sections import Configuration, Timing
from memsim.datasets import Dataset, balanced_gate, gate
from memsim.devices import CarrierMemristor, Node, Synapse, ThresholdMemristor
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble, realisation_seeds
from memsim.stepping.blocks import new_block
from memsim.stepping.engine import Engine
from memsim.stepping.program.making import make

EPOCHS = 2
REALISATIONS = 3

XOR = balanced_gate("xor", 4)
_RNG = np.random.default_rng(8)
REAL = Dataset(_RNG.uniform(-1.0, 1.0, (4, 2)), _RNG.uniform(0.0, 1.0, (4, 1)), "two real inputs")
WIDE = Dataset(_RNG.uniform(-1.0, 1.0, (4, 3)), _RNG.uniform(-1.0, 1.0, (4, 2)), "three real inputs, two targets")

# A row that is dark in all samples, rows that are dark in some, and zeros of both signs.
_LIT = np.zeros((4, 12))
_LIT[[0, 0, 1, 3, 3, 3], [0, 11, 6, 1, 2, 5]] = 0.7, -0.4, 1.0, 0.2, -0.9, -0.0
DARK = Dataset(_LIT, np.eye(2)[[0, 1, 1, 0]], "mostly zeros")

MLP = {"kind": "mlp"}
SLP = {"kind": "slp"}
LINES = {"kind": "slp", "construction": "equivalent"}
COUNT = {"encoding": "count", "pulses": 6, "train_steps": 2, "train_gap_steps": 1}
SHORT = {"pulse_steps": 5}

VTEAM, WINDOWED = {"model": "vteam"}, {"model": "ion-drift", "window": "joglekar"}
# Devices that the controller writes by their model. One kind of network a compiled loop.
STATE_DEPENDENT = {
    "vteam synapses": (REAL, {"network": MLP, "time": SHORT | {"gap_steps": 1}, "devices": {"synapse": VTEAM}}),
    "vteam synapses, slope": (
        REAL,
        {"network": MLP, "time": SHORT, "devices": {"synapse": VTEAM}, "write": {"law": "slope"}},
    ),
    "vteam synapses, slope, verified": (
        REAL,
        {
            "network": MLP | {"weight_limit": 1.5},
            "time": SHORT,
            "devices": {"synapse": VTEAM},
            "learning": {"rate": 3.0},
            "write": {"law": "slope", "verify": 2, "tolerance": 1e-3},
        },
    ),
    "vteam synapses, writes by count": (
        REAL,
        {
            "network": MLP,
            "time": SHORT,
            "devices": {"synapse": VTEAM},
            "write": COUNT | {"verify": 1},
            "learning": {"rate": 3.0},
        },
    ),
    "vteam synapses, writes by count, slope": (
        REAL,
        {"network": MLP, "time": SHORT, "devices": {"synapse": VTEAM}, "write": COUNT | {"law": "slope"}},
    ),
    "windowed synapses and nodes": (
        REAL,
        {"network": MLP, "time": SHORT, "devices": {"synapse": WINDOWED, "node": WINDOWED}},
    ),
    "windowed synapses and nodes, all verified": (
        REAL,
        {
            "network": MLP | {"restore_verify": 2, "bias_limit": 0.05, "initial_bias": 0.03, "node_drift": 0.5},
            "time": SHORT,
            "devices": {"synapse": WINDOWED, "node": WINDOWED},
            "learning": {"rate": 3.0},
            "write": {"verify": 1, "driver_limit": 0.1},
        },
    ),
    "mlp, verified": (
        REAL,
        {"network": MLP | {"restore_verify": 1}, "time": SHORT, "write": {"verify": 1, "tolerance": 1e-9}},
    ),
    "windowed synapses and nodes, all verified, mini-batches": (
        REAL,
        {
            "network": MLP | {"restore_verify": 2},
            "time": SHORT,
            "devices": {"synapse": WINDOWED, "node": WINDOWED},
            "learning": {"batch": 3},
            "write": {"verify": 1, "driver_limit": 0.1},
        },
    ),
    "vteam lines, mini-batches, falling rate": (
        REAL,
        {
            "network": LINES,
            "time": SHORT,
            "devices": {"synapse": VTEAM},
            "learning": {"batch": 3, "schedule": "step", "decay_epochs": 1},
        },
    ),
    # Another model for each layer's synapses, and nodes, each stepped by its own integrator.
    "three models": (
        REAL,
        {
            "network": MLP | {"layers": (2, 2, 1), "bias_limit": 0.05, "initial_bias": 0.03, "node_drift": 0.115},
            "time": SHORT | {"gap_steps": 1},
            "devices": {
                "node_integrator": "euler",
                "layer": (
                    {"synapse": VTEAM, "synapse_integrator": "heun"},
                    {"synapse": {"model": "team"}, "node": WINDOWED, "node_integrator": "heun"},
                ),
            },
        },
    ),
    "vteam lines": (REAL, {"network": LINES, "time": SHORT, "devices": {"synapse": VTEAM}, "write": {"verify": 1}}),
}

# Data, and the sections that differ from their defaults. All of a network's cases share one compiled loop:
# one that only SLOW cases need is compiled with the slow tests.
CASES = {
    "mlp": (XOR, {"network": MLP}),
    "mlp, rest gap": (REAL, {"network": MLP, "time": SHORT | {"gap_steps": 3}}),
    "mlp, writes by width": (
        REAL,
        {
            "network": MLP,
            "time": SHORT | {"write_steps": 12},
            "write": {"encoding": "width"},
            "learning": {"rate": 3.0},
        },
    ),
    "mlp, writes by count": (
        REAL,
        {"network": MLP, "time": SHORT | {"gap_steps": 2}, "write": COUNT, "learning": {"rate": 3.0}},
    ),
    "mlp, mini-batches": (REAL, {"network": MLP, "time": SHORT, "learning": {"rate": 3.0, "batch": 3}}),
    "mlp, falling rate": (
        REAL,
        {"network": MLP, "time": SHORT, "learning": {"rate": 3.0, "schedule": "exponential", "decay_epochs": 1}},
    ),
    "mlp, mini-batches, writes by count": (
        REAL,
        {
            "network": MLP,
            "time": SHORT | {"gap_steps": 2},
            "write": COUNT | {"resolution": 0.01},
            "learning": {"rate": 1.0, "batch": 2},
        },
    ),
    "slp, mini-batches, falling rate": (
        REAL,
        {"network": SLP, "time": SHORT, "learning": {"batch": 3, "schedule": "step", "decay_epochs": 1}},
    ),
    "lines, mini-batches, falling rate": (
        REAL,
        {"network": LINES, "time": SHORT, "learning": {"batch": 3, "schedule": "cosine", "decay_epochs": 2}},
    ),
    "mlp, fixed read scale": (REAL, {"network": MLP | {"read_scale": 3.0}, "time": SHORT}),
    "mlp 3-4-2, constant input": (
        WIDE,
        {"network": MLP | {"layers": (3, 4, 2), "constant_input": True}, "time": {"pulse_steps": 3, "write_steps": 4}},
    ),
    "mlp 12-9-2, most rows without a signal": (DARK, {"network": MLP | {"layers": (12, 9, 2)}, "time": SHORT}),
    "mlp 2-3-2-1": (REAL, {"network": MLP | {"layers": (2, 3, 2, 1)}, "time": {"pulse_steps": 3}}),
    "mlp, printed readings": (
        REAL,
        {"network": MLP, "time": SHORT, "learning": {"bias_rule": "printed", "output_gradient": "printed"}},
    ),
    "mlp, printed output gradient alone": (
        REAL,
        {"network": MLP, "time": SHORT, "learning": {"output_gradient": "printed"}},
    ),
    # Bounds met in READ move the biases out of their range, yet nothing asks for a write.
    "mlp, biases that do not learn": (
        XOR,
        {
            "network": MLP | {"node_drift": 0.99, "bias_limit": 0.05, "initial_bias": 0.03},
            "time": SHORT,
            "learning": {"bias_rule": "none"},
        },
    ),
    "mlp, node threshold, Eq. 12": (
        REAL,
        {"network": MLP, "time": SHORT, "devices": {"node": Node(threshold=2e-5, equation=12)}},
    ),
    "mlp, overdriven": (
        REAL,
        {
            "network": MLP
            | {"weight_limit": 1.5, "bias_limit": 0.05, "initial_bias": 0.03, "node_drift": 0.99, "read_scale": 0.95},
            "time": SHORT,
            "learning": {"rate": 8.0},
            "devices": {"synapse": Synapse(threshold=0.041)},
            "write": {"driver_limit": 0.05},
        },
    ),
    "mlp, closed form, rest gap": (REAL, {"network": MLP, "time": SHORT | {"gap_steps": 3, "solver": "exact"}}),
    "lines, closed form, writes by count": (
        REAL,
        {"network": LINES, "time": SHORT | {"solver": "exact"}, "write": COUNT},
    ),
    "slp": (XOR, {"network": SLP}),
    "slp, rest gap": (REAL, {"network": SLP, "time": SHORT | {"gap_steps": 3}}),
    "slp, writes by width": (REAL, {"network": SLP, "time": SHORT, "write": {"encoding": "width"}}),
    "slp, writes by count": (REAL, {"network": SLP, "time": SHORT, "write": COUNT, "learning": {"rate": 2.0}}),
    "slp, printed bias current": (REAL, {"network": SLP, "time": SHORT, "learning": {"bias_current": "printed"}}),
    "slp, overdriven": (
        REAL,
        {
            "network": SLP,
            "time": SHORT,
            "learning": {"rate": 200.0},
            "devices": {"memristor": ThresholdMemristor(inputs=2, thresholds=(1.2e-3, 2e-3, 2.8e-3), weight_limit=3.0)},
            "write": {"driver_limit": 2.82e-3},
        },
    ),
    "lines": (XOR, {"network": LINES}),
    "lines, tanh, rest gap": (
        REAL,
        {
            "network": LINES,
            "time": SHORT | {"gap_steps": 3},
            "devices": {"memristor": ThresholdMemristor(inputs=2, activation="tanh")},
        },
    ),
    "lines, identity, constant input, fixed read scale": (
        REAL,
        {
            "network": LINES | {"constant_input": True, "read_scale": 2.0},
            "time": SHORT,
            "devices": {"memristor": ThresholdMemristor(inputs=3, activation="identity")},
        },
    ),
    "lines, writes by count": (REAL, {"network": LINES, "time": SHORT, "write": COUNT, "learning": {"rate": 2.0}}),
    "carriers, sines": (XOR, {"network": SLP, "devices": {"memristor": CarrierMemristor()}}),
    "carriers, codes, rest gap": (
        REAL,
        {
            "network": SLP,
            "time": {"pulse_steps": 16, "write_steps": 8, "gap_steps": 3},
            "devices": {"memristor": CarrierMemristor(carriers="code")},
        },
    ),
    "carriers, sines, mini-batches, falling rate": (
        REAL,
        {
            "network": SLP,
            "time": {"pulse_steps": 12},
            "devices": {"memristor": CarrierMemristor(periods=(4, 1, 2))},
            "learning": {"batch": 3, "schedule": "step", "decay_epochs": 1},
        },
    ),
    "carriers, parts of periods, overdriven": (
        REAL,
        {
            "network": SLP,
            "time": {"pulse_steps": 11, "write_steps": 9},
            "devices": {"memristor": CarrierMemristor(periods=(0.5, 1.25, 3.0), whole_periods=False, weight_limit=3.0)},
            "learning": {"rate": 20.0},
            "write": {"driver_limit": 5e-5},
        },
    ),
    **STATE_DEPENDENT,
    "lines, writes by width": (REAL, {"network": LINES, "time": SHORT, "write": {"encoding": "width"}}),
}
# One of each network, all with rest gaps.
KINDS = (
    "mlp, writes by count",
    "mlp 12-9-2, most rows without a signal",
    "slp, rest gap",
    "lines, tanh, rest gap",
    "carriers, codes, rest gap",
)

SLOW = (
    "lines, closed form, writes by count", "mlp, verified", "vteam lines", "vteam lines, mini-batches, falling rate",
    "vteam synapses, slope, verified", "windowed synapses and nodes",
)  # fmt: skip

of_each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in SLOW else ()) for case in CASES]
)
of_each_kind = pytest.mark.parametrize("case", KINDS)


def assembly_of(case, seeds=None, **changes):
    """Lay out a case for its realisations; ``changes`` are sections."""
    dataset, sections = CASES[case]
    learning = {"epochs": EPOCHS, **sections.get("learning", {})}
    run = {"seed": 4, "realisations": REALISATIONS if seeds is None else len(seeds)}
    config = Configuration(**{**sections, "learning": learning, "run": run, **changes})
    return assemble(config, dataset, seeds)


@dataclasses.dataclass
class Ran:
    """Results of a run.

    Attributes
    ----------
    values : dict
        Name to array; the last axis of each is the realisations.
    outputs : (samples, outputs, realisations) float64
    rows : dict
        Bank to states (variables, rows, devices, realisations), currents and voltages (rows, devices, realisations).
    device_steps : int
    """

    values: dict
    outputs: np.ndarray
    rows: dict
    device_steps: int


def run_engine(assembly, *, threads=1, recorded=(), limits=None, shuffled=True, epochs=EPOCHS):
    """Run an assembly to its end; ``limits`` gives the end of the next stretch for the slots run so far."""
    engine = Engine(assembly, threads=threads, epochs=epochs, shuffled=shuffled, recorded=recorded)
    outputs = np.full((epochs * engine.clock.samples, assembly.targets.shape[1], len(assembly.seeds)), np.nan)
    taken, errors, energies = [], [], []
    while not engine.clock.is_over:
        limit = limits(engine.clock.position) if limits else engine.clock.slots
        taken.append(engine.advance(limit, outputs[engine.clock.position // engine.clock.slots_a_sample :]).rows)
        errors.append(engine.take_errors())
        energies.append(engine.take_energies())
    engine.close()
    banks = range(len(assembly.banks))
    values = {"total error": np.concatenate(errors), "energy of epochs": np.concatenate(energies)}
    values |= {f"states of bank {b}": states for b, states in enumerate(engine.blocks.states())}
    values |= {f"{name} of bank {b}": engine.blocks.counter(name, b) for name in naive.COUNTERS for b in banks}
    return Ran(values, outputs, {b: joined_rows(taken, b) for b in recorded}, engine.device_steps)


def joined_rows(taken, bank):
    """Rows of all stretches and blocks of a bank: states, currents, voltages."""
    joined = []
    for name in ("state", "current", "voltage"):
        stretches = []
        for stretch in taken:
            blocks = sorted((part for part in stretch if part.bank == bank), key=lambda part: part.realisations[0])
            stretches.append(np.concatenate([getattr(part, name) for part in blocks], axis=-1))
        joined.append(np.concatenate(stretches))
    return joined


def network_of(assembly, realisation):
    """The naive network of an assembly."""
    modelled = any(bank.modelled is not None for bank in assembly.banks)
    return (naive_state_dependent if modelled else naive).Network(assembly, realisation)


@functools.cache
def run_naive(case):
    """Run a case by the naive network, each realisation on its own."""
    assembly = assembly_of(case)
    networks, errors = [], []
    for realisation, seed in enumerate(assembly.seeds):
        network = network_of(assembly, realisation)
        order = [naive.shuffle(seed, epoch, len(assembly.inputs)) for epoch in range(EPOCHS)]
        errors.append(network.learn(order))
        networks.append(network)
    banks = range(len(assembly.banks))
    values = {"total error": np.array(errors).T, "energy of epochs": stacked(np.array(n.energies) for n in networks)}
    values |= {f"states of bank {b}": stacked(n.states(b) for n in networks) for b in banks}
    for name in naive.COUNTERS:
        values |= {f"{name} of bank {b}": stacked(n.counter(name, b) for n in networks) for b in banks}
    rows = {b: [stacked(parts) for parts in zip(*(n.rows(b) for n in networks), strict=True)] for b in banks}
    return Ran(values, stacked(np.array(n.outputs) for n in networks), rows, 0)


def stacked(parts):
    """Realisations side by side, as the last axis."""
    return np.stack(list(parts), axis=-1)


def differences(one, other):
    """Names of the results that differ in any bit."""
    assert one.keys() == other.keys()
    return [name for name in one if not np.array_equal(naive.bits(one[name]), naive.bits(other[name]))]


def lanes_of(ran, realisations):
    """Return the results of some realisations."""
    return {name: values[..., realisations] for name, values in ran.values.items()}


@functools.cache
def run_plainly(case):
    """Run a case on one thread, unrecorded, in stretches of the engine's own choice."""
    return run_engine(assembly_of(case))


# The twin


@of_each_case
def test_learning_loop_equals_its_twin(case):
    twin = run_naive(case)
    done = run_plainly(case)
    assert not differences(done.values, twin.values)
    assert np.array_equal(naive.bits(done.outputs), naive.bits(twin.outputs))


# In plain Python: by default a case of each kind of program.
INTERPRETED = (
    *KINDS,
    "vteam synapses, slope",
    "windowed synapses and nodes, all verified, mini-batches",
    "three models",
)


@functools.cache
def interpreted_digests(cases):
    """Digests of the cases' programs as plain Python carries them out, in a process of its own."""
    script = REFERENCE / "interpreted.py"
    done = subprocess.run(
        [sys.executable, str(script), *cases], capture_output=True, text=True, check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in INTERPRETED else pytest.mark.slow) for case in CASES]
)
def test_the_same_program_in_plain_python_has_the_same_bits(case):
    """Kernels, records and calls by address against the functions that they are compiled from."""
    from interpreted import digest_of

    together = INTERPRETED if case in INTERPRETED else tuple(each for each in CASES if each not in INTERPRETED)
    assert interpreted_digests(together)[case] == digest_of(case)


@pytest.mark.slow
def test_learning_loop_with_heuns_method_equals_its_twin():
    assembly = assembly_of("mlp, rest gap", time=SHORT | {"gap_steps": 3, "integrator": "heun"})
    done = run_engine(assembly)
    for realisation, seed in enumerate(assembly.seeds):
        network = naive.Network(assembly, realisation)
        errors = network.learn([naive.shuffle(seed, epoch, len(assembly.inputs)) for epoch in range(EPOCHS)])
        assert done.values["total error"][:, realisation].tolist() == errors
        for b in range(len(assembly.banks)):
            assert np.array_equal(done.values[f"states of bank {b}"][..., realisation], network.states(b))


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("columns", [5, 20, 64])
def test_rows_without_a_signal_are_left_out_and_change_no_bit(columns, lanes):
    """Of one realisation and of two; a row is a part of a tile, or rows are whole ones."""
    config = Configuration(
        network=MLP | {"layers": (12, columns, 2)}, time=SHORT, learning={"epochs": 2},
        data={"arrays": "mostly zeros"},
    )  # fmt: skip
    assembly = assemble(config, DARK, realisation_seeds(3, lanes))
    plain, whole = run_engine(assembly, shuffled=False), run_engine(assembly, shuffled=False, recorded=(0, 2))
    assert not differences(plain.values, whole.values)
    for lane in range(lanes):
        network = naive.Network(assembly, lane)
        errors = network.learn([np.arange(4)] * 2)
        assert plain.values["total error"][:, lane].tolist() == errors
        for b in range(len(assembly.banks)):
            assert np.array_equal(plain.values[f"states of bank {b}"][..., lane], network.states(b))
            for name in naive.COUNTERS:
                counted = plain.values[f"{name} of bank {b}"][..., lane]
                assert np.array_equal(naive.bits(counted), naive.bits(network.counter(name, b))), name


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, ["drive_rows", "request_synapses"]),
        ({"learning": {"epochs": 1, "batch": 2}}, ["drive_rows"]),
        ({"write": COUNT}, ["drive_rows"]),
        ({"imperfections": {"synapse": {"spread": {"mobility": 0.1}}}}, ["drive_rows", "request_synapses"]),
        ({"periphery": {"synapse": {"read_noise": 1e-4}}}, []),
        ({"devices": {"synapse": VTEAM}}, []),
        ({"network": MLP | {"layers": (12, 7, 2)}}, []),
    ],
)
def test_rows_are_left_out_where_nobody_else_looks_at_them(changes, left_out):
    """No mini-batch, train, noise or rule of a modelled bank; rows of few devices are not worth the look."""
    assembly = assembly_of("mlp 12-9-2, most rows without a signal", **changes)
    made = make(assembly, new_block(assembly, np.arange(1)))
    names = [[instruction.kernel.name for instruction in slot] for slot in made.slots]
    followed = [slot[k + 1] for slot in names for k, name in enumerate(slot) if name == "find_driven"]
    assert followed == left_out


def test_the_twins_cases_learn_and_every_counter_counts_in_some_case():
    counted = set()
    for case in CASES:
        values = run_naive(case).values
        assert np.ptp(values["total error"]) > 0.0, case
        counted |= {name.split(" of ")[0] for name, value in values.items() if np.any(value != 0.0)}
    elsewhere = {"driver_clipped", "readout_clipped", "out_of_range", "stalled"}  # test_imperfections, test_stepping
    assert counted >= set(naive.COUNTERS) - elsewhere
    overdriven = run_naive("mlp, overdriven").values
    assert overdriven["disturbed of bank 2"][Phase.READ].any()
    assert overdriven["disturbed of bank 2"][Phase.BACKREAD].any()
    assert not overdriven["disturbed of bank 0"][Phase.WRITE].any()
    assert run_naive("slp, overdriven").values["disturbed of bank 0"][Phase.READ].any()
    parted = run_naive("carriers, parts of periods, overdriven").values
    assert all(parted[f"{name} of bank 0"].any() for name in ("clipped", "unrestored", "residual", "bound"))
    assert not run_naive("carriers, sines").values["unrestored of bank 0"].any()


def test_kernels_are_compiled_once_for_all_networks():
    """What two networks share is the same kernel; what they do not is a model's, or a rule that only one has."""
    engines = {case: Engine(assembly_of(case), threads=1, epochs=1, recorded=(0,)) for case in KINDS}
    kernels = {case: {kernel.name for kernel in engine.kernels()} for case, engine in engines.items()}
    again = Engine(assembly_of(KINDS[0], seeds=realisation_seeds(0, 1)), threads=1, epochs=1)
    assert set(again.kernels()) <= set(engines[KINDS[0]].kernels())
    assert {"run_slots", "pulse_16", "close_epoch"} <= set.intersection(*kernels.values())
    for engine in (*engines.values(), again):
        engine.close()


@pytest.mark.parametrize("inputs", [(1,), (5, 64)])
def test_the_number_of_inputs_of_a_threshold_memristor_is_data(inputs):
    """A memristor for 64 inputs needs no kernel that one for two has not."""

    def kernels_of(count):
        data = Dataset(np.zeros((1, count)), np.zeros((1, 1)))
        engine = Engine(assemble(Configuration(network=SLP | {"inputs": count}), data), threads=1, epochs=1)
        engine.close()
        return engine.kernels()

    for count in inputs:
        assert kernels_of(count) == kernels_of(2)


# What must not change a bit


@of_each_kind
def test_two_threads_change_no_bit(case):
    done = run_engine(assembly_of(case), threads=2)
    assert not differences(done.values, run_plainly(case).values)


@of_each_kind
@pytest.mark.parametrize(("realisations", "threads"), [(100, 1), (130, 2)])
def test_a_realisation_alone_equals_itself_among_others(case, realisations, threads):
    seeds = realisation_seeds(4, realisations)
    together = run_engine(assembly_of(case, seeds=seeds), threads=threads)
    for r in (0, realisations // 2, realisations - 1):
        alone = run_engine(assembly_of(case, seeds=seeds[r : r + 1]))
        assert not differences(alone.values, lanes_of(together, slice(r, r + 1)))
        assert np.array_equal(alone.outputs, together.outputs[..., r : r + 1])
    assert not differences(lanes_of(together, slice(0, REALISATIONS)), run_plainly(case).values)


@of_each_kind
def test_a_realisations_place_changes_no_bit(case):
    seeds = realisation_seeds(4, REALISATIONS)
    turned = run_engine(assembly_of(case, seeds=seeds[::-1].copy()))
    assert not differences(lanes_of(turned, slice(None, None, -1)), run_plainly(case).values)


@of_each_kind
def test_stepping_resting_devices_too_changes_no_bit(case):
    assembly = assembly_of(case)
    unskipped = dataclasses.replace(assembly, skip=False)
    done = run_engine(unskipped)
    assert not differences(done.values, run_plainly(case).values)
    steps = EPOCHS * len(assembly.inputs) * assembly.schedule.steps
    idle = [slot for slot in assembly.schedule.slots if slot.held]
    held = sum(slot.width * assembly.banks[slot.bank].devices for slot in idle) * EPOCHS * len(assembly.inputs)
    devices = sum(bank.devices for bank in assembly.banks)
    assert done.device_steps == (steps * devices - held) * REALISATIONS
    assert run_plainly(case).device_steps < done.device_steps


@of_each_case
def test_recording_changes_no_bit_and_its_rows_are_the_twins(case):
    twin = run_naive(case)
    banks = tuple(range(len(assembly_of(case).banks)))
    done = run_engine(assembly_of(case), recorded=banks, threads=2)
    assert not differences(done.values, run_plainly(case).values)
    for b in banks:
        for rows, expected in zip(done.rows[b], twin.rows[b], strict=True):
            assert np.array_equal(naive.bits(rows), naive.bits(expected))


@pytest.mark.parametrize("recorded", [(1,), (0, 3), (2,)])
def test_recording_some_banks_gives_their_rows_alone(recorded):
    case = "mlp, rest gap"
    done = run_engine(assembly_of(case), recorded=recorded)
    assert not differences(done.values, run_plainly(case).values)
    assert tuple(done.rows) == recorded
    for b in recorded:
        for rows, expected in zip(done.rows[b], run_naive(case).rows[b], strict=True):
            assert np.array_equal(naive.bits(rows), naive.bits(expected))


@of_each_kind
@pytest.mark.parametrize("seed", range(3))
def test_any_stretches_give_the_same_bits_outputs_and_rows(case, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    assembly = assembly_of(case)
    # An order drawn epoch by epoch, and in one case room for the longest slot's rows only.
    monkeypatch.setattr("memsim.stepping.sample_order.BYTES_AT_MOST", 1)
    monkeypatch.setattr("memsim.stepping.row_memory.ROW_BYTES", 1 if seed == 0 else 1 << 20)
    most = (40, 2, 9)[seed]
    done = run_engine(
        assembly, recorded=(0,), threads=1 + seed % 2, limits=lambda position: position + int(rng.integers(1, most))
    )
    assert not differences(done.values, run_plainly(case).values)
    assert np.array_equal(naive.bits(done.outputs), naive.bits(run_naive(case).outputs))
    for rows, expected in zip(done.rows[0], run_naive(case).rows[0], strict=True):
        assert np.array_equal(naive.bits(rows), naive.bits(expected))


def test_unshuffled_samples_come_in_their_own_order():
    assembly = assembly_of("mlp, rest gap")
    done = run_engine(assembly, shuffled=False)
    for realisation in range(REALISATIONS):
        network = naive.Network(assembly, realisation)
        assert (
            network.learn([range(len(assembly.inputs))] * EPOCHS) == done.values["total error"][:, realisation].tolist()
        )


# Physics of a whole run


@of_each_case
def test_counted_energy_is_the_sum_over_all_rows(case):
    assembly = assembly_of(case)
    banks = tuple(range(len(assembly.banks)))
    done = run_engine(assembly, recorded=banks)
    for b in banks:
        _, currents, voltages = done.rows[b]
        powers = currents * voltages * assembly.config.time.dt
        counted = done.values[f"energy of bank {b}"].sum(axis=0)
        # Signed synapses give energy too: the sum may be small against its parts.
        assert np.all(np.abs(counted - powers.sum(axis=0)) <= 1e-12 * np.abs(powers).sum(axis=0))
        assert np.abs(powers).max() > 0.0


def test_energy_is_counted_in_the_phase_that_spends_it():
    case = "mlp, rest gap"
    assembly = assembly_of(case)
    done = run_engine(assembly, recorded=(0, 1, 2, 3))
    phases = []
    for slot in assembly.schedule.slots:
        phases += [slot.phase] * slot.width + [Phase.IDLE] * assembly.schedule.rest_steps
    phases = np.array(phases * EPOCHS * len(assembly.inputs))
    for b in range(4):
        _, currents, voltages = done.rows[b]
        powers = currents * voltages * assembly.config.time.dt
        for phase in Phase:
            spent = powers[phases == phase]
            counted = done.values[f"energy of bank {b}"][phase]
            assert np.all(np.abs(counted - spent.sum(axis=0)) <= 1e-12 * np.abs(spent).sum(axis=0))


@pytest.mark.parametrize("layers", [(2, 1), (2, 2, 1), (2, 3, 2, 1)])
def test_multilayer_writes_follow_the_gradient_of_the_error(layers):
    """Every weight and bias weight moves by -eta * dE/dw, against a difference quotient of stepped READs."""
    data = Dataset(np.array([[0.7, -0.4]]), np.array([[0.35]]))
    rate, delta = 0.01, 1e-4
    network = MLP | {"layers": layers, "initial_bias": 0.3, "bias_limit": 0.6}
    learning = {"rate": rate, "epochs": 1}
    base = assemble(Configuration(network=network, time=SHORT, learning=learning, run={"seed": 1}), data)
    scales = [bank.state_per_weight for bank in base.banks]
    weights = np.concatenate([states.ravel() / scale for states, scale in zip(base.initial, scales, strict=True)])
    # Realisation 0 as it is, the others each with one weight moved a little up or down.
    moved = weights[:, None] + delta * np.hstack(
        [np.zeros((len(weights), 1)), np.eye(len(weights)), -np.eye(len(weights))]
    )
    ends = np.cumsum([bank.devices for bank in base.banks])[:-1]
    initial = tuple(part[:, None] * scale for part, scale in zip(np.split(moved, ends), scales, strict=True))
    seeds = np.arange(moved.shape[1], dtype=np.uint64)
    done = run_engine(dataclasses.replace(base, seeds=seeds, initial=initial), epochs=1)
    errors = done.values["total error"][0]
    slopes = (errors[1 : len(weights) + 1] - errors[len(weights) + 1 :]) / (2.0 * delta)
    states = [done.values[f"states of bank {b}"][:, 0, 0] for b in range(len(scales))]
    learnt = np.concatenate([state / scale for state, scale in zip(states, scales, strict=True)]) - weights
    assert np.all(slopes != 0.0)
    assert learnt == pytest.approx(-rate * slopes, rel=1e-4, abs=0.0)


def test_the_closed_form_trains_as_the_steps_do():
    data = gate("xor")
    runs = [
        memsim.train(memsim.MultilayerPerceptron([2, 2, 1]), data, epochs=3, realisations=3, time=Timing(solver=solver))
        for solver in ("stepping", "exact")
    ]
    for bank in runs[0].banks:
        lower, upper = np.array([v[2:] for v in runs[0].bank(bank).variables]).T
        difference = np.abs(runs[0].final_state[bank] - runs[1].final_state[bank])
        assert np.all(difference <= 1e-9 * (upper - lower)[:, None]), bank
        assert difference.any()
    stepped, exact = (sum(phase.mean() for bank in run.energy.values() for phase in bank.values()) for run in runs)
    assert exact == pytest.approx(stepped, rel=1e-9)


def test_the_closed_form_is_refused_for_a_threshold_memristor(refused):
    example = EXAMPLES / "slp.toml"
    line = "time.solver: must be 'stepping' for memristor, since a threshold-memristor has no closed form of a pulse"
    refused(line, "run", example, "--set", "time.solver=exact")
