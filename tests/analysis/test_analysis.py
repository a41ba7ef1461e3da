"""Analysis of runs: closed forms, the naive network, and counts of the run's own."""

import functools
import itertools
from types import SimpleNamespace

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from short_runs import EPOCHS, REAL, REALISATIONS, configuration, overdriven

from memsim import analysis
from memsim.analysis.stored_states import stored_states
from memsim.errors import InputError
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.run import Run
from memsim.traces.reader import BankInfo, BankRows

KINDS = ("mlp", "slp", "lines")
of_each_kind = pytest.mark.parametrize("kind", KINDS)


@functools.cache
def traced(kind):
    return training.run(configuration(kind, trace={"mode": "full"}), REAL)


# Hysteresis


def theta(turns=1, points=4000):
    return np.linspace(0.0, 2.0 * np.pi * turns, points * turns + 1)


@given(st.floats(-1e4, 1e4), st.lists(st.floats(-1e-2, 1e-2), min_size=1, max_size=30))
def test_a_resistor_has_no_area(resistance, currents):
    current = np.array(currents)
    scale = abs(resistance) * np.abs(current).max() ** 2
    for lobe in analysis.lobes(resistance * current, current):
        assert abs(lobe.area) <= 1e-12 * scale


def test_the_halves_of_an_ellipse_add_up_to_its_area():
    t = theta()
    # From the right, where the current is 0, against the clock.
    upper, lower = analysis.lobes(3.0 * np.cos(t), 2e-3 * np.sin(t))
    assert (upper.direction, lower.direction) == (1, -1)
    assert upper.area + lower.area == pytest.approx(np.pi * 3.0 * 2e-3, rel=1e-5)
    assert upper.area == pytest.approx(0.5 * np.pi * 3.0 * 2e-3, rel=1e-3)


@pytest.mark.parametrize("frequency", [1.0, 7.0])
def test_the_lobes_of_a_memristor_have_the_area_of_their_closed_form(frequency):
    """V = (R + a q) i sin(w t), q = i (1 - cos(w t)) / w: each lobe is the integral of a q I dI, -+2 a i^3 / (3 w)."""
    resistance, slope, amplitude, turns = 4e3, -2e5, 1e-3, 3
    t = theta(turns)
    current, charge = amplitude * np.sin(t), amplitude * (1.0 - np.cos(t)) / frequency
    found = analysis.lobes((resistance + slope * charge) * current, current)
    whole = [lobe for lobe in found if lobe.stop - lobe.start > 2]
    assert [lobe.direction for lobe in whole] == [1, -1] * turns
    area = -2.0 * slope * amplitude**3 / (3.0 * frequency)
    for lobe in whole:
        assert lobe.area == pytest.approx(lobe.direction * area, rel=1e-4)


def test_a_pulse_is_a_triangle_from_where_nothing_flows():
    """A constant current moves the voltage from one value to another: minus half the change times the current."""
    current = np.array([0.0, 2e-3, 2e-3, 2e-3, 0.0, 0.0, -1e-3, -1e-3, 0.0])
    voltage = np.array([0.0, 4.0, 5.0, 6.0, 0.0, 0.0, -3.0, -2.5, 0.0])
    first, second = analysis.lobes(voltage, current)
    assert first == (1, 4, 1, pytest.approx(-0.5 * (6.0 - 4.0) * 2e-3))
    assert second == (6, 8, -1, pytest.approx(-0.5 * (-2.5 + 3.0) * -1e-3))


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=12), st.floats(-3, 3))
def test_an_area_does_not_move_with_the_loop_and_changes_sign_with_its_direction(points, shift):
    voltage, current = np.array(points).T
    area = analysis.enclosed_area(voltage, current)
    assert analysis.enclosed_area(voltage + shift, current - shift) == pytest.approx(area, abs=1e-9)
    assert analysis.enclosed_area(voltage[::-1], current[::-1]) == pytest.approx(-area, abs=1e-9)


