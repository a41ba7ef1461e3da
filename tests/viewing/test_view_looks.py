"""What the page of a run gets to draw: the bits of the run, at any depth, in no more points than there are pixels."""

import csv
import functools
import io
import itertools
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from short_runs import REAL, configuration, overdriven

pytest.importorskip("bokeh")

import memsim
from memsim import analysis
from memsim.analysis.curves import error_curve
from memsim.analysis.disturb import disturb_events
from memsim.analysis.weights import stored_weights
from memsim.configuration.sections import TraceSection
from memsim.errors import InputError
from memsim.kernels.slots import Phase
from memsim.runs.channels import choose
from memsim.runs.pulses import pulse_table
from memsim.viewing import looks, marks, timing_lanes, whole_run
from memsim.viewing.choice import Choice, as_text, chosen, first_choice, numbers_of
from memsim.viewing.details import LOOP_POINTS, loop_of, weight_image
from memsim.viewing.exports import View, exported, snippet, view_of
from memsim.viewing.jumps import ANY_PHASE, Found, Searched, counted_disturbs, next_disturb, next_slot, next_switching
from memsim.viewing.looks import Kind, Looker
from memsim.viewing.panels import groups_of, names_of
from memsim.viewing.sampler import Sampler
from memsim.viewing.themes import curve_colours

QUANTITIES = ("state", "current", "voltage")


@functools.cache
def long_run():
    """A run of 1,100,000 steps that keeps its keyframes alone."""
    data = memsim.datasets.gate("xor", samples=20)
    trace = TraceSection(mode="keyframes", keyframe_samples=40)
    return memsim.train(memsim.MultilayerPerceptron(), data, epochs=250, realisations=3, trace=trace)


@functools.cache
def traced_run():
    data = memsim.datasets.gate("xor", samples=20)
    return memsim.train(memsim.MultilayerPerceptron(), data, epochs=40, trace=TraceSection(mode="full"))


@functools.cache
def slowly_switching():
    """A run whose weights change their signs."""
    data = memsim.datasets.gate("xor", samples=20)
    network = memsim.MultilayerPerceptron()
    return memsim.train(network, data, epochs=100, trace=TraceSection(mode="keyframes", keyframe_samples=500))


@functools.cache
def switching(run, bank, lane):
    """Steps at which the devices of a bank switch, in the whole run."""
    return analysis.switching_events(run, bank, realisations=[lane])["step"]


@functools.cache
def single_layer():
    return memsim.runs.training.run(configuration("slp"), REAL)


@pytest.fixture
def looker(monkeypatch):
    """A looker that takes all but short spans for too long to be replayed whole."""
    monkeypatch.setattr(looks, "SECONDS", 0.02)
    found = Looker(long_run())
    yield found
    found.close()


def values_of(run, channel, start, stop):
    bank, quantity, device, variable, realisation = channel
    values = run.window(bank, quantity, start, stop, devices=[device], realisations=[realisation])
    return values[:, 0, 0] if values.ndim == 3 else values[:, 0, variable, 0]


# Samples again


def test_samples_are_replayed_to_the_bit():
    run = long_run()
    size = run.sample_steps
    sampler = Sampler(run, ("nodes1", "synapses2"), (2, 0))
    for sample, rows in sampler.rows([0, 39, 40, 41, 1017, 4998], in_a_row=2):
        for bank in ("nodes1", "synapses2"):
            for quantity in QUANTITIES:
                wanted = run.window(bank, quantity, sample * size, (sample + 2) * size, realisations=[2, 0])
                found = getattr(rows[bank], quantity)
                assert np.array_equal(found[:, :, 0] if quantity == "state" else found, wanted)
    states = sampler.states([0, 1, 40, 77, 4999, 5000])
    assert set(states) == set(run.banks)
    for bank, found in states.items():
        assert np.array_equal(found[0], run.initial_state[bank][..., [2, 0]])
        for place, sample in enumerate((1, 40, 77, 4999, 5000), start=1):
            wanted = run.window(bank, "state", sample * size - 1, sample * size, realisations=[2, 0])[0]
            assert np.array_equal(found[place][:, 0], wanted)
    sampler.close()


