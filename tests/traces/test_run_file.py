"""A run file explains itself, gives the same bits again, and holds the trace that the pulses really made."""

import functools
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import naive
import numpy as np
import pytest
from short_runs import EPOCHS, KINDS, REAL, REALISATIONS, configuration, of_each_kind

import memsim
from memsim.configuration.sections import Configuration
from memsim.datasets import balanced_gate, gate
from memsim.errors import InputError, RunFileError
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble, realisation_seeds
from memsim.network.slot_table import structured
from memsim.runs import training
from memsim.runs.sources import load_source
from memsim.stepping.engine import Engine
from memsim.traces.rows import Selection


@functools.cache
def in_memory(kind):
    """A run without a trace."""
    return training.run(configuration(kind), REAL)


@functools.cache
def fully_traced(kind):
    """The same run with every step of every device."""
    return training.run(configuration(kind, trace={"mode": "full"}), REAL)


QUANTITIES = ("state", "current", "voltage")


def everything(run, but=("keyframes",)):
    """All results of a run as bytes, by name."""
    found = {"seeds": run.seeds, "slots": run.slots, "total_error": run.total_error, "order": run.order}
    found |= {f"{bank}/epoch_energy": energy for bank, energy in run.epoch_energy.items()}
    found |= {"inputs": run.dataset.inputs, "targets": run.dataset.targets}
    for group in ("initial_state", "final_state", "keyframes"):
        if group not in but:
            found |= {f"{group}/{name}": values for name, values in getattr(run, group).items()}
    for bank in run.banks:
        found |= {f"{bank}/{name}": values for name, values in run.diagnostics(bank).items()}
    return {name: values.tobytes() for name, values in found.items()}


def traced(run):
    """All arrays of the trace, by path."""
    return {
        f"{bank}/{quantity}": run.stored.read(f"traces/{bank}/{quantity}")
        for bank in run.traced
        for quantity in QUANTITIES
    }


