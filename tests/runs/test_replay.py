"""A replay gives the bits that a full trace would have held, and says where it does not."""

import functools
import itertools

import h5py
import naive
import numpy as np
import pytest
import short_runs
from hypothesis import given, settings
from hypothesis import strategies as st
from short_runs import REAL, REALISATIONS, of_each_kind

import memsim
from memsim.analysis.verification import verify
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.errors import InputError, ReplayError
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.recording import keyframe_interval
from memsim.stepping.engine import Engine
from memsim.traces.overview import LEVELS
from memsim.traces.rows import Selection
from memsim.traces.run_file import keyframe_checksum
from memsim.traces.schema import QUANTITIES

EPOCHS = 6


def configuration(kind="mlp", **sections):
    """A run in which a node's state carries a change of one bit on, which RESTORE often takes away."""
    own = {"run": {"seed": 11}, "learning": {"epochs": EPOCHS}}
    return short_runs.configuration(kind, **own | {name: own.get(name, {}) | sections[name] for name in sections})


@functools.cache
def traced(kind):
    return training.run(configuration(kind, trace={"mode": "full"}), REAL)


@functools.cache
def keyframed(kind, every=4):
    return training.run(configuration(kind, trace={"keyframe_samples": every}), REAL)


def same(one, other):
    return all(np.array_equal(naive.bits(getattr(one, q)), naive.bits(getattr(other, q))) for q in QUANTITIES)


@of_each_kind
@settings(max_examples=25)
@given(data=st.data())
def test_any_window_has_the_bits_of_the_full_trace(kind, data):
    run, full = keyframed(kind), traced(kind)
    assert run.traced == ()
    start = data.draw(st.integers(0, run.steps))
    stop = data.draw(st.integers(start, run.steps))
    lanes = data.draw(st.lists(st.integers(0, REALISATIONS - 1), min_size=1, unique=True))
    found, wanted = (r.stretch(start, stop, realisations=lanes) for r in (run, full))
    assert found.keys() == wanted.keys() == set(run.banks)
    assert all(same(found[bank], wanted[bank]) for bank in run.banks)


def test_a_replay_has_the_rows_of_the_naive_network():
    run, assembly = keyframed("mlp"), assemble(configuration("mlp"), REAL)
    network = naive.Network(assembly, 1)
    network.learn(run.order[:, :, 1])
    for b, bank in enumerate(run.banks):
        states, currents, voltages = network.rows(b)
        rows = run.stretch(0, run.steps, [bank], realisations=[1])[bank]
        assert np.array_equal(rows.state[..., 0], states)
        assert np.array_equal(rows.current[..., 0], currents)
        assert np.array_equal(rows.voltage[..., 0], voltages)


