"""The figure of a trace shows the rows of the run, and says what they are."""

import functools
import itertools
from types import SimpleNamespace

import matplotlib.colors
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import FillBetweenPolyCollection, PolyCollection
from short_runs import EPOCHS, REAL, REALISATIONS, configuration

import memsim
from memsim.analysis import curves, plot, time_axis
from memsim.analysis.curves import Curve
from memsim.analysis.time_axis import OTHER, OWN, time_unit
from memsim.errors import InputError
from memsim.figures import PHASE_COLOURS
from memsim.runs import training
from memsim.runs.channels import Channel, choose
from memsim.runs.trace_access import SpanExtremes
from memsim.traces.reader import Envelope
from memsim.traces.stored import Stored


@functools.cache
def traced(kind):
    return training.run(configuration(kind, trace={"mode": "full"}), REAL)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("plot") / "run.h5"
    training.run(configuration("mlp", trace={"mode": "full"}), REAL, out=path).close()
    return path


def figure(kind, chosen=(), span=(0, 100), **settings):
    run = traced(kind)
    return plot.figure_of(run, choose(run, **dict(chosen)), *span, **settings)


def panel_lines(place):
    """Step lines of channels: those that hold more than the two points of a level."""
    return [line for line in place.get_lines() if len(line.get_xdata()) > 2]


# The values


def test_a_short_span_shows_every_row():
    run = traced("mlp")
    found = curves.curves(run, choose(run, realisations=[2, 0]), 17, 90)
    rows = run.stretch(17, 90)
    for channel, curve in found.items():
        values = getattr(rows[channel.bank], channel.quantity)[:, channel.device]
        values = values[:, 0, channel.realisation] if channel.quantity == "state" else values[:, channel.realisation]
        assert curve.low is curve.high
        assert np.array_equal(curve.low, values)
        assert curve.edges.tolist() == list(range(17, 91))


@pytest.mark.parametrize("kind", ["mlp", "slp"])
def test_a_long_span_shows_the_smallest_and_largest_of_each_part(kind, monkeypatch):
    monkeypatch.setattr(curves, "STEPS", 30)
    monkeypatch.setattr(curves, "POINTS", 15)
    run = traced(kind)
    for channel, curve in curves.curves(run, choose(run, realisations=[1]), 3, 203).items():
        rows = getattr(run.stretch(3, 203, [channel.bank])[channel.bank], channel.quantity)[:, channel.device]
        values = rows[:, channel.variable, 1] if channel.variable is not None else rows[:, 1]
        assert len(curve.low) <= 16
        assert curve.edges[0] == 3
        assert curve.edges[-1] == 203
        for low, high, start, stop in zip(curve.low, curve.high, curve.edges[:-1], curve.edges[1:], strict=True):
            assert low == values[start - 3 : stop - 3].min()
            assert high == values[start - 3 : stop - 3].max()


@given(
    values=st.lists(st.floats(-9, 9), min_size=1, max_size=60),
    first=st.integers(0, 1000),
    parts=st.integers(1, 70),
    cut=st.integers(1, 70),
)
def test_extremes_do_not_depend_on_how_the_rows_come(values, first, parts, cut):
    rows = np.array([values, np.negative(values)]).T[:, :, None]  # two devices, one realisation
    edges = np.unique(np.linspace(first, first + len(rows), parts + 1).astype(int))
    extremes = SpanExtremes(edges)
    for k in range(0, len(rows), cut):
        extremes.add(first + k, rows[k : k + cut])
    spans = [rows[a - first : b - first] for a, b in itertools.pairwise(edges)]
    assert extremes.lowest.tolist() == [span.min(axis=0).tolist() for span in spans]
    assert extremes.highest.tolist() == [span.max(axis=0).tolist() for span in spans]