def test_the_loop_of_a_run_is_that_of_its_rows():
    run = traced("mlp")
    loop = analysis.device_loop(run, "nodes1", 1, 2, 7, 300)
    rows = run.stretch(7, 300, ["nodes1"])["nodes1"]
    assert loop.start == 7
    assert np.array_equal(loop.voltage, rows.voltage[:, 1, 2])
    assert np.array_equal(loop.current, rows.current[:, 1, 2])
    assert loop.area == sum(lobe.area for lobe in loop.lobes)
    # A node moves while it conducts, so its loops have areas; a held line is a resistor.
    assert max(abs(lobe.area) for lobe in loop.lobes) > 1e-9 * np.abs(loop.voltage * loop.current).max()
    steps = run.sample_steps
    (slot,) = [slot for slot in run.slots if (slot["phase"], slot["bank"]) == (b"READ", 0)]
    begin = 3 * steps + int(slot["start"])
    read = analysis.device_loop(run, "synapses1", 0, 0, begin, begin + int(slot["pulse_steps"]))
    assert [lobe.area for lobe in read.lobes] == [0.0]


def test_a_plot_of_a_loop_names_its_largest_lobes():
    loop = analysis.device_loop(traced("mlp"), "nodes1", 0, 0, 0, 200)
    figure = analysis.plot_device_loop(loop)
    (place,) = figure.axes
    assert place.get_xlabel().startswith("voltage (")
    assert place.get_ylabel() == "current (mA)" or place.get_ylabel() == "current (µA)"
    largest = max((lobe for lobe in loop.lobes if lobe.direction == 1), key=lambda lobe: abs(lobe.area))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0].startswith(f"steps {largest.start} to {largest.stop}: lobe area ")
    assert place.get_title() == "nodes1, device 0, realisation 0"


def test_a_negative_area_has_a_minus_sign():
    lobe = analysis.Lobe(0, 4, -1, -2.5e-6)
    loop = analysis.DeviceLoop("nodes2", 4, 1, 100, np.arange(4.0), -np.ones(4), (lobe,))
    (place,) = (figure := analysis.plot_device_loop(loop)).axes
    assert place.get_title() == "nodes2, device 4, realisation 1"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "steps 100 to 104: lobe area \N{MINUS SIGN}2.5 µW"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nodes7", 0), "banks: must be among synapses1"),
        (("nodes1", 9), "devices of nodes1: must be from 0 to 1"),
        (("nodes1", 0, 3), "realisations: must be from 0 to 2"),
        (("nodes1", 0, 0, 9, 9), r"start, stop: must be 0 <= start < stop <= [\d,]+ steps \(got 9, 9\)"),
    ],
)
def test_refused_loops(arguments, message):
    with pytest.raises(InputError, match=message):
        analysis.device_loop(traced("mlp"), *arguments)


# Switching


def run_of(states, cut=4):
    """A run of one device with one variable from 0 to 10, whose rows come in stretches of ``cut`` steps."""
    rows = np.array(states, dtype=float)[:, None, None, None]

    def stretch(start, stop, banks=None, *, realisations=None):
        return {"bank": BankRows(rows[1 + start : 1 + stop], rows[1 + start : 1 + stop, :, 0], rows[1:, :, 0])}

    def stretches(start, stop, banks, *, realisations=None, steps=0):
        return ((k, stretch(k, min(stop, k + cut))) for k in range(start, stop, cut))

    slots = np.array(
        [(b"READ", 0, 1, 2, 0), (b"WRITE", 2, 1, 1, 0)],
        dtype=[("phase", "S8"), ("start", "i8"), ("pulses", "i4"), ("pulse_steps", "i4"), ("gap_steps", "i4")],
    )
    run = SimpleNamespace(
        steps=len(states) - 1, banks=("bank",), realisations=1, initial_state={"bank": rows[0]}, slots=slots,
        bank={"bank": BankInfo("bank", "synapse", 1, (("x", "1", 0.0, 10.0),))}.get, dt=0.5, sample_steps=4, samples=2,
        stretch=stretch, stretches=stretches,
    )  # fmt: skip
    run.checked_steps = functools.partial(Run.checked_steps, run)
    return run


