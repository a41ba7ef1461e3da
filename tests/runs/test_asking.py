"""A run that is asked from a Python prompt or a notebook: what it says it is, its history, its figures, its tables."""

import functools
import sys

import numpy as np
import pytest
from short_runs import KINDS, REAL, configuration

import memsim
from memsim.errors import InputError
from memsim.runs import training

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 4)
CLASSES = [0, 1, 1, 0] * 4


@functools.cache
def learned(**settings):
    """A run on samples of classes, three epochs, two realisations."""
    return memsim.train(memsim.MultilayerPerceptron(), INPUTS, CLASSES, epochs=3, realisations=2, seed=1, **settings)


@functools.cache
def of_kind(kind):
    """A run on samples without classes."""
    return training.run(configuration(kind), REAL)


# What it is


def test_a_run_says_what_it_is_and_how_it_ended():
    error = learned().total_error[-1]
    assert repr(learned()) == (
        "<Run: multilayer perceptron 2-2-1; synapse, node; arrays: 16 samples of 2 classes; 3 of 3 epochs, finished; "
        f"total error {error.mean():.4g} (mean of 2 realisations, {error.min():.3g} to {error.max():.3g}); in memory>"
    )


@pytest.mark.parametrize(
    ("kind", "network"),
    [
        ("slp", "single-layer perceptron of 2 inputs, construction 'memristor'; threshold-memristor; two real inputs"),
        ("lines", "single-layer perceptron of 2 inputs, construction 'equivalent'; synapse; two real inputs"),
    ],
)
def test_a_single_layer_perceptron_says_how_it_is_made(kind, network):
    assert repr(of_kind(kind)).startswith(f"<Run: {network}: 5 samples; 4 of 4 epochs, finished; ")


def test_a_run_that_is_far_off_says_what_may_be_too_large():
    network = memsim.MultilayerPerceptron()
    with memsim.train(network, 3.0 * INPUTS - 1.5, CLASSES, epochs=2) as run:
        assert run.total_error[-1, 0] > 10 * 4.0  # 8 of 16 targets are 1
        assert ", far above the 4 of outputs that are 0: the inputs or the learning rate may be too large; " in repr(
            run
        )
        assert "may be too large" in run._repr_html_()
    with memsim.train(network, INPUTS, CLASSES, epochs=20, learning_rate=0.01) as run:
        assert run.total_error[-1, 0] < 10 * 4.0
        assert "far above" not in repr(run)


def test_devices_that_differ_are_each_named_once():
    network = memsim.MultilayerPerceptron(synapse="vteam")
    with memsim.train(network, INPUTS, CLASSES, epochs=1) as run:
        assert "; vteam, node; " in repr(run)


def test_a_run_in_a_file_that_ended_early_or_was_closed_says_so(tmp_path):
    constant = np.zeros((16, 1))  # nothing to be learned better
    run = memsim.train(
        memsim.MultilayerPerceptron(), 0.0 * INPUTS, constant, epochs=500, patience=1, learning_rate=1e-12,
        out=tmp_path / "run.h5",
    )  # fmt: skip
    shown = f"{len(run.total_error)} of 500 epochs, ended early, as no error fell any more; "
    assert shown in repr(run)
    assert repr(run).endswith(f"; {tmp_path / 'run.h5'}>")
    run.close()
    assert repr(run) == "<Run: closed>"
    assert run._repr_html_() == "<p>Run: closed</p>"


def test_a_notebook_gets_a_table_in_which_nothing_of_a_file_is_markup():
    data = memsim.Dataset(INPUTS, INPUTS[:, :1], "<b>&\x1b[31m")
    with memsim.train(memsim.MultilayerPerceptron(), data, epochs=1) as run:
        table = run._repr_html_()
        assert table.startswith("<table")
        assert "<th>network</th><td>multilayer perceptron 2-2-1</td>" in table
        assert "&lt;b&gt;&amp;" in table
        assert "\x1b" not in table + repr(run)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("predict", r"memsim\.evaluate\(run, X\)\.outputs"),
        ("score", r"memsim\.classification\(run, inputs=X, labels=y\)\.accuracy"),
        ("loss", r"run\.total_error"),
        ("coefs_", r"run\.weights"),
        ("fit", r"memsim\.train\(network, X, y, start=run\)"),
    ],
)
def test_what_models_of_other_libraries_have_is_answered_with_what_to_write(name, advice):
    assert not hasattr(learned(), name)
    with pytest.raises(AttributeError, match=f"^a run has no '{name}'; .*{advice}"):
        getattr(learned(), name)


def test_any_other_name_is_missed_as_python_does():
    with pytest.raises(AttributeError, match=r"^'Run' object has no attribute 'historie'$"):
        _ = learned().historie