def test_the_overview_is_taken_where_it_reaches(monkeypatch):
    """A long stored span is not read: its extremes are those of the overview, up to the span's end."""
    monkeypatch.setattr(curves, "STEPS", 30)
    run = traced("mlp")
    overview = Envelope(np.array([5, 16]), np.arange(12.0).reshape(2, 2, 3), np.arange(12.0).reshape(2, 2, 3) + 50.0)
    asked = []

    def stored(bank, quantity, start, stop, points):
        asked.append((bank, quantity, start, stop, points))
        return overview if quantity == "current" else None

    monkeypatch.setattr(run, "overview", stored, raising=False)
    found = curves.curves(run, choose(run, ["nodes1"], [1], [0, 2], ["current", "voltage"]), 5, 205)
    assert asked == [("nodes1", quantity, 5, 205, curves.POINTS) for quantity in ("current", "voltage")]
    curve = found[Channel("nodes1", "current", 1, None, 2)]
    assert curve.edges.tolist() == [5, 16, 205]
    assert (curve.low.tolist(), curve.high.tolist()) == ([5.0, 11.0], [55.0, 61.0])
    voltage = run.stretch(5, 205, ["nodes1"])["nodes1"].voltage[:, 1, 0]
    assert found[Channel("nodes1", "voltage", 1, None, 0)].high.max() == voltage.max()


def test_a_run_without_a_trace_gives_the_curves_of_one_with_a_trace(monkeypatch):
    monkeypatch.setattr(curves, "STEPS", 30)
    monkeypatch.setattr(curves, "POINTS", 15)
    bare, full = training.run(configuration("mlp"), REAL), traced("mlp")
    told = []
    for span in ((17, 40), (0, full.steps)):
        channels = choose(full, ["synapses1", "nodes2"], [0], [2, 1])
        found = curves.curves(bare, channels, *span, lambda done, steps: told.append((done, steps)))
        for channel, curve in curves.curves(full, channels, *span).items():
            assert np.array_equal(found[channel].edges, curve.edges)
            assert np.array_equal(found[channel].low, curve.low)
            assert np.array_equal(found[channel].high, curve.high)
    assert told[-1] == (full.steps, full.steps)


def test_lines_are_the_rows_in_the_axis_unit():
    run = traced("mlp")
    places = figure("mlp", {"banks": ["nodes1"], "realisations": [1]}, (10, 100)).axes
    rows = run.stretch(10, 100, ["nodes1"])["nodes1"]
    quantities = {"boundary": rows.state[:, :, 0], "current": rows.current, "voltage": rows.voltage}
    for place, (name, values) in zip(places, quantities.items(), strict=True):
        label, unit = place.get_ylabel().removesuffix(")").split(" (")
        factor = {"p": 1e12, "n": 1e9, "µ": 1e6, "m": 1e3}[unit[0]] if len(unit) > 1 else 1.0
        assert label == f"nodes1\n{name}"
        assert unit[-1] == {"boundary": "m", "current": "A", "voltage": "V"}[name]
        for device, line in enumerate(panel_lines(place)):
            np.testing.assert_allclose(line.get_ydata()[:-1], values[:, device, 1] * factor, rtol=1e-15)
            np.testing.assert_allclose(line.get_xdata(), np.arange(91) * run.dt * 1e3, rtol=1e-12)
            assert line.get_drawstyle() == "steps-post"


def test_bands_are_the_envelope(monkeypatch):
    monkeypatch.setattr(curves, "STEPS", 30)
    monkeypatch.setattr(curves, "POINTS", 15)
    run = traced("mlp")
    (place,) = figure("mlp", {"banks": ["nodes2"], "realisations": [0], "quantities": ["voltage"]}, (0, 400)).axes
    (band,) = [c for c in place.collections if isinstance(c, FillBetweenPolyCollection)]
    values = run.stretch(0, 400, ["nodes2"])["nodes2"].voltage[:, 0, 0]
    assert place.get_ylabel() == "nodes2\nvoltage (V)"
    corners = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose((corners.min(), corners.max()), (values.min(), values.max()), rtol=1e-14)
    # Most parts have a pulse; a line along the others would be dots.
    assert panel_lines(place) == []