def test_events_say_when_where_and_which_way():
    # States before step 0, then at the end of steps 0, 1, ...
    run = run_of([2, 3, 6, 7, 5, 5.05, 4, 4, 4, 9, 9])
    events = analysis.switching_events(run, "bank", threshold=0.5, hysteresis=0.02)
    assert events["step"].tolist() == [1, 5, 8]
    assert events["direction"].tolist() == [1, -1, 1]
    assert events["time"].tolist() == [0.5, 2.5, 4.0]
    assert events["phase"].tolist() == ["READ", "READ", "READ"]
    assert events["epoch"].tolist() == [0, 0, 1]
    assert events["sample"].tolist() == [0, 1, 0]
    assert analysis.switching_events(run, "bank", start=2, stop=8)["step"].tolist() == [5]
    assert analysis.switching_events(run_of([2, 2, 2, 8]), "bank")["phase"].tolist() == ["WRITE"]
    assert analysis.switching_events(run_of([2, 2, 2, 2, 8]), "bank")["phase"].tolist() == ["IDLE"]


def test_a_band_swallows_a_state_that_trembles():
    trembling = [4, *[5.4, 4.6] * 10, 6]
    assert len(analysis.switching_events(run_of(trembling), "bank", hysteresis=0.0)) == 21
    assert analysis.switching_events(run_of(trembling), "bank", hysteresis=0.1)["step"].tolist() == [20]
    # One that begins within the band has no side yet.
    assert len(analysis.switching_events(run_of([5, 6, 7]), "bank", hysteresis=0.1)) == 0


@given(
    states=st.lists(st.floats(0, 10), min_size=2, max_size=40),
    band=st.sampled_from([0.0, 0.05, 0.4]),
    cut=st.integers(1, 9),
)
def test_events_are_those_of_a_trigger_that_is_stepped(states, band, cut):
    side, expected = 0, []
    for step, state in enumerate(states, start=-1):
        new = 1 if state >= 10 * (0.5 + band / 2) else -1 if state <= 10 * (0.5 - band / 2) else side
        if side * new < 0:
            expected.append((step, new))
        side = new
    events = analysis.switching_events(run_of(states, cut), "bank", hysteresis=band)
    assert list(zip(events["step"].tolist(), events["direction"].tolist(), strict=True)) == expected


@of_each_kind
def test_events_of_a_run_are_those_of_the_naive_network(kind):
    run, assembly = traced(kind), assemble(configuration(kind), REAL)
    bank = {"mlp": "nodes1", "slp": "memristor", "lines": "lines"}[kind]
    number = run.banks.index(bank)
    network = naive.Network(assembly, 1)
    network.learn(run.order[:, :, 1])
    states, _, _ = network.rows(number)  # (rows, devices, variables)
    expected, threshold = [], 0.5 + 1e-3
    for v, (_, _, lower, upper) in enumerate(run.bank(bank).variables):
        for device in range(states.shape[1]) if upper < 1e300 else ():
            before = run.initial_state[bank][device, v, 1]
            path = (np.append(before, states[:, device, v]) - lower) / (upper - lower) >= threshold
            expected += [(int(step), device, v, 1 if path[step + 1] else -1) for step in np.flatnonzero(np.diff(path))]
    events = analysis.switching_events(run, bank, threshold=threshold, hysteresis=0.0, realisations=[1])
    assert sorted(events[["step", "device", "variable", "direction"]].tolist()) == sorted(expected)
    assert set(events["realisation"].tolist()) <= {1}
    assert kind != "mlp" or len(expected) > 10


@pytest.mark.parametrize(
    "settings", [{"threshold": 0.0}, {"threshold": 0.99, "hysteresis": 0.02}, {"hysteresis": -0.1}]
)
def test_refused_levels(settings):
    with pytest.raises(InputError, match="the band must lie between 0 and 1"):
        analysis.switching_events(traced("mlp"), "nodes1", **settings)


# Change of states