def assert_same_arrays(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert np.array_equal(naive.bits(one[name]), naive.bits(other[name])), name


# What it holds


@of_each_kind
def test_a_run_file_explains_itself(kind, tmp_path):
    config = configuration(kind, trace={"keyframe_samples": 15})
    assembly = assemble(config, REAL)
    with training.run(config, REAL, out=tmp_path / "run.h5") as run:
        assert run.finished
        assert Configuration(**tomllib.loads(run.configuration_text)) == config
        assert run.seeds.tolist() == realisation_seeds(2**62 + 1, REALISATIONS).tolist()
        assert run.dataset.name == REAL.name
        assert np.array_equal(run.dataset.inputs, REAL.inputs)
        assert np.array_equal(run.dataset.targets, REAL.targets)
        assert np.array_equal(run.slots, structured(assembly.schedule))
        assert run.dt == config.time.dt
        assert run.sample_steps == assembly.schedule.steps
        assert run.banks == tuple(bank.name for bank in assembly.banks)
        assert run.total_error.shape == (EPOCHS, REALISATIONS)
        assert np.all(np.isfinite(run.total_error))
        for bank, initial in zip(assembly.banks, assembly.initial, strict=True):
            about, calibration = run.bank(bank.name), run.stored.calibration(bank.name)
            variables = bank.device.state_variables()
            assert (about.model, about.devices) == (bank.device.model, bank.devices)
            assert calibration["threshold"] == bank.threshold
            assert calibration["unit_current"] == bank.unit_current
            assert about.variables == tuple((v.name, v.unit, v.lower, v.upper) for v in variables)
            assert np.array_equal(run.initial_state[bank.name], initial)
            assert run.final_state[bank.name].shape == (bank.devices, len(variables), REALISATIONS)
        for name in ("program_version", "python_version", "numba_version", "numpy_version", "machine"):
            assert run.file.attrs[name]
        assert not run.stopped
        assert run.keyframes["sample"][-1] == EPOCHS * 5
        assert run.device_steps > 0
        assert run.simulated_time == pytest.approx(EPOCHS * 5 * assembly.schedule.steps * run.dt, rel=1e-12)


def test_every_dataset_says_its_unit_and_names_its_axes():
    run = fully_traced("slp")
    wrong = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and name != "configuration":
            described = {"units", "long_name"} <= set(item.attrs)
            named = item.is_scale or all(len(dimension) == 1 for dimension in item.dims)
            if not (described and named):
                wrong.append(name)

    run.file.visititems(visit)
    assert wrong == []
    assert [dimension[0].name for dimension in run.file["traces/memristor/state"].dims] == [
        "/traces/memristor/time", "/traces/memristor/device", "/traces/memristor/variable",
        "/traces/memristor/realisation",
    ]  # fmt: skip


def test_order_holds_the_permutations_that_the_engine_drew():
    run = in_memory("mlp")
    engine = Engine(assemble(configuration("mlp"), REAL), threads=1, epochs=EPOCHS)
    assert np.array_equal(run.order, engine.order.between(0, EPOCHS))
    engine.close()
    assert np.array_equal(np.sort(run.order, axis=1), np.broadcast_to(np.arange(5)[None, :, None], run.order.shape))
    assert len(np.unique(run.order.transpose(0, 2, 1).reshape(-1, 5), axis=0)) > 1
    for realisation, seed in enumerate(run.seeds):
        for epoch in range(EPOCHS):
            assert run.order[epoch, :, realisation].tolist() == naive.shuffle(seed, epoch, 5)
    unshuffled = training.run(configuration("mlp", learning={"shuffle": False}), REAL)
    assert np.array_equal(unshuffled.order, np.broadcast_to(np.arange(5)[None, :, None], run.order.shape))


def test_keyframes_are_the_states_at_their_epochs_ends():
    run = training.run(configuration("mlp", trace={"keyframe_samples": 15}), REAL)
    assert run.keyframes["epoch"].tolist() == [3, 4]
    shorter = training.run(configuration("mlp", learning={"epochs": 3}), REAL)
    for bank in run.banks:
        assert np.array_equal(run.keyframes[bank][0], shorter.final_state[bank])
        assert np.array_equal(run.keyframes[bank][1], run.final_state[bank])
    assert np.array_equal(run.total_error[:3], shorter.total_error)
    assert in_memory("mlp").keyframes["epoch"].tolist() == [1, 2, 3, 4]


def test_the_readers_names_lead_to_the_arrays():
    run = in_memory("mlp")
    assert set(run.final_state) == set(run.banks)
    assert len(run.initial_state) == 4
    with pytest.raises(KeyError, match="no 'nodes9'; there are synapses1, nodes1, synapses2, nodes2"):
        run.final_state["nodes9"]
    with pytest.raises(KeyError, match="nodes1: its trace was not stored; stored are: none"):
        run.kept("nodes1", "state")


def test_weights_and_energies_follow_from_states_and_counters():
    run = in_memory("mlp")
    synapse = run.config.devices.synapse
    half = 0.5 * (synapse.r_off - synapse.r_on)
    expected = run.final_state["synapses1"][:, 0] / half * run.config.network.weight_limit
    np.testing.assert_allclose(run.weights["synapses1"], expected, rtol=1e-12)
    np.testing.assert_allclose(run.weights["nodes2"], run.final_state["nodes2"][:, 0] / 5e-9, rtol=1e-12)
    single = in_memory("slp")
    assert np.array_equal(single.weights["memristor"], single.final_state["memristor"][0, :-1])
    counted = run.diagnostics("synapses1")["energy"]
    for phase in Phase:
        assert np.array_equal(run.energy["synapses1"][phase.name], counted[phase].sum(axis=0))


# The same bits again


@of_each_kind
def test_the_same_configuration_gives_the_same_bits(kind):
    assert everything(training.run(configuration(kind), REAL)) == everything(in_memory(kind))


@of_each_kind
def test_the_run_file_itself_gives_the_same_bits(kind, cli, tmp_path):
    with training.run(configuration(kind, trace={"mode": "full"}), REAL, out=tmp_path / "a.h5") as run:
        before, rows = everything(run, but=()), traced(run)
    result = cli("run", tmp_path / "a.h5", "--out", tmp_path / "b.h5", "--quiet")
    assert result.status == 0, result.err
    with memsim.open_run(tmp_path / "b.h5") as again:
        assert everything(again, but=()) == before
        assert_same_arrays(traced(again), rows)


def test_a_run_from_a_csv_file_runs_again_after_the_file_is_gone(cli, tmp_path):
    (tmp_path / "data.csv").write_text("a,b,t\n0,0.5,1\n1,-0.25,0\n0.125,1,0.5\n")
    (tmp_path / "run.toml").write_text(
        "[run]\nrealisations = 2\n[time]\npulse_steps = 3\n[learning]\nepochs = 2\n"
        '[data]\ncsv = "data.csv"\ninputs = ["a", "b"]\ntargets = ["t"]\n'
    )
    assert cli("run", tmp_path / "run.toml", "--out", tmp_path / "a.h5", "--quiet").status == 0
    (tmp_path / "data.csv").unlink()
    assert cli("run", tmp_path / "a.h5", "--out", tmp_path / "b.h5", "--quiet").status == 0
    with memsim.open_run(tmp_path / "a.h5") as one, memsim.open_run(tmp_path / "b.h5") as other:
        assert everything(one) == everything(other)


def test_a_run_file_with_another_gate_takes_that_gates_samples(tmp_path):
    config = Configuration(data={"gate": "or", "samples": 6}, learning={"epochs": 1}, time={"pulse_steps": 3})
    training.run(config, gate("or", 6), out=tmp_path / "a.h5").close()
    assert load_source(tmp_path / "a.h5")[1].targets.tolist() == gate("or", 6).targets.tolist()
    assert load_source(tmp_path / "a.h5", ["data.gate=nor"])[1].targets.tolist() == gate("nor", 6).targets.tolist()
    assert load_source(tmp_path / "a.h5", ["learning.epochs=9"])[0].learning.epochs == 9


def test_a_longer_run_begins_with_the_shorter_one():
    longer = training.run(configuration("mlp", learning={"epochs": 7}), REAL)
    assert np.array_equal(longer.total_error[:EPOCHS], in_memory("mlp").total_error)
    assert np.array_equal(longer.order[:EPOCHS], in_memory("mlp").order)


def test_a_realisation_does_not_depend_on_how_many_there_are():
    more = training.run(configuration("mlp", run={"realisations": 5}), REAL)
    assert np.array_equal(more.total_error[:, :REALISATIONS], in_memory("mlp").total_error)
    assert np.array_equal(more.final_state["synapses2"][..., :REALISATIONS], in_memory("mlp").final_state["synapses2"])


# The trace


@of_each_kind
def test_tracing_changes_no_bit_of_the_results(kind):
    assert everything(fully_traced(kind)) == everything(in_memory(kind))


@of_each_kind
def test_a_full_trace_holds_the_rows_of_the_naive_network(kind):
    run, assembly = fully_traced(kind), assemble(configuration(kind), REAL)
    for realisation in range(REALISATIONS):
        network = naive.Network(assembly, realisation)
        assert network.learn(run.order[:, :, realisation]) == run.total_error[:, realisation].tolist()
        for b, bank in enumerate(run.banks):
            states, currents, voltages = network.rows(b)
            rows = traced(run)
            assert np.array_equal(rows[f"{bank}/state"][..., realisation], states)
            assert np.array_equal(rows[f"{bank}/current"][..., realisation], currents)
            assert np.array_equal(rows[f"{bank}/voltage"][..., realisation], voltages)


@of_each_kind
def test_a_row_holds_the_steps_current_the_state_at_its_end_and_their_voltage(kind):
    run = fully_traced(kind)
    rows = EPOCHS * 5 * run.sample_steps
    for bank in run.banks:
        device = next(b.device for b in run.calibration if b.name == bank)
        state, current, voltage = (traced(run)[f"{bank}/{name}"] for name in QUANTITIES)
        assert len(state) == len(current) == len(voltage) == rows == run.trace(bank).rows
        assert np.array_equal(state[-1], run.final_state[bank])
        if device.model == "synapse":
            assert np.array_equal(voltage, state[:, :, 0] * current)
        elif device.model == "node":
            doped = 0.5 + state[:, :, 0] / device.thickness
            expected = (device.r_on * doped + device.r_off * (1.0 - doped)) * current
            np.testing.assert_allclose(voltage, expected, rtol=1e-12, atol=0.0)
        else:
            net = current / device.reference_current + state[:, :, -2]
            np.testing.assert_allclose(voltage, 1.0 / (1.0 + np.exp(-net)), rtol=1e-12)
        # The state at a step's end is one step of Euler from the state before it.
        if device.model in ("synapse", "node"):
            before = np.concatenate([run.initial_state[bank][None], state[:-1]])[:, :, 0]
            threshold = next(b.threshold for b in run.calibration if b.name == bank)
            rate = device.drift_coefficient * np.sign(current) * np.maximum(np.abs(current) - threshold, 0.0)
            moved = rate * run.dt * (kind != "lines" or current != 0.0)
            held = held_rows(run) if kind == "lines" else np.zeros(rows, dtype=bool)
            expected = before + np.where(held[:, None, None], 0.0, moved)
            assert np.abs(state[:, :, 0] - expected).max() <= 1e-12 * device.state_range


def held_rows(run):
    """Rows in which external control holds all states: the READs of the equivalent construction."""
    steps = run.sample_steps
    held = np.zeros(steps, dtype=bool)
    for slot in run.slots:
        if slot["phase"] == b"READ":
            held[slot["start"] : slot["start"] + slot["pulse_steps"]] = True
    return np.tile(held, EPOCHS * 5)


@of_each_kind
def test_counted_energy_is_the_sum_over_the_stored_rows(kind):
    run = fully_traced(kind)
    for bank in run.banks:
        power = run.window(bank, "voltage") * run.window(bank, "current") * run.dt
        counted = run.diagnostics(bank)["energy"].sum(axis=0)
        assert np.all(np.abs(counted - power.sum(axis=0)) <= 1e-12 * np.abs(power).sum(axis=0))


def test_window_gives_a_stretch_of_the_trace():
    run = fully_traced("mlp")
    rows = traced(run)
    assert np.array_equal(run.window("nodes1", "voltage"), rows["nodes1/voltage"])
    assert np.array_equal(run.window("nodes1", "voltage", 17, 40), rows["nodes1/voltage"][17:40])
    assert np.array_equal(run.window("nodes1", "state", 3, 9), rows["nodes1/state"][3:9, :, 0])
    part = run.window("synapses1", "current", 5, 300, stride=7, devices=[3, 0], realisations=[2, 1])
    assert np.array_equal(part, rows["synapses1/current"][5:300:7][:, [3, 0]][..., [2, 1]])
    assert run.window("nodes1", "state", 40, 40).shape == (0, 2, REALISATIONS)
    assert fully_traced("slp").window("memristor", "state", 0, 6).shape == (6, 1, 4, REALISATIONS)


def test_a_window_that_is_not_there_is_refused():
    run = fully_traced("mlp")
    with pytest.raises(KeyError, match="quantity: must be one of state, current, voltage"):
        run.window("nodes1", "power")
    with pytest.raises(KeyError, match="no bank 'nodes7'; there are synapses1, nodes1, "):
        run.window("nodes7", "state")
    with pytest.raises(InputError, match=f"must be 0 <= start <= stop <= {run.steps:,} steps"):
        run.window("nodes1", "state", 0, run.steps + 1)
    with pytest.raises(InputError, match="devices: must be from 0 to 1"):
        run.window("nodes1", "state", 0, 5, devices=[2])
    with pytest.raises(InputError, match="realisations: must be from 0 to 2"):
        run.window("nodes1", "state", 0, 5, realisations=[-1])


SELECTIONS = [
    {"banks": ("nodes1",)},
    {"banks": ("synapses1", "nodes2"), "stride": 7},
    {"devices": (0,), "stride": 3},
    {"banks": ("synapses1",), "devices": (3, 1), "realisations": (2, 0), "stride": 1000},
    {"realisations": (1,), "stride": 2},
    {"epochs": ((2, 3),)},
    {"samples": ((1, 3), (2, 4), (17, 900)), "stride": 5, "quantities": ("voltage", "state")},
    {"epochs": ((3, 4),), "samples": ((0, 1),), "banks": ("nodes1",), "realisations": (0, 2)},
]


@pytest.mark.parametrize("select", SELECTIONS)
def test_a_selection_is_the_same_part_of_the_full_trace(select):
    full = traced(fully_traced("mlp"))
    run = training.run(configuration("mlp", trace={"mode": "select"} | select), REAL)
    assert everything(run) == everything(in_memory("mlp"))
    assert set(run.traced) == set(select.get("banks") or run.banks)
    steps = selected_steps(run, select)
    for bank in run.traced:
        devices = sorted(select.get("devices") or range(run.bank(bank).devices))
        lanes = sorted(select.get("realisations") or range(REALISATIONS))
        kept = run.trace(bank)
        assert kept.selection.devices.tolist() == devices
        assert kept.selection.realisations.tolist() == lanes
        assert kept.selection.quantities == tuple(q for q in QUANTITIES if q in select.get("quantities", QUANTITIES))
        assert kept.rows == len(steps)
        for quantity in kept.selection.quantities:
            at, values = run.kept(bank, quantity)
            part = full[f"{bank}/{quantity}"][steps][:, devices][..., lanes]
            assert at.tolist() == steps
            assert np.array_equal(values, part[:, :, 0] if quantity == "state" else part)
            few, some = run.kept(bank, quantity, 10, 200)
            assert few.tolist() == [step for step in steps if 10 <= step < 200]
            assert np.array_equal(some, values[np.isin(steps, few)])


def selected_steps(run, select):
    """The steps that a selection keeps, one after the other."""
    sample, stride = run.sample_steps, select.get("stride", 1)
    spans = [(a * 5 * sample, b * 5 * sample) for a, b in select.get("epochs", ())]
    spans += [(a * sample, b * sample) for a, b in select.get("samples", ())]
    steps = range(EPOCHS * 5 * sample)
    return [n for n in steps if n % stride == 0 and (not spans or any(a <= n < b for a, b in spans))]


def test_a_selection_of_variables_keeps_these():
    full = traced(fully_traced("slp"))
    run = training.run(configuration("slp", trace={"mode": "select", "variables": ("bias", "weight1")}), REAL)
    assert run.trace("memristor").selection.variables.tolist() == [0, 2]
    assert np.array_equal(run.kept("memristor", "state")[1], full["memristor/state"][:, :, [0, 2]])


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ({"banks": ("nodes9",)}, "trace.banks: must be one of synapses1, nodes1"),
        ({"variables": ("mood",)}, "trace.variables: must be one of "),
        ({"realisations": (3,)}, "trace.realisations: must be from 0 to 2"),
        ({"devices": (2,)}, "trace.devices of nodes1: must be from 0 to 1"),
        ({"epochs": ((4, 5),)}, "trace.epochs: must begin below 4"),
        ({"samples": ((20, 21),)}, "trace.samples: must begin below 20"),
    ],
)
def test_a_selection_of_what_is_not_there_is_refused(select, message):
    with pytest.raises(InputError, match=message):
        training.run(configuration("mlp", trace={"mode": "select"} | select), REAL)