def test_what_is_narrow_of_a_band_is_a_line_and_nothing_is_too_flat_to_be_seen():
    place = plot.new_figure(4.0, 3.0).subplots()
    low, high = np.array([0.0, 1.0, 0.0, 5.0, -3.0]), np.array([0.0, 1.0, 0.5, 5.25, 4.0])
    axis = time_axis.TimeAxis(0, 5, 1.0, "time")
    plot._draw_curve(place, Curve(np.arange(6), low, high), axis, 2.0, "red", 1.0)
    (line,) = panel_lines(place)
    assert line.get_ydata().tolist()[:3] == [0.0, 2.0, 0.5]
    assert line.get_ydata()[3] == 10.25
    assert np.isnan(line.get_ydata()[4:]).all()
    vertices = place.collections[0].get_paths()[0].vertices
    ends = {x: (vertices[vertices[:, 0] == x, 1].min(), vertices[vertices[:, 0] == x, 1].max()) for x in (0.0, 5.0)}
    assert ends == {0.0: (-0.5, 0.5), 5.0: (-6.0, 8.0)}


def test_states_may_be_shown_as_weights():
    run = traced("mlp")
    (place,) = figure("mlp", {"banks": ["synapses2"], "quantities": ["state"], "realisations": [0]}, weights=True).axes
    scale = next(bank.state_per_weight for bank in run.calibration if bank.name == "synapses2")
    states = run.stretch(0, 100, ["synapses2"])["synapses2"].state[:, :, 0, 0]
    assert place.get_ylabel() == "synapses2\nweight"
    for device, line in enumerate(panel_lines(place)):
        np.testing.assert_allclose(line.get_ydata()[:-1], states[:, device] / scale, rtol=1e-14)


# What it says


def test_channels_of_a_bank_and_a_unit_share_an_axis():
    labels = [place.get_ylabel() for place in figure("slp", {"realisations": [0]}).axes]
    assert [label.split(" (")[0] for label in labels] == [
        "memristor\nstates", "memristor\nlearning rate", "memristor\ncurrent", "memristor\nvoltage",
    ]  # fmt: skip
    (legend,) = [place.get_legend() for place in figure("slp", {"realisations": [0], "quantities": ["state"]}).axes][:1]
    assert [text.get_text() for text in legend.get_texts()] == ["weight1", "weight2", "bias"]


def test_a_legend_of_many_channels_names_some_of_them():
    legend = figure("mlp", {"banks": ["synapses1"], "quantities": ["state"]}).axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    devices = traced("mlp").bank("synapses1").devices
    assert len(names) == plot.MOST_NAMES
    assert legend.get_title().get_text() == f"7 of {devices * REALISATIONS}"
    assert names[0] == "device 0, realisation 0"
    assert names[-1] == f"device {devices - 1}, realisation {REALISATIONS - 1}"


def test_phases_are_shaded_where_their_slots_are():
    run = traced("mlp")
    steps = run.sample_steps
    (place,) = figure("mlp", {"banks": ["nodes1"], "quantities": ["current"]}, (steps, 2 * steps)).axes
    shaded = {}
    for collection in place.collections:
        assert isinstance(collection, PolyCollection)
        for path in collection.get_paths():
            shaded[round(path.vertices[:, 0].min() / (run.dt * 1e3))] = (
                round(path.vertices[:, 0].max() / (run.dt * 1e3)),
                tuple(collection.get_facecolor()[0]),
            )
    number = run.banks.index("nodes1")
    expected = {
        int(slot["start"]): (
            int(slot["start"] + slot["pulse_steps"]),
            matplotlib.colors.to_rgba(PHASE_COLOURS[slot["phase"].decode()], OWN if slot["bank"] == number else OTHER),
        )
        for slot in run.slots
    }
    assert shaded == expected


def test_a_span_that_cuts_a_slot_shades_only_its_part():
    run = traced("mlp")
    (place,) = figure("mlp", {"banks": ["nodes1"], "quantities": ["current"]}, (1, 3)).axes
    ((path,),) = [collection.get_paths() for collection in place.collections]
    np.testing.assert_allclose(path.vertices[:, 0].max(), 2 * run.dt * 1e6)
    assert path.vertices[:, 0].min() == 0.0