@pytest.mark.parametrize("every", [1, 2, 7, 30, 1000])
def test_keyframes_come_every_so_many_samples_and_at_the_end(every):
    run = keyframed("mlp", every)
    expected = [n for n in range(every, 5 * EPOCHS + 1, every)]
    expected += [] if expected[-1:] == [5 * EPOCHS] else [5 * EPOCHS]
    assert run.keyframes["sample"].tolist() == expected
    assert run.keyframes["epoch"].tolist() == [n // 5 for n in expected]
    for bank in run.banks:
        ends = np.array(expected) * run.sample_steps - 1
        rows = traced("mlp").stretch(0, run.steps, [bank])[bank]
        assert np.array_equal(run.keyframes[bank], rows.state[ends])
    assert np.array_equal(run.total_error, traced("mlp").total_error)


def test_the_interval_that_nobody_chose_divides_an_epoch_or_is_whole_epochs():
    data = memsim.datasets.gate("xor", 100)
    for realisations, epochs, every in ((1, 1000, 100), (100, 1000, 100), (1000, 5000, 1700)):
        config = Configuration(
            run={"realisations": realisations}, learning={"epochs": epochs}, data={"gate": "xor"}
        )  # fmt: skip
        assembly = assemble(config, data)
        assert keyframe_interval(assembly) == every
    many = memsim.datasets.gate("xor", 3000)
    for realisations, epochs, every in ((1, 2, 100), (1000, 20, 250), (1000, 1000, 12_000)):
        config = Configuration(
            run={"realisations": realisations}, learning={"epochs": epochs}, data={"gate": "xor", "samples": 3000}
        )  # fmt: skip
        assert keyframe_interval(assemble(config, many)) == every


def test_a_window_that_is_partly_stored_is_the_same():
    select = {"mode": "select", "epochs": ((1, 3),), "keyframe_samples": 5}
    run, full = training.run(configuration(trace=select), REAL), traced("mlp")
    sample = run.sample_steps
    assert run.holds("nodes1", 5 * sample, 15 * sample, [0, 1, 2])
    assert not run.holds("nodes1", 5 * sample - 1, 15 * sample, [0, 1, 2])
    for start, stop in ((5 * sample, 15 * sample), (4 * sample, 9 * sample), (14 * sample + 3, 16 * sample)):
        found = run.stretch(start, stop)
        assert all(same(found[bank], full.stretch(start, stop)[bank]) for bank in run.banks)


def test_replays_of_many_realisations_by_any_threads(monkeypatch):
    config = {"run": {"realisations": 9}}
    full = training.run(configuration(trace={"mode": "full"}, **config), REAL)
    run = training.run(configuration(**config), REAL)
    for processors in (1, 2, 5):
        monkeypatch.setattr("os.cpu_count", lambda count=processors: count)
        found = run.stretch(100, 700, ["nodes1"])["nodes1"]
        assert same(found, full.stretch(100, 700, ["nodes1"])["nodes1"])


def test_stretches_are_bounded_and_follow_each_other():
    run = keyframed("mlp")
    for source in (run, traced("mlp")):
        pieces = list(source.stretches(7, 700, ["synapses1"], steps=50))
        assert all(len(rows["synapses1"].current) <= 50 for _, rows in pieces)
        ends = [first + len(rows["synapses1"].current) for first, rows in pieces]
        assert [first for first, _ in pieces] == [7, *ends[:-1]]
        assert ends[-1] == 700
        joined = np.concatenate([rows["synapses1"].voltage for _, rows in pieces])
        assert np.array_equal(joined, traced("mlp").window("synapses1", "voltage", 7, 700))


def test_a_bias_that_the_controller_remembers_is_part_of_a_keyframe():
    """Where an input is 0 the bias weight stays as last known; Eq. 18 as printed then writes from it."""
    zeros = Dataset(np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([[1.0], [0.0]]), "with zeros")
    config = configuration(
        learning={"epochs": 8, "bias_rule": "printed", "rate": 2.0}, data={"arrays": zeros.name},
        trace={"keyframe_samples": 1},
    )  # fmt: skip
    run = training.run(config, zeros)
    full = training.run(config.model_copy(update={"trace": config.trace.model_copy(update={"mode": "full"})}), zeros)
    for sample in range(16):
        start = sample * run.sample_steps
        found = run.stretch(start, start + run.sample_steps)
        assert all(same(found[bank], full.stretch(start, start + run.sample_steps)[bank]) for bank in run.banks)
    assert np.abs(run.diagnostics("nodes1")["shortened"]).sum() > 0


# The overview


@pytest.fixture(scope="module")
def long_run():
    """A full trace of more rows than a block of the overview's second level."""
    config = configuration("slp", learning={"epochs": 800}, run={"realisations": 2}, trace={"mode": "full"})
    return training.run(config, REAL)


def test_the_overview_holds_the_extremes_of_its_rows(long_run):
    run = long_run
    rows = run.stretch(0, run.steps)["memristor"]
    assert run.steps > LEVELS[1]
    for level, size in enumerate(LEVELS):
        count = run.stored.overview_entries("memristor", level)
        assert count == -(-run.steps // size)
        for quantity in QUANTITIES:
            entries = run.stored.overview("memristor", quantity, level, 0, count)
            values = getattr(rows, quantity)
            edges = np.arange(0, run.steps, size)
            assert np.array_equal(entries[:, 0], np.minimum.reduceat(values, edges))
            assert np.array_equal(entries[:, 1], np.maximum.reduceat(values, edges))
        times = run.file[f"overview/memristor/{size}/time"]
        assert times[:].tolist() == edges.tolist()
        assert times.attrs["scale_factor"] == run.dt


def test_an_envelope_is_the_same_from_the_overview_as_from_rows(long_run):
    run = long_run
    for start, stop, points in ((0, run.steps, 40), (2560, 70000, 100), (0, 65536, 1), (3, 5000, 700), (100, 130, 9)):
        envelope = run.envelope("memristor", "voltage", start, stop, points)
        assert len(envelope.steps) <= points
        values = run.window("memristor", "voltage", 0, run.steps)
        edges = [*envelope.steps.tolist(), stop]
        for k, (first, last) in enumerate(itertools.pairwise(edges)):
            part = values[first:last]
            whole = values[first // 256 * 256 : -(-last // 256) * 256]
            assert (envelope.minimum[k] <= part.min(axis=0)).all()
            assert (envelope.maximum[k] >= part.max(axis=0)).all()
            assert (envelope.minimum[k] >= whole.min(axis=0)).all()
            assert (envelope.maximum[k] <= whole.max(axis=0)).all()


def test_an_envelope_of_a_run_without_a_trace_is_that_of_its_rows():
    run, values = keyframed("mlp"), traced("mlp").stretch(0, keyframed("mlp").steps)
    envelope = run.envelope("synapses1", "state", 10, 500, 13)
    edges = [*envelope.steps.tolist(), 500]
    for k, (first, last) in enumerate(itertools.pairwise(edges)):
        assert np.array_equal(envelope.minimum[k], values["synapses1"].state[first:last].min(axis=0))
        assert np.array_equal(envelope.maximum[k], values["synapses1"].state[first:last].max(axis=0))
    nothing = run.envelope("synapses1", "state", 10, 10, 13)
    assert nothing.steps.shape == (0,)
    assert nothing.minimum.shape == nothing.maximum.shape == (0, *envelope.minimum.shape[1:])


# What is selected


@given(
    stride=st.integers(1, 7),
    windows=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=4),
    start=st.integers(0, 150),
    length=st.integers(0, 120),
)
def test_rows_and_steps_of_a_selection_are_each_others_reverse(stride, windows, start, length):
    spans, at = [], 0
    for gap, size in windows:
        spans.append((at + gap, at + gap + size))
        at += gap + size + 1
    whole = np.arange(1)
    chosen = Selection(whole, whole, whole, stride=stride, windows=tuple(spans))
    steps = [n for n in range(400) if n % stride == 0 and (not spans or any(a <= n < b for a, b in spans))]
    stop = start + length
    assert chosen.steps(start, stop).tolist() == [n for n in steps if start <= n < stop]
    assert chosen.row_of(start) == sum(n < start for n in steps)
    for row, step in enumerate(steps[:20]):
        assert chosen.step_of(row) == step


# A replay that differs


def tampered(tmp_path, change, kind="mlp"):
    """A run file with a change to one of its keyframes."""
    path = tmp_path / "run.h5"
    training.run(configuration(kind, trace={"keyframe_samples": 5}), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def nudge(file):
    """One bit in a keyframe, whose checksum is right: as another machine would have made it."""
    states = file["keyframes/nodes1/state"]
    states[2, 1, 0, 2] = np.nextafter(states[2, 1, 0, 2], 1.0)
    banks = [file[f"keyframes/{bank}/state"][2] for bank in ("synapses1", "nodes1", "synapses2", "nodes2")]
    file["keyframes/crc32"][2] = keyframe_checksum(banks, file["keyframes/bias_weight"][2])


def damage(file):
    """The same without the checksum."""
    states = file["keyframes/nodes1/state"]
    states[2, 1, 0, 2] = np.nextafter(states[2, 1, 0, 2], 1.0)


def test_a_replay_that_differs_in_one_bit_names_the_bank_and_the_difference(tmp_path):
    with memsim.open_run(tampered(tmp_path, nudge)) as run:
        sample = run.sample_steps
        with pytest.raises(ReplayError, match=r"after 15 samples: nodes1 by up to .* m, .* \(device 1, boundary\)"):
            run.window("nodes2", "voltage", 11 * sample, 12 * sample)
        # Elsewhere the run replays, and from the changed keyframe on to the next one it does not.
        run.window("nodes2", "voltage", 3 * sample, 10 * sample)
        with pytest.raises(ReplayError, match="after 20 samples"):
            run.window("nodes2", "voltage", 15 * sample, 16 * sample)


def test_verification_finds_a_keyframe_of_another_machine(tmp_path):
    with memsim.open_run(tampered(tmp_path, nudge)) as run:
        found = {finding.what: finding.wrong for finding in verify(run)}
    wrong = [what for what, lines in found.items() if lines]
    assert wrong == ["replay of samples 10 to 14", "replay of samples 15 to 19"]


def test_verification_finds_a_keyframe_that_was_damaged(tmp_path):
    with memsim.open_run(tampered(tmp_path, damage)) as run:
        found = {finding.what: finding.wrong for finding in verify(run)}
    assert len(found["checksums of 6 keyframes"]) == 1
    assert "keyframe 2 has the checksum" in found["checksums of 6 keyframes"][0]
    assert found["counters"] == ()
    wrong = [what for what, lines in found.items() if lines and what.startswith("replay")]
    assert wrong == ["replay of samples 10 to 14", "replay of samples 15 to 19"]


def test_verification_finds_nothing_in_a_file_that_is_right(tmp_path):
    for mode in ("full", "keyframes"):
        with training.run(configuration(trace={"mode": mode}), REAL, out=tmp_path / f"{mode}.h5") as run:
            assert [finding for finding in verify(run) if finding.wrong] == []


def test_verification_finds_rows_order_and_counters_that_were_changed(tmp_path):
    path = tmp_path / "run.h5"
    training.run(configuration(trace={"mode": "full", "compression": "none"}), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        file["traces/nodes1/voltage"][17, 0, 1] += 1.0
        order = file["metrics/order"][2]
        file["metrics/order"][2] = order[::-1]
    with memsim.open_run(path) as run:
        found = {finding.what: finding.wrong for finding in verify(run)}
    assert any("metrics/order is not what the seeds give" in line for line in found["counters"])
    (chunk,) = [lines for what, lines in found.items() if what.startswith("chunks of nodes1")]
    assert chunk[0].startswith("traces/nodes1/voltage: the chunk at row 0 has the checksum")
    replayed = [line for what, lines in found.items() if what.startswith("replay") for line in lines]
    assert any("traces/nodes1/voltage differs from the replay of steps" in line for line in replayed)


def test_a_run_longer_than_its_memory_goes_on_from_where_it_was():
    """The engine's checkpoint, put into a new engine, goes on with the same bits."""
    assembly = assemble(configuration(), REAL)
    one = Engine(assembly, threads=2, epochs=EPOCHS)
    while one.clock.sample < 13:
        one.advance(13 * one.clock.slots_a_sample)
    names = ("energy", "complete_energy", "epoch_energy", "highest", "bound", "shortened")
    at = one.checkpoint(names)
    other = Engine(assembly, threads=1, epochs=EPOCHS, recorded=(1,), recorded_realisations=[1])
    other.restore(at)
    for engine in (one, other):
        while not engine.clock.is_over:
            engine.advance(engine.clock.slots)
        engine.close()
    for bank in range(4):
        assert np.array_equal(one.blocks.states()[bank], other.blocks.states()[bank])
        for name in names:
            assert np.array_equal(one.blocks.counter(name, bank), other.blocks.counter(name, bank))
    assert np.array_equal(np.concatenate([one.take_errors()])[-1], other.take_errors()[-1])


def test_steps_beyond_the_run_are_refused():
    run = keyframed("mlp")
    for call in (run.stretch, run.stretches):
        with pytest.raises(InputError, match="start, stop: must be 0 <= start <= stop <= "):
            call(0, run.steps + 1)