# Any depth


@given(start=st.integers(0, 1_099_000), length=st.integers(1, 600), columns=st.sampled_from([300, 601, 1000]))
def test_a_short_span_shows_every_step(start, length, columns):
    run = long_run()
    stop = min(run.steps, start + length)
    channels = choose(run, ["nodes2", "synapses1"], (), [1])
    look = Looker(run).look(channels, start, stop, columns)
    assert look.kind is (Kind.STEPS if stop - start <= columns // 2 * 2 else Kind.EXTREMES)
    for channel, curve in look.curves.items():
        values = values_of(run, channel, start, stop)
        assert (curve.edges[0], curve.edges[-1]) == (start, stop)
        if look.kind is Kind.STEPS:
            assert np.array_equal(curve.low, values)
            assert np.array_equal(curve.high, values)
        else:
            assert np.array_equal(curve.low, np.minimum.reduceat(values, curve.edges[:-1] - start))
            assert np.array_equal(curve.high, np.maximum.reduceat(values, curve.edges[:-1] - start))


def test_a_long_span_shows_samples_that_really_were_and_keyframes(looker):
    run, size = looker.run, looker.run.sample_steps
    channels = choose(run, (), (), [0, 2])
    start, stop = 12_345, 1_000_001
    look = looker.look(channels, start, stop, 800)
    assert look.kind is Kind.SAMPLED
    assert look.samples >= 1
    for channel in list(channels)[::7]:
        curve = look.curves[channel]
        values = values_of(run, channel, start, stop)
        assert (curve.edges[0], curve.edges[-1]) == (start, stop)
        assert np.all(np.diff(curve.edges) > 0)
        lowest = np.minimum.reduceat(values, curve.edges[:-1] - start)
        highest = np.maximum.reduceat(values, curve.edges[:-1] - start)
        assert np.all(lowest <= curve.low)
        assert np.all(curve.high <= highest)
        ends = run.keyframes["sample"] * size
        for part, (first, last) in enumerate(zip(curve.edges[:-1], curve.edges[1:], strict=True)):
            low = high = None
            for sample in range(-(-first // size), last // size - look.samples + 1):
                begin = sample * size - start
                rows = values[begin : begin + look.samples * size]
                low, high = rows.min(), rows.max()
                if channel.quantity == "state":
                    kept = values[ends[(ends > first) & (ends <= last)] - 1 - start]
                    low, high = min([low, *kept]), max([high, *kept])
                if (low, high) == (curve.low[part], curve.high[part]):
                    break
            assert (low, high) == (curve.low[part], curve.high[part])


def test_no_depth_has_more_points_than_columns(looker):
    run = looker.run
    channels = choose(run, (), (), [0])
    kinds = set()
    for length in (1, 7, 400, 401, 5_000, 50_000, 300_000, run.steps):
        look = looker.look(channels, (run.steps - length) // 2, (run.steps + length) // 2, 400)
        kinds.add(look.kind)
        for curve in look.curves.values():
            numbers = len(curve.low) if look.kind is Kind.STEPS else 2 * len(curve.low)
            assert 1 <= numbers <= 400
            assert len(curve.edges) == len(curve.low) + 1
    assert kinds == set(Kind)


@pytest.mark.parametrize("span", [(500, 700), (330, 770), (1_099_700, 1_100_000), (1_099_790, 1_100_000)])
def test_a_span_of_hardly_a_sample_is_not_sampled(looker, span, monkeypatch):
    monkeypatch.setattr(looks, "SECONDS", 0.0)
    look = looker.look(choose(looker.run, (), (), [0]), *span, 50)
    assert look.kind is Kind.EXTREMES
    channel, curve = next(iter(look.curves.items()))
    values = values_of(looker.run, channel, *span)
    assert np.array_equal(curve.low, np.minimum.reduceat(values, curve.edges[:-1] - span[0]))


def test_where_keyframes_are_rare_few_samples_are_gone_to(looker, monkeypatch):
    monkeypatch.setattr(looks, "SECONDS", 60.0)
    everywhere = looker.picks(100, 4_000, 300)
    assert len(everywhere) == 300
    monkeypatch.setattr(looks, "SECONDS", 0.0)
    few = looker.picks(100, 4_000, 300)
    assert np.isin(few, looker.run.keyframes["sample"]).all()
    assert len(few) == 97
    assert looker.picks(121, 125, 300).tolist() == [121]


def test_what_was_traced_comes_from_the_file():
    run = traced_run()
    looker = Looker(run)
    channels = choose(run)
    look = looker.look(channels, 0, run.steps, 600)
    assert look.kind is Kind.EXTREMES
    assert not looker._samplers
    channel = next(iter(channels))
    for start, stop in ((0, run.steps), (12_345, 112_399)):
        curve = looker.look(channels, start, stop, 600).curves[channel]
        first, last = curve.edges[0], curve.edges[-1]
        assert start - 256 < first <= start  # blocks of the overview are whole
        assert stop <= last < stop + 256
        values = values_of(run, channel, first, last)
        assert np.array_equal(curve.low, np.minimum.reduceat(values, curve.edges[:-1] - first))
        assert np.array_equal(curve.high, np.maximum.reduceat(values, curve.edges[:-1] - first))


def test_words_say_what_a_point_is(looker):
    channels = choose(looker.run, (), (), [0])
    assert str(looker.look(channels, 0, 100, 400)) == "every step"
    assert str(looker.look(channels, 0, 4_000, 400)) == "smallest to largest of each 20 steps"
    assert str(looker.look(channels, 0, looker.run.steps, 400)).startswith("smallest to largest of ")


# Channels


def test_channels_that_share_a_unit_share_an_axis():
    run = long_run()
    choice = Choice(choose(run, realisations=(0, 2)))
    groups = groups_of(run, choice)
    assert [(group.name, group.unit) for group in groups] == [
        ("memristance", "ohm"), ("boundary", "m"), ("current", "A"), ("voltage", "V")
    ]  # fmt: skip
    assert sorted(channel for group in groups for channel in group.members) == sorted(choice.channels)
    weights = groups_of(run, replace(choice, weights=True))
    assert [(group.name, group.unit) for group in weights] == [("weight", "1"), ("current", "A"), ("voltage", "V")]
    for channel, calibration in zip(weights[0].members, weights[0].calibrations, strict=True):
        assert calibration.name == channel.bank
    assert all(calibration is None for group in weights[1:] for calibration in group.calibrations)


def test_variables_of_a_device_have_names_of_their_own():
    run = single_layer()
    choice = first_choice(run)
    for group in groups_of(run, choice):
        names = names_of(choice, group.members)
        assert len(set(names)) == len(names)
        assert all(name.startswith("memristor 0") for name in names)


def test_numbers_are_read_as_they_are_written():
    assert numbers_of("devices", " 0, 2,5:8 ", 8) == (0, 2, 5, 6, 7)
    for text in ("", "a", "1;2", "-1", "3:3", "4:2", "0:9", "8", "1,", "1:2:3", "9" * 12):
        with pytest.raises(InputError, match="devices: must be"):
            numbers_of("devices", text, 8)


@given(st.sets(st.integers(0, 60), min_size=1))
def test_numbers_are_written_as_they_are_read(numbers):
    assert numbers_of("devices", as_text(sorted(numbers)), 61) == tuple(sorted(numbers))


def test_a_page_begins_with_what_can_be_told_apart():
    run = long_run()
    assert first_choice(run).channels.realisations == (0,)
    assert first_choice(run, ["nodes1"], [1], [0, 2], ["voltage"]).channels.devices == {"nodes1": (1,)}
    with pytest.raises(InputError, match="banks: choose one"):
        chosen(run, [], "0", "0", ["state"], False)
    with pytest.raises(InputError, match="quantities: choose one"):
        chosen(run, ["nodes1"], "0", "0", [], False)
    # Devices that only some banks have are taken where they are.
    channels = chosen(run, ["synapses1", "nodes2"], "0,3", "1", ["state"], False).channels
    assert channels.devices == {"synapses1": (0, 3), "nodes2": (0,)}
    assert chosen(run, ["synapses1", "nodes2"], "3", "1", ["state"], False).channels.banks == ("synapses1",)


def test_crowds_are_refused(monkeypatch):
    monkeypatch.setattr("memsim.viewing.choice.MOST_CHANNELS", 5)
    with pytest.raises(InputError, match=r"at most 5 can be told apart on a page \(got 21\)"):
        chosen(long_run(), ["nodes1", "synapses1", "nodes2"], "0:4", "0:3", ["state"], False)


def test_curves_have_colours_of_their_own():
    for count in (1, 7, 12, 13, 64):
        for theme in zip(*curve_colours(count), strict=True):
            assert len(set(theme)) == count


# The timing diagram


@given(start=st.integers(0, 1_000_000), length=st.integers(1, 3_000))
def test_slots_in_view_are_those_of_the_table(start, length):
    run = long_run()
    size, slots = run.sample_steps, run.slots
    found = timing_lanes.slots_between(run, start, start + length, 800)
    wanted = []
    for sample in range(start // size, (start + length) // size + 1):
        for slot in slots:
            begin = sample * size + slot["start"]
            end = begin + slot["pulses"] * slot["pulse_steps"] + (slot["pulses"] - 1) * slot["gap_steps"]
            if begin < start + length and end > start:
                wanted.append((begin, end, slot["phase"].decode(), slot["bank"]))
    shown = list(zip(found["left"], found["right"], found["phase"], found["bank"], strict=True))
    assert shown == wanted


def test_too_many_slots_are_not_drawn():
    run = long_run()
    each = len(run.slots)
    most = timing_lanes.MOST_SLOTS // each
    assert len(timing_lanes.slots_between(run, 0, most * run.sample_steps, 800)["left"]) == most * each
    assert timing_lanes.slots_between(run, 0, (most + 1) * run.sample_steps, 800) is timing_lanes.NO_SLOTS
    assert timing_lanes.slots_between(run, 0, run.steps, 800) is timing_lanes.NO_SLOTS


def test_pulses_in_view_are_those_that_devices_got():
    run = long_run()
    channels = choose(run, ["nodes1", "synapses1"], (), [1])
    found = timing_lanes.pulses_between(run, channels, 4_400, 6_600)
    table = pulse_table(run, 4_400, 6_600, ["synapses1", "nodes1"], [1])
    assert np.array_equal(found["left"], table["start_step"])
    assert np.array_equal(found["right"], table["start_step"] + table["width_steps"])
    assert np.array_equal(found["charge"], table["charge"])
    banks = [channels.banks[int(lane)] for lane in found["lane"]]
    assert banks == list(table["bank"])
    heights = found["lane"] - found["top"]
    assert np.array_equal(np.sign(heights), np.sign(table["amplitude"]))
    for bank in channels.banks:
        assert np.abs(heights[table["bank"] == bank]).max() == pytest.approx(timing_lanes.FULL)


def test_epochs_or_samples_are_marked_where_they_begin():
    run = long_run()
    size, epoch = run.sample_steps, run.samples * run.sample_steps
    whole = marks.marks_between(run, 0, run.steps)
    assert whole.label == "epoch"
    assert np.array_equal(whole.steps, whole.numbers * epoch)
    assert 5 <= len(whole.steps) <= 12
    few = marks.marks_between(run, 7 * epoch + 3 * size + 1, 7 * epoch + 6 * size)
    assert few.label == "sample of epoch 7"
    assert few.numbers.tolist() == [4, 5, 6]
    assert np.array_equal(few.steps, 7 * epoch + few.numbers * size)
    both = marks.marks_between(run, 8 * epoch - size, 8 * epoch + size)
    assert both.label == "sample of epochs 7 and 8"
    assert both.numbers.tolist() == [19, 0, 1]
    assert len(marks.marks_between(run, 5, 50).steps) == 0


# The whole run


def test_the_error_of_a_long_run_is_told_in_few_points():
    run = long_run()
    curve = error_curve(run, points=40)
    error = run.total_error
    assert len(curve.mean) == 40
    edges = curve.epochs
    assert (edges[0], edges[-1]) == (0, 250)
    for part, (first, last) in enumerate(itertools.pairwise(edges)):
        assert curve.mean[part] == pytest.approx(error[first:last].mean(), rel=1e-12)
        assert (curve.low[part], curve.high[part]) == (error[first:last].min(), error[first:last].max())
    assert len(error_curve(run).mean) == 250


def test_weights_over_time_are_those_of_the_keyframes():
    run = long_run()
    choice = Choice(choose(run, ["synapses2", "nodes2"], (), [2]))
    curves = whole_run.weight_curves(run, choice, points=30)
    assert curves.names == ("synapses2 0", "synapses2 1", "nodes2 0")
    assert len(curves.steps) == 30
    moments, weights = stored_weights(run, "synapses2")
    places = np.searchsorted(moments * run.samples * run.sample_steps, curves.steps)
    assert np.array_equal(curves.values[:, :2], weights[places][..., 2])


def test_an_activation_stage_has_no_weights_over_time():
    network = memsim.SingleLayerPerceptron(2, construction="equivalent")
    run = memsim.train(network, memsim.datasets.gate("or", samples=4), epochs=3, learning_rate=1.0)
    curves = whole_run.weight_curves(run, Choice(choose(run)), points=30)
    assert curves.names == ("lines 0", "lines 1", "lines 2")
    alone = whole_run.weight_curves(run, Choice(choose(run, ["activation"])), points=30)
    assert not alone.values.any()


# Closer looks


def test_a_loop_is_the_path_of_the_device():
    looker = Looker(long_run())
    run = looker.run
    data = loop_of(looker, "nodes1", 1, 2, 1_000, 1_500)
    for name, values in (("voltage", data.voltage), ("current", data.current)):
        assert np.array_equal(values, run.window("nodes1", name, 1_000, 1_500, devices=[1], realisations=[2])[:, 0, 0])
    assert data.said == "each of 500 steps"
    long = loop_of(looker, "nodes1", 1, 2, 0, run.steps)
    assert len(long.voltage) <= LOOP_POINTS
    whole = run.window("nodes1", "voltage", devices=[1], realisations=[2])[:, 0, 0].reshape(-1, run.sample_steps)
    parts = np.split(long.voltage, np.flatnonzero(np.isnan(long.voltage)) + 1)
    assert len(parts) == LOOP_POINTS // run.sample_steps
    samples = looker.picks(0, 5_000, len(parts))
    for part, sample in zip(parts, samples, strict=True):  # no line goes from one to the next
        assert np.array_equal(part[: run.sample_steps], whole[sample])
    looker.close()


@pytest.mark.parametrize("span", [(0, 1_100_000), (440_000, 448_800), (440_100, 440_130)])
def test_the_image_has_the_weights_of_the_layer(span):
    looker = Looker(long_run())
    run, size = looker.run, looker.run.sample_steps
    image = weight_image(looker, "synapses1", 1, *span)
    (per_weight,) = (bank.state_per_weight for bank in run.calibration if bank.name == "synapses1")
    assert image.steps[0] <= span[0] + (span[1] - span[0]) / 100
    assert image.steps[-1] >= span[1]
    assert image.weights.shape == (4, len(image.steps) - 1)
    ends = {int(sample) * size for sample in run.keyframes["sample"]}
    for column, step in enumerate(image.steps[:-1].astype(int)):
        if step in ends or span[1] - span[0] < 10_000:
            state = run.window("synapses1", "state", max(step - 1, 0), max(step, 1), realisations=[1])[0, :, 0]
            wanted = run.initial_state["synapses1"][:, 0, 1] if step == 0 else state
            assert np.array_equal(image.weights[:, column], wanted / per_weight)
    looker.close()


# Where to go


def test_jumps_go_from_slot_to_slot():
    run = long_run()
    place, seen = 2_199, []
    for _ in range(len(run.slots)):
        found = next_slot(run, place)
        seen.append(found.start - 2_200)
        place = found.start
    assert seen == run.slots["start"].tolist()
    writes = run.slots["start"][run.slots["phase"] == b"WRITE"]
    assert next_slot(run, 2_200, "WRITE").start == 2_200 + writes[0]
    assert next_slot(run, 2_200 + int(writes[-1]), "WRITE").start == 2_200 + run.sample_steps + writes[0]
    assert next_slot(run, run.steps - 1) is None
    assert next_slot(run, run.steps - run.sample_steps, ANY_PHASE) is not None
    assert next_slot(run, 0, "IDLE") is None


def test_the_next_switching_event_is_the_first_one_behind_the_place(monkeypatch):
    monkeypatch.setattr("memsim.viewing.jumps.PIECE_STEPS", 3_000)
    run = long_run()
    channels = choose(run, ["nodes1", "nodes2"], (), [1])
    place, found = 10_000, None
    for found in next_switching(run, channels, place):
        assert isinstance(found, Searched | Found)
    steps = np.concatenate([switching(run, bank, 1) for bank in channels.banks])
    assert found.start == steps[steps > place].min()
    assert "switches" in found.said
    searched = list(next_switching(run, channels, run.steps - 5_000))
    assert isinstance(searched[-1], Found) == (steps.max() > run.steps - 5_000)


@pytest.mark.parametrize("banks", [["nodes1", "nodes2"], ["synapses1", "synapses2"]])
def test_jumps_reach_every_switching_event(banks, monkeypatch):
    """Weights take many pieces of a search to cross the band."""
    monkeypatch.setattr("memsim.viewing.jumps.PIECE_STEPS", 2_000)
    run, lane = (long_run(), 1) if "nodes1" in banks else (slowly_switching(), 0)
    channels = choose(run, banks, (), [lane])
    wanted = sorted(set(np.concatenate([switching(run, bank, lane) for bank in banks]).tolist()))[:6]
    assert len(wanted) >= 2
    place, seen = -1, []
    for _ in wanted:
        found = [None, *next_switching(run, channels, place)][-1]
        seen.append(found.start)
        place = found.start
    assert seen == wanted


def test_read_disturbs_are_found_one_by_one():
    run = overdriven()
    channels = choose(run)
    assert counted_disturbs(run, channels) > 0
    assert counted_disturbs(long_run(), choose(long_run())) == 0
    tables = []
    for bank in run.banks:
        table = disturb_events(run, bank, tolerance=0.0)
        tables.append(table)
        for phase, whole in analysis.read_disturb_per_phase(run, bank).items():
            own = table[table["phase"] == phase]
            assert len(own) == whole.moved.sum()
            if phase in ("READ", "BACKREAD"):
                assert len(own) == run.diagnostics(bank)["disturbed"][Phase[phase]].sum()
            np.testing.assert_allclose(own["change"].sum(), whole.net.sum(), rtol=1e-9, atol=1e-300)
    seen, place = [], -1
    while isinstance(found := [None, *next_disturb(run, channels, place)][-1], Found):
        seen.append(found.start)
        place = found.start
    assert seen == sorted({int(event["step"]) for bank in run.banks for event in disturb_events(run, bank)})
    assert list(next_disturb(long_run(), choose(long_run(), realisations=[0]), 1_050_000))[-1] == Searched(1_100_000)


# To take away


def view(start=4_000, stop=4_300, columns=500, **chosen_channels):
    run = long_run()
    return View(Choice(choose(run, **{"banks": ["nodes1", "synapses2"], "realisations": [2]} | chosen_channels)),
                start, stop, columns)  # fmt: skip


def test_a_view_comes_back_from_its_address():
    run, known = long_run(), view()
    assert view_of(run, dict(parse_qsl(known.query()))) == known


@pytest.mark.parametrize(
    "change",
    [
        {"start": "x"}, {"start": "-1"}, {"stop": "99999999999"}, {"stop": "4000"}, {"banks": "nodes9"},
        {"banks": ""}, {"devices": "[]"}, {"devices": "{"}, {"devices": '{"nodes1": ["a"]}'}, {"devices": "{}"},
        {"devices": '{"nodes1": 3}'}, {"realisations": "9"}, {"realisations": ""}, {"quantities": "charge"},
        {"columns": ""}, {"weights": "yes"}, {"devices": json.dumps({"nodes1": list(range(999))})},
    ],
)  # fmt: skip
def test_wild_addresses_are_refused(change):
    with pytest.raises(InputError):
        view_of(long_run(), dict(parse_qsl(view().query())) | change)
    with pytest.raises(InputError):
        view_of(long_run(), {})


def test_the_snippet_reads_the_same_window(tmp_path):
    run = memsim.train(memsim.MultilayerPerceptron(), memsim.datasets.gate("xor", samples=5), epochs=3,
                       realisations=2, out=tmp_path / "it's a run.h5")  # fmt: skip
    known = View(Choice(choose(run, ["nodes1", "synapses1"], (), [1]), weights=True), 100, 420, 500)
    names = {}
    exec(compile(snippet(run, known), "snippet", "exec"), names)
    for (bank, quantity), values in names["window"].items():
        assert np.array_equal(values, run.window(bank, quantity, 100, 420, realisations=[1]))
    assert set(names["window"]) == {(bank, q) for bank in ("nodes1", "synapses1") for q in QUANTITIES}
    assert set(names["weights_of"]) == {"nodes1", "synapses1"}
    states = np.array([1e-9, 2e-9])
    assert np.array_equal(names["weights_of"]["nodes1"](states), states / run.calibration[1].state_per_weight)
    run.close()


def test_a_table_has_every_step_where_the_page_does():
    run, known = long_run(), view()
    table = list(csv.DictReader(io.StringIO(exported(run, known, "csv").decode())))
    assert len(table) == 300 * len(known.choice.channels)
    for row in table[:: len(table) // 50]:
        value = run.window(row["bank"], row["quantity"], int(row["step"]), int(row["step"]) + 1,
                           devices=[int(row["device"])], realisations=[2])  # fmt: skip
        assert float(row["value"]) == value.item()


def test_a_table_has_the_points_of_a_longer_span():
    run, known = long_run(), view(stop=24_000)
    table = list(csv.DictReader(io.StringIO(exported(run, known, "csv").decode())))
    look = Looker(run).look(known.choice.channels, 4_000, 24_000, 500)
    curves = list(look.curves.values())
    assert len(table) == sum(len(curve.low) for curve in curves)
    assert [float(row["smallest"]) for row in table[: len(curves[0].low)]] == curves[0].low.tolist()
    assert [float(row["largest"]) for row in table[: len(curves[0].low)]] == curves[0].high.tolist()
    assert sum(int(row["steps"]) for row in table[: len(curves[0].low)]) == 20_000
    assert {row["unit"] for row in table} == {"ohm", "m", "A", "V"}


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figures_are_drawn_of_what_is_in_view(kind, begins):
    content = exported(long_run(), view(), kind)
    assert content.startswith(begins)
    assert len(content) > 10_000