def test_compression_changes_no_value():
    packed = fully_traced("mlp")
    plain = training.run(configuration("mlp", trace={"mode": "full", "compression": "none"}), REAL)
    assert packed.file["traces/nodes1/state"].compression == "gzip"
    assert plain.file["traces/nodes1/state"].compression is None
    assert_same_arrays(traced(plain), traced(packed))


@pytest.mark.parametrize("realisations", [1, 5])
def test_threads_and_neighbours_change_no_row(realisations):
    alone = fully_traced("mlp")
    changes = {"run": {"realisations": realisations, "threads": 2}, "trace": {"mode": "full"}}
    run = training.run(configuration("mlp", **changes), REAL)
    both = min(realisations, REALISATIONS)
    for name, rows in traced(run).items():
        assert np.array_equal(rows[..., :both], traced(alone)[name][..., :both])


def test_chunks_of_any_size_give_the_same_rows(monkeypatch):
    monkeypatch.setattr("memsim.traces.templates._templates", {})
    monkeypatch.setattr("memsim.traces.chunks.CHUNK_ROWS", 8)
    monkeypatch.setattr("memsim.stepping.row_memory.ROW_BYTES", 1 << 14)
    run = training.run(configuration("mlp", trace={"mode": "full"}), REAL)
    assert run.file["traces/nodes1/state"].chunks[0] == 8
    assert_same_arrays(traced(run), traced(fully_traced("mlp")))