def test_a_failure_within_a_property_stays_what_it_was(monkeypatch):
    monkeypatch.setattr("memsim.runs.history.history", lambda run: run.nothing_of_this_name)
    with pytest.raises(AttributeError, match="'nothing_of_this_name'"):
        _ = learned().history


def test_a_closed_run_says_so_whatever_it_is_asked():
    run = memsim.train(memsim.MultilayerPerceptron(), INPUTS, CLASSES, epochs=1)
    run.close()
    for asked in (lambda: run.total_error, lambda: run.weights, lambda: run.window("nodes1", "state"), run.plot):
        with pytest.raises(ValueError, match=r"^the run is closed; open its file again"):
            asked()


def test_what_is_read_of_a_run_is_shown_in_a_line():
    run = learned()
    scores, function = memsim.classification(run), memsim.regression(run)
    low, high = scores.accuracy.min(), scores.accuracy.max()
    share = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g} of 2 realisations"
    assert repr(memsim.evaluate(run, INPUTS)).startswith(
        "<Prediction: .outputs of 16 samples, 1 output, 2 realisations; .energy "
    )
    assert repr(scores) == (
        f"<Classification: training, 16 samples of 2 classes; .accuracy {share}; .confusion, .auc, .predicted>"
    )
    assert repr(function).startswith("<Regression: training, 16 samples; .rmse ")


# Its history