def test_a_long_span_has_epochs_in_the_place_of_phases(monkeypatch):
    monkeypatch.setattr(time_axis, "MOST_SLOTS", 100)
    run = traced("mlp")
    begins = np.arange(EPOCHS + 1) * run.samples * run.sample_steps * run.dt * 1e3
    (place,) = figure("mlp", {"banks": ["nodes1"], "quantities": ["current"], "devices": [0]}, (0, run.steps)).axes
    assert not place.collections
    (above,) = place.child_axes
    assert [text.get_text() for text in above.get_xticklabels()] == ["0", "1", "2", "3", "4"]
    assert above.get_xlabel() == "epoch"
    np.testing.assert_allclose(above.get_xticks(), begins, rtol=1e-12)
    marks = [line.get_xdata()[0] for line in place.get_lines() if line.get_linestyle() == "--"]
    np.testing.assert_allclose(marks, begins, rtol=1e-12)


def test_the_error_is_that_of_each_epoch():
    run = traced("mlp")
    above = figure("mlp", {"banks": ["nodes2"], "quantities": ["state"]}, error=True).axes[0]
    (mean,) = [patch for patch in above.patches if not patch.get_fill()]
    values, edges, _ = mean.get_data()
    np.testing.assert_allclose(values, run.total_error.mean(axis=1), rtol=1e-14)
    assert edges.tolist() == list(range(len(run.total_error) + 1))
    assert above.get_ylabel() == "total\nerror"


@pytest.mark.parametrize(
    ("duration", "factor", "unit"),
    [
        (3e-7, 1e9, "ns"), (0.055, 1e3, "ms"), (1.0, 1.0, "s"), (999.0, 1.0, "s"), (1000.0, 1 / 60, "min"),
        (5 * 3600.0, 1 / 3600, "h"), (4 * 86400.0, 1 / 86400, "d"),
    ],
)  # fmt: skip
def test_time_has_a_unit_that_suits_its_length(duration, factor, unit):
    assert time_unit(duration) == (pytest.approx(factor), unit)
    assert time_axis.duration(duration) == f"{duration * factor:.4g} {unit}"


def drawn(quantity, values, span=1e-8, weights=False, unit="m"):
    """The axis of one channel of a node."""
    channel = Channel("nodes1", quantity, 0, 0 if quantity == "state" else None, 0)
    panel = plot._Panel("nodes1", quantity, quantity, unit, (channel,), ("boundary",), weights, span)
    place = plot.new_figure(4.0, 3.0).subplots()
    run, values = traced("mlp"), np.array(values, dtype=float)
    axis = plot.time_axis(run, 0, len(values))
    plot._draw_panel(place, panel, {channel: Curve(np.arange(len(values) + 1), values, values)}, axis,
                     run.calibration[1])  # fmt: skip
    return place


def test_an_axis_without_a_signal_has_its_range():
    place = drawn("voltage", np.zeros(10), unit="V")
    assert place.get_ylim() == (-1.0, 1.0)
    assert place.get_ylabel() == "nodes1\nvoltage (V)"


def test_the_axis_of_a_state_fits_its_drift_and_others_begin_at_0():
    place = drawn("state", [1.0e-9, 1.1e-9, 1.05e-9])
    assert place.get_ylim() == pytest.approx((1.0 - 0.008, 1.1 + 0.008))
    assert place.get_ylabel() == "nodes1\nstate (nm)"
    # As bias weights, 1 at 5 nm.
    low, high = drawn("state", [1.0e-9, 1.1e-9], weights=True, unit="1").get_ylim()
    assert (low, high) == pytest.approx((0.2 - 0.0016, 0.22 + 0.0016))
    low, high = drawn("voltage", [3.0, 3.5], unit="V").get_ylim()
    assert low < 0.0
    assert high > 3.5