def test_a_wide_bank_is_split_into_chunks_of_few_channels():
    whole = np.arange(3)
    assert Selection(whole, whole, whole).stride == 1
    network = {"network": {"kind": "mlp", "layers": (2, 40, 1)}, "learning": {"epochs": 1}, "trace": {"mode": "full"}}
    run = training.run(configuration("mlp", **network, run={"realisations": 20}), REAL)
    state = run.file["traces/synapses1/state"]
    assert state.shape[1:] == (80, 1, 20)
    assert state.chunks[0] > 1
    assert np.array_equal(state[-1], run.final_state["synapses1"])
    assert list(run.stored.wrong_chunks("synapses1")) == []


def test_a_trace_can_be_read_with_plain_h5py(tmp_path):
    training.run(configuration("mlp", trace={"mode": "full"}), REAL, out=tmp_path / "run.h5").close()
    code = (
        "import sys, json, h5py\n"
        "with h5py.File(sys.argv[1]) as f:\n"
        "    t = f['traces/nodes2']\n"
        "    unit, dt = t['voltage'].attrs['units'].decode(), t['time'].attrs['scale_factor']\n"
        "    print(json.dumps([t['voltage'][5:40].tolist(), unit, dt]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run.h5")], capture_output=True, text=True, check=True
    )
    values, unit, dt = json.loads(done.stdout)
    assert np.array_equal(values, fully_traced("mlp").window("nodes2", "voltage", 5, 40))
    assert (unit, dt) == ("V", 2.5e-4)