@of_each_kind
def test_the_change_is_that_between_the_ends_of_epochs(kind):
    run = traced(kind)
    epoch = run.samples * run.sample_steps
    for bank in run.banks:
        ends = run.stretch(0, run.steps, [bank])[bank].state[epoch - 1 :: epoch]
        states = np.concatenate([run.initial_state[bank][None], ends])
        change = analysis.change_per_epoch(run, bank)
        covered = change.end.astype(int), change.begin.astype(int)
        lengths = (change.end - change.begin)[:, None, None, None]
        np.testing.assert_allclose(
            change.net * lengths, states[covered[0]] - states[covered[1]], rtol=1e-12, atol=1e-24
        )
        # The spans follow each other from the run's start to its end.
        assert change.begin.tolist() == [0.0, *change.end[:-1]]
        assert change.end[-1] == EPOCHS
        total = run.final_state[bank] - run.initial_state[bank]
        np.testing.assert_allclose((change.net * lengths).sum(axis=0), total, rtol=1e-9, atol=1e-24)
        assert np.all(change.total_variation >= np.abs(total) * (1 - 1e-12))


def stored_run(epochs, states, end=None):
    """A run of one device that keeps these states at these epochs, in keyframes by the sample."""
    states = np.array(states, dtype=float)[:, None, None, None]
    return SimpleNamespace(
        banks=("bank",), samples=4, sample_steps=10, finished=end is not None, steps=int(epochs[-1] * 40),
        keyframes={"sample": (np.array(epochs[1:]) * 4).astype(np.int64), "bank": states[1:]},
        initial_state={"bank": states[0]}, final_state={"bank": states[-1]},
    )  # fmt: skip


def test_keyframes_within_an_epoch_add_to_the_variation_and_not_to_the_net_change():
    run = stored_run([0, 0.5, 1, 3, 3.5], [1.0, 4.0, 2.0, 6.0, 5.0])
    change = analysis.change_per_epoch(run, "bank")
    assert change.begin.tolist() == [0, 1, 3]
    assert change.end.tolist() == [1, 3, 3.5]
    assert change.net.ravel().tolist() == [1.0, 2.0, -2.0]
    assert change.variation.ravel().tolist() == [5.0, 2.0, 2.0]
    assert change.total_variation.ravel().tolist() == [3 + 2 + 4 + 1]


def test_a_run_that_stored_nothing_has_no_change():
    with pytest.raises(InputError, match="bank: nothing is stored after the run's start"):
        analysis.change_per_epoch(stored_run([0], [1.0]), "bank")
    with pytest.raises(InputError, match="bank: must be one of bank"):
        analysis.change_per_epoch(stored_run([0], [1.0]), "nodes1")


# Read-disturb


@of_each_kind
def test_nothing_moves_in_the_reads_of_a_run_that_is_calibrated(kind):
    run = traced(kind)
    expected = {
        "mlp": [{"READ"}, {"RESTORE"}, {"READ", "BACKREAD"}, {"RESTORE"}], "lines": [{"READ"}] * 2, "slp": [{"READ"}],
    }[kind]  # fmt: skip
    for bank, phases in zip(run.banks, expected, strict=True):
        found = analysis.read_disturb_per_phase(run, bank)
        assert set(found) == phases
        for phase, disturbance in found.items():
            assert disturbance.slots == EPOCHS * run.samples
            if phase == "RESTORE":
                lower, upper = run.bank(bank).variables[0][2:]
                residual = disturbance.largest[:, 0] / (upper - lower)
                np.testing.assert_allclose(residual, run.diagnostics(bank)["residual"], rtol=1e-9, atol=1e-18)
            else:
                assert not disturbance.moved.any()
                assert not disturbance.largest.any()


def test_disturbs_are_those_that_were_counted_while_stepping():
    run = overdriven()
    moved = 0
    for bank in ("synapses1", "synapses2"):
        found = analysis.read_disturb_per_phase(run, bank)
        counted = run.diagnostics(bank)["disturbed"]
        for phase, disturbance in found.items():
            assert np.array_equal(disturbance.moved.sum(axis=1), counted[Phase[phase]])
            assert np.all(disturbance.largest[disturbance.moved > 0] > 0.0)
            moved += disturbance.moved.sum()
    assert moved > 0
    restored = analysis.read_disturb_per_phase(run, "nodes1")["RESTORE"]
    lower, upper = run.bank("nodes1").variables[0][2:]
    residual = run.diagnostics("nodes1")["residual"]
    assert residual.max() > 1e-3
    np.testing.assert_allclose(restored.largest[:, 0] / (upper - lower), residual, rtol=1e-9)