@pytest.mark.parametrize(
    ("value", "span", "limits"),
    [
        (2e-9, 1e-8, (1.5, 2.5)),  # 5 % of its range
        (2e-9, 0.0, (1.9, 2.1)),  # or of the state, where it has no bounds
        (0.0, 1e-8, (-0.5, 0.5)),
    ],
)
def test_a_state_that_does_not_move_has_an_axis_that_hides_its_last_bits(value, span, limits):
    place = drawn("state", [value, value, np.nextafter(value, 1.0)], span=span)
    unit = 1e9 if place.get_ylabel().endswith("(nm)") else 1e12
    assert np.array(place.get_ylim()) / unit * 1e9 == pytest.approx(limits)


def test_a_figure_says_which_run_data_and_epochs(file):
    with memsim.open_run(file) as run:
        size = run.samples * run.sample_steps
        chosen = choose(run, ["nodes2"], realisations=[1], quantities=["state"])
        figures = [plot.figure_of(run, chosen, *span) for span in ((size, 2 * size), (size - 1, size + 1))]
    about = [figure.get_suptitle().split("\n") for figure in figures]
    assert about[0][0] == f"run.h5, data {REAL.name}, epoch 1"
    assert about[1][0] == f"run.h5, data {REAL.name}, epochs 0 to 1"
    assert about[0][1].startswith(f"{size:,} steps (")
    assert about[0][1].endswith(f") from step {size:,}; realisation 1")
    assert figures[0].axes[0].get_xlabel() == f"time from step {size:,} (ms)"
    memory = figure("mlp", {"banks": ["nodes2"]}).get_suptitle()
    assert memory.startswith(f"run in memory, data {REAL.name}, epoch 0\n")


def test_the_error_of_a_whole_run_is_not_shaded_and_has_the_epochs_alone():
    run = traced("mlp")
    whole, part = (
        figure("mlp", {"banks": ["nodes2"], "quantities": ["state"]}, (0, stop), error=True)
        for stop in (run.steps, run.steps - 1)
    )
    epochs = []
    for picture in (whole, part):
        places = [*picture.axes, *(above for place in picture.axes for above in place.child_axes)]
        epochs.append([place.get_xlabel() for place in places].count("epoch"))
    assert epochs == [1, 2]
    shaded = [[text.get_text() for text in picture.axes[0].get_legend().get_texts()] for picture in (whole, part)]
    assert shaded == [["mean", "range"], ["mean", "range", "drawn below"]]
    marks = [line for line in whole.axes[1].get_lines() if line.get_linestyle() == "--"]
    assert len(marks) == EPOCHS + 1


@pytest.mark.parametrize(
    ("errors", "scale", "bottom"),
    [([50.0, 0.5], "linear", 0.0), ([50.0, 0.4], "log", 0.28), ([50.0, 0.4, 0.0], "log", 0.28), ([0.0], "linear", 0.0)],
)
def test_an_error_over_decades_has_a_logarithmic_axis(errors, scale, bottom):
    place = plot.new_figure(4.0, 3.0).subplots()
    plot.scale_errors(place, np.array(errors)[:, None])
    assert place.get_yscale() == scale
    assert place.get_ylim()[0] == pytest.approx(bottom)


# What is refused


def test_spans_beyond_the_run_are_refused():
    run = traced("mlp")
    for start, stop in ((0, run.steps + 1), (5, 5), (-1, 4)):
        with pytest.raises(InputError, match=f"span: must be 0 <= start < stop <= {run.steps:,} steps"):
            plot.figure_of(run, choose(run), start, stop)


def test_too_many_channels_are_refused(monkeypatch):
    monkeypatch.setattr(plot, "MOST_CURVES", 10)
    with pytest.raises(InputError, match=r"channels: at most 10 can be told apart in a figure \(got \d+\)"):
        figure("mlp")
    monkeypatch.setattr(plot, "MOST_CURVES", 1000)
    monkeypatch.setattr(plot, "MOST_PANELS", 3)
    with pytest.raises(InputError, match=r"banks and quantities: at most 3 axes fit a figure \(got 12\)"):
        figure("mlp")


# The command