def test_the_history_has_a_row_for_each_epoch_and_realisation():
    pytest.importorskip("pandas")
    run = learned()
    table = run.history
    assert list(table.columns) == ["epoch", "realisation", "error", "learning_rate", "energy", "accuracy"]
    assert table["epoch"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table["realisation"].tolist() == [0, 1] * 3
    np.testing.assert_array_equal(table["error"], run.total_error.ravel())
    assert set(table["learning_rate"]) == {0.1}
    by_bank = sum(values.sum(axis=1) for values in run.epoch_energy.values())
    np.testing.assert_array_equal(table["energy"], by_bank.ravel())
    assert table["energy"].sum() == pytest.approx(sum(e.sum() for each in run.energy.values() for e in each.values()))


def test_the_accuracy_of_an_epoch_is_that_of_its_keyframe():
    pytest.importorskip("pandas")
    run = learned()
    found = run.history.pivot_table(index="epoch", columns="realisation", values="accuracy").to_numpy()
    epochs = run.keyframes["epoch"].tolist()
    assert len(found) == 3
    for epoch in (1, 2, 3):
        scored = memsim.classification(run, "training", keyframe=epochs.index(epoch))
        np.testing.assert_array_equal(found[epoch - 1], scored.accuracy)


def test_samples_that_are_held_back_have_the_errors_and_the_accuracy():
    pytest.importorskip("pandas")
    run = learned(validation=0.25)
    np.testing.assert_array_equal(run.history["validation_error"], run.validation_error.ravel())
    scored = memsim.classification(run, "validation", keyframe=-1)
    np.testing.assert_array_equal(run.history["accuracy"][-2:], scored.accuracy)


def test_of_a_run_too_large_the_accuracy_is_read_for_the_last_epoch_alone(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.setattr("memsim.runs.history.READ_STEPS", 1)
    assert learned().history["accuracy"].notna().tolist() == [False] * 4 + [True] * 2


def test_the_history_reads_no_noise_away():
    """What is evaluated later has the noise that it would have had."""
    pytest.importorskip("pandas")
    noise = {"synapse": {"write_noise": 0.1}}
    settings = {"epochs": 2, "imperfections": noise, "periphery": {"synapse": {"read_noise": 0.1}}}
    runs = [memsim.train(memsim.MultilayerPerceptron(), INPUTS, CLASSES, **settings) for _ in range(2)]
    assert len(runs[0].history) == 2
    one, other = (memsim.evaluate(run, INPUTS).outputs for run in runs)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_without_classes_there_is_no_accuracy(kind):
    pytest.importorskip("pandas")
    table = of_kind(kind).history
    assert "accuracy" not in table
    assert len(table) == 12


@pytest.mark.parametrize("ask", [lambda run: run.history, lambda run: run.to_pandas("nodes1")])
def test_without_pandas_a_line_says_how_to_install_it(monkeypatch, ask):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"needs pandas, which is not installed; pip install 'memsim\[pandas\]'$"):
        ask(learned())


# Its steps


@pytest.mark.parametrize(("kind", "bank"), [("mlp", "nodes1"), ("slp", "memristor")])
def test_a_table_of_pandas_has_every_step_of_a_stretch(kind, bank):
    pytest.importorskip("pandas")
    run = of_kind(kind)
    table = run.to_pandas(bank, samples=(1, 3), realisations=[2, 0])
    start, stop = run.sample_steps, 3 * run.sample_steps
    devices = run.bank(bank).devices
    assert len(table) == (stop - start) * devices * 2
    for device, lane in ((0, 0), (devices - 1, 2)):
        rows = table[(table["device"] == device) & (table["realisation"] == lane)]
        np.testing.assert_array_equal(rows["step"], np.arange(start, stop))
        np.testing.assert_array_equal(rows["time"], np.arange(start, stop) * run.dt)
        assert rows["sample"].tolist() == [1] * run.sample_steps + [2] * run.sample_steps
        assert set(rows["epoch"]) == {0}
        for quantity in ("current", "voltage"):
            np.testing.assert_array_equal(rows[quantity], run.window(bank, quantity, start, stop)[:, device, lane])
        names = [variable[0] for variable in run.bank(bank).variables]
        states = run.stretch(start, stop, [bank])[bank].state[:, device, :, lane]
        np.testing.assert_array_equal(rows[names], states)


def test_a_table_of_all_is_that_of_the_run(monkeypatch):
    pytest.importorskip("pandas")
    run = of_kind("mlp")
    assert len(run.to_pandas("nodes2")) == run.steps * 3
    with pytest.raises(InputError, match=r"^banks: must be among .* \(got 'node2'\); did you mean 'nodes2'\?"):
        run.to_pandas("node2")
    monkeypatch.setattr("memsim.files.memory.memory", lambda: 1000)
    with pytest.raises(InputError, match=r"^steps: [0-9,]+ of them would take .*; choose epochs, samples or steps"):
        run.to_pandas("nodes2")


# Its weights and its figures


def test_weights_over_epochs_begin_and_end_with_the_runs():
    run = learned()
    found = run.weights_over_epochs
    assert list(found) == ["synapses1", "nodes1", "synapses2", "nodes2"]
    for bank, stored in found.items():
        assert stored.epochs.tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(stored.weights[-1], run.weights[bank])
        np.testing.assert_array_equal(stored.weights, memsim.analysis.stored_weights(run, bank).weights)


def test_the_figure_of_a_run_has_the_error_of_each_epoch():
    run = learned(validation=0.25)
    (place,) = run.plot().axes
    mean = next(patch for patch in place.patches if patch.get_label() == "mean")
    np.testing.assert_allclose(mean.get_data().values, run.total_error.mean(axis=1))
    np.testing.assert_allclose(place.lines[0].get_ydata(), run.validation_error.mean(axis=1))


def test_the_figure_of_one_realisation_speaks_of_no_others():
    (place,) = memsim.train(memsim.MultilayerPerceptron(), INPUTS, CLASSES, epochs=2).plot().axes
    assert [text.get_text() for text in place.get_legend().get_texts()] == ["total error"]


def test_the_figure_of_weights_has_a_line_for_each():
    run = learned()
    figure = run.plot_weights()
    assert len(figure.axes) == 4
    np.testing.assert_array_equal(
        [line.get_ydata() for line in run.plot_weights(["synapses2"], realisation=1).axes[0].lines[:2]],
        run.weights_over_epochs["synapses2"].weights[:, :, 1].T,
    )
    with pytest.raises(InputError, match=r"^banks: must be among"):
        run.plot_weights(["synapses3"])
    with pytest.raises(InputError, match=r"^realisations: must be from 0 to 1 \(got 2\)"):
        run.plot_weights(realisation=2)


def test_the_figure_of_a_trace_is_that_of_the_command(tmp_path, cli):
    run = of_kind("mlp")
    run.save(tmp_path / "run.h5")
    chosen = ("--banks", "nodes1", "--samples", "0:2", "--quantities", "current")
    assert cli("trace", "plot", tmp_path / "run.h5", "--out", tmp_path / "one.svg", *chosen).status == 0
    figure = run.plot_trace(["nodes1"], samples=(0, 2), quantities=["current"])
    (place,) = figure.axes
    assert place.get_ylabel().startswith("nodes1\ncurrent")
    assert len(run.plot_trace().axes) == 2 * len(run.banks)


def test_a_notebook_shows_a_figure():
    assert learned().plot()._repr_png_().startswith(b"\x89PNG")


def test_the_timing_of_a_sample_has_an_axis_for_each_bank():
    config = memsim.Configuration(data={"gate": "xor", "samples": 4})
    figure = memsim.plot_timing(config)
    assert [place.get_ylabel().split("\n")[0] for place in figure.axes] == [
        "synapses1",
        "nodes1",
        "synapses2",
        "nodes2",
    ]
    with pytest.raises(InputError, match=r"^sample: must be below the number of samples, 4 \(got 4\)$"):
        memsim.plot_timing(config, sample=4)