def test_disturbs_add_up_over_spans_and_realisations(monkeypatch):
    run = overdriven()
    whole = analysis.read_disturb_per_phase(run, "synapses2")["READ"]
    size = run.sample_steps
    cut = 7 * size
    # A span that begins or ends within a sample leaves that sample out.
    first = analysis.read_disturb_per_phase(run, "synapses2", 0, cut + 3)["READ"]
    second = analysis.read_disturb_per_phase(run, "synapses2", cut - 3)["READ"]
    assert (first.slots, second.slots) == (7, EPOCHS * run.samples - 7)
    assert np.array_equal(first.moved + second.moved, whole.moved)
    np.testing.assert_allclose(first.net + second.net, whole.net, rtol=1e-12)
    assert np.array_equal(np.maximum(first.largest, second.largest), whole.largest)
    one = analysis.read_disturb_per_phase(run, "synapses2", realisations=[1])["READ"]
    assert np.array_equal(one.largest, whole.largest[..., 1:2])
    monkeypatch.setattr("memsim.analysis.disturb.CHUNK_STEPS", 1)
    pieces = analysis.read_disturb_per_phase(run, "synapses2")["READ"]
    np.testing.assert_allclose(pieces.net, whole.net, rtol=1e-12)


def test_a_span_without_a_whole_sample_is_refused():
    run = traced("mlp")
    with pytest.raises(InputError, match="none lies whole within 3 to 9; take more steps"):
        analysis.read_disturb_per_phase(run, "nodes1", 3, 9)


# Weights


@of_each_kind
def test_the_last_stored_weights_are_the_runs_weights(kind):
    run = traced(kind)
    for bank in run.weights:
        epochs, weights = analysis.stored_weights(run, bank)
        assert epochs[0] == 0.0
        assert epochs[-1] == EPOCHS
        assert np.array_equal(weights[-1], run.weights[bank])


def test_a_histogram_counts_every_weight_once():
    run = traced("mlp")
    histogram = analysis.weight_histogram(run, "synapses1", bins=7)
    weights = analysis.stored_weights(run, "synapses1")[1]
    assert histogram.counts.sum(axis=1).tolist() == [weights[0].size] * len(histogram.epochs)
    assert (histogram.edges[0], histogram.edges[-1]) == (weights.min(), weights.max())
    for counts, moment in zip(histogram.counts, weights, strict=True):
        for k, (low, high) in enumerate(itertools.pairwise(histogram.edges)):
            last = k == len(counts) - 1
            assert counts[k] == ((moment >= low) & ((moment <= high) if last else (moment < high))).sum()
    some = analysis.weight_histogram(run, "synapses1", epochs=[0, EPOCHS], bins=[-100.0, 0.0, 100.0])
    assert some.epochs.tolist() == [0.0, EPOCHS]
    assert some.counts.tolist() == [[(w < 0).sum(), (w >= 0).sum()] for w in weights[[0, -1]]]


def test_refused_histograms():
    run = traced("mlp")
    with pytest.raises(InputError, match=r"epochs: states are stored at 0, .*4 \(got 77\)"):
        analysis.weight_histogram(run, "nodes1", epochs=[77])
    with pytest.raises(InputError, match=r"bins: must be 1 or more \(got 0\)"):
        analysis.weight_histogram(run, "nodes1", bins=0)


def test_a_plot_of_weights_has_the_counts():
    histogram = analysis.weight_histogram(traced("mlp"), "synapses1", bins=5)
    place, bar = analysis.plot_weights(histogram).axes
    (image,) = place.collections
    assert np.array_equal(np.ma.filled(image.get_array(), 0).astype(int), histogram.counts.T)
    assert (place.get_xlabel(), place.get_ylabel()) == ("epoch", "weight of synapses1")
    assert bar.get_ylabel() == "weights in a bin"


def test_stored_states_begin_and_end_with_the_run():
    run = traced("mlp")
    epochs, states = stored_states(run, "nodes1")
    assert np.all(np.diff(epochs) > 0)
    assert np.array_equal(states[0], run.initial_state["nodes1"])
    assert np.array_equal(states[-1], run.final_state["nodes1"])
    assert states.shape[-1] == REALISATIONS