@pytest.fixture
def drawn_figures(monkeypatch):
    """The figures that the command saves."""
    figures = []
    monkeypatch.setattr(plot, "save", lambda figure, path, overwrite: figures.append(figure))
    return figures


BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_the_command_draws_what_is_asked_for(cli, file, tmp_path, ending):
    target = tmp_path / f"figure.{ending}"
    result = cli(
        "trace", "plot", file, "--samples", "2:4", "--banks", "nodes1,nodes2", "--devices", "0", "--out", target
    )
    assert result.status == 0, result.err
    assert target.read_bytes().startswith(BEGINNINGS[ending])
    with memsim.open_run(file) as run:
        steps = run.sample_steps
        assert f"steps {2 * steps} to {4 * steps} of {run.steps}" in result.out
    assert "state, current of devices of nodes1 (1 of 2), nodes2 (all 1); realisation 0 of 3" in result.out
    assert result.out.endswith(f"wrote {target}\n")


def test_without_choices_the_first_samples_are_drawn_in_the_current_folder(cli, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(file.parent.iterdir())
    result = cli("trace", "plot", file)
    assert result.status == 0, result.err
    assert (tmp_path / "run.png").read_bytes().startswith(BEGINNINGS["png"])
    assert result.out.endswith("wrote run.png\n")
    assert set(file.parent.iterdir()) == before
    with memsim.open_run(file) as run:
        assert f"steps 0 to {3 * run.sample_steps} of {run.steps}" in result.out
    assert "window" not in result.out


@pytest.mark.parametrize(("windows", "length"), [([(7, 12), (15, 18)], 3), ([(16, 18)], 2)])
def test_without_a_span_the_first_stored_window_is_drawn(cli, tmp_path, monkeypatch, drawn_figures, windows, length):
    monkeypatch.chdir(tmp_path)
    trace = {"mode": "select", "samples": windows, "banks": ["nodes2"]}
    training.run(configuration("mlp", trace=trace), REAL, out=tmp_path / "windows.h5").close()
    result = cli("trace", "plot", "windows.h5")
    assert result.status == 0, result.err
    with memsim.open_run(tmp_path / "windows.h5") as run:
        size, steps = run.sample_steps, run.steps
    first = windows[0][0]
    assert f"steps {first * size} to {(first + length) * size} of {steps}" in result.out
    said = "no span is given: the beginning of the first window that windows.h5 stores\n"
    assert result.out.startswith(said)
    assert said not in cli("trace", "plot", "windows.h5", "--samples", "0:2").out
    assert said not in cli("trace", "plot", "windows.h5", "--banks", "nodes1").out
    assert len(drawn_figures) == 3


def test_a_window_that_a_stopped_run_did_not_reach_is_not_looked_at():
    run = traced("mlp")
    beyond = ((run.steps, run.steps + 90),)
    stopped = SimpleNamespace(
        traced=("nodes2",), steps=run.steps, sample_steps=run.sample_steps,
        trace=lambda bank: SimpleNamespace(selection=SimpleNamespace(windows=beyond)),
    )  # fmt: skip
    look = plot.first_look(stopped, choose(run))
    assert (look.start, look.stop, look.window) == (0, 3 * run.sample_steps, False)


def test_weights_error_and_devices_reach_the_figure(cli, file, tmp_path, drawn_figures):
    chosen = ("trace", "plot", file, "--out", tmp_path / "figure.png", "--steps", "0:50", "--banks", "synapses1")
    for more in ((), ("--devices", "1,3"), ("--weights",), ("--error",), ("--quantities", "voltage")):
        result = cli(*chosen, *more)
        assert result.status == 0, result.err
    plain, devices, weights, error, voltage = drawn_figures
    labels = [[place.get_ylabel() for place in picture.axes] for picture in drawn_figures]
    assert [label.split(" (")[0] for label in labels[0]] == ["synapses1\nmemristance", "synapses1\ncurrent"]
    assert labels[2] == ["synapses1\nweight", labels[0][1]]
    assert labels[3] == ["total\nerror", *labels[0]]
    assert [label.split(" (")[0] for label in labels[4]] == ["synapses1\nvoltage"]
    names = [[text.get_text() for text in f.axes[0].get_legend().get_texts()] for f in (plain, devices)]
    assert names == [[f"device {k}" for k in range(4)], ["device 1", "device 3"]]
    with memsim.open_run(file) as run:
        scale = next(bank.state_per_weight for bank in run.calibration if bank.name == "synapses1")
        states = run.window("synapses1", "state", 0, 50)[:, :, 0]
        mean = run.total_error.mean(axis=1)
    for k, line in enumerate(panel_lines(weights.axes[0])):
        np.testing.assert_allclose(line.get_ydata()[:-1], states[:, k] / scale, rtol=1e-14)
    (drawn_mean,) = [patch for patch in error.axes[0].patches if getattr(patch, "get_data", None) and not patch.fill]
    np.testing.assert_allclose(drawn_mean.get_data()[0], mean, rtol=1e-14)
    assert len(panel_lines(voltage.axes[0])) == 4


def test_of_a_long_span_of_a_traced_run_no_row_is_read(cli, file, tmp_path, drawn_figures, monkeypatch):
    """Its figure is made from the overview, whose first level has an entry for every 256 rows."""
    monkeypatch.setattr(curves, "STEPS", 30)
    monkeypatch.setattr(curves, "POINTS", 3)
    with memsim.open_run(file) as run:
        steps = run.steps
        voltage = run.window("nodes2", "voltage", realisations=[0])
        first = voltage[:256].min(), voltage[:256].max()

    def unread(*_, **__):
        raise AssertionError("rows are read")

    monkeypatch.setattr(Stored, "trace_rows", unread)
    monkeypatch.setattr(memsim.runs.run.Run, "stretches", unread)
    chosen = ("--out", tmp_path / "figure.png", "--banks", "nodes2", "--quantities", "voltage")
    result = cli("trace", "plot", file, "--steps", "0:", *chosen)
    assert result.status == 0, result.err
    assert f"steps 0 to {steps} of {steps}" in result.out
    (place,) = drawn_figures[0].axes
    vertices = next(c for c in place.collections if isinstance(c, FillBetweenPolyCollection)).get_paths()[0].vertices
    begin = vertices[vertices[:, 0] == 0.0, 1]
    np.testing.assert_allclose((begin.min(), begin.max()), first, rtol=1e-12)
    assert cli("trace", "plot", file, "--steps", "0:20", *chosen).status == 1  # a short one is of rows


def test_a_figure_is_not_overwritten_unless_asked_for(cli, refused, file, tmp_path):
    target = tmp_path / "there.png"
    target.write_text("mine")
    refused("exists", "trace", "plot", file, "--out", target)
    assert target.read_text() == "mine"
    assert cli("trace", "plot", file, "--steps", "0:9", "--out", target, "--overwrite").status == 0
    assert target.read_bytes().startswith(BEGINNINGS["png"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "9"], "--epochs: the run has epochs 0 to 3"),
        (["--epochs", "0", "--steps", "3"], "--epochs and --steps: a span is given in one unit"),
        (["--banks", "nodes7"], "--banks: must be among synapses1"),
        (["--devices", "3"], r"--devices of nodes1: must be from 0 to 1 \(got 3\); choose banks with --banks"),
        (["--epochs", "-5"], "--epochs: the run has 4 epochs, so -4 is the first"),
        (["--devices", "one"], "Invalid value for '--devices'"),
        (["--quantities", "power"], "--quantities: must be among state, current, voltage"),
        (["--out", "figure.doc"], "figure.doc: a figure's file must end in .png, .svg or .pdf$"),
        (["--out", "figure.eps"], "figure.eps: a figure's file must end in .png, .svg or .pdf$"),
        (["--out", "figure"], "figure: a figure's file must end in .png, .svg or .pdf$"),
    ],
)
def test_refused_commands(refused, file, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    refused(message, "trace", "plot", file, "--out", "figure.png", *arguments)
    assert list(tmp_path.iterdir()) == []