MEMORY = """
import gc, pathlib, sys, threading, time
import psutil
from memsim.runs import training; from memsim.stepping import row_memory
from memsim.configuration import Configuration
from memsim.datasets import balanced_gate

row_memory.ROW_BYTES = 1 << 20  # buffers that even the shorter run fills
process, peak, done = psutil.Process(), [0], threading.Event()

def watch():
    while not done.is_set():
        peak[0] = max(peak[0], process.memory_info().rss)
        time.sleep(0.005)

def traced(epochs):
    config = Configuration(
        run={"realisations": 4, "threads": 1}, time={"pulse_steps": 10}, learning={"epochs": epochs},
        data={"arrays": "xor"}, trace={"mode": "full", "compression": "none"},
    )
    out = pathlib.Path(sys.argv[1])
    peak[0] = 0
    training.run(config, balanced_gate("xor", 20), out=out).close()
    found = peak[0], out.stat().st_size
    out.unlink()
    gc.collect()
    return found

thread = threading.Thread(target=watch)
thread.start()
traced(30)
print(*traced(30), *traced(120))
done.set()
thread.join()
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_a_traces_length(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1]), "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "run.h5")],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shorter, shorter_file, longer, longer_file = map(int, done.stdout.split())
    assert longer_file - shorter_file > 150 << 20
    # Caches of HDF5 may fill up on the way.
    assert longer - shorter < 32 << 20


# Broken and foreign files; tests/traces/test_hostile_files.py has more of them


@pytest.fixture(scope="module")
def stored_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "run.h5"
    training.run(configuration("mlp", learning={"epochs": 1}), REAL, out=path).close()
    return path.read_bytes()


@pytest.fixture
def stored(stored_bytes, tmp_path):
    """A run file, which may be spoilt."""
    path = tmp_path / "run.h5"
    path.write_bytes(stored_bytes)
    return path


def assert_refused(path, message, cli):
    with pytest.raises(RunFileError, match=message) as error, memsim.open_run(path) as run:
        run.config, run.total_error  # noqa: B018
    assert "\n" not in str(error.value)
    shown = cli("trace", "info", path)
    assert shown.status in (1, 2)
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("memsim: error: ")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(stored, cli, share):
    whole = stored.read_bytes()
    stored.write_bytes(whole[: int(share * len(whole))])
    sizes = f"{share * len(whole) / 1e3:.1f} of {len(whole) / 1e3:.1f} kB"
    assert_refused(stored, f"is cut off: {sizes} are there; copy it again" if share else "is no HDF5 file", cli)


def test_a_file_without_the_signature_is_refused(stored, cli):
    stored.write_bytes(b"\x00" + stored.read_bytes()[1:])
    assert_refused(stored, "is no HDF5 file, or a broken one", cli)


def test_a_text_file_is_refused(tmp_path, cli):
    (tmp_path / "run.h5").write_text("[run]\n")
    assert_refused(tmp_path / "run.h5", "is no HDF5 file, or a broken one", cli)


def test_a_drives_trace_is_no_run_file(tmp_path, cli):
    waveform = memsim.waveforms.Sinusoid(amplitude=1e-4, frequency=1.0)
    memsim.drive(memsim.Node(), waveform, dt=1e-2, duration=0.1, out=tmp_path / "run.h5").close()
    assert_refused(tmp_path / "run.h5", "is a file of memsim drive; 'memsim drive .*' draws it", cli)


@pytest.mark.parametrize(
    "name",
    [
        "configuration", "seeds", "dataset/inputs", "slots/phase", "metrics/total_error", "metrics/order",
        "keyframes/sample", "banks/nodes1/initial_state", "keyframes/nodes1/state", "committed/rows",
    ],
)  # fmt: skip
def test_a_file_that_lacks_something_is_refused_by_name(stored, cli, name):
    with h5py.File(stored, "r+") as file:
        del file[name]
    assert_refused(stored, f"is a broken run file: it has no {name}", cli)


@pytest.mark.parametrize("name", ["dt", "sample_steps"])
def test_a_file_that_lacks_an_attribute_is_refused_by_name(stored, cli, name):
    with h5py.File(stored, "r+") as file:
        del file.attrs[name]
    assert_refused(stored, f"is a broken run file: it has no {name}", cli)


def test_an_existing_file_is_not_replaced_by_accident(stored):
    before = stored.read_bytes()
    with pytest.raises(memsim.errors.InputError, match="exists; name another file"):
        training.run(configuration("mlp"), REAL, out=stored)
    assert stored.read_bytes() == before


def test_evaluating_a_run_gives_the_outputs_that_it_learned_with():
    """READs of a trained network's samples give the same total error as the epoch that nothing changed in."""
    data = balanced_gate("or", 8)
    sections = {"learning": {"epochs": 2, "rate": 1e-300, "shuffle": False}, "time": {"pulse_steps": 3}}
    for kind in KINDS.values():
        run = training.run(Configuration(**kind, **sections, run={"realisations": 2}), data)
        outputs = memsim.evaluate(run, data.inputs).outputs
        errors = 0.5 * ((data.targets[:, :, None] - outputs) ** 2).sum(axis=(0, 1))
        np.testing.assert_allclose(errors, run.total_error[-1], rtol=1e-9)
        at_keyframe = memsim.evaluate(run, data.inputs, keyframe=-1)
        assert np.array_equal(at_keyframe.outputs, outputs)
        assert at_keyframe.energy != 0.0


@pytest.mark.parametrize("columns", [1, 3])
def test_a_prediction_refuses_inputs_of_another_width(columns):
    with memsim.train(memsim.MultilayerPerceptron([2, 2, 1]), memsim.datasets.gate("or"), epochs=1) as run:
        with pytest.raises(InputError, match=f"inputs: must have 2 columns.*got {columns}"):
            memsim.evaluate(run, np.zeros((4, columns)))
        with pytest.raises(InputError, match="keyframe: must be below 1"):
            memsim.evaluate(run, np.zeros((4, 2)), keyframe=1)


def test_a_run_that_cannot_begin_keeps_the_file_that_it_was_to_replace(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    network, data = memsim.MultilayerPerceptron([2, 2, 1]), memsim.datasets.gate("or")
    memsim.train(network, data, epochs=1, out=path).close()
    before = path.read_bytes()

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("memsim.runs.training.Engine", fail)
    with pytest.raises(MemoryError):
        memsim.train(network, data, epochs=1, out=path, overwrite=True)
    assert path.read_bytes() == before
